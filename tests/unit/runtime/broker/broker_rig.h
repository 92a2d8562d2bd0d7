/*
 * A broker on a simulated loop and disk, asked through its public face: a request struct in, its response out.
 *
 * One seed decides everything; time is virtual. `rig_ask` runs the world until the answer is there, so a test reads as a
 * conversation; `rig_send` and `rig_wait` keep several requests in flight.
 */
#ifndef BROKER_RIG_H
#define BROKER_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka_all.h"
#include "support/rounds.h"

#include "base/alloc.h"
#include "broker/broker.h"
#include "broker/config.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"
#include "simulation/sim_disk.h"
#include "simulation/sim_world.h"
#include "wire/api/create_topics.h"
#include "wire/api/fetch.h"
#include "wire/api/init_producer_id.h"
#include "wire/api/produce.h"
#include "wire/kafka_error.h"
#include "wire/message.h"

#define SECOND_US INT64_C(1000000)

struct rig {
    struct sim_world *world;
    struct sim_disk *disk;
    struct loop *loop;
    struct config config;
    struct broker *broker;
    uint64_t seed;
    bool closed;
};

struct ask {
    struct request *request;
    bool answered;
    int64_t answered_us;
};

static inline void rig_closed(void *ctx)
{
    struct rig *rig = ctx;
    rig->closed = true;
}

static inline bool rig_is_closed(void *ctx)
{
    struct rig *rig = ctx;
    return rig->closed;
}

static inline void rig_start(struct rig *rig)
{
    struct broker_options options = {
        .disk = sim_disk_disk(rig->disk), .loop = rig->loop, .data_dir = "/data", .config = &rig->config
    };
    rig->broker = broker_new(&options);
    assert_non_null(rig->broker);
    int code = broker_open(rig->broker, sim_world_now(rig->world));
    if (code != 0)
        fail_msg("open: %s", broker_error(rig->broker));
    assert_int_equal(broker_set_advertised(rig->broker, "broker.example", 9092), 0);
}

/* `pairs`: "name=value" properties, NULL at the end; may be NULL. */
static inline void rig_open(struct rig *rig, const char *const *pairs)
{
    *rig = (struct rig){ .seed = test_seed(1) };
    rig->world = sim_world_new(rig->seed);
    rig->disk = sim_world_new_disk(rig->world);
    rig->loop = sim_world_add_loop(rig->world, "broker");
    config_init(&rig->config, broker_config_table());
    for (; pairs && *pairs; pairs++)
        assert_int_equal(config_set_pair(&rig->config, *pairs), 0);
    rig_start(rig);
}

static inline void rig_stop(struct rig *rig)
{
    rig->closed = false;
    broker_close(rig->broker, rig_closed, rig, sim_world_now(rig->world));
    assert_int_equal(sim_world_run(rig->world, rig_is_closed, rig, 10 * SECOND_US), 0);
    broker_free(rig->broker);
    rig->broker = NULL;
}

static inline void rig_restart(struct rig *rig)
{
    rig_stop(rig);
    rig_start(rig);
}

/* The process dies in the middle of whatever it does, and another starts on what the disk has. */
static inline void rig_crash(struct rig *rig, bool power_cut)
{
    struct sim_disk *image = power_cut ? sim_disk_after_power_cut(rig->disk, rig->seed) : sim_disk_after_kill(rig->disk);
    sim_world_kill(rig->world, "broker");
    broker_free(rig->broker);
    sim_disk_free(rig->disk);
    rig->disk = image;
    rig->loop = sim_world_add_loop(rig->world, "broker");
    rig_start(rig);
}

static inline void rig_close(struct rig *rig)
{
    if (rig->broker)
        rig_stop(rig);
    config_release(&rig->config);
    sim_disk_free(rig->disk);
    sim_world_free(rig->world);
}

/* ---- asking ---------------------------------------------------------------------------------------------------------------- */

static inline void *ask_new(struct ask *ask, int16_t api_key, int16_t version)
{
    *ask = (struct ask){ .request = request_new(api_find(api_key), version, 64 << 20) };
    assert_non_null(ask->request);
    ask->request->client_id = mill_string("client");
    return ask->request->body;
}

static inline void ask_answered(void *ctx, struct request *request, struct io_time now)
{
    struct ask *ask = ctx;
    assert_false(ask->answered);
    ask->answered = true;
    ask->answered_us = now.monotonic_us;
}

static inline bool ask_is_answered(void *ctx)
{
    struct ask *ask = ctx;
    return ask->answered;
}

static inline void rig_send_from(struct rig *rig, struct ask *ask, const char *host)
{
    broker_submit(rig->broker, ask->request, host, ask_answered, ask, sim_world_now(rig->world));
}

