/* The calls of cogroup.h: an operator for each stream over one store, and a node where their results flow together. */
#include "dsl/dsl.h"

#include <stdio.h>

#include "millstream/cogroup.h"
#include "stateless/stateless.h"
#include "window/sessions.h"
#include "window/windowed.h"

struct member {
    struct member *next;
    struct mill_grouped *grouped;
    mill_aggregator aggregator;
    void *ctx;
    struct dsl_node *parent; /* where its operators read; NULL: no table has been made yet */
};

struct mill_cogrouped {
    struct dsl *dsl;
    struct member *members; /* in the order of the calls */
};

struct mill_windowed_cogrouped {
    struct mill_cogrouped *cogrouped;
    mill_time_windows windows;
};

struct mill_session_cogrouped {
    struct mill_cogrouped *cogrouped;
    mill_session_windows windows;
};

/* ---- the streams --------------------------------------------------------------------------------------------------------- */

mill_cogrouped *mill_grouped_cogroup(mill_grouped *grouped, mill_aggregator aggregator, void *ctx)
{
    mill_cogrouped *cogrouped = grouped == NULL ? NULL : dsl_alloc(grouped->dsl, sizeof *cogrouped);
    if (cogrouped == NULL)
        return NULL;
    cogrouped->dsl = grouped->dsl;
    return mill_cogrouped_add(cogrouped, grouped, aggregator, ctx);
}

mill_cogrouped *mill_cogrouped_add(mill_cogrouped *cogrouped, mill_grouped *grouped, mill_aggregator aggregator, void *ctx)
{
    if (cogrouped == NULL || grouped == NULL || !dsl_given(grouped->dsl, grouped->parent, aggregator != NULL, "aggregator"))
        return NULL;
    if (cogrouped->dsl != grouped->dsl) {
        mill_topology_fail(cogrouped->dsl->topology, "%s is of another topology than the rest of its cogroup",
                           grouped->parent->name);
        return NULL;
    }
    struct member **at = &cogrouped->members;
    while (*at != NULL && (*at)->grouped != grouped)
        at = &(*at)->next;
    if (*at == NULL)
        *at = dsl_alloc(cogrouped->dsl, sizeof **at);
    if (*at == NULL)
        return NULL;
    (*at)->grouped = grouped;
    (*at)->aggregator = aggregator;
    (*at)->ctx = ctx;
    return cogrouped;
}

mill_windowed_cogrouped *mill_cogrouped_windowed_by(mill_cogrouped *cogrouped, mill_time_windows windows)
{
    mill_windowed_cogrouped *windowed = cogrouped == NULL ? NULL : dsl_alloc(cogrouped->dsl, sizeof *windowed);
    if (windowed != NULL)
        *windowed = (mill_windowed_cogrouped){ .cogrouped = cogrouped, .windows = windows };
    return windowed;
}

/* ---- one table of them --------------------------------------------------------------------------------------------------- */

static const char PREFIX[] = "COGROUPKSTREAM-AGGREGATE-";

/* What the operators have in common, and how each one's argument is made; the store's name is in `aggregation`. */
struct plan {
    struct dsl_aggregation aggregation;
    mill_initializer initializer;
    mill_merger merger; /* of sessions */
    void *ctx;
    int64_t more_retention_ms; /* as in struct windowed_argument */
    struct dsl_late *late;     /* what has been made of them */
    /* In windows it sets aggregation.late. */
    const void *(*argument)(struct dsl *dsl, struct plan *plan, const struct member *member);
};

static bool name_store(struct dsl *dsl, struct dsl_aggregation *aggregation)
{
    const char *given = aggregation->materialized.name;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%sSTATE-STORE-", PREFIX);
    aggregation->materialized.name = given != NULL ? dsl_copy(dsl, given) : dsl_next_name(dsl, prefix);
    return aggregation->materialized.name != NULL;
}

/* A second table of the same cogroup reads the repartition topics of the first; Kafka Streams takes the numbers all the same. */
static bool is_found(struct dsl *dsl, const struct member *member)
{
    if (member->parent == NULL || !member->grouped->repartition_required)
        return false;
    (void)dsl_next_name(dsl, "KSTREAM-SINK-");
    (void)dsl_next_name(dsl, "KSTREAM-FILTER-");
    (void)dsl_next_name(dsl, "KSTREAM-SOURCE-");
    return true;
}

