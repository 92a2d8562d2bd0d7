/* Snapshots of `__cluster_metadata`, through the broker's public face and its directory. */
#include "broker_rig.h"

#include "wire/api/delete_topics.h"
#include "wire/api/metadata.h"

#define FOLDER "/data/__cluster_metadata-0"

static const char *const soon[] = { "log.retention.check.interval.ms=1000", "metadata.log.max.snapshot.interval.ms=5000", NULL };

static int set_up(void **state)
{
    static struct rig rig;
    rig_open(&rig, soon);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

struct found {
    int snapshots;
    char newest[64];
    char oldest_log[64];
};

static int note(void *ctx, const struct disk_entry *entry)
{
    struct found *found = ctx;
    const char *dot = strchr(entry->name, '.');
    if (dot && strcmp(dot, ".checkpoint") == 0) {
        found->snapshots++;
        if (strcmp(entry->name, found->newest) > 0)
            snprintf(found->newest, sizeof found->newest, "%s", entry->name);
    }
    if (dot && strcmp(dot, ".log") == 0 && (!found->oldest_log[0] || strcmp(entry->name, found->oldest_log) < 0))
        snprintf(found->oldest_log, sizeof found->oldest_log, "%s", entry->name);
    return 0;
}

static struct found look(struct rig *rig)
{
    struct found found = { 0 };
    assert_int_equal(disk_list(sim_disk_disk(rig->disk), FOLDER, note, &found), 0);
    return found;
}

static void delete_topic(struct rig *rig, const char *name)
{
    struct ask ask;
    struct delete_topics_request *request = ask_new(&ask, API_DELETE_TOPICS, 6);
    request->topics.items = delete_topics_request_topic_array(&ask.request->arena, 1);
    request->topics.items[0].name = mill_string(name);
    request->topics.count = 1;
    assert_int_equal(((struct delete_topics_response *)rig_ask(rig, &ask))->responses.items[0].error_code, KAFKA_NONE);
    ask_end(&ask);
}

/* All topics with their partitions and ids, as text. */
static void print_topics(struct rig *rig, char text[1024])
{
    struct ask ask;
    struct metadata_request *request = ask_new(&ask, API_METADATA, 12);
    request->topics.count = -1;
    struct metadata_response *response = rig_ask(rig, &ask);
    size_t len = 0;
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct metadata_response_topic *topic = &response->topics.items[i];
        len += (size_t)snprintf(text + len, 1024 - len, "%.*s:%d:%02x%02x ", (int)topic->name.len, (const char *)topic->name.data,
                                topic->partitions.count, topic->topic_id.bytes[0], topic->topic_id.bytes[1]);
    }
    ask_end(&ask);
}

static bool is_compacted(struct rig *rig, const char *topic)
{
    return rig_produce(rig, topic, 0, (struct batch_spec){ .value = "no key" }, NULL) == KAFKA_INVALID_RECORD;
}

static void make_history(struct rig *rig)
{
    rig_create_topic(rig, "first", 3, NULL, NULL);
    rig_create_topic(rig, "gone", 2, NULL, NULL);
    rig_create_topic(rig, "compacted", 1, "cleanup.policy", "compact");
    delete_topic(rig, "gone");
    assert_int_equal(rig_produce(rig, "first", 0, (struct batch_spec){ .value = "v" }, NULL), KAFKA_NONE);
}

static void check_after(struct rig *rig, const char before[1024])
{
    char after[1024];
    print_topics(rig, after);
    assert_string_equal(after, before);
    assert_true(is_compacted(rig, "compacted"));
    assert_int_equal(rig_count(rig, "first", 0, 0), 1);
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

static void a_start_from_a_snapshot_is_a_start_from_the_whole_log(void **state)
{
    struct rig *rig = *state;
    char before[1024];
    make_history(rig);
    rig_pass(rig, 10 * SECOND_US);
    assert_int_equal(look(rig).snapshots, 1);
    rig_create_topic(rig, "later", 1, NULL, NULL);
    print_topics(rig, before);
    rig_restart(rig);
    check_after(rig, before);
    rig_crash(rig, true);
    check_after(rig, before);
}

static void two_snapshots_are_kept_and_the_log_before_them_goes(void **state)
{
    struct rig *rig = *state;
    char before[1024];
    make_history(rig);
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "topic-%d", i);
        rig_create_topic(rig, name, 1, NULL, NULL);
        rig_pass(rig, 70 * SECOND_US);
    }
    struct found found = look(rig);
    assert_int_equal(found.snapshots, 2);
    assert_string_not_equal(found.oldest_log, "00000000000000000000.log");
    print_topics(rig, before);
    rig_crash(rig, true);
    check_after(rig, before);
}

