/*
 * Random cases at one partition, through mill_test_driver, and at four partitions in the engine with faults (engine.h): where
 * neither interleaving nor coalescing matters (settled.h) tables and outputs are the same in the end.
 *
 *     partitions [--cases N] [--seconds N] [--seed N] [--jobs N] [--show N]
 *     partitions --only CASE --seed N            that case of that seed alone
 *     partitions --replay FILE --seed N          the cases of a file
 *     partitions --faults [--cases N] [--seed N] find each planted fault
 *
 * The seed is printed first, and each case stands for itself: its number and the seed make it and the world in which it runs. A
 * difference is printed with its case, made small.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/trace.h"
#include "conformance/arguments.h"
#include "conformance/engine.h"
#include "conformance/operators.h"
#include "conformance/planted.h"
#include "conformance/rows.h"
#include "conformance/shrink.h"

enum { SHRINK_CHECKS = 300, JOBS_MAX = 16, OPERATORS_MAX = 128 };

struct options {
    uint64_t cases;
    uint64_t seconds; /* 0: no limit */
    uint64_t seed;
    uint64_t jobs;
    uint64_t shown; /* differences that are made small and printed */
    uint64_t only;
    const char *replay;
    bool faults;
};

struct totals {
    uint64_t cases;
    uint64_t rows;
    uint64_t failing; /* cases that fail at one partition: nothing to compare */
    uint64_t different;
    uint64_t uses[OPERATORS_MAX]; /* cases with that operator */
    struct engine_counts engine;
};

/* ---- one case -------------------------------------------------------------------------------------------------------------- */

struct check {
    uint64_t seed;
    struct engine_counts counts;
};

enum outcome { OUTCOME_SAME, OUTCOME_DIFFERENT, OUTCOME_FAILING };

static enum outcome compare(struct check *check, const struct test_case *test, bool print, uint64_t *rows)
{
    struct result driver, engine = { 0 };
    enum outcome outcome = OUTCOME_FAILING;
    if (rows_of_driver(test, &driver) == 0) {
        int code = engine_run(test, check->seed, &check->counts, &engine);
        rows_finish(test, &engine);
        outcome = code == 0 && rows_equal(&driver, &engine) ? OUTCOME_SAME : OUTCOME_DIFFERENT;
        if (print && code < 0)
            printf("    four partitions: %s\n", engine.error);
        else if (print)
            rows_print_difference(&driver, &engine, stdout);
    } else if (print) {
        printf("    one partition: %s\n", driver.error);
    }
    *rows += driver.count;
    result_release(&driver);
    result_release(&engine);
    return outcome;
}

/* A smaller case runs in another world: one of a few seeds has to show it. */
static bool still_differs(void *ctx, const struct test_case *test)
{
    struct check *check = ctx;
    uint64_t rows = 0;
    return settled_whole(test) && compare(check, test, false, &rows) == OUTCOME_DIFFERENT;
}

static void show_difference(const struct options *options, struct test_case *test, uint64_t seed)
{
    struct check check = { .seed = seed };
    uint64_t rows = 0;
    printf("DIFFERENCE in case %" PRIu64 " of seed %" PRIu64 " (--only %" PRIu64 "); made small, world %" PRIu64 ":\n",
           test->number, options->seed, test->number, seed);
    fflush(stdout);
    compare(&check, test, true, &rows);
    shrink_case(test, still_differs, &check, SHRINK_CHECKS);
    case_print(test, stdout);
    compare(&check, test, true, &rows);
    fflush(stdout);
}

static uint64_t running; /* for whoever finds the process dead */

static void tell_which(int signal_number)
{
    char text[96];
    int length = snprintf(text, sizeof text, "died in case %" PRIu64 "\n", running);
    if (write(2, text, (size_t)length) < 0)
        _exit(3);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void count_uses(const struct test_case *test, struct totals *totals)
{
    bool used[OPERATORS_MAX] = { false };
    for (size_t i = 0; i < test->node_count; i++)
        used[test->nodes[i].type] = true;
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        totals->uses[i] += used[i];
}

static bool run_number(const struct options *options, struct totals *totals, uint64_t number)
{
    static struct test_case test;
    running = number;
    struct check check = { .seed = settled_seed(options->seed, number), .counts = totals->engine };
    settled_make(options->seed, number, &test);
    enum outcome outcome = compare(&check, &test, false, &totals->rows);
    totals->engine = check.counts;
    totals->failing += outcome == OUTCOME_FAILING;
    if (outcome == OUTCOME_FAILING)
        compare(&check, &test, true, &totals->rows);
    totals->different += outcome == OUTCOME_DIFFERENT;
    totals->cases += outcome != OUTCOME_FAILING;
    count_uses(&test, totals);
    if (outcome == OUTCOME_DIFFERENT && totals->different <= options->shown)
        show_difference(options, &test, check.seed);
    return outcome == OUTCOME_DIFFERENT;
}

/* ---- many cases ------------------------------------------------------------------------------------------------------------ */

static bool is_time_up(const struct options *options, time_t start)
{
    return options->seconds > 0 && time(NULL) - start >= (time_t)options->seconds;
}

static void run_job(const struct options *options, struct totals *totals, uint64_t job)
{
    time_t start = time(NULL);
    for (uint64_t number = job; number < options->cases && !is_time_up(options, start); number += options->jobs)
        run_number(options, totals, number);
}

static void report(const struct totals *sum, time_t seconds)
{
    static const char *const ENDINGS_TEXT[ENDINGS] = { "closed, stores found again", "closed, built from changelogs", "killed",
                                                       "power cuts", "power cuts in a flush" };
    printf("%" PRIu64 " cases in %lld s, %" PRIu64 " rows, %" PRIu64 " more that fail at one partition\n", sum->cases,
           (long long)seconds, sum->rows, sum->failing);
    printf("%" PRIu64 " of them exactly once; %" PRIu64 " commits\n", sum->engine.exactly_once, sum->engine.commits);
    for (size_t i = 0; i < ENDINGS; i++)
        printf("%8" PRIu64 " restarts: %s\n", sum->engine.endings[i], ENDINGS_TEXT[i]);
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        if (sum->uses[i] > 0)
            printf("%8" PRIu64 " cases with %s\n", sum->uses[i], OPERATORS[i].name);
    printf("%" PRIu64 " differences\n", sum->different);
}

static void add(struct totals *sum, const struct totals *totals)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)totals;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

