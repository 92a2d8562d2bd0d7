/*
 * Turning the DSL's graph into topology nodes, in the order of the calls. Mistakes mark the topology, after which its calls do
 * nothing.
 */
#include "dsl/dsl.h"

static void lower_source(mill_topology *topology, const struct dsl_node *node)
{
    if (node->pattern != NULL)
        mill_topology_add_source_pattern(topology, node->name, node->pattern, &node->source);
    else
        mill_topology_add_source(topology, node->name, node->topics, node->topic_count, &node->source);
}

static void lower_sink(mill_topology *topology, const struct dsl_node *node, const char *const *parents)
{
    if (node->declares_internal)
        mill_topology_add_internal_topic(topology, node->topics[0], 0);
    if (node->declares_repartition)
        mill_topology_add_repartition(topology, node->topics[0], node->partitions);
    mill_topology_add_sink_of(topology, node->name, node->topics, node->topic_count, &node->sink, parents, node->parent_count);
}

static mill_store_builder *make_bare_builder(const struct dsl_store *store)
{
    const char *name = store->materialized.name;
    switch (store->kind) {
    case MILL_STORE_SET:
        return mill_set_store(name, store->retention_ms, store->window_size_ms);
    case MILL_STORE_WINDOW:
        return mill_window_store(name, store->retention_ms, store->window_size_ms);
    case MILL_STORE_SLIDING:
        return mill_sliding_store(name, store->retention_ms, store->window_size_ms);
    case MILL_STORE_JOIN:
        return mill_join_store(name, store->retention_ms, store->window_size_ms);
    case MILL_STORE_SESSION:
        return mill_session_store(name, store->retention_ms);
    case MILL_STORE_VERSIONED:
        return mill_versioned_store(name, store->materialized.history_ms);
    default:
        return mill_key_value_store(name);
    }
}

static mill_store_builder *make_builder(const struct dsl_store *store)
{
    const mill_materialized *materialized = &store->materialized;
    mill_store_builder *builder = make_bare_builder(store);
    if (materialized->in_memory)
        builder = mill_store_in_memory(builder);
    builder = mill_store_with_caching(builder, !materialized->without_cache);
    builder = mill_store_with_logging(builder, !materialized->without_logging);
    builder = mill_store_with_changelog_header(builder, store->changelog_header);
    for (const char *const *property = materialized->changelog_properties; property != NULL && property[0] != NULL; property += 2)
        builder = mill_store_with_changelog_property(builder, property[0], property[1]);
    return builder;
}

static void lower_global(mill_topology *topology, const struct dsl_node *node)
{
    mill_topology_add_global_store(topology, make_builder(node->own_store), node->source_name, node->topics[0], &node->source,
                                   node->name, node->supplier);
}

/* With the optimization, the table of a topic is restored from that topic. */
static bool reuses_source(const mill_topology *topology, const struct dsl_node *node)
{
    return (mill_topology_optimizations(topology) & MILL_REUSE_SOURCE_TOPICS) != 0 && node->parent_count == 1 &&
           node->parents[0]->feeds_table;
}

static void lower_store(mill_topology *topology, const struct dsl_node *node)
{
    mill_store_builder *builder = make_builder(node->own_store);
    bool reuses = reuses_source(topology, node);
    if (reuses)
        builder = mill_store_with_logging(builder, false);
    mill_topology_add_store(topology, builder, &node->name, 1);
    if (reuses)
        mill_topology_restore_from_source(topology, node->own_store->materialized.name, node->parents[0]->topics[0]);
}

static void lower_processor(mill_topology *topology, struct dsl_node *node, const char *const *parents)
{
    mill_processor_supplier supplier = node->supplier;
    node->supplier.free_argument = NULL; /* the topology frees it from here on */
    mill_topology_add_processor(topology, node->name, supplier, parents, node->parent_count);
    if (node->own_store != NULL && !node->own_store_last && mill_topology_error(topology) == NULL)
        lower_store(topology, node);
    for (size_t i = 0; i < node->store_count; i++)
        mill_topology_connect_store(topology, node->name, node->stores[i]);
    if (node->own_store_last && mill_topology_error(topology) == NULL)
        lower_store(topology, node);
}

/* A repartition topic that was merged into another has become that one. */
static const char *const *read_by(const struct dsl_node *source)
{
    return source->merged_into != NULL ? source->merged_into->topics : source->topics;
}

static void lower_copartition(mill_topology *topology, struct dsl *dsl, const struct dsl_copartition *group)
{
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++)
        count += group->sources[i]->topic_count + 1;
    const char **topics = dsl_alloc(dsl, count * sizeof *topics);
    if (topics == NULL)
        return;
    count = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (group->sources[i]->pattern != NULL)
            topics[count++] = group->sources[i]->name;
        for (size_t j = 0; j < group->sources[i]->topic_count; j++)
            topics[count++] = read_by(group->sources[i])[j];
    }
    mill_topology_copartition(topology, topics, count);
}

void dsl_lower(mill_topology *topology, void *layer)
{
    struct dsl *dsl = layer;
    if (mill_topology_requires_names(topology))
        dsl_check_names(dsl);
    if ((mill_topology_optimizations(topology) & MILL_MERGE_REPARTITION_TOPICS) != 0)
        dsl_merge_repartitions(dsl);
    if ((mill_topology_optimizations(topology) & MILL_SINGLE_STORE_SELF_JOIN) != 0)
        dsl_unite_self_joins(dsl);
    for (size_t i = 0; i < dsl->node_count; i++) {
        struct dsl_node *node = dsl->nodes[i];
        const char **parents = dsl_alloc(dsl, (node->parent_count + 1) * sizeof *parents);
        if (parents == NULL)
            return;
        for (size_t j = 0; j < node->parent_count; j++)
            parents[j] = node->parents[j]->name;
        if (node->kind == DSL_SOURCE)
            lower_source(topology, node);
        else if (node->kind == DSL_SINK)
            lower_sink(topology, node, parents);
        else if (node->kind == DSL_GLOBAL)
            lower_global(topology, node);
        else
            lower_processor(topology, node, parents);
    }
    for (const struct dsl_copartition *group = dsl->copartitions; group != NULL; group = group->next)
        lower_copartition(topology, dsl, group);
}
