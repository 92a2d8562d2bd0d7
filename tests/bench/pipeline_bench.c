/*
 * Whole jobs: topic to topic through broker, client, stream thread, operators, state and changelog, all in this process.
 *
 *     bench.pipeline JOB [--records N] [--keys N] [--zipf] [--dir DIRECTORY] [--rest SECONDS] [--turns N] [--check]
 *                    [-X name=value]...
 *
 *     filtermap   filter and map, re-encoded                       join          stream with a table of 1,000,000 rows
 *     pv          count per key and minute                         ssjoin        two streams within 200 ms; both sides count
 *     uv          exact distinct users per key and minute          sessions      count in sessions of twenty records or so
 *     hll         about how many distinct users, in sketches       table         a table grouped, with adder and subtractor
 *     restore     1 changelog record an update, ten updates a key  exactly-once  count, beside at-least-once, commits at 100 ms
 *     lines       access-log text to count per page and minute     start         after kill -9 with 10,000,000 keys in state
 *
 * The input topics are filled before, by a child process. The clock runs from the first record read (by a millisecond, before
 * it; a table's rows are read before) until the application has closed: outputs acknowledged, offsets committed, LMDB flushed.
 * That of restore runs from when tasks begin to restore until all run, with LMDB synced, that of start from exec to the first
 * record. Everything else is at its default but commit.interval.ms, 1 second. --rest waits between filling and running, for disks
 * that slow down after a burst. --check reads the output afterwards and compares it with what a naive program makes of the same
 * records.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "bench/disk.h"
#include "bench/jobs.h"
#include "bench/report.h"
#include "bench/topics.h"
#include "millstream/millstream.h"

enum { PATH_BYTES = 4200, PROPERTIES_MAX = 64, CLOSE_MS = 120000, SETTLED_MS = 2000, TURNS = 3, START_BAR_MS = 1000 };

/* ---- one run --------------------------------------------------------------------------------------------------------------- */

struct run {
    struct job job;
    struct topics topics;
    bool check;
    int turns; /* of CLOCK_GUARANTEES */
    unsigned rest_seconds;
    bool resumes; /* a killed run of this directory, started at `since` */
    double since;
    char directory[PATH_BYTES]; /* state.dir */
    char application[64];
    char commit_ms[24];
    const char *properties[PROPERTIES_MAX];
    size_t property_count;
    char shape[300];
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench.pipeline: %s\n", what);
    exit(1);
}

