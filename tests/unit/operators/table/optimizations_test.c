/* Pipelines with topology.optimization=all. Facts: facts.h. */
#include "unit/operators/table/facts.h"
#include "unit/operators/table/functions.h"

static int first_letter(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = record->value.len == 0 ? mill_null() : mill_bytes_of(record->value.data, 1);
    return 0;
}

static mill_stream *by_value(mill_topology *t, const char *topic)
{
    return mill_stream_select_key(records(t, topic), first_letter, NULL);
}

static bool has_long_value(const mill_record *record, void *ctx)
{
    return record->value.len > 1;
}

static bool has_key(const mill_record *record, void *ctx)
{
    return !mill_is_null(record->key);
}

static void look(const mill_record *record, void *ctx)
{
}

static void one_count_behind_a_filter(mill_topology *t)
{
    mill_stream *s = by_value(t, "in");
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(mill_stream_filter(s, has_long_value, NULL)), mill_as(NULL)),
                  "out");
}

static void two_counts_of_one_stream(mill_topology *t)
{
    mill_stream *s = by_value(t, "in");
    mill_grouped_count(mill_stream_group_by_key(s), mill_as(NULL));
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(s), mill_as(NULL)), "out");
}

static void two_counts_one_behind_a_filter_one_under_a_name(mill_topology *t)
{
    mill_stream *s = by_value(t, "in");
    mill_grouped_count(mill_stream_group_by_key(mill_stream_filter(s, has_long_value, NULL)), mill_as("long-ones"));
    mill_grouped *all = mill_grouped_as(mill_stream_group_by_key(s), "all");
    mill_table_to(mill_grouped_count(all, mill_as(NULL)), "out");
}

static void a_count_behind_new_values_stays(mill_topology *t)
{
    mill_stream *s = by_value(t, "in");
    s = mill_stream_map_values(s, exclaim, NULL);
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(s), mill_as(NULL)), "out");
}

static void an_explicit_repartition_stays(mill_topology *t)
{
    mill_stream *s = by_value(t, "in");
    s = mill_stream_repartition(mill_stream_filter(s, has_key, NULL), "mine", 0);
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(s), mill_as(NULL)), "out");
}

static void a_count_and_a_table_behind_new_keys(mill_topology *t)
{
    mill_stream *s = by_value(t, "in");
    mill_grouped_count(mill_stream_group_by_key(s), mill_as(NULL));
    mill_table *table = mill_stream_to_table(mill_stream_peek(s, look, NULL), mill_as("rows"));
    mill_table_to(mill_table_filter(table, is_long, NULL, mill_as(NULL)), "out");
}

static void a_count_and_a_join_with_a_table(mill_topology *t)
{
    mill_stream *s = by_value(t, "l");
    mill_grouped_count(mill_stream_group_by_key(s), mill_as(NULL));
    mill_stream_to(mill_stream_join_table(s, rows(t, "r"), both, NULL, mill_joined_as(NULL)), "out");
}

static void counts_below_merged_streams_of_new_keys(mill_topology *t)
{
    mill_stream *l = by_value(t, "l");
    mill_stream *s = mill_stream_merge(l, by_value(t, "r"));
    mill_grouped_count(mill_stream_group_by_key(s), mill_as("first"));
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(mill_stream_filter(s, has_long_value, NULL)), mill_as(NULL)),
                  "out");
}

static void two_changes_of_keys(mill_topology *t)
{
    mill_stream *s = by_value(t, "in");
    mill_grouped_count(mill_stream_group_by_key(s), mill_as("first"));
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(mill_stream_select_key(s, to_value, NULL)), mill_as(NULL)), "out");
}

static void a_table_of_a_reused_topic(mill_topology *t)
{
    mill_table_to(mill_grouped_table_count(letters(rows(t, "in")), mill_as(NULL)), "out");
}

static const struct table_pipeline PIPELINES[] = {
    { "one count behind a filter", one_count_behind_a_filter, .longs = true, .optimizations = "all" },
    { "two counts of one stream", two_counts_of_one_stream, .longs = true, .optimizations = "all" },
    { "two counts, one behind a filter, one under a name", two_counts_one_behind_a_filter_one_under_a_name, .longs = true,
      .optimizations = "all" },
    { "a count behind new values stays", a_count_behind_new_values_stays, .longs = true, .optimizations = "all" },
    { "an explicit repartition stays", an_explicit_repartition_stays, .longs = true, .optimizations = "all" },
    { "a count and a table behind new keys", a_count_and_a_table_behind_new_keys, .optimizations = "all" },
    { "a count and a join with a table", a_count_and_a_join_with_a_table, .optimizations = "all" },
    { "counts below merged streams of new keys", counts_below_merged_streams_of_new_keys, .longs = true, .optimizations = "all" },
    { "two changes of keys", two_changes_of_keys, .longs = true, .optimizations = "all" },
    { "a table of a reused topic", a_table_of_a_reused_topic, .longs = true, .optimizations = "all" },
};

static void every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams(void **state)
{
    facts_compare_all(__FILE__, "kafka_streams_optimizations.txt", PIPELINES, sizeof PIPELINES / sizeof PIPELINES[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
