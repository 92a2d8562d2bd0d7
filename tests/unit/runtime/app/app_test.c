/* Applications on a real loop, a real disk and the broker inside: starting, failing, stopping. */
#include "support/cmocka_all.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "millstream/app.h"
#include "millstream/stores.h"
#include "support/temp_dir.h"

struct fixture {
    struct temp_dir dir;
    mill_topology *topology;
    char error[512];
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .topology = mill_topology_new() };
    temp_dir_init(&f.dir);
    mill_topology_add_source(f.topology, "source", (const char *[]){ "in" }, 1, NULL);
    mill_topology_add_sink(f.topology, "sink", "out", NULL, (const char *[]){ "source" }, 1);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mill_topology_free(f->topology);
    temp_dir_release(&f->dir);
    return 0;
}

static mill_app *make_app(struct fixture *f)
{
    const char *const properties[] = { "application.id",          "copy",      "listeners",
                                       "PLAINTEXT://127.0.0.1:0", "state.dir", f->dir.path,
                                       "mill.trace.level",        "off",       NULL };
    mill_app *app = mill_app_new(f->topology, properties, f->error, sizeof f->error);
    assert_string_equal(f->error, "");
    assert_non_null(app);
    return app;
}

static void an_application_starts_with_its_broker_and_stops(void **state)
{
    struct fixture *f = *state;
    mill_app *app = make_app(f);
    assert_int_equal(mill_app_state_now(app), MILL_APP_CREATED);
    assert_int_equal(mill_app_start(app), 0);
    assert_int_equal(strncmp(mill_app_bootstrap_servers(app), "127.0.0.1:", 10), 0);
    assert_string_not_equal(mill_app_bootstrap_servers(app), "127.0.0.1:0");
    assert_int_equal(mill_app_close(app, 60000), 0);
    assert_int_equal(mill_app_state_now(app), MILL_APP_NOT_RUNNING);
    mill_app_free(app);
}

static void it_starts_again_where_it_was(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        mill_app *app = make_app(f);
        assert_int_equal(mill_app_start(app), 0);
        mill_app_free(app); /* closes by itself */
    }
}

static void a_second_copy_is_told_how_to_join(void **state)
{
    struct fixture *f = *state;
    mill_app *first = make_app(f);
    assert_int_equal(mill_app_start(first), 0);
    mill_app *second = make_app(f);
    assert_int_equal(mill_app_start(second), MILL_ELOCKED);
    char expected[64];
    snprintf(expected, sizeof expected, "-X bootstrap.servers=%s", mill_app_bootstrap_servers(first));
    assert_non_null(strstr(mill_app_error(second), expected));
    assert_int_equal(mill_app_state_now(second), MILL_APP_ERROR);
    mill_app_free(second);
    mill_app_free(first);
}

static void a_second_process_that_finds_the_port_taken_is_told_how_to_join(void **state)
{
    struct fixture *f = *state;
    mill_app *first = make_app(f);
    assert_int_equal(mill_app_start(first), 0);
    struct temp_dir other;
    temp_dir_init(&other);
    const char *const properties[] = { "application.id", "copy",     "listeners", mill_app_bootstrap_servers(first),
                                       "state.dir",      other.path, NULL };
    mill_app *second = mill_app_new(f->topology, properties, f->error, sizeof f->error);
    assert_non_null(second);
    assert_int_equal(mill_app_start(second), MILL_EADDRINUSE);
    char expected[64];
    snprintf(expected, sizeof expected, "-X bootstrap.servers=%s", mill_app_bootstrap_servers(first));
    assert_non_null(strstr(mill_app_error(second), expected));
    mill_app_free(second);
    mill_app_free(first);
    temp_dir_release(&other);
}

static void a_missing_application_id_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_null(mill_app_new(f->topology, NULL, f->error, sizeof f->error));
    assert_non_null(strstr(f->error, "application.id"));
}

