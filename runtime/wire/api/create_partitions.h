/*
 * CreatePartitions (key 37): raises the number of partitions of topics; `count` is the new total.
 */
#ifndef WIRE_API_CREATE_PARTITIONS_H
#define WIRE_API_CREATE_PARTITIONS_H

#include "wire/codec.h"

#define CREATE_PARTITIONS_REQUEST_ASSIGNMENT_FIELDS(FIELD, T) FIELD(T, ARRAY_INT32, broker_ids, SINCE(0))
WIRE_STRUCT(create_partitions_request_assignment, CREATE_PARTITIONS_REQUEST_ASSIGNMENT_FIELDS)

#define CREATE_PARTITIONS_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                     \
    FIELD(T, INT32, count, SINCE(0))                     \
    FIELD(T, ARRAY(create_partitions_request_assignment), assignments, SINCE(0), NULLABLE(0))
WIRE_STRUCT(create_partitions_request_topic, CREATE_PARTITIONS_REQUEST_TOPIC_FIELDS)

#define CREATE_PARTITIONS_REQUEST_FIELDS(FIELD, T)                     \
    FIELD(T, ARRAY(create_partitions_request_topic), topics, SINCE(0)) \
    FIELD(T, INT32, timeout_ms, SINCE(0))                              \
    FIELD(T, BOOL, validate_only, SINCE(0))
WIRE_MESSAGE(create_partitions_request, CREATE_PARTITIONS_REQUEST_FIELDS, 0, 3, 2)

#define CREATE_PARTITIONS_RESPONSE_RESULT_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                       \
    FIELD(T, INT16, error_code, SINCE(0))                  \
    FIELD(T, STRING, error_message, SINCE(0), NULLABLE(0), NULL_DEFAULT)
WIRE_STRUCT(create_partitions_response_result, CREATE_PARTITIONS_RESPONSE_RESULT_FIELDS)

#define CREATE_PARTITIONS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))     \
    FIELD(T, ARRAY(create_partitions_response_result), results, SINCE(0))
WIRE_MESSAGE(create_partitions_response, CREATE_PARTITIONS_RESPONSE_FIELDS, 0, 3, 2)

#endif
