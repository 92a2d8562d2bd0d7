/*
 * What joining asks of the topics above: equal numbers of partitions, so that equal keys meet, and repartition topics that let
 * null keys through where a join below still has a use for them.
 */
#include "dsl/dsl.h"

#include "stateless/stateless.h"

/* Sources that lead to a node, each once. */
struct sources {
    struct dsl *dsl;
    const struct dsl_node **at;
    size_t count;
};

static void add_source(struct sources *sources, const struct dsl_node *source)
{
    for (size_t i = 0; i < sources->count; i++)
        if (sources->at[i] == source)
            return;
    sources->at[sources->count++] = source;
}

/* The room is that of all nodes, so that nothing overflows. */
static void collect(struct sources *sources, const struct dsl_node *node)
{
    if (node->kind == DSL_SOURCE)
        add_source(sources, node);
    for (size_t i = 0; i < node->parent_count; i++)
        collect(sources, node->parents[i]);
    if (node->joined != NULL)
        collect(sources, node->joined);
}

void dsl_copartition(struct dsl *dsl, const struct dsl_node *node, const struct dsl_node *other)
{
    struct dsl_copartition *group = dsl_alloc(dsl, sizeof *group);
    struct sources sources = { .dsl = dsl, .at = dsl_alloc(dsl, dsl->node_count * sizeof *sources.at) };
    if (group == NULL || sources.at == NULL)
        return;
    collect(&sources, node);
    collect(&sources, other);
    *group = (struct dsl_copartition){ .next = dsl->copartitions, .sources = sources.at, .count = sources.count };
    dsl->copartitions = group;
}

void dsl_relax_null_keys(struct dsl_node *node)
{
    if (node->supplier.type == &null_key_filter_type)
        node->supplier.type = &pass_through_type;
    if (node->filter != NULL)
        dsl_relax_null_keys(node->filter);
    if (node->sink_before != NULL)
        dsl_relax_null_keys(node->sink_before);
    for (size_t i = 0; i < node->parent_count; i++)
        dsl_relax_null_keys(node->parents[i]);
}