static void an_application_id_that_is_a_path_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *const properties[] = { "application.id", "../x", "state.dir", f->dir.path, NULL };
    mill_app *app = mill_app_new(f->topology, properties, f->error, sizeof f->error);
    assert_non_null(app);
    assert_int_equal(mill_app_start(app), MILL_EINVALID);
    assert_non_null(strstr(mill_app_error(app), "application.id"));
    mill_app_free(app);
}

static void an_unknown_property_is_refused_with_the_nearest(void **state)
{
    struct fixture *f = *state;
    const char *const properties[] = { "application.id", "copy", "num.stream.thread", "2", NULL };
    assert_null(mill_app_new(f->topology, properties, f->error, sizeof f->error));
    assert_non_null(strstr(f->error, "num.stream.threads"));
}

static void an_unknown_broker_property_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *const properties[] = { "application.id", "copy", "broker.log.segment.byte", "2", NULL };
    assert_null(mill_app_new(f->topology, properties, f->error, sizeof f->error));
    assert_non_null(strstr(f->error, "log.segment.bytes"));
}

static void a_wrong_listener_is_refused_with_its_form(void **state)
{
    struct fixture *f = *state;
    const char *const properties[] = { "application.id", "copy", "listeners", "localhost", "state.dir", f->dir.path, NULL };
    mill_app *app = mill_app_new(f->topology, properties, f->error, sizeof f->error);
    assert_int_equal(mill_app_start(app), MILL_EINVALID);
    assert_non_null(strstr(mill_app_error(app), "PLAINTEXT://HOST:PORT"));
    mill_app_free(app);
}

static void closing_may_take_for_ever(void **state)
{
    struct fixture *f = *state;
    mill_app *app = make_app(f);
    assert_int_equal(mill_app_start(app), 0);
    assert_int_equal(mill_app_close(app, INT64_MAX), 0);
    mill_app_free(app);
}

static void a_wrong_property_of_a_client_is_refused_before_anything_starts(void **state)
{
    struct fixture *f = *state;
    const char *const properties[] = { "application.id",          "copy",      "listeners",
                                       "PLAINTEXT://127.0.0.1:0", "state.dir", f->dir.path,
                                       "producer.linger.mss",     "1",         NULL };
    assert_null(mill_app_new(f->topology, properties, f->error, sizeof f->error));
    assert_non_null(strstr(f->error, "producer.: "));
    assert_non_null(strstr(f->error, "linger.ms"));
}

/* ---- a stream thread that fails -------------------------------------------------------------------------------------------- */

static atomic_int failures_left;
static atomic_int failures_told;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static mill_app_state state_told;
static bool row_seen;

static int unready_init(mill_context *context, void *self, const void *argument)
{
    return atomic_fetch_sub(&failures_left, 1) > 0 ? mill_context_error(context, MILL_EUSER, "not yet") : 0;
}

static int pass_on(mill_context *context, void *self, const mill_record *record)
{
    return mill_forward(context, record);
}

static const mill_processor_type UNREADY = { .name = "unready", .init = unready_init, .process = pass_on };

static mill_thread_answer replace(void *ctx, int code, const char *text)
{
    if (code == MILL_EUSER && strstr(text, "operator unready: not yet"))
        atomic_fetch_add(&failures_told, 1);
    return MILL_THREAD_REPLACE;
}

static void note_state(void *ctx, mill_app_state now, mill_app_state before)
{
    pthread_mutex_lock(&mutex);
    state_told = now;
    pthread_cond_signal(&moved);
    pthread_mutex_unlock(&mutex);
}

static mill_app_state wait_for_an_end(void)
{
    pthread_mutex_lock(&mutex);
    while (state_told != MILL_APP_RUNNING && state_told != MILL_APP_ERROR)
        pthread_cond_wait(&moved, &mutex);
    mill_app_state state = state_told;
    pthread_mutex_unlock(&mutex);
    return state;
}

