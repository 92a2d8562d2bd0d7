#include "conformance/engine.h"

#include <stdlib.h>
#include <string.h>

#include "app/local_connector.h"
#include "base/shared_buffer.h"
#include "broker/broker.h"
#include "broker/config.h"
#include "conformance/operators.h"
#include "conformance/outside.h"
#include "conformance/planted.h"
#include "conformance/rows.h"
#include "server/server.h"
#include "simulation/sim_disk.h"
#include "simulation/sim_lmdb.h"
#include "simulation/sim_memory.h"
#include "simulation/sim_world.h"
#include "task/streams_config.h"
#include "topology/topology.h"
#include "worker/internal.h"

enum {
    PORT = 9092,
    THREADS = 2,
    LIVES = 3,
    LIFETIME_US = 600 * 1000000, /* virtual: far more than a run takes */
    QUIET_US = 1500 * 1000,
    STANDSTILL_US = 300 * 1000,
    LOOK_EVERY_US = 100 * 1000,
};

static const char ROOT[] = "/server";
static const char STATE[] = "/server/state";

struct process {
    struct sim_memory *memory;
    struct loop *broker_loop;
    struct config broker_config;
    struct broker *broker;
    struct server *server;
    struct local_connector connector;
    mill_topology *topology;
    struct loop *loops[THREADS];
    struct stream_thread *threads[THREADS];
    size_t threads_closed;
    bool broker_closed, server_closed;
};

struct run {
    const struct test_case *test;
    struct engine_counts *counts;
    struct result *result;
    struct prng prng; /* of the plan; the world has its own */
    struct sim_world *world;
    struct sim_disk *disk;
    struct process *process; /* NULL: none runs */
    struct config config;
    bool exactly_once;
    bool failed;

    struct feeder feeder;

    uint64_t writes_until_image; /* of stores; 0: no image is wanted */
    struct sim_disk *image;      /* what a power cut left in the middle of a flush */
};

static uint64_t below(struct run *run, uint64_t bound)
{
    return prng_below(&run->prng, bound);
}

static void fail_run(struct run *run, const char *text)
{
    if (!run->failed)
        snprintf(run->result->error, sizeof run->result->error, "%s", text);
    run->failed = true;
}

static bool is_true(void *ctx)
{
    return *(bool *)ctx;
}

static void set_true(void *ctx)
{
    *(bool *)ctx = true;
}

static void run_until(struct run *run, bool (*done)(void *ctx), void *ctx, const char *what)
{
    if (sim_world_run(run->world, done, ctx, LIFETIME_US) != 0)
        fail_run(run, what);
}

/* ---- the process ----------------------------------------------------------------------------------------------------------- */

static void thread_state(void *ctx, enum stream_thread_state now, enum stream_thread_state before)
{
}

static void thread_failed(void *ctx, int code, const char *text)
{
    fail_run(ctx, text);
}

static void thread_restoring(void *ctx, const mill_restore_progress *progress)
{
}

static void told_to_stop(void *ctx, const char *text)
{
    fail_run(ctx, text);
}

static void thread_closed(void *ctx)
{
    ((struct run *)ctx)->process->threads_closed++;
}

static const struct stream_thread_events THREAD_EVENTS = { .state = thread_state,
                                                           .failed = thread_failed,
                                                           .restoring = thread_restoring,
                                                           .stopped = told_to_stop,
                                                           .closed = thread_closed };

static void start_broker(struct run *run, struct process *process)
{
    struct error_text error = { "" };
    struct config *config = &process->broker_config;
    config_init(config, broker_config_table());
    must(config_set(config, "offsets.topic.num.partitions", "1") == 0 && config_set(config, "num.partitions", "4") == 0 &&
             config_set(config, "transaction.state.log.num.partitions", "1") == 0,
         "a property of the broker");
    process->broker_loop = sim_world_add_loop(run->world, "server");
    struct broker_options options = { sim_disk_disk(run->disk), process->broker_loop, "/server/broker", config };
    process->broker = broker_new(&options);
    must(process->broker != NULL, "no broker");
    if (broker_open(process->broker, sim_world_now(run->world)) < 0)
        fail_run(run, broker_error(process->broker));
    struct server_options server = server_default_options(process->broker, process->broker_loop, "0.0.0.0", PORT);
    must(server_open(&server, &process->server, &error) == 0, error.text);
    must(broker_set_advertised(process->broker, "server", PORT) == 0, "no memory");
    local_connector_init(&process->connector, process->broker);
}

