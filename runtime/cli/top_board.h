/*
 * What `millstream top` shows: pages by their views, with the visitors of the hour, gathered from the results of page_views.
 *
 * A result says how much a window has by now; the board remembers the last value of each window and adds the difference. It
 * remembers at least TOP_WINDOWS_KEPT of the windows that changed last: one older than these that still changes would be
 * counted twice.
 *
 * Thread: its owner.
 */
#ifndef CLI_TOP_BOARD_H
#define CLI_TOP_BOARD_H

#include "base/buffer.h"
#include "base/hash_map.h"
#include "millstream/serde.h"

enum { TOP_WINDOWS_KEPT = 500000 };

struct top_board {
    struct hash_map pages;      /* name -> struct top_page */
    struct hash_map young, old; /* windowed key -> its last count, as a pointer */
    int64_t views;              /* of all pages and windows */
    int64_t hour_ms;            /* the latest hour seen; -1 before */
    int64_t hour_views;
    int64_t minute_ms; /* the latest minute; -1 before */
    int64_t site_visitors_hour_ms;
    int64_t site_visitors;
    int64_t site_visitors_max;
    bool failed; /* no memory: the board is no longer complete */
};

void top_board_init(struct top_board *board);
void top_board_release(struct top_board *board);

/* A record of page-views, key and value as they lie there; others than a windowed key and a count are passed over. */
void top_board_add_views(struct top_board *board, mill_bytes key, mill_bytes value);

/* A record of unique-visitors. */
void top_board_add_visitors(struct top_board *board, mill_bytes key, mill_bytes value);

/*
 * Appends the `rows` pages with the most views as a table about `columns` wide: views in all, views and visitors of the latest
 * hour, and the most visitors of any hour.
 */
void top_board_write(const struct top_board *board, size_t rows, int columns, struct buffer *out);

#endif
