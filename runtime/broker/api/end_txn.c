/*
 * EndTxn: answered when the transaction's markers are durable, so that what it wrote is visible to readers with read_committed,
 * or gone for them.
 */
#include "wire/api/end_txn.h"

#include "broker/internal.h"
#include "broker/txn/txn_errors.h"

enum { FENCED_SINCE = 2, BUMPS_SINCE = 5 };

struct end_state {
    struct txn_end end;
    struct call *call;
};

static void answer(struct call *call, int16_t error, struct producer_identity next, struct io_time now)
{
    struct end_txn_response *response = call->response;
    response->error_code = txn_error(error, call->version, FENCED_SINCE);
    if (error == KAFKA_NONE && call->version >= BUMPS_SINCE) {
        response->producer_id = next.producer_id;
        response->producer_epoch = next.epoch;
    }
    call_reply(call, now);
}

static void is_ended(struct txn_operation *operation, int16_t error, struct io_time now)
{
    struct end_state *state = operation->ctx;
    answer(state->call, error, state->end.next, now);
}

void handle_end_txn(struct call *call, struct io_time now)
{
    const struct end_txn_request *request = call->request;
    struct end_state *state = arena_calloc(call->arena, 1, sizeof *state);
    if (!state) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    if (request->transactional_id.len == 0) {
        answer(call, KAFKA_INVALID_REQUEST, (struct producer_identity){ -1, -1 }, now);
        return;
    }
    state->call = call;
    state->end = (struct txn_end){
        .operation = { .id = request->transactional_id, .done = is_ended, .ctx = state },
        .producer = { request->producer_id, request->producer_epoch },
        .commit = request->committed,
        .version = call->version >= BUMPS_SINCE ? TRANSACTION_VERSION : 0,
    };
    txn_coordinator_end(&call->broker->txns, &state->end, now);
}
