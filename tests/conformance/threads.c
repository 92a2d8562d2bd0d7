/*
 * Random cases at one partition, through mill_test_driver, and as a program: mill_app with the broker inside, four partitions,
 * two stream threads of the operating system, caches, commits every few milliseconds, LMDB on a disk. Where neither interleaving
 * nor coalescing matters (settled.h) tables and outputs are the same in the end.
 *
 *     threads DIRECTORY [--cases N] [--seed N]
 *     threads DIRECTORY --only CASE --seed N
 *
 * The program is a process of its own that is fed and read over the network. It ends a few times and comes back: it closes, with
 * its stores or without, so that the next one builds them from the changelogs; or it is killed (exactly once). What depends on
 * time is when it ends. A last life, which gets no records, shows that nothing comes any more.
 *
 * What dies, or does not do what it should in time, is told with its case and is no success; nor is a run of many cases to which
 * an ending or an operator never came.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/trace.h"
#include "conformance/apart.h"
#include "conformance/arguments.h"
#include "conformance/demands.h"
#include "conformance/outside.h"
#include "conformance/rows.h"
#include "io/io.h"
#include "millstream/app.h"

enum { LIVES = 3, PATIENCE_US = 120 * 1000000, ADDRESS_BYTES = 64, PATH_BYTES = 512 };

enum ending { CLOSED, STATE_LOST, KILLED, ENDINGS };
static const char *const ENDINGS_TEXT[ENDINGS] = { "closed, stores found again", "closed, built from changelogs", "killed" };

struct options {
    const char *directory;
    uint64_t cases;
    uint64_t seed;
    uint64_t only;
};

struct totals {
    uint64_t cases;
    uint64_t rows;
    uint64_t exactly_once;
    uint64_t endings[ENDINGS];
    uint64_t different;
    uint64_t empty;               /* cases that leave nothing: there is nothing to wait for, and they are not run */
    uint64_t number;              /* the case that it is at */
    uint64_t uses[OPERATORS_MAX]; /* cases with that operator */
};

/* What one process does, and what it found, in memory shared with it. */
struct share {
    const struct options *options;
    struct totals *totals;
};

struct run {
    const struct test_case *test;
    struct totals *totals;
    struct result expected;
    struct prng prng;
    bool exactly_once;
    char directory[PATH_BYTES];
    const char *cache, *commit_ms;

    pid_t process;
    int control; /* the process closes when this does */
    char address[ADDRESS_BYTES];

    struct loop *loop;
    struct feeder feeder;
    struct reader reader;
    struct result result; /* as it was read */
    bool over, in_time;
};

/* ---- the program ----------------------------------------------------------------------------------------------------------- */

static mill_app *make_app(const struct run *run, mill_topology *topology)
{
    char error[512] = "";
    const char *const properties[] = { "application.id",
                                       "app",
                                       "listeners",
                                       "PLAINTEXT://127.0.0.1:0",
                                       "state.dir",
                                       run->directory,
                                       "num.stream.threads",
                                       "2",
                                       "broker.num.partitions",
                                       "4",
                                       "broker.offsets.topic.num.partitions",
                                       "1",
                                       "broker.transaction.state.log.num.partitions",
                                       "1",
                                       "statestore.cache.max.bytes",
                                       run->cache,
                                       "commit.interval.ms",
                                       run->commit_ms,
                                       "auto.offset.reset",
                                       "earliest",
                                       "processing.guarantee",
                                       run->exactly_once ? "exactly_once_v2" : "at_least_once",
                                       "mill.trace.level",
                                       "off",
                                       NULL };
    rows_build(run->test, topology);
    mill_app *app = mill_app_new(topology, properties, error, sizeof error);
    must(app != NULL, error);
    return app;
}

/* Until `control` is closed. Says its address first. */
static int be_program(const struct run *run, int control, int address)
{
    char byte, text[ADDRESS_BYTES] = "";
    mill_topology *topology = mill_topology_new();
    mill_app *app = make_app(run, topology);
    must(mill_app_start(app) == 0, mill_app_error(app));
    snprintf(text, sizeof text, "%s", mill_app_bootstrap_servers(app));
    must(write(address, text, sizeof text) == (ssize_t)sizeof text, "nobody wants the address");
    while (read(control, &byte, 1) > 0)
        continue;
    int code = mill_app_close(app, INT64_MAX);
    if (code < 0)
        fprintf(stderr, "case %" PRIu64 ": %s\n", run->test->number, mill_app_error(app));
    mill_app_free(app);
    mill_topology_free(topology);
    return code < 0;
}

static void start_process(struct run *run)
{
    int control[2], address[2];
    must(pipe(control) == 0 && pipe(address) == 0, "no pipe");
    fflush(stdout);
    run->process = fork();
    must(run->process >= 0, "no process");
    if (run->process == 0) {
        close(control[1]);
        close(address[0]);
        _exit(be_program(run, control[0], address[1]));
    }
    close(control[0]);
    close(address[1]);
    run->control = control[1];
    must(read(address[0], run->address, sizeof run->address) == (ssize_t)sizeof run->address, "the program does not start");
    close(address[0]);
}

