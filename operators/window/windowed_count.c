/* How many records each key has had in each window. */
#include "window/windowed.h"

#include "millstream/serde.h"

static int init(mill_context *context, void *self, const void *argument)
{
    const struct windowed_count_argument *windowed = argument;
    return windowed_open(context, self, windowed->base.store, windowed->windows);
}

static int update(mill_context *context, void *self, const mill_record *record, int64_t start_ms)
{
    struct windowed *windowed = self;
    mill_bytes before;
    int64_t timestamp_ms;
    int found = mill_window_fetch(windowed->store, record->key, start_ms, &before, &timestamp_ms);
    if (found < 0)
        return found;
    int64_t number;
    int code = result_read_count(context, before, &number);
    if (code < 0)
        return code;
    uint8_t bytes[8];
    int64_t latest = found ? result_later(timestamp_ms, record->timestamp_ms) : record->timestamp_ms;
    return mill_window_put(windowed->store, record->key, start_ms, mill_int64_write(bytes, number + 1), latest);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    return windowed_walk(context, self, record, update);
}

const mill_processor_type windowed_count_type = {
    .name = "windowed-count", .self_bytes = sizeof(struct windowed), .init = init, .process = process, .prepare = windowed_prepare
};
