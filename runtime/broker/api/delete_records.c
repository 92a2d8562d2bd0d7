#include "wire/api/delete_records.h"

#include "broker/internal.h"

static void delete_from(struct call *call, mill_bytes name, const struct delete_records_request_partition *asked,
                        struct delete_records_response_partition *out, struct io_time now)
{
    struct topic *topic = metadata_topic(&call->broker->metadata, name);
    struct partition *partition = topic ? topic_partition(topic, asked->partition_index) : NULL;
    out->partition_index = asked->partition_index;
    out->low_watermark = -1;
    if (!partition)
        out->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    else if (topic->internal)
        out->error_code = KAFKA_INVALID_TOPIC_EXCEPTION;
    else if (!topic->settings.deletes && topic->settings.compacted)
        out->error_code = KAFKA_POLICY_VIOLATION; /* as Kafka: a topic that is only compacted keeps its records */
    else
        out->error_code = partition_delete_records(partition, asked->offset, now);
    if (out->error_code == KAFKA_NONE)
        out->low_watermark = partition_log_start(partition);
}

void handle_delete_records(struct call *call, struct io_time now)
{
    const struct delete_records_request *request = call->request;
    struct delete_records_response *response = call->response;
    response->topics.items = call_array(call, delete_records_response_topic_array(call->arena, request->topics.count));
    response->topics.count = response->topics.items ? request->topics.count : 0;
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct delete_records_request_topic *asked = &request->topics.items[i];
        struct delete_records_response_topic *out = &response->topics.items[i];
        out->name = asked->name;
        out->partitions.items = call_array(call, delete_records_response_partition_array(call->arena, asked->partitions.count));
        out->partitions.count = out->partitions.items ? asked->partitions.count : 0;
        for (int32_t j = 0; j < out->partitions.count; j++)
            delete_from(call, asked->name, &asked->partitions.items[j], &out->partitions.items[j], now);
    }
    call_reply(call, now);
}
