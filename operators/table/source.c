/* A topic or a stream as a table: a record is the new value of its key, whatever its time; null deletes. */
#include "table/table.h"

struct table_source {
    struct table_output output;
};

static int init(mill_context *context, void *self, const void *argument)
{
    return table_output_open(context, argument, &((struct table_source *)self)->output);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    if (mill_is_null(record->key)) {
        mill_context_drop(context, "null-key");
        return 0;
    }
    return table_output_send(&((struct table_source *)self)->output, record);
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    mill_store *store = ((struct table_source *)self)->output.store;
    for (size_t i = 0; store != NULL && i < count; i++)
        if (!mill_is_null(records[i]->key))
            mill_key_value_prefetch(store, records[i]->key);
}

const mill_processor_type table_source_type = {
    .name = "table-source", .self_bytes = sizeof(struct table_source), .init = init, .process = process, .prepare = prepare
};
