/*
 * The nth allocation fails, for every n, while a task with the stores of each kind of operator opens, processes, commits,
 * restores and closes. What came out before is what comes out of an undisturbed run, and a run that says no error has all of it:
 * nothing is left out because there was no memory. Leaks and what lies behind freed memory are the sanitizers' to find.
 */
#include "unit/operators/pipeline.h"

#include "base/alloc.h"
#include "base/trace.h"

enum { TEXT_BYTES = 1 << 14, NTH_MAX = 100000 };

static int both(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_is_null(left) ? mill_string("~") : left;
    int code = concatenate(result, mill_string("+"), context, NULL);
    return code < 0 ? code : concatenate(result, mill_is_null(right) ? mill_string("~") : right, context, NULL);
}

static int first_letter(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = row->value.len == 0 ? mill_null() : mill_bytes_of(row->value.data, 1);
    return 0;
}

static int by_first_letter(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    return first_letter(row, &result->key, context, ctx);
}

static mill_grouped *grouped(mill_topology *t)
{
    return mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
}

static void sessions(mill_topology *t)
{
    mill_session_windowed *windowed = mill_grouped_windowed_by_session(grouped(t), mill_window_session(5, 20));
    mill_table_to(mill_session_windowed_reduce(windowed, concatenate, NULL, mill_as("visits")), "out");
}

static void sessions_on_close(mill_topology *t)
{
    mill_session_windowed *windowed = mill_grouped_windowed_by_session(grouped(t), mill_window_session(5, 0));
    windowed = mill_session_windowed_emit(windowed, MILL_EMIT_ON_WINDOW_CLOSE);
    mill_table_to(mill_session_windowed_count_distinct(windowed, mill_as("visitors")), "out");
}

static void sliding(mill_topology *t)
{
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(t), mill_window_sliding(10, 20));
    mill_table_to(mill_windowed_reduce(windowed, concatenate, NULL, uncached("sums")), "out");
}

static void hopping_sets(mill_topology *t)
{
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(t), mill_window_hopping(10, 5, 20));
    mill_table_to(mill_windowed_count_distinct(windowed, mill_as("users")), "out");
}

static void outer_join(mill_topology *t)
{
    mill_stream *in = mill_topology_stream(t, "in", NULL);
    mill_stream *other = mill_topology_stream(t, "other", NULL);
    mill_stream_to(mill_stream_outer_join(in, other, both, NULL, mill_join_within(5, 3), mill_joined_as(NULL)), "out");
}

static void self_join(mill_topology *t)
{
    mill_topology_optimize(t, "single.store.self.join");
    mill_stream *in = mill_topology_stream(t, "in", NULL);
    mill_stream_to(mill_stream_join(in, in, both, NULL, mill_join_within(5, 3), mill_joined_as(NULL)), "out");
}

static void versions_with_grace(mill_topology *t)
{
    mill_table *versions = mill_topology_table(t, "other", NULL, mill_as_versioned("versions", 100));
    mill_joined joined = mill_joined_as("enrich");
    joined.grace_ms = 10;
    mill_stream_to(mill_stream_left_join_table(mill_topology_stream(t, "in", NULL), versions, both, NULL, joined), "out");
}

static void global_table(mill_topology *t)
{
    mill_global_table *table = mill_topology_global_table(t, "other", NULL, mill_as("global"));
    mill_stream *in = mill_topology_stream(t, "in", NULL);
    mill_stream_to(mill_stream_left_join_global_table(in, table, first_letter, both, NULL, mill_joined_as(NULL)), "out");
}

static void foreign_keys(mill_topology *t)
{
    mill_table *left = mill_topology_table(t, "in", NULL, mill_as("left"));
    mill_table *right = mill_topology_table(t, "other", NULL, mill_as("right"));
    mill_table_to(
        mill_table_foreign_key_left_join(left, right, first_letter, both, NULL, mill_joined_as("fk"), mill_as("joined")), "out");
}

static void table_group(mill_topology *t)
{
    mill_table *left = mill_topology_table(t, "in", NULL, mill_as("left"));
    mill_table *right = mill_topology_table(t, "other", NULL, mill_as("right"));
    mill_table *joined = mill_table_outer_join(left, right, both, NULL, mill_as("joined"));
    mill_table_to(mill_grouped_table_reduce(mill_table_group_by(joined, by_first_letter, NULL), concatenate, concatenate, NULL,
                                            mill_as("groups")),
                  "out");
}

static void final_results(mill_topology *t)
{
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(t), mill_window_tumbling(10, 0));
    mill_table *rows = mill_windowed_reduce(windowed, concatenate, NULL, mill_as("rows"));
    mill_table_to(mill_table_suppress(rows, mill_suppress_until_window_closes(mill_suppress_unbounded())), "out");
}

static void limited(mill_topology *t)
{
    mill_table *rows = mill_grouped_reduce(grouped(t), concatenate, NULL, mill_as("rows"));
    mill_table_to(mill_table_suppress(rows, mill_suppress_until_time_limit(10, mill_suppress_max_records(2))), "out");
}

static void deduplicated(mill_topology *t)
{
    mill_stream_to(mill_grouped_deduplicate(grouped(t), to_value, NULL, 10, mill_as("seen")), "out");
}

