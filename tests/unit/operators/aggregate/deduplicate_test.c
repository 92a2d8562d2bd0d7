/* The first of equal records within a time. */
#include "unit/operators/pipeline.h"

#include "base/prng.h"

static struct pipeline deduplicating(mill_mapper id, int64_t within_ms, int64_t retention_ms)
{
    struct pipeline p = pipeline_begin();
    mill_materialized materialized = mill_as("seen");
    materialized.retention_ms = retention_ms;
    mill_grouped *grouped = mill_stream_group_by_key(pipeline_in(&p));
    mill_stream_to(mill_grouped_deduplicate(grouped, id, NULL, within_ms, materialized), "out");
    pipeline_start(&p);
    return p;
}

static void the_first_within_the_time_goes_on(void **state)
{
    struct pipeline p = deduplicating(NULL, 10, 0);
    step(&p, "k", "a", 100, "k=a@100");
    step(&p, "k", "b", 105, "");
    step(&p, "k", "c", 110, "");
    step(&p, "j", "d", 110, "j=d@110");
    step(&p, "k", "e", 111, "k=e@111");
    expect_dropped(&p, "duplicate", 2);
    pipeline_end(&p);
}

static void an_id_tells_records_of_a_key_apart(void **state)
{
    struct pipeline p = deduplicating(to_value, 10, 0);
    step(&p, "k", "a", 100, "k=a@100");
    step(&p, "k", "b", 101, "k=b@101");
    step(&p, "k", "a", 102, "");
    step(&p, "ka", "", 103, "ka=@103"); /* key and id are kept apart */
    pipeline_end(&p);
}

static void what_comes_out_of_order_is_compared_by_time(void **state)
{
    struct pipeline p = deduplicating(NULL, 10, 0);
    step(&p, "k", "a", 100, "k=a@100");
    step(&p, "k", "b", 90, "");
    step(&p, "j", "c", 90, "j=c@90");
    step(&p, "j", "d", 89, "");
    expect_dropped(&p, "late", 1);
    expect_dropped(&p, "duplicate", 1);
    pipeline_end(&p);
}

static void late_ones_come_out_as_a_stream(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_grouped *grouped = mill_stream_group_by_key(pipeline_in(&p));
    mill_stream *first = mill_grouped_deduplicate(grouped, NULL, NULL, 10, mill_as("seen"));
    mill_stream_to(mill_deduplicated_late(first), "late");
    mill_stream_to(first, "out");
    pipeline_start(&p);
    step(&p, "k", "a", 100, "k=a@100");
    step(&p, "j", "b", 89, "");
    step(&p, "k", "c", 95, "");
    assert_string_equal(pipeline_read(&p, "late"), "j=b@89");
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
}

static void other_streams_have_no_late_ones(void **state)
{
    struct pipeline p = pipeline_begin();
    assert_null(mill_deduplicated_late(pipeline_in(&p)));
    assert_non_null(strstr(mill_topology_error(p.topology), "only deduplicated ones have late records"));
    mill_topology_free(p.topology);
}

static void a_larger_retention_judges_older_records(void **state)
{
    struct pipeline p = deduplicating(NULL, 10, 1000);
    step(&p, "k", "a", 500, "k=a@500");
    step(&p, "k", "b", 89, "k=b@89");
    step(&p, "k", "c", 95, "");
    pipeline_end(&p);
}

static void duplicates_are_known_after_a_restart(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = deduplicating(NULL, 10, 0);
        step(&p, "k", "a", 100, "k=a@100");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "k", "b", 105, "");
        step(&p, "k", "c", 111, "k=c@111");
        pipeline_end(&p);
    }
}

/* Each letter of the value as a record of its own, with the letter as key. */
static int letters(const mill_record *record, mill_emitter *out, void *ctx)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < record->value.len; i++) {
        mill_record letter = *record;
        letter.value = mill_bytes_of(record->value.data + i, 1);
        code = mill_emit(out, &letter);
    }
    return code;
}

