#include "broker/sync_rounds.h"

#include "base/trace.h"
#include "broker/internal.h"

enum { RETRY_US = 100 * 1000 };

static void start_round(struct sync_rounds *rounds, struct io_time now);

static void run_sync(struct work_item *item)
{
    struct partition *partition = item->ctx;
    log_sync_run(&partition->sync);
}

static void end_sync(struct partition *partition, struct io_time now)
{
    if (partition->closed) {
        log_sync_release(&partition->sync);
        return;
    }
    int code = partition_log_sync_end(partition->log, &partition->sync);
    if (code != 0) {
        trace_error("broker", "%s-%d: sync failed, it takes no more records until the broker is restarted: %s", partition->topic,
                    partition->index, partition_log_error(partition->log));
        partition_fail(partition, now);
        return;
    }
    partition_advance(partition, now);
    /* A round takes a bounded number of files; a log that rolled often in between is not done yet. */
    if (!partition->closed && partition_high_watermark(partition) < partition_log_end(partition))
        sync_rounds_add(&partition->broker->syncs, partition);
}

static void sync_done(struct work_item *item, struct io_time now)
{
    struct partition *partition = item->ctx;
    struct broker *broker = partition->broker;
    end_sync(partition, now);
    partition_drop(partition);
    if (--broker->syncs.running == 0)
        start_round(&broker->syncs, now);
    broker_work_done(broker);
}

static void sync_partition(struct sync_rounds *rounds, struct partition *partition, struct io_time now)
{
    int code = partition_log_sync_begin(partition->log, &partition->sync);
    if (code == 0)
        return;
    if (code == MILL_ENOMEM) { /* nothing has happened: those that wait go on waiting */
        list_push_back(&rounds->starved, &partition->sync_link);
        loop_timer_set(rounds->broker->loop, &rounds->retry, now.monotonic_us + RETRY_US);
        return;
    }
    if (code < 0) {
        trace_error("broker", "%s-%d: cannot sync: %s", partition->topic, partition->index, partition_log_error(partition->log));
        partition_fail(partition, now);
        return;
    }
    rounds->running++;
    partition_hold(partition);
    partition->sync_work = (struct work_item){ .run = run_sync, .done = sync_done, .ctx = partition };
    broker_work(rounds->broker, WORK_SYNC, &partition->sync_work);
}

static void start_round(struct sync_rounds *rounds, struct io_time now)
{
    for (struct list *node; (node = list_pop_front(&rounds->dirty)) != NULL;)
        sync_partition(rounds, list_entry(node, struct partition, sync_link), now);
}

static void retry(struct loop_timer *timer, struct io_time now)
{
    struct sync_rounds *rounds = timer->ctx;
    list_move_all(&rounds->dirty, &rounds->starved);
    if (rounds->running == 0)
        start_round(rounds, now);
    if (sync_rounds_idle(rounds) && rounds->broker->state == BROKER_CLOSING)
        turn_add(&rounds->broker->turn, &rounds->broker->finish);
}

static void start_task(struct turn_task *task, struct io_time now)
{
    struct sync_rounds *rounds = task->ctx;
    if (rounds->running == 0)
        start_round(rounds, now);
}

void sync_rounds_init(struct sync_rounds *rounds, struct broker *broker)
{
    *rounds = (struct sync_rounds){ .broker = broker };
    list_init(&rounds->dirty);
    list_init(&rounds->starved);
    rounds->retry = (struct loop_timer){ .fire = retry, .ctx = rounds };
    turn_task_init(&rounds->start, start_task, rounds);
}

void sync_rounds_add(struct sync_rounds *rounds, struct partition *partition)
{
    if (!list_empty(&partition->sync_link))
        return;
    list_push_back(&rounds->dirty, &partition->sync_link);
    if (rounds->running == 0)
        turn_add(&rounds->broker->turn, &rounds->start);
}

bool sync_rounds_idle(const struct sync_rounds *rounds)
{
    return rounds->running == 0 && list_empty(&rounds->dirty) && list_empty(&rounds->starved);
}

void sync_rounds_close(struct sync_rounds *rounds)
{
    loop_timer_cancel(rounds->broker->loop, &rounds->retry);
}
