/*
 * Work for the end of this turn of the loop.
 *
 * What many events of one turn ask for, but should be done once for all of them: starting a sync round, looking again at a fetch
 * that several partitions have woken. Also a way out of deep recursion. Thread: the broker's loop.
 */
#ifndef BROKER_TURN_H
#define BROKER_TURN_H

#include <stdbool.h>

#include "base/list.h"
#include "io/io.h"

/* Embedded in its owner; zero it and init its link before first use. */
struct turn_task {
    struct list link;
    void (*run)(struct turn_task *task, struct io_time now);
    void *ctx;
};

struct turn {
    struct loop_wakeup wakeup;
    struct list tasks;
    bool signalled;
};

int turn_open(struct turn *turn, struct loop *loop);
void turn_close(struct turn *turn);

/* Has `task` run soon after the current callback, once; nothing when it waits already. */
void turn_add(struct turn *turn, struct turn_task *task);
void turn_cancel(struct turn_task *task);

static inline void turn_task_init(struct turn_task *task, void (*run)(struct turn_task *, struct io_time), void *ctx)
{
    list_init(&task->link);
    task->run = run;
    task->ctx = ctx;
}

#endif
