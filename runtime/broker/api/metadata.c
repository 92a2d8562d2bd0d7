/*
 * Metadata: topics with their partitions, and where to find them. A topic that is missing is made when broker and client allow
 * it; the answer then waits for it, so that what it names can be written to at once.
 */
#include "wire/api/metadata.h"

#include "broker/api/authorized_operations.h"
#include "broker/internal.h"
#include "broker/topic_creation.h"

struct metadata_state {
    struct call *call;
    struct metadata_change change;
};

static void describe_partitions(struct call *call, const struct topic *topic, struct metadata_response_topic *out)
{
    struct broker *broker = call->broker;
    int32_t count = topic->partition_count;
    struct metadata_response_partition *items = call_array(call, metadata_response_partition_array(call->arena, count));
    if (!items)
        return;
    for (int32_t i = 0; i < count; i++) {
        items[i].partition_index = i;
        bool blocked = topic->partitions[i]->blocked;
        items[i].error_code = blocked ? KAFKA_LEADER_NOT_AVAILABLE : KAFKA_NONE;
        items[i].leader_id = blocked ? -1 : broker->node_id;
        items[i].leader_epoch = topic->partitions[i]->leader_epoch;
        items[i].replica_nodes.items = &broker->node_id;
        items[i].replica_nodes.count = 1;
        items[i].isr_nodes = items[i].replica_nodes;
    }
    out->partitions.items = items;
    out->partitions.count = count;
}

static void describe_topic(struct call *call, const struct topic *topic, struct metadata_response_topic *out)
{
    const struct metadata_request *request = call->request;
    out->name = call_copy(call, mill_string(topic->name));
    out->topic_id = topic->id;
    out->is_internal = topic->internal;
    if (request->include_topic_authorized_operations)
        out->topic_authorized_operations = TOPIC_OPERATIONS;
    describe_partitions(call, topic, out);
}

static bool asks_for_all(const struct call *call)
{
    const struct metadata_request *request = call->request;
    return request->topics.count < 0 || (call->version == 0 && request->topics.count == 0);
}

static void describe_all(struct call *call, struct metadata_response *response)
{
    const struct metadata *metadata = &call->broker->metadata;
    int32_t count = (int32_t)hash_map_count(&metadata->topics);
    struct metadata_response_topic *items = call_array(call, metadata_response_topic_array(call->arena, count));
    if (!items)
        return;
    size_t at = 0;
    int32_t i = 0;
    for (struct topic *topic; (topic = metadata_next_topic(metadata, &at)) != NULL; i++)
        describe_topic(call, topic, &items[i]);
    response->topics.items = items;
    response->topics.count = count;
}

static int16_t error_of_missing(const struct call *call, mill_bytes name)
{
    const struct metadata_request *request = call->request;
    struct error_text why;
    struct new_topic topic = { .name = name, .partitions = 1 };
    if (!topic_name_is_valid(name))
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    /* It was tried and did not come to be. */
    int16_t error = request->allow_auto_topic_creation ? topic_creation_check(&call->broker->metadata, &topic, &why) : KAFKA_NONE;
    return error == KAFKA_NONE ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : error;
}

static void describe_asked(struct call *call, struct metadata_response *response)
{
    const struct metadata_request *request = call->request;
    const struct metadata *metadata = &call->broker->metadata;
    int32_t count = request->topics.count;
    struct metadata_response_topic *items = call_array(call, metadata_response_topic_array(call->arena, count));
    if (!items)
        return;
    for (int32_t i = 0; i < count; i++) {
        const struct metadata_request_topic *asked = &request->topics.items[i];
        struct topic *topic;
        int16_t error = metadata_find(metadata, asked->name, asked->topic_id, &topic);
        if (error == KAFKA_NONE) {
            describe_topic(call, topic, &items[i]);
            continue;
        }
        bool by_name = !mill_is_null(asked->name);
        items[i].error_code = by_name ? error_of_missing(call, asked->name) : error;
        items[i].name = by_name || call->version >= 12 ? asked->name : mill_string("");
        items[i].topic_id = asked->topic_id;
    }
    response->topics.items = items;
    response->topics.count = count;
}

static void describe_broker(struct call *call, struct metadata_response *response)
{
    struct broker *broker = call->broker;
    struct metadata_response_broker *self = call_array(call, metadata_response_broker_array(call->arena, 1));
    if (!self)
        return;
    self->node_id = broker->node_id;
    self->host = mill_string(broker->advertised_host ? broker->advertised_host : "");
    self->port = broker->advertised_port;
    response->brokers.items = self;
    response->brokers.count = 1;
    response->cluster_id = mill_string(broker_cluster_id(broker));
    response->controller_id = broker->node_id;
}

static void answer(struct call *call, struct io_time now)
{
    const struct metadata_request *request = call->request;
    struct metadata_response *response = call->response;
    describe_broker(call, response);
    if (asks_for_all(call))
        describe_all(call, response);
    else
        describe_asked(call, response);
    if (request->include_cluster_authorized_operations)
        response->cluster_authorized_operations = CLUSTER_OPERATIONS;
    call_reply(call, now);
}

/* ---- auto-creation --------------------------------------------------------------------------------------------------------- */

static bool is_to_be_made(const struct call *call, const struct metadata_request_topic *asked)
{
    return asked->name.len > 0 && !metadata_topic(&call->broker->metadata, asked->name) && topic_name_is_valid(asked->name) &&
           !topic_name_is_internal(asked->name);
}

static void make_missing(struct metadata_change *change, struct io_time now)
{
    struct metadata_state *state = change->ctx;
    const struct metadata_request *request = state->call->request;
    struct metadata *metadata = &state->call->broker->metadata;
    struct hash_map made; /* a request may name a topic twice */
    hash_map_init(&made);
    for (int32_t i = 0; i < request->topics.count; i++) {
        const struct metadata_request_topic *asked = &request->topics.items[i];
        struct new_topic topic = { .name = asked->name,
                                   .partitions = (int32_t)config_int(&state->call->broker->config, "num.partitions") };
        struct wire_uuid id;
        struct error_text why;
        if (!is_to_be_made(state->call, asked) || hash_map_get(&made, asked->name) ||
            topic_creation_check(metadata, &topic, &why) != KAFKA_NONE)
            continue;
        if (hash_map_put(&made, asked->name, state, NULL) == 0)
            topic_creation_add(metadata, &topic, &id, now);
    }
    hash_map_release(&made);
}

static void missing_are_made(struct metadata_change *change, int16_t error, struct io_time now)
{
    struct metadata_state *state = change->ctx;
    answer(state->call, now);
}

static bool has_to_make(const struct call *call)
{
    const struct metadata_request *request = call->request;
    if (!request->allow_auto_topic_creation || !config_bool(&call->broker->config, "auto.create.topics.enable"))
        return false;
    for (int32_t i = 0; i < request->topics.count; i++)
        if (is_to_be_made(call, &request->topics.items[i]))
            return true;
    return false;
}

void handle_metadata(struct call *call, struct io_time now)
{
    if (!has_to_make(call)) {
        answer(call, now);
        return;
    }
    struct metadata_state *state = arena_alloc(call->arena, sizeof *state);
    if (!state) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *state = (struct metadata_state){ .call = call };
    state->change = (struct metadata_change){ .prepare = make_missing, .done = missing_are_made, .ctx = state };
    metadata_submit(&call->broker->metadata, &state->change, now);
}
