/*
 * IncrementalAlterConfigs (key 44): sets (operation 0), deletes (1), appends to (2) or subtracts from (3) single configs.
 */
#ifndef WIRE_API_INCREMENTAL_ALTER_CONFIGS_H
#define WIRE_API_INCREMENTAL_ALTER_CONFIGS_H

#include "wire/codec.h"

#define INCREMENTAL_ALTER_CONFIGS_REQUEST_CONFIG_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                              \
    FIELD(T, INT8, config_operation, SINCE(0))                    \
    FIELD(T, STRING, value, SINCE(0), NULLABLE(0))
WIRE_STRUCT(incremental_alter_configs_request_config, INCREMENTAL_ALTER_CONFIGS_REQUEST_CONFIG_FIELDS)

#define INCREMENTAL_ALTER_CONFIGS_REQUEST_RESOURCE_FIELDS(FIELD, T) \
    FIELD(T, INT8, resource_type, SINCE(0))                         \
    FIELD(T, STRING, resource_name, SINCE(0))                       \
    FIELD(T, ARRAY(incremental_alter_configs_request_config), configs, SINCE(0))
WIRE_STRUCT(incremental_alter_configs_request_resource, INCREMENTAL_ALTER_CONFIGS_REQUEST_RESOURCE_FIELDS)

#define INCREMENTAL_ALTER_CONFIGS_REQUEST_FIELDS(FIELD, T)                           \
    FIELD(T, ARRAY(incremental_alter_configs_request_resource), resources, SINCE(0)) \
    FIELD(T, BOOL, validate_only, SINCE(0))
WIRE_MESSAGE(incremental_alter_configs_request, INCREMENTAL_ALTER_CONFIGS_REQUEST_FIELDS, 0, 1, 1)

#define INCREMENTAL_ALTER_CONFIGS_RESPONSE_RESOURCE_FIELDS(FIELD, T) \
    FIELD(T, INT16, error_code, SINCE(0))                            \
    FIELD(T, STRING, error_message, SINCE(0), NULLABLE(0))           \
    FIELD(T, INT8, resource_type, SINCE(0))                          \
    FIELD(T, STRING, resource_name, SINCE(0))
WIRE_STRUCT(incremental_alter_configs_response_resource, INCREMENTAL_ALTER_CONFIGS_RESPONSE_RESOURCE_FIELDS)

#define INCREMENTAL_ALTER_CONFIGS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(0))             \
    FIELD(T, ARRAY(incremental_alter_configs_response_resource), responses, SINCE(0))
WIRE_MESSAGE(incremental_alter_configs_response, INCREMENTAL_ALTER_CONFIGS_RESPONSE_FIELDS, 0, 1, 1)

#endif