static void set_property(struct run *run, const char *name, const char *value)
{
    mill_assert(run->property_count + 3 < PROPERTIES_MAX);
    run->properties[run->property_count++] = name;
    run->properties[run->property_count++] = value;
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void fill(struct run *run)
{
    topics_fill(&run->topics);
}

static void check(struct run *run)
{
    if (!topics_check(&run->topics))
        give_up("the output is wrong");
}

static mill_app *start(struct run *run, mill_topology *topology)
{
    char error[512];
    run->job.build(topology);
    mill_app *app = mill_app_new(topology, run->properties, error, sizeof error);
    if (app == NULL)
        give_up(error);
    if (mill_app_start(app) < 0)
        give_up(mill_app_error(app));
    return app;
}

static mill_app_progress progress_of(mill_app *app)
{
    mill_app_progress progress;
    mill_app_progress_now(app, &progress);
    if (mill_app_state_now(app) >= MILL_APP_PENDING_SHUTDOWN)
        give_up(mill_app_error(app));
    return progress;
}

static void close_app(mill_app *app)
{
    int code = mill_app_close(app, CLOSE_MS);
    if (code < 0)
        give_up(code == MILL_ETIMEOUT ? "the application does not close" : mill_app_error(app));
}

/* Where the CPU time of the process has gone so far, by thread. */
static void print_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    double ticks = (double)sysconf(_SC_CLK_TCK);
    struct dirent *entry;
    printf("threads, CPU seconds:");
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        char path[300];
        char name[32];
        unsigned long user, system;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%*d (%31[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", name, &user, &system) == 3)
            printf("  %s %.2f+%.2f", name, (double)user / ticks, (double)system / ticks);
        fclose(file);
    }
    printf("  (user+system)\n");
    if (tasks != NULL)
        closedir(tasks);
}

static bool has_read_all(const struct run *run, mill_app *app)
{
    mill_app_progress progress = progress_of(app);
    if (progress.records_read < topics_rows(&run->topics) + topics_records(&run->topics) * run->job.reads)
        return false;
    return !run->job.reads_more || progress.lag == 0;
}

/* The bytes that its records have on the wire, about. */
static uint64_t input_bytes(const struct run *run)
{
    return (uint64_t)topics_records(&run->topics) * (run->job.shape == RECORDS_LINES ? LINE_BYTES : 100);
}

/* `report` NULL: nothing is measured. Returns the commits. */
static int64_t process_all(struct run *run, struct report *report)
{
    mill_topology *topology = mill_topology_new();
    mill_app *app = start(run, topology);
    do {
        if (report != NULL)
            report_restart(report);
        nap();
    } while (progress_of(app).records_read <= topics_rows(&run->topics));
    while (!has_read_all(run, app))
        nap();
    if (report != NULL)
        print_threads();
    close_app(app);
    if (report != NULL)
        report_end(report, (uint64_t)topics_records(&run->topics), input_bytes(run));
    mill_app_progress progress;
    mill_app_progress_now(app, &progress);
    if (progress.records_dropped > 0)
        printf("%lld records dropped, %lld of them late\n", (long long)progress.records_dropped,
               (long long)progress.records_late);
    mill_app_free(app);
    mill_topology_free(topology);
    return progress.commits;
}

/* What the last commit has sent to a repartition topic is read by the next run only. */
static void settle(struct run *run)
{
    mill_topology *topology = mill_topology_new();
    mill_app *app = start(run, topology);
    for (int quiet_ms = 0; quiet_ms < SETTLED_MS; nap())
        quiet_ms = progress_of(app).lag == 0 ? quiet_ms + 1 : 0;
    close_app(app);
    mill_app_free(app);
    mill_topology_free(topology);
}

/* What a lost disk would leave: everything but the tasks' state. */
static int remove_task(void *ctx, const struct disk_entry *entry)
{
    const struct run *run = ctx;
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s/%s", run->directory, run->application, entry->name);
    return entry->is_directory ? disk_remove_tree(uv_disk(), path) : 0;
}

static void remove_state(struct run *run)
{
    char path[PATH_BYTES + 80];
    snprintf(path, sizeof path, "%s/%s", run->directory, run->application);
    if (disk_list(uv_disk(), path, remove_task, run) < 0)
        give_up("the state cannot be removed");
}

static void restore_all(struct run *run, struct report *report)
{
    mill_topology *topology = mill_topology_new();
    mill_app *app = start(run, topology);
    do {
        report_restart(report);
        nap();
    } while (progress_of(app).tasks_restoring == 0);
    while (progress_of(app).tasks_running < TOPICS_PARTITIONS)
        nap();
    report_end(report, (uint64_t)run->topics.records, (uint64_t)run->topics.records * 20);
    print_threads();
    close_app(app);
    mill_app_free(app);
    mill_topology_free(topology);
}

/* Does `work` in a process of its own, so that neither its memory nor its time counts here. */
static void in_child(struct run *run, void (*work)(struct run *run))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(run);
        exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
        give_up("what was to be done in a process of its own has failed");
}

static void process_unmeasured(struct run *run)
{
    process_all(run, NULL);
}

static void describe(struct run *run, int64_t commits)
{
    const struct topics *topics = &run->topics;
    snprintf(run->shape, sizeof run->shape,
             "%s: %lld records, %u keys%s, %d partitions, in-process, 1 stream thread, batches of %d KiB, %lld commits",
             run->job.what, (long long)topics_records(topics), topics->keys, topics->zipf ? " (Zipf)" : "", TOPICS_PARTITIONS,
             TOPICS_BATCH_BYTES >> 10, (long long)commits);
}

