/* Lets records pass for which the user's predicate holds (or does not), and before repartition topics those that have a key. */
#include "stateless/stateless.h"

struct filter {
    const struct filter_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct filter *)self)->argument = argument;
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct filter_argument *argument = ((struct filter *)self)->argument;
    return argument->predicate(record, argument->ctx) == argument->keep ? mill_forward(context, record) : 0;
}

const mill_processor_type filter_type = {
    .name = "filter", .self_bytes = sizeof(struct filter), .init = init, .process = process
};

static int process_key(mill_context *context, void *self, const mill_record *record)
{
    return mill_is_null(record->key) ? 0 : mill_forward(context, record);
}

const mill_processor_type null_key_filter_type = { .name = "null-key-filter", .process = process_key };
