/*
 * The text of Kafka Streams' Topology#describe(), to the letter, so that its tools draw our topologies and its users compare
 * them.
 *
 * A node weighs 1 and the weight of each child (twice for a child that is reached in two ways). A sub-topology's nodes are
 * printed the heaviest first, then by name. The lists behind --> and <-- are sorted likewise, but by the weights of the moment
 * when each edge is drawn, and edges are drawn in the order of a Java HashMap: hence java_order.h.
 */
#include "topology/topology.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "topology/java_order.h"

enum { TEXT_BYTES_MAX = 16 << 20 };

struct drawn_node {
    const struct topology_node *node;
    uint64_t weight;
    struct java_tree parents;
    struct java_tree children;
};

struct drawing {
    struct arena arena;       /* for one text */
    struct drawn_node *nodes; /* of the sub-topology at hand, by number in it */
    struct buffer text;       /* fails when memory does, wherever */
};

/* ---- drawing ------------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct drawn_node *left = a;
    const struct drawn_node *right = b;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return strcmp(left->node->name, right->node->name);
}

static void *make(struct drawing *drawing, size_t count, size_t size)
{
    void *block = arena_calloc(&drawing->arena, count, size);
    if (block == NULL)
        drawing->text.failed = true;
    return block;
}

static void insert(struct drawing *drawing, struct java_tree *tree, struct drawn_node *drawn)
{
    struct java_tree_node *place = make(drawing, 1, sizeof *place);
    if (place == NULL)
        return;
    place->item = drawn;
    java_tree_insert(tree, place, compare);
}

static void add_weight(struct drawn_node *drawn, uint64_t weight)
{
    drawn->weight += weight;
    for (struct java_tree_node *at = java_tree_first(&drawn->parents); at != NULL; at = java_tree_next(at))
        add_weight(at->item, weight);
}

static void draw_edges(struct drawing *drawing, struct drawn_node *child)
{
    for (size_t i = 0; i < child->node->parents.count; i++) {
        struct drawn_node *parent = &drawing->nodes[child->node->parents.at[i]->index_in_subtopology];
        insert(drawing, &child->parents, parent);
        insert(drawing, &parent->children, child);
        add_weight(parent, child->weight);
    }
}

/* Kafka Streams puts a sub-topology's sources into its map first, then the other nodes. */
static size_t list_nodes(struct drawing *drawing, const struct subtopology *subtopology, bool sources, struct java_named *into)
{
    size_t count = 0;
    for (size_t i = 0; i < subtopology->nodes.count; i++)
        if ((subtopology->nodes.at[i]->kind == TOPOLOGY_SOURCE) == sources)
            into[count++] = (struct java_named){ subtopology->nodes.at[i]->name, &drawing->nodes[i] };
    return count;
}

