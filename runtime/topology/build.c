/*
 * Completing a topology: the layer above adds its nodes, then the graph is cut into sub-topologies.
 *
 * Nodes are added after their parents, so the order of adding is a topological order and there is no cycle to look for.
 * Components are found with a union of sets over node numbers: an edge joins two nodes, a shared store joins all that use it.
 */
#include "topology/topology.h"

#include "base/alloc.h"
#include "base/assert.h"

enum { NONE = SIZE_MAX };

struct components {
    size_t *parent; /* per node: another of its component, or itself at the root */
    size_t *id;     /* per root: the sub-topology's number, or NONE */
    size_t count;
};

static size_t root_of(struct components *components, size_t node)
{
    while (components->parent[node] != node) {
        components->parent[node] = components->parent[components->parent[node]];
        node = components->parent[node];
    }
    return node;
}

static void unite(struct components *components, size_t a, size_t b)
{
    components->parent[root_of(components, a)] = root_of(components, b);
}

static void find_components(const mill_topology *topology, struct components *components)
{
    for (size_t i = 0; i < topology->nodes.count; i++) {
        components->parent[i] = i;
        components->id[i] = NONE;
    }
    for (size_t i = 0; i < topology->nodes.count; i++) {
        const struct topology_node *node = topology->nodes.at[i];
        for (size_t j = 0; j < node->parents.count; j++)
            unite(components, i, node->parents.at[j]->index);
        for (size_t j = 0; j < node->stores.count; j++)
            unite(components, i, node->stores.at[j]->nodes.at[0]->index);
    }
}

/* Numbers go by the first source of each component; without a source it would never get a record, and building refused it. */
static void number_components(const mill_topology *topology, struct components *components)
{
    for (size_t i = 0; i < topology->nodes.count; i++) {
        size_t root = root_of(components, i);
        if (topology->nodes.at[i]->kind == TOPOLOGY_SOURCE && components->id[root] == NONE)
            components->id[root] = components->count++;
    }
}

/* An array for `count` pointers. */
static void *pointers(mill_topology *topology, size_t count)
{
    return arena_calloc(&topology->arena, count, sizeof(void *));
}

static bool make_subtopology(mill_topology *topology, struct subtopology *subtopology, size_t id)
{
    /* Each list is bounded by what the whole topology has; sinks may name a topic more than once, which is listed once. */
    subtopology->id = id;
    subtopology->nodes.at = pointers(topology, topology->nodes.count);
    subtopology->source_topics.at = pointers(topology, topology->topics.count);
    subtopology->sink_topics.at = pointers(topology, topology->topics.count);
    subtopology->stores.at = pointers(topology, topology->stores.count);
    return subtopology->nodes.at && subtopology->source_topics.at && subtopology->sink_topics.at && subtopology->stores.at;
}

static void add_topics(struct topology_topics *into, const struct topology_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++) {
        size_t at = 0;
        while (at < into->count && into->at[at] != topics->at[i])
            at++;
        if (at == into->count)
            into->at[into->count++] = topics->at[i];
    }
}

static void add_stores(struct subtopology *subtopology, const struct topology_node *node)
{
    for (size_t i = 0; i < node->stores.count; i++) {
        struct topology_store *store = node->stores.at[i];
        if (store->subtopology != NONE)
            continue;
        store->subtopology = subtopology->id;
        store->index_in_subtopology = subtopology->stores.count;
        subtopology->stores.at[subtopology->stores.count++] = store;
    }
}

static void add_node(struct subtopology *subtopology, struct topology_node *node)
{
    node->subtopology = subtopology->id;
    node->index_in_subtopology = subtopology->nodes.count;
    subtopology->nodes.at[subtopology->nodes.count++] = node;
    if (node->kind == TOPOLOGY_SOURCE)
        add_topics(&subtopology->source_topics, &node->topics);
    if (node->kind == TOPOLOGY_SINK)
        add_topics(&subtopology->sink_topics, &node->topics);
    add_stores(subtopology, node);
    subtopology->global = node->global;
}

/* What a store's thread of its own runs; the nodes keep their places in their own sub-topologies. */
static int gather_globals(mill_topology *topology)
{
    struct subtopology *globals = &topology->globals;
    if (!make_subtopology(topology, globals, NONE))
        return MILL_ENOMEM;
    globals->global = true;
    for (size_t i = 0; i < topology->nodes.count; i++) {
        struct topology_node *node = topology->nodes.at[i];
        if (!node->global)
            continue;
        globals->nodes.at[globals->nodes.count++] = node;
        if (node->kind == TOPOLOGY_SOURCE)
            add_topics(&globals->source_topics, &node->topics);
        else
            globals->stores.at[globals->stores.count++] = node->stores.at[0];
    }
    return 0;
}

static int fill_subtopologies(mill_topology *topology, struct components *components)
{
    topology->subtopologies = arena_calloc(&topology->arena, components->count, sizeof *topology->subtopologies);
    if (topology->subtopologies == NULL)
        return MILL_ENOMEM;
    for (size_t id = 0; id < components->count; id++)
        if (!make_subtopology(topology, &topology->subtopologies[id], id))
            return MILL_ENOMEM;
    topology->subtopology_count = components->count;

    for (size_t i = 0; i < topology->stores.count; i++)
        topology->stores.at[i]->subtopology = NONE;
    for (size_t i = 0; i < topology->nodes.count; i++) {
        size_t id = components->id[root_of(components, i)];
        mill_assert(id < components->count);
        add_node(&topology->subtopologies[id], topology->nodes.at[i]);
    }
    return 0;
}

static int cut(mill_topology *topology)
{
    size_t count = topology->nodes.count;
    struct components components = { .parent = arena_calloc(&topology->arena, count, sizeof(size_t)),
                                     .id = arena_calloc(&topology->arena, count, sizeof(size_t)) };
    if (components.parent == NULL || components.id == NULL)
        return MILL_ENOMEM;
    find_components(topology, &components);
    number_components(topology, &components);
    int code = fill_subtopologies(topology, &components);
    return code == 0 ? gather_globals(topology) : code;
}

static void check(mill_topology *topology)
{
    if (topology->nodes.count == 0)
        mill_topology_fail(topology, "the topology is empty: begin with mill_topology_stream or mill_topology_add_source");
    for (size_t i = 0; i < topology->stores.count; i++)
        if (topology->stores.at[i]->nodes.count == 0)
            mill_topology_fail(topology, "store %s is used by no processor: name it where the processor is added",
                               topology->stores.at[i]->name);
    for (size_t i = 0; i < topology->topics.count; i++)
        if (topology->topics.at[i]->kind == TOPOLOGY_REPARTITION && topology->topics.at[i]->source == NULL)
            mill_topology_fail(topology, "repartition topic %s is read by no source", topology->topics.at[i]->name);
}

int topology_build(mill_topology *topology)
{
    if (topology->built || topology->error_code != 0)
        return topology->error_code;
    if (topology->layer_lower != NULL)
        topology->layer_lower(topology, topology->layer);
    check(topology);
    if (topology->error_code != 0)
        return topology->error_code;
    if (cut(topology) != 0)
        return topology->error_code = error_set(&topology->error, MILL_ENOMEM, "no memory for the topology");
    topology->built = true;
    return 0;
}
