/*
 * Broker, client and stream threads together in one simulated world (streams_world.h) while processes are killed, machines lose
 * power and a second process joins, leaves and dies.
 *
 * Afterwards: the input topic holds every record once, each visitor count is exact, no view count is too low, and without faults
 * each view count is exact too.
 */
#include "simulation/streams_world.h"
#include "base/trace.h"
#include "client/admin.h"
#include "support/rounds.h"
#include "worker/internal.h"

static void begin(struct scenario *s, uint64_t seed)
{
    scenario_begin(s, seed, RECORDS);
    assert_int_equal(process_start(s, SERVER), 0);
}

static int rounds(void)
{
    return test_rounds(5);
}

static void results_are_exact_without_faults(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + (uint64_t)i);
        run_to_the_end(&s);
    }
}

static void planted_faults_are_noticed(void **state)
{
    static struct found true_find;
    static struct found altered;
    struct scenario s;
    begin(&s, test_seed(1));
    assert_int_equal(run_until_done(&s, LIFETIME_US), 0);
    read_back(&s, &true_find);
    assert_null(judge(&s, &true_find));
    int64_t *const places[] = { &altered.inputs, &altered.views.values[3][4], &altered.visitors.values[PAGES - 1][WINDOWS - 1] };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        altered = true_find;
        ++*places[i];
        assert_non_null(judge(&s, &altered));
        *places[i] -= 2;
        assert_non_null(judge(&s, &altered));
    }
    scenario_end(&s);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    uint64_t traces[2];
    for (int i = 0; i < 2; i++) {
        struct scenario s;
        begin(&s, test_seed(1));
        run_for(&s, 300000);
        process_kill(&s, SERVER, true);
        assert_int_equal(process_start(&s, SERVER), 0);
        assert_int_equal(run_until_done(&s, LIFETIME_US), 0);
        traces[i] = sim_world_trace(s.world);
        scenario_end(&s);
    }
    assert_int_equal(traces[0], traces[1]);
}

static void crash_the_server(uint64_t seed, bool power_cut)
{
    struct scenario s;
    begin(&s, seed);
    for (int i = 0; i < 4; i++) {
        run_for(&s, 300000);
        process_kill(&s, SERVER, power_cut);
        assert_int_equal(process_start(&s, SERVER), 0);
    }
    run_to_the_end(&s);
}

static bool both_are_stopped(void *ctx)
{
    const struct scenario *s = ctx;
    return s->machines[SERVER].process->stopped && s->machines[SECOND].process->stopped;
}

/* Leader or not, in the middle of work or of a rebalance: who fails tells the other. */
static void a_thread_that_fails_can_stop_all_of_its_group(void **state)
{
    for (int i = 0; i < 2 * rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 60000 + (uint64_t)i);
        run_for(&s, 300000);
        assert_int_equal(process_start(&s, SECOND), 0);
        run_for(&s, 4000000);
        int failing = i % 2 == 0 ? SERVER : SECOND;
        thread_fail(s.machines[failing].process->thread, MILL_EUSER, "the test wants it");
        stream_thread_stop_application(s.machines[failing].process->thread);
        assert_int_equal(sim_world_run(s.world, both_are_stopped, &s, 30000000), 0);
        const struct process *told = s.machines[failing == SERVER ? SECOND : SERVER].process;
        assert_false(told->failed);
        assert_non_null(strstr(told->failure, "the whole application is to stop"));
        process_close(&s, SECOND);
        process_close(&s, SERVER);
        assert_int_equal(process_start(&s, SERVER), 0); /* what was committed is whole, and the group is free */
        s.faults++;
        run_to_the_end(&s);
    }
}

/* The group does not answer: it stops alone, after a while. */
static void who_cannot_tell_the_others_stops_alone(void **state)
{
    struct scenario s;
    begin(&s, test_seed(1) + 61000);
    assert_int_equal(process_start(&s, SECOND), 0);
    run_for(&s, 4000000);
    sim_world_cut(s.world, "server", "second", true);
    thread_fail(s.machines[SECOND].process->thread, MILL_EUSER, "the test wants it");
    stream_thread_stop_application(s.machines[SECOND].process->thread);
    sim_world_run(s.world, NULL, NULL, 100000000);
    assert_true(s.machines[SECOND].process->stopped);
    assert_false(s.machines[SERVER].process->stopped);
    process_close(&s, SECOND);
    sim_world_cut(s.world, "server", "second", false);
    s.faults++;
    run_to_the_end(&s);
}

