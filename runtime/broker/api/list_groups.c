#include <strings.h>

#include "wire/api/list_groups.h"

#include "broker/internal.h"

/* An empty filter passes all; names compare without case (KIP-1043). */
static bool passes(const struct wire_strings *filter, const char *name)
{
    if (filter->count <= 0)
        return true;
    for (int32_t i = 0; i < filter->count; i++)
        if (filter->items[i].len == strlen(name) && strncasecmp((const char *)filter->items[i].data, name, strlen(name)) == 0)
            return true;
    return false;
}

void handle_list_groups(struct call *call, struct io_time now)
{
    const struct list_groups_request *request = call->request;
    struct list_groups_response *response = call->response;
    const struct coordinator *coordinator = &call->broker->coordinator;
    size_t count = hash_map_count(&coordinator->groups);
    response->error_code = coordinator->loader ? KAFKA_COORDINATOR_LOAD_IN_PROGRESS : KAFKA_NONE;
    response->groups.items = call_array(call, list_groups_response_group_array(call->arena, (int32_t)count));
    size_t at = 0;
    for (struct classic_group *group;
         response->groups.items && !coordinator->loader && (group = coordinator_next_group(coordinator, &at)) != NULL;) {
        const char *state = group_state_name(group->state);
        if (!passes(&request->states_filter, state) || !passes(&request->types_filter, "classic"))
            continue;
        struct list_groups_response_group *out = &response->groups.items[response->groups.count++];
        out->group_id = call_copy(call, group->id);
        out->protocol_type = call_copy(call, mill_is_null(group->protocol_type) ? mill_string("") : group->protocol_type);
        out->group_state = mill_string(state);
        out->group_type = mill_string("classic");
    }
    call_reply(call, now);
}
