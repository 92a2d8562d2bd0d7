/*
 * Produce: each batch is checked, appended as it came, and acknowledged when it lies below its partition's high watermark.
 *
 * Checks, in Kafka's order: acks, topic, one batch and no more, size, CRC and records, compression known to the version, no
 * transaction (no coordinator of them here), keys on compacted topics, timestamps. Sequence numbers are the log's to judge.
 */
#include "wire/api/produce.h"

#include "broker/internal.h"

enum { SCRATCH_BYTES_KEPT = 4 << 20 }; /* room for unpacking that stays for the next batch */

struct produce_state;

struct produce_part {
    struct partition_append append;
    struct produce_state *state;
    struct produce_response_partition *out;
    struct partition *partition; /* held until it is done */
};

struct produce_state {
    struct call *call;
    int32_t pending; /* parts under way, and one for the handler itself */
    bool failed;     /* a part has an error */
};

/* ---- answer ---------------------------------------------------------------------------------------------------------------- */

static void finish_one(struct produce_state *state, struct io_time now)
{
    const struct produce_request *request = state->call->request;
    if (--state->pending > 0)
        return;
    if (request->acks != 0)
        call_reply(state->call, now);
    else if (state->failed)
        call_fail(state->call, MILL_ECLOSED, now); /* the only way to tell a producer that wants no answers */
    else
        call_reply_nothing(state->call, now);
}

static void refuse(struct produce_part *part, int16_t error, const char *why, struct io_time now)
{
    part->out->error_code = error;
    part->out->base_offset = -1;
    if (why)
        part->out->error_message = mill_string(why);
    part->state->failed = true;
    finish_one(part->state, now);
}

static void appended(struct partition_append *append, struct io_time now)
{
    struct produce_part *part = append->ctx;
    if (append->error == KAFKA_NONE) {
        part->out->base_offset = append->base_offset;
        part->out->log_start_offset = partition_log_start(part->partition);
        metric_add(part->partition->broker->meters.bytes_in, (int64_t)append->batch.bytes.len);
    }
    partition_drop(part->partition);
    if (append->error == KAFKA_NONE)
        finish_one(part->state, now);
    else
        refuse(part, append->error, NULL, now);
}

/* ---- checks ---------------------------------------------------------------------------------------------------------------- */

struct refusal {
    int16_t error;
    const char *why; /* static, or NULL */
};

static struct refusal refusal_of_check(int code)
{
    switch (code) {
    case 0:
        return (struct refusal){ KAFKA_NONE, NULL };
    case MILL_ECORRUPT:
    case MILL_ETRUNCATED:
        return (struct refusal){ KAFKA_CORRUPT_MESSAGE, "the batch fails its checksum or its format" };
    case MILL_EUNSUPPORTED:
        return (struct refusal){ KAFKA_UNSUPPORTED_FOR_MESSAGE_FORMAT, "only record batches of version 2 are taken" };
    case MILL_EINVALID:
        return (struct refusal){ KAFKA_INVALID_RECORD, "the batch breaks a rule for batches of producers" };
    case MILL_ETOOLARGE:
        return (struct refusal){ KAFKA_INVALID_RECORD, "the batch unpacks to more than the broker allows" };
    default:
        return (struct refusal){ KAFKA_KAFKA_STORAGE_ERROR, "no memory" };
    }
}

static struct refusal check_timestamps(const struct topic_settings *settings, const struct batch_summary *summary,
                                       struct io_time now)
{
    if (settings->log_append_time)
        return (struct refusal){ KAFKA_NONE, NULL };
    if (summary->max_timestamp_ms - now.wall_ms > settings->timestamp_after_max_ms)
        return (struct refusal){ KAFKA_INVALID_TIMESTAMP, "a timestamp lies further ahead than message.timestamp.after.max.ms" };
    if (summary->min_timestamp_ms >= 0 && now.wall_ms - summary->min_timestamp_ms > settings->timestamp_before_max_ms)
        return (struct refusal){ KAFKA_INVALID_TIMESTAMP, "a timestamp lies further back than message.timestamp.before.max.ms" };
    return (struct refusal){ KAFKA_NONE, NULL };
}

static struct refusal check_batch(struct call *call, const struct topic *topic, const struct wire_records *records,
                                  struct batch_summary *summary, struct io_time now)
{
    struct batch_reader *reader = &call->broker->check;
    if (records->count != 1)
        return (struct refusal){ KAFKA_INVALID_RECORD, "a request has exactly one batch for each partition" };
    if ((int64_t)records->len > topic->settings.max_message_bytes)
        return (struct refusal){ KAFKA_MESSAGE_TOO_LARGE, "the batch is larger than max.message.bytes" };
    struct refusal refusal = refusal_of_check(batch_check_produced(reader, records->slices[0].bytes, summary));
    if (reader->unpacked.capacity > SCRATCH_BYTES_KEPT)
        buffer_release(&reader->unpacked);
    if (refusal.error != KAFKA_NONE)
        return refusal;
    if (batch_compression(&reader->header) == COMPRESSION_ZSTD && call->version < 7)
        return (struct refusal){ KAFKA_UNSUPPORTED_COMPRESSION_TYPE, "zstd needs Produce version 7" };
    if (batch_is_transactional(&reader->header))
        return (struct refusal){ KAFKA_INVALID_TXN_STATE, "no transaction is open" };
    if (topic->settings.compacted && summary->null_keys > 0)
        return (struct refusal){ KAFKA_INVALID_RECORD, "a compacted topic takes no record without a key" };
    return check_timestamps(&topic->settings, summary, now);
}

