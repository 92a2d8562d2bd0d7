#include "broker/turn.h"

static void run_tasks(struct loop_wakeup *wakeup, struct io_time now)
{
    struct turn *turn = wakeup->ctx;
    turn->signalled = false;
    /* Only those that wait now: a task that adds itself again waits for the next turn, so the loop breathes. */
    struct list due;
    list_init(&due);
    for (struct list *node; (node = list_pop_front(&turn->tasks)) != NULL;)
        list_push_back(&due, node);
    for (struct list *node; (node = list_pop_front(&due)) != NULL;) {
        struct turn_task *task = list_entry(node, struct turn_task, link);
        task->run(task, now);
    }
}

int turn_open(struct turn *turn, struct loop *loop)
{
    list_init(&turn->tasks);
    turn->signalled = false;
    turn->wakeup = (struct loop_wakeup){ .woken = run_tasks, .ctx = turn };
    return loop_wakeup_open(loop, &turn->wakeup);
}

void turn_close(struct turn *turn)
{
    loop_wakeup_close(&turn->wakeup);
}

void turn_add(struct turn *turn, struct turn_task *task)
{
    if (!list_empty(&task->link))
        return;
    list_push_back(&turn->tasks, &task->link);
    if (turn->signalled)
        return;
    turn->signalled = true;
    loop_wakeup_signal(&turn->wakeup);
}

void turn_cancel(struct turn_task *task)
{
    list_remove(&task->link);
}
