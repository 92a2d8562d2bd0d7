/*
 * An application: composes topology, state directory, broker (if inside) and stream threads.
 *
 * Each stream thread has a loop and a thread of its own; what it tells (states, errors, restore progress) arrives on that thread
 * and is gathered here under one mutex, which is never held while a listener runs. A thread that fails stops them all, or is
 * replaced: its stream thread closes, and its loop makes another one.
 */
#include "millstream/app.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/app_internal.h"
#include "app/broker_host.h"
#include "app/global_host.h"
#include "app/local_connector.h"
#include "app/loop_thread.h"
#include "app/state_directory.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/config.h"
#include "task/streams_config.h"
#include "topology/topology.h"
#include "worker/client_properties.h"
#include "worker/drops.h"
#include "worker/queries.h"
#include "worker/stream_thread.h"

enum { SYNC_THREADS = 2, READ_THREADS = 4, BACKGROUND_THREADS = 1, ADDRESS_BYTES = 300 };

struct app_thread {
    mill_app *app;
    struct loop_thread loop_thread;
    struct stream_thread *stream;
    struct stream_thread *visible; /* `stream`, for other threads; under app->mutex, as is the next */
    mill_app_progress last;        /* of a stream thread that has ended, with what it skipped */
    mill_drops last_drops[MILL_DROP_REASONS_MAX];
    size_t last_drop_count;
    mill_app_progress replaced; /* of those before `stream`, as far as it adds up */
    bool replacing;             /* the thread's own: `stream` has failed, another one follows */
    struct stream_thread_options options;
    enum stream_thread_state state; /* under app->mutex */
    atomic_bool close_asked;
    bool begun; /* stream_thread_start was called */
};

struct mill_app {
    mill_topology *topology;
    struct config config;
    struct config broker_config;
    struct state_directory directory;
    struct work_threads *work;
    struct broker_host *broker;
    struct local_connector connector;
    char bootstrap_servers[ADDRESS_BYTES];
    bool embedded;

    struct global_host globals;
    struct app_thread *threads;
    size_t thread_count;
    atomic_size_t thread_started;

    struct loop *control; /* run by whoever waits in close */
    struct loop_wakeup changed;

    pthread_mutex_t mutex;
    mill_app_state state;
    bool failed;
    int failed_code; /* with `error`: of what failed first */
    struct error_text error;
    struct error_text waiting; /* what closing waits for, as the last thread has told */

    void (*on_state)(void *ctx, mill_app_state now, mill_app_state before);
    void *on_state_ctx;
    void (*on_restore)(void *ctx, const mill_restore_progress *progress);
    void *on_restore_ctx;
    mill_thread_answer (*on_thread_failure)(void *ctx, int code, const char *text);
    void *on_thread_failure_ctx;
};

/* ---- states ---------------------------------------------------------------------------------------------------------------- */

const char *mill_app_state_name(mill_app_state state)
{
    static const char *const NAMES[] = { "CREATED",     "REBALANCING",   "RUNNING", "PENDING_SHUTDOWN",
                                         "NOT_RUNNING", "PENDING_ERROR", "ERROR" };
    return (size_t)state < sizeof NAMES / sizeof NAMES[0] ? NAMES[state] : "UNKNOWN";
}

/* What the threads together amount to. The mutex is held. */
static mill_app_state gather_state(const mill_app *app)
{
    size_t running = 0;
    size_t closed = 0;
    size_t closing = 0;
    for (size_t i = 0; i < app->thread_count; i++) {
        enum stream_thread_state state = app->threads[i].state;
        running += state == STREAM_THREAD_RUNNING;
        closed += state == STREAM_THREAD_CLOSED;
        closing += state == STREAM_THREAD_CLOSING || state == STREAM_THREAD_FAILED;
    }
    if (closed == app->thread_count && !global_host_closed(&app->globals))
        return app->failed ? MILL_APP_PENDING_ERROR : MILL_APP_PENDING_SHUTDOWN;
    if (closed == app->thread_count)
        return app->failed ? MILL_APP_ERROR : MILL_APP_NOT_RUNNING;
    if (app->failed)
        return MILL_APP_PENDING_ERROR;
    if (closed + closing > 0)
        return MILL_APP_PENDING_SHUTDOWN;
    return running == app->thread_count ? MILL_APP_RUNNING : MILL_APP_REBALANCING;
}

