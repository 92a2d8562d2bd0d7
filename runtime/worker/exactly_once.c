/*
 * Exactly once: one transaction per stream thread and commit covers outputs, changelogs, repartition topics and input offsets.
 *
 *      freeze -> add the group -> commit its offsets -> commit the transaction -> stores may go to disk
 *                      any that fails -> abort -> tasks go back to the last commit and read on from there
 *
 * Where the broker would answer the same again (no right to write, a record that its topic does not take), the thread fails
 * instead: processing it all once more would help nobody.
 *
 * LMDB follows the transaction and never leads it: a crash before its end leaves the stores at an earlier commit, a crash after
 * it leaves them a few changelog records behind.
 *
 * A newer producer with our transactional id means that this process is taken for gone: its tasks are closed as lost, and the
 * thread begins anew. Who lost its partitions to another member is fenced by the group's generation (KIP-447).
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "worker/internal.h"

/* ---- owning the transactional id ------------------------------------------------------------------------------------------- */

static void began(void *ctx, int code, const char *text, struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (code < 0 && thread->state < STREAM_THREAD_CLOSING)
        thread_fail(thread, code, text);
    thread->owns_transactions = code == 0;
    thread_wake(thread);
}

void transactions_begin(struct stream_thread *thread)
{
    thread->owns_transactions = false;
    producer_init_transactions(thread->producer, began, thread);
}

/* Others have our tasks, or will have: nothing of what was processed since the last commit counts. */
static void begin_anew(struct stream_thread *thread, struct io_time now)
{
    trace_warn("streams", "%s: a newer producer has its transactional id; its tasks are closed, and it joins again",
               thread->client_id);
    for_each_task (assigned, thread)
        if (assigned->state != ASSIGNED_CLOSING)
            assigned_task_close(assigned, false, now);
    commit_done(thread, now);
    if (thread->state >= STREAM_THREAD_CLOSING)
        return;
    thread_move(thread, STREAM_THREAD_REBALANCING);
    transactions_begin(thread);
    group_member_rejoin(thread->member, "a newer producer has the transactional id");
}

/* ---- back to the last commit ----------------------------------------------------------------------------------------------- */

static int roll_back(struct assigned_task *assigned, struct io_time now)
{
    size_t count;
    struct task_input *inputs = task_inputs(assigned->task, &count);
    for (size_t i = 0; i < count; i++)
        consumer_seek(assigned->partitions[i], assigned_task_start(assigned, i));
    int code = task_roll_back(assigned->task, now);
    for (size_t i = 0; code == 0 && i < count; i++)
        record_queue_seek(&inputs[i].queue, assigned->start_offsets[i], assigned->start_times[i]);
    return code;
}

static void aborted(void *ctx, int code, const char *text, struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->commit != COMMIT_ABORTING) {
        thread_wake(thread); /* the thread has failed meanwhile */
        return;
    }
    if (code == MILL_EFENCED) {
        begin_anew(thread, now);
        return;
    }
    for_each_task (assigned, thread) {
        if (code < 0 || assigned->state != ASSIGNED_RUNS)
            continue;
        code = roll_back(assigned, now);
        text = code < 0 ? task_error(assigned->task) : text;
    }
    commit_done(thread, now);
    if (code < 0)
        thread_fail(thread, code, text);
}

void commit_abort(struct stream_thread *thread, struct io_time now)
{
    const char *text = "";
    int code = producer_error(thread->producer, &text);
    if (code == MILL_EFENCED) {
        begin_anew(thread, now);
        return;
    }
    if (code < 0) {
        thread->commit = COMMIT_NONE;
        thread_fail(thread, code, text);
        return;
    }
    thread->commit = COMMIT_ABORTING;
    producer_abort_transaction(thread->producer, aborted, thread);
}

bool commit_is_broken(const struct stream_thread *thread)
{
    return thread->exactly_once && thread->owns_transactions && thread->commit == COMMIT_NONE &&
           producer_transaction_broken(thread->producer) != NULL;
}

static void given_up(void *ctx, int code, const char *text, struct io_time now)
{
    struct stream_thread *thread = ctx;
    thread->last_aborted = true;
    thread_wake(thread);
}

