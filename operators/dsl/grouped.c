/* Grouping, and the aggregations of a group. */
#include "dsl/dsl.h"

#include "aggregate/aggregate.h"
#include "aggregate/fold.h"
#include "stateless/stateless.h"

static mill_grouped *make_grouped(mill_stream *stream)
{
    mill_grouped *grouped = stream == NULL ? NULL : dsl_alloc(stream->dsl, sizeof *grouped);
    if (grouped != NULL)
        *grouped = (mill_grouped){ .dsl = stream->dsl,
                                   .parent = stream->node,
                                   .repartition_required = stream->repartition_required,
                                   .key_form = stream->key_form };
    return grouped;
}

mill_grouped *mill_stream_group_by_key(mill_stream *stream)
{
    return make_grouped(stream);
}

mill_grouped *mill_stream_group_by(mill_stream *stream, mill_mapper key, void *ctx)
{
    mill_stream *keyed = mill_stream_select_key(stream, key, ctx);
    mill_grouped *grouped = make_grouped(keyed);
    if (grouped != NULL)
        grouped->key_select = keyed->node;
    return grouped;
}

/* ---- aggregations -------------------------------------------------------------------------------------------------------- */

mill_table *mill_grouped_count(mill_grouped *grouped, mill_materialized materialized)
{
    struct count_argument *argument = grouped == NULL ? NULL : dsl_alloc(grouped->dsl, sizeof *argument);
    if (argument == NULL)
        return NULL;
    struct dsl_aggregation aggregation = {
        .word = "AGGREGATE", .store_kind = MILL_STORE_KEY_VALUE, .type = &count_type, .materialized = materialized
    };
    return dsl_aggregate(grouped, aggregation, argument, &argument->store);
}

mill_table *mill_grouped_reduce(mill_grouped *grouped, mill_reducer reducer, void *ctx, mill_materialized materialized)
{
    struct reduce_argument *argument = grouped == NULL ? NULL : dsl_alloc(grouped->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(grouped->dsl, grouped->parent, reducer != NULL, "reducer"))
        return NULL;
    *argument = (struct reduce_argument){ .reducer = reducer, .ctx = ctx };
    struct dsl_aggregation aggregation = {
        .word = "REDUCE", .store_kind = MILL_STORE_KEY_VALUE, .type = &reduce_type, .materialized = materialized
    };
    return dsl_aggregate(grouped, aggregation, argument, &argument->store);
}

mill_table *mill_grouped_aggregate(mill_grouped *grouped, mill_initializer initializer, mill_aggregator aggregator, void *ctx,
                                   mill_materialized materialized)
{
    struct aggregate_argument *argument = grouped == NULL ? NULL : dsl_alloc(grouped->dsl, sizeof *argument);
    if (argument == NULL ||
        !dsl_given(grouped->dsl, grouped->parent, initializer != NULL && aggregator != NULL, "initializer or aggregator"))
        return NULL;
    *argument =
        (struct aggregate_argument){ .initializer = initializer, .initializer_ctx = ctx, .aggregator = aggregator, .ctx = ctx };
    struct dsl_aggregation aggregation = {
        .word = "AGGREGATE", .store_kind = MILL_STORE_KEY_VALUE, .type = &aggregate_type, .materialized = materialized
    };
    return dsl_aggregate(grouped, aggregation, argument, &argument->store);
}

static mill_table *count_distinct(mill_grouped *grouped, mill_mapper member, void *ctx, mill_materialized materialized)
{
    struct count_distinct_argument *argument = grouped == NULL ? NULL : dsl_alloc(grouped->dsl, sizeof *argument);
    if (argument == NULL)
        return NULL;
    *argument = (struct count_distinct_argument){ .member = member, .ctx = ctx };
    struct dsl_aggregation aggregation = { .store_kind = MILL_STORE_SET,
                                           .type = &count_distinct_type,
                                           .materialized = materialized };
    return dsl_aggregate(grouped, aggregation, argument, &argument->store);
}

mill_table *mill_grouped_count_distinct(mill_grouped *grouped, mill_materialized materialized)
{
    return count_distinct(grouped, NULL, NULL, materialized);
}

mill_table *mill_grouped_count_distinct_by(mill_grouped *grouped, mill_mapper member, void *ctx, mill_materialized materialized)
{
    if (grouped == NULL || !dsl_given(grouped->dsl, grouped->parent, member != NULL, "member function"))
        return NULL;
    return count_distinct(grouped, member, ctx, materialized);
}

static mill_table *count_approximately(mill_grouped *grouped, struct fold_member member, mill_materialized materialized)
{
    struct folded_argument *argument = dsl_alloc(grouped->dsl, sizeof *argument);
    struct fold_member *kept = dsl_alloc(grouped->dsl, sizeof *kept);
    if (argument == NULL || kept == NULL)
        return NULL;
    argument->fold.type = &fold_sketch;
    *kept = member;
    struct dsl_aggregation aggregation = { .store_kind = MILL_STORE_KEY_VALUE,
                                           .type = &folded_type,
                                           .materialized = materialized,
                                           .member = kept,
                                           .shown = &argument->fold };
    return dsl_aggregate(grouped, aggregation, argument, &argument->store);
}

mill_table *mill_grouped_count_distinct_approximate(mill_grouped *grouped, mill_materialized materialized)
{
    return grouped == NULL ? NULL : count_approximately(grouped, (struct fold_member){ NULL, NULL }, materialized);
}

mill_table *mill_grouped_count_distinct_approximate_by(mill_grouped *grouped, mill_mapper member, void *ctx,
                                                       mill_materialized materialized)
{
    if (grouped == NULL || !dsl_given(grouped->dsl, grouped->parent, member != NULL, "member function"))
        return NULL;
    return count_approximately(grouped, (struct fold_member){ member, ctx }, materialized);
}
