/*
 * ApiVersions: what this broker answers. Only requests that have a handler are named, in the versions that are served.
 */
#include "wire/api/api_versions.h"

#include "broker/internal.h"

/* KIP-511: [A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])? */
static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_software_name(mill_bytes text)
{
    if (text.len == 0 || !is_alphanumeric(text.data[0]) || !is_alphanumeric(text.data[text.len - 1]))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_alphanumeric(text.data[i]) && text.data[i] != '.' && text.data[i] != '-')
            return false;
    return true;
}

static void list_apis(struct call *call, struct api_versions_response *response)
{
    struct api_versions_response_api_key *items =
        call_array(call, api_versions_response_api_key_array(call->arena, api_table_count));
    if (!items)
        return;
    int32_t count = 0;
    for (int i = 0; i < api_table_count; i++) {
        const struct api *api = &api_table[i];
        if (!broker_has_api(api->key))
            continue;
        items[count++] = (struct api_versions_response_api_key){ api->key, api->advertised_min, api->request->version_max };
    }
    response->api_keys.items = items;
    response->api_keys.count = count;
}

enum { FEATURES = 2, ZERO_MINIMUM_SINCE = 4 /* clients before it stumble over features that may be off (KAFKA-17011) */ };

/* What is finalized, which is what is wholly there. group.version and others are promises that are not made. */
static void list_features(struct call *call, struct api_versions_response *response)
{
    const struct metadata *metadata = &call->broker->metadata;
    struct api_versions_response_supported_feature *supported =
        call_array(call, api_versions_response_supported_feature_array(call->arena, FEATURES));
    struct api_versions_response_finalized_feature *finalized =
        call_array(call, api_versions_response_finalized_feature_array(call->arena, FEATURES));
    if (!supported || !finalized || metadata->version_level == 0)
        return;
    supported[0].name = mill_string("metadata.version");
    supported[0].min_version = METADATA_VERSION_LEVEL_MIN;
    supported[0].max_version = METADATA_VERSION_LEVEL;
    supported[1].name = mill_string("transaction.version");
    supported[1].max_version = TRANSACTION_VERSION;
    finalized[0].name = mill_string("metadata.version");
    finalized[0].min_version_level = metadata->version_level;
    finalized[0].max_version_level = metadata->version_level;
    finalized[1].name = mill_string("transaction.version");
    finalized[1].min_version_level = TRANSACTION_VERSION;
    finalized[1].max_version_level = TRANSACTION_VERSION;
    response->supported_features.items = supported;
    response->supported_features.count = call->version >= ZERO_MINIMUM_SINCE ? FEATURES : 1;
    response->finalized_features.items = finalized;
    response->finalized_features.count = FEATURES;
    response->finalized_features_epoch = metadata->applied_end;
}

void handle_api_versions(struct call *call, struct io_time now)
{
    const struct api_versions_request *request = call->request;
    struct api_versions_response *response = call->response;
    if (call->message->version_unknown) { /* the answer tells the client what to come back with (KIP-511) */
        response->error_code = KAFKA_UNSUPPORTED_VERSION;
        list_apis(call, response);
    } else if (call->version >= 3 &&
               (!is_software_name(request->client_software_name) || !is_software_name(request->client_software_version))) {
        response->error_code = KAFKA_INVALID_REQUEST;
    } else {
        list_apis(call, response);
        list_features(call, response);
    }
    call_reply(call, now);
}
