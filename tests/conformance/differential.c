/*
 * The differential tester: random cases through Kafka Streams and through Millstream, compared record by record.
 *
 *     differential CLASSPATH DIRECTORY [--cases N] [--pairs N] [--seconds N] [--seed N] [--jobs N]    compare
 *     differential CLASSPATH DIRECTORY --faults [--cases N] [--seed N]                      find each planted fault
 *     differential CLASSPATH DIRECTORY --replay FILE                                        print both sides of a file's cases
 *     differential CLASSPATH DIRECTORY --shrink FILE                                        those that differ, made small
 *
 * differential.sh makes the class path and calls this. With --pairs it goes on behind the last case until each allowed pair of
 * operators has come so often. Differences are printed with their cases, the first few (--show N) made
 * small and with what both sides put out; the exit status is then 1. So it is when a job or its JVM breaks down, with the case
 * that was at hand; when fewer cases were compared than asked for; and when known differences excuse too many.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "conformance/apart.h"
#include "conformance/arguments.h"
#include "conformance/generate.h"
#include "conformance/known_differences.h"
#include "conformance/operators.h"
#include "conformance/peer.h"
#include "conformance/run.h"
#include "conformance/shrink.h"

enum { BATCH = 16, SHRINK_CHECKS = 1500, JOBS_MAX = 16, PROGRESS_CASES = 2000, CASES_BEFORE_FAULT = 20, PATH_BYTES = 512 };

struct options {
    const char *classpath;
    const char *directory;
    uint64_t cases;
    uint64_t pairs;   /* how often each has to come; 0: as it happens */
    uint64_t seconds; /* 0: no limit */
    uint64_t seed;
    uint64_t jobs;
    uint64_t shown; /* differences that are made small and printed */
    const char *replay;
    bool small; /* the cases of `replay` that differ are made small */
    bool faults;
};

/* What a job found; shared with the process that started it. */
struct totals {
    uint64_t cases;
    uint64_t records;     /* that both sides put out */
    uint64_t refused;     /* topologies that neither side makes */
    uint64_t failed;      /* cases that failed on both sides while they ran */
    uint64_t meets_known; /* cases to which a known difference applies, whether they differ or not */
    uint64_t known;
    uint64_t different;
    bool broken;     /* the other side does not answer, or there is no case to read */
    bool is_at_hand; /* `at_hand` is between both sides: who breaks down does so because of it */
    struct test_case at_hand;
};

/* What one process does, and what it found; both pointers are to memory shared with it. */
struct share {
    const struct options *options;
    uint64_t number;
    uint64_t cases;
    enum fault fault;
    struct totals *totals;
    uint32_t *pairs; /* of operators, how often each came */
};

struct job {
    const struct options *options;
    struct peer peer;
    enum fault fault;
    struct totals *totals;
    struct coverage coverage;
};

/* ---- one case -------------------------------------------------------------------------------------------------------------- */

static void take_up(struct job *job, const struct test_case *test)
{
    job->totals->at_hand = *test;
    job->totals->is_at_hand = true;
}

static bool send_case(struct job *job, const struct test_case *test)
{
    if (peer_send(&job->peer, test) == 0)
        return true;
    take_up(job, test);
    job->totals->broken = true;
    return false;
}

static void plant_breakdown(struct job *job)
{
    if (job->totals->cases < CASES_BEFORE_FAULT)
        return;
    if (job->fault == FAULT_CRASH)
        abort();
    if (job->fault == FAULT_PEER_KILLED)
        kill(job->peer.process, SIGKILL);
}

static bool is_same(struct job *job, const struct test_case *test, struct result *ours, struct result *theirs, int *event)
{
    take_up(job, test);
    plant_breakdown(job);
    run_case(test, job->fault, ours);
    if (peer_receive(&job->peer, theirs) < 0) {
        job->totals->broken = true;
        return true;
    }
    job->totals->is_at_hand = false;
    return result_equal(ours, theirs, event);
}

/* What no known difference reaches has to be the same all the same, unless one side has failed. Leaves that in both results. */
static bool is_excused(const struct test_case *test, struct result *ours, struct result *theirs)
{
    bool reached[CASE_NODES_MAX];
    int event;
    if (known_difference_of(test) == NULL)
        return false;
    known_difference_reach(test, reached);
    result_leave_out(ours, reached);
    result_leave_out(theirs, reached);
    return ours->error_event != theirs->error_event || result_equal(ours, theirs, &event);
}

