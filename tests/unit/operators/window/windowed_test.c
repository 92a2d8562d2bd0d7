/*
 * Time windows and the aggregations in them: streams-semantics, conformance cases 3 to 7, and a naive model as the judge of the
 * rest.
 */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

#include "base/prng.h"

static mill_windowed *windowed_in(struct pipeline *p, mill_time_windows windows)
{
    return mill_grouped_windowed_by(mill_stream_group_by_key(pipeline_in(p)), windows);
}

/* Counts of "in" in those windows, uncached, into "out". */
static struct pipeline counting(mill_time_windows windows)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_windowed_count(windowed_in(&p, windows), uncached(NULL)), "out");
    pipeline_shows(&p, windows.size_ms, true);
    pipeline_start(&p);
    return p;
}

/* Case 3. */
static void tumbling_windows_without_grace_close_at_their_end(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0));
    step(&p, "k", "v", 0, "k[0,10)=1@0");
    step(&p, "k", "v", 9, "k[0,10)=2@9");
    step(&p, "k", "v", 10, "k[10,20)=1@10");
    step(&p, "k", "v", 9, "");
    step(&p, "j", "v", 3, "");
    step(&p, "k", NULL, 12, "k[10,20)=2@12");
    step(&p, NULL, "v", 13, "");
    step(&p, "k", "v", 25, "k[20,30)=1@25");
    expect_dropped(&p, NULL, 3);
    expect_dropped(&p, "late", 2);
    pipeline_end(&p);
}

/* Case 4. */
static void a_window_takes_records_until_its_grace_is_over(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 5));
    step(&p, "k", "v", 1, "k[0,10)=1@1");
    step(&p, "k", "v", 14, "k[10,20)=1@14");
    step(&p, "k", "v", 9, "k[0,10)=2@9");
    step(&p, "k", "v", 15, "k[10,20)=2@15");
    step(&p, "k", "v", 9, "");
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
}

/* Case 5. */
static void a_record_can_be_late_for_one_hopping_window_and_not_for_the_next(void **state)
{
    struct pipeline p = counting(mill_window_hopping(10, 5, 0));
    step(&p, "k", "v", 2, "k[0,10)=1@2");
    step(&p, "k", "v", 7, "k[0,10)=2@7 k[5,15)=1@7");
    step(&p, "k", "v", 12, "k[5,15)=2@12 k[10,20)=1@12");
    step(&p, "k", "v", 8, "k[5,15)=3@12");
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
}

/* Case 6. */
static void the_advance_need_not_divide_the_size(void **state)
{
    struct pipeline p = counting(mill_window_hopping(10, 3, 0));
    step(&p, "k", "v", 11, "k[3,13)=1@11 k[6,16)=1@11 k[9,19)=1@11");
    pipeline_end(&p);
}

/* Case 7. */
static void a_windowed_reduce_takes_null_values(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_windowed_reduce(windowed_in(&p, mill_window_tumbling(10, 0)), concatenate, NULL, uncached(NULL)), "out");
    pipeline_shows(&p, 10, false);
    pipeline_start(&p);
    step(&p, "k", NULL, 1, "k[0,10)=~@1");
    step(&p, "k", "a", 2, "k[0,10)=a@2");
    step(&p, "k", NULL, 1, "k[0,10)=a@2");
    step(&p, "k", "b", 3, "k[0,10)=ab@3");
    expect_dropped(&p, NULL, 0);
    pipeline_end(&p);
}

static int begin_empty(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("<");
    return 0;
}

static int append(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    if (mill_is_null(value)) {
        *aggregate = mill_null();
        return 0;
    }
    return concatenate(aggregate, value, context, ctx);
}

static void a_windowed_aggregate_begins_in_each_window(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = windowed_in(&p, mill_window_hopping(10, 5, 100));
    mill_table_to(mill_windowed_aggregate(windowed, begin_empty, append, NULL, uncached(NULL)), "out");
    pipeline_shows(&p, 10, false);
    pipeline_start(&p);
    step(&p, "k", "a", 7, "k[0,10)=<a@7 k[5,15)=<a@7");
    step(&p, "k", "b", 3, "k[0,10)=<ab@7");
    step(&p, "k", NULL, 5, "k[0,10)=~@7 k[5,15)=~@7");
    step(&p, "k", "c", 2, "k[0,10)=<c@2");
    pipeline_end(&p);
}

