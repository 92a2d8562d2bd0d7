/*
 * What stream threads tell each other through the group: a consumer's subscription and assignment (ConsumerProtocol), so that
 * every lag tool can read who has which partition, with the tasks as user data.
 *
 * User data, ours, big-endian, as both a subscription and an assignment carry it:
 *
 *     "MILL" | u8 version 1 | process id, 16 bytes | u32 n, n x (i32 sub-topology, i32 partition) running | u32 n, n x ... stored
 *            | u32 error, an assignor_error; not there in those of earlier versions of this program, which pass over it
 *
 * Thread: any.
 */
#ifndef WORKER_SUBSCRIPTION_H
#define WORKER_SUBSCRIPTION_H

#include "base/arena.h"
#include "base/buffer.h"
#include "worker/assignor.h"

/* One partition of an assignment, for those who read ConsumerProtocol. */
struct assigned_partition {
    const char *topic;
    int32_t partition;
};

struct assigned_partitions {
    const struct assigned_partition *at;
    size_t count;
};

/* Append to `out`; 0, or MILL_ENOMEM. `topics` are the names on the broker. */
int subscription_encode(struct buffer *out, const char *const *topics, size_t topic_count, const struct assignor_member *member);
int assignment_encode(struct buffer *out, const struct assigned_partition *partitions, size_t partition_count,
                      const struct assignor_member *tasks);

/*
 * Views and arrays into `bytes` and `arena`. MILL_ECORRUPT: not ours (a Java member, another version); MILL_ENOMEM.
 * `partitions` may be NULL.
 */
int subscription_decode(mill_bytes bytes, struct arena *arena, struct assignor_member *member);
int assignment_decode(mill_bytes bytes, struct arena *arena, struct assignor_member *tasks,
                      struct assigned_partitions *partitions);

#endif