static void update_state(mill_app *app)
{
    pthread_mutex_lock(&app->mutex);
    mill_app_state before = app->state;
    mill_app_state now = gather_state(app);
    app->state = now;
    pthread_mutex_unlock(&app->mutex);
    if (now == before)
        return;
    trace_info("streams", "%s: %s -> %s", config_string(&app->config, "application.id"), mill_app_state_name(before),
               mill_app_state_name(now));
    if (app->on_state != NULL)
        app->on_state(app->on_state_ctx, now, before);
    loop_wakeup_signal(&app->changed);
}

/* The text of the first failure stays. */
static void note_failure(mill_app *app, int code, const char *text)
{
    pthread_mutex_lock(&app->mutex);
    if (!app->failed)
        app->failed_code = error_set(&app->error, code, "%s", text);
    app->failed = true;
    pthread_mutex_unlock(&app->mutex);
}

static bool has_failed(mill_app *app)
{
    pthread_mutex_lock(&app->mutex);
    bool failed = app->failed;
    pthread_mutex_unlock(&app->mutex);
    return failed;
}

/* Those that were started; who starts more looks for failures afterwards. */
static void ask_all_to_close(mill_app *app)
{
    for (size_t i = 0; i < app->thread_started; i++) {
        atomic_store(&app->threads[i].close_asked, true);
        loop_thread_wake(&app->threads[i].loop_thread);
    }
    if (app->thread_started == 0)
        global_host_close(&app->globals);
}

static bool all_streams_closed(mill_app *app)
{
    size_t closed = 0;
    pthread_mutex_lock(&app->mutex);
    for (size_t i = 0; i < app->thread_count; i++)
        closed += app->threads[i].state == STREAM_THREAD_CLOSED;
    pthread_mutex_unlock(&app->mutex);
    return closed == app->thread_count;
}

static void thread_state(void *ctx, enum stream_thread_state now, enum stream_thread_state before)
{
    struct app_thread *thread = ctx;
    pthread_mutex_lock(&thread->app->mutex);
    thread->state = thread->replacing ? STREAM_THREAD_REBALANCING : now;
    pthread_mutex_unlock(&thread->app->mutex);
    if (now == STREAM_THREAD_CLOSED && all_streams_closed(thread->app))
        global_host_close(&thread->app->globals);
    update_state(thread->app);
}

static mill_thread_answer ask_what_now(struct app_thread *thread, int code, const char *text)
{
    const mill_app *app = thread->app;
    if (app->on_thread_failure == NULL || atomic_load(&thread->close_asked))
        return MILL_THREAD_STOP_PROGRAM;
    return app->on_thread_failure(app->on_thread_failure_ctx, code, text);
}

static void thread_failed(void *ctx, int code, const char *text)
{
    struct app_thread *thread = ctx;
    mill_app *app = thread->app;
    if (thread->replacing)
        return; /* one on its way out may say more */
    mill_thread_answer answer = ask_what_now(thread, code, text);
    if (answer == MILL_THREAD_REPLACE) {
        thread->replacing = true;
        loop_thread_wake(&thread->loop_thread);
        return;
    }
    note_failure(app, code, text);
    if (answer == MILL_THREAD_STOP_APPLICATION)
        stream_thread_stop_application(thread->stream); /* `thread_stopped` follows */
    else
        ask_all_to_close(app);
}

static void thread_stopped(void *ctx, const char *text)
{
    mill_app *app = ((struct app_thread *)ctx)->app;
    note_failure(app, MILL_ECLOSED, text);
    ask_all_to_close(app);
}

static void thread_restoring(void *ctx, const mill_restore_progress *progress)
{
    mill_app *app = ((struct app_thread *)ctx)->app;
    if (app->on_restore != NULL)
        app->on_restore(app->on_restore_ctx, progress);
}

static void thread_waiting(void *ctx, const char *text)
{
    const struct app_thread *thread = ctx;
    if (thread->replacing)
        return;
    pthread_mutex_lock(&thread->app->mutex);
    snprintf(thread->app->waiting.text, sizeof thread->app->waiting.text, "%s", text);
    pthread_mutex_unlock(&thread->app->mutex);
    loop_wakeup_signal(&thread->app->changed);
}

