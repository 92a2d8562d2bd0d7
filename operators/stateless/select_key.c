/* Makes a new key; the value stays. */
#include "stateless/stateless.h"

struct select_key {
    const struct mapper_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct select_key *)self)->argument = argument;
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct mapper_argument *argument = ((struct select_key *)self)->argument;
    mill_record result = *record;
    result.key = mill_null();
    int code = argument->mapper(record, &result.key, context, argument->ctx);
    return code < 0 ? code : mill_forward(context, &result);
}

const mill_processor_type select_key_type = {
    .name = "select-key", .self_bytes = sizeof(struct select_key), .init = init, .process = process
};
