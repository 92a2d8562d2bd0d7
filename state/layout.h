/*
 * How a kind of store lays its entries out, in memory and on disk.
 *
 *      by window   a table, and a run of neighbours on disk, for each window start: key-value (one, at 0), window and set stores
 *      by key      a table for each segment of time; in it an entry's key is the *element* key | time 8 | rest, as in Kafka
 *                  Streams' changelogs, so that what a key has over time are neighbours:
 *
 *                      session    key | end 8 | start 8             time: the end
 *                      join       key | time 8 | sequence 4
 *                      sliding    key | start 8 | sequence 4 (0)    time: the start
 *                      versioned  key | valid to 8                  time: that; our own, the changelog has plain records
 *
 * The start of a segment's table is its last millisecond: it has expired when all that is in it has.
 */
#ifndef STATE_LAYOUT_H
#define STATE_LAYOUT_H

#include "base/bytes.h"
#include "millstream/store.h"

enum { SEGMENTS_PER_RETENTION = 16, ELEMENT_TIME_BYTES = 8, SESSION_SUFFIX_BYTES = 16, SEQUENCE_SUFFIX_BYTES = 12 };

/* What follows the key in an element; 0: laid out by window. */
static inline size_t layout_suffix_bytes(mill_store_kind kind)
{
    switch (kind) {
    case MILL_STORE_SESSION:
        return SESSION_SUFFIX_BYTES;
    case MILL_STORE_JOIN:
    case MILL_STORE_SLIDING:
        return SEQUENCE_SUFFIX_BYTES;
    case MILL_STORE_VERSIONED:
        return ELEMENT_TIME_BYTES;
    default:
        return 0;
    }
}

static inline bool layout_has_windows(mill_store_kind kind)
{
    return kind != MILL_STORE_KEY_VALUE;
}

/* A sixteenth of the retention and at least one window; 0: one segment for all. */
static inline int64_t layout_segment_ms(mill_store_kind kind, int64_t retention_ms, int64_t window_size_ms)
{
    if (!layout_has_windows(kind) || retention_ms <= 0)
        return 0;
    int64_t length = (retention_ms - 1) / SEGMENTS_PER_RETENTION + 1;
    return length > window_size_ms ? length : window_size_ms;
}

/*
 * How far a store's time may be set back after a restart, so that all that has then not expired lies in HELD_SEGMENTS: two and a
 * half times the retention at least, and many windows where it is short. Of LMDB's limit for one store (lmdb_store.c) some are
 * left for those that have expired and are not dropped yet.
 */
enum { HELD_SEGMENTS = 56 };

static inline int64_t layout_slack_ms(mill_store_kind kind, int64_t retention_ms, int64_t window_size_ms)
{
    int64_t segment_ms = layout_segment_ms(kind, retention_ms, window_size_ms);
    return segment_ms == 0 || segment_ms > INT64_MAX / HELD_SEGMENTS ? INT64_MAX : HELD_SEGMENTS * segment_ms - retention_ms;
}

/* The last millisecond of the segment that `time_ms` lies in. */
static inline int64_t layout_segment_end(int64_t segment_ms, int64_t time_ms)
{
    if (segment_ms == 0)
        return 0;
    int64_t start_ms = time_ms / segment_ms * segment_ms;
    return start_ms > INT64_MAX - segment_ms ? INT64_MAX : start_ms + segment_ms - 1;
}

static inline int64_t layout_segment_start(int64_t segment_ms, int64_t time_ms)
{
    return time_ms / segment_ms * segment_ms;
}

static inline int64_t element_time_ms(mill_bytes element, size_t suffix_bytes)
{
    return (int64_t)read_u64_be(element.data + element.len - suffix_bytes);
}

static inline mill_bytes element_key(mill_bytes element, size_t suffix_bytes)
{
    return mill_bytes_of(element.data, element.len - suffix_bytes);
}

#endif
