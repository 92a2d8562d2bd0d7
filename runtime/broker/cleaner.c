#include "broker/cleaner.h"

#include "base/trace.h"
#include "broker/internal.h"
#include "log/compaction.h"

enum { BACKOFF_DOUBLINGS_MAX = 8 }; /* 64 minutes, with log.cleaner.backoff.ms of 15 seconds */

/* ---- which one ------------------------------------------------------------------------------------------------------------- */

struct look {
    struct partition *dirtiest; /* of those that are due */
    double dirty_ratio;
    bool again; /* time alone may make one due */
};

static void look_at(struct look *look, struct partition *partition, struct io_time now)
{
    if (!partition->log || !partition->config.cleanup_compact)
        return;
    if (now.monotonic_us < partition->clean_after_us) {
        look->again = true;
        return;
    }
    struct compaction_need need;
    partition_log_compaction_need(partition->log, partition_last_stable_offset(partition), now, &need);
    look->again |= need.may_be_due;
    if (!need.is_due || (look->dirtiest && need.dirty_ratio <= look->dirty_ratio))
        return;
    look->dirtiest = partition;
    look->dirty_ratio = need.dirty_ratio;
}

static struct look look_at_all(const struct broker *broker, struct io_time now)
{
    struct look look = { 0 };
    size_t at = 0;
    for (struct topic *topic; (topic = metadata_next_topic(&broker->metadata, &at)) != NULL;)
        for (int32_t i = 0; topic->settings.compacted && i < topic->partition_count; i++)
            look_at(&look, topic->partitions[i], now);
    return look;
}

static int64_t backoff_us(const struct cleaner *cleaner)
{
    return config_int(&cleaner->broker->config, "log.cleaner.backoff.ms") * 1000;
}

static void plan(struct cleaner *cleaner, struct io_time now)
{
    if (cleaner->look.at_us == 0)
        loop_timer_set(cleaner->broker->loop, &cleaner->look, now.monotonic_us + backoff_us(cleaner));
}

/* What fails once may succeed later, but not at once. */
static void pass_over(const struct cleaner *cleaner, struct partition *partition, struct io_time now)
{
    if (partition->clean_failures < BACKOFF_DOUBLINGS_MAX)
        partition->clean_failures++;
    partition->clean_after_us = now.monotonic_us + (backoff_us(cleaner) << partition->clean_failures);
}

/* ---- compacting it --------------------------------------------------------------------------------------------------------- */

static void run_compaction(struct work_item *item)
{
    struct cleaner *cleaner = item->ctx;
    compaction_run(cleaner->compaction);
}

static void submit(struct cleaner *cleaner)
{
    broker_work(cleaner->broker, WORK_BACKGROUND, &cleaner->work);
}

static void look_around(struct cleaner *cleaner, struct io_time now);

static void end_compaction(struct cleaner *cleaner, int code, struct io_time now)
{
    struct partition *partition = cleaner->partition;
    cleaner->partition = NULL;
    cleaner->compaction = NULL;
    if (code < 0 && !partition->closed)
        trace_warn("broker", "%s", partition_log_error(partition->log));
    if (code < 0)
        pass_over(cleaner, partition, now);
    else
        partition->clean_failures = 0;
    partition_drop(partition);
    if (cleaner->broker->state != BROKER_OPEN)
        return;
    if (code < 0)
        plan(cleaner, now);
    else {
        broker_checkpoint(cleaner->broker, now); /* from where the next one goes on */
        look_around(cleaner, now);
    }
}

static void step_done(struct work_item *item, struct io_time now)
{
    struct cleaner *cleaner = item->ctx;
    struct partition *partition = cleaner->partition;
    int code = 0;
    if (partition->closed || cleaner->broker->state != BROKER_OPEN)
        compaction_release(cleaner->compaction); /* what it leaves on disk is settled when the log is opened again */
    else
        code = partition_log_compaction_step(partition->log, cleaner->compaction, now);
    if (code == 1)
        submit(cleaner);
    else
        end_compaction(cleaner, code, now);
    broker_work_done(cleaner->broker);
}

static void begin_compaction(struct cleaner *cleaner, struct partition *partition, struct io_time now)
{
    size_t map_bytes_max = (size_t)config_int(&cleaner->broker->config, "log.cleaner.dedupe.buffer.size");
    int code = partition_log_compaction_begin(partition->log, partition_last_stable_offset(partition), map_bytes_max, now,
                                              &cleaner->compaction);
    if (code < 0) {
        pass_over(cleaner, partition, now);
        plan(cleaner, now);
        return;
    }
    partition_hold(partition);
    cleaner->partition = partition;
    cleaner->work = (struct work_item){ .run = run_compaction, .done = step_done, .ctx = cleaner };
    submit(cleaner);
}

static void look_around(struct cleaner *cleaner, struct io_time now)
{
    struct look look = look_at_all(cleaner->broker, now);
    if (look.dirtiest)
        begin_compaction(cleaner, look.dirtiest, now);
    else if (look.again)
        plan(cleaner, now);
}

static void fire(struct loop_timer *timer, struct io_time now)
{
    struct cleaner *cleaner = timer->ctx;
    if (!cleaner->compaction)
        look_around(cleaner, now);
}

/* ---- the face -------------------------------------------------------------------------------------------------------------- */

void cleaner_init(struct cleaner *cleaner, struct broker *broker)
{
    *cleaner = (struct cleaner){ .broker = broker, .enabled = config_bool(&broker->config, "log.cleaner.enable") };
    cleaner->look = (struct loop_timer){ .fire = fire, .ctx = cleaner };
}

void cleaner_start(struct cleaner *cleaner, struct io_time now)
{
    if (cleaner->enabled)
        plan(cleaner, now);
}

void cleaner_note(struct cleaner *cleaner, const struct partition *partition, struct io_time now)
{
    bool may_be_dirty =
        partition->config.cleanup_compact && partition->log && partition_log_compaction_wants_look(partition->log);
    if (may_be_dirty && cleaner->enabled && !cleaner->compaction && cleaner->broker->state == BROKER_OPEN)
        plan(cleaner, now);
}

void cleaner_close(struct cleaner *cleaner)
{
    loop_timer_cancel(cleaner->broker->loop, &cleaner->look);
}
