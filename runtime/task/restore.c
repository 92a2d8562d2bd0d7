/*
 * Bringing a task's stores up to the end of their changelogs.
 *
 * What a store has on disk counts only while it can be shown to be a prefix of this very changelog: same topic id, same leader
 * epoch, an offset inside the log; and since a log that was compacted forgets tombstones after delete.retention.ms, a store that
 * was marked longer ago than that must have nothing to read. Otherwise it is built anew from the first record.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "task/task_internal.h"

static bool same_topic(const uint8_t a[16], const uint8_t b[16])
{
    return memcmp(a, b, 16) == 0;
}

const char *task_distrust(const mill_changelog_position *position, const struct changelog_facts *facts, int64_t wall_ms)
{
    if (position->offset < 0)
        return "nothing is stored";
    if (!same_topic(position->topic_id, facts->topic_id))
        return "the changelog topic was deleted and made anew";
    if (position->leader_epoch >= 0 && facts->leader_epoch >= 0 && position->leader_epoch > facts->leader_epoch)
        return "the changelog's leader epoch went back";
    if (position->offset > facts->log_end)
        return "the stored offset lies behind the changelog's end";
    if (position->offset < facts->log_start)
        return "the changelog no longer has the records from the stored offset on";
    /* Behind the last record of a transaction lies its marker. */
    bool nothing_new = position->offset == facts->log_end || (facts->transactional && position->offset + 1 == facts->log_end);
    if (wall_ms - position->marked_at_ms > facts->delete_retention_ms && !nothing_new)
        return "tombstones may have left the changelog since the store was last used";
    return NULL;
}

static mill_task_state *state_of(struct task *task, const struct task_store *store)
{
    return task->task_states[task->store_state[store - task->stores]];
}

static int fail_in_store(struct task *task, const struct task_store *store, int code)
{
    return error_set(&task->error, code, "task %s, store %s: restoring failed: %s: %s", task->id, store->definition->name,
                     state_of(task, store)->ops->error(state_of(task, store)), mill_error_text(code));
}

static int fail_in_batch(struct task *task, const struct task_store *store, int64_t offset, int code)
{
    return error_set(&task->error, code,
                     "task %s, store %s: the batch at offset %lld of its changelog %s, partition %d, cannot be read: %s%s",
                     task->id, store->definition->name, (long long)offset, store->topic->name, (int)store->partition,
                     mill_error_text(code), code == MILL_ENOMEM ? "" : "; restore the broker's log from a copy");
}

static int finish(struct task *task, struct task_store *store, struct io_time now)
{
    mill_task_state *state = state_of(task, store);
    store->position.offset = store->next_offset;
    store->position.marked_at_ms = now.wall_ms;
    int code = state->ops->restore_end(state, store->store, &store->position);
    if (code < 0)
        return fail_in_store(task, store, code);
    store->restored = true;
    return 0;
}

/* Of a source's topic only what the task has processed is in the store: the rest comes, with old values, through the source. */
static struct changelog_facts up_to_source(const struct task_store *store, struct changelog_facts facts)
{
    if (store->source == NULL)
        return facts;
    int64_t processed = store->source->queue.next_offset;
    if (processed < facts.log_end)
        facts.log_end = processed > facts.log_start ? processed : facts.log_start;
    return facts;
}

/*
 * Before a first commit, and at least once behind one, the changelog may have what is processed again. Positions that another
 * program committed say nothing of the time.
 */
static void resume_time(struct task *task, const struct task_store *store)
{
    int64_t number = 0;
    if (store->time_name != NULL && (task_remembered(task, store->time_name, &number) || !task->resumes))
        store->store->ops->resume_at(store->store, number - 1);
}

