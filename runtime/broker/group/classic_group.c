#include "broker/group/classic_group.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/group/coordinator.h"
#include "broker/group/owned_bytes.h"
#include "broker/internal.h"

static void try_complete_join(struct classic_group *group, struct io_time now);
static void prepare_rebalance(struct classic_group *group, const char *why, struct io_time now);
static void group_timer_fired(struct loop_timer *timer, struct io_time now);
static void session_ended(struct loop_timer *timer, struct io_time now);

static struct loop *loop_of(const struct classic_group *group)
{
    return group->coordinator->broker->loop;
}

static int64_t in_ms(struct io_time now, int64_t ms)
{
    return now.monotonic_us + ms * 1000;
}

/* ---- state --------------------------------------------------------------------------------------------------------------------- */

const char *group_state_name(enum group_state state)
{
    static const char *const names[] = { "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead" };
    return names[state];
}

static bool move_is_legal(enum group_state from, enum group_state to)
{
    static const uint8_t from_states[] = {
        [GROUP_EMPTY] = 1 << GROUP_PREPARING_REBALANCE,
        [GROUP_PREPARING_REBALANCE] = 1 << GROUP_EMPTY | 1 << GROUP_COMPLETING_REBALANCE | 1 << GROUP_STABLE,
        [GROUP_COMPLETING_REBALANCE] = 1 << GROUP_PREPARING_REBALANCE,
        [GROUP_STABLE] = 1 << GROUP_COMPLETING_REBALANCE,
        [GROUP_DEAD] = 1 << GROUP_EMPTY | 1 << GROUP_PREPARING_REBALANCE | 1 << GROUP_COMPLETING_REBALANCE | 1 << GROUP_STABLE,
    };
    return (from_states[to] & 1 << from) != 0;
}

static void group_move(struct classic_group *group, enum group_state to, struct io_time now)
{
    mill_assert(move_is_legal(group->state, to));
    trace_debug("group", "%s: %s -> %s, generation %d, %zu members", group->id, group_state_name(group->state),
                group_state_name(to), group->generation, hash_map_count(&group->members));
    group->state = to;
    group->state_since_ms = now.wall_ms;
}

struct classic_group *classic_group_new(struct coordinator *coordinator, mill_bytes id, int32_t partition, struct io_time now)
{
    struct classic_group *group = mem_calloc(1, sizeof *group);
    char *name = mem_calloc(1, id.len + 1);
    if (!group || !name) {
        mem_free(group);
        mem_free(name);
        return NULL;
    }
    if (id.len > 0)
        memcpy(name, id.data, id.len);
    group->coordinator = coordinator;
    group->id = name;
    group->partition = partition;
    group->state_since_ms = now.wall_ms;
    group->timer = (struct loop_timer){ .fire = group_timer_fired, .ctx = group };
    hash_map_init(&group->members);
    hash_map_init(&group->instances);
    hash_map_init(&group->pending);
    group_offsets_init(&group->offsets);
    return group;
}

/* ---- members ------------------------------------------------------------------------------------------------------------------- */

static struct group_member *member_by_id(const struct classic_group *group, mill_bytes id)
{
    return hash_map_get(&group->members, id);
}

static struct group_member *next_member(const struct classic_group *group, size_t *at)
{
    const struct hash_map_entry *entry = hash_map_next(&group->members, at);
    return entry ? entry->value : NULL;
}

static void free_protocols(struct member_protocol *protocols, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        owned_bytes_free(&protocols[i].name);
        owned_bytes_free(&protocols[i].metadata);
    }
    mem_free(protocols);
}

static void free_member(struct group_member *member)
{
    mill_assert(!member->joining);
    mill_assert(!member->syncing);
    loop_timer_cancel(loop_of(member->group), &member->session);
    free_protocols(member->protocols, member->protocol_count);
    owned_bytes_free(&member->id);
    owned_bytes_free(&member->instance_id);
    owned_bytes_free(&member->client_id);
    owned_bytes_free(&member->client_host);
    owned_bytes_free(&member->assignment);
    mem_free(member);
}

static void free_pending(struct pending_member *pending)
{
    loop_timer_cancel(loop_of(pending->group), &pending->timer);
    owned_bytes_free(&pending->id);
    mem_free(pending);
}

