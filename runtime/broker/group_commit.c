#include "broker/group_commit.h"

#include "base/trace.h"
#include "broker/internal.h"

static void start_round(struct group_commit *commit, struct io_time now);

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
        group_commit_add(&partition->broker->commit, partition);
}

static void sync_done(struct work_item *item, struct io_time now)
{
    struct partition *partition = item->ctx;
    struct broker *broker = partition->broker;
    end_sync(partition, now);
    partition_drop(partition);
    if (--broker->commit.running == 0)
        start_round(&broker->commit, now);
    broker_work_done(broker);
}

static void sync_partition(struct group_commit *commit, struct partition *partition, struct io_time now)
{
    int code = partition_log_sync_begin(partition->log, &partition->sync);
    if (code == 0)
        return;
    if (code < 0) {
        trace_error("broker", "%s-%d: cannot sync: %s", partition->topic, partition->index, partition_log_error(partition->log));
        partition_fail(partition, now);
        return;
    }
    commit->running++;
    partition_hold(partition);
    partition->sync_work = (struct work_item){ .run = run_sync, .done = sync_done, .ctx = partition };
    broker_work(commit->broker, WORK_SYNC, &partition->sync_work);
}

static void start_round(struct group_commit *commit, struct io_time now)
{
    for (struct list *node; (node = list_pop_front(&commit->dirty)) != NULL;)
        sync_partition(commit, list_entry(node, struct partition, commit_link), now);
}

static void start_task(struct turn_task *task, struct io_time now)
{
    struct group_commit *commit = task->ctx;
    if (commit->running == 0)
        start_round(commit, now);
}

void group_commit_init(struct group_commit *commit, struct broker *broker)
{
    *commit = (struct group_commit){ .broker = broker };
    list_init(&commit->dirty);
    turn_task_init(&commit->start, start_task, commit);
}

void group_commit_add(struct group_commit *commit, struct partition *partition)
{
    if (!list_empty(&partition->commit_link))
        return;
    list_push_back(&commit->dirty, &partition->commit_link);
    if (commit->running == 0)
        turn_add(&commit->broker->turn, &commit->start);
}

bool group_commit_idle(const struct group_commit *commit)
{
    return commit->running == 0 && list_empty(&commit->dirty);
}
