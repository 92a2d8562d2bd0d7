/* Tables whose rows have a history, and what is made of them. Facts: facts.h. */
#include "unit/operators/table/facts.h"
#include "unit/operators/table/functions.h"

static mill_table *versions(mill_topology *t, const char *topic, int64_t history_ms)
{
    char store[32];
    snprintf(store, sizeof store, "versions-%s", topic);
    return mill_topology_table(t, topic, NULL, mill_as_versioned(store, history_ms));
}

static int append_but_x(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    if (!mill_bytes_equal(value, mill_string("x")))
        return concatenate(aggregate, value, context, NULL);
    *aggregate = mill_null();
    return 0;
}

static void a_versioned_table_to_a_stream(mill_topology *t)
{
    mill_table_to(versions(t, "in", 15), "out");
}

static void a_filter_of_a_versioned_table(mill_topology *t)
{
    mill_table_to(mill_table_filter(versions(t, "in", 30), is_long, NULL, mill_as(NULL)), "out");
}

static void mapped_values_of_a_versioned_table(mill_topology *t)
{
    mill_table_to(mill_table_map_values(versions(t, "in", 30), key_and_value, NULL, mill_as(NULL)), "out");
}

static void a_filter_of_a_versioned_table_with_a_store(mill_topology *t)
{
    mill_table_to(mill_table_filter(versions(t, "in", 30), is_long, NULL, mill_as("long")), "out");
}

static void a_filter_with_a_versioned_store(mill_topology *t)
{
    mill_table_to(mill_table_filter(rows(t, "in"), is_long, NULL, mill_as_versioned("long", 30)), "out");
}

static void mapped_values_with_a_versioned_store_grouped(mill_topology *t)
{
    mill_table *mapped = mill_table_map_values(rows(t, "in"), to_value, NULL, mill_as_versioned("mapped", 30));
    mill_table_to(mill_grouped_table_count(letters(mapped), mill_as(NULL)), "out");
}

static void groups_of_a_versioned_table(mill_topology *t)
{
    mill_table_to(reduced(letters(versions(t, "in", 30)), NULL), "out");
}

static void groups_of_a_filter_of_a_versioned_table(mill_topology *t)
{
    mill_table *filtered = mill_table_filter(versions(t, "in", 30), is_long, NULL, mill_as(NULL));
    mill_table_to(mill_grouped_table_count(letters(filtered), mill_as(NULL)), "out");
}

static void groups_of_a_filter_with_a_store_of_a_versioned_table(mill_topology *t)
{
    mill_table *filtered = mill_table_filter(versions(t, "in", 30), is_long, NULL, mill_as("long"));
    mill_table_to(mill_grouped_table_count(letters(filtered), mill_as(NULL)), "out");
}

