/*
 * ApiVersions (key 18): which versions of which requests the broker takes; the first request on a connection.
 *
 * The answer has response header version 0 in every version, so that a client can read it whatever the broker knows. A request
 * of an unknown version is answered in version 0 with UNSUPPORTED_VERSION and the list.
 */
#ifndef WIRE_API_API_VERSIONS_H
#define WIRE_API_API_VERSIONS_H

#include "wire/codec.h"

#define API_VERSIONS_REQUEST_FIELDS(FIELD, T)                   \
    FIELD(T, STRING, client_software_name, SINCE(3), IGNORABLE) \
    FIELD(T, STRING, client_software_version, SINCE(3), IGNORABLE)
WIRE_MESSAGE(api_versions_request, API_VERSIONS_REQUEST_FIELDS, 0, 4, 3)

#define API_VERSIONS_RESPONSE_API_KEY_FIELDS(FIELD, T) \
    FIELD(T, INT16, api_key, SINCE(0))                 \
    FIELD(T, INT16, min_version, SINCE(0))             \
    FIELD(T, INT16, max_version, SINCE(0))
WIRE_STRUCT(api_versions_response_api_key, API_VERSIONS_RESPONSE_API_KEY_FIELDS)

#define API_VERSIONS_RESPONSE_SUPPORTED_FEATURE_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(3))                             \
    FIELD(T, INT16, min_version, SINCE(3))                       \
    FIELD(T, INT16, max_version, SINCE(3))
WIRE_STRUCT(api_versions_response_supported_feature, API_VERSIONS_RESPONSE_SUPPORTED_FEATURE_FIELDS)

#define API_VERSIONS_RESPONSE_FINALIZED_FEATURE_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(3))                             \
    FIELD(T, INT16, max_version_level, SINCE(3))                 \
    FIELD(T, INT16, min_version_level, SINCE(3))
WIRE_STRUCT(api_versions_response_finalized_feature, API_VERSIONS_RESPONSE_FINALIZED_FEATURE_FIELDS)

#define API_VERSIONS_RESPONSE_FIELDS(FIELD, T)                                                                \
    FIELD(T, INT16, error_code, SINCE(0))                                                                     \
    FIELD(T, ARRAY(api_versions_response_api_key), api_keys, SINCE(0))                                        \
    FIELD(T, INT32, throttle_time_ms, SINCE(1), IGNORABLE)                                                    \
    FIELD(T, ARRAY(api_versions_response_supported_feature), supported_features, SINCE(3), TAG(0), IGNORABLE) \
    FIELD(T, INT64, finalized_features_epoch, SINCE(3), DEFAULT(-1), TAG(1), IGNORABLE)                       \
    FIELD(T, ARRAY(api_versions_response_finalized_feature), finalized_features, SINCE(3), TAG(2), IGNORABLE) \
    FIELD(T, BOOL, zk_migration_ready, SINCE(3), TAG(3), IGNORABLE)
WIRE_MESSAGE(api_versions_response, API_VERSIONS_RESPONSE_FIELDS, 0, 4, 3)

#endif
