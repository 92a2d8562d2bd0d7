/*
 * What joining asks of the topics above: equal numbers of partitions, so that equal keys meet, and repartition topics that let
 * null keys through where a join below still has a use for them.
 */
#include "dsl/dsl.h"

#include "stateless/stateless.h"

/* Sources that lead to a node, each once. */
struct sources {
    unsigned walk;
    const struct dsl_node **at;
    size_t count;
};

/* The room is that of all nodes, so that nothing overflows. */
static void collect(struct sources *sources, struct dsl_node *node)
{
    if (!dsl_walk_to(node, sources->walk))
        return;
    if (node->kind == DSL_SOURCE)
        sources->at[sources->count++] = node;
    for (size_t i = 0; i < node->parent_count; i++)
        collect(sources, node->parents[i]);
    if (node->joined != NULL)
        collect(sources, node->joined);
}

void dsl_copartition(struct dsl *dsl, struct dsl_node *node, struct dsl_node *other)
{
    struct dsl_copartition *group = dsl_alloc(dsl, sizeof *group);
    struct sources sources = { .walk = dsl_begin_walk(dsl), .at = dsl_alloc(dsl, dsl->node_count * sizeof *sources.at) };
    if (group == NULL || sources.at == NULL)
        return;
    collect(&sources, node);
    collect(&sources, other);
    *group = (struct dsl_copartition){ .next = dsl->copartitions, .sources = sources.at, .count = sources.count };
    dsl->copartitions = group;
}

static void relax(struct dsl_node *node, unsigned walk)
{
    if (!dsl_walk_to(node, walk))
        return;
    if (node->supplier.type == &null_key_filter_type)
        node->supplier.type = &pass_through_type;
    if (node->filter != NULL)
        relax(node->filter, walk);
    if (node->sink_before != NULL)
        relax(node->sink_before, walk);
    for (size_t i = 0; i < node->parent_count; i++)
        relax(node->parents[i], walk);
}

void dsl_relax_null_keys(struct dsl *dsl, struct dsl_node *node)
{
    relax(node, dsl_begin_walk(dsl));
}
