/*
 * DescribeTopicPartitions: topics in the order of their names, a bounded number of partitions at a time; the cursor says where
 * the next answer goes on (KIP-966).
 */
#include "wire/api/describe_topic_partitions.h"

#include <stdlib.h>

#include "broker/api/authorized_operations.h"
#include "broker/internal.h"

enum { PARTITIONS_MAX = 2000 }; /* max.request.partition.size.limit */

static int compare_names(const void *a, const void *b)
{
    return mill_bytes_compare(*(const mill_bytes *)a, *(const mill_bytes *)b);
}

/* The names to describe, sorted; all topics when none is asked for. */
static mill_bytes *list_names(struct call *call, int32_t *count)
{
    const struct describe_topic_partitions_request *request = call->request;
    const struct metadata *metadata = &call->broker->metadata;
    *count = request->topics.count > 0 ? request->topics.count : (int32_t)hash_map_count(&metadata->topics);
    mill_bytes *names = call_array(call, arena_alloc(call->arena, (size_t)*count * sizeof *names));
    if (!names)
        return NULL;
    size_t at = 0;
    for (int32_t i = 0; i < *count; i++)
        names[i] = request->topics.count > 0 ? request->topics.items[i].name
                                             : call_copy(call, mill_string(metadata_next_topic(metadata, &at)->name));
    qsort(names, (size_t)*count, sizeof *names, compare_names);
    return names;
}

static void fill_partitions(struct call *call, const struct topic *topic, int32_t from, int32_t count,
                            struct describe_topic_partitions_response_topic *out)
{
    struct broker *broker = call->broker;
    out->partitions.items = call_array(call, describe_topic_partitions_response_partition_array(call->arena, count));
    out->partitions.count = out->partitions.items ? count : 0;
    for (int32_t i = 0; i < out->partitions.count; i++) {
        struct describe_topic_partitions_response_partition *partition = &out->partitions.items[i];
        partition->partition_index = from + i;
        bool blocked = topic->partitions[from + i]->blocked;
        partition->error_code = blocked ? KAFKA_LEADER_NOT_AVAILABLE : KAFKA_NONE;
        partition->leader_id = blocked ? -1 : broker->node_id;
        partition->leader_epoch = topic->partitions[from + i]->leader_epoch;
        partition->replica_nodes.items = &broker->node_id;
        partition->replica_nodes.count = 1;
        partition->isr_nodes = partition->replica_nodes;
        partition->eligible_leader_replicas.count = 0; /* null is legal, and breaks Java's admin client */
        partition->last_known_elr.count = 0;
    }
}

static void point_cursor(struct call *call, mill_bytes topic, int32_t partition)
{
    struct describe_topic_partitions_response *response = call->response;
    struct describe_topic_partitions_response_cursor *cursor =
        call_array(call, describe_topic_partitions_response_cursor_array(call->arena, 1));
    if (!cursor)
        return;
    cursor->topic_name = topic;
    cursor->partition_index = partition;
    response->next_cursor = cursor;
}

static void describe_missing(mill_bytes name, struct describe_topic_partitions_response_topic *out)
{
    out->name = name;
    out->error_code = topic_name_is_valid(name) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_INVALID_TOPIC_EXCEPTION;
}

void handle_describe_topic_partitions(struct call *call, struct io_time now)
{
    const struct describe_topic_partitions_request *request = call->request;
    struct describe_topic_partitions_response *response = call->response;
    int32_t left = request->response_partition_limit < PARTITIONS_MAX ? request->response_partition_limit : PARTITIONS_MAX;
    int32_t count;
    mill_bytes *names = list_names(call, &count);
    response->topics.items = call_array(call, describe_topic_partitions_response_topic_array(call->arena, names ? count : 0));
    if (!names || !response->topics.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        bool before = request->cursor && mill_bytes_compare(names[i], request->cursor->topic_name) < 0;
        if (before || (i > 0 && mill_bytes_equal(names[i], names[i - 1])))
            continue;
        bool resumes = request->cursor && mill_bytes_equal(names[i], request->cursor->topic_name);
        int32_t from = resumes && request->cursor->partition_index > 0 ? request->cursor->partition_index : 0;
        struct topic *topic = metadata_topic(&call->broker->metadata, names[i]);
        if (left <= 0) {
            point_cursor(call, names[i], from);
            break;
        }
        struct describe_topic_partitions_response_topic *out = &response->topics.items[response->topics.count++];
        if (!topic) {
            describe_missing(names[i], out);
            continue;
        }
        int32_t rest = from < topic->partition_count ? topic->partition_count - from : 0;
        int32_t now_given = rest < left ? rest : left;
        out->name = names[i];
        out->topic_id = topic->id;
        out->is_internal = topic->internal;
        out->topic_authorized_operations = TOPIC_OPERATIONS;
        fill_partitions(call, topic, from, now_given, out);
        left -= now_given;
        if (now_given < rest) {
            point_cursor(call, names[i], from + now_given);
            break;
        }
    }
    call_reply(call, now);
}
