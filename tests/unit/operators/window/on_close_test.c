/*
 * Windows that emit on close, late records as a stream, time that goes on by itself: streams-semantics, cases 12, 13 and 15, and
 * what Kafka Streams does not have.
 */
#include "unit/operators/pipeline.h"

static const char *const AS_KAFKA[] = { "mill.compat", "kafka", NULL };
static const char *const EACH_SECOND[] = { "__emit.interval.ms.kstreams.windowed.aggregation__", "1000", NULL };
static const char *const IDLE[] = { "mill.idle.ms", "1000", NULL };

static struct pipeline counting_in(bool in_memory, mill_time_windows windows, int64_t retention_ms, const char *const *properties)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = mill_grouped_windowed_by(mill_stream_group_by_key(pipeline_in(&p)), windows);
    mill_materialized materialized = uncached("counts");
    materialized.retention_ms = retention_ms;
    materialized.in_memory = in_memory;
    mill_table_to(mill_windowed_count(mill_windowed_emit(windowed, MILL_EMIT_ON_WINDOW_CLOSE), materialized), "out");
    pipeline_shows(&p, windows.size_ms, true);
    pipeline_start_with(&p, properties);
    return p;
}

static struct pipeline counting(mill_time_windows windows, int64_t retention_ms, const char *const *properties)
{
    return counting_in(false, windows, retention_ms, properties);
}

/* The records of case 12, and what comes out at 10, 30 and 100. */
static void expect_of_case_12(struct pipeline p, const char *at_10, const char *at_30, const char *at_100)
{
    step(&p, "k", "v", 1, "");
    step(&p, "j", "v", 5, "");
    step(&p, "k", "v", 9, "");
    step(&p, "k", "v", 10, at_10);
    step(&p, "k", "v", 3, "");
    step(&p, "k", "v", 30, at_30);
    step(&p, "k", "v", 100, at_100);
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
}

#define CASE_12 "j[0,10)=1@5 k[0,10)=2@9", "k[10,20)=1@10", "k[30,40)=1@30"

/* Case 12. */
static void a_window_goes_on_once_when_it_has_closed(void **state)
{
    expect_of_case_12(counting(mill_window_tumbling(10, 0), 1000, NULL), CASE_12);
    expect_of_case_12(counting(mill_window_tumbling(10, 0), 1000, AS_KAFKA), CASE_12);
}

/* Case 12, the quirk: with the least retention Kafka Streams loses windows on disk and never emits in memory. */
static void with_the_least_retention_all_windows_go_on_and_as_kafka_few_or_none(void **state)
{
    for (int in_memory = 0; in_memory <= 1; in_memory++)
        expect_of_case_12(counting_in(in_memory != 0, mill_window_tumbling(10, 0), 0, NULL), CASE_12);
    expect_of_case_12(counting_in(false, mill_window_tumbling(10, 0), 0, AS_KAFKA), "j[0,10)=1@5 k[0,10)=2@9", "", "");
    expect_of_case_12(counting_in(true, mill_window_tumbling(10, 0), 0, AS_KAFKA), "", "", "");
}

static void grace_keeps_it_back(void **state)
{
    struct pipeline p = counting(mill_window_hopping(10, 5, 3), 0, NULL);
    step(&p, "k", "v", 7, "");
    step(&p, "k", "v", 12, "");
    step(&p, "k", "v", 2, "");
    step(&p, "k", "v", 13, "k[0,10)=2@7");
    step(&p, "k", "v", 40, "k[5,15)=3@13 k[10,20)=2@13");
    pipeline_end(&p);
}

/* Case 15, what one expects. */
static void a_jump_in_time_loses_no_window(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0), 0, NULL);
    step(&p, "k", "v", 1, "");
    step(&p, "k", "v", 11, "k[0,10)=1@1");
    step(&p, "k", "v", 25, "k[10,20)=1@11");
    step(&p, "k", "v", 60, "k[20,30)=1@25");
    pipeline_end(&p);
}

/* Case 15, the quirk. */
static void as_kafka_a_jump_beyond_the_retention_loses_windows(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0), 0, AS_KAFKA);
    step(&p, "k", "v", 1, "");
    step(&p, "k", "v", 11, "k[0,10)=1@1");
    step(&p, "k", "v", 25, "k[10,20)=1@11");
    step(&p, "k", "v", 60, "");
    pipeline_end(&p);
}

/* In memory it reads as far back as its retention, on disk a millisecond further; its cache still has all. */
static void as_kafka_what_a_jump_loses_depends_on_the_store(void **state)
{
    for (int i = 0; i < 3; i++) {
        struct pipeline p = pipeline_begin();
        mill_windowed *windowed =
            mill_grouped_windowed_by(mill_stream_group_by_key(pipeline_in(&p)), mill_window_hopping(4, 2, 20));
        mill_materialized materialized = i == 2 ? mill_as(NULL) : uncached(NULL);
        materialized.in_memory = i > 0;
        mill_table_to(mill_windowed_count(mill_windowed_emit(windowed, MILL_EMIT_ON_WINDOW_CLOSE), materialized), "out");
        pipeline_shows(&p, 4, true);
        pipeline_start_with(&p, AS_KAFKA);
        step(&p, "k", "v", 5, "");
        step(&p, "j", "v", 28, i == 0 ? "k[4,8)=1@5" : i == 1 ? "" : "k[2,6)=1@5 k[4,8)=1@5");
        pipeline_end(&p);
    }
}

/* Case 13, the windows; its left join is in join/stream_stream_test.c. */
static void windows_are_looked_for_once_an_interval_of_wall_time(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0), 1000, EACH_SECOND);
    step(&p, "k", "v", 1, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 1000));
    step(&p, "k", "v", 10, "k[0,10)=1@1");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 500));
    step(&p, "k", "v", 20, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 500));
    step(&p, "k", "v", 21, "k[10,20)=1@10");
    pipeline_end(&p);
}

