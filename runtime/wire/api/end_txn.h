/*
 * EndTxn (key 26): a transaction commits or aborts.
 *
 * Version 5 bumps the producer's epoch with every transaction, and answers with what the next one is to use (KIP-890).
 */
#ifndef WIRE_API_END_TXN_H
#define WIRE_API_END_TXN_H

#include "wire/codec.h"

#define END_TXN_REQUEST_FIELDS(FIELD, T)         \
    FIELD(T, STRING, transactional_id, SINCE(0)) \
    FIELD(T, INT64, producer_id, SINCE(0))       \
    FIELD(T, INT16, producer_epoch, SINCE(0))    \
    FIELD(T, BOOL, committed, SINCE(0))
WIRE_MESSAGE(end_txn_request, END_TXN_REQUEST_FIELDS, 0, 5, 3)

#define END_TXN_RESPONSE_FIELDS(FIELD, T)                          \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))                    \
    FIELD(T, INT16, error_code, SINCE(0))                          \
    FIELD(T, INT64, producer_id, SINCE(5), DEFAULT(-1), IGNORABLE) \
    FIELD(T, INT16, producer_epoch, SINCE(5), DEFAULT(-1), IGNORABLE)
WIRE_MESSAGE(end_txn_response, END_TXN_RESPONSE_FIELDS, 0, 5, 3)

#endif
