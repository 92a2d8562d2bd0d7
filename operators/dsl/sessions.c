/* The aggregations of a group in sessions. */
#include "dsl/dsl.h"

#include "window/sessions.h"

mill_session_windowed *mill_grouped_windowed_by_session(mill_grouped *grouped, mill_session_windows windows)
{
    mill_session_windowed *windowed = grouped == NULL ? NULL : dsl_alloc(grouped->dsl, sizeof *windowed);
    if (windowed != NULL)
        *windowed = (mill_session_windowed){ .grouped = grouped, .windows = windows };
    return windowed;
}

mill_session_windowed *mill_session_windowed_emit(mill_session_windowed *windowed, mill_emit_strategy strategy)
{
    if (windowed != NULL)
        windowed->emit = strategy;
    return windowed;
}

static mill_table *fold(mill_session_windowed *windowed, const char *word, struct fold fold, mill_materialized materialized)
{
    struct sessions_argument *argument = dsl_alloc(windowed->grouped->dsl, sizeof *argument);
    if (argument == NULL)
        return NULL;
    *argument = (struct sessions_argument){ .windows = windowed->windows, .emit = windowed->emit, .fold = fold };
    struct dsl_aggregation aggregation = { .word = word,
                                           .store_kind = MILL_STORE_SESSION,
                                           .type = &sessions_type,
                                           .materialized = materialized,
                                           .sessions = &windowed->windows,
                                           .on_close = windowed->emit == MILL_EMIT_ON_WINDOW_CLOSE,
                                           .late = &argument->late };
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->store);
}

static bool given(mill_session_windowed *windowed, bool functions, const char *what)
{
    return windowed != NULL && dsl_given(windowed->grouped->dsl, windowed->grouped->parent, functions, what);
}

mill_table *mill_session_windowed_count(mill_session_windowed *windowed, mill_materialized materialized)
{
    return windowed == NULL ? NULL : fold(windowed, "AGGREGATE", (struct fold){ .type = &fold_count }, materialized);
}

mill_table *mill_session_windowed_reduce(mill_session_windowed *windowed, mill_reducer reducer, void *ctx,
                                         mill_materialized materialized)
{
    if (!given(windowed, reducer != NULL, "reducer"))
        return NULL;
    return fold(windowed, "REDUCE", (struct fold){ .type = &fold_reduce, .reducer = reducer, .ctx = ctx }, materialized);
}

mill_table *mill_session_windowed_aggregate(mill_session_windowed *windowed, mill_initializer initializer,
                                            mill_aggregator aggregator, mill_merger merger, void *ctx,
                                            mill_materialized materialized)
{
    bool functions = initializer != NULL && aggregator != NULL && merger != NULL;
    if (!given(windowed, functions, "initializer, aggregator or merger"))
        return NULL;
    struct fold aggregate = { .type = &fold_aggregate,
                              .initializer = initializer,
                              .aggregator = aggregator,
                              .ctx = ctx,
                              .merger = merger,
                              .common_ctx = ctx };
    return fold(windowed, "AGGREGATE", aggregate, materialized);
}

static mill_table *fold_distinct(mill_session_windowed *windowed, const struct fold_type *type, struct fold_member member,
                                 mill_materialized materialized)
{
    struct dsl *dsl = windowed->grouped->dsl;
    struct sessions_argument *argument = dsl_alloc(dsl, sizeof *argument);
    struct fold_member *kept = dsl_alloc(dsl, sizeof *kept);
    if (argument == NULL || kept == NULL)
        return NULL;
    *argument = (struct sessions_argument){ .windows = windowed->windows, .emit = windowed->emit, .fold = { .type = type } };
    *kept = member;
    struct dsl_aggregation aggregation = { .store_kind = MILL_STORE_SESSION,
                                           .type = &sessions_type,
                                           .materialized = materialized,
                                           .sessions = &windowed->windows,
                                           .on_close = windowed->emit == MILL_EMIT_ON_WINDOW_CLOSE,
                                           .member = kept,
                                           .shown = &argument->fold,
                                           .late = &argument->late };
    return dsl_aggregate(windowed->grouped, aggregation, argument, &argument->store);
}

mill_table *mill_session_windowed_count_distinct(mill_session_windowed *windowed, mill_materialized materialized)
{
    return windowed == NULL ? NULL : fold_distinct(windowed, &fold_set, (struct fold_member){ NULL, NULL }, materialized);
}

mill_table *mill_session_windowed_count_distinct_by(mill_session_windowed *windowed, mill_mapper member, void *ctx,
                                                    mill_materialized materialized)
{
    if (!given(windowed, member != NULL, "member function"))
        return NULL;
    return fold_distinct(windowed, &fold_set, (struct fold_member){ member, ctx }, materialized);
}

mill_table *mill_session_windowed_count_distinct_approximate(mill_session_windowed *windowed, mill_materialized materialized)
{
    return windowed == NULL ? NULL : fold_distinct(windowed, &fold_sketch, (struct fold_member){ NULL, NULL }, materialized);
}

mill_table *mill_session_windowed_count_distinct_approximate_by(mill_session_windowed *windowed, mill_mapper member, void *ctx,
                                                                mill_materialized materialized)
{
    if (!given(windowed, member != NULL, "member function"))
        return NULL;
    return fold_distinct(windowed, &fold_sketch, (struct fold_member){ member, ctx }, materialized);
}
