/* The way of an update out of a table operator. */
#include "table/table.h"

static int forward_update(void *ctx, const mill_record *stored)
{
    struct table_output *output = ctx;
    mill_record update = *stored;
    if (output->current != NULL) {
        update.headers = output->current->headers;
        update.header_count = output->current->header_count;
    }
    if (!output->sends_old_values)
        update.old_value = mill_null();
    return mill_forward(output->context, &update);
}

int table_output_open(mill_context *context, const struct table_argument *argument, struct table_output *output)
{
    *output = (struct table_output){ .context = context, .sends_old_values = argument->sends_old_values };
    if (argument->store == NULL)
        return 0;
    output->store = mill_context_store(context, argument->store);
    if (output->store == NULL)
        return mill_context_error(context, MILL_ENOTFOUND, "%s: its store %s is not in the task", mill_context_node_name(context),
                                  argument->store);
    mill_store_on_flush(output->store, forward_update, output);
    return 0;
}

int table_output_send(struct table_output *output, const mill_record *update)
{
    if (output->store == NULL)
        return forward_update(output, update);
    output->current = update;
    int code = mill_key_value_put(output->store, update->key, update->value, update->timestamp_ms);
    output->current = NULL;
    return code;
}
