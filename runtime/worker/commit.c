/*
 * A stream thread's commit: caches, acknowledgement, freeze, offsets, in this order for all its running tasks at once.
 *
 *      NONE -> FLUSHING_CACHES -> ACKNOWLEDGING -> OFFSETS -> NONE              exactly once: OFFSETS -> TRANSACTION -> NONE,
 *                                                                                    any -> ABORTING -> NONE (exactly_once.c)
 *
 * No record is processed between the first step and the answer to the last. What is committed goes to LMDB afterwards, task by
 * task, while processing goes on.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "task/offset_metadata.h"
#include "worker/internal.h"

bool commit_is_due(struct stream_thread *thread, struct io_time now)
{
    bool in_generation = thread->state == STREAM_THREAD_RUNNING || thread->state == STREAM_THREAD_REBALANCING;
    if (thread->commit != COMMIT_NONE || !in_generation || group_member_state(thread->member) != GROUP_MEMBER_STABLE)
        return false; /* a commit that a rebalance asks for is begun by `prepare` */
    bool needed = thread->offsets_owed;
    bool requested = false;
    for_each_task (assigned, thread) {
        needed |= assigned->state == ASSIGNED_RUNS && task_commit_needed(assigned->task);
        requested |= assigned->state == ASSIGNED_RUNS && task_commit_requested(assigned->task);
    }
    if (!needed)
        return false;
    /* Frozen bytes are the previous commits', still on their way to the disk: a commit on top of them waits for that. */
    if (thread_wants_flush(thread))
        return false;
    return requested || now.monotonic_us >= thread->commit_due_us || thread_wants_commit(thread);
}

void commit_done(struct stream_thread *thread, struct io_time now)
{
    thread->commit = COMMIT_NONE;
    thread->commit_due_us = now.monotonic_us + thread->commit_interval_us;
    thread_wake(thread);
}

/* ---- purging repartition topics (KIP-204) ---------------------------------------------------------------------------------- */

static void purged(void *ctx, int code, const char *text, const struct offset_query *results, size_t count, struct io_time now)
{
    struct stream_thread *thread = ctx;
    thread->purge = NULL; /* what could not be purged now is purged next time */
}

static size_t count_inputs(struct stream_thread *thread)
{
    size_t total = 0;
    for_each_task (assigned, thread) {
        size_t count = 0;
        if (commit_includes(assigned))
            task_inputs(assigned->task, &count);
        total += count;
    }
    return total;
}

/* What was committed just now of repartition topics is read by nobody any more. */
static void purge_if_due(struct stream_thread *thread, struct io_time now)
{
    int64_t interval_us = streams_config_ms(thread->options.config, "repartition.purge.interval.ms") * 1000;
    if (thread->purge != NULL || now.monotonic_us < thread->purge_due_us)
        return;
    thread->purge_due_us = now.monotonic_us + interval_us;
    struct offset_query *before = mem_calloc(count_inputs(thread) + 1, sizeof *before);
    size_t asked = 0;
    for_each_task (assigned, thread) {
        size_t count = 0;
        struct task_input *inputs = commit_includes(assigned) ? task_inputs(assigned->task, &count) : NULL;
        for (size_t i = 0; before != NULL && i < count; i++)
            if (inputs[i].topic->kind == TOPOLOGY_REPARTITION && inputs[i].queue.next_offset > 0)
                before[asked++] = (struct offset_query){ .topic = assigned->partitions[i]->topic,
                                                         .partition = assigned->name.partition,
                                                         .offset = inputs[i].queue.next_offset };
    }
    if (asked > 0)
        thread->purge = admin_delete_records(thread->client, before, asked, purged, thread);
    mem_free(before);
}

/* ---- offsets --------------------------------------------------------------------------------------------------------------- */

static void tasks_are_committed(struct stream_thread *thread)
{
    for_each_task (assigned, thread)
        if (commit_includes(assigned))
            task_committed(assigned->task);
}

void commit_succeeded(struct stream_thread *thread, struct io_time now)
{
    tasks_are_committed(thread);
    atomic_fetch_add_explicit(&thread->commits, 1, memory_order_relaxed);
    purge_if_due(thread, now);
    commit_done(thread, now);
}

static void offsets_committed(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count,
                              struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->commit != COMMIT_OFFSETS)
        return; /* the thread has failed meanwhile */
    if (code == MILL_EFENCED) {
        commit_done(thread, now); /* `lost` has closed the tasks */
        return;
    }
    if (code < 0 && code != MILL_EAGAIN) {
        thread->commit = COMMIT_NONE;
        thread_fail(thread, code, text);
        thread_wake(thread);
        return;
    }
    /*
     * Outputs and changelogs are acknowledged, so the stores may go to disk even when a rebalance kept the offsets from being
     * committed (EAGAIN): if another member goes on, it reads the records again, which at-least-once allows; if we do, the next
     * commit tells the offsets, though nothing may come in between.
     */
    thread->offsets_owed = code == MILL_EAGAIN;
    if (code == 0) {
        commit_succeeded(thread, now);
        return;
    }
    tasks_are_committed(thread);
    commit_done(thread, now);
}