/* Measures once and adds the sample to the report. */
static void sample(struct run *run, struct report *report)
{
    double disk_before = disk_append_and_sync(run->directory, 256 << 20);
    int64_t commits = 0;
    report_begin(report);
    if (run->job.clock == CLOCK_RESTORE)
        restore_all(run, report);
    else
        commits = process_all(run, report);
    double disk_after = disk_append_and_sync(run->directory, 256 << 20);
    report->disk_speed = disk_speed(disk_before > disk_after ? disk_before : disk_after);
    describe(run, commits);
}

static void measure_once(struct run *run)
{
    struct report report;
    if (run->job.clock == CLOCK_RESTORE) {
        in_child(run, process_unmeasured);
        remove_state(run);
    }
    sleep(run->rest_seconds);
    report_init(&report, run->job.name, run->shape, run->job.ceiling);
    report.bar_records_per_second = run->job.bar;
    sample(run, &report);
    report_print(&report);
}

/* ---- exactly once beside at least once ------------------------------------------------------------------------------------- */

/* Another application for each turn: all read the same input from its beginning. */
static double rate_with(const struct run *run, const char *guarantee, int turn)
{
    static struct run one;
    struct report report;
    one = *run;
    snprintf(one.application, sizeof one.application, "bench-%s-%d", guarantee, turn);
    set_property(&one, "application.id", one.application);
    set_property(&one, "processing.guarantee", guarantee);
    report_init(&report, guarantee, one.shape, 0);
    sample(&one, &report);
    report_print(&report);
    return (double)report.samples[0].records / report.samples[0].seconds;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure_guarantees(struct run *run)
{
    double ratios[REPORT_SAMPLES_MAX];
    for (int turn = 0; turn < run->turns; turn++) {
        double at_least_once = rate_with(run, "at_least_once", turn);
        ratios[turn] = rate_with(run, "exactly_once_v2", turn) / at_least_once;
    }
    qsort(ratios, (size_t)run->turns, sizeof ratios[0], by_value);
    printf("exactly-once reaches %.1f %% of at-least-once [%.1f..%.1f, n=%d], bar 90 %%\n", 100 * ratios[run->turns / 2],
           100 * ratios[0], 100 * ratios[run->turns - 1], run->turns);
}

/* ---- start after a kill ---------------------------------------------------------------------------------------------------- */

/* Runs until every key is in state and some came again, then dies. */
static _Noreturn void process_until_killed(struct run *run)
{
    mill_topology *topology = mill_topology_new();
    mill_app *app = start(run, topology);
    int64_t enough = run->topics.keys + (run->topics.records - run->topics.keys) / 2;
    while (progress_of(app).records_read < enough)
        nap();
    kill(getpid(), SIGKILL);
    give_up("still alive");
}

/* What the program that is started does: says how long it took to its first record. */
static void resume(struct run *run)
{
    mill_topology *topology = mill_topology_new();
    mill_app *app = start(run, topology);
    while (progress_of(app).records_read == 0)
        nap();
    double milliseconds = 1e3 * (bench_seconds() - run->since);
    print_threads();
    printf("exec to first record after kill -9 %8.1f ms  %.2f of the bar %d ms  %5.0f MiB peak  (%u keys in state)\n",
           milliseconds, milliseconds / START_BAR_MS, START_BAR_MS, (double)bench_peak_rss_bytes() / (1 << 20), run->topics.keys);
    while (progress_of(app).lag > 0)
        nap();
    close_app(app);
    mill_app_free(app);
    mill_topology_free(topology);
}

static void measure_start(struct run *run, char **argv)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        process_until_killed(run);
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFSIGNALED(status))
        give_up("what was to be killed has ended before");
    sleep(run->rest_seconds);
    child = fork();
    if (child == 0) {
        char since[32];
        snprintf(since, sizeof since, "%.6f", bench_seconds());
        setenv("BENCH_RESUME", run->directory, 1);
        setenv("BENCH_SINCE", since, 1);
        execv("/proc/self/exe", argv);
        give_up("no exec");
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
        give_up("what was started after the kill has failed");
}

