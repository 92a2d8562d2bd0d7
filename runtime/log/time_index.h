/*
 * The sparse time index of one segment: from a timestamp to an offset where a search may begin.
 *
 * An entry says: up to and including the batch that ends with this offset, no record is younger than this timestamp. Kafka's
 * `.timeindex`, byte for byte, big-endian:
 *
 *      0                       8           12
 *      +-----------------------+-----------+----
 *      | largest timestamp     | relative  | ...
 *      | so far, in ms         | offset    |
 *      +-----------------------+-----------+----
 *
 * Both columns strictly increase. Like the offset index it is a hint: a lookup may land too early, never too late. The last entry
 * of a rolled segment is the segment's largest timestamp.
 *
 * Thread: the loop that owns the segment. Nothing here blocks.
 */
#ifndef LOG_TIME_INDEX_H
#define LOG_TIME_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/error.h"

enum { TIME_INDEX_ENTRY_BYTES = 12 };

struct time_index {
    int64_t base_offset;
    uint8_t *entries; /* owned by the caller: capacity * 12 bytes */
    size_t count;
    size_t capacity;
};

struct time_index_entry {
    int64_t timestamp_ms;
    int64_t offset; /* the last one of the batch that brought this timestamp */
};

/*
 * Takes `entries` with `count` valid ones. Returns 0, or MILL_ECORRUPT when a column does not increase or an offset lies at or
 * beyond `next_offset`, the end of the segment: the caller rebuilds. Looks at every entry, once per open.
 */
MILL_MUST_USE int time_index_init(struct time_index *index, int64_t base_offset, uint8_t *entries, size_t count, size_t capacity,
                                  int64_t next_offset);

/*
 * Notes that the batch that ends with `last_offset` brought the largest timestamp so far. Nothing is added when the last entry is
 * as young. False: no room, or the entries that are there do not fit the log.
 */
bool time_index_append(struct time_index *index, int64_t timestamp_ms, int64_t last_offset);

/*
 * The last entry at or before `timestamp_ms`: the search begins at its offset. False when there is none: at the segment's start.
 */
bool time_index_lookup(const struct time_index *index, int64_t timestamp_ms, struct time_index_entry *entry);

/* False when it is empty. */
bool time_index_last(const struct time_index *index, struct time_index_entry *entry);

/* Drops every entry at or after `offset`, when the log's tail is cut there. */
void time_index_truncate(struct time_index *index, int64_t offset);

#endif
