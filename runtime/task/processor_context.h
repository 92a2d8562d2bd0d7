/*
 * A node at work in a task: what mill_context is inside.
 *
 * The functions of millstream/processor.h are implemented in processor_context.c; sinks are processors of the type in sink.h.
 *
 * Thread: the task's.
 */
#ifndef TASK_PROCESSOR_CONTEXT_H
#define TASK_PROCESSOR_CONTEXT_H

#include "millstream/processor.h"
#include "topology/topology.h"

struct task;

struct mill_context {
    struct task *task;
    const struct topology_node *node;
    const mill_processor_type *type; /* NULL for a source, which only has children */
    void *self;
    mill_context **children; /* in the order of connection */
    size_t child_count;
    bool initialised;
};

#endif
