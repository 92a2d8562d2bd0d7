#include "base/trace.h"
#include "broker_rig.h"

#include "wire/api/api_versions.h"
#include "wire/api/delete_topics.h"
#include "wire/api/describe_configs.h"
#include "wire/api/list_offsets.h"
#include "wire/api/metadata.h"

/* ---- topics ---------------------------------------------------------------------------------------------------------------- */

static struct metadata_response *ask_metadata(struct rig *rig, struct ask *ask, const char *topic, bool create)
{
    struct metadata_request *request = ask_new(ask, API_METADATA, 12);
    request->allow_auto_topic_creation = create;
    request->topics.count = topic ? 1 : -1;
    if (topic) {
        request->topics.items = metadata_request_topic_array(&ask->request->arena, 1);
        request->topics.items[0].name = mill_string(topic);
    }
    return rig_ask(rig, ask);
}

static void a_created_topic_is_listed_and_survives_a_restart(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    assert_int_equal(rig_create_topic(rig, "events", 3, NULL, NULL), KAFKA_NONE);
    assert_int_equal(rig_create_topic(rig, "events", 3, NULL, NULL), KAFKA_TOPIC_ALREADY_EXISTS);
    rig_restart(rig);
    struct metadata_response *response = ask_metadata(rig, &ask, NULL, false);
    assert_int_equal(response->topics.count, 1);
    assert_true(mill_bytes_equal(response->topics.items[0].name, mill_string("events")));
    assert_int_equal(response->topics.items[0].partitions.count, 3);
    assert_int_equal(response->topics.items[0].partitions.items[2].leader_id, 1);
    assert_true(mill_bytes_equal(response->brokers.items[0].host, mill_string("broker.example")));
    ask_end(&ask);
}

static void a_created_topic_survives_a_power_cut_once_it_was_answered(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    assert_int_equal(rig_create_topic(rig, "events", 2, NULL, NULL), KAFKA_NONE);
    rig_crash(rig, true);
    assert_int_equal(ask_metadata(rig, &ask, "events", false)->topics.items[0].error_code, KAFKA_NONE);
    ask_end(&ask);
}

