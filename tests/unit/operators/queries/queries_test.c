/* Interactive queries of a running application: stores that a punctuator fills, asked from the test's own thread. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "io/io.h"
#include "millstream/millstream.h"
#include "millstream/queries.h"
#include "support/temp_dir.h"

enum { KEYS = 2500, WINDOW_MS = 100, WINDOWS = 30, RETENTION_MS = 1000000 };

/* ---- what fills the stores ------------------------------------------------------------------------------------------------- */

static void key_text(int i, char text[16])
{
    snprintf(text, 16, "key-%05d", i);
}

static int fill_key_values(mill_store *store, int32_t partition)
{
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        key_text(i, key);
        int code = mill_key_value_put(store, mill_string(key), mill_bytes_of(&partition, sizeof partition), i);
        if (code < 0)
            return code;
    }
    return 0;
}

/* Each window start has 50 keys, so that slices end between equal starts. */
static int fill_windows(mill_store *store)
{
    for (int i = 0; i < WINDOWS * 50; i++) {
        char key[16];
        key_text(i % 50, key);
        int code = mill_window_put(store, mill_string(key), i / 50 * WINDOW_MS, mill_string("w"), i);
        if (code < 0)
            return code;
    }
    return 0;
}

static int fill_sessions(mill_store *store)
{
    for (int i = 0; i < 1500; i++) {
        int code = mill_session_put(store, mill_string("s"), i * 10, i * 10 + 5, mill_string("v"), i);
        if (code < 0)
            return code;
    }
    return 0;
}

static int fill_versions(mill_store *store)
{
    int code = 1;
    for (int i = 1; i <= 5 && code > 0; i++)
        code = mill_versioned_put(store, mill_string("v"), i == 3 ? mill_null() : mill_string("x"), i * 10, NULL);
    return code < 0 ? code : 0;
}

static int fill(mill_context *context, void *self, int64_t timestamp_ms)
{
    bool *filled = self;
    if (*filled)
        return 0;
    *filled = true;
    mill_context_drop(context, "odd");
    mill_context_drop(context, "even");
    mill_context_drop(context, "odd");
    int code = fill_key_values(mill_context_store(context, "table"), mill_context_partition(context));
    if (code == 0)
        code = fill_windows(mill_context_store(context, "windows"));
    if (code == 0)
        code = fill_sessions(mill_context_store(context, "sessions"));
    return code < 0 ? code : fill_versions(mill_context_store(context, "versions"));
}

static int begin(mill_context *context, void *self, const void *argument)
{
    *(bool *)self = false;
    return mill_context_schedule(context, 5, MILL_PUNCTUATE_WALL_CLOCK, fill) == NULL ? MILL_ENOMEM : 0;
}

static int ignore(mill_context *context, void *self, const mill_record *record)
{
    return 0;
}

static const mill_processor_type FILLER = { .name = "filler", .self_bytes = sizeof(bool), .init = begin, .process = ignore };

/* ---- the application ------------------------------------------------------------------------------------------------------- */

struct fixture {
    struct temp_dir dir;
    mill_topology *topology;
    mill_app *app;
    struct loop *loop; /* to wait with */
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .topology = mill_topology_new(), .loop = uv_loop_new_with(NULL) };
    temp_dir_init(&f.dir);
    const char *const source = "source";
    const char *const filler = "filler";
    mill_topology_add_source(f.topology, source, (const char *[]){ "in" }, 1, NULL);
    mill_topology_add_processor(f.topology, filler, (mill_processor_supplier){ .type = &FILLER }, &source, 1);
    mill_topology_add_store(f.topology, mill_key_value_store("table"), &filler, 1);
    mill_topology_add_store(f.topology, mill_window_store("windows", RETENTION_MS, WINDOW_MS), &filler, 1);
    mill_topology_add_store(f.topology, mill_store_with_caching(mill_session_store("sessions", RETENTION_MS), true), &filler, 1);
    mill_topology_add_store(f.topology, mill_versioned_store("versions", RETENTION_MS), &filler, 1);
    const char *const properties[] = { "application.id",
                                       "asked",
                                       "listeners",
                                       "PLAINTEXT://127.0.0.1:0",
                                       "state.dir",
                                       f.dir.path,
                                       "mill.trace.level",
                                       "off",
                                       "broker.num.partitions",
                                       "2",
                                       NULL };
    char error[512];
    f.app = mill_app_new(f.topology, properties, error, sizeof error);
    if (f.app == NULL)
        fail_msg("%s", error);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mill_app_free(f->app);
    uv_loop_free(f->loop);
    mill_topology_free(f->topology);
    temp_dir_release(&f->dir);
    return 0;
}

