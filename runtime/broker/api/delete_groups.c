/*
 * DeleteGroups: groups without members go, with all that they have committed.
 */
#include "wire/api/delete_groups.h"

#include "broker/internal.h"

struct delete_state;

struct delete_item {
    struct delete_state *state;
    struct delete_groups_response_result *out;
};

struct delete_state {
    struct call *call;
    int32_t pending; /* groups under way, and one for the handler itself */
};

static void finish_one(struct delete_state *state, struct io_time now)
{
    if (--state->pending == 0)
        call_reply(state->call, now);
}

static void stored(void *ctx, int16_t error, struct io_time now)
{
    struct delete_item *item = ctx;
    item->out->error_code = error;
    finish_one(item->state, now);
}

static void delete_one(struct delete_item *item, mill_bytes id, struct io_time now)
{
    struct coordinator *coordinator = &item->state->call->broker->coordinator;
    struct classic_group *group = coordinator_group(coordinator, id);
    item->out->group_id = id;
    item->out->error_code = id.len == 0 ? KAFKA_INVALID_GROUP_ID : coordinator_check(coordinator, id);
    if (item->out->error_code != KAFKA_NONE)
        return;
    if (!group)
        item->out->error_code = KAFKA_GROUP_ID_NOT_FOUND;
    else if (group->state != GROUP_EMPTY)
        item->out->error_code = KAFKA_NON_EMPTY_GROUP;
    if (item->out->error_code != KAFKA_NONE)
        return;
    item->state->pending++;
    coordinator_delete_group(coordinator, group, &(struct group_store){ stored, item }, now);
}

void handle_delete_groups(struct call *call, struct io_time now)
{
    const struct delete_groups_request *request = call->request;
    struct delete_groups_response *response = call->response;
    int32_t count = request->groups_names.count;
    struct delete_state *state = arena_alloc(call->arena, sizeof *state);
    struct delete_item *items = arena_alloc(call->arena, (size_t)count * sizeof *items);
    response->results.items = delete_groups_response_result_array(call->arena, count);
    if (!state || !items || !response->results.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    response->results.count = count;
    *state = (struct delete_state){ .call = call, .pending = 1 };
    for (int32_t i = 0; i < count; i++) {
        items[i] = (struct delete_item){ state, &response->results.items[i] };
        delete_one(&items[i], request->groups_names.items[i], now);
    }
    finish_one(state, now);
}
