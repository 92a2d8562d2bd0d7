/* A stream joined with a table: the cases of Kafka Streams' rules, and what the topics must be like. */
#include "unit/operators/pipeline.h"

#include "support/temp_dir.h"
#include "topology/topology.h"

static int plus(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = left;
    int code = concatenate(result, mill_string("+"), context, NULL);
    return code < 0 ? code : concatenate(result, mill_is_null(right) ? mill_string("~") : right, context, NULL);
}

static int fails(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    return mill_context_error(context, MILL_EINVALID, "no such order");
}

static int nothing(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    return 0;
}

static int no_aggregate(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

static int newest(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_bytes_equal(value, mill_string("del")) ? mill_null() : value;
    return 0;
}

static mill_table *rows(struct pipeline *p)
{
    mill_grouped *grouped = mill_stream_group_by_key(mill_topology_stream(p->topology, "rows", NULL));
    return mill_grouped_aggregate(grouped, no_aggregate, newest, NULL, uncached("rows"));
}

static struct pipeline begin(bool left, mill_joiner joiner)
{
    struct pipeline p = pipeline_begin();
    mill_table *table = rows(&p);
    mill_stream *stream = pipeline_in(&p);
    stream = left ? mill_stream_left_join_table(stream, table, joiner, NULL, mill_joined_as(NULL))
                  : mill_stream_join_table(stream, table, joiner, NULL, mill_joined_as(NULL));
    mill_stream_to(stream, "out");
    pipeline_start(&p);
    return p;
}

/* Both sides come through repartition topics, at the same time: which is first is which was written first. */
static void of_equal_times_what_was_written_first_is_processed_first(void **state)
{
    for (int table_first = 0; table_first < 2; table_first++) {
        struct pipeline p = pipeline_begin();
        mill_stream *in = pipeline_in(&p);
        mill_stream *keyed = table_first ? NULL : mill_stream_select_key(in, to_value, NULL);
        mill_grouped *grouped = mill_stream_group_by(in, to_value, NULL);
        mill_table *table = mill_grouped_aggregate(grouped, no_aggregate, newest, NULL, uncached(NULL));
        keyed = table_first ? mill_stream_select_key(in, to_value, NULL) : keyed;
        mill_stream_to(mill_stream_left_join_table(keyed, table, plus, NULL, mill_joined_as(NULL)), "out");
        pipeline_start(&p);
        step(&p, NULL, "a", 1, table_first ? "a=a+a@1" : "a=a+~@1");
        pipeline_end(&p);
    }
}

/* Case 31. */
static void a_left_join_takes_the_value_of_that_moment(void **state)
{
    struct pipeline p = begin(true, plus);
    step(&p, "k", "a", 1, "k=a+~@1");
    pipeline_pipe(&p, "rows", "k", "t", 100);
    expect(&p, "");
    step(&p, "k", "a", 5, "k=a+t@5");
    pipeline_pipe(&p, "rows", "k", "del", 6);
    step(&p, "k", "a", 7, "k=a+~@7");
    step(&p, "k", NULL, 8, "");
    expect_dropped(&p, "null-value", 1);
    step(&p, NULL, "x", 9, "~=x+~@9");
    pipeline_end(&p);
}

static void an_inner_join_drops_what_has_no_key_and_passes_over_what_has_no_row(void **state)
{
    struct pipeline p = begin(false, plus);
    pipeline_pipe(&p, "rows", "k", "t", 100);
    step(&p, "k", "a", 5, "k=a+t@5");
    step(&p, "j", "a", 6, "");
    expect_dropped(&p, NULL, 0);
    step(&p, NULL, "a", 7, "");
    step(&p, "k", NULL, 8, "");
    expect_dropped(&p, "null-key", 1);
    expect_dropped(&p, "null-value", 1);
    pipeline_end(&p);
}

static void a_joiner_may_make_null(void **state)
{
    struct pipeline p = begin(true, nothing);
    step(&p, "k", "a", 5, "k=~@5");
    pipeline_end(&p);
}

static void an_error_of_the_joiner_names_the_operator(void **state)
{
    struct pipeline p = begin(true, fails);
    assert_int_equal(pipeline_try(&p, "in", "k", "a", 5), MILL_EINVALID);
    const char *error = mill_test_driver_error(p.driver);
    assert_non_null(strstr(error, "no such order"));
    assert_non_null(strstr(error, "KSTREAM-LEFTJOIN-"));
    pipeline_end(&p);
}

static void rows_survive_a_crash(void **state)
{
    struct pipeline p = begin(false, plus);
    pipeline_pipe(&p, "rows", "k", "t", 100);
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CRASH));
    step(&p, "k", "a", 5, "k=a+t@5");
    pipeline_end(&p);
}

