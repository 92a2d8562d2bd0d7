/* Tables joined by their keys. Facts: facts.h. */
#include "unit/operators/table/facts.h"
#include "unit/operators/table/functions.h"

/* ---- the user's functions, as in the Java program ------------------------------------------------------------------------ */

static bool is_above_five(const mill_record *row, void *ctx)
{
    return row->value.len > 5;
}

static int with_key(mill_context *context, void *self, const mill_record *row, mill_bytes *result)
{
    *result = row->value;
    return mill_is_null(row->value) ? 0 : concatenate(result, row->key, context, NULL);
}

static const mill_value_transformer_type WITH_KEY = { .name = "with-key", .transform = with_key };

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static void an_inner_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void a_left_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_left_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void an_outer_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_outer_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void an_inner_join_with_a_store(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_join(l, r, both, NULL, mill_as("joined")), "out");
}

static void a_left_join_with_a_store(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_left_join(l, r, both, NULL, mill_as("joined")), "out");
}

static void an_outer_join_with_a_store(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_outer_join(l, r, both, NULL, mill_as("joined")), "out");
}

static void a_left_join_that_may_give_null(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_left_join(l, r, right, NULL, mill_as(NULL)), "out");
}

static void a_named_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_as(mill_table_join(l, r, both, NULL, mill_as(NULL)), "j"), "out");
}

static void a_join_of_filtered_and_mapped_tables(mill_topology *t)
{
    mill_table *l = mill_table_filter(rows(t, "l"), is_long, NULL, mill_as(NULL));
    mill_table *r = mill_table_map_values(rows(t, "r"), exclaim, NULL, mill_as(NULL));
    mill_table_to(mill_table_left_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void a_join_of_filters_of_filters(mill_topology *t)
{
    mill_table *l = mill_table_filter(rows(t, "l"), is_long, NULL, mill_as(NULL));
    l = mill_table_filter_not(l, starts_with_x, NULL, mill_as(NULL));
    mill_table *r = mill_table_filter_not(rows(t, "r"), is_long, NULL, mill_as("short"));
    r = mill_table_map_values(r, exclaim, NULL, mill_as(NULL));
    mill_table_to(mill_table_outer_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void a_join_with_transformed_values(mill_topology *t)
{
    mill_value_transformer_supplier supplier = { .type = &WITH_KEY };
    mill_table *l = rows(t, "l");
    mill_table *r = mill_table_transform_values(rows(t, "r"), supplier, NULL, 0, mill_as(NULL));
    mill_table_to(mill_table_outer_join(l, r, both, NULL, mill_as(NULL)), "out");
}

static void a_join_with_a_count(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *counts = mill_grouped_count(mill_stream_group_by_key(records(t, "r")), mill_as(NULL));
    mill_table_to(mill_table_outer_join(l, counts, and_count, NULL, mill_as(NULL)), "out");
}

static void a_join_of_a_table_with_itself(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table_to(mill_table_join(l, l, both, NULL, mill_as(NULL)), "out");
}

static void a_join_of_a_table_with_what_it_becomes(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *filtered = mill_table_filter(l, is_long, NULL, mill_as(NULL));
    mill_table_to(mill_table_left_join(l, filtered, both, NULL, mill_as(NULL)), "out");
}

static void a_join_of_a_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_join(l, r, both, NULL, mill_as(NULL));
    mill_table_to(mill_table_left_join(lr, rows(t, "m"), both, NULL, mill_as(NULL)), "out");
}

static void an_outer_join_of_an_outer_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_outer_join(l, r, both, NULL, mill_as(NULL));
    mill_table_to(mill_table_outer_join(lr, rows(t, "m"), both, NULL, mill_as(NULL)), "out");
}

static void a_join_with_a_left_join(mill_topology *t)
{
    mill_table *m = rows(t, "m");
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_left_join(l, r, both, NULL, mill_as(NULL));
    mill_table_to(mill_table_join(m, lr, both, NULL, mill_as(NULL)), "out");
}

static void a_join_with_a_left_join_with_a_store(mill_topology *t)
{
    mill_table *m = rows(t, "m");
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_left_join(l, r, both, NULL, mill_as("lr"));
    mill_table_to(mill_table_join(m, lr, both, NULL, mill_as(NULL)), "out");
}

static void a_filter_of_a_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_outer_join(l, r, both, NULL, mill_as(NULL));
    mill_table_to(mill_table_filter(lr, is_above_five, NULL, mill_as(NULL)), "out");
}

static void groups_of_an_inner_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_join(l, r, both, NULL, mill_as(NULL));
    mill_table_to(reduced(mill_table_group_by(lr, by_second, NULL), NULL), "out");
}

static void groups_of_a_left_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_left_join(l, r, both, NULL, mill_as(NULL));
    mill_table_to(reduced(mill_table_group_by(lr, by_second, NULL), NULL), "out");
}

static void groups_of_an_outer_join_with_a_store(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_outer_join(l, r, both, NULL, mill_as("lr"));
    mill_table_to(reduced(mill_table_group_by(lr, by_second, NULL), NULL), "out");
}

static void a_stream_joined_with_a_filter(mill_topology *t)
{
    mill_stream *l = records(t, "l");
    mill_table *r = mill_table_filter(rows(t, "r"), is_long, NULL, mill_as(NULL));
    mill_stream_to(mill_stream_left_join_table(l, r, both, NULL, mill_joined_as(NULL)), "out");
}

static void a_stream_joined_with_a_join(mill_topology *t)
{
    mill_stream *l = records(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *m = rows(t, "m");
    mill_table *rm = mill_table_outer_join(r, m, both, NULL, mill_as(NULL));
    mill_stream_to(mill_stream_left_join_table(l, rm, both, NULL, mill_joined_as(NULL)), "out");
}

static const struct table_pipeline PIPELINES[] = {
    { "an inner join", an_inner_join },
    { "a left join", a_left_join },
    { "an outer join", an_outer_join },
    { "an inner join with a store", an_inner_join_with_a_store },
    { "a left join with a store", a_left_join_with_a_store },
    { "an outer join with a store", an_outer_join_with_a_store },
    { "a left join that may give null", a_left_join_that_may_give_null },
    { "a named join", a_named_join },
    { "a join of filtered and mapped tables", a_join_of_filtered_and_mapped_tables },
    { "a join of filters of filters", a_join_of_filters_of_filters },
    { "a join with transformed values", a_join_with_transformed_values },
    { "a join with a count", a_join_with_a_count },
    { "a join of a table with itself", a_join_of_a_table_with_itself },
    { "a join of a table with what it becomes", a_join_of_a_table_with_what_it_becomes },
    { "a join of a join", a_join_of_a_join },
    { "an outer join of an outer join", an_outer_join_of_an_outer_join },
    { "a join with a left join", a_join_with_a_left_join },
    { "a join with a left join with a store", a_join_with_a_left_join_with_a_store },
    { "a filter of a join", a_filter_of_a_join },
    { "groups of an inner join", groups_of_an_inner_join },
    { "groups of a left join", groups_of_a_left_join },
    { "groups of an outer join with a store", groups_of_an_outer_join_with_a_store },
    { "a stream joined with a filter", a_stream_joined_with_a_filter },
    { "a stream joined with a join", a_stream_joined_with_a_join },
};

static void every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams(void **state)
{
    facts_compare_all(__FILE__, "../table/kafka_streams_joins.txt", PIPELINES, sizeof PIPELINES / sizeof PIPELINES[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
