/*
 * WriteTxnMarkers: an administrator ends a transaction that hangs in a partition, because its coordinator has forgotten it. Our
 * own coordinator needs no request for its markers (txn/txn_markers.h).
 */
#include "wire/api/write_txn_markers.h"

#include "broker/internal.h"

struct write_state;

struct write_part {
    struct partition_append append;
    struct write_state *state;
    const struct write_txn_markers_request_marker *marker;
    struct write_txn_markers_response_partition *out;
    mill_bytes topic; /* of the request */
};

struct write_state {
    struct call *call;
    int32_t pending; /* markers under way, and one for the handler itself */
};

static void finish_one(struct write_state *state, struct io_time now)
{
    if (--state->pending == 0)
        call_reply(state->call, now);
}

static void is_durable(struct partition_append *append, struct io_time now)
{
    struct write_part *part = append->ctx;
    part->out->error_code = append->error;
    if (append->error == KAFKA_NONE && mill_bytes_equal(part->topic, mill_string(OFFSETS_TOPIC)))
        coordinator_txn_ended(&part->state->call->broker->coordinator, part->out->partition_index, part->marker->producer_id,
                              part->marker->transaction_result, now);
    finish_one(part->state, now);
}

static struct shared_buffer *make_batch(struct call *call, const struct write_txn_markers_request_marker *asked,
                                        struct io_time now)
{
    struct shared_buffer *batch = shared_buffer_new(CONTROL_MARKER_BYTES);
    if (!batch)
        return NULL;
    struct control_marker marker = { .type = asked->transaction_result ? CONTROL_COMMIT : CONTROL_ABORT,
                                     .producer_id = asked->producer_id,
                                     .producer_epoch = asked->producer_epoch,
                                     .coordinator_epoch = asked->coordinator_epoch,
                                     .timestamp_ms = now.wall_ms };
    control_marker_encode(&marker, batch->data);
    batch->len = CONTROL_MARKER_BYTES;
    bool kept = request_keep(call->message, batch) == 0;
    shared_buffer_drop(batch); /* the request holds it now */
    return kept ? batch : NULL;
}

static void write_one(struct write_part *part, struct io_time now)
{
    struct call *call = part->state->call;
    const struct topic *topic = metadata_topic(&call->broker->metadata, part->topic);
    struct partition *partition = topic ? topic_partition(topic, part->out->partition_index) : NULL;
    bool is_marker = part->marker->producer_id >= 0 && part->marker->producer_epoch >= 0;
    part->out->error_code = !partition ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : is_marker ? KAFKA_NONE : KAFKA_INVALID_REQUEST;
    if (part->out->error_code != KAFKA_NONE)
        return;
    struct shared_buffer *batch = make_batch(call, part->marker, now);
    if (!batch) {
        call->starved = true;
        return;
    }
    part->append = (struct partition_append){
        .batch = { mill_bytes_of(batch->data, batch->len), batch }, .origin = APPEND_BROKER, .done = is_durable, .ctx = part
    };
    part->state->pending++;
    partition_append(partition, &part->append, now);
}

static void write_topic(struct write_state *state, const struct write_txn_markers_request_marker *marker,
                        const struct write_txn_markers_request_topic *asked, struct write_txn_markers_response_topic *out,
                        struct io_time now)
{
    struct call *call = state->call;
    int32_t count = asked->partition_indexes.count;
    struct write_part *parts = call_array(call, arena_alloc(call->arena, (size_t)count * sizeof *parts));
    out->name = asked->name;
    out->partitions.items = call_array(call, write_txn_markers_response_partition_array(call->arena, count));
    out->partitions.count = parts && out->partitions.items ? count : 0;
    for (int32_t i = 0; i < out->partitions.count; i++) {
        out->partitions.items[i].partition_index = asked->partition_indexes.items[i];
        parts[i] =
            (struct write_part){ .state = state, .marker = marker, .out = &out->partitions.items[i], .topic = asked->name };
        write_one(&parts[i], now);
    }
}

static void write_marker(struct write_state *state, const struct write_txn_markers_request_marker *asked,
                         struct write_txn_markers_response_marker *out, struct io_time now)
{
    struct call *call = state->call;
    out->producer_id = asked->producer_id;
    out->topics.items = call_array(call, write_txn_markers_response_topic_array(call->arena, asked->topics.count));
    out->topics.count = out->topics.items ? asked->topics.count : 0;
    for (int32_t i = 0; i < out->topics.count; i++)
        write_topic(state, asked, &asked->topics.items[i], &out->topics.items[i], now);
}

void handle_write_txn_markers(struct call *call, struct io_time now)
{
    const struct write_txn_markers_request *request = call->request;
    struct write_txn_markers_response *response = call->response;
    struct write_state *state = arena_alloc(call->arena, sizeof *state);
    response->markers.items = write_txn_markers_response_marker_array(call->arena, request->markers.count);
    if (!state || !response->markers.items) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    response->markers.count = request->markers.count;
    *state = (struct write_state){ .call = call, .pending = 1 };
    for (int32_t i = 0; i < request->markers.count; i++)
        write_marker(state, &request->markers.items[i], &response->markers.items[i], now);
    finish_one(state, now);
}
