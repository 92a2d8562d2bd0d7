/*
 * OffsetForLeaderEpoch (key 23): where a leader epoch ends, so that consumers and followers find where logs diverge.
 */
#ifndef WIRE_API_OFFSET_FOR_LEADER_EPOCH_H
#define WIRE_API_OFFSET_FOR_LEADER_EPOCH_H

#include "wire/codec.h"

#define OFFSET_FOR_LEADER_EPOCH_REQUEST_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition, SINCE(0))                           \
    FIELD(T, INT32, current_leader_epoch, SINCE(2), DEFAULT(-1))   \
    FIELD(T, INT32, leader_epoch, SINCE(0))
WIRE_STRUCT(offset_for_leader_epoch_request_partition, OFFSET_FOR_LEADER_EPOCH_REQUEST_PARTITION_FIELDS)

#define OFFSET_FOR_LEADER_EPOCH_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic, SINCE(0))                          \
    FIELD(T, ARRAY(offset_for_leader_epoch_request_partition), partitions, SINCE(0))
WIRE_STRUCT(offset_for_leader_epoch_request_topic, OFFSET_FOR_LEADER_EPOCH_REQUEST_TOPIC_FIELDS)

#define OFFSET_FOR_LEADER_EPOCH_REQUEST_FIELDS(FIELD, T)          \
    FIELD(T, INT32, replica_id, SINCE(3), DEFAULT(-2), IGNORABLE) \
    FIELD(T, ARRAY(offset_for_leader_epoch_request_topic), topics, SINCE(0))
WIRE_MESSAGE(offset_for_leader_epoch_request, OFFSET_FOR_LEADER_EPOCH_REQUEST_FIELDS, 2, 4, 4)

#define OFFSET_FOR_LEADER_EPOCH_RESPONSE_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT16, error_code, SINCE(0))                           \
    FIELD(T, INT32, partition, SINCE(0))                            \
    FIELD(T, INT32, leader_epoch, SINCE(1), DEFAULT(-1))            \
    FIELD(T, INT64, end_offset, SINCE(0), DEFAULT(-1))
WIRE_STRUCT(offset_for_leader_epoch_response_partition, OFFSET_FOR_LEADER_EPOCH_RESPONSE_PARTITION_FIELDS)

#define OFFSET_FOR_LEADER_EPOCH_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic, SINCE(0))                           \
    FIELD(T, ARRAY(offset_for_leader_epoch_response_partition), partitions, SINCE(0))
WIRE_STRUCT(offset_for_leader_epoch_response_topic, OFFSET_FOR_LEADER_EPOCH_RESPONSE_TOPIC_FIELDS)

#define OFFSET_FOR_LEADER_EPOCH_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(2))           \
    FIELD(T, ARRAY(offset_for_leader_epoch_response_topic), topics, SINCE(0))
WIRE_MESSAGE(offset_for_leader_epoch_response, OFFSET_FOR_LEADER_EPOCH_RESPONSE_FIELDS, 2, 4, 4)

#endif