void classic_group_free(struct classic_group *group)
{
    mill_assert(group->writes == 0);
    loop_timer_cancel(loop_of(group), &group->timer);
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;)
        free_member(member);
    at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&group->pending, &at)) != NULL;)
        free_pending(entry->value);
    hash_map_release(&group->members);
    hash_map_release(&group->instances);
    hash_map_release(&group->pending);
    group_offsets_release(&group->offsets);
    owned_bytes_free(&group->protocol_type);
    owned_bytes_free(&group->protocol);
    owned_bytes_free(&group->leader);
    mem_free(group->id);
    mem_free(group);
}

static bool set_protocols(struct group_member *member, const struct join_group_request *request)
{
    int32_t count = request->protocols.count;
    struct member_protocol *protocols = mem_calloc((size_t)count, sizeof *protocols);
    if (!protocols)
        return false;
    for (int32_t i = 0; i < count; i++)
        if (!owned_bytes_copy(&protocols[i].name, request->protocols.items[i].name) ||
            !owned_bytes_copy(&protocols[i].metadata, request->protocols.items[i].metadata)) {
            free_protocols(protocols, count);
            return false;
        }
    free_protocols(member->protocols, member->protocol_count);
    member->protocols = protocols;
    member->protocol_count = count;
    return true;
}

mill_bytes group_member_metadata(const struct group_member *member, mill_bytes protocol)
{
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (mill_bytes_equal(member->protocols[i].name, protocol))
            return member->protocols[i].metadata;
    return mill_string("");
}

static bool member_matches(const struct group_member *member, const struct join_group_request *request)
{
    if (member->protocol_count != request->protocols.count)
        return false;
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (!mill_bytes_equal(member->protocols[i].name, request->protocols.items[i].name) ||
            !mill_bytes_equal(member->protocols[i].metadata, request->protocols.items[i].metadata))
            return false;
    return true;
}

static bool member_is_leader(const struct group_member *member)
{
    return mill_bytes_equal(member->group->leader, member->id);
}

static void renew_session(struct group_member *member, struct io_time now)
{
    int64_t ms = member->is_new ? NEW_MEMBER_TIMEOUT_MS : member->session_timeout_ms;
    loop_timer_set(loop_of(member->group), &member->session, in_ms(now, ms));
}

static bool request_is_static(const struct join_group_request *request)
{
    return !mill_is_null(request->group_instance_id);
}

static int32_t rebalance_timeout_of(const struct join_group_request *request)
{
    return request->rebalance_timeout_ms < 0 ? request->session_timeout_ms : request->rebalance_timeout_ms;
}

static struct group_member *new_member(struct classic_group *group, mill_bytes id, const struct call *call)
{
    const struct join_group_request *request = call->request;
    struct group_member *member = mem_calloc(1, sizeof *member);
    if (!member)
        return NULL;
    *member = (struct group_member){
        .group = group,
        .session_timeout_ms = request->session_timeout_ms,
        .rebalance_timeout_ms = rebalance_timeout_of(request),
        .is_new = true,
        .session = { .fire = session_ended, .ctx = member },
    };
    mill_bytes client_id = mill_is_null(call->client_id) ? mill_string("") : call->client_id;
    if (!owned_bytes_copy(&member->id, id) || !owned_bytes_copy(&member->instance_id, request->group_instance_id) ||
        !owned_bytes_copy(&member->client_id, client_id) ||
        !owned_bytes_copy(&member->client_host, mill_string(call->client_host)) ||
        !owned_bytes_copy(&member->assignment, mill_string("")) || !set_protocols(member, request)) {
        free_member(member);
        return NULL;
    }
    return member;
}

/* Into the maps; the first one becomes leader and decides the protocol type. */
static bool insert_member(struct classic_group *group, struct group_member *member, mill_bytes protocol_type)
{
    bool first = hash_map_count(&group->members) == 0;
    if (first && !owned_bytes_replace(&group->protocol_type, protocol_type))
        return false;
    if (mill_is_null(group->leader) && !owned_bytes_replace(&group->leader, member->id))
        return false;
    if (hash_map_put(&group->members, member->id, member, NULL) != 0)
        return false;
    if (!mill_is_null(member->instance_id) && hash_map_put(&group->instances, member->instance_id, member, NULL) != 0) {
        hash_map_remove(&group->members, member->id);
        return false;
    }
    return true;
}

static void choose_leader(struct classic_group *group, bool joined_only)
{
    size_t at = 0;
    owned_bytes_free(&group->leader);
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        if (joined_only && !member->joining)
            continue;
        /* Without memory there is no leader until the next member asks to be one. */
        owned_bytes_copy(&group->leader, member->id);
        return;
    }
}

