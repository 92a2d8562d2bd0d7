/*
 * Suppression: streams-semantics, cases 16 to 20, what survives a restart, and what cannot be built. More against Kafka
 * Streams in window/facts_test.c.
 */
#include "unit/operators/pipeline.h"

static mill_grouped *grouped(struct pipeline *p)
{
    return mill_stream_group_by_key(pipeline_in(p));
}

static int newest(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_bytes_equal(value, mill_string("del")) ? mill_null() : value;
    return 0;
}

static int nothing(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return 0;
}

/* The newest value of each key, held back so, into "out". */
static struct pipeline holding_back(mill_suppressed suppressed)
{
    struct pipeline p = pipeline_begin();
    mill_table *rows = mill_grouped_aggregate(grouped(&p), nothing, newest, NULL, uncached("rows"));
    mill_table_to(mill_table_suppress(rows, suppressed), "out");
    pipeline_start(&p);
    return p;
}

/* Final counts in those windows into "out". */
static struct pipeline final_counts(mill_time_windows windows, mill_suppress_buffer buffer, const char *const *properties)
{
    struct pipeline p = pipeline_begin();
    mill_table *counts = mill_windowed_count(mill_grouped_windowed_by(grouped(&p), windows), mill_as("counts"));
    mill_suppressed suppressed = mill_suppress_until_window_closes(buffer);
    suppressed.name = "final";
    mill_table_to(mill_table_suppress(counts, suppressed), "out");
    pipeline_shows(&p, windows.size_ms, true);
    pipeline_start_with(&p, properties);
    return p;
}

/* Case 16. */
static void final_results_go_on_when_their_windows_close(void **state)
{
    struct pipeline p = final_counts(mill_window_tumbling(10, 5), mill_suppress_unbounded(), NULL);
    step(&p, "k", "v", 1, "");
    step(&p, "k", "v", 12, "");
    step(&p, "k", "v", 9, "");
    step(&p, "j", "v", 14, "");
    step(&p, "j", "v", 15, "k[0,10)=2@9");
    step(&p, "j", "v", 25, "j[10,20)=2@15 k[10,20)=1@12");
    pipeline_end(&p);
}

static bool is_at_most_one(const mill_record *record, void *ctx)
{
    int64_t number = 0;
    return mill_int64_read(record->value, &number) && number <= 1;
}

/* The record at 50 changes a row that the filter takes out, as a deletion; what a stream's filter removes never comes here. */
static bool is_not_dropped(const mill_record *record, void *ctx)
{
    return !mill_bytes_equal(record->value, mill_string("drop"));
}

/* Case 17. */
static void what_is_removed_above_releases_nothing(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_grouped *kept = mill_stream_group_by_key(mill_stream_filter(pipeline_in(&p), is_not_dropped, NULL));
    mill_windowed *windowed = mill_grouped_windowed_by(kept, mill_window_tumbling(10, 0));
    mill_table *few =
        mill_table_filter(mill_windowed_count(windowed, mill_as("counts")), is_at_most_one, NULL, (mill_materialized){ 0 });
    mill_table_to(mill_table_suppress(few, mill_suppress_until_window_closes(mill_suppress_unbounded())), "out");
    pipeline_shows(&p, 10, true);
    pipeline_start(&p);
    step(&p, "k", "v", 1, "");
    step(&p, "k", "drop", 50, "");
    step(&p, "j", "v", 10, "k[0,10)=1@1");
    pipeline_end(&p);
}

static int under_all(const mill_record *record, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_string("all");
    return 0;
}

