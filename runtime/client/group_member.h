/*
 * Membership in a classic consumer group: joining, heartbeats, rebalances, and the group's committed offsets.
 *
 * What is distributed is the user's affair: protocol names, the metadata that each member sends and the assignment bytes are
 * opaque here, and so is whether partitions are kept through a rebalance (cooperative) or given up before it (eager).
 *
 *     IDLE --start--> PREPARING --join--> JOINING --leader--> ASSIGNING --assign--> SYNCING --> STABLE
 *                       ^   ^                +-----------follower--------------------^           |
 *                       |   +--- a rebalance is on, rejoin asked, the membership was lost -------+   (from the states between,
 *                       too)
 *                       |
 *     any --leave--> LEAVING --> IDLE                       any --no repetition mends it--> FAILED, events.failed
 *
 * Heartbeats go out while the member prepares or assigns, so slowness there does not cost the membership; while JoinGroup or
 * SyncGroup is out the broker counts the member as alive. Only the coordinator ends a membership: when it cannot be reached the
 * member keeps what it has and goes on trying.
 *
 * INCONSISTENT_GROUP_PROTOCOL (members of another program, or of a stopped one, still hold the group) is retried until one
 * session time-out has passed in which they could have expired, after telling so (`held`); then it fails.
 *
 * Committed offsets work for members and, with no membership (IDLE), for a group that has no members.
 *
 * Thread: that of the client's loop. Callbacks may call the member, but not group_member_free.
 */
#ifndef CLIENT_GROUP_MEMBER_H
#define CLIENT_GROUP_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "client/client.h"
#include "client/options.h"

struct group_member;

enum group_member_state {
    GROUP_MEMBER_IDLE,
    GROUP_MEMBER_PREPARING, /* waiting for group_member_join */
    GROUP_MEMBER_JOINING,   /* JoinGroup is out, or waits for a retry */
    GROUP_MEMBER_ASSIGNING, /* leader: waiting for group_member_assign */
    GROUP_MEMBER_SYNCING,
    GROUP_MEMBER_STABLE,
    GROUP_MEMBER_LEAVING,
    GROUP_MEMBER_FAILED,
};

/* A member as its leader sees it; valid until group_member_assign returns or the next event. */
struct group_peer {
    mill_bytes member_id;
    mill_bytes group_instance_id; /* null: dynamic */
    mill_bytes metadata;          /* what its `subscribe` wrote for the chosen protocol */
};

/*
 * The assignor's side. `subscribe` and `assigned` are required, `assign` is in any member that can become leader.
 */
struct group_member_events {
    /*
     * A join is due. Commit what a rebalance could take away, close it if the protocol is eager, then call group_member_join, at
     * once or later (within rebalance_timeout_ms). NULL: joins at once.
     */
    void (*prepare)(void *ctx, struct io_time now);
    /* Appends this member's metadata for a protocol, at every join. 0, or an error which fails the member. */
    int (*subscribe)(void *ctx, const char *protocol, struct buffer *metadata);
    /*
     * This member leads. Works out an assignment for every peer, then calls group_member_assign, at once or later. When the state
     * is no longer ASSIGNING by then (another rebalance came first), that call does nothing.
     */
    void (*assign)(void *ctx, const char *protocol, const struct group_peer *peers, size_t count, struct io_time now);
    /* This member's share of a new generation; bytes valid for the call, empty when it gets nothing. */
    void (*assigned)(void *ctx, const char *protocol, mill_bytes assignment, struct io_time now);
    /*
     * Membership is gone (expired, or the coordinator forgot it): others own what was assigned, nothing of it can be committed.
     * `prepare` for joining as a new member follows.
     */
    void (*lost)(void *ctx, struct io_time now);
    /* For good. MILL_EFENCED: another process has this group.instance.id. */
    void (*failed)(void *ctx, int code, const char *text, struct io_time now);
    /*
     * Others hold the group with protocols that this member does not have, so it stays outside and tries again for `wait_ms` at
     * most. Once each time that it happens. NULL: a trace tells.
     */
    void (*held)(void *ctx, int64_t wait_ms, struct io_time now);
};

