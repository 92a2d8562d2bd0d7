/*
 * Pipelines describe themselves as Kafka Streams does, node for node, number for number. The facts lie beside this file,
 * printed by KafkaStreamsDescribe.java with Apache Kafka 4.3.1; each pipeline here is the one of that name there.
 */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "millstream/millstream.h"

static bool yes(const mill_record *record, void *ctx)
{
    return true;
}

static int same(const mill_record *record, mill_record *result, mill_context *context, void *ctx)
{
    return 0;
}

static int value_of(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = record->value;
    return 0;
}

static int one(const mill_record *record, mill_emitter *out, void *ctx)
{
    return mill_emit(out, record);
}

static int both(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = right;
    return 0;
}

static void look(const mill_record *record, void *ctx)
{
}

static int keep(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    return 0;
}

static int empty(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

static int unchanged(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return 0;
}

static int forward(mill_context *context, void *self, const mill_record *record)
{
    return mill_forward(context, record);
}

static const mill_processor_type PROCESSOR = { .name = "own", .process = forward };
static const mill_processor_supplier OWN = { .type = &PROCESSOR };

static mill_stream *in(mill_topology *t, const char *topic)
{
    return mill_topology_stream(t, topic, NULL);
}

static mill_time_windows minute(void)
{
    return mill_window_tumbling(MILL_MINUTES(1), 0);
}

static void add_store(mill_topology *t, const char *name)
{
    mill_topology_add_store(t, mill_key_value_store(name), NULL, 0);
}

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static void filter_to_a_topic(mill_topology *t)
{
    mill_stream_to(mill_stream_filter(in(t, "in"), yes, NULL), "out");
}

static void every_stateless_operator(mill_topology *t)
{
    mill_stream *s = mill_stream_filter_not(in(t, "in"), yes, NULL);
    s = mill_stream_map_values(mill_stream_map(s, same, NULL), value_of, NULL);
    s = mill_stream_flat_map_values(mill_stream_flat_map(s, one, NULL), one, NULL);
    s = mill_stream_peek(mill_stream_select_key(s, value_of, NULL), look, NULL);
    mill_stream_for_each(s, look, NULL);
}

static void count_by_key(mill_topology *t)
{
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(in(t, "in")), mill_as(NULL)), "out");
}

static void count_by_a_new_key(mill_topology *t)
{
    mill_table_to(mill_grouped_count(mill_stream_group_by(in(t, "in"), value_of, NULL), mill_as(NULL)), "out");
}

static void count_under_a_name_behind_a_map(mill_topology *t)
{
    mill_grouped *g = mill_stream_group_by_key(mill_stream_map(in(t, "in"), same, NULL));
    mill_table_to(mill_grouped_count(g, mill_as("counts")), "out");
}

static void two_windowed_aggregations_of_one_group(mill_topology *t)
{
    mill_stream *hits = mill_stream_flat_map(in(t, "access-log"), one, NULL);
    mill_windowed *w = mill_grouped_windowed_by(mill_stream_group_by_key(hits), minute());
    mill_table_to(mill_windowed_count(w, mill_as("pv")), "page-views");
    mill_table_to(mill_windowed_reduce(w, keep, NULL, mill_as("last")), "last-visitors");
}

static void two_aggregations_of_a_named_group(mill_topology *t)
{
    mill_grouped *g = mill_grouped_as(mill_stream_group_by_key(mill_stream_map(in(t, "in"), same, NULL)), "hits");
    mill_table_to(mill_grouped_count(g, mill_as("pv")), "page-views");
    mill_table_to(mill_grouped_reduce(g, keep, NULL, mill_as("last")), "last-visitors");
}

static void two_unnamed_windowed_aggregations_of_a_named_group(mill_topology *t)
{
    mill_grouped *g = mill_grouped_as(mill_stream_group_by_key(mill_stream_map(in(t, "in"), same, NULL)), "hits");
    mill_table_to(mill_windowed_count(mill_grouped_windowed_by(g, minute()), mill_as(NULL)), "page-views");
    mill_table_to(mill_windowed_aggregate(mill_grouped_windowed_by(g, minute()), empty, unchanged, NULL, mill_as(NULL)),
                  "others");
}