static void between_intervals_no_window_expires_unseen(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0), 0, EACH_SECOND);
    step(&p, "k", "v", 1, "");
    step(&p, "k", "v", 10, "");
    step(&p, "k", "v", 25, "k[0,10)=1@1 k[10,20)=1@10");
    pipeline_end(&p);
}

static void after_any_restart_nothing_goes_on_again(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = counting(mill_window_tumbling(10, 0), 1000, NULL);
        step(&p, "k", "v", 1, "");
        step(&p, "k", "v", 12, "k[0,10)=1@1");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "j", "v", 9, "");
        step(&p, "k", "v", 22, "k[10,20)=1@12");
        pipeline_end(&p);
    }
}

static void what_is_not_committed_goes_on_again_after_a_crash(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0), 1000, NULL);
    step(&p, "k", "v", 1, "");
    mill_test_driver_auto_commit(p.driver, false);
    step(&p, "k", "v", 12, "k[0,10)=1@1");
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CRASH));
    expect(&p, "k[0,10)=1@1");
    pipeline_end(&p);
}

static void closing_keeps_headers_of_the_record_that_closed(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0), 1000, NULL);
    step(&p, "k", "v", 1, "");
    mill_header header = { mill_string("by"), mill_string("j") };
    mill_record record = {
        .key = mill_string("j"), .value = mill_string("v"), .timestamp_ms = 10, .headers = &header, .header_count = 1
    };
    pipeline_ok(&p, mill_test_driver_pipe(p.driver, "in", &record));
    assert_int_equal(mill_test_driver_read(p.driver, "out", &record), 1);
    assert_int_equal(record.header_count, 1);
    pipeline_end(&p);
}

/* ---- late records -------------------------------------------------------------------------------------------------------- */

static void what_no_window_takes_comes_out_as_a_stream(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = mill_grouped_windowed_by(mill_stream_group_by_key(pipeline_in(&p)), mill_window_hopping(10, 5, 0));
    mill_table *counts = mill_windowed_count(windowed, uncached("counts"));
    mill_stream_to(mill_windowed_late(counts), "late");
    mill_table_to(counts, "out");
    pipeline_shows(&p, 10, true);
    pipeline_start(&p);
    step(&p, "k", "v", 12, "k[5,15)=1@12 k[10,20)=1@12");
    step(&p, "k", "w", 8, "k[5,15)=2@12"); /* late for one of two windows */
    step(&p, "k", "x", 3, "");
    p.window_ms = 0;
    assert_string_equal(pipeline_read(&p, "late"), "k=x@3");
    expect_dropped(&p, "late", 2);
    pipeline_end(&p);
}

static void only_windowed_tables_have_late_records(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *counts = mill_grouped_count(mill_stream_group_by_key(pipeline_in(&p)), uncached("counts"));
    assert_null(mill_windowed_late(counts));
    assert_non_null(strstr(mill_topology_error(p.topology), "only the table of a windowed aggregation has late records"));
    mill_topology_free(p.topology);
}

/* ---- idle time ----------------------------------------------------------------------------------------------------------- */

static void without_records_windows_stay_open(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0), 0, NULL);
    step(&p, "k", "v", 1, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 1000000));
    expect(&p, "");
    pipeline_end(&p);
}

static void after_an_idle_time_windows_close_by_the_clock(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(2000, 0), 0, IDLE);
    step(&p, "k", "v", 500, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 750));
    step(&p, "k", "v", 700, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 1000)); /* idle, but it is only 1700 */
    expect(&p, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 500));
    expect(&p, "k[0,2000)=2@700");
    step(&p, "k", "v", 1900, "");
    expect_dropped(&p, "late", 1);
    step(&p, "k", "v", 2100, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 4000));
    expect(&p, "k[2000,4000)=1@2100");
    pipeline_end(&p);
}

/* ---- what cannot be ------------------------------------------------------------------------------------------------------ */

static void unlimited_windows_cannot_emit_on_close(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed_emit(mill_grouped_windowed_by(mill_stream_group_by_key(pipeline_in(&p)), mill_window_unlimited(0)),
                       MILL_EMIT_ON_WINDOW_CLOSE);
    assert_non_null(strstr(mill_topology_error(p.topology), "unlimited windows never close"));
    mill_topology_free(p.topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_goes_on_once_when_it_has_closed),
        cmocka_unit_test(with_the_least_retention_all_windows_go_on_and_as_kafka_few_or_none),
        cmocka_unit_test(grace_keeps_it_back),
        cmocka_unit_test(a_jump_in_time_loses_no_window),
        cmocka_unit_test(as_kafka_a_jump_beyond_the_retention_loses_windows),
        cmocka_unit_test(as_kafka_what_a_jump_loses_depends_on_the_store),
        cmocka_unit_test(windows_are_looked_for_once_an_interval_of_wall_time),
        cmocka_unit_test(between_intervals_no_window_expires_unseen),
        cmocka_unit_test(after_any_restart_nothing_goes_on_again),
        cmocka_unit_test(what_is_not_committed_goes_on_again_after_a_crash),
        cmocka_unit_test(closing_keeps_headers_of_the_record_that_closed),
        cmocka_unit_test(what_no_window_takes_comes_out_as_a_stream),
        cmocka_unit_test(only_windowed_tables_have_late_records),
        cmocka_unit_test(without_records_windows_stay_open),
        cmocka_unit_test(after_an_idle_time_windows_close_by_the_clock),
        cmocka_unit_test(unlimited_windows_cannot_emit_on_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
