/*
 * InitProducerId: an id for an idempotent producer, never handed out before; or, with a transactional id, the next epoch of its
 * producer, which fences the one before and ends what that has left open.
 */
#include "wire/api/init_producer_id.h"

#include "broker/internal.h"

static void answer(struct call *call, int16_t error, struct producer_identity producer, struct io_time now)
{
    struct init_producer_id_response *response = call->response;
    bool fenced_is_known = call->version >= 4;
    response->error_code = error == KAFKA_PRODUCER_FENCED && !fenced_is_known ? KAFKA_INVALID_PRODUCER_EPOCH : error;
    response->producer_id = error == KAFKA_NONE ? producer.producer_id : -1;
    response->producer_epoch = error == KAFKA_NONE ? producer.epoch : -1;
    call_reply(call, now);
}

static void refuse(struct call *call, int16_t error, struct io_time now)
{
    answer(call, error, (struct producer_identity){ -1, -1 }, now);
}

static void taken(struct producer_id_request *request, int16_t error, int64_t producer_id, struct io_time now)
{
    answer(request->ctx, error, (struct producer_identity){ producer_id, 0 }, now);
}

struct init_state {
    struct txn_init init;
    struct call *call;
};

static void init_is_over(struct txn_operation *operation, int16_t error, struct io_time now)
{
    struct init_state *state = operation->ctx;
    answer(state->call, error, state->init.producer, now);
}

static void init_transactional(struct call *call, struct io_time now)
{
    const struct init_producer_id_request *request = call->request;
    struct init_state *state = arena_calloc(call->arena, 1, sizeof *state);
    if (!state) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    state->call = call;
    state->init = (struct txn_init){
        .operation = { .id = request->transactional_id, .done = init_is_over, .ctx = state },
        .timeout_ms = request->transaction_timeout_ms,
        .expected = { request->producer_id, request->producer_epoch },
    };
    txn_coordinator_init_producer(&call->broker->txns, &state->init, now);
}

static void init_idempotent(struct call *call, struct io_time now)
{
    struct producer_id_request *wanted = arena_alloc(call->arena, sizeof *wanted);
    if (!wanted) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *wanted = (struct producer_id_request){ .done = taken, .ctx = call };
    producer_ids_take(&call->broker->producer_ids, wanted, now);
}

void handle_init_producer_id(struct call *call, struct io_time now)
{
    const struct init_producer_id_request *request = call->request;
    int64_t timeout_ms_max = config_int(&call->broker->config, "transaction.max.timeout.ms");
    bool has_id = !mill_is_null(request->transactional_id);
    bool names_half = (request->producer_id < 0) != (request->producer_epoch < 0);
    if ((has_id && request->transactional_id.len == 0) || names_half)
        refuse(call, KAFKA_INVALID_REQUEST, now);
    else if (!has_id)
        init_idempotent(call, now);
    else if (request->transaction_timeout_ms <= 0 || request->transaction_timeout_ms > timeout_ms_max)
        refuse(call, KAFKA_INVALID_TRANSACTION_TIMEOUT, now);
    else
        internal_topic_need(&call->broker->txns.topic, call, init_transactional, refuse, now);
}
