/*
 * A data directory in which files are missing, cut or another's: clients never see an empty topic where there was one, no offset
 * is given out twice, nothing is deleted, and the broker tells it.
 */
#include "broker_rig.h"

#include "base/trace.h"
#include "wire/api/delete_topics.h"
#include "wire/api/list_offsets.h"
#include "wire/api/metadata.h"

static char told[16 << 10];

static void note_line(void *ctx, enum trace_level level, const char *line)
{
    size_t len = strlen(told);
    if (level == TRACE_ERROR)
        snprintf(told + len, sizeof told - len, "%s\n", line);
}

static int set_up(void **state)
{
    told[0] = '\0';
    trace_set_sink(note_line, NULL);
    return rig_set_up(state);
}

static int tear_down(void **state)
{
    trace_set_sink(NULL, NULL);
    return rig_tear_down(state);
}

static void assert_told(const char *wanted)
{
    if (!strstr(told, wanted))
        fail_msg("not told: %s\nbut: %s", wanted, told);
}

static void make_topic(struct rig *rig, const char *name)
{
    assert_int_equal(rig_create_topic(rig, name, 1, NULL, NULL), KAFKA_NONE);
    assert_int_equal(rig_produce(rig, name, 0, (struct batch_spec){ .value = "a value", .count = 10 }, NULL), KAFKA_NONE);
}

static int16_t list_offset(struct rig *rig, const char *topic, int64_t timestamp, int64_t *offset)
{
    struct ask ask;
    struct list_offsets_request *request = ask_new(&ask, API_LIST_OFFSETS, 7);
    struct arena *arena = &ask.request->arena;
    request->replica_id = -1;
    request->topics.items = list_offsets_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partitions.items = list_offsets_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].timestamp = timestamp;
    request->topics.items[0].partitions.items[0].current_leader_epoch = -1;
    struct list_offsets_response *response = rig_ask(rig, &ask);
    int16_t error = response->topics.items[0].partitions.items[0].error_code;
    *offset = response->topics.items[0].partitions.items[0].offset;
    ask_end(&ask);
    return error;
}

static int16_t fetch_error(struct rig *rig, const char *topic)
{
    struct ask ask;
    ask_fetch(&ask, topic, 0, 0, 0, 0);
    rig_ask(rig, &ask);
    int16_t error = fetched(&ask)->error_code;
    ask_end(&ask);
    return error;
}

static void check_leader(struct rig *rig, const char *topic, int32_t leader, int16_t error)
{
    struct ask ask;
    struct metadata_request *request = ask_new(&ask, API_METADATA, 9);
    request->topics.items = metadata_request_topic_array(&ask.request->arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    struct metadata_response *response = rig_ask(rig, &ask);
    assert_int_equal(response->topics.items[0].error_code, KAFKA_NONE);
    assert_int_equal(response->topics.items[0].partitions.items[0].leader_id, leader);
    assert_int_equal(response->topics.items[0].partitions.items[0].error_code, error);
    ask_end(&ask);
}

static void check_blocked(struct rig *rig, const char *topic)
{
    int64_t offset;
    assert_int_equal(fetch_error(rig, topic), KAFKA_KAFKA_STORAGE_ERROR);
    assert_int_equal(list_offset(rig, topic, -1, &offset), KAFKA_KAFKA_STORAGE_ERROR);
    struct ask ask;
    ask_produce(rig, &ask, topic, 0, (struct batch_spec){ .value = "b" });
    rig_ask(rig, &ask);
    assert_int_equal(produced(&ask)->error_code, KAFKA_KAFKA_STORAGE_ERROR);
    char why[256];
    snprintf(why, sizeof why, "%.*s", (int)produced(&ask)->error_message.len, (const char *)produced(&ask)->error_message.data);
    assert_non_null(strstr(why, "belongs to another topic that had this name"));
    ask_end(&ask);
    check_leader(rig, topic, -1, KAFKA_LEADER_NOT_AVAILABLE);
}

static void a_partition_whose_directory_is_gone_goes_on_where_it_ended(void **state)
{
    struct rig *rig = *state;
    make_topic(rig, "events");
    rig_stop(rig);
    assert_int_equal(disk_remove_tree(sim_disk_disk(rig->disk), "/data/events-0"), 0);
    rig_start(rig);
    assert_told("events-0: offsets 0 to 9 were synced and are gone: /data/events-0/"); /* before anyone asks */
    int64_t offset;
    assert_int_equal(list_offset(rig, "events", -1, &offset), KAFKA_NONE);
    assert_int_equal(offset, 10);
    struct ask ask;
    ask_fetch(&ask, "events", 0, 0, 0, 0);
    rig_ask(rig, &ask);
    assert_int_equal(fetched(&ask)->error_code, KAFKA_NONE);
    assert_int_equal(fetched_records_until(&ask, &offset), 0);
    assert_int_equal(offset, 10); /* a reader gets over the gap, and does not wait in it */
    ask_end(&ask);
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "b" }, &offset), KAFKA_NONE);
    assert_int_equal(offset, 10);
}