static mill_app *start_unready(struct fixture *f, int failures)
{
    mill_topology_add_processor(f->topology, "unready", (mill_processor_supplier){ &UNREADY }, (const char *[]){ "source" }, 1);
    mill_app *app = make_app(f);
    atomic_store(&failures_left, failures);
    atomic_store(&failures_told, 0);
    state_told = MILL_APP_CREATED;
    mill_app_on_state(app, note_state, NULL);
    return app;
}

static void a_thread_that_fails_is_replaced_when_the_handler_says_so(void **state)
{
    struct fixture *f = *state;
    mill_app *app = start_unready(f, 2);
    mill_app_on_thread_failure(app, replace, NULL);
    assert_int_equal(mill_app_start(app), 0);
    assert_int_equal(wait_for_an_end(), MILL_APP_RUNNING);
    assert_int_equal(atomic_load(&failures_told), 2);
    assert_int_equal(mill_app_close(app, 60000), 0);
    assert_string_equal(mill_app_error(app), "");
    mill_app_free(app);
}

static void without_a_handler_a_thread_that_fails_stops_the_program(void **state)
{
    struct fixture *f = *state;
    mill_app *app = start_unready(f, 1);
    assert_int_equal(mill_app_start(app), 0);
    assert_int_equal(wait_for_an_end(), MILL_APP_ERROR);
    assert_int_equal(mill_app_close(app, 60000), MILL_EUSER);
    assert_int_equal(mill_app_state_now(app), MILL_APP_ERROR);
    assert_non_null(strstr(mill_app_error(app), "not yet"));
    mill_app_free(app);
}

static mill_thread_answer stop_application(void *ctx, int code, const char *text)
{
    atomic_fetch_add(&failures_told, 1);
    return MILL_THREAD_STOP_APPLICATION;
}

static void a_thread_that_fails_stops_the_application_when_the_handler_says_so(void **state)
{
    struct fixture *f = *state;
    mill_app *app = start_unready(f, 1);
    mill_app_on_thread_failure(app, stop_application, NULL);
    assert_int_equal(mill_app_start(app), 0);
    assert_int_equal(wait_for_an_end(), MILL_APP_ERROR);
    assert_int_equal(atomic_load(&failures_told), 1);
    assert_non_null(strstr(mill_app_error(app), "not yet"));
    mill_app_free(app);
}

static void closing_while_a_thread_is_being_replaced_ends(void **state)
{
    struct fixture *f = *state;
    mill_app *app = start_unready(f, 1000000);
    mill_app_on_thread_failure(app, replace, NULL);
    assert_int_equal(mill_app_start(app), 0);
    assert_int_equal(mill_app_close(app, 60000), 0);
    mill_app_free(app);
}

/* Writes a row of the global table, until it is there. */
static int look_for_row(mill_context *context, void *self, int64_t timestamp_ms)
{
    mill_bytes value;
    int code = mill_key_value_get(mill_context_store(context, "rows"), mill_string("k"), &value, NULL);
    mill_record row = { .key = mill_string("k"), .value = mill_string("v"), .timestamp_ms = timestamp_ms };
    if (code != 1)
        return code < 0 ? code : mill_forward(context, &row);
    pthread_mutex_lock(&mutex);
    row_seen = true;
    pthread_cond_signal(&moved);
    pthread_mutex_unlock(&mutex);
    return 0;
}

static int unready_with_rows(mill_context *context, void *self, const void *argument)
{
    int code = unready_init(context, self, argument);
    if (code < 0)
        return code;
    return mill_context_schedule(context, 10, MILL_PUNCTUATE_WALL_CLOCK, look_for_row) ? 0 : MILL_ENOMEM;
}

static int keep_row(mill_context *context, void *self, const mill_record *record)
{
    return mill_key_value_put(mill_context_store(context, "rows"), record->key, record->value, record->timestamp_ms);
}

