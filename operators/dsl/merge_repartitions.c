/*
 * The optimization merge.repartition.topics: everything that hangs below one change of keys and needs equal keys together goes
 * through one repartition topic, right behind that change, instead of one for each.
 *
 *      map -> filter -> (topic 1) -> count            map -> (topic 1) -> filter -> count
 *          -> (topic 2) -> join ...            =>             |        -> join ...
 *
 * As in Kafka Streams a topic stays where it is if an operator that changes values lies between, since the topic's serdes
 * would not fit there; explicit repartitions and grouped tables take no part; below a merge of streams with new keys the
 * merge counts as the change. Kafka Streams moves a topic above custom processors, too (KAFKA-19668), which then see keys
 * that are not theirs, or make new ones behind it: here those count as what they may be. And it throws where two topics lie
 * behind one operator.
 */
#include "dsl/dsl.h"

static bool changes_anything(const struct dsl_node *node)
{
    return node->changes_keys || node->changes_values;
}

static bool changes_keys(const struct dsl_node *node)
{
    return node->changes_keys;
}

/* The first node upwards for which `holds`, the node itself included, first parents first; NULL: none. */
static struct dsl_node *find_above(struct dsl_node *node, bool (*holds)(const struct dsl_node *node), unsigned walk)
{
    if (!dsl_walk_to(node, walk))
        return NULL;
    if (holds(node))
        return node;
    struct dsl_node *found = NULL;
    for (size_t i = 0; found == NULL && i < node->parent_count; i++)
        found = find_above(node->parents[i], holds, walk);
    return found;
}

static struct dsl_node *walk_towards(struct dsl_node *node, const struct dsl_node *parent, unsigned walk)
{
    if (!dsl_walk_to(node, walk))
        return NULL;
    for (size_t i = 0; i < node->parent_count; i++)
        if (node->parents[i] == parent)
            return node;
    struct dsl_node *found = NULL;
    for (size_t i = 0; found == NULL && i < node->parent_count; i++)
        found = walk_towards(node->parents[i], parent, walk);
    return found;
}

/* The node on the way up from `node` whose parent is `parent`; NULL: it does not lead there. */
static struct dsl_node *child_towards(struct dsl *dsl, struct dsl_node *node, const struct dsl_node *parent)
{
    return walk_towards(node, parent, dsl_begin_walk(dsl));
}

static bool is_optimizable(const struct dsl_node *node)
{
    return node->kind == DSL_SOURCE && node->filter != NULL && !node->is_explicit;
}

/* The change of keys behind which the topic could be; NULL: none without a change of values between. */
static struct dsl_node *change_of(struct dsl *dsl, const struct dsl_node *source)
{
    struct dsl_node *any = find_above(source->filter, changes_anything, dsl_begin_walk(dsl));
    struct dsl_node *keys = find_above(source->filter, changes_keys, dsl_begin_walk(dsl));
    return any == keys ? keys : NULL;
}

static void replace_parent(struct dsl_node *node, const struct dsl_node *before, struct dsl_node *after)
{
    for (size_t i = 0; i < node->parent_count; i++)
        if (node->parents[i] == before)
            node->parents[i] = after;
}

static struct dsl_node *sink_of(const struct dsl *dsl, const struct dsl_node *source)
{
    for (size_t i = 0; i < dsl->node_count; i++)
        if (dsl->nodes[i]->kind == DSL_SINK && dsl->nodes[i]->topics == source->topics)
            return dsl->nodes[i];
    return NULL;
}

/* What was behind `source` hangs where its filter hung; `merged` stands between the change and the way there. */
static void bypass(struct dsl *dsl, struct dsl_node *source, struct dsl_node *change, struct dsl_node *merged)
{
    struct dsl_node *above = source->filter->parents[0];
    struct dsl_node *way = above == change ? NULL : child_towards(dsl, above, change);
    for (size_t i = 0; i < dsl->node_count; i++)
        replace_parent(dsl->nodes[i], source, above == change ? merged : above);
    if (way != NULL) /* else another topic on the same way was first */
        replace_parent(way, change, merged);
    source->merged_into = merged;
}

static void remove_node(struct dsl *dsl, const struct dsl_node *node)
{
    size_t kept = 0;
    for (size_t i = 0; i < dsl->node_count; i++)
        if (dsl->nodes[i] != node)
            dsl->nodes[kept++] = dsl->nodes[i];
    dsl->node_count = kept;
}

/* Three nodes that were removed, right behind `change`. The array has room: they came out of it. */
static void insert_behind(struct dsl *dsl, const struct dsl_node *change, struct dsl_node *const nodes[3])
{
    size_t at = 0;
    while (dsl->nodes[at] != change)
        at++;
    at++;
    memmove(dsl->nodes + at + 3, dsl->nodes + at, (dsl->node_count - at) * sizeof *dsl->nodes);
    memcpy(dsl->nodes + at, nodes, 3 * sizeof *nodes);
    dsl->node_count += 3;
}

static void merge_below(struct dsl *dsl, struct dsl_node *change, struct dsl_node **sources, size_t count)
{
    struct dsl_node *merged = sources[0];
    struct dsl_node *own[3] = { merged->filter, sink_of(dsl, merged), merged };
    for (size_t i = 0; i < count; i++) {
        struct dsl_node *sink = sink_of(dsl, sources[i]);
        bypass(dsl, sources[i], change, merged);
        if (sources[i]->filter->supplier.type != merged->filter->supplier.type)
            dsl_relax_null_keys(dsl, merged->filter); /* one of the joins below has a use for them */
        remove_node(dsl, sources[i]->filter);
        remove_node(dsl, sink);
        remove_node(dsl, sources[i]);
    }
    merged->merged_into = NULL;
    merged->filter->parents[0] = change;
    insert_behind(dsl, change, own);
    dsl_rename_repartition(dsl, merged, merged->topics[0]);
}

/* Where the topic goes: behind its change of keys, or a merge of such streams on the way down. */
static struct dsl_node *place_of(struct dsl *dsl, const struct dsl_node *source)
{
    struct dsl_node *change = change_of(dsl, source);
    if (change == NULL)
        return NULL;
    for (size_t i = dsl->node_count; i > 0; i--) {
        struct dsl_node *node = dsl->nodes[i - 1];
        bool on_the_way = node == source->filter->parents[0] || child_towards(dsl, source->filter, node) != NULL;
        if (node->is_merge && on_the_way && child_towards(dsl, node, change) != NULL)
            return node;
    }
    return change;
}

void dsl_merge_repartitions(struct dsl *dsl)
{
    struct dsl_node **places = dsl_alloc(dsl, (dsl->node_count + 1) * sizeof *places);
    struct dsl_node **all = dsl_alloc(dsl, (dsl->node_count + 1) * sizeof *all);
    struct dsl_node **together = dsl_alloc(dsl, (dsl->node_count + 1) * sizeof *together);
    if (places == NULL || all == NULL || together == NULL)
        return;
    size_t count = 0;
    for (size_t i = 0; i < dsl->node_count; i++) {
        if (!is_optimizable(dsl->nodes[i]))
            continue;
        places[count] = place_of(dsl, dsl->nodes[i]);
        all[count] = dsl->nodes[i];
        count += places[count] != NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t number = 0;
        for (size_t j = i; j < count; j++)
            if (all[j] != NULL && places[j] == places[i]) {
                together[number++] = all[j];
                if (j > i)
                    all[j] = NULL;
            }
        if (all[i] != NULL)
            merge_below(dsl, places[i], together, number);
    }
}