static void metadata_makes_a_missing_topic_only_when_allowed(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    assert_int_equal(ask_metadata(rig, &ask, "auto", false)->topics.items[0].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    ask_end(&ask);
    assert_int_equal(ask_metadata(rig, &ask, "auto", true)->topics.items[0].error_code, KAFKA_NONE);
    ask_end(&ask);
    assert_int_equal(ask_metadata(rig, &ask, "no/name", true)->topics.items[0].error_code, KAFKA_INVALID_TOPIC_EXCEPTION);
    ask_end(&ask);
}

static void bad_topics_are_refused_each_with_its_error(void **state)
{
    struct rig *rig = *state;
    char long_name[251];
    memset(long_name, 'x', 250);
    long_name[250] = '\0';
    assert_int_equal(rig_create_topic(rig, long_name, 1, NULL, NULL), KAFKA_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(rig_create_topic(rig, long_name + 1, 1, NULL, NULL), KAFKA_NONE);
    assert_int_equal(rig_create_topic(rig, "..", 1, NULL, NULL), KAFKA_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(rig_create_topic(rig, "a.b", 1, NULL, NULL), KAFKA_NONE);
    assert_int_equal(rig_create_topic(rig, "a_b", 1, NULL, NULL), KAFKA_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(rig_create_topic(rig, "none", 0, NULL, NULL), KAFKA_INVALID_PARTITIONS);
    assert_int_equal(rig_create_topic(rig, "conf", 1, "retention.ms", "soon"), KAFKA_INVALID_CONFIG);
    assert_int_equal(rig_create_topic(rig, "conf", 1, "no.such.config", "1"), KAFKA_INVALID_CONFIG);
    assert_int_equal(rig_create_topic(rig, "conf", 1, "compression.type", "gzip"), KAFKA_INVALID_CONFIG);
    assert_int_equal(rig_create_topic(rig, "__cluster_metadata", 1, NULL, NULL), KAFKA_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(rig_create_topic(rig, "old", 1, "message.format.version", "2.8"), KAFKA_NONE);
}

static int16_t delete_topic(struct rig *rig, const char *name)
{
    struct ask ask;
    struct delete_topics_request *request = ask_new(&ask, API_DELETE_TOPICS, 6);
    request->topics.items = delete_topics_request_topic_array(&ask.request->arena, 1);
    request->topics.items[0].name = mill_string(name);
    request->topics.count = 1;
    int16_t error = ((struct delete_topics_response *)rig_ask(rig, &ask))->responses.items[0].error_code;
    ask_end(&ask);
    return error;
}

static void a_deleted_topic_comes_back_empty_when_it_is_made_again(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x" }, NULL), KAFKA_NONE);
    assert_int_equal(delete_topic(rig, "events"), KAFKA_NONE);
    assert_int_equal(delete_topic(rig, "events"), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(rig_create_topic(rig, "events", 1, NULL, NULL), KAFKA_NONE);
    assert_int_equal(rig_count(rig, "events", 0, 0), 0);
    rig_restart(rig);
    assert_int_equal(rig_count(rig, "events", 0, 0), 0);
}

/* The deletion is durable, the renaming of the directory is not: a power cut brings it back. */
static void a_deleted_topics_files_do_not_come_back_after_a_crash(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x" }, NULL);
    sim_disk_fail_at(rig->disk, SIM_DISK_RENAME, 1, MILL_EIO, true);
    assert_int_equal(delete_topic(rig, "events"), KAFKA_NONE);
    sim_disk_fail_at(rig->disk, SIM_DISK_RENAME, 0, 0, false);
    assert_int_equal(rig_create_topic(rig, "events", 1, NULL, NULL), KAFKA_NONE);
    rig_crash(rig, false);
    assert_int_equal(rig_count(rig, "events", 0, 0), 0);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "new" }, NULL), KAFKA_NONE);
    rig_pass(rig, SECOND_US); /* the old files are removed in the background */
    rig_crash(rig, true);
    assert_int_equal(rig_count(rig, "events", 0, 0), 1);
}

static void deleting_a_topic_answers_those_who_wait_for_it(void **state)
{
    struct rig *rig = *state;
    struct ask fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x" }, NULL);
    ask_fetch(&fetch, "events", 0, 1, 1, 60000);
    rig_send(rig, &fetch);
    assert_int_equal(delete_topic(rig, "events"), KAFKA_NONE);
    rig_wait(rig, &fetch);
    assert_int_equal(fetched(&fetch)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    ask_end(&fetch);
}

static void every_config_of_a_topic_is_described_with_its_source(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, "retention.ms", "1000");
    struct describe_configs_request *request = ask_new(&ask, API_DESCRIBE_CONFIGS, 4);
    request->include_synonyms = true;
    request->resources.items = describe_configs_request_resource_array(&ask.request->arena, 1);
    request->resources.count = 1;
    request->resources.items[0].resource_type = 2;
    request->resources.items[0].resource_name = mill_string("events");
    request->resources.items[0].configuration_keys.count = -1;
    struct describe_configs_response *response = rig_ask(rig, &ask);
    assert_int_equal(response->results.items[0].configs.count, topic_config_table()->count);
    for (int32_t i = 0; i < response->results.items[0].configs.count; i++) {
        struct describe_configs_response_config *config = &response->results.items[0].configs.items[i];
        bool set = mill_bytes_equal(config->name, mill_string("retention.ms"));
        assert_int_equal(config->config_source, set ? CONFIG_SOURCE_TOPIC : CONFIG_SOURCE_DEFAULT);
        assert_int_equal(config->synonyms.count, set ? 2 : 1);
        if (set)
            assert_true(mill_bytes_equal(config->synonyms.items[1].name, mill_string("log.retention.hours")));
    }
    ask_end(&ask);
}

/* ---- records --------------------------------------------------------------------------------------------------------------- */

static void offsets_count_from_zero_and_records_come_back(void **state)
{
    struct rig *rig = *state;
    int64_t offset;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    for (int codec = COMPRESSION_NONE; codec < COMPRESSION_COUNT; codec++) {
        struct batch_spec spec = { .key = "k", .value = "v", .count = 10, .compression = (enum compression)codec };
        assert_int_equal(rig_produce(rig, "events", 0, spec, &offset), KAFKA_NONE);
        assert_int_equal(offset, codec * 10);
    }
    assert_int_equal(rig_count(rig, "events", 0, 0), 50);
    assert_int_equal(rig_count(rig, "events", 0, 45), 10); /* the whole batch that holds the offset */
}

static void what_is_acknowledged_survives_a_power_cut(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    for (int round = 1; round <= 10; round++) {
        assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x", .count = 3 }, NULL), KAFKA_NONE);
        rig->seed++;
        rig_crash(rig, true);
        assert_int_equal(rig_count(rig, "events", 0, 0), 3 * round);
    }
}

/* Long before the usual time, so that a broker that is killed again and again does not scan more each time. */
static void a_start_after_a_crash_soon_makes_a_checkpoint(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x", .count = 3 }, NULL), KAFKA_NONE);
    rig_crash(rig, true);
    rig_pass(rig, 2 * SECOND_US);
    char *text;
    size_t len;
    assert_int_equal(disk_read_file(sim_disk_disk(rig->disk), "/data/recovery-point-offset-checkpoint", 1000, &text, &len), 0);
    assert_non_null(strstr(text, "\nevents 0 3\n"));
    mem_free(text);
}

static int64_t recovery_point_of_events(struct rig *rig)
{
    char *text;
    size_t len;
    if (disk_read_file(sim_disk_disk(rig->disk), "/data/recovery-point-offset-checkpoint", 1000, &text, &len) != 0)
        return -1;
    const char *line = strstr(text, "\nevents 0 ");
    int64_t point = line ? strtoll(line + strlen("\nevents 0 "), NULL, 10) : -1;
    mem_free(text);
    return point;
}

/* Each minute there is one in any case; here there are a few seconds at most. */
static void after_so_much_was_appended_a_checkpoint_is_made(void **state)
{
    struct rig *rig = *state;
    enum { VALUE_BYTES = 1 << 20, BATCHES = 300 };
    char *value = malloc(VALUE_BYTES);
    memset(value, 'x', VALUE_BYTES - 1);
    value[VALUE_BYTES - 1] = '\0';
    rig_create_topic(rig, "events", 1, "max.message.bytes", "2000000");
    rig_pass(rig, SECOND_US);
    int64_t began_us = sim_world_now(rig->world).monotonic_us;
    int64_t behind_max = 0;
    for (int i = 0; i < BATCHES; i++) {
        assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = value }, NULL), KAFKA_NONE);
        int64_t behind = i - recovery_point_of_events(rig);
        behind_max = behind > behind_max ? behind : behind_max;
    }
    free(value);
    assert_in_range(sim_world_now(rig->world).monotonic_us - began_us, 0, 30 * SECOND_US);
    assert_in_range(behind_max, 100, 160);
}

