/*
 * Which of a task's partitions gives the next record: the one whose head has the lowest event time.
 *
 * A binary heap, with the sift rules of java.util.PriorityQueue: among equal times the heap's order decides, and Kafka Streams'
 * results depend on it. A task with one partition never looks here.
 *
 * Thread: the task's.
 */
#ifndef TASK_PARTITION_GROUP_H
#define TASK_PARTITION_GROUP_H

#include <stddef.h>
#include <stdint.h>

struct partition_entry {
    int64_t time_ms; /* of the partition's head record */
    size_t partition;
};

/* `entries` is the caller's, with room for every partition. */
struct partition_group {
    struct partition_entry *entries;
    size_t count;
};

void partition_group_offer(struct partition_group *group, size_t partition, int64_t time_ms);

/* The partition with the lowest time; count > 0. */
size_t partition_group_poll(struct partition_group *group);

#endif
