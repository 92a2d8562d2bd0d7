#include "conformance/planted.h"

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "record/default_partitioner.h"
#include "worker/internal.h"

enum { LEFT_OUT_OF = 19 };

enum planted planted_fault;
static struct prng flush_prng;
static uint64_t flushes_now_per_mille;
static uint64_t changes;
static bool in_force, in_transactions;

static const char *const TEXTS[PLANTED_COUNT] = { [PLANTED_NONE] = "none",
#define PLANTED_TEXT(name, text) [PLANTED_##name] = text,
                                                  PLANTED_FAULTS(PLANTED_TEXT)
#undef PLANTED_TEXT
};

const char *planted_text(enum planted fault)
{
    return TEXTS[fault];
}

void planted_begin(uint64_t seed, uint64_t flushes_per_mille, bool exactly_once)
{
    prng_init(&flush_prng, seed);
    flushes_now_per_mille = flushes_per_mille;
    changes = 0;
    in_force = true;
    in_transactions = exactly_once;
}

void planted_end(void)
{
    in_force = false;
}

static bool is_planted(enum planted fault)
{
    return in_force && planted_fault == fault;
}

/* ---- replaced functions ---------------------------------------------------------------------------------------------------- */

bool __real_task_flush_due(const struct task *task, struct io_time now, bool closing);
bool __wrap_task_flush_due(const struct task *task, struct io_time now, bool closing);
int __real_producer_send(struct producer *producer, struct producer_topic *topic, int32_t partition, const mill_record *record);
int __wrap_producer_send(struct producer *producer, struct producer_topic *topic, int32_t partition, const mill_record *record);
int __real_group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                              const struct group_offset *offsets, size_t count, group_offsets_cb *done,
                                              void *ctx);
int __wrap_group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                              const struct group_offset *offsets, size_t count, group_offsets_cb *done,
                                              void *ctx);
int __real_exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count,
                               struct io_time now);
int __wrap_exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count,
                               struct io_time now);
void __real_task_committed(struct task *task);
void __wrap_task_committed(struct task *task);

bool __wrap_task_flush_due(const struct task *task, struct io_time now, bool closing)
{
    if (is_planted(PLANTED_CRASH))
        abort();
    return __real_task_flush_due(task, now, closing || (in_force && prng_below(&flush_prng, 1000) < flushes_now_per_mille));
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), of_end = strlen(end);
    return length >= of_end && strcmp(name + length - of_end, end) == 0;
}

int __wrap_producer_send(struct producer *producer, struct producer_topic *topic, int32_t partition, const mill_record *record)
{
    const char *name = producer_topic_handle(topic)->name;
    if (is_planted(PLANTED_REPARTITION) && ends_with(name, "-repartition") && !mill_is_null(record->value))
        partition = default_partition(record->value, producer_topic_partition_count(topic));
    if (is_planted(PLANTED_CHANGELOG) && ends_with(name, "-changelog") && ++changes % LEFT_OUT_OF == 0)
        return 0;
    return __real_producer_send(producer, topic, partition, record);
}

int __wrap_group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                              const struct group_offset *offsets, size_t count, group_offsets_cb *done, void *ctx)
{
    if (is_planted(PLANTED_OFFSETS))
        return group_member_commit(member, offsets, count, done, ctx);
    return __real_group_member_commit_in_transaction(member, producer, offsets, count, done, ctx);
}

int __wrap_exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count, struct io_time now)
{
    for_each_task (assigned, thread) {
        if (!is_planted(PLANTED_FLUSH) || !commit_includes(assigned) || assigned->flushing)
            continue;
        __real_task_committed(assigned->task);
        if (__real_task_flush_due(assigned->task, now, true))
            task_flushed(assigned->task, task_flush(assigned->task));
    }
    return __real_exactly_once_commit(thread, offsets, count, now);
}

void __wrap_task_committed(struct task *task)
{
    if (!is_planted(PLANTED_FLUSH) || !in_transactions) /* else it was called before */
        __real_task_committed(task);
}