static void group_by_a_new_key_under_a_name(mill_topology *t)
{
    mill_grouped *g = mill_grouped_as(mill_stream_group_by(in(t, "in"), value_of, NULL), "by-value");
    mill_table_to(mill_grouped_count(g, mill_as(NULL)), "out");
}

static void reduce_and_aggregate(mill_topology *t)
{
    mill_grouped *g = mill_stream_group_by_key(in(t, "in"));
    mill_grouped_reduce(g, keep, NULL, mill_as(NULL));
    mill_grouped_aggregate(g, empty, unchanged, NULL, mill_as(NULL));
}

static void an_unnamed_group_used_twice(mill_topology *t)
{
    mill_grouped *g = mill_stream_group_by_key(mill_stream_select_key(in(t, "in"), value_of, NULL));
    mill_grouped_count(g, mill_as(NULL));
    mill_grouped_count(g, mill_as(NULL));
}

static void split_with_a_default(mill_topology *t)
{
    mill_branches *b = mill_stream_split(in(t, "in"));
    mill_stream *first = mill_branch(b, yes, NULL);
    mill_stream *second = mill_branch(b, yes, NULL);
    mill_stream *rest = mill_branch_default(b);
    mill_stream_to(first, "first");
    mill_stream_to(second, "second");
    mill_stream_to(rest, "rest");
}

static void split_then_count_each_branch(mill_topology *t)
{
    mill_branches *b = mill_stream_split(mill_stream_map(in(t, "in"), same, NULL));
    mill_stream *first = mill_branch(b, yes, NULL);
    mill_stream *rest = mill_branch_default(b);
    mill_grouped_count(mill_stream_group_by_key(first), mill_as(NULL));
    mill_grouped_count(mill_stream_group_by_key(rest), mill_as(NULL));
}

static void merge(mill_topology *t)
{
    mill_stream *a = in(t, "a");
    mill_stream_to(mill_stream_merge(a, in(t, "b")), "out");
}

static void merge_with_a_stream_of_new_keys(mill_topology *t)
{
    mill_stream *a = in(t, "a");
    mill_stream *b = in(t, "b");
    mill_stream *both = mill_stream_merge(mill_stream_map(a, same, NULL), b);
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(both), mill_as(NULL)), "out");
}

static void repartition(mill_topology *t)
{
    mill_stream_to(mill_stream_repartition(in(t, "a"), NULL, 0), "out");
}

static void repartition_under_a_name_then_count_twice(mill_topology *t)
{
    mill_stream *hits = mill_stream_repartition(mill_stream_select_key(in(t, "a"), value_of, NULL), "hits", 0);
    mill_grouped_count(mill_stream_group_by_key(hits), mill_as(NULL));
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(hits), mill_as("x")), "out");
}

static void repartition_under_a_name_that_has_the_suffix(mill_topology *t)
{
    mill_stream_to(mill_stream_repartition(in(t, "a"), "hits-repartition", 5), "out");
}

static void a_processor_with_a_store_then_count(mill_topology *t)
{
    add_store(t, "st");
    mill_stream *s = mill_stream_process(in(t, "a"), OWN, (const char *[]){ "st" }, 1);
    mill_grouped_count(mill_stream_group_by_key(s), mill_as(NULL));
}

static void a_processor_of_values_then_count(mill_topology *t)
{
    mill_grouped_count(mill_stream_group_by_key(mill_stream_process_values(in(t, "a"), OWN, NULL, 0)), mill_as(NULL));
}

static void a_named_processor_then_an_unnamed_one(mill_topology *t)
{
    mill_stream *named = mill_stream_as(mill_stream_process(in(t, "in"), OWN, NULL, 0), "pp");
    mill_stream_to(mill_stream_process(named, OWN, NULL, 0), "out");
}

