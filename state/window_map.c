#include "state/window_map.h"

#include "base/alloc.h"
#include "base/assert.h"

enum { SLOTS_FIRST = 8 };

void window_map_init(struct window_map *map)
{
    *map = (struct window_map){ 0 };
}

void window_map_release(struct window_map *map)
{
    size_t at = 0;
    for (struct table *table = window_map_next(map, &at); table != NULL; table = window_map_next(map, &at))
        table_free(table);
    mem_free(map->slots);
    window_map_init(map);
}

static size_t home_of(int64_t start_ms, size_t mask)
{
    return (size_t)(((uint64_t)start_ms * 0x9e3779b97f4a7c15u) >> 32) & mask;
}

/* The slot of `start_ms`, or the empty one where it belongs. */
static size_t slot_of(const struct window_map *map, int64_t start_ms)
{
    size_t i = home_of(start_ms, map->mask);
    while (map->slots[i] != NULL && map->slots[i]->window_start_ms != start_ms)
        i = (i + 1) & map->mask;
    return i;
}

struct table *window_map_find_slowly(struct window_map *map, int64_t start_ms)
{
    struct table *table = map->slots == NULL ? NULL : map->slots[slot_of(map, start_ms)];
    if (table != NULL)
        map->last = table;
    return table;
}

static bool grow(struct window_map *map)
{
    size_t slot_count = map->slots == NULL ? SLOTS_FIRST : (map->mask + 1) * 2;
    struct window_map grown = { mem_calloc(slot_count, sizeof(struct table *)), slot_count - 1, map->count, map->last };
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; map->slots != NULL && i <= map->mask; i++)
        if (map->slots[i] != NULL)
            grown.slots[slot_of(&grown, map->slots[i]->window_start_ms)] = map->slots[i];
    mem_free(map->slots);
    *map = grown;
    return true;
}

bool window_map_add(struct window_map *map, struct table *table)
{
    if ((map->slots == NULL || map->count >= (map->mask + 1) / 2) && !grow(map))
        return false;
    size_t i = slot_of(map, table->window_start_ms);
    mill_assert(map->slots[i] == NULL);
    map->slots[i] = table;
    map->count++;
    map->last = table;
    return true;
}

void window_map_remove(struct window_map *map, struct table *table)
{
    size_t i = slot_of(map, table->window_start_ms);
    mill_assert(map->slots[i] == table);
    for (size_t next = (i + 1) & map->mask; map->slots[next] != NULL; next = (next + 1) & map->mask) {
        size_t home = home_of(map->slots[next]->window_start_ms, map->mask);
        if (((next - home) & map->mask) >= ((next - i) & map->mask)) {
            map->slots[i] = map->slots[next];
            i = next;
        }
    }
    map->slots[i] = NULL;
    map->count--;
    if (map->last == table)
        map->last = NULL;
    table_free(table);
}

struct table *window_map_next(const struct window_map *map, size_t *at)
{
    while (map->slots != NULL && *at <= map->mask) {
        struct table *table = map->slots[(*at)++];
        if (table != NULL)
            return table;
    }
    return NULL;
}
