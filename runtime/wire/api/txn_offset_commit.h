/*
 * TxnOffsetCommit (key 28): offsets that count when the transaction commits.
 *
 * Version 3 brings the member and its generation, by which a zombie is fenced (KIP-447); with 5 the group's offsets need no
 * AddOffsetsToTxn before (KIP-890).
 */
#ifndef WIRE_API_TXN_OFFSET_COMMIT_H
#define WIRE_API_TXN_OFFSET_COMMIT_H

#include "wire/codec.h"

#define TXN_OFFSET_COMMIT_REQUEST_PARTITION_FIELDS(FIELD, T)                  \
    FIELD(T, INT32, partition_index, SINCE(0))                                \
    FIELD(T, INT64, committed_offset, SINCE(0))                               \
    FIELD(T, INT32, committed_leader_epoch, SINCE(2), DEFAULT(-1), IGNORABLE) \
    FIELD(T, STRING, committed_metadata, SINCE(0), NULLABLE(0))
WIRE_STRUCT(txn_offset_commit_request_partition, TXN_OFFSET_COMMIT_REQUEST_PARTITION_FIELDS)

#define TXN_OFFSET_COMMIT_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                     \
    FIELD(T, ARRAY(txn_offset_commit_request_partition), partitions, SINCE(0))
WIRE_STRUCT(txn_offset_commit_request_topic, TXN_OFFSET_COMMIT_REQUEST_TOPIC_FIELDS)

#define TXN_OFFSET_COMMIT_REQUEST_FIELDS(FIELD, T)                           \
    FIELD(T, STRING, transactional_id, SINCE(0))                             \
    FIELD(T, STRING, group_id, SINCE(0))                                     \
    FIELD(T, INT64, producer_id, SINCE(0))                                   \
    FIELD(T, INT16, producer_epoch, SINCE(0))                                \
    FIELD(T, INT32, generation_id, SINCE(3), DEFAULT(-1))                    \
    FIELD(T, STRING, member_id, SINCE(3))                                    \
    FIELD(T, STRING, group_instance_id, SINCE(3), NULLABLE(3), NULL_DEFAULT) \
    FIELD(T, ARRAY(txn_offset_commit_request_topic), topics, SINCE(0))
WIRE_MESSAGE(txn_offset_commit_request, TXN_OFFSET_COMMIT_REQUEST_FIELDS, 0, 5, 3)

#define TXN_OFFSET_COMMIT_RESPONSE_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))                \
    FIELD(T, INT16, error_code, SINCE(0))
WIRE_STRUCT(txn_offset_commit_response_partition, TXN_OFFSET_COMMIT_RESPONSE_PARTITION_FIELDS)

#define TXN_OFFSET_COMMIT_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                      \
    FIELD(T, ARRAY(txn_offset_commit_response_partition), partitions, SINCE(0))
WIRE_STRUCT(txn_offset_commit_response_topic, TXN_OFFSET_COMMIT_RESPONSE_TOPIC_FIELDS)

#define TXN_OFFSET_COMMIT_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))     \
    FIELD(T, ARRAY(txn_offset_commit_response_topic), topics, SINCE(0))
WIRE_MESSAGE(txn_offset_commit_response, TXN_OFFSET_COMMIT_RESPONSE_FIELDS, 0, 5, 3)

#endif
