/* How many records each key has had. */
#include "aggregate/aggregate.h"

#include "millstream/serde.h"

struct count {
    mill_store *store;
};

static int init(mill_context *context, void *self, const void *argument)
{
    return result_open(context, ((const struct count_argument *)argument)->store, &((struct count *)self)->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct count *count = self;
    if (result_drops(context, record))
        return 0;
    mill_bytes before;
    int64_t timestamp_ms = record->timestamp_ms;
    int found = mill_key_value_get(count->store, record->key, &before, &timestamp_ms);
    if (found < 0)
        return found;
    int64_t number;
    int code = result_read_count(context, before, &number);
    if (code < 0)
        return code;
    uint8_t bytes[8];
    int64_t latest = found ? result_later(timestamp_ms, record->timestamp_ms) : record->timestamp_ms;
    return mill_key_value_put(count->store, record->key, mill_int64_write(bytes, number + 1), latest);
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    mill_store *store = ((struct count *)self)->store;
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key))
            mill_key_value_prefetch(store, records[i]->key);
}

const mill_processor_type count_type = {
    .name = "count", .self_bytes = sizeof(struct count), .init = init, .process = process, .prepare = prepare
};
