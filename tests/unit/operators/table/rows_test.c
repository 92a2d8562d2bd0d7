/* Tables row by row: filter, map, transform, from topics and streams and to streams. Facts: facts.h. */
#include "unit/operators/table/facts.h"
#include "unit/operators/table/functions.h"

/* ---- the user's functions, as in the Java program ------------------------------------------------------------------------ */

static bool is_above_two(const mill_record *row, void *ctx)
{
    return row->value.len > 2;
}

static bool is_even(const mill_record *row, void *ctx)
{
    int64_t number;
    return mill_int64_read(row->value, &number) && number % 2 == 0;
}

static bool yes(const mill_record *row, void *ctx)
{
    return true;
}

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static mill_table *stored(mill_topology *t, const char *store)
{
    return mill_topology_table(t, "in", NULL, mill_as(store));
}

static void a_table_to_a_stream(mill_topology *t)
{
    mill_table_to(rows(t, "in"), "out");
}

static void a_table_with_a_store(mill_topology *t)
{
    mill_table_to(stored(t, "rows"), "out");
}

static void a_filter(mill_topology *t)
{
    mill_table_to(mill_table_filter(rows(t, "in"), is_long, NULL, mill_as(NULL)), "out");
}

static void a_filter_of_a_table_with_a_store(mill_topology *t)
{
    mill_table_to(mill_table_filter(stored(t, "rows"), is_long, NULL, mill_as(NULL)), "out");
}

static void a_negated_filter_with_a_store(mill_topology *t)
{
    mill_table_to(mill_table_filter_not(rows(t, "in"), is_long, NULL, mill_as("short")), "out");
}

static void a_filter_of_a_filter_with_a_store(mill_topology *t)
{
    mill_table *filtered = mill_table_filter(rows(t, "in"), is_long, NULL, mill_as("long"));
    mill_table_to(mill_table_filter_not(filtered, starts_with_x, NULL, mill_as(NULL)), "out");
}

static void mapped_values(mill_topology *t)
{
    mill_table_to(mill_table_map_values(rows(t, "in"), key_and_value, NULL, mill_as(NULL)), "out");
}

static void mapped_values_with_a_store_then_filtered(mill_topology *t)
{
    mill_table *mapped = mill_table_map_values(rows(t, "in"), key_and_value, NULL, mill_as("mapped"));
    mill_table_to(mill_table_filter(mapped, is_above_two, NULL, mill_as(NULL)), "out");
}

static void transformed_values(mill_topology *t)
{
    mill_table_to(counting(t, rows(t, "in"), NULL), "out");
}

static void transformed_values_with_a_store_then_filtered(mill_topology *t)
{
    mill_table_to(mill_table_filter(counting(t, rows(t, "in"), "transformed"), is_above_two, NULL, mill_as(NULL)), "out");
}

static void to_a_stream_by_another_key(mill_topology *t)
{
    mill_stream_to(mill_table_to_stream_by(rows(t, "in"), exclaim, NULL), "out");
}

static void names_at_the_table(mill_topology *t)
{
    mill_table *filtered = mill_table_filter(mill_table_as(rows(t, "in"), "users"), yes, NULL, mill_as(NULL));
    mill_table *mapped = mill_table_map_values(mill_table_as(filtered, "f"), to_value, NULL, mill_as("mapped"));
    mill_stream_to(mill_stream_as(mill_table_to_stream(mill_table_as(mapped, "m")), "ts"), "out");
}

static void a_stream_to_a_table(mill_topology *t)
{
    mill_table_to(mill_stream_to_table(records(t, "in"), mill_as(NULL)), "out");
}

static void a_stream_to_a_table_with_a_store_filtered(mill_topology *t)
{
    mill_table_to(mill_table_filter(mill_stream_to_table(records(t, "in"), mill_as("rows")), is_long, NULL, mill_as(NULL)),
                  "out");
}

static void a_stream_of_new_keys_to_a_table(mill_topology *t)
{
    mill_stream *keyed = mill_stream_select_key(records(t, "in"), to_value, NULL);
    mill_table_to(mill_table_filter(mill_stream_to_table(keyed, mill_as(NULL)), is_long, NULL, mill_as(NULL)), "out");
}

static void a_stream_of_new_keys_to_a_named_table(mill_topology *t)
{
    mill_stream *keyed = mill_stream_select_key(records(t, "in"), to_value, NULL);
    mill_table_to(mill_table_as(mill_stream_to_table(keyed, mill_as("rows")), "t"), "out");
}

static void a_filter_of_a_count(mill_topology *t)
{
    mill_table *counts = mill_grouped_count(mill_stream_group_by_key(records(t, "in")), mill_as(NULL));
    mill_table_to(mill_table_filter(counts, is_even, NULL, mill_as(NULL)), "out");
}

static const struct table_pipeline PIPELINES[] = {
    { "a table to a stream", a_table_to_a_stream },
    { "a table with a store", a_table_with_a_store },
    { "a filter", a_filter },
    { "a filter of a table with a store", a_filter_of_a_table_with_a_store },
    { "a negated filter with a store", a_negated_filter_with_a_store },
    { "a filter of a filter with a store", a_filter_of_a_filter_with_a_store },
    { "mapped values", mapped_values },
    { "mapped values with a store, then filtered", mapped_values_with_a_store_then_filtered },
    { "transformed values", transformed_values },
    { "transformed values with a store, then filtered", transformed_values_with_a_store_then_filtered },
    { "to a stream by another key", to_a_stream_by_another_key },
    { "names at the table", names_at_the_table },
    { "a stream to a table", a_stream_to_a_table },
    { "a stream to a table with a store, filtered", a_stream_to_a_table_with_a_store_filtered },
    { "a stream of new keys to a table", a_stream_of_new_keys_to_a_table },
    { "a stream of new keys to a named table", a_stream_of_new_keys_to_a_named_table },
    { "a filter of a count", a_filter_of_a_count, .longs = true },
};

static void every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams(void **state)
{
    facts_compare_all(__FILE__, "kafka_streams_rows.txt", PIPELINES, sizeof PIPELINES / sizeof PIPELINES[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
