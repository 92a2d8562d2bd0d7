/*
 * The producer against partitions that check sequences as a broker does: every record once and in order, whatever the network and
 * the leaders do.
 */
#include "fake_peer.h"

#include "client/producer.h"
#include "base/trace.h"
#include "record/batch_reader.h"
#include "support/rounds.h"
#include "wire/api/produce.h"

enum { LOG_MAX = 20000 };

/* A partition as its leader keeps it. */
struct log {
    int64_t values[LOG_MAX]; /* of the records, as numbers */
    int64_t end;
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence_next;
    struct {
        int32_t sequence;
        int64_t offset;
        int16_t epoch;
    } recent[5];
    int recent_at;
    int batches;
    int too_large;
    int16_t epoch_max;
};

/* What happens to a request. */
struct faults {
    double lose_before; /* the connection is cut before the batch is appended */
    double lose_after;  /* ... after */
    double refuse;      /* NOT_ENOUGH_REPLICAS for a single partition */
    double move;        /* the leader moves */
    int16_t next_error; /* for the next batch only, nothing is appended */
    int16_t error;      /* for all batches, with `reason` */
    const char *reason;
    size_t bytes_max; /* larger batches are too large; 0: none is */
    bool no_id;       /* InitProducerId is answered with COORDINATOR_NOT_AVAILABLE */
    int hold;         /* answers are held back */
};

struct fixture {
    struct peer peer;
    struct client *client;
    struct producer_options options;
    struct producer *producer;
    struct producer_topic *topic;
    struct log logs[PEER_PARTITIONS];
    struct faults faults;
    int flushed;
    int flush_code;
    int failures;
    int32_t lost;
    int failure_code;
    char failure_text[ERROR_TEXT_BYTES];
    int rooms;
    int told; /* that a batch goes again */
    char told_text[ERROR_TEXT_BYTES];
};

/* ---- the leader ------------------------------------------------------------------------------------------------------------ */