static int empty(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

static int plus(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    int code = concatenate(aggregate, mill_string("+"), context, NULL);
    return code < 0 ? code : concatenate(aggregate, value, context, NULL);
}

static int minus(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    int code = concatenate(aggregate, mill_string("-"), context, NULL);
    return code < 0 ? code : concatenate(aggregate, value, context, NULL);
}

static void a_group_below_takes_away_what_went_on_before_or_as_kafka_what_never_did(void **state)
{
    static const char *const AS_KAFKA[] = { "mill.compat", "kafka", NULL };
    for (int as_kafka = 0; as_kafka <= 1; as_kafka++) {
        struct pipeline p = pipeline_begin();
        mill_table *rows = mill_grouped_aggregate(grouped(&p), nothing, newest, NULL, uncached("rows"));
        mill_table *held = mill_table_suppress(rows, mill_suppress_until_time_limit(10, mill_suppress_unbounded()));
        mill_grouped_table *all = mill_table_group_by(held, under_all, NULL);
        mill_table_to(mill_grouped_table_aggregate(all, empty, plus, minus, NULL, uncached("all")), "out");
        pipeline_start_with(&p, as_kafka ? AS_KAFKA : NULL);
        step(&p, "k", "a", 0, "");
        step(&p, "k", "b", 5, "");
        step(&p, "j", "x", 10, "all=+b@5");
        step(&p, "k", "c", 11, "");
        step(&p, "k", "d", 12, "");
        step(&p, "i", "y", 30, as_kafka ? "all=+b+x@10 all=+b+x-c+d@12" : "all=+b+x@10 all=+b+x-b+d@12");
        pipeline_end(&p);
    }
}

/* Case 18. */
static void a_time_limit_counts_from_the_first_update(void **state)
{
    struct pipeline p = holding_back(mill_suppress_until_time_limit(10, mill_suppress_unbounded()));
    step(&p, "k", "a", 0, "");
    step(&p, "k", "b", 5, "");
    step(&p, "k", "c", 9, "");
    step(&p, "j", "x", 10, "k=c@9");
    step(&p, "k", "d", 11, "");
    step(&p, "j", "y", 21, "j=y@21 k=d@11");
    step(&p, "k", "del", 22, "");
    step(&p, "j", "z", 40, "k=~@22");
    pipeline_end(&p);
}

/* Case 19. */
static void a_full_buffer_lets_go_what_has_waited_longest(void **state)
{
    struct pipeline p = holding_back(mill_suppress_until_time_limit(1000, mill_suppress_max_records(1)));
    step(&p, "k", "a", 0, "");
    step(&p, "j", "b", 1, "k=a@0");
    step(&p, "j", "c", 2, "");
    step(&p, "l", "d", 3, "j=c@2");
    pipeline_end(&p);
}

/* Case 20. */
static void or_the_task_fails_if_it_shall(void **state)
{
    struct pipeline p =
        holding_back(mill_suppress_until_time_limit(1000, mill_suppress_shut_down_when_full(mill_suppress_max_records(1))));
    step(&p, "k", "a", 0, "");
    assert_int_equal(pipeline_try(&p, "in", "j", "b", 1), MILL_ENOMEM);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "its buffer is full: 2 records, at most 1"));
    pipeline_end(&p);
}

static void a_full_buffer_is_no_records_fault_that_could_be_skipped(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *rows = mill_topology_table(p.topology, "in", NULL, uncached("rows"));
    mill_suppress_buffer one = mill_suppress_shut_down_when_full(mill_suppress_max_records(1));
    mill_table_to(mill_table_suppress(rows, mill_suppress_until_time_limit(1000, one)), "out");
    pipeline_start_with(&p, (const char *[]){ "processing.exception.handler", "continue", NULL });
    step(&p, "k", "a", 0, "");
    assert_int_equal(pipeline_try(&p, "in", "j", "b", 1), MILL_ENOMEM);
    pipeline_end(&p);
}

static void after_any_restart_the_buffer_is_as_it_was(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = final_counts(mill_window_tumbling(10, 0), mill_suppress_unbounded(), NULL);
        step(&p, "k", "v", 1, "");
        step(&p, "j", "v", 2, "");
        step(&p, "k", "v", 12, "j[0,10)=1@2 k[0,10)=1@1");
        step(&p, "a", "v", 13, "");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "k", "v", 14, "");
        step(&p, "k", "v", 20, "a[10,20)=1@13 k[10,20)=2@14");
        pipeline_end(&p);
    }
}

static void after_any_restart_no_window_has_a_second_final_result(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = final_counts(mill_window_tumbling(60, 20), mill_suppress_unbounded(), NULL);
        step(&p, "k", "v", 10, "");
        step(&p, "k", "v", 85, "k[0,60)=1@10");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "k", "v", 30, "");
        step(&p, "k", "v", 139, "");
        step(&p, "k", "v", 140, "k[60,120)=1@85");
        pipeline_end(&p);
    }
}

static void what_was_not_committed_is_held_back_again(void **state)
{
    struct pipeline p = final_counts(mill_window_tumbling(10, 0), mill_suppress_unbounded(), NULL);
    step(&p, "k", "v", 1, "");
    mill_test_driver_auto_commit(p.driver, false);
    step(&p, "k", "v", 2, "");
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CRASH));
    mill_test_driver_auto_commit(p.driver, true);
    step(&p, "k", "v", 10, "k[0,10)=2@2");
    pipeline_end(&p);
}

static void the_changelog_is_marked_with_its_form(void **state)
{
    struct pipeline p = final_counts(mill_window_tumbling(10, 0), mill_suppress_unbounded(), NULL);
    step(&p, "k", "v", 1, "");
    step(&p, "k", "v", 12, "k[0,10)=1@1");
    mill_record record;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mill_test_driver_read(p.driver, "test-final-store-changelog", &record), 1);
        bool deleted = mill_is_null(record.value);
        assert_int_equal(deleted, i == 2); /* [0,10) in, [10,20) in, [0,10) out */
        assert_int_equal(record.header_count, deleted ? 0 : 1);
        if (!deleted) {
            assert_true(mill_bytes_equal(record.headers[0].key, mill_string("v")));
            assert_memory_equal(record.headers[0].value.data, "\x03", 1);
        }
    }
    assert_int_equal(mill_test_driver_read(p.driver, "test-final-store-changelog", &record), 0);
    pipeline_end(&p);
}

