/* Topics with cleanup.policy=compact, through the broker's public face. Seed and time are virtual. */
#include "broker_rig.h"

#include "base/trace.h"
#include "wire/api/delete_topics.h"

static int set_up(void **state)
{
    static struct rig rig;
    rig_open(&rig, (const char *const[]){ "log.segment.bytes=2000", NULL });
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

static void produce_keys(struct rig *rig, const char *topic, int rounds)
{
    const char *const keys[] = { "amsterdam", "berlin", "copenhagen" };
    for (int i = 0; i < rounds * 3; i++)
        assert_int_equal(
            rig_produce(rig, topic, 0, (struct batch_spec){ .key = keys[i % 3], .value = "a value that takes some room" }, NULL),
            KAFKA_NONE);
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

static void a_compacted_topic_loses_what_is_overtaken(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "compacted", 1, "cleanup.policy", "compact");
    rig_create_topic(rig, "kept", 1, NULL, NULL);
    produce_keys(rig, "compacted", 100);
    produce_keys(rig, "kept", 100);
    rig_pass(rig, 20 * SECOND_US);
    rig_restart(rig); /* the hot tail still has what was appended */
    int left = rig_count_all(rig, "compacted", 0);
    assert_true(left >= 3 && left < 40);
    assert_int_equal(rig_count_all(rig, "kept", 0), 300);
}

static void a_log_left_dirty_is_compacted_after_the_next_start(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "compacted", 1, "cleanup.policy", "compact");
    produce_keys(rig, "compacted", 100);
    rig_crash(rig, false);
    assert_int_equal(rig_count_all(rig, "compacted", 0), 300);
    rig_pass(rig, 20 * SECOND_US);
    assert_true(rig_count_all(rig, "compacted", 0) < 40);
}

static void a_topic_may_be_deleted_while_it_is_compacted(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < 5; i++) {
        rig_create_topic(rig, "compacted", 1, "cleanup.policy", "compact");
        produce_keys(rig, "compacted", 50);
        rig_pass(rig, 15 * SECOND_US - 200000 + i * 50000);
        assert_int_equal(delete_topic(rig, "compacted"), KAFKA_NONE);
    }
    rig_pass(rig, 20 * SECOND_US);
    rig_restart(rig);
    rig_create_topic(rig, "compacted", 1, "cleanup.policy", "compact");
    assert_int_equal(rig_count_all(rig, "compacted", 0), 0);
}

static void a_broker_may_close_while_it_compacts(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "compacted", 1, "cleanup.policy", "compact");
    for (int i = 0; i < 20; i++) {
        produce_keys(rig, "compacted", 40);
        rig_pass(rig, 15 * SECOND_US - 1000 + i * 100);
        rig_restart(rig);
    }
    rig_pass(rig, 20 * SECOND_US);
    int left = rig_count_all(rig, "compacted", 0);
    assert_true(left >= 3 && left < 60);
}

#define SEGMENT "/00000000000000000000.log"

/* Its first segment is out of reach, so that compaction fails, but not for good. */
static void hide_segment(struct rig *rig, const char *from, const char *to)
{
    assert_int_equal(disk_rename(sim_disk_disk(rig->disk), from, to), 0);
}

static void a_log_whose_compaction_fails_lets_the_others_have_their_turn(void **state)
{
    struct rig *rig = *state;
    const char *const topics[] = { "first", "second", "third" };
    for (int i = 0; i < 3; i++)
        rig_create_topic(rig, topics[i], 1, "cleanup.policy", "compact");
    for (int i = 0; i < 3; i++)
        produce_keys(rig, topics[i], 100);
    hide_segment(rig, "/data/first-0" SEGMENT, "/data/hidden-first");
    hide_segment(rig, "/data/third-0" SEGMENT, "/data/hidden-third");
    rig_pass(rig, 100 * SECOND_US);
    assert_int_equal(sim_disk_fail_at(rig->disk, SIM_DISK_OPEN, UINT64_MAX, MILL_EIO, false), 0);
    rig_pass(rig, 3600 * SECOND_US);
    uint64_t opened = sim_disk_fail_at(rig->disk, SIM_DISK_OPEN, 0, 0, false);
    assert_in_range(opened, 1, 100); /* it is tried again, ever more seldom */
    hide_segment(rig, "/data/hidden-first", "/data/first-0" SEGMENT);
    hide_segment(rig, "/data/hidden-third", "/data/third-0" SEGMENT);
    rig_crash(rig, false);
    assert_true(rig_count_all(rig, "second", 0) < 40);
    assert_int_equal(rig_count_all(rig, "first", 0), 300);
    assert_int_equal(rig_count_all(rig, "third", 0), 300);
    rig_pass(rig, 60 * SECOND_US);
    assert_true(rig_count_all(rig, "first", 0) < 40);
    assert_true(rig_count_all(rig, "third", 0) < 40);
}

static void the_cleaner_can_be_switched_off(void **state)
{
    struct rig off;
    rig_open(&off, (const char *const[]){ "log.segment.bytes=2000", "log.cleaner.enable=false", NULL });
    rig_create_topic(&off, "compacted", 1, "cleanup.policy", "compact");
    produce_keys(&off, "compacted", 50);
    rig_pass(&off, 60 * SECOND_US);
    rig_restart(&off);
    assert_int_equal(rig_count_all(&off, "compacted", 0), 150);
    rig_close(&off);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_compacted_topic_loses_what_is_overtaken),
        TEST(a_log_left_dirty_is_compacted_after_the_next_start),
        TEST(a_topic_may_be_deleted_while_it_is_compacted),
        TEST(a_broker_may_close_while_it_compacts),
        TEST(a_log_whose_compaction_fails_lets_the_others_have_their_turn),
        cmocka_unit_test(the_cleaner_can_be_switched_off),
    };
    trace_set_level(TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