int task_restore_plan(struct task *task, struct task_store *store, const struct changelog_facts *told, struct io_time now)
{
    struct changelog_facts own = up_to_source(store, *told);
    const struct changelog_facts *facts = &own;
    mill_assert(task->state == TASK_RESTORING && !store->restored);
    task->now = now;
    resume_time(task, store);
    const char *why = task_distrust(&store->position, facts, now.wall_ms);
    bool had_some = store->position.offset >= 0;
    store->next_offset = why == NULL ? store->position.offset : facts->log_start;
    store->restore_begin = store->next_offset;
    store->log_end = facts->log_end;
    memcpy(store->position.topic_id, facts->topic_id, 16);
    store->position.leader_epoch = facts->leader_epoch;
    if (why != NULL && had_some)
        trace_warn("restore", "task %s, store %s: rebuilt from its changelog, because %s", task->id, store->definition->name,
                   why);
    if (why == NULL && store->next_offset == store->log_end) {
        store->restored = true;
        return 0;
    }
    mill_task_state *state = state_of(task, store);
    int code = state->ops->restore_begin(state, store->store, why != NULL);
    if (code < 0)
        return fail_in_store(task, store, code);
    return store->next_offset >= store->log_end ? finish(task, store, now) : 0;
}

struct restoring {
    struct batch_reader reader;
    struct batch_record decoded[RECORD_QUEUE_RUN];
    mill_record records[RECORD_QUEUE_RUN];
};

/* A source's topic may have records without a key, which a table drops. */
static bool is_row(const struct task_store *store, const mill_record *record)
{
    return store->source == NULL || !mill_is_null(record->key);
}

/* The records of one batch from `from` to `until` into the store. */
static int restore_batch(struct task *task, struct task_store *store, struct restoring *restoring, mill_bytes batch, int64_t from)
{
    mill_task_state *state = state_of(task, store);
    int code = batch_reader_open(&restoring->reader, batch, false);
    if (code == 0)
        code = batch_reader_skip_to(&restoring->reader, from);
    if (code < 0)
        return fail_in_batch(task, store, from, code);
    for (;;) {
        int count = batch_reader_fill(&restoring->reader, restoring->decoded, RECORD_QUEUE_RUN);
        if (count <= 0)
            return count < 0 ? fail_in_batch(task, store, restoring->reader.header.base_offset, count) : 0;
        size_t kept = 0;
        for (int i = 0; i < count; i++)
            if (restoring->decoded[i].offset < store->log_end && is_row(store, &restoring->decoded[i].record))
                restoring->records[kept++] = restoring->decoded[i].record;
        code = state->ops->restore_records(state, store->store, restoring->records, kept);
        if (code < 0)
            return fail_in_store(task, store, code);
    }
}

static int restore_batches(struct task *task, struct task_store *store, struct restoring *restoring, const struct record_run *run)
{
    mill_bytes region = run->batches.bytes;
    for (;;) {
        mill_bytes batch;
        struct batch_header header;
        int code = batch_next(&region, &batch, &header);
        if (code <= 0)
            return code < 0 ? fail_in_batch(task, store, store->next_offset, code) : 0;
        if (batch_is_control(&header) || batch_next_offset(&header) <= store->next_offset)
            continue;
        code = restore_batch(task, store, restoring, batch, store->next_offset);
        if (code < 0)
            return code;
    }
}

int task_restore_run(struct task *task, struct task_store *store, const struct record_run *run, struct io_time now)
{
    mill_assert(task->state == TASK_RESTORING && !store->restored);
    struct restoring *restoring = mem_alloc(sizeof *restoring);
    if (restoring == NULL) {
        shared_buffer_drop(run->batches.buffer);
        return error_set(&task->error, MILL_ENOMEM, "task %s: no memory to restore its stores", task->id);
    }
    batch_reader_init(&restoring->reader, 256 << 20);
    int code = restore_batches(task, store, restoring, run);
    batch_reader_release(&restoring->reader);
    mem_free(restoring);
    shared_buffer_drop(run->batches.buffer);
    return code < 0 ? code : task_restore_pass(task, store, run->next_offset, now);
}

int task_restore_pass(struct task *task, struct task_store *store, int64_t offset, struct io_time now)
{
    if (offset > store->next_offset)
        store->next_offset = offset < store->log_end ? offset : store->log_end;
    return store->next_offset >= store->log_end ? finish(task, store, now) : 0;
}