static void nothing_is_written_while_nothing_changes(void **state)
{
    struct rig *rig = *state;
    make_history(rig);
    rig_pass(rig, 10 * SECOND_US);
    struct found found = look(rig);
    rig_pass(rig, 600 * SECOND_US);
    assert_string_equal(look(rig).newest, found.newest);
    assert_int_equal(look(rig).snapshots, 1);
}

static void a_damaged_snapshot_is_passed_over(void **state)
{
    struct rig *rig = *state;
    char before[1024];
    char path[128];
    make_history(rig);
    rig_pass(rig, 70 * SECOND_US);
    rig_create_topic(rig, "later", 1, NULL, NULL);
    rig_pass(rig, 70 * SECOND_US);
    print_topics(rig, before);
    assert_int_equal(look(rig).snapshots, 2);
    rig_stop(rig);
    snprintf(path, sizeof path, FOLDER "/%s", look(rig).newest);
    assert_true(sim_disk_flip(rig->disk, path, 8 * 300));
    rig_start(rig);
    check_after(rig, before);
}

static void a_start_without_the_snapshot_that_it_needs_says_so(void **state)
{
    struct rig *rig = *state;
    make_history(rig);
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "topic-%d", i);
        rig_create_topic(rig, name, 1, NULL, NULL);
        rig_pass(rig, 70 * SECOND_US);
    }
    rig_stop(rig);
    for (int i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, FOLDER "/%s", look(rig).newest);
        assert_int_equal(disk_remove(sim_disk_disk(rig->disk), path), 0);
    }
    struct broker_options options = {
        .disk = sim_disk_disk(rig->disk), .loop = rig->loop, .data_dir = "/data", .config = &rig->config
    };
    struct broker *broker = broker_new(&options);
    assert_int_equal(broker_open(broker, sim_world_now(rig->world)), MILL_ECORRUPT);
    assert_non_null(strstr(broker_error(broker), "restore the directory from a copy"));
    broker_free(broker);
}

/* A crash before each call that changes the disk while snapshots are written: the next start finds all that was answered. */
static char topics_now[1024];
static struct rig *watched;
static int images;

static void start_on_image(void *ctx, enum sim_disk_call call, const char *path)
{
    if (!strstr(path, "__cluster_metadata-0"))
        return;
    struct rig image = { .seed = watched->seed, .config = watched->config };
    char found[1024];
    image.world = sim_world_new(watched->seed + (uint64_t)images);
    image.loop = sim_world_add_loop(image.world, "broker");
    image.disk = images % 2 ? sim_disk_after_kill(watched->disk) : sim_disk_after_power_cut(watched->disk, (uint64_t)images);
    images++;
    rig_start(&image);
    print_topics(&image, found);
    assert_string_equal(found, topics_now);
    rig_stop(&image);
    sim_disk_free(image.disk);
    sim_world_free(image.world);
}

static void a_crash_at_any_call_loses_nothing(void **state)
{
    struct rig *rig = *state;
    watched = rig;
    make_history(rig);
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "topic-%d", i);
        rig_create_topic(rig, name, 1, NULL, NULL);
        print_topics(rig, topics_now);
        sim_disk_watch(rig->disk, SIM_DISK_CHANGES, start_on_image, NULL);
        rig_pass(rig, 70 * SECOND_US);
        sim_disk_watch(rig->disk, 0, NULL, NULL);
    }
    print_message("%d images\n", images);
    assert_true(images > 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_start_from_a_snapshot_is_a_start_from_the_whole_log),
        TEST(two_snapshots_are_kept_and_the_log_before_them_goes),
        TEST(nothing_is_written_while_nothing_changes),
        TEST(a_damaged_snapshot_is_passed_over),
        TEST(a_start_without_the_snapshot_that_it_needs_says_so),
        TEST(a_crash_at_any_call_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