static void stop(struct loop_timer *timer, struct io_time now)
{
    loop_stop(timer->ctx);
}

static void wait_a_little(struct loop *loop)
{
    struct loop_timer timer = { .fire = stop, .ctx = loop };
    loop_timer_set(loop, &timer, loop_now(loop).monotonic_us + 2000);
    loop_run(loop, NULL);
}

/* Asks until it is answered with `count` rows: tasks are given out and stores filled meanwhile. */
static mill_rows *ask(struct fixture *f, mill_query query, size_t count)
{
    mill_rows *rows = NULL;
    for (int i = 0; i < 30000; i++) {
        int code = mill_query_run(f->app, &query, &rows);
        if (code == 0 && mill_rows_count(rows) == count)
            return rows;
        assert_true(code == 0 || code == MILL_EAGAIN);
        mill_rows_free(rows);
        wait_a_little(f->loop);
    }
    fail_msg("no answer: %s, %s", mill_app_state_name(mill_app_state_now(f->app)), mill_app_error(f->app));
    return NULL;
}

static void expect_keys(mill_rows *rows, int32_t partition, int first, int last)
{
    int step = first <= last ? 1 : -1;
    for (int i = first; i != last + step; i += step) {
        mill_row row;
        char key[16];
        key_text(i, key);
        assert_true(mill_rows_next(rows, &row));
        assert_true(mill_bytes_equal(row.key, mill_string(key)));
        assert_int_equal(row.timestamp_ms, i);
        assert_int_equal(row.partition, partition);
        assert_memory_equal(row.value.data, &partition, sizeof partition);
    }
}

static void rows_come_from_every_task_in_slices(void **state)
{
    struct fixture *f = *state;
    mill_query query = mill_query_of("table");
    assert_int_equal(mill_query_run(f->app, &query, &(mill_rows *){ NULL }), MILL_EAGAIN); /* not started */
    assert_int_equal(mill_app_start(f->app), 0);

    mill_rows *rows = ask(f, query, 2 * KEYS);
    expect_keys(rows, 0, 0, KEYS - 1);
    expect_keys(rows, 1, 0, KEYS - 1);
    assert_false(mill_rows_next(rows, &(mill_row){ 0 }));
    mill_rows_free(rows);

    query.order = MILL_REVERSE;
    query.from = mill_string("key-00100");
    query.to = mill_string("key-02100");
    rows = ask(f, query, 2 * 2001);
    expect_keys(rows, 0, 2100, 100);
    mill_rows_free(rows);

    query = mill_query_of("table");
    query.prefix = mill_string("key-0");
    query.limit = KEYS + 10;
    rows = ask(f, query, KEYS + 10);
    expect_keys(rows, 0, 0, KEYS - 1);
    expect_keys(rows, 1, 0, 9);
    mill_rows_free(rows);

    query = mill_query_of("table");
    query.key = mill_string("key-00007");
    rows = ask(f, query, 1);
    expect_keys(rows, 0, 7, 7);
    mill_rows_free(rows);
}

