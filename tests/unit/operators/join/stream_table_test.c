/* A stream joined with a table: the cases of Kafka Streams' rules, and what the topics must be like. */
#include "unit/operators/pipeline.h"

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

/* Case 31 of the rules. */
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
        cmocka_unit_test(joined_topics_of_different_numbers_are_an_error_that_names_both),
        cmocka_unit_test(a_side_with_a_new_key_gets_as_many_partitions_as_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
