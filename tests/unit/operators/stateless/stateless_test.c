/* The operators that see one record at a time: streams-semantics 1.2. */
#include "unit/operators/pipeline.h"

static bool starts_with(const mill_record *record, void *ctx)
{
    return record->value.len > 0 && record->value.data[0] == *(const char *)ctx;
}

static void filter_keeps_and_filter_not_drops_what_the_predicate_holds_for(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *in = pipeline_in(&p);
    mill_stream_to(mill_stream_filter(in, starts_with, "a"), "out");
    mill_stream_to(mill_stream_filter_not(in, starts_with, "a"), "others");
    pipeline_start(&p);
    step(&p, "k", "ab", 1, "k=ab@1");
    step(&p, NULL, "b", 2, "");
    step(&p, "k", NULL, 3, "");
    assert_string_equal(pipeline_read(&p, "others"), "~=b@2 k=~@3");
    pipeline_end(&p);
}

static int swap(const mill_record *record, mill_record *result, mill_context *context, void *ctx)
{
    result->key = record->value;
    result->value = record->key;
    return 0;
}

static void map_makes_one_record_of_one(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_map(pipeline_in(&p), swap, NULL), "out");
    pipeline_start(&p);
    step(&p, "k", "v", 7, "v=k@7");
    step(&p, "k", NULL, 8, "~=k@8");
    pipeline_end(&p);
}

static void headers_and_timestamp_pass_through_a_map(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_map(pipeline_in(&p), swap, NULL), "out");
    pipeline_start(&p);
    mill_header header = { mill_string("trace"), mill_string("17") };
    mill_record record = { mill_string("k"), mill_string("v"), 5, &header, 1 };
    pipeline_ok(&p, mill_test_driver_pipe(p.driver, "in", &record));
    mill_record out;
    assert_int_equal(mill_test_driver_read(p.driver, "out", &out), 1);
    assert_int_equal(out.header_count, 1);
    assert_true(mill_bytes_equal(out.headers[0].key, header.key) && mill_bytes_equal(out.headers[0].value, header.value));
    pipeline_end(&p);
}

/* The value in brackets. */
static int bracket(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_string("<");
    int code = concatenate(result, record->value, context, NULL);
    return code ? code : concatenate(result, mill_string(">"), context, NULL);
}

static void map_values_and_select_key_change_one_side(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *in = pipeline_in(&p);
    mill_stream_to(mill_stream_map_values(in, bracket, NULL), "out");
    mill_stream_to(mill_stream_select_key(in, bracket, NULL), "keys");
    pipeline_start(&p);
    step(&p, "k", "v", 1, "k=<v>@1");
    step(&p, "k", NULL, 2, "k=<>@2");
    assert_string_equal(pipeline_read(&p, "keys"), "<v>=v@1 <>=~@2");
    pipeline_end(&p);
}

/* A record for each letter, under that letter, one millisecond apart. */
static int letters(const mill_record *record, mill_emitter *out, void *ctx)
{
    for (size_t i = 0; i < record->value.len; i++) {
        mill_record letter = *record;
        letter.key = mill_bytes_of(record->value.data + i, 1);
        letter.timestamp_ms += (int64_t)i;
        int code = mill_emit(out, &letter);
        if (code < 0)
            return code;
    }
    return 0;
}

static void flat_map_makes_any_number_of_records_in_order(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_flat_map(pipeline_in(&p), letters, NULL), "out");
    pipeline_start(&p);
    step(&p, "k", "xyz", 5, "x=xyz@5 y=xyz@6 z=xyz@7");
    step(&p, "k", "", 5, "");
    pipeline_end(&p);
}

static void flat_map_values_keeps_the_key_whatever_is_emitted(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_flat_map_values(pipeline_in(&p), letters, NULL), "out");
    pipeline_start(&p);
    step(&p, "k", "xy", 5, "k=xy@5 k=xy@6");
    pipeline_end(&p);
}

static int drop_malformed(const mill_record *record, mill_emitter *out, void *ctx)
{
    if (record->value.len == 3)
        return mill_emit(out, record);
    mill_context_drop(mill_emitter_context(out), "malformed");
    return 0;
}

static void a_flat_mapper_counts_what_it_skips(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_flat_map(pipeline_in(&p), drop_malformed, NULL), "out");
    pipeline_start(&p);
    step(&p, "k", "abc", 1, "k=abc@1");
    step(&p, "k", "ab", 2, "");
    expect_dropped(&p, "malformed", 1);
    pipeline_end(&p);
}

static int fail_always(mill_context *context, void *self, const mill_record *record)
{
    return mill_context_error(context, MILL_EUSER, "the child refuses");
}

static int emit_twice_and_ignore(const mill_record *record, mill_emitter *out, void *ctx)
{
    int *calls = ctx;
    for (int i = 0; i < 2; i++)
        if (mill_emit(out, record) < 0)
            (*calls)++;
    return 0;
}

