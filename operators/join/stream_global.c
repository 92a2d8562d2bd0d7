/* A stream's records with the rows of a global table, under keys of the user's making. */
#include "join/join.h"

struct stream_global_join {
    const struct stream_global_argument *argument;
    mill_store *store;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct stream_global_join *join = self;
    join->argument = argument;
    return node_store_open(context, join->argument->store, &join->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct stream_global_join *join = self;
    const struct stream_global_argument *argument = join->argument;
    mill_bytes key = mill_null();
    int code = argument->key(record, &key, context, argument->ctx);
    if (code < 0 || join_drops(context, record, key, argument->left))
        return code < 0 ? code : 0;
    mill_bytes row = mill_null();
    int found = mill_is_null(key) ? 0 : mill_key_value_get(join->store, key, &row, NULL);
    if (found < 0 || (!found && !argument->left))
        return found;
    return join_forward(context, argument->joiner, argument->ctx, record, record->value, row, record->timestamp_ms);
}

const mill_processor_type stream_global_join_type = {
    .name = "stream-global-join", .self_bytes = sizeof(struct stream_global_join), .init = init, .process = process
};
