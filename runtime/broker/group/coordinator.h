/*
 * The group coordinator: owner of all groups, and of `__consumer_offsets`, in which they are written down.
 *
 * A group lives in the partition that its id hashes to (Java's String.hashCode, as every Kafka broker). At start the partitions
 * are read, one after the other, in slices between other work; until a group's partition is read, whoever asks for it is told
 * COORDINATOR_LOAD_IN_PROGRESS, never "no such group" or "no offset". The topic is created when the first group is asked for;
 * its partitions take room on the disk as they are written to.
 *
 * Record formats are Kafka's (wire/group_records.h). What is answered lies below the partition's high watermark; offsets become
 * visible when they do. Old offsets go by KIP-211: those of a group that has been empty, or of a standalone commit that is older,
 * than offsets.retention.minutes; those of deleted topics at once.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_GROUP_COORDINATOR_H
#define BROKER_GROUP_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/hash_map.h"
#include "broker/call.h"
#include "broker/group/classic_group.h"
#include "broker/group/txn_offsets.h"
#include "broker/internal_topic.h"
#include "broker/metadata.h"
#include "broker/partition.h"
#include "broker/topic_loader.h"
#include "broker/turn.h"
#include "record/batch_writer.h"

struct broker;

struct coordinator {
    struct broker *broker;
    struct hash_map groups;      /* classic_group by id */
    struct topic_loader *loader; /* NULL: everything is loaded */
    struct txn_offsets txns;

    struct internal_topic topic;

    struct batch_writer writer;
    struct buffer key;
    struct buffer value;
    bool add_failed;
    struct loop_timer expiry_timer;
};

void coordinator_init(struct coordinator *coordinator, struct broker *broker);

/* After the metadata is there: begins to load. MILL_ENOMEM. */
int coordinator_open(struct coordinator *coordinator, struct io_time now);

/* Answers all that is parked; no group changes from here on. */
void coordinator_close(struct coordinator *coordinator, struct io_time now);
void coordinator_release(struct coordinator *coordinator);

/*
 * Submits an operation on a group to its owner: `run` is called when the group's partition is loaded, `refuse` with the error
 * when it is not. Exactly one of them, at once or later.
 */
typedef void group_operation(struct call *call, struct io_time now);
typedef void group_refusal(struct call *call, int16_t error, struct io_time now);
void coordinator_enter(struct coordinator *coordinator, struct call *call, mill_bytes group_id, group_operation *run,
                       group_refusal *refuse, struct io_time now);

/* The topic exists, or is now being created: `run` or `refuse` follows. */
void coordinator_need_topic(struct coordinator *coordinator, struct call *call, group_operation *run, group_refusal *refuse,
                            struct io_time now);

/* The partition that keeps this group. The topic exists. */
int32_t coordinator_partition(const struct coordinator *coordinator, mill_bytes group_id);

/* NONE when groups of this id can be asked for, else what to answer. */
int16_t coordinator_check(const struct coordinator *coordinator, mill_bytes group_id);

/* NULL: there is none. The second makes it; NULL: no memory. */
struct classic_group *coordinator_group(const struct coordinator *coordinator, mill_bytes id);
struct classic_group *coordinator_make_group(struct coordinator *coordinator, mill_bytes id, struct io_time now);

/* Walks the groups: start with *at = 0; NULL at the end. */
struct classic_group *coordinator_next_group(const struct coordinator *coordinator, size_t *at);

/* Frees a group of which nothing is left but its name (classic_group_is_idle). */
void coordinator_let_go_if_idle(struct coordinator *coordinator, struct classic_group *group);

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

struct group_store {
    void (*done)(void *ctx, int16_t error, struct io_time now); /* an error of group APIs */
    void *ctx;
};

/* Writes the group's record; `store` (copied, may be NULL) is told when it is durable. The group is not freed before. */
void coordinator_store_group(struct coordinator *coordinator, struct classic_group *group, const struct group_store *store,
                             struct io_time now);

/*
 * Records of one partition in one batch: begin, add and remove, then submit. A failed addition fails the submission. What was
 * added stays where it is until coordinator_end_offset, which comes when the store is told: true when the offset counts, unless
 * the write has failed.
 */
void coordinator_begin_offsets(struct coordinator *coordinator);
void coordinator_add_offset(struct coordinator *coordinator, struct classic_group *group, struct pending_offset *pending,
                            struct io_time now);
void coordinator_remove_offset(struct coordinator *coordinator, const struct classic_group *group, mill_bytes topic,
                               int32_t partition, struct io_time now);

bool coordinator_end_offset(struct pending_offset *pending);

/* The batch is `group`'s, which is not freed before it is durable; `store` (copied, may be NULL) is told. */
void coordinator_submit_offsets(struct coordinator *coordinator, struct classic_group *group, const struct group_store *store,
                                struct io_time now);

/*
 * The same, with offsets that count when the producer's transaction commits: INVALID_PRODUCER_EPOCH when a newer one has its id.
 */
void coordinator_submit_txn_offsets(struct coordinator *coordinator, struct classic_group *group, int64_t producer_id,
                                    int16_t producer_epoch, const struct group_store *store, struct io_time now);

/* A transaction's marker has become durable in this partition of the topic. */
void coordinator_txn_ended(struct coordinator *coordinator, int32_t partition, int64_t producer_id, bool committed,
                           struct io_time now);

/* DeleteGroups: tombstones for all of it, then it is gone. `store` as above. */
void coordinator_delete_group(struct coordinator *coordinator, struct classic_group *group, const struct group_store *store,
                              struct io_time now);

/* A topic is gone, and what was committed for it. */
void coordinator_topic_deleted(struct coordinator *coordinator, const char *topic, struct io_time now);

#endif
