/*
 * Aggregations, windowed or not: names, repartition topic, operator, store, in the order in which Kafka Streams takes its
 * numbers.
 */
#include "dsl/dsl.h"

#include <stdio.h>

#include "aggregate/fold.h"

static const char *generate(struct dsl *dsl, const char *word, const char *rest)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "KSTREAM-%s-%s", word, rest);
    return dsl_next_name(dsl, prefix);
}

/* The name of the store and, behind it, that of the operator. */
static bool name_both(struct dsl *dsl, struct dsl_aggregation *aggregation, const char **node_name)
{
    const char *word = aggregation->word;
    const char *given = aggregation->materialized.name;
    if (word == NULL && given == NULL) {
        mill_topology_fail(dsl->topology, "%s: Kafka Streams does not have it, so it needs a name of yours: mill_as(\"...\")",
                           aggregation->type->name);
        return false;
    }
    const char *name = given != NULL ? dsl_copy(dsl, given) : generate(dsl, word, "STATE-STORE-");
    aggregation->materialized.name = name;
    *node_name = word != NULL ? generate(dsl, word, "") : name;
    return name != NULL && *node_name != NULL;
}

/* What the operator hangs below: the group's stream, or the source behind its repartition topic. */
struct dsl_node *dsl_grouped_parent(struct mill_grouped *grouped, const char *store_name, bool ours)
{
    if (!grouped->repartition_required)
        return grouped->parent;
    if (grouped->name == NULL)
        return dsl_repartition(grouped->dsl, grouped->parent, store_name, 0, ours);
    if (grouped->repartition == NULL) {
        grouped->repartition = dsl_repartition(grouped->dsl, grouped->parent, grouped->name, 0, ours);
    } else if (!ours) {
        /* Kafka Streams makes the names of the three nodes before it sees that they exist. */
        for (int i = 0; i < 3; i++)
            (void)dsl_next_name(grouped->dsl, "");
    }
    return grouped->repartition;
}

static bool check_sliding(struct dsl *dsl, const char *store_name, const mill_time_windows *windows)
{
    if (windows->size_ms >= 0 && windows->size_ms <= INT64_MAX / 8 && windows->grace_ms >= 0 &&
        windows->grace_ms <= INT64_MAX / 8)
        return true;
    mill_topology_fail(
        dsl->topology,
        "%s: sliding windows with a difference of %lld ms and a grace of %lld ms cannot be: neither may be negative", store_name,
        (long long)windows->size_ms, (long long)windows->grace_ms);
    return false;
}

static bool check_windows(struct dsl *dsl, const char *store_name, const mill_time_windows *windows)
{
    if (windows->sliding)
        return check_sliding(dsl, store_name, windows);
    if (windows->size_ms > 0 && windows->advance_ms > 0 && windows->advance_ms <= windows->size_ms && windows->grace_ms >= 0 &&
        windows->grace_ms <= INT64_MAX - windows->size_ms && windows->first_ms >= 0)
        return true;
    mill_topology_fail(dsl->topology,
                       "%s: windows of %lld ms every %lld ms with a grace of %lld ms cannot be: 0 < advance <= size, 0 <= grace",
                       store_name, (long long)windows->size_ms, (long long)windows->advance_ms, (long long)windows->grace_ms);
    return false;
}

static bool check_sessions(struct dsl *dsl, const char *store_name, const mill_session_windows *windows)
{
    if (windows->gap_ms > 0 && windows->grace_ms >= 0 && windows->grace_ms <= INT64_MAX - windows->gap_ms)
        return true;
    mill_topology_fail(dsl->topology, "%s: sessions with a gap of %lld ms and a grace of %lld ms cannot be: 0 < gap, 0 <= grace",
                       store_name, (long long)windows->gap_ms, (long long)windows->grace_ms);
    return false;
}

