/*
 * Headers of results: those of the record that made it, of several before a commit the last one's, as Kafka Streams 4.3.1 has
 * them; only the sessions of mill.compat=kafka have none without a cache.
 */
#include "unit/operators/pipeline.h"

static mill_grouped *grouped(mill_topology *t)
{
    return mill_stream_group_by_key(mill_topology_stream(t, "in", NULL));
}

static mill_materialized kept(bool cached)
{
    return cached ? mill_as("store") : uncached("store");
}

static void counted(mill_topology *t, bool cached)
{
    mill_table_to(mill_grouped_count(grouped(t), kept(cached)), "out");
}

static void reduced(mill_topology *t, bool cached)
{
    mill_table_to(mill_grouped_reduce(grouped(t), concatenate, NULL, kept(cached)), "out");
}

static void distinct(mill_topology *t, bool cached)
{
    mill_table_to(mill_grouped_count_distinct(grouped(t), kept(cached)), "out");
}

static void approximate(mill_topology *t, bool cached)
{
    mill_table_to(mill_grouped_count_distinct_approximate(grouped(t), kept(cached)), "out");
}

static void tumbling(mill_topology *t, bool cached)
{
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(t), mill_window_tumbling(10, 0));
    mill_table_to(mill_windowed_reduce(windowed, concatenate, NULL, kept(cached)), "out");
}

static void tumbling_sets(mill_topology *t, bool cached)
{
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(t), mill_window_tumbling(10, 0));
    mill_table_to(mill_windowed_count_distinct(windowed, kept(cached)), "out");
}

static void sliding(mill_topology *t, bool cached)
{
    mill_windowed *windowed = mill_grouped_windowed_by(grouped(t), mill_window_sliding(10, 0));
    mill_table_to(mill_windowed_reduce(windowed, concatenate, NULL, kept(cached)), "out");
}

static void sessions(mill_topology *t, bool cached)
{
    mill_session_windowed *windowed = mill_grouped_windowed_by_session(grouped(t), mill_window_session(5, 0));
    mill_table_to(mill_session_windowed_reduce(windowed, concatenate, NULL, kept(cached)), "out");
}

static void rows(mill_topology *t, bool cached)
{
    mill_table_to(mill_topology_table(t, "in", NULL, kept(cached)), "out");
}

static int by_value(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = row->value;
    return 0;
}

static void groups(mill_topology *t, bool cached)
{
    mill_table *table = mill_topology_table(t, "in", NULL, uncached("rows"));
    mill_table_to(mill_grouped_table_count(mill_table_group_by(table, by_value, NULL), kept(cached)), "out");
}

static void (*const BUILDERS[])(mill_topology *t, bool cached) = { counted,       reduced, distinct, approximate, tumbling,
                                                                   tumbling_sets, sliding, sessions, rows,        groups };

enum { BUILDER_COUNT = sizeof BUILDERS / sizeof BUILDERS[0] };

/* NULL: a record without headers. */
static void pipe(struct pipeline *p, const char *key, const char *value, int64_t timestamp_ms, const char *by)
{
    mill_header header = { mill_string("by"), mill_string(by) };
    mill_record record = { .key = mill_string(key), .value = mill_string(value), .timestamp_ms = timestamp_ms };
    record.headers = by == NULL ? NULL : &header;
    record.header_count = by == NULL ? 0 : 1;
    pipeline_ok(p, mill_test_driver_pipe(p->driver, "in", &record));
}

/* All results that are there have these; there are some. */
static void expect_headers(struct pipeline *p, int builder, const char *by)
{
    mill_record record;
    int count = 0;
    while (mill_test_driver_read(p->driver, "out", &record) == 1) {
        count++;
        bool right = by == NULL ? record.header_count == 0
                                : record.header_count == 1 && mill_bytes_equal(record.headers[0].value, mill_string(by));
        if (!right)
            fail_msg("builder %d: not the headers of \"%s\"", builder, by == NULL ? "nobody" : by);
    }
    assert_true(count > 0);
}

