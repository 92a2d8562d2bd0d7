/*
 * InitProducerId: an id for an idempotent producer, never handed out before. Transactions have no coordinator here.
 */
#include "wire/api/init_producer_id.h"

#include "broker/internal.h"

static void taken(struct producer_id_request *request, int16_t error, int64_t producer_id, struct io_time now)
{
    struct call *call = request->ctx;
    struct init_producer_id_response *response = call->response;
    response->error_code = error;
    response->producer_id = producer_id;
    response->producer_epoch = error == KAFKA_NONE ? 0 : -1;
    call_reply(call, now);
}

void handle_init_producer_id(struct call *call, struct io_time now)
{
    const struct init_producer_id_request *request = call->request;
    struct init_producer_id_response *response = call->response;
    if (!mill_is_null(request->transactional_id)) {
        response->error_code = request->transactional_id.len == 0 ? KAFKA_INVALID_REQUEST : KAFKA_UNSUPPORTED_VERSION;
        response->producer_epoch = -1;
        call_reply(call, now);
        return;
    }
    struct producer_id_request *wanted = arena_alloc(call->arena, sizeof *wanted);
    if (!wanted) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *wanted = (struct producer_id_request){ .done = taken, .ctx = call };
    producer_ids_take(&call->broker->producer_ids, wanted, now);
}