static void killed_processes_lose_nothing(void **state)
{
    for (int i = 0; i < rounds(); i++)
        crash_the_server(test_seed(1) + 10000 + (uint64_t)i, false);
}

static void power_cuts_lose_nothing_acknowledged(void **state)
{
    for (int i = 0; i < rounds(); i++)
        crash_the_server(test_seed(1) + 20000 + (uint64_t)i, true);
}

/* Joining and leaving in good order commit before tasks move: nothing is read twice. */
static void a_second_process_joins_and_leaves_without_a_trace(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 30000 + (uint64_t)i);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 200000);
            assert_int_equal(process_start(&s, SECOND), 0);
            run_for(&s, 200000);
            process_close(&s, SECOND);
        }
        run_to_the_end(&s);
    }
}

static void a_second_process_may_die_at_any_moment(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 40000 + (uint64_t)i);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 200000);
            assert_int_equal(process_start(&s, SECOND), 0);
            run_for(&s, 300000);
            process_kill(&s, SECOND, j % 2 == 0);
        }
        run_to_the_end(&s);
    }
}

static void a_second_process_goes_on_when_the_broker_comes_back(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 50000 + (uint64_t)i);
        run_for(&s, 100000);
        assert_int_equal(process_start(&s, SECOND), 0);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 400000);
            process_kill(&s, SERVER, j % 2 == 0);
            assert_int_equal(process_start(&s, SERVER), 0);
        }
        run_to_the_end(&s);
    }
}

/* For longer than delivery.timeout.ms and default.api.timeout.ms, but not than task.timeout.ms. */
static void a_broker_that_is_away_for_minutes_ends_no_thread(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        scenario_begin(&s, test_seed(1) + 65000 + (uint64_t)i, RECORDS);
        s.feed_every_us = 20000; /* there is always something under way */
        assert_int_equal(config_set(&s.config, "heartbeat.interval.ms", "200"), 0);
        assert_int_equal(process_start(&s, SERVER), 0);
        assert_int_equal(process_start(&s, SECOND), 0);
        sim_world_run(s.world, NULL, NULL, 4000000);
        run_for(&s, 1000000);
        process_kill(&s, SERVER, false);
        sim_world_run(s.world, NULL, NULL, 200000000);
        assert_int_equal(process_start(&s, SERVER), 0);
        run_to_the_end(&s);
    }
}

/* While it joins, restores, processes or commits: whatever waits for the broker is given up, and is done again later. */
static void who_closes_without_a_broker_does_not_wait_long(void **state)
{
    for (int i = 0; i < 4 * rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 70000 + (uint64_t)i);
        run_for(&s, 100000);
        assert_int_equal(process_start(&s, SECOND), 0);
        run_for(&s, i % 4 == 0 ? 20000 : 4000000);
        process_kill(&s, SERVER, false);
        run_for(&s, i % 2 == 0 ? 1000 : 2000000);
        process_close_within(&s, SECOND, 5500000);
        assert_int_equal(process_start(&s, SERVER), 0);
        assert_int_equal(process_start(&s, SECOND), 0);
        run_to_the_end(&s);
    }
}

/* Its connections are as they were, and nothing comes back on them. */
static void who_closes_beside_a_silent_broker_waits_half_a_minute(void **state)
{
    for (int i = 0; i < 2 * rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 80000 + (uint64_t)i);
        assert_int_equal(process_start(&s, SECOND), 0);
        run_for(&s, 4000000);
        sim_world_cut(s.world, "server", "second", true);
        process_close_within(&s, SECOND, 30500000);
        sim_world_cut(s.world, "server", "second", false);
        run_to_the_end(&s);
    }
}

/* ---- restoring ------------------------------------------------------------------------------------------------------------- */

static int restored_tasks(const struct scenario *s)
{
    int count = 0;
    for (int i = 0; i < PARTITIONS; i++)
        count += s->machines[SERVER].process->restored[i];
    return count;
}

struct restoring {
    const struct scenario *s;
    int tasks; /* that had been restored */
};

