/*
 * AddOffsetsToTxn (key 25): a transaction is about to commit offsets of a group.
 */
#ifndef WIRE_API_ADD_OFFSETS_TO_TXN_H
#define WIRE_API_ADD_OFFSETS_TO_TXN_H

#include "wire/codec.h"

#define ADD_OFFSETS_TO_TXN_REQUEST_FIELDS(FIELD, T) \
    FIELD(T, STRING, transactional_id, SINCE(0))    \
    FIELD(T, INT64, producer_id, SINCE(0))          \
    FIELD(T, INT16, producer_epoch, SINCE(0))       \
    FIELD(T, STRING, group_id, SINCE(0))
WIRE_MESSAGE(add_offsets_to_txn_request, ADD_OFFSETS_TO_TXN_REQUEST_FIELDS, 0, 4, 3)

#define ADD_OFFSETS_TO_TXN_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))      \
    FIELD(T, INT16, error_code, SINCE(0))
WIRE_MESSAGE(add_offsets_to_txn_response, ADD_OFFSETS_TO_TXN_RESPONSE_FIELDS, 0, 4, 3)

#endif
