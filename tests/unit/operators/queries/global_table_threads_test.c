/*
 * A global table in a running application: its thread fills it and keeps it up, two stream threads join records with it, and the
 * test's own thread asks for its rows all the while. Made for ThreadSanitizer; the versions of a row never go back for anyone.
 */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/io.h"
#include "millstream/millstream.h"
#include "millstream/queries.h"
#include "support/temp_dir.h"

enum { ROWS = 50, PARTITIONS = 2, ENOUGH = 40 /* versions of each row that are seen from outside */ };

/* ---- the pipeline: a clock writes rows and events, which meet in the join -------------------------------------------------- */

struct clock {
    int64_t version;
};

static int write_version(mill_context *context, const char *kind, int row, int64_t version)
{
    char key[32];
    uint8_t value[8];
    mill_int64_write(value, version);
    snprintf(key, sizeof key, "%s%d-%02d", kind, (int)mill_context_partition(context), row);
    return mill_forward(context,
                        &(mill_record){ .key = mill_string(key), .value = mill_bytes_of(value, 8), .timestamp_ms = version });
}

static int tick(mill_context *context, void *self, int64_t timestamp_ms)
{
    struct clock *clock = self;
    int code = 0;
    clock->version++;
    for (int row = 0; code == 0 && row < ROWS; row++) {
        code = write_version(context, "r", row, clock->version);
        if (code == 0)
            code = write_version(context, "e", row, clock->version);
    }
    return code;
}

static int begin(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, 10, MILL_PUNCTUATE_WALL_CLOCK, tick) == NULL ? MILL_ENOMEM : 0;
}

static int ignore(mill_context *context, void *self, const mill_record *record)
{
    return 0;
}

static const mill_processor_type CLOCK = {
    .name = "clock", .self_bytes = sizeof(struct clock), .init = begin, .process = ignore
};

static bool begins_with(const mill_record *record, void *ctx)
{
    return record->key.len > 0 && record->key.data[0] == *(const char *)ctx;
}

/* "e0-07" looks at row "r0-07". */
static int row_key(const mill_record *event, mill_bytes *result, mill_context *context, void *ctx)
{
    uint8_t *key = mill_context_alloc(context, event->key.len);
    if (key == NULL)
        return MILL_ENOMEM;
    memcpy(key, event->key.data, event->key.len);
    key[0] = 'r';
    *result = mill_bytes_of(key, event->key.len);
    return 0;
}

static int take_row(mill_bytes key, mill_bytes event, mill_bytes row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = row;
    return 0;
}

static int never_back(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    int64_t before = 0;
    int64_t now = 0;
    if (!mill_int64_read(*aggregate, &before) || !mill_int64_read(value, &now) || now < before)
        return mill_context_error(context, MILL_EUSER, "version %lld after %lld", (long long)now, (long long)before);
    *aggregate = value;
    return 0;
}

static mill_topology *build(void)
{
    mill_topology *t = mill_topology_new();
    mill_stream *clock =
        mill_stream_process(mill_topology_stream(t, "in", NULL), (mill_processor_supplier){ .type = &CLOCK }, NULL, 0);
    mill_stream_to(mill_stream_filter(clock, begins_with, "r"), "rows");
    mill_stream_to(mill_stream_filter(clock, begins_with, "e"), "events");
    mill_global_table *rows = mill_topology_global_table(t, "rows", NULL, mill_as("rows"));
    mill_stream *events = mill_topology_stream(t, "events", NULL);
    mill_stream *joined = mill_stream_join_global_table(events, rows, row_key, take_row, NULL, mill_joined_as(NULL));
    (void)mill_grouped_reduce(mill_stream_group_by_key(joined), never_back, NULL, mill_as("seen"));
    return t;
}

/* ---- the application ------------------------------------------------------------------------------------------------------- */

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

/* Versions by partition and row; -1 of those that are not there. */
struct versions {
    int64_t of[PARTITIONS][ROWS];
};

/* What the store has; none goes back. Returns the lowest version, 0 while some are missing. */
static int64_t look(mill_app *app, const char *store, struct versions *before)
{
    mill_rows *rows;
    mill_query query = mill_query_of(store);
    int code = mill_query_run(app, &query, &rows);
    if (code == MILL_EAGAIN)
        return 0;
    assert_int_equal(code, 0);
    assert_true(mill_rows_count(rows) <= PARTITIONS * ROWS);
    for (mill_row row; mill_rows_next(rows, &row);) {
        int64_t version = 0;
        char kind;
        int partition = 0;
        int number = 0;
        char key[16] = "";
        assert_true(row.key.len < sizeof key && mill_int64_read(row.value, &version));
        memcpy(key, row.key.data, row.key.len);
        assert_int_equal(sscanf(key, "%c%d-%d", &kind, &partition, &number), 3);
        assert_true(partition < PARTITIONS && number < ROWS);
        assert_true(version >= before->of[partition][number]);
        before->of[partition][number] = version;
    }
    mill_rows_free(rows);
    int64_t lowest = INT64_MAX;
    for (int p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < ROWS; i++)
            lowest = before->of[p][i] < lowest ? before->of[p][i] : lowest;
    return lowest;
}

static void rows_are_joined_and_asked_for_while_they_change(void **state)
{
    struct temp_dir dir;
    temp_dir_init(&dir);
    mill_topology *topology = build();
    struct loop *loop = uv_loop_new_with(NULL);
    const char *const properties[] = { "application.id",
                                       "global",
                                       "listeners",
                                       "PLAINTEXT://127.0.0.1:0",
                                       "state.dir",
                                       dir.path,
                                       "mill.trace.level",
                                       "off",
                                       "broker.num.partitions",
                                       "2",
                                       "num.stream.threads",
                                       "2",
                                       "commit.interval.ms",
                                       "50",
                                       "statestore.cache.max.bytes",
                                       "0",
                                       NULL };
    char error[512];
    mill_app *app = mill_app_new(topology, properties, error, sizeof error);
    if (app == NULL)
        fail_msg("%s", error);
    assert_int_equal(mill_app_start(app), 0);
    struct versions *rows = calloc(1, sizeof *rows);
    struct versions *seen = calloc(1, sizeof *seen);
    while (look(app, "rows", rows) < ENOUGH || look(app, "seen", seen) < ENOUGH) {
        if (mill_app_error(app)[0] != '\0')
            fail_msg("%s", mill_app_error(app));
        wait_a_little(loop);
    }
    assert_int_equal(mill_app_close(app, 60000), 0);
    assert_string_equal(mill_app_error(app), "");
    mill_app_free(app);
    free(rows);
    free(seen);
    uv_loop_free(loop);
    mill_topology_free(topology);
    temp_dir_release(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_joined_and_asked_for_while_they_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
