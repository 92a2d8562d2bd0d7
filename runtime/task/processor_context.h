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
    /* The type's, or what stands before it. */
    int (*process)(mill_context *context, void *self, const mill_record *record);
    void *self;
    mill_context **children; /* in the order of connection */
    size_t child_count;
    bool initialised;
    bool fixed_key;                  /* of the supplier */
    const mill_record *fixed_record; /* with it: whose key must stay; NULL in a punctuator */
};

/* What stands before the `process` of a node with a fixed key. */
int fixed_key_process(mill_context *context, void *self, const mill_record *record);

#endif