static void a_processor_with_eight_stores(mill_topology *t)
{
    static const char *const names[] = { "users", "alpha", "st", "beta", "counts", "z", "store-7", "gamma" };
    for (size_t i = 0; i < 8; i++)
        add_store(t, names[i]);
    mill_stream_to(mill_stream_process(in(t, "a"), OWN, names, 8), "out");
}

static void two_processors_that_share_a_store(mill_topology *t)
{
    add_store(t, "st");
    mill_stream_to(mill_stream_process(in(t, "a"), OWN, (const char *[]){ "st" }, 1), "x");
    mill_stream_to(mill_stream_process(in(t, "b"), OWN, (const char *[]){ "st" }, 1), "y");
}

static void a_source_of_five_topics(mill_topology *t)
{
    static const char *const topics[] = { "clicks", "views", "alpha", "zeta", "m" };
    mill_stream_to(mill_topology_stream_of(t, topics, 5, NULL), "out");
}

static void one_topic_two_streams(mill_topology *t)
{
    mill_stream_to(mill_stream_filter(in(t, "in"), yes, NULL), "x");
    mill_stream_to(mill_stream_map_values(in(t, "in"), value_of, NULL), "y");
}

static void the_same_topics_in_another_order(mill_topology *t)
{
    mill_stream_to(mill_topology_stream_of(t, (const char *[]){ "a", "b" }, 2, NULL), "x");
    mill_stream_to(mill_topology_stream_of(t, (const char *[]){ "b", "a" }, 2, NULL), "y");
}

static void a_stream_that_fans_out(mill_topology *t)
{
    mill_stream *s = in(t, "in");
    mill_stream_to(s, "a");
    mill_stream_to(mill_stream_map_values(mill_stream_filter(s, yes, NULL), value_of, NULL), "b");
    mill_stream_to(mill_stream_map_values(s, value_of, NULL), "c");
    mill_stream_to(mill_stream_filter(mill_stream_filter(mill_stream_peek(s, look, NULL), yes, NULL), yes, NULL), "d");
    mill_stream_for_each(s, look, NULL);
}

static void a_diamond(mill_topology *t)
{
    mill_stream *s = in(t, "in");
    mill_stream *f = mill_stream_filter(s, yes, NULL);
    mill_stream *g = mill_stream_map_values(s, value_of, NULL);
    mill_stream_to(mill_stream_merge(mill_stream_merge(f, g), s), "out");
    mill_stream_to(f, "f");
}

static void names_everywhere(mill_topology *t)
{
    mill_stream *s = mill_stream_as(mill_stream_filter(mill_stream_as(in(t, "in"), "src"), yes, NULL), "flt");
    mill_table *counts = mill_table_as(mill_grouped_count(mill_stream_group_by_key(s), mill_as("st")), "cnt");
    mill_stream_to(mill_stream_as(mill_table_to_stream(counts), "ts"), "out");
}

static void a_named_windowed_count(mill_topology *t)
{
    mill_stream *s = mill_stream_as(mill_stream_select_key(in(t, "in"), value_of, NULL), "sk");
    mill_windowed *w = mill_grouped_windowed_by(mill_stream_group_by_key(s), minute());
    mill_table *counts = mill_table_as(mill_windowed_count(w, mill_as(NULL)), "cnt");
    mill_stream_to(mill_stream_as(mill_table_to_stream(counts), "ts"), "out");
}

static void a_windowed_result_grouped_again(mill_topology *t)
{
    mill_windowed *w = mill_grouped_windowed_by(mill_stream_group_by_key(in(t, "in")), minute());
    mill_stream *s = mill_table_to_stream(mill_windowed_count(w, mill_as(NULL)));
    mill_table_to(mill_grouped_count(mill_stream_group_by(s, value_of, NULL), mill_as(NULL)), "out");
}

