/*
 * OffsetForLeaderEpoch: where an epoch ended, so that a reader sees whether the log was cut under it (KIP-101, KIP-320).
 */
#include "wire/api/offset_for_leader_epoch.h"

#include "broker/internal.h"

static void find_end(struct call *call, mill_bytes name, const struct offset_for_leader_epoch_request_partition *asked,
                     struct offset_for_leader_epoch_response_partition *out)
{
    struct topic *topic = metadata_topic(&call->broker->metadata, name);
    struct partition *partition = topic ? topic_partition(topic, asked->partition) : NULL;
    out->partition = asked->partition;
    out->error_code =
        partition ? partition_check_epoch(partition, asked->current_leader_epoch) : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (out->error_code == KAFKA_NONE)
        partition_epoch_end(partition, asked->leader_epoch, &out->leader_epoch, &out->end_offset);
}

void handle_offset_for_leader_epoch(struct call *call, struct io_time now)
{
    const struct offset_for_leader_epoch_request *request = call->request;
    struct offset_for_leader_epoch_response *response = call->response;
    response->topics.items = call_array(call, offset_for_leader_epoch_response_topic_array(call->arena, request->topics.count));
    response->topics.count = response->topics.items ? request->topics.count : 0;
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct offset_for_leader_epoch_request_topic *asked = &request->topics.items[i];
        struct offset_for_leader_epoch_response_topic *out = &response->topics.items[i];
        out->topic = asked->topic;
        out->partitions.items =
            call_array(call, offset_for_leader_epoch_response_partition_array(call->arena, asked->partitions.count));
        out->partitions.count = out->partitions.items ? asked->partitions.count : 0;
        for (int32_t j = 0; j < out->partitions.count; j++)
            find_end(call, asked->topic, &asked->partitions.items[j], &out->partitions.items[j]);
    }
    call_reply(call, now);
}
