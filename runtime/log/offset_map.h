/*
 * The newest offset of each key in the stretch of log that a compaction looks at.
 *
 * A key is known by a 128-bit hash under the process's seed, so that a slot is 24 bytes whatever the key's length, and nobody
 * outside can choose two keys that meet (by chance two of a billion keys do once in 10^20 compactions). Open addressing; at most
 * nine of ten slots are used. Grows as keys come, up to `bytes_max`; while it grows the old table, half as large, is there too.
 *
 * Thread: its owner's.
 */
#ifndef LOG_OFFSET_MAP_H
#define LOG_OFFSET_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"
#include "millstream/error.h"

enum { OFFSET_MAP_SLOT_BYTES = 24, OFFSET_MAP_BYTES_MIN = 4096 };

struct offset_map_slot;

struct offset_map {
    struct offset_map_slot *slots;
    size_t slot_count;
    size_t slots_max;
    size_t count;
    int64_t latest_offset; /* up to it every record is in the map: set by the owner */
};

/* Takes no memory yet. `bytes_max` at least OFFSET_MAP_BYTES_MIN. */
void offset_map_init(struct offset_map *map, size_t bytes_max);
void offset_map_release(struct offset_map *map);

/*
 * `offset` is the newest of `key`: offsets come in order. 0; MILL_ETOOLARGE: a new key, and the map is full; MILL_ENOMEM. After
 * an error the map is as it was.
 */
MILL_MUST_USE int offset_map_put(struct offset_map *map, mill_bytes key, int64_t offset);

/* -1: the key is not in the map. */
int64_t offset_map_get(const struct offset_map *map, mill_bytes key);

#endif