static void three_repartitions(mill_topology *t)
{
    static const char *const topics[] = { "t3", "t2", "t1" };
    static const char *const stores[] = { "c0", "c1", "c2" };
    static const char *const outputs[] = { "o0", "o1", "o2" };
    for (int i = 0; i < 3; i++)
        mill_table_to(mill_grouped_count(mill_stream_group_by(in(t, topics[i]), value_of, NULL), mill_as(stores[i])), outputs[i]);
}

static void subtopologies_with_named_sources(mill_topology *t)
{
    mill_stream_to(mill_stream_as(in(t, "zz"), "z-src"), "o1");
    mill_stream_to(mill_stream_as(in(t, "aa"), "a-src"), "o2");
    mill_stream_to(in(t, "mm"), "o3");
}

static void print(mill_topology *t)
{
    mill_stream_print(mill_stream_filter(mill_topology_stream(t, "in", NULL), yes, NULL), NULL);
}

static void processors_that_bring_a_store(mill_topology *t)
{
    mill_store_builder *shared[] = { mill_key_value_store("shared") };
    mill_processor_supplier supplier = { .type = &PROCESSOR, .stores = shared, .store_count = 1 };
    mill_stream *s = mill_topology_stream(t, "in", NULL);
    mill_stream_to(mill_stream_process(s, supplier, NULL, 0), "out");
    mill_stream_to(mill_stream_process_values(s, supplier, NULL, 0), "values");
}

static void written_then_read_again(mill_topology *t)
{
    mill_stream *s = in(t, "in");
    mill_stream_to(s, "mid");
    mill_stream_to(mill_stream_filter(s, yes, NULL), "mid");
    mill_grouped_count(mill_stream_group_by_key(in(t, "mid")), mill_as(NULL));
}

static mill_stream *matching(mill_topology *t, const char *pattern)
{
    return mill_topology_stream_pattern(t, pattern, NULL);
}

static void a_pattern(mill_topology *t)
{
    mill_stream_to(matching(t, "orders-[a-z]+"), "orders-all");
}

static void one_pattern_twice(mill_topology *t)
{
    mill_stream_to(matching(t, "t-.*"), "o1");
    mill_stream_to(mill_stream_filter(matching(t, "t-.*"), yes, NULL), "o2");
}

static void two_patterns_that_overlap(mill_topology *t)
{
    mill_stream_to(matching(t, "t-.*"), "o1");
    mill_stream_to(mill_stream_as(matching(t, "t-a.*"), "narrow"), "o2");
}

static void a_pattern_counted_by_a_new_key(mill_topology *t)
{
    mill_grouped *grouped = mill_stream_group_by_key(mill_stream_select_key(matching(t, "t-.*"), value_of, NULL));
    mill_table_to(mill_grouped_count(grouped, mill_as(NULL)), "out");
}

static void a_pattern_merged_and_joined(mill_topology *t)
{
    mill_stream *matched = matching(t, "t-.*");
    mill_stream *merged = mill_stream_merge(matched, in(t, "u"));
    mill_table *rows = mill_topology_table(t, "rows", NULL, mill_as(NULL));
    mill_stream_to(mill_stream_join_table(merged, rows, both, NULL, mill_joined_as(NULL)), "out");
}