static void an_error_below_ends_the_record_even_if_the_mapper_ignores_it(void **state)
{
    static const mill_processor_type refusing = { .name = "refusing", .process = fail_always };
    struct pipeline p = pipeline_begin();
    int failures = 0;
    mill_stream *stream = mill_stream_flat_map(pipeline_in(&p), emit_twice_and_ignore, &failures);
    mill_stream_process(stream, (mill_processor_supplier){ .type = &refusing }, NULL, 0);
    pipeline_start(&p);
    assert_int_equal(pipeline_try(&p, "in", "k", "v", 1), MILL_EUSER);
    assert_int_equal(failures, 2);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "the child refuses"));
    pipeline_end(&p);
}

static void note(const mill_record *record, void *ctx)
{
    char *seen = ctx;
    strncat(seen, (const char *)record->value.data, record->value.len);
}

static void peek_looks_on_the_way_and_for_each_at_the_end(void **state)
{
    struct pipeline p = pipeline_begin();
    char peeked[16] = "";
    char ended[16] = "";
    mill_stream *stream = mill_stream_peek(pipeline_in(&p), note, peeked);
    mill_stream_for_each(stream, note, ended);
    mill_stream_to(stream, "out");
    pipeline_start(&p);
    step(&p, "k", "a", 1, "k=a@1");
    step(&p, "k", "b", 2, "k=b@2");
    assert_string_equal(peeked, "ab");
    assert_string_equal(ended, "ab");
    pipeline_end(&p);
}

static void merge_hands_on_the_records_of_both(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *in = pipeline_in(&p);
    mill_stream_to(mill_stream_merge(in, mill_topology_stream(p.topology, "other", NULL)), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 1, "k=a@1");
    pipeline_pipe(&p, "other", "k", "b", 2);
    expect(&p, "k=b@2");
    pipeline_end(&p);
}

static void each_record_goes_to_the_first_branch_that_holds(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_branches *branches = mill_stream_split(pipeline_in(&p));
    mill_stream_to(mill_branch(branches, starts_with, "a"), "a");
    mill_stream_to(mill_branch(branches, starts_with, "b"), "b");
    mill_stream_to(mill_branch(branches, starts_with, "a"), "never");
    mill_stream_to(mill_branch_default(branches), "out");
    pipeline_start(&p);
    step(&p, "k", "a", 1, "");
    step(&p, "k", "b", 2, "");
    step(&p, "k", "c", 3, "k=c@3");
    assert_string_equal(pipeline_read(&p, "a"), "k=a@1");
    assert_string_equal(pipeline_read(&p, "b"), "k=b@2");
    assert_string_equal(pipeline_read(&p, "never"), "");
    pipeline_end(&p);
}

static void without_a_default_what_no_branch_takes_is_gone(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_branch(mill_stream_split(pipeline_in(&p)), starts_with, "a"), "out");
    pipeline_start(&p);
    step(&p, "k", "c", 1, "");
    step(&p, "k", "a", 2, "k=a@2");
    expect_dropped(&p, NULL, 0);
    pipeline_end(&p);
}

static void a_repartition_filters_null_keys_without_counting_them(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_repartition(pipeline_in(&p), "hits", 0), "out");
    pipeline_start(&p);
    step(&p, NULL, "a", 1, "");
    step(&p, "k", NULL, 2, "k=~@2");
    expect_dropped(&p, NULL, 0);
    assert_string_equal(pipeline_read(&p, "test-hits-repartition"), "k=~@2");
    pipeline_end(&p);
}

static void what_a_processor_forwards_goes_on_in_order(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *in = pipeline_in(&p);
    mill_stream *twice = mill_stream_merge(mill_stream_map_values(in, bracket, NULL), in);
    mill_stream_to(twice, "out");
    pipeline_start(&p);
    step(&p, "k", "v", 1, "k=<v>@1 k=v@1"); /* depth first, in the order of the calls */
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_keeps_and_filter_not_drops_what_the_predicate_holds_for),
        cmocka_unit_test(map_makes_one_record_of_one),
        cmocka_unit_test(headers_and_timestamp_pass_through_a_map),
        cmocka_unit_test(map_values_and_select_key_change_one_side),
        cmocka_unit_test(flat_map_makes_any_number_of_records_in_order),
        cmocka_unit_test(flat_map_values_keeps_the_key_whatever_is_emitted),
        cmocka_unit_test(a_flat_mapper_counts_what_it_skips),
        cmocka_unit_test(an_error_below_ends_the_record_even_if_the_mapper_ignores_it),
        cmocka_unit_test(peek_looks_on_the_way_and_for_each_at_the_end),
        cmocka_unit_test(merge_hands_on_the_records_of_both),
        cmocka_unit_test(each_record_goes_to_the_first_branch_that_holds),
        cmocka_unit_test(without_a_default_what_no_branch_takes_is_gone),
        cmocka_unit_test(a_repartition_filters_null_keys_without_counting_them),
        cmocka_unit_test(what_a_processor_forwards_goes_on_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