static void a_missing_joiner_or_another_topologys_table_is_an_error(void **state)
{
    struct pipeline p = pipeline_begin();
    struct pipeline other = pipeline_begin();
    assert_null(mill_stream_join_table(pipeline_in(&p), rows(&other), plus, NULL, mill_joined_as(NULL)));
    assert_non_null(strstr(mill_topology_error(p.topology), "two topologies"));
    assert_null(mill_stream_join_table(pipeline_in(&other), rows(&other), NULL, NULL, mill_joined_as(NULL)));
    assert_non_null(strstr(mill_topology_error(other.topology), "joiner"));
    assert_null(mill_stream_join_table(NULL, NULL, plus, NULL, mill_joined_as(NULL)));
    mill_topology_free(p.topology);
    mill_topology_free(other.topology);
}

/* ---- versions and grace -------------------------------------------------------------------------------------------------- */

static mill_stream *build_versioned_with(struct pipeline *p, mill_joiner joiner, bool left, int64_t history_ms, int64_t grace_ms)
{
    mill_table *table = mill_topology_table(p->topology, "rows", NULL, mill_as_versioned("rows", history_ms));
    mill_joined joined = mill_joined_as("enrich");
    joined.grace_ms = grace_ms;
    mill_stream *stream = pipeline_in(p);
    stream = left ? mill_stream_left_join_table(stream, table, joiner, NULL, joined)
                  : mill_stream_join_table(stream, table, joiner, NULL, joined);
    mill_stream_to(stream, "out");
    return stream;
}

static mill_stream *build_versioned(struct pipeline *p, bool left, int64_t history_ms, int64_t grace_ms)
{
    return build_versioned_with(p, plus, left, history_ms, grace_ms);
}

/* Case 32. */
static void a_versioned_table_has_the_value_of_the_records_time(void **state)
{
    struct pipeline p = pipeline_begin();
    build_versioned(&p, true, 100, 0);
    pipeline_start(&p);
    pipeline_pipe(&p, "rows", "k", "t10", 10);
    pipeline_pipe(&p, "rows", "k", "t20", 20);
    pipeline_pipe(&p, "rows", "k", "t15", 15);
    pipeline_pipe(&p, "rows", "k", NULL, 30);
    step(&p, "k", "a", 5, "k=a+~@5");
    step(&p, "k", "a", 15, "k=a+t15@15");
    step(&p, "k", "a", 17, "k=a+t15@17");
    step(&p, "k", "a", 25, "k=a+t20@25");
    step(&p, "k", "a", 29, "k=a+t20@29");
    step(&p, "k", "a", 30, "k=a+~@30");
    pipeline_pipe(&p, "rows", "other", "t", 200);
    step(&p, "k", "a", 29, "k=a+~@29");
    pipeline_pipe(&p, "rows", "k", "t99", 99);
    pipeline_pipe(&p, "rows", "k", "t100", 100);
    step(&p, "k", "a", 99, "k=a+~@99"); /* t99 came too late, t100 just in time */
    step(&p, "k", "a", 150, "k=a+t100@150");
    pipeline_end(&p);
}

/* Case 33. */
static void a_grace_lets_the_table_come_late(void **state)
{
    struct pipeline p = pipeline_begin();
    build_versioned(&p, false, 100, 10);
    pipeline_start(&p);
    step(&p, "k", "a", 10, "");
    pipeline_pipe(&p, "rows", "k", "t", 5);
    step(&p, "k", "b", 15, "");
    step(&p, "j", "c", 20, "k=a+t@10");
    step(&p, "k", "d", 9, "k=d+t@9");
    step(&p, "j", "e", 26, "k=b+t@15");
    pipeline_end(&p);
}

static int plus_but_x(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    if (mill_bytes_equal(left, mill_string("x")))
        return mill_context_error(context, MILL_EINVALID, "x joins nothing");
    return plus(key, left, right, result, context, ctx);
}