static void a_thread_that_is_replaced_goes_on_with_the_global_tables(void **state)
{
    static const mill_processor_type WITH_ROWS = { .name = "unready", .init = unready_with_rows, .process = pass_on };
    static const mill_processor_type KEEP = { .name = "keep", .process = keep_row };
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        struct fixture *f = *state;
        mill_store_builder *rows = mill_store_with_logging(mill_key_value_store("rows"), false);
        rows = in_memory ? mill_store_in_memory(rows) : rows;
        mill_topology_add_processor(f->topology, "unready", (mill_processor_supplier){ &WITH_ROWS }, (const char *[]){ "source" },
                                    1);
        mill_topology_add_sink(f->topology, "to-table", "table", NULL, (const char *[]){ "unready" }, 1);
        mill_topology_add_global_store(f->topology, rows, "table-source", "table", NULL, "keep",
                                       (mill_processor_supplier){ &KEEP });
        mill_app *app = make_app(f);
        atomic_store(&failures_left, 2);
        atomic_store(&failures_told, 0);
        row_seen = false;
        mill_app_on_thread_failure(app, replace, NULL);
        assert_int_equal(mill_app_start(app), 0);
        pthread_mutex_lock(&mutex);
        while (!row_seen)
            pthread_cond_wait(&moved, &mutex);
        pthread_mutex_unlock(&mutex);
        assert_int_equal(atomic_load(&failures_told), 2);
        assert_int_equal(mill_app_close(app, 60000), 0);
        assert_string_equal(mill_app_error(app), "");
        mill_app_free(app);
        tear_down(state);
        set_up(state);
    }
}

/* ---- times ----------------------------------------------------------------------------------------------------------------- */

/* Whoever waits for an end goes on. */
static void tell_an_end(void)
{
    pthread_mutex_lock(&mutex);
    state_told = MILL_APP_ERROR;
    pthread_cond_signal(&moved);
    pthread_mutex_unlock(&mutex);
}

static int forward_from_ahead(mill_context *context, void *self, int64_t timestamp_ms)
{
    mill_record record = { .key = mill_string("k"), .value = mill_string("v"), .timestamp_ms = timestamp_ms + 48 * 3600 * 1000 };
    int code = mill_forward(context, &record);
    tell_an_end();
    return code;
}

static int schedule_ahead(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, 10, MILL_PUNCTUATE_WALL_CLOCK, forward_from_ahead) ? 0 : MILL_ENOMEM;
}

/* Events may lie ahead of the clock, as where one that wrote a log was wrong. */
static void a_time_that_lies_days_ahead_stops_no_pipeline(void **state)
{
    struct fixture *f = *state;
    static const mill_processor_type AHEAD = { .name = "ahead", .init = schedule_ahead, .process = pass_on };
    mill_topology_add_processor(f->topology, "ahead", (mill_processor_supplier){ &AHEAD }, (const char *[]){ "source" }, 1);
    mill_topology_add_sink(f->topology, "from-ahead", "ahead", NULL, (const char *[]){ "ahead" }, 1);
    mill_app *app = make_app(f);
    state_told = MILL_APP_CREATED;
    assert_int_equal(mill_app_start(app), 0);
    wait_for_an_end();
    assert_int_equal(mill_app_close(app, 60000), 0);
    assert_string_equal(mill_app_error(app), "");
    mill_app_free(app);
}

/* ---- a commit that is larger than the producer's memory -------------------------------------------------------------------- */

enum { LARGE_VALUES = 3000, LARGE_BYTES = 1000 };

static int forward_large(void *ctx, const mill_record *update)
{
    return mill_forward(ctx, update);
}

/* Once. */
static int fill_large(mill_context *context, void *self, int64_t time_ms)
{
    static const uint8_t value[LARGE_BYTES] = { 0 };
    bool *filled = self;
    mill_store *store = mill_context_store(context, "large");
    int code = 0;
    for (int i = 0; code == 0 && !*filled && i < LARGE_VALUES; i++)
        code = mill_key_value_put(store, mill_bytes_of(&i, sizeof i), mill_bytes_of(value, sizeof value), time_ms);
    *filled = true;
    tell_an_end();
    return code;
}

