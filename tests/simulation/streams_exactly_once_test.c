/*
 * Exactly once in the simulated world (streams_world.h): the pipeline without caches gives a result for each record, so that a
 * reader of what is committed must find the views of each page and minute counted 1, 2, 3, ..., each once and in this order. A
 * state ahead of the offsets would leave one out, one behind would count one twice, and so at every later crash.
 *
 * Beside random crashes there is one at each event of a commit, in turn. The checker first rejects planted faults: functions of
 * the engine are replaced while `planted` says so.
 *
 *     simulation.streams_exactly_once [PATTERN]      only the tests whose names match, as "*power_cut*"
 */
#include "simulation/streams_world.h"

#include <stdio.h>

#include "client/admin.h"
#include "client/options.h"
#include "support/rounds.h"
#include "worker/internal.h"

enum { FEW = 300, MANY = 16 * RECORDS, SERVER_LIVES = 4 };

/* ---- planted faults -------------------------------------------------------------------------------------------------------- */

enum planted { NOTHING, FLUSH_BEFORE_THE_MARKER, OFFSETS_OUTSIDE, COMMIT_OF_LOST_TASKS, READ_UNCOMMITTED, NO_WAY_BACK };

static enum planted planted;

int __real_exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count,
                               struct io_time now);
int __wrap_exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count,
                               struct io_time now);
int __real_group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                              const struct group_offset *offsets, size_t count, group_offsets_cb *done,
                                              void *ctx);
int __wrap_group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                              const struct group_offset *offsets, size_t count, group_offsets_cb *done,
                                              void *ctx);
void __real_producer_break_transaction(struct producer *producer, int code, const char *text);
void __wrap_producer_break_transaction(struct producer *producer, int code, const char *text);
struct consumer *__real_consumer_new(struct client *client, const struct consumer_options *options,
                                     const struct consumer_events *events, void *ctx);
struct consumer *__wrap_consumer_new(struct client *client, const struct consumer_options *options,
                                     const struct consumer_events *events, void *ctx);
void __real_task_committed(struct task *task);
void __wrap_task_committed(struct task *task);
void __real_consumer_seek(struct consumer_partition *partition, int64_t start);
void __wrap_consumer_seek(struct consumer_partition *partition, int64_t start);

/* The stores go to disk while the transaction is open. */
int __wrap_exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count, struct io_time now)
{
    for_each_task (assigned, thread) {
        if (planted != FLUSH_BEFORE_THE_MARKER || !commit_includes(assigned) || assigned->flushing)
            continue;
        __real_task_committed(assigned->task);
        if (task_flush_due(assigned->task, now, true))
            task_flushed(assigned->task, task_flush(assigned->task));
    }
    return __real_exactly_once_commit(thread, offsets, count, now);
}

void __wrap_task_committed(struct task *task)
{
    if (planted != FLUSH_BEFORE_THE_MARKER) /* else it was called before */
        __real_task_committed(task);
}

int __wrap_group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                              const struct group_offset *offsets, size_t count, group_offsets_cb *done, void *ctx)
{
    if (planted == OFFSETS_OUTSIDE)
        return group_member_commit(member, offsets, count, done, ctx);
    return __real_group_member_commit_in_transaction(member, producer, offsets, count, done, ctx);
}

void __wrap_producer_break_transaction(struct producer *producer, int code, const char *text)
{
    if (planted != COMMIT_OF_LOST_TASKS)
        __real_producer_break_transaction(producer, code, text);
}

struct consumer *__wrap_consumer_new(struct client *client, const struct consumer_options *options,
                                     const struct consumer_events *events, void *ctx)
{
    struct consumer_options altered = *options;
    altered.read_committed &= planted != READ_UNCOMMITTED;
    return __real_consumer_new(client, &altered, events, ctx);
}

void __wrap_consumer_seek(struct consumer_partition *partition, int64_t start)
{
    if (planted != NO_WAY_BACK)
        __real_consumer_seek(partition, start);
}

/* ---- steps ----------------------------------------------------------------------------------------------------------------- */