static void nothing_is_visible_before_it_is_synced(void **state)
{
    struct rig *rig = *state;
    struct ask produce, fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    ask_produce(rig, &produce, "events", 0, (struct batch_spec){ .value = "x" });
    rig_send(rig, &produce);
    ask_fetch(&fetch, "events", 0, 0, 0, 0);
    rig_send(rig, &fetch);
    rig_wait(rig, &fetch);
    assert_int_equal(fetched(&fetch)->high_watermark, produce.answered ? 1 : 0);
    rig_wait(rig, &produce);
    ask_end(&fetch);
    ask_end(&produce);
    assert_int_equal(rig_count(rig, "events", 0, 0), 1);
}

static void without_sync_before_ack_records_are_synced_by_flush_ms(void **state)
{
    struct rig rig;
    rig_open(&rig, (const char *const[]){ "log.sync.before.ack=false", NULL });
    rig_create_topic(&rig, "flushed", 1, "flush.ms", "1000");
    rig_create_topic(&rig, "left", 1, NULL, NULL);
    sim_disk_fail_at(rig.disk, SIM_DISK_SYNC, UINT64_MAX, 0, false); /* counts from here on */
    assert_int_equal(rig_produce(&rig, "flushed", 0, (struct batch_spec){ .value = "x" }, NULL), KAFKA_NONE);
    assert_int_equal(rig_produce(&rig, "left", 0, (struct batch_spec){ .value = "x" }, NULL), KAFKA_NONE);
    assert_int_equal(sim_disk_fail_at(rig.disk, SIM_DISK_SYNC, UINT64_MAX, 0, false), 0); /* acknowledged without any sync */
    rig_pass(&rig, 3 * SECOND_US);
    rig_crash(&rig, true);
    assert_int_equal(rig_count(&rig, "flushed", 0, 0), 1);
    rig_close(&rig);
}