static int init_large(mill_context *context, void *self, const void *argument)
{
    mill_store_on_flush(mill_context_store(context, "large"), forward_large, context);
    return mill_context_schedule(context, 10, MILL_PUNCTUATE_WALL_CLOCK, fill_large) ? 0 : MILL_ENOMEM;
}

static void a_commit_may_be_larger_than_the_producers_memory(void **state)
{
    struct fixture *f = *state;
    static const mill_processor_type LARGE = {
        .name = "large", .self_bytes = sizeof(bool), .init = init_large, .process = pass_on
    };
    const char *const properties[] = { "application.id",
                                       "large",
                                       "state.dir",
                                       f->dir.path,
                                       "mill.trace.level",
                                       "off",
                                       "listeners",
                                       "PLAINTEXT://127.0.0.1:0",
                                       "producer.buffer.memory",
                                       "262144",
                                       "producer.batch.size",
                                       "16384",
                                       NULL };
    mill_topology_add_processor(f->topology, "large", (mill_processor_supplier){ &LARGE }, (const char *[]){ "source" }, 1);
    mill_topology_add_store(f->topology, mill_store_with_caching(mill_key_value_store("large"), true),
                            (const char *[]){ "large" }, 1);
    mill_topology_add_sink(f->topology, "of-large", "large", NULL, (const char *[]){ "large" }, 1);
    mill_app *app = mill_app_new(f->topology, properties, f->error, sizeof f->error);
    assert_string_equal(f->error, "");
    state_told = MILL_APP_CREATED;
    assert_int_equal(mill_app_start(app), 0);
    wait_for_an_end();
    assert_int_equal(mill_app_close(app, 60000), 0); /* after the commit */
    assert_string_equal(mill_app_error(app), "");
    mill_app_free(app);
}

/* ---- the share of a task in the cache -------------------------------------------------------------------------------------- */

enum { CACHE_TASKS = 4, CACHE_BYTES = 4000000 };

/* Stores in memory that note what they may keep; under `mutex`. */
static struct noted_state {
    mill_task_state *state; /* NULL: free */
    size_t cache_bytes;
} noted[2 * CACHE_TASKS];
static bool may_trim; /* one was told that it is between two records */
static const mill_task_state_type *memory_type;
static const mill_task_state_ops *memory_ops;
static mill_task_state_ops noting_ops;

static void note_share(mill_task_state *state, mill_task_state *now, size_t cache_bytes)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < 2 * CACHE_TASKS; i++)
        if (noted[i].state == state) {
            noted[i] = (struct noted_state){ now, cache_bytes };
            break;
        }
    pthread_cond_signal(&moved);
    pthread_mutex_unlock(&mutex);
}

static void note_memory(mill_task_state *state, const mill_state_memory *memory)
{
    note_share(state, state, memory->cache_bytes);
}

static void note_trim(mill_task_state *state)
{
    pthread_mutex_lock(&mutex);
    may_trim = true;
    pthread_cond_signal(&moved);
    pthread_mutex_unlock(&mutex);
}

static void close_noted(mill_task_state *state, bool clean)
{
    note_share(state, NULL, 0);
    memory_ops->close(state, clean);
}

static int open_noted(const mill_task_state_type *type, const mill_task_state_options *options, mill_task_state **state)
{
    int code = memory_type->open(memory_type, options, state);
    if (code < 0)
        return code;
    pthread_mutex_lock(&mutex);
    if (memory_ops == NULL) {
        memory_ops = (*state)->ops;
        noting_ops = *memory_ops;
        noting_ops.close = close_noted;
        noting_ops.set_memory = note_memory;
        noting_ops.trim = note_trim;
    }
    pthread_mutex_unlock(&mutex);
    (*state)->ops = &noting_ops;
    note_share(NULL, *state, options->memory.cache_bytes);
    return 0;
}

static const mill_task_state_type NOTING_TYPE = { "noting", open_noted };