static void begin(struct scenario *s, uint64_t seed, int records)
{
    scenario_begin(s, seed, records);
    scenario_exactly_once(s);
    assert_int_equal(process_start(s, SERVER), 0);
}

/* Fed for six seconds, with a group that soon notices who comes: both processes work most of the time. */
static void begin_slowly(struct scenario *s, uint64_t seed)
{
    scenario_begin(s, seed, RECORDS);
    scenario_exactly_once(s);
    s->feed_every_us = 20000;
    assert_int_equal(config_set(&s->config, "heartbeat.interval.ms", "200"), 0);
    assert_int_equal(process_start(s, SERVER), 0);
}

/* For the last line of a long run. */
static int64_t power_cuts, kills;

static void crash(struct scenario *s, int at, bool power_cut)
{
    process_kill(s, at, power_cut);
    (*(power_cut ? &power_cuts : &kills))++;
}

static int rounds(int usual)
{
    return test_rounds(usual);
}

static struct stream_thread *thread_of(const struct scenario *s, int at)
{
    return s->machines[at].process->thread;
}

/* The next commit that ends something has begun: it has tasks with work. */
static bool commits(void *ctx)
{
    struct scenario *s = ctx;
    return process_failed(s) || thread_of(s, SERVER)->commit == COMMIT_TRANSACTION;
}

static bool is_between_commits(void *ctx)
{
    struct scenario *s = ctx;
    return process_failed(s) || thread_of(s, SERVER)->commit == COMMIT_NONE;
}

static bool has_begun_to_commit(void *ctx)
{
    struct scenario *s = ctx;
    return process_failed(s) || thread_of(s, SERVER)->commit != COMMIT_NONE;
}

/* To the beginning of a commit, somewhere in the run while it is fed. False: there is none any more. */
static bool run_to_a_commit(struct scenario *s)
{
    sim_world_run(s->world, NULL, NULL, (int64_t)prng_below(sim_world_prng(s->world), 60000));
    bool found = sim_world_run(s->world, commits, s, 2000000) == 0 &&
                 sim_world_run(s->world, is_between_commits, s, 2000000) == 0 &&
                 sim_world_run(s->world, has_begun_to_commit, s, 2000000) == 0;
    assert_false(process_failed(s));
    return found;
}

/* What is wrong in the end, or NULL; a failed process is wrong, too. */
static const char *outcome(struct scenario *s)
{
    static struct found found;
    const char *wrong = NULL;
    if (run_until_done(s, LIFETIME_US) < 0)
        wrong = "it does not come to its end";
    for (int i = 0; i < MACHINES && wrong == NULL; i++)
        if (s->machines[i].process && s->machines[i].process->failed)
            wrong = "a process has failed";
    if (wrong == NULL) {
        read_back(s, &found);
        wrong = judge(s, &found);
    }
    return wrong;
}

/* ---- without and with faults ----------------------------------------------------------------------------------------------- */

static void each_result_comes_once_without_faults(void **state)
{
    for (int i = 0; i < rounds(3); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + (uint64_t)i, RECORDS);
        run_to_the_end(&s);
    }
}

static void the_same_seed_gives_the_same_run(void **state)
{
    uint64_t traces[2];
    for (int i = 0; i < 2; i++) {
        struct scenario s;
        begin(&s, test_seed(1), RECORDS);
        run_for(&s, 300000);
        crash(&s, SERVER, true);
        assert_int_equal(process_start(&s, SERVER), 0);
        assert_int_equal(run_until_done(&s, LIFETIME_US), 0);
        traces[i] = sim_world_trace(s.world);
        scenario_end(&s);
    }
    assert_int_equal(traces[0], traces[1]);
}

static void crash_the_server(struct scenario *s, uint64_t seed, int records, bool power_cut)
{
    begin(s, seed, records);
    for (int i = 0; i < SERVER_LIVES; i++) {
        run_for(s, 300000);
        crash(s, SERVER, power_cut);
        assert_int_equal(process_start(s, SERVER), 0);
    }
}

static void killed_processes_make_each_result_once(void **state)
{
    for (int i = 0; i < rounds(5); i++) {
        struct scenario s;
        crash_the_server(&s, test_seed(1) + 10000 + (uint64_t)i, RECORDS, false);
        run_to_the_end(&s);
    }
}

