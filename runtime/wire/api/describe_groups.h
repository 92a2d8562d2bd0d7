/*
 * DescribeGroups (key 15): state and members of groups.
 *
 * Subscriptions and assignments are opaque to the broker. Version 3 brings authorized operations, 4 static members, 6 an error
 * text and GROUP_ID_NOT_FOUND.
 */
#ifndef WIRE_API_DESCRIBE_GROUPS_H
#define WIRE_API_DESCRIBE_GROUPS_H

#include "wire/codec.h"

#define DESCRIBE_GROUPS_REQUEST_FIELDS(FIELD, T) \
    FIELD(T, ARRAY_STRING, groups, SINCE(0))     \
    FIELD(T, BOOL, include_authorized_operations, SINCE(3))
WIRE_MESSAGE(describe_groups_request, DESCRIBE_GROUPS_REQUEST_FIELDS, 0, 6, 5)

#define DESCRIBE_GROUPS_RESPONSE_MEMBER_FIELDS(FIELD, T)                                \
    FIELD(T, STRING, member_id, SINCE(0))                                               \
    FIELD(T, STRING, group_instance_id, SINCE(4), NULLABLE(4), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, STRING, client_id, SINCE(0))                                               \
    FIELD(T, STRING, client_host, SINCE(0))                                             \
    FIELD(T, BYTES, member_metadata, SINCE(0))                                          \
    FIELD(T, BYTES, member_assignment, SINCE(0))
WIRE_STRUCT(describe_groups_response_member, DESCRIBE_GROUPS_RESPONSE_MEMBER_FIELDS)

#define DESCRIBE_GROUPS_RESPONSE_GROUP_FIELDS(FIELD, T)                  \
    FIELD(T, INT16, error_code, SINCE(0))                                \
    FIELD(T, STRING, error_message, SINCE(6), NULLABLE(6), NULL_DEFAULT) \
    FIELD(T, STRING, group_id, SINCE(0))                                 \
    FIELD(T, STRING, group_state, SINCE(0))                              \
    FIELD(T, STRING, protocol_type, SINCE(0))                            \
    FIELD(T, STRING, protocol_data, SINCE(0))                            \
    FIELD(T, ARRAY(describe_groups_response_member), members, SINCE(0))  \
    FIELD(T, INT32, authorized_operations, SINCE(3), DEFAULT(INT32_MIN))
WIRE_STRUCT(describe_groups_response_group, DESCRIBE_GROUPS_RESPONSE_GROUP_FIELDS)

#define DESCRIBE_GROUPS_RESPONSE_FIELDS(FIELD, T)          \
    FIELD(T, INT32, throttle_time_ms, SINCE(1), IGNORABLE) \
    FIELD(T, ARRAY(describe_groups_response_group), groups, SINCE(0))
WIRE_MESSAGE(describe_groups_response, DESCRIBE_GROUPS_RESPONSE_FIELDS, 0, 6, 5)

#endif