static void draw(struct drawing *drawing, const struct subtopology *subtopology)
{
    size_t count = subtopology->nodes.count;
    struct java_named *order = make(drawing, count, sizeof *order);
    drawing->nodes = make(drawing, count, sizeof *drawing->nodes);
    if (order == NULL || drawing->nodes == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        drawing->nodes[i] = (struct drawn_node){ .node = subtopology->nodes.at[i], .weight = 1 };
    size_t sources = list_nodes(drawing, subtopology, true, order);
    list_nodes(drawing, subtopology, false, order + sources);
    java_hash_order(order, count);
    for (size_t i = 0; i < count; i++)
        draw_edges(drawing, order[i].item);
}

/* ---- printing ------------------------------------------------------------------------------------------------------------ */

static void print(struct drawing *drawing, const char *text)
{
    buffer_append(&drawing->text, text, strlen(text));
}

static void print_neighbours(struct drawing *drawing, const char *arrow, const struct java_tree *tree)
{
    print(drawing, arrow);
    if (tree->root == NULL)
        print(drawing, "none");
    for (struct java_tree_node *at = java_tree_first(tree); at != NULL; at = java_tree_next(at)) {
        print(drawing, ((const struct drawn_node *)at->item)->node->name);
        print(drawing, java_tree_next(at) == NULL ? "" : ", ");
    }
    print(drawing, "\n");
}

static void print_set(struct drawing *drawing, struct java_named *items, size_t count)
{
    java_hash_order_of_copy(items, count);
    for (size_t i = 0; i < count; i++) {
        print(drawing, i == 0 ? "" : ", ");
        print(drawing, items[i].name);
    }
    print(drawing, "])\n");
}

static void print_source(struct drawing *drawing, const struct drawn_node *drawn)
{
    const struct topology_topics *topics = &drawn->node->topics;
    struct java_named *items = make(drawing, topics->count, sizeof *items);
    if (items == NULL)
        return;
    for (size_t i = 0; i < topics->count; i++)
        items[i].name = topics->at[i]->name;
    print(drawing, "    Source: ");
    print(drawing, drawn->node->name);
    print(drawing, " (topics: ");
    if (topics->at[0]->kind == TOPOLOGY_PATTERN) {
        print(drawing, topics->at[0]->name);
        print(drawing, ")\n");
    } else {
        print(drawing, "[");
        print_set(drawing, items, topics->count);
    }
    print_neighbours(drawing, "      --> ", &drawn->children);
}

static void print_processor(struct drawing *drawing, const struct drawn_node *drawn)
{
    const struct topology_stores *stores = &drawn->node->stores;
    struct java_named *items = make(drawing, stores->count, sizeof *items);
    if (items == NULL)
        return;
    for (size_t i = 0; i < stores->count; i++)
        items[i].name = stores->at[i]->name;
    print(drawing, "    Processor: ");
    print(drawing, drawn->node->name);
    print(drawing, " (stores: [");
    print_set(drawing, items, stores->count);
    print_neighbours(drawing, "      --> ", &drawn->children);
    print_neighbours(drawing, "      <-- ", &drawn->parents);
}

static void print_sink(struct drawing *drawing, const struct drawn_node *drawn)
{
    print(drawing, "    Sink: ");
    print(drawing, drawn->node->name);
    const struct topology_topics *topics = &drawn->node->topics;
    /* Kafka Streams prints an object's address here; these are its topics. */
    print(drawing, topics->count == 1 ? " (topic: " : " (extractor class: one of ");
    for (size_t i = 0; i < topics->count; i++) {
        print(drawing, i == 0 ? "" : ", ");
        print(drawing, topics->at[i]->name);
    }
    print(drawing, ")\n");
    print_neighbours(drawing, "      <-- ", &drawn->parents);
}

static void print_node(struct drawing *drawing, const struct drawn_node *drawn)
{
    if (drawn->node->kind == TOPOLOGY_SOURCE)
        print_source(drawing, drawn);
    else if (drawn->node->kind == TOPOLOGY_PROCESSOR)
        print_processor(drawing, drawn);
    else
        print_sink(drawing, drawn);
}

static void print_subtopology(struct drawing *drawing, const struct subtopology *subtopology)
{
    char title[96];
    const char *what = subtopology->global ? " for global store (will not generate tasks)" : "";
    snprintf(title, sizeof title, "  Sub-topology: %zu%s\n", subtopology->id, what);
    print(drawing, title);
    draw(drawing, subtopology);
    struct java_tree sorted = { NULL };
    for (size_t i = 0; !drawing->text.failed && i < subtopology->nodes.count; i++)
        insert(drawing, &sorted, &drawing->nodes[i]);
    for (struct java_tree_node *at = java_tree_first(&sorted); at != NULL; at = java_tree_next(at))
        print_node(drawing, at->item);
    if (!subtopology->global)
        print(drawing, "\n");
}

char *mill_topology_describe(mill_topology *topology)
{
    if (topology_build(topology) != 0)
        return NULL;
    struct drawing drawing;
    arena_init(&drawing.arena, 4096, TEXT_BYTES_MAX);
    buffer_init(&drawing.text, TEXT_BYTES_MAX);
    print(&drawing, "Topologies:\n "); /* the blank is theirs: the first sub-topology stands one column further in */
    for (size_t i = 0; i < topology->subtopology_count; i++)
        print_subtopology(&drawing, &topology->subtopologies[i]);
    buffer_append_u8(&drawing.text, '\0');

    char *text = drawing.text.failed ? NULL : mem_strdup((const char *)drawing.text.data);
    buffer_release(&drawing.text);
    arena_release(&drawing.arena);
    return text;
}
