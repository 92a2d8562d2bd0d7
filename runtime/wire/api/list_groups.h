/*
 * ListGroups (key 16): the groups of a broker, from version 4 on filtered by state, from 5 on by type.
 */
#ifndef WIRE_API_LIST_GROUPS_H
#define WIRE_API_LIST_GROUPS_H

#include "wire/codec.h"

#define LIST_GROUPS_REQUEST_FIELDS(FIELD, T)        \
    FIELD(T, ARRAY_STRING, states_filter, SINCE(4)) \
    FIELD(T, ARRAY_STRING, types_filter, SINCE(5))
WIRE_MESSAGE(list_groups_request, LIST_GROUPS_REQUEST_FIELDS, 0, 5, 3)

#define LIST_GROUPS_RESPONSE_GROUP_FIELDS(FIELD, T)    \
    FIELD(T, STRING, group_id, SINCE(0))               \
    FIELD(T, STRING, protocol_type, SINCE(0))          \
    FIELD(T, STRING, group_state, SINCE(4), IGNORABLE) \
    FIELD(T, STRING, group_type, SINCE(5), IGNORABLE)
WIRE_STRUCT(list_groups_response_group, LIST_GROUPS_RESPONSE_GROUP_FIELDS)

#define LIST_GROUPS_RESPONSE_FIELDS(FIELD, T)              \
    FIELD(T, INT32, throttle_time_ms, SINCE(1), IGNORABLE) \
    FIELD(T, INT16, error_code, SINCE(0))                  \
    FIELD(T, ARRAY(list_groups_response_group), groups, SINCE(0))
WIRE_MESSAGE(list_groups_response, LIST_GROUPS_RESPONSE_FIELDS, 0, 5, 3)

#endif
