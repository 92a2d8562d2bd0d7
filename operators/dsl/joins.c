/* The calls of join.h. */
#include "dsl/dsl.h"

#include "join/join.h"

/* ---- what all have in common ---------------------------------------------------------------------------------------------- */

bool dsl_check_sides(struct dsl *dsl, const struct dsl_node *node, const struct dsl *other_dsl, const struct dsl_node *other)
{
    if (dsl == other_dsl)
        return true;
    mill_topology_fail(dsl->topology, "%s and %s are of two topologies and cannot be joined", node->name, other->name);
    return false;
}

/* Kafka Streams takes the numbers of its nodes each time. */
struct dsl_node *dsl_repartitioned(mill_stream *stream, const char *name)
{
    struct dsl *dsl = stream->dsl;
    if (!stream->repartition_required)
        return stream->node;
    if (name != NULL)
        return dsl_repartition(dsl, stream->node, name, 0, false);
    if (stream->repartition == NULL) {
        stream->repartition = dsl_repartition(dsl, stream->node, stream->node->name, 0, false);
    } else {
        for (int i = 0; i < 3; i++)
            (void)dsl_next_name(dsl, "");
    }
    return stream->repartition;
}

/* The name given, or the generated one, whose number is taken in any case. */
static const char *name_operator(struct dsl *dsl, const char *given, const char *prefix)
{
    const char *generated = dsl_next_name(dsl, prefix);
    return given == NULL || generated == NULL ? generated : dsl_copy(dsl, given);
}

/* ---- a stream with a table ----------------------------------------------------------------------------------------------- */

/* How long the table knows what its rows were: its own store, or that of the table that it is computed from. */
static int64_t history_ms(const mill_table *table)
{
    if (table->own_store != NULL && table->own_store->kind == MILL_STORE_VERSIONED)
        return table->own_store->materialized.history_ms;
    return table->parent_count > 0 ? history_ms(table->parents[0]) : 0;
}

static bool check_grace(mill_table *table, int64_t grace_ms)
{
    struct dsl *dsl = table->dsl;
    if (grace_ms == 0)
        return true;
    if (grace_ms < 0)
        mill_topology_fail(dsl->topology, "the join with %s: a grace of %lld ms is below 0", table->node->name,
                           (long long)grace_ms);
    else if (!dsl_table_is_versioned(table))
        mill_topology_fail(dsl->topology, "the join with %s has a grace, so the table must be versioned: mill_as_versioned",
                           table->node->name);
    else if (grace_ms > history_ms(table))
        mill_topology_fail(dsl->topology, "the join with %s: the table's history of %lld ms is shorter than the grace of %lld ms",
                           table->node->name, (long long)history_ms(table), (long long)grace_ms);
    else
        return true;
    return false;
}

/* The store in which the records of `node` wait for the grace. */
static bool add_buffer(struct dsl *dsl, struct dsl_node *node, struct stream_table_argument *argument, mill_joined joined)
{
    struct dsl_store *store = dsl_alloc(dsl, sizeof *store);
    const char *name = dsl_join(dsl, node->name, "-Buffer");
    if (store == NULL || name == NULL)
        return false;
    *store = (struct dsl_store){ .kind = MILL_STORE_KEY_VALUE,
                                 .materialized = { .name = name,
                                                   .in_memory = joined.in_memory,
                                                   .without_logging = joined.without_logging,
                                                   .without_cache = true,
                                                   .changelog_properties = joined.changelog_properties } };
    argument->buffer = name;
    argument->grace_ms = joined.grace_ms;
    node->own_store = store;
    return true;
}

