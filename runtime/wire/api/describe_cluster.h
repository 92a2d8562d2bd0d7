/*
 * DescribeCluster (key 60): cluster id, controller and brokers. Version 1 tells brokers from controllers, 2 shows fenced ones.
 */
#ifndef WIRE_API_DESCRIBE_CLUSTER_H
#define WIRE_API_DESCRIBE_CLUSTER_H

#include "wire/codec.h"

#define DESCRIBE_CLUSTER_REQUEST_FIELDS(FIELD, T)                   \
    FIELD(T, BOOL, include_cluster_authorized_operations, SINCE(0)) \
    FIELD(T, INT8, endpoint_type, SINCE(1), DEFAULT(1))             \
    FIELD(T, BOOL, include_fenced_brokers, SINCE(2))
WIRE_MESSAGE(describe_cluster_request, DESCRIBE_CLUSTER_REQUEST_FIELDS, 0, 2, 0)

#define DESCRIBE_CLUSTER_RESPONSE_BROKER_FIELDS(FIELD, T)       \
    FIELD(T, INT32, broker_id, SINCE(0))                        \
    FIELD(T, STRING, host, SINCE(0))                            \
    FIELD(T, INT32, port, SINCE(0))                             \
    FIELD(T, STRING, rack, SINCE(0), NULLABLE(0), NULL_DEFAULT) \
    FIELD(T, BOOL, is_fenced, SINCE(2))
WIRE_STRUCT(describe_cluster_response_broker, DESCRIBE_CLUSTER_RESPONSE_BROKER_FIELDS)

#define DESCRIBE_CLUSTER_RESPONSE_FIELDS(FIELD, T)                       \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))                          \
    FIELD(T, INT16, error_code, SINCE(0))                                \
    FIELD(T, STRING, error_message, SINCE(0), NULLABLE(0), NULL_DEFAULT) \
    FIELD(T, INT8, endpoint_type, SINCE(1), DEFAULT(1))                  \
    FIELD(T, STRING, cluster_id, SINCE(0))                               \
    FIELD(T, INT32, controller_id, SINCE(0), DEFAULT(-1))                \
    FIELD(T, ARRAY(describe_cluster_response_broker), brokers, SINCE(0)) \
    FIELD(T, INT32, cluster_authorized_operations, SINCE(0), DEFAULT(INT32_MIN))
WIRE_MESSAGE(describe_cluster_response, DESCRIBE_CLUSTER_RESPONSE_FIELDS, 0, 2, 0)

#endif
