/*
 * A rebalance, from its first reason to the answers of the joins.
 */
#include "broker/group/classic_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/group/owned_bytes.h"
#include "broker/internal.h"

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

void refuse_join(struct call *call, int16_t error, struct io_time now)
{
    const struct join_group_request *request = call->request;
    struct join_group_response *response = call->response;
    response->error_code = error;
    response->generation_id = -1;
    response->protocol_name = mill_string("");
    response->leader = mill_string("");
    response->member_id =
        error == KAFKA_UNKNOWN_MEMBER_ID || error == KAFKA_FENCED_INSTANCE_ID ? mill_string("") : request->member_id;
    call_reply(call, now);
}

void refuse_sync(struct call *call, int16_t error, struct io_time now)
{
    struct sync_group_response *response = call->response;
    response->error_code = error;
    response->assignment = mill_string("");
    call_reply(call, now);
}

static void list_members(const struct classic_group *group, struct call *call, struct join_group_response *response)
{
    int32_t count = (int32_t)hash_map_count(&group->members);
    struct join_group_response_member *items = call_array(call, join_group_response_member_array(call->arena, count));
    if (!items)
        return;
    size_t at = 0;
    int32_t i = 0;
    for (const struct group_member *member; (member = group_next_member(group, &at)) != NULL; i++) {
        items[i].member_id = call_copy(call, member->id);
        items[i].group_instance_id = call_copy(call, member->instance_id);
        items[i].metadata = call_copy(call, group_member_metadata(member, group->protocol));
    }
    response->members.items = items;
    response->members.count = count;
}

/* `leader` as the answer shall name it; the leader gets the members. */
void group_member_answer_join(struct group_member *member, struct call *call, mill_bytes leader, bool with_members,
                              bool skip_assignment, struct io_time now)
{
    struct classic_group *group = member->group;
    struct join_group_response *response = call->response;
    response->error_code = KAFKA_NONE;
    response->generation_id = group->generation;
    response->protocol_type = call_copy(call, group->protocol_type);
    response->protocol_name = call_copy(call, mill_is_null(group->protocol) ? mill_string("") : group->protocol);
    response->leader = call_copy(call, mill_is_null(leader) ? mill_string("") : leader);
    response->skip_assignment = skip_assignment;
    response->member_id = call_copy(call, member->id);
    if (with_members)
        list_members(group, call, response);
    call_reply(call, now);
}

void group_member_answer_generation(struct group_member *member, struct call *call, struct io_time now)
{
    group_member_answer_join(member, call, member->group->leader, group_member_leads(member), false, now);
}

void group_member_answer_sync(struct group_member *member, struct call *call, struct io_time now)
{
    struct classic_group *group = member->group;
    struct sync_group_response *response = call->response;
    response->error_code = KAFKA_NONE;
    response->protocol_type = call_copy(call, group->protocol_type);
    response->protocol_name = call_copy(call, group->protocol);
    response->assignment = call_copy(call, member->assignment);
    call_reply(call, now);
}

void group_fail_syncs(struct classic_group *group, int16_t error, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        member->awaits_sync = false;
        /* Empty is never null, and needs no memory to replace what is there. */
        member->assignment.len = 0;
        struct call *call = group_member_take_sync(member);
        if (!call)
            continue;
        group_member_renew(member, now);
        refuse_sync(call, error, now);
    }
}

/* ---- rebalance: from the first reason to the answers of the joins ---------------------------------------------------------- */

static int64_t longest_rebalance_timeout(const struct classic_group *group)
{
    int64_t longest = 0;
    size_t at = 0;
    for (const struct group_member *member; (member = group_next_member(group, &at)) != NULL;)
        if (member->rebalance_timeout_ms > longest)
            longest = member->rebalance_timeout_ms;
    return longest;
}

static int64_t initial_delay_ms(const struct classic_group *group)
{
    return config_int(&group->coordinator->broker->config, "group.initial.rebalance.delay.ms");
}

static void start_initial_delay(struct classic_group *group, int64_t delay, struct io_time now)
{
    int64_t left = longest_rebalance_timeout(group) - delay;
    group->in_initial_delay = true;
    group->joined_in_delay = false;
    group->delay_left_ms = left > 0 ? left : 0;
    loop_timer_set(group_loop(group), &group->timer, deadline_in(now, delay));
}

