/*
 * CreateTopics: all that are valid are made in one change of the metadata; each topic has its own error. The answer comes when
 * the topics can be written to.
 */
#include "wire/api/create_topics.h"

#include "broker/api/topic_configs.h"
#include "broker/internal.h"
#include "broker/topic_creation.h"

struct create_state {
    struct call *call;
    struct metadata_change change;
};

static int16_t refuse(struct create_topics_response_topic *out, struct call *call, int16_t error, const char *why)
{
    out->error_message = call_copy(call, mill_string(why));
    return error;
}

/* Replicas given by hand: partitions 0, 1, 2, ... in any order, each on this broker alone. */
static bool assignments_are_valid(const struct create_topics_request_topic *asked, int32_t node_id, struct arena *arena)
{
    int32_t count = asked->assignments.count;
    bool *seen = arena_calloc(arena, (size_t)count, sizeof *seen);
    for (int32_t i = 0; i < count; i++) {
        const struct create_topics_request_assignment *given = &asked->assignments.items[i];
        if (!seen || given->partition_index < 0 || given->partition_index >= count || seen[given->partition_index] ||
            given->broker_ids.count != 1 || given->broker_ids.items[0] != node_id)
            return false;
        seen[given->partition_index] = true;
    }
    return true;
}

static int16_t decide_partitions(struct call *call, const struct create_topics_request_topic *asked, int32_t *partitions,
                                 struct create_topics_response_topic *out)
{
    if (asked->assignments.count > 0) {
        *partitions = asked->assignments.count;
        if (asked->num_partitions != -1 || asked->replication_factor != -1)
            return refuse(out, call, KAFKA_INVALID_REQUEST, "give replica assignments, or numbers, but not both");
        if (!assignments_are_valid(asked, call->broker->node_id, call->arena))
            return refuse(out, call, KAFKA_INVALID_REPLICA_ASSIGNMENT, "partitions count from 0 and lie on this one broker");
        return KAFKA_NONE;
    }
    *partitions =
        asked->num_partitions == -1 ? (int32_t)config_int(&call->broker->config, "num.partitions") : asked->num_partitions;
    if (asked->replication_factor != -1 && asked->replication_factor != 1)
        return refuse(out, call, KAFKA_INVALID_REPLICATION_FACTOR, "there is one broker: the replication factor is 1 (or -1)");
    return KAFKA_NONE;
}

static bool is_named_twice(const struct create_topics_request *request, struct hash_map *names, mill_bytes name)
{
    void *first = NULL;
    return hash_map_put(names, name, (void *)(uintptr_t)request, &first) != 0 || first != NULL;
}

static int16_t create_one(struct call *call, const struct create_topics_request_topic *asked,
                          struct create_topics_response_topic *out, struct io_time now)
{
    const struct create_topics_request *request = call->request;
    struct metadata *metadata = &call->broker->metadata;
    struct new_topic topic = { .name = asked->name, .config_count = (size_t)asked->configs.count };
    struct error_text why = { "" };
    int16_t error = decide_partitions(call, asked, &topic.partitions, out);
    if (error != KAFKA_NONE)
        return error;
    struct new_topic_config *configs = call_array(call, arena_calloc(call->arena, topic.config_count, sizeof *configs));
    if (!configs)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    for (size_t i = 0; i < topic.config_count; i++)
        configs[i] = (struct new_topic_config){ asked->configs.items[i].name, asked->configs.items[i].value };
    topic.configs = configs;
    if (mill_bytes_equal(asked->name, mill_string(METADATA_TOPIC)))
        return refuse(out, call, KAFKA_INVALID_TOPIC_EXCEPTION, "the name belongs to the broker");
    error = topic_creation_check(metadata, &topic, &why);
    if (error != KAFKA_NONE)
        return refuse(out, call, error, why.text);
    out->num_partitions = topic.partitions;
    out->replication_factor = 1;
    if (!request->validate_only && !topic_creation_add(metadata, &topic, &out->topic_id, now))
        return refuse(out, call, KAFKA_UNKNOWN_SERVER_ERROR, "no random numbers for the topic's id");
    return KAFKA_NONE;
}

static void prepare(struct metadata_change *change, struct io_time now)
{
    struct create_state *state = change->ctx;
    struct call *call = state->call;
    const struct create_topics_request *request = call->request;
    struct create_topics_response *response = call->response;
    struct hash_map names;
    hash_map_init(&names);
    for (int32_t i = 0; i < request->topics.count; i++) {
        const struct create_topics_request_topic *asked = &request->topics.items[i];
        struct create_topics_response_topic *out = &response->topics.items[i];
        out->name = asked->name;
        out->error_code = is_named_twice(request, &names, asked->name)
                              ? refuse(out, call, KAFKA_INVALID_REQUEST, "the request names this topic twice")
                              : create_one(call, asked, out, now);
    }
    hash_map_release(&names);
}

static void describe_created(struct call *call, struct create_topics_response_topic *out)
{
    struct topic *topic = metadata_topic(&call->broker->metadata, out->name);
    out->configs.count = -1;
    if (out->error_code != KAFKA_NONE) {
        out->num_partitions = -1;
        out->replication_factor = -1;
        return;
    }
    size_t count = topic_config_table()->count;
    struct create_topics_response_config *items =
        call_array(call, create_topics_response_config_array(call->arena, (int32_t)count));
    for (size_t i = 0; items && i < count; i++) {
        struct topic_config_entry entry;
        topic_config_describe(call, topic, i, &entry);
        items[i].name = mill_string(entry.name);
        items[i].value = entry.value;
        items[i].config_source = (int8_t)entry.source;
    }
    out->configs.items = items;
    out->configs.count = items ? (int32_t)count : 0;
}

static void done(struct metadata_change *change, int16_t error, struct io_time now)
{
    struct create_state *state = change->ctx;
    struct create_topics_response *response = state->call->response;
    for (int32_t i = 0; i < response->topics.count; i++) {
        struct create_topics_response_topic *out = &response->topics.items[i];
        if (out->error_code == KAFKA_NONE && error != KAFKA_NONE)
            out->error_code = error;
        describe_created(state->call, out);
    }
    call_reply(state->call, now);
}

void handle_create_topics(struct call *call, struct io_time now)
{
    const struct create_topics_request *request = call->request;
    struct create_topics_response *response = call->response;
    struct create_state *state = arena_alloc(call->arena, sizeof *state);
    response->topics.items = call_array(call, create_topics_response_topic_array(call->arena, request->topics.count));
    if (!state || !response->topics.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    response->topics.count = request->topics.count;
    *state = (struct create_state){ .call = call };
    state->change = (struct metadata_change){ .prepare = prepare, .done = done, .ctx = state };
    metadata_submit(&call->broker->metadata, &state->change, now);
}