static inline void rig_send(struct rig *rig, struct ask *ask)
{
    rig_send_from(rig, ask, "/10.0.0.1");
}

/* The response's body. */
static inline void *rig_wait(struct rig *rig, struct ask *ask)
{
    if (sim_world_run(rig->world, ask_is_answered, ask, 3600 * SECOND_US) != 0)
        fail_msg("no answer to %s (seed %llu)", ask->request->api->name, (unsigned long long)rig->seed);
    return ask->request->response.body;
}

static inline void *rig_ask(struct rig *rig, struct ask *ask)
{
    rig_send(rig, ask);
    return rig_wait(rig, ask);
}

static inline void ask_end(struct ask *ask)
{
    request_free(ask->request);
    ask->request = NULL;
}

static inline bool never(void *ctx)
{
    return false;
}

static inline void rig_pass(struct rig *rig, int64_t us)
{
    sim_world_run(rig->world, never, NULL, us);
}

/* ---- phrases that many tests need ------------------------------------------------------------------------------------------ */

static inline int16_t rig_create_topic(struct rig *rig, const char *name, int32_t partitions, const char *config,
                                       const char *value)
{
    struct ask ask;
    struct create_topics_request *request = ask_new(&ask, API_CREATE_TOPICS, 7);
    struct arena *arena = &ask.request->arena;
    request->topics.items = create_topics_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(name);
    request->topics.items[0].num_partitions = partitions;
    request->topics.items[0].replication_factor = -1;
    if (config) {
        request->topics.items[0].configs.items = create_topics_request_config_array(arena, 1);
        request->topics.items[0].configs.count = 1;
        request->topics.items[0].configs.items[0].name = mill_string(config);
        request->topics.items[0].configs.items[0].value = mill_string(value);
    }
    struct create_topics_response *response = rig_ask(rig, &ask);
    assert_non_null(response);
    int16_t error = response->topics.items[0].error_code;
    ask_end(&ask);
    return error;
}

struct batch_spec {
    const char *key; /* NULL: null */
    const char *value;
    int32_t count;     /* records, all alike; 0 means 1 */
    int64_t timestamp; /* 0: now */
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t sequence;
    bool idempotent;
    bool transactional; /* and idempotent */
    enum compression compression;
};

static inline struct shared_buffer *make_batch(struct rig *rig, const struct batch_spec *spec)
{
    struct batch_writer writer;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    struct shared_buffer *buffer;
    mill_bytes bytes;
    int64_t now_ms = sim_world_now(rig->world).wall_ms;
    mill_record record = { .key = mill_string(spec->key),
                           .value = mill_string(spec->value),
                           .timestamp_ms = spec->timestamp ? spec->timestamp : now_ms };
    batch_writer_init(&writer, 8 << 20, 8 << 20);
    for (int32_t i = 0; i < (spec->count ? spec->count : 1); i++)
        assert_int_equal(batch_writer_append(&writer, &record), 0);
    options.compression = spec->compression;
    if (spec->idempotent) {
        options.producer_id = spec->producer_id;
        options.producer_epoch = spec->producer_epoch;
        options.base_sequence = spec->sequence;
        options.transactional = spec->transactional;
    }
    assert_int_equal(batch_writer_finish(&writer, &options, &bytes), 0);
    assert_int_equal(batch_writer_take(&writer, &buffer), 0);
    batch_writer_release(&writer);
    return buffer;
}

/* Fills a Produce of one batch to one partition; the request holds the buffer. */
static inline void ask_produce_buffer(struct ask *ask, const char *topic, int32_t partition, struct shared_buffer *batch,
                                      int16_t acks)
{
    struct produce_request *request = ask_new(ask, API_PRODUCE, 11);
    struct arena *arena = &ask->request->arena;
    request->acks = acks;
    request->timeout_ms = 30000;
    request->topic_data.items = produce_request_topic_array(arena, 1);
    request->topic_data.count = 1;
    request->topic_data.items[0].name = mill_string(topic);
    request->topic_data.items[0].partition_data.items = produce_request_partition_array(arena, 1);
    request->topic_data.items[0].partition_data.count = 1;
    struct produce_request_partition *part = &request->topic_data.items[0].partition_data.items[0];
    part->index = partition;
    part->records.slices = arena_alloc(arena, sizeof(struct slice));
    part->records.slices[0] = (struct slice){ mill_bytes_of(batch->data, batch->len), batch };
    part->records.count = 1;
    part->records.len = batch->len;
    assert_int_equal(request_keep(ask->request, batch), 0);
    shared_buffer_drop(batch);
}