static void distinct_members_are_counted_in_each_window(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = windowed_in(&p, mill_window_hopping(10, 5, 0));
    mill_table_to(mill_windowed_count_distinct(windowed, uncached("users")), "out");
    pipeline_shows(&p, 10, true);
    pipeline_start(&p);
    step(&p, "k", "ann", 7, "k[0,10)=1@7 k[5,15)=1@7");
    step(&p, "k", "ann", 8, "k[0,10)=1@7 k[5,15)=1@7");
    step(&p, "k", "bob", 3, "k[0,10)=2@7");
    step(&p, "k", "bob", 12, "k[5,15)=2@12 k[10,20)=1@12");
    step(&p, "k", "cid", 9, "k[5,15)=3@12");
    step(&p, "k", NULL, 12, "");
    step(&p, NULL, "ann", 12, "");
    expect_dropped(&p, "late", 1);
    expect_dropped(&p, "null-member", 1);
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static void time_stands_still_for_records_that_never_reach_the_operator(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0));
    step(&p, "k", "v", 1, "k[0,10)=1@1");
    step(&p, NULL, "v", 50, ""); /* dropped for its key before it could move the time */
    step(&p, "k", "v", 2, "k[0,10)=2@2");
    pipeline_end(&p);
}

static void with_a_cache_each_window_goes_on_once_a_commit_in_the_order_of_last_writes(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_windowed_count(windowed_in(&p, mill_window_tumbling(10, 100)), mill_as("pv")), "out");
    pipeline_shows(&p, 10, true);
    pipeline_start(&p);
    mill_test_driver_auto_commit(p.driver, false);
    step(&p, "k", "v", 1, "");
    step(&p, "j", "v", 12, "");
    step(&p, "k", "v", 5, "");
    pipeline_ok(&p, mill_test_driver_commit(p.driver));
    expect(&p, "j[10,20)=1@12 k[0,10)=2@5");
    pipeline_end(&p);
}

static void after_a_restart_closed_windows_stay_closed(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = counting(mill_window_tumbling(10, 0));
        step(&p, "k", "v", 25, "k[20,30)=1@25");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "k", "v", 19, "");
        step(&p, "k", "v", 21, "k[20,30)=2@25");
        pipeline_end(&p);
    }
}

static void a_restart_within_the_grace_opens_no_closed_window(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = counting(mill_window_tumbling(60, 20));
        step(&p, "k", "v", 10, "k[0,60)=1@10");
        step(&p, "k", "v", 85, "k[60,120)=1@85");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "k", "v", 30, "");
        expect_dropped(&p, "late", 1);
        pipeline_end(&p);
    }
}

/* At least once: the changelog may be ahead of the results, and those must not be lost. */
static void what_a_crash_brings_again_is_as_late_as_it_was(void **state)
{
    for (int how = MILL_RESTART_CRASH; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = counting(mill_window_tumbling(10, 0));
        step(&p, "k", "v", 4, "k[0,10)=1@4");
        mill_test_driver_auto_commit(p.driver, false);
        step(&p, "k", "v", 5, "k[0,10)=2@5");
        step(&p, "k", "v", 25, "k[20,30)=1@25");
        step(&p, "k", "v", 6, "");
        step(&p, "k", "v", 95, "k[90,100)=1@95");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        expect(&p, "k[0,10)=3@5 k[20,30)=2@25 k[90,100)=2@95");
        expect_dropped(&p, "late", 1);
        pipeline_end(&p);
    }
}

static void before_the_first_commit_a_crash_begins_anew(void **state)
{
    struct pipeline p = counting(mill_window_tumbling(10, 0));
    mill_test_driver_auto_commit(p.driver, false);
    step(&p, "k", "v", 5, "k[0,10)=1@5");
    step(&p, "k", "v", 25, "k[20,30)=1@25");
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CRASH));
    expect(&p, "k[0,10)=2@5 k[20,30)=2@25");
    expect_dropped(&p, "late", 0);
    pipeline_end(&p);
}

