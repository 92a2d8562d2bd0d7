/*
 * OffsetCommit: one batch for all partitions that pass their checks; the offsets count when it is durable.
 */
#include "wire/api/offset_commit.h"

#include "broker/internal.h"

struct commit_item {
    struct offset_commit_response_partition *out;
    struct pending_offset pending; /* its topic is a copy: the topic may go meanwhile */
};

struct commit_state {
    struct call *call;
    struct classic_group *group;
    struct commit_item *items; /* those that are being written */
    size_t count;
};

static void fill_errors(struct call *call, int16_t error)
{
    struct offset_commit_response *response = call->response;
    for (int32_t i = 0; i < response->topics.count; i++)
        for (int32_t j = 0; j < response->topics.items[i].partitions.count; j++)
            response->topics.items[i].partitions.items[j].error_code = error;
}

static void refuse(struct call *call, int16_t error, struct io_time now)
{
    fill_errors(call, error);
    call_reply(call, now);
}

static void stored(void *ctx, int16_t error, struct io_time now)
{
    struct commit_state *state = ctx;
    for (size_t i = 0; i < state->count; i++) {
        struct commit_item *item = &state->items[i];
        const struct pending_offset *pending = &item->pending;
        item->out->error_code = error;
        if (!coordinator_end_offset(&item->pending) || error != KAFKA_NONE)
            continue;
        if (txn_offsets_put_plain(&state->group->coordinator->txns, state->group, pending->topic, &pending->committed) != 0)
            item->out->error_code = KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    call_reply(state->call, now);
}

static int16_t check_partition(struct call *call, const struct topic *topic, const struct offset_commit_request_partition *asked)
{
    if (!topic_partition(topic, asked->partition_index))
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if ((int64_t)asked->committed_metadata.len > config_int(&call->broker->config, "offset.metadata.max.bytes"))
        return KAFKA_OFFSET_METADATA_TOO_LARGE;
    return KAFKA_NONE;
}

static void add_topic(struct commit_state *state, const struct offset_commit_request_topic *asked,
                      struct offset_commit_response_topic *out, struct io_time now)
{
    struct call *call = state->call;
    struct topic *topic;
    int16_t topic_error = metadata_find(&call->broker->metadata, asked->name, asked->topic_id, &topic);
    mill_bytes name = topic_error == KAFKA_NONE ? call_copy(call, mill_string(topic->name)) : mill_null();
    for (int32_t i = 0; i < asked->partitions.count; i++) {
        const struct offset_commit_request_partition *partition = &asked->partitions.items[i];
        out->partitions.items[i].error_code = topic_error != KAFKA_NONE ? topic_error : check_partition(call, topic, partition);
        if (out->partitions.items[i].error_code != KAFKA_NONE)
            continue;
        struct commit_item *item = &state->items[state->count++];
        struct committed_offset committed = { .partition = partition->partition_index,
                                              .leader_epoch = partition->committed_leader_epoch,
                                              .offset = partition->committed_offset,
                                              .commit_ms = now.wall_ms,
                                              .metadata = partition->committed_metadata };
        *item = (struct commit_item){ &out->partitions.items[i], { .topic = name, .committed = committed } };
        coordinator_add_offset(&call->broker->coordinator, state->group, &item->pending, now);
    }
}

static struct commit_state *new_state(struct call *call)
{
    const struct offset_commit_request *request = call->request;
    size_t count = 0;
    for (int32_t i = 0; i < request->topics.count; i++)
        count += (size_t)request->topics.items[i].partitions.count;
    struct commit_state *state = arena_alloc(call->arena, sizeof *state);
    struct commit_item *items = arena_alloc(call->arena, count * sizeof *items);
    if (!state || !items)
        return NULL;
    *state = (struct commit_state){ .call = call, .items = items };
    return state;
}

static void commit(struct call *call, struct io_time now)
{
    const struct offset_commit_request *request = call->request;
    struct offset_commit_response *response = call->response;
    struct coordinator *coordinator = &call->broker->coordinator;
    struct classic_group *group = coordinator_group(coordinator, request->group_id);
    int32_t generation = request->generation_id_or_member_epoch;
    int16_t error = generation >= 0 ? KAFKA_ILLEGAL_GENERATION : KAFKA_NONE;
    if (group)
        error = classic_group_check_commit(group, request->member_id, request->group_instance_id, generation, false, now);
    if (error != KAFKA_NONE) {
        refuse(call, error, now);
        return;
    }
    struct commit_state *state = new_state(call);
    group = state ? coordinator_make_group(coordinator, request->group_id, now) : NULL;
    if (!group) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    state->group = group;
    coordinator_begin_offsets(coordinator);
    for (int32_t i = 0; i < request->topics.count; i++)
        add_topic(state, &request->topics.items[i], &response->topics.items[i], now);
    if (state->count > 0) {
        coordinator_submit_offsets(coordinator, group, &(struct group_store){ stored, state }, now);
        return;
    }
    coordinator_let_go_if_idle(coordinator, group);
    call_reply(call, now);
}

static bool shape_response(struct call *call)
{
    const struct offset_commit_request *request = call->request;
    struct offset_commit_response *response = call->response;
    response->topics.items = offset_commit_response_topic_array(call->arena, request->topics.count);
    if (!response->topics.items)
        return false;
    response->topics.count = request->topics.count;
    for (int32_t i = 0; i < request->topics.count; i++) {
        const struct offset_commit_request_topic *asked = &request->topics.items[i];
        struct offset_commit_response_topic *out = &response->topics.items[i];
        out->name = asked->name;
        out->topic_id = asked->topic_id;
        out->partitions.items = offset_commit_response_partition_array(call->arena, asked->partitions.count);
        if (!out->partitions.items)
            return false;
        out->partitions.count = asked->partitions.count;
        for (int32_t j = 0; j < asked->partitions.count; j++)
            out->partitions.items[j].partition_index = asked->partitions.items[j].partition_index;
    }
    return true;
}

void handle_offset_commit(struct call *call, struct io_time now)
{
    const struct offset_commit_request *request = call->request;
    if (!shape_response(call))
        call_fail(call, MILL_ENOMEM, now);
    else if (request->group_id.len == 0)
        refuse(call, KAFKA_INVALID_GROUP_ID, now);
    else
        coordinator_enter(&call->broker->coordinator, call, request->group_id, commit, refuse, now);
}
