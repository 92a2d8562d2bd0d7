/* Cogroups: one aggregate of several streams. More against Kafka Streams in window/facts_test.c. */
#include "unit/operators/pipeline.h"

static int begin(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string(ctx);
    return 0;
}

/* `ctx` is what goes before each value. */
static int add(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    int code = concatenate(aggregate, mill_string(ctx), context, NULL);
    return code < 0 ? code : concatenate(aggregate, value, context, NULL);
}

static mill_grouped *grouped(struct pipeline *p, const char *topic)
{
    return mill_stream_group_by_key(mill_topology_stream(p->topology, topic, NULL));
}

static void each_stream_has_its_aggregator_and_all_one_aggregate(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_cogrouped *both = mill_grouped_cogroup(grouped(&p, "in"), add, "+");
    mill_cogrouped_add(both, grouped(&p, "orders"), add, "-");
    mill_table_to(mill_cogrouped_aggregate(both, begin, "=", uncached("both")), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 5, "k==+a@5");
    pipeline_pipe(&p, "orders", "k", "b", 3);
    expect(&p, "k==+a-b@5");
    pipeline_pipe(&p, "orders", "k", NULL, 9);
    step(&p, NULL, "c", 9, "");
    expect_dropped(&p, "null-value", 1);
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static void a_stream_added_again_only_changes_its_aggregator(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_grouped *one = grouped(&p, "in");
    mill_cogrouped *both = mill_grouped_cogroup(one, add, "+");
    mill_cogrouped_add(both, one, add, "*");
    mill_table_to(mill_cogrouped_aggregate(both, begin, "=", uncached("both")), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 5, "k==*a@5");
    pipeline_end(&p);
}

static int plus(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = left;
    return concatenate(result, mill_is_null(right) ? mill_string("~") : right, context, NULL);
}

static mill_table *versioned(struct pipeline *p)
{
    mill_cogrouped *both = mill_grouped_cogroup(grouped(p, "in"), add, "+");
    mill_cogrouped_add(both, grouped(p, "orders"), add, "-");
    return mill_cogrouped_aggregate(both, begin, "=", mill_as_versioned("both", 100));
}

static void one_with_a_history_is_joined_as_it_was(void **state)
{
    for (int64_t grace_ms = 0; grace_ms <= 1; grace_ms++) {
        struct pipeline p = pipeline_begin();
        mill_joined joined = mill_joined_as("enrich");
        joined.grace_ms = grace_ms;
        mill_stream *asked = mill_topology_stream(p.topology, "asked", NULL);
        mill_stream_to(mill_stream_left_join_table(asked, versioned(&p), plus, NULL, joined), "out");
        pipeline_start(&p);
        pipeline_pipe(&p, "in", "k", "a", 10);
        pipeline_pipe(&p, "orders", "k", "b", 20);
        pipeline_pipe(&p, "asked", "k", "9", 9);
        pipeline_pipe(&p, "asked", "k", "15:", 15);
        pipeline_pipe(&p, "asked", "k", "25:", 25);
        pipeline_pipe(&p, "asked", "k", "26:", 26);
        expect(&p, grace_ms == 0 ? "k=9~@9 k=15:=+a@15 k=25:=+a-b@25 k=26:=+a-b@26" : "k=9~@9 k=15:=+a@15 k=25:=+a-b@25");
        pipeline_end(&p);
    }
}

static void one_with_a_history_is_not_suppressed(void **state)
{
    struct pipeline p = pipeline_begin();
    assert_null(mill_table_suppress(versioned(&p), mill_suppress_until_time_limit(10, mill_suppress_unbounded())));
    assert_non_null(strstr(mill_topology_error(p.topology), "a versioned table cannot be suppressed"));
    mill_topology_free(p.topology);
}

static void in_windows_each_stream_has_its_own_time(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_cogrouped *both = mill_grouped_cogroup(grouped(&p, "in"), add, "+");
    mill_cogrouped_add(both, grouped(&p, "orders"), add, "-");
    mill_materialized kept = uncached("both");
    kept.retention_ms = 1000;
    mill_windowed_cogrouped *windowed = mill_cogrouped_windowed_by(both, mill_window_tumbling(10, 0));
    mill_table_to(mill_windowed_cogrouped_aggregate(windowed, begin, "", kept), "out");
    pipeline_shows(&p, 10, false);
    pipeline_start(&p);
    step(&p, "k", "a", 25, "k[20,30)=+a@25");
    pipeline_pipe(&p, "orders", "k", "b", 13);
    expect(&p, "k[10,20)=-b@13");
    step(&p, "k", "c", 13, "");
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
}

static void in_windows_late_records_of_all_streams_come_out_as_one(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_cogrouped *both = mill_grouped_cogroup(grouped(&p, "in"), add, "+");
    mill_cogrouped_add(both, grouped(&p, "orders"), add, "-");
    mill_windowed_cogrouped *windowed = mill_cogrouped_windowed_by(both, mill_window_tumbling(10, 0));
    mill_table *table = mill_windowed_cogrouped_aggregate(windowed, begin, "", uncached("both"));
    mill_stream_to(mill_windowed_late(table), "late");
    mill_stream_to(mill_windowed_late(table), "late-again");
    mill_table_to(table, "out");
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "a", 20);
    pipeline_pipe(&p, "in", "k", "b", 3);
    pipeline_pipe(&p, "orders", "k", "c", 25);
    pipeline_pipe(&p, "orders", "j", "d", 4);
    assert_string_equal(pipeline_read(&p, "late"), "k=b@3 j=d@4");
    assert_string_equal(pipeline_read(&p, "late-again"), "k=b@3 j=d@4");
    pipeline_shows(&p, 10, false);
    expect(&p, "k[20,30)=+a@20 k[20,30)=+a-c@25");
    pipeline_end(&p);
}

