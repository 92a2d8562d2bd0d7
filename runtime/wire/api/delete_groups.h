/*
 * DeleteGroups (key 42): drops empty groups with their offsets.
 */
#ifndef WIRE_API_DELETE_GROUPS_H
#define WIRE_API_DELETE_GROUPS_H

#include "wire/codec.h"

#define DELETE_GROUPS_REQUEST_FIELDS(FIELD, T) FIELD(T, ARRAY_STRING, groups_names, SINCE(0))
WIRE_MESSAGE(delete_groups_request, DELETE_GROUPS_REQUEST_FIELDS, 0, 2, 2)

#define DELETE_GROUPS_RESPONSE_RESULT_FIELDS(FIELD, T) \
    FIELD(T, STRING, group_id, SINCE(0))               \
    FIELD(T, INT16, error_code, SINCE(0))
WIRE_STRUCT(delete_groups_response_result, DELETE_GROUPS_RESPONSE_RESULT_FIELDS)

#define DELETE_GROUPS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0)) \
    FIELD(T, ARRAY(delete_groups_response_result), results, SINCE(0))
WIRE_MESSAGE(delete_groups_response, DELETE_GROUPS_RESPONSE_FIELDS, 0, 2, 2)

#endif