static void thread_closed(void *ctx)
{
    struct app_thread *thread = ctx;
    if (thread->replacing)
        loop_thread_wake(&thread->loop_thread);
    else
        loop_stop(thread->loop_thread.loop);
}

static const struct stream_thread_events THREAD_EVENTS = { .state = thread_state,
                                                           .failed = thread_failed,
                                                           .restoring = thread_restoring,
                                                           .stopped = thread_stopped,
                                                           .waiting = thread_waiting,
                                                           .closed = thread_closed };

/* ---- a stream thread's thread ---------------------------------------------------------------------------------------------- */

/* Once the global stores have what was there at the start. */
static void begin(struct app_thread *thread, struct io_time now)
{
    if (thread->begun || !global_host_filled(&thread->app->globals))
        return;
    thread->begun = true;
    stream_thread_start(thread->stream, now);
}

static void thread_started(void *ctx, struct io_time now)
{
    struct app_thread *thread = ctx;
    struct error_text error = { "" };
    thread->options.loop = thread->loop_thread.loop;
    thread->stream = stream_thread_new(&thread->options, &THREAD_EVENTS, thread, &error);
    if (thread->stream == NULL) { /* another one would fail alike */
        note_failure(thread->app, MILL_EINVALID, error.text);
        ask_all_to_close(thread->app);
        thread_state(thread, STREAM_THREAD_CLOSED, STREAM_THREAD_CREATED);
        loop_stop(thread->loop_thread.loop);
        return;
    }
    pthread_mutex_lock(&thread->app->mutex);
    thread->visible = thread->stream;
    pthread_mutex_unlock(&thread->app->mutex);
    begin(thread, now);
}

static void replace_stream(struct app_thread *thread, struct io_time now)
{
    mill_app_progress before = { 0 };
    stream_thread_progress(thread->stream, &before);
    pthread_mutex_lock(&thread->app->mutex);
    thread->visible = NULL;
    thread->replaced.records_read += before.records_read;
    thread->replaced.commits += before.commits;
    pthread_mutex_unlock(&thread->app->mutex);
    stream_thread_free(thread->stream);
    thread->stream = NULL;
    thread->replacing = false;
    thread->begun = false;
    if (!atomic_load(&thread->close_asked)) {
        thread_started(thread, now);
        return;
    }
    thread_state(thread, STREAM_THREAD_CLOSED, STREAM_THREAD_REBALANCING);
    loop_stop(thread->loop_thread.loop);
}

static void thread_woken(void *ctx, struct io_time now)
{
    struct app_thread *thread = ctx;
    if (thread->stream == NULL)
        return;
    if (thread->replacing) {
        if (stream_thread_is_closed(thread->stream))
            replace_stream(thread, now);
        else
            stream_thread_close(thread->stream, now);
        return;
    }
    if (atomic_load(&thread->close_asked))
        stream_thread_close(thread->stream, now);
    else
        begin(thread, now);
    if (thread->begun)
        stream_thread_look_at_queries(thread->stream);
}

static void thread_ended(void *ctx)
{
    struct app_thread *thread = ctx;
    pthread_mutex_lock(&thread->app->mutex);
    if (thread->stream != NULL) {
        stream_thread_progress(thread->stream, &thread->last);
        thread->last_drop_count = stream_thread_drops(thread->stream, thread->last_drops, 0);
    }
    thread->visible = NULL;
    pthread_mutex_unlock(&thread->app->mutex);
    stream_thread_free(thread->stream);
}

static const struct loop_thread_events LOOP_EVENTS = { thread_started, thread_woken, thread_ended };

/* ---- the thread of the global stores --------------------------------------------------------------------------------------- */

static void globals_filled(void *ctx)
{
    mill_app *app = ctx;
    for (size_t i = 0; i < app->thread_started; i++)
        loop_thread_wake(&app->threads[i].loop_thread);
}

static void globals_failed(void *ctx, int code, const char *text)
{
    note_failure(ctx, code, text);
    ask_all_to_close(ctx);
}

static void globals_restoring(void *ctx, const mill_restore_progress *progress)
{
    mill_app *app = ctx;
    if (app->on_restore != NULL)
        app->on_restore(app->on_restore_ctx, progress);
}

static void globals_closed(void *ctx)
{
    update_state(ctx);
}

static const struct global_host_events GLOBAL_EVENTS = { globals_filled, globals_failed, globals_restoring, globals_closed };

