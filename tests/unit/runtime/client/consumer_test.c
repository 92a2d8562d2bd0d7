/* The fetcher and the look-up of offsets, against partitions held by a scripted cluster. */
#include "fake_peer.h"

#include "base/trace.h"
#include "client/consumer.h"
#include "client/offset_lookup.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"
#include "record/control.h"
#include "wire/api/fetch.h"
#include "wire/api/list_offsets.h"

enum { LOG_BYTES = 1 << 20, RECORDS_MAX = 4096, PARTITIONS = 4 };

/* A partition's log: batches one behind the other. */
struct log {
    uint8_t bytes[LOG_BYTES];
    size_t len;
    int64_t start;
    int64_t end;
    int64_t last_stable;
    int16_t error; /* for the next answer only */
    struct fetch_response_aborted_transaction aborted[4];
    int32_t aborted_count;
    int64_t diverging_end; /* for the next answer only; -1 none */
};

struct fixture {
    struct peer peer;
    struct client *client;
    struct consumer_options options;
    struct consumer *consumer;
    struct client_topic *topic;
    struct consumer_partition *partitions[PARTITIONS];
    struct log logs[PARTITIONS];
    bool hold;
    bool tear; /* the last batch of an answer is cut */
    bool as_if_remote;
    int32_t last_wait_ms;
    int last_partitions; /* in the last fetch */
    int readies;
    int failures;
    int failure_code;
    int64_t positioned;
    int64_t offsets[PARTITIONS][RECORDS_MAX]; /* read */
    int counts[PARTITIONS];
};

/* ---- the leader ------------------------------------------------------------------------------------------------------------ */

static void append(struct log *log, int records, int16_t transactional, int64_t producer_id)
{
    struct batch_writer writer;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    mill_bytes batch;
    batch_writer_init(&writer, 1 << 16, 1 << 16);
    for (int i = 0; i < records; i++) {
        mill_record record = { .key = mill_string("key"), .value = mill_string("a value of some length"), .timestamp_ms = 7 };
        assert_int_equal(batch_writer_append(&writer, &record), 0);
    }
    options.base_offset = log->end;
    options.leader_epoch = 0;
    options.transactional = transactional != 0;
    options.producer_id = producer_id;
    options.producer_epoch = producer_id < 0 ? -1 : 0;
    options.base_sequence = producer_id < 0 ? -1 : 0;
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    memcpy(log->bytes + log->len, batch.data, batch.len);
    log->len += batch.len;
    log->end += records;
    log->last_stable = log->end;
    batch_writer_release(&writer);
}

static void append_marker(struct log *log, enum control_type type, int64_t producer_id)
{
    struct control_marker marker = { .type = type, .producer_id = producer_id, .timestamp_ms = 7 };
    control_marker_encode(&marker, log->bytes + log->len);
    batch_stamp(log->bytes + log->len, log->end, 0);
    log->len += CONTROL_MARKER_BYTES;
    log->end++;
    log->last_stable = log->end;
}

/* The batches from the one that holds `offset`, whole ones up to `max` bytes but one at least. */
static mill_bytes read_log(struct log *log, int64_t offset, size_t max)
{
    mill_bytes region = mill_bytes_of(log->bytes, log->len);
    mill_bytes batch;
    struct batch_header header;
    const uint8_t *from = NULL;
    const uint8_t *to = NULL;
    while (batch_next(&region, &batch, &header) == 1) {
        if (batch_last_offset(&header) < offset)
            continue;
        if (from && (size_t)(batch.data + batch.len - from) > max)
            break;
        from = from ? from : batch.data;
        to = batch.data + batch.len;
    }
    return mill_bytes_of(from ? from : log->bytes, from ? (size_t)(to - from) : 0);
}

static bool has_data(struct fixture *f, const struct fetch_request *asked)
{
    for (int32_t t = 0; t < asked->topics.count; t++)
        for (int32_t p = 0; p < asked->topics.items[t].partitions.count; p++) {
            const struct fetch_request_partition *from = &asked->topics.items[t].partitions.items[p];
            struct log *log = &f->logs[from->partition];
            if (log->error != 0 || log->diverging_end >= 0 || from->fetch_offset != log->end)
                return true;
        }
    return false;
}