/* A copy with the broker's time, or with the maximum that the producer got wrong: the bytes that came are not ours to change. */
static bool restamp(struct call *call, struct slice *batch, int64_t max_timestamp_ms, bool log_append_time)
{
    size_t size = batch->bytes.len;
    struct shared_buffer *copy = shared_buffer_new(size);
    if (!copy)
        return false;
    memcpy(copy->data, batch->bytes.data, size);
    copy->len = (uint32_t)size;
    batch_restamp_time(copy->data, size, max_timestamp_ms, log_append_time);
    bool kept = request_keep(call->message, copy) == 0;
    shared_buffer_drop(copy); /* the request holds it now */
    *batch = (struct slice){ mill_bytes_of(copy->data, size), copy };
    return kept;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------------- */

static void produce_part(struct produce_part *part, const struct topic *topic, const struct wire_records *records,
                         struct io_time now)
{
    struct call *call = part->state->call;
    const struct produce_request *request = call->request;
    struct batch_summary summary;
    struct refusal refusal = check_batch(call, topic, records, &summary, now);
    if (refusal.error != KAFKA_NONE) {
        refuse(part, refusal.error, refusal.why, now);
        return;
    }
    struct slice batch = records->slices[0];
    bool broker_time = topic->settings.log_append_time;
    int64_t max_timestamp_ms = broker_time ? now.wall_ms : summary.max_timestamp_ms;
    bool as_it_came = !broker_time && call->broker->check.header.max_timestamp_ms == summary.max_timestamp_ms;
    if (!as_it_came && !restamp(call, &batch, max_timestamp_ms, broker_time)) {
        refuse(part, KAFKA_KAFKA_STORAGE_ERROR, "no memory", now);
        return;
    }
    if (broker_time)
        part->out->log_append_time_ms = now.wall_ms;
    part->append = (struct partition_append){
        .batch = batch, .origin = APPEND_CLIENT, .unacknowledged = request->acks == 0, .done = appended, .ctx = part
    };
    partition_hold(part->partition);
    partition_append(part->partition, &part->append, now);
}

static void produce_topic(struct produce_state *state, const struct produce_request_topic *asked,
                          struct produce_response_topic *out, struct produce_part *parts, struct io_time now)
{
    struct call *call = state->call;
    const struct produce_request *request = call->request;
    bool acks_valid = request->acks >= -1 && request->acks <= 1;
    out->name = asked->name;
    out->topic_id = asked->topic_id;
    for (int32_t i = 0; i < asked->partition_data.count; i++) {
        const struct produce_request_partition *data = &asked->partition_data.items[i];
        struct produce_part *part = &parts[i];
        struct topic *topic = NULL;
        /* Looked up each time: what an append does may end with the topic deleted. */
        int16_t error = metadata_find(&call->broker->metadata, asked->name, asked->topic_id, &topic);
        *part = (struct produce_part){ .state = state, .out = &out->partition_responses.items[i] };
        part->out->index = data->index;
        part->partition = topic ? topic_partition(topic, data->index) : NULL;
        state->pending++;
        if (!acks_valid)
            refuse(part, KAFKA_INVALID_REQUIRED_ACKS, NULL, now);
        else if (error != KAFKA_NONE)
            refuse(part, error, NULL, now);
        else if (!part->partition)
            refuse(part, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, NULL, now);
        else if (topic->internal)
            refuse(part, KAFKA_INVALID_TOPIC_EXCEPTION, "an internal topic is written by the broker alone", now);
        else
            produce_part(part, topic, &data->records, now);
    }
}

/* The whole answer's shape, before anything is appended: afterwards nothing may fail for want of memory. */
static bool shape_response(struct call *call)
{
    const struct produce_request *request = call->request;
    struct produce_response *response = call->response;
    response->responses.items = call_array(call, produce_response_topic_array(call->arena, request->topic_data.count));
    if (!response->responses.items)
        return false;
    response->responses.count = request->topic_data.count;
    for (int32_t i = 0; i < request->topic_data.count; i++) {
        int32_t count = request->topic_data.items[i].partition_data.count;
        struct produce_response_topic *out = &response->responses.items[i];
        out->partition_responses.items = call_array(call, produce_response_partition_array(call->arena, count));
        if (!out->partition_responses.items)
            return false;
        out->partition_responses.count = count;
    }
    return true;
}

static struct produce_part *new_parts(struct call *call)
{
    const struct produce_request *request = call->request;
    size_t count = 0;
    for (int32_t i = 0; i < request->topic_data.count; i++)
        count += (size_t)request->topic_data.items[i].partition_data.count;
    return arena_calloc(call->arena, count, sizeof(struct produce_part));
}

void handle_produce(struct call *call, struct io_time now)
{
    const struct produce_request *request = call->request;
    struct produce_response *response = call->response;
    struct produce_state *state = arena_alloc(call->arena, sizeof *state);
    struct produce_part *parts = new_parts(call);
    if (!state || !parts || !shape_response(call)) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *state = (struct produce_state){ .call = call, .pending = 1 };
    for (int32_t i = 0; i < request->topic_data.count; i++) {
        produce_topic(state, &request->topic_data.items[i], &response->responses.items[i], parts, now);
        parts += request->topic_data.items[i].partition_data.count;
    }
    finish_one(state, now);
}
