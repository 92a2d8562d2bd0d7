/* How many records each key has had. */
#include "aggregate/aggregate.h"

#include "millstream/serde.h"
#include "table/rows.h"

struct count {
    mill_store *store;
    struct result_start start;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct count *count = self;
    return result_open_with_start(context, ((const struct count_argument *)argument)->store, &count->start, &count->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct count *count = self;
    if (result_drops(context, record))
        return 0;
    mill_bytes before;
    int64_t timestamp_ms = record->timestamp_ms;
    int found = rows_get(count->store, record->key, &before, &timestamp_ms);
    if (found < 0)
        return found;
    int64_t number;
    int code = result_read_count(context, before, &number);
    if (code < 0)
        return code;
    uint8_t bytes[8];
    static const uint8_t zero[8] = { 0 };
    mill_record update = { .key = record->key,
                           .value = mill_int64_write(bytes, number + 1),
                           .timestamp_ms = found ? result_later(timestamp_ms, record->timestamp_ms) : record->timestamp_ms };
    return result_put(&count->start, count->store, &update, record, found ? mill_null() : mill_bytes_of(zero, sizeof zero));
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