/* Status 0, unless it was killed. */
static void end_process(struct run *run, enum ending ending)
{
    int status = 0;
    char stores[PATH_BYTES + 8];
    run->totals->endings[ending]++;
    if (ending == KILLED)
        kill(run->process, SIGKILL);
    close(run->control);
    must(waitpid(run->process, &status, 0) == run->process, "the program is not ours");
    must(ending == KILLED || status == 0, "the program has failed");
    snprintf(stores, sizeof stores, "%s/app", run->directory);
    if (ending == STATE_LOST)
        must(disk_remove_tree(uv_disk(), stores) == 0, "the stores cannot be removed");
}

/* ---- what happens on the loop ---------------------------------------------------------------------------------------------- */

static void time_is_over(struct loop_timer *timer, struct io_time now)
{
    ((struct run *)timer->ctx)->over = true;
}

/* Until `over`; false: that did not come in time. */
static bool wait_for(struct run *run, int64_t time_us)
{
    struct loop_timer timer = { .fire = time_is_over, .ctx = run };
    run->over = run->in_time = false;
    loop_timer_set(run->loop, &timer, loop_now(run->loop).monotonic_us + time_us);
    must(loop_run(run->loop, &run->over) == 0, "the loop does not run");
    loop_timer_cancel(run->loop, &timer);
    return run->in_time;
}

static void finish(struct run *run)
{
    run->over = run->in_time = true;
}

static void look_whether_all_is_acknowledged(struct loop_timer *timer, struct io_time now)
{
    struct run *run = timer->ctx;
    if (run->feeder.acknowledged)
        finish(run);
    else
        loop_timer_set(run->loop, timer, now.monotonic_us + 1000);
}

static void feed(struct run *run, size_t until)
{
    struct loop_timer timer = { .fire = look_whether_all_is_acknowledged, .ctx = run };
    feeder_send_until(&run->feeder, until);
    loop_timer_set(run->loop, &timer, loop_now(run->loop).monotonic_us);
    must(wait_for(run, PATIENCE_US), "the records are not taken");
    loop_timer_cancel(run->loop, &timer);
}

/* `result` as it would be if nothing came any more. */
static struct result finished(const struct run *run)
{
    struct result copy;
    result_init(&copy, run->test->number);
    for (size_t i = 0; i < run->result.count; i++) {
        const struct result_output *output = &run->result.outputs[i];
        result_add(&copy, output->event, output->topic, output->key, output->value, output->timestamp_ms);
    }
    rows_finish(run->test, &copy);
    return copy;
}

static bool is_as_expected(const struct run *run)
{
    struct result now = finished(run);
    bool equal = rows_equal(&run->expected, &now);
    result_release(&now);
    return equal;
}

static void has_read(void *ctx)
{
    struct run *run = ctx;
    if (reader_has_all(&run->reader) && is_as_expected(run))
        finish(run);
}

static void client_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void close_client(struct run *run)
{
    bool closed = false;
    feeder_close(&run->feeder, client_closed, &closed);
    must(loop_run(run->loop, &closed) == 0, "the loop does not run");
}

/* Waits until what came out is as expected. */
static bool read_all(struct run *run)
{
    result_init(&run->result, run->test->number);
    reader_open(&run->reader, run->feeder.client, run->test, &run->result);
    run->reader.has_read = has_read;
    run->reader.ctx = run;
    bool equal = wait_for(run, PATIENCE_US);
    reader_close(&run->reader);
    return equal;
}

/* ---- a case ---------------------------------------------------------------------------------------------------------------- */

/* The records from `begin` to `end`, then a moment, and its end. */
static void live(struct run *run, size_t begin, size_t end)
{
    start_process(run);
    feeder_open(&run->feeder, run->loop, run->address, run->test, &run->prng, begin);
    feed(run, end);
    (void)wait_for(run, (int64_t)prng_below(&run->prng, 400 * 1000));
    close_client(run);
    end_process(run, (enum ending)prng_below(&run->prng, run->exactly_once ? ENDINGS : KILLED));
}

static void show_difference(struct run *run, uint64_t seed)
{
    struct result now = finished(run);
    printf("DIFFERENCE in case %" PRIu64 " of seed %" PRIu64 ":\n", run->test->number, seed);
    case_print(run->test, stdout);
    rows_print_difference(&run->expected, &now, stdout);
    fflush(stdout);
    result_release(&now);
}

/* Lives in which records come, one in which the rest does and all is to be read, and one in which nothing may come any more. */
static bool run_lives(struct run *run, uint64_t seed)
{
    size_t count = run->test->event_count, sent = 0;
    for (int i = 0; i < LIVES; i++) {
        size_t until = sent + (size_t)prng_below(&run->prng, count - sent + 1);
        live(run, sent, until);
        sent = until;
    }
    bool equal = true;
    for (int last = 0; last <= 1 && equal; last++) {
        start_process(run);
        feeder_open(&run->feeder, run->loop, run->address, run->test, &run->prng, sent);
        feed(run, count);
        sent = count;
        equal = read_all(run);
        if (!equal)
            show_difference(run, seed);
        result_release(&run->result);
        close_client(run);
        end_process(run, CLOSED);
    }
    return equal;
}

