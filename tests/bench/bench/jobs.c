#include "bench/jobs.h"

#include <string.h>

#include "access_log.h"

bool job_keeps(const mill_record *record, void *ctx)
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
    mill_stream_to(mill_stream_map_values(mill_stream_filter(in, job_keeps, NULL), mark_value, NULL), "out");
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

/* ---- joins ----------------------------------------------------------------------------------------------------------------- */

static int both_values(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    uint8_t *both = mill_context_alloc(context, left.len + right.len);
    if (both == NULL)
        return MILL_ENOMEM;
    memcpy(both, left.data, left.len);
    memcpy(both + left.len, right.data, right.len);
    *result = mill_bytes_of(both, left.len + right.len);
    return 0;
}

static void build_join(mill_topology *topology)
{
    mill_table *rows = mill_topology_table(topology, "other", NULL, mill_as("rows"));
    mill_stream *in = mill_topology_stream(topology, "in", NULL);
    mill_stream_to(mill_stream_join_table(in, rows, both_values, NULL, mill_joined_as(NULL)), "out");
}

static int left_value(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = left;
    return 0;
}

static void build_stream_join(mill_topology *topology)
{
    mill_stream *in = mill_topology_stream(topology, "in", NULL);
    mill_stream *other = mill_topology_stream(topology, "other", NULL);
    mill_stream *pairs = mill_stream_join(in, other, left_value, NULL, mill_join_within(RESULT_JOIN_MS, 0), mill_joined_as(NULL));
    mill_stream_to(pairs, "out");
}

/* ---- sessions -------------------------------------------------------------------------------------------------------------- */

/* Of 10,000 keys each comes once a second: a gap of three makes visits of twenty records. */
static void build_sessions(mill_topology *topology)
{
    mill_grouped *views = mill_stream_group_by_key(mill_topology_stream(topology, "in", NULL));
    mill_session_windowed *visits = mill_grouped_windowed_by_session(views, mill_window_session(MILL_SECONDS(3), 0));
    mill_table_to(mill_session_windowed_count(visits, mill_as("visits")), "out");
}

/* ---- tables ---------------------------------------------------------------------------------------------------------------- */

/* Each row goes to the group of its user's first three digits, with the user as its value. */
static int group_of_user(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_bytes_of(row->value.data + RESULT_USER_AT, 3);
    result->value = mill_bytes_of(row->value.data + RESULT_USER_AT, RESULT_USER_DIGITS);
    return 0;
}

static int zero(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    static const uint8_t ZERO[8];
    *aggregate = mill_bytes_of(ZERO, sizeof ZERO);
    return 0;
}

static int add_signed(mill_bytes user, int64_t sign, mill_bytes *aggregate, mill_context *context)
{
    int64_t sum = 0;
    uint8_t *bytes = mill_context_alloc(context, 8);
    if (bytes == NULL)
        return MILL_ENOMEM;
    if (!mill_int64_read(*aggregate, &sum))
        return MILL_ECORRUPT;
    *aggregate = mill_int64_write(bytes, sum + sign * (int64_t)result_number(user.data, user.len));
    return 0;
}

static int add_user(mill_bytes key, mill_bytes user, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return add_signed(user, 1, aggregate, context);
}

static int subtract_user(mill_bytes key, mill_bytes user, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return add_signed(user, -1, aggregate, context);
}

static void build_table(mill_topology *topology)
{
    mill_table *rows = mill_topology_table(topology, "in", NULL, mill_as("rows"));
    mill_grouped_table *groups = mill_table_group_by(rows, group_of_user, NULL);
    mill_table_to(mill_grouped_table_aggregate(groups, zero, add_user, subtract_user, NULL, mill_as("sums")), "out");
}

/* ---- about, in sketches ---------------------------------------------------------------------------------------------------- */

static void build_sketches(mill_topology *topology)
{
    mill_windowed *views = per_minute(mill_topology_stream(topology, "in", NULL));
    mill_table_to(mill_windowed_count_distinct_approximate_by(views, user_of, NULL, mill_as("about")), "out");
}

