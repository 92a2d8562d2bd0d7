/*
 * Sessions: streams-semantics, cases 8, 9 and 14, what survives a restart, and a naive model as the judge of the rest. More
 * against Kafka Streams in facts_test.c.
 */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

#include "base/prng.h"
#include "millstream/suppress.h"

static const char *const AS_KAFKA[] = { "mill.compat", "kafka", NULL };
static const char *const GO_ON[] = { "processing.exception.handler", "continue", NULL };
static const char *const IDLE[] = { "mill.idle.ms", "1000", NULL };

static mill_session_windowed *sessions_in(struct pipeline *p, int64_t gap, int64_t grace)
{
    return mill_grouped_windowed_by_session(mill_stream_group_by_key(pipeline_in(p)), mill_window_session(gap, grace));
}

static struct pipeline counting(int64_t gap, int64_t grace, mill_emit_strategy emit, const char *const *properties)
{
    struct pipeline p = pipeline_begin();
    mill_session_windowed *sessions = mill_session_windowed_emit(sessions_in(&p, gap, grace), emit);
    mill_table_to(mill_session_windowed_count(sessions, uncached("counts")), "out");
    pipeline_shows(&p, 0, true);
    p.sessions = true;
    pipeline_start_with(&p, properties);
    return p;
}

/* Case 8. */
static void a_record_merges_all_sessions_within_the_gap(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_session_windowed_reduce(sessions_in(&p, 5, 20), concatenate, NULL, uncached("visits")), "out");
    p.sessions = true;
    pipeline_start(&p);
    step(&p, "k", "a", 0, "k[0,0]=a@0");
    step(&p, "k", "b", 20, "k[20,20]=b@20");
    step(&p, "k", "c", 10, "k[10,10]=c@10");
    step(&p, "k", "d", 5, "k[0,0]=~@0 k[10,10]=~@10 k[0,10]=acd@10");
    step(&p, "k", "e", 15, "k[0,10]=~@10 k[20,20]=~@20 k[0,20]=acdbe@20");
    pipeline_end(&p);
}

/* Case 9, without a cache: [0,0] has closed, so 5 does not reach it. */
static void bounds_that_stay_are_deleted_first_too_but_not_a_point(void **state)
{
    for (int as_kafka = 0; as_kafka <= 1; as_kafka++) {
        struct pipeline p = counting(5, 0, MILL_EMIT_ON_WINDOW_UPDATE, as_kafka ? AS_KAFKA : NULL);
        step(&p, "k", "v", 0, "k[0,0]=1@0");
        step(&p, "k", "v", 10, "k[10,10]=1@10");
        step(&p, "k", "v", 5, "k[10,10]=~@10 k[5,10]=2@10");
        step(&p, "k", "v", 5, "k[5,10]=~@10 k[5,10]=3@10");
        step(&p, "j", "v", 10, "j[10,10]=1@10");
        step(&p, "j", "v", 10, "j[10,10]=2@10");
        pipeline_end(&p);
    }
}

/*
 * Case 9, with a cache. The cache of Kafka Streams 4.3.1 still has the closed [0,0] and merges it, which ours does under no
 * setting: a session that has closed stays as it is.
 */
static void with_a_cache_bounds_that_stay_are_not_deleted_first(void **state)
{
    for (int as_kafka = 0; as_kafka <= 1; as_kafka++) {
        struct pipeline p = pipeline_begin();
        mill_table_to(mill_session_windowed_count(sessions_in(&p, 5, 0), mill_as("counts")), "out");
        pipeline_shows(&p, 0, true);
        p.sessions = true;
        pipeline_start_with(&p, as_kafka ? AS_KAFKA : NULL);
        step(&p, "k", "v", 0, "k[0,0]=1@0");
        step(&p, "k", "v", 10, "k[10,10]=1@10");
        step(&p, "k", "v", 5, "k[10,10]=~@10 k[5,10]=2@10");
        step(&p, "k", "v", 5, "k[5,10]=3@10");
        pipeline_end(&p);
    }
}

static void by_default_what_is_within_the_gap_is_merged_though_time_has_moved(void **state)
{
    struct pipeline p = counting(5, 0, MILL_EMIT_ON_WINDOW_UPDATE, NULL);
    step(&p, "k", "v", 0, "k[0,0]=1@0");
    step(&p, "j", "v", 5, "j[5,5]=1@5");
    step(&p, "k", "v", 5, "k[0,0]=~@0 k[0,5]=2@5");
    pipeline_end(&p);
    p = counting(5, 0, MILL_EMIT_ON_WINDOW_UPDATE, AS_KAFKA);
    step(&p, "k", "v", 0, "k[0,0]=1@0");
    step(&p, "j", "v", 5, "j[5,5]=1@5");
    step(&p, "k", "v", 5, "k[5,5]=1@5");
    pipeline_end(&p);
}

