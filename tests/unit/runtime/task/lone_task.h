/* A task without stores, of one source with some topics: what a test does with it by hand. */
#ifndef TESTS_TASK_LONE_TASK_H
#define TESTS_TASK_LONE_TASK_H

#include "support/cmocka_all.h"

#include "millstream/topology.h"
#include "task/task.h"

struct lone_task {
    mill_topology *topology; /* with the source "source" until lone_task_make */
    struct task *task;
    struct task_input *inputs;
};

static inline const char *lone_task_property(void *ctx, const char *name)
{
    return NULL;
}

static inline void lone_task_begin(struct lone_task *lone, const char *const *topics, size_t count)
{
    *lone = (struct lone_task){ .topology = mill_topology_new() };
    mill_topology_add_source(lone->topology, "source", topics, count, NULL);
}

static inline void lone_task_make(struct lone_task *lone)
{
    assert_int_equal(topology_build(lone->topology), 0);
    struct task_options options = { .topology = lone->topology,
                                    .subtopology = &lone->topology->subtopologies[0],
                                    .application_id = "app",
                                    .property = lone_task_property };
    assert_int_equal(task_new(&options, &lone->task), 0);
    size_t count;
    lone->inputs = task_inputs(lone->task, &count);
}

static inline void lone_task_release(struct lone_task *lone)
{
    task_free(lone->task, false);
    mill_topology_free(lone->topology);
}

#endif