static void a_result_has_the_headers_of_its_record(void **state)
{
    for (int i = 0; i < 2 * BUILDER_COUNT; i++) {
        struct pipeline p = pipeline_begin();
        BUILDERS[i / 2](p.topology, i % 2 == 1);
        pipeline_start(&p);
        pipe(&p, "k", "a", 1, "ann");
        expect_headers(&p, i, "ann");
        pipe(&p, "k", "b", 3, "bob");
        expect_headers(&p, i, "bob");
        pipe(&p, "k", "c", 3, NULL);
        expect_headers(&p, i, NULL);
        pipeline_end(&p);
    }
}

static int nothing(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

static int append(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return concatenate(aggregate, value, context, NULL);
}

static mill_table *with_history(mill_topology *t, int which)
{
    mill_materialized history = mill_as_versioned("store", 100);
    if (which == 0)
        return mill_grouped_count(grouped(t), history);
    if (which == 1)
        return mill_grouped_reduce(grouped(t), concatenate, NULL, history);
    if (which == 2)
        return mill_grouped_aggregate(grouped(t), nothing, append, NULL, history);
    mill_table *table = mill_topology_table(t, "in", NULL, uncached("rows"));
    return mill_grouped_table_count(mill_table_group_by(table, by_value, NULL), history);
}

static void so_has_one_with_a_history(void **state)
{
    for (int which = 0; which < 4; which++) {
        struct pipeline p = pipeline_begin();
        mill_table_to(with_history(p.topology, which), "out");
        pipeline_start(&p);
        pipe(&p, "k", "a", 1, "ann");
        expect_headers(&p, which, "ann");
        pipe(&p, "k", "b", 3, "bob");
        expect_headers(&p, which, "bob");
        pipe(&p, "k", "c", 3, NULL);
        expect_headers(&p, which, NULL);
        pipeline_end(&p);
    }
}

static void of_several_before_a_commit_the_last_counts(void **state)
{
    for (int i = 0; i < BUILDER_COUNT; i++) {
        struct pipeline p = pipeline_begin();
        BUILDERS[i](p.topology, true);
        pipeline_start(&p);
        mill_test_driver_auto_commit(p.driver, false);
        bool one_key = BUILDERS[i] != groups; /* each value is a group */
        pipe(&p, "k", "a", 1, "ann");
        pipe(&p, "k", one_key ? "b" : "a", 2, NULL);
        pipe(&p, "k", one_key ? "c" : "a", 2, "cid");
        pipeline_ok(&p, mill_test_driver_commit(p.driver));
        if (BUILDERS[i] != sliding) /* its first window was written by the first alone */
            expect_headers(&p, i, "cid");
        else
            pipeline_read(&p, "out");
        pipe(&p, "k", "d", 3, "dan");
        pipe(&p, "k", one_key ? "e" : "d", 3, NULL);
        pipeline_ok(&p, mill_test_driver_commit(p.driver));
        if (BUILDERS[i] != sliding && BUILDERS[i] != sessions && one_key) /* the session before was deleted by dan's alone */
            expect_headers(&p, i, NULL);
        pipeline_end(&p);
    }
}

static void what_a_crash_takes_back_leaves_no_headers(void **state)
{
    struct pipeline p = pipeline_begin();
    counted(p.topology, true);
    pipeline_start(&p);
    mill_test_driver_auto_commit(p.driver, false);
    pipe(&p, "k", "a", 1, "ann");
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CRASH)); /* reads it again */
    pipeline_ok(&p, mill_test_driver_commit(p.driver));
    expect_headers(&p, 0, "ann");
    pipeline_end(&p);
}

static void sessions_as_kafka_have_none_without_a_cache(void **state)
{
    for (int cached = 0; cached <= 1; cached++) {
        struct pipeline p = pipeline_begin();
        sessions(p.topology, cached != 0);
        pipeline_start_with(&p, (const char *[]){ "mill.compat", "kafka", NULL });
        pipe(&p, "k", "a", 1, "ann");
        expect_headers(&p, cached, cached ? "ann" : NULL);
        pipeline_end(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_has_the_headers_of_its_record),
        cmocka_unit_test(so_has_one_with_a_history),
        cmocka_unit_test(of_several_before_a_commit_the_last_counts),
        cmocka_unit_test(what_a_crash_takes_back_leaves_no_headers),
        cmocka_unit_test(sessions_as_kafka_have_none_without_a_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
