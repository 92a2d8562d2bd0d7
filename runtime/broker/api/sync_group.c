#include "wire/api/sync_group.h"

#include "broker/internal.h"

static void sync(struct call *call, struct io_time now)
{
    const struct sync_group_request *request = call->request;
    struct classic_group *group = coordinator_group(&call->broker->coordinator, request->group_id);
    if (group)
        classic_group_sync(group, call, now);
    else
        refuse_sync(call, KAFKA_UNKNOWN_MEMBER_ID, now);
}

void handle_sync_group(struct call *call, struct io_time now)
{
    const struct sync_group_request *request = call->request;
    if (request->group_id.len == 0)
        refuse_sync(call, KAFKA_INVALID_GROUP_ID, now);
    else
        coordinator_enter(&call->broker->coordinator, call, request->group_id, sync, refuse_sync, now);
}
