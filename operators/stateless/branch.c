/* Sends each record to the first branch whose predicate holds; to none when none does. */
#include "stateless/stateless.h"

struct branch {
    const struct branch_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct branch *)self)->argument = argument;
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct branch_argument *argument = ((struct branch *)self)->argument;
    for (size_t i = 0; i < argument->count; i++) {
        const struct branch_predicate *branch = &argument->predicates[i];
        if (branch->predicate == NULL || branch->predicate(record, branch->ctx))
            return mill_forward_to_index(context, i, record);
    }
    return 0;
}

const mill_processor_type branch_type = {
    .name = "branch", .self_bytes = sizeof(struct branch), .init = init, .process = process
};
