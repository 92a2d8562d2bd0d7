/*
 * Fetch (key 1): record batches from given offsets, waiting for at least `min_bytes`.
 *
 * Version 4 brings isolation, 7 fetch sessions, 9 leader epochs, 11 the rack, 12 the epoch last fetched, 13 topic ids, 15 the
 * replica's state in a tagged field. A partition with an error has null or empty records.
 */
#ifndef WIRE_API_FETCH_H
#define WIRE_API_FETCH_H

#include "wire/codec.h"

#define FETCH_REQUEST_REPLICA_STATE_FIELDS(FIELD, T)    \
    FIELD(T, INT32, replica_id, SINCE(15), DEFAULT(-1)) \
    FIELD(T, INT64, replica_epoch, SINCE(15), DEFAULT(-1))
WIRE_STRUCT(fetch_request_replica_state, FETCH_REQUEST_REPLICA_STATE_FIELDS)

#define FETCH_REQUEST_PARTITION_FIELDS(FIELD, T)                            \
    FIELD(T, INT32, partition, SINCE(0))                                    \
    FIELD(T, INT32, current_leader_epoch, SINCE(9), DEFAULT(-1), IGNORABLE) \
    FIELD(T, INT64, fetch_offset, SINCE(0))                                 \
    FIELD(T, INT32, last_fetched_epoch, SINCE(12), DEFAULT(-1))             \
    FIELD(T, INT64, log_start_offset, SINCE(5), DEFAULT(-1), IGNORABLE)     \
    FIELD(T, INT32, partition_max_bytes, SINCE(0))                          \
    FIELD(T, UUID, replica_directory_id, SINCE(17), TAG(0), IGNORABLE)      \
    FIELD(T, INT64, high_watermark, SINCE(18), DEFAULT(INT64_MAX), TAG(1), IGNORABLE)
WIRE_STRUCT(fetch_request_partition, FETCH_REQUEST_PARTITION_FIELDS)

#define FETCH_REQUEST_TOPIC_FIELDS(FIELD, T)           \
    FIELD(T, STRING, topic, BETWEEN(0, 12), IGNORABLE) \
    FIELD(T, UUID, topic_id, SINCE(13), IGNORABLE)     \
    FIELD(T, ARRAY(fetch_request_partition), partitions, SINCE(0))
WIRE_STRUCT(fetch_request_topic, FETCH_REQUEST_TOPIC_FIELDS)

#define FETCH_REQUEST_FORGOTTEN_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic, BETWEEN(7, 12), IGNORABLE) \
    FIELD(T, UUID, topic_id, SINCE(13), IGNORABLE)     \
    FIELD(T, ARRAY_INT32, partitions, SINCE(7))
WIRE_STRUCT(fetch_request_forgotten_topic, FETCH_REQUEST_FORGOTTEN_TOPIC_FIELDS)

#define FETCH_REQUEST_FIELDS(FIELD, T)                                                     \
    FIELD(T, STRING, cluster_id, SINCE(12), NULLABLE(12), NULL_DEFAULT, TAG(0), IGNORABLE) \
    FIELD(T, INT32, replica_id, BETWEEN(0, 14), DEFAULT(-1))                               \
    FIELD(T, STRUCT(fetch_request_replica_state), replica_state, SINCE(15), TAG(1))        \
    FIELD(T, INT32, max_wait_ms, SINCE(0))                                                 \
    FIELD(T, INT32, min_bytes, SINCE(0))                                                   \
    FIELD(T, INT32, max_bytes, SINCE(3), DEFAULT(INT32_MAX))                               \
    FIELD(T, INT8, isolation_level, SINCE(4))                                              \
    FIELD(T, INT32, session_id, SINCE(7), IGNORABLE)                                       \
    FIELD(T, INT32, session_epoch, SINCE(7), DEFAULT(-1), IGNORABLE)                       \
    FIELD(T, ARRAY(fetch_request_topic), topics, SINCE(0))                                 \
    FIELD(T, ARRAY(fetch_request_forgotten_topic), forgotten_topics_data, SINCE(7))        \
    FIELD(T, STRING, rack_id, SINCE(11), IGNORABLE)
WIRE_MESSAGE(fetch_request, FETCH_REQUEST_FIELDS, 4, 18, 12)

#define FETCH_RESPONSE_DIVERGING_EPOCH_FIELDS(FIELD, T) \
    FIELD(T, INT32, epoch, SINCE(12), DEFAULT(-1))      \
    FIELD(T, INT64, end_offset, SINCE(12), DEFAULT(-1))
