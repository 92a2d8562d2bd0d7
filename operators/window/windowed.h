/*
 * The aggregations of a stream by key and time window. Like their unwindowed likes in aggregate/, a result for each window; but
 * a null value is aggregated (only a null key is dropped), as Kafka Streams has it.
 *
 * A record for a closed window is dropped for that window and counted as "late". A record that no window takes for that reason
 * goes on in a stream of its own, where there is one.
 */
#ifndef WINDOW_WINDOWED_H
#define WINDOW_WINDOWED_H

#include "aggregate/aggregate.h"
#include "aggregate/fold.h"
#include "window/idle.h"
#include "window/on_close.h"
#include "window/time_windows.h"

/* The argument of each of them begins with this. */
struct windowed_argument {
    const char *store;
    mill_time_windows windows;
    mill_emit_strategy emit;
    int64_t more_retention_ms; /* how much longer the store keeps windows than Kafka Streams' would */
    const char *const *late;   /* the name of the child that gets late records, or NULL */
};

struct windowed_aggregate_argument {
    struct windowed_argument base;
    struct fold fold;
};
extern const mill_processor_type windowed_aggregate_type;
extern const mill_processor_type sliding_aggregate_type; /* the same argument, its windows being sliding ones */

struct windowed_count_distinct_argument {
    struct windowed_argument base;
    mill_mapper member; /* NULL: the value is the member */
    void *ctx;
};
extern const mill_processor_type windowed_count_distinct_type;

/* ---- walk.c: what they share --------------------------------------------------------------------------------------------- */

/* The state of each of them begins with this. */
struct windowed {
    mill_store *store;
    struct time_windows time;
    struct result_children children;
    struct on_close on_close;
    struct idle idle;
    int64_t record_time_ms;   /* stream time as records make it, without idle time */
    int64_t emitted_start_ms; /* on close: windows that start here or before have gone on; -1: none */
    int64_t kafka_retention_ms;
};

/* Windows that start earlier cannot be read for mill.compat=kafka, though the store has them. */
int64_t windowed_least_start_ms(const struct windowed *windowed);

/*
 * Opens the store, whose updates are forwarded from now on unless the operator emits on close. After a restart the operator's
 * time goes on from the latest window in the store: a lower bound of what it was, where Kafka Streams begins at nothing and takes
 * records that are long late.
 */
MILL_MUST_USE int windowed_open(mill_context *context, struct windowed *windowed, const struct windowed_argument *argument);

/*
 * Calls `update` for each open window of the record, oldest first; drops and counts what must be; emits what has closed.
 */
MILL_MUST_USE int windowed_walk(mill_context *context, struct windowed *windowed, const mill_record *record,
                                int (*update)(mill_context *context, void *self, const mill_record *record, int64_t start_ms));

/* As result_forward_refused, unless the operator emits on close. */
MILL_MUST_USE int windowed_forward_refused(const struct windowed *windowed, mill_bytes key, mill_bytes value, int64_t start_ms,
                                           int64_t timestamp_ms);

/* `prepare` of those whose entries are windows of a key. */
void windowed_prepare(mill_context *context, void *self, const mill_record *const *records, size_t count);

/* ---- emit_windows.c ------------------------------------------------------------------------------------------------------ */

/* Forwards the windows that have closed and not yet gone on, in the order of (start, key), if it is time to look. */
MILL_MUST_USE int windowed_emit_closed(mill_context *context, struct windowed *windowed, const mill_record *cause);

/*
 * The entries of a window store with from <= start <= to as records under windowed keys, with the headers of `cause` (may be
 * NULL).
 */
MILL_MUST_USE int windowed_emit_range(const struct result_children *children, mill_store *store, int64_t from_ms, int64_t to_ms,
                                      const mill_record *cause);

#endif