static void one_that_the_joiner_fails_for_holds_up_none_that_waits(void **state)
{
    struct pipeline p = pipeline_begin();
    build_versioned_with(&p, plus_but_x, true, 100, 10);
    pipeline_start_with(&p, (const char *[]){ "processing.exception.handler", "continue", NULL });
    step(&p, "k", "x", 10, "");
    step(&p, "k", "a", 11, "");
    step(&p, "k", "b", 21, ""); /* fails at x */
    step(&p, "k", "c", 22, "k=a+~@11");
    step(&p, "k", "d", 32, "k=b+~@21 k=c+~@22");
    expect_dropped(&p, "processing-error", 1);
    pipeline_end(&p);
}

static void a_null_key_waits_for_nothing(void **state)
{
    struct pipeline p = pipeline_begin();
    build_versioned(&p, true, 100, 10);
    pipeline_start(&p);
    step(&p, NULL, "a", 10, "~=a+~@10");
    mill_test_driver_free(p.driver);
    p.driver = mill_test_driver_new(p.topology, (const char *[]){ "mill.compat", "kafka", NULL }, 0);
    assert_int_equal(pipeline_try(&p, "in", NULL, "a", 10), MILL_EINVALID);
    pipeline_end(&p);
}

static int forward_early(mill_context *context, void *self, const mill_record *record)
{
    mill_record early = *record;
    early.timestamp_ms = -1;
    return mill_forward(context, &early);
}
static const mill_processor_type BEFORE_TIME = { .name = "before-time", .process = forward_early };

static void what_lies_before_all_time_does_not_wait(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *table = mill_topology_table(p.topology, "rows", NULL, mill_as_versioned("rows", 100));
    mill_stream *early = mill_stream_process_values(pipeline_in(&p), (mill_processor_supplier){ &BEFORE_TIME }, NULL, 0);
    mill_stream_to(mill_stream_left_join_table(early, table, plus, NULL, (mill_joined){ .grace_ms = 10 }), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 10, "");
    step(&p, "k", "b", 100, "");
    expect_dropped(&p, "negative-timestamp", 2);
    pipeline_end(&p);
}

static void what_waits_survives(mill_test_restart how)
{
    struct temp_dir directory;
    temp_dir_init(&directory);
    struct pipeline p = pipeline_begin();
    build_versioned(&p, false, 100, 10);
    p.driver = mill_test_driver_new(p.topology, (const char *[]){ "state.dir", directory.path, NULL }, 0);
    pipeline_pipe(&p, "rows", "k", "t", 5);
    mill_header header = { mill_string("h"), mill_string("kept") };
    mill_record record = { mill_string("k"), mill_string("a"), 10, &header, 1, mill_null() };
    pipeline_ok(&p, mill_test_driver_pipe(p.driver, "in", &record));
    pipeline_ok(&p, mill_test_driver_restart(p.driver, how));
    step(&p, "k", "b", 10, ""); /* beside the first, which has the same key and time */
    pipeline_pipe(&p, "in", "k", "c", 20);
    mill_record out;
    assert_int_equal(mill_test_driver_read(p.driver, "out", &out), 1);
    assert_true(mill_bytes_equal(out.value, mill_string("a+t")));
    assert_int_equal(out.header_count, 1);
    assert_true(mill_bytes_equal(out.headers[0].value, mill_string("kept")));
    expect(&p, "k=b+t@10");
    pipeline_end(&p);
    temp_dir_release(&directory);
}

static void records_that_wait_survive_restarts(void **state)
{
    what_waits_survives(MILL_RESTART_CLEAN);
    what_waits_survives(MILL_RESTART_CRASH);
    what_waits_survives(MILL_RESTART_STATE_LOST);
}

static void expect_mistake(mill_table *(*table)(struct pipeline *p), int64_t grace_ms, const char *words)
{
    struct pipeline p = pipeline_begin();
    mill_joined joined = { .grace_ms = grace_ms };
    assert_null(mill_stream_join_table(pipeline_in(&p), table(&p), plus, NULL, joined));
    assert_non_null(strstr(mill_topology_error(p.topology), words));
    mill_topology_free(p.topology);
}

static mill_table *versioned_rows(struct pipeline *p)
{
    return mill_topology_table(p->topology, "rows", NULL, mill_as_versioned("rows", 100));
}

static void a_grace_needs_a_table_with_as_long_a_history(void **state)
{
    expect_mistake(rows, 10, "must be versioned");
    expect_mistake(versioned_rows, 101, "history of 100 ms");
    expect_mistake(versioned_rows, -1, "below 0");
}

