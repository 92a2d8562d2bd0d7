/*
 * IncrementalAlterConfigs: sets, resets, or extends configs of topics; all of one topic or none.
 */
#include "wire/api/incremental_alter_configs.h"

#include <stdio.h>

#include "broker/internal.h"

enum { RESOURCE_TOPIC = 2 };
enum { OPERATION_SET = 0, OPERATION_DELETE = 1, OPERATION_APPEND = 2, OPERATION_SUBTRACT = 3 };

struct alter_state {
    struct call *call;
    struct metadata_change change;
};

static bool is_list(mill_bytes name)
{
    const struct config_table *table = topic_config_table();
    for (size_t i = 0; i < table->count; i++)
        if (table->keys[i].type == CONFIG_LIST && mill_bytes_equal(name, mill_string(table->keys[i].name)))
            return true;
    return false;
}

static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += len)
        if ((at == list || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
            return true;
    return false;
}

/* `old` with the words of `value` added or taken away, in the arena; null: no memory or too long. */
static mill_bytes change_list(struct arena *arena, const char *old, mill_bytes value, bool add)
{
    struct buffer out;
    char *words = arena_string(arena, value);
    char *base = arena_string(arena, mill_string(old));
    char *rest = NULL;
    if (!words || !base)
        return mill_null();
    buffer_init(&out, CONFIG_TEXT_BYTES - 1);
    if (add)
        buffer_append(&out, base, strlen(base));
    for (char *word = strtok_r(add ? words : base, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
        if (add ? list_has(old, word) : list_has(words, word))
            continue;
        if (out.len > 0)
            buffer_append_u8(&out, ',');
        buffer_append(&out, word, strlen(word));
    }
    mill_bytes changed = out.failed ? mill_null() : arena_dup(arena, out.len > 0 ? buffer_bytes(&out) : mill_string(""));
    buffer_release(&out);
    return changed;
}

/* The value to set; null to reset. */
static int16_t decide_value(struct call *call, const struct topic *topic,
                            const struct incremental_alter_configs_request_config *asked, mill_bytes *value, const char **why)
{
    const struct config_table *table = topic_config_table();
    char now_in_force[CONFIG_TEXT_BYTES] = "";
    *value = asked->value;
    switch (asked->config_operation) {
    case OPERATION_SET:
        *why = "a value is needed";
        return mill_is_null(asked->value) ? KAFKA_INVALID_CONFIG : KAFKA_NONE;
    case OPERATION_DELETE:
        *value = mill_null();
        return KAFKA_NONE;
    case OPERATION_APPEND:
    case OPERATION_SUBTRACT:
        *why = "only lists can be extended";
        if (!is_list(asked->name) || mill_is_null(asked->value))
            return KAFKA_INVALID_CONFIG;
        for (size_t i = 0; i < table->count; i++)
            if (mill_bytes_equal(asked->name, mill_string(table->keys[i].name)))
                topic_config_text(&call->broker->config, &topic->config, i, now_in_force);
        *value = change_list(call->arena, now_in_force, asked->value, asked->config_operation == OPERATION_APPEND);
        *why = "the list is too long";
        return mill_is_null(*value) ? KAFKA_INVALID_CONFIG : KAFKA_NONE;
    default:
        *why = "there is no such operation";
        return KAFKA_INVALID_REQUEST;
    }
}

static int16_t refuse(struct call *call, struct incremental_alter_configs_response_resource *out, int16_t error, const char *why)
{
    out->error_message = call_copy(call, mill_string(why));
    return error;
}

static int16_t check_all(struct call *call, const struct topic *topic,
                         const struct incremental_alter_configs_request_resource *asked, mill_bytes *values,
                         struct incremental_alter_configs_response_resource *out)
{
    struct config scratch;
    int16_t error = KAFKA_NONE;
    config_init(&scratch, topic_config_table());
    for (int32_t i = 0; i < asked->configs.count && error == KAFKA_NONE; i++) {
        const char *why = "";
        error = decide_value(call, topic, &asked->configs.items[i], &values[i], &why);
        if (error != KAFKA_NONE)
            refuse(call, out, error, why);
        else if (topic_config_set(&scratch, asked->configs.items[i].name, values[i]) != 0)
            error = refuse(call, out, KAFKA_INVALID_CONFIG, scratch.error.text);
    }
    config_release(&scratch);
    return error;
}

static int16_t alter(struct call *call, const struct incremental_alter_configs_request_resource *asked,
                     struct incremental_alter_configs_response_resource *out, struct io_time now)
{
    const struct incremental_alter_configs_request *request = call->request;
    struct metadata *metadata = &call->broker->metadata;
    if (asked->resource_type != RESOURCE_TOPIC)
        return refuse(call, out, KAFKA_INVALID_REQUEST, "only configs of topics can be changed while the broker runs");
    struct topic *topic = metadata_topic(metadata, asked->resource_name);
    if (!topic)
        return refuse(call, out, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, "there is no such topic");
    mill_bytes *values = call_array(call, arena_alloc(call->arena, (size_t)asked->configs.count * sizeof *values));
    int16_t error = values ? check_all(call, topic, asked, values, out) : KAFKA_UNKNOWN_SERVER_ERROR;
    if (error != KAFKA_NONE || request->validate_only)
        return error;
    for (int32_t i = 0; i < asked->configs.count; i++)
        metadata_add_topic_config(metadata, asked->resource_name, asked->configs.items[i].name, values[i], now);
    return KAFKA_NONE;
}

static void prepare(struct metadata_change *change, struct io_time now)
{
    struct alter_state *state = change->ctx;
    const struct incremental_alter_configs_request *request = state->call->request;
    struct incremental_alter_configs_response *response = state->call->response;
    for (int32_t i = 0; i < request->resources.count; i++) {
        struct incremental_alter_configs_response_resource *out = &response->responses.items[i];
        out->resource_type = request->resources.items[i].resource_type;
        out->resource_name = request->resources.items[i].resource_name;
        out->error_message = mill_null();
        out->error_code = alter(state->call, &request->resources.items[i], out, now);
    }
}

static void done(struct metadata_change *change, int16_t error, struct io_time now)
{
    struct alter_state *state = change->ctx;
    struct incremental_alter_configs_response *response = state->call->response;
    for (int32_t i = 0; i < response->responses.count; i++)
        if (response->responses.items[i].error_code == KAFKA_NONE)
            response->responses.items[i].error_code = error;
    call_reply(state->call, now);
}

void handle_incremental_alter_configs(struct call *call, struct io_time now)
{
    const struct incremental_alter_configs_request *request = call->request;
    struct incremental_alter_configs_response *response = call->response;
    struct alter_state *state = arena_alloc(call->arena, sizeof *state);
    response->responses.items = incremental_alter_configs_response_resource_array(call->arena, request->resources.count);
    if (!state || !response->responses.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    response->responses.count = request->resources.count;
    *state = (struct alter_state){ .call = call };
    state->change = (struct metadata_change){ .prepare = prepare, .done = done, .ctx = state };
    metadata_submit(&call->broker->metadata, &state->change, now);
}