static bool one_more_is_restored(void *ctx)
{
    const struct restoring *restoring = ctx;
    return restored_tasks(restoring->s) > restoring->tasks;
}

/* However much of the changelogs has come: between two of them the tasks that run process what there is. */
static void tasks_are_restored_one_after_the_other(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 90000 + (uint64_t)i);
        assert_int_equal(run_until_done(&s, LIFETIME_US), 0);
        process_close(&s, SERVER);
        assert_int_equal(disk_remove_tree(sim_disk_disk(s.machines[SERVER].disk), "/server/views"), 0);
        assert_int_equal(process_start(&s, SERVER), 0);
        struct restoring restoring = { .s = &s };
        for (; restoring.tasks < PARTITIONS; restoring.tasks++) {
            assert_int_equal(sim_world_run(s.world, one_more_is_restored, &restoring, LIFETIME_US), 0);
            assert_int_equal(restored_tasks(&s), restoring.tasks + 1);
        }
        run_to_the_end(&s);
    }
}

/* ---- queries --------------------------------------------------------------------------------------------------------------- */

struct asking {
    struct store_query query; /* first */
    struct stream_thread *thread;
    bool asked[PARTITIONS];
    bool under_way;
    int answers; /* with success */
};

static int note_partition(void *ctx, int32_t partition, mill_store *store)
{
    struct asking *asking = ctx;
    assert_false(asking->asked[partition]);
    asking->asked[partition] = true;
    return MILL_QUERY_NEXT;
}

/* A task that has gone elsewhere, or will have as soon as its last flush is done, is none of those that answer. */
static void judge_answer(struct store_query *query)
{
    struct asking *asking = (struct asking *)query;
    asking->under_way = false;
    if (query->code != MILL_QUERY_NEXT)
        return;
    asking->answers++;
    bool running[PARTITIONS] = { false };
    for_each_task (assigned, asking->thread)
        if (assigned->state != ASSIGNED_CLOSING)
            running[assigned->name.partition] = true;
    assert_memory_equal(asking->asked, running, sizeof running);
}

/* `goes_on`: as when another thread was asked before. */
static void ask(struct asking *asking, bool goes_on)
{
    memset(asking->asked, 0, sizeof asking->asked);
    asking->query.has_generation &= goes_on;
    if (asking->under_way || stream_thread_ask(asking->thread, &asking->query) < 0)
        return;
    asking->under_way = true;
    stream_thread_look_at_queries(asking->thread);
}

static void a_query_is_answered_by_the_tasks_that_stay(void **state)
{
    for (int i = 0; i < 2 * rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 70000 + (uint64_t)i);
        run_for(&s, 300000);
        assert_int_equal(process_start(&s, SECOND), 0);
        struct asking asking = { .thread = s.machines[SERVER].process->thread };
        asking.query = (struct store_query){ .store = "views", .look = note_partition, .ctx = &asking, .answered = judge_answer };
        for (int asked = 0; asked < 40000; asked++) {
            ask(&asking, false);
            sim_world_run(s.world, NULL, NULL, 200);
        }
        assert_true(asking.answers > 100);
        run_to_the_end(&s);
    }
}

/* Else a task that goes from one thread to the other meanwhile would be looked at twice, or not at all. */
static void a_query_of_several_threads_is_of_one_generation(void **state)
{
    struct scenario s;
    begin(&s, test_seed(1) + 80000);
    run_for(&s, 300000);
    struct asking asking = { .thread = s.machines[SERVER].process->thread };
    asking.query = (struct store_query){ .store = "views", .look = note_partition, .ctx = &asking, .answered = judge_answer };
    for (int i = 0; i < 3; i++) {
        sim_world_run(s.world, NULL, NULL, 10 * 1000 * 1000);
        ask(&asking, i > 0);
        sim_world_run(s.world, NULL, NULL, 1000 * 1000);
        assert_false(asking.under_way);
        assert_int_equal(asking.query.code, i < 2 ? MILL_QUERY_NEXT : MILL_EAGAIN);
        if (i == 1)
            assert_int_equal(process_start(&s, SECOND), 0);
    }
    run_to_the_end(&s);
}

/* ---- what a topic refuses -------------------------------------------------------------------------------------------------- */

