/*
 * SIGINT and SIGTERM as an event of a loop.
 *
 * A thread of its own waits for them. The first one wakes the loop, the second ends the program at once with 128 + its number.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "io/io.h"

struct signals {
    struct loop_wakeup wakeup;
    pthread_t thread;
    atomic_int last;
    bool running;
};

/* Keeps them from this thread and those that it starts: before any of them is. */
void signals_block(void);

/* `woken` is called on the loop, with `ctx` in wakeup->ctx. 0 or MILL_E*. */
int signals_take(struct signals *signals, struct loop *loop, void (*woken)(struct loop_wakeup *wakeup, struct io_time now),
                 void *ctx);
void signals_release(struct signals *signals); /* harmless when they were not taken */

int signals_last(struct signals *signals); /* the number of the first one, 0 before */

/* Waits here for the first one, after signals_block: a program without a loop. Returns its number. */
int signals_wait(void);

#endif
