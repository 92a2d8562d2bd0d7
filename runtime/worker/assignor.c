#include "worker/assignor.h"

#include <stdbool.h>
#include <string.h>

static const size_t NOBODY = SIZE_MAX;

static bool has_task(const struct task_name *tasks, size_t count, struct task_name task)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i].subtopology == task.subtopology && tasks[i].partition == task.partition)
            return true;
    return false;
}

static void give(size_t task, size_t member, size_t *owners, size_t *shares)
{
    owners[task] = member;
    shares[member]++;
}

/* Has `member`, or another thread of its process, the task's state? */
static bool stores_task(const struct assignor_member *members, size_t count, size_t member, struct task_name task)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(members[i].process_id, members[member].process_id, PROCESS_ID_BYTES) != 0)
            continue;
        if (has_task(members[i].stored, members[i].stored_count, task) ||
            has_task(members[i].running, members[i].running_count, task))
            return true;
    }
    return false;
}

/* A member with room for one more: at most the average rounded up, and not more members there than the remainder asks for. */
static bool has_room(const size_t *shares, size_t member_count, size_t member, size_t task_count)
{
    size_t floor = task_count / member_count;
    size_t above_allowed = task_count % member_count;
    if (shares[member] < floor)
        return true;
    if (shares[member] > floor)
        return false;
    size_t above = 0;
    for (size_t i = 0; i < member_count; i++)
        above += shares[i] > floor;
    return above < above_allowed;
}

void assignor_assign(const struct assignor_member *members, size_t member_count, const struct task_name *tasks, size_t task_count,
                     size_t *owners, size_t *shares)
{
    memset(shares, 0, member_count * sizeof *shares);
    for (size_t i = 0; i < task_count; i++) {
        owners[i] = NOBODY;
        for (size_t m = 0; m < member_count && owners[i] == NOBODY; m++)
            if (has_task(members[m].running, members[m].running_count, tasks[i]) && has_room(shares, member_count, m, task_count))
                give(i, m, owners, shares);
    }
    for (size_t i = 0; i < task_count; i++)
        for (size_t m = 0; m < member_count && owners[i] == NOBODY; m++)
            if (stores_task(members, member_count, m, tasks[i]) && has_room(shares, member_count, m, task_count))
                give(i, m, owners, shares);
    for (size_t i = 0; i < task_count; i++) {
        if (owners[i] != NOBODY)
            continue;
        size_t least = 0;
        for (size_t m = 1; m < member_count; m++)
            if (shares[m] < shares[least])
                least = m;
        give(i, least, owners, shares);
    }
}
