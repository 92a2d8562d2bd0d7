/*
 * LeaveGroup (key 13): one member, or from version 3 on several, leave a classic group. Version 5 says why.
 */
#ifndef WIRE_API_LEAVE_GROUP_H
#define WIRE_API_LEAVE_GROUP_H

#include "wire/codec.h"

#define LEAVE_GROUP_REQUEST_MEMBER_FIELDS(FIELD, T)                          \
    FIELD(T, STRING, member_id, SINCE(3))                                    \
    FIELD(T, STRING, group_instance_id, SINCE(3), NULLABLE(3), NULL_DEFAULT) \
    FIELD(T, STRING, reason, SINCE(5), NULLABLE(5), NULL_DEFAULT, IGNORABLE)
WIRE_STRUCT(leave_group_request_member, LEAVE_GROUP_REQUEST_MEMBER_FIELDS)

#define LEAVE_GROUP_REQUEST_FIELDS(FIELD, T)   \
    FIELD(T, STRING, group_id, SINCE(0))       \
    FIELD(T, STRING, member_id, BETWEEN(0, 2)) \
    FIELD(T, ARRAY(leave_group_request_member), members, SINCE(3))
WIRE_MESSAGE(leave_group_request, LEAVE_GROUP_REQUEST_FIELDS, 0, 5, 4)

#define LEAVE_GROUP_RESPONSE_MEMBER_FIELDS(FIELD, T)           \
    FIELD(T, STRING, member_id, SINCE(3))                      \
    FIELD(T, STRING, group_instance_id, SINCE(3), NULLABLE(3)) \
    FIELD(T, INT16, error_code, SINCE(3))
WIRE_STRUCT(leave_group_response_member, LEAVE_GROUP_RESPONSE_MEMBER_FIELDS)

#define LEAVE_GROUP_RESPONSE_FIELDS(FIELD, T)              \
    FIELD(T, INT32, throttle_time_ms, SINCE(1), IGNORABLE) \
    FIELD(T, INT16, error_code, SINCE(0))                  \
    FIELD(T, ARRAY(leave_group_response_member), members, SINCE(3))
WIRE_MESSAGE(leave_group_response, LEAVE_GROUP_RESPONSE_FIELDS, 0, 5, 4)

#endif
