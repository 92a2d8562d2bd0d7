/* Unwindowed aggregations: streams-semantics, conformance cases 1, 2 and the cache part of 40. */
#include "unit/operators/pipeline.h"

/* Case 1. */
static void reduce_folds_values_with_the_largest_timestamp(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_grouped_reduce(mill_stream_group_by_key(pipeline_in(&p)), concatenate, NULL, uncached(NULL)), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 10, "k=a@10");
    step(&p, "k", "b", 5, "k=ab@10");
    step(&p, "k", NULL, 20, "");
    step(&p, NULL, "x", 20, "");
    step(&p, "k", "c", 12, "k=abc@12");
    expect_dropped(&p, NULL, 2);
    expect_dropped(&p, "null-key", 1);
    expect_dropped(&p, "null-value", 1);
    pipeline_end(&p);
}

static int begin_empty(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

/* "del" deletes; else concatenates. */
static int append_or_delete(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    if (mill_bytes_equal(value, mill_string("del"))) {
        *aggregate = mill_null();
        return 0;
    }
    return concatenate(aggregate, value, context, ctx);
}

/* Case 2. */
static void an_aggregate_that_becomes_null_is_deleted_and_begins_anew(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_grouped *grouped = mill_stream_group_by_key(pipeline_in(&p));
    mill_table_to(mill_grouped_aggregate(grouped, begin_empty, append_or_delete, NULL, uncached(NULL)), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 10, "k=a@10");
    step(&p, "k", "del", 5, "k=~@10");
    step(&p, "k", "b", 2, "k=b@2");
    step(&p, "k", "c", 1, "k=bc@2");
    pipeline_end(&p);
}

static void a_deletion_has_the_largest_timestamp_and_out_of_kafkas_cache_its_own(void **state)
{
    const char *kafka[] = { "mill.compat", "kafka", NULL };
    const char *uncached_kafka[] = { "mill.compat", "kafka", "statestore.cache.max.bytes", "0", NULL };
    const char *const *properties[] = { NULL, kafka, uncached_kafka };
    const char *deletions[] = { "k=~@10", "k=~@5", "k=~@10" };
    for (size_t i = 0; i < 3; i++) {
        struct pipeline p = pipeline_begin();
        mill_grouped *grouped = mill_stream_group_by_key(pipeline_in(&p));
        mill_table_to(mill_grouped_aggregate(grouped, begin_empty, append_or_delete, NULL, mill_as(NULL)), "out");
        p.driver = mill_test_driver_new(p.topology, properties[i], 0);
        step(&p, "k", "a", 10, "k=a@10");
        step(&p, "k", "del", 5, deletions[i]);
        pipeline_end(&p);
    }
}

static void count_counts_each_key(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(pipeline_in(&p)), uncached("counts")), "out");
    pipeline_shows(&p, 0, true);
    pipeline_start(&p);
    step(&p, "k", "", 10, "k=1@10");
    step(&p, "j", "x", 3, "j=1@3");
    step(&p, "k", "x", 7, "k=2@10");
    step(&p, "", "x", 7, "=1@7");
    step(&p, "k", NULL, 8, "");
    expect_dropped(&p, "null-value", 1);
    pipeline_end(&p);
}

static int emit_letters(const mill_record *record, mill_emitter *out, void *ctx)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < record->value.len; i++) {
        mill_record letter = *record;
        letter.value = mill_bytes_of(record->value.data + i, 1);
        code = mill_emit(out, &letter);
    }
    return code;
}

/* Case 40, with a cache. */
static void with_a_cache_only_the_last_value_of_a_key_goes_on(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *letters = mill_stream_flat_map_values(pipeline_in(&p), emit_letters, NULL);
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(letters), mill_as(NULL)), "out");
    pipeline_shows(&p, 0, true);
    pipeline_start(&p);
    step(&p, "k", "abc", 1, "k=3@1");
    step(&p, "k", "d", 2, "k=4@2");
    pipeline_end(&p);
}

/* Case 40, without a cache. */
static void without_a_cache_every_update_goes_on(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *letters = mill_stream_flat_map_values(pipeline_in(&p), emit_letters, NULL);
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(letters), uncached(NULL)), "out");
    pipeline_shows(&p, 0, true);
    pipeline_start(&p);
    step(&p, "k", "abc", 1, "k=1@1 k=2@1 k=3@1");
    pipeline_end(&p);
}