/* Records and a restart: enough for each operator to merge, expire, release and restore. */
static const struct line {
    const char *topic; /* NULL: a restart that loses the stores */
    const char *key;
    const char *value;
    int64_t timestamp_ms;
} SCRIPT[] = {
    { "other", "a", "x", 1 }, { "in", "k", "abc", 2 }, { "in", "j", "b", 3 },      { "other", "b", "y", 4 },
    { "in", "k", "acd", 6 },  { "in", "k", "abc", 9 }, { "other", "k", "z", 10 },  { "in", "k", "b", 14 },
    { NULL, NULL, NULL, 0 },  { "in", "j", "a", 12 },  { "other", "a", NULL, 15 }, { "in", "k", NULL, 20 },
    { "in", "i", "a", 60 },   { "in", "k", "c", 70 },
};

enum { LINES = sizeof SCRIPT / sizeof SCRIPT[0] };

struct outputs {
    char text[TEXT_BYTES];
    size_t len;
    size_t lens[LINES]; /* after each line */
};

static int read_outputs(mill_test_driver *driver, struct outputs *outputs)
{
    mill_record record;
    int code;
    while ((code = mill_test_driver_read(driver, "out", &record)) == 1) {
        char *at = outputs->text + outputs->len;
        size_t room = TEXT_BYTES - outputs->len;
        assert_true(record.key.len + record.value.len + 40 < room);
        size_t len = print_bytes(at, room, record.key);
        len += (size_t)snprintf(at + len, room - len, "=");
        len += print_bytes(at + len, room - len, record.value);
        len += (size_t)snprintf(at + len, room - len, "@%" PRId64 " ", record.timestamp_ms);
        outputs->len += len;
    }
    return code;
}

static int run_line(mill_test_driver *driver, const struct line *line)
{
    if (line->topic == NULL)
        return mill_test_driver_restart(driver, MILL_RESTART_STATE_LOST);
    mill_record record = { .key = mill_string(line->key), .value = mill_string(line->value), .timestamp_ms = line->timestamp_ms };
    int code = mill_test_driver_pipe(driver, line->topic, &record);
    return code == MILL_ENOTFOUND ? 0 : code; /* an operator without that topic */
}

/* Returns after how many lines it ended, and the error in `*code`. */
static size_t run(mill_topology *topology, struct outputs *outputs, int *code)
{
    outputs->len = 0;
    size_t line = 0;
    mill_test_driver *driver = mill_test_driver_new(topology, NULL, 0);
    *code = driver == NULL ? MILL_ENOMEM : 0;
    for (; *code == 0 && line < LINES; line++) {
        *code = run_line(driver, &SCRIPT[line]);
        if (*code == 0)
            *code = read_outputs(driver, outputs);
        if (*code < 0)
            break;
        outputs->lens[line] = outputs->len;
    }
    mill_test_driver_free(driver);
    return line;
}

static void sweep(void (*build)(mill_topology *t), const char *name)
{
    static struct outputs whole;
    static struct outputs disturbed;
    mill_topology *topology = mill_topology_new();
    build(topology);
    int code;
    assert_int_equal(run(topology, &whole, &code), LINES);
    assert_int_equal(code, 0);
    assert_true(whole.len > 0);
    uint64_t nth = 1;
    for (bool more = true; more && nth < NTH_MAX; nth += 1 + nth / 300) {
        mem_fail_at(nth, nth % 5 == 0);
        size_t lines = run(topology, &disturbed, &code);
        more = mem_fail_at(0, 0) >= nth;
        if (code != 0 && code != MILL_ENOMEM)
            fail_msg("%s, allocation %llu: %s", name, (unsigned long long)nth, mill_error_text(code));
        if (code == 0 && lines != LINES)
            fail_msg("%s, allocation %llu: an end without an error", name, (unsigned long long)nth);
        if (lines == 0)
            continue;
        if (disturbed.lens[lines - 1] != whole.lens[lines - 1] || memcmp(disturbed.text, whole.text, whole.lens[lines - 1]) != 0)
            fail_msg("%s, allocation %llu: after %zu lines\n%.*s\ninstead of\n%.*s", name, (unsigned long long)nth, lines,
                     (int)disturbed.lens[lines - 1], disturbed.text, (int)whole.lens[lines - 1], whole.text);
    }
    print_message("%s: %llu allocations\n", name, (unsigned long long)nth);
    mill_topology_free(topology);
}

#define SWEEP(build) sweep(build, #build)

static void windows_say_when_there_is_no_memory(void **state)
{
    SWEEP(sessions);
    SWEEP(sessions_on_close);
    SWEEP(sliding);
    SWEEP(hopping_sets);
}

static void joins_say_when_there_is_no_memory(void **state)
{
    SWEEP(outer_join);
    SWEEP(self_join);
    SWEEP(versions_with_grace);
    SWEEP(global_table);
}

static void tables_say_when_there_is_no_memory(void **state)
{
    SWEEP(foreign_keys);
    SWEEP(table_group);
}

static void buffers_say_when_there_is_no_memory(void **state)
{
    SWEEP(final_results);
    SWEEP(limited);
    SWEEP(deduplicated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_say_when_there_is_no_memory),
        cmocka_unit_test(joins_say_when_there_is_no_memory),
        cmocka_unit_test(tables_say_when_there_is_no_memory),
        cmocka_unit_test(buffers_say_when_there_is_no_memory),
    };
    trace_set_level(TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