static void power_cuts_leave_each_result_once(void **state)
{
    for (int i = 0; i < rounds(5); i++) {
        struct scenario s;
        crash_the_server(&s, test_seed(1) + 20000 + (uint64_t)i, RECORDS, true);
        run_to_the_end(&s);
    }
}

static void a_second_process_joins_and_leaves(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 30000 + (uint64_t)i);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 1500000);
            assert_int_equal(process_start(&s, SECOND), 0);
            run_for(&s, 1500000);
            process_close(&s, SECOND);
        }
        run_to_the_end(&s);
    }
}

static bool second_joins(void *ctx)
{
    struct scenario *s = ctx;
    enum group_member_state membership = group_member_state(thread_of(s, SECOND)->member);
    return process_failed(s) || membership == GROUP_MEMBER_JOINING || membership == GROUP_MEMBER_ASSIGNING;
}

/* Between the commit before a join and the assignment that takes tasks away nothing happens, however long that lasts. */
static void a_punctuator_gives_out_each_visit_once_while_tasks_move(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        scenario_begin(&s, test_seed(1) + 35000 + (uint64_t)i, MANY);
        scenario_sums(&s);
        s.feed_every_us = 1000; /* there is always something to give out */
        assert_int_equal(config_set(&s.config, "heartbeat.interval.ms", "200"), 0);
        assert_int_equal(process_start(&s, SERVER), 0);
        assert_int_equal(process_start(&s, SECOND), 0);
        run_for(&s, 1000000);
        for (int j = 0; j < 3; j++) {
            process_leave(&s, SERVER); /* the second process has all tasks, and then half of them */
            run_for(&s, 1000000);
            process_return(&s, SERVER);
            assert_int_equal(sim_world_run(s.world, second_joins, &s, 5000000), 0);
            sim_world_cut(s.world, "server", "second", true);
            sim_world_run(s.world, NULL, NULL, SUM_EVERY_MS * 1000);
            thread_wake(thread_of(&s, SECOND));
            sim_world_run(s.world, NULL, NULL, SUM_EVERY_MS * 1000);
            sim_world_cut(s.world, "server", "second", false);
            run_for(&s, 1000000);
        }
        run_to_the_end(&s);
    }
}

static void a_second_process_may_die_at_any_moment(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 40000 + (uint64_t)i);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 1500000);
            assert_int_equal(process_start(&s, SECOND), 0);
            run_for(&s, 1500000);
            crash(&s, SECOND, j % 2 == 0);
        }
        run_to_the_end(&s);
    }
}

/* What it leaves open its next start aborts. */
static void who_closes_without_a_broker_does_not_wait_long(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 45000 + (uint64_t)i);
        run_for(&s, 500000);
        assert_int_equal(process_start(&s, SECOND), 0);
        run_for(&s, 4000000);
        crash(&s, SERVER, false);
        run_for(&s, i % 2 == 0 ? 1000 : 2000000);
        process_close_within(&s, SECOND, 5500000);
        assert_int_equal(process_start(&s, SERVER), 0);
        assert_int_equal(process_start(&s, SECOND), 0);
        run_to_the_end(&s);
    }
}

static void a_second_process_goes_on_when_the_broker_comes_back(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 50000 + (uint64_t)i);
        run_for(&s, 500000);
        assert_int_equal(process_start(&s, SECOND), 0);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 1500000);
            crash(&s, SERVER, j % 2 == 0);
            assert_int_equal(process_start(&s, SERVER), 0);
        }
        run_to_the_end(&s);
    }
}

/* For longer than any call or batch is tried. */
static void a_broker_that_is_away_for_minutes_ends_no_thread(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 55000 + (uint64_t)i);
        assert_int_equal(process_start(&s, SECOND), 0);
        sim_world_run(s.world, NULL, NULL, 4000000);
        run_for(&s, 1000000);
        crash(&s, SERVER, false);
        sim_world_run(s.world, NULL, NULL, 400000000);
        assert_int_equal(process_start(&s, SERVER), 0);
        run_to_the_end(&s);
    }
}

