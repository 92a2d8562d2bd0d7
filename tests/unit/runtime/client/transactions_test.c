/*
 * Transactions of the producer against a coordinator and partitions that keep them as a broker does: what was committed is in the
 * log once and in order, what was aborted is not, whatever the network, the coordinator and the leaders do.
 */
#include "fake_peer.h"

#include "base/trace.h"
#include "client/producer.h"
#include "record/batch_reader.h"
#include "support/rounds.h"
#include "wire/api/add_offsets_to_txn.h"
#include "wire/api/add_partitions_to_txn.h"
#include "wire/api/end_txn.h"
#include "wire/api/produce.h"

enum { LOG_MAX = 20000, PARTITIONS = 4, AGES_MS = 3600 * 1000 };

enum outcome { OPEN, COMMITTED, ABORTED };

/* A partition as its leader keeps it. */
struct log {
    int64_t values[LOG_MAX];
    enum outcome outcomes[LOG_MAX];
    int64_t end;
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence_next;
    struct {
        int32_t sequence;
        int64_t offset;
    } recent[5];
    int recent_at;
};

/* What the coordinator knows of the transactional id. */
struct coordinator {
    int64_t producer_id; /* -1: never heard of */
    int16_t epoch;
    int16_t last_epoch; /* before a bump that its producer asked for; -1 */
    bool ongoing;
    bool last_committed; /* how the last transaction ended */
    bool added[PARTITIONS];
    int groups;       /* in the transaction */
    int groups_ended; /* in committed transactions */
    int concurrent;   /* how often it still answers that the last transaction is being ended */
};

struct faults {
    double lose_before; /* the connection is cut before a request is looked at */
    double lose_after;  /* ... after */
    double refuse;      /* for a moment */
    double move;        /* the coordinator, a leader */
    double spoil;       /* a batch is refused for good */
    double time_out;    /* the coordinator aborts the transaction itself */
    int16_t next_error; /* for the next request of a transaction only */
    enum api_key next_error_of;
    bool hold_produce; /* answers of Produce wait in `held` */
    bool add_none;     /* the answer to AddPartitionsToTxn has no partition */
};

/* That the cluster has finalized: from 2 on batches and commits of offsets join by themselves (KIP-890). */
static int16_t finalized;

struct fixture {
    struct peer peer;
    struct client *client;
    struct producer_options options;
    struct producer *producer;
    struct producer_topic *topic;
    struct log logs[PARTITIONS];
    struct coordinator coordinator;
    struct faults faults;
    int done;
    int code;
    char text[ERROR_TEXT_BYTES];
    int failures;
    int flushed;
    int flush_code;
    int64_t sent[PARTITIONS][LOG_MAX]; /* what must be found committed */
    int64_t sent_count[PARTITIONS];
};

/* ---- the leaders ----------------------------------------------------------------------------------------------------------- */

static void new_epoch(struct log *log, const struct batch_header *header)
{
    log->producer_id = header->producer_id;
    log->epoch = header->producer_epoch;
    log->sequence_next = 0;
    for (int i = 0; i < 5; i++)
        log->recent[i].sequence = -1;
}

