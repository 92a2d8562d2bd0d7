/*
 * Each row with a value that a stateful transformer of the user's makes. Unlike a mapper it also sees deletions and rows that do
 * not exist. The operator has one instance; each reader of the table has another one, since it runs at another node.
 */
#include "base/alloc.h"
#include "table/table.h"

struct instance {
    mill_value_transformer_supplier supplier;
    void *self;
    bool initialised;
};

static int instance_open(mill_context *context, const struct table_transform_values_argument *argument, struct instance *instance)
{
    const mill_value_transformer_type *type = argument->supplier.type;
    *instance = (struct instance){ .supplier = argument->supplier, .self = mem_calloc(1, type->self_bytes + 1) };
    if (instance->self == NULL)
        return MILL_ENOMEM;
    instance->initialised = true;
    return type->init == NULL ? 0 : type->init(context, instance->self, argument->supplier.argument);
}

static void instance_close(mill_context *context, struct instance *instance)
{
    if (instance->initialised && instance->supplier.type->close != NULL)
        instance->supplier.type->close(context, instance->self);
    mem_free(instance->self);
}

static int transformed(mill_context *context, struct instance *instance, const mill_record *row, mill_bytes *value)
{
    *value = mill_null();
    return instance->supplier.type->transform(context, instance->self, row, value);
}

struct table_transform_values {
    const struct table_transform_values_argument *argument;
    struct table_output output;
    struct instance instance;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct table_transform_values *transform = self;
    transform->argument = argument;
    int code = table_output_open(context, argument, &transform->output);
    return code < 0 ? code : instance_open(context, argument, &transform->instance);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct table_transform_values *transform = self;
    mill_record update = table_row(record, mill_null());
    mill_record row = table_row(record, record->value);
    int code = transformed(context, &transform->instance, &row, &update.value);
    if (code >= 0 && transform->argument->base.sends_old_values && transform->output.store == NULL) {
        row.value = record->old_value;
        code = transformed(context, &transform->instance, &row, &update.old_value);
    }
    return code < 0 ? code : table_output_send(&transform->output, &update);
}

static void close(mill_context *context, void *self)
{
    instance_close(context, &((struct table_transform_values *)self)->instance);
}

const mill_processor_type table_transform_values_type = { .name = "table-transform-values",
                                                          .self_bytes = sizeof(struct table_transform_values),
                                                          .init = init,
                                                          .process = process,
                                                          .close = close };

static int open_view(struct table_reader *reader)
{
    return instance_open(reader->context, reader->view->argument, reader->self);
}

static int view(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    struct table_reader *parent = reader->parents[0];
    mill_record row = { .key = key, .timestamp_ms = -1 };
    *value = mill_null();
    int found = parent->view->type->get(parent, key, as_of_ms, &row.value, &row.timestamp_ms);
    int code = found < 0 ? found : transformed(reader->context, reader->self, &row, value);
    *timestamp_ms = row.timestamp_ms;
    return code < 0 ? code : !mill_is_null(*value);
}

static void close_view(struct table_reader *reader)
{
    instance_close(reader->context, reader->self);
}

const struct table_view_type table_transform_values_view_type = {
    .name = "transform-values", .self_bytes = sizeof(struct instance), .open = open_view, .get = view, .close = close_view
};
