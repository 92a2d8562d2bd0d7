/* Tables joined by a foreign key. Facts: facts.h. */
#include "unit/operators/table/facts.h"
#include "unit/operators/table/functions.h"

/* ---- the user's functions, as in the Java program ------------------------------------------------------------------------ */

static int without_bracket(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_bytes_of(row->value.data + 1, row->value.len - 1);
    return 0;
}

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static void an_inner_foreign_key_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_foreign_key_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)), "out");
}

static void a_left_foreign_key_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_foreign_key_left_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)), "out");
}

static void an_inner_foreign_key_join_with_a_store(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_foreign_key_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as("joined")), "out");
}

static void a_left_foreign_key_join_with_a_store(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_foreign_key_left_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as("joined")),
                  "out");
}

static void a_named_foreign_key_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table_to(mill_table_foreign_key_join(l, r, foreign_key, both, NULL, mill_joined_as("fk"), mill_as(NULL)), "out");
}

static void a_foreign_key_join_of_filtered_and_mapped_tables(mill_topology *t)
{
    mill_table *l = mill_table_filter(rows(t, "l"), is_long, NULL, mill_as(NULL));
    mill_table *r = mill_table_map_values(rows(t, "r"), exclaim, NULL, mill_as(NULL));
    mill_table_to(mill_table_foreign_key_left_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)), "out");
}

static void a_foreign_key_join_of_a_table_with_itself(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table_to(mill_table_foreign_key_join(l, l, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)), "out");
}

static void groups_of_a_foreign_key_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_foreign_key_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL));
    mill_table_to(reduced(mill_table_group_by(lr, by_second, NULL), NULL), "out");
}

static void a_foreign_key_join_joined_by_key(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_foreign_key_left_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL));
    mill_table_to(mill_table_outer_join(lr, rows(t, "m"), both, NULL, mill_as(NULL)), "out");
}

static void a_foreign_key_join_of_a_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *lm = mill_table_left_join(l, rows(t, "m"), right, NULL, mill_as(NULL));
    mill_table_to(
        mill_table_foreign_key_left_join(lm, rows(t, "r"), foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)), "out");
}

static void a_foreign_key_join_of_a_foreign_key_join(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *r = rows(t, "r");
    mill_table *lr = mill_table_foreign_key_left_join(l, r, foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL));
    lr = mill_table_map_values(lr, without_bracket, NULL, mill_as(NULL));
    mill_table_to(mill_table_foreign_key_join(lr, rows(t, "m"), foreign_key, both, NULL, mill_joined_as(NULL), mill_as(NULL)),
                  "out");
}

static void a_foreign_key_join_with_a_count(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table *counts = mill_grouped_count(mill_stream_group_by_key(records(t, "r")), mill_as(NULL));
    mill_table_to(mill_table_foreign_key_left_join(l, counts, foreign_key, and_count, NULL, mill_joined_as(NULL), mill_as(NULL)),
                  "out");
}

static const struct table_pipeline PIPELINES[] = {
    { "an inner foreign-key join", an_inner_foreign_key_join },
    { "a left foreign-key join", a_left_foreign_key_join },
    { "an inner foreign-key join with a store", an_inner_foreign_key_join_with_a_store },
    { "a left foreign-key join with a store", a_left_foreign_key_join_with_a_store },
    { "a named foreign-key join", a_named_foreign_key_join },
    { "a foreign-key join of filtered and mapped tables", a_foreign_key_join_of_filtered_and_mapped_tables },
    { "a foreign-key join of a table with itself", a_foreign_key_join_of_a_table_with_itself },
    { "groups of a foreign-key join", groups_of_a_foreign_key_join },
    { "a foreign-key join joined by key", a_foreign_key_join_joined_by_key },
    { "a foreign-key join of a join", a_foreign_key_join_of_a_join },
    { "a foreign-key join of a foreign-key join", a_foreign_key_join_of_a_foreign_key_join },
    { "a foreign-key join with a count", a_foreign_key_join_with_a_count },
};

static void every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams(void **state)
{
    facts_compare_all(__FILE__, "../table/kafka_streams_foreign_keys.txt", PIPELINES, sizeof PIPELINES / sizeof PIPELINES[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_is_and_does_what_it_is_and_does_in_kafka_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