static void run_case(const struct options *options, struct totals *totals, struct run *run)
{
    static const char *const CACHES[] = { "67108864", "67108864", "2000" }, *const COMMITS[] = { "1", "10", "100", "500" };
    snprintf(run->directory, sizeof run->directory, "%s/%" PRIu64, options->directory, run->test->number);
    (void)disk_remove_tree(uv_disk(), run->directory); /* what a run left that was interrupted */
    must(disk_make_directories(uv_disk(), run->directory) == 0, "no directory");
    run->exactly_once = prng_below(&run->prng, 4) != 0;
    run->cache = CACHES[prng_below(&run->prng, 3)];
    run->commit_ms = COMMITS[prng_below(&run->prng, 4)];
    run->loop = uv_loop_new_with(NULL);
    must(run->loop != NULL, "no loop");
    totals->different += !run_lives(run, options->seed);
    totals->cases++;
    totals->rows += run->expected.count;
    totals->exactly_once += run->exactly_once;
    count_operators(run->test, totals->uses);
    uv_loop_free(run->loop);
    must(disk_remove_tree(uv_disk(), run->directory) == 0, "the directory cannot be removed");
}

static void run_number(const struct options *options, struct totals *totals, uint64_t number)
{
    static struct test_case test;
    struct run run = { .test = &test, .totals = totals };
    settled_make(options->seed, number, &test);
    prng_init(&run.prng, settled_seed(options->seed, number));
    if (rows_of_driver(&test, &run.expected) < 0) { /* no settled case can fail */
        totals->different++;
        printf("DIFFERENCE in case %" PRIu64 " of seed %" PRIu64 ": it fails at one partition: %s\n", number, options->seed,
               run.expected.error);
        case_print(&test, stdout);
    } else if (run.expected.count == 0) {
        totals->empty++;
    } else {
        run_case(options, totals, &run);
    }
    result_release(&run.expected);
}

static void run_all(void *ctx)
{
    const struct share *share = ctx;
    const struct options *options = share->options;
    bool one = options->only != UINT64_MAX;
    for (uint64_t number = one ? options->only : 0; number < (one ? options->only + 1 : options->cases); number++) {
        share->totals->number = number;
        run_number(options, share->totals, number);
    }
}

static void report(const struct totals *totals, time_t seconds)
{
    printf("%" PRIu64 " cases in %lld s, %" PRIu64 " rows, %" PRIu64 " of them exactly once; %" PRIu64 " more leave no rows\n",
           totals->cases, (long long)seconds, totals->rows, totals->exactly_once, totals->empty);
    for (size_t i = 0; i < ENDINGS; i++)
        printf("%8" PRIu64 " ends: %s\n", totals->endings[i], ENDINGS_TEXT[i]);
    printf("%" PRIu64 " differences\n", totals->different);
}

/* Whether a run did all that it was to do: all cases, and in many of them each ending and each settled operator. */
static bool is_whole(const struct options *options, const struct totals *totals)
{
    uint64_t wanted = options->only == UINT64_MAX ? options->cases : 1;
    bool whole = has_come(totals->cases, "a case that leaves rows");
    whole &= were_as_many(totals->cases + totals->empty, wanted);
    if (totals->cases < MANY_CASES)
        return whole;
    whole &= has_come(totals->exactly_once, "exactly once");
    whole &= has_come(totals->cases - totals->exactly_once, "at least once");
    for (size_t i = 0; i < ENDINGS; i++)
        whole &= has_come(totals->endings[i], ENDINGS_TEXT[i]);
    return operators_have_come(totals->uses) && whole;
}

int main(int argc, char **argv)
{
    struct options options = { .cases = 100, .seed = (uint64_t)time(NULL), .only = UINT64_MAX };
    options.directory = argc > 1 ? argv[1] : NULL;
    for (int i = 2; i < argc; i += 2)
        if (!argument_number("--cases", argv[i], argv[i + 1], &options.cases) &&
            !argument_number("--seed", argv[i], argv[i + 1], &options.seed) &&
            !argument_number("--only", argv[i], argv[i + 1], &options.only))
            options.directory = NULL;
    if (options.directory == NULL) {
        fprintf(stderr, "threads DIRECTORY [--cases N] [--seed N] [--only CASE]\n");
        return 2;
    }
    trace_set_level(TRACE_OFF);
    printf("seed %" PRIu64 "\n", options.seed);
    time_t start = time(NULL);
    char how[APART_TEXT_BYTES];
    struct totals *totals = apart_shared(sizeof *totals);
    bool well = apart_end(apart_start(run_all, &(struct share){ &options, totals }), how);
    report(totals, time(NULL) - start);
    if (!well)
        tell_breakdown(totals->number, options.seed, how);
    return !is_whole(&options, totals) || totals->different > 0 || !well;
}
