/* The aggregations of a group in windows. */
#include "dsl/dsl.h"

#include "window/windowed.h"

mill_windowed *mill_grouped_windowed_by(mill_grouped *grouped, mill_time_windows windows)
{
    mill_windowed *windowed = grouped == NULL ? NULL : dsl_alloc(grouped->dsl, sizeof *windowed);
    if (windowed != NULL)
        *windowed = (mill_windowed){ .grouped = grouped, .windows = windows };
    return windowed;
}

mill_windowed *mill_windowed_emit(mill_windowed *windowed, mill_emit_strategy strategy)
{
    if (windowed == NULL)
        return NULL;
    if (strategy == MILL_EMIT_ON_WINDOW_CLOSE && windowed->windows.size_ms == INT64_MAX)
        mill_topology_fail(windowed->grouped->dsl->topology,
                           "below %s: unlimited windows never close, so they emit on update only",
                           windowed->grouped->parent->name);
    windowed->emit = strategy;
    return windowed;
}

static void *alloc(mill_windowed *windowed, size_t size)
{
    return windowed == NULL ? NULL : dsl_alloc(windowed->grouped->dsl, size);
}

/* What an aggregation's argument has of the windows, and the aggregation. */
static struct dsl_aggregation begin(mill_windowed *windowed, const char *word, struct windowed_argument *argument,
                                    mill_materialized materialized)
{
    argument->windows = windowed->windows;
    argument->emit = windowed->emit;
    return (struct dsl_aggregation){ .word = word,
                                     .store_kind = windowed->windows.sliding ? MILL_STORE_SLIDING : MILL_STORE_WINDOW,
                                     .type = windowed->windows.sliding ? &sliding_aggregate_type : &windowed_aggregate_type,
                                     .materialized = materialized,
                                     .windows = &windowed->windows,
                                     .on_close = windowed->emit == MILL_EMIT_ON_WINDOW_CLOSE,
                                     .more_retention_ms = &argument->more_retention_ms,
                                     .late = &argument->late };
}

static mill_table *fold(mill_windowed *windowed, const char *word, struct fold fold, mill_materialized materialized)
{
    struct windowed_aggregate_argument *argument = alloc(windowed, sizeof *argument);
    if (argument == NULL)
        return NULL;
    argument->fold = fold;
    struct dsl_aggregation aggregation = begin(windowed, word, &argument->base, materialized);
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}

static bool given(mill_windowed *windowed, bool functions, const char *what)
{
    return windowed != NULL && dsl_given(windowed->grouped->dsl, windowed->grouped->parent, functions, what);
}

mill_table *mill_windowed_count(mill_windowed *windowed, mill_materialized materialized)
{
    return fold(windowed, "AGGREGATE", (struct fold){ .type = &fold_count }, materialized);
}

mill_table *mill_windowed_reduce(mill_windowed *windowed, mill_reducer reducer, void *ctx, mill_materialized materialized)
{
    if (!given(windowed, reducer != NULL, "reducer"))
        return NULL;
    return fold(windowed, "REDUCE", (struct fold){ .type = &fold_reduce, .reducer = reducer, .ctx = ctx }, materialized);
}

mill_table *mill_windowed_aggregate(mill_windowed *windowed, mill_initializer initializer, mill_aggregator aggregator, void *ctx,
                                    mill_materialized materialized)
{
    if (!given(windowed, initializer != NULL && aggregator != NULL, "initializer or aggregator"))
        return NULL;
    struct fold aggregate = {
        .type = &fold_aggregate, .initializer = initializer, .aggregator = aggregator, .ctx = ctx, .common_ctx = ctx
    };
    return fold(windowed, "AGGREGATE", aggregate, materialized);
}

/* Members kept in the aggregate itself. */
static mill_table *fold_distinct(mill_windowed *windowed, const struct fold_type *type, struct fold_member member,
                                 mill_materialized materialized)
{
    struct windowed_aggregate_argument *argument = alloc(windowed, sizeof *argument);
    struct fold_member *kept = alloc(windowed, sizeof *kept);
    if (argument == NULL || kept == NULL)
        return NULL;
    argument->fold.type = type;
    *kept = member;
    struct dsl_aggregation aggregation = begin(windowed, NULL, &argument->base, materialized);
    aggregation.member = kept;
    aggregation.shown = &argument->fold;
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}

/* In a store for sets, which finds one among many at once, but cannot copy a set to another window or list what has closed. */
static mill_table *count_distinct(mill_windowed *windowed, mill_mapper member, void *ctx, mill_materialized materialized)
{
    if (windowed != NULL && (windowed->windows.sliding || windowed->emit == MILL_EMIT_ON_WINDOW_CLOSE))
        return fold_distinct(windowed, &fold_set, (struct fold_member){ member, ctx }, materialized);
    struct windowed_count_distinct_argument *argument = alloc(windowed, sizeof *argument);
    if (argument == NULL)
        return NULL;
    argument->member = member;
    argument->ctx = ctx;
    struct dsl_aggregation aggregation = begin(windowed, NULL, &argument->base, materialized);
    aggregation.store_kind = MILL_STORE_SET;
    aggregation.type = &windowed_count_distinct_type;
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}

mill_table *mill_windowed_count_distinct_approximate(mill_windowed *windowed, mill_materialized materialized)
{
    return windowed == NULL ? NULL : fold_distinct(windowed, &fold_sketch, (struct fold_member){ NULL, NULL }, materialized);
}

mill_table *mill_windowed_count_distinct_approximate_by(mill_windowed *windowed, mill_mapper member, void *ctx,
                                                        mill_materialized materialized)
{
    if (!given(windowed, member != NULL, "member function"))
        return NULL;
    return fold_distinct(windowed, &fold_sketch, (struct fold_member){ member, ctx }, materialized);
}

mill_table *mill_windowed_count_distinct(mill_windowed *windowed, mill_materialized materialized)
{
    return count_distinct(windowed, NULL, NULL, materialized);
}

mill_table *mill_windowed_count_distinct_by(mill_windowed *windowed, mill_mapper member, void *ctx,
                                            mill_materialized materialized)
{
    return given(windowed, member != NULL, "member function") ? count_distinct(windowed, member, ctx, materialized) : NULL;
}

mill_table *mill_windowed_top_n(mill_windowed *windowed, size_t n, mill_ranker ranker, void *ctx, mill_materialized materialized)
{
    if (!given(windowed, ranker != NULL && n > 0, "ranker or its number of items"))
        return NULL;
    struct windowed_aggregate_argument *argument = alloc(windowed, sizeof *argument);
    struct fold_ranking *ranking = alloc(windowed, sizeof *ranking);
    if (argument == NULL || ranking == NULL)
        return NULL;
    argument->fold = (struct fold){ .type = &fold_top_n, .n = n };
    *ranking = (struct fold_ranking){ ranker, ctx };
    struct dsl_aggregation aggregation = begin(windowed, NULL, &argument->base, materialized);
    aggregation.member = ranking;
    aggregation.member_type = &fold_ranking_type;
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}