static void times_at_the_edge_of_the_number_range_stay_in_range(void **state)
{
    struct pipeline p = counting(mill_window_hopping(10, 5, 0));
    step(&p, "k", "v", INT64_MAX,
         "k[9223372036854775800,9223372036854775807)=1@9223372036854775807 "
         "k[9223372036854775805,9223372036854775807)=1@9223372036854775807");
    step(&p, "k", "v", 1, "");
    pipeline_end(&p);
}

/* ---- against a model ----------------------------------------------------------------------------------------------------- */

enum { KEYS = 3, STARTS_MAX = 400, RECORDS = 400 };

/* Every window of every key, found by trying all of them. */
struct model {
    mill_time_windows windows;
    int64_t stream_time;
    int64_t count[KEYS][STARTS_MAX];
    int64_t latest[KEYS][STARTS_MAX];
    int64_t late;
    char text[4096];
};

static void model_add(struct model *model, int key, int64_t timestamp)
{
    char *at = model->text;
    *at = '\0';
    if (timestamp > model->stream_time)
        model->stream_time = timestamp;
    for (int64_t start = 0; start < STARTS_MAX; start += model->windows.advance_ms) {
        int64_t end = start + model->windows.size_ms;
        if (timestamp < start || timestamp >= end)
            continue;
        if (end + model->windows.grace_ms <= model->stream_time) {
            model->late++;
            continue;
        }
        if (model->count[key][start]++ == 0 || timestamp > model->latest[key][start])
            model->latest[key][start] = timestamp;
        at += sprintf(at, "%s%c[%d,%d)=%d@%d", at == model->text ? "" : " ", 'a' + key, (int)start, (int)end,
                      (int)model->count[key][start], (int)model->latest[key][start]);
    }
}

static void any_windows_count_what_a_naive_model_counts(void **state)
{
    uint64_t seed = 20240607;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    for (int round = 0; round < 30; round++) {
        int64_t size = 1 + (int64_t)prng_below(&prng, 40);
        int64_t advance = 1 + (int64_t)prng_below(&prng, (uint64_t)size);
        int64_t grace = (int64_t)prng_below(&prng, 30);
        struct model *model = calloc(1, sizeof *model);
        model->windows = mill_window_hopping(size, advance, grace);
        model->stream_time = -1;
        struct pipeline p = counting(model->windows);
        for (int i = 0; i < RECORDS; i++) {
            int key = (int)prng_below(&prng, KEYS);
            int64_t timestamp = i / 2 + (int64_t)prng_below(&prng, 60);
            char name[2] = { (char)('a' + key), '\0' };
            model_add(model, key, timestamp);
            step(&p, name, "v", timestamp, model->text);
        }
        expect_dropped(&p, "late", model->late);
        pipeline_end(&p);
        free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tumbling_windows_without_grace_close_at_their_end),
        cmocka_unit_test(a_window_takes_records_until_its_grace_is_over),
        cmocka_unit_test(a_record_can_be_late_for_one_hopping_window_and_not_for_the_next),
        cmocka_unit_test(the_advance_need_not_divide_the_size),
        cmocka_unit_test(a_windowed_reduce_takes_null_values),
        cmocka_unit_test(a_windowed_aggregate_begins_in_each_window),
        cmocka_unit_test(distinct_members_are_counted_in_each_window),
        cmocka_unit_test(time_stands_still_for_records_that_never_reach_the_operator),
        cmocka_unit_test(with_a_cache_each_window_goes_on_once_a_commit_in_the_order_of_last_writes),
        cmocka_unit_test(after_a_restart_closed_windows_stay_closed),
        cmocka_unit_test(a_restart_within_the_grace_opens_no_closed_window),
        cmocka_unit_test(what_a_crash_brings_again_is_as_late_as_it_was),
        cmocka_unit_test(before_the_first_commit_a_crash_begins_anew),
        cmocka_unit_test(times_at_the_edge_of_the_number_range_stay_in_range),
        cmocka_unit_test(any_windows_count_what_a_naive_model_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
