/*
 * Entries in order of insertion, and a table of slots that points into them.
 *
 * A removed entry stays in both as a dead one (value NULL, key freed) until the entries array is full: then the map is rebuilt
 * without dead entries, doubled when live ones fill more than half. The table has twice as many slots as the array has entries,
 * so a search always ends at an empty slot.
 */
#include "base/hash_map.h"

#include <sys/auxv.h>
#include <xxhash.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "millstream/error.h"

enum { ENTRIES_FIRST = 8 };

/* The kernel hands each process 16 random bytes at its start: a seed without a system call. */
uint64_t hash_map_seed(void)
{
    uint64_t seed = 0;
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random)
        memcpy(&seed, random, sizeof seed);
    return seed;
}

static uint64_t hash_of(mill_bytes key)
{
    return XXH3_64bits_withSeed(key.len > 0 ? key.data : (const void *)"", key.len, hash_map_seed());
}

void hash_map_init(struct hash_map *map)
{
    *map = (struct hash_map){ 0 };
}

void hash_map_release(struct hash_map *map)
{
    for (size_t i = 0; i < map->entry_count; i++)
        mem_free((void *)map->entries[i].key.data);
    mem_free(map->entries);
    mem_free(map->slots);
    hash_map_init(map);
}

static struct hash_map_entry *find(const struct hash_map *map, mill_bytes key, uint64_t hash)
{
    if (map->live == 0)
        return NULL;
    for (size_t slot = hash & map->slot_mask; map->slots[slot] != 0; slot = (slot + 1) & map->slot_mask) {
        struct hash_map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->value && entry->hash == hash && entry->key.len == key.len &&
            (key.len == 0 || memcmp(entry->key.data, key.data, key.len) == 0))
            return entry;
    }
    return NULL;
}

static void link_entry(uint32_t *slots, size_t slot_mask, uint64_t hash, size_t entry_index)
{
    size_t slot = hash & slot_mask;
    while (slots[slot] != 0)
        slot = (slot + 1) & slot_mask;
    slots[slot] = (uint32_t)entry_index + 1;
}

/* Makes room for one more entry. False: no memory, nothing has changed. */
static bool rebuild(struct hash_map *map)
{
    size_t capacity = map->entry_capacity ? map->entry_capacity : ENTRIES_FIRST;
    if (map->live > capacity / 2)
        capacity *= 2;
    if (capacity > UINT32_MAX / 2)
        return false;
    size_t slot_mask = capacity * 2 - 1;
    struct hash_map_entry *entries = mem_calloc(capacity, sizeof *entries);
    uint32_t *slots = mem_calloc(slot_mask + 1, sizeof *slots);
    if (!entries || !slots) {
        mem_free(entries);
        mem_free(slots);
        return false;
    }

    size_t count = 0;
    for (size_t i = 0; i < map->entry_count; i++) {
        if (!map->entries[i].value)
            continue;
        entries[count] = map->entries[i];
        link_entry(slots, slot_mask, entries[count].hash, count);
        count++;
    }
    mem_free(map->entries);
    mem_free(map->slots);
    map->entries = entries;
    map->entry_count = count;
    map->entry_capacity = capacity;
    map->slots = slots;
    map->slot_mask = slot_mask;
    return true;
}

void *hash_map_get(const struct hash_map *map, mill_bytes key)
{
    const struct hash_map_entry *entry = find(map, key, hash_of(key));
    return entry ? entry->value : NULL;
}

int hash_map_put(struct hash_map *map, mill_bytes key, void *value, void **old)
{
    mill_assert(value != NULL);
    uint64_t hash = hash_of(key);
    struct hash_map_entry *entry = find(map, key, hash);
    if (old)
        *old = entry ? entry->value : NULL;
    if (entry) {
        entry->value = value;
        return 0;
    }

    uint8_t *copy = mem_alloc(key.len);
    if (!copy || (map->entry_count == map->entry_capacity && !rebuild(map))) {
        mem_free(copy);
        return MILL_ENOMEM;
    }
    if (key.len > 0)
        memcpy(copy, key.data, key.len);
    map->entries[map->entry_count] = (struct hash_map_entry){ mill_bytes_of(copy, key.len), value, hash };
    link_entry(map->slots, map->slot_mask, hash, map->entry_count);
    map->entry_count++;
    map->live++;
    return 0;
}

void *hash_map_remove(struct hash_map *map, mill_bytes key)
{
    struct hash_map_entry *entry = find(map, key, hash_of(key));
    if (!entry)
        return NULL;
    void *value = entry->value;
    mem_free((void *)entry->key.data);
    entry->key = mill_null();
    entry->value = NULL;
    map->live--;
    return value;
}

size_t hash_map_count(const struct hash_map *map)
{
    return map->live;
}

const struct hash_map_entry *hash_map_next(const struct hash_map *map, size_t *at)
{
    while (*at < map->entry_count) {
        const struct hash_map_entry *entry = &map->entries[(*at)++];
        if (entry->value)
            return entry;
    }
    return NULL;
}