static void count_distinct_counts_each_member_once(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_grouped_count_distinct(mill_stream_group_by_key(pipeline_in(&p)), uncached("users")), "out");
    pipeline_shows(&p, 0, true);
    pipeline_start(&p);
    step(&p, "k", "ann", 10, "k=1@10");
    step(&p, "k", "ann", 11, "k=1@10"); /* again: the result before may have been lost */
    step(&p, "k", "bob", 5, "k=2@10");
    step(&p, "j", "ann", 7, "j=1@7");
    step(&p, "k", NULL, 8, "");
    step(&p, NULL, "ann", 8, "");
    expect_dropped(&p, NULL, 2);
    pipeline_end(&p);
}

/* The first letter; null when there is none. */
static int first_letter(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    if (record->value.len > 0)
        *result = mill_bytes_of(record->value.data, 1);
    return 0;
}

static void count_distinct_by_counts_the_members_of_the_users_function(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_grouped *grouped = mill_stream_group_by_key(pipeline_in(&p));
    mill_table_to(mill_grouped_count_distinct_by(grouped, first_letter, NULL, uncached("letters")), "out");
    pipeline_shows(&p, 0, true);
    pipeline_start(&p);
    step(&p, "k", "ann", 1, "k=1@1");
    step(&p, "k", "alf", 2, "k=1@1");
    step(&p, "k", "bob", 3, "k=2@3");
    step(&p, "k", "", 4, "");
    expect_dropped(&p, "null-member", 1);
    pipeline_end(&p);
}

static void counts_go_on_after_a_crash_that_loses_the_stores(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_grouped *grouped = mill_stream_group_by_key(pipeline_in(&p));
    mill_table_to(mill_grouped_count(grouped, mill_as("counts")), "out");
    mill_table_to(mill_grouped_count_distinct(grouped, mill_as("users")), "distinct");
    pipeline_shows(&p, 0, true);
    pipeline_start(&p);
    step(&p, "k", "ann", 1, "k=1@1");
    step(&p, "k", "bob", 2, "k=2@2");
    assert_string_equal(pipeline_read(&p, "distinct"), "k=1@1 k=2@2");
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++)
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
    step(&p, "k", "ann", 3, "k=3@3");
    assert_string_equal(pipeline_read(&p, "distinct"), "k=2@2");
    step(&p, "k", "cid", 4, "k=4@4");
    assert_string_equal(pipeline_read(&p, "distinct"), "k=3@4");
    pipeline_end(&p);
}

static int refuse(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    return mill_context_error(context, MILL_EUSER, "no reduction today");
}

static void an_error_of_a_users_function_names_itself(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_grouped_reduce(mill_stream_group_by_key(pipeline_in(&p)), refuse, NULL, uncached(NULL)), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 1, "k=a@1");
    assert_int_equal(pipeline_try(&p, "in", "k", "b", 2), MILL_EUSER);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "no reduction today"));
    pipeline_end(&p);
}

static void keys_of_any_length_and_content_are_kept_apart(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(pipeline_in(&p)), uncached(NULL)), "out");
    pipeline_shows(&p, 0, true);
    pipeline_start(&p);
    static char keys[2][1200];
    memset(keys[0], 'x', sizeof keys[0] - 1);
    memset(keys[1], 'x', sizeof keys[1] - 2);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            pipeline_pipe(&p, "in", keys[k], "v", 1);
            mill_record record;
            int64_t count = 0;
            assert_int_equal(mill_test_driver_read(p.driver, "out", &record), 1);
            assert_int_equal(record.key.len, strlen(keys[k]));
            assert_true(mill_int64_read(record.value, &count));
            assert_int_equal(count, i + 1);
        }
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduce_folds_values_with_the_largest_timestamp),
        cmocka_unit_test(an_aggregate_that_becomes_null_is_deleted_and_begins_anew),
        cmocka_unit_test(a_deletion_has_the_largest_timestamp_and_out_of_kafkas_cache_its_own),
        cmocka_unit_test(count_counts_each_key),
        cmocka_unit_test(with_a_cache_only_the_last_value_of_a_key_goes_on),
        cmocka_unit_test(without_a_cache_every_update_goes_on),
        cmocka_unit_test(count_distinct_counts_each_member_once),
        cmocka_unit_test(count_distinct_by_counts_the_members_of_the_users_function),
        cmocka_unit_test(counts_go_on_after_a_crash_that_loses_the_stores),
        cmocka_unit_test(an_error_of_a_users_function_names_itself),
        cmocka_unit_test(keys_of_any_length_and_content_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
