/*
 * JoinGroup (key 11): a member enters a classic group or its next generation.
 *
 * The answer comes when the rebalance is complete. Version 4 answers a first join with MEMBER_ID_REQUIRED, 5 brings static
 * members, 7 the protocol type, 8 the reason, 9 lets a returning leader skip the assignment.
 */
#ifndef WIRE_API_JOIN_GROUP_H
#define WIRE_API_JOIN_GROUP_H

#include "wire/codec.h"

#define JOIN_GROUP_REQUEST_PROTOCOL_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                 \
    FIELD(T, BYTES, metadata, SINCE(0))
WIRE_STRUCT(join_group_request_protocol, JOIN_GROUP_REQUEST_PROTOCOL_FIELDS)

#define JOIN_GROUP_REQUEST_FIELDS(FIELD, T)                                  \
    FIELD(T, STRING, group_id, SINCE(0))                                     \
    FIELD(T, INT32, session_timeout_ms, SINCE(0))                            \
    FIELD(T, INT32, rebalance_timeout_ms, SINCE(1), DEFAULT(-1), IGNORABLE)  \
    FIELD(T, STRING, member_id, SINCE(0))                                    \
    FIELD(T, STRING, group_instance_id, SINCE(5), NULLABLE(5), NULL_DEFAULT) \
    FIELD(T, STRING, protocol_type, SINCE(0))                                \
    FIELD(T, ARRAY(join_group_request_protocol), protocols, SINCE(0))        \
    FIELD(T, STRING, reason, SINCE(8), NULLABLE(8), NULL_DEFAULT, IGNORABLE)
WIRE_MESSAGE(join_group_request, JOIN_GROUP_REQUEST_FIELDS, 0, 9, 6)

#define JOIN_GROUP_RESPONSE_MEMBER_FIELDS(FIELD, T)                                     \
    FIELD(T, STRING, member_id, SINCE(0))                                               \
    FIELD(T, STRING, group_instance_id, SINCE(5), NULLABLE(5), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, BYTES, metadata, SINCE(0))
WIRE_STRUCT(join_group_response_member, JOIN_GROUP_RESPONSE_MEMBER_FIELDS)

#define JOIN_GROUP_RESPONSE_FIELDS(FIELD, T)                                        \
    FIELD(T, INT32, throttle_time_ms, SINCE(2), IGNORABLE)                          \
    FIELD(T, INT16, error_code, SINCE(0))                                           \
    FIELD(T, INT32, generation_id, SINCE(0), DEFAULT(-1))                           \
    FIELD(T, STRING, protocol_type, SINCE(7), NULLABLE(7), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, STRING, protocol_name, SINCE(0), NULLABLE(7))                          \
    FIELD(T, STRING, leader, SINCE(0))                                              \
    FIELD(T, BOOL, skip_assignment, SINCE(9))                                       \
    FIELD(T, STRING, member_id, SINCE(0))                                           \
    FIELD(T, ARRAY(join_group_response_member), members, SINCE(0))
WIRE_MESSAGE(join_group_response, JOIN_GROUP_RESPONSE_FIELDS, 0, 9, 6)

#endif