static int start_globals(mill_app *app, struct error_text *error)
{
    struct global_thread_options options = { .topology = app->topology,
                                             .config = &app->config,
                                             .bootstrap_servers = app->embedded ? "" : app->bootstrap_servers,
                                             .state_directory = app->directory.application,
                                             .disk = uv_disk(),
                                             .connector = app->embedded ? &app->connector.base : NULL,
                                             .embedded = app->embedded };
    return global_host_start(&app->globals, &options, app->thread_count, app->work, &GLOBAL_EVENTS, app, error);
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static int set_broker_config(mill_app *app, struct error_text *error)
{
    static const char PREFIX[] = "broker.";
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&app->config.values, &at)) != NULL) {
        char name[256];
        size_t prefix = sizeof PREFIX - 1;
        if (entry->key.len <= prefix || memcmp(entry->key.data, PREFIX, prefix) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(entry->key.len - prefix), (const char *)entry->key.data + prefix);
        int code = config_set(&app->broker_config, name, entry->value);
        if (code < 0)
            return error_set(error, code, "broker.: %s", app->broker_config.error.text);
    }
    return 0;
}

static void on_changed(struct loop_wakeup *wakeup, struct io_time now)
{
    loop_stop(wakeup->loop);
}

static int make_app(mill_app *app, mill_topology *topology, const char *const *properties, struct error_text *error)
{
    app->topology = topology;
    config_init(&app->config, &streams_config_table);
    config_init(&app->broker_config, broker_config_table());
    pthread_mutex_init(&app->mutex, NULL);
    int code = streams_config_set_all(&app->config, properties);
    if (code < 0)
        return error_set(error, code, "%s", app->config.error.text);
    mill_reset_policy reset;
    int64_t duration_ms;
    code = streams_config_reset(&app->config, &reset, &duration_ms);
    if (code < 0)
        return error_set(error, code, "%s", app->config.error.text);
    code = client_properties_check(&app->config, error);
    if (code < 0)
        return code;
    if (config_get_set(&app->config, "application.id") == NULL)
        return error_set(error, MILL_EINVALID, "application.id is not set; it names the group, the topics and the state");
    if (config_get_set(&app->config, "topology.optimization") != NULL)
        mill_topology_optimize(topology, config_string(&app->config, "topology.optimization"));
    if (config_bool(&app->config, "ensure.explicit.internal.resource.naming"))
        mill_topology_require_names(topology, true);
    code = topology_build(topology);
    if (code < 0)
        return error_set(error, code, "topology: %s", mill_topology_error(topology));
    /* Times are those of events: one that lies ahead must not stop the pipeline whose results have it. */
    code = config_set(&app->broker_config, "log.message.timestamp.after.max.ms", "9223372036854775807");
    if (code == 0)
        code = set_broker_config(app, error);
    if (code < 0)
        return code;
    const char *servers = config_get_set(&app->config, "bootstrap.servers");
    app->embedded = servers == NULL;
    if (servers && config_get_set(&app->config, "listeners"))
        trace_warn("app", "listeners is without effect, for bootstrap.servers is set: the brokers are those at %s", servers);
    app->thread_count = (size_t)config_int(&app->config, "num.stream.threads");
    app->threads = mem_calloc(app->thread_count, sizeof *app->threads);
    app->control = uv_loop_new_with(NULL);
    if (app->threads == NULL || app->control == NULL)
        return error_set(error, MILL_ENOMEM, "no memory for the application");
    app->changed = (struct loop_wakeup){ .woken = on_changed, .ctx = app };
    code = loop_wakeup_open(app->control, &app->changed);
    return code < 0 ? error_set(error, code, "no descriptors for the application: %s", mill_error_text(code)) : 0;
}

mill_app *mill_app_new(mill_topology *topology, const char *const *properties, char *error, size_t error_size)
{
    struct error_text text = { "" };
    mill_app *app = mem_calloc(1, sizeof *app);
    int code = app ? make_app(app, topology, properties, &text) : error_set(&text, MILL_ENOMEM, "no memory for the application");
    if (error != NULL && error_size > 0)
        snprintf(error, error_size, "%s", text.text);
    if (code == 0)
        return app;
    mill_app_free(app);
    return NULL;
}

/* ---- starting -------------------------------------------------------------------------------------------------------------- */

