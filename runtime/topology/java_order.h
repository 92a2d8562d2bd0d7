/*
 * The orders in which Java's collections give back what was put into them, where Kafka Streams prints them.
 *
 *   HashMap, HashSet   by bucket, in a table whose size depends on how the set was made; within a bucket as inserted
 *   TreeSet            by a comparison, made when an item comes in: when what is compared changes later, an item stays where
 *                      it is, and the red-black tree's shape decides which items a newcomer is compared with
 */
#ifndef TOPOLOGY_JAVA_ORDER_H
#define TOPOLOGY_JAVA_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct java_named {
    const char *name; /* ASCII, what is hashed */
    void *item;
};

/*
 * Sorts as a HashMap or HashSet into which they were put one by one, in this order; or that was made as a copy of a list of
 * them.
 */
void java_hash_order(struct java_named *items, size_t count);
void java_hash_order_of_copy(struct java_named *items, size_t count);

struct java_tree_node {
    struct java_tree_node *parent;
    struct java_tree_node *child[2];
    bool red;
    void *item;
};

struct java_tree {
    struct java_tree_node *root;
};

/* Negative: `a` before `b`. Different items are never equal. */
typedef int (*java_compare)(const void *a, const void *b);

/* `node`, the caller's, zeroed but for its item, becomes part of the tree. */
void java_tree_insert(struct java_tree *tree, struct java_tree_node *node, java_compare compare);

/* In order: the first, and the one after `node`; NULL at the end. */
struct java_tree_node *java_tree_first(const struct java_tree *tree);
struct java_tree_node *java_tree_next(const struct java_tree_node *node);

#endif
