/* The task's behaviour as a user's tests see it: low-level topologies through the test driver. */
#include "support/cmocka_all.h"

#include <stdio.h>

#include "millstream/test_driver.h"

/* ---- a processor that does as it is told by the record's value ------------------------------------------------------------- */

struct script {
    mill_context *context;
    mill_punctuator *punctuator;
};

static const char *bytes_text(mill_bytes bytes)
{
    static char text[64];
    size_t len = bytes.len < sizeof text - 1 ? bytes.len : sizeof text - 1;
    memcpy(text, bytes.data ? (const char *)bytes.data : "~", bytes.data ? len : 1);
    text[bytes.data ? len : 1] = '\0';
    return text;
}

static int fired(mill_context *context, void *self, int64_t timestamp_ms)
{
    mill_record record = { .key = mill_string("fire"), .value = mill_string("x"), .timestamp_ms = timestamp_ms };
    assert_null(mill_context_metadata(context).topic);
    return mill_forward(context, &record);
}

static int script_init(mill_context *context, void *self, const void *argument)
{
    struct script *script = self;
    assert_null(script->punctuator); /* zeroed also after a restart */
    if (argument == NULL)
        return 0;
    script->punctuator = mill_context_schedule(context, 10, *(const mill_punctuation *)argument, fired);
    return script->punctuator ? 0 : MILL_ENOMEM;
}

static int script_process(mill_context *context, void *self, const mill_record *record)
{
    struct script *script = self;
    if (mill_bytes_equal(record->value, mill_string("fail")))
        return mill_context_error(context, MILL_EUSER, "told to fail");
    if (mill_bytes_equal(record->value, mill_string("drop"))) {
        mill_context_drop(context, "told");
        return 0;
    }
    if (mill_bytes_equal(record->value, mill_string("cancel")))
        mill_punctuator_cancel(script->punctuator);
    if (mill_bytes_equal(record->value, mill_string("to second")))
        return mill_forward_to(context, "second", record);
    return mill_forward(context, record);
}

static const mill_processor_type SCRIPT = { "script", sizeof(struct script), script_init, script_process, NULL, NULL };

/* ---- fixture --------------------------------------------------------------------------------------------------------------- */

struct fixture {
    mill_topology *topology;
    mill_test_driver *driver;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .topology = mill_topology_new() };
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mill_test_driver_free(f->driver);
    mill_topology_free(f->topology);
    return 0;
}

/* in -> script -> out, second */
static void make_script(struct fixture *f, const void *argument)
{
    mill_topology_add_source(f->topology, "source", (const char *[]){ "in" }, 1, NULL);
    mill_topology_add_processor(f->topology, "script", (mill_processor_supplier){ &SCRIPT, argument, NULL },
                                (const char *[]){ "source" }, 1);
    mill_topology_add_sink(f->topology, "first", "out", NULL, (const char *[]){ "script" }, 1);
    mill_topology_add_sink(f->topology, "second", "second-out", NULL, (const char *[]){ "script" }, 1);
    f->driver = mill_test_driver_new(f->topology, NULL, 0);
    assert_string_equal(mill_test_driver_error(f->driver), "");
}

static int pipe_at(struct fixture *f, const char *value, int64_t timestamp_ms)
{
    mill_record record = { .key = mill_string("k"), .value = mill_string(value), .timestamp_ms = timestamp_ms };
    return mill_test_driver_pipe(f->driver, "in", &record);
}

static void expect(struct fixture *f, const char *topic, const char *key, int64_t timestamp_ms)
{
    mill_record record;
    assert_int_equal(mill_test_driver_read(f->driver, topic, &record), 1);
    assert_string_equal(bytes_text(record.key), key);
    assert_int_equal(record.timestamp_ms, timestamp_ms);
}

