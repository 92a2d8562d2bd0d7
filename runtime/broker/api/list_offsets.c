/*
 * ListOffsets: the first, the last, or the one of a time; what lies beyond the isolation level's end is not seen.
 */
#include "wire/api/list_offsets.h"

#include "broker/internal.h"

struct list_state;

struct list_part {
    struct partition_lookup lookup;
    struct list_state *state;
    struct list_offsets_response_partition *out;
};

struct list_state {
    struct call *call;
    int32_t pending; /* look-ups under way, and one for the handler itself */
};

static void finish_one(struct list_state *state, struct io_time now)
{
    if (--state->pending == 0)
        call_reply(state->call, now);
}

static void found(struct partition_lookup *lookup, struct io_time now)
{
    struct list_part *part = lookup->ctx;
    part->out->error_code = lookup->error;
    part->out->offset = lookup->offset;
    part->out->timestamp = lookup->found_timestamp;
    if (part->state->call->version >= 4)
        part->out->leader_epoch = lookup->leader_epoch;
    finish_one(part->state, now);
}

static void look_up(struct list_state *state, mill_bytes topic_name, const struct list_offsets_request_partition *asked,
                    struct list_offsets_response_partition *out, struct list_part *part, struct io_time now)
{
    const struct list_offsets_request *request = state->call->request;
    struct topic *topic = metadata_topic(&state->call->broker->metadata, topic_name);
    struct partition *partition = topic ? topic_partition(topic, asked->partition_index) : NULL;
    out->partition_index = asked->partition_index;
    if (!partition) {
        out->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    *part = (struct list_part){ .lookup = { .timestamp = asked->timestamp,
                                            .read_committed = request->isolation_level == 1,
                                            .current_leader_epoch = asked->current_leader_epoch,
                                            .done = found,
                                            .ctx = part },
                                .state = state,
                                .out = out };
    state->pending++;
    partition_lookup(partition, &part->lookup, now);
}

static void list_topic(struct list_state *state, const struct list_offsets_request_topic *asked,
                       struct list_offsets_response_topic *out, struct io_time now)
{
    struct call *call = state->call;
    int32_t count = asked->partitions.count;
    struct list_part *parts = call_array(call, arena_alloc(call->arena, (size_t)count * sizeof *parts));
    out->name = asked->name;
    out->partitions.items = call_array(call, list_offsets_response_partition_array(call->arena, count));
    if (!parts || !out->partitions.items)
        return;
    out->partitions.count = count;
    for (int32_t i = 0; i < count; i++)
        look_up(state, asked->name, &asked->partitions.items[i], &out->partitions.items[i], &parts[i], now);
}

void handle_list_offsets(struct call *call, struct io_time now)
{
    const struct list_offsets_request *request = call->request;
    struct list_offsets_response *response = call->response;
    struct list_state *state = arena_alloc(call->arena, sizeof *state);
    response->topics.items = list_offsets_response_topic_array(call->arena, request->topics.count);
    if (!state || !response->topics.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    response->topics.count = request->topics.count;
    *state = (struct list_state){ .call = call, .pending = 1 };
    for (int32_t i = 0; i < request->topics.count; i++)
        list_topic(state, &request->topics.items[i], &response->topics.items[i], now);
    finish_one(state, now);
}