static void commit_offsets(struct stream_thread *thread, struct io_time now)
{
    size_t capacity = count_inputs(thread) + 1;
    struct group_offset *offsets = mem_calloc(capacity, sizeof *offsets);
    char(*metadata)[OFFSET_METADATA_BYTES] = mem_calloc(capacity, sizeof *metadata);
    int code = offsets && metadata ? 0 : MILL_ENOMEM;
    size_t filled = 0;
    if (code == 0) {
        for_each_task (assigned, thread) {
            size_t count = 0;
            struct task_input *inputs = commit_includes(assigned) ? task_inputs(assigned->task, &count) : NULL;
            for (size_t i = 0; i < count; i++) {
                int64_t offset = task_input_commit(assigned->task, &inputs[i], metadata[filled]);
                if (offset < 0)
                    continue;
                offsets[filled] = (struct group_offset){ .topic = assigned->partitions[i]->topic,
                                                         .partition = assigned->name.partition,
                                                         .offset = offset,
                                                         .leader_epoch = -1,
                                                         .metadata = mill_string(metadata[filled]) };
                filled++;
            }
        }
        thread->commit = COMMIT_OFFSETS;
        if (thread->exactly_once)
            code = exactly_once_commit(thread, offsets, filled, now);
        else if (filled == 0)
            offsets_committed(thread, 0, "", NULL, 0, now);
        else
            code = group_member_commit(thread->member, offsets, filled, offsets_committed, thread);
    }
    mem_free(offsets);
    mem_free(metadata);
    if (code < 0) {
        thread->commit = COMMIT_NONE;
        thread_fail(thread, code, "no memory to commit offsets");
    }
}

/* ---- acknowledgement and freeze -------------------------------------------------------------------------------------------- */

static void acknowledged(void *ctx, int code, struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->commit != COMMIT_ACKNOWLEDGING)
        return;
    if (thread->loss_excused && thread->error.text[0] == '\0')
        code = 0; /* what failed is known, and the production handler goes on without it */
    thread->loss_excused = false;
    for_each_task (assigned, thread) {
        if (code < 0 || !commit_includes(assigned))
            continue;
        code = task_freeze(assigned->task, now);
        if (code < 0)
            thread_fail(thread, code, task_error(assigned->task));
    }
    if (code < 0 && thread->exactly_once && thread->state != STREAM_THREAD_FAILED) {
        commit_abort(thread, now);
        return;
    }
    if (code < 0) { /* the producer has said why, by its `failed` */
        thread->commit = COMMIT_NONE;
        thread_wake(thread);
        return;
    }
    commit_offsets(thread, now);
}

static bool is_full(void *ctx)
{
    return producer_full(((struct stream_thread *)ctx)->producer);
}

/* True when all caches are clean. */
static bool flush_caches(struct stream_thread *thread, struct io_time now)
{
    for_each_task (assigned, thread) {
        if (!commit_includes(assigned))
            continue;
        int more = 1;
        while (more > 0) {
            if (producer_full(thread->producer))
                return false; /* its `room` wakes us */
            more = task_flush_caches(assigned->task, is_full, thread, now);
        }
        if (more < 0) {
            thread->commit = COMMIT_NONE;
            thread_fail(thread, more, task_error(assigned->task));
            thread_wake(thread);
            return false;
        }
    }
    return true;
}

void commit_continue(struct stream_thread *thread, struct io_time now)
{
    if (thread->commit != COMMIT_FLUSHING_CACHES || !flush_caches(thread, now))
        return;
    thread->commit = COMMIT_ACKNOWLEDGING;
    int code = producer_flush(thread->producer, acknowledged, thread);
    if (code < 0) {
        thread->commit = COMMIT_NONE;
        thread_fail(thread, code, "no memory to wait for acknowledgements");
    }
}

void commit_begin(struct stream_thread *thread, struct io_time now)
{
    for_each_task (assigned, thread)
        assigned->in_commit = assigned->state == ASSIGNED_RUNS;
    thread->commit = COMMIT_FLUSHING_CACHES;
    commit_continue(thread, now);
}

void flush_if_due(struct stream_thread *thread, struct io_time now, bool closing)
{
    bool pressed = thread_wants_flush(thread);
    /* What expired is dropped from the disk: not before the positions are told from which it is no more needed. */
    if (thread->offsets_owed && !pressed && !closing)
        return;
    struct assigned_task *due = NULL;
    for_each_task (assigned, thread) {
        if (assigned->flushing)
            return; /* in turn, so that disk and memory are not asked for everything at once */
        if (assigned->state == ASSIGNED_RUNS && due == NULL && task_flush_due(assigned->task, now, closing || pressed))
            due = assigned;
    }
    if (due != NULL)
        assigned_task_flush(due);
}