bool transaction_given_up(struct stream_thread *thread, struct io_time now)
{
    bool is_ours = thread->exactly_once && thread->owns_transactions && producer_error(thread->producer, NULL) == 0;
    if (!is_ours || thread->last_aborted || now.monotonic_us >= thread->close_by_us)
        return true;
    thread_wake_at(thread, thread->close_by_us);
    /* A call of the commit that failed may still be on its way: its answer asks for the next turn. */
    if (producer_transaction_open(thread->producer))
        producer_abort_transaction(thread->producer, given_up, thread);
    return false;
}

/* ---- the commit ------------------------------------------------------------------------------------------------------------ */

/* What the broker would answer again, whatever is processed: nobody is helped by an abort. */
static bool is_for_good(int code)
{
    return code == MILL_EACCESS || code == MILL_EUNSUPPORTED || code == MILL_EINVALID || code == MILL_ETOOLARGE ||
           code == MILL_EBROKER;
}

static void failed(struct stream_thread *thread, int code, const char *text, struct io_time now)
{
    if (is_for_good(code)) {
        char message[ERROR_TEXT_BYTES];
        snprintf(message, sizeof message, "the transaction with the offsets of group %s cannot be committed: %s",
                 thread->application_id, text);
        thread->commit = COMMIT_NONE;
        thread_fail(thread, code, message);
        thread_wake(thread);
        return;
    }
    trace_warn("streams", "%s: the transaction is aborted, and its records are processed again: %s", thread->client_id, text);
    commit_abort(thread, now);
}

/* Where an abort goes back to from now on. */
static void remember_positions(struct stream_thread *thread)
{
    for_each_task (assigned, thread) {
        size_t count = 0;
        struct task_input *inputs = commit_includes(assigned) ? task_inputs(assigned->task, &count) : NULL;
        for (size_t i = 0; i < count; i++) {
            assigned->start_offsets[i] = inputs[i].queue.next_offset;
            assigned->start_times[i] = inputs[i].queue.partition_time_ms;
        }
    }
}

static void committed(void *ctx, int code, const char *text, struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->commit != COMMIT_TRANSACTION) {
        thread_wake(thread); /* the thread has failed meanwhile */
        return;
    }
    if (code < 0) {
        failed(thread, code, text, now);
        return;
    }
    remember_positions(thread);
    commit_succeeded(thread, now);
}

static void commit_transaction(struct stream_thread *thread)
{
    thread->commit = COMMIT_TRANSACTION;
    producer_commit_transaction(thread->producer, committed, thread);
}

static void offsets_committed(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count,
                              struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->commit != COMMIT_OFFSETS)
        return;
    if (code < 0)
        failed(thread, code, text, now);
    else
        commit_transaction(thread);
}

static void group_added(void *ctx, int code, const char *text, struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->commit != COMMIT_OFFSETS) {
        thread_wake(thread); /* as above */
        return;
    }
    if (code == 0)
        code = group_member_commit_in_transaction(thread->member, producer_identity(thread->producer), thread->offsets,
                                                  thread->offset_count, offsets_committed, thread);
    if (code < 0)
        failed(thread, code, code == MILL_ENOMEM ? "no memory to commit offsets" : text, now);
}

int exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count, struct io_time now)
{
    if (!thread->owns_transactions) { /* so that nothing was processed */
        commit_succeeded(thread, now);
        return 0;
    }
    arena_clear(&thread->committing);
    thread->offsets = arena_calloc(&thread->committing, count + 1, sizeof *thread->offsets);
    if (thread->offsets == NULL)
        return MILL_ENOMEM;
    thread->offset_count = count;
    for (size_t i = 0; i < count; i++) {
        thread->offsets[i] = offsets[i];
        thread->offsets[i].metadata = arena_dup(&thread->committing, offsets[i].metadata);
        if (thread->offsets[i].metadata.data == NULL)
            return MILL_ENOMEM;
    }
    thread->commit = COMMIT_OFFSETS;
    if (producer_transaction_broken(thread->producer) != NULL)
        failed(thread, MILL_EAGAIN, producer_transaction_broken(thread->producer), now);
    else if (count == 0)
        commit_transaction(thread);
    else
        producer_add_group(thread->producer, thread->application_id, group_added, thread);
    return 0;
}
