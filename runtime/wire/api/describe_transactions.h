/*
 * DescribeTransactions (key 65): where transactions stand, by transactional id.
 */
#ifndef WIRE_API_DESCRIBE_TRANSACTIONS_H
#define WIRE_API_DESCRIBE_TRANSACTIONS_H

#include "wire/codec.h"

#define DESCRIBE_TRANSACTIONS_REQUEST_FIELDS(FIELD, T) FIELD(T, ARRAY_STRING, transactional_ids, SINCE(0))
WIRE_MESSAGE(describe_transactions_request, DESCRIBE_TRANSACTIONS_REQUEST_FIELDS, 0, 0, 0)

#define DESCRIBE_TRANSACTIONS_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic, SINCE(0))                         \
    FIELD(T, ARRAY_INT32, partitions, SINCE(0))
WIRE_STRUCT(describe_transactions_response_topic, DESCRIBE_TRANSACTIONS_RESPONSE_TOPIC_FIELDS)

#define DESCRIBE_TRANSACTIONS_RESPONSE_STATE_FIELDS(FIELD, T) \
    FIELD(T, INT16, error_code, SINCE(0))                     \
    FIELD(T, STRING, transactional_id, SINCE(0))              \
    FIELD(T, STRING, transaction_state, SINCE(0))             \
    FIELD(T, INT32, transaction_timeout_ms, SINCE(0))         \
    FIELD(T, INT64, transaction_start_time_ms, SINCE(0))      \
    FIELD(T, INT64, producer_id, SINCE(0))                    \
    FIELD(T, INT16, producer_epoch, SINCE(0))                 \
    FIELD(T, ARRAY(describe_transactions_response_topic), topics, SINCE(0))
WIRE_STRUCT(describe_transactions_response_state, DESCRIBE_TRANSACTIONS_RESPONSE_STATE_FIELDS)

#define DESCRIBE_TRANSACTIONS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))         \
    FIELD(T, ARRAY(describe_transactions_response_state), transaction_states, SINCE(0))
WIRE_MESSAGE(describe_transactions_response, DESCRIBE_TRANSACTIONS_RESPONSE_FIELDS, 0, 0, 0)

#endif