static void a_failed_sync_is_told_and_what_was_synced_stays_readable(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "kept" }, NULL);
    sim_disk_fail_at(rig->disk, SIM_DISK_SYNC, 1, MILL_EIO, false);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "lost" }, NULL), KAFKA_KAFKA_STORAGE_ERROR);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "later" }, NULL), KAFKA_KAFKA_STORAGE_ERROR);
    assert_int_equal(rig_count(rig, "events", 0, 0), 1);
}

/* Its producer, who may run elsewhere, is told which disk it is. */
static void assert_says(struct rig *rig, const char *value, const char *first, const char *second)
{
    struct ask ask;
    ask_produce(rig, &ask, "events", 0, (struct batch_spec){ .value = value });
    rig_ask(rig, &ask);
    assert_int_equal(produced(&ask)->error_code, KAFKA_KAFKA_STORAGE_ERROR);
    char text[ERROR_TEXT_BYTES];
    mill_bytes message = produced(&ask)->error_message;
    snprintf(text, sizeof text, "%.*s", (int)message.len, (const char *)message.data);
    if (!strstr(text, first) || !strstr(text, second))
        fail_msg("%s", text);
    ask_end(&ask);
}

static void an_answer_says_what_is_wrong_with_the_disk(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    sim_disk_set_capacity(rig->disk, 1);
    assert_says(rig, "no room for the log", "/data", mill_error_text(MILL_EDISKFULL));
    sim_disk_set_capacity(rig->disk, INT64_MAX);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "kept" }, NULL), KAFKA_NONE);
    sim_disk_set_capacity(rig->disk, 1);
    assert_says(rig, "no room for a batch", "/data", mill_error_text(MILL_EDISKFULL));
    sim_disk_set_capacity(rig->disk, INT64_MAX);
    sim_disk_fail_at(rig->disk, SIM_DISK_SYNC, 1, MILL_EIO, false);
    assert_says(rig, "not synced", "/data", "could not be synced");
    assert_says(rig, "later", "/data", "restart the broker");
}

static int told;

static void count_told(void *ctx, enum trace_level level, const char *line)
{
    told += level == TRACE_ERROR;
}

/* A disk with room for the small batches alone fails and works by turns. */
static void a_full_disk_is_told_once_in_a_while(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    told = 0;
    trace_set_sink(count_told, NULL);
    for (int i = 0; i < 100; i++) {
        sim_disk_set_capacity(rig->disk, i % 2 ? INT64_MAX : 1);
        rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x" }, NULL);
    }
    trace_set_sink(NULL, NULL);
    assert_int_equal(told, 1);
}

static void a_full_disk_refuses_and_later_takes_records_again(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "kept" }, NULL);
    sim_disk_set_capacity(rig->disk, 1);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "no room" }, NULL), KAFKA_KAFKA_STORAGE_ERROR);
    sim_disk_set_capacity(rig->disk, INT64_MAX);
    int64_t offset;
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "again" }, &offset), KAFKA_NONE);
    assert_int_equal(offset, 1);
}

