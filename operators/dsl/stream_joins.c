/*
 * Joins of two streams: what each call leaves in the graph.
 *
 *      this-windowed   other-windowed      keep their side's records
 *            |               |
 *        this join       other join        look in the other side's store
 *             \\            /
 *                 merge
 */
#include "dsl/dsl.h"

#include "join/join.h"
#include "stateless/stateless.h"

/* All names, in the order in which Kafka Streams takes their numbers. */
struct names {
    const char *this_windowed;
    const char *other_windowed;
    const char *this_join;
    const char *other_join;
    const char *merge;
    const char *this_store;
    const char *other_store;
    const char *unmatched_store; /* NULL: an inner join */
};

struct stream_join {
    struct dsl *dsl;
    struct stream_join_windows *join;
    mill_joined joined;
    struct names names;
};

static const char *name_node(const struct stream_join *call, const char *suffix, const char *prefix)
{
    const char *generated = dsl_next_name(call->dsl, prefix);
    return call->joined.name == NULL || generated == NULL ? generated : dsl_join(call->dsl, call->joined.name, suffix);
}

/* "<base><suffix>-store", or the generated name with "-store". */
static const char *name_store(const struct stream_join *call, const char *generated, const char *suffix)
{
    struct dsl *dsl = call->dsl;
    const char *name = call->joined.store_name == NULL ? generated : dsl_join(dsl, call->joined.store_name, suffix);
    return name == NULL ? NULL : dsl_join(dsl, name, "-store");
}

/* That of unmatched records has the number of the this-join. */
static const char *name_unmatched(const struct stream_join *call, const char *this_generated)
{
    const char *name = dsl_join(call->dsl, "KSTREAM-OUTERSHARED-", strrchr(this_generated, '-') + 1);
    const char *suffix = call->join->right_is_outer ? "-outer-shared-join" : "-left-shared-join";
    return name == NULL ? NULL : name_store(call, name, suffix);
}

static bool name_all(struct stream_join *call)
{
    struct dsl *dsl = call->dsl;
    struct names *names = &call->names;
    bool left = call->join->left_is_outer;
    bool right = call->join->right_is_outer;
    const char *this_suffix = right ? "-outer-this-join" : "-this-join";
    const char *other_suffix = left ? "-outer-other-join" : "-other-join";
    names->this_windowed = name_node(call, "-this-windowed", "KSTREAM-WINDOWED-");
    names->other_windowed = name_node(call, "-other-windowed", "KSTREAM-WINDOWED-");
    const char *this_generated = dsl_next_name(dsl, right ? "KSTREAM-OUTERTHIS-" : "KSTREAM-JOINTHIS-");
    const char *other_generated = dsl_next_name(dsl, left ? "KSTREAM-OUTEROTHER-" : "KSTREAM-JOINOTHER-");
    if (this_generated == NULL || other_generated == NULL)
        return false;
    const char *given = call->joined.name;
    names->this_join = given == NULL ? this_generated : dsl_join(dsl, given, this_suffix);
    names->other_join = given == NULL ? other_generated : dsl_join(dsl, given, other_suffix);
    names->merge = name_node(call, "-merge", "KSTREAM-MERGE-");
    names->this_store = name_store(call, this_generated, this_suffix);
    names->other_store = name_store(call, other_generated, other_suffix);
    if (left)
        names->unmatched_store = name_unmatched(call, this_generated);
    return names->this_windowed && names->other_windowed && names->this_join && names->other_join && names->merge &&
           names->this_store && names->other_store && (!left || names->unmatched_store);
}

/* ---- stores and nodes ---------------------------------------------------------------------------------------------------- */

/* The user's properties of a changelog of records that must not be compacted: several have one key. NULL: no memory. */
static const char *const *uncompacted(const struct stream_join *call)
{
    const char *const *given = call->joined.changelog_properties;
    size_t count = 0;
    while (given != NULL && given[count] != NULL)
        count++;
    const char **all = dsl_alloc(call->dsl, (count + 3) * sizeof *all);
    if (all == NULL)
        return NULL;
    all[0] = "cleanup.policy";
    all[1] = "delete";
    for (size_t i = 0; i < count; i++)
        all[i + 2] = given[i];
    return all;
}

static struct dsl_store *make_store(const struct stream_join *call, const char *name, mill_store_kind kind)
{
    struct dsl_store *store = dsl_alloc(call->dsl, sizeof *store);
    if (store == NULL)
        return NULL;
    *store = (struct dsl_store){ .kind = kind,
                                 .materialized = { .name = name,
                                                   .in_memory = call->joined.in_memory,
                                                   .without_logging = call->joined.without_logging,
                                                   .without_cache = true,
                                                   .changelog_properties = call->joined.changelog_properties } };
    if (kind == MILL_STORE_JOIN) {
        const mill_join_windows *windows = &call->join->windows;
        store->window_size_ms = windows->before_ms + windows->after_ms;
        store->retention_ms = join_windows_retention(windows) + 1;
        store->materialized.changelog_properties = uncompacted(call);
    }
    return store;
}

