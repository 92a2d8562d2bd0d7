/* Folds the values of each key into one of the same kind; the first value stands as it is. */
#include "aggregate/aggregate.h"

#include "table/rows.h"

struct reduce {
    const struct reduce_argument *argument;
    mill_store *store;
    struct result_start start;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct reduce *reduce = self;
    reduce->argument = argument;
    return result_open_with_start(context, reduce->argument->store, &reduce->start, &reduce->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct reduce *reduce = self;
    if (result_drops(context, record))
        return 0;
    mill_bytes value;
    int64_t timestamp_ms;
    int found = rows_get(reduce->store, record->key, &value, &timestamp_ms);
    if (found < 0)
        return found;
    if (!found)
        return result_put(&reduce->start, reduce->store, record, record, mill_null());
    int code = reduce->argument->reducer(&value, record->value, context, reduce->argument->ctx);
    if (code < 0)
        return code;
    mill_record update = { .key = record->key, .value = value, .timestamp_ms = result_later(timestamp_ms, record->timestamp_ms) };
    return result_put(&reduce->start, reduce->store, &update, record, mill_null());
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    mill_store *store = ((struct reduce *)self)->store;
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key))
            mill_key_value_prefetch(store, records[i]->key);
}

const mill_processor_type reduce_type = {
    .name = "reduce", .self_bytes = sizeof(struct reduce), .init = init, .process = process, .prepare = prepare
};