static void a_late_record_that_reaches_a_live_session_is_taken(void **state)
{
    struct pipeline p = counting(5, 2, MILL_EMIT_ON_WINDOW_UPDATE, NULL);
    step(&p, "k", "v", 10, "k[10,10]=1@10");
    step(&p, "j", "v", 17, "j[17,17]=1@17");
    step(&p, "k", "v", 5, "k[10,10]=~@10 k[5,10]=2@10");
    step(&p, "i", "v", 9, "");
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
}

static void late_records_come_out_as_a_stream(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *counts = mill_session_windowed_count(sessions_in(&p, 5, 0), uncached("counts"));
    mill_stream_to(mill_windowed_late(counts), "late");
    mill_table_to(counts, "out");
    pipeline_shows(&p, 0, true);
    p.sessions = true;
    pipeline_start(&p);
    step(&p, "k", "v", 20, "k[20,20]=1@20");
    step(&p, "j", "w", 3, "");
    p.sessions = false;
    assert_string_equal(pipeline_read(&p, "late"), "j=w@3");
    pipeline_end(&p);
}

/* Case 14. */
static void on_close_a_session_goes_on_once_when_the_gap_is_over(void **state)
{
    for (int as_kafka = 0; as_kafka <= 1; as_kafka++) {
        struct pipeline p = counting(5, 0, MILL_EMIT_ON_WINDOW_CLOSE, as_kafka ? AS_KAFKA : NULL);
        step(&p, "k", "v", 0, "");
        step(&p, "k", "v", 3, "");
        step(&p, "j", "v", 8, "");
        step(&p, "j", "v", 9, "k[0,3]=2@3");
        step(&p, "k", "v", 100, "j[8,9]=2@9");
        pipeline_end(&p);
    }
}

/* Case 14, the quirk: in memory, with the least retention, Kafka Streams has forgotten the session when it could go on. */
static void in_memory_a_closed_session_goes_on_and_as_kafka_never(void **state)
{
    for (int as_kafka = 0; as_kafka <= 1; as_kafka++) {
        struct pipeline p = pipeline_begin();
        mill_session_windowed *sessions = mill_session_windowed_emit(sessions_in(&p, 5, 0), MILL_EMIT_ON_WINDOW_CLOSE);
        mill_materialized in_memory = uncached("counts");
        in_memory.in_memory = true;
        mill_table_to(mill_session_windowed_count(sessions, in_memory), "out");
        pipeline_shows(&p, 0, true);
        p.sessions = true;
        pipeline_start_with(&p, as_kafka ? AS_KAFKA : NULL);
        step(&p, "k", "v", 0, "");
        step(&p, "k", "v", 3, "");
        step(&p, "j", "v", 8, "");
        step(&p, "j", "v", 9, as_kafka ? "" : "k[0,3]=2@3");
        pipeline_end(&p);
    }
}

static void on_close_nothing_goes_on_again_after_a_restart(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = counting(5, 10, MILL_EMIT_ON_WINDOW_CLOSE, NULL);
        step(&p, "k", "v", 1, "");
        step(&p, "j", "v", 20, "k[1,1]=1@1");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "j", "v", 25, "");
        step(&p, "i", "v", 41, "j[20,25]=2@25");
        pipeline_end(&p);
    }
}

static void sessions_go_on_after_a_restart(void **state)
{
    for (int how = MILL_RESTART_CLEAN; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = counting(5, 10, MILL_EMIT_ON_WINDOW_UPDATE, NULL);
        step(&p, "k", "v", 1, "k[1,1]=1@1");
        step(&p, "k", "v", 20, "k[20,20]=1@20");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        step(&p, "k", "v", 16, "k[20,20]=~@20 k[16,20]=2@20");
        step(&p, "k", "v", 4, ""); /* time has not begun anew */
        expect_dropped(&p, "late", 1);
        pipeline_end(&p);
    }
}

/* At least once: the changelog may be ahead of the results, and those must not be lost. */
static void what_a_crash_brings_again_is_as_late_as_it_was(void **state)
{
    for (int how = MILL_RESTART_CRASH; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = counting(5, 10, MILL_EMIT_ON_WINDOW_UPDATE, NULL);
        step(&p, "k", "v", 1, "k[1,1]=1@1");
        mill_test_driver_auto_commit(p.driver, false);
        step(&p, "k", "v", 4, "k[1,1]=~@1 k[1,4]=2@4");
        step(&p, "k", "v", 45, "k[45,45]=1@45");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        expect(&p, "k[1,4]=~@4 k[1,4]=3@4 k[45,45]=2@45");
        expect_dropped(&p, "late", 0);
        pipeline_end(&p);
    }
}