WIRE_STRUCT(fetch_response_diverging_epoch, FETCH_RESPONSE_DIVERGING_EPOCH_FIELDS)

#define FETCH_RESPONSE_CURRENT_LEADER_FIELDS(FIELD, T) \
    FIELD(T, INT32, leader_id, SINCE(12), DEFAULT(-1)) \
    FIELD(T, INT32, leader_epoch, SINCE(12), DEFAULT(-1))
WIRE_STRUCT(fetch_response_current_leader, FETCH_RESPONSE_CURRENT_LEADER_FIELDS)

#define FETCH_RESPONSE_SNAPSHOT_ID_FIELDS(FIELD, T)    \
    FIELD(T, INT64, end_offset, SINCE(0), DEFAULT(-1)) \
    FIELD(T, INT32, epoch, SINCE(0), DEFAULT(-1))
WIRE_STRUCT(fetch_response_snapshot_id, FETCH_RESPONSE_SNAPSHOT_ID_FIELDS)

#define FETCH_RESPONSE_ABORTED_TRANSACTION_FIELDS(FIELD, T) \
    FIELD(T, INT64, producer_id, SINCE(4))                  \
    FIELD(T, INT64, first_offset, SINCE(4))
WIRE_STRUCT(fetch_response_aborted_transaction, FETCH_RESPONSE_ABORTED_TRANSACTION_FIELDS)

#define FETCH_RESPONSE_PARTITION_FIELDS(FIELD, T)                                                    \
    FIELD(T, INT32, partition_index, SINCE(0))                                                       \
    FIELD(T, INT16, error_code, SINCE(0))                                                            \
    FIELD(T, INT64, high_watermark, SINCE(0))                                                        \
    FIELD(T, INT64, last_stable_offset, SINCE(4), DEFAULT(-1))                                       \
    FIELD(T, INT64, log_start_offset, SINCE(5), DEFAULT(-1), IGNORABLE)                              \
    FIELD(T, STRUCT(fetch_response_diverging_epoch), diverging_epoch, SINCE(12), TAG(0))             \
    FIELD(T, STRUCT(fetch_response_current_leader), current_leader, SINCE(12), TAG(1))               \
    FIELD(T, STRUCT(fetch_response_snapshot_id), snapshot_id, SINCE(12), TAG(2))                     \
    FIELD(T, ARRAY(fetch_response_aborted_transaction), aborted_transactions, SINCE(4), NULLABLE(4)) \
    FIELD(T, INT32, preferred_read_replica, SINCE(11), DEFAULT(-1))                                  \
    FIELD(T, RECORDS, records, SINCE(0), NULLABLE(0))
WIRE_STRUCT(fetch_response_partition, FETCH_RESPONSE_PARTITION_FIELDS)

#define FETCH_RESPONSE_TOPIC_FIELDS(FIELD, T)          \
    FIELD(T, STRING, topic, BETWEEN(0, 12), IGNORABLE) \
    FIELD(T, UUID, topic_id, SINCE(13), IGNORABLE)     \
    FIELD(T, ARRAY(fetch_response_partition), partitions, SINCE(0))
WIRE_STRUCT(fetch_response_topic, FETCH_RESPONSE_TOPIC_FIELDS)

#define FETCH_RESPONSE_NODE_ENDPOINT_FIELDS(FIELD, T) \
    FIELD(T, INT32, node_id, SINCE(16))               \
    FIELD(T, STRING, host, SINCE(16))                 \
    FIELD(T, INT32, port, SINCE(16))                  \
    FIELD(T, STRING, rack, SINCE(16), NULLABLE(16), NULL_DEFAULT)
WIRE_STRUCT(fetch_response_node_endpoint, FETCH_RESPONSE_NODE_ENDPOINT_FIELDS)

#define FETCH_RESPONSE_FIELDS(FIELD, T)                        \
    FIELD(T, INT32, throttle_time_ms, SINCE(1))                \
    FIELD(T, INT16, error_code, SINCE(7), IGNORABLE)           \
    FIELD(T, INT32, session_id, SINCE(7))                      \
    FIELD(T, ARRAY(fetch_response_topic), responses, SINCE(0)) \
    FIELD(T, ARRAY(fetch_response_node_endpoint), node_endpoints, SINCE(16), TAG(0))
WIRE_MESSAGE(fetch_response, FETCH_RESPONSE_FIELDS, 4, 18, 12)

#endif