static void fetch_partition(struct fixture *f, struct request *request, const struct fetch_request_partition *asked,
                            struct fetch_response_partition *told)
{
    struct log *log = &f->logs[asked->partition];
    told->partition_index = asked->partition;
    told->high_watermark = log->end;
    told->last_stable_offset = log->last_stable;
    told->log_start_offset = log->start;
    told->error_code = log->error;
    told->records = wire_records_null();
    if (f->peer.topics[0].leaders[asked->partition] != peer_broker_of(request))
        told->error_code = KAFKA_NOT_LEADER_OR_FOLLOWER;
    else if (log->error == 0 && (asked->fetch_offset < log->start || asked->fetch_offset > log->end))
        told->error_code = KAFKA_OFFSET_OUT_OF_RANGE;
    log->error = 0;
    if (told->error_code != 0)
        return;
    if (log->diverging_end >= 0) {
        told->diverging_epoch.epoch = 0;
        told->diverging_epoch.end_offset = log->diverging_end;
        log->diverging_end = -1;
        return;
    }
    told->aborted_transactions.items = log->aborted;
    told->aborted_transactions.count = log->aborted_count;
    mill_bytes bytes = read_log(log, asked->fetch_offset, (size_t)asked->partition_max_bytes);
    struct shared_buffer *buffer = shared_buffer_new(bytes.len + 1);
    memcpy(buffer->data, bytes.data, bytes.len);
    buffer->len = (uint32_t)bytes.len;
    struct slice *slice = arena_alloc(&request->arena, sizeof *slice);
    size_t len = f->tear && bytes.len > 10 ? bytes.len - 10 : bytes.len;
    *slice = (struct slice){ mill_bytes_of(buffer->data, len), buffer };
    assert_int_equal(request_keep(request, buffer), 0);
    shared_buffer_drop(buffer);
    told->records = (struct wire_records){ slice, 1, len };
}

static void answer_fetch(struct fixture *f, struct request *request)
{
    const struct fetch_request *asked = request->body;
    struct fetch_response *body = peer_response(request);
    body->responses.count = asked->topics.count;
    body->responses.items = fetch_response_topic_array(&request->arena, asked->topics.count);
    for (int32_t t = 0; t < asked->topics.count; t++) {
        const struct fetch_request_topic *from = &asked->topics.items[t];
        struct fetch_response_topic *into = &body->responses.items[t];
        into->topic = from->topic;
        into->topic_id = from->topic_id;
        into->partitions.count = from->partitions.count;
        into->partitions.items = fetch_response_partition_array(&request->arena, from->partitions.count);
        for (int32_t p = 0; p < from->partitions.count; p++)
            fetch_partition(f, request, &from->partitions.items[p], &into->partitions.items[p]);
    }
    if (f->as_if_remote)
        request->response.frame = shared_buffer_new(1);
    peer_answer(&f->peer, request);
}

/* Every record has the time 7. */
static int64_t offset_at(const struct log *log, int64_t timestamp_ms)
{
    if (timestamp_ms == OFFSET_AT_START || (timestamp_ms >= 0 && timestamp_ms <= 7))
        return log->start;
    return timestamp_ms >= 0 ? -1 : log->end;
}

static void answer_list_offsets(struct fixture *f, struct request *request)
{
    const struct list_offsets_request *asked = request->body;
    struct list_offsets_response *body = peer_response(request);
    body->topics.count = asked->topics.count;
    body->topics.items = list_offsets_response_topic_array(&request->arena, asked->topics.count);
    for (int32_t t = 0; t < asked->topics.count; t++) {
        const struct list_offsets_request_topic *from = &asked->topics.items[t];
        struct list_offsets_response_topic *into = &body->topics.items[t];
        into->name = from->name;
        into->partitions.count = from->partitions.count;
        into->partitions.items = list_offsets_response_partition_array(&request->arena, from->partitions.count);
        for (int32_t p = 0; p < from->partitions.count; p++) {
            struct log *log = &f->logs[from->partitions.items[p].partition_index];
            into->partitions.items[p].partition_index = from->partitions.items[p].partition_index;
            into->partitions.items[p].error_code = log->error;
            into->partitions.items[p].offset = offset_at(log, from->partitions.items[p].timestamp);
            log->error = 0;
        }
    }
    peer_answer(&f->peer, request);
}

