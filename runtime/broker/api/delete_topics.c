/*
 * DeleteTopics: the topics leave the metadata in one change; their files follow in the background.
 */
#include "wire/api/delete_topics.h"

#include "broker/internal.h"

struct delete_state {
    struct call *call;
    struct metadata_change change;
};

static int16_t check_topic(struct call *call, mill_bytes name, struct wire_uuid id, struct hash_map *seen, struct topic **topic)
{
    void *twice = NULL;
    if (!config_bool(&call->broker->config, "delete.topic.enable"))
        return call->version < 3 ? KAFKA_INVALID_REQUEST : KAFKA_TOPIC_DELETION_DISABLED;
    if (name.len > 0 && !wire_uuid_is_zero(id))
        return KAFKA_INVALID_REQUEST;
    int16_t error = metadata_find(&call->broker->metadata, name, id, topic);
    if (error != KAFKA_NONE)
        return error;
    if ((*topic)->internal)
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    if (hash_map_put(seen, mill_string((*topic)->name), *topic, &twice) != 0)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    return twice ? KAFKA_INVALID_REQUEST : KAFKA_NONE;
}

static void prepare(struct metadata_change *change, struct io_time now)
{
    struct delete_state *state = change->ctx;
    struct call *call = state->call;
    struct delete_topics_response *response = call->response;
    struct hash_map seen;
    hash_map_init(&seen);
    for (int32_t i = 0; i < response->responses.count; i++) {
        struct delete_topics_response_topic *out = &response->responses.items[i];
        struct topic *topic = NULL;
        out->error_code = check_topic(call, out->name, out->topic_id, &seen, &topic);
        if (out->error_code != KAFKA_NONE)
            continue;
        struct remove_topic_record record = { .topic_id = topic->id };
        out->topic_id = topic->id;
        out->name = call_copy(call, mill_string(topic->name));
        metadata_add(&call->broker->metadata, METADATA_RECORD_REMOVE_TOPIC, 0, &remove_topic_record_message, &record, now);
    }
    hash_map_release(&seen);
}

static void done(struct metadata_change *change, int16_t error, struct io_time now)
{
    struct delete_state *state = change->ctx;
    struct delete_topics_response *response = state->call->response;
    for (int32_t i = 0; i < response->responses.count; i++)
        if (response->responses.items[i].error_code == KAFKA_NONE)
            response->responses.items[i].error_code = error;
    call_reply(state->call, now);
}

void handle_delete_topics(struct call *call, struct io_time now)
{
    const struct delete_topics_request *request = call->request;
    struct delete_topics_response *response = call->response;
    int32_t count = call->version >= 6 ? request->topics.count : request->topic_names.count;
    struct delete_topics_response_topic *items = call_array(call, delete_topics_response_topic_array(call->arena, count));
    struct delete_state *state = arena_alloc(call->arena, sizeof *state);
    if (!items || !state) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        items[i].name = call->version >= 6 ? request->topics.items[i].name : request->topic_names.items[i];
        if (call->version >= 6)
            items[i].topic_id = request->topics.items[i].topic_id;
    }
    response->responses.items = items;
    response->responses.count = count;
    *state = (struct delete_state){ .call = call };
    state->change = (struct metadata_change){ .prepare = prepare, .done = done, .ctx = state };
    metadata_submit(&call->broker->metadata, &state->change, now);
}