static void start_thread(struct run *run, struct process *process, int at)
{
    struct error_text error = { "" };
    process->loops[at] = sim_world_add_loop(run->world, "server");
    struct stream_thread_options options = { .topology = process->topology,
                                             .config = &run->config,
                                             .bootstrap_servers = "",
                                             .state_directory = STATE,
                                             .process_id = { 1 },
                                             .number = at + 1,
                                             .loop = process->loops[at],
                                             .disk = sim_disk_disk(run->disk),
                                             .connector = &process->connector.base,
                                             .embedded = true };
    process->threads[at] = stream_thread_new(&options, &THREAD_EVENTS, run, &error);
    must(process->threads[at] != NULL, error.text);
    stream_thread_start(process->threads[at], sim_world_now(run->world));
}

static void start_process(struct run *run)
{
    struct process *process = calloc(1, sizeof *process);
    must(process != NULL, "no memory");
    run->process = process;
    process->memory = sim_memory_new();
    struct sim_memory *before = sim_memory_enter(process->memory);
    start_broker(run, process);
    process->topology = mill_topology_new();
    rows_build(run->test, process->topology);
    if (topology_build(process->topology) < 0)
        fail_run(run, mill_topology_error(process->topology));
    must(disk_make_directories(sim_disk_disk(run->disk), STATE) == 0, "no directory for state");
    for (int i = 0; i < THREADS && !run->failed; i++)
        start_thread(run, process, i);
    sim_memory_enter(before);
}

/* Whose memory an event uses. */
static void enter_memory_of(void *ctx, struct loop *loop)
{
    const struct process *process = ((struct run *)ctx)->process;
    bool is_ours = process != NULL && loop != NULL && loop == process->broker_loop;
    for (int i = 0; process != NULL && loop != NULL && i < THREADS; i++)
        is_ours |= loop == process->loops[i];
    sim_memory_enter(is_ours ? process->memory : NULL);
}

static bool threads_are_closed(void *ctx)
{
    const struct run *run = ctx;
    return run->process->threads_closed == THREADS || run->image != NULL;
}

static void forget_process(struct run *run)
{
    sim_memory_free(run->process->memory);
    free(run->process);
    run->process = NULL;
}

/* In good order. A flush may be cut short here, too: then false, and the process has still to be killed. */
static bool close_process(struct run *run)
{
    struct process *process = run->process;
    struct sim_memory *before = sim_memory_enter(process->memory);
    for (int i = 0; i < THREADS; i++)
        stream_thread_close(process->threads[i], sim_world_now(run->world));
    sim_memory_enter(before);
    run_until(run, threads_are_closed, run, "stream threads do not close");
    if (run->image != NULL || run->failed)
        return false;
    sim_memory_enter(process->memory);
    for (int i = 0; i < THREADS; i++)
        stream_thread_free(process->threads[i]);
    mill_topology_free(process->topology);
    server_close(process->server, set_true, &process->server_closed);
    broker_close(process->broker, set_true, &process->broker_closed, sim_world_now(run->world));
    sim_memory_enter(NULL);
    run_until(run, is_true, &process->server_closed, "the server does not close");
    run_until(run, is_true, &process->broker_closed, "the broker does not close");
    if (run->failed)
        return false;
    sim_memory_enter(process->memory);
    broker_free(process->broker);
    config_release(&process->broker_config);
    sim_memory_enter(before);
    if (sim_memory_blocks(process->memory) != 0)
        fail_run(run, "a process that has closed leaves memory behind");
    forget_process(run);
    return true;
}

/* The next process finds `image`. */
static void kill_process(struct run *run, struct sim_disk *image)
{
    sim_world_kill(run->world, "server");
    sim_lmdb_abandon(run->disk);
    sim_disk_free(run->disk);
    forget_process(run);
    run->disk = image;
    sim_lmdb_mount(ROOT, image);
}