/* How long a record can still change a window, from the window's start: time windows; from its end: sessions. */
static bool least_retention(struct dsl *dsl, const struct dsl_aggregation *aggregation, int64_t *least_ms)
{
    const char *name = aggregation->materialized.name;
    const mill_time_windows *windows = aggregation->windows;
    const mill_session_windows *sessions = aggregation->sessions;
    if (windows != NULL ? !check_windows(dsl, name, windows) : !check_sessions(dsl, name, sessions))
        return false;
    if (sessions != NULL)
        *least_ms = sessions->gap_ms + sessions->grace_ms;
    else
        *least_ms = windows->size_ms * (windows->sliding ? 2 : 1) + windows->grace_ms;
    return true;
}

/*
 * How much longer our store keeps windows than Kafka Streams' would, which forgets some that a record can still reach; operators
 * hide them where asked to. Windows that emit on close: it reads a millisecond further back itself. Sessions: the one at the
 * bound. Sliding windows: the one before those around a record that is as late as can be.
 */
static int64_t more_retention(const struct dsl_aggregation *aggregation)
{
    const mill_time_windows *windows = aggregation->windows;
    if (windows != NULL && windows->sliding)
        return windows->size_ms + 2;
    if (windows != NULL && windows->size_ms == INT64_MAX)
        return 0;
    return aggregation->on_close || aggregation->sessions != NULL ? 1 : 0;
}

static bool set_retention(struct dsl *dsl, struct dsl_store *store, const struct dsl_aggregation *aggregation)
{
    int64_t wanted = store->materialized.retention_ms;
    if (aggregation->windows == NULL && aggregation->sessions == NULL) {
        if (wanted == 0)
            return true;
        mill_topology_fail(dsl->topology, "%s: a retention is for windows, and this aggregation has none",
                           store->materialized.name);
        return false;
    }
    int64_t least;
    if (!least_retention(dsl, aggregation, &least))
        return false;
    if (wanted != 0 && wanted < least) {
        mill_topology_fail(dsl->topology, "%s: a retention of %lld ms is less than %s and grace together, %lld ms: raise it",
                           store->materialized.name, (long long)wanted, aggregation->windows != NULL ? "window size" : "gap",
                           (long long)least);
        return false;
    }
    int64_t more = more_retention(aggregation);
    store->retention_ms = wanted != 0 ? wanted : least;
    store->retention_ms += store->retention_ms <= INT64_MAX - more ? more : 0;
    if (aggregation->windows != NULL)
        store->window_size_ms = aggregation->windows->size_ms + (aggregation->windows->sliding ? 1 : 0);
    if (aggregation->more_retention_ms != NULL)
        *aggregation->more_retention_ms = more;
    return true;
}

const struct dsl_windows *dsl_describe_windows(struct dsl *dsl, const struct dsl_aggregation *aggregation)
{
    const mill_time_windows *windows = aggregation->windows;
    const mill_session_windows *sessions = aggregation->sessions;
    struct dsl_windows *described = windows == NULL && sessions == NULL ? NULL : dsl_alloc(dsl, sizeof *described);
    if (described == NULL)
        return NULL;
    if (windows != NULL)
        *described = (struct dsl_windows){ .size_ms = windows->size_ms,
                                           .closes_after_ms = windows->grace_ms,
                                           .ends_are_inclusive = windows->sliding };
    else
        *described = (struct dsl_windows){ .closes_after_ms = sessions->gap_ms + sessions->grace_ms, .ends_are_inclusive = true };
    return described;
}

mill_key_form dsl_aggregation_key_form(const struct dsl_aggregation *aggregation, const struct mill_grouped *grouped)
{
    if (aggregation->sessions != NULL)
        return MILL_KEY_SESSION_WINDOWED;
    return aggregation->windows != NULL ? MILL_KEY_TIME_WINDOWED : grouped->key_form;
}

