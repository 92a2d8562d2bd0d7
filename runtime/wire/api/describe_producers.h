/*
 * DescribeProducers (key 61): the producers that a partition knows, and whose transaction is open there.
 */
#ifndef WIRE_API_DESCRIBE_PRODUCERS_H
#define WIRE_API_DESCRIBE_PRODUCERS_H

#include "wire/codec.h"

#define DESCRIBE_PRODUCERS_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                      \
    FIELD(T, ARRAY_INT32, partition_indexes, SINCE(0))
WIRE_STRUCT(describe_producers_request_topic, DESCRIBE_PRODUCERS_REQUEST_TOPIC_FIELDS)

#define DESCRIBE_PRODUCERS_REQUEST_FIELDS(FIELD, T) FIELD(T, ARRAY(describe_producers_request_topic), topics, SINCE(0))
WIRE_MESSAGE(describe_producers_request, DESCRIBE_PRODUCERS_REQUEST_FIELDS, 0, 0, 0)

#define DESCRIBE_PRODUCERS_RESPONSE_PRODUCER_FIELDS(FIELD, T) \
    FIELD(T, INT64, producer_id, SINCE(0))                    \
    FIELD(T, INT32, producer_epoch, SINCE(0))                 \
    FIELD(T, INT32, last_sequence, SINCE(0), DEFAULT(-1))     \
    FIELD(T, INT64, last_timestamp, SINCE(0), DEFAULT(-1))    \
    FIELD(T, INT32, coordinator_epoch, SINCE(0))              \
    FIELD(T, INT64, current_txn_start_offset, SINCE(0), DEFAULT(-1))
WIRE_STRUCT(describe_producers_response_producer, DESCRIBE_PRODUCERS_RESPONSE_PRODUCER_FIELDS)

#define DESCRIBE_PRODUCERS_RESPONSE_PARTITION_FIELDS(FIELD, T)           \
    FIELD(T, INT32, partition_index, SINCE(0))                           \
    FIELD(T, INT16, error_code, SINCE(0))                                \
    FIELD(T, STRING, error_message, SINCE(0), NULLABLE(0), NULL_DEFAULT) \
    FIELD(T, ARRAY(describe_producers_response_producer), active_producers, SINCE(0))
WIRE_STRUCT(describe_producers_response_partition, DESCRIBE_PRODUCERS_RESPONSE_PARTITION_FIELDS)

#define DESCRIBE_PRODUCERS_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                       \
    FIELD(T, ARRAY(describe_producers_response_partition), partitions, SINCE(0))
WIRE_STRUCT(describe_producers_response_topic, DESCRIBE_PRODUCERS_RESPONSE_TOPIC_FIELDS)

#define DESCRIBE_PRODUCERS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))      \
    FIELD(T, ARRAY(describe_producers_response_topic), topics, SINCE(0))
WIRE_MESSAGE(describe_producers_response, DESCRIBE_PRODUCERS_RESPONSE_FIELDS, 0, 0, 0)

#endif
