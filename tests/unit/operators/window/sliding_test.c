/*
 * Sliding windows: streams-semantics, cases 10 and 11, what survives a restart, and a naive model as the judge of the rest. More
 * against Kafka Streams in facts_test.c.
 */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

#include "base/prng.h"

static mill_windowed *sliding_in(struct pipeline *p, int64_t difference, int64_t grace)
{
    return mill_grouped_windowed_by(mill_stream_group_by_key(pipeline_in(p)), mill_window_sliding(difference, grace));
}

/* Sliding windows print with a bracket, as others do: their ends are inclusive all the same. */
static struct pipeline reducing(int64_t difference, int64_t grace)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_windowed_reduce(sliding_in(&p, difference, grace), concatenate, NULL, uncached("sums")), "out");
    pipeline_shows(&p, difference > 0 ? difference : 1, false);
    pipeline_start(&p);
    return p;
}

/* Case 10. */
static void a_record_goes_into_all_windows_around_it_and_makes_those_that_are_missing(void **state)
{
    struct pipeline p = reducing(10, 50);
    step(&p, "k", "a", 20, "k[10,20)=a@20");
    step(&p, "k", "b", 25, "k[21,31)=b@25 k[15,25)=ab@25");
    step(&p, "k", "c", 40, "k[30,40)=c@40");
    step(&p, "k", "d", 30, "k[30,40)=cd@40 k[21,31)=bd@30 k[26,36)=d@30 k[20,30)=abd@30 k[31,41)=c@40");
    pipeline_end(&p);
}

/* Case 11. */
static void records_of_the_first_difference_share_a_window(void **state)
{
    struct pipeline p = reducing(10, 50);
    step(&p, "k", "a", 3, "k[0,10)=a@3");
    step(&p, "k", "b", 7, "k[4,14)=b@7 k[0,10)=ab@7");
    step(&p, "k", "c", 5, "k[4,14)=bc@7 k[6,16)=b@7 k[0,10)=abc@7");
    step(&p, "k", NULL, 5, "");
    step(&p, NULL, "v", 5, "");
    expect_dropped(&p, "null-value", 1);
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static void a_window_of_one_millisecond_holds_equal_timestamps(void **state)
{
    struct pipeline p = reducing(0, 10);
    step(&p, "k", "a", 5, "k[5,6)=a@5");
    step(&p, "k", "b", 5, "k[5,6)=ab@5");
    step(&p, "k", "c", 6, "k[6,7)=c@6");
    step(&p, "k", "d", 5, "k[5,6)=abd@5");
    pipeline_end(&p);
}

static void what_is_late_for_all_windows_comes_out_as_a_stream(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *counts = mill_windowed_count(sliding_in(&p, 5, 2), uncached("counts"));
    mill_stream_to(mill_windowed_late(counts), "late");
    mill_table_to(counts, "out");
    pipeline_shows(&p, 5, true);
    pipeline_start(&p);
    step(&p, "k", "v", 20, "k[15,20)=1@20");
    step(&p, "k", "v", 13, "");
    assert_string_equal(pipeline_read(&p, "late"), "");
    step(&p, "k", "v", 12, "");
    p.window_ms = 0;
    assert_string_equal(pipeline_read(&p, "late"), "k=v@12");
    expect_dropped(&p, "late", 2);
    pipeline_end(&p);
}

static struct pipeline closing(const char *const *properties)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = mill_windowed_emit(sliding_in(&p, 5, 0), MILL_EMIT_ON_WINDOW_CLOSE);
    mill_table_to(mill_windowed_count(windowed, uncached("counts")), "out");
    pipeline_shows(&p, 5, true);
    pipeline_start_with(&p, properties);
    return p;
}

static void on_close_windows_go_on_when_time_is_beyond_their_end(void **state)
{
    struct pipeline p = closing(NULL);
    step(&p, "k", "v", 10, "");
    step(&p, "k", "v", 12, "k[5,10)=1@10");
    step(&p, "k", "v", 12, "");
    step(&p, "j", "v", 13, "k[7,12)=3@12");
    step(&p, "j", "v", 100, "j[8,13)=1@13 k[11,16)=2@12");
    pipeline_end(&p);
}

static void final_results_come_once_through_suppress(void **state)
{
    static const char *const AS_KAFKA[] = { "mill.compat", "kafka", NULL };
    for (int as_kafka = 0; as_kafka <= 1; as_kafka++) {
        struct pipeline p = pipeline_begin();
        mill_table *counts = mill_windowed_count(sliding_in(&p, 5, 0), uncached("counts"));
        mill_suppressed final = mill_suppress_until_window_closes(mill_suppress_unbounded());
        mill_table_to(mill_table_suppress(counts, final), "out");
        pipeline_shows(&p, 5, true);
        pipeline_start_with(&p, as_kafka ? AS_KAFKA : NULL);
        step(&p, "k", "v", 10, as_kafka ? "k[5,10)=1@10" : "");
        step(&p, "k", "v", 10, as_kafka ? "k[5,10)=2@10" : "");
        step(&p, "j", "v", 11, as_kafka ? "j[6,11)=1@11" : "k[5,10)=2@10");
        pipeline_end(&p);
    }
}