static bool leader_hook(struct peer *peer, struct request *request)
{
    struct fixture *f = peer->ctx;
    if (request->api->key == API_LIST_OFFSETS) {
        answer_list_offsets(f, request);
        return true;
    }
    if (request->api->key != API_FETCH)
        return false;
    const struct fetch_request *asked = request->body;
    f->last_wait_ms = asked->max_wait_ms;
    f->last_partitions = 0;
    for (int32_t t = 0; t < asked->topics.count; t++)
        f->last_partitions += asked->topics.items[t].partitions.count;
    if (!f->hold && has_data(f, asked))
        answer_fetch(f, request);
    return true; /* else it is parked */
}

/* Something was appended: parked fetches are answered. */
static void wake_fetches(struct fixture *f)
{
    struct request *request;
    while ((request = peer_held(&f->peer, API_FETCH)))
        answer_fetch(f, request);
}

/* ---- the fixture ----------------------------------------------------------------------------------------------------------- */

static void on_ready(void *ctx, struct io_time now)
{
    ((struct fixture *)ctx)->readies++;
}

static void on_failed(void *ctx, struct consumer_partition *partition, int code, const char *text)
{
    struct fixture *f = ctx;
    f->failures++;
    f->failure_code = code;
}

static void on_positioned(void *ctx, struct consumer_partition *partition, int64_t offset)
{
    ((struct fixture *)ctx)->positioned = offset;
}

static const struct consumer_events consumer_events = { on_ready, on_failed, on_positioned };

static int set_up(void **state)
{
    static struct fixture f;
    struct config config;
    memset(&f, 0, sizeof f);
    for (int p = 0; p < PARTITIONS; p++)
        f.logs[p].diverging_end = -1;
    peer_init(&f.peer);
    f.peer.hook = leader_hook;
    f.peer.ctx = &f;
    peer_add_topic(&f.peer, "t", PARTITIONS, 1);
    config_init(&config, &client_option_table);
    assert_int_equal(consumer_options_read(&f.options, &config), 0);
    config_release(&config);
    f.client = peer_client(&f.peer);
    f.topic = client_topic(f.client, "t");
    trace_set_level(getenv("TRACE") ? TRACE_DEBUG : TRACE_OFF);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    consumer_free(f->consumer);
    peer_end(&f->peer, f->client);
    return 0;
}

static void start(struct fixture *f)
{
    f->consumer = consumer_new(f->client, &f->options, &consumer_events, f);
}

static void assign(struct fixture *f, int32_t partition, int64_t at)
{
    f->partitions[partition] = consumer_assign(f->consumer, f->topic, partition, at);
    assert_non_null(f->partitions[partition]);
}

static void read_fetched(struct fixture *f, const struct fetched *fetched)
{
    mill_bytes region = fetched->batches.bytes;
    mill_bytes batch;
    struct batch_header header;
    struct batch_reader reader;
    struct batch_record record;
    int32_t p = fetched->partition->index;
    batch_reader_init(&reader, 1 << 20);
    while (batch_next(&region, &batch, &header) == 1) {
        assert_int_equal(batch_reader_open(&reader, batch, true), 0);
        assert_int_equal(batch_reader_skip_to(&reader, fetched->first_offset), 0);
        while (batch_reader_next(&reader, &record) == 1)
            f->offsets[p][f->counts[p]++] = record.offset;
    }
    batch_reader_release(&reader);
    assert_int_equal(region.len, 0);
    assert_int_equal(consumer_position(fetched->partition), fetched->next_offset);
}

static void read_all(struct fixture *f)
{
    struct fetched fetched;
    while (consumer_next(f->consumer, &fetched)) {
        read_fetched(f, &fetched);
        fetched_release(&fetched);
    }
}

static void assert_read(const struct fixture *f, int32_t partition, int64_t first, int count)
{
    assert_int_equal(f->counts[partition], count);
    for (int i = 0; i < count; i++)
        assert_int_equal(f->offsets[partition][i], first + i);
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static void what_is_in_the_log_comes_out_once_and_in_order(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++)
        append(&f->logs[0], 10, 0, -1);
    f->options.partition_bytes_max = 1000;
    start(f);
    assign(f, 0, 0);
    for (int i = 0; i < 30; i++) {
        peer_run(&f->peer, 25);
        read_all(f);
    }
    assert_read(f, 0, 0, 100);
    assert_int_equal(consumer_position(f->partitions[0]), 100);
    assert_int_equal(consumer_lag(f->partitions[0]), 0);
    assert_int_equal(consumer_buffered_bytes(f->consumer), 0);
}

static void a_start_within_a_batch_tells_which_records_to_skip(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    start(f);
    assign(f, 0, 4);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 4, 6);
}

