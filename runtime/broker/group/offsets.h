/*
 * The committed offsets of one group: per topic a sorted run of partitions.
 *
 * Owns what it stores. Thread: the broker's loop.
 */
#ifndef BROKER_GROUP_OFFSETS_H
#define BROKER_GROUP_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_map.h"
#include "base/list.h"
#include "millstream/bytes.h"

struct committed_offset {
    int32_t partition;
    int32_t leader_epoch; /* -1: the committer did not say */
    int64_t offset;
    int64_t commit_ms;
    int64_t order;       /* txn_offsets.h's: rises with the places of the records in the log */
    mill_bytes metadata; /* owned; never null */
};

struct offset_topic {
    mill_bytes name;                     /* owned */
    struct committed_offset *partitions; /* by partition, rising */
    size_t count;
    size_t capacity;
};

/* A commit that is in the log and not durable yet; its writer's. Whatever deletes what the group has committed deletes it too. */
struct pending_offset {
    struct list link; /* of its group */
    mill_bytes topic;
    struct committed_offset committed;
    bool removed; /* a tombstone lies behind it in the log: it will not count */
};

struct group_offsets {
    struct hash_map topics; /* offset_topic by name; none is empty */
};

void group_offsets_init(struct group_offsets *offsets);
void group_offsets_release(struct group_offsets *offsets);
bool group_offsets_is_empty(const struct group_offsets *offsets);

/* NULL: nothing was committed. Valid until the next change. */
const struct committed_offset *group_offsets_get(const struct group_offsets *offsets, mill_bytes topic, int32_t partition);

/* The same, to be changed in place. */
struct committed_offset *group_offsets_find(struct group_offsets *offsets, mill_bytes topic, int32_t partition);

/* Copies name and metadata. 0, or MILL_ENOMEM, which changes nothing. */
int group_offsets_put(struct group_offsets *offsets, mill_bytes topic, const struct committed_offset *committed);

void group_offsets_remove(struct group_offsets *offsets, mill_bytes topic, int32_t partition);

/* Walks the topics: start with *at = 0; NULL at the end. Removing while walking is allowed. */
const struct offset_topic *group_offsets_next(const struct group_offsets *offsets, size_t *at);

#endif