/* ---- exactly once, and starts ---------------------------------------------------------------------------------------------- */

static void build_count(mill_topology *topology)
{
    mill_grouped *views = mill_stream_group_by_key(mill_topology_stream(topology, "in", NULL));
    mill_table_to(mill_grouped_count(views, mill_as("totals")), "out");
}

/* ---- table ----------------------------------------------------------------------------------------------------------------- */

static const struct job JOBS[] = {
    { "filtermap", "filter and map to a topic", build_filter_map, RECORDS_UNIFORM, OTHER_NONE, 10000, 100000000, CLOCK_RUN,
      RESULT_RECORDS, 1, false, 8e6, 14e6, 1000 },
    { "pv", "count per key and minute", build_pv, RECORDS_UNIFORM, OTHER_NONE, 10000, 100000000, CLOCK_RUN, RESULT_COUNTS, 1,
      false, 8e6, 33e6, 1000 },
    { "uv", "exact distinct users per key and minute", build_uv, RECORDS_UNIFORM, OTHER_NONE, 10000, 12000000, CLOCK_RUN,
      RESULT_DISTINCT, 1, false, 0.8e6, 1.6e6, 1000 },
    { "restore", "restore, ten updates a key", build_restore, RECORDS_IN_TURN, OTHER_NONE, 1000000, 10000000, CLOCK_RESTORE,
      RESULT_COUNTS, 1, false, 8e6, 22e6, 1000 },
    { "lines", "access-log lines to count per page and minute", build_lines, RECORDS_LINES, OTHER_NONE, 10000, 50000000,
      CLOCK_RUN, RESULT_COUNTS, 2, false, 4e6, 16e6, 1000 },
    { "join", "stream with a table of a row a key", build_join, RECORDS_UNIFORM, OTHER_ROWS, 1000000, 40000000, CLOCK_RUN,
      RESULT_ALL, 1, false, 3e6, 7.9e6, 1000 },
    { "ssjoin", "two streams within 200 ms, both counted", build_stream_join, RECORDS_UNIFORM, OTHER_STREAM, 10000, 5000000,
      CLOCK_RUN, RESULT_PAIRS, 1, false, 0.7e6, 1.4e6, 1000 },
    { "sessions", "count in sessions, a gap of 3 s", build_sessions, RECORDS_UNIFORM, OTHER_NONE, 10000, 30000000, CLOCK_RUN,
      RESULT_COUNTS, 1, false, 2e6, 0, 1000 },
    { "table", "table grouped, adder and subtractor", build_table, RECORDS_UNIFORM, OTHER_NONE, 10000, 30000000, CLOCK_RUN,
      RESULT_SUMS, 1, true, 2e6, 0, 1000 },
    { "hll", "about how many distinct users per key and minute", build_sketches, RECORDS_UNIFORM, OTHER_NONE, 10000, 30000000,
      CLOCK_RUN, RESULT_ABOUT_DISTINCT, 1, false, 2e6, 4.7e6, 1000 },
    { "exactly-once", "count, a commit every 100 ms", build_count, RECORDS_UNIFORM, OTHER_NONE, 10000, 30000000, CLOCK_GUARANTEES,
      RESULT_COUNTS, 1, false, 0, 0, 100 },
    { "start", "count, killed in the midst", build_count, RECORDS_IN_TURN, OTHER_NONE, 10000000, 15000000, CLOCK_START,
      RESULT_COUNTS, 1, false, 0, 0, 1000 },
};

enum { JOB_COUNT = sizeof JOBS / sizeof JOBS[0] };

const struct job *job_find(const char *name)
{
    for (size_t i = 0; i < JOB_COUNT; i++)
        if (strcmp(JOBS[i].name, name) == 0)
            return &JOBS[i];
    return NULL;
}

const char *job_name(size_t index)
{
    return index < JOB_COUNT ? JOBS[index].name : NULL;
}