/* ---- topics -------------------------------------------------------------------------------------------------------------- */

static int value_of(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = record->value;
    return 0;
}

static int32_t *count_of(int32_t counts[], mill_topology *topology, const char *topic)
{
    return &counts[topology_find_topic(topology, topic)->index];
}

static void joined_topics_of_different_numbers_are_an_error_that_names_both(void **state)
{
    struct pipeline p = begin(true, plus);
    int32_t counts[8] = { 0 };
    *count_of(counts, p.topology, "in") = 4;
    *count_of(counts, p.topology, "rows") = 3;
    struct error_text error;
    assert_int_equal(topology_resolve_partitions(p.topology, counts, &error), MILL_EINVALID);
    assert_non_null(strstr(error.text, "rows (3 partitions)"));
    assert_non_null(strstr(error.text, "in (4 partitions)"));
    assert_non_null(strstr(error.text, "mill_stream_repartition"));
    pipeline_end(&p);
}

static void a_side_with_a_new_key_joins_only_tables_of_one_number(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *keyed = mill_stream_select_key(pipeline_in(&p), value_of, NULL);
    mill_table *other = mill_topology_table(p.topology, "other", NULL, mill_as("other"));
    mill_stream_to(mill_stream_join_table(keyed, rows(&p), plus, NULL, mill_joined_as(NULL)), "out");
    mill_stream_to(mill_stream_join_table(keyed, other, plus, NULL, mill_joined_as(NULL)), "out");
    pipeline_start(&p);
    int32_t counts[8] = { 0 };
    *count_of(counts, p.topology, "in") = 2;
    *count_of(counts, p.topology, "rows") = 4;
    *count_of(counts, p.topology, "other") = 8;
    struct error_text error;
    assert_int_equal(topology_resolve_partitions(p.topology, counts, &error), MILL_EINVALID);
    assert_non_null(strstr(error.text, "rows (4 partitions)"));
    assert_non_null(strstr(error.text, "other (8 partitions)"));
    *count_of(counts, p.topology, "other") = 4;
    assert_int_equal(topology_resolve_partitions(p.topology, counts, &error), 0);
    pipeline_end(&p);
}

static void a_side_with_a_new_key_gets_as_many_partitions_as_the_table(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *table = rows(&p);
    mill_stream *keyed = mill_stream_select_key(pipeline_in(&p), value_of, NULL);
    mill_stream_to(mill_stream_join_table(keyed, table, plus, NULL, mill_joined_as("enrich")), "out");
    pipeline_start(&p);
    int32_t counts[8] = { 0 };
    *count_of(counts, p.topology, "in") = 2;
    *count_of(counts, p.topology, "rows") = 5;
    struct error_text error;
    assert_int_equal(topology_resolve_partitions(p.topology, counts, &error), 0);
    assert_int_equal(*count_of(counts, p.topology, "enrich-repartition"), 5);
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_equal_times_what_was_written_first_is_processed_first),
        cmocka_unit_test(a_left_join_takes_the_value_of_that_moment),
        cmocka_unit_test(an_inner_join_drops_what_has_no_key_and_passes_over_what_has_no_row),
        cmocka_unit_test(a_joiner_may_make_null),
        cmocka_unit_test(an_error_of_the_joiner_names_the_operator),
        cmocka_unit_test(rows_survive_a_crash),
        cmocka_unit_test(a_missing_joiner_or_another_topologys_table_is_an_error),
        cmocka_unit_test(a_versioned_table_has_the_value_of_the_records_time),
        cmocka_unit_test(a_grace_lets_the_table_come_late),
        cmocka_unit_test(one_that_the_joiner_fails_for_holds_up_none_that_waits),
        cmocka_unit_test(a_null_key_waits_for_nothing),
        cmocka_unit_test(what_lies_before_all_time_does_not_wait),
        cmocka_unit_test(records_that_wait_survive_restarts),
        cmocka_unit_test(a_grace_needs_a_table_with_as_long_a_history),
        cmocka_unit_test(joined_topics_of_different_numbers_are_an_error_that_names_both),
        cmocka_unit_test(a_side_with_a_new_key_joins_only_tables_of_one_number),
        cmocka_unit_test(a_side_with_a_new_key_gets_as_many_partitions_as_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
