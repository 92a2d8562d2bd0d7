#include "broker/group/classic_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/group/owned_bytes.h"
#include "broker/internal.h"

struct loop *group_loop(const struct classic_group *group)
{
    return group->coordinator->broker->loop;
}

int64_t deadline_in(struct io_time now, int64_t ms)
{
    return now.monotonic_us + ms * 1000;
}

/* ---- state ----------------------------------------------------------------------------------------------------------------- */

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

void group_move(struct classic_group *group, enum group_state to, struct io_time now)
{
    mill_assert(move_is_legal(group->state, to));
    trace_debug("group", "%s: %s -> %s, generation %d, %zu members", group->name, group_state_name(group->state),
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
    group->name = name;
    group->id = mill_bytes_of(name, id.len);
    group->partition = partition;
    group->state_since_ms = now.wall_ms;
    group->timer = (struct loop_timer){ .fire = group_timer_fired, .ctx = group };
    hash_map_init(&group->members);
    hash_map_init(&group->instances);
    hash_map_init(&group->pending);
    group_offsets_init(&group->offsets);
    list_init(&group->pending_offsets);
    return group;
}

void classic_group_free(struct classic_group *group)
{
    mill_assert(group->writes == 0);
    loop_timer_cancel(group_loop(group), &group->timer);
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;)
        classic_member_free(member);
    at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&group->pending, &at)) != NULL;)
        pending_member_free(entry->value);
    hash_map_release(&group->members);
    hash_map_release(&group->instances);
    hash_map_release(&group->pending);
    group_offsets_release(&group->offsets);
    owned_bytes_free(&group->protocol_type);
    owned_bytes_free(&group->protocol);
    owned_bytes_free(&group->leader);
    mem_free(group->name);
    mem_free(group);
}

/* ---- heartbeat, leave, commit ---------------------------------------------------------------------------------------------- */

int16_t group_find_speaker(const struct classic_group *group, mill_bytes member_id, mill_bytes instance_id,
                           struct group_member **member)
{
    if (!mill_is_null(instance_id)) {
        *member = hash_map_get(&group->instances, instance_id);
        if (!*member)
            return KAFKA_UNKNOWN_MEMBER_ID;
        return mill_bytes_equal((*member)->id, member_id) ? KAFKA_NONE : KAFKA_FENCED_INSTANCE_ID;
    }
    *member = group_member_by_id(group, member_id);
    return *member ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
}

int16_t classic_group_heartbeat(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, int32_t generation,
                                struct io_time now)
{
    struct group_member *member;
    if (group->state == GROUP_DEAD)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    int16_t error = group_find_speaker(group, member_id, instance_id, &member);
    if (error != KAFKA_NONE)
        return error;
    if (generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    group_member_renew(member, now);
    return group->state == GROUP_PREPARING_REBALANCE ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

static int16_t leave_pending(struct classic_group *group, mill_bytes member_id, struct io_time now)
{
    struct pending_member *pending = hash_map_remove(&group->pending, member_id);
    if (!pending)
        return KAFKA_UNKNOWN_MEMBER_ID;
    pending_member_free(pending);
    if (group->state == GROUP_PREPARING_REBALANCE)
        group_try_complete_join(group, now);
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
        error = group_find_speaker(group, member_id, instance_id, &member);
    }
    if (error == KAFKA_UNKNOWN_MEMBER_ID && mill_is_null(instance_id))
        return leave_pending(group, member_id, now);
    if (error != KAFKA_NONE)
        return error;
    trace_info("group", "%s: member %.*s leaves", group->name, (int)member->id.len, (const char *)member->id.data);
    group_remove(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
    group_rebalance_without(group, "a member leaves", now);
    return KAFKA_NONE;
}

int16_t classic_group_check_commit(struct classic_group *group, mill_bytes member_id, mill_bytes instance_id, int32_t generation,
                                   bool transactional, struct io_time now)
{
    struct group_member *member;
    if (group->state == GROUP_DEAD)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    if (generation < 0 && group->state == GROUP_EMPTY)
        return KAFKA_NONE;
    if (generation < 0 && member_id.len == 0 && mill_is_null(instance_id))
        return transactional ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
    int16_t error = group_find_speaker(group, member_id, instance_id, &member);
    if (error != KAFKA_NONE)
        return error;
    if (generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    if (group->state == GROUP_COMPLETING_REBALANCE && !transactional)
        return KAFKA_REBALANCE_IN_PROGRESS;
    group_member_renew(member, now);
    return KAFKA_NONE;
}

/* ---- for the coordinator --------------------------------------------------------------------------------------------------- */

bool classic_group_is_idle(const struct classic_group *group)
{
    return group->state == GROUP_EMPTY && group->writes == 0 && group->generation == 0 && hash_map_count(&group->pending) == 0 &&
           group_offsets_is_empty(&group->offsets) && !txn_offsets_has_group(&group->coordinator->txns, group);
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
    for (const struct group_member *member; (member = group_next_member(group, &at)) != NULL; i++) {
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
        .session = { .fire = group_session_ended, .ctx = member },
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
        classic_member_free(member);
        return NULL;
    }
    return member;
}

int classic_group_restore(struct classic_group *group, const struct group_metadata_value *value, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;)
        group_remove(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
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
        if (group_member_by_id(group, member->id) || !group_insert(group, member, value->protocol_type)) {
            classic_member_free(member);
            return MILL_ENOMEM;
        }
    }
    return owned_bytes_replace(&group->leader, value->leader) ? 0 : MILL_ENOMEM;
}

void classic_group_resume(struct classic_group *group, struct io_time now)
{
    bool dropped = false;
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        if (mill_bytes_equal(member->client_host, mill_string(BROKER_HOST_IN_PROCESS))) {
            group_remove(group, member, KAFKA_UNKNOWN_MEMBER_ID, now);
            dropped = true;
        } else {
            group_member_renew(member, now);
        }
    }
    if (dropped)
        group_prepare_rebalance(group, "the members of the last process are gone", now);
}

void classic_group_end(struct classic_group *group, int16_t error, struct io_time now)
{
    loop_timer_cancel(group_loop(group), &group->timer);
    group->in_initial_delay = false;
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;)
        group_remove(group, member, error, now);
    at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&group->pending, &at)) != NULL;) {
        struct pending_member *pending = entry->value;
        hash_map_remove(&group->pending, pending->id);
        pending_member_free(pending);
    }
    if (group->state != GROUP_DEAD)
        group_move(group, GROUP_DEAD, now);
}
