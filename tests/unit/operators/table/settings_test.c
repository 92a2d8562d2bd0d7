/* topology.optimization: tables restored from their topics; and the setting that refuses generated names. */
#include "unit/operators/table/functions.h"

static struct pipeline begin(void (*build)(mill_topology *topology), const char *const *properties)
{
    struct pipeline p = pipeline_begin();
    build(p.topology);
    p.driver = mill_test_driver_new(p.topology, properties, 0);
    assert_non_null(p.driver);
    return p;
}

static const char *const REUSING[] = { "topology.optimization", "reuse.ktable.source.topics", "statestore.cache.max.bytes", "0",
                                       NULL };

static int by_first_letter(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_bytes_of(row->value.data, 1);
    return 0;
}

static void grouped(mill_topology *t)
{
    mill_table *stored = mill_topology_table(t, "in", NULL, mill_as("rows"));
    mill_table_to(reduced(mill_table_group_by(stored, by_first_letter, NULL), "reduced"), "out");
}

static void a_table_of_a_topic_needs_no_changelog(void **state)
{
    struct pipeline p = begin(grouped, REUSING);
    step(&p, "k", "a1", 1, "a=a1@1");
    step(&p, NULL, "a2", 2, "");
    step(&p, "l", "a3", 3, "a=a1+a3@3");
    assert_string_equal(pipeline_read(&p, "test-rows-changelog"), "");
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_STATE_LOST), 0);
    step(&p, "k", "b1", 4, "a=a1+a3-a1@4 b=b1@4");
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_CLEAN), 0);
    step(&p, "l", NULL, 5, "a=a1+a3-a1-a3@5");
    pipeline_end(&p);
}

static void without_the_optimization_it_has_one(void **state)
{
    struct pipeline p = begin(grouped, (const char *[]){ "statestore.cache.max.bytes", "0", NULL });
    step(&p, "k", "a1", 1, "a=a1@1");
    assert_string_equal(pipeline_read(&p, "test-rows-changelog"), "k=a1@1");
    pipeline_end(&p);
}

/*
 * What was read but not committed comes again, and has to find the row as it was before: a1, not a2. (The first change that was
 * made of it is in the repartition topic all the same: at least once.)
 */
static void a_table_is_restored_up_to_where_its_source_goes_on(void **state)
{
    struct pipeline p = begin(grouped, REUSING);
    step(&p, "k", "a1", 1, "a=a1@1");
    mill_test_driver_auto_commit(p.driver, false);
    step(&p, "k", "a2", 2, "a=a1-a1+a2@2");
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_STATE_LOST), 0);
    expect(&p, "a=a1-a1+a2-a1+a2@2 a=a1-a1+a2-a1+a2-a1+a2@2");
    pipeline_end(&p);
}

static void joined(mill_topology *t)
{
    mill_table *a = rows(t, "a");
    mill_table_to(mill_table_join(a, rows(t, "b"), both, NULL, mill_as(NULL)), "out");
}

static void a_join_of_reused_topics_goes_on_after_the_loss_of_its_state(void **state)
{
    struct pipeline p = begin(joined, REUSING);
    pipeline_pipe(&p, "a", "k", "a1", 1);
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_STATE_LOST), 0);
    pipeline_pipe(&p, "b", "k", "b1", 2);
    expect(&p, "k=(a1+b1)@2");
    pipeline_end(&p);
}

static int same_key(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = record->key;
    return 0;
}

static void two_counts_behind_one_filter(mill_topology *t)
{
    mill_stream *keyed = mill_stream_select_key(records(t, "in"), same_key, NULL);
    mill_stream *filtered = mill_stream_filter(keyed, is_long, NULL);
    (void)mill_grouped_count(mill_stream_group_by_key(filtered), mill_as("first"));
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(filtered), mill_as("second")), "out");
}

/* Kafka Streams' optimizer finds no way to the second topic and throws. */
static void two_topics_behind_one_operator_merge_as_well(void **state)
{
    struct pipeline p = begin(two_counts_behind_one_filter,
                              (const char *[]){ "topology.optimization", "all", "statestore.cache.max.bytes", "0", NULL });
    p.longs = true;
    step(&p, "k", "ab", 1, "k=1@1");
    step(&p, "k", "a", 2, "");
    step(&p, "k", "abc", 3, "k=2@3");
    assert_int_not_equal(strlen(pipeline_read(&p, "test-first-repartition")), 0);
    assert_int_equal(strlen(pipeline_read(&p, "test-second-repartition")), 0);
    pipeline_end(&p);
}

static void an_unknown_optimization_is_an_error_that_lists_the_known(void **state)
{
    struct pipeline p = begin(joined, (const char *[]){ "topology.optimization", "all,  everything", NULL });
    assert_int_equal(pipeline_try(&p, "a", "k", "v", 1), MILL_EINVALID);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "\"everything\""));
    assert_non_null(strstr(mill_test_driver_error(p.driver), "merge.repartition.topics"));
    pipeline_end(&p);
}

static const char *const EXPLICIT[] = { "ensure.explicit.internal.resource.naming", "true", NULL };

static void generated_names_are_refused_with_a_list_when_told_so(void **state)
{
    struct pipeline p = begin(joined, EXPLICIT);
    assert_int_equal(pipeline_try(&p, "a", "k", "v", 1), MILL_EINVALID);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "store a-STATE-STORE-0000000000"));
    assert_non_null(strstr(mill_test_driver_error(p.driver), "store b-STATE-STORE-0000000003"));
    pipeline_end(&p);
}

static void named_count_behind_an_unnamed_topic(mill_topology *t)
{
    mill_grouped *by_key = mill_stream_group_by(records(t, "in"), same_key, NULL);
    mill_table_to(mill_grouped_count(by_key, mill_as("counts")), "out");
    mill_table_to(mill_stream_to_table(mill_stream_select_key(records(t, "in"), same_key, NULL), mill_as("rows")), "rows-out");
}

static void a_generated_repartition_topic_is_refused_too(void **state)
{
    struct pipeline p = begin(named_count_behind_an_unnamed_topic, EXPLICIT);
    assert_int_equal(pipeline_try(&p, "in", "k", "v", 1), MILL_EINVALID);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "topic KSTREAM-TOTABLE-"));
    assert_null(strstr(mill_test_driver_error(p.driver), "counts"));
    pipeline_end(&p);
}

static void names_of_ones_own_are_accepted(void **state)
{
    struct pipeline p = begin(grouped, EXPLICIT);
    step(&p, "k", "a1", 1, "a=a1@1");
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_a_topic_needs_no_changelog),
        cmocka_unit_test(without_the_optimization_it_has_one),
        cmocka_unit_test(a_table_is_restored_up_to_where_its_source_goes_on),
        cmocka_unit_test(a_join_of_reused_topics_goes_on_after_the_loss_of_its_state),
        cmocka_unit_test(two_topics_behind_one_operator_merge_as_well),
        cmocka_unit_test(an_unknown_optimization_is_an_error_that_lists_the_known),
        cmocka_unit_test(generated_names_are_refused_with_a_list_when_told_so),
        cmocka_unit_test(a_generated_repartition_topic_is_refused_too),
        cmocka_unit_test(names_of_ones_own_are_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