static const struct pipeline {
    const char *name;
    void (*build)(mill_topology *topology);
} PIPELINES[] = {
    { "filter to a topic", filter_to_a_topic },
    { "every stateless operator", every_stateless_operator },
    { "count by key", count_by_key },
    { "count by a new key", count_by_a_new_key },
    { "count under a name behind a map", count_under_a_name_behind_a_map },
    { "two windowed aggregations of one group", two_windowed_aggregations_of_one_group },
    { "two aggregations of a named group", two_aggregations_of_a_named_group },
    { "two unnamed windowed aggregations of a named group", two_unnamed_windowed_aggregations_of_a_named_group },
    { "group by a new key under a name", group_by_a_new_key_under_a_name },
    { "reduce and aggregate", reduce_and_aggregate },
    { "an unnamed group used twice", an_unnamed_group_used_twice },
    { "split with a default", split_with_a_default },
    { "split, then count each branch", split_then_count_each_branch },
    { "merge", merge },
    { "merge with a stream of new keys", merge_with_a_stream_of_new_keys },
    { "repartition", repartition },
    { "repartition under a name, then count twice", repartition_under_a_name_then_count_twice },
    { "repartition under a name that has the suffix", repartition_under_a_name_that_has_the_suffix },
    { "a processor with a store, then count", a_processor_with_a_store_then_count },
    { "a processor of values, then count", a_processor_of_values_then_count },
    { "a named processor, then an unnamed one", a_named_processor_then_an_unnamed_one },
    { "a processor with eight stores", a_processor_with_eight_stores },
    { "two processors that share a store", two_processors_that_share_a_store },
    { "a source of five topics", a_source_of_five_topics },
    { "one topic, two streams", one_topic_two_streams },
    { "the same topics in another order", the_same_topics_in_another_order },
    { "a stream that fans out", a_stream_that_fans_out },
    { "a diamond", a_diamond },
    { "names everywhere", names_everywhere },
    { "a named windowed count", a_named_windowed_count },
    { "a windowed result grouped again", a_windowed_result_grouped_again },
    { "three repartitions", three_repartitions },
    { "sub-topologies with named sources", subtopologies_with_named_sources },
    { "written, then read again", written_then_read_again },
    { "print", print },
    { "processors that bring a store", processors_that_bring_a_store },
    { "a pattern", a_pattern },
    { "one pattern twice", one_pattern_twice },
    { "two patterns that overlap", two_patterns_that_overlap },
    { "a pattern counted by a new key", a_pattern_counted_by_a_new_key },
    { "a pattern merged with a topic and joined with a table", a_pattern_merged_and_joined },
};

enum { PIPELINE_COUNT = sizeof PIPELINES / sizeof PIPELINES[0], FACTS_BYTES_MAX = 1 << 20 };

/* ---- the facts ----------------------------------------------------------------------------------------------------------- */

static char *read_facts(void)
{
    char path[4096];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/kafka_streams_describe.txt", (int)(slash - __FILE__), __FILE__);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *facts = malloc(FACTS_BYTES_MAX);
    size_t len = fread(facts, 1, FACTS_BYTES_MAX - 1, file);
    facts[len] = '\0';
    fclose(file);
    return facts;
}

/* The text under "### name", up to the next heading; to be freed. */
static char *find_fact(const char *facts, const char *name)
{
    char heading[128];
    snprintf(heading, sizeof heading, "### %s\n", name);
    const char *start = strstr(facts, heading);
    if (start == NULL)
        fail_msg("no fact is called \"%s\"", name);
    start += strlen(heading);
    const char *end = strstr(start, "### ");
    return strndup(start, end == NULL ? strlen(start) : (size_t)(end - start));
}

static void every_pipeline_describes_itself_as_kafka_streams_does(void **state)
{
    char *facts = read_facts();
    for (size_t i = 0; i < PIPELINE_COUNT; i++) {
        mill_topology *topology = mill_topology_new();
        PIPELINES[i].build(topology);
        char *ours = mill_topology_describe(topology);
        char *theirs = find_fact(facts, PIPELINES[i].name);
        if (ours == NULL)
            fail_msg("%s: %s", PIPELINES[i].name, mill_topology_error(topology));
        assert_string_equal(ours, theirs);
        mill_free(ours);
        free(theirs);
        mill_topology_free(topology);
    }
    free(facts);
}

static void every_fact_has_its_pipeline(void **state)
{
    char *facts = read_facts();
    size_t count = 0;
    for (const char *at = strstr(facts, "### "); at != NULL; at = strstr(at + 1, "### "))
        count++;
    assert_int_equal(count, PIPELINE_COUNT + 1); /* and "### end" */
    free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_describes_itself_as_kafka_streams_does),
        cmocka_unit_test(every_fact_has_its_pipeline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
