/*
 * Suppression: a table's updates are held back, each key's latest only, until a window has closed or a time has passed.
 */
#ifndef SUPPRESS_SUPPRESS_H
#define SUPPRESS_SUPPRESS_H

#include "millstream/stores.h"
#include "millstream/suppress.h"
#include "millstream/window.h"
#include "table/table.h"

struct suppress_argument {
    struct table_argument base; /* its store is the buffer */
    int64_t wait_ms;            /* an update goes on when stream time is this much past its buffer time */
    bool until_window_close; /* buffer time is the window's end, and deletions do not go on; else the first update's timestamp */
    bool ends_are_inclusive; /* sessions and sliding windows: open until time is beyond the end, see suppress.c */
    mill_key_form key_form;  /* of the keys, where the window is */
    int64_t window_size_ms;  /* of time windows */
    mill_suppress_buffer buffer;
};
extern const mill_processor_type suppress_type;

/* As nodes below have seen it: what is held back shows its value from before. */
extern const struct table_view_type suppress_view_type;

/* What the changelog's records are marked with, as Kafka Streams marks this form (buffered_change.h). */
extern const mill_header suppress_changelog_header;

#endif
