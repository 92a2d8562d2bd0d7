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

static void *alloc(mill_windowed *windowed, size_t size)
{
    return windowed == NULL ? NULL : dsl_alloc(windowed->grouped->dsl, size);
}

mill_table *mill_windowed_count(mill_windowed *windowed, mill_materialized materialized)
{
    struct windowed_count_argument *argument = alloc(windowed, sizeof *argument);
    if (argument == NULL)
        return NULL;
    argument->windows = windowed->windows;
    struct dsl_aggregation aggregation = { .word = "AGGREGATE",
                                           .store_kind = MILL_STORE_WINDOW,
                                           .type = &windowed_count_type,
                                           .materialized = materialized,
                                           .windows = &windowed->windows };
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}

mill_table *mill_windowed_reduce(mill_windowed *windowed, mill_reducer reducer, void *ctx, mill_materialized materialized)
{
    struct windowed_reduce_argument *argument = alloc(windowed, sizeof *argument);
    if (argument == NULL || !dsl_given(windowed->grouped->dsl, windowed->grouped->parent, reducer != NULL, "reducer"))
        return NULL;
    argument->base = (struct reduce_argument){ .reducer = reducer, .ctx = ctx };
    argument->windows = windowed->windows;
    struct dsl_aggregation aggregation = { .word = "REDUCE",
                                           .store_kind = MILL_STORE_WINDOW,
                                           .type = &windowed_reduce_type,
                                           .materialized = materialized,
                                           .windows = &windowed->windows };
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}

mill_table *mill_windowed_aggregate(mill_windowed *windowed, mill_initializer initializer, mill_aggregator aggregator, void *ctx,
                                    mill_materialized materialized)
{
    struct windowed_aggregate_argument *argument = alloc(windowed, sizeof *argument);
    if (argument == NULL || !dsl_given(windowed->grouped->dsl, windowed->grouped->parent,
                                       initializer != NULL && aggregator != NULL, "initializer or aggregator"))
        return NULL;
    argument->base = (struct aggregate_argument){ .initializer = initializer, .aggregator = aggregator, .ctx = ctx };
    argument->windows = windowed->windows;
    struct dsl_aggregation aggregation = { .word = "AGGREGATE",
                                           .store_kind = MILL_STORE_WINDOW,
                                           .type = &windowed_aggregate_type,
                                           .materialized = materialized,
                                           .windows = &windowed->windows };
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}

static mill_table *count_distinct(mill_windowed *windowed, mill_mapper member, void *ctx, mill_materialized materialized)
{
    struct windowed_count_distinct_argument *argument = alloc(windowed, sizeof *argument);
    if (argument == NULL)
        return NULL;
    argument->base = (struct count_distinct_argument){ .member = member, .ctx = ctx };
    argument->windows = windowed->windows;
    struct dsl_aggregation aggregation = { .store_kind = MILL_STORE_SET,
                                           .type = &windowed_count_distinct_type,
                                           .materialized = materialized,
                                           .windows = &windowed->windows };
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->base.store);
}

mill_table *mill_windowed_count_distinct(mill_windowed *windowed, mill_materialized materialized)
{
    return count_distinct(windowed, NULL, NULL, materialized);
}

mill_table *mill_windowed_count_distinct_by(mill_windowed *windowed, mill_mapper member, void *ctx,
                                            mill_materialized materialized)
{
    if (windowed == NULL || !dsl_given(windowed->grouped->dsl, windowed->grouped->parent, member != NULL, "member function"))
        return NULL;
    return count_distinct(windowed, member, ctx, materialized);
}