static void windows_come_in_order_of_time(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mill_app_start(f->app), 0);
    mill_query query = mill_query_of("windows");
    mill_rows *rows = ask(f, query, 2 * WINDOWS * 50);
    mill_row row;
    for (int i = 0; i < WINDOWS * 50; i++) {
        char key[16];
        key_text(i % 50, key);
        assert_true(mill_rows_next(rows, &row));
        assert_int_equal(row.window_start_ms, i / 50 * WINDOW_MS);
        assert_true(mill_bytes_equal(row.key, mill_string(key)));
    }
    mill_rows_free(rows);

    query.key = mill_string("key-00003");
    query.from_ms = 5 * WINDOW_MS;
    query.to_ms = 7 * WINDOW_MS;
    query.order = MILL_REVERSE;
    rows = ask(f, query, 6);
    for (int i = 0; i < 6; i++) {
        assert_true(mill_rows_next(rows, &row));
        assert_int_equal(row.window_start_ms, (7 - i % 3) * WINDOW_MS);
    }
    mill_rows_free(rows);
}

static void sessions_and_versions_can_be_asked(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mill_app_start(f->app), 0);
    mill_query query = mill_query_of("sessions");
    query.key = mill_string("s");
    mill_row row;
    for (int order = MILL_FORWARD; order <= MILL_REVERSE; order++) {
        query.order = (mill_order)order;
        mill_rows *rows = ask(f, query, 2 * 1500);
        for (int i = 0; i < 1500; i++) {
            assert_true(mill_rows_next(rows, &row));
            assert_int_equal(row.window_start_ms, 10 * (order == MILL_FORWARD ? i : 1499 - i));
            assert_int_equal(row.window_end_ms, row.window_start_ms + 5);
        }
        mill_rows_free(rows);
    }
    query = mill_query_of("versions");
    query.key = mill_string("v");
    mill_rows *rows = ask(f, query, 8);
    static const int64_t FROM[] = { 10, 20, 40, 50 };
    static const int64_t TO[] = { 20, 30, 50, INT64_MAX };
    for (int i = 0; i < 8; i++) {
        assert_true(mill_rows_next(rows, &row));
        assert_int_equal(row.window_start_ms, FROM[i % 4]);
        assert_true(row.window_end_ms == TO[i % 4]);
    }
    mill_rows_free(rows);
    query.from_ms = query.to_ms = 25;
    rows = ask(f, query, 1);
    assert_true(mill_rows_next(rows, &row));
    assert_int_equal(row.timestamp_ms, 20);
    mill_rows_free(rows);
}

static int refuse(void *ctx, int32_t partition, mill_store *store)
{
    return MILL_EUSER;
}

static void what_cannot_be_answered_is_said(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mill_app_start(f->app), 0);
    mill_query query = mill_query_of("table");
    mill_rows_free(ask(f, query, 2 * KEYS));
    assert_int_equal(mill_app_query(f->app, "table", refuse, NULL), MILL_EUSER);
    assert_int_equal(mill_app_query(f->app, "tables", refuse, NULL), MILL_ENOTFOUND);
    assert_int_equal(mill_app_close(f->app, 60000), 0);
    assert_int_equal(mill_app_query(f->app, "table", refuse, NULL), MILL_ECLOSED);
}

static void what_was_skipped_is_told_by_reason(void **state)
{
    struct fixture *f = *state;
    mill_drops drops[MILL_DROP_REASONS_MAX];
    assert_int_equal(mill_app_drops(f->app, drops, MILL_DROP_REASONS_MAX), 0);
    assert_int_equal(mill_app_start(f->app), 0);
    mill_rows_free(ask(f, mill_query_of("table"), 2 * KEYS));
    assert_int_equal(mill_app_close(f->app, 60000), 0);
    assert_int_equal(mill_app_drops(f->app, drops, MILL_DROP_REASONS_MAX), 2);
    assert_string_equal(drops[0].reason, "odd");
    assert_int_equal(drops[0].records, 4); /* of two tasks */
    assert_string_equal(drops[1].reason, "even");
    assert_int_equal(drops[1].records, 2);
    assert_int_equal(mill_app_drops(f->app, drops, 1), 2);
    mill_app_progress progress;
    mill_app_progress_now(f->app, &progress);
    assert_int_equal(progress.records_dropped, 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_from_every_task_in_slices), TEST(windows_come_in_order_of_time),
        TEST(sessions_and_versions_can_be_asked),  TEST(what_cannot_be_answered_is_said),
        TEST(what_was_skipped_is_told_by_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