static void a_batch_is_refused_for_what_is_wrong_with_it(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    struct batch_spec plain = { .key = "k", .value = "v" };
    int64_t now_ms = sim_world_now(rig->world).wall_ms;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    rig_create_topic(rig, "compacted", 1, "cleanup.policy", "compact");
    rig_create_topic(rig, "small", 1, "max.message.bytes", "70");
    assert_int_equal(rig_produce(rig, "nowhere", 0, plain, NULL), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(rig_produce(rig, "events", 1, plain, NULL), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(rig_produce(rig, "compacted", 0, (struct batch_spec){ .value = "v" }, NULL), KAFKA_INVALID_RECORD);
    assert_int_equal(rig_produce(rig, "compacted", 0, plain, NULL), KAFKA_NONE);
    assert_int_equal(rig_produce(rig, "small", 0, (struct batch_spec){ .value = "a little too long" }, NULL),
                     KAFKA_MESSAGE_TOO_LARGE);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "v", .timestamp = now_ms + 3700000 }, NULL),
                     KAFKA_INVALID_TIMESTAMP);

    struct shared_buffer *batch = make_batch(rig, &plain);
    batch->data[batch->len - 1] ^= 1;
    ask_produce_buffer(&ask, "events", 0, batch, -1);
    rig_ask(rig, &ask);
    assert_int_equal(produced(&ask)->error_code, KAFKA_CORRUPT_MESSAGE);
    ask_end(&ask);

    ask_produce_buffer(&ask, "events", 0, make_batch(rig, &plain), 2);
    rig_ask(rig, &ask);
    assert_int_equal(produced(&ask)->error_code, KAFKA_INVALID_REQUIRED_ACKS);
    ask_end(&ask);
    assert_int_equal(rig_count(rig, "events", 0, 0), 0);
}

static void acks_zero_gets_no_answer_and_an_error_ends_the_connection(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    struct batch_spec plain = { .value = "v" };
    rig_create_topic(rig, "events", 1, NULL, NULL);
    ask_produce_buffer(&ask, "events", 0, make_batch(rig, &plain), 0);
    assert_null(rig_ask(rig, &ask));
    assert_int_equal(ask.request->response.error, 0);
    ask_end(&ask);
    ask_produce_buffer(&ask, "nowhere", 0, make_batch(rig, &plain), 0);
    assert_null(rig_ask(rig, &ask));
    assert_int_equal(ask.request->response.error, MILL_ECLOSED);
    ask_end(&ask);
}

static void log_append_time_replaces_the_producers_timestamp(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, "message.timestamp.type", "LogAppendTime");
    ask_produce(rig, &ask, "events", 0, (struct batch_spec){ .value = "v", .timestamp = 5 });
    rig_ask(rig, &ask);
    assert_int_equal(produced(&ask)->error_code, KAFKA_NONE);
    assert_true(produced(&ask)->log_append_time_ms > 5);
    ask_end(&ask);
    assert_int_equal(rig_count(rig, "events", 0, 0), 1); /* with a valid CRC */
}

/* ---- idempotence ----------------------------------------------------------------------------------------------------------- */

static void a_producer_id_is_never_handed_out_twice(void **state)
{
    struct rig *rig = *state;
    int64_t last = -1;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 600; i++) {
            int64_t id = rig_take_producer_id(rig);
            assert_true(id > last);
            last = id;
        }
        rig->seed++;
        if (round < 3)
            rig_crash(rig, round % 2 == 0);
    }
}