static mill_stream *join_table(mill_stream *stream, mill_table *table, struct stream_table_argument argument, mill_joined joined)
{
    if (stream == NULL || table == NULL)
        return NULL;
    struct dsl *dsl = stream->dsl;
    struct stream_table_argument *kept = dsl_alloc(dsl, sizeof *kept);
    if (kept == NULL || !dsl_given(dsl, stream->node, argument.joiner != NULL, "joiner") ||
        !dsl_check_sides(dsl, stream->node, table->dsl, table->node) || !check_grace(table, joined.grace_ms))
        return NULL;
    *kept = argument;
    struct dsl_node *parent = dsl_repartitioned(stream, joined.name);
    const char *name = name_operator(dsl, joined.name, argument.left ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
    const mill_processor_type *type = joined.grace_ms > 0 ? &stream_table_grace_type : &stream_table_join_type;
    struct dsl_node *node = parent == NULL ? NULL : dsl_processor(dsl, name, type, kept, parent);
    if (node != NULL && joined.grace_ms > 0 && !add_buffer(dsl, node, kept, joined))
        return NULL;
    kept->table = node == NULL ? NULL : dsl_table_view(table);
    if (kept->table == NULL)
        return NULL;
    dsl_connect_view(dsl, node, kept->table);
    node->joined = table->node;
    dsl_copartition(dsl, parent, table->node);
    if (argument.left)
        dsl_relax_null_keys(dsl, parent);
    return dsl_stream(dsl, node, false, stream->key_form);
}

mill_stream *mill_stream_join_table(mill_stream *stream, mill_table *table, mill_joiner joiner, void *ctx, mill_joined joined)
{
    return join_table(stream, table, (struct stream_table_argument){ .joiner = joiner, .ctx = ctx }, joined);
}

mill_stream *mill_stream_left_join_table(mill_stream *stream, mill_table *table, mill_joiner joiner, void *ctx,
                                         mill_joined joined)
{
    return join_table(stream, table, (struct stream_table_argument){ .joiner = joiner, .ctx = ctx, .left = true }, joined);
}

/* ---- a stream with a global table ---------------------------------------------------------------------------------------- */

/* The store's own name comes first, if it has to be generated: it carries the topic's. */
static bool name_global(struct dsl *dsl, struct dsl_node *node, const char *topic, mill_materialized *materialized)
{
    const char *prefix = dsl_join(dsl, topic, "-STATE-STORE-");
    const char *given = materialized->name;
    materialized->name = prefix == NULL ? NULL : given != NULL ? dsl_copy(dsl, given) : dsl_next_name(dsl, prefix);
    node->source_name = dsl_next_name(dsl, "KSTREAM-SOURCE-");
    node->name = dsl_next_name(dsl, "KTABLE-SOURCE-");
    return materialized->name && node->source_name && node->name;
}

static bool check_global(struct dsl *dsl, const char *topic, const mill_materialized *materialized)
{
    if (materialized->history_ms == 0 && materialized->retention_ms == 0)
        return true;
    mill_topology_fail(dsl->topology, "the global table of %s can have neither a history nor a retention", topic);
    return false;
}

mill_global_table *mill_topology_global_table(mill_topology *topology, const char *topic, const mill_source_options *options,
                                              mill_materialized materialized)
{
    struct dsl *dsl = dsl_of(topology);
    if (dsl == NULL)
        return NULL;
    mill_global_table *table = dsl_alloc(dsl, sizeof *table);
    struct dsl_store *store = dsl_alloc(dsl, sizeof *store);
    struct global_table_argument *argument = dsl_alloc(dsl, sizeof *argument);
    const char *const *topics = dsl_copy_all(dsl, &topic, 1);
    struct dsl_node *node = dsl_node(dsl, DSL_GLOBAL, "", NULL);
    if (!table || !store || !argument || !topics || !node || !check_global(dsl, topics[0], &materialized) ||
        !name_global(dsl, node, topics[0], &materialized))
        return NULL;
    materialized.without_logging = true;
    materialized.without_cache = true;
    *store = (struct dsl_store){ .kind = MILL_STORE_KEY_VALUE, .materialized = materialized };
    argument->store = materialized.name;
    node->topics = topics;
    node->topic_count = 1;
    node->own_store = store;
    node->supplier = (mill_processor_supplier){ .type = &global_table_type, .argument = argument };
    if (options != NULL)
        node->source = *options;
    *table = (mill_global_table){ .dsl = dsl, .node = node, .store_name = materialized.name };
    return table;
}

mill_global_table *mill_global_table_as(mill_global_table *table, const char *name)
{
    if (table == NULL)
        return NULL;
    dsl_rename(table->dsl, table->node, name);
    table->node->source_name = dsl_join(table->dsl, table->node->name, "-source");
    return table;
}

static mill_stream *join_global(mill_stream *stream, mill_global_table *table, struct stream_global_argument argument,
                                mill_joined joined)
{
    if (stream == NULL || table == NULL)
        return NULL;
    struct dsl *dsl = stream->dsl;
    struct stream_global_argument *kept = dsl_alloc(dsl, sizeof *kept);
    if (kept == NULL || !dsl_given(dsl, stream->node, argument.joiner != NULL && argument.key != NULL, "key mapper or joiner") ||
        !dsl_check_sides(dsl, stream->node, table->dsl, table->node))
        return NULL;
    *kept = argument;
    kept->store = table->store_name;
    const char *name = name_operator(dsl, joined.name, "KSTREAM-LEFTJOIN-"); /* Kafka Streams' word for both */
    struct dsl_node *node = dsl_processor(dsl, name, &stream_global_join_type, kept, stream->node);
    if (argument.left)
        dsl_relax_null_keys(dsl, stream->node);
    return dsl_stream(dsl, node, stream->repartition_required, stream->key_form);
}

mill_stream *mill_stream_join_global_table(mill_stream *stream, mill_global_table *table, mill_mapper key, mill_joiner joiner,
                                           void *ctx, mill_joined joined)
{
    return join_global(stream, table, (struct stream_global_argument){ .key = key, .joiner = joiner, .ctx = ctx }, joined);
}

mill_stream *mill_stream_left_join_global_table(mill_stream *stream, mill_global_table *table, mill_mapper key,
                                                mill_joiner joiner, void *ctx, mill_joined joined)
{
    struct stream_global_argument argument = { .key = key, .joiner = joiner, .ctx = ctx, .left = true };
    return join_global(stream, table, argument, joined);
}
