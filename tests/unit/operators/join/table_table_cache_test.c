/* Joins of tables whose updates wait in caches until a commit: what comes out is right in the end, and comes once. */
#include "unit/operators/table/facts.h"
#include "unit/operators/table/functions.h"

#include "millstream/test_driver.h"

struct fixture {
    mill_topology *topology;
    mill_test_driver *driver;
};

typedef mill_table *join_call(mill_table *table, mill_table *other, mill_joiner joiner, void *ctx,
                              mill_materialized materialized);

/* l forwards at once if it has no cache, r at commit; "counts" has the number of results. */
static struct fixture begin(join_call *join, bool l_is_cached, const char *compat)
{
    struct fixture f = { .topology = mill_topology_new() };
    mill_table *l = mill_topology_table(f.topology, "l", NULL, l_is_cached ? mill_as("cached") : uncached("uncached"));
    mill_table *r = mill_topology_table(f.topology, "r", NULL, mill_as("other"));
    mill_table *joined = join(l, r, both, NULL, mill_as(NULL));
    mill_table_to(joined, "out");
    mill_table_to(mill_grouped_table_count(mill_table_group_by(joined, all_rows, NULL), mill_as(NULL)), "counts");
    const char *properties[] = { "mill.compat", compat, NULL };
    f.driver = mill_test_driver_new(f.topology, compat == NULL ? NULL : properties, 0);
    mill_test_driver_auto_commit(f.driver, false);
    return f;
}

static void end(struct fixture *f)
{
    mill_test_driver_free(f->driver);
    mill_topology_free(f->topology);
}

static void put(struct fixture *f, const char *topic, const char *value)
{
    mill_record record = { .key = mill_string("k"), .value = value == NULL ? mill_null() : mill_string(value) };
    assert_int_equal(mill_test_driver_pipe(f->driver, topic, &record), 0);
}

/* How many records came, and the last one as text: "~" for null. */
static int read_out(struct fixture *f, char last[32])
{
    mill_record record;
    int count = 0;
    assert_int_equal(mill_test_driver_commit(f->driver), 0);
    for (last[0] = '\0'; mill_test_driver_read(f->driver, "out", &record) == 1; count++) {
        bool null = mill_is_null(record.value);
        snprintf(last, 32, "%.*s", null ? 1 : (int)record.value.len, null ? "~" : (const char *)record.value.data);
    }
    return count;
}

static int64_t read_count(struct fixture *f)
{
    mill_record record;
    int64_t count = -1;
    mill_test_driver_auto_commit(f->driver, true); /* the results go through the groups' topic */
    assert_int_equal(mill_test_driver_advance(f->driver, 1), 0);
    mill_test_driver_auto_commit(f->driver, false);
    while (mill_test_driver_read(f->driver, "counts", &record) == 1)
        assert_true(mill_int64_read(record.value, &count));
    return count;
}

static void two_rows_of_one_commit_give_one_result(void **state)
{
    char last[32], expected[32];
    struct fixture f = begin(mill_table_join, true, NULL);
    put(&f, "l", "a");
    put(&f, "r", "b");
    assert_int_equal(read_out(&f, last), 1);
    assert_int_equal(read_count(&f), 1);
    snprintf(expected, sizeof expected, "%s", last);
    end(&f);
    f = begin(mill_table_join, true, "kafka"); /* KAFKA-4609 */
    put(&f, "l", "a");
    put(&f, "r", "b");
    assert_int_equal(read_out(&f, last), 2);
    assert_string_equal(last, expected);
    assert_int_equal(read_count(&f), 2);
    end(&f);
}

static void rows_that_go_in_one_commit_take_their_result_along(void **state)
{
    char last[32];
    struct fixture f = begin(mill_table_join, true, NULL);
    put(&f, "l", "a");
    put(&f, "r", "b");
    read_out(&f, last);
    put(&f, "l", NULL);
    put(&f, "r", NULL);
    read_out(&f, last);
    assert_string_equal(last, "~");
    assert_int_equal(read_count(&f), 0);
    end(&f);
}

static void a_row_that_was_gone_before_it_was_forwarded_is_in_no_result(void **state)
{
    char with_none[32], last[32];
    struct fixture f = begin(mill_table_left_join, false, NULL);
    put(&f, "l", "a");
    read_out(&f, with_none);
    put(&f, "r", "b");
    put(&f, "l", "a");
    put(&f, "r", NULL);
    read_out(&f, last);
    assert_string_equal(last, with_none);
    assert_int_equal(read_count(&f), 1);
    end(&f);
}

static void what_a_result_replaces_is_what_it_was(void **state)
{
    char last[32];
    struct fixture f = begin(mill_table_outer_join, false, NULL);
    put(&f, "r", "b");
    read_out(&f, last);
    for (int i = 0; i < 3; i++) {
        put(&f, "r", "c");
        put(&f, "l", "a");
        put(&f, "r", "d");
        read_out(&f, last);
        assert_int_equal(read_count(&f), 1);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_rows_of_one_commit_give_one_result),
        cmocka_unit_test(rows_that_go_in_one_commit_take_their_result_along),
        cmocka_unit_test(a_row_that_was_gone_before_it_was_forwarded_is_in_no_result),
        cmocka_unit_test(what_a_result_replaces_is_what_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