/* Repartition topics come first. Two unnamed ones would be one. */
static bool find_parents(struct mill_cogrouped *cogrouped, const char *store_name)
{
    int unnamed = 0;
    for (struct member *member = cogrouped->members; member != NULL; member = member->next) {
        if (is_found(cogrouped->dsl, member))
            continue;
        unnamed += member->grouped->repartition_required && member->grouped->name == NULL;
        if (unnamed > 1) {
            mill_topology_fail(cogrouped->dsl->topology,
                               "cogroup %s: several of its streams need a repartition topic: name their groups (mill_grouped_as)",
                               store_name);
            return false;
        }
        member->parent = dsl_grouped_parent(member->grouped, store_name, false);
        if (member->parent == NULL)
            return false;
    }
    for (struct member *member = cogrouped->members->next; member != NULL; member = member->next)
        dsl_copartition(cogrouped->dsl, cogrouped->members->parent, member->parent);
    return true;
}

/* The store comes with the first operator; the others are connected to it. */
static struct dsl_node *add_operator(struct dsl *dsl, struct plan *plan, const struct member *member,
                                     const struct dsl_store *store, bool first)
{
    struct dsl_node *node =
        dsl_processor(dsl, dsl_next_name(dsl, PREFIX), plan->aggregation.type, plan->argument(dsl, plan, member), member->parent);
    const char *const **late = plan->aggregation.late;
    if (node == NULL || (late != NULL && !dsl_add_late(dsl, &plan->late, node, late, member->grouped->key_form)))
        return NULL;
    node->windows = dsl_describe_windows(dsl, &plan->aggregation);
    if (first) {
        node->own_store = store;
        return node;
    }
    node->stores = dsl_copy_all(dsl, &store->materialized.name, 1);
    node->store_count = 1;
    return node->stores != NULL ? node : NULL;
}

/* The table has the store, though that was made with the first operator and not with this node. */
static mill_table *merge(struct dsl *dsl, struct dsl_node *const *operators, size_t count, const struct plan *plan,
                         const struct mill_grouped *first)
{
    struct dsl_node *node =
        dsl_processor(dsl, dsl_next_name(dsl, "COGROUPKSTREAM-MERGE-"), &pass_through_type, &pass_through_type, operators[0]);
    for (size_t i = 1; node != NULL && i < count; i++)
        if (!dsl_add_parent(dsl, node, operators[i]))
            return NULL;
    mill_table *table = dsl_table(dsl, node, (mill_table){ .key_form = dsl_aggregation_key_form(&plan->aggregation, first) });
    if (table == NULL)
        return NULL;
    table->store_name = plan->aggregation.materialized.name;
    table->own_store = operators[0]->own_store;
    table->late = plan->late;
    dsl_table_renames(table, node, "-cogroup-merge");
    for (size_t i = 0; i < count; i++) {
        char suffix[48];
        snprintf(suffix, sizeof suffix, "-cogroup-agg-%zu", i);
        const char *kept = dsl_copy(dsl, suffix);
        if (kept != NULL)
            dsl_table_renames(table, operators[i], kept);
    }
    return table;
}

static mill_table *aggregate(struct mill_cogrouped *cogrouped, struct plan plan)
{
    struct dsl *dsl = cogrouped->dsl;
    if (!dsl_given(dsl, cogrouped->members->grouped->parent, plan.initializer != NULL, "initializer") ||
        !name_store(dsl, &plan.aggregation))
        return NULL;
    size_t count = 0;
    for (const struct member *member = cogrouped->members; member != NULL; member = member->next)
        count++;
    plan.aggregation.more_retention_ms = &plan.more_retention_ms;
    const struct dsl_store *store = dsl_aggregation_store(dsl, &plan.aggregation);
    struct dsl_node **operators = dsl_alloc(dsl, count * sizeof(struct dsl_node *));
    if (store == NULL || operators == NULL || !find_parents(cogrouped, plan.aggregation.materialized.name))
        return NULL;
    count = 0;
    for (const struct member *member = cogrouped->members; member != NULL; member = member->next) {
        operators[count] = add_operator(dsl, &plan, member, store, count == 0);
        if (operators[count++] == NULL)
            return NULL;
    }
    return merge(dsl, operators, count, &plan, cogrouped->members->grouped);
}

/* ---- without windows ----------------------------------------------------------------------------------------------------- */

