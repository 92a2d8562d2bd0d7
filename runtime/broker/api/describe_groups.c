#include "wire/api/describe_groups.h"

#include "broker/api/authorized_operations.h"
#include "broker/internal.h"

static void describe_members(struct call *call, const struct classic_group *group, struct describe_groups_response_group *out)
{
    int32_t count = (int32_t)hash_map_count(&group->members);
    struct describe_groups_response_member *items = call_array(call, describe_groups_response_member_array(call->arena, count));
    size_t at = 0;
    int32_t i = 0;
    if (!items)
        return;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&group->members, &at)) != NULL; i++) {
        const struct group_member *member = entry->value;
        bool settled = group->state == GROUP_STABLE;
        items[i].member_id = call_copy(call, member->id);
        items[i].group_instance_id = call_copy(call, member->instance_id);
        items[i].client_id = call_copy(call, member->client_id);
        items[i].client_host = call_copy(call, member->client_host);
        items[i].member_metadata = settled ? call_copy(call, group_member_metadata(member, group->protocol)) : mill_string("");
        items[i].member_assignment = settled ? call_copy(call, member->assignment) : mill_string("");
    }
    out->members.items = items;
    out->members.count = count;
}

static void describe(struct call *call, mill_bytes id, struct describe_groups_response_group *out)
{
    const struct describe_groups_request *request = call->request;
    const struct coordinator *coordinator = &call->broker->coordinator;
    out->group_id = id;
    out->group_state = mill_string(group_state_name(GROUP_DEAD));
    out->error_code = coordinator_check(coordinator, id);
    if (out->error_code != KAFKA_NONE)
        return;
    if (request->include_authorized_operations)
        out->authorized_operations = GROUP_OPERATIONS;
    const struct classic_group *group = coordinator_group(coordinator, id);
    if (!group) {
        if (call->version >= 6) {
            out->error_code = KAFKA_GROUP_ID_NOT_FOUND;
            out->error_message = mill_string("there is no such group");
        }
        return;
    }
    out->group_state = mill_string(group_state_name(group->state));
    out->protocol_type = call_copy(call, mill_is_null(group->protocol_type) ? mill_string("") : group->protocol_type);
    if (group->state == GROUP_STABLE)
        out->protocol_data = call_copy(call, group->protocol);
    describe_members(call, group, out);
}

void handle_describe_groups(struct call *call, struct io_time now)
{
    const struct describe_groups_request *request = call->request;
    struct describe_groups_response *response = call->response;
    int32_t count = request->groups.count;
    response->groups.items = call_array(call, describe_groups_response_group_array(call->arena, count));
    response->groups.count = response->groups.items ? count : 0;
    for (int32_t i = 0; i < response->groups.count; i++)
        describe(call, request->groups.items[i], &response->groups.items[i]);
    call_reply(call, now);
}
