/*
 * Splitting a stream. One node asks the predicates; behind it stands one node for each branch, called after the first: "...0"
 * for the default, else by its place, from 1.
 */
#include "dsl/dsl.h"

#include <stdio.h>

#include "stateless/stateless.h"

struct mill_branches {
    mill_stream *stream;
    struct dsl_node *node;
    struct branch_argument *argument;
    const char *prefix; /* the node's name when it was made */
};

mill_branches *mill_stream_split(mill_stream *stream)
{
    if (stream == NULL)
        return NULL;
    struct dsl *dsl = stream->dsl;
    const char *name = dsl_next_name(dsl, "KSTREAM-BRANCH-");
    mill_branches *branches = dsl_alloc(dsl, sizeof *branches);
    struct branch_argument *argument = dsl_alloc(dsl, sizeof *argument);
    struct dsl_node *node = dsl_processor(dsl, name, &branch_type, argument, stream->node);
    if (branches == NULL || node == NULL)
        return NULL;
    *branches = (mill_branches){ .stream = stream, .node = node, .argument = argument, .prefix = name };
    return branches;
}

static bool append(struct dsl *dsl, struct branch_argument *argument, struct branch_predicate predicate)
{
    if (argument->count == argument->capacity) {
        size_t capacity = argument->capacity == 0 ? 4 : argument->capacity * 2;
        struct branch_predicate *moved = dsl_alloc(dsl, capacity * sizeof *moved);
        if (moved == NULL)
            return false;
        if (argument->count > 0)
            memcpy(moved, argument->predicates, argument->count * sizeof *moved);
        argument->predicates = moved;
        argument->capacity = capacity;
    }
    argument->predicates[argument->count++] = predicate;
    return true;
}

static mill_stream *add_branch(mill_branches *branches, struct branch_predicate predicate, size_t number)
{
    struct dsl *dsl = branches->stream->dsl;
    const struct branch_argument *argument = branches->argument;
    if (argument->count > 0 && argument->predicates[argument->count - 1].predicate == NULL) {
        mill_topology_fail(dsl->topology, "%s: a branch behind the default one would get nothing: make the default the last",
                           branches->prefix);
        return NULL;
    }
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", number);
    /* Kafka Streams takes a number for each branch, though the name does without it. */
    if (dsl_next_name(dsl, "") == NULL || !append(dsl, branches->argument, predicate))
        return NULL;
    struct dsl_node *node =
        dsl_processor(dsl, dsl_join(dsl, branches->prefix, digits), &pass_through_type, &pass_through_type, branches->node);
    return dsl_stream(dsl, node, branches->stream->repartition_required, branches->stream->key_form);
}

mill_stream *mill_branch(mill_branches *branches, mill_predicate predicate, void *ctx)
{
    if (branches == NULL || !dsl_given(branches->stream->dsl, branches->node, predicate != NULL, "predicate"))
        return NULL;
    return add_branch(branches, (struct branch_predicate){ predicate, ctx }, branches->argument->count + 1);
}

mill_stream *mill_branch_default(mill_branches *branches)
{
    return branches == NULL ? NULL : add_branch(branches, (struct branch_predicate){ NULL, NULL }, 0);
}
