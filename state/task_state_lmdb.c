#include "state/task_states.h"

static int lmdb_open(const mill_task_state_type *type, const mill_task_state_options *options, mill_task_state **opened)
{
    *opened = NULL;
    return options->disk != NULL ? MILL_EUNSUPPORTED : TASK_STATE_MEMORY.open(&TASK_STATE_MEMORY, options, opened);
}

const mill_task_state_type TASK_STATE_LMDB = { "lmdb", lmdb_open };