static int random_bytes(void *into, size_t len)
{
    struct loop *loop = uv_loop_new_with(NULL);
    int code = loop ? loop_random(loop, into, len) : MILL_ENOMEM;
    uv_loop_free(loop);
    return code;
}

static void address_path(const struct state_directory *directory, char path[STATE_PATH_BYTES + 32])
{
    snprintf(path, STATE_PATH_BYTES + 32, "%s/bootstrap.servers", directory->root);
}

/* For a second copy, which cannot have this directory: the command that makes it a member of the same group. */
static int explain_lock(mill_app *app, struct error_text *error)
{
    char path[STATE_PATH_BYTES + 32];
    char *address = NULL;
    size_t len = 0;
    address_path(&app->directory, path);
    if (!app->embedded || disk_read_file(uv_disk(), path, 256, &address, &len) < 0)
        address = NULL;
    const char *servers = app->embedded ? address : config_get_set(&app->config, "bootstrap.servers");
    char held[ERROR_TEXT_BYTES];
    snprintf(held, sizeof held, "%s", error->text);
    error_set(error, MILL_ELOCKED,
              "%.200s. To run one more member of its group, give it the broker and a directory of its own:\n"
              "  -X bootstrap.servers=%s -X state.dir=%.150s-2",
              held, servers ? servers : "HOST:PORT", app->directory.root);
    mem_free(address);
    return MILL_ELOCKED;
}

/* What listens there may be the broker of another process of this application, which this one can join. */
static void explain_address(const char *host, int port, struct error_text *error)
{
    char address[IO_HOST_PORT_BYTES];
    char held[ERROR_TEXT_BYTES];
    bool every = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    io_write_host_port(address, every ? "localhost" : host, port);
    snprintf(held, sizeof held, "%s", error->text);
    error_set(error, MILL_EADDRINUSE,
              "%.300s. If that is another process of this application, this one becomes a member of its group with\n"
              "  -X bootstrap.servers=%s",
              held, address);
}

static int start_broker(mill_app *app, struct error_text *error)
{
    char host[256];
    int port;
    int code = broker_host_parse_listener(config_string(&app->config, "listeners"), host, sizeof host, &port, error);
    if (code < 0)
        return error_prefix(error, code, "listeners");
    struct broker_host_options options = { .disk = uv_disk(),
                                           .work = app->work,
                                           .data_directory = app->directory.broker,
                                           .host = host,
                                           .port = port,
                                           .config = &app->broker_config };
    code = broker_host_start(&options, &app->broker, error);
    if (code == MILL_EADDRINUSE)
        explain_address(host, port, error);
    if (code < 0)
        return code;
    char address[IO_HOST_PORT_BYTES];
    io_write_host_port(address, host, broker_host_port(app->broker));
    snprintf(app->bootstrap_servers, sizeof app->bootstrap_servers, "%s", address);
    local_connector_init(&app->connector, broker_host_broker(app->broker));
    char path[STATE_PATH_BYTES + 32];
    address_path(&app->directory, path);
    code = disk_replace_file(uv_disk(), path, app->bootstrap_servers, strlen(app->bootstrap_servers));
    return code < 0 ? error_set(error, code, "%s cannot be written: %s", path, mill_error_text(code)) : 0;
}

static int start_thread(mill_app *app, size_t i)
{
    struct app_thread *thread = &app->threads[i];
    char name[32];
    snprintf(name, sizeof name, "stream-%d", (int)i + 1);
    thread->app = app;
    thread->options = (struct stream_thread_options){
        .topology = app->topology,
        .config = &app->config,
        .bootstrap_servers = app->embedded ? "" : app->bootstrap_servers,
        .state_directory = app->directory.application,
        .number = (int)i + 1,
        .disk = uv_disk(),
        .connector = app->embedded ? &app->connector.base : NULL,
        .embedded = app->embedded,
        .globals = global_host_reader(&app->globals, i),
    };
    memcpy(thread->options.process_id, app->directory.process_id, PROCESS_ID_BYTES);
    return loop_thread_start(&thread->loop_thread, name, app->work, &LOOP_EVENTS, thread);
}

