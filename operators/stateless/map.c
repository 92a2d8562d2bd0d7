/* Makes one record from one record. */
#include "stateless/stateless.h"

struct map {
    const struct map_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct map *)self)->argument = argument;
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct map_argument *argument = ((struct map *)self)->argument;
    mill_record result = *record;
    int code = argument->mapper(record, &result, context, argument->ctx);
    return code < 0 ? code : mill_forward(context, &result);
}

const mill_processor_type map_type = { .name = "map", .self_bytes = sizeof(struct map), .init = init, .process = process };