static struct dsl_node *add_windowed(const struct stream_join *call, struct dsl_node *parent, const char *name, const char *store)
{
    struct windowed_side_argument *argument = dsl_alloc(call->dsl, sizeof *argument);
    struct dsl_store *own = make_store(call, store, MILL_STORE_JOIN);
    struct dsl_node *node = argument == NULL ? NULL : dsl_processor(call->dsl, name, &windowed_side_type, argument, parent);
    if (node == NULL || own == NULL)
        return NULL;
    argument->store = store;
    node->own_store = own;
    return node;
}

static bool connect(const struct stream_join *call, struct dsl_node *node, const char *const *stores, size_t count)
{
    node->stores = dsl_copy_all(call->dsl, stores, count);
    node->store_count = node->stores == NULL ? 0 : count;
    return node->stores != NULL;
}

/* The this-join makes the store of unmatched records, the other one is connected to it. */
static struct dsl_node *add_join(const struct stream_join *call, struct dsl_node *windowed, mill_join_side side)
{
    const struct names *names = &call->names;
    bool left = side == MILL_JOIN_LEFT;
    struct stream_join_argument *argument = dsl_alloc(call->dsl, sizeof *argument);
    struct dsl_node *node = argument == NULL ? NULL
                                             : dsl_processor(call->dsl, left ? names->this_join : names->other_join,
                                                             &stream_join_type, argument, windowed);
    if (node == NULL)
        return NULL;
    *argument = (struct stream_join_argument){ .join = call->join,
                                               .side = side,
                                               .other_store = left ? names->other_store : names->this_store };
    bool shares = names->unmatched_store != NULL;
    if (left && shares) {
        node->own_store = make_store(call, names->unmatched_store, MILL_STORE_KEY_VALUE);
        if (node->own_store == NULL)
            return NULL;
        node->own_store_last = true;
    }
    const char *stores[] = { argument->other_store, names->unmatched_store };
    return connect(call, node, stores, !left && shares ? 2 : 1) ? node : NULL;
}

static struct dsl_node *add_nodes(struct stream_join *call, struct dsl_node *left, struct dsl_node *right)
{
    const struct names *names = &call->names;
    struct dsl_node *this_windowed = add_windowed(call, left, names->this_windowed, names->this_store);
    struct dsl_node *other_windowed = add_windowed(call, right, names->other_windowed, names->other_store);
    if (this_windowed == NULL || other_windowed == NULL)
        return NULL;
    struct dsl_node *this_join = add_join(call, this_windowed, MILL_JOIN_LEFT);
    struct dsl_node *other_join = add_join(call, other_windowed, MILL_JOIN_RIGHT);
    if (this_join == NULL || other_join == NULL)
        return NULL;
    struct dsl_node *merge = dsl_processor(call->dsl, names->merge, &pass_through_type, &pass_through_type, this_join);
    struct dsl_pair *pair = dsl_alloc(call->dsl, sizeof *pair);
    struct self_join_argument *self = dsl_alloc(call->dsl, sizeof *self);
    if (merge == NULL || pair == NULL || self == NULL || !dsl_add_parent(call->dsl, merge, other_join))
        return NULL;
    *self = (struct self_join_argument){ .join = call->join, .store = names->this_store };
    *pair = (struct dsl_pair){ this_windowed, other_windowed, this_join, other_join, self };
    merge->pair = pair;
    return merge;
}

/* ---- one store for both sides -------------------------------------------------------------------------------------------- */

static bool is_replaced(const struct dsl_pair *pair, const struct dsl_node *node)
{
    return node == pair->other_windowed || node == pair->this_join || node == pair->other_join;
}

static void remove_replaced(struct dsl *dsl, const struct dsl_pair *pair)
{
    size_t kept = 0;
    for (size_t i = 0; i < dsl->node_count; i++)
        if (!is_replaced(pair, dsl->nodes[i]))
            dsl->nodes[kept++] = dsl->nodes[i];
    dsl->node_count = kept;
}

/* The merge, whose name stays, joins what its one side keeps. As in Kafka Streams a left or outer join is an inner one then. */
static void unite(struct dsl *dsl, struct dsl_node *merge)
{
    const struct dsl_pair *pair = merge->pair;
    struct dsl_node **parents = dsl_alloc(dsl, sizeof(struct dsl_node *));
    const char *const *stores = dsl_copy_all(dsl, &pair->self->store, 1);
    if (parents == NULL || stores == NULL)
        return;
    parents[0] = pair->this_windowed;
    merge->parents = parents;
    merge->parent_count = 1;
    merge->supplier = (mill_processor_supplier){ .type = &self_join_type, .argument = pair->self };
    merge->stores = stores;
    merge->store_count = 1;
    remove_replaced(dsl, pair);
}