static const void *make_argument(struct dsl *dsl, struct plan *plan, const struct member *member)
{
    struct aggregate_argument *argument = dsl_alloc(dsl, sizeof *argument);
    if (argument != NULL)
        *argument = (struct aggregate_argument){ .store = plan->aggregation.materialized.name,
                                                 .initializer = plan->initializer,
                                                 .initializer_ctx = plan->ctx,
                                                 .aggregator = member->aggregator,
                                                 .ctx = member->ctx };
    return argument;
}

mill_table *mill_cogrouped_aggregate(mill_cogrouped *cogrouped, mill_initializer initializer, void *ctx,
                                     mill_materialized materialized)
{
    if (cogrouped == NULL)
        return NULL;
    struct plan plan = {
        .aggregation = { .store_kind = MILL_STORE_KEY_VALUE, .type = &aggregate_type, .materialized = materialized },
        .initializer = initializer,
        .ctx = ctx,
        .argument = make_argument
    };
    return aggregate(cogrouped, plan);
}

/* ---- in windows ---------------------------------------------------------------------------------------------------------- */

static struct fold fold_of(const struct plan *plan, const struct member *member)
{
    return (struct fold){ .type = &fold_aggregate,
                          .initializer = plan->initializer,
                          .aggregator = member->aggregator,
                          .ctx = member->ctx,
                          .merger = plan->merger,
                          .common_ctx = plan->ctx };
}

static const void *make_windowed_argument(struct dsl *dsl, struct plan *plan, const struct member *member)
{
    struct windowed_aggregate_argument *argument = dsl_alloc(dsl, sizeof *argument);
    if (argument == NULL)
        return NULL;
    *argument = (struct windowed_aggregate_argument){ .base = { .store = plan->aggregation.materialized.name,
                                                                .windows = *plan->aggregation.windows,
                                                                .more_retention_ms = plan->more_retention_ms },
                                                      .fold = fold_of(plan, member) };
    plan->aggregation.late = &argument->base.late;
    return argument;
}

mill_table *mill_windowed_cogrouped_aggregate(mill_windowed_cogrouped *windowed, mill_initializer initializer, void *ctx,
                                              mill_materialized materialized)
{
    if (windowed == NULL)
        return NULL;
    bool sliding = windowed->windows.sliding;
    struct plan plan = { .aggregation = { .store_kind = sliding ? MILL_STORE_SLIDING : MILL_STORE_WINDOW,
                                          .type = sliding ? &sliding_aggregate_type : &windowed_aggregate_type,
                                          .materialized = materialized,
                                          .windows = &windowed->windows },
                         .initializer = initializer,
                         .ctx = ctx,
                         .argument = make_windowed_argument };
    return aggregate(windowed->cogrouped, plan);
}

/* ---- in sessions --------------------------------------------------------------------------------------------------------- */

mill_session_cogrouped *mill_cogrouped_windowed_by_session(mill_cogrouped *cogrouped, mill_session_windows windows)
{
    mill_session_cogrouped *windowed = cogrouped == NULL ? NULL : dsl_alloc(cogrouped->dsl, sizeof *windowed);
    if (windowed != NULL)
        *windowed = (mill_session_cogrouped){ .cogrouped = cogrouped, .windows = windows };
    return windowed;
}

static const void *make_sessions_argument(struct dsl *dsl, struct plan *plan, const struct member *member)
{
    struct sessions_argument *argument = dsl_alloc(dsl, sizeof *argument);
    if (argument == NULL)
        return NULL;
    *argument = (struct sessions_argument){ .store = plan->aggregation.materialized.name,
                                            .windows = *plan->aggregation.sessions,
                                            .fold = fold_of(plan, member) };
    plan->aggregation.late = &argument->late;
    return argument;
}

mill_table *mill_session_cogrouped_aggregate(mill_session_cogrouped *windowed, mill_initializer initializer, mill_merger merger,
                                             void *ctx, mill_materialized materialized)
{
    if (windowed == NULL ||
        !dsl_given(windowed->cogrouped->dsl, windowed->cogrouped->members->grouped->parent, merger != NULL, "merger"))
        return NULL;
    struct plan plan = { .aggregation = { .store_kind = MILL_STORE_SESSION,
                                          .type = &sessions_type,
                                          .materialized = materialized,
                                          .sessions = &windowed->windows },
                         .initializer = initializer,
                         .merger = merger,
                         .ctx = ctx,
                         .argument = make_sessions_argument };
    return aggregate(windowed->cogrouped, plan);
}