static void a_repeated_batch_gets_its_old_offset_and_a_gap_is_refused(void **state)
{
    struct rig *rig = *state;
    int64_t offset;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct batch_spec spec = { .value = "v", .count = 2, .idempotent = true, .producer_id = rig_take_producer_id(rig) };
    for (int i = 0; i < 6; i++, spec.sequence += 2)
        assert_int_equal(rig_produce(rig, "events", 0, spec, NULL), KAFKA_NONE);
    spec.sequence = 2; /* the fifth last of five that are remembered */
    assert_int_equal(rig_produce(rig, "events", 0, spec, &offset), KAFKA_NONE);
    assert_int_equal(offset, 2);
    spec.sequence = 14;
    assert_int_equal(rig_produce(rig, "events", 0, spec, NULL), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    rig_crash(rig, true);
    spec.sequence = 10;
    assert_int_equal(rig_produce(rig, "events", 0, spec, &offset), KAFKA_NONE);
    assert_int_equal(offset, 10);
    assert_int_equal(rig_count(rig, "events", 0, 0), 12);
}

static void a_batch_of_an_older_epoch_is_fenced(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct batch_spec spec = { .value = "v", .idempotent = true, .producer_id = 7, .producer_epoch = 2 };
    assert_int_equal(rig_produce(rig, "events", 0, spec, NULL), KAFKA_NONE);
    spec.producer_epoch = 1;
    assert_int_equal(rig_produce(rig, "events", 0, spec, NULL), KAFKA_INVALID_PRODUCER_EPOCH);
}

static void a_transactional_batch_of_no_transaction_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct batch_spec spec = { .value = "v", .idempotent = true, .transactional = true, .producer_id = 7 };
    assert_int_equal(rig_produce(rig, "events", 0, spec, NULL), KAFKA_INVALID_TXN_STATE);
}

/* ---- fetch ----------------------------------------------------------------------------------------------------------------- */

static void a_fetch_at_the_end_waits_for_records(void **state)
{
    struct rig *rig = *state;
    struct ask fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    ask_fetch(&fetch, "events", 0, 0, 1, 10000);
    int64_t begin_us = sim_world_now(rig->world).monotonic_us;
    rig_send(rig, &fetch);
    rig_pass(rig, SECOND_US);
    assert_false(fetch.answered);
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x" }, NULL);
    rig_wait(rig, &fetch);
    assert_int_equal(fetched_records(&fetch), 1);
    assert_true(fetch.answered_us - begin_us < 2 * SECOND_US);
    ask_end(&fetch);
}

static void a_fetch_answers_empty_when_its_time_is_over(void **state)
{
    struct rig *rig = *state;
    struct ask fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    int64_t begin_us = sim_world_now(rig->world).monotonic_us;
    ask_fetch(&fetch, "events", 0, 0, 1, 500);
    rig_ask(rig, &fetch);
    assert_int_equal(fetched_records(&fetch), 0);
    assert_true(fetch.answered_us - begin_us >= SECOND_US / 2);
    ask_end(&fetch);
}

static void a_fetch_waits_for_min_bytes(void **state)
{
    struct rig *rig = *state;
    struct ask fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    ask_fetch(&fetch, "events", 0, 0, 400, 60000);
    rig_send(rig, &fetch);
    for (int i = 0; i < 10 && !fetch.answered; i++) {
        rig_produce(rig, "events", 0, (struct batch_spec){ .value = "a record of some bytes" }, NULL);
        rig_pass(rig, SECOND_US / 10);
    }
    rig_wait(rig, &fetch);
    assert_in_range(fetched(&fetch)->records.len, 400, 600);
    ask_end(&fetch);
}

static void a_hurried_fetch_is_answered_at_once(void **state)
{
    struct rig *rig = *state;
    struct ask fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    ask_fetch(&fetch, "events", 0, 0, 1, 600000);
    rig_send(rig, &fetch);
    rig_pass(rig, SECOND_US);
    broker_hurry(rig->broker, fetch.request, sim_world_now(rig->world));
    rig_pass(rig, SECOND_US / 100);
    assert_true(fetch.answered);
    ask_end(&fetch);
}

static void closing_the_broker_answers_whoever_waits(void **state)
{
    struct rig *rig = *state;
    struct ask fetch, late;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    ask_fetch(&fetch, "events", 0, 0, 1, 600000);
    rig_send(rig, &fetch);
    rig_pass(rig, SECOND_US);
    rig->closed = false;
    broker_close(rig->broker, rig_closed, rig, sim_world_now(rig->world));
    ask_fetch(&late, "events", 0, 0, 1, 600000);
    rig_ask(rig, &late);
    assert_int_equal(late.request->response.error, MILL_ECLOSED);
    assert_int_equal(sim_world_run(rig->world, rig_is_closed, rig, 10 * SECOND_US), 0);
    assert_true(fetch.answered);
    broker_free(rig->broker);
    ask_end(&fetch);
    ask_end(&late);
    rig_start(rig);
}