static void a_topic_made_again_is_not_held_to_what_the_one_before_had(void **state)
{
    struct rig *rig = *state;
    make_topic(rig, "events");
    rig_restart(rig);
    struct ask ask;
    struct delete_topics_request *request = ask_new(&ask, API_DELETE_TOPICS, 5);
    mill_bytes name = mill_string("events");
    request->topic_names.items = &name;
    request->topic_names.count = 1;
    rig_ask(rig, &ask);
    ask_end(&ask);
    assert_int_equal(rig_create_topic(rig, "events", 1, NULL, NULL), KAFKA_NONE);
    rig_pass(rig, SECOND_US); /* the files have gone */
    rig_crash(rig, false);    /* the checkpoint on disk is the old topic's */
    int64_t offset;
    assert_int_equal(rig_produce(rig, "events", 0, (struct batch_spec){ .value = "b" }, &offset), KAFKA_NONE);
    assert_int_equal(offset, 0);
    assert_string_equal(told, "");
}

static int16_t set_directory_id(struct rig *rig, const char *text)
{
    return (int16_t)disk_replace_file(sim_disk_disk(rig->disk), "/data/events-0/partition.metadata", text, strlen(text));
}

static void a_directory_of_another_topic_is_no_empty_topic(void **state)
{
    struct rig *rig = *state;
    make_topic(rig, "events");
    rig_stop(rig);
    char *text;
    size_t len;
    assert_int_equal(disk_read_file(sim_disk_disk(rig->disk), "/data/events-0/partition.metadata", 1000, &text, &len), 0);
    assert_int_equal(set_directory_id(rig, "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAABw\n"), 0);
    rig_start(rig);
    assert_told("/data/events-0: belongs to another topic that had this name");
    assert_told("move the directory away and start the broker again");
    check_blocked(rig, "events");
    rig_stop(rig);
    assert_int_equal(set_directory_id(rig, text), 0);
    mem_free(text);
    rig_start(rig);
    assert_int_equal(rig_count(rig, "events", 0, 0), 10);
    check_leader(rig, "events", 1, KAFKA_NONE);
}

static const char METADATA_FILE[] = "/data/__cluster_metadata-0/00000000000000000000.log";

static int64_t metadata_size(struct rig *rig)
{
    struct disk_entry entry;
    assert_int_equal(disk_stat(sim_disk_disk(rig->disk), METADATA_FILE, &entry), 0);
    return entry.size;
}

static struct disk_file *open_metadata(struct rig *rig)
{
    struct disk_file *file;
    assert_int_equal(disk_open(sim_disk_disk(rig->disk), METADATA_FILE, DISK_WRITE, &file), 0);
    return file;
}

static void lost_metadata_is_told_and_no_directory_goes(void **state)
{
    struct rig *rig = *state;
    struct disk_entry entry;
    make_topic(rig, "before");
    int64_t kept = metadata_size(rig);
    make_topic(rig, "after");
    rig_stop(rig);
    struct disk_file *file = open_metadata(rig);
    assert_int_equal(disk_truncate(file, kept + 20), 0);
    disk_close(file);

    rig_start(rig);
    assert_told("__cluster_metadata-0: offsets ");
    assert_told("/data/__cluster_metadata-0: changes of topics were lost with it");
    assert_told("/data/after-0: belongs to no topic that is known, and is left alone");
    assert_null(strstr(told, "before-0"));
    assert_int_equal(rig_count(rig, "before", 0, 0), 10);
    assert_int_equal(fetch_error(rig, "after"), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);

    /* Made anew it is another topic: what lies there is neither its own nor deleted. */
    assert_int_equal(rig_create_topic(rig, "after", 1, NULL, NULL), KAFKA_NONE);
    assert_told("/data/after-0: belongs to another topic that had this name");
    check_blocked(rig, "after");
    rig_restart(rig);
    check_blocked(rig, "after");
    assert_int_equal(disk_stat(sim_disk_disk(rig->disk), "/data/after-0/00000000000000000000.log", &entry), 0);
    assert_true(entry.size > 0);
}

