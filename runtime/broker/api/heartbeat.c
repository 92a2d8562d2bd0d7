#include "wire/api/heartbeat.h"

#include "broker/internal.h"

static void answer(struct call *call, int16_t error, struct io_time now)
{
    struct heartbeat_response *response = call->response;
    response->error_code = error;
    call_reply(call, now);
}

static void beat(struct call *call, struct io_time now)
{
    const struct heartbeat_request *request = call->request;
    struct classic_group *group = coordinator_group(&call->broker->coordinator, request->group_id);
    int16_t error =
        group ? classic_group_heartbeat(group, request->member_id, request->group_instance_id, request->generation_id, now)
              : KAFKA_UNKNOWN_MEMBER_ID;
    answer(call, error, now);
}

void handle_heartbeat(struct call *call, struct io_time now)
{
    const struct heartbeat_request *request = call->request;
    if (request->group_id.len == 0)
        answer(call, KAFKA_INVALID_GROUP_ID, now);
    else
        coordinator_enter(&call->broker->coordinator, call, request->group_id, beat, answer, now);
}
