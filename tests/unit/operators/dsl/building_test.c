/* What the DSL does with names, stores and mistakes. */
#include "unit/operators/pipeline.h"

#include "base/alloc.h"
#include "topology/topology.h"

static bool yes(const mill_record *record, void *ctx)
{
    return true;
}

static int forward(mill_context *context, void *self, const mill_record *record)
{
    return mill_forward(context, record);
}

static const mill_processor_type PROCESSOR = { .name = "own", .process = forward };

/* Checks the topology and frees it: its error has these words. */
static void expect_error(mill_topology *topology, const char *words)
{
    assert_null(mill_topology_describe(topology));
    const char *error = mill_topology_error(topology);
    assert_non_null(error);
    if (strstr(error, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, words);
    mill_topology_free(topology);
}

static void an_empty_topology_is_an_error(void **state)
{
    expect_error(mill_topology_new(), "empty");
}

static void a_missing_function_is_an_error_and_later_calls_go_on(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_stream *s = mill_stream_filter(mill_topology_stream(t, "in", NULL), NULL, NULL);
    assert_null(s);
    mill_windowed *w =
        mill_grouped_windowed_by(mill_stream_group_by_key(mill_stream_filter(s, yes, NULL)), mill_window_tumbling(1, 0));
    mill_table_to(mill_windowed_count(w, mill_as("pv")), "out");
    mill_stream_to(mill_branch(mill_stream_split(s), yes, NULL), "out");
    expect_error(t, "predicate");
}

static void a_topic_name_that_kafka_refuses_is_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_stream(t, "a topic", NULL);
    expect_error(t, "a topic");
}

static void overlapping_sources_are_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_stream_of(t, (const char *[]){ "a", "b" }, 2, NULL);
    mill_topology_stream(t, "b", NULL);
    expect_error(t, "topic b");
}

static void one_topic_with_two_sets_of_options_is_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_stream(t, "a", NULL);
    mill_topology_stream(t, "a", &(mill_source_options){ .reset = MILL_RESET_LATEST });
    expect_error(t, "different options");
}

static void two_stores_of_one_name_are_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_grouped *g = mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
    mill_grouped_count(g, mill_as("pv"));
    mill_grouped_count(g, mill_as("pv"));
    expect_error(t, "two stores are called pv");
}

static void two_nodes_of_one_name_are_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_stream *s = mill_stream_as(mill_topology_stream(t, "in", NULL), "x");
    mill_stream_as(mill_stream_filter(s, yes, NULL), "x");
    expect_error(t, "two nodes are called x");
}

static void a_store_that_is_not_there_is_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_stream_process(mill_topology_stream(t, "in", NULL), (mill_processor_supplier){ .type = &PROCESSOR },
                        (const char *[]){ "st" }, 1);
    expect_error(t, "store st");
}

static void an_operator_of_our_own_needs_a_name(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_grouped_count_distinct(mill_stream_group_by_key(mill_topology_stream(t, "in", NULL)), mill_as(NULL));
    expect_error(t, "mill_as");
}

static void impossible_windows_are_an_error(void **state)
{
    static const mill_time_windows impossible[] = { { 0, 0, 0 },   { -5, 5, 0 },   { 10, 0, 0 },
                                                    { 10, 11, 0 }, { 10, 10, -1 }, { 10, 10, INT64_MAX } };
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        mill_topology *t = mill_topology_new();
        mill_grouped *g = mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
        mill_windowed_count(mill_grouped_windowed_by(g, impossible[i]), mill_as("pv"));
        expect_error(t, "0 < advance <= size");
    }
}

static void a_retention_below_size_and_grace_is_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_grouped *g = mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
    mill_materialized pv = mill_as("pv");
    pv.retention_ms = 14;
    mill_windowed_count(mill_grouped_windowed_by(g, mill_window_tumbling(10, 5)), pv);
    expect_error(t, "retention of 14 ms");
}

static void streams_of_two_topologies_do_not_merge(void **state)
{
    mill_topology *a = mill_topology_new();
    mill_topology *b = mill_topology_new();
    mill_stream_merge(mill_topology_stream(a, "in", NULL), mill_topology_stream(b, "in", NULL));
    expect_error(a, "two topologies");
    mill_topology_free(b);
}

static void a_branch_behind_the_default_is_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_branches *branches = mill_stream_split(mill_topology_stream(t, "in", NULL));
    mill_branch_default(branches);
    mill_branch(branches, yes, NULL);
    expect_error(t, "default");
}

