/* Distinct counts beyond Kafka Streams: about, by sketches, and exactly where windows slide, are sessions or emit on close. */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

static mill_grouped *grouped(struct pipeline *p)
{
    return mill_stream_group_by_key(pipeline_in(p));
}

static void begin_counting(struct pipeline *p, mill_table *table, int64_t window_ms)
{
    mill_table_to(table, "out");
    pipeline_shows(p, window_ms, true);
    pipeline_start(p);
}

static void approximate_counts_go_on_with_every_record(void **state)
{
    struct pipeline p = pipeline_begin();
    begin_counting(&p, mill_grouped_count_distinct_approximate(grouped(&p), uncached("users")), 0);
    step(&p, "k", "ann", 7, "k=1@7");
    step(&p, "k", "ann", 3, "k=1@7");
    step(&p, "k", "bob", 9, "k=2@9");
    step(&p, "j", "bob", 9, "j=1@9");
    step(&p, "k", NULL, 9, "");
    step(&p, NULL, "ann", 9, "");
    expect_dropped(&p, "null-member", 1);
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static int first_letter(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_bytes_of(record->value.data, record->value.len > 0 ? 1 : 0);
    return 0;
}

static void members_can_be_made_of_records(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *table = mill_grouped_count_distinct_approximate_by(grouped(&p), first_letter, NULL, uncached("users"));
    begin_counting(&p, table, 0);
    step(&p, "k", "ann", 1, "k=1@1");
    step(&p, "k", "amy", 2, "k=1@2");
    step(&p, "k", "bob", 3, "k=2@3");
    pipeline_end(&p);
}

static void counts_of_members_have_no_history(void **state)
{
    for (int about = 0; about < 2; about++) {
        struct pipeline p = pipeline_begin();
        mill_materialized history = mill_as_versioned("users", 10);
        assert_null(about ? mill_grouped_count_distinct_approximate(grouped(&p), history)
                          : mill_grouped_count_distinct(grouped(&p), history));
        assert_non_null(strstr(mill_topology_error(p.topology), "only tables, counts, reduced values and aggregates"));
        mill_topology_free(p.topology);
    }
}

static int64_t last_count(struct pipeline *p)
{
    int64_t count = -1;
    mill_record record;
    while (mill_test_driver_read(p->driver, "out", &record) == 1)
        assert_true(mill_int64_read(record.value, &count));
    return count;
}

static void many_members_are_counted_within_the_error_also_after_a_restart(void **state)
{
    enum { MEMBERS = 20000 };
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = pipeline_begin();
        begin_counting(&p, mill_grouped_count_distinct_approximate(grouped(&p), mill_as("users")), 0);
        mill_test_driver_auto_commit(p.driver, false);
        for (int i = 0; i < MEMBERS; i++) {
            char member[24];
            snprintf(member, sizeof member, "user-%d", i);
            pipeline_pipe(&p, "in", "k", member, i);
        }
        pipeline_ok(&p, mill_test_driver_commit(p.driver));
        int64_t before = last_count(&p);
        assert_true(llabs(before - MEMBERS) < MEMBERS / 20);
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        mill_test_driver_auto_commit(p.driver, true);
        pipeline_pipe(&p, "in", "k", "user-5", MEMBERS);
        assert_int_equal(last_count(&p), before);
        mill_bytes sketch;
        assert_int_equal(mill_key_value_get(mill_test_driver_store(p.driver, "users"), mill_string("k"), &sketch, NULL), 1);
        assert_int_equal(mill_approximate_count(sketch), before);
        pipeline_end(&p);
    }
}

static void approximate_counts_in_windows_and_on_close(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(&p), mill_window_tumbling(10, 0));
    mill_windowed_emit(windowed, MILL_EMIT_ON_WINDOW_CLOSE);
    begin_counting(&p, mill_windowed_count_distinct_approximate(windowed, uncached("users")), 10);
    step(&p, "k", "ann", 1, "");
    step(&p, "k", "bob", 2, "");
    step(&p, "k", "ann", 3, "");
    step(&p, "k", "cid", 12, "k[0,10)=2@3");
    pipeline_end(&p);
}

