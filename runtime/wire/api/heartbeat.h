/*
 * Heartbeat (key 12): a member of a classic group is alive, and learns that a rebalance is on. Version 3 brings static members.
 */
#ifndef WIRE_API_HEARTBEAT_H
#define WIRE_API_HEARTBEAT_H

#include "wire/codec.h"

#define HEARTBEAT_REQUEST_FIELDS(FIELD, T)   \
    FIELD(T, STRING, group_id, SINCE(0))     \
    FIELD(T, INT32, generation_id, SINCE(0)) \
    FIELD(T, STRING, member_id, SINCE(0))    \
    FIELD(T, STRING, group_instance_id, SINCE(3), NULLABLE(3), NULL_DEFAULT)
WIRE_MESSAGE(heartbeat_request, HEARTBEAT_REQUEST_FIELDS, 0, 4, 4)

#define HEARTBEAT_RESPONSE_FIELDS(FIELD, T)                \
    FIELD(T, INT32, throttle_time_ms, SINCE(1), IGNORABLE) \
    FIELD(T, INT16, error_code, SINCE(0))
WIRE_MESSAGE(heartbeat_response, HEARTBEAT_RESPONSE_FIELDS, 0, 4, 4)

#endif