static void our_own_operators_take_no_number_of_kafka_streams(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_grouped *g = mill_stream_group_by_key(mill_stream_map(mill_topology_stream(t, "in", NULL), NULL, NULL));
    assert_null(g);
    mill_topology_free(t);

    t = mill_topology_new();
    mill_stream *s = mill_topology_stream(t, "in", NULL);
    mill_table_to(mill_grouped_count_distinct(mill_stream_group_by(s, to_value, NULL), mill_as("uv")), "out");
    char *text = mill_topology_describe(t);
    assert_string_equal(text, "Topologies:\n"
                              "   Sub-topology: 0\n"
                              "    Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n"
                              "      --> KSTREAM-KEY-SELECT-0000000001\n"
                              "    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])\n"
                              "      --> uv-repartition-filter\n"
                              "      <-- KSTREAM-SOURCE-0000000000\n"
                              "    Processor: uv-repartition-filter (stores: [])\n"
                              "      --> uv-repartition-sink\n"
                              "      <-- KSTREAM-KEY-SELECT-0000000001\n"
                              "    Sink: uv-repartition-sink (topic: uv-repartition)\n"
                              "      <-- uv-repartition-filter\n"
                              "\n"
                              "  Sub-topology: 1\n"
                              "    Source: uv-repartition-source (topics: [uv-repartition])\n"
                              "      --> uv\n"
                              "    Processor: uv (stores: [uv])\n"
                              "      --> KTABLE-TOSTREAM-0000000002\n"
                              "      <-- uv-repartition-source\n"
                              "    Processor: KTABLE-TOSTREAM-0000000002 (stores: [])\n"
                              "      --> KSTREAM-SINK-0000000003\n"
                              "      <-- uv\n"
                              "    Sink: KSTREAM-SINK-0000000003 (topic: out)\n"
                              "      <-- KTABLE-TOSTREAM-0000000002\n"
                              "\n");
    mill_free(text);
    mill_topology_free(t);
}

static mill_key_form form_written_to(mill_topology *t, const char *topic)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        if (t->nodes.at[i]->kind == TOPOLOGY_SINK && strcmp(t->nodes.at[i]->topics.at[0]->name, topic) == 0)
            return t->nodes.at[i]->sink.key_form;
    fail_msg("no sink writes to %s", topic);
    return MILL_KEY_PLAIN;
}

static int same(const mill_record *record, mill_record *result, mill_context *context, void *ctx)
{
    return 0;
}

static void a_windowed_key_is_known_as_one_until_an_operator_may_change_it(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_grouped *g = mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
    mill_table *counts = mill_windowed_count(mill_grouped_windowed_by(g, mill_window_tumbling(10, 0)), mill_as("pv"));
    mill_stream *stream = mill_table_to_stream(counts);
    mill_stream_to(mill_stream_map_values(mill_stream_filter(stream, yes, NULL), to_value, NULL), "windowed");
    mill_stream_to(mill_stream_map(stream, same, NULL), "mapped");
    mill_stream_to_with(stream, "plain", &(mill_sink_options){ .key_form = MILL_KEY_PLAIN });
    assert_int_equal(topology_build(t), 0);
    assert_int_equal(form_written_to(t, "windowed"), MILL_KEY_TIME_WINDOWED);
    assert_int_equal(form_written_to(t, "mapped"), MILL_KEY_PLAIN);
    assert_int_equal(form_written_to(t, "plain"), MILL_KEY_PLAIN);
    mill_topology_free(t);
}

static void what_only_drops_records_leaves_the_form_of_their_keys(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_grouped *g = mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
    mill_table *counts = mill_windowed_count(mill_grouped_windowed_by(g, mill_window_tumbling(10, 0)), mill_as("pv"));
    mill_grouped *again = mill_stream_group_by_key(mill_table_to_stream(counts));
    mill_stream *first = mill_grouped_deduplicate(again, NULL, NULL, 10, mill_as("seen"));
    mill_stream_to(first, "first");
    mill_stream_to(mill_deduplicated_late(first), "too-late");
    mill_session_windowed *sessions = mill_grouped_windowed_by_session(again, mill_window_session(10, 0));
    mill_stream_to(mill_windowed_late(mill_session_windowed_count(sessions, mill_as("visits"))), "late");
    assert_int_equal(topology_build(t), 0);
    assert_int_equal(form_written_to(t, "first"), MILL_KEY_TIME_WINDOWED);
    assert_int_equal(form_written_to(t, "too-late"), MILL_KEY_TIME_WINDOWED);
    assert_int_equal(form_written_to(t, "late"), MILL_KEY_TIME_WINDOWED);
    mill_topology_free(t);
}

static void streams_share_a_source_of_just_the_same_topics(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_stream_to(mill_topology_stream_of(t, (const char *[]){ "a", "b" }, 2, NULL), "out");
    mill_stream_to(mill_topology_stream_of(t, (const char *[]){ "b", "a" }, 2, NULL), "out");
    assert_int_equal(topology_build(t), 0);
    mill_topology_free(t);
    t = mill_topology_new();
    mill_stream_to(mill_topology_stream_of(t, (const char *[]){ "a", "b" }, 2, NULL), "out");
    mill_stream_to(mill_topology_stream_of(t, (const char *[]){ "a", "a" }, 2, NULL), "out");
    assert_int_equal(topology_build(t), MILL_EINVALID);
    assert_non_null(strstr(mill_topology_error(t), "topic a is read by"));
    mill_topology_free(t);
}

