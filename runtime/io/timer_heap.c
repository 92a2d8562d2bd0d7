/*
 * A pairing heap (Fredman et al., 1986). A node's children form a list through `next`; `previous` is the sibling before, or for
 * the first child its parent. Setting takes O(1), removing O(log n) amortised.
 */
#include "io/timer_heap.h"

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->sequence < b->sequence;
}

/* Joins two heaps (either may be NULL), roots without siblings. */
static struct loop_timer *meld(struct loop_timer *a, struct loop_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (is_before(b, a)) {
        struct loop_timer *first = b;
        b = a;
        a = first;
    }
    b->next = a->child;
    b->previous = a;
    if (a->child)
        a->child->previous = b;
    a->child = b;
    return a;
}

/* Makes one heap of a list of siblings: pairs from left to right, then the pairs from right to left. */
static struct loop_timer *meld_siblings(struct loop_timer *first)
{
    struct loop_timer *pairs = NULL; /* a stack through `next` */
    while (first) {
        struct loop_timer *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = NULL;
        if (b)
            b->next = NULL;
        struct loop_timer *pair = meld(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    struct loop_timer *root = NULL;
    while (pairs) {
        struct loop_timer *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        root = meld(root, pair);
    }
    if (root)
        root->previous = NULL;
    return root;
}

void timer_heap_remove(struct timer_heap *heap, struct loop_timer *timer)
{
    if (timer->at_us == 0)
        return;
    struct loop_timer *children = meld_siblings(timer->child);
    if (timer == heap->root) {
        heap->root = children;
    } else {
        if (timer->previous->child == timer)
            timer->previous->child = timer->next;
        else
            timer->previous->next = timer->next;
        if (timer->next)
            timer->next->previous = timer->previous;
        heap->root = meld(heap->root, children);
    }
    timer->at_us = 0;
    timer->child = timer->next = timer->previous = NULL;
}

void timer_heap_set(struct timer_heap *heap, struct loop_timer *timer, int64_t at_us)
{
    timer_heap_remove(heap, timer);
    timer->at_us = at_us < 1 ? 1 : at_us;
    timer->sequence = heap->next_sequence++;
    timer->child = timer->next = timer->previous = NULL;
    heap->root = meld(heap->root, timer);
}
