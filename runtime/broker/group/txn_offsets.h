/*
 * Offsets that transactions have written for groups, until their markers come (KIP-98, KIP-447).
 *
 * They are in the log, but count only when the marker in the group's partition says commit; until then a reader that requires
 * stable offsets is told UNSTABLE_OFFSET_COMMIT. Of several commits of the same partition the one that comes last in the log
 * wins, as it does in compaction: the order of the markers has no say.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_GROUP_TXN_OFFSETS_H
#define BROKER_GROUP_TXN_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "broker/group/offsets.h"
#include "io/io.h"

struct coordinator;
struct classic_group;

/* All of them. */
struct txn_offsets {
    struct coordinator *coordinator;
    struct list open; /* struct group_txn, in the order of their first offsets */
    int64_t order;    /* of the last one that was put */
    struct loop_timer retry;
};

/* Of one transaction for one group. */
struct group_txn {
    struct classic_group *group;
    int64_t producer_id;
    bool committed; /* the marker has come, and there was no memory: tried again */
    struct group_offsets offsets;
    struct list link; /* of txn_offsets */
};

void txn_offsets_init(struct txn_offsets *txns, struct coordinator *coordinator);
void txn_offsets_release(struct txn_offsets *txns);

/* An offset of no transaction: it counts at once. Copies. 0 or MILL_ENOMEM. Called, as the next, in the order of the log. */
int txn_offsets_put_plain(struct txn_offsets *txns, struct classic_group *group, mill_bytes topic,
                          const struct committed_offset *committed);

/* One of a transaction. Copies. 0 or MILL_ENOMEM. */
int txn_offsets_put(struct txn_offsets *txns, struct classic_group *group, int64_t producer_id, mill_bytes topic,
                    const struct committed_offset *committed);

/* A marker lies in this partition of the topic: the producer's offsets of groups there count, or are forgotten. */
void txn_offsets_end(struct txn_offsets *txns, int32_t partition, int64_t producer_id, bool committed, struct io_time now);

/* A tombstone came after what transactions have written. */
void txn_offsets_supersede(struct txn_offsets *txns, const struct classic_group *group, mill_bytes topic, int32_t partition);

/* Will a marker perhaps change what this group has committed there? */
bool txn_offsets_pend(const struct txn_offsets *txns, const struct classic_group *group, mill_bytes topic, int32_t partition);

/* Has any transaction written offsets of this group? Then the group is not forgotten. */
bool txn_offsets_has_group(const struct txn_offsets *txns, const struct classic_group *group);

/* The group is deleted, or freed. */
void txn_offsets_drop_group(struct txn_offsets *txns, const struct classic_group *group);

#endif