/* Less than a commit interval's results take, in any of the topics. */
static void batches_too_large_for_their_topics_are_split(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        scenario_begin(&s, test_seed(1) + 90000 + (uint64_t)i, RECORDS);
        s.message_bytes_max = "300";
        assert_int_equal(process_start(&s, SERVER), 0);
        run_to_the_end(&s);
    }
}

/* An input alone is below the limit, a result is not. */
static void a_record_that_its_topic_refuses_is_skipped_when_the_handler_says_so(void **state)
{
    struct scenario s;
    scenario_begin(&s, test_seed(1) + 95000, RECORDS);
    s.message_bytes_max = "84";
    assert_int_equal(config_set(&s.config, "production.exception.handler", "continue"), 0);
    trace_set_level(TRACE_ERROR); /* each record that is skipped is told of */
    assert_int_equal(process_start(&s, SERVER), 0);
    assert_int_equal(run_until_done(&s, LIFETIME_US), 0);
    trace_set_level(TRACE_WARN);
    assert_false(process_failed(&s));
    mill_app_progress progress = { 0 };
    stream_thread_progress(s.machines[SERVER].process->thread, &progress);
    assert_true(progress.records_dropped > 0);
    scenario_end(&s);
}

/* ---- missing topics -------------------------------------------------------------------------------------------------------- */

static int told_of_missing;

static void note_missing(void *ctx, enum trace_level level, const char *line)
{
    told_of_missing +=
        level == TRACE_WARN && strstr(line, "waits for the topic page-views; create it with: millstream topic") != NULL;
}

static void created(void *ctx, int code, const char *text, const struct admin_topic_result *results, size_t count,
                    struct io_time now)
{
    assert_int_equal(code, 0);
    *(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
    return *(bool *)ctx;
}

static void a_missing_topic_is_told_of_now_and_then_and_waited_for(void **state)
{
    struct scenario s;
    static const struct admin_new_topic TOPICS[] = { { "unique-visitors", 4, -1, NULL, 0 }, { "page-views", 4, -1, NULL, 0 } };
    scenario_begin(&s, test_seed(1) + 99000, RECORDS);
    s.topics_are_the_users = true;
    told_of_missing = 0;
    trace_set_sink(note_missing, NULL);
    assert_int_equal(process_start(&s, SERVER), 0);
    bool done = false;
    assert_non_null(admin_create_topics(s.feeder, TOPICS, 1, false, created, &done));
    assert_int_equal(sim_world_run(s.world, is_true, &done, 10000000), 0);
    sim_world_run(s.world, NULL, NULL, 200000000);
    assert_in_range(told_of_missing, 3, 5);
    done = false;
    assert_non_null(admin_create_topics(s.feeder, TOPICS + 1, 1, false, created, &done));
    assert_int_equal(sim_world_run(s.world, is_true, &done, 10000000), 0);
    trace_set_sink(NULL, NULL);
    run_to_the_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_are_restored_one_after_the_other),
        cmocka_unit_test(a_query_is_answered_by_the_tasks_that_stay),
        cmocka_unit_test(a_query_of_several_threads_is_of_one_generation),
        cmocka_unit_test(planted_faults_are_noticed),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(results_are_exact_without_faults),
        cmocka_unit_test(a_thread_that_fails_can_stop_all_of_its_group),
        cmocka_unit_test(who_cannot_tell_the_others_stops_alone),
        cmocka_unit_test(killed_processes_lose_nothing),
        cmocka_unit_test(power_cuts_lose_nothing_acknowledged),
        cmocka_unit_test(a_second_process_joins_and_leaves_without_a_trace),
        cmocka_unit_test(a_second_process_may_die_at_any_moment),
        cmocka_unit_test(a_second_process_goes_on_when_the_broker_comes_back),
        cmocka_unit_test(a_broker_that_is_away_for_minutes_ends_no_thread),
        cmocka_unit_test(who_closes_without_a_broker_does_not_wait_long),
        cmocka_unit_test(who_closes_beside_a_silent_broker_waits_half_a_minute),
        cmocka_unit_test(a_missing_topic_is_told_of_now_and_then_and_waited_for),
        cmocka_unit_test(batches_too_large_for_their_topics_are_split),
        cmocka_unit_test(a_record_that_its_topic_refuses_is_skipped_when_the_handler_says_so),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
