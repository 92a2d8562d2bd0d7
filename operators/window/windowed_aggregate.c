/* Folds the values of each key and window into an aggregate of the user's making; a null aggregate deletes it. */
#include "window/windowed.h"

struct windowed_aggregate {
    struct windowed windowed;
    const struct windowed_aggregate_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct windowed_aggregate *aggregate = self;
    aggregate->argument = argument;
    return windowed_open(context, &aggregate->windowed, aggregate->argument->base.store, aggregate->argument->windows);
}

static int update(mill_context *context, void *self, const mill_record *record, int64_t start_ms)
{
    struct windowed_aggregate *aggregate = self;
    const struct aggregate_argument *argument = &aggregate->argument->base;
    mill_bytes value;
    int64_t timestamp_ms;
    int found = mill_window_fetch(aggregate->windowed.store, record->key, start_ms, &value, &timestamp_ms);
    if (found < 0)
        return found;
    int code = found ? 0 : argument->initializer(&value, context, argument->ctx);
    if (code >= 0)
        code = argument->aggregator(record->key, record->value, &value, context, argument->ctx);
    if (code < 0)
        return code;
    int64_t latest = found ? result_later(timestamp_ms, record->timestamp_ms) : record->timestamp_ms;
    return mill_window_put(aggregate->windowed.store, record->key, start_ms, value, latest);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    return windowed_walk(context, self, record, update);
}

const mill_processor_type windowed_aggregate_type = { .name = "windowed-aggregate",
                                                      .self_bytes = sizeof(struct windowed_aggregate),
                                                      .init = init,
                                                      .process = process,
                                                      .prepare = windowed_prepare };
