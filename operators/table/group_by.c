/*
 * Rows on their way to their groups: each update becomes what leaves a group and what comes into one, as changes (change.h) for
 * the repartition topic.
 */
#include "table/change.h"
#include "table/table.h"

struct group_by {
    const struct table_group_by_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct group_by *)self)->argument = argument;
    return 0;
}

/* The row as the group sees it; key null: it is in none. */
static int selected(mill_context *context, const struct table_group_by_argument *argument, const mill_record *update,
                    mill_bytes value, mill_record *result)
{
    *result = table_row(update, value);
    if (mill_is_null(value)) {
        result->key = mill_null();
        return 0;
    }
    mill_record row = *result;
    int code = argument->selector(&row, result, context, argument->ctx);
    if (mill_is_null(result->value))
        result->key = mill_null();
    return code;
}

static int send(mill_context *context, const mill_record *update, mill_bytes key, mill_bytes new_value, mill_bytes old_value)
{
    mill_record change = table_row(update, mill_null());
    change.key = key;
    int code = change_write(context, new_value, old_value, &change.value);
    return code < 0 ? code : mill_forward(context, &change);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct table_group_by_argument *argument = ((struct group_by *)self)->argument;
    if (mill_is_null(record->key))
        return mill_context_error(context, MILL_EINVALID, "a row with a null key cannot be grouped");
    if (argument->is_versioned && record->is_outdated)
        return 0; /* groups are of what rows are, not of what they were */
    mill_record come;
    mill_record leave;
    int code = selected(context, argument, record, record->value, &come);
    if (code >= 0)
        code = selected(context, argument, record, record->old_value, &leave);
    if (code < 0)
        return code;
    bool comes = !mill_is_null(come.key);
    bool leaves = !mill_is_null(leave.key);
    if (comes && leaves && mill_bytes_equal(come.key, leave.key))
        return send(context, record, come.key, come.value, leave.value);
    if (leaves)
        code = send(context, record, leave.key, mill_null(), leave.value);
    if (code >= 0 && comes)
        code = send(context, record, come.key, come.value, mill_null());
    return code;
}

const mill_processor_type table_group_by_type = {
    .name = "table-group-by", .self_bytes = sizeof(struct group_by), .init = init, .process = process
};
