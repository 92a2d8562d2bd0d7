/* Shows each record to the user's function, on its way (peek) or at its end (for each). */
#include "stateless/stateless.h"

struct peek {
    const struct visit_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct peek *)self)->argument = argument;
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct visit_argument *argument = ((struct peek *)self)->argument;
    argument->visitor(record, argument->ctx);
    return mill_forward(context, record);
}

static int process_last(mill_context *context, void *self, const mill_record *record)
{
    const struct visit_argument *argument = ((struct peek *)self)->argument;
    argument->visitor(record, argument->ctx);
    return 0;
}

const mill_processor_type peek_type = { .name = "peek", .self_bytes = sizeof(struct peek), .init = init, .process = process };

const mill_processor_type for_each_type = {
    .name = "for-each", .self_bytes = sizeof(struct peek), .init = init, .process = process_last
};
