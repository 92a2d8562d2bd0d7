/*
 * DescribeConfigs: every config of a topic or of this broker, with where its value comes from.
 */
#include "wire/api/describe_configs.h"

#include <stdio.h>

#include "broker/api/topic_configs.h"
#include "broker/internal.h"

enum { RESOURCE_TOPIC = 2, RESOURCE_BROKER = 4 };
enum { TYPE_BOOLEAN = 1, TYPE_STRING = 2, TYPE_INT = 3, TYPE_LONG = 5, TYPE_LIST = 7 };

static int8_t type_of(const struct config_key *key)
{
    switch (key->type) {
    case CONFIG_BOOL:
        return TYPE_BOOLEAN;
    case CONFIG_INT:
        return key->max > INT32_MAX ? TYPE_LONG : TYPE_INT;
    case CONFIG_LIST:
        return TYPE_LIST;
    case CONFIG_STRING:
        break;
    }
    return TYPE_STRING;
}

static bool is_asked(const struct describe_configs_request_resource *asked, const char *name)
{
    if (asked->configuration_keys.count < 0)
        return true;
    for (int32_t i = 0; i < asked->configuration_keys.count; i++)
        if (mill_bytes_equal(asked->configuration_keys.items[i], mill_string(name)))
            return true;
    return false;
}

static void fill_synonyms(struct call *call, const struct config_synonym *synonyms, size_t count,
                          struct describe_configs_response_config *out)
{
    const struct describe_configs_request *request = call->request;
    if (!request->include_synonyms)
        return;
    struct describe_configs_response_synonym *items =
        call_array(call, describe_configs_response_synonym_array(call->arena, (int32_t)count));
    for (size_t i = 0; items && i < count; i++) {
        items[i].name = mill_string(synonyms[i].name);
        items[i].value = call_copy(call, mill_string(synonyms[i].value));
        items[i].source = (int8_t)synonyms[i].source;
    }
    out->synonyms.items = items;
    out->synonyms.count = items ? (int32_t)count : 0;
}

static void fill_key(const struct call *call, const struct config_key *key, struct describe_configs_response_config *out)
{
    const struct describe_configs_request *request = call->request;
    out->name = mill_string(key->name);
    out->config_type = type_of(key);
    if (request->include_documentation)
        out->documentation = mill_string(key->doc);
}

static void describe_topic(struct call *call, const struct describe_configs_request_resource *asked,
                           struct describe_configs_response_result *out)
{
    const struct config_table *table = topic_config_table();
    struct topic *topic = metadata_topic(&call->broker->metadata, asked->resource_name);
    if (!topic) {
        bool valid = topic_name_is_valid(asked->resource_name);
        out->error_code = valid ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_INVALID_TOPIC_EXCEPTION;
        out->error_message = mill_string(kafka_error_text(out->error_code));
        return;
    }
    out->configs.items = call_array(call, describe_configs_response_config_array(call->arena, (int32_t)table->count));
    for (size_t i = 0; out->configs.items && i < table->count; i++) {
        struct topic_config_entry entry;
        struct config_synonym synonyms[CONFIG_SYNONYMS_MAX];
        if (!is_asked(asked, table->keys[i].name))
            continue;
        struct describe_configs_response_config *config = &out->configs.items[out->configs.count++];
        topic_config_describe(call, topic, i, &entry);
        fill_key(call, &table->keys[i], config);
        config->value = entry.value;
        config->config_source = (int8_t)entry.source;
        fill_synonyms(call, synonyms, topic_config_synonyms(&call->broker->config, &topic->config, i, synonyms), config);
    }
}

static bool names_this_broker(const struct call *call, mill_bytes name)
{
    char id[16];
    snprintf(id, sizeof id, "%d", call->broker->node_id);
    return mill_bytes_equal(name, mill_string(id));
}

static void describe_broker(struct call *call, const struct describe_configs_request_resource *asked,
                            struct describe_configs_response_result *out)
{
    const struct config_table *table = broker_config_table();
    if (asked->resource_name.len == 0)
        return; /* the defaults of a whole cluster: none are set */
    if (!names_this_broker(call, asked->resource_name)) {
        out->error_code = KAFKA_INVALID_REQUEST;
        out->error_message = mill_string("there is no broker of this id");
        return;
    }
    out->configs.items = call_array(call, describe_configs_response_config_array(call->arena, (int32_t)table->count));
    for (size_t i = 0; out->configs.items && i < table->count; i++) {
        struct config_synonym synonyms[CONFIG_SYNONYMS_MAX];
        if (!is_asked(asked, table->keys[i].name))
            continue;
        struct describe_configs_response_config *config = &out->configs.items[out->configs.count++];
        size_t count = broker_config_synonyms(&call->broker->config, i, synonyms);
        fill_key(call, &table->keys[i], config);
        config->value = call_copy(call, mill_string(synonyms[0].value));
        config->config_source = (int8_t)synonyms[0].source;
        config->read_only = true;
        fill_synonyms(call, synonyms, count, config);
    }
}

static void describe(struct call *call, const struct describe_configs_request_resource *asked,
                     struct describe_configs_response_result *out)
{
    out->resource_type = asked->resource_type;
    out->resource_name = asked->resource_name;
    switch (asked->resource_type) {
    case RESOURCE_TOPIC:
        describe_topic(call, asked, out);
        break;
    case RESOURCE_BROKER:
        describe_broker(call, asked, out);
        break;
    default:
        out->error_code = KAFKA_INVALID_REQUEST;
        out->error_message = mill_string("only topics and brokers have configs here");
        break;
    }
}

void handle_describe_configs(struct call *call, struct io_time now)
{
    const struct describe_configs_request *request = call->request;
    struct describe_configs_response *response = call->response;
    response->results.items = call_array(call, describe_configs_response_result_array(call->arena, request->resources.count));
    response->results.count = response->results.items ? request->resources.count : 0;
    for (int32_t i = 0; i < response->results.count; i++) {
        response->results.items[i].error_message = mill_null();
        describe(call, &request->resources.items[i], &response->results.items[i]);
    }
    call_reply(call, now);
}
