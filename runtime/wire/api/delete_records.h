/*
 * DeleteRecords (key 21): moves the start of partitions' logs up to an offset; -1 means the high watermark.
 */
#ifndef WIRE_API_DELETE_RECORDS_H
#define WIRE_API_DELETE_RECORDS_H

#include "wire/codec.h"

#define DELETE_RECORDS_REQUEST_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))            \
    FIELD(T, INT64, offset, SINCE(0))
WIRE_STRUCT(delete_records_request_partition, DELETE_RECORDS_REQUEST_PARTITION_FIELDS)

#define DELETE_RECORDS_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                  \
    FIELD(T, ARRAY(delete_records_request_partition), partitions, SINCE(0))
WIRE_STRUCT(delete_records_request_topic, DELETE_RECORDS_REQUEST_TOPIC_FIELDS)

#define DELETE_RECORDS_REQUEST_FIELDS(FIELD, T)                     \
    FIELD(T, ARRAY(delete_records_request_topic), topics, SINCE(0)) \
    FIELD(T, INT32, timeout_ms, SINCE(0))
WIRE_MESSAGE(delete_records_request, DELETE_RECORDS_REQUEST_FIELDS, 0, 2, 2)

#define DELETE_RECORDS_RESPONSE_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))             \
    FIELD(T, INT64, low_watermark, SINCE(0))               \
    FIELD(T, INT16, error_code, SINCE(0))
WIRE_STRUCT(delete_records_response_partition, DELETE_RECORDS_RESPONSE_PARTITION_FIELDS)

#define DELETE_RECORDS_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                   \
    FIELD(T, ARRAY(delete_records_response_partition), partitions, SINCE(0))
WIRE_STRUCT(delete_records_response_topic, DELETE_RECORDS_RESPONSE_TOPIC_FIELDS)

#define DELETE_RECORDS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))  \
    FIELD(T, ARRAY(delete_records_response_topic), topics, SINCE(0))
WIRE_MESSAGE(delete_records_response, DELETE_RECORDS_RESPONSE_FIELDS, 0, 2, 2)

#endif
