/*
 * The rows for which the user's predicate holds (or does not). A row that stops to match is deleted below.
 *
 * Whether a row that never matched makes a deletion too depends on what is known: without old values it must, since the row may
 * have matched before; with them, nothing to nothing stays silent.
 */
#include "table/rows.h"
#include "table/table.h"

struct table_filter {
    const struct table_filter_argument *argument;
    struct table_output output;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct table_filter *filter = self;
    filter->argument = argument;
    return table_output_open(context, argument, &filter->output);
}

/* `value`, or null when the row is not to be seen. */
static mill_bytes matching(const struct table_filter_argument *argument, const mill_record *update, mill_bytes value)
{
    if (mill_is_null(value))
        return value;
    mill_record row = table_row(update, value);
    return argument->predicate(&row, argument->ctx) == argument->keep ? value : mill_null();
}

static int old_value(struct table_filter *filter, const mill_record *update, mill_bytes *old)
{
    *old = mill_null();
    if (!filter->argument->base.sends_old_values)
        return 0;
    if (filter->output.store != NULL)
        return rows_get(filter->output.store, update->key, old, NULL);
    *old = matching(filter->argument, update, update->old_value);
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct table_filter *filter = self;
    mill_record update = *record;
    update.value = matching(filter->argument, record, record->value);
    int code = old_value(filter, record, &update.old_value);
    if (code < 0)
        return code;
    bool silent = filter->argument->base.sends_old_values && !filter->argument->is_versioned;
    if (silent && mill_is_null(update.value) && mill_is_null(update.old_value))
        return 0;
    return table_output_send(&filter->output, &update);
}

const mill_processor_type table_filter_type = {
    .name = "table-filter", .self_bytes = sizeof(struct table_filter), .init = init, .process = process
};

static int view(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    struct table_reader *parent = reader->parents[0];
    int found = parent->view->type->get(parent, key, as_of_ms, value, timestamp_ms);
    if (found <= 0)
        return found;
    mill_record row = { .key = key, .timestamp_ms = *timestamp_ms };
    *value = matching(reader->view->argument, &row, *value);
    return !mill_is_null(*value);
}

const struct table_view_type table_filter_view_type = { .name = "filter", .get = view };
