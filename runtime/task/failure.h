/*
 * What becomes of a record that failed: who is asked, what is counted, what goes to the dead letter topic (millstream/errors.h).
 *
 * Off the record path: nothing here runs while all goes well. Thread: the task's.
 */
#ifndef TASK_FAILURE_H
#define TASK_FAILURE_H

#include "millstream/errors.h"
#include "task/task.h"

/* The topology's handler, else what the property of that kind says. `property` as in task_options. */
mill_failure_answer failure_ask(const mill_topology *topology, const char *(*property)(void *ctx, const char *name),
                                void *property_ctx, const mill_failure *failure);

/* Is this a record's fault, so that anybody is to be asked? */
bool failure_is_a_records(int code);

/*
 * `node` answered `code` to `record` (NULL: to a punctuator, or at a commit). 0: go on, it is counted. 1: write it again. Else
 * the code, and the record is not to be asked about any more.
 */
int task_judge(mill_context *node, mill_failure_kind kind, const mill_record *record, int code);

#endif