static int start(mill_app *app, struct error_text *error)
{
    int code = state_directory_open(&app->directory, uv_disk(), &app->config, random_bytes, error);
    if (code == MILL_ELOCKED)
        return explain_lock(app, error);
    if (code < 0)
        return code;
    app->work = work_threads_new(SYNC_THREADS, READ_THREADS, BACKGROUND_THREADS);
    if (app->work == NULL)
        return error_set(error, MILL_ENOMEM, "worker threads cannot be started");
    if (app->embedded)
        code = start_broker(app, error);
    else
        snprintf(app->bootstrap_servers, sizeof app->bootstrap_servers, "%s", config_get_set(&app->config, "bootstrap.servers"));
    if (code == 0)
        code = start_globals(app, error);
    for (size_t i = 0; code == 0 && i < app->thread_count; i++) {
        code = start_thread(app, i);
        if (code == 0)
            app->thread_started++;
        else
            error_set(error, code, "stream thread %zu cannot be started: %s", i + 1, mill_error_text(code));
    }
    if (global_host_filled(&app->globals))
        globals_filled(app); /* for those that were not there yet */
    if (has_failed(app))
        ask_all_to_close(app);
    return code;
}

int mill_app_start(mill_app *app)
{
    struct error_text error = { "" };
    int code = start(app, &error);
    if (code == 0)
        return 0;
    note_failure(app, code, error.text);
    pthread_mutex_lock(&app->mutex);
    for (size_t i = app->thread_started; i < app->thread_count; i++)
        app->threads[i].state = STREAM_THREAD_CLOSED;
    pthread_mutex_unlock(&app->mutex);
    ask_all_to_close(app);
    update_state(app);
    return code;
}

/* ---- queries --------------------------------------------------------------------------------------------------------------- */

bool app_has_store(const mill_app *app, const char *store)
{
    return topology_find_store(app->topology, store) != NULL;
}

size_t app_thread_count(const mill_app *app)
{
    return app->thread_count;
}

int app_ask(mill_app *app, size_t i, struct store_query *query)
{
    struct app_thread *thread = &app->threads[i];
    pthread_mutex_lock(&app->mutex);
    bool over = app->state > MILL_APP_RUNNING;
    int code = over ? MILL_ECLOSED : app->state < MILL_APP_RUNNING || thread->visible == NULL ? MILL_EAGAIN : 0;
    if (code == 0)
        code = stream_thread_ask(thread->visible, query);
    if (code == 0)
        loop_thread_wake(&thread->loop_thread); /* under the mutex: its loop ends only after `visible` is gone */
    pthread_mutex_unlock(&app->mutex);
    return code;
}

/* ---- stopping -------------------------------------------------------------------------------------------------------------- */

static bool is_over(mill_app *app)
{
    mill_app_state state = mill_app_state_now(app);
    return state == MILL_APP_NOT_RUNNING || state == MILL_APP_ERROR || app->thread_started == 0;
}

size_t mill_app_waits_for(const mill_app *app, char *text, size_t size)
{
    mill_app *unconst = (mill_app *)app;
    pthread_mutex_lock(&unconst->mutex);
    bool over = app->state == MILL_APP_NOT_RUNNING || app->state == MILL_APP_ERROR;
    size_t len = (size_t)snprintf(text, size, "%s", over ? "" : app->waiting.text);
    pthread_mutex_unlock(&unconst->mutex);
    return len;
}

void app_wait(mill_app *app, const atomic_bool *until)
{
    while (!atomic_load(until) && !is_over(app))
        loop_run(app->control, NULL); /* returns at every change */
}

void app_wake(mill_app *app)
{
    loop_wakeup_signal(&app->changed);
}

struct deadline {
    struct loop_timer timer;
    mill_app *app;
    atomic_bool passed;
};

static void deadline_passed(struct loop_timer *timer, struct io_time now)
{
    struct deadline *deadline = timer->ctx;
    atomic_store(&deadline->passed, true);
    loop_stop(deadline->app->control);
}

int mill_app_close(mill_app *app, int64_t timeout_ms)
{
    struct deadline deadline = { .app = app };
    deadline.timer = (struct loop_timer){ .fire = deadline_passed, .ctx = &deadline };
    ask_all_to_close(app);
    if (timeout_ms < INT64_MAX / 4000) /* longer is for ever */
        loop_timer_set(app->control, &deadline.timer, loop_now(app->control).monotonic_us + timeout_ms * 1000);
    app_wait(app, &deadline.passed);
    loop_timer_cancel(app->control, &deadline.timer);
    if (!is_over(app))
        return MILL_ETIMEOUT;
    return has_failed(app) ? app->failed_code : 0;
}

