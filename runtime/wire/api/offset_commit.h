/*
 * OffsetCommit (key 8): a consumer's positions, to be kept by its group's coordinator.
 *
 * Generation -1 and an empty member id commit from outside the group. Version 6 adds leader epochs, 7 static members, 9 member
 * epochs (KIP-848), 10 topic ids instead of names.
 */
#ifndef WIRE_API_OFFSET_COMMIT_H
#define WIRE_API_OFFSET_COMMIT_H

#include "wire/codec.h"

#define OFFSET_COMMIT_REQUEST_PARTITION_FIELDS(FIELD, T)                      \
    FIELD(T, INT32, partition_index, SINCE(0))                                \
    FIELD(T, INT64, committed_offset, SINCE(0))                               \
    FIELD(T, INT32, committed_leader_epoch, SINCE(6), DEFAULT(-1), IGNORABLE) \
    FIELD(T, STRING, committed_metadata, SINCE(0), NULLABLE(0))
WIRE_STRUCT(offset_commit_request_partition, OFFSET_COMMIT_REQUEST_PARTITION_FIELDS)

#define OFFSET_COMMIT_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, BETWEEN(0, 9), IGNORABLE) \
    FIELD(T, UUID, topic_id, SINCE(10), IGNORABLE)   \
    FIELD(T, ARRAY(offset_commit_request_partition), partitions, SINCE(0))
WIRE_STRUCT(offset_commit_request_topic, OFFSET_COMMIT_REQUEST_TOPIC_FIELDS)

#define OFFSET_COMMIT_REQUEST_FIELDS(FIELD, T)                                \
    FIELD(T, STRING, group_id, SINCE(0))                                      \
    FIELD(T, INT32, generation_id_or_member_epoch, SINCE(1), DEFAULT(-1))     \
    FIELD(T, STRING, member_id, SINCE(1))                                     \
    FIELD(T, STRING, group_instance_id, SINCE(7), NULLABLE(7), NULL_DEFAULT)  \
    FIELD(T, INT64, retention_time_ms, BETWEEN(2, 4), DEFAULT(-1), IGNORABLE) \
    FIELD(T, ARRAY(offset_commit_request_topic), topics, SINCE(0))
WIRE_MESSAGE(offset_commit_request, OFFSET_COMMIT_REQUEST_FIELDS, 2, 10, 8)

#define OFFSET_COMMIT_RESPONSE_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))            \
    FIELD(T, INT16, error_code, SINCE(0))
WIRE_STRUCT(offset_commit_response_partition, OFFSET_COMMIT_RESPONSE_PARTITION_FIELDS)

#define OFFSET_COMMIT_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, BETWEEN(0, 9), IGNORABLE)  \
    FIELD(T, UUID, topic_id, SINCE(10), IGNORABLE)    \
    FIELD(T, ARRAY(offset_commit_response_partition), partitions, SINCE(0))
WIRE_STRUCT(offset_commit_response_topic, OFFSET_COMMIT_RESPONSE_TOPIC_FIELDS)

#define OFFSET_COMMIT_RESPONSE_FIELDS(FIELD, T)            \
    FIELD(T, INT32, throttle_time_ms, SINCE(3), IGNORABLE) \
    FIELD(T, ARRAY(offset_commit_response_topic), topics, SINCE(0))
WIRE_MESSAGE(offset_commit_response, OFFSET_COMMIT_RESPONSE_FIELDS, 2, 10, 8)

#endif