static int compare_all(const struct options *options)
{
    struct totals sum = { 0 };
    time_t start = time(NULL);
    struct totals *totals = mmap(NULL, sizeof *totals * options->jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED)
        return 1;
    for (uint64_t i = 0; i < options->jobs; i++) {
        fflush(stdout);
        if (fork() == 0) {
            run_job(options, &totals[i], i);
            fflush(stdout);
            _exit(0);
        }
    }
    bool broken = false;
    int status;
    while (wait(&status) > 0)
        broken |= status != 0;
    for (uint64_t i = 0; i < options->jobs; i++)
        add(&sum, &totals[i]);
    report(&sum, time(NULL) - start);
    if (broken)
        printf("and a job broke down\n");
    return sum.different > 0 || broken || sum.cases == 0;
}

static int find_faults(struct options *options)
{
    int missed = 0;
    options->shown = 0;
    for (planted_fault = PLANTED_NONE + 1; planted_fault < PLANTED_COUNT; planted_fault++) {
        struct totals totals = { 0 };
        bool found = false;
        for (uint64_t number = 0; number < options->cases && !found; number++)
            found = run_number(options, &totals, number);
        missed += !found;
        printf("%s after %" PRIu64 " cases: %s\n", found ? "found" : "MISSED", totals.cases, planted_text(planted_fault));
        fflush(stdout);
    }
    return missed > 0;
}

static int replay(const struct options *options)
{
    static struct test_case test;
    FILE *file = fopen(options->replay, "r");
    if (file == NULL) {
        perror(options->replay);
        return 1;
    }
    int code, different = 0;
    while ((code = case_read(file, &test)) == 1) {
        struct check check = { .seed = options->seed };
        uint64_t rows = 0;
        enum outcome outcome = compare(&check, &test, true, &rows);
        printf("case %" PRIu64 ": %s, %" PRIu64 " rows\n", test.number, outcome == OUTCOME_SAME ? "the same" : "different", rows);
        different += outcome != OUTCOME_SAME;
    }
    fclose(file);
    return code < 0 || different > 0;
}

static int run_only(const struct options *options)
{
    struct totals totals = { 0 };
    static struct test_case test;
    settled_make(options->seed, options->only, &test);
    case_print(&test, stdout);
    run_number(options, &totals, options->only);
    report(&totals, 0);
    return totals.different > 0;
}

/* ---- the command line ------------------------------------------------------------------------------------------------------ */

static bool read_option(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--replay") == 0 && value != NULL) {
        options->replay = value;
        return true;
    }
    return argument_number("--cases", name, value, &options->cases) ||
           argument_number("--seconds", name, value, &options->seconds) ||
           argument_number("--seed", name, value, &options->seed) || argument_number("--jobs", name, value, &options->jobs) ||
           argument_number("--show", name, value, &options->shown) || argument_number("--only", name, value, &options->only);
}

int main(int argc, char **argv)
{
    struct options options = { .cases = UINT64_MAX, .seed = (uint64_t)time(NULL), .jobs = 1, .shown = 3, .only = UINT64_MAX };
    for (int i = 1; i < argc; i++) {
        options.faults |= strcmp(argv[i], "--faults") == 0;
        if (strcmp(argv[i], "--faults") != 0 && !read_option(&options, argv[i], argv[i + 1])) {
            fprintf(stderr, "%s: not an option, or not its value\n", argv[i]);
            return 2;
        }
        i += strcmp(argv[i], "--faults") != 0;
    }
    if (options.jobs < 1 || options.jobs > JOBS_MAX)
        options.jobs = 1;
    trace_set_level(TRACE_OFF); /* broken connections and cut logs are the daily bread here */
    signal(SIGABRT, tell_which);
    signal(SIGSEGV, tell_which);
    printf("seed %" PRIu64 "\n", options.seed);
    fflush(stdout);
    if (options.replay != NULL)
        return replay(&options);
    if (options.only != UINT64_MAX)
        return run_only(&options);
    return options.faults ? find_faults(&options) : compare_all(&options);
}