static bool second_has_work(void *ctx)
{
    struct scenario *s = ctx;
    for_each_task (assigned, thread_of(s, SECOND))
        if (assigned->state == ASSIGNED_RUNS && task_commit_needed(assigned->task))
            return true;
    return process_failed(s);
}

/*
 * The second process is cut off in the middle of a transaction, until the group has given its tasks away, but before the
 * transaction has timed out: what it then does is a zombie's. Its records have gone out by then, after linger.ms (100).
 */
static void cut_the_second_off(struct scenario *s, uint64_t seed)
{
    begin_slowly(s, seed);
    assert_int_equal(config_set(&s->config, "commit.interval.ms", "800"), 0);
    assert_int_equal(process_start(s, SECOND), 0);
    assert_int_equal(sim_world_run(s->world, second_has_work, s, 5000000), 0);
    run_for(s, 1000000);
    sim_world_cut(s->world, "server", "second", true);
    sim_world_run(s->world, NULL, NULL, 6100000 + (int64_t)prng_below(sim_world_prng(s->world), 3500000));
    sim_world_cut(s->world, "server", "second", false);
}

static void a_zombie_is_fenced(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        cut_the_second_off(&s, test_seed(1) + 60000 + (uint64_t)i);
        run_to_the_end(&s);
    }
}

/* What it has written is there, and no commit is near: the transaction would be open for ten minutes. */
static void a_failed_thread_leaves_no_transaction_open(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 65000 + (uint64_t)i);
        assert_int_equal(config_set(&s.config, "commit.interval.ms", "3000"), 0);
        assert_int_equal(config_set(&s.config, "producer.transaction.timeout.ms", "600000"), 0);
        assert_int_equal(process_start(&s, SECOND), 0);
        assert_int_equal(sim_world_run(s.world, second_has_work, &s, 5000000), 0);
        run_for(&s, 2500000);
        thread_fail(thread_of(&s, SECOND), MILL_EUSER, "the test wants it");
        process_close(&s, SECOND);
        assert_int_equal(run_until_done(&s, 30000000), 0);
        run_to_the_end(&s);
    }
}

static void connections_that_break_all_the_time_double_nothing(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 70000 + (uint64_t)i);
        assert_int_equal(process_start(&s, SECOND), 0);
        sim_world_set_break_chance(s.world, 0.002);
        run_for(&s, 3000000);
        sim_world_set_break_chance(s.world, 0);
        run_to_the_end(&s);
    }
}

/* Less than a commit interval's results take, in any of the topics. */
static void batches_too_large_for_their_topics_are_split_within_the_transaction(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        scenario_begin(&s, test_seed(1) + 75000 + (uint64_t)i, RECORDS);
        scenario_exactly_once(&s);
        s.message_bytes_max = "300";
        assert_int_equal(process_start(&s, SERVER), 0);
        run_to_the_end(&s);
    }
}

static bool failed(void *ctx)
{
    return process_failed(ctx);
}

/* An input alone is below the limit, a result is not: processing it again and again would help nobody. */
static void a_record_that_its_topic_refuses_ends_the_thread_whatever_the_handler_says(void **state)
{
    static const char *const HANDLERS[] = { "fail", "continue" };
    for (int i = 0; i < 2; i++) {
        struct scenario s;
        scenario_begin(&s, test_seed(1) + 78000, RECORDS);
        scenario_exactly_once(&s);
        s.message_bytes_max = "84";
        assert_int_equal(config_set(&s.config, "production.exception.handler", HANDLERS[i]), 0);
        assert_int_equal(process_start(&s, SERVER), 0);
        assert_int_equal(sim_world_run(s.world, failed, &s, 10000000), 0);
        const char *failure = s.machines[SERVER].process->failure;
        assert_non_null(strstr(failure, "MESSAGE_TOO_LARGE"));
        assert_non_null(strstr(failure, "raise max.message.bytes of the topic"));
        assert_int_equal(strstr(failure, "a transaction goes with all of its records") != NULL, i == 1);
        process_close(&s, SERVER);
        s.message_bytes_max = NULL; /* mended: nothing was lost */
        assert_int_equal(config_set(&s.config, "production.exception.handler", "fail"), 0);
        assert_int_equal(process_start(&s, SERVER), 0);
        run_to_the_end(&s);
    }
}

