/* What becomes of records that cannot be read, processed or written: handlers, properties, the dead letter topic. */
#include "support/cmocka_all.h"

#include <stdio.h>

#include "millstream/errors.h"
#include "millstream/test_driver.h"

/* ---- a topology:  in -> check -> first -> out, and beside first: second -> other ------------------------------------------- */

static int touchy_process(mill_context *context, void *self, const mill_record *record)
{
    if (mill_bytes_equal(record->value, mill_string("bad")))
        return mill_context_error(context, MILL_EUSER, "the value is bad");
    if (mill_bytes_equal(record->value, mill_string("no memory")))
        return MILL_ENOMEM;
    if (mill_bytes_equal(record->value, mill_string("half"))) {
        int code = mill_forward(context, record);
        return code < 0 ? code : mill_context_error(context, MILL_EUSER, "the second half failed");
    }
    return mill_forward(context, record);
}

static int careless_process(mill_context *context, void *self, const mill_record *record)
{
    int ignored = mill_forward(context, record);
    (void)ignored;
    return 0;
}

static int punctuate(mill_context *context, void *self, int64_t timestamp_ms)
{
    return mill_context_error(context, MILL_EUSER, "no time is right");
}

static int punctual_init(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, 10, MILL_PUNCTUATE_WALL_CLOCK, punctuate) ? 0 : MILL_ENOMEM;
}

static const mill_processor_type TOUCHY = { .name = "touchy", .process = touchy_process };
static const mill_processor_type CARELESS = { .name = "careless", .process = careless_process };
static const mill_processor_type PUNCTUAL = { .name = "punctual", .init = punctual_init, .process = careless_process };

static int check_not_garbled(void *ctx, const mill_record *record)
{
    return mill_bytes_equal(record->value, mill_string("garbled")) ? MILL_EUSER : 0;
}

struct fixture {
    mill_topology *topology;
    mill_test_driver *driver;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .topology = mill_topology_new() };
    mill_source_options source = { .check = check_not_garbled };
    mill_topology_add_source(f.topology, "source", (const char *[]){ "in" }, 1, &source);
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

static void add(struct fixture *f, const char *name, const mill_processor_type *type, const char *parent, const char *topic)
{
    char sink[64];
    snprintf(sink, sizeof sink, "%s-sink", name);
    mill_topology_add_processor(f->topology, name, (mill_processor_supplier){ type }, &parent, 1);
    if (topic)
        mill_topology_add_sink(f->topology, sink, topic, NULL, &name, 1);
}

static void start(struct fixture *f, const char *const *properties)
{
    f->driver = mill_test_driver_new(f->topology, properties, 0);
    assert_string_equal(mill_test_driver_error(f->driver), "");
}

static int pipe_in(struct fixture *f, const char *value, int64_t time_ms)
{
    mill_record record = { .key = mill_string("k"), .value = mill_string(value), .timestamp_ms = time_ms };
    return mill_test_driver_pipe(f->driver, "in", &record);
}

/* All values of a topic, separated by blanks. */
static const char *values_of(struct fixture *f, const char *topic)
{
    static char text[256];
    size_t len = 0;
    mill_record record;
    text[0] = '\0';
    while (mill_test_driver_read(f->driver, topic, &record) == 1)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", len ? " " : "", (int)record.value.len,
                                (const char *)record.value.data);
    return text;
}

/* ---- properties ------------------------------------------------------------------------------------------------------------ */

static void without_more_a_failing_operator_ends_the_task_and_says_where(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    start(f, NULL);
    assert_int_equal(pipe_in(f, "good", 1), 0);
    assert_int_equal(pipe_in(f, "bad", 2), MILL_EUSER);
    assert_string_equal(mill_test_driver_error(f->driver),
                        "task 0_0: operator touchy: record at topic in, partition 0, offset 1: the value is bad");
    assert_string_equal(values_of(f, "out"), "good");
}

static void going_on_skips_the_record_where_it_failed_and_nowhere_else(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    add(f, "careless", &CARELESS, "source", "beside");
    start(f, (const char *[]){ "processing.exception.handler", "LogAndContinueProcessingExceptionHandler", NULL });
    assert_int_equal(pipe_in(f, "good", 1), 0);
    assert_int_equal(pipe_in(f, "bad", 2), 0);
    assert_int_equal(pipe_in(f, "again", 3), 0);
    assert_string_equal(values_of(f, "out"), "good again");
    assert_string_equal(values_of(f, "beside"), "good bad again");
    assert_int_equal(mill_test_driver_dropped(f->driver, "processing-error"), 1);
}

