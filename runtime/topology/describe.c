/*
 * The text of Kafka Streams' Topology#describe(), to the letter, so that its tools draw our topologies and its users compare them.
 *
 * Its order comes from three Java habits that are repeated here:
 *   - a node weighs 1 and the weight of each child (twice for a child by two ways); in a sub-topology the heavier comes first, then the lesser name
 *   - the lists behind --> and <-- are sorted by the weights at the moment when an edge is drawn, and edges are drawn node by
 *     node in the order of a java.util.HashMap, so that a list need not be sorted by the final weights
 *   - topics of a source and stores of a processor are listed in the order of a java.util.HashSet
 */
#include "topology/topology.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <stdio.h>

enum { TEXT_BYTES_MAX = 16 << 20, JAVA_TABLE_MIN = 16 };

/* ---- the order of a java.util.HashMap ------------------------------------------------------------------------------------------------- */

static uint32_t java_hash(const char *text)
{
    uint32_t hash = 0;
    for (const char *at = text; *at != '\0'; at++)
        hash = 31 * hash + (unsigned char)*at;
    return hash ^ hash >> 16;
}

/* The size of the table after `count` insertions: it doubles when three quarters are exceeded. */
static uint32_t java_table(size_t count)
{
    uint32_t size = JAVA_TABLE_MIN;
    while (count > size / 4 * 3)
        size *= 2;
    return size;
}

/* The size of the table of a set that is made as a copy of `count` items. */
static uint32_t java_table_of_copy(size_t count)
{
    uint32_t size = JAVA_TABLE_MIN;
    while (count * 4 / 3 + 1 > size)
        size *= 2;
    return size;
}

struct named {
    const char *name;
    const void *thing;
};