static void a_cluster_without_topic_ids_is_read_by_name(void **state)
{
    struct fixture *f = *state;
    f->peer.topics[0].id = 0;
    append(&f->logs[0], 10, 0, -1);
    start(f);
    assign(f, 0, 0);
    f->hold = true;
    peer_run(&f->peer, 0);
    assert_int_equal(peer_held(&f->peer, API_FETCH)->api_version, 12);
    wake_fetches(f);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 0, 10);
}

static void earliest_latest_and_policy_are_looked_up(void **state)
{
    struct fixture *f = *state;
    for (int p = 0; p < 3; p++) {
        f->logs[p].start = 0;
        append(&f->logs[p], 10, 0, -1);
    }
    f->options.offset_reset = OFFSET_RESET_EARLIEST;
    start(f);
    assign(f, 0, CONSUMER_EARLIEST);
    assign(f, 1, CONSUMER_LATEST);
    assign(f, 2, CONSUMER_BY_POLICY);
    assert_int_equal(consumer_position(f->partitions[0]), -1);
    assert_int_equal(consumer_lag(f->partitions[0]), -1);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 0, 10);
    assert_read(f, 1, 0, 0);
    assert_read(f, 2, 0, 10);
    assert_int_equal(consumer_position(f->partitions[1]), 10);
    assert_int_equal(f->peer.requests[API_LIST_OFFSETS], 1);
}

static void no_policy_and_no_offset_fails_the_partition(void **state)
{
    struct fixture *f = *state;
    f->options.offset_reset = OFFSET_RESET_NONE;
    start(f);
    assign(f, 0, CONSUMER_BY_POLICY);
    assert_int_equal(f->failures, 0); /* never from within the call */
    peer_run(&f->peer, 0);
    assert_int_equal(f->failures, 1);
    assert_int_equal(f->failure_code, MILL_ENOTFOUND);
}

static void a_start_by_time_is_the_first_record_since_or_the_end(void **state)
{
    struct fixture *f = *state;
    for (int p = 0; p < 2; p++)
        append(&f->logs[p], 10, 0, -1);
    f->options.offset_reset = OFFSET_RESET_NONE;
    start(f);
    assign(f, 0, consumer_since(7));
    assign(f, 1, consumer_since(8));
    peer_run(&f->peer, 1000);
    read_all(f);
    assert_read(f, 0, 0, 10);
    assert_read(f, 1, 0, 0);
    assert_int_equal(consumer_position(f->partitions[1]), 10);
}

static void a_start_nowhere_fails_whatever_the_policy(void **state)
{
    struct fixture *f = *state;
    f->options.offset_reset = OFFSET_RESET_EARLIEST;
    start(f);
    assign(f, 0, CONSUMER_NOWHERE);
    peer_run(&f->peer, 0);
    assert_int_equal(f->failure_code, MILL_ENOTFOUND);
}

static void an_offset_out_of_range_is_reset_by_the_policy(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    f->options.offset_reset = OFFSET_RESET_EARLIEST;
    start(f);
    assign(f, 0, 500);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 0, 10);
    assert_int_equal(f->positioned, 0);
}

static void an_offset_out_of_range_without_policy_fails(void **state)
{
    struct fixture *f = *state;
    f->options.offset_reset = OFFSET_RESET_NONE;
    start(f);
    assign(f, 0, 500);
    peer_run(&f->peer, 0);
    assert_int_equal(f->failure_code, MILL_EOUTOFRANGE);
    consumer_seek(f->partitions[0], 0);
    append(&f->logs[0], 3, 0, -1);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 0, 3);
}

static void partitions_take_turns(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        append(&f->logs[0], 10, 0, -1);
        append(&f->logs[1], 10, 0, -1);
    }
    f->options.partition_bytes_max = 500; /* one batch an answer */
    start(f);
    assign(f, 0, 0);
    assign(f, 1, 0);
    peer_run(&f->peer, 100);
    struct fetched a, b;
    assert_true(consumer_next(f->consumer, &a));
    assert_true(consumer_next(f->consumer, &b));
    assert_ptr_not_equal(a.partition, b.partition);
    fetched_release(&a);
    fetched_release(&b);
}

static void ready_is_told_when_something_has_come(void **state)
{
    struct fixture *f = *state;
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 100);
    assert_int_equal(f->readies, 0);
    append(&f->logs[0], 1, 0, -1);
    wake_fetches(f);
    peer_run(&f->peer, 0);
    assert_int_equal(f->readies, 1);
    read_all(f);
    assert_read(f, 0, 0, 1);
}

