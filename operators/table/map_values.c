/* Each row with a value of the user's making. */
#include "table/table.h"

struct table_map_values {
    const struct table_map_values_argument *argument;
    struct table_output output;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct table_map_values *map = self;
    map->argument = argument;
    return table_output_open(context, argument, &map->output);
}

static int mapped(mill_context *context, const struct table_map_values_argument *argument, const mill_record *update,
                  mill_bytes value, mill_bytes *result)
{
    *result = mill_null();
    if (mill_is_null(value))
        return 0;
    mill_record row = table_row(update, value);
    return argument->mapper(&row, result, context, argument->ctx);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct table_map_values *map = self;
    const struct table_map_values_argument *argument = map->argument;
    mill_record update = table_row(record, mill_null());
    int code = mapped(context, argument, record, record->value, &update.value);
    /* With a store the old value comes from there, and the mapper need not be asked twice. */
    if (code >= 0 && argument->base.sends_old_values && map->output.store == NULL)
        code = mapped(context, argument, record, record->old_value, &update.old_value);
    return code < 0 ? code : table_output_send(&map->output, &update);
}

const mill_processor_type table_map_values_type = {
    .name = "table-map-values", .self_bytes = sizeof(struct table_map_values), .init = init, .process = process
};

static int view(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    struct table_reader *parent = reader->parents[0];
    mill_bytes of_parent;
    *value = mill_null();
    int found = parent->view->type->get(parent, key, as_of_ms, &of_parent, timestamp_ms);
    if (found <= 0)
        return found;
    mill_record row = { .key = key, .timestamp_ms = *timestamp_ms };
    int code = mapped(reader->context, reader->view->argument, &row, of_parent, value);
    return code < 0 ? code : !mill_is_null(*value);
}

const struct table_view_type table_map_values_view_type = { .name = "map-values", .get = view };