/*
 * `protocol_type` is "consumer" for consumers and Kafka Streams: then metadata must be Kafka's ConsumerProtocolSubscription,
 * because brokers read it (Kafka 4.3 never completes a join with anything else); any other type is opaque to them. `protocols`
 * are names in order of preference, ended by NULL. Both and `events` are static; `options` is copied but not its strings, which
 * outlive the member. NULL: no memory.
 */
struct group_member *group_member_new(struct client *client, const struct group_options *options, const char *protocol_type,
                                      const char *const *protocols, const struct group_member_events *events, void *ctx);
void group_member_free(struct group_member *member); /* without leaving: see group_member_leave */

void group_member_start(struct group_member *member); /* from IDLE: join the group */
void group_member_join(struct group_member *member);  /* in PREPARING: go on */

/*
 * The leader's answer: assignments[i] is for peers[i] of `assign`. Copied. 0, or MILL_ENOMEM (the member joins again by itself).
 */
int group_member_assign(struct group_member *member, const mill_bytes *assignments, size_t count);

/*
 * Joins again (changed metadata, a task lost); `reason` is static and told to the broker. The broker starts a rebalance when the
 * metadata differs or the leader asks; else it repeats the old assignment.
 */
void group_member_rejoin(struct group_member *member, const char *reason);

/*
 * Leaves and calls back when the coordinator has answered, or cannot be reached, or at once when there is no membership. A static
 * member stays in the group unless `static_too`: its successor takes over.
 */
void group_member_leave(struct group_member *member, bool static_too, void (*left)(void *ctx), void *ctx);

enum group_member_state group_member_state(const struct group_member *member);
const char *group_member_state_name(enum group_member_state state); /* static */
const char *group_member_id(const struct group_member *member);     /* "" without membership; valid until it changes */
int32_t group_member_generation(const struct group_member *member); /* -1 without membership */
bool group_member_is_leader(const struct group_member *member);

/* ---- committed offsets ----------------------------------------------------------------------------------------------------- */

struct group_offset {
    struct client_topic *topic;
    int32_t partition;
    int64_t offset;       /* next to read; in a fetch's answer -1: none is committed */
    int32_t leader_epoch; /* of the last record read; -1 unknown */
    mill_bytes metadata;  /* any string of at most 4,096 bytes; null counts as empty */
    int code;             /* of an answer: 0 or MILL_E* for this partition */
};

/* `offsets` is valid for the call and in the order of the request. `code` is 0 when all partitions succeeded. */
typedef void group_offsets_cb(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count,
                              struct io_time now);

/*
 * Commits for this generation. Copies `offsets` with their metadata. Retried within default_api_timeout_ms while the coordinator
 * moves. MILL_EAGAIN: a rebalance is going on, commit again when `assigned` comes; MILL_EFENCED: the membership is gone (`lost`
 * follows); MILL_ETIMEOUT and others: see text. Returns 0, or MILL_ENOMEM and then there is no call. Commits are answered in
 * order.
 */
int group_member_commit(struct group_member *member, const struct group_offset *offsets, size_t count, group_offsets_cb *done,
                        void *ctx);

/* Who speaks for a transaction; the string outlives what it is given to. */
struct producer_identity {
    const char *transactional_id;
    int64_t producer_id;
    int16_t producer_epoch;
    bool joins_by_itself; /* transaction version 2 (KIP-890): the commit adds the group to the transaction */
};

/*
 * The same as part of a transaction, whose producer has added the group to it before (producer_add_group): the offsets count when
 * the transaction commits. The group's generation fences who has lost its partitions (KIP-447). MILL_EFENCED may also mean the
 * producer; then the membership stays.
 */
int group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                       const struct group_offset *offsets, size_t count, group_offsets_cb *done, void *ctx);

/*
 * Fetches committed offsets of `topic` and `partition` in offsets. With `require_stable`, offsets of open transactions are waited
 * for (retried) rather than passed over. Errors as above.
 */
int group_member_committed(struct group_member *member, const struct group_offset *offsets, size_t count, bool require_stable,
                           group_offsets_cb *done, void *ctx);

/* Commits and fetches that are not answered yet: no callback any more. */
void group_member_cancel_offsets(struct group_member *member);

#endif
