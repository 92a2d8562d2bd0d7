/*
 * The two ways in which a task keeps its stores (store.h says what each slot does).
 *
 * LMDB: one environment in the task's directory. Given no disk, as by a test driver, it keeps everything in memory.
 * Memory: nothing on disk; stores are built from their changelogs at each start.
 */
#ifndef STATE_TASK_STATES_H
#define STATE_TASK_STATES_H

#include "millstream/store.h"

extern const mill_task_state_type TASK_STATE_LMDB;
extern const mill_task_state_type TASK_STATE_MEMORY;

#endif
