/*
 * The sparse index of one segment: from an offset to a position in the log file.
 *
 * About one entry for every 4 KiB of log, so finding an offset is a binary search here and a short scan there. The file is
 * Kafka's `.index`, byte for byte, big-endian:
 *
 *      0           4           8           12
 *      +-----------+-----------+-----------+----
 *      | relative  | position  | relative  | ...
 *      | offset    | in .log   | offset    |
 *      +-----------+-----------+-----------+----
 *
 * Both columns strictly increase. The index is a hint and never the truth: a lookup may land too early, never too late, the
 * reader checks the batch it lands on, and an index that fails its check is rebuilt from the log.
 *
 * Thread: the loop that owns the segment. Nothing here blocks.
 */
#ifndef LOG_OFFSET_INDEX_H
#define LOG_OFFSET_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OFFSET_INDEX_ENTRY_BYTES = 8 };

struct offset_index {
    int64_t base_offset;
    uint8_t *entries; /* owned by the caller: a mapping or a buffer of capacity * 8 bytes */
    size_t count;
    size_t capacity;
};

/*
 * Takes `entries` with `count` valid ones. Returns 0, or MILL_ECORRUPT when a column does not increase or the last position
 * lies at or beyond `log_bytes`: the caller rebuilds. Looks at every entry, once per open.
 */
int offset_index_init(struct offset_index *index, int64_t base_offset, uint8_t *entries, size_t count, size_t capacity,
                      uint32_t log_bytes);

/*
 * Adds an entry for the batch that starts at `position` and, as Kafka writes it, ends with `last_offset`.
 * False: no room, or the offset is out of an entry's range; the segment must roll.
 */
bool offset_index_append(struct offset_index *index, int64_t last_offset, uint32_t position);

/* The position to scan from for `offset`: that of the last entry at or before it, 0 when there is none. */
uint32_t offset_index_lookup(const struct offset_index *index, int64_t offset);

struct offset_index_entry {
    uint32_t position;
    int64_t next_offset; /* behind the last record of the batch there, so that the reader can tell a wrong entry; 0: no entry */
};

/* The same as lookup, and what must be found there. */
struct offset_index_entry offset_index_find(const struct offset_index *index, int64_t offset);

/* The position of the last entry at or before `position`, 0 when there is none: where to begin to see the bytes from there on. */
uint32_t offset_index_position_before(const struct offset_index *index, uint32_t position);

/* Drops every entry at or after `offset`, when the log's tail is cut there. */
void offset_index_truncate(struct offset_index *index, int64_t offset);

#endif
