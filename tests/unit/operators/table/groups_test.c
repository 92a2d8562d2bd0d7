/* Tables grouped by keys of their rows' making. Facts: facts.h. */
#include "unit/operators/table/facts.h"
#include "unit/operators/table/functions.h"

/* ---- the user's functions, as in the Java program ------------------------------------------------------------------------ */

static int begin(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("<");
    return 0;
}

static int add(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return plus(aggregate, value, context, NULL);
}

static int take(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return minus(aggregate, value, context, NULL);
}

static int append(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return concatenate(aggregate, value, context, NULL);
}

static int value_and_key(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = row->value;
    return concatenate(result, row->key, context, NULL);
}

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static void a_count_of_groups(mill_topology *t)
{
    mill_table_to(mill_grouped_table_count(letters(rows(t, "in")), mill_as(NULL)), "out");
}

static void a_count_of_groups_with_a_store(mill_topology *t)
{
    mill_table_to(mill_grouped_table_count(letters(rows(t, "in")), mill_as("counts")), "out");
}

static void reduced_groups(mill_topology *t)
{
    mill_table_to(reduced(letters(rows(t, "in")), NULL), "out");
}

static void aggregated_groups(mill_topology *t)
{
    mill_grouped_table *g = letters(rows(t, "in"));
    mill_table_to(mill_grouped_table_aggregate(g, begin, add, take, NULL, mill_as(NULL)), "out");
}

static void groups_of_a_filter(mill_topology *t)
{
    mill_table *filtered = mill_table_filter(rows(t, "in"), is_long, NULL, mill_as(NULL));
    mill_table_to(mill_grouped_table_count(letters(filtered), mill_as(NULL)), "out");
}

static void groups_of_a_filter_which_is_seen_too(mill_topology *t)
{
    mill_table *filtered = mill_table_filter(rows(t, "in"), is_long, NULL, mill_as(NULL));
    mill_grouped_table_count(letters(filtered), mill_as(NULL));
    mill_table_to(filtered, "out");
}

static void groups_of_a_filter_with_a_store(mill_topology *t)
{
    mill_table *filtered = mill_table_filter(rows(t, "in"), is_long, NULL, mill_as("long"));
    mill_table_to(mill_grouped_table_count(letters(filtered), mill_as(NULL)), "out");
}

static void groups_of_mapped_values(mill_topology *t)
{
    mill_table *mapped = mill_table_map_values(rows(t, "in"), value_and_key, NULL, mill_as(NULL));
    mill_table_to(mill_grouped_table_count(letters(mapped), mill_as(NULL)), "out");
}

static void groups_of_transformed_values(mill_topology *t)
{
    mill_table_to(reduced(letters(counting(t, rows(t, "in"), NULL)), NULL), "out");
}

static void a_count_of_counts(mill_topology *t)
{
    mill_table *counts = mill_grouped_count(mill_stream_group_by_key(records(t, "in")), mill_as(NULL));
    mill_table_to(mill_grouped_table_count(mill_table_group_by(counts, all_rows, NULL), mill_as(NULL)), "out");
}

static void a_count_of_aggregates(mill_topology *t)
{
    mill_grouped *g = mill_stream_group_by_key(records(t, "in"));
    mill_table *all = mill_grouped_aggregate(g, nothing, append, NULL, mill_as(NULL));
    mill_table_to(mill_grouped_table_count(mill_table_group_by(all, all_rows, NULL), mill_as(NULL)), "out");
}

static void a_count_of_reduced_values(mill_topology *t)
{
    mill_grouped *g = mill_stream_group_by_key(records(t, "in"));
    mill_table *all = mill_grouped_reduce(g, concatenate, NULL, mill_as(NULL));
    mill_table_to(mill_grouped_table_count(mill_table_group_by(all, all_rows, NULL), mill_as(NULL)), "out");
}

static void groups_of_groups(mill_topology *t)
{
    mill_table *groups = reduced(letters(rows(t, "in")), NULL);
    mill_table_to(mill_grouped_table_count(mill_table_group_by(groups, all_rows, NULL), mill_as(NULL)), "out");
}

static void two_aggregations_of_a_named_group(mill_topology *t)
{
    mill_grouped_table *g = mill_grouped_table_as(letters(rows(t, "in")), "letters");
    mill_grouped_table_count(g, mill_as(NULL));
    mill_table_to(reduced(g, "reduced"), "out");
}

static void two_aggregations_of_an_unnamed_group(mill_topology *t)
{
    mill_grouped_table *g = letters(rows(t, "in"));
    mill_grouped_table_count(g, mill_as(NULL));
    mill_table_to(reduced(g, NULL), "out");
}

static void a_named_aggregation_of_groups(mill_topology *t)
{
    mill_table *counts = mill_table_as(mill_grouped_table_count(letters(rows(t, "in")), mill_as("counts")), "n");
    mill_stream_to(mill_stream_as(mill_table_to_stream(counts), "ts"), "out");
}

static void groups_of_a_stream_s_table_of_new_keys(mill_topology *t)
{
    mill_stream *keyed = mill_stream_select_key(records(t, "in"), to_value, NULL);
    mill_table_to(mill_grouped_table_count(letters(mill_stream_to_table(keyed, mill_as(NULL))), mill_as(NULL)), "out");
}

static const struct table_pipeline PIPELINES[] = {
    { "a count of groups", a_count_of_groups, .longs = true },
    { "a count of groups with a store", a_count_of_groups_with_a_store, .longs = true },
    { "reduced groups", reduced_groups },
    { "aggregated groups", aggregated_groups },
    { "groups of a filter", groups_of_a_filter, .longs = true },
    { "groups of a filter, which is seen too", groups_of_a_filter_which_is_seen_too },
    { "groups of a filter with a store", groups_of_a_filter_with_a_store, .longs = true },
    { "groups of mapped values", groups_of_mapped_values, .longs = true },
    { "groups of transformed values", groups_of_transformed_values },
    { "a count of counts", a_count_of_counts, .longs = true },
    { "a count of aggregates", a_count_of_aggregates, .longs = true },
    { "a count of reduced values", a_count_of_reduced_values, .longs = true },
    { "groups of groups", groups_of_groups, .longs = true },
    { "two aggregations of a named group", two_aggregations_of_a_named_group },
    { "two aggregations of an unnamed group", two_aggregations_of_an_unnamed_group },
    { "a named aggregation of groups", a_named_aggregation_of_groups, .longs = true },
    { "groups of a stream's table of new keys", groups_of_a_stream_s_table_of_new_keys, .longs = true },
};

static void every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams(void **state)
{
    facts_compare_all(__FILE__, "kafka_streams_groups.txt", PIPELINES, sizeof PIPELINES / sizeof PIPELINES[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
