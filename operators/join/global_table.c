/* A global table's topic into its store: the latest record of each key, in the order of offsets. */
#include "join/join.h"

struct global_table {
    mill_store *store;
};

static int init(mill_context *context, void *self, const void *argument)
{
    return node_store_open(context, ((const struct global_table_argument *)argument)->store,
                           &((struct global_table *)self)->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    if (mill_is_null(record->key)) {
        mill_context_drop(context, "null-key");
        return 0;
    }
    return mill_key_value_put(((struct global_table *)self)->store, record->key, record->value, record->timestamp_ms);
}

const mill_processor_type global_table_type = {
    .name = "global-table", .self_bytes = sizeof(struct global_table), .init = init, .process = process
};