/* `stream` in two, and together again, so often that nobody could go all ways up. */
static mill_stream *through_diamonds(mill_stream *stream)
{
    for (int i = 0; i < 60; i++)
        stream = mill_stream_merge(mill_stream_filter(stream, yes, NULL), mill_stream_filter(stream, yes, NULL));
    return stream;
}

static int left_value(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = left;
    return 0;
}

static void streams_may_part_and_meet_often(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_optimize(t, "merge.repartition.topics");
    mill_stream *stream = mill_stream_map(mill_topology_stream(t, "in", NULL), same, NULL);
    stream = through_diamonds(stream);
    mill_stream *other = mill_topology_stream(t, "other", NULL);
    mill_join_windows windows = mill_join_within(10, 0);
    mill_stream_to(mill_stream_left_join(stream, other, left_value, NULL, windows, mill_joined_as(NULL)), "joined");
    mill_windowed *windowed = mill_grouped_windowed_by(mill_stream_group_by_key(stream), mill_window_tumbling(10, 0));
    mill_stream *counted = through_diamonds(mill_table_to_stream(mill_windowed_count(windowed, mill_as("counts"))));
    mill_table *rows = mill_stream_to_table(counted, mill_as("rows"));
    mill_table_to(mill_table_suppress(rows, mill_suppress_until_window_closes(mill_suppress_unbounded())), "out");
    assert_int_equal(topology_build(t), 0);
    assert_null(mill_topology_error(t));
    mill_topology_free(t);
}

static void what_reads_a_topic_needs_its_name(void **state)
{
    for (int i = 0; i < 3; i++) {
        mill_topology *t = mill_topology_new();
        if (i == 0)
            mill_stream_to(mill_topology_stream(t, NULL, NULL), "out");
        else if (i == 1)
            mill_table_to(mill_topology_table(t, NULL, NULL, mill_as("rows")), "out");
        else
            mill_topology_global_table(t, NULL, NULL, mill_as("rows"));
        mill_stream_to(mill_topology_stream(t, "in", NULL), "other");
        assert_int_equal(topology_build(t), MILL_EINVALID);
        assert_non_null(strstr(mill_topology_error(t), "topic"));
        mill_topology_free(t);
    }
}

static void a_table_knows_its_stores_name(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_grouped *g = mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
    assert_string_equal(mill_table_store_name(mill_grouped_count(g, mill_as("pv"))), "pv");
    assert_string_equal(mill_table_store_name(mill_grouped_count(g, mill_as(NULL))), "KSTREAM-AGGREGATE-STATE-STORE-0000000002");
    mill_topology_free(t);
}

/* ---- ownership ----------------------------------------------------------------------------------------------------------- */

static void count_free(void *argument)
{
    (*(int *)argument)++;
}

static mill_processor_supplier counted(int *freed)
{
    return (mill_processor_supplier){ .type = &PROCESSOR, .argument = freed, .free_argument = count_free };
}

static void a_processors_argument_is_freed_once_whatever_happens(void **state)
{
    int freed[3] = { 0 };
    mill_topology *t = mill_topology_new();
    mill_stream_process(mill_topology_stream(t, "in", NULL), counted(&freed[0]), NULL, 0);
    mill_stream_process(NULL, counted(&freed[1]), NULL, 0); /* no stream: freed at once */
    assert_int_equal(freed[1], 1);
    mill_free(mill_topology_describe(t));
    assert_int_equal(freed[0], 0);
    mill_topology_free(t);
    assert_int_equal(freed[0], 1);

    t = mill_topology_new();
    mill_stream_process(mill_topology_stream(t, "in", NULL), counted(&freed[2]), NULL, 0);
    mill_topology_free(t); /* never used */
    assert_int_equal(freed[2], 1);
}

/* A pipeline of every kind of operator; `freed` counts its processor argument. */
static void build_everything(mill_topology *t, int *freed)
{
    mill_stream *s = mill_stream_as(mill_topology_stream(t, "in", NULL), "source");
    mill_branches *branches = mill_stream_split(mill_stream_filter(s, yes, NULL));
    mill_stream *first = mill_branch(branches, yes, NULL);
    mill_stream *both = mill_stream_merge(first, mill_branch_default(branches));
    mill_stream *own = mill_stream_process(both, counted(freed), NULL, 0);
    mill_grouped *g = mill_grouped_as(mill_stream_group_by(own, to_value, NULL), "hits");
    mill_table_to(mill_grouped_reduce(g, concatenate, NULL, mill_as(NULL)), "out");
    mill_windowed *w = mill_grouped_windowed_by(g, mill_window_tumbling(10, 0));
    mill_table_to(mill_windowed_count_distinct(w, mill_as("uv")), "out");
}

