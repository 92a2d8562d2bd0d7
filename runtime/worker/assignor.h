/*
 * Which member of the group runs which task.
 *
 * Every stream thread is a member. Shares differ by at most one task a member. A task stays with the thread that runs it, else
 * goes to a thread of the process that has its state on disk, else to the thread with the fewest; all as far as the shares allow.
 * The result depends only on the arguments, so every leader would decide alike.
 *
 * Thread: any; nothing is kept.
 */
#ifndef WORKER_ASSIGNOR_H
#define WORKER_ASSIGNOR_H

#include <stddef.h>
#include <stdint.h>

enum { PROCESS_ID_BYTES = 16 };

struct task_name {
    int32_t subtopology;
    int32_t partition;
};

/* What a member tells the group's leader, and the leader everyone, beside tasks (KIP-671). Kafka Streams' numbers. */
enum assignor_error { ASSIGNOR_OK = 0, ASSIGNOR_SHUTDOWN_REQUESTED = 4 };

struct assignor_member {
    uint8_t process_id[PROCESS_ID_BYTES];
    const struct task_name *running; /* by this thread, at the last generation */
    size_t running_count;
    const struct task_name *stored; /* with state on its process's disk */
    size_t stored_count;
    enum assignor_error error;
};

/*
 * `owners[i]` gets the number of the member that runs tasks[i]; `shares` is scratch for one count a member. member_count > 0. The
 * order of members should be that of their ids.
 */
void assignor_assign(const struct assignor_member *members, size_t member_count, const struct task_name *tasks, size_t task_count,
                     size_t *owners, size_t *shares);

#endif