static inline void ask_produce(struct rig *rig, struct ask *ask, const char *topic, int32_t partition, struct batch_spec spec)
{
    ask_produce_buffer(ask, topic, partition, make_batch(rig, &spec), -1);
}

static inline struct produce_response_partition *produced(struct ask *ask)
{
    struct produce_response *response = ask->request->response.body;
    assert_non_null(response);
    return &response->responses.items[0].partition_responses.items[0];
}

/* Returns the error; `*offset` (may be NULL) gets the base offset. */
static inline int16_t rig_produce(struct rig *rig, const char *topic, int32_t partition, struct batch_spec spec, int64_t *offset)
{
    struct ask ask;
    ask_produce(rig, &ask, topic, partition, spec);
    rig_ask(rig, &ask);
    int16_t error = produced(&ask)->error_code;
    if (offset)
        *offset = produced(&ask)->base_offset;
    ask_end(&ask);
    return error;
}

static inline struct fetch_request *ask_fetch(struct ask *ask, const char *topic, int32_t partition, int64_t offset,
                                              int32_t min_bytes, int32_t max_wait_ms)
{
    struct fetch_request *request = ask_new(ask, API_FETCH, 12);
    struct arena *arena = &ask->request->arena;
    request->min_bytes = min_bytes;
    request->max_wait_ms = max_wait_ms;
    request->topics.items = fetch_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].topic = mill_string(topic);
    request->topics.items[0].partitions.items = fetch_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].partition = partition;
    request->topics.items[0].partitions.items[0].fetch_offset = offset;
    request->topics.items[0].partitions.items[0].partition_max_bytes = 1 << 20;
    return request;
}

static inline struct fetch_response_partition *fetched(struct ask *ask)
{
    struct fetch_response *response = ask->request->response.body;
    assert_non_null(response);
    assert_int_equal(response->error_code, KAFKA_NONE);
    return &response->responses.items[0].partitions.items[0];
}

/* The records of an answer, counted; each batch is checked with its CRC. `*next_offset` moves behind the last one. */
static inline int fetched_records_until(struct ask *ask, int64_t *next_offset)
{
    struct wire_records *records = &fetched(ask)->records;
    uint8_t *joined = malloc(records->len + 1);
    size_t len = 0;
    for (int32_t i = 0; i < records->count; i++) {
        memcpy(joined + len, records->slices[i].bytes.data, records->slices[i].bytes.len);
        len += records->slices[i].bytes.len;
    }
    assert_int_equal(len, records->len);
    mill_bytes region = mill_bytes_of(joined, len);
    mill_bytes batch;
    struct batch_header header;
    int count = 0;
    while (batch_next(&region, &batch, &header) > 0) {
        assert_int_equal(batch_check(batch, &header), 0);
        count += header.record_count;
        *next_offset = batch_next_offset(&header);
    }
    assert_int_equal(region.len, 0);
    free(joined);
    return count;
}

static inline int fetched_records(struct ask *ask)
{
    int64_t next_offset;
    return fetched_records_until(ask, &next_offset);
}

static inline int rig_count(struct rig *rig, const char *topic, int32_t partition, int64_t offset)
{
    struct ask ask;
    ask_fetch(&ask, topic, partition, offset, 0, 0);
    rig_ask(rig, &ask);
    assert_int_equal(fetched(&ask)->error_code, KAFKA_NONE);
    int count = fetched_records(&ask);
    ask_end(&ask);
    return count;
}

/* All that are there: one fetch answers from one segment. */
static inline int rig_count_all(struct rig *rig, const char *topic, int32_t partition)
{
    int count = 0;
    int64_t end = -1;
    for (int64_t offset = 0; offset != end;) {
        struct ask ask;
        end = offset;
        ask_fetch(&ask, topic, partition, offset, 0, 0);
        rig_ask(rig, &ask);
        count += fetched_records_until(&ask, &offset);
        ask_end(&ask);
    }
    return count;
}

/* A new producer's id, which begins with epoch 0. */
static inline int64_t rig_take_producer_id(struct rig *rig)
{
    struct ask ask;
    struct init_producer_id_request *request = ask_new(&ask, API_INIT_PRODUCER_ID, 4);
    request->transactional_id = mill_null();
    struct init_producer_id_response *response = rig_ask(rig, &ask);
    assert_int_equal(response->error_code, KAFKA_NONE);
    assert_int_equal(response->producer_epoch, 0);
    int64_t id = response->producer_id;
    ask_end(&ask);
    return id;
}

/* ---- fixtures -------------------------------------------------------------------------------------------------------------- */

static inline int rig_set_up(void **state)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    *state = &rig;
    return 0;
}

static inline int rig_tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

#endif
