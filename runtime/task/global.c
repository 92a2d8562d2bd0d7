/*
 * What is different in the task of the global stores: its topics are the changelogs of its stores, and one store is filled from
 * many partitions. How far each was read is kept as the position of a store that is otherwise empty, in the same task state, so
 * that rows and positions go to the disk together. Its name has a '/', which no store of a topology has.
 */
#include <stdio.h>

#include "base/trace.h"
#include "task/task_internal.h"

/* The global store that the topic fills: it stands below the source alone. */
static const struct topology_store *store_of(const struct topology_topic *topic)
{
    return topic->source->children.at[0]->stores.at[0];
}

int task_keep_position(struct task *task, struct task_input *input,
                       struct task_store *(*make)(struct task *task, const struct topology_store *definition))
{
    struct topology_store *definition = arena_calloc(&task->memory, 1, sizeof *definition);
    mill_store_builder *builder = arena_calloc(&task->memory, 1, sizeof *builder);
    char *name = arena_alloc(&task->memory, TOPIC_NAME_MAX + 16);
    if (definition == NULL || builder == NULL || name == NULL)
        return MILL_ENOMEM;
    snprintf(name, TOPIC_NAME_MAX + 16, "%s/%d", input->topic->name, (int)input->queue.partition);
    *builder = (mill_store_builder){ .name = name,
                                     .kind = MILL_STORE_KEY_VALUE,
                                     .task_state = store_of(input->topic)->builder->task_state };
    *definition = (struct topology_store){ .name = name, .builder = builder };
    input->kept = make(task, definition);
    input->kept->input = input;
    return 0;
}

int task_global_plan(struct task *task, struct task_input *input, const struct changelog_facts *facts, struct io_time now,
                     int64_t *offset)
{
    mill_changelog_position *position = &input->kept->position;
    const char *why = task_distrust(position, facts, now.wall_ms);
    if (why != NULL && position->offset >= 0) {
        trace_warn("restore", "global store %s: rebuilt from topic %s, because %s", store_of(input->topic)->name,
                   input->queue.topic, why);
        return error_set(&task->error, MILL_ECORRUPT, "global store %s: %s", store_of(input->topic)->name, why);
    }
    *offset = why == NULL ? position->offset : facts->log_start;
    memcpy(position->topic_id, facts->topic_id, sizeof position->topic_id);
    position->leader_epoch = facts->leader_epoch;
    record_queue_seek(&input->queue, *offset, -1);
    return 0;
}

int task_open_view(struct task *task, struct task_store *store, size_t cache_bytes, mill_store_view **view)
{
    mill_task_state *state = task->task_states[task->store_state[store - task->stores]];
    if (state->ops->open_view == NULL)
        return error_set(&task->error, MILL_EUNSUPPORTED, "global store %s: its stores cannot be read by other threads",
                         store->definition->name);
    int code = state->ops->open_view(state, store->store, cache_bytes, view);
    return code < 0 ? error_set(&task->error, code, "global store %s: %s", store->definition->name, state->ops->error(state)) : 0;
}
