/*
 * DescribeTransactions: where each of the ids stands.
 */
#include "wire/api/describe_transactions.h"

#include "broker/internal.h"

static void describe_partitions(struct call *call, const struct txn_partitions *partitions,
                                struct describe_transactions_response_state *out)
{
    int32_t count = (int32_t)partitions->count;
    out->topics.items = call_array(call, describe_transactions_response_topic_array(call->arena, count));
    out->topics.count = out->topics.items ? count : 0;
    for (int32_t i = 0; i < out->topics.count; i++) {
        const struct txn_topic *topic = &partitions->topics[i];
        mill_bytes numbers = mill_bytes_of((const uint8_t *)topic->partitions, (size_t)topic->count * sizeof *topic->partitions);
        int32_t *copy = call_array(call, arena_alloc(call->arena, numbers.len));
        out->topics.items[i].topic = call_copy(call, topic->name);
        if (!copy)
            return;
        memcpy(copy, numbers.data, numbers.len);
        out->topics.items[i].partitions = (struct wire_int32s){ copy, topic->count };
    }
}

static void describe_one(struct call *call, mill_bytes id, struct describe_transactions_response_state *out)
{
    const struct txn_coordinator *coordinator = &call->broker->txns;
    out->transactional_id = id;
    out->producer_id = -1;
    out->producer_epoch = -1;
    out->error_code = id.len == 0 ? KAFKA_INVALID_REQUEST : txn_coordinator_check(coordinator);
    const struct transaction *txn = out->error_code == KAFKA_NONE ? txn_coordinator_find(coordinator, id) : NULL;
    if (!txn) {
        if (out->error_code == KAFKA_NONE)
            out->error_code = KAFKA_TRANSACTIONAL_ID_NOT_FOUND;
        return;
    }
    out->transaction_state = mill_string(txn_status_name(txn->values.status));
    out->transaction_timeout_ms = txn->values.timeout_ms;
    out->transaction_start_time_ms = txn->values.start_ms;
    out->producer_id = txn->values.producer_id;
    out->producer_epoch = txn->values.epoch;
    describe_partitions(call, &txn->values.partitions, out);
}

void handle_describe_transactions(struct call *call, struct io_time now)
{
    const struct describe_transactions_request *request = call->request;
    struct describe_transactions_response *response = call->response;
    int32_t count = request->transactional_ids.count;
    struct describe_transactions_response_state *items =
        call_array(call, describe_transactions_response_state_array(call->arena, count));
    for (int32_t i = 0; items && i < count; i++)
        describe_one(call, request->transactional_ids.items[i], &items[i]);
    response->transaction_states.items = items;
    response->transaction_states.count = items ? count : 0;
    call_reply(call, now);
}
