/* From a record to its windows: the part that all windowed aggregations have in common. */
#include "window/windowed.h"

int windowed_open(mill_context *context, struct windowed *windowed, const char *store, mill_time_windows windows)
{
    int code = result_open(context, store, &windowed->store);
    if (code < 0)
        return code;
    windowed->time = (struct time_windows){ .windows = windows, .stream_time_ms = mill_window_stream_time_ms(windowed->store) };
    return 0;
}

int windowed_walk(mill_context *context, struct windowed *windowed, const mill_record *record,
                  int (*update)(mill_context *context, void *self, const mill_record *record, int64_t start_ms))
{
    if (mill_is_null(record->key)) {
        mill_context_drop(context, "null-key");
        return 0;
    }
    if (record->timestamp_ms < 0) {
        mill_context_drop(context, "negative-timestamp");
        return 0;
    }
    struct window_walk walk = time_windows_begin(&windowed->time, record->timestamp_ms);
    do {
        if (walk_is_late(&walk)) {
            mill_context_drop(context, "late");
            continue;
        }
        int code = update(context, windowed, record, walk.start_ms);
        if (code < 0)
            return code;
    } while (walk_next(&walk));
    return 0;
}

void windowed_prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    struct windowed *windowed = self;
    struct time_windows time = windowed->time; /* a copy: preparing moves no time */
    for (size_t i = 0; i < count; i++) {
        if (mill_is_null(records[i]->key) || records[i]->timestamp_ms < 0)
            continue;
        struct window_walk walk = time_windows_begin(&time, records[i]->timestamp_ms);
        do
            mill_window_prefetch(windowed->store, records[i]->key, walk.start_ms);
        while (walk_next(&walk));
    }
}