void group_prepare_rebalance(struct classic_group *group, const char *why, struct io_time now)
{
    bool from_empty = group->state == GROUP_EMPTY;
    trace_info("group", "%s: rebalance after generation %d: %s", group->name, group->generation, why);
    if (group->state == GROUP_COMPLETING_REBALANCE)
        group_fail_syncs(group, KAFKA_REBALANCE_IN_PROGRESS, now);
    group_move(group, GROUP_PREPARING_REBALANCE, now);
    if (from_empty && initial_delay_ms(group) > 0) {
        start_initial_delay(group, initial_delay_ms(group), now);
        return;
    }
    loop_timer_set(group_loop(group), &group->timer, deadline_in(now, longest_rebalance_timeout(group)));
    group_try_complete_join(group, now);
}

static void drop_members_who_did_not_join(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        if (member->joining || !mill_is_null(member->instance_id))
            continue;
        trace_info("group", "%s: member %.*s is dropped: it did not rejoin in time", group->name, (int)member->id.len,
                   (const char *)member->id.data);
        group_remove(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
    }
}

static void await_syncs(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;)
        member->awaits_sync = true;
    loop_timer_set(group_loop(group), &group->timer, deadline_in(now, longest_rebalance_timeout(group)));
}

static void answer_joins(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        member->is_new = false;
        struct call *call = group_member_take_join(member);
        if (!call)
            continue;
        group_member_renew(member, now);
        group_member_answer_generation(member, call, now);
    }
}

static void complete_join(struct classic_group *group, struct io_time now)
{
    loop_timer_cancel(group_loop(group), &group->timer);
    group->in_initial_delay = false;
    drop_members_who_did_not_join(group, now);
    struct group_member *leader = mill_is_null(group->leader) ? NULL : group_member_by_id(group, group->leader);
    if (hash_map_count(&group->members) > 0 && group->joining_count == 0) {
        /* Static members only, all on their way back: they have until their sessions end. */
        loop_timer_set(group_loop(group), &group->timer, deadline_in(now, longest_rebalance_timeout(group)));
        return;
    }
    if (!leader || !leader->joining)
        group_choose_leader(group, true);

    group->generation = group->generation == INT32_MAX ? 1 : group->generation + 1;
    if (hash_map_count(&group->members) == 0) {
        owned_bytes_free(&group->protocol);
        group_move(group, GROUP_EMPTY, now);
        coordinator_store_group(group->coordinator, group, NULL, now);
        return;
    }
    if (!owned_bytes_replace(&group->protocol, group_elect_protocol(group)))
        trace_error("group", "%s: no memory for a rebalance", group->name); /* the old protocol stays, which its members had */
    group_move(group, GROUP_COMPLETING_REBALANCE, now);
    await_syncs(group, now);
    answer_joins(group, now);
}

void group_try_complete_join(struct classic_group *group, struct io_time now)
{
    mill_assert(group->state == GROUP_PREPARING_REBALANCE);
    bool all_joined = (size_t)group->joining_count == hash_map_count(&group->members) && hash_map_count(&group->pending) == 0;
    if (all_joined && !group->in_initial_delay)
        complete_join(group, now);
}

static void join_time_is_over(struct classic_group *group, struct io_time now)
{
    if (group->in_initial_delay && group->joined_in_delay && group->delay_left_ms > 0) {
        int64_t delay = initial_delay_ms(group);
        if (delay > group->delay_left_ms)
            delay = group->delay_left_ms;
        group->delay_left_ms -= delay;
        group->joined_in_delay = false;
        loop_timer_set(group_loop(group), &group->timer, deadline_in(now, delay));
        return;
    }
    complete_join(group, now);
}

static void sync_time_is_over(struct classic_group *group, struct io_time now)
{
    bool removed = false;
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        if (!member->awaits_sync)
            continue;
        trace_info("group", "%s: member %.*s is dropped: it sent no SyncGroup in time", group->name, (int)member->id.len,
                   (const char *)member->id.data);
        group_remove(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
        removed = true;
    }
    if (removed)
        group_prepare_rebalance(group, "members sent no SyncGroup", now);
}

void group_timer_fired(struct loop_timer *timer, struct io_time now)
{
    struct classic_group *group = timer->ctx;
    if (group->state == GROUP_PREPARING_REBALANCE)
        join_time_is_over(group, now);
    else if (group->state == GROUP_COMPLETING_REBALANCE || group->state == GROUP_STABLE)
        sync_time_is_over(group, now);
}

void group_rebalance_without(struct classic_group *group, const char *why, struct io_time now)
{
    switch (group->state) {
    case GROUP_STABLE:
    case GROUP_COMPLETING_REBALANCE:
        group_prepare_rebalance(group, why, now);
        break;
    case GROUP_PREPARING_REBALANCE:
        group_try_complete_join(group, now);
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        break;
    }
}
