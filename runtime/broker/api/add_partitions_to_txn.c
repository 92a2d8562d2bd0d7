/*
 * AddPartitionsToTxn: all partitions of a transaction's list join it, or none.
 *
 * Up to version 3 a producer's, about its one transaction; from 4 on what brokers ask each other, about many, perhaps only
 * whether the partitions are in it. All of them come down to the same list.
 */
#include "wire/api/add_partitions_to_txn.h"

#include "broker/internal.h"
#include "broker/txn/txn_errors.h"

enum { FENCED_SINCE = 2, MANY_SINCE = 4 };

/* The topics of an answer or a question: wire_fields of the same shape in both versions. */
struct topic_list {
    const struct add_partitions_to_txn_topic *items;
    int32_t count;
};

struct result_list {
    struct add_partitions_to_txn_topic_result *items;
    int32_t count;
};

struct many_state;

struct one_state {
    struct many_state *many;
    struct txn_add add;
    struct result_list results;
};

struct many_state {
    struct call *call;
    int32_t pending; /* transactions under way, and one for the handler itself */
};

static void finish_one(struct many_state *many, struct io_time now)
{
    if (--many->pending == 0)
        call_reply(many->call, now);
}

static void fill_errors(struct call *call, const struct result_list *results, int16_t error)
{
    for (int32_t i = 0; i < results->count; i++)
        for (int32_t j = 0; j < results->items[i].results_by_partition.count; j++)
            results->items[i].results_by_partition.items[j].partition_error_code = txn_error(error, call->version, FENCED_SINCE);
}

static void is_added(struct txn_operation *operation, int16_t error, struct io_time now)
{
    struct one_state *one = operation->ctx;
    fill_errors(one->many->call, &one->results, error);
    finish_one(one->many, now);
}

static bool shape_results(struct call *call, const struct topic_list *topics, struct result_list *results)
{
    results->items = call_array(call, add_partitions_to_txn_topic_result_array(call->arena, topics->count));
    for (int32_t i = 0; results->items && i < topics->count; i++) {
        const struct add_partitions_to_txn_topic *topic = &topics->items[i];
        struct add_partitions_to_txn_topic_result *out = &results->items[i];
        out->name = topic->name;
        out->results_by_partition.items =
            call_array(call, add_partitions_to_txn_partition_result_array(call->arena, topic->partitions.count));
        if (!out->results_by_partition.items)
            return false;
        out->results_by_partition.count = topic->partitions.count;
        for (int32_t j = 0; j < topic->partitions.count; j++)
            out->results_by_partition.items[j].partition_index = topic->partitions.items[j];
    }
    results->count = results->items ? topics->count : 0;
    return results->items != NULL;
}

/* False: one of them does not exist, and the answer says which; the others are not attempted. */
static bool all_exist(struct call *call, const struct result_list *results)
{
    bool exist = true;
    fill_errors(call, results, KAFKA_OPERATION_NOT_ATTEMPTED);
    for (int32_t i = 0; i < results->count; i++) {
        const struct topic *topic = metadata_topic(&call->broker->metadata, results->items[i].name);
        for (int32_t j = 0; j < results->items[i].results_by_partition.count; j++) {
            struct add_partitions_to_txn_partition_result *out = &results->items[i].results_by_partition.items[j];
            if (topic && topic_partition(topic, out->partition_index))
                continue;
            out->partition_error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            exist = false;
        }
    }
    return exist;
}

static struct txn_target *list_targets(struct call *call, const struct topic_list *topics, size_t *count)
{
    *count = 0;
    for (int32_t i = 0; i < topics->count; i++)
        *count += (size_t)topics->items[i].partitions.count;
    struct txn_target *targets = call_array(call, arena_alloc(call->arena, *count * sizeof *targets));
    size_t at = 0;
    for (int32_t i = 0; targets && i < topics->count; i++)
        for (int32_t j = 0; j < topics->items[i].partitions.count; j++)
            targets[at++] = (struct txn_target){ topics->items[i].name, topics->items[i].partitions.items[j] };
    return targets;
}