void dsl_unite_self_joins(struct dsl *dsl)
{
    for (size_t i = 0; i < dsl->node_count; i++) {
        struct dsl_node *node = dsl->nodes[i];
        if (node->pair == NULL || node->pair->this_windowed->parents[0] != node->pair->other_windowed->parents[0])
            continue;
        unite(dsl, node);
        i -= 3; /* those that stood before it are gone */
    }
}

/* ---- the calls ----------------------------------------------------------------------------------------------------------- */

static bool check_windows(struct dsl *dsl, const struct dsl_node *node, const mill_join_windows *windows)
{
    const int64_t most_ms = INT64_MAX / 8; /* so that no sum of times overflows */
    bool fits = windows->before_ms <= most_ms && windows->after_ms <= most_ms && windows->grace_ms <= most_ms &&
                windows->before_ms >= -most_ms && windows->after_ms >= -most_ms;
    if (fits && windows->before_ms + windows->after_ms >= 0 && windows->grace_ms >= 0)
        return true;
    mill_topology_fail(
        dsl->topology,
        "the join below %s: windows of %lld ms before, %lld ms after and a grace of %lld ms cannot be: before + after "
        "and the grace are at least 0",
        node->name, (long long)windows->before_ms, (long long)windows->after_ms, (long long)windows->grace_ms);
    return false;
}

/* The name of the repartition topic before a side, if the join has one. */
static const char *repartition_name(struct dsl *dsl, mill_joined joined, const char *suffix)
{
    return joined.name == NULL ? NULL : dsl_join(dsl, joined.name, suffix);
}

static struct stream_join_windows *make_join(struct dsl *dsl, struct stream_join_windows wanted)
{
    struct stream_join_windows *join = dsl_alloc(dsl, sizeof *join);
    if (join == NULL)
        return NULL;
    *join = wanted;
    list_init(&join->shared);
    return join;
}

static mill_stream *join_streams(mill_stream *stream, mill_stream *other, struct stream_join_windows wanted, mill_joined joined)
{
    if (stream == NULL || other == NULL)
        return NULL;
    struct dsl *dsl = stream->dsl;
    if (!dsl_given(dsl, stream->node, wanted.joiner != NULL, "joiner") ||
        !dsl_check_sides(dsl, stream->node, other->dsl, other->node) || !check_windows(dsl, stream->node, &wanted.windows))
        return NULL;
    struct stream_join call = { .dsl = dsl, .join = make_join(dsl, wanted), .joined = joined };
    struct dsl_node *left = dsl_repartitioned(stream, repartition_name(dsl, joined, "-left"));
    struct dsl_node *right = dsl_repartitioned(other, repartition_name(dsl, joined, "-right"));
    if (call.join == NULL || left == NULL || right == NULL || !name_all(&call))
        return NULL;
    call.join->unmatched_store = call.names.unmatched_store;
    dsl_copartition(dsl, left, right);
    struct dsl_node *node = add_nodes(&call, left, right);
    if (node != NULL && wanted.left_is_outer) {
        dsl_relax_null_keys(dsl, left);
        dsl_relax_null_keys(dsl, right);
    }
    mill_key_form form = stream->key_form == other->key_form ? stream->key_form : MILL_KEY_PLAIN;
    return dsl_stream(dsl, node, false, form);
}

mill_stream *mill_stream_join(mill_stream *stream, mill_stream *other, mill_joiner joiner, void *ctx, mill_join_windows windows,
                              mill_joined joined)
{
    struct stream_join_windows wanted = { .windows = windows, .joiner = joiner, .ctx = ctx };
    return join_streams(stream, other, wanted, joined);
}

mill_stream *mill_stream_left_join(mill_stream *stream, mill_stream *other, mill_joiner joiner, void *ctx,
                                   mill_join_windows windows, mill_joined joined)
{
    struct stream_join_windows wanted = { .windows = windows, .joiner = joiner, .ctx = ctx, .left_is_outer = true };
    return join_streams(stream, other, wanted, joined);
}

mill_stream *mill_stream_outer_join(mill_stream *stream, mill_stream *other, mill_joiner joiner, void *ctx,
                                    mill_join_windows windows, mill_joined joined)
{
    struct stream_join_windows wanted = {
        .windows = windows, .joiner = joiner, .ctx = ctx, .left_is_outer = true, .right_is_outer = true
    };
    return join_streams(stream, other, wanted, joined);
}