static int second(mill_bytes key, mill_bytes *aggregate, mill_bytes other, mill_context *context, void *ctx)
{
    return concatenate(aggregate, other, context, NULL);
}

static void of_sessions_too(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_cogrouped *both = mill_grouped_cogroup(grouped(&p, "in"), add, "+");
    mill_cogrouped_add(both, grouped(&p, "orders"), add, "-");
    mill_session_cogrouped *windowed = mill_cogrouped_windowed_by_session(both, mill_window_session(5, 0));
    mill_table *table = mill_session_cogrouped_aggregate(windowed, begin, second, "", uncached("both"));
    mill_stream_to(mill_windowed_late(table), "late");
    mill_table_to(table, "out");
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "a", 20);
    pipeline_pipe(&p, "orders", "k", "c", 25);
    pipeline_pipe(&p, "orders", "j", "d", 4);
    assert_string_equal(pipeline_read(&p, "late"), "j=d@4");
    p.sessions = true;
    expect(&p, "k[20,20]=+a@20 k[20,20]=~@20 k[20,25]=+a-c@25");
    pipeline_end(&p);
}

static void the_aggregate_survives_a_restart(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = pipeline_begin();
        mill_cogrouped *both = mill_grouped_cogroup(grouped(&p, "in"), add, "+");
        mill_cogrouped_add(both, grouped(&p, "orders"), add, "-");
        mill_table_to(mill_cogrouped_aggregate(both, begin, "", mill_as("both")), "out");
        pipeline_start(&p);
        step(&p, "k", "a", 5, "k=+a@5");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        pipeline_pipe(&p, "orders", "k", "b", 6);
        expect(&p, "k=+a-b@6");
        pipeline_end(&p);
    }
}

static mill_grouped *grouped_by_value(struct pipeline *p, const char *topic)
{
    return mill_stream_group_by(mill_topology_stream(p->topology, topic, NULL), to_value, NULL);
}

static void two_unnamed_groups_with_new_keys_are_refused(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_cogrouped *both = mill_grouped_cogroup(grouped_by_value(&p, "in"), add, "+");
    mill_cogrouped_add(both, grouped_by_value(&p, "orders"), add, "-");
    assert_null(mill_cogrouped_aggregate(both, begin, "", mill_as("both")));
    assert_non_null(strstr(mill_topology_error(p.topology), "cogroup both: several of its streams need a repartition topic"));
    mill_topology_free(p.topology);
}

static void functions_are_needed(void **state)
{
    struct pipeline p = pipeline_begin();
    assert_null(mill_grouped_cogroup(grouped(&p, "in"), NULL, NULL));
    assert_non_null(strstr(mill_topology_error(p.topology), "aggregator"));
    mill_topology_free(p.topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stream_has_its_aggregator_and_all_one_aggregate),
        cmocka_unit_test(a_stream_added_again_only_changes_its_aggregator),
        cmocka_unit_test(one_with_a_history_is_joined_as_it_was),
        cmocka_unit_test(one_with_a_history_is_not_suppressed),
        cmocka_unit_test(in_windows_each_stream_has_its_own_time),
        cmocka_unit_test(in_windows_late_records_of_all_streams_come_out_as_one),
        cmocka_unit_test(of_sessions_too),
        cmocka_unit_test(the_aggregate_survives_a_restart),
        cmocka_unit_test(two_unnamed_groups_with_new_keys_are_refused),
        cmocka_unit_test(functions_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
