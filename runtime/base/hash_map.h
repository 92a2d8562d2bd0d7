/*
 * A hash map from bytes to a pointer, for names: topics, groups, members, nodes. Not for the record path.
 *
 * Open addressing over XXH3 with a seed drawn per process, because peers choose many of the keys. Keys are copied in. Iteration
 * order is that of insertion, so that what is printed and replayed does not depend on the seed. Thread: its owner.
 */
#ifndef BASE_HASH_MAP_H
#define BASE_HASH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

struct hash_map_entry {
    mill_bytes key;
    void *value; /* NULL: a removed entry */
    uint64_t hash;
};

struct hash_map {
    struct hash_map_entry *entries; /* in order of insertion */
    size_t entry_count;
    size_t entry_capacity;
    uint32_t *slots; /* index + 1 into entries, 0 empty */
    size_t slot_mask;
    size_t live;
};

void hash_map_init(struct hash_map *map);
void hash_map_release(struct hash_map *map); /* the values are the caller's */

void *hash_map_get(const struct hash_map *map, mill_bytes key); /* NULL: absent */

/* Adds or replaces; `value` is not NULL. `*old` (may be NULL) gets what was there. 0 or MILL_ENOMEM, which changes nothing. */
int hash_map_put(struct hash_map *map, mill_bytes key, void *value, void **old);
void *hash_map_remove(struct hash_map *map, mill_bytes key); /* what was there, or NULL */
size_t hash_map_count(const struct hash_map *map);

/* Walks live entries: start with *at = 0; NULL at the end. Removing while walking is allowed, putting is not. */
const struct hash_map_entry *hash_map_next(const struct hash_map *map, size_t *at);

/* The process's seed, for other tables whose keys strangers choose. */
uint64_t hash_map_seed(void);

#endif
