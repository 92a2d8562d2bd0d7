/*
 * The DSL's graph: memory and nodes. A user's processor argument is the graph's until the topology has taken it over (see
 * lower.c).
 */
#include "dsl/dsl.h"

#include "base/alloc.h"

enum { BLOCK_BYTES = 4096, BYTES_MAX = 64 << 20 /* as the topology's */ };

static void release(void *layer)
{
    struct dsl *dsl = layer;
    for (size_t i = 0; i < dsl->node_count; i++) {
        const struct dsl_node *node = dsl->nodes[i];
        if (node->supplier.free_argument != NULL)
            node->supplier.free_argument((void *)node->supplier.argument);
        if (node->free_owned != NULL)
            node->free_owned(node->owned);
    }
    arena_release(&dsl->arena);
    mem_free(dsl);
}

struct dsl *dsl_of(mill_topology *topology)
{
    if (topology == NULL)
        return NULL;
    struct dsl *dsl = mill_topology_layer(topology);
    if (dsl != NULL)
        return dsl;
    dsl = mem_calloc(1, sizeof *dsl);
    if (dsl == NULL) {
        mill_topology_fail(topology, "no memory for the topology");
        return NULL;
    }
    dsl->topology = topology;
    arena_init(&dsl->arena, BLOCK_BYTES, BYTES_MAX);
    mill_topology_set_layer(topology, dsl, dsl_lower, release);
    return dsl;
}

bool dsl_given(struct dsl *dsl, const struct dsl_node *parent, bool given, const char *what)
{
    if (!given)
        mill_topology_fail(dsl->topology, "the operator below %s got NULL for its %s", parent->name, what);
    return given;
}

void *dsl_alloc(struct dsl *dsl, size_t size)
{
    void *block = arena_calloc(&dsl->arena, 1, size);
    if (block == NULL)
        mill_topology_fail(dsl->topology, "no memory for the topology");
    return block;
}

const char *dsl_join(struct dsl *dsl, const char *text, const char *suffix)
{
    size_t text_bytes = strlen(text);
    size_t suffix_bytes = strlen(suffix);
    char *joined = dsl_alloc(dsl, text_bytes + suffix_bytes + 1);
    if (joined == NULL)
        return NULL;
    memcpy(joined, text, text_bytes);
    memcpy(joined + text_bytes, suffix, suffix_bytes);
    return joined;
}

const char *dsl_copy(struct dsl *dsl, const char *text)
{
    return dsl_join(dsl, text == NULL ? "" : text, "");
}

const char *const *dsl_copy_all(struct dsl *dsl, const char *const *texts, size_t count)
{
    const char **copies = dsl_alloc(dsl, (count + 1) * sizeof *copies);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = dsl_copy(dsl, texts[i]);
        if (copies[i] == NULL)
            return NULL;
    }
    return copies;
}

static bool append(struct dsl *dsl, struct dsl_node *node)
{
    if (dsl->node_count == dsl->node_capacity) {
        size_t capacity = dsl->node_capacity == 0 ? 16 : dsl->node_capacity * 2;
        struct dsl_node **moved = dsl_alloc(dsl, capacity * sizeof *moved);
        if (moved == NULL)
            return false;
        if (dsl->node_count > 0)
            memcpy(moved, dsl->nodes, dsl->node_count * sizeof *moved);
        dsl->nodes = moved;
        dsl->node_capacity = capacity;
    }
    dsl->nodes[dsl->node_count++] = node;
    return true;
}

bool dsl_add_parent(struct dsl *dsl, struct dsl_node *node, struct dsl_node *parent)
{
    struct dsl_node **parents = dsl_alloc(dsl, (node->parent_count + 1) * sizeof *parents);
    if (parents == NULL)
        return false;
    for (size_t i = 0; i < node->parent_count; i++)
        parents[i] = node->parents[i];
    parents[node->parent_count++] = parent;
    node->parents = parents;
    return true;
}

struct dsl_node *dsl_node(struct dsl *dsl, enum dsl_kind kind, const char *name, struct dsl_node *parent)
{
    struct dsl_node *node = name == NULL ? NULL : dsl_alloc(dsl, sizeof *node);
    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->name = name;
    node->index = dsl->last_index;
    if (parent != NULL && !dsl_add_parent(dsl, node, parent))
        return NULL;
    return append(dsl, node) ? node : NULL;
}

struct dsl_node *dsl_processor(struct dsl *dsl, const char *name, const mill_processor_type *type, const void *argument,
                               struct dsl_node *parent)
{
    struct dsl_node *node = argument == NULL ? NULL : dsl_node(dsl, DSL_PROCESSOR, name, parent);
    if (node != NULL)
        node->supplier = (mill_processor_supplier){ .type = type, .argument = argument };
    return node;
}

mill_stream *dsl_stream(struct dsl *dsl, struct dsl_node *node, bool repartition_required, mill_key_form key_form)
{
    mill_stream *stream = node == NULL ? NULL : dsl_alloc(dsl, sizeof *stream);
    if (stream != NULL)
        *stream = (mill_stream){ .dsl = dsl, .node = node, .repartition_required = repartition_required, .key_form = key_form };
    return stream;
}
