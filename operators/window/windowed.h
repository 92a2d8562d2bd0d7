/*
 * The aggregations of a stream by key and time window. Like their unwindowed likes in aggregate/, a result for each window; but
 * a null value is aggregated (only a null key is dropped), as Kafka Streams has it.
 *
 * A record for a closed window is dropped for that window and counted as "late".
 */
#ifndef WINDOW_WINDOWED_H
#define WINDOW_WINDOWED_H

#include "aggregate/aggregate.h"
#include "window/time_windows.h"

struct windowed_count_argument {
    struct count_argument base;
    mill_time_windows windows;
};
extern const mill_processor_type windowed_count_type;

struct windowed_reduce_argument {
    struct reduce_argument base;
    mill_time_windows windows;
};
extern const mill_processor_type windowed_reduce_type;

struct windowed_aggregate_argument {
    struct aggregate_argument base;
    mill_time_windows windows;
};
extern const mill_processor_type windowed_aggregate_type;

struct windowed_count_distinct_argument {
    struct count_distinct_argument base;
    mill_time_windows windows;
};
extern const mill_processor_type windowed_count_distinct_type;

/* ---- walk.c: what they share --------------------------------------------------------------------------------------------- */

/* The state of each of them begins with this. */
struct windowed {
    mill_store *store;
    struct time_windows time;
};

/*
 * Opens the store, whose updates are forwarded from now on. After a restart the operator's time goes on from the latest window
 * in the store: a lower bound of what it was, where Kafka Streams begins at nothing and takes records that are long late.
 */
MILL_MUST_USE int windowed_open(mill_context *context, struct windowed *windowed, const char *store, mill_time_windows windows);

/* Calls `update` for each open window of the record, oldest first; drops and counts what must be. */
MILL_MUST_USE int windowed_walk(mill_context *context, struct windowed *windowed, const mill_record *record,
                                int (*update)(mill_context *context, void *self, const mill_record *record, int64_t start_ms));

/* `prepare` of those whose entries are windows of a key. */
void windowed_prepare(mill_context *context, void *self, const mill_record *const *records, size_t count);

#endif
