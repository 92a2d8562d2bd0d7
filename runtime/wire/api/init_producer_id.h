/*
 * InitProducerId (key 22): a producer id and epoch, for idempotence (null transactional id) or a transaction.
 *
 * Version 3 passes the current id and epoch to bump instead of failing (KIP-360).
 */
#ifndef WIRE_API_INIT_PRODUCER_ID_H
#define WIRE_API_INIT_PRODUCER_ID_H

#include "wire/codec.h"

#define INIT_PRODUCER_ID_REQUEST_FIELDS(FIELD, T)             \
    FIELD(T, STRING, transactional_id, SINCE(0), NULLABLE(0)) \
    FIELD(T, INT32, transaction_timeout_ms, SINCE(0))         \
    FIELD(T, INT64, producer_id, SINCE(3), DEFAULT(-1))       \
    FIELD(T, INT16, producer_epoch, SINCE(3), DEFAULT(-1))
WIRE_MESSAGE(init_producer_id_request, INIT_PRODUCER_ID_REQUEST_FIELDS, 0, 5, 2)

#define INIT_PRODUCER_ID_RESPONSE_FIELDS(FIELD, T)      \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))         \
    FIELD(T, INT16, error_code, SINCE(0))               \
    FIELD(T, INT64, producer_id, SINCE(0), DEFAULT(-1)) \
    FIELD(T, INT16, producer_epoch, SINCE(0))
WIRE_MESSAGE(init_producer_id_response, INIT_PRODUCER_ID_RESPONSE_FIELDS, 0, 5, 2)

#endif
