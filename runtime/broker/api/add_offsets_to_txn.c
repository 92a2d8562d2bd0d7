/*
 * AddOffsetsToTxn: the partition of `__consumer_offsets` that keeps a group's offsets joins the transaction.
 */
#include "wire/api/add_offsets_to_txn.h"

#include "broker/internal.h"
#include "broker/txn/txn_errors.h"

enum { FENCED_SINCE = 2 };

struct add_state {
    struct txn_add add;
    struct txn_target target;
    struct call *call;
};

static void refuse(struct call *call, int16_t error, struct io_time now)
{
    struct add_offsets_to_txn_response *response = call->response;
    response->error_code = txn_error(error, call->version, FENCED_SINCE);
    call_reply(call, now);
}

static void is_added(struct txn_operation *operation, int16_t error, struct io_time now)
{
    struct add_state *state = operation->ctx;
    refuse(state->call, error, now);
}

static void add(struct call *call, struct io_time now)
{
    const struct add_offsets_to_txn_request *request = call->request;
    struct add_state *state = arena_calloc(call->arena, 1, sizeof *state);
    if (!state) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    state->call = call;
    state->target =
        (struct txn_target){ mill_string(OFFSETS_TOPIC), coordinator_partition(&call->broker->coordinator, request->group_id) };
    state->add = (struct txn_add){
        .operation = { .id = request->transactional_id, .done = is_added, .ctx = state },
        .producer = { request->producer_id, request->producer_epoch },
        .targets = &state->target,
        .target_count = 1,
    };
    txn_coordinator_add(&call->broker->txns, &state->add, now);
}

void handle_add_offsets_to_txn(struct call *call, struct io_time now)
{
    const struct add_offsets_to_txn_request *request = call->request;
    if (request->transactional_id.len == 0)
        refuse(call, KAFKA_INVALID_REQUEST, now);
    else if (request->group_id.len == 0)
        refuse(call, KAFKA_INVALID_GROUP_ID, now);
    else
        coordinator_need_topic(&call->broker->coordinator, call, add, refuse, now);
}
