/* Grouping a table, and the aggregations of its groups. */
#include "dsl/dsl.h"

#include "table/table.h"

struct mill_grouped_table {
    struct dsl *dsl;
    struct dsl_node *select;
    const char *name;             /* the user's, or NULL: each aggregation then has a repartition topic of its own */
    struct dsl_node *repartition; /* the source behind the named one, once an aggregation has made it */
};

mill_grouped_table *mill_table_group_by(mill_table *table, mill_record_mapper selector, void *ctx)
{
    struct dsl *dsl = table == NULL ? NULL : table->dsl;
    struct table_group_by_argument *argument = dsl == NULL ? NULL : dsl_alloc(dsl, sizeof *argument);
    mill_grouped_table *grouped = argument == NULL ? NULL : dsl_alloc(dsl, sizeof *grouped);
    if (grouped == NULL || !dsl_given(dsl, table->node, selector != NULL, "selector"))
        return NULL;
    *argument =
        (struct table_group_by_argument){ .selector = selector, .ctx = ctx, .is_versioned = dsl_table_is_versioned(table) };
    struct dsl_node *node = dsl_processor(dsl, dsl_next_name(dsl, "KTABLE-SELECT-"), &table_group_by_type, argument, table->node);
    if (node == NULL)
        return NULL;
    (void)dsl_table_send_old_values(table, true);
    *grouped = (mill_grouped_table){ .dsl = dsl, .select = node };
    return grouped;
}

mill_grouped_table *mill_grouped_table_as(mill_grouped_table *grouped, const char *name)
{
    if (grouped == NULL)
        return NULL;
    grouped->name = dsl_copy(grouped->dsl, name);
    dsl_rename(grouped->dsl, grouped->select, name);
    return grouped;
}

/* ---- aggregations -------------------------------------------------------------------------------------------------------- */

/* The names that an aggregation takes, in Kafka Streams' order. */
struct names {
    const char *store;
    const char *sink;
    const char *source;
    const char *node;
};

static bool take_names(struct dsl *dsl, const char *given, enum table_grouped_kind kind, struct names *names)
{
    names->store = given != NULL ? dsl_copy(dsl, given) : dsl_next_name(dsl, "KTABLE-AGGREGATE-STATE-STORE-");
    names->sink = dsl_next_name(dsl, "KSTREAM-SINK-");
    names->source = dsl_next_name(dsl, "KSTREAM-SOURCE-");
    names->node = dsl_next_name(dsl, kind == TABLE_GROUPED_REDUCE ? "KTABLE-REDUCE-" : "KTABLE-AGGREGATE-");
    return names->store != NULL && names->sink != NULL && names->source != NULL && names->node != NULL;
}

/* The source behind a repartition topic of changes. */
static struct dsl_node *repartition(mill_grouped_table *grouped, const struct names *names)
{
    struct dsl *dsl = grouped->dsl;
    const char *topic = dsl_join(dsl, grouped->name != NULL ? grouped->name : names->store, "-repartition");
    const char *const *topics = topic == NULL ? NULL : dsl_copy_all(dsl, &topic, 1);
    struct dsl_node *sink = topics == NULL ? NULL : dsl_node(dsl, DSL_SINK, names->sink, grouped->select);
    struct dsl_node *source = sink == NULL ? NULL : dsl_node(dsl, DSL_SOURCE, names->source, NULL);
    if (source == NULL)
        return NULL;
    sink->topics = source->topics = topics;
    sink->topic_count = source->topic_count = 1;
    sink->declares_repartition = true;
    source->sink_before = sink;
    return source;
}

static mill_table *aggregate(mill_grouped_table *grouped, struct table_grouped_argument functions, mill_materialized materialized)
{
    struct dsl *dsl = grouped->dsl;
    struct table_grouped_argument *argument = dsl_alloc(dsl, sizeof *argument);
    struct names names;
    if (argument == NULL || !take_names(dsl, materialized.name, functions.kind, &names))
        return NULL;
    bool shares = grouped->name != NULL && grouped->repartition != NULL;
    struct dsl_node *source = shares ? grouped->repartition : repartition(grouped, &names);
    grouped->repartition = source;
    materialized.name = names.store;
    const struct dsl_store *store = dsl_row_store(dsl, materialized);
    struct dsl_node *node =
        source == NULL || store == NULL ? NULL : dsl_processor(dsl, names.node, &table_grouped_type, argument, source);
    mill_table *table = dsl_table(dsl, node, (mill_table){ .kind = DSL_TABLE_AGGREGATION, .own_store = store });
    if (table == NULL)
        return NULL;
    *argument = functions;
    argument->store = names.store;
    if (!shares) {
        dsl_table_renames(table, source->sink_before, "-sink");
        dsl_table_renames(table, source, "-source");
    }
    return table;
}

mill_table *mill_grouped_table_count(mill_grouped_table *grouped, mill_materialized materialized)
{
    if (grouped == NULL)
        return NULL;
    return aggregate(grouped, (struct table_grouped_argument){ .kind = TABLE_GROUPED_COUNT }, materialized);
}

mill_table *mill_grouped_table_reduce(mill_grouped_table *grouped, mill_reducer adder, mill_reducer subtractor, void *ctx,
                                      mill_materialized materialized)
{
    if (grouped == NULL || !dsl_given(grouped->dsl, grouped->select, adder != NULL && subtractor != NULL, "adder or subtractor"))
        return NULL;
    struct table_grouped_argument functions = {
        .kind = TABLE_GROUPED_REDUCE, .add_value = adder, .subtract_value = subtractor, .ctx = ctx
    };
    return aggregate(grouped, functions, materialized);
}

mill_table *mill_grouped_table_aggregate(mill_grouped_table *grouped, mill_initializer initializer, mill_aggregator adder,
                                         mill_aggregator subtractor, void *ctx, mill_materialized materialized)
{
    bool given = initializer != NULL && adder != NULL && subtractor != NULL;
    if (grouped == NULL || !dsl_given(grouped->dsl, grouped->select, given, "initializer, adder or subtractor"))
        return NULL;
    struct table_grouped_argument functions = {
        .kind = TABLE_GROUPED_AGGREGATE, .initializer = initializer, .adder = adder, .subtractor = subtractor, .ctx = ctx
    };
    return aggregate(grouped, functions, materialized);
}
