#include "wire/api/join_group.h"

#include "broker/internal.h"

static int16_t check(const struct call *call)
{
    const struct join_group_request *request = call->request;
    const struct config *config = &call->broker->config;
    if (request->group_id.len == 0)
        return KAFKA_INVALID_GROUP_ID;
    if (request->session_timeout_ms < config_int(config, "group.min.session.timeout.ms") ||
        request->session_timeout_ms > config_int(config, "group.max.session.timeout.ms"))
        return KAFKA_INVALID_SESSION_TIMEOUT;
    if (request->protocols.count <= 0 || request->protocol_type.len == 0)
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    return KAFKA_NONE;
}

static void join(struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    struct coordinator *coordinator = &call->broker->coordinator;
    struct classic_group *group = coordinator_group(coordinator, request->group_id);
    if (!group && request->member_id.len > 0) {
        refuse_join(call, KAFKA_UNKNOWN_MEMBER_ID, now);
        return;
    }
    group = coordinator_make_group(coordinator, request->group_id, now);
    if (group)
        classic_group_join(group, call, now);
    else
        call_fail(call, MILL_ENOMEM, now);
}

void handle_join_group(struct call *call, struct io_time now)
{
    const struct join_group_request *request = call->request;
    int16_t error = check(call);
    if (error != KAFKA_NONE)
        refuse_join(call, error, now);
    else
        coordinator_enter(&call->broker->coordinator, call, request->group_id, join, refuse_join, now);
}
