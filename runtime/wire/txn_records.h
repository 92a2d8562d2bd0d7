/*
 * Keys and values of `__transaction_state`: what the coordinator knows of each transactional id.
 *
 * A key and a value in the topic are an int16, then the body: wire_append and wire_decode take the body. For a key the number is
 * its type, 0; for a value its version. A null value is a tombstone.
 */
#ifndef WIRE_TXN_RECORDS_H
#define WIRE_TXN_RECORDS_H

#include "wire/codec.h"

/* Version 1 is written where transaction.version is 1 or above, 0 else. */
enum { TXN_RECORD_KEY = 0, TXN_LOG_VALUE_VERSION = 1 };

#define TRANSACTION_LOG_KEY_FIELDS(FIELD, T) FIELD(T, STRING, transactional_id, SINCE(0))
WIRE_MESSAGE(transaction_log_key, TRANSACTION_LOG_KEY_FIELDS, 0, 0, WIRE_NEVER)

#define TRANSACTION_LOG_VALUE_PARTITIONS_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic, SINCE(0))                     \
    FIELD(T, ARRAY_INT32, partition_ids, SINCE(0))
WIRE_STRUCT(transaction_log_value_partitions, TRANSACTION_LOG_VALUE_PARTITIONS_FIELDS)

#define TRANSACTION_LOG_VALUE_FIELDS(FIELD, T)                                                       \
    FIELD(T, INT64, producer_id, SINCE(0))                                                           \
    FIELD(T, INT64, previous_producer_id, SINCE(1), DEFAULT(-1), TAG(0), IGNORABLE)                  \
    FIELD(T, INT64, next_producer_id, SINCE(1), DEFAULT(-1), TAG(1), IGNORABLE)                      \
    FIELD(T, INT16, producer_epoch, SINCE(0))                                                        \
    FIELD(T, INT16, next_producer_epoch, SINCE(1), DEFAULT(-1), TAG(3), IGNORABLE)                   \
    FIELD(T, INT32, transaction_timeout_ms, SINCE(0))                                                \
    FIELD(T, INT8, transaction_status, SINCE(0))                                                     \
    FIELD(T, ARRAY(transaction_log_value_partitions), transaction_partitions, SINCE(0), NULLABLE(0)) \
    FIELD(T, INT64, transaction_last_update_timestamp_ms, SINCE(0))                                  \
    FIELD(T, INT64, transaction_start_timestamp_ms, SINCE(0))                                        \
    FIELD(T, INT16, client_transaction_version, SINCE(1), TAG(2), IGNORABLE)
WIRE_MESSAGE(transaction_log_value, TRANSACTION_LOG_VALUE_FIELDS, 0, 1, 1)

#endif
