/*
 * Produce (key 0): record batches to append, one batch per partition.
 *
 * Since version 3 batches are of format 2. Version 7 allows zstd, 8 answers errors record by record, 10 hints at a new leader,
 * 12 adds partitions to the transaction silently, 13 names topics by id. With acks 0 there is no answer at all.
 */
#ifndef WIRE_API_PRODUCE_H
#define WIRE_API_PRODUCE_H

#include "wire/codec.h"

#define PRODUCE_REQUEST_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, index, SINCE(0))               \
    FIELD(T, RECORDS, records, SINCE(0), NULLABLE(0))
WIRE_STRUCT(produce_request_partition, PRODUCE_REQUEST_PARTITION_FIELDS)

#define PRODUCE_REQUEST_TOPIC_FIELDS(FIELD, T)        \
    FIELD(T, STRING, name, BETWEEN(0, 12), IGNORABLE) \
    FIELD(T, UUID, topic_id, SINCE(13), IGNORABLE)    \
    FIELD(T, ARRAY(produce_request_partition), partition_data, SINCE(0))
WIRE_STRUCT(produce_request_topic, PRODUCE_REQUEST_TOPIC_FIELDS)

#define PRODUCE_REQUEST_FIELDS(FIELD, T)                                    \
    FIELD(T, STRING, transactional_id, SINCE(3), NULLABLE(3), NULL_DEFAULT) \
    FIELD(T, INT16, acks, SINCE(0))                                         \
    FIELD(T, INT32, timeout_ms, SINCE(0))                                   \
    FIELD(T, ARRAY(produce_request_topic), topic_data, SINCE(0))
WIRE_MESSAGE(produce_request, PRODUCE_REQUEST_FIELDS, 3, 13, 9)

#define PRODUCE_RESPONSE_RECORD_ERROR_FIELDS(FIELD, T) \
    FIELD(T, INT32, batch_index, SINCE(8))             \
    FIELD(T, STRING, batch_index_error_message, SINCE(8), NULLABLE(8), NULL_DEFAULT)
WIRE_STRUCT(produce_response_record_error, PRODUCE_RESPONSE_RECORD_ERROR_FIELDS)

#define PRODUCE_RESPONSE_CURRENT_LEADER_FIELDS(FIELD, T) \
    FIELD(T, INT32, leader_id, SINCE(10), DEFAULT(-1))   \
    FIELD(T, INT32, leader_epoch, SINCE(10), DEFAULT(-1))
WIRE_STRUCT(produce_response_current_leader, PRODUCE_RESPONSE_CURRENT_LEADER_FIELDS)

#define PRODUCE_RESPONSE_PARTITION_FIELDS(FIELD, T)                                    \
    FIELD(T, INT32, index, SINCE(0))                                                   \
    FIELD(T, INT16, error_code, SINCE(0))                                              \
    FIELD(T, INT64, base_offset, SINCE(0))                                             \
    FIELD(T, INT64, log_append_time_ms, SINCE(2), DEFAULT(-1))                         \
    FIELD(T, INT64, log_start_offset, SINCE(5), DEFAULT(-1), IGNORABLE)                \
    FIELD(T, ARRAY(produce_response_record_error), record_errors, SINCE(8), IGNORABLE) \
    FIELD(T, STRING, error_message, SINCE(8), NULLABLE(8), NULL_DEFAULT, IGNORABLE)    \
    FIELD(T, STRUCT(produce_response_current_leader), current_leader, SINCE(10), TAG(0))
WIRE_STRUCT(produce_response_partition, PRODUCE_RESPONSE_PARTITION_FIELDS)

#define PRODUCE_RESPONSE_TOPIC_FIELDS(FIELD, T)       \
    FIELD(T, STRING, name, BETWEEN(0, 12), IGNORABLE) \
    FIELD(T, UUID, topic_id, SINCE(13), IGNORABLE)    \
    FIELD(T, ARRAY(produce_response_partition), partition_responses, SINCE(0))
WIRE_STRUCT(produce_response_topic, PRODUCE_RESPONSE_TOPIC_FIELDS)

#define PRODUCE_RESPONSE_NODE_ENDPOINT_FIELDS(FIELD, T) \
    FIELD(T, INT32, node_id, SINCE(10))                 \
    FIELD(T, STRING, host, SINCE(10))                   \
    FIELD(T, INT32, port, SINCE(10))                    \
    FIELD(T, STRING, rack, SINCE(10), NULLABLE(10), NULL_DEFAULT)
WIRE_STRUCT(produce_response_node_endpoint, PRODUCE_RESPONSE_NODE_ENDPOINT_FIELDS)

#define PRODUCE_RESPONSE_FIELDS(FIELD, T)                        \
    FIELD(T, ARRAY(produce_response_topic), responses, SINCE(0)) \
    FIELD(T, INT32, throttle_time_ms, SINCE(1))                  \
    FIELD(T, ARRAY(produce_response_node_endpoint), node_endpoints, SINCE(10), TAG(0))
WIRE_MESSAGE(produce_response, PRODUCE_RESPONSE_FIELDS, 3, 13, 9)

#endif