static void set_true(void *ctx, int code, const char *text, struct io_time now)
{
    assert_int_equal(code, 0);
    *(bool *)ctx = true;
}

static void flushed(void *ctx, int code, struct io_time now)
{
    set_true(ctx, code, "", now);
}

static bool is_true(void *ctx)
{
    return *(bool *)ctx;
}

/* Somebody's transaction in the input that is not ended: what can be read ends before it. */
static struct producer *open_a_transaction(struct scenario *s)
{
    struct config config;
    struct producer_options options;
    bool done = false;
    config_init(&config, &client_option_table);
    assert_int_equal(producer_options_read(&options, &config), 0);
    config_release(&config);
    options.transactional_id = "somebody";
    struct producer *producer = producer_new(s->feeder, &options, NULL, NULL);
    struct producer_topic *topic = producer_topic(producer, "visits");
    producer_init_transactions(producer, set_true, &done);
    assert_int_equal(sim_world_run(s->world, is_true, &done, 10000000), 0);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        mill_record record = { .key = mill_string("page-1"), .value = mill_string("1"), .timestamp_ms = 1 };
        assert_int_equal(producer_send(producer, topic, p, &record), 0);
    }
    done = false;
    assert_int_equal(producer_flush(producer, flushed, &done), 0);
    assert_int_equal(sim_world_run(s->world, is_true, &done, 10000000), 0);
    return producer;
}

static bool all_tasks_run(void *ctx)
{
    struct scenario *s = ctx;
    mill_app_progress progress = { 0 };
    stream_thread_progress(thread_of(s, SERVER), &progress);
    return process_failed(s) || progress.tasks_running == PARTITIONS;
}

static void a_table_restored_from_its_source_does_not_wait_for_those_who_write_to_it(void **state)
{
    struct scenario s;
    scenario_begin(&s, test_seed(1) + 79000, FEW);
    scenario_exactly_once(&s);
    s.pipeline = PIPELINE_TABLE;
    assert_int_equal(process_start(&s, SERVER), 0);
    run_for(&s, 4000000);
    process_leave(&s, SERVER);
    struct producer *producer = open_a_transaction(&s);
    process_return(&s, SERVER);
    assert_int_equal(sim_world_run(s.world, all_tasks_run, &s, 10000000), 0);
    assert_false(process_failed(&s));
    producer_free(producer);
    scenario_end(&s);
}

static struct consumer_partition *changelog_of_the_second(struct scenario *s)
{
    for_each_task (assigned, thread_of(s, SECOND)) {
        size_t count;
        task_stores(assigned->task, &count);
        for (size_t i = 0; i < count && assigned->state == ASSIGNED_RESTORES; i++)
            if (assigned->changelogs[i] != NULL)
                return assigned->changelogs[i];
    }
    return NULL;
}

static bool second_restores(void *ctx)
{
    return process_failed(ctx) || changelog_of_the_second(ctx) != NULL;
}

static void deleted(void *ctx, int code, const char *text, const struct offset_query *results, size_t count, struct io_time now)
{
    set_true(ctx, code, text, now);
}

/* While the first fetch is on its way, half of the changelog goes. Returns where it begins then. */
static int64_t cut_changelog(struct scenario *s, const struct consumer_partition *changelog, int64_t end)
{
    bool done = false;
    struct offset_query before = { .topic = client_topic(s->feeder, changelog->topic->name),
                                   .partition = changelog->index,
                                   .offset = end / 2 };
    sim_world_cut(s->world, "server", "second", true);
    assert_non_null(admin_delete_records(s->feeder, &before, 1, deleted, &done));
    assert_int_equal(sim_world_run(s->world, is_true, &done, 5000000), 0);
    sim_world_cut(s->world, "server", "second", false);
    return before.offset;
}

