/* The way of an update out of a table operator. */
#include "node_store.h"
#include "table/rows.h"
#include "table/table.h"

static int forward_update(void *ctx, const mill_record *stored)
{
    struct table_output *output = ctx;
    mill_record update = *stored;
    if (output->current != NULL) {
        update.headers = output->current->headers;
        update.header_count = output->current->header_count;
        if (output->knows_old_values)
            update.old_value = output->current->old_value;
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
    int code = node_store_open(context, argument->store, &output->store);
    mill_store_on_flush(output->store, forward_update, output);
    return code;
}

/* The value before, kept beyond the put. */
static int read_old_value(struct table_output *output, mill_record *update)
{
    if (output->knows_old_values)
        return 0;
    update->old_value = mill_null();
    mill_bytes old;
    int found = output->sends_old_values ? rows_get(output->store, update->key, &old, NULL) : 0;
    if (found <= 0)
        return found;
    uint8_t *copy = mill_context_alloc(output->context, old.len + 1);
    if (copy == NULL)
        return MILL_ENOMEM;
    if (old.len > 0)
        memcpy(copy, old.data, old.len);
    update->old_value = mill_bytes_of(copy, old.len);
    return 0;
}

static int send_version(struct table_output *output, const mill_record *record)
{
    mill_record update = *record;
    int code = read_old_value(output, &update);
    if (code < 0)
        return code;
    int taken = rows_put_version(output->store, &update, &update.is_outdated);
    return taken <= 0 ? taken : mill_forward(output->context, &update);
}

int table_output_send(struct table_output *output, const mill_record *update)
{
    if (output->store == NULL)
        return forward_update(output, update);
    if (rows_are_versioned(output->store))
        return send_version(output, update);
    mill_store_set_headers(output->store, update->headers, update->header_count);
    output->current = update;
    int code = mill_key_value_put(output->store, update->key, update->value, update->timestamp_ms);
    output->current = NULL;
    return code;
}
