/*
 * From window start to its table: a small hash map that owns the tables, with the newest use remembered.
 *
 * Thread: the stream thread.
 */
#ifndef STATE_WINDOW_MAP_H
#define STATE_WINDOW_MAP_H

#include "state/table.h"

struct window_map {
    struct table **slots;
    size_t mask; /* slots - 1; 0 with no slots */
    size_t count;
    struct table *last;
};

void window_map_init(struct window_map *map);
void window_map_release(struct window_map *map); /* with the tables */

struct table *window_map_find_slowly(struct window_map *map, int64_t start_ms);

/* NULL: none. */
static inline struct table *window_map_find(struct window_map *map, int64_t start_ms)
{
    struct table *last = map->last;
    return last != NULL && last->window_start_ms == start_ms ? last : window_map_find_slowly(map, start_ms);
}

/* Takes ownership of a table whose start is not there. false: no memory. */
bool window_map_add(struct window_map *map, struct table *table);
void window_map_remove(struct window_map *map, struct table *table); /* and frees it */

/*
 * Every table in unspecified order: start with *at = 0. Who removes the one returned last decrements *at; others may then come
 * twice.
 */
struct table *window_map_next(const struct window_map *map, size_t *at);

#endif
