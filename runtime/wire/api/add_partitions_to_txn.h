/*
 * AddPartitionsToTxn (key 24): partitions that a transaction is about to write to.
 *
 * Clients speak versions up to 3, one transaction a request. From version 4 on it is what brokers say to the coordinator: many
 * transactions, and verify_only, which asks whether the partitions are in the transaction and adds none (KIP-890).
 */
#ifndef WIRE_API_ADD_PARTITIONS_TO_TXN_H
#define WIRE_API_ADD_PARTITIONS_TO_TXN_H

#include "wire/codec.h"

#define ADD_PARTITIONS_TO_TXN_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                 \
    FIELD(T, ARRAY_INT32, partitions, SINCE(0))
WIRE_STRUCT(add_partitions_to_txn_topic, ADD_PARTITIONS_TO_TXN_TOPIC_FIELDS)

#define ADD_PARTITIONS_TO_TXN_REQUEST_TRANSACTION_FIELDS(FIELD, T) \
    FIELD(T, STRING, transactional_id, SINCE(4))                   \
    FIELD(T, INT64, producer_id, SINCE(4))                         \
    FIELD(T, INT16, producer_epoch, SINCE(4))                      \
    FIELD(T, BOOL, verify_only, SINCE(4))                          \
    FIELD(T, ARRAY(add_partitions_to_txn_topic), topics, SINCE(4))
WIRE_STRUCT(add_partitions_to_txn_request_transaction, ADD_PARTITIONS_TO_TXN_REQUEST_TRANSACTION_FIELDS)

#define ADD_PARTITIONS_TO_TXN_REQUEST_FIELDS(FIELD, T)                                 \
    FIELD(T, ARRAY(add_partitions_to_txn_request_transaction), transactions, SINCE(4)) \
    FIELD(T, STRING, v3_and_below_transactional_id, BETWEEN(0, 3))                     \
    FIELD(T, INT64, v3_and_below_producer_id, BETWEEN(0, 3))                           \
    FIELD(T, INT16, v3_and_below_producer_epoch, BETWEEN(0, 3))                        \
    FIELD(T, ARRAY(add_partitions_to_txn_topic), v3_and_below_topics, BETWEEN(0, 3))
WIRE_MESSAGE(add_partitions_to_txn_request, ADD_PARTITIONS_TO_TXN_REQUEST_FIELDS, 0, 5, 3)

#define ADD_PARTITIONS_TO_TXN_PARTITION_RESULT_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))                  \
    FIELD(T, INT16, partition_error_code, SINCE(0))
WIRE_STRUCT(add_partitions_to_txn_partition_result, ADD_PARTITIONS_TO_TXN_PARTITION_RESULT_FIELDS)

#define ADD_PARTITIONS_TO_TXN_TOPIC_RESULT_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                        \
    FIELD(T, ARRAY(add_partitions_to_txn_partition_result), results_by_partition, SINCE(0))
WIRE_STRUCT(add_partitions_to_txn_topic_result, ADD_PARTITIONS_TO_TXN_TOPIC_RESULT_FIELDS)

#define ADD_PARTITIONS_TO_TXN_RESULT_FIELDS(FIELD, T) \
    FIELD(T, STRING, transactional_id, SINCE(4))      \
    FIELD(T, ARRAY(add_partitions_to_txn_topic_result), topic_results, SINCE(4))
WIRE_STRUCT(add_partitions_to_txn_result, ADD_PARTITIONS_TO_TXN_RESULT_FIELDS)

#define ADD_PARTITIONS_TO_TXN_RESPONSE_FIELDS(FIELD, T)                             \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))                                     \
    FIELD(T, INT16, error_code, SINCE(4), IGNORABLE)                                \
    FIELD(T, ARRAY(add_partitions_to_txn_result), results_by_transaction, SINCE(4)) \
    FIELD(T, ARRAY(add_partitions_to_txn_topic_result), results_by_topic_v3_and_below, BETWEEN(0, 3))
WIRE_MESSAGE(add_partitions_to_txn_response, ADD_PARTITIONS_TO_TXN_RESPONSE_FIELDS, 0, 5, 3)

#endif
