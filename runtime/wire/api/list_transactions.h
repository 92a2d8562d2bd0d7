/*
 * ListTransactions (key 66): the transactional ids that the coordinator knows.
 *
 * Version 1 filters by the age of what is under way, 2 by a pattern (KIP-994, KIP-1152).
 */
#ifndef WIRE_API_LIST_TRANSACTIONS_H
#define WIRE_API_LIST_TRANSACTIONS_H

#include "wire/codec.h"

#define LIST_TRANSACTIONS_REQUEST_FIELDS(FIELD, T)          \
    FIELD(T, ARRAY_STRING, state_filters, SINCE(0))         \
    FIELD(T, ARRAY_INT64, producer_id_filters, SINCE(0))    \
    FIELD(T, INT64, duration_filter, SINCE(1), DEFAULT(-1)) \
    FIELD(T, STRING, transactional_id_pattern, SINCE(2), NULLABLE(2), NULL_DEFAULT)
WIRE_MESSAGE(list_transactions_request, LIST_TRANSACTIONS_REQUEST_FIELDS, 0, 2, 0)

#define LIST_TRANSACTIONS_RESPONSE_STATE_FIELDS(FIELD, T) \
    FIELD(T, STRING, transactional_id, SINCE(0))          \
    FIELD(T, INT64, producer_id, SINCE(0))                \
    FIELD(T, STRING, transaction_state, SINCE(0))
WIRE_STRUCT(list_transactions_response_state, LIST_TRANSACTIONS_RESPONSE_STATE_FIELDS)

#define LIST_TRANSACTIONS_RESPONSE_FIELDS(FIELD, T)         \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))             \
    FIELD(T, INT16, error_code, SINCE(0))                   \
    FIELD(T, ARRAY_STRING, unknown_state_filters, SINCE(0)) \
    FIELD(T, ARRAY(list_transactions_response_state), transaction_states, SINCE(0))
WIRE_MESSAGE(list_transactions_response, LIST_TRANSACTIONS_RESPONSE_FIELDS, 0, 2, 0)

#endif