static bool still_differs(void *ctx, const struct test_case *test)
{
    struct job *job = ctx;
    struct result ours, theirs;
    int event;
    if (!send_case(job, test))
        return false;
    bool differs = !is_same(job, test, &ours, &theirs, &event) && !is_excused(test, &ours, &theirs) && case_suits_kafka(test);
    result_release(&ours);
    result_release(&theirs);
    return differs;
}

static void print_both(struct job *job, const struct test_case *test)
{
    struct result ours, theirs;
    int event;
    if (!send_case(job, test))
        return;
    if (is_same(job, test, &ours, &theirs, &event))
        event = (int)test->event_count;
    case_print(test, stdout);
    for (int i = -1; i < (int)test->event_count; i++) {
        printf("%s event %d\n", i == event ? "!" : " ", i);
        result_print_event(&theirs, i, "    kafka streams:", stdout);
        result_print_event(&ours, i, "    millstream:   ", stdout);
    }
    result_release(&ours);
    result_release(&theirs);
}

static void show_difference(struct job *job, struct test_case *test, bool small)
{
    printf("DIFFERENCE in case %" PRIu64 " of seed %" PRIu64 "%s\n", test->number, job->options->seed,
           small ? "; made small:" : ":");
    if (small) {
        shrink_case(test, still_differs, job, SHRINK_CHECKS);
        print_both(job, test);
    } else {
        case_print(test, stdout);
    }
    fflush(stdout);
}

/* ---- many cases ------------------------------------------------------------------------------------------------------------ */

/* Sends all of a batch, then compares: the peer works while we do. The different ones stay in `cases`; returns how many. */
static size_t compare_batch(struct job *job, struct test_case *cases, size_t count)
{
    size_t different = 0;
    for (size_t i = 0; i < count && !job->totals->broken; i++)
        send_case(job, &cases[i]);
    for (size_t i = 0; i < count && !job->totals->broken; i++) {
        struct result ours, theirs;
        int event;
        bool same = is_same(job, &cases[i], &ours, &theirs, &event);
        job->totals->cases += !job->totals->broken;
        job->totals->records += same ? theirs.count : 0;
        job->totals->refused += same && theirs.error_event == RESULT_EVENT_BUILD;
        job->totals->failed += same && theirs.error_event > RESULT_EVENT_BUILD;
        job->totals->meets_known += known_difference_of(&cases[i]) != NULL;
        if (!same && is_excused(&cases[i], &ours, &theirs))
            job->totals->known++;
        else if (!same)
            cases[different++] = cases[i];
        result_release(&ours);
        result_release(&theirs);
    }
    job->totals->different += different;
    return different;
}

static bool is_time_up(const struct options *options, time_t start)
{
    return options->seconds > 0 && time(NULL) - start >= (time_t)options->seconds;
}

static void print_progress(const struct job *job, uint64_t at, time_t start)
{
    printf("after %" PRIu64 " cases and %lld s: %" PRIu64 " differences, %" PRIu64 " known ones\n", at,
           (long long)(time(NULL) - start), job->totals->different, job->totals->known);
    fflush(stdout);
}

/* A job's share of what all of them have to reach. */
static bool is_done(const struct job *job, uint64_t at, uint64_t cases)
{
    if (job->totals->broken || at < cases)
        return job->totals->broken;
    uint64_t jobs = job->options->jobs, pairs = (job->options->pairs + jobs - 1) / jobs;
    return coverage_summary(&job->coverage).least >= pairs;
}

static void run_job(struct job *job, uint64_t seed, uint64_t cases)
{
    static struct test_case batch[BATCH];
    struct prng prng;
    time_t start = time(NULL);
    prng_init(&prng, seed);
    for (uint64_t at = 0; !is_done(job, at, cases) && !is_time_up(job->options, start);) {
        size_t count = 0;
        while (count < BATCH && !is_done(job, at, cases))
            generate_case(&prng, &job->coverage, at++, &batch[count++]);
        size_t different = compare_batch(job, batch, count);
        if (job->fault != FAULT_NONE && different > 0)
            return;
        if (at / PROGRESS_CASES > (at - count) / PROGRESS_CASES)
            print_progress(job, at, start);
        for (size_t i = 0; i < different; i++)
            show_difference(job, &batch[i], job->totals->different <= job->options->shown);
    }
}

