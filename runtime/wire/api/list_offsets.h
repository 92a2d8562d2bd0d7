/*
 * ListOffsets (key 2): the offset for a timestamp.
 *
 * Timestamps -1 and -2 mean the end and the start of the log, -3 (version 7) the largest timestamp, -4 (8) the start of the
 * local log, -5 (9) the end of the tiered part, -6 (11) the first offset not yet uploaded.
 */
#ifndef WIRE_API_LIST_OFFSETS_H
#define WIRE_API_LIST_OFFSETS_H

#include "wire/codec.h"

#define LIST_OFFSETS_REQUEST_PARTITION_FIELDS(FIELD, T)                     \
    FIELD(T, INT32, partition_index, SINCE(0))                              \
    FIELD(T, INT32, current_leader_epoch, SINCE(4), DEFAULT(-1), IGNORABLE) \
    FIELD(T, INT64, timestamp, SINCE(0))
WIRE_STRUCT(list_offsets_request_partition, LIST_OFFSETS_REQUEST_PARTITION_FIELDS)

#define LIST_OFFSETS_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                \
    FIELD(T, ARRAY(list_offsets_request_partition), partitions, SINCE(0))
WIRE_STRUCT(list_offsets_request_topic, LIST_OFFSETS_REQUEST_TOPIC_FIELDS)

#define LIST_OFFSETS_REQUEST_FIELDS(FIELD, T)                     \
    FIELD(T, INT32, replica_id, SINCE(0))                         \
    FIELD(T, INT8, isolation_level, SINCE(2))                     \
    FIELD(T, ARRAY(list_offsets_request_topic), topics, SINCE(0)) \
    FIELD(T, INT32, timeout_ms, SINCE(10), IGNORABLE)
WIRE_MESSAGE(list_offsets_request, LIST_OFFSETS_REQUEST_FIELDS, 1, 11, 6)

#define LIST_OFFSETS_RESPONSE_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))           \
    FIELD(T, INT16, error_code, SINCE(0))                \
    FIELD(T, INT64, timestamp, SINCE(1), DEFAULT(-1))    \
    FIELD(T, INT64, offset, SINCE(1), DEFAULT(-1))       \
    FIELD(T, INT32, leader_epoch, SINCE(4), DEFAULT(-1))
WIRE_STRUCT(list_offsets_response_partition, LIST_OFFSETS_RESPONSE_PARTITION_FIELDS)

#define LIST_OFFSETS_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                 \
    FIELD(T, ARRAY(list_offsets_response_partition), partitions, SINCE(0))
WIRE_STRUCT(list_offsets_response_topic, LIST_OFFSETS_RESPONSE_TOPIC_FIELDS)

#define LIST_OFFSETS_RESPONSE_FIELDS(FIELD, T)             \
    FIELD(T, INT32, throttle_time_ms, SINCE(2), IGNORABLE) \
    FIELD(T, ARRAY(list_offsets_response_topic), topics, SINCE(0))
WIRE_MESSAGE(list_offsets_response, LIST_OFFSETS_RESPONSE_FIELDS, 1, 11, 6)

#endif
