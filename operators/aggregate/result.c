/* How results get out of an aggregation, and what its operators check alike. */
#include "aggregate/aggregate.h"

#include "millstream/serde.h"

static int forward_update(void *ctx, const mill_record *update)
{
    return mill_forward(ctx, update);
}

int result_open(mill_context *context, const char *name, mill_store **store)
{
    *store = mill_context_store(context, name);
    if (*store == NULL)
        return mill_context_error(context, MILL_ENOTFOUND, "%s: its store %s is not in the task", mill_context_node_name(context),
                                  name);
    mill_store_on_flush(*store, forward_update, context);
    return 0;
}

int result_read_count(mill_context *context, mill_bytes value, int64_t *count)
{
    *count = 0;
    if (mill_is_null(value) || mill_int64_read(value, count))
        return 0;
    return mill_context_error(context, MILL_ECORRUPT,
                              "%s: the stored count has %zu bytes instead of 8: was the store another operator's?",
                              mill_context_node_name(context), value.len);
}

bool result_drops(mill_context *context, const mill_record *record)
{
    if (mill_is_null(record->key))
        mill_context_drop(context, "null-key");
    else if (mill_is_null(record->value))
        mill_context_drop(context, "null-value");
    else
        return false;
    return true;
}