/* The aggregates of groups may have a history; windows are one already, and sketches are no rows. */
static bool set_history(struct dsl *dsl, struct dsl_store *store, const struct dsl_aggregation *aggregation)
{
    if (store->materialized.history_ms <= 0)
        return true;
    if (store->kind == MILL_STORE_KEY_VALUE && aggregation->shown == NULL) {
        store->kind = MILL_STORE_VERSIONED;
        store->materialized.without_cache = true;
        return true;
    }
    mill_topology_fail(dsl->topology, "%s: only tables, counts, reduced values and aggregates can be versioned",
                       store->materialized.name);
    return false;
}

struct dsl_store *dsl_aggregation_store(struct dsl *dsl, const struct dsl_aggregation *aggregation)
{
    struct dsl_store *store = dsl_alloc(dsl, sizeof *store);
    if (store == NULL)
        return NULL;
    store->kind = aggregation->store_kind;
    store->materialized = aggregation->materialized;
    if (!set_history(dsl, store, aggregation))
        return NULL;
    return set_retention(dsl, store, aggregation) ? store : NULL;
}

/* The members to count, made between the group and the operator. */
static struct dsl_node *add_member_node(struct dsl *dsl, const struct dsl_aggregation *aggregation, struct dsl_node *parent)
{
    if (aggregation->member == NULL || parent == NULL)
        return parent;
    const char *name = dsl_join(dsl, aggregation->materialized.name, "-member");
    return dsl_processor(dsl, name, aggregation->member_type != NULL ? aggregation->member_type : &fold_member_type,
                         aggregation->member, parent);
}

/* The table is read as it goes on, not as it is kept. */
static bool show_in_view(struct dsl *dsl, mill_table *table, const struct fold *shown)
{
    const struct table_view *stored = shown == NULL ? NULL : dsl_table_view(table);
    if (shown == NULL)
        return true;
    struct table_view *view = dsl_alloc(dsl, sizeof *view);
    if (stored == NULL || view == NULL)
        return false;
    *view = (struct table_view){ .type = &fold_view_type,
                                 .argument = shown,
                                 .parents = { stored },
                                 .parent_count = 1,
                                 .stores = stored->stores,
                                 .store_count = stored->store_count };
    table->view = view;
    return true;
}

/* Of what the store keeps longer. Kafka Streams' own store reads a millisecond further back on disk for emission on close. */
static int64_t hidden_retention(const struct dsl_aggregation *aggregation)
{
    if (aggregation->windows == NULL && aggregation->sessions == NULL)
        return 0;
    bool reads_further = aggregation->on_close && aggregation->windows != NULL && !aggregation->materialized.in_memory;
    return more_retention(aggregation) - (reads_further ? 1 : 0);
}

mill_table *dsl_aggregate(struct mill_grouped *grouped, struct dsl_aggregation aggregation, const void *argument,
                          const char **store_name)
{
    struct dsl *dsl = grouped->dsl;
    const char *node_name;
    mill_table *table = dsl_alloc(dsl, sizeof *table);
    if (table == NULL || !name_both(dsl, &aggregation, &node_name))
        return NULL;
    struct dsl_store *store = dsl_aggregation_store(dsl, &aggregation);
    *store_name = aggregation.materialized.name;
    if (store == NULL)
        return NULL;

    struct dsl_node *parent = dsl_grouped_parent(grouped, *store_name, aggregation.word == NULL);
    parent = add_member_node(dsl, &aggregation, parent);
    struct dsl_node *node = parent == NULL ? NULL : dsl_processor(dsl, node_name, aggregation.type, argument, parent);
    if (node == NULL)
        return NULL;
    node->own_store = store;
    node->windows = dsl_describe_windows(dsl, &aggregation);
    *table = (mill_table){ .dsl = dsl,
                           .node = node,
                           .key_form = dsl_aggregation_key_form(&aggregation, grouped),
                           .hidden_ms = hidden_retention(&aggregation),
                           .store_name = *store_name,
                           .own_store = store };
    if (aggregation.late != NULL && !dsl_add_late(dsl, &table->late, node, aggregation.late, grouped->key_form))
        return NULL;
    return show_in_view(dsl, table, aggregation.shown) ? table : NULL;
}