/* ---- back-pressure --------------------------------------------------------------------------------------------------------- */

static void a_full_partition_is_not_fetched_until_it_is_read(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++)
        append(&f->logs[0], 10, 0, -1);
    f->options.partition_bytes_max = 1000;
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 10000);
    assert_in_range(consumer_buffered_bytes(f->consumer), 1000, 2000);
    int fetches = f->peer.requests[API_FETCH];
    peer_run(&f->peer, 10000);
    assert_int_equal(f->peer.requests[API_FETCH], fetches);
    read_all(f);
    peer_run(&f->peer, 0);
    assert_true(f->peer.requests[API_FETCH] > fetches);
}

static void idle_partitions_do_not_hold_up_one_that_is_read_fast(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++)
        append(&f->logs[0], 10, 0, -1);
    f->options.partition_bytes_max = 500;
    start(f);
    assign(f, 0, 0);
    assign(f, 1, 0); /* has nothing: a fetch of it alone is parked */
    for (int i = 0; i < 60; i++) {
        peer_run(&f->peer, 1);
        read_all(f);
    }
    assert_read(f, 0, 0, 500);
}

static void a_paused_partition_gives_nothing_and_shortens_the_wait(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    append(&f->logs[1], 10, 0, -1);
    start(f);
    assign(f, 0, 0);
    assign(f, 1, 0);
    consumer_pause(f->partitions[0]);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 0, 0);
    assert_read(f, 1, 0, 10);
    assert_int_equal(f->last_wait_ms, 20);

    consumer_resume(f->partitions[0]);
    wake_fetches(f);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 0, 10);
    assert_int_equal(f->last_wait_ms, 500);
}

static void while_more_partitions_are_expected_no_fetch_is_parked_for_long(void **state)
{
    struct fixture *f = *state;
    start(f);
    consumer_expect(f->consumer, true);
    assign(f, 0, 0); /* has nothing */
    peer_run(&f->peer, 0);
    assert_int_equal(f->last_wait_ms, 20);

    consumer_expect(f->consumer, false);
    wake_fetches(f);
    peer_run(&f->peer, 0);
    assert_int_equal(f->last_wait_ms, 500);
}

static void what_is_buffered_survives_a_pause(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 0);
    consumer_pause(f->partitions[0]);
    read_all(f);
    assert_read(f, 0, 0, 0);
    struct fetched fetched;
    assert_true(consumer_next_of(f->partitions[0], &fetched)); /* by name it comes out */
    read_fetched(f, &fetched);
    fetched_release(&fetched);
    assert_read(f, 0, 0, 10);
}

/* ---- changes while a fetch is out ------------------------------------------------------------------------------------------ */

static void an_answer_for_a_place_that_was_left_is_dropped(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    append(&f->logs[0], 10, 0, -1);
    start(f);
    f->hold = true;
    assign(f, 0, 0);
    assign(f, 1, 0);
    peer_run(&f->peer, 0);
    consumer_seek(f->partitions[0], 10);
    consumer_unassign(f->partitions[1]);
    f->hold = false;
    wake_fetches(f);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 10, 10);
}

static void a_moved_leader_is_followed(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 5, 0, -1);
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 500);
    read_all(f);
    f->peer.topics[0].leaders[0] = 2;
    f->peer.topics[0].epochs[0] = 1;
    append(&f->logs[0], 5, 0, -1);
    wake_fetches(f);
    peer_run(&f->peer, 1000);
    read_all(f);
    assert_read(f, 0, 0, 10);
}

static void a_lost_connection_is_made_anew(void **state)
{
    struct fixture *f = *state;
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 10);
    peer_cut_all(&f->peer);
    append(&f->logs[0], 5, 0, -1);
    peer_run(&f->peer, 1000);
    read_all(f);
    assert_read(f, 0, 0, 5);
}

static void a_log_cut_below_our_position_is_read_from_the_cut(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 0);
    read_all(f);
    f->logs[0].len = 0;
    f->logs[0].end = 0;
    append(&f->logs[0], 6, 0, -1);
    f->logs[0].diverging_end = 4;
    wake_fetches(f);
    peer_run(&f->peer, 0);
    assert_int_equal(consumer_position(f->partitions[0]), 4);
    read_all(f);
    assert_int_equal(f->counts[0], 12);
    assert_int_equal(f->offsets[0][10], 4);
}