static void damaged_metadata_is_told_as_lost(void **state)
{
    struct rig *rig = *state;
    make_topic(rig, "before");
    int64_t kept = metadata_size(rig);
    make_topic(rig, "between");
    make_topic(rig, "behind");
    struct disk_file *file = open_metadata(rig);
    assert_int_equal(disk_write(file, &(struct io_vector){ "damage", 6 }, 1, kept + 70), 0);
    disk_close(file);

    rig_crash(rig, false);
    assert_told("/data/__cluster_metadata-0: changes of topics were lost with it");
    assert_told("/data/between-0: belongs to no topic that is known, and is left alone");
    assert_int_equal(rig_count(rig, "before", 0, 0), 10);
    assert_int_equal(rig_count(rig, "behind", 0, 0), 10);
    assert_int_equal(fetch_error(rig, "between"), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
}

/* The loss is told in the first start alone, which may end before anybody asks for an id. */
static void a_producer_id_that_lost_metadata_claimed_is_not_given_out_again(void **state)
{
    struct rig *rig = *state;
    make_topic(rig, "events");
    int64_t kept = metadata_size(rig);
    int64_t last = -1;
    for (int i = 0; i < 5; i++) {
        last = rig_take_producer_id(rig);
        rig_restart(rig); /* the rest of the block is not used */
    }
    rig_stop(rig);
    struct disk_file *file = open_metadata(rig);
    assert_int_equal(disk_truncate(file, kept), 0);
    disk_close(file);
    rig_start(rig);
    assert_told("__cluster_metadata-0: offsets ");
    rig_crash(rig, false);
    for (int i = 0; i < 3; i++) {
        int64_t id = rig_take_producer_id(rig);
        assert_true(id > last);
        last = id;
        rig_restart(rig);
    }
}

static void a_broker_whose_metadata_are_all_gone_does_not_start(void **state)
{
    struct rig *rig = *state;
    make_topic(rig, "events");
    rig_stop(rig);
    assert_int_equal(disk_remove_tree(sim_disk_disk(rig->disk), "/data/__cluster_metadata-0"), 0);
    for (int i = 0; i < 2; i++) {
        struct broker_options options = {
            .disk = sim_disk_disk(rig->disk), .loop = rig->loop, .data_dir = "/data", .config = &rig->config
        };
        struct broker *broker = broker_new(&options);
        assert_int_equal(broker_open(broker, sim_world_now(rig->world)), MILL_ECORRUPT);
        assert_non_null(strstr(broker_error(broker), "__cluster_metadata-0: what it begins with is gone; restore the directory"));
        broker_free(broker);
    }
    assert_told("__cluster_metadata-0: offsets 0 to ");
    struct disk_entry entry;
    assert_int_equal(disk_stat(sim_disk_disk(rig->disk), "/data/events-0", &entry), 0);
}

static void retention_outlives_a_kill(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(rig_create_topic(rig, "short", 1, "retention.ms", "1000"), KAFKA_NONE);
    assert_int_equal(rig_produce(rig, "short", 0, (struct batch_spec){ .value = "a", .count = 10 }, NULL), KAFKA_NONE);
    int64_t offset = 0;
    while (offset == 0) {
        rig_pass(rig, SECOND_US);
        assert_int_equal(list_offset(rig, "short", -2, &offset), KAFKA_NONE);
    }
    assert_int_equal(offset, 10);
    rig_pass(rig, SECOND_US);
    rig_crash(rig, false);
    assert_int_equal(list_offset(rig, "short", -2, &offset), KAFKA_NONE);
    assert_int_equal(offset, 10);
    assert_string_equal(told, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_partition_whose_directory_is_gone_goes_on_where_it_ended),
        TEST(a_topic_made_again_is_not_held_to_what_the_one_before_had),
        TEST(a_directory_of_another_topic_is_no_empty_topic),
        TEST(lost_metadata_is_told_and_no_directory_goes),
        TEST(damaged_metadata_is_told_as_lost),
        TEST(a_producer_id_that_lost_metadata_claimed_is_not_given_out_again),
        TEST(a_broker_whose_metadata_are_all_gone_does_not_start),
        TEST(retention_outlives_a_kill),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
