/*
 * The members of a classic group: who they are, what they can speak, how they go.
 */
#include "broker/group/classic_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/group/owned_bytes.h"
#include "broker/internal.h"

/* ---- members --------------------------------------------------------------------------------------------------------------- */

struct group_member *group_member_by_id(const struct classic_group *group, mill_bytes id)
{
    return hash_map_get(&group->members, id);
}

struct group_member *group_next_member(const struct classic_group *group, size_t *at)
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

void classic_member_free(struct group_member *member)
{
    mill_assert(!member->joining);
    mill_assert(!member->syncing);
    loop_timer_cancel(group_loop(member->group), &member->session);
    free_protocols(member->protocols, member->protocol_count);
    owned_bytes_free(&member->id);
    owned_bytes_free(&member->instance_id);
    owned_bytes_free(&member->client_id);
    owned_bytes_free(&member->client_host);
    owned_bytes_free(&member->assignment);
    mem_free(member);
}

void pending_member_free(struct pending_member *pending)
{
    loop_timer_cancel(group_loop(pending->group), &pending->timer);
    owned_bytes_free(&pending->id);
    mem_free(pending);
}

bool group_member_set_protocols(struct group_member *member, const struct join_group_request *request)
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

bool group_member_matches(const struct group_member *member, const struct join_group_request *request)
{
    if (member->protocol_count != request->protocols.count)
        return false;
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (!mill_bytes_equal(member->protocols[i].name, request->protocols.items[i].name) ||
            !mill_bytes_equal(member->protocols[i].metadata, request->protocols.items[i].metadata))
            return false;
    return true;
}

bool group_member_leads(const struct group_member *member)
{
    return mill_bytes_equal(member->group->leader, member->id);
}

void group_member_renew(struct group_member *member, struct io_time now)
{
    int64_t ms = member->is_new ? NEW_MEMBER_TIMEOUT_MS : member->session_timeout_ms;
    loop_timer_set(group_loop(member->group), &member->session, deadline_in(now, ms));
}

bool join_is_static(const struct join_group_request *request)
{
    return !mill_is_null(request->group_instance_id);
}

int32_t join_rebalance_timeout(const struct join_group_request *request)
{
    return request->rebalance_timeout_ms < 0 ? request->session_timeout_ms : request->rebalance_timeout_ms;
}

struct group_member *classic_member_new(struct classic_group *group, mill_bytes id, const struct call *call)
{
    const struct join_group_request *request = call->request;
    struct group_member *member = mem_calloc(1, sizeof *member);
    if (!member)
        return NULL;
    *member = (struct group_member){
        .group = group,
        .session_timeout_ms = request->session_timeout_ms,
        .rebalance_timeout_ms = join_rebalance_timeout(request),
        .is_new = true,
        .session = { .fire = group_session_ended, .ctx = member },
    };
    mill_bytes client_id = mill_is_null(call->client_id) ? mill_string("") : call->client_id;
    if (!owned_bytes_copy(&member->id, id) || !owned_bytes_copy(&member->instance_id, request->group_instance_id) ||
        !owned_bytes_copy(&member->client_id, client_id) ||
        !owned_bytes_copy(&member->client_host, mill_string(call->client_host)) ||
        !owned_bytes_copy(&member->assignment, mill_string("")) || !group_member_set_protocols(member, request)) {
        classic_member_free(member);
        return NULL;
    }
    return member;
}

/* Into the maps; the first one becomes leader and decides the protocol type. */
bool group_insert(struct classic_group *group, struct group_member *member, mill_bytes protocol_type)
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

void group_choose_leader(struct classic_group *group, bool joined_only)
{
    size_t at = 0;
    owned_bytes_free(&group->leader);
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        if (joined_only && !member->joining)
            continue;
        /* Without memory there is no leader until the next member asks to be one. */
        owned_bytes_copy(&group->leader, member->id);
        return;
    }
}

struct call *group_member_take_join(struct group_member *member)
{
    struct call *call = member->joining;
    if (call)
        member->group->joining_count--;
    member->joining = NULL;
    return call;
}

struct call *group_member_take_sync(struct group_member *member)
{
    struct call *call = member->syncing;
    member->syncing = NULL;
    return call;
}

/* Answers what it has parked with `error` and forgets it. */
void group_remove(struct classic_group *group, struct group_member *member, int16_t error, struct io_time now)
{
    struct call *join = group_member_take_join(member);
    struct call *sync = group_member_take_sync(member);
    hash_map_remove(&group->members, member->id);
    if (!mill_is_null(member->instance_id) && hash_map_get(&group->instances, member->instance_id) == member)
        hash_map_remove(&group->instances, member->instance_id);
    if (group_member_leads(member))
        group_choose_leader(group, false);
    classic_member_free(member);
    if (join)
        refuse_join(join, error, now);
    if (sync)
        refuse_sync(sync, error, now);
}

void group_session_ended(struct loop_timer *timer, struct io_time now)
{
    struct group_member *member = timer->ctx;
    struct classic_group *group = member->group;
    if (!member->is_new && (member->joining || member->syncing)) {
        group_member_renew(member, now); /* it waits for us, not we for it */
        return;
    }
    trace_info("group", "%s: member %.*s is gone: its session has ended", group->name, (int)member->id.len,
               (const char *)member->id.data);
    group_remove(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
    group_rebalance_without(group, "a session has ended", now);
}

/* ---- protocols ------------------------------------------------------------------------------------------------------------- */

static bool all_members_have(const struct classic_group *group, mill_bytes protocol)
{
    size_t at = 0;
    for (const struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        bool has = false;
        for (int32_t i = 0; i < member->protocol_count && !has; i++)
            has = mill_bytes_equal(member->protocols[i].name, protocol);
        if (!has)
            return false;
    }
    return true;
}

bool group_supports(const struct classic_group *group, const struct join_group_request *request)
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

mill_bytes group_elect_protocol(const struct classic_group *group)
{
    mill_bytes best = mill_null();
    int best_votes = 0;
    size_t at = 0;
    for (const struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        mill_bytes candidate = vote_of(member);
        int votes = 0;
        size_t other_at = 0;
        if (mill_is_null(candidate) || mill_bytes_equal(candidate, best))
            continue;
        for (const struct group_member *other; (other = group_next_member(group, &other_at)) != NULL;)
            votes += mill_bytes_equal(vote_of(other), candidate);
        if (votes > best_votes) {
            best = candidate;
            best_votes = votes;
        }
    }
    return best;
}
