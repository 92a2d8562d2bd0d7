/*
 * Suppression: a table's updates are held back, so that fewer or only final ones go on.
 *
 *     mill_table *final = mill_table_suppress(counts, mill_suppress_until_window_closes(mill_suppress_unbounded()));
 *
 * Of each key the buffer holds the latest update. Time is the operator's own, the largest timestamp that has reached it; without
 * a record nothing goes on, unless `mill.idle.ms` is set (window.h). What goes on at once does so in the order of (buffer time,
 * key bytes), with the timestamp and headers of its latest update. The buffer has a changelog in Kafka Streams' form.
 */
#ifndef MILLSTREAM_SUPPRESS_H
#define MILLSTREAM_SUPPRESS_H

#include "millstream/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How much the buffer takes, and what happens when that is exceeded. All zero: as much as comes. */
typedef struct mill_suppress_buffer {
    uint64_t records_max;     /* 0: any number */
    uint64_t bytes_max;       /* of keys and values and some bytes a record, by Kafka Streams' estimate; 0: any number */
    bool shut_down_when_full; /* the task fails (MILL_ENOMEM: no handler is asked); else what has waited longest goes on early */
    bool without_logging;     /* no changelog: lost with the disk */
} mill_suppress_buffer;

static inline mill_suppress_buffer mill_suppress_unbounded(void)
{
    mill_suppress_buffer buffer = { 0, 0, false, false };
    return buffer;
}

static inline mill_suppress_buffer mill_suppress_max_records(uint64_t records_max)
{
    mill_suppress_buffer buffer = { records_max, 0, false, false };
    return buffer;
}

static inline mill_suppress_buffer mill_suppress_max_bytes(uint64_t bytes_max)
{
    mill_suppress_buffer buffer = { 0, bytes_max, false, false };
    return buffer;
}

static inline mill_suppress_buffer mill_suppress_shut_down_when_full(mill_suppress_buffer buffer)
{
    buffer.shut_down_when_full = true;
    return buffer;
}

typedef struct mill_suppressed {
    const char *name; /* of the operator and, with "-store" behind it, of its buffer; NULL: generated */
    bool until_window_closes;
    int64_t time_limit_ms; /* from a key's first update in the buffer */
    mill_suppress_buffer buffer;
} mill_suppressed;

/*
 * One update per key and window: the last, when the window has closed (its end plus the grace of the aggregation above, sessions
 * also their gap; behind a join of tables with different windows the longest of each, as keys say only where a window begins).
 * Deletions do not go on. A bounded buffer must shut down when full, since the last cannot be emitted early.
 *
 * Kafka Streams lets sessions and sliding windows go while a record at exactly their bound is still taken, so that a final result
 * can come twice; mill.compat=kafka does the same.
 */
static inline mill_suppressed mill_suppress_until_window_closes(mill_suppress_buffer buffer)
{
    mill_suppressed suppressed = { NULL, true, 0, buffer };
    return suppressed;
}

/* The latest update of a key when `time_limit_ms` have passed since its first that was held back; deletions too. */
static inline mill_suppressed mill_suppress_until_time_limit(int64_t time_limit_ms, mill_suppress_buffer buffer)
{
    mill_suppressed suppressed = { NULL, false, time_limit_ms, buffer };
    return suppressed;
}

/*
 * A group_by or join below gets as old value what went on before. In Kafka Streams it is the value before the latest update,
 * which may never have gone on; mill.compat=kafka does the same.
 */
MILL_API mill_table *mill_table_suppress(mill_table *table, mill_suppressed suppressed);

#ifdef __cplusplus
}
#endif
#endif