static void what_a_crash_may_have_lost_goes_on_again_but_no_duplicates_of_it(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_grouped *grouped = mill_stream_group_by_key(mill_stream_flat_map_values(pipeline_in(&p), letters, NULL));
    mill_stream_to(mill_grouped_deduplicate(grouped, to_value, NULL, 10, uncached("seen")), "out");
    pipeline_start(&p);
    step(&p, "k", "x", 99, "k=x@99");
    mill_test_driver_auto_commit(p.driver, false); /* the store's changelog is ahead of the committed offset */
    step(&p, "k", "abaxb", 100, "k=a@100 k=b@100");
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CRASH));
    expect(&p, "k=a@100 k=b@100");
    pipeline_end(&p);
}

static void what_a_crash_brings_again_is_not_late_by_what_the_store_has(void **state)
{
    for (int how = MILL_RESTART_CRASH; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = deduplicating(to_value, 10, 0);
        step(&p, "k", "x", 99, "k=x@99");
        mill_test_driver_auto_commit(p.driver, false);
        step(&p, "k", "a", 100, "k=a@100");
        step(&p, "k", "b", 2000, "k=b@2000");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        expect(&p, "k=a@100 k=b@2000");
        step(&p, "k", "a", 110, "");
        expect_dropped(&p, "late", 1);
        pipeline_end(&p);
    }
}

static void null_keys_are_dropped(void **state)
{
    struct pipeline p = deduplicating(NULL, 10, 0);
    step(&p, NULL, "a", 100, "");
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static void what_cannot_be_says_why(void **state)
{
    static const struct {
        mill_materialized materialized;
        int64_t within_ms;
        const char *why;
    } FALSE_ONES[] = {
        { { .name = NULL }, 1, "it needs a name of yours" },
        { { .name = "seen" }, -1, "duplicates within -1 ms cannot be" },
        { { .name = "seen", .retention_ms = 10 }, 10, "does not reach back" },
        { { .name = "seen", .history_ms = 10 }, 10, "what it has seen has no history" },
    };
    for (size_t i = 0; i < sizeof FALSE_ONES / sizeof FALSE_ONES[0]; i++) {
        struct pipeline p = pipeline_begin();
        mill_grouped *grouped = mill_stream_group_by_key(pipeline_in(&p));
        assert_null(mill_grouped_deduplicate(grouped, NULL, NULL, FALSE_ONES[i].within_ms, FALSE_ONES[i].materialized));
        assert_non_null(strstr(mill_topology_error(p.topology), FALSE_ONES[i].why));
        mill_topology_free(p.topology);
    }
}

static void any_records_leave_what_a_naive_model_leaves(void **state)
{
    enum { TIMES = 600, RECORDS = 500, WITHIN = 7 };
    uint64_t seed = 20260304;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    bool went_on[2][TIMES] = { { false } };
    struct pipeline p = deduplicating(NULL, WITHIN, 1000);
    for (int i = 0; i < RECORDS; i++) {
        int key = (int)prng_below(&prng, 2);
        int at = i + (int)prng_below(&prng, 50);
        bool duplicate = false;
        for (int t = at - WITHIN; t <= at + WITHIN; t++)
            duplicate |= t >= 0 && t < TIMES && went_on[key][t];
        char expected[32] = "";
        if (!duplicate)
            snprintf(expected, sizeof expected, "%c=v@%d", 'a' + key, at);
        went_on[key][at] |= !duplicate;
        step(&p, key == 0 ? "a" : "b", "v", at, expected);
    }
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_within_the_time_goes_on),
        cmocka_unit_test(an_id_tells_records_of_a_key_apart),
        cmocka_unit_test(what_comes_out_of_order_is_compared_by_time),
        cmocka_unit_test(late_ones_come_out_as_a_stream),
        cmocka_unit_test(other_streams_have_no_late_ones),
        cmocka_unit_test(a_larger_retention_judges_older_records),
        cmocka_unit_test(duplicates_are_known_after_a_restart),
        cmocka_unit_test(what_a_crash_brings_again_is_not_late_by_what_the_store_has),
        cmocka_unit_test(what_a_crash_may_have_lost_goes_on_again_but_no_duplicates_of_it),
        cmocka_unit_test(null_keys_are_dropped),
        cmocka_unit_test(what_cannot_be_says_why),
        cmocka_unit_test(any_records_leave_what_a_naive_model_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