static struct call *take_join(struct group_member *member)
{
    struct call *call = member->joining;
    if (call)
        member->group->joining_count--;
    member->joining = NULL;
    return call;
}

static struct call *take_sync(struct group_member *member)
{
    struct call *call = member->syncing;
    member->syncing = NULL;
    return call;
}

/* Answers what it has parked with `error` and forgets it. */
static void remove_member(struct classic_group *group, struct group_member *member, int16_t error, struct io_time now)
{
    struct call *join = take_join(member);
    struct call *sync = take_sync(member);
    hash_map_remove(&group->members, member->id);
    if (!mill_is_null(member->instance_id) && hash_map_get(&group->instances, member->instance_id) == member)
        hash_map_remove(&group->instances, member->instance_id);
    if (member_is_leader(member))
        choose_leader(group, false);
    free_member(member);
    if (join)
        refuse_join(join, error, now);
    if (sync)
        refuse_sync(sync, error, now);
}

static void rebalance_without(struct classic_group *group, const char *why, struct io_time now)
{
    switch (group->state) {
    case GROUP_STABLE:
    case GROUP_COMPLETING_REBALANCE:
        prepare_rebalance(group, why, now);
        break;
    case GROUP_PREPARING_REBALANCE:
        try_complete_join(group, now);
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        break;
    }
}

static void session_ended(struct loop_timer *timer, struct io_time now)
{
    struct group_member *member = timer->ctx;
    struct classic_group *group = member->group;
    if (!member->is_new && (member->joining || member->syncing)) {
        renew_session(member, now); /* it waits for us, not we for it */
        return;
    }
    trace_info("group", "%s: member %.*s is gone: its session has ended", group->id, (int)member->id.len,
               (const char *)member->id.data);
    remove_member(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
    rebalance_without(group, "a session has ended", now);
}

/* ---- protocols ----------------------------------------------------------------------------------------------------------------- */

static bool all_members_have(const struct classic_group *group, mill_bytes protocol)
{
    size_t at = 0;
    for (const struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        bool has = false;
        for (int32_t i = 0; i < member->protocol_count && !has; i++)
            has = mill_bytes_equal(member->protocols[i].name, protocol);
        if (!has)
            return false;
    }
    return true;
}

static bool group_supports(const struct classic_group *group, const struct join_group_request *request)
{
    if (hash_map_count(&group->members) == 0)
        return request->protocol_type.len > 0 && request->protocols.count > 0;
    if (!mill_bytes_equal(group->protocol_type, request->protocol_type))
        return false;
    for (int32_t i = 0; i < request->protocols.count; i++)
        if (all_members_have(group, request->protocols.items[i].name))
            return true;
    return false;
}

/* A member votes for the first of its protocols that everybody has. */
static mill_bytes vote_of(const struct group_member *member)
{
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (all_members_have(member->group, member->protocols[i].name))
            return member->protocols[i].name;
    return mill_null();
}

static mill_bytes elect_protocol(const struct classic_group *group)
{
    mill_bytes best = mill_null();
    int best_votes = 0;
    size_t at = 0;
    for (const struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        mill_bytes candidate = vote_of(member);
        int votes = 0;
        size_t other_at = 0;
        if (mill_is_null(candidate) || mill_bytes_equal(candidate, best))
            continue;
        for (const struct group_member *other; (other = next_member(group, &other_at)) != NULL;)
            votes += mill_bytes_equal(vote_of(other), candidate);
        if (votes > best_votes) {
            best = candidate;
            best_votes = votes;
        }
    }
    return best;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------------- */

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
    for (const struct group_member *member; (member = next_member(group, &at)) != NULL; i++) {
        items[i].member_id = call_copy(call, member->id);
        items[i].group_instance_id = call_copy(call, member->instance_id);
        items[i].metadata = call_copy(call, group_member_metadata(member, group->protocol));
    }
    response->members.items = items;
    response->members.count = count;
}

/* `leader` as the answer shall name it; the leader gets the members. */
static void answer_join(struct group_member *member, struct call *call, mill_bytes leader, bool with_members,
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

static void answer_join_of_generation(struct group_member *member, struct call *call, struct io_time now)
{
    answer_join(member, call, member->group->leader, member_is_leader(member), false, now);
}

static void answer_sync(struct group_member *member, struct call *call, struct io_time now)
{
    struct classic_group *group = member->group;
    struct sync_group_response *response = call->response;
    response->error_code = KAFKA_NONE;
    response->protocol_type = call_copy(call, group->protocol_type);
    response->protocol_name = call_copy(call, group->protocol);
    response->assignment = call_copy(call, member->assignment);
    call_reply(call, now);
}

static void fail_syncs(struct classic_group *group, int16_t error, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        member->awaits_sync = false;
        /* Empty is never null, and needs no memory to replace what is there. */
        member->assignment.len = 0;
        struct call *call = take_sync(member);
        if (!call)
            continue;
        renew_session(member, now);
        refuse_sync(call, error, now);
    }
}

/* ---- rebalance: from the first reason to the answers of the joins ------------------------------------------------------------- */

static int64_t longest_rebalance_timeout(const struct classic_group *group)
{
    int64_t longest = 0;
    size_t at = 0;
    for (const struct group_member *member; (member = next_member(group, &at)) != NULL;)
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
    loop_timer_set(loop_of(group), &group->timer, in_ms(now, delay));
}

static void prepare_rebalance(struct classic_group *group, const char *why, struct io_time now)
{
    bool from_empty = group->state == GROUP_EMPTY;
    trace_info("group", "%s: rebalance after generation %d: %s", group->id, group->generation, why);
    if (group->state == GROUP_COMPLETING_REBALANCE)
        fail_syncs(group, KAFKA_REBALANCE_IN_PROGRESS, now);
    group_move(group, GROUP_PREPARING_REBALANCE, now);
    if (from_empty && initial_delay_ms(group) > 0) {
        start_initial_delay(group, initial_delay_ms(group), now);
        return;
    }
    loop_timer_set(loop_of(group), &group->timer, in_ms(now, longest_rebalance_timeout(group)));
    try_complete_join(group, now);
}

static void drop_members_who_did_not_join(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        if (member->joining || !mill_is_null(member->instance_id))
            continue;
        trace_info("group", "%s: member %.*s is dropped: it did not rejoin in time", group->id, (int)member->id.len,
                   (const char *)member->id.data);
        remove_member(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
    }
}

static void await_syncs(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;)
        member->awaits_sync = true;
    loop_timer_set(loop_of(group), &group->timer, in_ms(now, longest_rebalance_timeout(group)));
}