static void offsets_outside_the_log_are_out_of_range_but_its_end_is_not(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x" }, NULL);
    const int64_t offsets[] = { 1, 2, -1 };
    const int16_t errors[] = { KAFKA_NONE, KAFKA_OFFSET_OUT_OF_RANGE, KAFKA_OFFSET_OUT_OF_RANGE };
    for (int i = 0; i < 3; i++) {
        ask_fetch(&ask, "events", 0, offsets[i], 0, 0);
        rig_ask(rig, &ask);
        assert_int_equal(fetched(&ask)->error_code, errors[i]);
        ask_end(&ask);
    }
}

static void the_first_batch_comes_even_when_it_is_larger_than_every_limit(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    for (int i = 0; i < 3; i++)
        rig_produce(rig, "events", 0, (struct batch_spec){ .value = "larger than that", .count = 100 }, NULL);
    struct fetch_request *request = ask_fetch(&ask, "events", 0, 0, 1, 100);
    request->max_bytes = 10;
    request->topics.items[0].partitions.items[0].partition_max_bytes = 10;
    rig_ask(rig, &ask);
    assert_int_equal(fetched_records(&ask), 100);
    ask_end(&ask);
}

static void a_session_is_declined(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    struct fetch_request *request = ask_new(&ask, API_FETCH, 12);
    request->session_id = 5;
    request->session_epoch = 1;
    struct fetch_response *response = rig_ask(rig, &ask);
    assert_int_equal(response->error_code, KAFKA_FETCH_SESSION_ID_NOT_FOUND);
    assert_int_equal(response->session_id, 0);
    ask_end(&ask);
}

static void a_later_leader_epoch_than_ours_is_unknown(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct fetch_request *request = ask_fetch(&ask, "events", 0, 0, 1, 100);
    request->topics.items[0].partitions.items[0].current_leader_epoch = 1;
    rig_ask(rig, &ask);
    assert_int_equal(fetched(&ask)->error_code, KAFKA_UNKNOWN_LEADER_EPOCH);
    ask_end(&ask);
}

/* ---- ListOffsets ----------------------------------------------------------------------------------------------------------- */

