/*
 * Metadata (key 3): brokers, topics, partitions and who leads them.
 *
 * Null topics ask for all; in version 0, which knows no null, an empty array does. Version 4 says whether a missing topic may be
 * created, 10 brings topic ids, 12 allows to ask by id with a null name, 13 has an error for the whole answer.
 */
#ifndef WIRE_API_METADATA_H
#define WIRE_API_METADATA_H

#include "wire/codec.h"

#define METADATA_REQUEST_TOPIC_FIELDS(FIELD, T)    \
    FIELD(T, UUID, topic_id, SINCE(10), IGNORABLE) \
    FIELD(T, STRING, name, SINCE(0), NULLABLE(10))
WIRE_STRUCT(metadata_request_topic, METADATA_REQUEST_TOPIC_FIELDS)

#define METADATA_REQUEST_FIELDS(FIELD, T)                                  \
    FIELD(T, ARRAY(metadata_request_topic), topics, SINCE(0), NULLABLE(1)) \
    FIELD(T, BOOL, allow_auto_topic_creation, SINCE(4), DEFAULT(true))     \
    FIELD(T, BOOL, include_cluster_authorized_operations, BETWEEN(8, 10))  \
    FIELD(T, BOOL, include_topic_authorized_operations, SINCE(8))
WIRE_MESSAGE(metadata_request, METADATA_REQUEST_FIELDS, 0, 13, 9)

#define METADATA_RESPONSE_BROKER_FIELDS(FIELD, T) \
    FIELD(T, INT32, node_id, SINCE(0))            \
    FIELD(T, STRING, host, SINCE(0))              \
    FIELD(T, INT32, port, SINCE(0))               \
    FIELD(T, STRING, rack, SINCE(1), NULLABLE(1), NULL_DEFAULT, IGNORABLE)
WIRE_STRUCT(metadata_response_broker, METADATA_RESPONSE_BROKER_FIELDS)

#define METADATA_RESPONSE_PARTITION_FIELDS(FIELD, T)                \
    FIELD(T, INT16, error_code, SINCE(0))                           \
    FIELD(T, INT32, partition_index, SINCE(0))                      \
    FIELD(T, INT32, leader_id, SINCE(0))                            \
    FIELD(T, INT32, leader_epoch, SINCE(7), DEFAULT(-1), IGNORABLE) \
    FIELD(T, ARRAY_INT32, replica_nodes, SINCE(0))                  \
    FIELD(T, ARRAY_INT32, isr_nodes, SINCE(0))                      \
    FIELD(T, ARRAY_INT32, offline_replicas, SINCE(5), IGNORABLE)
WIRE_STRUCT(metadata_response_partition, METADATA_RESPONSE_PARTITION_FIELDS)

#define METADATA_RESPONSE_TOPIC_FIELDS(FIELD, T)                       \
    FIELD(T, INT16, error_code, SINCE(0))                              \
    FIELD(T, STRING, name, SINCE(0), NULLABLE(12))                     \
    FIELD(T, UUID, topic_id, SINCE(10), IGNORABLE)                     \
    FIELD(T, BOOL, is_internal, SINCE(1), IGNORABLE)                   \
    FIELD(T, ARRAY(metadata_response_partition), partitions, SINCE(0)) \
    FIELD(T, INT32, topic_authorized_operations, SINCE(8), DEFAULT(INT32_MIN))
WIRE_STRUCT(metadata_response_topic, METADATA_RESPONSE_TOPIC_FIELDS)

#define METADATA_RESPONSE_FIELDS(FIELD, T)                                             \
    FIELD(T, INT32, throttle_time_ms, SINCE(3), IGNORABLE)                             \
    FIELD(T, ARRAY(metadata_response_broker), brokers, SINCE(0))                       \
    FIELD(T, STRING, cluster_id, SINCE(2), NULLABLE(2), NULL_DEFAULT, IGNORABLE)       \
    FIELD(T, INT32, controller_id, SINCE(1), DEFAULT(-1), IGNORABLE)                   \
    FIELD(T, ARRAY(metadata_response_topic), topics, SINCE(0))                         \
    FIELD(T, INT32, cluster_authorized_operations, BETWEEN(8, 10), DEFAULT(INT32_MIN)) \
    FIELD(T, INT16, error_code, SINCE(13), IGNORABLE)
WIRE_MESSAGE(metadata_response, METADATA_RESPONSE_FIELDS, 0, 13, 9)

#endif
