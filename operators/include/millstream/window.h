/*
 * Windows over event time, and the aggregations in them.
 *
 * Time windows are [start, end), aligned to 1970-01-01 UTC, never negative. A window takes records until the operator's stream
 * time (the largest timestamp that has reached it) is at its end plus `grace_ms`; a record for a closed window is dropped there
 * and counted as "late". A record may be late for one hopping window and in time for the next.
 *
 * Time moves with records only, as in Kafka Streams: the last windows stay open until the next record. With the property
 * `mill.idle.ms` set, an operator that gets no record for that long counts its time on with the wall clock, so that windows close
 * by themselves; what then comes late is late. Where a broker is not heard of, as in an outage, the clock does not count.
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
    int64_t first_ms; /* where the first window starts: 0 but for unlimited windows */
    bool sliding;     /* windows are around records, `size_ms` is the largest difference of their timestamps */
} mill_time_windows;

/* One after the other without a gap: each record is in one. */
static inline mill_time_windows mill_window_tumbling(int64_t size_ms, int64_t grace_ms)
{
    mill_time_windows windows = { size_ms, size_ms, grace_ms, 0, false };
    return windows;
}

/* A window of `size_ms` every `advance_ms` (0 < advance <= size): each record is in size / advance of them. */
static inline mill_time_windows mill_window_hopping(int64_t size_ms, int64_t advance_ms, int64_t grace_ms)
{
    mill_time_windows windows = { size_ms, advance_ms, grace_ms, 0, false };
    return windows;
}

/* One window from `start_ms` on that never closes. Earlier records are ignored and not counted. */
static inline mill_time_windows mill_window_unlimited(int64_t start_ms)
{
    mill_time_windows windows = { INT64_MAX, INT64_MAX, 0, start_ms, false };
    return windows;
}

/*
 * A window for each set of records of a key that are at most `difference_ms` apart: [start, start + difference], both inclusive.
 * Only windows with records exist. Records with timestamps below the difference share the window that starts at 0. A window is
 * closed when the operator's time minus grace is past its end. Null values are dropped ("null-value"), unlike in other windows.
 */
static inline mill_time_windows mill_window_sliding(int64_t difference_ms, int64_t grace_ms)
{
    mill_time_windows windows = { difference_ms, 0, grace_ms, 0, true };
    return windows;
}

/*
 * Sessions: records of a key that are at most `gap_ms` apart are one, whose window is the closed interval of their timestamps,
 * start to end. A record can make one session of two. It is late when the session that it would belong to has ended more than
 * `gap_ms` and `grace_ms` before the operator's time.
 */
typedef struct mill_session_windows {
    int64_t gap_ms; /* above 0 */
    int64_t grace_ms;
} mill_session_windows;

static inline mill_session_windows mill_window_session(int64_t gap_ms, int64_t grace_ms)
{
    mill_session_windows windows = { gap_ms, grace_ms };
    return windows;
}

/* When results go on. */
typedef enum mill_emit_strategy {
    MILL_EMIT_ON_WINDOW_UPDATE, /* with every change, or with a cache at each commit: the default */
    MILL_EMIT_ON_WINDOW_CLOSE   /* once, when the window has closed */
} mill_emit_strategy;

/* A grouped stream cut into windows. */
typedef struct mill_windowed mill_windowed;

MILL_API mill_windowed *mill_grouped_windowed_by(mill_grouped *grouped, mill_time_windows windows);

/*
 * On close: a window's result goes on when the first record comes that moves the operator's time to its end plus grace, in the
 * order of (start, key bytes), at most once a second of wall time (in the test driver with every record). A restart repeats
 * nothing. The window that closes is complete: what comes for it later is late.
 *
 * Kafka Streams takes the record that closes windows first, so that windows are lost when time jumps by more than the retention;
 * here they are not. mill.compat=kafka brings its order back. Not for unlimited windows, which never close. Returns `windowed`.
 */
MILL_API mill_windowed *mill_windowed_emit(mill_windowed *windowed, mill_emit_strategy strategy);

/* As their unwindowed likes in stream.h, a result per key and window. */
MILL_API mill_table *mill_windowed_count(mill_windowed *windowed, mill_materialized materialized);
MILL_API mill_table *mill_windowed_reduce(mill_windowed *windowed, mill_reducer reducer, void *ctx,
                                          mill_materialized materialized);
MILL_API mill_table *mill_windowed_aggregate(mill_windowed *windowed, mill_initializer initializer, mill_aggregator aggregator,
                                             void *ctx, mill_materialized materialized);