static void verify(struct call *call, mill_bytes id, struct producer_identity producer, const struct result_list *results)
{
    for (int32_t i = 0; i < results->count; i++)
        for (int32_t j = 0; j < results->items[i].results_by_partition.count; j++) {
            struct add_partitions_to_txn_partition_result *out = &results->items[i].results_by_partition.items[j];
            int16_t error =
                txn_coordinator_verify(&call->broker->txns, id, producer, results->items[i].name, out->partition_index);
            bool old = error == KAFKA_TRANSACTION_ABORTABLE && call->version < 5;
            out->partition_error_code = old ? KAFKA_INVALID_TXN_STATE : error;
        }
}

static void add_one(struct many_state *many, mill_bytes id, struct producer_identity producer, const struct topic_list *topics,
                    struct result_list *results, bool verify_only, struct io_time now)
{
    struct call *call = many->call;
    struct one_state *one = call_array(call, arena_calloc(call->arena, 1, sizeof *one));
    if (!one || !shape_results(call, topics, results))
        return;
    *one = (struct one_state){ .many = many, .results = *results };
    one->add = (struct txn_add){ .operation = { .id = id, .done = is_added, .ctx = one }, .producer = producer };
    one->add.targets = list_targets(call, topics, &one->add.target_count);
    if (!one->add.targets || (id.len > 0 && !all_exist(call, results)))
        return;
    if (id.len == 0) {
        fill_errors(call, results, KAFKA_INVALID_REQUEST);
    } else if (verify_only) {
        verify(call, id, producer, results);
    } else {
        many->pending++;
        txn_coordinator_add(&call->broker->txns, &one->add, now);
    }
}

static void add_many(struct many_state *many, struct io_time now)
{
    struct call *call = many->call;
    const struct add_partitions_to_txn_request *request = call->request;
    struct add_partitions_to_txn_response *response = call->response;
    int32_t count = request->transactions.count;
    struct add_partitions_to_txn_result *items = call_array(call, add_partitions_to_txn_result_array(call->arena, count));
    for (int32_t i = 0; items && i < count; i++) {
        const struct add_partitions_to_txn_request_transaction *asked = &request->transactions.items[i];
        struct topic_list topics = { asked->topics.items, asked->topics.count };
        struct result_list results = { 0 };
        items[i].transactional_id = asked->transactional_id;
        add_one(many, asked->transactional_id, (struct producer_identity){ asked->producer_id, asked->producer_epoch }, &topics,
                &results, asked->verify_only, now);
        items[i].topic_results.items = results.items;
        items[i].topic_results.count = results.count;
    }
    response->results_by_transaction.items = items;
    response->results_by_transaction.count = items ? count : 0;
}

static void add_the_one(struct many_state *many, struct io_time now)
{
    const struct add_partitions_to_txn_request *request = many->call->request;
    struct add_partitions_to_txn_response *response = many->call->response;
    struct topic_list topics = { request->v3_and_below_topics.items, request->v3_and_below_topics.count };
    struct result_list results = { 0 };
    add_one(many, request->v3_and_below_transactional_id,
            (struct producer_identity){ request->v3_and_below_producer_id, request->v3_and_below_producer_epoch }, &topics,
            &results, false, now);
    response->results_by_topic_v3_and_below.items = results.items;
    response->results_by_topic_v3_and_below.count = results.count;
}

void handle_add_partitions_to_txn(struct call *call, struct io_time now)
{
    struct many_state *many = arena_alloc(call->arena, sizeof *many);
    if (!many) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *many = (struct many_state){ .call = call, .pending = 1 };
    if (call->version >= MANY_SINCE)
        add_many(many, now);
    else
        add_the_one(many, now);
    finish_one(many, now);
}