/* ---- batches --------------------------------------------------------------------------------------------------------------- */

static void a_torn_last_batch_comes_whole_with_the_next_fetch(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    append(&f->logs[0], 10, 0, -1);
    f->tear = true;
    start(f);
    assign(f, 0, 0);
    f->hold = true;
    peer_run(&f->peer, 0);
    wake_fetches(f);
    peer_run(&f->peer, 0);
    f->tear = false;
    f->hold = false;
    read_all(f);
    assert_read(f, 0, 0, 10);
    wake_fetches(f);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_read(f, 0, 0, 20);
    assert_int_equal(f->failures, 0);
}

static void nothing_but_a_torn_batch_fails_the_partition(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    f->tear = true;
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 0);
    assert_int_equal(f->failure_code, MILL_ETOOLARGE);
}

static void a_flipped_bit_from_the_network_fails_the_partition(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 10, 0, -1);
    append(&f->logs[0], 10, 0, -1);
    f->logs[0].bytes[f->logs[0].len - 3] ^= 1;
    f->as_if_remote = true;
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 0);
    assert_int_equal(f->failure_code, MILL_ECORRUPT);
    read_all(f);
    assert_read(f, 0, 0, 10); /* what was whole before it */
}

static void control_batches_are_passed_over(void **state)
{
    struct fixture *f = *state;
    append(&f->logs[0], 3, 1, 42);
    append_marker(&f->logs[0], CONTROL_COMMIT, 42);
    append(&f->logs[0], 2, 0, -1);
    append_marker(&f->logs[0], CONTROL_COMMIT, 43);
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 0);
    read_all(f);
    assert_int_equal(f->counts[0], 5);
    assert_int_equal(f->offsets[0][3], 4);
    assert_int_equal(consumer_position(f->partitions[0]), 7); /* behind the last marker */
}

static void a_log_of_markers_alone_moves_the_position(void **state)
{
    struct fixture *f = *state;
    append_marker(&f->logs[0], CONTROL_COMMIT, 42);
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 0);
    assert_int_equal(consumer_position(f->partitions[0]), 1);
    assert_int_equal(f->readies, 1); /* who waits for the end of the log hears of it */
}

