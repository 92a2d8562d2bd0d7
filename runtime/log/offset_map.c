/* One table of slots, searched from where the hash falls. */
#include "log/offset_map.h"

#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/hash_map.h"

enum { SLOTS_FIRST = 64 };

struct offset_map_slot {
    uint64_t high;
    uint64_t low;
    int64_t next_offset; /* offset + 1; 0: empty */
};

_Static_assert(sizeof(struct offset_map_slot) == OFFSET_MAP_SLOT_BYTES, "what the memory bound counts with");

void offset_map_init(struct offset_map *map, size_t bytes_max)
{
    mill_assert(bytes_max >= OFFSET_MAP_BYTES_MIN);
    *map = (struct offset_map){ .slots_max = bytes_max / OFFSET_MAP_SLOT_BYTES, .latest_offset = -1 };
}

void offset_map_release(struct offset_map *map)
{
    mem_free(map->slots);
    map->slots = NULL;
    map->slot_count = 0;
    map->count = 0;
}

static XXH128_hash_t hash_of(mill_bytes key)
{
    return XXH3_128bits_withSeed(key.len > 0 ? key.data : (const void *)"", key.len, hash_map_seed());
}

/* The slot of the hash, or the empty one where it belongs. There is always an empty one. */
static struct offset_map_slot *find(struct offset_map_slot *slots, size_t slot_count, uint64_t high, uint64_t low)
{
    size_t at = (size_t)(((unsigned __int128)high * slot_count) >> 64);
    while (slots[at].next_offset != 0 && (slots[at].low != low || slots[at].high != high))
        at = at + 1 == slot_count ? 0 : at + 1;
    return &slots[at];
}

static bool has_room(const struct offset_map *map)
{
    return map->count + 1 <= map->slot_count / 10 * 9;
}

static int grow(struct offset_map *map)
{
    size_t wanted = map->slot_count ? map->slot_count * 2 : SLOTS_FIRST;
    if (wanted > map->slots_max)
        wanted = map->slots_max;
    if (wanted <= map->slot_count)
        return MILL_ETOOLARGE;
    struct offset_map_slot *slots = mem_calloc(wanted, sizeof *slots);
    if (!slots)
        return MILL_ENOMEM;
    for (size_t i = 0; i < map->slot_count; i++)
        if (map->slots[i].next_offset != 0)
            *find(slots, wanted, map->slots[i].high, map->slots[i].low) = map->slots[i];
    mem_free(map->slots);
    map->slots = slots;
    map->slot_count = wanted;
    return 0;
}

int offset_map_put(struct offset_map *map, mill_bytes key, int64_t offset)
{
    XXH128_hash_t hash = hash_of(key);
    struct offset_map_slot *slot = map->slots ? find(map->slots, map->slot_count, hash.high64, hash.low64) : NULL;
    bool is_new = !slot || slot->next_offset == 0;
    if (is_new && !has_room(map)) {
        int code = grow(map);
        if (code < 0)
            return code;
        slot = find(map->slots, map->slot_count, hash.high64, hash.low64);
    }
    map->count += is_new;
    *slot = (struct offset_map_slot){ hash.high64, hash.low64, offset + 1 };
    return 0;
}

int64_t offset_map_get(const struct offset_map *map, mill_bytes key)
{
    if (!map->slots)
        return -1;
    XXH128_hash_t hash = hash_of(key);
    return find(map->slots, map->slot_count, hash.high64, hash.low64)->next_offset - 1;
}
