/*
 * FindCoordinator (key 10): which broker serves a group (key type 0), a transactional id (1) or share state (2).
 *
 * Up to version 3 one key and one answer in the message itself, from 4 on an array of each.
 */
#ifndef WIRE_API_FIND_COORDINATOR_H
#define WIRE_API_FIND_COORDINATOR_H

#include "wire/codec.h"

#define FIND_COORDINATOR_REQUEST_FIELDS(FIELD, T) \
    FIELD(T, STRING, key, BETWEEN(0, 3))          \
    FIELD(T, INT8, key_type, SINCE(1))            \
    FIELD(T, ARRAY_STRING, coordinator_keys, SINCE(4))
WIRE_MESSAGE(find_coordinator_request, FIND_COORDINATOR_REQUEST_FIELDS, 0, 6, 3)

#define FIND_COORDINATOR_RESPONSE_COORDINATOR_FIELDS(FIELD, T) \
    FIELD(T, STRING, key, SINCE(4))                            \
    FIELD(T, INT32, node_id, SINCE(4))                         \
    FIELD(T, STRING, host, SINCE(4))                           \
    FIELD(T, INT32, port, SINCE(4))                            \
    FIELD(T, INT16, error_code, SINCE(4))                      \
    FIELD(T, STRING, error_message, SINCE(4), NULLABLE(4), IGNORABLE)
WIRE_STRUCT(find_coordinator_response_coordinator, FIND_COORDINATOR_RESPONSE_COORDINATOR_FIELDS)

#define FIND_COORDINATOR_RESPONSE_FIELDS(FIELD, T)                         \
    FIELD(T, INT32, throttle_time_ms, SINCE(1), IGNORABLE)                 \
    FIELD(T, INT16, error_code, BETWEEN(0, 3))                             \
    FIELD(T, STRING, error_message, BETWEEN(1, 3), NULLABLE(1), IGNORABLE) \
    FIELD(T, INT32, node_id, BETWEEN(0, 3))                                \
    FIELD(T, STRING, host, BETWEEN(0, 3))                                  \
    FIELD(T, INT32, port, BETWEEN(0, 3))                                   \
    FIELD(T, ARRAY(find_coordinator_response_coordinator), coordinators, SINCE(4))
WIRE_MESSAGE(find_coordinator_response, FIND_COORDINATOR_RESPONSE_FIELDS, 0, 6, 3)

#endif
