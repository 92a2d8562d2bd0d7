/*
 * Folds the values of each key and window into one of the same kind. Null values count: a null first value is stored as nothing
 * and goes on as a deletion, a later one reaches the reducer.
 */
#include "window/windowed.h"

struct windowed_reduce {
    struct windowed windowed;
    const struct windowed_reduce_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct windowed_reduce *reduce = self;
    reduce->argument = argument;
    return windowed_open(context, &reduce->windowed, reduce->argument->base.store, reduce->argument->windows);
}

static int update(mill_context *context, void *self, const mill_record *record, int64_t start_ms)
{
    struct windowed_reduce *reduce = self;
    const struct reduce_argument *argument = &reduce->argument->base;
    mill_bytes value;
    int64_t timestamp_ms;
    int found = mill_window_fetch(reduce->windowed.store, record->key, start_ms, &value, &timestamp_ms);
    if (found < 0)
        return found;
    if (!found)
        return mill_window_put(reduce->windowed.store, record->key, start_ms, record->value, record->timestamp_ms);
    int code = argument->reducer(&value, record->value, context, argument->ctx);
    if (code < 0)
        return code;
    int64_t latest = result_later(timestamp_ms, record->timestamp_ms);
    return mill_window_put(reduce->windowed.store, record->key, start_ms, value, latest);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    return windowed_walk(context, self, record, update);
}

const mill_processor_type windowed_reduce_type = { .name = "windowed-reduce",
                                                   .self_bytes = sizeof(struct windowed_reduce),
                                                   .init = init,
                                                   .process = process,
                                                   .prepare = windowed_prepare };
