/*
 * A classic consumer group: its members, its generations, its committed offsets.
 *
 *                     first join                       all have joined, or the time is over
 *      +-------+  ------------------>  +--------------------+  ----------------->  +---------------------+
 *      | Empty |                       | PreparingRebalance |                      | CompletingRebalance |
 *      +-------+  <------------------  +--------------------+  <-----------------  +---------------------+
 *          ^        nobody is left        ^             join, leave, failure              |
 *          |                              |                                               | the leader's assignment
 *          |                              |  join, leave, session ends                    v is on disk
 *          |                              +-----------------------------------------  +--------+
 *          |                                                                          | Stable |
 *          +--- (via PreparingRebalance) ---------------------------------------------+--------+
 *      any state -> Dead: the group is deleted
 *
 * In PreparingRebalance each JoinGroup is parked until every member has sent one, or the longest rebalance time-out of them is
 * over: who has not come back is dropped (a static member stays until its session ends). The leader gets everybody's metadata and
 * answers with SyncGroup; the others' SyncGroups are parked until its assignment is written to `__consumer_offsets`.
 *
 * Timers: each member's session (renewed by whatever it sends; it does not run out while a call of the member is parked), the
 * group's join or sync deadline, the initial delay of an empty group, and a pending member's time to come back with its new id.
 *
 * Names, errors and order of checks are Apache Kafka's (KIP-62, KIP-134, KIP-345, KIP-394, KIP-814).
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_GROUP_CLASSIC_GROUP_H
#define BROKER_GROUP_CLASSIC_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_map.h"
#include "broker/call.h"
#include "broker/group/offsets.h"
#include "io/io.h"
#include "wire/api/join_group.h"
#include "wire/api/sync_group.h"
#include "wire/group_records.h"

struct coordinator;

enum group_state { GROUP_EMPTY, GROUP_PREPARING_REBALANCE, GROUP_COMPLETING_REBALANCE, GROUP_STABLE, GROUP_DEAD };

/* A member that has never completed a join may wait this long: clients before JoinGroup v4 could not tell us that they died. */
enum { NEW_MEMBER_TIMEOUT_MS = 5 * 60 * 1000 };

struct member_protocol {
    mill_bytes name;
    mill_bytes metadata;
};

struct group_member {
    struct classic_group *group;
    mill_bytes id;          /* these and the assignment are owned */
    mill_bytes instance_id; /* null: a dynamic member */
    mill_bytes client_id;
    mill_bytes client_host;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct member_protocol *protocols; /* in the member's order of preference */
    int32_t protocol_count;
    mill_bytes assignment;
    bool is_new;          /* has not completed a join yet */
    bool awaits_sync;     /* has to send SyncGroup in this generation */
    struct call *joining; /* parked, or NULL */
    struct call *syncing;
    struct loop_timer session;
};

/* Was told its id (MEMBER_ID_REQUIRED) and is expected back with it. */
struct pending_member {
    struct classic_group *group;
    mill_bytes id;
    struct loop_timer timer;
};

struct classic_group {
    struct coordinator *coordinator;
    mill_bytes id;     /* any bytes that a peer chose; lie in `name` */
    char *name;        /* for traces: with a NUL behind */
    int32_t partition; /* of __consumer_offsets */
    enum group_state state;
    int32_t generation;
    mill_bytes protocol_type; /* owned, as are the next two; null in a group that never had members */
    mill_bytes protocol;      /* chosen at the last rebalance */
    mill_bytes leader;        /* member id; null: none */
    int64_t state_since_ms;

    struct hash_map members;   /* group_member by id, in the order of joining */
    struct hash_map instances; /* the same by group.instance.id */
    struct hash_map pending;   /* pending_member by id */
    int32_t joining_count;

    struct loop_timer timer; /* the join deadline or the sync deadline, by state */
    bool in_initial_delay;
    bool joined_in_delay;
    int64_t delay_left_ms;

    struct group_offsets offsets;
    struct list pending_offsets; /* struct pending_offset, as they lie in the log */
    int32_t writes;              /* of this group to the log that are not back: it is not freed meanwhile */
};

/* NULL: no memory. */
struct classic_group *classic_group_new(struct coordinator *coordinator, mill_bytes id, int32_t partition, struct io_time now);

/* Parked calls must be gone. */
void classic_group_free(struct classic_group *group);

const char *group_state_name(enum group_state state);

/* ---- what members send; the calls are of a loaded coordinator -------------------------------------------------------------- */

/* Answers the call, now or at the end of the rebalance. */
void classic_group_join(struct classic_group *group, struct call *call, struct io_time now);
void classic_group_sync(struct classic_group *group, struct call *call, struct io_time now);

/* These answer at once with enum kafka_error. `instance_id` may be null. */
int16_t classic_group_heartbeat(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, int32_t generation,
                                struct io_time now);
int16_t classic_group_leave(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, struct io_time now);

/*
 * May this member, or with generation -1 someone outside an empty group, commit offsets? In a transaction someone who names no
 * member may always: clients before TxnOffsetCommit 3 cannot (KIP-447). Renews the session.
 */
int16_t classic_group_check_commit(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, int32_t generation,
                                   bool transactional, struct io_time now);

/* The refusal of a join in Kafka's form: every other field as Kafka leaves it. */
void refuse_join(struct call *call, int16_t error, struct io_time now);
void refuse_sync(struct call *call, int16_t error, struct io_time now);

/* ---- for the coordinator --------------------------------------------------------------------------------------------------- */

/* Restores a group from its record: members' sessions start now; in-process members are gone, and the others rebalance. */
int classic_group_restore(struct classic_group *group, const struct group_metadata_value *value, struct io_time now);
void classic_group_resume(struct classic_group *group, struct io_time now);

/* Fills a record to be written; what it points to is the group's or in `arena`. False: no memory. */
bool classic_group_record(struct classic_group *group, struct arena *arena, struct group_metadata_value *value);

/* The group is deleted or the broker closes: parked calls are answered with `error`, timers stop, the state is Dead. */
void classic_group_end(struct classic_group *group, int16_t error, struct io_time now);

/* Nobody is in it or about to be, and nothing is committed: it need not exist. */
bool classic_group_is_idle(const struct classic_group *group);

/* The metadata of `member` under `protocol`; empty when it does not have that protocol. */
mill_bytes group_member_metadata(const struct group_member *member, mill_bytes protocol);

#endif