static bool all_have(size_t cache_bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < 2 * CACHE_TASKS; i++)
        if (noted[i].state != NULL && noted[i].cache_bytes == cache_bytes)
            count++;
        else if (noted[i].state != NULL)
            return false;
    return count == CACHE_TASKS;
}

static void wait_until_all_have(size_t cache_bytes)
{
    pthread_mutex_lock(&mutex);
    while (!all_have(cache_bytes))
        pthread_cond_wait(&moved, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_until_they_may_trim(void)
{
    pthread_mutex_lock(&mutex);
    while (!may_trim)
        pthread_cond_wait(&moved, &mutex);
    pthread_mutex_unlock(&mutex);
}

/* With the broker inside, or with the one at `servers`. */
static mill_app *start_noting(struct fixture *f, const char *servers, const char *directory)
{
    const char *const properties[] = { "application.id",
                                       "cached",
                                       "state.dir",
                                       directory,
                                       "mill.trace.level",
                                       "off",
                                       "statestore.cache.max.bytes",
                                       "4000000",
                                       servers ? "bootstrap.servers" : "listeners",
                                       servers ? servers : "PLAINTEXT://127.0.0.1:0",
                                       "broker.num.partitions",
                                       "4",
                                       NULL };
    mill_app *app = mill_app_new(f->topology, properties, f->error, sizeof f->error);
    assert_string_equal(f->error, "");
    assert_int_equal(mill_app_start(app), 0);
    return app;
}

static void the_tasks_of_a_thread_share_its_cache(void **state)
{
    struct fixture *f = *state;
    mill_store_builder *builder = mill_store_in_memory(mill_key_value_store("seen"));
    memory_type = builder->task_state;
    builder->task_state = &NOTING_TYPE;
    static const mill_processor_type PASS = { .name = "pass", .process = pass_on };
    mill_topology_add_processor(f->topology, "pass", (mill_processor_supplier){ &PASS }, (const char *[]){ "source" }, 1);
    mill_topology_add_store(f->topology, builder, (const char *[]){ "pass" }, 1);
    struct temp_dir other;
    temp_dir_init(&other);
    mill_app *first = start_noting(f, NULL, f->dir.path);
    wait_until_all_have(CACHE_BYTES / 4);
    mill_app *second = start_noting(f, mill_app_bootstrap_servers(first), other.path);
    wait_until_all_have(CACHE_BYTES / 2);
    mill_app_free(second);
    wait_until_all_have(CACHE_BYTES / 4);
    wait_until_they_may_trim();
    mill_app_free(first);
    temp_dir_release(&other);
}

static void an_application_that_never_started_can_be_freed(void **state)
{
    struct fixture *f = *state;
    mill_app_free(make_app(f));
    mill_app_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_application_starts_with_its_broker_and_stops),
        TEST(it_starts_again_where_it_was),
        TEST(a_second_copy_is_told_how_to_join),
        TEST(a_second_process_that_finds_the_port_taken_is_told_how_to_join),
        TEST(a_missing_application_id_is_refused),
        TEST(an_application_id_that_is_a_path_is_refused),
        TEST(an_unknown_property_is_refused_with_the_nearest),
        TEST(an_unknown_broker_property_is_refused),
        TEST(a_wrong_listener_is_refused_with_its_form),
        TEST(closing_may_take_for_ever),
        TEST(a_wrong_property_of_a_client_is_refused_before_anything_starts),
        TEST(a_thread_that_fails_is_replaced_when_the_handler_says_so),
        TEST(a_thread_that_fails_stops_the_application_when_the_handler_says_so),
        TEST(without_a_handler_a_thread_that_fails_stops_the_program),
        TEST(closing_while_a_thread_is_being_replaced_ends),
        TEST(a_thread_that_is_replaced_goes_on_with_the_global_tables),
        TEST(a_time_that_lies_days_ahead_stops_no_pipeline),
        TEST(a_commit_may_be_larger_than_the_producers_memory),
        TEST(the_tasks_of_a_thread_share_its_cache),
        TEST(an_application_that_never_started_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
