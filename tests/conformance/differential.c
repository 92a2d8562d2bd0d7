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
 * small and with what both sides put out; the exit status is then 1.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conformance/arguments.h"
#include "conformance/generate.h"
#include "conformance/known_differences.h"
#include "conformance/operators.h"
#include "conformance/peer.h"
#include "conformance/run.h"
#include "conformance/shrink.h"

enum { BATCH = 16, SHRINK_CHECKS = 1500, JOBS_MAX = 16, PROGRESS_CASES = 2000 };

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
    bool broken;
};

struct job {
    const struct options *options;
    struct peer peer;
    enum fault fault;
    struct totals *totals;
    struct coverage coverage;
};

/* ---- one case -------------------------------------------------------------------------------------------------------------- */

static bool is_same(struct job *job, const struct test_case *test, struct result *ours, struct result *theirs, int *event)
{
    run_case(test, job->fault, ours);
    if (peer_receive(&job->peer, theirs) < 0) {
        job->totals->broken = true;
        return true;
    }
    return result_equal(ours, theirs, event);
}

static bool still_differs(void *ctx, const struct test_case *test)
{
    struct job *job = ctx;
    struct result ours, theirs;
    int event;
    if (peer_send(&job->peer, test) < 0)
        return false;
    bool same = is_same(job, test, &ours, &theirs, &event);
    result_release(&ours);
    result_release(&theirs);
    return !same && known_difference_of(test) == NULL && case_suits_kafka(test);
}

static void print_both(struct job *job, const struct test_case *test)
{
    struct result ours, theirs;
    int event;
    if (peer_send(&job->peer, test) < 0)
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
    for (size_t i = 0; i < count; i++)
        job->totals->broken |= peer_send(&job->peer, &cases[i]) < 0;
    for (size_t i = 0; i < count && !job->totals->broken; i++) {
        struct result ours, theirs;
        int event;
        bool same = is_same(job, &cases[i], &ours, &theirs, &event);
        job->totals->cases++;
        job->totals->records += same ? theirs.count : 0;
        job->totals->refused += same && theirs.error_event == RESULT_EVENT_BUILD;
        job->totals->failed += same && theirs.error_event > RESULT_EVENT_BUILD;
        bool is_known = known_difference_of(&cases[i]) != NULL;
        job->totals->meets_known += is_known;
        if (!same && is_known)
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

static bool start_job(struct job *job, const struct options *options, struct totals *totals, uint64_t number)
{
    char directory[512];
    *job = (struct job){ .options = options, .totals = totals };
    coverage_init(&job->coverage);
    snprintf(directory, sizeof directory, "%s/%" PRIu64, options->directory, number);
    mkdir(options->directory, 0777);
    mkdir(directory, 0777);
    return peer_start(&job->peer, options->classpath, directory) == 0;
}

/* ---- modes ----------------------------------------------------------------------------------------------------------------- */

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return memory;
}

static void run_process(const struct options *options, struct totals *totals, uint32_t *pairs, uint64_t number)
{
    struct job job;
    uint64_t share = options->cases / options->jobs + (number < options->cases % options->jobs);
    totals->broken = !start_job(&job, options, totals, number);
    if (!totals->broken) {
        run_job(&job, options->seed + number * UINT64_C(0x9e3779b97f4a7c15), share);
        peer_stop(&job.peer);
    }
    memcpy(pairs, job.coverage.pairs, OPERATOR_COUNT * OPERATOR_COUNT * sizeof *pairs);
    coverage_release(&job.coverage);
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

static int report(const struct totals *sum, const struct coverage *coverage)
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
    return sum->different > 0 || sum->broken || sum->cases == 0;
}

static int compare_all(const struct options *options)
{
    struct totals *totals = shared(sizeof *totals * options->jobs), sum = { 0 };
    size_t pair_count = OPERATOR_COUNT * OPERATOR_COUNT;
    uint32_t *pairs = shared(sizeof *pairs * pair_count * options->jobs);
    for (uint64_t i = 0; i < options->jobs; i++) {
        fflush(stdout);
        if (fork() == 0) {
            run_process(options, &totals[i], &pairs[i * pair_count], i);
            fflush(stdout);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        continue;
    struct coverage coverage;
    coverage_init(&coverage);
    for (uint64_t i = 0; i < options->jobs; i++) {
        sum.cases += totals[i].cases;
        sum.records += totals[i].records;
        sum.refused += totals[i].refused;
        sum.failed += totals[i].failed;
        sum.meets_known += totals[i].meets_known;
        sum.known += totals[i].known;
        sum.different += totals[i].different;
        sum.broken |= totals[i].broken;
        for (size_t j = 0; j < pair_count; j++)
            coverage.pairs[j] += pairs[i * pair_count + j];
    }
    int status = report(&sum, &coverage);
    coverage_release(&coverage);
    return status;
}

static int find_faults(const struct options *options)
{
    struct totals totals = { 0 };
    struct job job;
    int missed = 0;
    if (!start_job(&job, options, &totals, 0))
        return 1;
    for (job.fault = FAULT_NONE + 1; job.fault < FAULT_COUNT; job.fault++) {
        totals = (struct totals){ 0 };
        run_job(&job, options->seed, options->cases);
        bool found = totals.different > 0;
        missed += !found;
        printf("%s after %" PRIu64 " cases: %s\n", found ? "found" : "MISSED", totals.cases, fault_text(job.fault));
        fflush(stdout);
    }
    peer_stop(&job.peer);
    coverage_release(&job.coverage);
    return missed > 0;
}

static int replay(const struct options *options)
{
    struct totals totals = { 0 };
    struct job job;
    static struct test_case test;
    FILE *file = fopen(options->replay, "r");
    if (file == NULL || !start_job(&job, options, &totals, 0)) {
        perror(options->replay);
        return 1;
    }
    int code;
    bool different = false;
    while ((code = case_read(file, &test)) == 1) {
        bool differs = still_differs(&job, &test);
        different |= differs;
        if (!options->small)
            print_both(&job, &test);
        else if (differs)
            show_difference(&job, &test, true);
    }
    fclose(file);
    peer_stop(&job.peer);
    coverage_release(&job.coverage);
    printf(different ? "different\n" : "the same\n");
    return code < 0 || different;
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