static void with_a_cache_a_commit_shows_only_what_is_left(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_session_windowed_count(sessions_in(&p, 5, 20), mill_as("counts")), "out");
    pipeline_shows(&p, 0, true);
    p.sessions = true;
    pipeline_start(&p);
    mill_test_driver_auto_commit(p.driver, false);
    step(&p, "k", "v", 0, "");
    step(&p, "k", "v", 3, "");
    step(&p, "k", "v", 6, "");
    pipeline_ok(&p, mill_test_driver_commit(p.driver));
    expect(&p, "k[0,6]=3@6");
    step(&p, "k", "v", 8, "");
    pipeline_ok(&p, mill_test_driver_commit(p.driver));
    expect(&p, "k[0,6]=~@6 k[0,8]=4@8");
    pipeline_end(&p);
}

static void after_an_idle_time_sessions_close_by_the_clock(void **state)
{
    struct pipeline p = counting(5000, 0, MILL_EMIT_ON_WINDOW_CLOSE, IDLE);
    step(&p, "k", "v", 100, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 5000));
    expect(&p, "");
    pipeline_ok(&p, mill_test_driver_advance(p.driver, 250));
    expect(&p, "k[100,100]=1@100");
    pipeline_end(&p);
}

static void null_keys_are_dropped_and_null_values_count(void **state)
{
    struct pipeline p = counting(5, 0, MILL_EMIT_ON_WINDOW_UPDATE, NULL);
    step(&p, NULL, "v", 1, "");
    step(&p, "k", NULL, 1, "k[1,1]=1@1");
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static void impossible_sessions_say_why(void **state)
{
    static const mill_session_windows IMPOSSIBLE[] = { { 0, 0 }, { -1, 0 }, { 1, -1 }, { INT64_MAX, 1 } };
    for (size_t i = 0; i < sizeof IMPOSSIBLE / sizeof IMPOSSIBLE[0]; i++) {
        struct pipeline p = pipeline_begin();
        mill_session_windowed *sessions =
            mill_grouped_windowed_by_session(mill_stream_group_by_key(pipeline_in(&p)), IMPOSSIBLE[i]);
        assert_null(mill_session_windowed_count(sessions, mill_as("counts")));
        assert_non_null(strstr(mill_topology_error(p.topology), "counts: sessions with a gap of"));
        mill_topology_free(p.topology);
    }
}

static void times_at_the_edge_of_the_number_range_stay_in_range(void **state)
{
    struct pipeline p = counting(5, 0, MILL_EMIT_ON_WINDOW_UPDATE, NULL);
    step(&p, "k", "v", 0, "k[0,0]=1@0");
    step(&p, "k", "v", INT64_MAX, "k[9223372036854775807,9223372036854775807]=1@9223372036854775807");
    pipeline_end(&p);
}

/* ---- against a model ----------------------------------------------------------------------------------------------------- */

enum { KEYS = 3, RECORDS = 300, SESSIONS_MAX = 400 };

struct model_session {
    int64_t start;
    int64_t end;
    int count;
};

/* Sessions of each key, in order of their ends. */
struct model {
    int64_t gap;
    int64_t grace;
    int64_t stream_time;
    struct model_session sessions[KEYS][SESSIONS_MAX];
    int counts[KEYS];
    int64_t late;
    char text[4096];
};

/* What has closed is not kept longer than needed: with the least retention it is merged no more. */
static bool touches(const struct model *model, const struct model_session *session, int64_t timestamp)
{
    bool closed = session->end < model->stream_time - model->gap - model->grace;
    return !closed && session->end >= timestamp - model->gap && session->start <= timestamp + model->gap;
}

static struct model_session merge_around(const struct model *model, int key, int64_t timestamp)
{
    struct model_session merged = { timestamp, timestamp, 1 };
    for (int i = 0; i < model->counts[key]; i++) {
        const struct model_session *session = &model->sessions[key][i];
        if (!touches(model, session, timestamp))
            continue;
        merged.start = session->start < merged.start ? session->start : merged.start;
        merged.end = session->end > merged.end ? session->end : merged.end;
        merged.count += session->count;
    }
    return merged;
}

static int by_end(const void *a, const void *b)
{
    int64_t x = ((const struct model_session *)a)->end;
    int64_t y = ((const struct model_session *)b)->end;
    return (x > y) - (x < y);
}

static void model_add(struct model *model, int key, int64_t timestamp)
{
    char *at = model->text;
    *at = '\0';
    if (timestamp > model->stream_time)
        model->stream_time = timestamp;
    struct model_session merged = merge_around(model, key, timestamp);
    if (merged.end < model->stream_time - model->gap - model->grace) {
        model->late++;
        return;
    }
    bool is_point = merged.start == merged.end;
    int kept = 0;
    for (int i = 0; i < model->counts[key]; i++) {
        struct model_session session = model->sessions[key][i];
        if (!touches(model, &session, timestamp))
            model->sessions[key][kept++] = session;
        else if (!is_point)
            at += sprintf(at, "%s%c[%d,%d]=~@%d", at == model->text ? "" : " ", 'a' + key, (int)session.start, (int)session.end,
                          (int)session.end);
    }
    model->sessions[key][kept++] = merged;
    model->counts[key] = kept;
    qsort(model->sessions[key], (size_t)kept, sizeof merged, by_end);
    sprintf(at, "%s%c[%d,%d]=%d@%d", at == model->text ? "" : " ", 'a' + key, (int)merged.start, (int)merged.end, merged.count,
            (int)merged.end);
}

static void any_sessions_count_what_a_naive_model_counts(void **state)
{
    uint64_t seed = 20260301;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    for (int round = 0; round < 30; round++) {
        struct model *model = calloc(1, sizeof *model);
        model->gap = 1 + (int64_t)prng_below(&prng, 8);
        model->grace = (int64_t)prng_below(&prng, 40);
        model->stream_time = -1;
        struct pipeline p = counting(model->gap, model->grace, MILL_EMIT_ON_WINDOW_UPDATE, NULL);
        for (int i = 0; i < RECORDS; i++) {
            int key = (int)prng_below(&prng, KEYS);
            int64_t timestamp = i + (int64_t)prng_below(&prng, 60);
            char name[2] = { (char)('a' + key), '\0' };
            model_add(model, key, timestamp);
            step(&p, name, "v", timestamp, model->text);
        }
        expect_dropped(&p, "late", model->late);
        pipeline_end(&p);
        free(model);
    }
}

/* What its stores have forgotten does not go on: in memory each session by its end, on disk only with its segment. */
static void as_kafka_a_jump_loses_sessions_depending_on_the_store(void **state)
{
    const int64_t jumps[] = { 1000, 1000, 600000 };
    const int counts[] = { 1, 0, 0 };
    for (int i = 0; i < 3; i++) {
        struct pipeline p = pipeline_begin();
        mill_session_windowed *sessions =
            mill_grouped_windowed_by_session(mill_stream_group_by_key(pipeline_in(&p)), mill_window_session(5, 0));
        mill_materialized materialized = uncached(NULL);
        materialized.in_memory = i == 1;
        sessions = mill_session_windowed_emit(sessions, MILL_EMIT_ON_WINDOW_CLOSE);
        mill_table_to(mill_session_windowed_count(sessions, materialized), "out");
        pipeline_start_with(&p, AS_KAFKA);
        pipeline_pipe(&p, "in", "k", "v", 3);
        pipeline_pipe(&p, "in", "j", "v", jumps[i]);
        mill_record closed;
        assert_int_equal(mill_test_driver_read(p.driver, "out", &closed), counts[i]);
        pipeline_end(&p);
    }
}

static int plus(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = left;
    int code = concatenate(result, mill_string("+"), context, NULL);
    return code < 0 ? code : concatenate(result, mill_is_null(right) ? mill_string("~") : right, context, NULL);
}

/* A join that an update sets going looks for another session in the store that the update is just leaving. */
static void a_table_of_sessions_is_read_while_it_changes(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_materialized materialized = uncached("visits");
    materialized.retention_ms = 60;
    mill_table *visits = mill_session_windowed_reduce(sessions_in(&p, 1, 35), concatenate, NULL, materialized);
    mill_table *closed = mill_table_suppress(visits, mill_suppress_until_window_closes(mill_suppress_unbounded()));
    mill_table_to(mill_table_left_join(closed, visits, plus, NULL, mill_as(NULL)), "out");
    p.sessions = true;
    pipeline_start(&p);
    step(&p, "k", "a", 5, "");
    step(&p, "j", "b", 48, "k[5,5]=a+a@5");
    pipeline_end(&p);
}

/* Kafka Streams takes the record first: its store has then forgotten the session that goes on. */
static void what_closes_may_be_looked_up_but_as_kafka_not_after_a_jump(void **state)
{
    for (int as_kafka = 0; as_kafka < 2; as_kafka++) {
        struct pipeline p = pipeline_begin();
        mill_session_windowed *sessions = mill_session_windowed_emit(sessions_in(&p, 1, 0), MILL_EMIT_ON_WINDOW_CLOSE);
        mill_table *visits = mill_session_windowed_reduce(sessions, concatenate, NULL, uncached("visits"));
        mill_stream_to(mill_stream_join_table(mill_table_to_stream(visits), visits, plus, NULL, mill_joined_as(NULL)), "out");
        p.sessions = true;
        pipeline_start_with(&p, as_kafka ? AS_KAFKA : NULL);
        step(&p, "k", "a", 3, "");
        step(&p, "k", "b", 31, as_kafka ? "" : "k[3,3]=a+a@3");
        pipeline_end(&p);
    }
}

static void as_kafka_sessions_in_memory_that_end_together_close_in_the_order_of_keys(void **state)
{
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        struct pipeline p = pipeline_begin();
        mill_materialized materialized = uncached("visits");
        materialized.retention_ms = 50;
        materialized.in_memory = in_memory;
        mill_session_windowed *sessions = mill_session_windowed_emit(sessions_in(&p, 5, 0), MILL_EMIT_ON_WINDOW_CLOSE);
        mill_table_to(mill_session_windowed_reduce(sessions, concatenate, NULL, materialized), "out");
        p.sessions = true;
        pipeline_start_with(&p, AS_KAFKA);
        step(&p, "b", "v", 1, "");
        step(&p, "b", "w", 5, "");
        step(&p, "a", "x", 3, "");
        step(&p, "a", "y", 5, "");
        step(&p, "z", "v", 11, in_memory ? "a[3,5]=xy@5 b[1,5]=vw@5" : "b[1,5]=vw@5 a[3,5]=xy@5");
        pipeline_end(&p);
    }
}