static struct task_store *store_of_the_second(struct scenario *s, int32_t partition, const char *changelog)
{
    for_each_task (assigned, thread_of(s, SECOND)) {
        size_t count;
        struct task_store *stores = task_stores(assigned->task, &count);
        for (size_t i = 0; i < count; i++)
            if (stores[i].partition == partition && strcmp(stores[i].topic->name, changelog) == 0)
                return &stores[i];
    }
    return NULL;
}

static bool second_runs(void *ctx)
{
    struct scenario *s = ctx;
    return process_failed(s) || thread_of(s, SECOND)->state == STREAM_THREAD_RUNNING;
}

/* Going on at its end, as inputs may, would leave out what it still has. */
static void a_changelog_that_is_cut_while_it_is_read_is_read_anew(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        begin_slowly(&s, test_seed(1) + 85000 + (uint64_t)i);
        run_for(&s, 1000000);
        sim_world_run(s.world, NULL, NULL, 5000000);
        assert_int_equal(config_set(&s.config, "auto.offset.reset", "latest"), 0);
        assert_int_equal(process_start(&s, SECOND), 0);
        assert_int_equal(sim_world_run(s.world, second_restores, &s, 10000000), 0);
        const struct consumer_partition *changelog = changelog_of_the_second(&s);
        char name[TOPIC_NAME_MAX + 1];
        int32_t partition = changelog->index;
        snprintf(name, sizeof name, "%s", changelog->topic->name);
        int64_t begin = cut_changelog(&s, changelog, store_of_the_second(&s, partition, name)->log_end);
        assert_int_equal(sim_world_run(s.world, second_runs, &s, 20000000), 0);
        assert_false(process_failed(&s));
        const struct task_store *store = store_of_the_second(&s, partition, name);
        assert_int_equal(store->restore_begin, begin);
        assert_true(store->next_offset >= store->log_end && store->log_end > begin);
        scenario_end(&s);
    }
}

/* ---- a crash at each event of a commit ------------------------------------------------------------------------------------- */

/* Crashes `events` after the beginning of a commit, if there is one. False: the commit was over before, or none began. */
static bool crash_in_a_commit(struct scenario *s, int events, bool power_cut)
{
    bool within = run_to_a_commit(s);
    for (int i = 0; i < events && within; i++)
        within = sim_world_step(s->world) && thread_of(s, SERVER)->commit != COMMIT_NONE;
    if (within) {
        crash(s, SERVER, power_cut);
        assert_int_equal(process_start(s, SERVER), 0);
    }
    return within;
}

/* In several commits of one world. False: none of them had so many events. */
static bool crash_in_commits(uint64_t seed, int events, bool power_cut)
{
    struct scenario s;
    bool within = false;
    begin(&s, seed, FEW);
    s.feed_every_us = 20000; /* 1.2 s */
    for (int i = 0; i < SERVER_LIVES; i++)
        within |= crash_in_a_commit(&s, events, power_cut);
    run_to_the_end(&s);
    return within;
}

static void crash_at_each_event(bool power_cut)
{
    for (int round = 0; round < rounds(1); round++) {
        uint64_t seed = test_seed(1) + 80000 + (uint64_t)round;
        int events = 0;
        while (crash_in_commits(seed, events, power_cut))
            events++;
        print_message("commits of up to %d events\n", events);
        assert_true(events > 20);
    }
}

static void a_kill_at_each_event_of_a_commit(void **state)
{
    crash_at_each_event(false);
}

static void a_power_cut_at_each_event_of_a_commit(void **state)
{
    crash_at_each_event(true);
}

/* ---- the checker ----------------------------------------------------------------------------------------------------------- */

static void crash_while_committing(struct scenario *s, uint64_t seed)
{
    begin(s, seed, FEW);
    if (sim_world_run(s->world, commits, s, 2000000) == 0 && !process_failed(s)) {
        crash(s, SERVER, false);
        assert_int_equal(process_start(s, SERVER), 0);
    }
}

static void abort_often(struct scenario *s, uint64_t seed)
{
    begin(s, seed, RECORDS);
    for (int i = 0; i < 3; i++) {
        run_for(s, 200000);
        producer_break_transaction(thread_of(s, SERVER)->producer, MILL_EAGAIN, "the test wants it");
    }
}