/* ---- feeding and reading --------------------------------------------------------------------------------------------------- */

static void stop_feeder(struct run *run)
{
    bool closed = false;
    feeder_close(&run->feeder, set_true, &closed);
    must(sim_world_run(run->world, is_true, &closed, LIFETIME_US) == 0, "the feeder does not close");
}

static bool all_is_read(void *ctx)
{
    return reader_has_all(ctx);
}

static void read_rows(struct run *run)
{
    struct reader reader;
    reader_open(&reader, run->feeder.client, run->test, run->result);
    run_until(run, all_is_read, &reader, "what came out cannot be read");
    reader_close(&reader);
}

/* ---- lives ----------------------------------------------------------------------------------------------------------------- */

static mill_app_progress progress_of(const struct run *run)
{
    mill_app_progress progress = { 0 };
    for (int i = 0; i < THREADS; i++)
        stream_thread_progress(run->process->threads[i], &progress);
    return progress;
}

static bool runs(void *ctx)
{
    const struct run *run = ctx;
    mill_app_progress progress = progress_of(run);
    return run->failed || run->image != NULL || (progress.tasks_running > 0 && progress.tasks_restoring == 0);
}

static bool has_ended(void *ctx)
{
    const struct run *run = ctx;
    return run->failed || run->image != NULL;
}

/* Until all is acknowledged and nothing has been processed for much longer than a record waits anywhere. */
static void run_until_quiet(struct run *run)
{
    int64_t processed = -1, since_us = 0, began_us = sim_world_now(run->world).monotonic_us;
    while (!run->failed) {
        sim_world_run(run->world, has_ended, run, LOOK_EVERY_US);
        mill_app_progress progress = progress_of(run);
        int64_t now_us = sim_world_now(run->world).monotonic_us;
        bool waits = !run->feeder.acknowledged || progress.tasks_restoring > 0 || progress.tasks_running == 0;
        if (progress.records_read != processed && since_us > 0 && now_us - since_us > STANDSTILL_US)
            fail_run(run, "it stood still while there were records to process");
        if (progress.records_read != processed || waits)
            since_us = now_us;
        processed = progress.records_read;
        if (now_us - since_us >= QUIET_US)
            return;
        if (now_us - began_us > LIFETIME_US)
            fail_run(run, "it does not come to its end");
    }
}

/* The power fails before one of the next writes to a store. */
static void before_disk_call(void *ctx, enum sim_disk_call call, const char *path)
{
    struct run *run = ctx;
    if (run->writes_until_image == 0 || strstr(path, "server/state/") == NULL || strstr(path, "data.mdb") == NULL)
        return;
    if (--run->writes_until_image == 0)
        run->image = sim_disk_after_power_cut(run->disk, below(run, UINT64_MAX));
}

static void end_in_flush(struct run *run)
{
    run->writes_until_image = 1 + below(run, 60);
    sim_disk_watch(run->disk, SIM_DISK_WRITE | SIM_DISK_SYNC, before_disk_call, run);
    sim_world_run(run->world, has_ended, run, 1000 + (int64_t)below(run, 30000));
    bool closed = run->image == NULL && !run->failed && close_process(run);
    run->writes_until_image = 0;
    sim_disk_watch(run->disk, SIM_DISK_WRITE, NULL, NULL);
    if (closed || run->failed)
        return; /* there were fewer writes than that */
    struct sim_disk *image = run->image;
    run->image = NULL;
    run->counts->endings[ENDING_IN_FLUSH]++;
    kill_process(run, image);
}

static bool commits(void *ctx)
{
    const struct run *run = ctx;
    for (int i = 0; i < THREADS; i++)
        if (run->process->threads[i]->commit != COMMIT_NONE)
            return true;
    return run->failed;
}

/* A moment of what is fed and processed; every other time one of a commit. */
static void run_to_the_end_of_life(struct run *run)
{
    sim_world_run(run->world, has_ended, run, (int64_t)below(run, 40000));
    if (below(run, 2) == 0 && sim_world_run(run->world, commits, run, 40000) == 0)
        for (uint64_t steps = below(run, 60); steps > 0 && !run->failed && commits(run); steps--)
            sim_world_step(run->world);
}

