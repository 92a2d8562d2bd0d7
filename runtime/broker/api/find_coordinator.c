/*
 * FindCoordinator: on one broker, always this one. For a group the answer waits until `__consumer_offsets` exists, for a
 * transactional id until `__transaction_state` does. Share groups have no coordinator here.
 */
#include "wire/api/find_coordinator.h"

#include "broker/internal.h"

enum { KEY_GROUP = 0, KEY_TRANSACTION = 1, KEY_SHARE = 2 };

static int16_t error_of_key(const struct find_coordinator_request *request, mill_bytes key)
{
    switch (request->key_type) {
    case KEY_GROUP:
        return key.len == 0 ? KAFKA_INVALID_GROUP_ID : KAFKA_NONE;
    case KEY_TRANSACTION:
        return key.len == 0 ? KAFKA_INVALID_REQUEST : KAFKA_NONE;
    case KEY_SHARE:
        return KAFKA_UNSUPPORTED_VERSION;
    default:
        return KAFKA_INVALID_REQUEST;
    }
}

static void answer_one(struct call *call, int16_t error)
{
    const struct find_coordinator_request *request = call->request;
    struct find_coordinator_response *response = call->response;
    struct broker *broker = call->broker;
    response->error_code = error != KAFKA_NONE ? error : error_of_key(request, request->key);
    bool found = response->error_code == KAFKA_NONE;
    if (!found)
        response->error_message = mill_string(kafka_error_text(response->error_code));
    response->node_id = found ? broker->node_id : -1;
    response->host = mill_string(found && broker->advertised_host ? broker->advertised_host : "");
    response->port = found ? broker->advertised_port : -1;
}

static void answer_many(struct call *call, int16_t error)
{
    const struct find_coordinator_request *request = call->request;
    struct find_coordinator_response *response = call->response;
    struct broker *broker = call->broker;
    int32_t count = request->coordinator_keys.count;
    struct find_coordinator_response_coordinator *items =
        call_array(call, find_coordinator_response_coordinator_array(call->arena, count));
    for (int32_t i = 0; items && i < count; i++) {
        items[i].key = request->coordinator_keys.items[i];
        items[i].error_code = error != KAFKA_NONE ? error : error_of_key(request, items[i].key);
        bool found = items[i].error_code == KAFKA_NONE;
        if (!found)
            items[i].error_message = mill_string(kafka_error_text(items[i].error_code));
        items[i].node_id = found ? broker->node_id : -1;
        items[i].host = mill_string(found && broker->advertised_host ? broker->advertised_host : "");
        items[i].port = found ? broker->advertised_port : -1;
    }
    response->coordinators.items = items;
    response->coordinators.count = items ? count : 0;
}

static void refuse(struct call *call, int16_t error, struct io_time now)
{
    if (call->version >= 4)
        answer_many(call, error);
    else
        answer_one(call, error);
    call_reply(call, now);
}

static void answer(struct call *call, struct io_time now)
{
    refuse(call, KAFKA_NONE, now);
}

void handle_find_coordinator(struct call *call, struct io_time now)
{
    const struct find_coordinator_request *request = call->request;
    if (request->key_type == KEY_GROUP)
        coordinator_need_topic(&call->broker->coordinator, call, answer, refuse, now);
    else if (request->key_type == KEY_TRANSACTION)
        internal_topic_need(&call->broker->txns.topic, call, answer, refuse, now);
    else
        answer(call, now);
}
