/*
 * SyncGroup (key 14): the leader brings the assignments, every member takes its own.
 *
 * Assignments are opaque to the broker. Version 3 brings static members, 5 the protocol type and name.
 */
#ifndef WIRE_API_SYNC_GROUP_H
#define WIRE_API_SYNC_GROUP_H

#include "wire/codec.h"

#define SYNC_GROUP_REQUEST_ASSIGNMENT_FIELDS(FIELD, T) \
    FIELD(T, STRING, member_id, SINCE(0))              \
    FIELD(T, BYTES, assignment, SINCE(0))
WIRE_STRUCT(sync_group_request_assignment, SYNC_GROUP_REQUEST_ASSIGNMENT_FIELDS)

#define SYNC_GROUP_REQUEST_FIELDS(FIELD, T)                                         \
    FIELD(T, STRING, group_id, SINCE(0))                                            \
    FIELD(T, INT32, generation_id, SINCE(0))                                        \
    FIELD(T, STRING, member_id, SINCE(0))                                           \
    FIELD(T, STRING, group_instance_id, SINCE(3), NULLABLE(3), NULL_DEFAULT)        \
    FIELD(T, STRING, protocol_type, SINCE(5), NULLABLE(5), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, STRING, protocol_name, SINCE(5), NULLABLE(5), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, ARRAY(sync_group_request_assignment), assignments, SINCE(0))
WIRE_MESSAGE(sync_group_request, SYNC_GROUP_REQUEST_FIELDS, 0, 5, 4)

#define SYNC_GROUP_RESPONSE_FIELDS(FIELD, T)                                        \
    FIELD(T, INT32, throttle_time_ms, SINCE(1), IGNORABLE)                          \
    FIELD(T, INT16, error_code, SINCE(0))                                           \
    FIELD(T, STRING, protocol_type, SINCE(5), NULLABLE(5), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, STRING, protocol_name, SINCE(5), NULLABLE(5), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, BYTES, assignment, SINCE(0))
WIRE_MESSAGE(sync_group_response, SYNC_GROUP_RESPONSE_FIELDS, 0, 5, 4)

#endif
