/*
 * Windows over event time, and the aggregations in them.
 *
 * Time windows are [start, end), aligned to 1970-01-01 UTC, never negative. A window takes records until the operator's stream
 * time (the largest timestamp that has reached it) is at its end plus `grace_ms`; a record for a closed window is dropped there
 * and counted as "late". A record may be late for one hopping window and in time for the next.
 *
 * The result is a table under windowed keys: the key's bytes, then the window's start (serde.h). Its timestamps are the largest
 * seen in each window. A record with a null key is dropped and counted ("null-key"); a null value is aggregated, as in Kafka
 * Streams.
 */
#ifndef MILLSTREAM_WINDOW_H
#define MILLSTREAM_WINDOW_H

#include "millstream/stream.h"
#include "millstream/table.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_time_windows {
    int64_t size_ms;
    int64_t advance_ms;
    int64_t grace_ms;
} mill_time_windows;

/* One after the other without a gap: each record is in one. */
static inline mill_time_windows mill_window_tumbling(int64_t size_ms, int64_t grace_ms)
{
    mill_time_windows windows = { size_ms, size_ms, grace_ms };
    return windows;
}

/* A window of `size_ms` every `advance_ms` (0 < advance <= size): each record is in size / advance of them. */
static inline mill_time_windows mill_window_hopping(int64_t size_ms, int64_t advance_ms, int64_t grace_ms)
{
    mill_time_windows windows = { size_ms, advance_ms, grace_ms };
    return windows;
}

/* A grouped stream cut into windows. */
typedef struct mill_windowed mill_windowed;

MILL_API mill_windowed *mill_grouped_windowed_by(mill_grouped *grouped, mill_time_windows windows);

/* As their unwindowed likes in stream.h, a result per key and window. */
MILL_API mill_table *mill_windowed_count(mill_windowed *windowed, mill_materialized materialized);
MILL_API mill_table *mill_windowed_reduce(mill_windowed *windowed, mill_reducer reducer, void *ctx,
                                          mill_materialized materialized);
MILL_API mill_table *mill_windowed_aggregate(mill_windowed *windowed, mill_initializer initializer, mill_aggregator aggregator,
                                             void *ctx, mill_materialized materialized);
MILL_API mill_table *mill_windowed_count_distinct(mill_windowed *windowed, mill_materialized materialized);
MILL_API mill_table *mill_windowed_count_distinct_by(mill_windowed *windowed, mill_mapper member, void *ctx,
                                                     mill_materialized materialized);

#ifdef __cplusplus
}
#endif
#endif
