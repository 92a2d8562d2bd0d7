/*
 * The cases of tables among those that were first run through Kafka Streams by hand, and what differs with mill.compat=kafka:
 * caches off, values as text.
 */
#include "unit/operators/table/functions.h"

static const char *const UNCACHED[] = { "statestore.cache.max.bytes", "0", NULL };
static const char *const UNCACHED_AS_KAFKA[] = { "statestore.cache.max.bytes", "0", "mill.compat", "kafka", NULL };

static struct pipeline begin(void (*build)(mill_topology *topology), const char *const *properties, bool longs)
{
    struct pipeline p = pipeline_begin();
    p.longs = longs;
    build(p.topology);
    p.driver = mill_test_driver_new(p.topology, properties, 0);
    assert_non_null(p.driver);
    return p;
}

#define step_at(p, topic, key, value, timestamp_ms, text)            \
    do {                                                             \
        pipeline_pipe((p), (topic), (key), (value), (timestamp_ms)); \
        expect((p), (text));                                         \
    } while (0)

static void inner(mill_topology *t)
{
    mill_table *a = rows(t, "a");
    mill_table_to(mill_table_join(a, rows(t, "b"), both, NULL, mill_as(NULL)), "out");
}

/* Case 34. */
static void an_inner_join_takes_the_later_time_and_deletes_again_and_again(void **state)
{
    struct pipeline p = begin(inner, UNCACHED, false);
    step_at(&p, "a", "k", "a", 5, "");
    step_at(&p, "b", "k", "b", 3, "k=(a+b)@5");
    step_at(&p, "a", "k", "a2", 1, "k=(a2+b)@3");
    step_at(&p, "b", "k", NULL, 10, "k=~@10");
    step_at(&p, "b", "k", NULL, 11, "k=~@11");
    step_at(&p, "a", NULL, "a", 12, "");
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static void outer(mill_topology *t)
{
    mill_table *a = rows(t, "a");
    mill_table_to(mill_table_outer_join(a, rows(t, "b"), both, NULL, mill_as(NULL)), "out");
}

/* Case 35. */
static void an_outer_join_is_silent_when_nothing_becomes_nothing(void **state)
{
    struct pipeline p = begin(outer, UNCACHED, false);
    step_at(&p, "a", "k", "a", 5, "k=(a+null)@5");
    step_at(&p, "b", "k", "b", 3, "k=(a+b)@5");
    step_at(&p, "a", "k", NULL, 1, "k=(null+b)@3");
    step_at(&p, "b", "k", NULL, 10, "k=~@10");
    step_at(&p, "b", "k", NULL, 11, "");
    pipeline_end(&p);
}

static int first_letter(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = row->value.len == 0 ? mill_null() : mill_bytes_of(row->value.data, 1);
    return 0;
}

static void inner_by_foreign_key(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table_to(mill_table_foreign_key_join(l, rows(t, "r"), first_letter, both, NULL, mill_joined_as(NULL), mill_as(NULL)),
                  "out");
}

/* Case 38. */
static void a_foreign_key_join_has_the_time_of_the_right_side_when_that_changes(void **state)
{
    for (int as_kafka = 0; as_kafka <= 1; as_kafka++) {
        struct pipeline p = begin(inner_by_foreign_key, as_kafka ? UNCACHED_AS_KAFKA : UNCACHED, false);
        step_at(&p, "l", "k2", "a2", 100, "");
        step_at(&p, "l", "k1", "a1", 100, "");
        step_at(&p, "r", "a", "ra", 5, "k1=(a1+ra)@5 k2=(a2+ra)@5");
        step_at(&p, "l", "k1", "a3", 7, "k1=(a3+ra)@7");
        step_at(&p, "l", "k1", "b1", 8, "k1=~@8");
        step_at(&p, "l", "k1", "c1", 8, "k1=~@8");
        step_at(&p, "l", "k1", "c2", 9, as_kafka ? "" : "k1=~@9"); /* foreign_key_race_test.c says why */
        step_at(&p, "l", "k2", NULL, 10, "k2=~@10");
        step_at(&p, "l", "k2", NULL, 11, "");
        step_at(&p, "r", "a", "rb", 12, "");
        pipeline_end(&p);
    }
}

static void a_foreign_key_that_turns_null_deletes_the_inner_result(void **state)
{
    struct pipeline p = begin(inner_by_foreign_key, UNCACHED, false);
    step_at(&p, "r", "a", "ra", 5, "");
    step_at(&p, "l", "k", "a1", 1, "k=(a1+ra)@5");
    step_at(&p, "l", "k", "", 2, "k=~@5");
    expect_dropped(&p, "null-foreign-key", 1);
    step_at(&p, "r", "a", NULL, 6, "");
    pipeline_end(&p);
}

static void left_by_foreign_key(mill_topology *t)
{
    mill_table *l = rows(t, "l");
    mill_table_to(
        mill_table_foreign_key_left_join(l, rows(t, "r"), first_letter, both, NULL, mill_joined_as("fk"), mill_as(NULL)), "out");
}

static void a_left_foreign_key_join_has_rows_that_look_at_nothing(void **state)
{
    struct pipeline p = begin(left_by_foreign_key, UNCACHED, false);
    step_at(&p, "l", "k", "a1", 1, "k=(a1+null)@1");
    step_at(&p, "r", "a", "ra", 5, "k=(a1+ra)@5");
    step_at(&p, "r", "a", NULL, 6, "k=(a1+null)@6");
    step_at(&p, "l", "k", "", 7, "k=(+null)@7");
    step_at(&p, "l", "k", NULL, 8, "k=~@8");
    step_at(&p, "l", "k", NULL, 9, "");
    pipeline_end(&p);
}

static void an_answer_to_what_a_row_no_longer_is_is_dropped(void **state)
{
    struct pipeline p = begin(left_by_foreign_key, UNCACHED, false);
    step_at(&p, "l", "k", "a1", 1, "k=(a1+null)@1");
    mill_record response = { .key = mill_string("k"), .timestamp_ms = 2 };
    response.value = mill_bytes_of("\0"
                                   "0123456789abcdef"
                                   "ra",
                                   19);
    pipeline_ok(&p, mill_test_driver_pipe(p.driver, "test-fk-subscription-response-topic", &response));
    expect(&p, "");
    expect_dropped(&p, "stale-response", 1);
    pipeline_end(&p);
}

static void foreign_bytes_in_the_topics_of_a_foreign_key_join_are_errors_that_say_so(void **state)
{
    struct pipeline p = begin(left_by_foreign_key, UNCACHED, false);
    assert_int_equal(pipeline_try(&p, "test-fk-subscription-registration-topic", "a", "nonsense", 1), MILL_ECORRUPT);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "no subscription"));
    pipeline_end(&p);
    p = begin(left_by_foreign_key, UNCACHED, false);
    assert_int_equal(pipeline_try(&p, "test-fk-subscription-response-topic", "a", "nonsense", 1), MILL_ECORRUPT);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "no response"));
    pipeline_end(&p);
}

