#include "wire/api/leave_group.h"

#include "broker/internal.h"

static void refuse(struct call *call, int16_t error, struct io_time now)
{
    struct leave_group_response *response = call->response;
    response->error_code = error;
    call_reply(call, now);
}

static int16_t leave_one(struct call *call, mill_bytes member_id, mill_bytes instance_id, struct io_time now)
{
    const struct leave_group_request *request = call->request;
    struct classic_group *group = coordinator_group(&call->broker->coordinator, request->group_id);
    return group ? classic_group_leave(group, member_id, instance_id, now) : KAFKA_UNKNOWN_MEMBER_ID;
}

static void leave(struct call *call, struct io_time now)
{
    const struct leave_group_request *request = call->request;
    struct leave_group_response *response = call->response;
    if (call->version < 3) {
        refuse(call, leave_one(call, request->member_id, mill_null(), now), now);
        return;
    }
    int32_t count = request->members.count;
    response->members.items = call_array(call, leave_group_response_member_array(call->arena, count));
    if (!response->members.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    response->members.count = count;
    for (int32_t i = 0; i < count; i++) {
        const struct leave_group_request_member *member = &request->members.items[i];
        response->members.items[i].member_id = member->member_id;
        response->members.items[i].group_instance_id = member->group_instance_id;
        response->members.items[i].error_code = leave_one(call, member->member_id, member->group_instance_id, now);
    }
    call_reply(call, now);
}

void handle_leave_group(struct call *call, struct io_time now)
{
    const struct leave_group_request *request = call->request;
    if (request->group_id.len == 0)
        refuse(call, KAFKA_INVALID_GROUP_ID, now);
    else
        coordinator_enter(&call->broker->coordinator, call, request->group_id, leave, refuse, now);
}
