/*
 * Whole jobs: topic to topic through broker, client, stream thread, operators, state and changelog, all in this process.
 *
 *     bench.pipeline JOB [--records N] [--keys N] [--zipf] [--dir DIRECTORY] [--rest SECONDS] [--check]
 *                    [-X name=value]...
 *
 *     filtermap   filter and map, re-encoded                       restore   1 changelog record an update, ten updates a key
 *     pv          count per key and minute                         lines     access-log text to count per page and minute
 *     uv          exact distinct users per key and minute
 *
 * The input topic is filled before, by a child process. The clock runs from the first record read (by a millisecond, from before
 * it) until the application has closed: outputs acknowledged, offsets committed, LMDB flushed. That of restore runs from when
 * tasks begin to restore until all run, with LMDB synced. Everything else is at its default but commit.interval.ms, 1 second.
 * --rest waits between filling and running, for disks that slow down after a burst. --check reads the output afterwards and
 * compares it with what a naive program makes of the same records.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "access_log.h"
#include "app/broker_host.h"
#include "app/local_connector.h"
#include "base/assert.h"
#include "base/trace.h"
#include "bench/disk.h"
#include "bench/load.h"
#include "bench/records.h"
#include "bench/report.h"
#include "bench/results.h"
#include "broker/config.h"
#include "millstream/millstream.h"

enum { PARTITIONS = 4, BATCH_BYTES = 64 << 10, FILL_IN_FLIGHT = 12, PATH_BYTES = 4200, PROPERTIES_MAX = 64, CLOSE_MS = 120000 };

/* ---- jobs ------------------------------------------------------------------------------------------------------------------ */

static bool keep_most(const mill_record *record, void *ctx)
{
    return record->value.data[0] == '0' || record->value.data[1] != '9';
}

static int mark_value(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    uint8_t *copy = mill_context_alloc(context, record->value.len);
    if (copy == NULL)
        return MILL_ENOMEM;
    memcpy(copy, record->value.data, record->value.len);
    copy[0] = 'x';
    *result = mill_bytes_of(copy, record->value.len);
    return 0;
}

static void build_filter_map(mill_topology *topology)
{
    mill_stream *in = mill_topology_stream(topology, "in", NULL);
    mill_stream_to(mill_stream_map_values(mill_stream_filter(in, keep_most, NULL), mark_value, NULL), "out");
}

static mill_windowed *per_minute(mill_stream *stream)
{
    return mill_grouped_windowed_by(mill_stream_group_by_key(stream), mill_window_tumbling(MILL_MINUTES(1), 0));
}

static void build_pv(mill_topology *topology)
{
    mill_windowed *views = per_minute(mill_topology_stream(topology, "in", NULL));
    mill_table_to(mill_windowed_count(views, mill_as("pv")), "out");
}

static int user_of(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_bytes_of(record->value.data + 1, 6);
    return 0;
}

static void build_uv(mill_topology *topology)
{
    mill_windowed *views = per_minute(mill_topology_stream(topology, "in", NULL));
    mill_table_to(mill_windowed_count_distinct_by(views, user_of, NULL, mill_as("uv")), "out");
}

static void build_restore(mill_topology *topology)
{
    mill_grouped *views = mill_stream_group_by_key(mill_topology_stream(topology, "in", NULL));
    mill_table_to(mill_grouped_count(views, (mill_materialized){ .name = "totals", .without_cache = true }), "out");
}

static int parse_hit(const mill_record *line, mill_emitter *out, void *ctx)
{
    struct access_log_line hit;
    if (!access_log_parse(line->value, &hit)) {
        mill_context_drop(mill_emitter_context(out), "malformed");
        return 0;
    }
    return mill_emit(out, &(mill_record){ .key = hit.page, .value = hit.client, .timestamp_ms = hit.time_ms });
}

/* The repartition topic jumbles the order between its producers a little: hence the grace. */
static void build_lines(mill_topology *topology)
{
    mill_stream *hits = mill_stream_flat_map(mill_topology_stream(topology, "in", NULL), parse_hit, NULL);
    mill_windowed *views =
        mill_grouped_windowed_by(mill_stream_group_by_key(hits), mill_window_tumbling(MILL_MINUTES(1), MILL_MINUTES(10)));
    mill_table_to(mill_windowed_count(views, mill_as("pv")), "out");
}

struct job {
    const char *name;
    const char *what;
    void (*build)(mill_topology *topology);
    enum record_shape shape;
    int64_t records; /* by default: more than ten commits at the rate of the bar */
    enum result_kind result;
    int reads;  /* how often a record is read from a source topic, repartition included */
    double bar; /* records a second */
    double ceiling;
};