static void expect_nothing(struct fixture *f, const char *topic)
{
    mill_record record;
    assert_int_equal(mill_test_driver_read(f->driver, topic, &record), 0);
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

static void a_record_goes_to_every_child_in_order(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    assert_int_equal(pipe_at(f, "v", 5), 0);
    expect(f, "out", "k", 5);
    expect(f, "second-out", "k", 5);
    expect_nothing(f, "out");
}

static void a_record_can_go_to_one_named_child(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    assert_int_equal(pipe_at(f, "to second", 5), 0);
    expect_nothing(f, "out");
    expect(f, "second-out", "k", 5);
}

static void a_failing_processor_says_where(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    assert_int_equal(pipe_at(f, "v", 1), 0);
    assert_int_equal(pipe_at(f, "fail", 2), MILL_EUSER);
    assert_string_equal(mill_test_driver_error(f->driver),
                        "task 0_0: operator script: record at topic in, partition 0, offset 1: told to fail");
    assert_int_equal(pipe_at(f, "v", 3), MILL_EUSER);
}

static void drops_are_counted_by_reason(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    assert_int_equal(pipe_at(f, "drop", 1), 0);
    assert_int_equal(pipe_at(f, "drop", 2), 0);
    assert_int_equal(mill_test_driver_dropped(f->driver, "told"), 2);
    assert_int_equal(mill_test_driver_dropped(f->driver, "late"), 0);
    assert_int_equal(mill_test_driver_dropped(f->driver, NULL), 2);
}

/* Case 39, stream time: @3 fires, @9 does not, @10 does, @47 once, @49 not, @50 does. */
static void stream_time_punctuation_follows_the_grid_and_skips_missed_slots(void **state)
{
    static const mill_punctuation type = MILL_PUNCTUATE_STREAM_TIME;
    static const int64_t TIMES[] = { 3, 9, 10, 47, 49, 50 };
    static const bool FIRES[] = { true, false, true, true, false, true };
    struct fixture *f = *state;
    make_script(f, &type);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(pipe_at(f, "v", TIMES[i]), 0);
        expect(f, "out", "k", TIMES[i]);
        if (FIRES[i])
            expect(f, "out", "fire", TIMES[i]);
        expect_nothing(f, "out");
    }
}

/* Case 39, wall clock: +5 no, +5 fires at 10, +35 once at 45, +5 at 50. */
static void wall_clock_punctuation_keeps_its_grid(void **state)
{
    static const mill_punctuation type = MILL_PUNCTUATE_WALL_CLOCK;
    struct fixture *f = *state;
    make_script(f, &type);
    assert_int_equal(mill_test_driver_advance(f->driver, 5), 0);
    expect_nothing(f, "out");
    assert_int_equal(mill_test_driver_advance(f->driver, 5), 0);
    expect(f, "out", "fire", 10);
    assert_int_equal(mill_test_driver_advance(f->driver, 35), 0);
    expect(f, "out", "fire", 45);
    expect_nothing(f, "out");
    assert_int_equal(mill_test_driver_advance(f->driver, 5), 0);
    expect(f, "out", "fire", 50);
}

static void a_cancelled_punctuator_is_silent(void **state)
{
    static const mill_punctuation type = MILL_PUNCTUATE_WALL_CLOCK;
    struct fixture *f = *state;
    make_script(f, &type);
    assert_int_equal(pipe_at(f, "cancel", 1), 0);
    expect(f, "out", "k", 1);
    assert_int_equal(mill_test_driver_advance(f->driver, 100), 0);
    expect_nothing(f, "out");
}

/* Case 40: an extractor that answers -1 drops the record. */
static void a_record_without_a_time_is_dropped_and_counted(void **state)
{
    struct fixture *f = *state;
    mill_source_options options = { .extractor = mill_extract_log_and_skip };
    mill_topology_add_source(f->topology, "source", (const char *[]){ "in" }, 1, &options);
    mill_topology_add_sink(f->topology, "sink", "out", NULL, (const char *[]){ "source" }, 1);
    f->driver = mill_test_driver_new(f->topology, NULL, 0);
    assert_int_equal(pipe_at(f, "v", -5), 0);
    expect_nothing(f, "out");
    assert_int_equal(mill_test_driver_dropped(f->driver, NULL), 1);
}

/* Case 40: UsePartitionTime gives 10 after 10, 7, x. */
static void partition_time_stands_in_for_a_missing_time(void **state)
{
    struct fixture *f = *state;
    mill_source_options options = { .extractor = mill_extract_partition_time };
    mill_topology_add_source(f->topology, "source", (const char *[]){ "in" }, 1, &options);
    mill_topology_add_sink(f->topology, "sink", "out", NULL, (const char *[]){ "source" }, 1);
    f->driver = mill_test_driver_new(f->topology, NULL, 0);
    assert_int_equal(pipe_at(f, "v", 10), 0);
    assert_int_equal(pipe_at(f, "v", 7), 0);
    assert_int_equal(pipe_at(f, "v", -1), 0);
    expect(f, "out", "k", 10);
    expect(f, "out", "k", 7);
    expect(f, "out", "k", 10);
}