static void answer_joins(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        member->is_new = false;
        struct call *call = take_join(member);
        if (!call)
            continue;
        renew_session(member, now);
        answer_join_of_generation(member, call, now);
    }
}

static void complete_join(struct classic_group *group, struct io_time now)
{
    loop_timer_cancel(loop_of(group), &group->timer);
    group->in_initial_delay = false;
    drop_members_who_did_not_join(group, now);
    struct group_member *leader = mill_is_null(group->leader) ? NULL : member_by_id(group, group->leader);
    if (hash_map_count(&group->members) > 0 && group->joining_count == 0) {
        /* Static members only, all on their way back: they have until their sessions end. */
        loop_timer_set(loop_of(group), &group->timer, in_ms(now, longest_rebalance_timeout(group)));
        return;
    }
    if (!leader || !leader->joining)
        choose_leader(group, true);

    group->generation = group->generation == INT32_MAX ? 1 : group->generation + 1;
    if (hash_map_count(&group->members) == 0) {
        owned_bytes_free(&group->protocol);
        group_move(group, GROUP_EMPTY, now);
        coordinator_store_group(group->coordinator, group, NULL, now);
        return;
    }
    if (!owned_bytes_replace(&group->protocol, elect_protocol(group)))
        trace_error("group", "%s: no memory for a rebalance", group->id); /* the old protocol stays, which its members had */
    group_move(group, GROUP_COMPLETING_REBALANCE, now);
    await_syncs(group, now);
    answer_joins(group, now);
}

static void try_complete_join(struct classic_group *group, struct io_time now)
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
        loop_timer_set(loop_of(group), &group->timer, in_ms(now, delay));
        return;
    }
    complete_join(group, now);
}

static void sync_time_is_over(struct classic_group *group, struct io_time now)
{
    bool removed = false;
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        if (!member->awaits_sync)
            continue;
        trace_info("group", "%s: member %.*s is dropped: it sent no SyncGroup in time", group->id, (int)member->id.len,
                   (const char *)member->id.data);
        remove_member(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
        removed = true;
    }
    if (removed)
        prepare_rebalance(group, "members sent no SyncGroup", now);
}

static void group_timer_fired(struct loop_timer *timer, struct io_time now)
{
    struct classic_group *group = timer->ctx;
    if (group->state == GROUP_PREPARING_REBALANCE)
        join_time_is_over(group, now);
    else if (group->state == GROUP_COMPLETING_REBALANCE || group->state == GROUP_STABLE)
        sync_time_is_over(group, now);
}