static int16_t check_sequence(struct log *log, const struct batch_header *header, int64_t *duplicate)
{
    if (header->producer_id == log->producer_id && header->producer_epoch < log->epoch)
        return KAFKA_INVALID_PRODUCER_EPOCH;
    if (header->producer_id != log->producer_id || header->producer_epoch > log->epoch) {
        if (header->base_sequence != 0)
            return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
        new_epoch(log, header);
        return 0;
    }
    for (int i = 0; i < 5; i++)
        if (log->recent[i].sequence == header->base_sequence) {
            *duplicate = log->recent[i].offset;
            return 0;
        }
    return header->base_sequence == log->sequence_next ? 0 : KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

static void keep(struct log *log, struct batch_reader *reader, mill_bytes bytes)
{
    struct batch_record record;
    log->sequence_next = (int32_t)((uint32_t)(reader->header.base_sequence + reader->header.record_count) & INT32_MAX);
    log->recent[log->recent_at].sequence = reader->header.base_sequence;
    log->recent[log->recent_at].offset = log->end;
    log->recent_at = (log->recent_at + 1) % 5;
    assert_int_equal(batch_reader_open(reader, bytes, true), 0);
    while (batch_reader_next(reader, &record) == 1) {
        assert_true(log->end < LOG_MAX);
        log->outcomes[log->end] = OPEN;
        log->values[log->end++] = (int64_t)read_u64_be(record.record.value.data);
    }
}

/* Every batch must come within a transaction that its partition was added to. */
static int16_t append(struct fixture *f, int32_t index, mill_bytes bytes, int64_t *offset)
{
    struct log *log = &f->logs[index];
    struct batch_reader reader;
    struct batch_summary summary;
    int64_t duplicate = -1;
    batch_reader_init(&reader, 1 << 20);
    assert_int_equal(batch_check_produced(&reader, bytes, &summary), 0);
    assert_true(batch_is_transactional(&reader.header));
    int16_t error = check_sequence(log, &reader.header, &duplicate);
    bool current =
        reader.header.producer_id == f->coordinator.producer_id && reader.header.producer_epoch == f->coordinator.epoch;
    if (error == 0 && !current)
        error = KAFKA_INVALID_PRODUCER_EPOCH;
    if (error == 0 && duplicate >= 0) {
        *offset = duplicate;
    } else if (error == 0) {
        if (finalized >= 2)
            f->coordinator.ongoing = f->coordinator.added[index] = true;
        assert_true(f->coordinator.ongoing && f->coordinator.added[index]);
        *offset = log->end;
        keep(log, &reader, bytes);
    }
    batch_reader_release(&reader);
    return error;
}

static int16_t produce_partition(struct fixture *f, struct request *request, const struct produce_request_partition *asked,
                                 int64_t *offset)
{
    if (f->peer.topics[0].leaders[asked->index] != peer_broker_of(request))
        return KAFKA_NOT_LEADER_OR_FOLLOWER;
    if (prng_chance(&f->peer.prng, f->faults.refuse))
        return KAFKA_NOT_ENOUGH_REPLICAS;
    if (prng_chance(&f->peer.prng, f->faults.spoil))
        return KAFKA_INVALID_RECORD;
    if (f->faults.next_error != 0 && f->faults.next_error_of == API_PRODUCE) {
        int16_t error = f->faults.next_error;
        f->faults.next_error = 0;
        return error;
    }
    return append(f, asked->index, asked->records.slices[0].bytes, offset);
}

static void produce(struct fixture *f, struct request *request)
{
    const struct produce_request *asked = request->body;
    struct produce_response *body = peer_response(request);
    assert_true(mill_bytes_equal(asked->transactional_id, mill_string("app-1")));
    assert_true(finalized >= 2 ? request->api_version == 12 : request->api_version <= 11);
    assert_int_equal(asked->topic_data.count, 1);
    body->responses.count = 1;
    body->responses.items = produce_response_topic_array(&request->arena, 1);
    const struct produce_request_topic *from = &asked->topic_data.items[0];
    struct produce_response_topic *into = &body->responses.items[0];
    into->name = from->name;
    into->topic_id = from->topic_id;
    into->partition_responses.count = from->partition_data.count;
    into->partition_responses.items = produce_response_partition_array(&request->arena, from->partition_data.count);
    for (int32_t p = 0; p < from->partition_data.count; p++) {
        struct produce_response_partition *told = &into->partition_responses.items[p];
        told->index = from->partition_data.items[p].index;
        told->base_offset = -1;
        told->error_code = produce_partition(f, request, &from->partition_data.items[p], &told->base_offset);
    }
}

/* ---- the coordinator ------------------------------------------------------------------------------------------------------- */

/* Markers reach the partitions at once. */
static void end_transaction(struct fixture *f, bool commit)
{
    struct coordinator *coordinator = &f->coordinator;
    for (int p = 0; p < PARTITIONS; p++) {
        for (int64_t i = 0; i < f->logs[p].end; i++)
            if (f->logs[p].outcomes[i] == OPEN)
                f->logs[p].outcomes[i] = commit ? COMMITTED : ABORTED;
        coordinator->added[p] = false;
    }
    coordinator->groups_ended += commit ? coordinator->groups : 0;
    coordinator->groups = 0;
    coordinator->ongoing = false;
    coordinator->last_committed = commit;
}

static void next_epoch(struct coordinator *coordinator, bool asked_for)
{
    coordinator->last_epoch = asked_for ? coordinator->epoch : -1;
    if (++coordinator->epoch == INT16_MAX) {
        coordinator->producer_id++;
        coordinator->epoch = 0;
        coordinator->last_epoch = -1;
    }
}

/* As Kafka: what is open is aborted under an epoch that nobody has, so that its producer is fenced. */
static void fence(struct fixture *f)
{
    next_epoch(&f->coordinator, false);
    end_transaction(f, false);
}

static int16_t init_producer_id(struct fixture *f, const struct init_producer_id_request *asked)
{
    struct coordinator *coordinator = &f->coordinator;
    bool known = asked->producer_id >= 0;
    assert_int_equal(asked->transaction_timeout_ms, 60000);
    if (coordinator->producer_id < 0) {
        assert_false(known);
        coordinator->producer_id = f->peer.next_producer_id;
        coordinator->epoch = 0;
        return 0;
    }
    if (known && asked->producer_id == coordinator->producer_id && asked->producer_epoch == coordinator->last_epoch)
        return 0; /* the answer was lost */
    if (known && (asked->producer_id != coordinator->producer_id || asked->producer_epoch != coordinator->epoch))
        return KAFKA_PRODUCER_FENCED;
    if (coordinator->ongoing) {
        fence(f);
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    next_epoch(coordinator, known);
    return 0;
}

static int16_t check_producer(const struct fixture *f, mill_bytes id, int64_t producer_id, int16_t epoch)
{
    assert_true(mill_bytes_equal(id, mill_string("app-1")));
    if (producer_id != f->coordinator.producer_id)
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    return epoch == f->coordinator.epoch ? 0 : KAFKA_PRODUCER_FENCED;
}

/* Version 2: each end brings the next epoch, and who asks again under the one before is told the same again. */
static int16_t end_and_number(struct fixture *f, const struct end_txn_request *asked)
{
    struct coordinator *coordinator = &f->coordinator;
    if (asked->producer_id == coordinator->producer_id && asked->producer_epoch == coordinator->last_epoch &&
        !coordinator->ongoing && asked->committed == coordinator->last_committed)
        return 0;
    int16_t error = check_producer(f, asked->transactional_id, asked->producer_id, asked->producer_epoch);
    if (error == 0 && !coordinator->ongoing && asked->committed)
        error = KAFKA_INVALID_TXN_STATE;
    if (error != 0)
        return error;
    end_transaction(f, asked->committed);
    next_epoch(coordinator, true);
    coordinator->concurrent = f->faults.refuse > 0 ? (int)prng_below(&f->peer.prng, 3) : 0;
    return 0;
}

static int16_t end_txn(struct fixture *f, const struct end_txn_request *asked)
{
    if (finalized >= 2)
        return end_and_number(f, asked);
    int16_t error = check_producer(f, asked->transactional_id, asked->producer_id, asked->producer_epoch);
    if (error != 0)
        return error;
    if (!f->coordinator.ongoing)
        return asked->committed == f->coordinator.last_committed ? 0 : KAFKA_INVALID_TXN_STATE;
    end_transaction(f, asked->committed);
    f->coordinator.concurrent = f->faults.refuse > 0 ? (int)prng_below(&f->peer.prng, 3) : 0;
    return 0;
}

static bool is_of_transactions(enum api_key key)
{
    return key == API_INIT_PRODUCER_ID || key == API_ADD_PARTITIONS_TO_TXN || key == API_ADD_OFFSETS_TO_TXN || key == API_END_TXN;
}

/* An error that comes before the request is looked at. */
static int16_t trouble(struct fixture *f, struct request *request)
{
    enum api_key key = (enum api_key)request->api->key;
    if (peer_broker_of(request) != f->peer.coordinator)
        return KAFKA_NOT_COORDINATOR;
    if (f->faults.next_error != 0 && f->faults.next_error_of == key) {
        int16_t error = f->faults.next_error;
        f->faults.next_error = 0;
        return error;
    }
    if (prng_chance(&f->peer.prng, f->faults.refuse))
        return prng_chance(&f->peer.prng, 0.5) ? KAFKA_COORDINATOR_LOAD_IN_PROGRESS : KAFKA_COORDINATOR_NOT_AVAILABLE;
    if (f->coordinator.concurrent > 0) {
        f->coordinator.concurrent--;
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    return 0;
}

static void serve_init(struct fixture *f, struct request *request, int16_t error)
{
    struct init_producer_id_response *body = peer_response(request);
    body->error_code = error != 0 ? error : init_producer_id(f, request->body);
    body->producer_id = f->coordinator.producer_id;
    body->producer_epoch = f->coordinator.epoch;
}

static void serve_add_partitions(struct fixture *f, struct request *request, int16_t error)
{
    const struct add_partitions_to_txn_request *asked = request->body;
    struct add_partitions_to_txn_response *body = peer_response(request);
    assert_true(finalized < 2);
    assert_int_equal(request->api_version, 3);
    if (f->faults.add_none)
        return;
    assert_int_equal(asked->v3_and_below_topics.count, 1);
    const struct add_partitions_to_txn_topic *from = &asked->v3_and_below_topics.items[0];
    if (error == 0)
        error = check_producer(f, asked->v3_and_below_transactional_id, asked->v3_and_below_producer_id,
                               asked->v3_and_below_producer_epoch);
    body->results_by_topic_v3_and_below.items = add_partitions_to_txn_topic_result_array(&request->arena, 1);
    body->results_by_topic_v3_and_below.count = 1;
    struct add_partitions_to_txn_topic_result *into = &body->results_by_topic_v3_and_below.items[0];
    into->name = from->name;
    into->results_by_partition.items = add_partitions_to_txn_partition_result_array(&request->arena, from->partitions.count);
    for (int32_t i = 0; i < from->partitions.count; i++) {
        into->results_by_partition.items[into->results_by_partition.count++] =
            (struct add_partitions_to_txn_partition_result){ from->partitions.items[i], error };
        f->coordinator.ongoing |= error == 0;
        f->coordinator.added[from->partitions.items[i]] |= error == 0;
    }
}

static void serve_add_offsets(struct fixture *f, struct request *request, int16_t error)
{
    const struct add_offsets_to_txn_request *asked = request->body;
    assert_true(finalized < 2);
    if (error == 0)
        error = check_producer(f, asked->transactional_id, asked->producer_id, asked->producer_epoch);
    assert_true(mill_bytes_equal(asked->group_id, mill_string("app")));
    if (error == 0) {
        f->coordinator.ongoing = true;
        f->coordinator.groups = 1;
    }
    ((struct add_offsets_to_txn_response *)peer_response(request))->error_code = error;
}

static void serve_end(struct fixture *f, struct request *request, int16_t error)
{
    struct end_txn_response *body = peer_response(request);
    assert_true(finalized >= 2 ? request->api_version == 5 : request->api_version <= 4);
    body->error_code = error != 0 ? error : end_txn(f, request->body);
    if (finalized >= 2) {
        body->producer_id = f->coordinator.producer_id;
        body->producer_epoch = f->coordinator.epoch;
    }
}

static void serve(struct fixture *f, struct request *request)
{
    enum api_key key = (enum api_key)request->api->key;
    int16_t error = is_of_transactions(key) ? trouble(f, request) : 0;
    if (key == API_PRODUCE)
        produce(f, request);
    else if (key == API_INIT_PRODUCER_ID)
        serve_init(f, request, error);
    else if (key == API_ADD_PARTITIONS_TO_TXN)
        serve_add_partitions(f, request, error);
    else if (key == API_ADD_OFFSETS_TO_TXN)
        serve_add_offsets(f, request, error);
    else
        serve_end(f, request, error);
}

static void move_something(struct fixture *f)
{
    struct peer *peer = &f->peer;
    if (prng_chance(&peer->prng, f->faults.move)) {
        int32_t partition = (int32_t)prng_below(&peer->prng, PARTITIONS);
        peer->topics[0].leaders[partition] = 1 + (int32_t)prng_below(&peer->prng, 3);
        peer->topics[0].epochs[partition]++;
    }
    if (prng_chance(&peer->prng, f->faults.move))
        peer->coordinator = 1 + (int32_t)prng_below(&peer->prng, 3);
    if (f->coordinator.ongoing && prng_chance(&peer->prng, f->faults.time_out))
        fence(f);
}

static bool cluster_hook(struct peer *peer, struct request *request)
{
    struct fixture *f = peer->ctx;
    if (request->api->key != API_PRODUCE && !is_of_transactions((enum api_key)request->api->key))
        return false;
    move_something(f);
    if (prng_chance(&peer->prng, f->faults.lose_before)) {
        peer_cut(request->holder, MILL_ECONNECTION);
        return true;
    }
    serve(f, request);
    if (prng_chance(&peer->prng, f->faults.lose_after))
        peer_cut(request->holder, MILL_ECONNECTION);
    else if (request->api->key != API_PRODUCE || !f->faults.hold_produce)
        peer_answer(peer, request);
    return true;
}

/* ---- the fixture ----------------------------------------------------------------------------------------------------------- */

static void on_failed(void *ctx, const struct producer_failure *failure)
{
    ((struct fixture *)ctx)->failures++;
}

static void on_done(void *ctx, int code, const char *text, struct io_time now)
{
    struct fixture *f = ctx;
    f->done++;
    f->code = code;
    snprintf(f->text, sizeof f->text, "%s", text);
}

static void on_flushed(void *ctx, int code, struct io_time now)
{
    struct fixture *f = ctx;
    f->flushed++;
    f->flush_code = code;
}

static const struct producer_events producer_events = { on_failed, NULL };

static bool start(struct fixture *f)
{
    f->producer = producer_new(f->client, &f->options, &producer_events, f);
    f->topic = f->producer == NULL ? NULL : producer_topic(f->producer, "t");
    return f->topic != NULL;
}

static int set_up(void **state)
{
    static struct fixture f;
    struct config config;
    memset(&f, 0, sizeof f);
    peer_init(&f.peer);
    f.peer.transaction_version = finalized;
    f.peer.hook = cluster_hook;
    f.peer.ctx = &f;
    f.coordinator.producer_id = -1;
    f.coordinator.last_epoch = -1;
    for (int i = 0; i < PARTITIONS; i++)
        f.logs[i].producer_id = -1;
    peer_add_topic(&f.peer, "t", PARTITIONS, 1);
    config_init(&config, &client_option_table);
    assert_int_equal(producer_options_read(&f.options, &config), 0);
    config_release(&config);
    f.options.transactional_id = "app-1";
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
    uint8_t value[100] = { 0 };
    write_u64_be(value, (uint64_t)number);
    mill_record record = { .key = mill_string("k"), .value = mill_bytes_of(value, sizeof value), .timestamp_ms = 5 };
    return producer_send(f->producer, f->topic, partition, &record);
}

/* Sends it, and expects to find it. */
static void send_kept(struct fixture *f, int32_t partition, int64_t number)
{
    assert_int_equal(send_number(f, partition, number), 0);
    f->sent[partition][f->sent_count[partition]++] = number;
}

static void flush(struct fixture *f)
{
    int before = f->flushed;
    assert_int_equal(producer_flush(f->producer, on_flushed, f), 0);
    peer_run(&f->peer, AGES_MS);
    assert_int_equal(f->flushed, before + 1);
}

/* Waits for the call that was made after `before`. */
static int wait_done(struct fixture *f, int before)
{
    for (int i = 0; i < 3600 && f->done == before; i++)
        peer_run(&f->peer, 1000);
    assert_int_equal(f->done, before + 1);
    return f->code;
}

static int init(struct fixture *f)
{
    int before = f->done;
    producer_init_transactions(f->producer, on_done, f);
    return wait_done(f, before);
}

static int add_group(struct fixture *f)
{
    int before = f->done;
    struct producer_identity identity = producer_identity(f->producer);
    producer_add_group(f->producer, "app", on_done, f);
    bool current = identity.producer_id == f->coordinator.producer_id && identity.producer_epoch == f->coordinator.epoch;
    if (finalized >= 2 && current) { /* what the commit of the offsets does */
        f->coordinator.ongoing = true;
        f->coordinator.groups = 1;
    }
    return wait_done(f, before);
}

static int commit(struct fixture *f)
{
    int before = f->done;
    producer_commit_transaction(f->producer, on_done, f);
    return wait_done(f, before);
}

static int abort_open(struct fixture *f)
{
    int before = f->done;
    producer_abort_transaction(f->producer, on_done, f);
    return wait_done(f, before);
}

/* Does a reader of what is committed find just that in each partition? */
static bool is_right(const struct fixture *f)
{
    for (int p = 0; p < PARTITIONS; p++) {
        int64_t found = 0;
        for (int64_t i = 0; i < f->logs[p].end; i++) {
            if (f->logs[p].outcomes[i] != COMMITTED)
                continue;
            if (found == f->sent_count[p] || f->logs[p].values[i] != f->sent[p][found])
                return false;
            found++;
        }
        if (found != f->sent_count[p])
            return false;
    }
    return true;
}

static void assert_committed(const struct fixture *f)
{
    assert_true(is_right(f));
}

static void start_ready(struct fixture *f)
{
    assert_true(start(f));
    assert_int_equal(init(f), 0);
}

/* ---- the way it goes ------------------------------------------------------------------------------------------------------- */

static void what_is_committed_is_seen_and_what_is_aborted_is_not(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_kept(f, 0, 1);
    send_kept(f, 3, 2);
    flush(f);
    assert_int_equal(f->logs[0].outcomes[0], OPEN);
    assert_int_equal(commit(f), 0);
    send_number(f, 0, 3);
    flush(f);
    assert_int_equal(abort_open(f), 0);
    send_kept(f, 0, 4);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
    assert_int_equal(f->logs[0].end, 3);
    assert_int_equal(f->failures, 0);
}

static void records_wait_until_the_transactional_id_is_ours(void **state)
{
    struct fixture *f = *state;
    assert_true(start(f));
    send_kept(f, 0, 1);
    peer_run(&f->peer, 1000);
    assert_int_equal(f->peer.requests[API_ADD_PARTITIONS_TO_TXN] + f->peer.requests[API_PRODUCE], 0);
    assert_int_equal(init(f), 0);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void partitions_are_added_together_and_once(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    peer_run(&f->peer, 1000);
    for (int round = 0; round < 3; round++) {
        for (int p = 0; p < PARTITIONS; p++)
            send_kept(f, p, round);
        flush(f);
    }
    assert_int_equal(f->peer.requests[API_ADD_PARTITIONS_TO_TXN], 1);
    assert_int_equal(commit(f), 0);
    send_kept(f, 0, 3);
    flush(f);
    assert_int_equal(f->peer.requests[API_ADD_PARTITIONS_TO_TXN], 2);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void an_answer_without_the_partitions_is_asked_for_again_after_a_pause(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    f->faults.add_none = true;
    send_kept(f, 0, 1);
    peer_run(&f->peer, 10000);
    assert_in_range(f->peer.requests[API_ADD_PARTITIONS_TO_TXN], 2, 100);
    f->faults.add_none = false;
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void a_transaction_of_nothing_asks_nobody(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    producer_commit_transaction(f->producer, on_done, f);
    assert_int_equal(f->done, 2);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->peer.requests[API_END_TXN], 0);
}

static void a_group_that_is_added_ends_with_the_transaction(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    assert_int_equal(add_group(f), 0);
    assert_int_equal(commit(f), 0);
    assert_int_equal(f->coordinator.groups_ended, 1);
    assert_int_equal(add_group(f), 0);
    assert_int_equal(abort_open(f), 0);
    assert_int_equal(f->coordinator.groups_ended, 1);
}

static void an_abort_drops_what_is_not_sent_and_waits_for_what_is_in_flight(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    f->faults.hold_produce = true;
    send_number(f, 0, 1);
    peer_run(&f->peer, 100);
    send_number(f, 1, 2); /* lingers */
    producer_abort_transaction(f->producer, on_done, f);
    peer_run(&f->peer, 100);
    assert_int_equal(f->peer.requests[API_END_TXN], 0);
    f->faults.hold_produce = false;
    peer_answer(&f->peer, peer_held(&f->peer, API_PRODUCE));
    assert_int_equal(wait_done(f, 1), 0);
    assert_int_equal(producer_buffered_bytes(f->producer), 0);
    assert_int_equal(f->logs[1].end, 0);
    send_kept(f, 1, 3);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void an_abort_moves_to_the_next_epoch(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_number(f, 0, 1);
    flush(f);
    struct producer_identity before = producer_identity(f->producer);
    assert_int_equal(abort_open(f), 0);
    struct producer_identity after = producer_identity(f->producer);
    assert_string_equal(after.transactional_id, "app-1");
    assert_int_equal(after.producer_id, before.producer_id);
    assert_int_equal(after.producer_epoch, before.producer_epoch + 1);
}

static void after_the_last_epoch_comes_a_new_producer_id(void **state)
{
    struct fixture *f = *state;
    f->coordinator.producer_id = 77;
    f->coordinator.epoch = INT16_MAX - 2;
    start_ready(f);
    assert_int_equal(producer_identity(f->producer).producer_epoch, INT16_MAX - 1);
    send_number(f, 0, 1);
    flush(f);
    assert_int_equal(abort_open(f), 0);
    assert_int_equal(producer_identity(f->producer).producer_id, 78);
    send_kept(f, 0, 2);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

/* ---- trouble --------------------------------------------------------------------------------------------------------------- */

static void taking_over_waits_for_what_another_left_open(void **state)
{
    struct fixture *f = *state;
    f->coordinator = (struct coordinator){ .producer_id = 77, .epoch = 5, .last_epoch = -1, .ongoing = true };
    start_ready(f);
    assert_false(f->coordinator.ongoing);
    assert_int_equal(producer_identity(f->producer).producer_id, 77);
    assert_int_equal(producer_identity(f->producer).producer_epoch, 7);
}

static void a_batch_refused_for_good_leaves_only_an_abort(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    f->faults.next_error = KAFKA_MESSAGE_TOO_LARGE;
    f->faults.next_error_of = API_PRODUCE;
    send_number(f, 0, 1);
    flush(f);
    assert_int_equal(f->flush_code, MILL_ETOOLARGE);
    assert_int_equal(f->failures, 1);
    assert_non_null(producer_transaction_broken(f->producer));
    assert_int_equal(commit(f), MILL_EAGAIN);
    send_number(f, 1, 2); /* goes nowhere */
    assert_int_equal(abort_open(f), 0);
    assert_null(producer_transaction_broken(f->producer));
    send_kept(f, 0, 3);
    flush(f);
    assert_int_equal(f->flush_code, 0);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void a_partition_that_may_not_be_added_leaves_only_an_abort(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    f->faults.next_error = KAFKA_TOPIC_AUTHORIZATION_FAILED;
    f->faults.next_error_of = API_ADD_PARTITIONS_TO_TXN;
    send_number(f, 0, 1);
    peer_run(&f->peer, 1000);
    assert_int_equal(f->failures, 1);
    assert_int_equal(commit(f), MILL_EAGAIN);
    assert_int_equal(abort_open(f), 0);
    send_kept(f, 0, 2);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

/* What the broker would answer again is told apart from what an abort mends. */
static void a_group_that_may_not_be_added_is_told_with_its_code(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    f->faults.next_error = KAFKA_GROUP_AUTHORIZATION_FAILED;
    f->faults.next_error_of = API_ADD_OFFSETS_TO_TXN;
    assert_int_equal(add_group(f), MILL_EACCESS);
    assert_int_equal(abort_open(f), 0);
    send_kept(f, 0, 1);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void a_transaction_that_the_broker_wants_aborted_is_aborted(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_number(f, 0, 1);
    flush(f);
    f->faults.next_error = KAFKA_TRANSACTION_ABORTABLE;
    f->faults.next_error_of = API_END_TXN;
    assert_int_equal(commit(f), MILL_EAGAIN);
    assert_int_equal(abort_open(f), 0);
    assert_committed(f);
}

static void a_transaction_may_be_broken_by_its_owner(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_number(f, 0, 1);
    flush(f);
    producer_break_transaction(f->producer, MILL_EFENCED, "its partitions are others' now");
    assert_string_equal(producer_transaction_broken(f->producer), "its partitions are others' now");
    assert_int_equal(commit(f), MILL_EAGAIN);
    assert_int_equal(abort_open(f), 0);
    assert_committed(f);
}

static void a_newer_producer_fences_an_older_one(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_number(f, 0, 1);
    flush(f);
    struct producer *older = f->producer;
    start_ready(f);
    send_kept(f, 0, 2);
    flush(f);
    assert_int_equal(commit(f), 0);
    struct producer *newer = f->producer;
    f->producer = older;
    assert_int_equal(commit(f), MILL_EFENCED);
    const char *text;
    assert_int_equal(producer_error(older, &text), MILL_EFENCED);
    assert_non_null(strstr(text, "app-1"));
    producer_free(older);
    f->producer = newer;
    assert_committed(f);
}

static void who_is_fenced_may_take_over_again(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_number(f, 0, 1);
    flush(f);
    fence(f);
    send_number(f, 1, 2);
    peer_run(&f->peer, 1000);
    assert_int_equal(producer_error(f->producer, NULL), MILL_EFENCED);
    assert_int_equal(send_number(f, 0, 3), 0); /* dropped: whoever sends is in the middle of something that will not count */
    assert_int_equal(producer_buffered_bytes(f->producer), 0);
    assert_int_equal(init(f), 0);
    assert_int_equal(producer_error(f->producer, NULL), 0);
    send_kept(f, 0, 4);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

/* Kafka forgets a transactional id that was not used for transactional.id.expiration.ms. */
static void a_coordinator_that_has_forgotten_the_id_is_asked_anew(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    f->coordinator.producer_id = 9000;
    send_number(f, 0, 1);
    peer_run(&f->peer, 1000);
    assert_int_equal(producer_error(f->producer, NULL), MILL_EFENCED);
    assert_int_equal(init(f), 0);
    send_kept(f, 0, 2);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void an_id_that_is_forbidden_fails_for_good(void **state)
{
    struct fixture *f = *state;
    assert_true(start(f));
    f->faults.next_error = KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    f->faults.next_error_of = API_INIT_PRODUCER_ID;
    assert_int_equal(init(f), MILL_EACCESS);
    assert_int_equal(producer_error(f->producer, NULL), MILL_EACCESS);
    assert_int_equal(send_number(f, 0, 1), 0); /* dropped */
    assert_int_equal(producer_buffered_bytes(f->producer), 0);
}

static void a_commit_whose_answer_is_lost_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_kept(f, 0, 1);
    flush(f);
    f->faults.lose_after = 1;
    producer_commit_transaction(f->producer, on_done, f);
    peer_run(&f->peer, 500);
    assert_false(f->coordinator.ongoing);
    assert_int_equal(f->done, 1);
    f->faults.lose_after = 0;
    assert_int_equal(wait_done(f, 1), 0);
    assert_true(f->peer.requests[API_END_TXN] > 1);
    assert_committed(f);
}

static void a_coordinator_that_moved_is_found(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    f->peer.coordinator = 3;
    send_kept(f, 0, 1);
    flush(f);
    f->peer.coordinator = 1;
    assert_int_equal(commit(f), 0);
    assert_committed(f);
}

static void a_producer_may_be_freed_in_every_step(void **state)
{
    struct fixture *f = *state;
    for (int step = 0; step < 40; step++) {
        assert_true(start(f));
        producer_init_transactions(f->producer, on_done, f);
        for (int i = 0; i < step && f->peer.timers.root != NULL; i++) {
            struct loop_timer *timer = f->peer.timers.root;
            f->peer.now.monotonic_us = timer->at_us > f->peer.now.monotonic_us ? timer->at_us : f->peer.now.monotonic_us;
            timer_heap_remove(&f->peer.timers, timer);
            timer->fire(timer, f->peer.now);
            if (i == step / 2)
                send_number(f, 0, step);
        }
        producer_free(f->producer);
        peer_run(&f->peer, 100);
    }
    f->producer = NULL;
}

/* ---- everything at once ---------------------------------------------------------------------------------------------------- */

/* Begins anew when fenced. Whether the transaction counts. */
static bool end(struct fixture *f, bool with_group)
{
    struct prng *prng = &f->peer.prng;
    bool wanted = prng_chance(prng, 0.8);
    if (wanted && prng_chance(prng, 0.9))
        flush(f);
    else
        wanted = false;
    int code = producer_error(f->producer, NULL);
    if (code == 0 && with_group && wanted)
        code = add_group(f);
    if (code == 0 && wanted)
        code = commit(f);
    bool committed = wanted && code == 0;
    if (code != MILL_EFENCED && !committed)
        code = producer_error(f->producer, NULL) < 0 ? producer_error(f->producer, NULL) : abort_open(f);
    if (code == MILL_EFENCED)
        code = init(f);
    assert_int_equal(code, 0);
    return committed;
}

static void torture(uint64_t seed)
{
    struct fixture *f;
    set_up((void **)&f);
    struct prng *prng = &f->peer.prng;
    prng_init(prng, seed);
    for (int p = 0; p < PARTITIONS; p++)
        f->peer.topics[0].leaders[p] = 1 + p % 3;
    f->options.batch_bytes = 400;
    f->options.delivery_timeout_ms = INT32_MAX;
    f->faults =
        (struct faults){ .lose_before = 0.04, .lose_after = 0.04, .refuse = 0.04, .move = 0.02, .spoil = 0.01, .time_out = 0.01 };
    start_ready(f);
    int64_t number = 0;
    int groups = 0;
    for (int i = 0; i < 150; i++) {
        int64_t counts[PARTITIONS];
        memcpy(counts, f->sent_count, sizeof counts);
        for (size_t n = prng_below(prng, 20); n > 0; n--) {
            int32_t p = (int32_t)prng_below(prng, PARTITIONS);
            if (producer_error(f->producer, NULL) == 0)
                send_kept(f, p, number++);
            if (prng_chance(prng, 0.05))
                peer_run(&f->peer, (int64_t)prng_below(prng, 30));
        }
        bool with_group = prng_chance(prng, 0.5);
        if (end(f, with_group))
            groups += with_group;
        else
            memcpy(f->sent_count, counts, sizeof counts);
    }
    assert_committed(f);
    assert_int_equal(f->coordinator.groups_ended, groups);
    tear_down((void **)&f);
}

static void torture_seeds(void **state)
{
    tear_down(state); /* each seed has a fixture of its own */
    uint64_t first = test_seed(1);
    for (uint64_t seed = first; seed < first + (uint64_t)test_rounds(40); seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        torture(seed);
    }
    set_up(state);
}

static void no_fault_loses_doubles_or_reorders_what_is_committed(void **state)
{
    torture_seeds(state);
}

static void nor_does_one_where_transactions_are_joined(void **state)
{
    torture_seeds(state);
}

static void batches_join_by_themselves_and_each_end_brings_the_next_epoch(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    int16_t epoch = producer_identity(f->producer).producer_epoch;
    for (int i = 0; i < 3; i++) {
        for (int32_t p = 0; p < PARTITIONS; p++)
            send_kept(f, p, i);
        flush(f);
        assert_int_equal(add_group(f), 0);
        assert_int_equal(commit(f), 0);
        assert_int_equal(producer_identity(f->producer).producer_epoch, epoch + i + 1);
        assert_true(producer_identity(f->producer).joins_by_itself);
    }
    assert_int_equal(send_number(f, 0, 99), 0);
    flush(f);
    assert_int_equal(abort_open(f), 0);
    assert_int_equal(producer_identity(f->producer).producer_epoch, epoch + 4);
    send_kept(f, 0, 3);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
    assert_int_equal(f->coordinator.groups_ended, 3);
}

static void below_version_2_partitions_are_added(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_kept(f, 0, 1);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_false(producer_identity(f->producer).joins_by_itself);
    assert_committed(f);
}

static int set_up_version_1(void **state)
{
    finalized = 1;
    return set_up(state);
}

static int set_up_version_2(void **state)
{
    finalized = 2;
    return set_up(state);
}

static int tear_down_version(void **state)
{
    finalized = 0;
    return tear_down(state);
}

static void the_check_notices_planted_faults(void **state)
{
    struct fixture *f = *state;
    start_ready(f);
    send_kept(f, 0, 1);
    send_kept(f, 0, 2);
    flush(f);
    assert_int_equal(commit(f), 0);
    assert_committed(f);
    f->logs[0].outcomes[1] = ABORTED;
    assert_false(is_right(f));
    f->logs[0].outcomes[1] = COMMITTED;
    f->logs[0].values[1] = 1;
    assert_false(is_right(f));
    f->logs[0].values[1] = 2;
    f->sent_count[0] = 1;
    assert_false(is_right(f));
}

/* Sends, commits, sends, aborts, sends, commits. False when the producer could not be made. */
static bool live_through(struct fixture *f)
{
    if (!start(f))
        return false;
    if (init(f) < 0)
        return false;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++) {
            int64_t number = round * 100 + i;
            if (send_number(f, i % PARTITIONS, number) == 0 && round != 1)
                f->sent[i % PARTITIONS][f->sent_count[i % PARTITIONS]++] = number;
        }
        if (producer_flush(f->producer, on_flushed, f) < 0 && producer_flush(f->producer, on_flushed, f) < 0)
            return false;
        peer_run(&f->peer, 60000);
        assert_int_equal(add_group(f), 0);
        assert_int_equal(round == 1 ? abort_open(f) : commit(f), 0);
    }
    return true;
}

static void every_failed_allocation_is_survived(void **state)
{
    struct fixture *f = *state;
    for (uint64_t n = 1; n < 300; n++) {
        tear_down(state);
        set_up(state);
        f->options.batch_bytes = 400;
        peer_fail_at(n);
        bool lived = live_through(f);
        peer_fail_at(0);
        if (lived)
            assert_committed(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_committed_is_seen_and_what_is_aborted_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_wait_until_the_transactional_id_is_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_are_added_together_and_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_without_the_partitions_is_asked_for_again_after_a_pause, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transaction_of_nothing_asks_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_that_is_added_ends_with_the_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_abort_drops_what_is_not_sent_and_waits_for_what_is_in_flight, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_abort_moves_to_the_next_epoch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_the_last_epoch_comes_a_new_producer_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(taking_over_waits_for_what_another_left_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_refused_for_good_leaves_only_an_abort, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_partition_that_may_not_be_added_leaves_only_an_abort, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_that_may_not_be_added_is_told_with_its_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transaction_that_the_broker_wants_aborted_is_aborted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transaction_may_be_broken_by_its_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_producer_fences_an_older_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_fenced_may_take_over_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_coordinator_that_has_forgotten_the_id_is_asked_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_id_that_is_forbidden_fails_for_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_whose_answer_is_lost_is_asked_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_coordinator_that_moved_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_producer_may_be_freed_in_every_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_check_notices_planted_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_fault_loses_doubles_or_reorders_what_is_committed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(below_version_2_partitions_are_added, set_up_version_1, tear_down_version),
        cmocka_unit_test_setup_teardown(batches_join_by_themselves_and_each_end_brings_the_next_epoch, set_up_version_2,
                                        tear_down_version),
        cmocka_unit_test_setup_teardown(a_commit_whose_answer_is_lost_is_asked_for_again, set_up_version_2, tear_down_version),
        cmocka_unit_test_setup_teardown(a_newer_producer_fences_an_older_one, set_up_version_2, tear_down_version),
        cmocka_unit_test_setup_teardown(a_producer_may_be_freed_in_every_step, set_up_version_2, tear_down_version),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, set_up_version_2, tear_down_version),
        cmocka_unit_test_setup_teardown(nor_does_one_where_transactions_are_joined, set_up_version_2, tear_down_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