static void a_topic_that_is_written_and_read_is_looped_back(void **state)
{
    struct fixture *f = *state;
    mill_topology_add_source(f->topology, "source", (const char *[]){ "in" }, 1, NULL);
    mill_topology_add_repartition(f->topology, "again", 0);
    mill_topology_add_sink(f->topology, "sink", "again-repartition", NULL, (const char *[]){ "source" }, 1);
    mill_topology_add_source(f->topology, "source-2", (const char *[]){ "again-repartition" }, 1, NULL);
    mill_topology_add_sink(f->topology, "sink-2", "out", NULL, (const char *[]){ "source-2" }, 1);
    f->driver = mill_test_driver_new(f->topology, (const char *[]){ "application.id", "app", NULL }, 0);
    assert_string_equal(mill_test_driver_error(f->driver), "");
    assert_int_equal(pipe_at(f, "v", 5), 0);
    expect(f, "app-again-repartition", "k", 5);
    expect(f, "out", "k", 5);
}

static void headers_reach_the_output(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    mill_header header = { mill_string("h"), mill_string("1") };
    mill_record record = { .value = mill_string("v"), .headers = &header, .header_count = 1 };
    assert_int_equal(mill_test_driver_pipe(f->driver, "in", &record), 0);
    mill_record out;
    assert_int_equal(mill_test_driver_read(f->driver, "out", &out), 1);
    assert_true(mill_is_null(out.key));
    assert_int_equal(out.header_count, 1);
    assert_true(mill_bytes_equal(out.headers[0].value, mill_string("1")));
}

static void uncommitted_input_is_read_again_after_a_crash(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    assert_int_equal(pipe_at(f, "v", 1), 0);
    mill_test_driver_auto_commit(f->driver, false);
    assert_int_equal(pipe_at(f, "v", 2), 0);
    assert_int_equal(mill_test_driver_restart(f->driver, MILL_RESTART_CRASH), 0);
    expect(f, "out", "k", 1);
    expect(f, "out", "k", 2);
    expect(f, "out", "k", 2);
    expect_nothing(f, "out");
}

static void a_clean_restart_reads_nothing_twice(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    mill_test_driver_auto_commit(f->driver, false);
    assert_int_equal(pipe_at(f, "v", 2), 0);
    assert_int_equal(mill_test_driver_restart(f->driver, MILL_RESTART_CLEAN), 0);
    expect(f, "out", "k", 2);
    expect_nothing(f, "out");
}

static void a_topic_that_nothing_reads_is_refused(void **state)
{
    struct fixture *f = *state;
    make_script(f, NULL);
    assert_int_equal(mill_test_driver_pipe(f->driver, "other", &(mill_record){ 0 }), MILL_ENOTFOUND);
    assert_string_equal(mill_test_driver_error(f->driver), "topic other: no source of the topology reads it");
}