static int16_t check_sequence(struct log *log, const struct batch_header *header, int64_t *duplicate)
{
    if (header->producer_id != log->producer_id) { /* an unknown producer may begin anywhere */
        log->producer_id = header->producer_id;
        log->epoch = header->producer_epoch;
        memset(log->recent, -1, sizeof log->recent);
        return 0;
    }
    if (header->producer_epoch < log->epoch)
        return KAFKA_INVALID_PRODUCER_EPOCH;
    if (header->producer_epoch > log->epoch) {
        if (header->base_sequence != 0)
            return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
        log->epoch = header->producer_epoch;
        memset(log->recent, -1, sizeof log->recent);
        return 0;
    }
    for (int i = 0; i < 5; i++)
        if (log->recent[i].sequence == header->base_sequence && log->recent[i].epoch == log->epoch) {
            *duplicate = log->recent[i].offset;
            return 0;
        }
    return header->base_sequence == log->sequence_next ? 0 : KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

static int64_t number_of(mill_bytes value)
{
    char text[32] = { 0 };
    memcpy(text, value.data, value.len < 20 ? value.len : 20);
    return atoll(text);
}

static int16_t append(struct log *log, mill_bytes bytes, int64_t *offset)
{
    struct batch_reader reader;
    struct batch_summary summary;
    struct batch_record record;
    int64_t duplicate = -1;
    batch_reader_init(&reader, 1 << 20);
    assert_int_equal(batch_check_produced(&reader, bytes, &summary), 0);
    int16_t error = check_sequence(log, &reader.header, &duplicate);
    if (error == 0 && duplicate >= 0)
        *offset = duplicate;
    else if (error == 0) {
        *offset = log->end;
        log->sequence_next = (int32_t)((uint32_t)(reader.header.base_sequence + reader.header.record_count) & INT32_MAX);
        log->recent[log->recent_at].sequence = reader.header.base_sequence;
        log->recent[log->recent_at].offset = log->end;
        log->recent[log->recent_at].epoch = log->epoch;
        log->recent_at = (log->recent_at + 1) % 5;
        log->batches++;
        log->epoch_max = log->epoch > log->epoch_max ? log->epoch : log->epoch_max;
        assert_int_equal(batch_reader_open(&reader, bytes, true), 0);
        while (batch_reader_next(&reader, &record) == 1)
            log->values[log->end++] = number_of(record.record.value);
    }
    batch_reader_release(&reader);
    return error;
}

static void produce_partition(struct fixture *f, struct request *request, struct peer_topic *topic,
                              const struct produce_request_partition *asked, struct produce_response_partition *told)
{
    told->index = asked->index;
    told->base_offset = -1;
    if (topic->leaders[asked->index] != peer_broker_of(request)) {
        told->error_code = KAFKA_NOT_LEADER_OR_FOLLOWER;
    } else if (f->faults.next_error != 0) {
        told->error_code = f->faults.next_error;
        f->faults.next_error = 0;
    } else if (f->faults.error != 0) {
        told->error_code = f->faults.error;
        told->error_message = mill_string(f->faults.reason);
    } else if (prng_chance(&f->peer.prng, f->faults.refuse)) {
        told->error_code = KAFKA_NOT_ENOUGH_REPLICAS;
    } else {
        assert_int_equal(asked->records.count, 1);
        bool too_large = f->faults.bytes_max > 0 && asked->records.len > f->faults.bytes_max;
        f->logs[asked->index].too_large += too_large;
        told->error_code = too_large ? KAFKA_MESSAGE_TOO_LARGE
                                     : append(&f->logs[asked->index], asked->records.slices[0].bytes, &told->base_offset);
    }
}

static void produce(struct fixture *f, struct request *request)
{
    const struct produce_request *asked = request->body;
    struct produce_response *body = peer_response(request);
    assert_int_equal(asked->acks, -1);
    body->responses.count = asked->topic_data.count;
    body->responses.items = produce_response_topic_array(&request->arena, asked->topic_data.count);
    for (int32_t i = 0; i < asked->topic_data.count; i++) {
        const struct produce_request_topic *from = &asked->topic_data.items[i];
        struct produce_response_topic *into = &body->responses.items[i];
        const char *name = request->api_version >= 13 ? peer_topic_name(&f->peer, from->topic_id) : NULL;
        struct peer_topic *topic = peer_find_topic(&f->peer, name ? mill_string(name) : from->name);
        assert_non_null(topic);
        into->name = from->name;
        into->topic_id = from->topic_id;
        into->partition_responses.count = from->partition_data.count;
        into->partition_responses.items = produce_response_partition_array(&request->arena, from->partition_data.count);
        for (int32_t p = 0; p < from->partition_data.count; p++)
            produce_partition(f, request, topic, &from->partition_data.items[p], &into->partition_responses.items[p]);
    }
}

static bool leader_hook(struct peer *peer, struct request *request)
{
    struct fixture *f = peer->ctx;
    if (request->api->key == API_INIT_PRODUCER_ID && f->faults.no_id) {
        ((struct init_producer_id_response *)peer_response(request))->error_code = KAFKA_COORDINATOR_NOT_AVAILABLE;
        peer_answer(peer, request);
        return true;
    }
    if (request->api->key != API_PRODUCE)
        return false;
    if (prng_chance(&peer->prng, f->faults.move)) {
        struct peer_topic *topic = &peer->topics[0];
        int32_t partition = (int32_t)prng_below(&peer->prng, (uint64_t)topic->partitions);
        topic->leaders[partition] = 1 + (int32_t)prng_below(&peer->prng, 3);
        topic->epochs[partition]++;
    }
    if (prng_chance(&peer->prng, f->faults.lose_before)) {
        peer_cut(request->holder, MILL_ECONNECTION);
        return true;
    }
    produce(f, request);
    if (prng_chance(&peer->prng, f->faults.lose_after))
        peer_cut(request->holder, MILL_ECONNECTION);
    else if (f->faults.hold == 0)
        peer_answer(peer, request);
    return true;
}

/* ---- the fixture ----------------------------------------------------------------------------------------------------------- */

static void on_failed(void *ctx, const struct producer_failure *failure)
{
    struct fixture *f = ctx;
    f->failures++;
    f->lost += failure->record_count;
    f->failure_code = failure->code;
    snprintf(f->failure_text, sizeof f->failure_text, "%s", failure->text);
}

static void on_room(void *ctx, struct io_time now)
{
    ((struct fixture *)ctx)->rooms++;
}

static void on_flushed(void *ctx, int code, struct io_time now)
{
    struct fixture *f = ctx;
    f->flushed++;
    f->flush_code = code;
}

static void on_retrying(void *ctx, const struct producer_failure *failure)
{
    struct fixture *f = ctx;
    f->told++;
    snprintf(f->told_text, sizeof f->told_text, "%s", failure->text);
}

static const struct producer_events producer_events = { on_failed, on_room, on_retrying };

static struct producer_options default_options(void)
{
    struct config config;
    struct producer_options options;
    config_init(&config, &client_option_table);
    assert_int_equal(producer_options_read(&options, &config), 0);
    config_release(&config);
    return options;
}

static void start(struct fixture *f)
{
    f->producer = producer_new(f->client, &f->options, &producer_events, f);
    f->topic = producer_topic(f->producer, "t");
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    peer_init(&f.peer);
    f.peer.hook = leader_hook;
    f.peer.ctx = &f;
    for (int i = 0; i < PEER_PARTITIONS; i++)
        f.logs[i].producer_id = -1;
    peer_add_topic(&f.peer, "t", 2, 1);
    f.options = default_options();
    f.client = peer_client(&f.peer);
    *state = &f;
    trace_set_level(getenv("TRACE") ? TRACE_DEBUG : TRACE_OFF);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    producer_free(f->producer);
    peer_end(&f->peer, f->client);
    return 0;
}

static int send_number(struct fixture *f, int32_t partition, int64_t number)
{
    char value[64];
    int len = snprintf(value, sizeof value, "%020lld padding", (long long)number);
    mill_record record = { .key = mill_string("k"), .value = mill_bytes_of(value, (size_t)len), .timestamp_ms = 5 };
    return producer_send(f->producer, f->topic, partition, &record);
}

static void flush(struct fixture *f, int64_t ms)
{
    int before = f->flushed;
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    peer_run(&f->peer, ms);
    assert_true(f->flushed > before);
}

/* The log holds first, first + 1, ... without one missing or twice. */
static void assert_log(const struct log *log, int64_t first, int64_t count)
{
    assert_int_equal(log->end, count);
    for (int64_t i = 0; i < count; i++)
        assert_int_equal(log->values[i], first + i);
}

/* ---- batches --------------------------------------------------------------------------------------------------------------- */

static void records_linger_and_go_as_one_batch(void **state)
{
    struct fixture *f = *state;
    start(f);
    for (int i = 0; i < 10; i++)
        assert_int_equal(send_number(f, 0, i), 0);
    peer_run(&f->peer, 4);
    assert_int_equal(f->logs[0].end, 0);
    peer_run(&f->peer, 1);
    assert_log(&f->logs[0], 0, 10);
    assert_int_equal(f->logs[0].batches, 1);
    assert_int_equal(producer_acknowledged_end(f->topic, 0), 10);
    assert_int_equal(producer_acknowledged_end(f->topic, 1), -1);
    assert_int_equal(producer_buffered_bytes(f->producer), 0);
}

static void a_full_batch_does_not_linger(void **state)
{
    struct fixture *f = *state;
    f->options.linger_ms = 10000;
    start(f);
    peer_run(&f->peer, 10); /* metadata and producer id are known */
    int sent = 0;
    while (f->peer.requests[API_PRODUCE] == 0) {
        assert_int_equal(send_number(f, 0, sent++), 0);
        peer_run(&f->peer, 0);
    }
    assert_int_equal(f->logs[0].batches, 1);
    assert_true(f->logs[0].end == sent - 1);
}

static void partitions_of_one_leader_share_a_request(void **state)
{
    struct fixture *f = *state;
    start(f);
    send_number(f, 0, 0);
    send_number(f, 1, 0);
    flush(f, 0);
    assert_int_equal(f->peer.requests[API_PRODUCE], 1);
    assert_log(&f->logs[0], 0, 1);
    assert_log(&f->logs[1], 0, 1);
}

static void a_flush_waits_for_what_was_sent_before_it(void **state)
{
    struct fixture *f = *state;
    start(f);
    f->faults.hold = 1;
    send_number(f, 0, 0);
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    peer_run(&f->peer, 100);
    assert_int_equal(f->flushed, 0);
    peer_answer(&f->peer, peer_held(&f->peer, API_PRODUCE));
    peer_run(&f->peer, 0);
    assert_int_equal(f->flushed, 1);
    assert_int_equal(f->flush_code, 0);
}

static void a_flush_of_nothing_is_answered_at_once(void **state)
{
    struct fixture *f = *state;
    start(f);
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    assert_int_equal(f->flushed, 1);
}

static void every_codec_arrives(void **state)
{
    struct fixture *f = *state;
    for (int codec = 0; codec <= 4; codec++) {
        f->options.compression = codec;
        start(f);
        for (int i = 0; i < 50; i++)
            send_number(f, 0, codec * 50 + i);
        flush(f, 0);
        producer_free(f->producer);
    }
    f->producer = NULL;
    assert_log(&f->logs[0], 0, 250);
}

static void a_broker_without_topic_ids_is_asked_by_name(void **state)
{
    struct fixture *f = *state;
    f->peer.topics[0].id = 0;
    start(f);
    send_number(f, 0, 0);
    flush(f, 0);
    assert_log(&f->logs[0], 0, 1);
}

static void a_partition_beyond_the_topic_is_refused(void **state)
{
    struct fixture *f = *state;
    start(f);
    assert_int_equal(send_number(f, -1, 0), MILL_EINVALID);
    peer_run(&f->peer, 0);
    assert_int_equal(send_number(f, 2, 0), MILL_EINVALID);
}

static void a_record_beyond_the_request_size_is_refused(void **state)
{
    struct fixture *f = *state;
    f->options.request_bytes_max = 1000;
    start(f);
    uint8_t big[1000] = { 0 };
    mill_record record = { .key = mill_null(), .value = mill_bytes_of(big, sizeof big) };
    assert_int_equal(producer_send(f->producer, f->topic, 0, &record), MILL_ETOOLARGE);
    assert_int_equal(send_number(f, 0, 0), 0);
    flush(f, 0);
    assert_log(&f->logs[0], 0, 1);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------- */

static void above_the_mark_the_producer_is_full_until_there_is_room(void **state)
{
    struct fixture *f = *state;
    f->options.buffer_bytes = 64 << 10;
    start(f);
    f->faults.hold = 1;
    int64_t sent = 0;
    while (!producer_full(f->producer)) {
        assert_int_equal(send_number(f, 0, sent++), 0);
        peer_run(&f->peer, 0);
    }
    int code;
    while ((code = send_number(f, 0, sent)) == 0) /* what it is in the middle of is still taken */
        sent++;
    assert_int_equal(code, MILL_EAGAIN);
    assert_in_range(producer_buffered_bytes(f->producer), 128 << 10, (128 << 10) + 16384);
    assert_int_equal(f->rooms, 0);

    f->faults.hold = 0;
    while (peer_held(&f->peer, API_PRODUCE)) {
        peer_answer(&f->peer, peer_held(&f->peer, API_PRODUCE));
        peer_run(&f->peer, 0);
    }
    assert_int_equal(f->rooms, 1);
    flush(f, 0);
    assert_log(&f->logs[0], 0, sent);
}

/* ---- failures -------------------------------------------------------------------------------------------------------------- */

static void a_moved_leader_is_found_and_the_batch_sent_there(void **state)
{
    struct fixture *f = *state;
    start(f);
    peer_run(&f->peer, 500);
    f->peer.topics[0].leaders[0] = 3;
    f->peer.topics[0].epochs[0] = 1;
    send_number(f, 0, 0);
    flush(f, 2000);
    assert_log(&f->logs[0], 0, 1);
    assert_int_equal(f->flush_code, 0);
}

static void a_batch_whose_answer_is_lost_is_written_once(void **state)
{
    struct fixture *f = *state;
    start(f);
    f->faults.lose_after = 1;
    send_number(f, 0, 0);
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    peer_run(&f->peer, 20);
    f->faults.lose_after = 0;
    peer_run(&f->peer, 2000);
    assert_int_equal(f->flushed, 1);
    assert_log(&f->logs[0], 0, 1);
    assert_int_equal(f->logs[0].batches, 1);
    assert_int_equal(producer_acknowledged_end(f->topic, 0), 1);
}

static void a_batch_refused_for_good_is_reported_and_those_behind_it_go_on(void **state)
{
    struct fixture *f = *state;
    start(f);
    send_number(f, 0, 0);
    flush(f, 0);
    f->faults.next_error = KAFKA_MESSAGE_TOO_LARGE;
    send_number(f, 0, 77);
    producer_flush(f->producer, on_flushed, f);
    send_number(f, 0, 1);
    flush(f, 2000);

    assert_int_equal(f->failures, 1);
    assert_int_equal(f->lost, 1);
    assert_int_equal(f->failure_code, MILL_ETOOLARGE);
    assert_non_null(strstr(f->failure_text, "t-0"));
    assert_log(&f->logs[0], 0, 2);
    assert_int_equal(f->logs[0].epoch_max, 1); /* the hole was left behind */
}

static void a_batch_too_large_for_its_topic_is_split_and_the_next_ones_are_smaller(void **state)
{
    struct fixture *f = *state;
    f->faults.bytes_max = 400;
    for (int compression = COMPRESSION_NONE; compression <= COMPRESSION_ZSTD; compression++) {
        f->options.compression = compression;
        start(f);
        for (int i = 0; i < 200; i++)
            send_number(f, 0, i);
        flush(f, 2000);
        assert_log(&f->logs[0], 0, 200);
        assert_true(f->logs[0].too_large > 0);
        f->logs[0].too_large = 0;
        for (int i = 200; i < 400; i++)
            send_number(f, 0, i);
        flush(f, 2000);
        assert_log(&f->logs[0], 0, 400);
        assert_int_equal(f->logs[0].too_large, 0);
        assert_int_equal(f->logs[0].epoch_max, 0); /* no number was lost */
        assert_int_equal(f->failures, 0);
        assert_int_equal(producer_buffered_bytes(f->producer), 0);
        producer_free(f->producer);
        memset(&f->logs[0], 0, sizeof f->logs[0]);
        f->logs[0].producer_id = -1;
    }
    start(f);
}

static void a_record_too_large_for_its_topic_is_lost_alone(void **state)
{
    struct fixture *f = *state;
    static char large[1000];
    mill_record record = { .key = mill_string("k"), .value = mill_bytes_of(large, sizeof large), .timestamp_ms = 5 };
    f->faults.bytes_max = 400;
    start(f);
    for (int i = 0; i < 10; i++) {
        send_number(f, 0, i);
        if (i == 4)
            assert_int_equal(producer_send(f->producer, f->topic, 0, &record), 0);
    }
    flush(f, 2000);
    assert_int_equal(f->failures, 1);
    assert_int_equal(f->lost, 1);
    assert_int_equal(f->failure_code, MILL_ETOOLARGE);
    assert_log(&f->logs[0], 0, 10);
}

static void a_flush_tells_of_a_lost_batch_once(void **state)
{
    struct fixture *f = *state;
    start(f);
    f->faults.next_error = KAFKA_INVALID_RECORD;
    send_number(f, 0, 77);
    flush(f, 100);
    assert_int_equal(f->flush_code, MILL_EINVALID);
    send_number(f, 0, 0);
    flush(f, 1000);
    assert_int_equal(f->flush_code, 0);
}

static void a_broker_that_lost_its_log_is_written_to_in_the_next_epoch(void **state)
{
    struct fixture *f = *state;
    start(f);
    send_number(f, 0, 0);
    flush(f, 0);
    f->logs[0].sequence_next = 9; /* it expects something else than we remember */
    send_number(f, 0, 1);
    send_number(f, 0, 2);
    flush(f, 2000);
    assert_log(&f->logs[0], 0, 3);
    assert_int_equal(f->logs[0].epoch_max, 1);
    assert_int_equal(f->failures, 0);
}

static void a_fenced_epoch_gets_a_new_producer_id(void **state)
{
    struct fixture *f = *state;
    start(f);
    send_number(f, 0, 0);
    flush(f, 0);
    f->logs[0].epoch = 5;
    send_number(f, 0, 1);
    flush(f, 2000);
    assert_log(&f->logs[0], 0, 2);
    assert_int_equal(f->logs[0].producer_id, 4001);
    assert_int_equal(f->peer.requests[API_INIT_PRODUCER_ID], 2);
}

static void unknown_producer_id_begins_the_next_epoch(void **state)
{
    struct fixture *f = *state;
    start(f);
    send_number(f, 0, 0);
    flush(f, 0);
    f->faults.next_error = KAFKA_UNKNOWN_PRODUCER_ID;
    send_number(f, 0, 1);
    flush(f, 2000);
    assert_log(&f->logs[0], 0, 2);
    assert_int_equal(f->logs[0].epoch_max, 1);
}

static void a_batch_that_cannot_be_delivered_expires(void **state)
{
    struct fixture *f = *state;
    start(f);
    peer_run(&f->peer, 100);
    f->peer.refuse = true;
    peer_cut_all(&f->peer);
    send_number(f, 0, 0);
    send_number(f, 1, 0);
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    peer_run(&f->peer, 119000);
    assert_int_equal(f->failures, 0);
    peer_run(&f->peer, 32000); /* at most a request's time-out later */
    assert_int_equal(f->failures, 2);
    assert_int_equal(f->failure_code, MILL_ETIMEOUT);
    assert_int_equal(f->flushed, 1);
    assert_int_equal(f->flush_code, MILL_ETIMEOUT);

    f->peer.refuse = false;
    send_number(f, 0, 0);
    flush(f, 5000);
    assert_log(&f->logs[0], 0, 1);
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in: %s", part, text);
}

static void who_waits_for_a_batch_that_goes_again_is_told_why_now_and_then(void **state)
{
    struct fixture *f = *state;
    start(f);
    peer_run(&f->peer, 100);
    f->faults.error = KAFKA_KAFKA_STORAGE_ERROR;
    f->faults.reason = "no space left on /data";
    for (int64_t i = 0; i < 100; i++) {
        send_number(f, 0, i);
        send_number(f, 1, i);
        assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    }
    peer_run(&f->peer, 150);
    assert_int_equal(f->told, 0); /* it may be over at once */
    peer_run(&f->peer, 3000);
    assert_int_equal(f->told, 1);
    assert_contains(f->told_text, "producing to t-0");
    assert_contains(f->told_text, "KAFKA_STORAGE_ERROR");
    assert_contains(f->told_text, "the broker says: no space left on /data");
    peer_run(&f->peer, 60000);
    assert_in_range(f->told, 2, 3);
    f->faults.error = 0;
    peer_run(&f->peer, 5000);
    assert_log(&f->logs[0], 0, 100);
    assert_log(&f->logs[1], 0, 100);
}

static void a_batch_that_expires_tells_the_last_error(void **state)
{
    struct fixture *f = *state;
    start(f);
    peer_run(&f->peer, 100);
    f->faults.error = KAFKA_KAFKA_STORAGE_ERROR;
    f->faults.reason = "no space left on /data";
    send_number(f, 0, 0);
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    peer_run(&f->peer, 125000);
    assert_int_equal(f->failures, 1);
    assert_contains(f->failure_text, "expired after 120");
    assert_contains(f->failure_text, "last error: KAFKA_STORAGE_ERROR");
    assert_contains(f->failure_text, "no space left on /data");
}

static void a_broker_without_a_producer_id_for_us_is_told_of(void **state)
{
    struct fixture *f = *state;
    f->faults.no_id = true;
    start(f);
    send_number(f, 0, 0);
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    peer_run(&f->peer, 10000);
    assert_int_equal(f->told, 1);
    assert_contains(f->told_text, "COORDINATOR_NOT_AVAILABLE");
    peer_run(&f->peer, 115000);
    assert_int_equal(f->failures, 1);
    assert_contains(f->failure_text, "last error: the broker gives no producer id yet");
}

static void a_topic_that_appears_later_gets_its_records(void **state)
{
    struct fixture *f = *state;
    f->producer = producer_new(f->client, &f->options, &producer_events, f);
    f->topic = producer_topic(f->producer, "late");
    send_number(f, 0, 0);
    peer_run(&f->peer, 1000);
    peer_add_topic(&f->peer, "late", 1, 2);
    flush(f, 2000);
    assert_log(&f->logs[0], 0, 1);
}

static void a_topic_that_we_may_not_write_to_fails_at_once(void **state)
{
    struct fixture *f = *state;
    f->peer.topics[0].error = KAFKA_TOPIC_AUTHORIZATION_FAILED;
    start(f);
    send_number(f, 0, 0);
    peer_run(&f->peer, 50);
    flush(f, 1000);
    assert_int_equal(f->failures, 1);
    assert_int_equal(f->failure_code, MILL_EACCESS);
}

static void a_producer_without_a_producer_id_is_of_no_use(void **state)
{
    struct fixture *f = *state;
    f->peer.not_offered[API_INIT_PRODUCER_ID] = true;
    start(f);
    send_number(f, 0, 0);
    flush(f, 100);
    const char *text;
    assert_int_equal(f->failures, 1);
    assert_int_equal(producer_error(f->producer, &text), MILL_EUNSUPPORTED);
    assert_int_equal(send_number(f, 0, 1), MILL_EUNSUPPORTED);
}

/* ---- everything at once ---------------------------------------------------------------------------------------------------- */

static void torture(uint64_t seed)
{
    struct fixture *f;
    set_up((void **)&f);
    prng_init(&f->peer.prng, seed);
    f->peer.topics[0].partitions = 4;
    for (int p = 0; p < 4; p++)
        f->peer.topics[0].leaders[p] = 1 + p % 3;
    f->options.batch_bytes = seed % 2 == 0 ? 400 : 4000;
    f->options.delivery_timeout_ms = INT32_MAX;
    f->faults = (struct faults){ .lose_before = 0.05, .lose_after = 0.05, .refuse = 0.05, .move = 0.02, .bytes_max = 400 };
    start(f);
    int64_t sent[4] = { 0 };
    for (int i = 0; i < 4000; i++) {
        int32_t p = (int32_t)prng_below(&f->peer.prng, 4);
        assert_int_equal(send_number(f, p, sent[p]), 0);
        sent[p]++;
        if (prng_chance(&f->peer.prng, 0.05))
            peer_run(&f->peer, (int64_t)prng_below(&f->peer.prng, 30));
    }
    flush(f, 3600 * 1000);
    assert_int_equal(f->flush_code, 0);
    assert_int_equal(f->failures, 0);
    for (int p = 0; p < 4; p++) {
        assert_log(&f->logs[p], 0, sent[p]);
        assert_int_equal(f->logs[p].epoch_max, 0); /* no retry ever left a hole */
    }
    tear_down((void **)&f);
}

static void no_fault_loses_doubles_or_reorders_a_record(void **state)
{
    tear_down(state); /* each seed has a fixture of its own */
    uint64_t first = test_seed(1);
    for (uint64_t seed = first; seed < first + (uint64_t)test_rounds(40); seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        torture(seed);
    }
    set_up(state);
}

static void every_failed_allocation_is_survived(void **state)
{
    struct fixture *f = *state;
    for (uint64_t n = 1; n < 150; n++) {
        tear_down(state);
        set_up(state);
        f->options.batch_bytes = 400;
        f->faults.bytes_max = n % 2 == 0 ? 300 : 0;
        peer_fail_at(n);
        f->producer = producer_new(f->client, &f->options, &producer_events, f);
        f->topic = f->producer ? producer_topic(f->producer, "t") : NULL;
        int64_t sent = 0;
        for (int i = 0; i < 40 && f->topic; i++)
            sent += send_number(f, 0, sent) == 0;
        if (f->topic && producer_flush(f->producer, on_flushed, f) == 0) {
            peer_run(&f->peer, 60000);
            assert_int_equal(f->flushed, 1);
            assert_int_equal(f->flush_code, 0);
            assert_log(&f->logs[0], 0, sent);
        }
        peer_fail_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_linger_and_go_as_one_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_batch_does_not_linger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_of_one_leader_share_a_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flush_waits_for_what_was_sent_before_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flush_of_nothing_is_answered_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_codec_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broker_without_topic_ids_is_asked_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_partition_beyond_the_topic_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_beyond_the_request_size_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(above_the_mark_the_producer_is_full_until_there_is_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moved_leader_is_found_and_the_batch_sent_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_whose_answer_is_lost_is_written_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_refused_for_good_is_reported_and_those_behind_it_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_too_large_for_its_topic_is_split_and_the_next_ones_are_smaller, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_record_too_large_for_its_topic_is_lost_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flush_tells_of_a_lost_batch_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broker_that_lost_its_log_is_written_to_in_the_next_epoch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fenced_epoch_gets_a_new_producer_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_producer_id_begins_the_next_epoch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_that_cannot_be_delivered_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_waits_for_a_batch_that_goes_again_is_told_why_now_and_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_that_expires_tells_the_last_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broker_without_a_producer_id_for_us_is_told_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_appears_later_gets_its_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_we_may_not_write_to_fails_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_producer_without_a_producer_id_is_of_no_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_fault_loses_doubles_or_reorders_a_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
