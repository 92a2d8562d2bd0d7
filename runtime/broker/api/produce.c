/*
 * Produce: each batch is checked, appended as it came, and acknowledged when it lies below its partition's high watermark.
 *
 * Checks, in Kafka's order: acks, topic, one batch and no more, size, CRC and records, compression known to the version, keys on
 * compacted topics, timestamps. Sequence numbers are the log's to judge.
 *
 * The first batch of a transaction in a partition asks the coordinator: up to version 11 whether the partition was added, from 12
 * on it is added by this (KIP-890), together with the others of the request, before any of them is written.
 */
#include "wire/api/produce.h"

#include "base/saturate.h"
#include "broker/internal.h"
#include "broker/txn/txn_errors.h"

enum {
    SCRATCH_BYTES_KEPT = 4 << 20, /* room for unpacking that stays for the next batch */
    ADDS_SINCE = 12               /* to the transaction, by itself */
};

struct produce_state;

struct produce_part {
    struct partition_append append;
    struct produce_state *state;
    struct produce_response_partition *out;
    struct partition *partition; /* held until it is done */
    struct produce_part *next;   /* of those that await their transaction */
};

struct produce_state {
    struct call *call;
    int32_t pending;             /* parts under way, and one for the handler itself */
    bool failed;                 /* a part has an error */
    struct produce_part *adding; /* parts whose partitions join the transaction first */
    size_t adding_count;
    struct txn_add add;
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

/* Without memory the answer goes without it. */
static const char *copy_why(struct produce_part *part, const char *why)
{
    return why ? (const char *)arena_dup(part->state->call->arena, mill_bytes_of(why, strlen(why) + 1)).data : NULL;
}

static void appended(struct partition_append *append, struct io_time now)
{
    struct produce_part *part = append->ctx;
    struct partition *partition = part->partition;
    if (append->error == KAFKA_NONE) {
        part->out->base_offset = append->base_offset;
        part->out->log_start_offset = partition_log_start(partition);
        metric_add(partition->broker->meters.bytes_in, (int64_t)append->batch.bytes.len);
    }
    if (append->error == KAFKA_NONE)
        finish_one(part->state, now);
    else
        refuse(part, append->error, copy_why(part, append->why), now);
    partition_drop(partition);
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
    if (saturated_sum(summary->max_timestamp_ms, -now.wall_ms) > settings->timestamp_after_max_ms)
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
        return (struct refusal){ KAFKA_MESSAGE_TOO_LARGE, "the batch is larger than the topic's max.message.bytes: lower the "
                                                          "producer's batch.size, or raise that" };
    struct refusal refusal = refusal_of_check(batch_check_produced(reader, records->slices[0].bytes, summary));
    if (reader->unpacked.capacity > SCRATCH_BYTES_KEPT)
        buffer_release(&reader->unpacked);
    if (refusal.error != KAFKA_NONE)
        return refusal;
    if (batch_compression(&reader->header) == COMPRESSION_ZSTD && call->version < 7)
        return (struct refusal){ KAFKA_UNSUPPORTED_COMPRESSION_TYPE, "zstd needs Produce version 7" };
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

/* ---- transactions ---------------------------------------------------------------------------------------------------------- */

static void append_or_refuse(struct produce_part *part, int16_t error, struct io_time now)
{
    if (error == KAFKA_NONE) {
        partition_append(part->partition, &part->append, now);
        return;
    }
    partition_drop(part->partition);
    refuse(part, txn_produce_error(error, part->state->call->version), "the partition is not in the producer's transaction", now);
}

static bool is_same_producer(struct producer_identity a, struct producer_identity b)
{
    return a.producer_id == b.producer_id && a.epoch == b.epoch;
}

/* The batch waits for its partition to join, with the others of the request. */
static void join_later(struct produce_part *part, struct producer_identity producer, struct io_time now)
{
    struct produce_state *state = part->state;
    if (state->adding && !is_same_producer(state->add.producer, producer)) {
        append_or_refuse(part, KAFKA_INVALID_PRODUCER_ID_MAPPING, now);
        return;
    }
    state->add.producer = producer;
    part->next = state->adding;
    state->adding = part;
    state->adding_count++;
}

static void enter_txn(struct produce_part *part, const struct topic *topic, const struct batch_header *header, struct io_time now)
{
    struct call *call = part->state->call;
    const struct produce_request *request = call->request;
    struct producer_identity producer = { header->producer_id, header->producer_epoch };
    if (!batch_is_transactional(header) || partition_has_open_txn(part->partition, producer.producer_id, producer.epoch)) {
        append_or_refuse(part, KAFKA_NONE, now);
    } else if (mill_is_null(request->transactional_id) || request->transactional_id.len == 0) {
        append_or_refuse(part, KAFKA_INVALID_TXN_STATE, now);
    } else if (call->version >= ADDS_SINCE) {
        join_later(part, producer, now);
    } else {
        append_or_refuse(part,
                         txn_coordinator_verify(&call->broker->txns, request->transactional_id, producer,
                                                mill_string(topic->name), part->partition->index),
                         now);
    }
}

/* Before it is answered anything else can be done with the transaction, so all of them are in it now. */
static void have_joined(struct txn_operation *operation, int16_t error, struct io_time now)
{
    struct produce_state *state = operation->ctx;
    for (struct produce_part *part = state->adding, *next; part; part = next) {
        next = part->next;
        append_or_refuse(part, error, now);
    }
    finish_one(state, now);
}

static void join_all(struct produce_state *state, struct io_time now)
{
    struct call *call = state->call;
    const struct produce_request *request = call->request;
    struct txn_target *targets = arena_alloc(call->arena, state->adding_count * sizeof *targets);
    size_t count = 0;
    state->add.operation = (struct txn_operation){ .id = request->transactional_id, .done = have_joined, .ctx = state };
    state->add.version = TRANSACTION_VERSION;
    state->pending++;
    for (struct produce_part *part = state->adding; targets && part; part = part->next) {
        /* A copy: the topic may be deleted meanwhile. */
        mill_bytes name = arena_dup(call->arena, mill_string(part->partition->topic));
        if (mill_is_null(name))
            targets = NULL;
        else
            targets[count++] = (struct txn_target){ name, part->partition->index };
    }
    state->add.targets = targets;
    state->add.target_count = count;
    if (targets)
        txn_coordinator_add(&call->broker->txns, &state->add, now);
    else
        have_joined(&state->add.operation, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
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
    struct batch_header header = call->broker->check.header;
    struct slice batch = records->slices[0];
    bool broker_time = topic->settings.log_append_time;
    int64_t max_timestamp_ms = broker_time ? now.wall_ms : summary.max_timestamp_ms;
    bool as_it_came = !broker_time && header.max_timestamp_ms == summary.max_timestamp_ms;
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
    enter_txn(part, topic, &header, now);
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
    if (state->adding)
        join_all(state, now);
    finish_one(state, now);
}
