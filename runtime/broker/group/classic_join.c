/*
 * JoinGroup: new members, pending ones, those that come again, and static ones that come back (KIP-345, KIP-394, KIP-814).
 */
#include "broker/group/classic_internal.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/group/owned_bytes.h"
#include "broker/internal.h"

/* ---- join ------------------------------------------------------------------------------------------------------------------ */

static void park_join(struct group_member *member, struct call *call)
{
    mill_assert(!member->joining);
    member->joining = call;
    member->group->joining_count++;
}

static void add_member(struct classic_group *group, mill_bytes id, struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    struct group_member *member = classic_member_new(group, id, call);
    if (!member || !group_insert(group, member, request->protocol_type)) {
        if (member)
            classic_member_free(member);
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    group->joined_in_delay = true;
    group_member_renew(member, now);
    park_join(member, call);
    if (group->state == GROUP_PREPARING_REBALANCE)
        group_try_complete_join(group, now);
    else
        group_prepare_rebalance(group, "a member joins", now);
}

static void rejoin(struct group_member *member, struct call *call, const char *why, struct io_time now)
{
    struct classic_group *group = member->group;
    const struct join_group_request *request = call->request;
    struct call *earlier = group_member_take_join(member);
    if (!group_member_set_protocols(member, request)) {
        if (earlier)
            refuse_join(earlier, KAFKA_UNKNOWN_MEMBER_ID, now);
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    member->rebalance_timeout_ms = join_rebalance_timeout(request);
    member->session_timeout_ms = request->session_timeout_ms;
    group_member_renew(member, now);
    park_join(member, call);
    if (earlier) /* the same member asked again on another connection: the older one would never be read */
        refuse_join(earlier, KAFKA_REBALANCE_IN_PROGRESS, now);
    if (group->state == GROUP_PREPARING_REBALANCE)
        group_try_complete_join(group, now);
    else
        group_prepare_rebalance(group, why, now);
}

static bool make_member_id(struct classic_group *group, const struct call *call, char id[], size_t size)
{
    const struct join_group_request *request = call->request;
    mill_bytes prefix = join_is_static(request) ? request->group_instance_id : call->client_id;
    uint8_t r[16];
    if (loop_random(group_loop(group), r, sizeof r) != 0)
        return false;
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
    snprintf(id, size, "%.*s-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", (int)prefix.len,
             prefix.data ? (const char *)prefix.data : "", r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10],
             r[11], r[12], r[13], r[14], r[15]);
    return true;
}

static void pending_time_is_over(struct loop_timer *timer, struct io_time now)
{
    struct pending_member *pending = timer->ctx;
    struct classic_group *group = pending->group;
    hash_map_remove(&group->pending, pending->id);
    pending_member_free(pending);
    if (group->state == GROUP_PREPARING_REBALANCE)
        group_try_complete_join(group, now);
    coordinator_let_go_if_idle(group->coordinator, group);
}

static void ask_back_with_id(struct classic_group *group, mill_bytes id, struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    struct join_group_response *response = call->response;
    struct pending_member *pending = mem_calloc(1, sizeof *pending);
    if (!pending || !owned_bytes_copy(&pending->id, id) || hash_map_put(&group->pending, id, pending, NULL) != 0) {
        if (pending)
            owned_bytes_free(&pending->id);
        mem_free(pending);
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    pending->group = group;
    pending->timer = (struct loop_timer){ .fire = pending_time_is_over, .ctx = pending };
    loop_timer_set(group_loop(group), &pending->timer, deadline_in(now, request->session_timeout_ms));
    response->error_code = KAFKA_MEMBER_ID_REQUIRED;
    response->protocol_name = mill_string("");
    response->leader = mill_string("");
    response->member_id = call_copy(call, id);
    call_reply(call, now);
}

/* The member's place in the maps under its new id; the old one is fenced. False: no memory, nothing has changed. */
static bool rename_member(struct classic_group *group, struct group_member *member, mill_bytes id)
{
    mill_bytes new_id, leader = mill_null();
    bool leads = group_member_leads(member);
    if (!owned_bytes_copy(&new_id, id))
        return false;
    if ((leads && !owned_bytes_copy(&leader, id)) || hash_map_put(&group->members, new_id, member, NULL) != 0) {
        owned_bytes_free(&leader);
        owned_bytes_free(&new_id);
        return false;
    }
    hash_map_remove(&group->members, member->id);
    owned_bytes_free(&member->id);
    member->id = new_id;
    if (leads) {
        owned_bytes_free(&group->leader);
        group->leader = leader;
    }
    return true;
}

struct swap_reply {
    struct call *call;
    struct classic_group *group;
    mill_bytes member_id; /* in the call's arena, as is the next */
    mill_bytes old_leader;
    int32_t generation;
};

static void swap_is_stored(void *ctx, int16_t error, struct io_time now)
{
    struct swap_reply *reply = ctx;
    struct group_member *member = group_member_by_id(reply->group, reply->member_id);
    if (error != KAFKA_NONE || !member || reply->generation != reply->group->generation) {
        refuse_join(reply->call, error != KAFKA_NONE ? error : KAFKA_UNKNOWN_MEMBER_ID, now);
        return;
    }
    /* From v9 on a returning leader can be told to skip the assignment; before, it must not learn that it leads (KIP-814). */
    bool leads = group_member_leads(member);
    if (leads && reply->call->version >= 9)
        group_member_answer_join(member, reply->call, reply->group->leader, true, true, now);
    else
        group_member_answer_join(member, reply->call, reply->old_leader, false, false, now);
}

static void answer_swapped(struct classic_group *group, struct group_member *member, struct call *call, mill_bytes old_leader,
                           struct io_time now)
{
    struct swap_reply *reply = arena_alloc(call->arena, sizeof *reply);
    if (!reply) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *reply = (struct swap_reply){ .call = call,
                                  .group = group,
                                  .member_id = call_copy(call, member->id),
                                  .old_leader = old_leader,
                                  .generation = group->generation };
    group_member_renew(member, now);
    coordinator_store_group(group->coordinator, group, &(struct group_store){ swap_is_stored, reply }, now);
}

/* A static member is back without its member id: it takes its old place, and whoever still uses the old id is fenced. */
static void return_static_member(struct classic_group *group, struct group_member *member, mill_bytes id, struct call *call,
                                 struct io_time now)
{
    const struct join_group_request *request = call->request;
    mill_bytes old_leader = call_copy(call, mill_is_null(group->leader) ? mill_string("") : group->leader);
    struct call *join = group_member_take_join(member);
    struct call *sync = group_member_take_sync(member);
    bool renamed = rename_member(group, member, id) && group_member_set_protocols(member, request);
    if (join)
        refuse_join(join, KAFKA_FENCED_INSTANCE_ID, now);
    if (sync)
        refuse_sync(sync, KAFKA_FENCED_INSTANCE_ID, now);
    if (!renamed) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    member->rebalance_timeout_ms = join_rebalance_timeout(request);
    member->session_timeout_ms = request->session_timeout_ms;
    switch (group->state) {
    case GROUP_STABLE:
        if (mill_bytes_equal(group_elect_protocol(group), group->protocol)) {
            answer_swapped(group, member, call, old_leader, now);
            return;
        }
        break;
    case GROUP_COMPLETING_REBALANCE:
    case GROUP_PREPARING_REBALANCE:
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        refuse_join(call, KAFKA_UNKNOWN_MEMBER_ID, now);
        return;
    }
    group_member_renew(member, now);
    park_join(member, call);
    if (group->state == GROUP_PREPARING_REBALANCE)
        group_try_complete_join(group, now);
    else
        group_prepare_rebalance(group, "a static member is back", now);
}

static bool group_is_full(const struct classic_group *group)
{
    int64_t max = config_int(&group->coordinator->broker->config, "group.max.size");
    return (int64_t)(hash_map_count(&group->members) + hash_map_count(&group->pending)) >= max;
}

static void join_as_unknown(struct classic_group *group, struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    char text[600];
    if (!group_supports(group, request)) {
        refuse_join(call, KAFKA_INCONSISTENT_GROUP_PROTOCOL, now);
        return;
    }
    if (call->client_id.len > 512 || request->group_instance_id.len > 512) {
        refuse_join(call, KAFKA_INVALID_REQUEST, now);
        return;
    }
    if (!make_member_id(group, call, text, sizeof text)) {
        refuse_join(call, KAFKA_UNKNOWN_SERVER_ERROR, now);
        return;
    }
    mill_bytes id = mill_string(text);
    struct group_member *known = join_is_static(request) ? hash_map_get(&group->instances, request->group_instance_id) : NULL;
    if (known)
        return_static_member(group, known, id, call, now);
    else if (group_is_full(group))
        refuse_join(call, KAFKA_GROUP_MAX_SIZE_REACHED, now);
    else if (join_is_static(request) || call->version < 4)
        add_member(group, id, call, now);
    else
        ask_back_with_id(group, id, call, now);
}

static void join_with_pending_id(struct classic_group *group, struct pending_member *pending, struct call *call,
                                 struct io_time now)
{
    const struct join_group_request *request = call->request;
    if (!group_supports(group, request)) {
        refuse_join(call, KAFKA_INCONSISTENT_GROUP_PROTOCOL, now);
        return;
    }
    hash_map_remove(&group->pending, request->member_id);
    pending_member_free(pending);
    add_member(group, request->member_id, call, now);
}

static void join_as_known(struct classic_group *group, struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    struct pending_member *pending = hash_map_get(&group->pending, request->member_id);
    if (pending && !join_is_static(request)) {
        join_with_pending_id(group, pending, call, now);
        return;
    }
    struct group_member *member;
    int16_t error = group_find_speaker(group, request->member_id, request->group_instance_id, &member);
    if (error == KAFKA_NONE && !group_supports(group, request))
        error = KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (error != KAFKA_NONE) {
        refuse_join(call, error, now);
        return;
    }
    bool same = group_member_matches(member, request);
    switch (group->state) {
    case GROUP_PREPARING_REBALANCE:
        rejoin(member, call, "", now);
        break;
    case GROUP_COMPLETING_REBALANCE:
        /* With the same metadata it has only missed the answer to its first join. */
        if (same)
            group_member_answer_generation(member, call, now);
        else
            rejoin(member, call, "a member's metadata has changed", now);
        break;
    case GROUP_STABLE:
        if (group_member_leads(member))
            rejoin(member, call, "the leader joins again", now);
        else if (!same)
            rejoin(member, call, "a member's metadata has changed", now);
        else
            group_member_answer_generation(member, call, now);
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        refuse_join(call, KAFKA_UNKNOWN_MEMBER_ID, now);
        break;
    }
}

void classic_group_join(struct classic_group *group, struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    if (group->state == GROUP_DEAD)
        refuse_join(call, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
    else if (request->member_id.len == 0)
        join_as_unknown(group, call, now);
    else
        join_as_known(group, call, now);
    coordinator_let_go_if_idle(group->coordinator, group);
}
