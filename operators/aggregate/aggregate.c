/* Folds the values of each key into an aggregate of the user's making; a null aggregate deletes the key. */
#include "aggregate/aggregate.h"

#include "table/rows.h"

struct aggregate {
    const struct aggregate_argument *argument;
    mill_store *store;
    struct result_start start;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct aggregate *aggregate = self;
    aggregate->argument = argument;
    return result_open_with_start(context, aggregate->argument->store, &aggregate->start, &aggregate->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct aggregate *aggregate = self;
    const struct aggregate_argument *argument = aggregate->argument;
    if (result_drops(context, record))
        return 0;
    mill_bytes value;
    int64_t timestamp_ms;
    int found = rows_get(aggregate->store, record->key, &value, &timestamp_ms);
    if (found < 0)
        return found;
    int code = found ? 0 : argument->initializer(&value, context, argument->initializer_ctx);
    mill_bytes initial = found ? mill_null() : value;
    if (code >= 0)
        code = argument->aggregator(record->key, record->value, &value, context, argument->ctx);
    if (code < 0)
        return code;
    mill_record update = { .key = record->key,
                           .value = value,
                           .timestamp_ms = found ? result_later(timestamp_ms, record->timestamp_ms) : record->timestamp_ms };
    return result_put(&aggregate->start, aggregate->store, &update, record, initial);
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    mill_store *store = ((struct aggregate *)self)->store;
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key))
            mill_key_value_prefetch(store, records[i]->key);
}

const mill_processor_type aggregate_type = {
    .name = "aggregate", .self_bytes = sizeof(struct aggregate), .init = init, .process = process, .prepare = prepare
};
