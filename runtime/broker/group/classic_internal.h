/*
 * What the files of a classic group share.
 *
 *      classic_group.c      state, heartbeat, leave, restore          classic_join.c    JoinGroup
 *      classic_member.c     members and their protocols               classic_sync.c    SyncGroup
 *      classic_rebalance.c  from the first reason to the answers
 */
#ifndef BROKER_GROUP_CLASSIC_INTERNAL_H
#define BROKER_GROUP_CLASSIC_INTERNAL_H

#include "broker/group/classic_group.h"
#include "broker/group/coordinator.h"

/* ---- classic_group.c ------------------------------------------------------------------------------------------------------- */

struct loop *group_loop(const struct classic_group *group);
int64_t deadline_in(struct io_time now, int64_t ms);
void group_move(struct classic_group *group, enum group_state to,
                struct io_time now); /* asserts that the picture has the arrow */

/* The member that speaks, or the error of someone who is not it: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
int16_t group_find_speaker(const struct classic_group *group, mill_bytes member_id, mill_bytes instance_id,
                           struct group_member **member);

/* ---- classic_member.c ------------------------------------------------------------------------------------------------------ */

/* From a JoinGroup; not in the group's maps yet. NULL: no memory. */
struct group_member *classic_member_new(struct classic_group *group, mill_bytes id, const struct call *call);
void classic_member_free(struct group_member *member); /* its calls have been taken, and it is in no map */
void pending_member_free(struct pending_member *pending);

/* Into the maps; the first one becomes leader and decides the protocol type. False: no memory. */
bool group_insert(struct classic_group *group, struct group_member *member, mill_bytes protocol_type);

/* Out of the maps and freed; what it has parked is answered with `error`. */
void group_remove(struct classic_group *group, struct group_member *member, int16_t error, struct io_time now);

struct group_member *group_member_by_id(const struct classic_group *group, mill_bytes id);
struct group_member *group_next_member(const struct classic_group *group, size_t *at); /* start with *at = 0; may be removed */

/* The first member, or the first that has joined, becomes leader. */
void group_choose_leader(struct classic_group *group, bool joined_only);
bool group_member_leads(const struct group_member *member);

bool group_member_set_protocols(struct group_member *member, const struct join_group_request *request); /* false: no memory */
bool group_member_matches(const struct group_member *member, const struct join_group_request *request); /* same protocols */

/* The session starts anew; `group_session_ended` is its timer's. */
void group_member_renew(struct group_member *member, struct io_time now);
void group_session_ended(struct loop_timer *timer, struct io_time now);

/* The parked call, which then is the caller's to answer; NULL: none. */
struct call *group_member_take_join(struct group_member *member);
struct call *group_member_take_sync(struct group_member *member);

/* A member with this request could take part. */
bool group_supports(const struct classic_group *group, const struct join_group_request *request);

/* The protocol that most members would choose among those that all have; null: there is none. */
mill_bytes group_elect_protocol(const struct classic_group *group);

bool join_is_static(const struct join_group_request *request);
int32_t join_rebalance_timeout(const struct join_group_request *request);

/* ---- classic_rebalance.c --------------------------------------------------------------------------------------------------- */

/* Starts one: from Empty, Stable or CompletingRebalance. */
void group_prepare_rebalance(struct classic_group *group, const char *why, struct io_time now);

/* In PreparingRebalance: ends the waiting when everybody has joined. */
void group_try_complete_join(struct classic_group *group, struct io_time now);

/* A member has gone: whatever the state asks for. */
void group_rebalance_without(struct classic_group *group, const char *why, struct io_time now);

void group_timer_fired(struct loop_timer *timer, struct io_time now);

/* Answers of JoinGroup and SyncGroup. `leader` as the answer shall name it. */
void group_member_answer_join(struct group_member *member, struct call *call, mill_bytes leader, bool with_members,
                              bool skip_assignment, struct io_time now);
void group_member_answer_generation(struct group_member *member, struct call *call, struct io_time now);
void group_member_answer_sync(struct group_member *member, struct call *call, struct io_time now);

/* Assignments of this generation are void: parked syncs are answered with `error`. */
void group_fail_syncs(struct classic_group *group, int16_t error, struct io_time now);

#endif
