/*
 * TxnOffsetCommit: offsets that count for the group when the transaction commits.
 *
 * Two have a say. The group: a member of an older generation is a zombie, and fenced (KIP-447). The transaction coordinator: the
 * group's partition must be in the producer's transaction, into which version 5 brings it by itself (KIP-890). Then one batch of
 * the producer goes into `__consumer_offsets`; a marker behind it will decide.
 *
 *     group checks -> transaction checks, or adds -> group checks again -> batch durable -> answer
 */
#include "wire/api/txn_offset_commit.h"

#include "broker/internal.h"
#include "broker/txn/txn_errors.h"

enum { ADDS_SINCE = 5 };

struct commit_item {
    struct txn_offset_commit_response_partition *out;
    struct pending_offset pending; /* its topic is a copy: the topic may go meanwhile */
};

struct commit_state {
    struct call *call;
    struct classic_group *group;
    struct txn_add add;
    struct txn_target target;
    struct commit_item *items; /* those that are being written */
    size_t count;
};

static void refuse(struct call *call, int16_t error, struct io_time now)
{
    struct txn_offset_commit_response *response = call->response;
    for (int32_t i = 0; i < response->topics.count; i++)
        for (int32_t j = 0; j < response->topics.items[i].partitions.count; j++)
            response->topics.items[i].partitions.items[j].error_code = error;
    call_reply(call, now);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static void stored(void *ctx, int16_t error, struct io_time now)
{
    struct commit_state *state = ctx;
    const struct txn_offset_commit_request *request = state->call->request;
    struct txn_offsets *txns = &state->call->broker->coordinator.txns;
    for (size_t i = 0; i < state->count; i++) {
        struct commit_item *item = &state->items[i];
        const struct pending_offset *pending = &item->pending;
        item->out->error_code = error;
        bool counts = coordinator_end_offset(&item->pending) && error == KAFKA_NONE;
        if (counts && txn_offsets_put(txns, state->group, request->producer_id, pending->topic, &pending->committed) != 0)
            item->out->error_code = KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    call_reply(state->call, now);
}

static int16_t check_partition(struct call *call, const struct topic *topic,
                               const struct txn_offset_commit_request_partition *asked)
{
    if (!topic || !topic_partition(topic, asked->partition_index))
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if ((int64_t)asked->committed_metadata.len > config_int(&call->broker->config, "offset.metadata.max.bytes"))
        return KAFKA_OFFSET_METADATA_TOO_LARGE;
    return KAFKA_NONE;
}

static void add_topic(struct commit_state *state, const struct txn_offset_commit_request_topic *asked,
                      struct txn_offset_commit_response_topic *out, struct io_time now)
{
    struct call *call = state->call;
    const struct topic *topic = metadata_topic(&call->broker->metadata, asked->name);
    mill_bytes name = topic ? call_copy(call, mill_string(topic->name)) : mill_null();
    for (int32_t i = 0; i < asked->partitions.count; i++) {
        const struct txn_offset_commit_request_partition *partition = &asked->partitions.items[i];
        out->partitions.items[i].error_code = check_partition(call, topic, partition);
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

static bool make_items(struct commit_state *state)
{
    const struct txn_offset_commit_request *request = state->call->request;
    size_t count = 0;
    for (int32_t i = 0; i < request->topics.count; i++)
        count += (size_t)request->topics.items[i].partitions.count;
    state->items = arena_alloc(state->call->arena, count * sizeof *state->items);
    return state->items != NULL;
}

static void write_offsets(struct commit_state *state, struct io_time now)
{
    struct call *call = state->call;
    const struct txn_offset_commit_request *request = call->request;
    struct txn_offset_commit_response *response = call->response;
    struct coordinator *coordinator = &call->broker->coordinator;
    bool has_items = make_items(state);
    state->group = has_items ? coordinator_make_group(coordinator, request->group_id, now) : NULL;
    if (!state->group) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    coordinator_begin_offsets(coordinator);
    for (int32_t i = 0; i < request->topics.count; i++)
        add_topic(state, &request->topics.items[i], &response->topics.items[i], now);
    if (state->count > 0) {
        coordinator_submit_txn_offsets(coordinator, state->group, request->producer_id, request->producer_epoch,
                                       &(struct group_store){ stored, state }, now);
        return;
    }
    coordinator_let_go_if_idle(coordinator, state->group);
    call_reply(call, now);
}

/* ---- who may --------------------------------------------------------------------------------------------------------------- */

/* One that does not exist yet is made with its first offset. */
static int16_t check_group(struct call *call, struct io_time now)
{
    const struct txn_offset_commit_request *request = call->request;
    const struct coordinator *coordinator = &call->broker->coordinator;
    int16_t error = coordinator_check(coordinator, request->group_id);
    if (error != KAFKA_NONE)
        return error;
    struct classic_group *group = coordinator_group(coordinator, request->group_id);
    if (!group)
        return request->generation_id >= 0 ? KAFKA_ILLEGAL_GENERATION : KAFKA_NONE;
    return classic_group_check_commit(group, request->member_id, request->group_instance_id, request->generation_id, true, now);
}

static void is_in_txn(struct txn_operation *operation, int16_t error, struct io_time now)
{
    struct commit_state *state = operation->ctx;
    if (error == KAFKA_NONE)
        error = check_group(state->call, now); /* what was true of it may be so no more */
    if (error == KAFKA_NONE)
        write_offsets(state, now);
    else
        refuse(state->call, txn_commit_error(error, state->call->version), now);
}

static void commit(struct call *call, struct io_time now)
{
    const struct txn_offset_commit_request *request = call->request;
    struct txn_coordinator *txns = &call->broker->txns;
    struct producer_identity producer = { request->producer_id, request->producer_epoch };
    struct commit_state *state = arena_calloc(call->arena, 1, sizeof *state);
    if (!state) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    state->call = call;
    int16_t error = check_group(call, now);
    if (error != KAFKA_NONE) {
        refuse(call, error, now);
        return;
    }
    state->target =
        (struct txn_target){ mill_string(OFFSETS_TOPIC), coordinator_partition(&call->broker->coordinator, request->group_id) };
    state->add = (struct txn_add){
        .operation = { .id = request->transactional_id, .done = is_in_txn, .ctx = state },
        .producer = producer,
        .targets = &state->target,
        .target_count = 1,
        .version = TRANSACTION_VERSION,
    };
    if (call->version >= ADDS_SINCE)
        txn_coordinator_add(txns, &state->add, now);
    else
        is_in_txn(&state->add.operation,
                  txn_coordinator_verify(txns, request->transactional_id, producer, state->target.topic, state->target.partition),
                  now);
}

static bool shape_response(struct call *call)
{
    const struct txn_offset_commit_request *request = call->request;
    struct txn_offset_commit_response *response = call->response;
    response->topics.items = txn_offset_commit_response_topic_array(call->arena, request->topics.count);
    if (!response->topics.items)
        return false;
    response->topics.count = request->topics.count;
    for (int32_t i = 0; i < request->topics.count; i++) {
        const struct txn_offset_commit_request_topic *asked = &request->topics.items[i];
        struct txn_offset_commit_response_topic *out = &response->topics.items[i];
        out->name = asked->name;
        out->partitions.items = txn_offset_commit_response_partition_array(call->arena, asked->partitions.count);
        if (!out->partitions.items)
            return false;
        out->partitions.count = asked->partitions.count;
        for (int32_t j = 0; j < asked->partitions.count; j++)
            out->partitions.items[j].partition_index = asked->partitions.items[j].partition_index;
    }
    return true;
}

void handle_txn_offset_commit(struct call *call, struct io_time now)
{
    const struct txn_offset_commit_request *request = call->request;
    if (!shape_response(call))
        call_fail(call, MILL_ENOMEM, now);
    else if (request->group_id.len == 0)
        refuse(call, KAFKA_INVALID_GROUP_ID, now);
    else if (request->transactional_id.len == 0)
        refuse(call, KAFKA_INVALID_REQUEST, now);
    else
        coordinator_enter(&call->broker->coordinator, call, request->group_id, commit, refuse, now);
}
