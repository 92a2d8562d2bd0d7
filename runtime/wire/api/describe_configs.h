/*
 * DescribeConfigs (key 32): configs of topics (resource type 2), brokers (4) and groups (32), with their source and synonyms.
 *
 * Null keys ask for all. Version 3 adds each config's type and documentation.
 */
#ifndef WIRE_API_DESCRIBE_CONFIGS_H
#define WIRE_API_DESCRIBE_CONFIGS_H

#include "wire/codec.h"

#define DESCRIBE_CONFIGS_REQUEST_RESOURCE_FIELDS(FIELD, T) \
    FIELD(T, INT8, resource_type, SINCE(0))                \
    FIELD(T, STRING, resource_name, SINCE(0))              \
    FIELD(T, ARRAY_STRING, configuration_keys, SINCE(0), NULLABLE(0))
WIRE_STRUCT(describe_configs_request_resource, DESCRIBE_CONFIGS_REQUEST_RESOURCE_FIELDS)

#define DESCRIBE_CONFIGS_REQUEST_FIELDS(FIELD, T)                           \
    FIELD(T, ARRAY(describe_configs_request_resource), resources, SINCE(0)) \
    FIELD(T, BOOL, include_synonyms, SINCE(1))                              \
    FIELD(T, BOOL, include_documentation, SINCE(3))
WIRE_MESSAGE(describe_configs_request, DESCRIBE_CONFIGS_REQUEST_FIELDS, 1, 4, 4)

#define DESCRIBE_CONFIGS_RESPONSE_SYNONYM_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(1))                       \
    FIELD(T, STRING, value, SINCE(1), NULLABLE(0))         \
    FIELD(T, INT8, source, SINCE(1))
WIRE_STRUCT(describe_configs_response_synonym, DESCRIBE_CONFIGS_RESPONSE_SYNONYM_FIELDS)

#define DESCRIBE_CONFIGS_RESPONSE_CONFIG_FIELDS(FIELD, T)                  \
    FIELD(T, STRING, name, SINCE(0))                                       \
    FIELD(T, STRING, value, SINCE(0), NULLABLE(0))                         \
    FIELD(T, BOOL, read_only, SINCE(0))                                    \
    FIELD(T, INT8, config_source, SINCE(1), DEFAULT(-1))                   \
    FIELD(T, BOOL, is_sensitive, SINCE(0))                                 \
    FIELD(T, ARRAY(describe_configs_response_synonym), synonyms, SINCE(1)) \
    FIELD(T, INT8, config_type, SINCE(3), IGNORABLE)                       \
    FIELD(T, STRING, documentation, SINCE(3), NULLABLE(0), IGNORABLE)
WIRE_STRUCT(describe_configs_response_config, DESCRIBE_CONFIGS_RESPONSE_CONFIG_FIELDS)

#define DESCRIBE_CONFIGS_RESPONSE_RESULT_FIELDS(FIELD, T)  \
    FIELD(T, INT16, error_code, SINCE(0))                  \
    FIELD(T, STRING, error_message, SINCE(0), NULLABLE(0)) \
    FIELD(T, INT8, resource_type, SINCE(0))                \
    FIELD(T, STRING, resource_name, SINCE(0))              \
    FIELD(T, ARRAY(describe_configs_response_config), configs, SINCE(0))
WIRE_STRUCT(describe_configs_response_result, DESCRIBE_CONFIGS_RESPONSE_RESULT_FIELDS)

#define DESCRIBE_CONFIGS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))    \
    FIELD(T, ARRAY(describe_configs_response_result), results, SINCE(0))
WIRE_MESSAGE(describe_configs_response, DESCRIBE_CONFIGS_RESPONSE_FIELDS, 1, 4, 4)

#endif
