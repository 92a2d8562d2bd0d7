/*
 * OffsetFetch (key 9): the committed positions of a group.
 *
 * Up to version 7 one group (fields of the request itself), from 8 on many. Null topics (version 2) ask for all. Version 7
 * brings `require_stable`, 9 member epochs, 10 topic ids.
 */
#ifndef WIRE_API_OFFSET_FETCH_H
#define WIRE_API_OFFSET_FETCH_H

#include "wire/codec.h"

#define OFFSET_FETCH_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, BETWEEN(0, 7))           \
    FIELD(T, ARRAY_INT32, partition_indexes, BETWEEN(0, 7))
WIRE_STRUCT(offset_fetch_request_topic, OFFSET_FETCH_REQUEST_TOPIC_FIELDS)

#define OFFSET_FETCH_REQUEST_GROUP_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, BETWEEN(8, 9), IGNORABLE)      \
    FIELD(T, UUID, topic_id, SINCE(10), IGNORABLE)        \
    FIELD(T, ARRAY_INT32, partition_indexes, SINCE(8))
WIRE_STRUCT(offset_fetch_request_group_topic, OFFSET_FETCH_REQUEST_GROUP_TOPIC_FIELDS)

#define OFFSET_FETCH_REQUEST_GROUP_FIELDS(FIELD, T)                             \
    FIELD(T, STRING, group_id, SINCE(8))                                        \
    FIELD(T, STRING, member_id, SINCE(9), NULLABLE(9), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, INT32, member_epoch, SINCE(9), DEFAULT(-1), IGNORABLE)             \
    FIELD(T, ARRAY(offset_fetch_request_group_topic), topics, SINCE(8), NULLABLE(8))
WIRE_STRUCT(offset_fetch_request_group, OFFSET_FETCH_REQUEST_GROUP_FIELDS)

#define OFFSET_FETCH_REQUEST_FIELDS(FIELD, T)                                       \
    FIELD(T, STRING, group_id, BETWEEN(0, 7))                                       \
    FIELD(T, ARRAY(offset_fetch_request_topic), topics, BETWEEN(0, 7), NULLABLE(2)) \
    FIELD(T, ARRAY(offset_fetch_request_group), groups, SINCE(8))                   \
    FIELD(T, BOOL, require_stable, SINCE(7))
WIRE_MESSAGE(offset_fetch_request, OFFSET_FETCH_REQUEST_FIELDS, 1, 10, 6)

#define OFFSET_FETCH_RESPONSE_PARTITION_FIELDS(FIELD, T)                           \
    FIELD(T, INT32, partition_index, BETWEEN(0, 7))                                \
    FIELD(T, INT64, committed_offset, BETWEEN(0, 7))                               \
    FIELD(T, INT32, committed_leader_epoch, BETWEEN(5, 7), DEFAULT(-1), IGNORABLE) \
    FIELD(T, STRING, metadata, BETWEEN(0, 7), NULLABLE(0))                         \
    FIELD(T, INT16, error_code, BETWEEN(0, 7))
WIRE_STRUCT(offset_fetch_response_partition, OFFSET_FETCH_RESPONSE_PARTITION_FIELDS)

#define OFFSET_FETCH_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, BETWEEN(0, 7))            \
    FIELD(T, ARRAY(offset_fetch_response_partition), partitions, BETWEEN(0, 7))
WIRE_STRUCT(offset_fetch_response_topic, OFFSET_FETCH_RESPONSE_TOPIC_FIELDS)

#define OFFSET_FETCH_RESPONSE_GROUP_PARTITION_FIELDS(FIELD, T)                \
    FIELD(T, INT32, partition_index, SINCE(8))                                \
    FIELD(T, INT64, committed_offset, SINCE(8))                               \
    FIELD(T, INT32, committed_leader_epoch, SINCE(8), DEFAULT(-1), IGNORABLE) \
    FIELD(T, STRING, metadata, SINCE(8), NULLABLE(8))                         \
    FIELD(T, INT16, error_code, SINCE(8))
WIRE_STRUCT(offset_fetch_response_group_partition, OFFSET_FETCH_RESPONSE_GROUP_PARTITION_FIELDS)

#define OFFSET_FETCH_RESPONSE_GROUP_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, BETWEEN(8, 9), IGNORABLE)       \
    FIELD(T, UUID, topic_id, SINCE(10), IGNORABLE)         \
    FIELD(T, ARRAY(offset_fetch_response_group_partition), partitions, SINCE(8))
WIRE_STRUCT(offset_fetch_response_group_topic, OFFSET_FETCH_RESPONSE_GROUP_TOPIC_FIELDS)

#define OFFSET_FETCH_RESPONSE_GROUP_FIELDS(FIELD, T)                     \
    FIELD(T, STRING, group_id, SINCE(8))                                 \
    FIELD(T, ARRAY(offset_fetch_response_group_topic), topics, SINCE(8)) \
    FIELD(T, INT16, error_code, SINCE(8))
WIRE_STRUCT(offset_fetch_response_group, OFFSET_FETCH_RESPONSE_GROUP_FIELDS)

#define OFFSET_FETCH_RESPONSE_FIELDS(FIELD, T)                          \
    FIELD(T, INT32, throttle_time_ms, SINCE(3), IGNORABLE)              \
    FIELD(T, ARRAY(offset_fetch_response_topic), topics, BETWEEN(0, 7)) \
    FIELD(T, INT16, error_code, BETWEEN(2, 7), IGNORABLE)               \
    FIELD(T, ARRAY(offset_fetch_response_group), groups, SINCE(8))
WIRE_MESSAGE(offset_fetch_response, OFFSET_FETCH_RESPONSE_FIELDS, 1, 10, 6)

#endif