static void a_foreign_key_join_goes_on_after_restarts(void **state)
{
    struct pipeline p = begin(inner_by_foreign_key, UNCACHED, false);
    step_at(&p, "l", "k", "a1", 1, "");
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_STATE_LOST), 0);
    step_at(&p, "r", "a", "ra", 5, "k=(a1+ra)@5");
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_CLEAN), 0);
    step_at(&p, "r", "a", "rb", 6, "k=(a1+rb)@6");
    pipeline_end(&p);
}

static void filtered(mill_topology *t)
{
    mill_table_to(mill_table_filter(rows(t, "in"), is_long, NULL, mill_as(NULL)), "out");
}

/* Case 36, the filter alone. */
static void a_filter_deletes_what_never_matched_if_it_cannot_know(void **state)
{
    struct pipeline p = begin(filtered, UNCACHED, false);
    step(&p, "k", "a", 1, "k=~@1");
    step(&p, "k", "ab", 2, "k=ab@2");
    step(&p, "k", "b", 3, "k=~@3");
    step(&p, "k", NULL, 4, "k=~@4");
    pipeline_end(&p);
}

static void counted_behind_a_filter(mill_topology *t)
{
    mill_table *long_ones = mill_table_filter(rows(t, "in"), is_long, NULL, mill_as(NULL));
    mill_table_to(mill_grouped_table_count(letters(long_ones), mill_as(NULL)), "out");
}

