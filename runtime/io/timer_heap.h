/*
 * The timers of a loop, the next one first: a pairing heap through the timers themselves, so that setting one cannot fail.
 *
 * Thread: the loop's.
 */
#ifndef IO_TIMER_HEAP_H
#define IO_TIMER_HEAP_H

#include "io/io.h"

struct timer_heap {
    struct loop_timer *root; /* the next to fire, or NULL */
    uint64_t next_sequence;
};

/* Sets `timer` to `at_us` (clamped to >= 1), wherever it was before. */
void timer_heap_set(struct timer_heap *heap, struct loop_timer *timer, int64_t at_us);

/* Takes it out and sets its at_us to 0; harmless when it is not set. */
void timer_heap_remove(struct timer_heap *heap, struct loop_timer *timer);

#endif