static void exact_counts_on_close(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(&p), mill_window_tumbling(10, 0));
    mill_windowed_emit(windowed, MILL_EMIT_ON_WINDOW_CLOSE);
    begin_counting(&p, mill_windowed_count_distinct(windowed, uncached("users")), 10);
    step(&p, "k", "ann", 1, "");
    step(&p, "k", "", 2, "");
    step(&p, "k", "ann", 3, "");
    step(&p, "k", "cid", 12, "k[0,10)=2@3");
    pipeline_end(&p);
}

static void exact_counts_in_sliding_windows(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(&p), mill_window_sliding(10, 50));
    begin_counting(&p, mill_windowed_count_distinct(windowed, uncached("users")), 10);
    step(&p, "k", "ann", 20, "k[10,20)=1@20");
    step(&p, "k", "ann", 25, "k[21,31)=1@25 k[15,25)=1@25");
    step(&p, "k", "bob", 28, "k[21,31)=2@28 k[26,36)=1@28 k[18,28)=2@28");
    step(&p, "k", NULL, 28, "");
    expect_dropped(&p, "null-member", 1);
    pipeline_end(&p);
}

static void counts_in_sessions_are_united_when_sessions_are(void **state)
{
    for (int approximate = 0; approximate <= 1; approximate++) {
        struct pipeline p = pipeline_begin();
        mill_session_windowed *windowed = mill_grouped_windowed_by_session(grouped(&p), mill_window_session(5, 20));
        p.sessions = true;
        begin_counting(&p,
                       approximate ? mill_session_windowed_count_distinct_approximate(windowed, uncached("users"))
                                   : mill_session_windowed_count_distinct(windowed, uncached("users")),
                       0);
        step(&p, "k", "ann", 0, "k[0,0]=1@0");
        step(&p, "k", "bob", 10, "k[10,10]=1@10");
        step(&p, "k", "ann", 8, "k[10,10]=~@10 k[8,10]=2@10");
        step(&p, "k", "cid", 4, "k[0,0]=~@0 k[8,10]=~@10 k[0,10]=3@10");
        pipeline_end(&p);
    }
}

static bool is_even(const mill_record *record, void *ctx)
{
    int64_t number = 1;
    assert_true(mill_int64_read(record->value, &number));
    return number % 2 == 0;
}

static void tables_below_see_counts_and_old_counts(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *table = mill_grouped_count_distinct_approximate(grouped(&p), uncached("users"));
    begin_counting(&p, mill_table_filter(table, is_even, NULL, uncached("even")), 0);
    step(&p, "k", "ann", 1, "");
    step(&p, "k", "bob", 2, "k=2@2");
    step(&p, "k", "cid", 3, "k=~@3");
    pipeline_end(&p);
}

static void a_name_is_needed(void **state)
{
    struct pipeline p = pipeline_begin();
    assert_null(mill_grouped_count_distinct_approximate(grouped(&p), mill_as(NULL)));
    assert_non_null(strstr(mill_topology_error(p.topology), "it needs a name of yours"));
    mill_topology_free(p.topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(approximate_counts_go_on_with_every_record),
        cmocka_unit_test(members_can_be_made_of_records),
        cmocka_unit_test(counts_of_members_have_no_history),
        cmocka_unit_test(many_members_are_counted_within_the_error_also_after_a_restart),
        cmocka_unit_test(approximate_counts_in_windows_and_on_close),
        cmocka_unit_test(exact_counts_on_close),
        cmocka_unit_test(exact_counts_in_sliding_windows),
        cmocka_unit_test(counts_in_sessions_are_united_when_sessions_are),
        cmocka_unit_test(tables_below_see_counts_and_old_counts),
        cmocka_unit_test(a_name_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
