/*
 * What a stream thread's tasks have skipped, by reason, for other threads to read.
 *
 * The thread sums up now and then (drops_begin, drops_add..., drops_publish) and a reader sees the last sums. A reason is written
 * once, before its number is, and never changes, so that reading takes no lock.
 */
#ifndef WORKER_DROPS_H
#define WORKER_DROPS_H

#include <stdatomic.h>

#include "millstream/app.h"

struct drop_sum {
    char reason[MILL_DROP_REASON_BYTES];
    long long sum;  /* being added up */
    long long kept; /* of tasks that are gone because the thread closes, and of what no task counts */
    atomic_llong shown;
};

struct thread_drops {
    struct drop_sum at[MILL_DROP_REASONS_MAX]; /* zeroed at first */
    atomic_size_t count;
};

/* The owning thread. More reasons than there is room for: the last counts for all of them, so that the sum stays true. */
void drops_begin(struct thread_drops *drops);
void drops_add(struct thread_drops *drops, const char *reason, long long count);
void drops_keep(struct thread_drops *drops, const char *reason, long long count);
void drops_publish(struct thread_drops *drops);

/* Any thread: adds the last sums to the `count` reasons of `into`, which has room for all that may be. Returns the new count. */
size_t drops_read(const struct thread_drops *drops, mill_drops *into, size_t count);

/* One reason more, or more of a reason that is there. Returns the new count. */
size_t drops_merge(mill_drops *into, size_t count, const mill_drops *more);

#endif