/* Stable, by bucket: within one, insertion order is kept. */
static void java_sort(struct named *items, size_t count, uint32_t table)
{
    for (size_t i = 1; i < count; i++) {
        struct named item = items[i];
        uint32_t bucket = java_hash(item.name) & (table - 1);
        size_t at = i;
        for (; at > 0 && (java_hash(items[at - 1].name) & (table - 1)) > bucket; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/* ---- weights and sorted neighbours ---------------------------------------------------------------------------------------------------------- */

struct drawn_node {
    const struct topology_node *node;
    uint64_t weight;
    struct drawn_node **parents; /* as drawn so far, in the order in which they are printed */
    size_t parent_count;
    struct drawn_node **children;
    size_t child_count;
};

struct drawing {
    struct arena arena;
    struct drawn_node *nodes; /* by number in the sub-topology */
    struct buffer text;
};

static int compare(const struct drawn_node *a, const struct drawn_node *b)
{
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return strcmp(a->node->name, b->node->name);
}

static void insert(struct drawn_node **list, size_t *count, struct drawn_node *node)
{
    size_t at = 0;
    while (at < *count && compare(list[at], node) < 0)
        at++;
    memmove(list + at + 1, list + at, (*count - at) * sizeof *list);
    list[at] = node;
    (*count)++;
}

static void add_weight(struct drawn_node *node, uint64_t weight)
{
    node->weight += weight;
    for (size_t i = 0; i < node->parent_count; i++)
        add_weight(node->parents[i], weight);
}

static void draw_edges(struct drawing *drawing, struct drawn_node *child)
{
    for (size_t i = 0; i < child->node->parents.count; i++) {
        struct drawn_node *parent = &drawing->nodes[child->node->parents.at[i]->index_in_subtopology];
        insert(child->parents, &child->parent_count, parent);
        insert(parent->children, &parent->child_count, child);
        add_weight(parent, child->weight);
    }
}

/* The drawn nodes of a sub-topology in Java's order, sources first as Kafka Streams groups them; NULL: no memory. */
static struct named *in_java_order(struct drawing *drawing, const struct subtopology *subtopology)
{
    size_t count = subtopology->nodes.count;
    struct named *order = arena_calloc(&drawing->arena, count, sizeof *order);
    if (order == NULL)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        if (subtopology->nodes.at[i]->kind == TOPOLOGY_SOURCE)
            order[at++] = (struct named){ subtopology->nodes.at[i]->name, &drawing->nodes[i] };
    for (size_t i = 0; i < count; i++)
        if (subtopology->nodes.at[i]->kind != TOPOLOGY_SOURCE)
            order[at++] = (struct named){ subtopology->nodes.at[i]->name, &drawing->nodes[i] };
    java_sort(order, count, java_table(count));
    return order;
}

static bool draw(struct drawing *drawing, const struct subtopology *subtopology)
{
    size_t count = subtopology->nodes.count;
    drawing->nodes = arena_calloc(&drawing->arena, count, sizeof *drawing->nodes);
    if (drawing->nodes == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct drawn_node *drawn = &drawing->nodes[i];
        drawn->node = subtopology->nodes.at[i];
        drawn->weight = 1;
        drawn->parents = arena_calloc(&drawing->arena, drawn->node->parents.count, sizeof(struct drawn_node *));
        drawn->children = arena_calloc(&drawing->arena, drawn->node->children.count, sizeof(struct drawn_node *));
        if (drawn->parents == NULL || drawn->children == NULL)
            return false;
    }
    struct named *order = in_java_order(drawing, subtopology);
    if (order == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        draw_edges(drawing, &drawing->nodes[((const struct drawn_node *)order[i].thing)->node->index_in_subtopology]);
    return true;
}

/* ---- printing ------------------------------------------------------------------------------------------------------------------------------------- */

static void print(struct drawing *drawing, const char *text)
{
    buffer_append(&drawing->text, text, strlen(text));
}

static void print_neighbours(struct drawing *drawing, const char *arrow, struct drawn_node *const *list, size_t count)
{
    print(drawing, arrow);
    for (size_t i = 0; i < count; i++) {
        print(drawing, i == 0 ? "" : ", ");
        print(drawing, list[i]->node->name);
    }
    print(drawing, count == 0 ? "none\n" : "\n");
}

static void print_set(struct drawing *drawing, struct named *items, size_t count)
{
    if (items == NULL) {
        drawing->text.failed = true;
        return;
    }
    java_sort(items, count, java_table_of_copy(count));
    for (size_t i = 0; i < count; i++) {
        print(drawing, i == 0 ? "" : ", ");
        print(drawing, items[i].name);
    }
    print(drawing, "])\n");
}

static void print_source(struct drawing *drawing, const struct drawn_node *drawn)
{
    const struct topology_topics *topics = &drawn->node->topics;
    struct named *items = arena_calloc(&drawing->arena, topics->count, sizeof *items);
    for (size_t i = 0; items != NULL && i < topics->count; i++)
        items[i].name = topics->at[i]->name;
    print(drawing, "    Source: ");
    print(drawing, drawn->node->name);
    print(drawing, " (topics: [");
    print_set(drawing, items, topics->count);
    print_neighbours(drawing, "      --> ", drawn->children, drawn->child_count);
}

static void print_processor(struct drawing *drawing, const struct drawn_node *drawn)
{
    const struct topology_stores *stores = &drawn->node->stores;
    struct named *items = arena_calloc(&drawing->arena, stores->count, sizeof *items);
    for (size_t i = 0; items != NULL && i < stores->count; i++)
        items[i].name = stores->at[i]->name;
    print(drawing, "    Processor: ");
    print(drawing, drawn->node->name);
    print(drawing, " (stores: [");
    print_set(drawing, items, stores->count);
    print_neighbours(drawing, "      --> ", drawn->children, drawn->child_count);
    print_neighbours(drawing, "      <-- ", drawn->parents, drawn->parent_count);
}

static void print_sink(struct drawing *drawing, const struct drawn_node *drawn)
{
    print(drawing, "    Sink: ");
    print(drawing, drawn->node->name);
    print(drawing, " (topic: ");
    print(drawing, drawn->node->topics.at[0]->name);
    print(drawing, ")\n");
    print_neighbours(drawing, "      <-- ", drawn->parents, drawn->parent_count);
}

static void print_node(struct drawing *drawing, const struct drawn_node *drawn)
{
    switch (drawn->node->kind) {
    case TOPOLOGY_SOURCE:
        print_source(drawing, drawn);
        break;
    case TOPOLOGY_PROCESSOR:
        print_processor(drawing, drawn);
        break;
    case TOPOLOGY_SINK:
        print_sink(drawing, drawn);
        break;
    }
}

static void print_subtopology(struct drawing *drawing, const struct subtopology *subtopology)
{
    struct drawn_node **sorted = arena_calloc(&drawing->arena, subtopology->nodes.count, sizeof(struct drawn_node *));
    if (sorted == NULL || !draw(drawing, subtopology)) {
        drawing->text.failed = true;
        return;
    }
    char title[64];
    snprintf(title, sizeof title, "  Sub-topology: %zu\n", subtopology->id);
    print(drawing, title);
    size_t count = 0;
    for (size_t i = 0; i < subtopology->nodes.count; i++)
        insert(sorted, &count, &drawing->nodes[i]);
    for (size_t i = 0; i < count; i++)
        print_node(drawing, sorted[i]);
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