static void lack_of_memory_at_any_allocation_is_an_error_and_frees_everything(void **state)
{
    for (uint64_t nth = 1;; nth++) {
        int freed = 0;
        mem_fail_at(nth, 0);
        mill_topology *t = mill_topology_new();
        if (t != NULL)
            build_everything(t, &freed);
        char *text = t == NULL ? NULL : mill_topology_describe(t);
        bool failed = mem_fail_at(0, 0) >= nth;
        if (text == NULL && t != NULL && mill_topology_error(t) != NULL)
            assert_non_null(strstr(mill_topology_error(t), "memory"));
        assert_true(failed || text != NULL);
        mill_free(text);
        mill_topology_free(t);
        assert_true(freed <= 1);
        if (!failed) {
            assert_int_equal(freed, 1);
            break;
        }
    }
}

/* Kafka Streams refuses the same ones, whichever comes first. */
static void a_topic_that_a_pattern_matches_has_no_other_source(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_stream_to(mill_topology_stream_pattern(t, "t-.*", NULL), "o1");
    mill_stream_to(mill_topology_stream(t, "t-a", NULL), "o2");
    expect_error(t, "topic t-a is read by KSTREAM-SOURCE-0000000002 and matches the pattern t-.* of KSTREAM-SOURCE-0000000000");

    t = mill_topology_new();
    mill_topology_table(t, "t-a", NULL, mill_as(NULL));
    mill_stream_to(mill_topology_stream_pattern(t, "t-.*", NULL), "o1");
    expect_error(t, "the pattern t-.* of KSTREAM-SOURCE-0000000003 matches the topic t-a, which KSTREAM-SOURCE-");

    t = mill_topology_new();
    mill_stream_to(mill_topology_stream_pattern(t, "t-.*", NULL), "o1");
    mill_topology_global_table(t, "t-a", NULL, mill_as("rows"));
    expect_error(t, "matches the pattern t-.*");

    t = mill_topology_new();
    mill_stream_to(mill_topology_stream_pattern(t, "t-[a-z]", NULL), "t-a");
    mill_stream_to(mill_topology_stream(t, "t-ab", NULL), "o2"); /* the whole name has to match */
    mill_stream_to(mill_topology_stream(t, "at-a", NULL), "o2");
    char *text = mill_topology_describe(t);
    assert_non_null(text);
    mill_free(text);
    mill_topology_free(t);
}

static void a_pattern_that_is_none_is_refused_with_the_reason(void **state)
{
    static const char *const PATTERNS[] = { "t-[a", "(", "", NULL };
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++) {
        mill_topology *t = mill_topology_new();
        mill_stream_to(mill_topology_stream_pattern(t, PATTERNS[i], NULL), "out");
        expect_error(t, "is no extended regular expression: ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_topology_is_an_error),
        cmocka_unit_test(a_missing_function_is_an_error_and_later_calls_go_on),
        cmocka_unit_test(a_topic_name_that_kafka_refuses_is_an_error),
        cmocka_unit_test(overlapping_sources_are_an_error),
        cmocka_unit_test(one_topic_with_two_sets_of_options_is_an_error),
        cmocka_unit_test(two_stores_of_one_name_are_an_error),
        cmocka_unit_test(two_nodes_of_one_name_are_an_error),
        cmocka_unit_test(a_store_that_is_not_there_is_an_error),
        cmocka_unit_test(an_operator_of_our_own_needs_a_name),
        cmocka_unit_test(impossible_windows_are_an_error),
        cmocka_unit_test(a_retention_below_size_and_grace_is_an_error),
        cmocka_unit_test(streams_of_two_topologies_do_not_merge),
        cmocka_unit_test(a_branch_behind_the_default_is_an_error),
        cmocka_unit_test(our_own_operators_take_no_number_of_kafka_streams),
        cmocka_unit_test(a_windowed_key_is_known_as_one_until_an_operator_may_change_it),
        cmocka_unit_test(what_only_drops_records_leaves_the_form_of_their_keys),
        cmocka_unit_test(streams_share_a_source_of_just_the_same_topics),
        cmocka_unit_test(streams_may_part_and_meet_often),
        cmocka_unit_test(what_reads_a_topic_needs_its_name),
        cmocka_unit_test(a_table_knows_its_stores_name),
        cmocka_unit_test(a_processors_argument_is_freed_once_whatever_happens),
        cmocka_unit_test(lack_of_memory_at_any_allocation_is_an_error_and_frees_everything),
        cmocka_unit_test(a_topic_that_a_pattern_matches_has_no_other_source),
        cmocka_unit_test(a_pattern_that_is_none_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
