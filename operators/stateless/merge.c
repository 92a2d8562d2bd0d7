/* Where streams flow together: each record goes on as it is. */
#include "stateless/stateless.h"

static int process(mill_context *context, void *self, const mill_record *record)
{
    return mill_forward(context, record);
}

const mill_processor_type pass_through_type = { .name = "pass-through", .process = process };