static void what_was_forwarded_before_a_failure_stays_done(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    start(f, (const char *[]){ "processing.exception.handler", "continue", NULL });
    assert_int_equal(pipe_in(f, "half", 1), 0);
    assert_string_equal(values_of(f, "out"), "half");
    assert_int_equal(mill_test_driver_dropped(f->driver, NULL), 1);
}

static void an_operator_above_cannot_swallow_a_failure(void **state)
{
    struct fixture *f = *state;
    add(f, "careless", &CARELESS, "source", NULL);
    add(f, "touchy", &TOUCHY, "careless", "out");
    start(f, NULL);
    assert_int_equal(pipe_in(f, "bad", 1), MILL_EUSER);
    assert_non_null(strstr(mill_test_driver_error(f->driver), "operator touchy"));
}

static void troubles_of_the_machine_are_no_records_fault(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    start(f, (const char *[]){ "processing.exception.handler", "continue", NULL });
    assert_int_equal(pipe_in(f, "no memory", 1), MILL_ENOMEM);
}

static void a_source_passes_over_what_its_check_refuses(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    start(f, (const char *[]){ "deserialization.exception.handler",
                               "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler", NULL });
    assert_int_equal(pipe_in(f, "good", 1), 0);
    assert_int_equal(pipe_in(f, "garbled", 500), 0);
    assert_int_equal(pipe_in(f, "again", 3), 0);
    assert_string_equal(values_of(f, "out"), "good again");
    assert_int_equal(mill_test_driver_dropped(f->driver, "deserialization-error"), 1);
    /* It is committed all the same: a restart does not meet it again. */
    assert_int_equal(mill_test_driver_restart(f->driver, MILL_RESTART_CRASH), 0);
    assert_int_equal(mill_test_driver_dropped(f->driver, "deserialization-error"), 1);
}

static void a_source_fails_at_what_its_check_refuses(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    start(f, NULL);
    assert_int_equal(pipe_in(f, "garbled", 1), MILL_EUSER);
    assert_non_null(strstr(mill_test_driver_error(f->driver), "operator source: record at topic in, partition 0, offset 0"));
}

/* ---- handlers of one's own ------------------------------------------------------------------------------------------------- */

struct told {
    mill_failure_answer answer;
    int calls;
    char text[512];
    char node[32];
    int64_t offset;
    char value[32];
};

static mill_failure_answer note(void *ctx, const mill_failure *failure)
{
    struct told *told = ctx;
    told->calls++;
    told->offset = failure->offset;
    snprintf(told->text, sizeof told->text, "%s", failure->text);
    snprintf(told->node, sizeof told->node, "%s", failure->node);
    snprintf(told->value, sizeof told->value, "%.*s", (int)failure->source_value.len, (const char *)failure->source_value.data);
    return told->calls < 3 ? told->answer : MILL_ANSWER_CONTINUE;
}

static void a_handler_is_asked_in_place_of_the_property(void **state)
{
    struct fixture *f = *state;
    struct told told = { .answer = MILL_ANSWER_CONTINUE };
    add(f, "careless", &CARELESS, "source", NULL);
    add(f, "touchy", &TOUCHY, "careless", "out");
    mill_topology_on_failure(f->topology, MILL_FAILURE_PROCESSING, note, &told);
    start(f, (const char *[]){ "processing.exception.handler", "fail", "errors.dead.letter.queue.topic.name", "letters", NULL });
    assert_int_equal(pipe_in(f, "good", 1), 0);
    assert_int_equal(pipe_in(f, "bad", 2), 0);
    assert_int_equal(told.calls, 1);
    assert_string_equal(told.node, "touchy");
    assert_int_equal(told.offset, 1);
    assert_string_equal(told.value, "bad");
    assert_string_equal(told.text, "task 0_0: operator touchy: record at topic in, partition 0, offset 1: the value is bad");
    assert_string_equal(values_of(f, "letters"), ""); /* Kafka Streams leaves that to the handler, too */
}

static void a_punctuator_that_fails_is_asked_about_without_a_record(void **state)
{
    struct fixture *f = *state;
    struct told told = { .answer = MILL_ANSWER_CONTINUE };
    add(f, "punctual", &PUNCTUAL, "source", "out");
    mill_topology_on_failure(f->topology, MILL_FAILURE_PROCESSING, note, &told);
    start(f, NULL);
    assert_int_equal(mill_test_driver_advance(f->driver, 10), 0);
    assert_int_equal(told.calls, 1);
    assert_int_equal(told.offset, -1);
    assert_string_equal(told.text, "task 0_0: operator punctual: no time is right");
    assert_int_equal(mill_test_driver_dropped(f->driver, "processing-error"), 1);
}

