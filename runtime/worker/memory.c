/* A thread's part of statestore.cache.max.bytes and mill.state.restore.bytes: what its tasks get of it, and how full it is. */
#include "worker/internal.h"

enum {
    UNFLUSHED_BYTES_MIN = 16 << 20, /* so that a commit is not forced all the time when caching is off */
    RESTORE_BYTES_MIN = 1 << 20,    /* of a task */
};

void thread_memory_init(struct stream_thread *thread)
{
    const struct config *config = thread->options.config;
    size_t threads = (size_t)config_int(config, "num.stream.threads");
    struct mill_state_memory *memory = &thread->memory;
    memory->cache_bytes = (size_t)config_int(config, "statestore.cache.max.bytes") / threads;
    memory->restore_bytes = (size_t)config_int(config, "mill.state.restore.bytes") / threads;
    thread->unflushed_bytes_max = memory->cache_bytes > UNFLUSHED_BYTES_MIN ? memory->cache_bytes : UNFLUSHED_BYTES_MIN;
    thread_share_memory(thread);
}

void thread_share_memory(struct stream_thread *thread)
{
    size_t tasks = 0;
    for_each_task (assigned, thread) {
        size_t stores;
        task_stores(assigned->task, &stores);
        tasks += assigned->state != ASSIGNED_CLOSING && stores > 0;
    }
    size_t parts = tasks > 0 ? tasks : 1;
    size_t restore_bytes = thread->memory.restore_bytes / parts;
    thread->task_memory.cache_bytes = thread->memory.cache_bytes / parts;
    thread->task_memory.restore_bytes = restore_bytes > RESTORE_BYTES_MIN ? restore_bytes : RESTORE_BYTES_MIN;
    for_each_task (assigned, thread)
        if (assigned->state != ASSIGNED_CLOSING)
            task_set_memory(assigned->task, &thread->task_memory);
}

static size_t sum_of_running(struct stream_thread *thread, size_t (*bytes_of)(const struct task *task))
{
    size_t bytes = 0;
    for_each_task (assigned, thread)
        if (assigned->state == ASSIGNED_RUNS)
            bytes += bytes_of(assigned->task);
    return bytes;
}

bool thread_wants_commit(struct stream_thread *thread)
{
    return sum_of_running(thread, task_uncommitted_bytes) > thread->unflushed_bytes_max / 2;
}

bool thread_wants_flush(struct stream_thread *thread)
{
    return sum_of_running(thread, task_frozen_bytes) > thread->unflushed_bytes_max / 2;
}
