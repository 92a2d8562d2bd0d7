/* A task's commit, flush and roll back: the order of task.h, step by step. */
#include "base/assert.h"
#include "base/saturate.h"
#include "task/offset_metadata.h"
#include "task/task_internal.h"

static int fail_in_state(struct task *task, const mill_task_state *state, int code)
{
    return error_set(&task->error, code, "task %s: %s: %s", task->id, state->ops->error(state), mill_error_text(code));
}

bool task_commit_needed(const struct task *task)
{
    return task->commit_needed;
}

/* One entry, with what it makes downstream: as a record of its own, so that nothing piles up over many. */
static int flush_entry(struct task *task, const struct task_store *store)
{
    int code = store->store->ops->flush_cache(store->store, 1);
    if (task->record_memory.bytes_used > 0)
        arena_clear(&task->record_memory);
    if (code >= 0 && !task->judged)
        return 0;
    code = code < 0 ? code : MILL_EUSER;
    if (task->error.text[0] == '\0')
        error_set(&task->error, code, "%s", mill_error_text(code));
    error_prefix(&task->error, code, "store %s", store->definition->name);
    return task_fail(task, code);
}

int task_flush_caches(struct task *task, bool (*hold)(void *ctx), void *ctx, struct io_time now)
{
    mill_assert(task->state == TASK_RUNNING);
    task->now = now;
    bool some = false;
    for (size_t i = 0; i < task->store_count; i++) {
        const struct task_store *store = &task->stores[i];
        while (store->store->ops->is_dirty(store->store)) {
            int code = flush_entry(task, store);
            if (code < 0)
                return code;
            some = true;
            if (hold != NULL && hold(ctx))
                return 1;
        }
    }
    return some;
}

int64_t task_acknowledged_end(const struct task_store *store)
{
    if (store->source != NULL)
        return -1; /* of the task's own making is nothing there */
    return store->topic ? store->topic->ops->acknowledged_end(store->topic, store->partition) : -1;
}

/* Times of what an older topology had are not handed on, other than what Kafka Streams' processors may ask for again. */
static void forget_old_times(struct task *task)
{
    size_t kept = 0;
    for (size_t i = 0; i < task->remembered_count; i++) {
        const struct remembered_number *number = &task->remembered[i];
        bool is_time = strncmp(number->name, TASK_STORE_TIME, sizeof TASK_STORE_TIME - 1) == 0 ||
                       strncmp(number->name, TASK_KEPT, sizeof TASK_KEPT - 1) == 0;
        if (number->is_claimed || !is_time)
            task->remembered[kept++] = *number;
    }
    task->remembered_count = kept;
}

/* The times of stores and operators go with the positions: -1, none yet, counts for a store, too. */
static int remember_times(struct task *task)
{
    forget_old_times(task);
    for (size_t i = 0; i < task->store_count; i++) {
        const struct task_store *store = &task->stores[i];
        if (store->time_name == NULL)
            continue;
        struct remembered_number *remembered;
        int code = task_remember(task, store->time_name, &remembered);
        if (code < 0)
            return code;
        if (remembered != NULL)
            remembered->number = saturated_sum(store->store->ops->stream_time_ms(store->store), 1);
    }
    for (size_t i = 0; i < task->remembered_count; i++)
        if (task->remembered[i].kept != NULL)
            task->remembered[i].number = *task->remembered[i].kept;
    return 0;
}

int task_freeze(struct task *task, struct io_time now)
{
    task->now = now;
    if (remember_times(task) < 0)
        return error_set(&task->error, MILL_ENOMEM, "task %s: no memory for a commit", task->id);
    for (size_t i = 0; i < task->store_count; i++) {
        struct task_store *store = &task->stores[i];
        mill_assert(!store->store->ops->is_dirty(store->store));
        int64_t end = task_acknowledged_end(store);
        if (end != store->acknowledged_before)
            store->position.offset = end;
        store->acknowledged_before = end;
        if (store->source != NULL && store->source->queue.next_offset >= 0)
            store->position.offset = store->source->queue.next_offset;
        if (store->input != NULL)
            store->position.offset = store->input->queue.next_offset;
        store->position.marked_at_ms = now.wall_ms;
    }
    for (size_t s = 0; s < task->task_state_count; s++) {
        size_t count = 0;
        for (size_t i = 0; i < task->store_count; i++)
            if (task->store_state[i] == s)
                task->positions[count++] = task->stores[i].position;
        mill_task_state *state = task->task_states[s];
        int code = state->ops->freeze(state, task->positions, count);
        if (code < 0)
            return fail_in_state(task, state, code);
    }
    return 0;
}