static void an_abort_takes_everything_back(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        abort_often(&s, test_seed(1) + 90000 + (uint64_t)i);
        run_to_the_end(&s);
    }
}

/* Nothing is committed yet: "latest" must not be asked for again, when there is more behind. */
static void an_abort_goes_back_to_where_reading_began(void **state)
{
    for (int i = 0; i < rounds(4); i++) {
        struct scenario s;
        scenario_begin(&s, test_seed(1) + 95000 + (uint64_t)i, FEW);
        scenario_exactly_once(&s);
        assert_int_equal(config_set(&s.config, "auto.offset.reset", "latest"), 0);
        assert_int_equal(config_set(&s.config, "commit.interval.ms", "3000"), 0);
        loop_timer_set(s.feeder_loop, &s.feed, sim_world_now(s.world).monotonic_us + 2000000);
        assert_int_equal(process_start(&s, SERVER), 0);
        sim_world_run(s.world, NULL, NULL, 2050000);
        producer_break_transaction(thread_of(&s, SERVER)->producer, MILL_EAGAIN, "the test wants it");
        run_to_the_end(&s);
    }
}

/* Some seed must show it, and does so with the fault alone. */
static void must_notice(enum planted fault, const char *name, void (*live)(struct scenario *s, uint64_t seed))
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct scenario s;
        planted = fault;
        live(&s, seed);
        const char *wrong = outcome(&s);
        planted = NOTHING;
        scenario_end(&s);
        if (wrong == NULL)
            continue;
        print_message("%s: %s\n", name, wrong);
        live(&s, seed);
        assert_null(outcome(&s));
        scenario_end(&s);
        return;
    }
    fail_msg("nobody notices: %s", name);
}

static void planted_faults_are_noticed(void **state)
{
    must_notice(FLUSH_BEFORE_THE_MARKER, "stores on disk before the marker", crash_while_committing);
    must_notice(OFFSETS_OUTSIDE, "offsets committed outside of the transaction", crash_while_committing);
    must_notice(COMMIT_OF_LOST_TASKS, "tasks lost, what they wrote committed", cut_the_second_off);
    must_notice(READ_UNCOMMITTED, "changelogs read with what was aborted", crash_while_committing);
    must_notice(NO_WAY_BACK, "inputs not read again after an abort", abort_often);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_faults_are_noticed),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(each_result_comes_once_without_faults),
        cmocka_unit_test(killed_processes_make_each_result_once),
        cmocka_unit_test(power_cuts_leave_each_result_once),
        cmocka_unit_test(an_abort_takes_everything_back),
        cmocka_unit_test(an_abort_goes_back_to_where_reading_began),
        cmocka_unit_test(a_second_process_joins_and_leaves),
        cmocka_unit_test(a_punctuator_gives_out_each_visit_once_while_tasks_move),
        cmocka_unit_test(a_second_process_may_die_at_any_moment),
        cmocka_unit_test(a_second_process_goes_on_when_the_broker_comes_back),
        cmocka_unit_test(a_broker_that_is_away_for_minutes_ends_no_thread),
        cmocka_unit_test(who_closes_without_a_broker_does_not_wait_long),
        cmocka_unit_test(a_zombie_is_fenced),
        cmocka_unit_test(a_failed_thread_leaves_no_transaction_open),
        cmocka_unit_test(connections_that_break_all_the_time_double_nothing),
        cmocka_unit_test(batches_too_large_for_their_topics_are_split_within_the_transaction),
        cmocka_unit_test(a_record_that_its_topic_refuses_ends_the_thread_whatever_the_handler_says),
        cmocka_unit_test(a_table_restored_from_its_source_does_not_wait_for_those_who_write_to_it),
        cmocka_unit_test(a_changelog_that_is_cut_while_it_is_read_is_read_anew),
        cmocka_unit_test(a_kill_at_each_event_of_a_commit),
        cmocka_unit_test(a_power_cut_at_each_event_of_a_commit),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("%lld power cuts, %lld kills\n", (long long)power_cuts, (long long)kills);
    return failed;
}