/* ---- arguments ------------------------------------------------------------------------------------------------------------- */

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: bench.pipeline JOB [--records N] [--keys N] [--zipf] [--dir DIRECTORY] [--rest SECONDS] [--turns N] "
                    "[--check] [-X name=value]...\n\njobs:");
    for (size_t i = 0; job_name(i) != NULL; i++)
        fprintf(stderr, " %s", job_name(i));
    fprintf(stderr, "\n");
    exit(1);
}

static void set_pair(struct run *run, char *pair)
{
    char *equals = strchr(pair, '=');
    if (equals == NULL)
        usage();
    *equals = '\0';
    set_property(run, pair, equals + 1);
}

/* What is the job's unless it is said. */
static void set_defaults(struct run *run, const char *name)
{
    const struct job *job = job_find(name);
    if (job == NULL)
        usage();
    run->job = *job;
    run->turns = TURNS;
    run->topics = (struct topics){ .job = &run->job, .keys = job->keys, .now_ms = (int64_t)time(NULL) * 1000 };
    snprintf(run->application, sizeof run->application, "bench-%s", job->name);
    snprintf(run->commit_ms, sizeof run->commit_ms, "%lld", (long long)job->commit_ms);
    set_property(run, "application.id", run->application);
    set_property(run, "listeners", "PLAINTEXT://127.0.0.1:0");
    set_property(run, "commit.interval.ms", run->commit_ms);
}

/* Those that follow from others, and the directory, which is new but for a program that goes on in one. */
static void complete(struct run *run, const char *below)
{
    struct topics *topics = &run->topics;
    const char *resumed = getenv("BENCH_RESUME");
    if (topics->zipf && strcmp(topics->job->name, "pv") == 0) {
        run->job.bar = JOB_ZIPF_BAR;
        run->job.ceiling = JOB_ZIPF_CEILING;
    }
    if (topics->records == 0)
        topics->records = topics->zipf ? run->job.records / 2 : run->job.records;
    run->resumes = resumed != NULL;
    if (run->resumes) {
        run->since = strtod(getenv("BENCH_SINCE"), NULL);
        snprintf(run->directory, sizeof run->directory, "%s", resumed);
    } else {
        snprintf(run->directory, sizeof run->directory, "%s/millstream-bench-XXXXXX", below);
        if (mkdtemp(run->directory) == NULL)
            give_up("the directory cannot be made");
    }
    snprintf(topics->directory, sizeof topics->directory, "%s/broker", run->directory);
    set_property(run, "state.dir", run->directory);
}

static void read_arguments(struct run *run, int argc, char **argv)
{
    const char *below = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    if (argc < 2)
        usage();
    set_defaults(run, argv[1]);
    for (int i = 2; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--zipf") == 0)
            run->topics.zipf = true;
        else if (strcmp(argv[i], "--check") == 0)
            run->check = true;
        else if (strcmp(argv[i], "--records") == 0 && has_value)
            run->topics.records = strtoll(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--keys") == 0 && has_value)
            run->topics.keys = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rest") == 0 && has_value)
            run->rest_seconds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--turns") == 0 && has_value)
            run->turns = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--dir") == 0 && has_value)
            below = argv[++i];
        else if (strcmp(argv[i], "-X") == 0 && has_value)
            set_pair(run, argv[++i]);
        else
            usage();
    }
    if (run->turns < 1 || run->turns > REPORT_SAMPLES_MAX)
        usage();
    complete(run, below);
}

static void measure(struct run *run, char **argv)
{
    in_child(run, fill);
    if (run->job.clock == CLOCK_GUARANTEES)
        measure_guarantees(run);
    else if (run->job.clock == CLOCK_START)
        measure_start(run, argv);
    else
        measure_once(run);
    if (run->check && run->job.reads_more)
        in_child(run, settle);
    if (run->check)
        in_child(run, check);
}

int main(int argc, char **argv)
{
    static struct run run;
    read_arguments(&run, argc, argv);
    if (run.resumes) {
        resume(&run);
        return 0;
    }
    measure(&run, argv);
    return disk_remove_tree(uv_disk(), run.directory) < 0;
}