static struct list_offsets_response_partition list_offset(struct rig *rig, const char *topic, int64_t timestamp)
{
    struct ask ask;
    struct list_offsets_request *request = ask_new(&ask, API_LIST_OFFSETS, 7);
    request->replica_id = -1;
    request->topics.items = list_offsets_request_topic_array(&ask.request->arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partitions.items = list_offsets_request_partition_array(&ask.request->arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].timestamp = timestamp;
    struct list_offsets_response *response = rig_ask(rig, &ask);
    struct list_offsets_response_partition found = response->topics.items[0].partitions.items[0];
    ask_end(&ask);
    return found;
}

static void offsets_are_found_by_time_inside_batches(void **state)
{
    struct rig *rig = *state;
    int64_t t = sim_world_now(rig->world).wall_ms - 100000;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    assert_int_equal(list_offset(rig, "events", t).offset, -1);
    for (int i = 0; i < 5; i++)
        rig_produce(rig, "events", 0, (struct batch_spec){ .value = "x", .count = 2, .timestamp = t + 10 * i }, NULL);
    assert_int_equal(list_offset(rig, "events", -1).offset, 10);
    assert_int_equal(list_offset(rig, "events", -2).offset, 0);
    assert_int_equal(list_offset(rig, "events", t + 11).offset, 4);
    assert_int_equal(list_offset(rig, "events", t + 11).timestamp, t + 20);
    assert_int_equal(list_offset(rig, "events", t + 41).offset, -1);
    assert_int_equal(list_offset(rig, "events", -3).timestamp, t + 40);
    assert_int_equal(list_offset(rig, "nowhere", -1).error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
}

/* ---- ApiVersions ----------------------------------------------------------------------------------------------------------- */

static void api_versions_names_what_is_answered_and_no_more(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    struct api_versions_request *request = ask_new(&ask, API_API_VERSIONS, 3);
    request->client_software_name = mill_string("test");
    request->client_software_version = mill_string("1.0");
    struct api_versions_response *response = rig_ask(rig, &ask);
    assert_int_equal(response->error_code, KAFKA_NONE);
    bool has_produce = false;
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        assert_true(broker_has_api(response->api_keys.items[i].api_key));
        has_produce |= response->api_keys.items[i].api_key == API_PRODUCE && response->api_keys.items[i].min_version == 0;
        assert_int_not_equal(response->api_keys.items[i].api_key, API_SASL_HANDSHAKE);
    }
    assert_true(has_produce);
    ask_end(&ask);

    request = ask_new(&ask, API_API_VERSIONS, 3);
    request->client_software_name = mill_string("bad name");
    request->client_software_version = mill_string("1");
    assert_int_equal(((struct api_versions_response *)rig_ask(rig, &ask))->error_code, KAFKA_INVALID_REQUEST);
    ask_end(&ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_created_topic_is_listed_and_survives_a_restart),
        RIG_TEST(a_created_topic_survives_a_power_cut_once_it_was_answered),
        RIG_TEST(metadata_makes_a_missing_topic_only_when_allowed),
        RIG_TEST(bad_topics_are_refused_each_with_its_error),
        RIG_TEST(a_deleted_topic_comes_back_empty_when_it_is_made_again),
        RIG_TEST(a_deleted_topics_files_do_not_come_back_after_a_crash),
        RIG_TEST(deleting_a_topic_answers_those_who_wait_for_it),
        RIG_TEST(every_config_of_a_topic_is_described_with_its_source),
        RIG_TEST(offsets_count_from_zero_and_records_come_back),
        RIG_TEST(what_is_acknowledged_survives_a_power_cut),
        RIG_TEST(a_start_after_a_crash_soon_makes_a_checkpoint),
        RIG_TEST(after_so_much_was_appended_a_checkpoint_is_made),
        RIG_TEST(nothing_is_visible_before_it_is_synced),
        RIG_TEST(without_sync_before_ack_records_are_synced_by_flush_ms),
        RIG_TEST(a_failed_sync_is_told_and_what_was_synced_stays_readable),
        RIG_TEST(an_answer_says_what_is_wrong_with_the_disk),
        RIG_TEST(a_full_disk_is_told_once_in_a_while),
        RIG_TEST(a_full_disk_refuses_and_later_takes_records_again),
        RIG_TEST(a_batch_is_refused_for_what_is_wrong_with_it),
        RIG_TEST(acks_zero_gets_no_answer_and_an_error_ends_the_connection),
        RIG_TEST(log_append_time_replaces_the_producers_timestamp),
        RIG_TEST(a_producer_id_is_never_handed_out_twice),
        RIG_TEST(a_repeated_batch_gets_its_old_offset_and_a_gap_is_refused),
        RIG_TEST(a_batch_of_an_older_epoch_is_fenced),
        RIG_TEST(a_transactional_batch_of_no_transaction_is_refused),
        RIG_TEST(a_fetch_at_the_end_waits_for_records),
        RIG_TEST(a_fetch_answers_empty_when_its_time_is_over),
        RIG_TEST(a_fetch_waits_for_min_bytes),
        RIG_TEST(a_hurried_fetch_is_answered_at_once),
        RIG_TEST(closing_the_broker_answers_whoever_waits),
        RIG_TEST(offsets_outside_the_log_are_out_of_range_but_its_end_is_not),
        RIG_TEST(the_first_batch_comes_even_when_it_is_larger_than_every_limit),
        RIG_TEST(a_session_is_declined),
        RIG_TEST(a_later_leader_epoch_than_ours_is_unknown),
        RIG_TEST(offsets_are_found_by_time_inside_batches),
        RIG_TEST(api_versions_names_what_is_answered_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