MILL_API mill_table *mill_windowed_count_distinct(mill_windowed *windowed, mill_materialized materialized);
MILL_API mill_table *mill_windowed_count_distinct_by(mill_windowed *windowed, mill_mapper member, void *ctx,
                                                     mill_materialized materialized);

/*
 * About: see mill_grouped_count_distinct_approximate. The exact ones keep a set as one value where windows slide or emit on
 * close, which is searched from its beginning: for at most some hundreds of members.
 */
MILL_API mill_table *mill_windowed_count_distinct_approximate(mill_windowed *windowed, mill_materialized materialized);
MILL_API mill_table *mill_windowed_count_distinct_approximate_by(mill_windowed *windowed, mill_mapper member, void *ctx,
                                                                 mill_materialized materialized);

/*
 * The `n` items with the largest scores of each key and window, as a list that mill_top_next reads, the largest first, equal ones
 * by rising bytes. An item that comes again has its new score: a list is exact as long as the scores of an item only grow, as
 * counts do; where one falls, items that had fallen out of the list do not come back. Records without an item are dropped
 * ("null-item"). It needs a name in `materialized`.
 */
MILL_API mill_table *mill_windowed_top_n(mill_windowed *windowed, size_t n, mill_ranker ranker, void *ctx,
                                         mill_materialized materialized);

/*
 * The next item of such a list, which is shortened by it: { score 8 | length 4 | item } ..., big-endian. False: there is none, or
 * the rest is no list.
 */
MILL_API bool mill_top_next(mill_bytes *list, mill_bytes *item, int64_t *score);

/* ---- sessions ------------------------------------------------------------------------------------------------------------ */

/* A grouped stream cut into sessions. */
typedef struct mill_session_windowed mill_session_windowed;

MILL_API mill_session_windowed *mill_grouped_windowed_by_session(mill_grouped *grouped, mill_session_windows windows);

/*
 * On close: a session goes on when the operator's time minus gap and grace is past its end, in the order of (end, start, key
 * bytes); else as mill_windowed_emit.
 */
MILL_API mill_session_windowed *mill_session_windowed_emit(mill_session_windowed *windowed, mill_emit_strategy strategy);

/*
 * A result per key and session, under the key, its end and its start (serde.h), with the session's end as timestamp. On update,
 * a session that grows or is merged goes on as a deletion of the old windows, in order of their ends, and the new one; with a
 * cache a window that comes and goes between two commits is not seen. The retention is at least gap and grace.
 *
 * mill.compat=kafka: without a cache the update of a session has no old value for the tables below, as in Kafka Streams.
 */
MILL_API mill_table *mill_session_windowed_count(mill_session_windowed *windowed, mill_materialized materialized);
MILL_API mill_table *mill_session_windowed_reduce(mill_session_windowed *windowed, mill_reducer reducer, void *ctx,
                                                  mill_materialized materialized);

/* `merger` makes one aggregate of two, and of a fresh one and one, when sessions are merged. */
MILL_API mill_table *mill_session_windowed_aggregate(mill_session_windowed *windowed, mill_initializer initializer,
                                                     mill_aggregator aggregator, mill_merger merger, void *ctx,
                                                     mill_materialized materialized);

/*
 * Different members of a session: exactly, with a set kept as one value for at most some hundreds, or about. They need a name in
 * `materialized`.
 */
MILL_API mill_table *mill_session_windowed_count_distinct(mill_session_windowed *windowed, mill_materialized materialized);
MILL_API mill_table *mill_session_windowed_count_distinct_by(mill_session_windowed *windowed, mill_mapper member, void *ctx,
                                                             mill_materialized materialized);
MILL_API mill_table *mill_session_windowed_count_distinct_approximate(mill_session_windowed *windowed,
                                                                      mill_materialized materialized);
MILL_API mill_table *mill_session_windowed_count_distinct_approximate_by(mill_session_windowed *windowed, mill_mapper member,
                                                                         void *ctx, mill_materialized materialized);

/* ---- late records -------------------------------------------------------------------------------------------------------- */

/*
 * The records that came too late for every window that they belong to, as they came, in a stream of their own; they are counted
 * as "late" all the same. `table` is what one of the calls above has made, or a windowed aggregate of cogroup.h, not something
 * below it; where it counts members or has the largest, the value is the member or a list of one (mill_windowed_top_n). Kafka
 * Streams does not have it: the node takes no number.
 */
MILL_API mill_stream *mill_windowed_late(mill_table *table);

#ifdef __cplusplus
}
#endif
#endif