static void an_inner_join_of_versioned_tables(mill_topology *t)
{
    mill_table *l = versions(t, "l", 30);
    mill_table *r = versions(t, "r", 30);
    mill_table_to(mill_table_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void a_left_join_of_a_versioned_table(mill_topology *t)
{
    mill_table *l = versions(t, "l", 30);
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_left_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void an_outer_join_with_a_versioned_table(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = versions(t, "r", 30);
    mill_table_to(mill_table_outer_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void an_outer_join_of_versioned_tables_with_a_versioned_store_grouped(mill_topology *t)
{
    mill_table *l = versions(t, "l", 30);
    mill_table *r = versions(t, "r", 30);
    mill_table *lr = mill_table_outer_join(l, r, both, NULL, mill_as_versioned("joined", 30));
    mill_table_to(reduced(mill_table_group_by(lr, by_second, NULL), NULL), "out");
}

static void an_inner_foreign_key_join_of_versioned_tables(mill_topology *t)
{
    mill_table *l = versions(t, "l", 30);
    mill_table *r = versions(t, "r", 30);
    mill_table_to(mill_table_foreign_key_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)), "out");
}

static void a_left_foreign_key_join_with_a_versioned_table(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = versions(t, "r", 30);
    mill_table_to(mill_table_foreign_key_left_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)), "out");
}

static void a_stream_joined_with_a_versioned_table(mill_topology *t)
{
    mill_stream *l = records(t, "l");
    mill_stream_to(mill_stream_left_join_table(l, versions(t, "r", 30), both, NULL, mill_joined_as(NULL)), "out");
}

static void a_stream_joined_with_a_filter_of_a_versioned_table(mill_topology *t)
{
    mill_stream *l = records(t, "l");
    mill_table *r = mill_table_filter(versions(t, "r", 30), is_long, NULL, mill_as(NULL));
    mill_stream_to(
        mill_stream_left_join_table(l, mill_table_map_values(r, exclaim, NULL, mill_as(NULL)), both, NULL, mill_joined_as(NULL)),
        "out");
}

static void a_stream_joined_with_a_join_of_versioned_tables(mill_topology *t)
{
    mill_stream *l = records(t, "l");
    mill_table *r = versions(t, "r", 30);
    mill_table *m = versions(t, "m", 30);
    mill_stream_to(
        mill_stream_left_join_table(l, mill_table_outer_join(r, m, both, NULL, mill_as(NULL)), both, NULL, mill_joined_as(NULL)),
        "out");
}

static void a_stream_to_a_versioned_table(mill_topology *t)
{
    mill_table_to(
        mill_table_filter(mill_stream_to_table(records(t, "in"), mill_as_versioned("rows", 30)), is_long, NULL, mill_as(NULL)),
        "out");
}

static void a_versioned_reduced_value_grouped(mill_topology *t)
{
    mill_grouped *g = mill_stream_group_by_key(records(t, "in"));
    mill_table *all = mill_grouped_reduce(g, concatenate, NULL, mill_as_versioned("reduced", 30));
    mill_table_to(mill_grouped_table_count(mill_table_group_by(all, all_rows, NULL), mill_as(NULL)), "out");
}

static void a_versioned_aggregate_grouped(mill_topology *t)
{
    mill_grouped *g = mill_stream_group_by_key(records(t, "in"));
    mill_table *all = mill_grouped_aggregate(g, nothing, append_but_x, NULL, mill_as_versioned("aggregated", 30));
    mill_table_to(mill_grouped_table_count(mill_table_group_by(all, all_rows, NULL), mill_as(NULL)), "out");
}

static void versioned_counts_of_groups(mill_topology *t)
{
    mill_table_to(mill_grouped_table_count(letters(rows(t, "in")), mill_as_versioned("counts", 30)), "out");
}

static const struct table_pipeline PIPELINES[] = {
    { "a versioned table to a stream", a_versioned_table_to_a_stream },
    { "a filter of a versioned table", a_filter_of_a_versioned_table },
    { "mapped values of a versioned table", mapped_values_of_a_versioned_table },
    { "a filter of a versioned table with a store", a_filter_of_a_versioned_table_with_a_store },
    { "a filter with a versioned store", a_filter_with_a_versioned_store },
    { "mapped values with a versioned store, grouped", mapped_values_with_a_versioned_store_grouped, .longs = true },
    { "groups of a versioned table", groups_of_a_versioned_table },
    { "groups of a filter of a versioned table", groups_of_a_filter_of_a_versioned_table, .longs = true },
    { "groups of a filter with a store of a versioned table", groups_of_a_filter_with_a_store_of_a_versioned_table,
      .longs = true },
    { "an inner join of versioned tables", an_inner_join_of_versioned_tables },
    { "a left join of a versioned table", a_left_join_of_a_versioned_table },
    { "an outer join with a versioned table", an_outer_join_with_a_versioned_table },
    { "an outer join of versioned tables with a versioned store, grouped",
      an_outer_join_of_versioned_tables_with_a_versioned_store_grouped },
    { "an inner foreign-key join of versioned tables", an_inner_foreign_key_join_of_versioned_tables },
    { "a left foreign-key join with a versioned table", a_left_foreign_key_join_with_a_versioned_table },
    { "a stream joined with a versioned table", a_stream_joined_with_a_versioned_table },
    { "a stream joined with a filter of a versioned table", a_stream_joined_with_a_filter_of_a_versioned_table },
    { "a stream joined with a join of versioned tables", a_stream_joined_with_a_join_of_versioned_tables },
    { "a stream to a versioned table", a_stream_to_a_versioned_table },
    { "a versioned reduced value, grouped", a_versioned_reduced_value_grouped, .longs = true },
    { "a versioned aggregate, grouped", a_versioned_aggregate_grouped, .longs = true,
      .cached_differs =
          "a tombstone in place of a record of the same time: its store forgets it, and takes an older record for the latest" },
    { "versioned counts of groups", versioned_counts_of_groups, .longs = true },
};

static void every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams(void **state)
{
    facts_compare_all(__FILE__, "kafka_streams_versioned.txt", PIPELINES, sizeof PIPELINES / sizeof PIPELINES[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
