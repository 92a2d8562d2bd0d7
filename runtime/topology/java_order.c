/* Java's hash order and its red-black tree (as in every textbook: two reds in a row are recoloured upwards or rotated away). */
#include "topology/java_order.h"

enum { TABLE_MIN = 16 };

/* ---- HashMap ------------------------------------------------------------------------------------------------------------- */

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 0;
    for (const char *at = text; *at != '\0'; at++)
        hash = 31 * hash + (unsigned char)*at;
    return hash ^ hash >> 16;
}

/* Stable, by bucket. */
static void sort(struct java_named *items, size_t count, uint32_t table)
{
    for (size_t i = 1; i < count; i++) {
        struct java_named item = items[i];
        uint32_t bucket = hash_of(item.name) & (table - 1);
        size_t at = i;
        for (; at > 0 && (hash_of(items[at - 1].name) & (table - 1)) > bucket; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

void java_hash_order(struct java_named *items, size_t count)
{
    uint32_t table = TABLE_MIN;
    while (count > table / 4 * 3) /* it doubles when three quarters are exceeded */
        table *= 2;
    sort(items, count, table);
}

void java_hash_order_of_copy(struct java_named *items, size_t count)
{
    uint32_t table = TABLE_MIN;
    while (count * 4 / 3 + 1 > table)
        table *= 2;
    sort(items, count, table);
}

/* ---- TreeSet ------------------------------------------------------------------------------------------------------------- */

static int side_of(const struct java_tree_node *node)
{
    return node->parent->child[1] == node;
}

/* Turns `node` down towards `side`; its child on the other side takes its place. */
static void rotate(struct java_tree *tree, struct java_tree_node *node, int side)
{
    struct java_tree_node *up = node->child[!side];
    node->child[!side] = up->child[side];
    if (node->child[!side] != NULL)
        node->child[!side]->parent = node;
    up->parent = node->parent;
    if (node->parent == NULL)
        tree->root = up;
    else
        node->parent->child[side_of(node)] = up;
    up->child[side] = node;
    node->parent = up;
}

static void balance(struct java_tree *tree, struct java_tree_node *node)
{
    while (node->parent != NULL && node->parent->red) {
        struct java_tree_node *grandparent = node->parent->parent;
        int side = side_of(node->parent);
        struct java_tree_node *uncle = grandparent->child[!side];
        grandparent->red = true;
        if (uncle != NULL && uncle->red) {
            node->parent->red = false;
            uncle->red = false;
            node = grandparent;
            continue;
        }
        if (side_of(node) != side) {
            node = node->parent;
            rotate(tree, node, side);
        }
        node->parent->red = false;
        rotate(tree, grandparent, !side);
    }
    tree->root->red = false;
}

void java_tree_insert(struct java_tree *tree, struct java_tree_node *node, java_compare compare)
{
    struct java_tree_node **place = &tree->root;
    while (*place != NULL) {
        node->parent = *place;
        place = &(*place)->child[compare(node->item, (*place)->item) > 0];
    }
    *place = node;
    node->red = true;
    balance(tree, node);
}

static struct java_tree_node *leftmost(struct java_tree_node *node)
{
    while (node != NULL && node->child[0] != NULL)
        node = node->child[0];
    return node;
}

struct java_tree_node *java_tree_first(const struct java_tree *tree)
{
    return leftmost(tree->root);
}

struct java_tree_node *java_tree_next(const struct java_tree_node *node)
{
    if (node->child[1] != NULL)
        return leftmost(node->child[1]);
    while (node->parent != NULL && side_of(node) == 1)
        node = node->parent;
    return node->parent;
}
