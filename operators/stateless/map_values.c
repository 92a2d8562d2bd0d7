/* Makes a new value; the key stays. A null value is mapped like any other. */
#include "stateless/stateless.h"

struct map_values {
    const struct mapper_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct map_values *)self)->argument = argument;
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct mapper_argument *argument = ((struct map_values *)self)->argument;
    mill_record result = *record;
    result.value = mill_null();
    int code = argument->mapper(record, &result.value, context, argument->ctx);
    return code < 0 ? code : mill_forward(context, &result);
}

const mill_processor_type map_values_type = {
    .name = "map-values", .self_bytes = sizeof(struct map_values), .init = init, .process = process
};