/* Case 36, with a group below. */
static void groups_follow_rows_that_come_move_and_go(void **state)
{
    struct pipeline p = begin(counted_behind_a_filter, UNCACHED, true);
    step(&p, "k1", "y", 1, "");
    step(&p, "k1", "yx", 2, "y=1@2");
    step(&p, "k2", "yz", 3, "y=2@3");
    step(&p, "k2", "zz", 1, "y=1@3 z=1@1");
    step(&p, "k1", "q", 9, "y=0@9");
    step(&p, "k2", NULL, 10, "z=0@10");
    pipeline_end(&p);
}

static int by_first_letter(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_bytes_of(row->value.data, 1);
    return 0;
}

static void reduced_rows(mill_topology *t)
{
    mill_table_to(reduced(mill_table_group_by(rows(t, "in"), by_first_letter, NULL), NULL), "out");
}

/* Case 37. */
static void a_row_that_changes_in_its_group_makes_one_update_and_two_when_it_moves(void **state)
{
    struct pipeline p = begin(reduced_rows, UNCACHED, false);
    step(&p, "k1", "a1", 10, "a=a1@10");
    step(&p, "k2", "a2", 5, "a=a1+a2@10");
    step(&p, "k1", "a3", 3, "a=a1+a2-a1+a3@10");
    step(&p, "k1", "b1", 20, "a=a1+a2-a1+a3-a3@20 b=b1@20");
    pipeline_end(&p);
}

static int one_group(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_string("all");
    return 0;
}

static void counted_counts(mill_topology *t)
{
    mill_table *counts = mill_grouped_count(mill_stream_group_by_key(records(t, "in")), mill_as(NULL));
    mill_table_to(mill_grouped_table_count(mill_table_group_by(counts, one_group, NULL), mill_as(NULL)), "out");
}

static void a_count_of_counts_counts_keys(void **state)
{
    struct pipeline p = begin(counted_counts, UNCACHED, true);
    step(&p, "a", "x", 1, "all=1@1");
    step(&p, "b", "x", 2, "all=2@2");
    step(&p, "b", "x", 3, "all=2@3");
    step(&p, "c", "x", 4, "all=3@4");
    pipeline_end(&p);
}

/* Each key's first count takes a 0 away that nobody added. */
static void a_count_of_counts_stays_at_one_in_kafka_streams(void **state)
{
    struct pipeline p = begin(counted_counts, UNCACHED_AS_KAFKA, true);
    step(&p, "a", "x", 1, "all=1@1");
    step(&p, "b", "x", 2, "all=1@2");
    step(&p, "b", "x", 3, "all=1@3");
    step(&p, "c", "x", 4, "all=1@4");
    pipeline_end(&p);
}

static void stored_rows(mill_topology *t)
{
    mill_table_to(mill_topology_table(t, "in", NULL, mill_as("rows")), "out");
}

/* Case 40, the first deletion. */
static void the_deletion_of_an_unknown_key_goes_on_unless_there_is_a_cache(void **state)
{
    struct pipeline p = begin(stored_rows, UNCACHED, false);
    step(&p, "k", NULL, 1, "k=~@1");
    pipeline_end(&p);
    p = begin(stored_rows, NULL, false);
    step(&p, "k", NULL, 1, "");
    step(&p, "k", "a", 2, "k=a@2");
    step(&p, "k", NULL, 1, "k=~@1");
    pipeline_end(&p);
}

static void a_table_needs_no_store_until_something_below_does(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_table *table = rows(t, "in");
    mill_table *long_ones = mill_table_filter(table, is_long, NULL, mill_as(NULL));
    assert_null(mill_table_store_name(table));
    (void)mill_table_join(long_ones, rows(t, "other"), both, NULL, mill_as("joined"));
    assert_string_equal(mill_table_store_name(table), "in-STATE-STORE-0000000000");
    assert_null(mill_table_store_name(long_ones));
    mill_topology_free(t);
}