static bool is_first_with_offset(const struct task *task, const struct task_input *input)
{
    const struct task_input *first = task->inputs;
    while (first < input && first->queue.next_offset < 0)
        first++;
    return first == input;
}

int64_t task_input_commit(const struct task *task, const struct task_input *input, char metadata[])
{
    bool tells_drops = is_first_with_offset(task, input);
    size_t drops = 0;
    while (tells_drops && drops < DROP_REASONS_MAX && task->drops[drops].reason != NULL)
        drops++;
    offset_metadata_encode(input->queue.partition_time_ms, task->drops, drops, task->remembered, task->remembered_count,
                           metadata);
    return input->queue.next_offset;
}

void task_committed(struct task *task)
{
    for (size_t s = 0; s < task->task_state_count; s++)
        task->task_states[s]->ops->committed(task->task_states[s]);
    task->committed_stream_time_ms = task->stream_time_ms;
    memcpy(task->committed_drops, task->drops, sizeof task->drops);
    for (size_t i = 0; i < task->remembered_count; i++) {
        task->remembered[i].committed = task->remembered[i].number;
        task->remembered[i].is_committed = true;
    }
    task->commit_requested = false;
    task->commit_needed = false;
}

/* What processors remember is as of the last commit. */
static void forget_uncommitted(struct task *task)
{
    size_t kept = 0;
    for (size_t i = 0; i < task->remembered_count; i++) {
        struct remembered_number *number = &task->remembered[i];
        number->number = number->committed;
        if (number->is_committed)
            task->remembered[kept++] = *number;
    }
    task->remembered_count = kept;
}

int task_roll_back(struct task *task, struct io_time now)
{
    task->now = now;
    task_close_processors(task);
    punctuation_release(&task->punctuation);
    punctuation_init(&task->punctuation);
    for (size_t s = 0; s < task->task_state_count; s++)
        task->task_states[s]->ops->roll_back(task->task_states[s]);
    for (size_t i = 0; i < task->input_count; i++)
        record_queue_seek(&task->inputs[i].queue, -1, -1);
    memset(task->offered, 0, task->input_count * sizeof *task->offered);
    task->ready.count = 0;
    task->stream_time_ms = task->committed_stream_time_ms;
    memcpy(task->drops, task->committed_drops, sizeof task->drops);
    forget_uncommitted(task);
    task->commit_requested = false;
    task->commit_needed = false;
    task->current = NULL;
    task->failed = NULL;
    task->error.text[0] = '\0';
    arena_clear(&task->record_memory);
    return task_init_processors(task);
}

bool task_flush_due(const struct task *task, struct io_time now, bool closing)
{
    for (size_t s = 0; s < task->task_state_count; s++)
        if (task->task_states[s]->ops->flush_due(task->task_states[s], now.monotonic_us, closing))
            return true;
    return false;
}

int task_flush(struct task *task)
{
    for (size_t s = 0; s < task->task_state_count; s++) {
        int code = task->task_states[s]->ops->flush(task->task_states[s]);
        if (code < 0)
            return code;
    }
    return 0;
}

void task_flushed(struct task *task, int code)
{
    for (size_t s = 0; s < task->task_state_count; s++) {
        mill_task_state *state = task->task_states[s];
        state->ops->flushed(state, code);
        if (code < 0)
            fail_in_state(task, state, code);
    }
}

size_t task_uncommitted_bytes(const struct task *task)
{
    size_t bytes = 0;
    for (size_t i = 0; i < task->store_count; i++)
        bytes += task->stores[i].store->ops->uncommitted_bytes(task->stores[i].store);
    return bytes;
}

void task_set_memory(struct task *task, const mill_state_memory *memory)
{
    task->options.memory = *memory;
    for (size_t s = 0; s < task->task_state_count; s++) {
        mill_task_state *state = task->task_states[s];
        if (state != NULL && state->ops->set_memory != NULL)
            state->ops->set_memory(state, memory);
    }
}

size_t task_frozen_bytes(const struct task *task)
{
    size_t bytes = 0;
    for (size_t i = 0; i < task->store_count; i++)
        bytes += task->stores[i].store->ops->frozen_bytes(task->stores[i].store);
    return bytes;
}
