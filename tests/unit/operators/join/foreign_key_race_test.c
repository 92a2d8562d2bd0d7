/* A foreign-key join whose two sides change within one commit: the answers cross, and the result is right in the end. */
#include "unit/operators/pipeline.h"

static int first_letter(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_bytes_of(row->value.data, 1);
    return 0;
}

static int right_value(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = right;
    return 0;
}

static struct pipeline joining(void)
{
    struct pipeline p = pipeline_begin();
    mill_table *left = mill_topology_table(p.topology, "left", NULL, mill_as("left-rows"));
    mill_table *right = mill_topology_table(p.topology, "right", NULL, mill_as("right-rows"));
    mill_table_to(
        mill_table_foreign_key_join(left, right, first_letter, right_value, NULL, mill_joined_as("join"), mill_as("result")),
        "out");
    pipeline_start(&p);
    pipeline_pipe(&p, "right", "k", "there", 1);
    pipeline_pipe(&p, "left", "row", "k1", 2);
    expect(&p, "row=there@2");
    mill_test_driver_auto_commit(p.driver, false);
    return p;
}

static void settle(struct pipeline *p)
{
    for (int i = 0; i < 4; i++) /* changes, subscriptions, answers, results */
        pipeline_ok(p, mill_test_driver_commit(p->driver));
}

static void a_row_that_changes_while_what_it_looks_at_goes_has_no_result(void **state)
{
    for (int left_first = 0; left_first <= 1; left_first++) {
        struct pipeline p = joining();
        if (left_first)
            pipeline_pipe(&p, "left", "row", "k2", 3);
        pipeline_pipe(&p, "right", "k", NULL, 4);
        if (!left_first)
            pipeline_pipe(&p, "left", "row", "k2", 3);
        settle(&p);
        mill_bytes value;
        (void)pipeline_read(&p, "out");
        assert_int_equal(mill_key_value_get(mill_test_driver_store(p.driver, "result"), mill_string("row"), &value, NULL), 0);
        pipeline_end(&p);
    }
}

static void a_row_that_changes_while_what_it_looks_at_does_has_the_newest_of_both(void **state)
{
    struct pipeline p = joining();
    pipeline_pipe(&p, "left", "row", "k2", 3);
    pipeline_pipe(&p, "right", "k", "new", 4);
    settle(&p);
    mill_bytes value;
    (void)pipeline_read(&p, "out");
    assert_int_equal(mill_key_value_get(mill_test_driver_store(p.driver, "result"), mill_string("row"), &value, NULL), 1);
    assert_true(mill_bytes_equal(value, mill_string("new")));
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_changes_while_what_it_looks_at_goes_has_no_result),
        cmocka_unit_test(a_row_that_changes_while_what_it_looks_at_does_has_the_newest_of_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