static void an_unknown_property_fails_every_call_with_a_suggestion(void **state)
{
    struct fixture *f = *state;
    mill_topology_add_source(f->topology, "source", (const char *[]){ "in" }, 1, NULL);
    f->driver = mill_test_driver_new(f->topology, (const char *[]){ "comit.interval.ms", "1", NULL }, 0);
    assert_int_equal(pipe_at(f, "v", 1), MILL_EINVALID);
    assert_non_null(strstr(mill_test_driver_error(f->driver), "commit.interval.ms"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- sources by pattern ---------------------------------------------------------------------------------------------------- */

/* Forwards where it was, and what is told "again" once more. */
static int place_process(mill_context *context, void *self, const mill_record *record)
{
    char text[128];
    mill_record_metadata metadata = mill_context_metadata(context);
    snprintf(text, sizeof text, "%s@%lld %s st %lld", metadata.topic, (long long)metadata.offset, bytes_text(record->value),
             (long long)mill_context_stream_time_ms(context));
    mill_record place = { .key = record->key, .value = mill_string(text), .timestamp_ms = record->timestamp_ms };
    int code = mill_forward_to(context, "places", &place);
    if (code == 0 && mill_bytes_equal(record->value, mill_string("again"))) {
        place.value = mill_string("back");
        code = mill_forward_to(context, "loop", &place);
    }
    return code;
}

static const mill_processor_type PLACE = { .name = "place", .process = place_process };

static void pipe_value(struct fixture *f, const char *topic, const char *value, int64_t time)
{
    mill_record record = { .key = mill_string("k"), .value = mill_string(value), .timestamp_ms = time };
    assert_int_equal(mill_test_driver_pipe(f->driver, topic, &record), 0);
}

static void expect_place(struct fixture *f, const char *expected)
{
    mill_record record;
    assert_int_equal(mill_test_driver_read(f->driver, "out", &record), 1);
    assert_string_equal(bytes_text(record.value), expected);
}

/* The same lines come from Kafka Streams' TopologyTestDriver: offsets count over all that match, and a sink feeds it, too. */
static void a_source_by_pattern_reads_every_topic_that_matches(void **state)
{
    struct fixture *f = *state;
    mill_topology_add_source_pattern(f->topology, "source", "t-.*", NULL);
    mill_topology_add_processor(f->topology, "place", (mill_processor_supplier){ .type = &PLACE }, (const char *[]){ "source" },
                                1);
    mill_topology_add_sink(f->topology, "places", "out", NULL, (const char *[]){ "place" }, 1);
    mill_topology_add_sink(f->topology, "loop", "t-back", NULL, (const char *[]){ "place" }, 1);
    f->driver = mill_test_driver_new(f->topology, NULL, 0);
    pipe_value(f, "t-a", "1", 10);
    pipe_value(f, "t-b", "2", 5);
    pipe_value(f, "t-a", "again", 20);
    expect_place(f, "t-a@0 1 st 10");
    expect_place(f, "t-b@1 2 st 10");
    expect_place(f, "t-a@2 again st 20");
    expect_place(f, "t-back@3 back st 20");
    mill_record record = { .value = mill_string("x"), .timestamp_ms = 1 };
    assert_int_equal(mill_test_driver_pipe(f->driver, "u-a", &record), MILL_ENOTFOUND);
    assert_int_equal(mill_test_driver_pipe(f->driver, "xt-a", &record), MILL_ENOTFOUND);
    assert_int_equal(mill_test_driver_restart(f->driver, MILL_RESTART_CLEAN), 0);
    pipe_value(f, "t-c", "3", 30);
    expect_place(f, "t-c@4 3 st 30");
}

/* Names of the broker's own topics and the application's internal ones match nothing, whatever the pattern. */
static void a_source_by_pattern_reads_no_internal_topic(void **state)
{
    struct fixture *f = *state;
    mill_topology_add_source_pattern(f->topology, "source", ".*", NULL);
    mill_topology_add_sink(f->topology, "sink", "out", NULL, (const char *[]){ "source" }, 1);
    f->driver = mill_test_driver_new(f->topology, NULL, 0);
    mill_record record = { .value = mill_string("x"), .timestamp_ms = 1 };
    assert_int_equal(mill_test_driver_pipe(f->driver, "__consumer_offsets", &record), MILL_ENOTFOUND);
    assert_int_equal(mill_test_driver_pipe(f->driver, "test-counts-changelog", &record), MILL_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_goes_to_every_child_in_order),
        TEST(a_record_can_go_to_one_named_child),
        TEST(a_failing_processor_says_where),
        TEST(drops_are_counted_by_reason),
        TEST(stream_time_punctuation_follows_the_grid_and_skips_missed_slots),
        TEST(wall_clock_punctuation_keeps_its_grid),
        TEST(a_cancelled_punctuator_is_silent),
        TEST(a_record_without_a_time_is_dropped_and_counted),
        TEST(partition_time_stands_in_for_a_missing_time),
        TEST(a_topic_that_is_written_and_read_is_looped_back),
        TEST(headers_reach_the_output),
        TEST(uncommitted_input_is_read_again_after_a_crash),
        TEST(a_clean_restart_reads_nothing_twice),
        TEST(a_topic_that_nothing_reads_is_refused),
        TEST(an_unknown_property_fails_every_call_with_a_suggestion),
        TEST(a_source_by_pattern_reads_every_topic_that_matches),
        TEST(a_source_by_pattern_reads_no_internal_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