static int concatenate_but_x(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    if (mill_bytes_equal(value, mill_string("x")))
        return mill_context_error(context, MILL_EINVALID, "x is no value");
    return concatenate(aggregate, value, context, ctx);
}

static void a_record_that_is_skipped_leaves_the_sessions_that_it_reaches_as_they_are(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table_to(mill_session_windowed_reduce(sessions_in(&p, 5, 0), concatenate_but_x, NULL, uncached("visits")), "out");
    p.sessions = true;
    pipeline_start_with(&p, GO_ON);
    step(&p, "k", "a", 0, "k[0,0]=a@0");
    step(&p, "k", "b", 3, "k[0,0]=~@0 k[0,3]=ab@3");
    step(&p, "k", "x", 5, "");
    expect_dropped(&p, "processing-error", 1);
    step(&p, "k", "c", 7, "k[0,3]=~@3 k[0,7]=abc@7");
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_sessions_is_read_while_it_changes),
        cmocka_unit_test(what_closes_may_be_looked_up_but_as_kafka_not_after_a_jump),
        cmocka_unit_test(as_kafka_sessions_in_memory_that_end_together_close_in_the_order_of_keys),
        cmocka_unit_test(as_kafka_a_jump_loses_sessions_depending_on_the_store),
        cmocka_unit_test(a_record_merges_all_sessions_within_the_gap),
        cmocka_unit_test(bounds_that_stay_are_deleted_first_too_but_not_a_point),
        cmocka_unit_test(with_a_cache_bounds_that_stay_are_not_deleted_first),
        cmocka_unit_test(by_default_what_is_within_the_gap_is_merged_though_time_has_moved),
        cmocka_unit_test(a_late_record_that_reaches_a_live_session_is_taken),
        cmocka_unit_test(late_records_come_out_as_a_stream),
        cmocka_unit_test(on_close_a_session_goes_on_once_when_the_gap_is_over),
        cmocka_unit_test(in_memory_a_closed_session_goes_on_and_as_kafka_never),
        cmocka_unit_test(on_close_nothing_goes_on_again_after_a_restart),
        cmocka_unit_test(sessions_go_on_after_a_restart),
        cmocka_unit_test(what_a_crash_brings_again_is_as_late_as_it_was),
        cmocka_unit_test(with_a_cache_a_commit_shows_only_what_is_left),
        cmocka_unit_test(after_an_idle_time_sessions_close_by_the_clock),
        cmocka_unit_test(null_keys_are_dropped_and_null_values_count),
        cmocka_unit_test(impossible_sessions_say_why),
        cmocka_unit_test(times_at_the_edge_of_the_number_range_stay_in_range),
        cmocka_unit_test(a_record_that_is_skipped_leaves_the_sessions_that_it_reaches_as_they_are),
        cmocka_unit_test(any_sessions_count_what_a_naive_model_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
