/*
 * CreatePartitions: a topic may grow, never shrink.
 */
#include "wire/api/create_partitions.h"

#include "broker/internal.h"
#include "broker/topic_creation.h"

struct grow_state {
    struct call *call;
    struct metadata_change change;
};

static int16_t refuse(struct create_partitions_response_result *out, int16_t error, const char *why)
{
    out->error_message = mill_string(why);
    return error;
}

static int16_t check_assignments(const struct call *call, const struct create_partitions_request_topic *asked, int32_t more)
{
    if (asked->assignments.count < 0)
        return KAFKA_NONE;
    if (asked->assignments.count != more)
        return KAFKA_INVALID_REPLICA_ASSIGNMENT;
    for (int32_t i = 0; i < more; i++) {
        const struct wire_int32s *brokers = &asked->assignments.items[i].broker_ids;
        if (brokers->count != 1 || brokers->items[0] != call->broker->node_id)
            return KAFKA_INVALID_REPLICA_ASSIGNMENT;
    }
    return KAFKA_NONE;
}

static int16_t grow(struct call *call, const struct create_partitions_request_topic *asked, struct hash_map *seen,
                    struct create_partitions_response_result *out, struct io_time now)
{
    const struct create_partitions_request *request = call->request;
    struct metadata *metadata = &call->broker->metadata;
    struct topic *topic = metadata_topic(metadata, asked->name);
    void *twice = NULL;
    if (!topic)
        return refuse(out, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, "there is no such topic");
    if (topic->internal)
        return refuse(out, KAFKA_INVALID_TOPIC_EXCEPTION, "an internal topic keeps its partitions");
    if (hash_map_put(seen, asked->name, topic, &twice) != 0 || twice)
        return refuse(out, KAFKA_INVALID_REQUEST, "the request names this topic twice");
    if (asked->count <= topic->partition_count || asked->count > TOPIC_PARTITIONS_MAX)
        return refuse(out, KAFKA_INVALID_PARTITIONS, "the number of partitions can only be raised");
    int16_t error = check_assignments(call, asked, asked->count - topic->partition_count);
    if (error != KAFKA_NONE)
        return refuse(out, error, "one assignment for each new partition, on this one broker");
    for (int32_t i = topic->partition_count; i < asked->count && !request->validate_only; i++)
        topic_creation_add_partition(metadata, topic->id, i, 0, now);
    return KAFKA_NONE;
}

static void prepare(struct metadata_change *change, struct io_time now)
{
    struct grow_state *state = change->ctx;
    const struct create_partitions_request *request = state->call->request;
    struct create_partitions_response *response = state->call->response;
    struct hash_map seen;
    hash_map_init(&seen);
    for (int32_t i = 0; i < request->topics.count; i++) {
        struct create_partitions_response_result *out = &response->results.items[i];
        out->name = request->topics.items[i].name;
        out->error_code = grow(state->call, &request->topics.items[i], &seen, out, now);
    }
    hash_map_release(&seen);
}

static void done(struct metadata_change *change, int16_t error, struct io_time now)
{
    struct grow_state *state = change->ctx;
    struct create_partitions_response *response = state->call->response;
    for (int32_t i = 0; i < response->results.count; i++)
        if (response->results.items[i].error_code == KAFKA_NONE)
            response->results.items[i].error_code = error;
    call_reply(state->call, now);
}

void handle_create_partitions(struct call *call, struct io_time now)
{
    const struct create_partitions_request *request = call->request;
    struct create_partitions_response *response = call->response;
    struct grow_state *state = arena_alloc(call->arena, sizeof *state);
    response->results.items = create_partitions_response_result_array(call->arena, request->topics.count);
    if (!state || !response->results.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    response->results.count = request->topics.count;
    *state = (struct grow_state){ .call = call };
    state->change = (struct metadata_change){ .prepare = prepare, .done = done, .ctx = state };
    metadata_submit(&call->broker->metadata, &state->change, now);
}
