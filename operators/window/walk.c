/* From a record to its windows: the part that all windowed aggregations have in common. */
#include "window/windowed.h"

#include "window/kept_time.h"

/* No record for long: time goes on without, and closes windows. */
static int go_on(mill_context *context, void *self, int64_t timestamp_ms)
{
    struct windowed *windowed = self;
    int64_t now_ms = idle_stream_time_ms(&windowed->idle, context, windowed->record_time_ms);
    if (now_ms <= windowed->time.stream_time_ms)
        return 0;
    windowed->time.stream_time_ms = now_ms;
    return windowed->on_close.on ? windowed_emit_closed(context, windowed, NULL) : 0;
}

int64_t windowed_least_start_ms(const struct windowed *windowed)
{
    if (!windowed->on_close.as_kafka)
        return 0;
    /* Its stores on disk for emission on close read a millisecond further back. */
    bool is_in_memory = strcmp(windowed->store->builder->task_state->name, "memory") == 0;
    int64_t more_ms = windowed->on_close.on && !is_in_memory ? 0 : 1;
    int64_t least_ms = mill_window_stream_time_ms(windowed->store) - windowed->kafka_retention_ms + more_ms;
    return least_ms > 0 ? least_ms : 0;
}

/* Sliding windows include their ends and start anywhere. */
static mill_time_windows aligned(const mill_time_windows *windows)
{
    mill_time_windows same = *windows;
    if (windows->sliding) {
        same.size_ms++;
        same.advance_ms = 1;
    }
    return same;
}

int windowed_open(mill_context *context, struct windowed *windowed, const struct windowed_argument *argument)
{
    const char *late = argument->late == NULL ? NULL : *argument->late;
    int code = result_children_open(context, late, &windowed->children);
    if (code == 0)
        code = result_open_for(context, argument->store, &windowed->children, &windowed->store);
    if (code == 0)
        code = idle_open(&windowed->idle, context, go_on);
    windowed->time.windows = aligned(&argument->windows);
    if (code == 0)
        code = keep_time(context, mill_context_node_name(context), &windowed->time.stream_time_ms);
    if (code < 0)
        return code;
    on_close_open(&windowed->on_close, context, argument->emit, argument->store);
    if (result_is_cached(context, windowed->store) && !argument->windows.sliding)
        windowed->on_close.as_kafka = false; /* its cache still has what its store has forgotten */
    if (windowed->on_close.on)
        mill_store_on_flush(windowed->store, NULL, NULL);
    int64_t closed_ms = windowed->on_close.close_ms;
    /* Kafka Streams, which may have had the positions before, keeps no more than what has closed. */
    if (closed_ms >= 0 && closed_ms + argument->windows.grace_ms > windowed->time.stream_time_ms)
        windowed->time.stream_time_ms = closed_ms + argument->windows.grace_ms;
    windowed->record_time_ms = windowed->time.stream_time_ms;
    windowed->emitted_start_ms = closed_ms < 0 ? -1 : closed_ms - windowed->time.windows.size_ms;
    windowed->kafka_retention_ms = windowed->store->builder->retention_ms - argument->more_retention_ms;
    return 0;
}

/* Each open window is updated; a record that is late for all of them goes where late records go. */
static int update_windows(mill_context *context, struct windowed *windowed, const mill_record *record, struct window_walk walk,
                          int (*update)(mill_context *context, void *self, const mill_record *record, int64_t start_ms))
{
    bool taken = false;
    do {
        if (walk_is_late(&walk)) {
            mill_context_drop(context, "late");
            continue;
        }
        taken = true;
        int code = update(context, windowed, record, walk.start_ms);
        if (code < 0)
            return code;
    } while (walk_next(&walk));
    return taken ? 0 : result_forward_late(&windowed->children, record);
}

int windowed_walk(mill_context *context, struct windowed *windowed, const mill_record *record,
                  int (*update)(mill_context *context, void *self, const mill_record *record, int64_t start_ms))
{
    if (result_drops_windowed(context, record))
        return 0;
    result_cause(windowed->store, record);
    idle_saw(&windowed->idle, context);
    if (!time_windows_hold(&windowed->time, record->timestamp_ms))
        return 0; /* before the first of all windows: Kafka Streams says nothing, either */
    struct window_walk walk = time_windows_begin(&windowed->time, record->timestamp_ms);
    windowed->record_time_ms = windowed->time.stream_time_ms;
    if (__builtin_expect(!windowed->on_close.on, 1))
        return update_windows(context, windowed, record, walk, update);
    int code = windowed->on_close.as_kafka ? 0 : windowed_emit_closed(context, windowed, record);
    if (code >= 0)
        code = update_windows(context, windowed, record, walk, update);
    if (code >= 0 && windowed->on_close.as_kafka)
        code = windowed_emit_closed(context, windowed, record);
    return code;
}

int windowed_forward_refused(const struct windowed *windowed, mill_bytes key, mill_bytes value, int64_t start_ms,
                             int64_t timestamp_ms)
{
    mill_record result = { .key = key, .value = value, .timestamp_ms = timestamp_ms };
    return windowed->on_close.on ? 0 : result_forward_refused(&windowed->children, &result, start_ms, -1);
}

void windowed_prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    struct windowed *windowed = self;
    struct time_windows time = windowed->time; /* a copy: preparing moves no time */
    for (size_t i = 0; i < count; i++) {
        if (mill_is_null(records[i]->key) || !time_windows_hold(&time, records[i]->timestamp_ms))
            continue;
        struct window_walk walk = time_windows_begin(&time, records[i]->timestamp_ms);
        do
            mill_window_prefetch(windowed->store, records[i]->key, walk.start_ms);
        while (walk_next(&walk));
    }
}