/* Values of rows survive a restart from the disk's copy and from the changelog alike. */
static void a_join_goes_on_after_restarts(void **state)
{
    struct pipeline p = begin(inner, UNCACHED, false);
    step_at(&p, "a", "k", "a", 5, "");
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_CLEAN), 0);
    step_at(&p, "b", "k", "b", 3, "k=(a+b)@5");
    assert_int_equal(mill_test_driver_restart(p.driver, MILL_RESTART_STATE_LOST), 0);
    step_at(&p, "b", "k", "b2", 7, "k=(a+b2)@7");
    pipeline_end(&p);
}

static int freed;

static void count_freed(void *argument)
{
    freed += *(int *)argument;
}

static void a_transformer_is_freed_once_with_the_topology_or_at_once(void **state)
{
    int one = 1;
    freed = 0;
    mill_value_transformer_supplier supplier = { .type = &COUNTING, .argument = &one, .free_argument = count_freed };
    mill_topology *t = mill_topology_new();
    mill_topology_add_store(t, mill_key_value_store("calls"), NULL, 0);
    assert_non_null(mill_table_transform_values(rows(t, "in"), supplier, (const char *[]){ "calls" }, 1, mill_as(NULL)));
    assert_int_equal(freed, 0);
    mill_topology_free(t);
    assert_int_equal(freed, 1);
    assert_null(mill_table_transform_values(NULL, supplier, NULL, 0, mill_as(NULL)));
    assert_int_equal(freed, 2);
}

static void tables_of_two_topologies_cannot_be_joined(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology *other = mill_topology_new();
    assert_null(mill_table_join(rows(t, "a"), rows(other, "b"), both, NULL, mill_as(NULL)));
    assert_non_null(strstr(mill_topology_error(t), "two topologies"));
    mill_topology_free(t);
    mill_topology_free(other);
}

static void a_versioned_table_cannot_be_suppressed(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_table *versions = mill_topology_table(t, "in", NULL, mill_as_versioned("versions", 100));
    mill_table *filtered = mill_table_filter(versions, is_long, NULL, mill_as(NULL));
    assert_null(mill_table_suppress(filtered, mill_suppress_until_time_limit(10, mill_suppress_unbounded())));
    assert_non_null(strstr(mill_topology_error(t), "versioned"));
    mill_topology_free(t);
}

static void a_table_operator_without_its_function_is_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    assert_null(mill_table_filter(rows(t, "a"), NULL, NULL, mill_as(NULL)));
    assert_non_null(strstr(mill_topology_error(t), "predicate"));
    assert_null(mill_table_map_values(NULL, NULL, NULL, mill_as(NULL)));
    mill_topology_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inner_join_takes_the_later_time_and_deletes_again_and_again),
        cmocka_unit_test(an_outer_join_is_silent_when_nothing_becomes_nothing),
        cmocka_unit_test(a_foreign_key_join_has_the_time_of_the_right_side_when_that_changes),
        cmocka_unit_test(a_foreign_key_that_turns_null_deletes_the_inner_result),
        cmocka_unit_test(a_left_foreign_key_join_has_rows_that_look_at_nothing),
        cmocka_unit_test(an_answer_to_what_a_row_no_longer_is_is_dropped),
        cmocka_unit_test(foreign_bytes_in_the_topics_of_a_foreign_key_join_are_errors_that_say_so),
        cmocka_unit_test(a_foreign_key_join_goes_on_after_restarts),
        cmocka_unit_test(a_filter_deletes_what_never_matched_if_it_cannot_know),
        cmocka_unit_test(groups_follow_rows_that_come_move_and_go),
        cmocka_unit_test(a_row_that_changes_in_its_group_makes_one_update_and_two_when_it_moves),
        cmocka_unit_test(a_count_of_counts_counts_keys),
        cmocka_unit_test(a_count_of_counts_stays_at_one_in_kafka_streams),
        cmocka_unit_test(the_deletion_of_an_unknown_key_goes_on_unless_there_is_a_cache),
        cmocka_unit_test(a_table_needs_no_store_until_something_below_does),
        cmocka_unit_test(a_join_goes_on_after_restarts),
        cmocka_unit_test(a_transformer_is_freed_once_with_the_topology_or_at_once),
        cmocka_unit_test(tables_of_two_topologies_cannot_be_joined),
        cmocka_unit_test(a_versioned_table_cannot_be_suppressed),
        cmocka_unit_test(a_table_operator_without_its_function_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
