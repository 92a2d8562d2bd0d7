/*
 * DescribeTopicPartitions (key 75): topics page by page, each page with a cursor to the next.
 */
#ifndef WIRE_API_DESCRIBE_TOPIC_PARTITIONS_H
#define WIRE_API_DESCRIBE_TOPIC_PARTITIONS_H

#include "wire/codec.h"

#define DESCRIBE_TOPIC_PARTITIONS_REQUEST_TOPIC_FIELDS(FIELD, T) FIELD(T, STRING, name, SINCE(0))
WIRE_STRUCT(describe_topic_partitions_request_topic, DESCRIBE_TOPIC_PARTITIONS_REQUEST_TOPIC_FIELDS)

#define DESCRIBE_TOPIC_PARTITIONS_REQUEST_CURSOR_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic_name, SINCE(0))                        \
    FIELD(T, INT32, partition_index, SINCE(0))
WIRE_STRUCT(describe_topic_partitions_request_cursor, DESCRIBE_TOPIC_PARTITIONS_REQUEST_CURSOR_FIELDS)

#define DESCRIBE_TOPIC_PARTITIONS_REQUEST_FIELDS(FIELD, T)                     \
    FIELD(T, ARRAY(describe_topic_partitions_request_topic), topics, SINCE(0)) \
    FIELD(T, INT32, response_partition_limit, SINCE(0), DEFAULT(2000))         \
    FIELD(T, OPTIONAL(describe_topic_partitions_request_cursor), cursor, SINCE(0))
WIRE_MESSAGE(describe_topic_partitions_request, DESCRIBE_TOPIC_PARTITIONS_REQUEST_FIELDS, 0, 0, 0)

#define DESCRIBE_TOPIC_PARTITIONS_RESPONSE_PARTITION_FIELDS(FIELD, T)                    \
    FIELD(T, INT16, error_code, SINCE(0))                                                \
    FIELD(T, INT32, partition_index, SINCE(0))                                           \
    FIELD(T, INT32, leader_id, SINCE(0))                                                 \
    FIELD(T, INT32, leader_epoch, SINCE(0), DEFAULT(-1))                                 \
    FIELD(T, ARRAY_INT32, replica_nodes, SINCE(0))                                       \
    FIELD(T, ARRAY_INT32, isr_nodes, SINCE(0))                                           \
    FIELD(T, ARRAY_INT32, eligible_leader_replicas, SINCE(0), NULLABLE(0), NULL_DEFAULT) \
    FIELD(T, ARRAY_INT32, last_known_elr, SINCE(0), NULLABLE(0), NULL_DEFAULT)           \
    FIELD(T, ARRAY_INT32, offline_replicas, SINCE(0))
WIRE_STRUCT(describe_topic_partitions_response_partition, DESCRIBE_TOPIC_PARTITIONS_RESPONSE_PARTITION_FIELDS)

#define DESCRIBE_TOPIC_PARTITIONS_RESPONSE_TOPIC_FIELDS(FIELD, T)                       \
    FIELD(T, INT16, error_code, SINCE(0))                                               \
    FIELD(T, STRING, name, SINCE(0), NULLABLE(0))                                       \
    FIELD(T, UUID, topic_id, SINCE(0))                                                  \
    FIELD(T, BOOL, is_internal, SINCE(0))                                               \
    FIELD(T, ARRAY(describe_topic_partitions_response_partition), partitions, SINCE(0)) \
    FIELD(T, INT32, topic_authorized_operations, SINCE(0), DEFAULT(INT32_MIN))
WIRE_STRUCT(describe_topic_partitions_response_topic, DESCRIBE_TOPIC_PARTITIONS_RESPONSE_TOPIC_FIELDS)

#define DESCRIBE_TOPIC_PARTITIONS_RESPONSE_CURSOR_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic_name, SINCE(0))                         \
    FIELD(T, INT32, partition_index, SINCE(0))
WIRE_STRUCT(describe_topic_partitions_response_cursor, DESCRIBE_TOPIC_PARTITIONS_RESPONSE_CURSOR_FIELDS)

#define DESCRIBE_TOPIC_PARTITIONS_RESPONSE_FIELDS(FIELD, T)                     \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))                                 \
    FIELD(T, ARRAY(describe_topic_partitions_response_topic), topics, SINCE(0)) \
    FIELD(T, OPTIONAL(describe_topic_partitions_response_cursor), next_cursor, SINCE(0))
WIRE_MESSAGE(describe_topic_partitions_response, DESCRIBE_TOPIC_PARTITIONS_RESPONSE_FIELDS, 0, 0, 0)

#endif