void mill_app_free(mill_app *app)
{
    if (app == NULL)
        return;
    ask_all_to_close(app);
    for (size_t i = 0; i < app->thread_started; i++)
        loop_thread_join(&app->threads[i].loop_thread);
    global_host_free(&app->globals);
    broker_host_stop(app->broker);
    work_threads_free(app->work);
    state_directory_close(&app->directory);
    if (app->control != NULL) {
        loop_wakeup_close(&app->changed);
        uv_loop_free(app->control);
    }
    config_release(&app->broker_config);
    config_release(&app->config);
    pthread_mutex_destroy(&app->mutex);
    mem_free(app->threads);
    mem_free(app);
}

/* ---- asking ---------------------------------------------------------------------------------------------------------------- */

mill_app_state mill_app_state_now(const mill_app *app)
{
    mill_app *unconst = (mill_app *)app;
    pthread_mutex_lock(&unconst->mutex);
    mill_app_state state = app->state;
    pthread_mutex_unlock(&unconst->mutex);
    return state;
}

/* The text is written once, before `failed` is set, and never changed. */
const char *mill_app_error(const mill_app *app)
{
    mill_app *unconst = (mill_app *)app;
    pthread_mutex_lock(&unconst->mutex);
    const char *text = app->failed ? app->error.text : "";
    pthread_mutex_unlock(&unconst->mutex);
    return text;
}

const char *mill_app_bootstrap_servers(const mill_app *app)
{
    return app->bootstrap_servers;
}

void mill_app_on_state(mill_app *app, void (*changed)(void *ctx, mill_app_state now, mill_app_state before), void *ctx)
{
    app->on_state = changed;
    app->on_state_ctx = ctx;
}

void mill_app_on_thread_failure(mill_app *app, mill_thread_answer (*failed)(void *ctx, int code, const char *text), void *ctx)
{
    app->on_thread_failure = failed;
    app->on_thread_failure_ctx = ctx;
}

void mill_app_on_restore(mill_app *app, void (*progress)(void *ctx, const mill_restore_progress *progress), void *ctx)
{
    app->on_restore = progress;
    app->on_restore_ctx = ctx;
}

static void add_progress(mill_app_progress *sum, const mill_app_progress *more)
{
    sum->records_read += more->records_read;
    sum->records_late += more->records_late;
    sum->records_dropped += more->records_dropped;
    sum->lag += more->lag;
    sum->commits += more->commits;
}

void mill_app_progress_now(const mill_app *app, mill_app_progress *progress)
{
    mill_app *unconst = (mill_app *)app;
    *progress = (mill_app_progress){ 0 };
    pthread_mutex_lock(&unconst->mutex);
    for (size_t i = 0; i < app->thread_started; i++) {
        const struct app_thread *thread = &app->threads[i];
        add_progress(progress, &thread->replaced);
        if (thread->visible != NULL)
            stream_thread_progress(thread->visible, progress);
        else
            add_progress(progress, &thread->last);
    }
    pthread_mutex_unlock(&unconst->mutex);
}

static int by_frequency(const void *a, const void *b)
{
    const mill_drops *x = a;
    const mill_drops *y = b;
    return x->records != y->records ? (x->records < y->records) - (x->records > y->records) : strcmp(x->reason, y->reason);
}

size_t mill_app_drops(const mill_app *app, mill_drops *drops, size_t max)
{
    mill_app *unconst = (mill_app *)app;
    mill_drops all[MILL_DROP_REASONS_MAX];
    size_t count = 0;
    pthread_mutex_lock(&unconst->mutex);
    for (size_t i = 0; i < app->thread_started; i++) {
        const struct app_thread *thread = &app->threads[i];
        if (thread->visible != NULL)
            count = stream_thread_drops(thread->visible, all, count);
        for (size_t d = 0; thread->visible == NULL && d < thread->last_drop_count; d++)
            count = drops_merge(all, count, &thread->last_drops[d]);
    }
    pthread_mutex_unlock(&unconst->mutex);
    qsort(all, count, sizeof *all, by_frequency);
    if (count > 0)
        memcpy(drops, all, (count < max ? count : max) * sizeof *all);
    return count;
}