static const struct job JOBS[] = {
    { "filtermap", "filter and map to a topic", build_filter_map, RECORDS_UNIFORM, 100000000, RESULT_RECORDS, 1, 8e6, 14e6 },
    { "pv", "count per key and minute", build_pv, RECORDS_UNIFORM, 100000000, RESULT_COUNTS, 1, 8e6, 33e6 },
    { "uv", "exact distinct users per key and minute", build_uv, RECORDS_UNIFORM, 12000000, RESULT_DISTINCT, 1, 0.8e6, 1.6e6 },
    { "restore", "restore, ten updates a key", build_restore, RECORDS_IN_TURN, 10000000, RESULT_COUNTS, 1, 8e6, 22e6 },
    { "lines", "access-log lines to count per page and minute", build_lines, RECORDS_LINES, 50000000, RESULT_COUNTS, 2, 4e6,
      16e6 },
};

/* Zipf keys out of a million are the second row of the count. */
static const double PV_ZIPF_BAR = 3e6, PV_ZIPF_CEILING = 17e6;

/* ---- one run --------------------------------------------------------------------------------------------------------------- */

struct run {
    struct job job;
    int64_t records;
    uint32_t keys;
    bool zipf;
    bool check;
    unsigned rest_seconds;
    int64_t now_ms;             /* for the records' timestamps */
    char directory[PATH_BYTES]; /* state.dir */
    char application[64];
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

/*
 * The broker of the application, before and after it, for one who fills or reads its topics. In-process all connections share one
 * queue, so a partition's batches stay in order.
 */
static void with_broker(struct run *run, void (*work)(struct run *run, struct load *load))
{
    char path[PATH_BYTES + 8];
    struct error_text error;
    struct config config;
    struct local_connector local;
    config_init(&config, broker_config_table());
    if (config_set(&config, "log.page.cache.bytes", "-1") < 0)
        give_up("no memory");
    struct work_threads *threads = work_threads_new(2, 1, 1);
    snprintf(path, sizeof path, "%s/broker", run->directory);
    struct broker_host_options options = { .disk = uv_disk(), .work = threads, .data_directory = path, .config = &config };
    struct broker_host *host = broker_host_start(&options, &error);
    if (host == NULL)
        give_up(error.text);
    local_connector_init(&local, broker_host_broker(host));
    struct load_options load = { .connector = &local.base, .connections = PARTITIONS, .in_flight = FILL_IN_FLIGHT };
    struct load *opened = load_open(&load);
    work(run, opened);
    load_close(opened);
    broker_host_stop(host);
    work_threads_free(threads);
    config_release(&config);
}

static void init_source(const struct run *run, struct record_source *source)
{
    enum record_shape shape = run->zipf ? RECORDS_ZIPF : run->job.shape;
    record_source_init(source, shape, run->records, run->keys, PARTITIONS, BATCH_BYTES, run->now_ms);
}

static void fill_topics(struct run *run, struct load *load)
{
    static struct record_source source;
    load_create_topic(load, "in", PARTITIONS);
    load_create_topic(load, "out", PARTITIONS);
    init_source(run, &source);
    load_produce(load, "in", record_source_next, &source);
    record_source_release(&source);
}

/* The input stays in the page cache, as that of a producer that is just ahead. */
static void fill(struct run *run)
{
    with_broker(run, fill_topics);
}

static void check_results(struct run *run, struct load *load)
{
    static struct record_source source;
    init_source(run, &source);
    int64_t expected = results_expected(&source, run->job.result, keep_most);
    record_source_release(&source);
    int64_t found = results_found(load, "out", PARTITIONS, run->job.result);
    printf("checked: %lld expected, %lld found\n", (long long)expected, (long long)found);
    if (found != expected)
        give_up("the output is wrong");
}

static void check(struct run *run)
{
    with_broker(run, check_results);
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

/* `report` NULL: nothing is measured. Returns the commits. */
static int64_t process_all(struct run *run, struct report *report)
{
    mill_topology *topology = mill_topology_new();
    mill_app *app = start(run, topology);
    do {
        if (report != NULL)
            report_restart(report);
        nap();
    } while (progress_of(app).records_read == 0);
    while (progress_of(app).records_read < run->records * run->job.reads)
        nap();
    if (report != NULL)
        print_threads();
    close_app(app);
    if (report != NULL)
        report_end(report, (uint64_t)run->records, (uint64_t)run->records * (run->job.shape == RECORDS_LINES ? LINE_BYTES : 100));
    mill_app_progress progress;
    mill_app_progress_now(app, &progress);
    if (progress.records_dropped > 0)
        printf("%lld records dropped, %lld of them late\n", (long long)progress.records_dropped,
               (long long)progress.records_late);
    mill_app_free(app);
    mill_topology_free(topology);
    return progress.commits;
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
    while (progress_of(app).tasks_running < PARTITIONS)
        nap();
    report_end(report, (uint64_t)run->records, (uint64_t)run->records * 20);
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

static void measure(struct run *run)
{
    struct report report;
    int64_t commits = 0;
    bool restores = strcmp(run->job.name, "restore") == 0;
    in_child(run, fill);
    if (restores) {
        in_child(run, process_unmeasured);
        remove_state(run);
    }
    sleep(run->rest_seconds);
    report_init(&report, run->job.name, run->shape, run->job.ceiling);
    report.bar_records_per_second = run->job.bar;
    double disk_before = disk_append_and_sync(run->directory, 256 << 20);
    report_begin(&report);
    if (restores)
        restore_all(run, &report);
    else
        commits = process_all(run, &report);
    double disk_after = disk_append_and_sync(run->directory, 256 << 20);
    report.disk_speed = disk_speed(disk_before > disk_after ? disk_before : disk_after);
    snprintf(run->shape, sizeof run->shape,
             "%s: %lld records, %u keys%s, %d partitions, in-process, 1 stream thread, batches of %d KiB, %lld commits",
             run->job.what, (long long)run->records, run->keys, run->zipf ? " (Zipf)" : "", PARTITIONS, BATCH_BYTES >> 10,
             (long long)commits);
    report_print(&report);
    if (run->check)
        in_child(run, check);
}

/* ---- arguments ------------------------------------------------------------------------------------------------------------- */

static _Noreturn void usage(void)
{
    give_up("usage: bench.pipeline filtermap|pv|uv|restore|lines [--records N] [--keys N] [--zipf] [--dir DIRECTORY] [--rest "
            "SECONDS] [--check] "
            "[-X name=value]...");
}

static const struct job *find_job(const char *name)
{
    for (size_t i = 0; i < sizeof JOBS / sizeof JOBS[0]; i++)
        if (strcmp(JOBS[i].name, name) == 0)
            return &JOBS[i];
    usage();
}

static void set_pair(struct run *run, char *pair)
{
    char *equals = strchr(pair, '=');
    if (equals == NULL)
        usage();
    *equals = '\0';
    set_property(run, pair, equals + 1);
}

static void read_arguments(struct run *run, int argc, char **argv)
{
    const char *below = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    if (argc < 2)
        usage();
    run->job = *find_job(argv[1]);
    run->now_ms = (int64_t)time(NULL) * 1000;
    run->keys = run->job.shape == RECORDS_IN_TURN ? 1000000 : 10000;
    snprintf(run->application, sizeof run->application, "bench-%s", run->job.name);
    set_property(run, "application.id", run->application);
    set_property(run, "listeners", "PLAINTEXT://127.0.0.1:0");
    set_property(run, "commit.interval.ms", "1000");
    for (int i = 2; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--zipf") == 0)
            run->zipf = true;
        else if (strcmp(argv[i], "--check") == 0)
            run->check = true;
        else if (strcmp(argv[i], "--records") == 0 && has_value)
            run->records = strtoll(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--keys") == 0 && has_value)
            run->keys = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rest") == 0 && has_value)
            run->rest_seconds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--dir") == 0 && has_value)
            below = argv[++i];
        else if (strcmp(argv[i], "-X") == 0 && has_value)
            set_pair(run, argv[++i]);
        else
            usage();
    }
    snprintf(run->directory, sizeof run->directory, "%s/millstream-bench-XXXXXX", below);
    set_property(run, "state.dir", run->directory);
    if (run->zipf) {
        run->job.bar = PV_ZIPF_BAR;
        run->job.ceiling = PV_ZIPF_CEILING;
    }
    if (run->records == 0)
        run->records = run->zipf ? run->job.records / 2 : run->job.records;
}

int main(int argc, char **argv)
{
    static struct run run;
    read_arguments(&run, argc, argv);
    if (mkdtemp(run.directory) == NULL)
        give_up("the directory cannot be made");
    measure(&run);
    return disk_remove_tree(uv_disk(), run.directory) < 0;
}