static void windows_go_on_after_a_restart(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = reducing(10, 5);
        step(&p, "k", "a", 20, "k[10,20)=a@20");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "k", "b", 25, "k[21,31)=b@25 k[15,25)=ab@25");
        pipeline_end(&p);
    }
}

static void impossible_windows_say_why(void **state)
{
    static const int64_t IMPOSSIBLE[][2] = { { -1, 0 }, { 1, -1 }, { INT64_MAX, 0 } };
    for (size_t i = 0; i < sizeof IMPOSSIBLE / sizeof IMPOSSIBLE[0]; i++) {
        struct pipeline p = pipeline_begin();
        assert_null(mill_windowed_count(sliding_in(&p, IMPOSSIBLE[i][0], IMPOSSIBLE[i][1]), mill_as("counts")));
        assert_non_null(strstr(mill_topology_error(p.topology), "counts: sliding windows with a difference of"));
        mill_topology_free(p.topology);
    }
}

/* ---- against a model ----------------------------------------------------------------------------------------------------- */

enum { KEYS = 2, RECORDS = 200, TIMES = 400 };

/* Of each key how many records at each time, and what came out last for each start. */
struct model {
    int64_t difference;
    int records[KEYS][TIMES];
    int64_t counts[KEYS][TIMES];
};

static int in_window(const struct model *model, int key, int64_t start)
{
    int sum = 0;
    for (int64_t t = start; t <= start + model->difference && t < TIMES; t++)
        sum += model->records[key][t];
    return sum;
}

static void read_counts(struct pipeline *p, struct model *model)
{
    mill_record record;
    mill_windowed_key windowed = { 0 };
    while (mill_test_driver_read(p->driver, "out", &record) == 1) {
        assert_true(mill_time_window_read(record.key, model->difference, &windowed));
        assert_non_null(windowed.key.data);
        assert_true(mill_int64_read(record.value, &model->counts[windowed.key.data[0] - 'a'][windowed.start_ms]));
    }
}

/* Left window of each record, right window if anything is in it, and nothing else. */
static void compare_with_model(const struct model *model, int key)
{
    bool expected[TIMES] = { false };
    for (int64_t t = 0; t < TIMES; t++) {
        if (model->records[key][t] == 0)
            continue;
        expected[t < model->difference ? 0 : t - model->difference] = true;
        if (t + 1 < TIMES && in_window(model, key, t + 1) > 0)
            expected[t + 1] = true;
    }
    for (int64_t start = 0; start < TIMES; start++)
        assert_int_equal(model->counts[key][start], expected[start] ? in_window(model, key, start) : 0);
}

static void records_in_any_order_make_the_windows_of_a_naive_model(void **state)
{
    uint64_t seed = 20260302;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    for (int round = 0; round < 40; round++) {
        struct model *model = calloc(1, sizeof *model);
        model->difference = 1 + (int64_t)prng_below(&prng, 30);
        struct pipeline p = pipeline_begin();
        mill_windowed *windowed = sliding_in(&p, model->difference, round % 2 == 0 ? TIMES : 40);
        mill_table_to(mill_windowed_count(windowed, round % 4 < 2 ? uncached("counts") : mill_as("counts")), "out");
        pipeline_start(&p);
        for (int i = 0; i < RECORDS; i++) {
            int key = (int)prng_below(&prng, KEYS);
            int64_t timestamp = i + (int64_t)prng_below(&prng, 40); /* never later than any grace here */
            char name[2] = { (char)('a' + key), '\0' };
            model->records[key][timestamp]++;
            pipeline_pipe(&p, "in", name, "v", timestamp);
        }
        read_counts(&p, model);
        for (int key = 0; key < KEYS; key++)
            compare_with_model(model, key);
        expect_dropped(&p, NULL, 0);
        pipeline_end(&p);
        free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_goes_into_all_windows_around_it_and_makes_those_that_are_missing),
        cmocka_unit_test(records_of_the_first_difference_share_a_window),
        cmocka_unit_test(a_window_of_one_millisecond_holds_equal_timestamps),
        cmocka_unit_test(what_is_late_for_all_windows_comes_out_as_a_stream),
        cmocka_unit_test(on_close_windows_go_on_when_time_is_beyond_their_end),
        cmocka_unit_test(final_results_come_once_through_suppress),
        cmocka_unit_test(windows_go_on_after_a_restart),
        cmocka_unit_test(impossible_windows_say_why),
        cmocka_unit_test(records_in_any_order_make_the_windows_of_a_naive_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