/* The cases of a file: those that differ are counted, and all are printed, or those that differ made small. */
static void replay_file(struct job *job)
{
    static struct test_case test;
    const struct options *options = job->options;
    struct totals *totals = job->totals;
    FILE *file = fopen(options->replay, "r");
    if (file == NULL) {
        perror(options->replay);
        totals->broken = true;
        return;
    }
    int code = 1;
    while (!totals->broken && (code = case_read(file, &test)) == 1) {
        bool differs = still_differs(job, &test);
        totals->cases += !totals->broken;
        totals->meets_known += known_difference_of(&test) != NULL || !case_suits_kafka(&test);
        totals->different += differs;
        if (!options->small)
            print_both(job, &test);
        else if (differs)
            show_difference(job, &test, true);
    }
    totals->broken |= code < 0;
    fclose(file);
}

/* ---- processes ------------------------------------------------------------------------------------------------------------- */

static bool start_job(struct job *job, const struct share *share)
{
    char directory[PATH_BYTES];
    *job = (struct job){ .options = share->options, .totals = share->totals, .fault = share->fault };
    coverage_init(&job->coverage);
    snprintf(directory, sizeof directory, "%s/%" PRIu64, share->options->directory, share->number);
    mkdir(share->options->directory, 0777);
    mkdir(directory, 0777);
    return peer_start(&job->peer, share->options->classpath, directory) == 0;
}

static void work(void *ctx)
{
    const struct share *share = ctx;
    struct job job;
    share->totals->broken = !start_job(&job, share);
    if (!share->totals->broken) {
        if (share->options->replay != NULL)
            replay_file(&job);
        else
            run_job(&job, share->options->seed + share->number * UINT64_C(0x9e3779b97f4a7c15), share->cases);
        share->totals->broken |= peer_stop(&job.peer) < 0;
    }
    memcpy(share->pairs, job.coverage.pairs, OPERATOR_COUNT * OPERATOR_COUNT * sizeof *share->pairs);
    coverage_release(&job.coverage);
}

static struct share make_share(const struct options *options, uint64_t number, uint64_t cases)
{
    return (struct share){ .options = options,
                           .number = number,
                           .cases = cases,
                           .totals = apart_shared(sizeof(struct totals)),
                           .pairs = apart_shared(OPERATOR_COUNT * OPERATOR_COUNT * sizeof(uint32_t)) };
}

/* The case goes to standard output and into a file, from which it can be run again. */
static void tell_breakdown(const struct share *share, const char *how)
{
    char path[PATH_BYTES];
    const struct test_case *test = &share->totals->at_hand;
    printf("job %" PRIu64 " of seed %" PRIu64 " broke down: %s\n", share->number, share->options->seed, how);
    if (!share->totals->is_at_hand)
        return;
    snprintf(path, sizeof path, "%s/broken-%" PRIu64, share->options->directory, share->number);
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        case_print(test, file);
        fclose(file);
    }
    printf("BREAKDOWN in case %" PRIu64 ", to be repeated with --replay %s:\n", test->number, file != NULL ? path : "FILE");
    case_print(test, stdout);
}