static int32_t nowhere(void *ctx, const char *topic, const mill_record *record, int32_t partition_count)
{
    return 7;
}

static void what_cannot_be_written_is_asked_about_as_production(void **state)
{
    struct fixture *f = *state;
    struct told told = { .answer = MILL_ANSWER_RETRY };
    mill_sink_options options = { .partitioner = nowhere };
    const char *parent = "source";
    mill_topology_add_sink(f->topology, "sink", "out", &options, &parent, 1);
    mill_topology_on_failure(f->topology, MILL_FAILURE_PRODUCTION, note, &told);
    start(f, NULL);
    assert_int_equal(pipe_in(f, "x", 1), 0);
    assert_int_equal(told.calls, 3); /* twice again, then it goes on */
    assert_string_equal(told.node, "sink");
    assert_int_equal(mill_test_driver_dropped(f->driver, "production-error"), 1);
}

/* ---- dead letters ---------------------------------------------------------------------------------------------------------- */

static const char *header(const mill_record *record, const char *key)
{
    static char text[256];
    for (size_t i = 0; i < record->header_count; i++)
        if (mill_bytes_equal(record->headers[i].key, mill_string(key))) {
            snprintf(text, sizeof text, "%.*s", (int)record->headers[i].value.len, (const char *)record->headers[i].value.data);
            return text;
        }
    return NULL;
}

static void a_skipped_record_goes_to_the_dead_letter_topic(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    start(f, (const char *[]){ "processing.exception.handler", "continue", "deserialization.exception.handler", "continue",
                               "errors.dead.letter.queue.topic.name", "letters", NULL });
    assert_int_equal(pipe_in(f, "good", 1), 0);
    assert_int_equal(pipe_in(f, "bad", 2), 0);
    assert_int_equal(pipe_in(f, "garbled", 3), 0);
    mill_record letter;
    assert_int_equal(mill_test_driver_read(f->driver, "letters", &letter), 1);
    assert_true(mill_bytes_equal(letter.key, mill_string("k")));
    assert_true(mill_bytes_equal(letter.value, mill_string("bad")));
    assert_int_equal(letter.timestamp_ms, 2);
    assert_string_equal(header(&letter, "__streams.errors.topic"), "in");
    assert_string_equal(header(&letter, "__streams.errors.partition"), "0");
    assert_string_equal(header(&letter, "__streams.errors.offset"), "1");
    assert_string_equal(header(&letter, "__streams.errors.exception"), "a user's callback failed");
    assert_string_equal(header(&letter, "__streams.errors.message"),
                        "task 0_0: operator touchy: record at topic in, partition 0, offset 1: the value is bad");
    assert_string_equal(header(&letter, "__streams.errors.stacktrace"), "at operator touchy of task 0_0");
    assert_int_equal(mill_test_driver_read(f->driver, "letters", &letter), 1);
    assert_true(mill_bytes_equal(letter.value, mill_string("garbled")));
    assert_int_equal(mill_test_driver_read(f->driver, "letters", &letter), 0);
}

static void a_record_that_ends_the_task_is_a_dead_letter_too(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    start(f, (const char *[]){ "errors.dead.letter.queue.topic.name", "letters", NULL });
    assert_int_equal(pipe_in(f, "bad", 2), MILL_EUSER);
    assert_string_equal(values_of(f, "letters"), "bad");
}

static void a_handler_that_does_not_exist_is_refused(void **state)
{
    struct fixture *f = *state;
    add(f, "touchy", &TOUCHY, "source", "out");
    f->driver =
        mill_test_driver_new(f->topology, (const char *[]){ "processing.exception.handler", "com.example.Mine", NULL }, 0);
    assert_non_null(strstr(mill_test_driver_error(f->driver), "processing.exception.handler"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_more_a_failing_operator_ends_the_task_and_says_where),
        TEST(going_on_skips_the_record_where_it_failed_and_nowhere_else),
        TEST(what_was_forwarded_before_a_failure_stays_done),
        TEST(an_operator_above_cannot_swallow_a_failure),
        TEST(troubles_of_the_machine_are_no_records_fault),
        TEST(a_source_passes_over_what_its_check_refuses),
        TEST(a_source_fails_at_what_its_check_refuses),
        TEST(a_handler_is_asked_in_place_of_the_property),
        TEST(a_punctuator_that_fails_is_asked_about_without_a_record),
        TEST(what_cannot_be_written_is_asked_about_as_production),
        TEST(a_skipped_record_goes_to_the_dead_letter_topic),
        TEST(a_record_that_ends_the_task_is_a_dead_letter_too),
        TEST(a_handler_that_does_not_exist_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
