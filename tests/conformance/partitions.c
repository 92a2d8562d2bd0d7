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
 * difference is printed with its case, made small; a case that fails is one, whichever side does, because no settled case can.
 * What dies is told with its case, too, and is no success; nor is a run of many cases to which an ending or an operator never
 * came.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/trace.h"
#include "conformance/apart.h"
#include "conformance/arguments.h"
#include "conformance/demands.h"
#include "conformance/engine.h"
#include "conformance/operators.h"
#include "conformance/planted.h"
#include "conformance/rows.h"
#include "conformance/shrink.h"

enum { SHRINK_CHECKS = 300, JOBS_MAX = 16 };

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
    uint64_t empty; /* cases of which nothing is to be left, on either side */
    uint64_t different;
    uint64_t uses[OPERATORS_MAX]; /* cases with that operator */
    struct engine_counts engine;
};

/* What one process does, and what it found, in memory shared with it. */
struct share {
    const struct options *options;
    uint64_t first;   /* of the cases, and then each options->jobs'th */
    uint64_t *number; /* the case that it is at */
    struct totals *totals;
};

/* ---- one case -------------------------------------------------------------------------------------------------------------- */

struct check {
    uint64_t seed;
    struct engine_counts counts;
};

static bool is_same(struct check *check, const struct test_case *test, bool print, uint64_t *rows)
{
    struct result driver, engine = { 0 };
    bool same = false;
    if (rows_of_driver(test, &driver) == 0) {
        int code = engine_run(test, check->seed, &check->counts, &engine);
        rows_finish(test, &engine);
        same = code == 0 && rows_equal(&driver, &engine);
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
    return same;
}

/* A smaller case runs in another world: one of a few seeds has to show it. */
static bool still_differs(void *ctx, const struct test_case *test)
{
    struct check *check = ctx;
    uint64_t rows = 0;
    return settled_whole(test) && !is_same(check, test, false, &rows);
}

static void show_difference(const struct options *options, struct test_case *test, uint64_t seed)
{
    struct check check = { .seed = seed };
    uint64_t rows = 0;
    printf("DIFFERENCE in case %" PRIu64 " of seed %" PRIu64 " (--only %" PRIu64 "); made small, world %" PRIu64 ":\n",
           test->number, options->seed, test->number, seed);
    fflush(stdout);
    (void)is_same(&check, test, true, &rows);
    shrink_case(test, still_differs, &check, SHRINK_CHECKS);
    case_print(test, stdout);
    (void)is_same(&check, test, true, &rows);
    fflush(stdout);
}

/* True: it differs. */
static bool run_number(const struct options *options, struct totals *totals, uint64_t number)
{
    static struct test_case test;
    uint64_t rows = 0;
    struct check check = { .seed = settled_seed(options->seed, number), .counts = totals->engine };
    settled_make(options->seed, number, &test);
    bool same = is_same(&check, &test, false, &rows);
    totals->engine = check.counts;
    totals->cases++;
    totals->rows += rows;
    totals->empty += same && rows == 0;
    totals->different += !same;
    count_operators(&test, totals->uses);
    if (!same && totals->different <= options->shown)
        show_difference(options, &test, check.seed);
    return !same;
}

/* ---- many cases ------------------------------------------------------------------------------------------------------------ */

static bool is_time_up(const struct options *options, time_t start)
{
    return options->seconds > 0 && time(NULL) - start >= (time_t)options->seconds;
}

static void run_share(void *ctx)
{
    const struct share *share = ctx;
    const struct options *options = share->options;
    time_t start = time(NULL);
    for (uint64_t number = share->first; number < options->cases && !is_time_up(options, start); number += options->jobs) {
        *share->number = number;
        run_number(options, share->totals, number);
    }
}

static const char *const ENDINGS_TEXT[ENDINGS] = { "closed, stores found again", "closed, built from changelogs", "killed",
                                                   "power cuts", "power cuts in a flush" };

static void report(const struct totals *sum, time_t seconds)
{
    printf("%" PRIu64 " cases in %lld s, %" PRIu64 " rows; %" PRIu64 " cases leave none\n", sum->cases, (long long)seconds,
           sum->rows, sum->empty);
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

/* Whether a run did all that it was to do: all cases, and in many of them each ending and each settled operator. */
static bool is_whole(const struct options *options, const struct totals *sum)
{
    bool whole = has_come(sum->cases, "a case");
    whole &= options->seconds > 0 || were_as_many(sum->cases, options->cases);
    if (sum->cases < MANY_CASES)
        return whole;
    whole &= has_come(sum->engine.exactly_once, "exactly once");
    whole &= has_come(sum->cases - sum->engine.exactly_once, "at least once");
    for (size_t i = 0; i < ENDINGS; i++)
        whole &= has_come(sum->engine.endings[i], ENDINGS_TEXT[i]);
    return operators_have_come(sum->uses) && whole;
}

/* False: it died, which is told with the case that it was at. */
static bool end_share(const struct share *share, pid_t process)
{
    char how[APART_TEXT_BYTES];
    bool well = apart_end(process, how);
    if (!well)
        tell_breakdown(*share->number, share->options->seed, how);
    return well;
}

static int compare_all(const struct options *options)
{
    struct totals sum = { 0 };
    struct share shares[JOBS_MAX];
    pid_t processes[JOBS_MAX];
    time_t start = time(NULL);
    bool broken = false;
    for (uint64_t i = 0; i < options->jobs; i++) {
        shares[i] = (struct share){ options, i, apart_shared(sizeof *shares[i].number), apart_shared(sizeof *shares[i].totals) };
        processes[i] = apart_start(run_share, &shares[i]);
    }
    for (uint64_t i = 0; i < options->jobs; i++) {
        broken |= !end_share(&shares[i], processes[i]);
        add(&sum, shares[i].totals);
    }
    report(&sum, time(NULL) - start);
    return !is_whole(options, &sum) || sum.different > 0 || broken;
}

static void find_fault(void *ctx)
{
    const struct share *share = ctx;
    for (uint64_t number = 0; number < share->options->cases && share->totals->different == 0; number++) {
        *share->number = number;
        run_number(share->options, share->totals, number);
    }
}

static int find_faults(struct options *options)
{
    int missed = 0;
    options->shown = 0;
    for (planted_fault = PLANTED_NONE + 1; planted_fault < PLANTED_COUNT; planted_fault++) {
        struct share share = { options, 0, apart_shared(sizeof *share.number), apart_shared(sizeof *share.totals) };
        bool well = end_share(&share, apart_start(find_fault, &share));
        bool found = planted_fault == PLANTED_CRASH ? !well : well && share.totals->different > 0;
        missed += !found;
        printf("%s after %" PRIu64 " cases: %s\n", found ? "found" : "MISSED", share.totals->cases, planted_text(planted_fault));
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
    int code, cases = 0, different = 0;
    while ((code = case_read(file, &test)) == 1) {
        struct check check = { .seed = options->seed };
        uint64_t rows = 0;
        bool same = is_same(&check, &test, true, &rows);
        printf("case %" PRIu64 ": %s, %" PRIu64 " rows\n", test.number, same ? "the same" : "different", rows);
        cases++;
        different += !same;
    }
    fclose(file);
    return code < 0 || different > 0 || cases == 0;
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
    printf("seed %" PRIu64 "\n", options.seed);
    fflush(stdout);
    if (options.replay != NULL)
        return replay(&options);
    if (options.only != UINT64_MAX)
        return run_only(&options);
    return options.faults ? find_faults(&options) : compare_all(&options);
}
