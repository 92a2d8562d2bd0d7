/*
 * DescribeProducers: the producers that a partition remembers, and where the transactions begin that are open in it.
 */
#include "wire/api/describe_producers.h"

#include "broker/internal.h"
#include "log/producer_state.h"

static void describe_producer(const struct producer_entry *entry, struct describe_producers_response_producer *out)
{
    out->producer_id = entry->producer_id;
    out->producer_epoch = entry->epoch;
    out->last_sequence = entry->batch_count > 0 ? entry->batches[entry->batch_count - 1].last_sequence : -1;
    out->last_timestamp = entry->last_timestamp_ms;
    out->coordinator_epoch = entry->coordinator_epoch;
    out->current_txn_start_offset = entry->txn_start;
}

static void describe_partition(struct call *call, const struct topic *topic, int32_t index,
                               struct describe_producers_response_partition *out)
{
    const struct partition *partition = topic ? topic_partition(topic, index) : NULL;
    out->partition_index = index;
    if (!partition) {
        out->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    int32_t count = 0;
    size_t at = 0;
    while (partition_next_producer(partition, &at))
        count++;
    out->active_producers.items = call_array(call, describe_producers_response_producer_array(call->arena, count));
    out->active_producers.count = out->active_producers.items ? count : 0;
    at = 0;
    for (int32_t i = 0; i < out->active_producers.count; i++)
        describe_producer(partition_next_producer(partition, &at), &out->active_producers.items[i]);
}

static void describe_topic(struct call *call, const struct describe_producers_request_topic *asked,
                           struct describe_producers_response_topic *out)
{
    const struct topic *topic = metadata_topic(&call->broker->metadata, asked->name);
    int32_t count = asked->partition_indexes.count;
    out->name = asked->name;
    out->partitions.items = call_array(call, describe_producers_response_partition_array(call->arena, count));
    out->partitions.count = out->partitions.items ? count : 0;
    for (int32_t i = 0; i < out->partitions.count; i++)
        describe_partition(call, topic, asked->partition_indexes.items[i], &out->partitions.items[i]);
}

void handle_describe_producers(struct call *call, struct io_time now)
{
    const struct describe_producers_request *request = call->request;
    struct describe_producers_response *response = call->response;
    int32_t count = request->topics.count;
    response->topics.items = call_array(call, describe_producers_response_topic_array(call->arena, count));
    response->topics.count = response->topics.items ? count : 0;
    for (int32_t i = 0; i < response->topics.count; i++)
        describe_topic(call, &request->topics.items[i], &response->topics.items[i]);
    call_reply(call, now);
}