static void end_life(struct run *run, enum engine_ending ending)
{
    run_to_the_end_of_life(run);
    if (run->failed)
        return;
    run->counts->commits += (uint64_t)progress_of(run).commits;
    if (ending == ENDING_IN_FLUSH) {
        end_in_flush(run);
        return;
    }
    run->counts->endings[ending]++;
    if (ending == ENDING_KILLED) {
        kill_process(run, sim_disk_after_kill(run->disk));
    } else if (ending == ENDING_POWER_CUT) {
        kill_process(run, sim_disk_after_power_cut(run->disk, below(run, UINT64_MAX)));
    } else {
        close_process(run);
        if (ending == ENDING_STATE_LOST && !run->failed)
            must(disk_remove_tree(sim_disk_disk(run->disk), STATE) == 0, "state cannot be removed");
    }
}

static void feed_more(struct run *run, bool all)
{
    size_t before = run->feeder.wanted, left = run->test->event_count - before;
    feeder_send_until(&run->feeder, before + (all ? left : (size_t)below(run, left + 1)));
}

static void live(struct run *run)
{
    for (int i = 0; i < LIVES && !run->failed; i++) {
        start_process(run);
        bool is_last = i == LIVES - 1;
        if (is_last || below(run, 8) != 0) /* else its end finds it while it starts */
            run_until(run, runs, run, "it does not start to run");
        feed_more(run, is_last);
        enum engine_ending ending = (enum engine_ending)below(run, run->exactly_once ? ENDINGS : ENDING_KILLED);
        if (!is_last && !run->failed)
            end_life(run, ending);
    }
    if (run->failed)
        return;
    run_until_quiet(run);
    run->counts->commits += (uint64_t)progress_of(run).commits;
    if (!run->failed)
        read_rows(run);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static void set(struct run *run, const char *name, const char *value)
{
    must(config_set(&run->config, name, value) == 0, name);
}

static void configure(struct run *run)
{
    static const char *const CACHES[] = { "67108864", "67108864", "2000" }, *const COMMITS[] = { "1", "3", "10", "30" };
    run->exactly_once = below(run, 4) != 0;
    config_init(&run->config, &streams_config_table);
    set(run, "application.id", "app");
    set(run, "num.stream.threads", "2");
    set(run, "statestore.cache.max.bytes", CACHES[below(run, 3)]);
    set(run, "commit.interval.ms", COMMITS[below(run, 4)]);
    set(run, "session.timeout.ms", "6000");
    set(run, "auto.offset.reset", "earliest");
    if (run->exactly_once && planted_fault != PLANTED_TWICE)
        set(run, "processing.guarantee", "exactly_once_v2");
    planted_begin(below(run, UINT64_MAX), below(run, 3) * 100, run->exactly_once);
    run->counts->exactly_once += run->exactly_once;
}

int engine_run(const struct test_case *test, uint64_t seed, struct engine_counts *counts, struct result *result)
{
    struct run run = { .test = test, .counts = counts, .result = result };
    result_init(result, test->number);
    prng_init(&run.prng, seed);
    shared_buffer_keep(0);
    run.world = sim_world_new(seed);
    sim_world_watch(run.world, enter_memory_of, &run);
    run.disk = sim_world_new_disk(run.world);
    sim_lmdb_mount(ROOT, run.disk);
    must(disk_make_directories(sim_disk_disk(run.disk), ROOT) == 0, "no disk");
    configure(&run);
    feeder_open(&run.feeder, sim_world_add_loop(run.world, "feeder"), "server:9092", test, &run.prng, 0);
    live(&run);
    counts->virtual_ms += (uint64_t)sim_world_now(run.world).monotonic_us / 1000;
    stop_feeder(&run);
    planted_end();
    if (run.image != NULL)
        sim_disk_free(run.image);
    if (run.process != NULL)
        kill_process(&run, sim_disk_after_kill(run.disk));
    sim_lmdb_mount(ROOT, NULL);
    sim_disk_free(run.disk);
    config_release(&run.config);
    sim_world_free(run.world);
    return run.failed ? -1 : 0;
}