static void headers_of_the_latest_update_go_on_with_it(void **state)
{
    struct pipeline p = holding_back(mill_suppress_until_time_limit(10, mill_suppress_unbounded()));
    mill_header headers[] = { { mill_string("from"), mill_string("there") }, { mill_string("none"), mill_null() } };
    mill_record in = {
        .key = mill_string("k"), .value = mill_string("a"), .timestamp_ms = 1, .headers = headers, .header_count = 2
    };
    pipeline_ok(&p, mill_test_driver_pipe(p.driver, "in", &in));
    pipeline_pipe(&p, "in", "j", "x", 20);
    mill_record out;
    assert_int_equal(mill_test_driver_read(p.driver, "out", &out), 1);
    assert_true(mill_bytes_equal(out.key, mill_string("k")));
    if (out.header_count > 0) /* the store's listener above has none, as in Kafka Streams with a cache */
        assert_true(mill_bytes_equal(out.headers[0].value, mill_string("there")));
    pipeline_end(&p);
}

static void after_an_idle_time_final_results_go_on_by_the_clock(void **state)
{
    static const char *const IDLE[] = { "mill.idle.ms", "1000", NULL };
    struct pipeline p = final_counts(mill_window_tumbling(2000, 0), mill_suppress_unbounded(), IDLE);
    step(&p, "k", "v", 500, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 1400));
    expect(&p, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 250));
    expect(&p, "k[0,2000)=1@500");
    step(&p, "k", "v", 1999, ""); /* the aggregation above knows that it is late */
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
}

static int both(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = left;
    return 0;
}

static int to_all(const mill_record *record, mill_bytes *foreign_key, mill_context *context, void *ctx)
{
    *foreign_key = mill_string("all");
    return 0;
}

/* Those on the right, of 40 ms, are under other keys: only how long they stay open is waited for. */
static void behind_a_foreign_key_join_the_windows_of_the_left_close(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *short_ones = mill_grouped_windowed_by(grouped(&p), mill_window_tumbling(10, 0));
    mill_windowed *long_ones = mill_grouped_windowed_by(grouped(&p), mill_window_tumbling(40, 5));
    mill_table *counts = mill_windowed_count(short_ones, mill_as("counts"));
    mill_grouped_table *all = mill_table_group_by(mill_windowed_count(long_ones, mill_as("long")), under_all, NULL);
    mill_table *joined = mill_table_foreign_key_join(counts, mill_grouped_table_count(all, mill_as("all")), to_all, both, NULL,
                                                     mill_joined_as(NULL), (mill_materialized){ 0 });
    mill_table_to(mill_table_suppress(joined, mill_suppress_until_window_closes(mill_suppress_unbounded())), "out");
    pipeline_shows(&p, 10, true);
    pipeline_start(&p);
    step(&p, "k", "v", 1, "");
    step(&p, "k", "v", 14, "");
    step(&p, "k", "v", 15, "k[0,10)=1@1");
    pipeline_end(&p);
}

static void what_cannot_be_says_why(void **state)
{
    static const struct {
        mill_suppressed suppressed;
        bool windowed;
        const char *why;
    } FALSE_ONES[] = {
        { { .until_window_closes = true }, false, "there are no windows above it" },
        { { .until_window_closes = true, .buffer = { .records_max = 1 } }, true, "final results cannot be emitted early" },
        { { .time_limit_ms = -1 }, true, "a time limit is not negative" },
    };
    for (size_t i = 0; i < sizeof FALSE_ONES / sizeof FALSE_ONES[0]; i++) {
        struct pipeline p = pipeline_begin();
        mill_windowed *windowed = mill_grouped_windowed_by(grouped(&p), mill_window_tumbling(10, 0));
        mill_table *table = FALSE_ONES[i].windowed ? mill_windowed_count(windowed, mill_as(NULL))
                                                   : mill_grouped_count(grouped(&p), mill_as(NULL));
        assert_null(mill_table_suppress(table, FALSE_ONES[i].suppressed));
        assert_non_null(strstr(mill_topology_error(p.topology), FALSE_ONES[i].why));
        mill_topology_free(p.topology);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(final_results_go_on_when_their_windows_close),
        cmocka_unit_test(what_is_removed_above_releases_nothing),
        cmocka_unit_test(a_group_below_takes_away_what_went_on_before_or_as_kafka_what_never_did),
        cmocka_unit_test(a_time_limit_counts_from_the_first_update),
        cmocka_unit_test(a_full_buffer_lets_go_what_has_waited_longest),
        cmocka_unit_test(or_the_task_fails_if_it_shall),
        cmocka_unit_test(a_full_buffer_is_no_records_fault_that_could_be_skipped),
        cmocka_unit_test(after_any_restart_the_buffer_is_as_it_was),
        cmocka_unit_test(after_any_restart_no_window_has_a_second_final_result),
        cmocka_unit_test(what_was_not_committed_is_held_back_again),
        cmocka_unit_test(the_changelog_is_marked_with_its_form),
        cmocka_unit_test(headers_of_the_latest_update_go_on_with_it),
        cmocka_unit_test(after_an_idle_time_final_results_go_on_by_the_clock),
        cmocka_unit_test(behind_a_foreign_key_join_the_windows_of_the_left_close),
        cmocka_unit_test(what_cannot_be_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