/* ---- join ---------------------------------------------------------------------------------------------------------------------- */

static void park_join(struct group_member *member, struct call *call)
{
    mill_assert(!member->joining);
    member->joining = call;
    member->group->joining_count++;
}

static void add_member(struct classic_group *group, mill_bytes id, struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    struct group_member *member = new_member(group, id, call);
    if (!member || !insert_member(group, member, request->protocol_type)) {
        if (member)
            free_member(member);
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    group->joined_in_delay = true;
    renew_session(member, now);
    park_join(member, call);
    if (group->state == GROUP_PREPARING_REBALANCE)
        try_complete_join(group, now);
    else
        prepare_rebalance(group, "a member joins", now);
}

static void rejoin(struct group_member *member, struct call *call, const char *why, struct io_time now)
{
    struct classic_group *group = member->group;
    const struct join_group_request *request = call->request;
    struct call *earlier = take_join(member);
    if (!set_protocols(member, request)) {
        if (earlier)
            refuse_join(earlier, KAFKA_UNKNOWN_MEMBER_ID, now);
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    member->rebalance_timeout_ms = rebalance_timeout_of(request);
    member->session_timeout_ms = request->session_timeout_ms;
    renew_session(member, now);
    park_join(member, call);
    if (earlier) /* the same member asked again on another connection: the older one would never be read */
        refuse_join(earlier, KAFKA_REBALANCE_IN_PROGRESS, now);
    if (group->state == GROUP_PREPARING_REBALANCE)
        try_complete_join(group, now);
    else
        prepare_rebalance(group, why, now);
}

static bool make_member_id(struct classic_group *group, const struct call *call, char id[], size_t size)
{
    const struct join_group_request *request = call->request;
    mill_bytes prefix = request_is_static(request) ? request->group_instance_id : call->client_id;
    uint8_t r[16];
    if (loop_random(loop_of(group), r, sizeof r) != 0)
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
    free_pending(pending);
    if (group->state == GROUP_PREPARING_REBALANCE)
        try_complete_join(group, now);
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
    loop_timer_set(loop_of(group), &pending->timer, in_ms(now, request->session_timeout_ms));
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
    bool leads = member_is_leader(member);
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
    struct group_member *member = member_by_id(reply->group, reply->member_id);
    if (error != KAFKA_NONE || !member || reply->generation != reply->group->generation) {
        refuse_join(reply->call, error != KAFKA_NONE ? error : KAFKA_UNKNOWN_MEMBER_ID, now);
        return;
    }
    /* From v9 on a returning leader can be told to skip the assignment; before, it must not learn that it leads (KIP-814). */
    bool leads = member_is_leader(member);
    if (leads && reply->call->version >= 9)
        answer_join(member, reply->call, reply->group->leader, true, true, now);
    else
        answer_join(member, reply->call, reply->old_leader, false, false, now);
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
    renew_session(member, now);
    coordinator_store_group(group->coordinator, group, &(struct group_store){ swap_is_stored, reply }, now);
}

/* A static member is back without its member id: it takes its old place, and whoever still uses the old id is fenced. */
static void return_static_member(struct classic_group *group, struct group_member *member, mill_bytes id, struct call *call,
                                 struct io_time now)
{
    const struct join_group_request *request = call->request;
    mill_bytes old_leader = call_copy(call, mill_is_null(group->leader) ? mill_string("") : group->leader);
    struct call *join = take_join(member);
    struct call *sync = take_sync(member);
    bool renamed = rename_member(group, member, id) && set_protocols(member, request);
    if (join)
        refuse_join(join, KAFKA_FENCED_INSTANCE_ID, now);
    if (sync)
        refuse_sync(sync, KAFKA_FENCED_INSTANCE_ID, now);
    if (!renamed) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    member->rebalance_timeout_ms = rebalance_timeout_of(request);
    member->session_timeout_ms = request->session_timeout_ms;
    switch (group->state) {
    case GROUP_STABLE:
        if (mill_bytes_equal(elect_protocol(group), group->protocol)) {
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
    renew_session(member, now);
    park_join(member, call);
    if (group->state == GROUP_PREPARING_REBALANCE)
        try_complete_join(group, now);
    else
        prepare_rebalance(group, "a static member is back", now);
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
    struct group_member *known = request_is_static(request) ? hash_map_get(&group->instances, request->group_instance_id) : NULL;
    if (known)
        return_static_member(group, known, id, call, now);
    else if (group_is_full(group))
        refuse_join(call, KAFKA_GROUP_MAX_SIZE_REACHED, now);
    else if (request_is_static(request) || call->version < 4)
        add_member(group, id, call, now);
    else
        ask_back_with_id(group, id, call, now);
}

/* The member that speaks, or the error of someone who is not it. */
static int16_t find_member(const struct classic_group *group, mill_bytes member_id, mill_bytes instance_id,
                           struct group_member **member)
{
    if (!mill_is_null(instance_id)) {
        *member = hash_map_get(&group->instances, instance_id);
        if (!*member)
            return KAFKA_UNKNOWN_MEMBER_ID;
        return mill_bytes_equal((*member)->id, member_id) ? KAFKA_NONE : KAFKA_FENCED_INSTANCE_ID;
    }
    *member = member_by_id(group, member_id);
    return *member ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
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
    free_pending(pending);
    add_member(group, request->member_id, call, now);
}

static void join_as_known(struct classic_group *group, struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    struct pending_member *pending = hash_map_get(&group->pending, request->member_id);
    if (pending && !request_is_static(request)) {
        join_with_pending_id(group, pending, call, now);
        return;
    }
    struct group_member *member;
    int16_t error = find_member(group, request->member_id, request->group_instance_id, &member);
    if (error == KAFKA_NONE && !group_supports(group, request))
        error = KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (error != KAFKA_NONE) {
        refuse_join(call, error, now);
        return;
    }
    bool same = member_matches(member, request);
    switch (group->state) {
    case GROUP_PREPARING_REBALANCE:
        rejoin(member, call, "", now);
        break;
    case GROUP_COMPLETING_REBALANCE:
        /* With the same metadata it has only missed the answer to its first join. */
        if (same)
            answer_join_of_generation(member, call, now);
        else
            rejoin(member, call, "a member's metadata has changed", now);
        break;
    case GROUP_STABLE:
        if (member_is_leader(member))
            rejoin(member, call, "the leader joins again", now);
        else if (!same)
            rejoin(member, call, "a member's metadata has changed", now);
        else
            answer_join_of_generation(member, call, now);
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

/* ---- sync ---------------------------------------------------------------------------------------------------------------------- */

static bool take_assignments(struct classic_group *group, const struct sync_group_request *request)
{
    for (int32_t i = 0; i < request->assignments.count; i++) {
        const struct sync_group_request_assignment *given = &request->assignments.items[i];
        struct group_member *member = member_by_id(group, given->member_id);
        if (member &&
            !owned_bytes_replace(&member->assignment, mill_is_null(given->assignment) ? mill_string("") : given->assignment))
            return false;
    }
    return true;
}

struct assignment_store {
    struct classic_group *group;
    int32_t generation;
};

static void stop_sync_deadline_if_all_synced(struct classic_group *group)
{
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;)
        if (member->awaits_sync)
            return;
    loop_timer_cancel(loop_of(group), &group->timer);
}

static void answer_syncs(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        struct call *call = take_sync(member);
        if (!call)
            continue;
        renew_session(member, now);
        answer_sync(member, call, now);
    }
}

static void assignment_is_stored(void *ctx, int16_t error, struct io_time now)
{
    struct assignment_store *store = ctx;
    struct classic_group *group = store->group;
    bool current = group->state == GROUP_COMPLETING_REBALANCE && group->generation == store->generation;
    mem_free(store);
    if (!current)
        return; /* another rebalance has begun meanwhile and answered the syncs */
    if (error != KAFKA_NONE) {
        fail_syncs(group, error, now);
        prepare_rebalance(group, "the assignment could not be written", now);
        return;
    }
    group_move(group, GROUP_STABLE, now);
    answer_syncs(group, now);
}

static void store_assignment(struct classic_group *group, const struct sync_group_request *request, struct io_time now)
{
    struct assignment_store *store = mem_alloc(sizeof *store);
    if (!store || !take_assignments(group, request)) {
        mem_free(store);
        fail_syncs(group, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
        prepare_rebalance(group, "no memory for the assignment", now);
        return;
    }
    *store = (struct assignment_store){ group, group->generation };
    coordinator_store_group(group->coordinator, group, &(struct group_store){ assignment_is_stored, store }, now);
}

static void sync_in_completing(struct classic_group *group, struct group_member *member, struct call *call, struct io_time now)
{
    struct call *earlier = take_sync(member);
    member->syncing = call;
    member->awaits_sync = false;
    renew_session(member, now);
    stop_sync_deadline_if_all_synced(group);
    if (earlier)
        refuse_sync(earlier, KAFKA_REBALANCE_IN_PROGRESS, now);
    else if (member_is_leader(member))
        store_assignment(group, call->request, now);
}

static int16_t check_sync(const struct classic_group *group, const struct sync_group_request *request,
                          struct group_member **member)
{
    if (group->state == GROUP_DEAD)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    int16_t error = find_member(group, request->member_id, request->group_instance_id, member);
    if (error != KAFKA_NONE)
        return error;
    if (request->generation_id != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    if (!mill_is_null(request->protocol_type) && !mill_bytes_equal(request->protocol_type, group->protocol_type))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (!mill_is_null(request->protocol_name) && !mill_bytes_equal(request->protocol_name, group->protocol))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    return KAFKA_NONE;
}

void classic_group_sync(struct classic_group *group, struct call *call, struct io_time now)
{
    struct group_member *member;
    int16_t error = check_sync(group, call->request, &member);
    if (error != KAFKA_NONE) {
        refuse_sync(call, error, now);
        return;
    }
    switch (group->state) {
    case GROUP_PREPARING_REBALANCE:
        refuse_sync(call, KAFKA_REBALANCE_IN_PROGRESS, now);
        break;
    case GROUP_COMPLETING_REBALANCE:
        sync_in_completing(group, member, call, now);
        break;
    case GROUP_STABLE:
        member->awaits_sync = false;
        stop_sync_deadline_if_all_synced(group);
        renew_session(member, now);
        answer_sync(member, call, now);
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        refuse_sync(call, KAFKA_UNKNOWN_MEMBER_ID, now);
        break;
    }
}

/* ---- heartbeat, leave, commit ------------------------------------------------------------------------------------------------- */

int16_t classic_group_heartbeat(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, int32_t generation,
                                struct io_time now)
{
    struct group_member *member;
    if (group->state == GROUP_DEAD)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    int16_t error = find_member(group, member_id, instance_id, &member);
    if (error != KAFKA_NONE)
        return error;
    if (generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    renew_session(member, now);
    return group->state == GROUP_PREPARING_REBALANCE ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

static int16_t leave_pending(struct classic_group *group, mill_bytes member_id, struct io_time now)
{
    struct pending_member *pending = hash_map_remove(&group->pending, member_id);
    if (!pending)
        return KAFKA_UNKNOWN_MEMBER_ID;
    free_pending(pending);
    if (group->state == GROUP_PREPARING_REBALANCE)
        try_complete_join(group, now);
    return KAFKA_NONE;
}

int16_t classic_group_leave(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, struct io_time now)
{
    struct group_member *member = NULL;
    if (group->state == GROUP_DEAD)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    int16_t error = KAFKA_NONE;
    /* An administrator removes a static member by its instance id alone. */
    if (!mill_is_null(instance_id) && member_id.len == 0) {
        member = hash_map_get(&group->instances, instance_id);
        error = member ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
    } else {
        error = find_member(group, member_id, instance_id, &member);
    }
    if (error == KAFKA_UNKNOWN_MEMBER_ID && mill_is_null(instance_id))
        return leave_pending(group, member_id, now);
    if (error != KAFKA_NONE)
        return error;
    trace_info("group", "%s: member %.*s leaves", group->id, (int)member->id.len, (const char *)member->id.data);
    remove_member(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
    rebalance_without(group, "a member leaves", now);
    return KAFKA_NONE;
}

int16_t classic_group_check_commit(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, int32_t generation,
                                   struct io_time now)
{
    struct group_member *member;
    if (group->state == GROUP_DEAD)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    if (generation < 0 && group->state == GROUP_EMPTY)
        return KAFKA_NONE;
    if (generation < 0 && member_id.len == 0 && mill_is_null(instance_id))
        return KAFKA_UNKNOWN_MEMBER_ID;
    int16_t error = find_member(group, member_id, instance_id, &member);
    if (error != KAFKA_NONE)
        return error;
    if (generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    if (group->state == GROUP_COMPLETING_REBALANCE)
        return KAFKA_REBALANCE_IN_PROGRESS;
    renew_session(member, now);
    return KAFKA_NONE;
}

/* ---- for the coordinator ------------------------------------------------------------------------------------------------------ */

bool classic_group_is_idle(const struct classic_group *group)
{
    return group->state == GROUP_EMPTY && group->writes == 0 && group->generation == 0 && hash_map_count(&group->pending) == 0 &&
           group_offsets_is_empty(&group->offsets);
}

bool classic_group_record(struct classic_group *group, struct arena *arena, struct group_metadata_value *value)
{
    int32_t count = (int32_t)hash_map_count(&group->members);
    group_metadata_value_init(value);
    value->protocol_type = mill_is_null(group->protocol_type) ? mill_string("") : group->protocol_type;
    value->generation = group->generation;
    value->protocol = group->protocol;
    value->leader = group->leader;
    value->current_state_timestamp = group->state_since_ms;
    value->members.items = group_metadata_value_member_array(arena, count);
    value->members.count = count;
    if (!value->members.items)
        return false;
    size_t at = 0;
    int32_t i = 0;
    for (const struct group_member *member; (member = next_member(group, &at)) != NULL; i++) {
        struct group_metadata_value_member *out = &value->members.items[i];
        out->member_id = member->id;
        out->group_instance_id = member->instance_id;
        out->client_id = member->client_id;
        out->client_host = member->client_host;
        out->rebalance_timeout = member->rebalance_timeout_ms;
        out->session_timeout = member->session_timeout_ms;
        out->subscription = group_member_metadata(member, group->protocol);
        out->assignment = member->assignment;
    }
    return true;
}

static struct group_member *restore_member(struct classic_group *group, const struct group_metadata_value *value,
                                           const struct group_metadata_value_member *stored)
{
    struct group_member *member = mem_calloc(1, sizeof *member);
    if (!member)
        return NULL;
    *member = (struct group_member){
        .group = group,
        .session_timeout_ms = stored->session_timeout,
        .rebalance_timeout_ms = stored->rebalance_timeout < 0 ? stored->session_timeout : stored->rebalance_timeout,
        .session = { .fire = session_ended, .ctx = member },
    };
    member->protocols = mem_calloc(1, sizeof *member->protocols);
    member->protocol_count = member->protocols ? 1 : 0;
    mill_bytes protocol = mill_is_null(value->protocol) ? mill_string("") : value->protocol;
    if (!member->protocols || !owned_bytes_copy(&member->id, stored->member_id) ||
        !owned_bytes_copy(&member->instance_id, stored->group_instance_id) ||
        !owned_bytes_copy(&member->client_id, stored->client_id) ||
        !owned_bytes_copy(&member->client_host, stored->client_host) ||
        !owned_bytes_copy(&member->assignment, stored->assignment) || !owned_bytes_copy(&member->protocols[0].name, protocol) ||
        !owned_bytes_copy(&member->protocols[0].metadata, stored->subscription)) {
        free_member(member);
        return NULL;
    }
    return member;
}

int classic_group_restore(struct classic_group *group, const struct group_metadata_value *value, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;)
        remove_member(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
    owned_bytes_free(&group->leader);
    group->generation = value->generation;
    group->state_since_ms = value->current_state_timestamp;
    group->state = value->members.count > 0 ? GROUP_STABLE : GROUP_EMPTY;
    if (!owned_bytes_replace(&group->protocol, value->protocol) ||
        !owned_bytes_replace(&group->protocol_type, value->protocol_type))
        return MILL_ENOMEM;
    for (int32_t i = 0; i < value->members.count; i++) {
        struct group_member *member = restore_member(group, value, &value->members.items[i]);
        if (!member)
            return MILL_ENOMEM;
        if (member_by_id(group, member->id) || !insert_member(group, member, value->protocol_type)) {
            free_member(member);
            return MILL_ENOMEM;
        }
    }
    return owned_bytes_replace(&group->leader, value->leader) ? 0 : MILL_ENOMEM;
}

void classic_group_resume(struct classic_group *group, struct io_time now)
{
    bool dropped = false;
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;) {
        if (mill_bytes_equal(member->client_host, mill_string(BROKER_HOST_IN_PROCESS))) {
            remove_member(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
            dropped = true;
        } else {
            renew_session(member, now);
        }
    }
    if (dropped)
        prepare_rebalance(group, "the members of the last process are gone", now);
}

void classic_group_end(struct classic_group *group, int16_t error, struct io_time now)
{
    loop_timer_cancel(loop_of(group), &group->timer);
    group->in_initial_delay = false;
    size_t at = 0;
    for (struct group_member *member; (member = next_member(group, &at)) != NULL;)
        remove_member(group, member, error, now);
    at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&group->pending, &at)) != NULL;) {
        struct pending_member *pending = entry->value;
        hash_map_remove(&group->pending, pending->id);
        free_pending(pending);
    }
    if (group->state != GROUP_DEAD)
        group_move(group, GROUP_DEAD, now);
}