static void aborted_transactions_are_left_out_when_reading_committed(void **state)
{
    struct fixture *f = *state;
    struct log *log = &f->logs[0];
    append(log, 2, 1, 42);                  /* 0, 1 aborted */
    append(log, 2, 1, 43);                  /* 2, 3 committed */
    append(log, 1, 1, 42);                  /* 4 aborted */
    append_marker(log, CONTROL_ABORT, 42);  /* 5 */
    append(log, 2, 1, 42);                  /* 6, 7 committed */
    append_marker(log, CONTROL_COMMIT, 43); /* 8 */
    append(log, 1, 0, -1);                  /* 9 */
    append_marker(log, CONTROL_COMMIT, 42); /* 10 */
    log->aborted[0] = (struct fetch_response_aborted_transaction){ .producer_id = 42, .first_offset = 0 };
    log->aborted_count = 1;
    f->options.read_committed = true;
    start(f);
    assign(f, 0, 0);
    peer_run(&f->peer, 0);
    read_all(f);
    static const int64_t expected[] = { 2, 3, 6, 7, 9 };
    assert_int_equal(f->counts[0], 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(f->offsets[0][i], expected[i]);
    assert_int_equal(consumer_position(f->partitions[0]), 11);
}

/* ---- look-ups -------------------------------------------------------------------------------------------------------------- */

struct found {
    int calls;
    int code;
    int64_t offsets[8];
};

static void on_found(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now)
{
    struct found *found = ctx;
    found->calls++;
    found->code = code;
    for (size_t i = 0; i < count; i++)
        found->offsets[i] = queries[i].offset;
}

static void a_look_up_asks_each_leader_and_may_name_a_partition_twice(void **state)
{
    struct fixture *f = *state;
    struct found found = { 0 };
    for (int p = 0; p < PARTITIONS; p++) {
        f->peer.topics[0].leaders[p] = 1 + p % 2;
        append(&f->logs[p], p + 1, 0, -1);
    }
    struct offset_query queries[5] = { 0 };
    for (int i = 0; i < 5; i++)
        queries[i] = (struct offset_query){ .topic = f->topic, .partition = i % PARTITIONS, .timestamp_ms = OFFSET_AT_END };
    queries[4].timestamp_ms = OFFSET_AT_START;
    assert_non_null(offset_lookup_start(f->client, queries, 5, false, on_found, &found));
    peer_run(&f->peer, 10);
    assert_int_equal(found.calls, 1);
    assert_int_equal(found.code, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(found.offsets[i], i + 1);
    assert_int_equal(found.offsets[4], 0);
    assert_int_equal(f->peer.requests[API_LIST_OFFSETS], 3);
}

static void a_look_up_is_repeated_on_errors_that_pass(void **state)
{
    struct fixture *f = *state;
    struct found found = { 0 };
    f->logs[1].error = KAFKA_OFFSET_NOT_AVAILABLE;
    append(&f->logs[1], 3, 0, -1);
    struct offset_query query = { .topic = f->topic, .partition = 1, .timestamp_ms = OFFSET_AT_END };
    assert_non_null(offset_lookup_start(f->client, &query, 1, false, on_found, &found));
    peer_run(&f->peer, 1000);
    assert_int_equal(found.code, 0);
    assert_int_equal(found.offsets[0], 3);
}

static void a_look_up_of_what_does_not_exist_fails(void **state)
{
    struct fixture *f = *state;
    struct found found = { 0 };
    struct offset_query queries[2] = { { .topic = f->topic, .partition = 99 },
                                       { .topic = client_topic(f->client, "missing"), .timestamp_ms = OFFSET_AT_END } };
    assert_non_null(offset_lookup_start(f->client, queries, 2, false, on_found, &found));
    peer_run(&f->peer, 10000);
    assert_int_equal(found.calls, 1);
    assert_int_equal(found.code, MILL_ENOTFOUND);
}

static void a_look_up_nobody_answers_times_out(void **state)
{
    struct fixture *f = *state;
    struct found found = { 0 };
    f->peer.refuse = true;
    struct offset_query query = { .topic = f->topic, .partition = 1, .timestamp_ms = OFFSET_AT_END };
    assert_non_null(offset_lookup_start(f->client, &query, 1, false, on_found, &found));
    peer_run(&f->peer, 62000);
    assert_int_equal(found.code, MILL_ETIMEOUT);
}

static void every_failed_allocation_is_survived(void **state)
{
    struct fixture *f = *state;
    for (uint64_t n = 1; n < 150; n++) {
        tear_down(state);
        set_up(state);
        f->consumer = NULL;
        for (int i = 0; i < 10; i++)
            append(&f->logs[0], 10, 0, -1);
        f->options.partition_bytes_max = 1000;
        peer_fail_at(n);
        start(f);
        if (f->consumer && (f->partitions[0] = consumer_assign(f->consumer, f->topic, 0, CONSUMER_EARLIEST))) {
            for (int i = 0; i < 100; i++) {
                peer_run(&f->peer, 1000);
                peer_fail_pause();
                read_all(f);
                peer_fail_resume();
            }
            assert_read(f, 0, 0, 100);
        }
        peer_fail_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_in_the_log_comes_out_once_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_within_a_batch_tells_which_records_to_skip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cluster_without_topic_ids_is_read_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(earliest_latest_and_policy_are_looked_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_by_time_is_the_first_record_since_or_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_nowhere_fails_whatever_the_policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_policy_and_no_offset_fails_the_partition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_offset_out_of_range_is_reset_by_the_policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_offset_out_of_range_without_policy_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ready_is_told_when_something_has_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_partition_is_not_fetched_until_it_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(idle_partitions_do_not_hold_up_one_that_is_read_fast, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_paused_partition_gives_nothing_and_shortens_the_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(while_more_partitions_are_expected_no_fetch_is_parked_for_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_buffered_survives_a_pause, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_for_a_place_that_was_left_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moved_leader_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_connection_is_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_cut_below_our_position_is_read_from_the_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_last_batch_comes_whole_with_the_next_fetch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_but_a_torn_batch_fails_the_partition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flipped_bit_from_the_network_fails_the_partition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(control_batches_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_of_markers_alone_moves_the_position, set_up, tear_down),
        cmocka_unit_test_setup_teardown(aborted_transactions_are_left_out_when_reading_committed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_look_up_asks_each_leader_and_may_name_a_partition_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_look_up_is_repeated_on_errors_that_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_look_up_of_what_does_not_exist_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_look_up_nobody_answers_times_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