/* False: the process died, or the other side did; that is told. */
static bool end_share(const struct share *share, pid_t process, bool *died)
{
    char how[APART_TEXT_BYTES];
    *died = !apart_end(process, how);
    bool whole = !*died && !share->totals->broken;
    if (!whole)
        tell_breakdown(share, *died ? how : "see above");
    return whole;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

/* Says what makes a run worth nothing. */
static bool is_short_of(bool is_so, const char *what)
{
    if (is_so)
        printf("FAILED: %s\n", what);
    return is_so;
}

static int report(const struct options *options, const struct totals *sum, const struct coverage *coverage)
{
    struct coverage_summary pairs = coverage_summary(coverage);
    uint64_t failed = sum->refused + sum->failed;
    printf("%" PRIu64 " cases, %" PRIu64 " records of output\n", sum->cases, sum->records);
    printf("%" PRIu64 " cases failed on both sides, %.2f %%: %" PRIu64 " were refused, %" PRIu64 " failed at a record\n", failed,
           percent(failed, sum->cases), sum->refused, sum->failed);
    printf("%zu allowed pairs of operators, each at least %" PRIu32 " times (%s, %s)\n", pairs.pairs, pairs.least, pairs.first,
           pairs.second);
    printf("%zu known differences excuse %" PRIu64 " cases, %.2f %%, of %.1f %% that meet one\n", KNOWN_DIFFERENCE_COUNT,
           sum->known, percent(sum->known, sum->cases), percent(sum->meets_known, sum->cases));
    printf("%" PRIu64 " differences%s\n", sum->different, sum->broken ? ", and a job broke down" : "");
    bool fails = sum->different > 0 || sum->broken;
    fails |= is_short_of(sum->cases == 0, "no case was compared");
    fails |= is_short_of(options->seconds == 0 && sum->cases < options->cases, "fewer cases were compared than asked for");
    fails |= is_short_of(pairs.least < options->pairs, "a pair of operators came more seldom than asked for");
    fails |= is_short_of(sum->known * 100 >= sum->cases && sum->known > 0, "known differences excuse 1 % of the cases or more");
    return fails;
}

static int compare_all(const struct options *options)
{
    struct share shares[JOBS_MAX];
    pid_t processes[JOBS_MAX];
    struct totals sum = { 0 };
    struct coverage coverage;
    coverage_init(&coverage);
    for (uint64_t i = 0; i < options->jobs; i++) {
        shares[i] = make_share(options, i, options->cases / options->jobs + (i < options->cases % options->jobs));
        processes[i] = apart_start(work, &shares[i]);
    }
    for (uint64_t i = 0; i < options->jobs; i++) {
        bool died;
        const struct totals *totals = shares[i].totals;
        sum.broken |= !end_share(&shares[i], processes[i], &died);
        sum.cases += totals->cases;
        sum.records += totals->records;
        sum.refused += totals->refused;
        sum.failed += totals->failed;
        sum.meets_known += totals->meets_known;
        sum.known += totals->known;
        sum.different += totals->different;
        for (size_t j = 0; j < OPERATOR_COUNT * OPERATOR_COUNT; j++)
            coverage.pairs[j] += shares[i].pairs[j];
    }
    int status = report(options, &sum, &coverage);
    coverage_release(&coverage);
    return status;
}

/* By a difference, or, where it breaks one of both sides down, by that, with the case that was at hand. */
static bool is_found(const struct share *share)
{
    bool died, whole = end_share(share, apart_start(work, (void *)share), &died);
    if (share->fault == FAULT_CRASH || share->fault == FAULT_PEER_KILLED)
        return !whole && died == (share->fault == FAULT_CRASH) && share->totals->is_at_hand;
    return whole && share->totals->different > 0;
}

static int find_faults(const struct options *options)
{
    int missed = 0;
    for (enum fault fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        struct share share = make_share(options, 0, options->cases);
        share.fault = fault;
        bool found = is_found(&share);
        missed += !found;
        printf("%s after %" PRIu64 " cases: %s\n", found ? "found" : "MISSED", share.totals->cases, fault_text(fault));
        fflush(stdout);
    }
    return missed > 0;
}

static int replay(const struct options *options)
{
    struct share share = make_share(options, 0, 0);
    const struct totals *totals = share.totals;
    bool died, whole = end_share(&share, apart_start(work, &share), &died);
    bool compared = totals->cases > totals->meets_known;
    printf("%" PRIu64 " cases, %" PRIu64 " of them meet a known difference\n", totals->cases, totals->meets_known);
    printf(!whole ? "broken down\n" : totals->different > 0 ? "different\n" : compared ? "the same\n" : "nothing was compared\n");
    return !whole || totals->different > 0 || !compared;
}

/* ---- the command line ------------------------------------------------------------------------------------------------------ */

static bool read_option(struct options *options, const char *name, const char *value)
{
    bool small = strcmp(name, "--shrink") == 0;
    if ((small || strcmp(name, "--replay") == 0) && value != NULL) {
        options->replay = value;
        options->small = small;
        return true;
    }
    return argument_number("--cases", name, value, &options->cases) || argument_number("--pairs", name, value, &options->pairs) ||
           argument_number("--seconds", name, value, &options->seconds) ||
           argument_number("--seed", name, value, &options->seed) || argument_number("--jobs", name, value, &options->jobs) ||
           argument_number("--show", name, value, &options->shown);
}

int main(int argc, char **argv)
{
    struct options options = { .cases = UINT64_MAX, .seed = (uint64_t)time(NULL), .jobs = 1, .shown = 5 };
    if (argc < 3) {
        fprintf(stderr, "differential.sh calls this\n");
        return 2;
    }
    options.classpath = argv[1];
    options.directory = argv[2];
    for (int i = 3; i < argc; i++) {
        options.faults |= strcmp(argv[i], "--faults") == 0;
        if (strcmp(argv[i], "--faults") != 0 && !read_option(&options, argv[i], argv[i + 1])) {
            fprintf(stderr, "%s: not an option, or not its value\n", argv[i]);
            return 2;
        }
        i += strcmp(argv[i], "--faults") != 0;
    }
    if (options.jobs < 1 || options.jobs > JOBS_MAX)
        options.jobs = 1;
    printf("seed %" PRIu64 "\n", options.seed);
    fflush(stdout);
    return options.replay != NULL ? replay(&options) : options.faults ? find_faults(&options) : compare_all(&options);
}
