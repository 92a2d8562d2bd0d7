/*
 * SyncGroup: the leader's assignment is written down, then everybody gets their part.
 */
#include "broker/group/classic_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/group/owned_bytes.h"
#include "broker/internal.h"

/* ---- sync ------------------------------------------------------------------------------------------------------------------ */

static bool take_assignments(struct classic_group *group, const struct sync_group_request *request)
{
    for (int32_t i = 0; i < request->assignments.count; i++) {
        const struct sync_group_request_assignment *given = &request->assignments.items[i];
        struct group_member *member = group_member_by_id(group, given->member_id);
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
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;)
        if (member->awaits_sync)
            return;
    loop_timer_cancel(group_loop(group), &group->timer);
}

static void answer_syncs(struct classic_group *group, struct io_time now)
{
    size_t at = 0;
    for (struct group_member *member; (member = group_next_member(group, &at)) != NULL;) {
        struct call *call = group_member_take_sync(member);
        if (!call)
            continue;
        group_member_renew(member, now);
        group_member_answer_sync(member, call, now);
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
        group_fail_syncs(group, error, now);
        group_prepare_rebalance(group, "the assignment could not be written", now);
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
        group_fail_syncs(group, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
        group_prepare_rebalance(group, "no memory for the assignment", now);
        return;
    }
    *store = (struct assignment_store){ group, group->generation };
    coordinator_store_group(group->coordinator, group, &(struct group_store){ assignment_is_stored, store }, now);
}

static void sync_in_completing(struct classic_group *group, struct group_member *member, struct call *call, struct io_time now)
{
    struct call *earlier = group_member_take_sync(member);
    member->syncing = call;
    member->awaits_sync = false;
    group_member_renew(member, now);
    stop_sync_deadline_if_all_synced(group);
    if (earlier)
        refuse_sync(earlier, KAFKA_REBALANCE_IN_PROGRESS, now);
    else if (group_member_leads(member))
        store_assignment(group, call->request, now);
}

static int16_t check_sync(const struct classic_group *group, const struct sync_group_request *request,
                          struct group_member **member)
{
    if (group->state == GROUP_DEAD)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    int16_t error = group_find_speaker(group, request->member_id, request->group_instance_id, member);
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
        group_member_renew(member, now);
        group_member_answer_sync(member, call, now);
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        refuse_sync(call, KAFKA_UNKNOWN_MEMBER_ID, now);
        break;
    }
}
