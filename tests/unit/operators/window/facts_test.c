/*
 * Windows against Kafka Streams': KafkaStreamsWindows.java piped random records through the pipelines of the same names there.
 * What each topology describes itself as, every output record, its order and timestamp, and the number of dropped records must be
 * the same here: with mill.compat=kafka always, without it where our results are not meant to differ.
 */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

enum { SESSION = -1 /* in place of a window size */ };
enum { DIFFERS = 1 }; /* our defaults give other results, see the operator */

/* ---- the user's functions, as in the Java program ------------------------------------------------------------------------ */

/* Java's x + y, which writes null as a word. */
static int append(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    if (mill_bytes_equal(value, mill_string("del"))) {
        *aggregate = mill_null();
        return 0;
    }
    return concatenate(aggregate, mill_is_null(value) ? mill_string("null") : value, context, NULL);
}

static int begin(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("<");
    return 0;
}

static int add(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return append(aggregate, value, context, NULL);
}

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static mill_grouped *grouped(struct pipeline *p)
{
    return mill_stream_group_by_key(pipeline_in(p));
}

static mill_windowed *hopping(struct pipeline *p, int64_t size, int64_t advance, int64_t grace)
{
    return mill_grouped_windowed_by(grouped(p), mill_window_hopping(size, advance, grace));
}

static mill_windowed *on_close(mill_windowed *windowed)
{
    return mill_windowed_emit(windowed, MILL_EMIT_ON_WINDOW_CLOSE);
}

static mill_materialized kept(mill_materialized as, int64_t retention_ms)
{
    as.retention_ms = retention_ms;
    return as;
}

static mill_table *tumbling_count_on_close(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(on_close(hopping(p, 10, 10, 0)), kept(as, 1000));
}

static mill_table *tumbling_count_on_close_with_grace(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(on_close(hopping(p, 10, 10, 15)), kept(as, 1000));
}

static mill_table *tumbling_count_on_close_least_retention(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(on_close(hopping(p, 10, 10, 0)), as);
}

static mill_table *tumbling_count_on_close_least_retention_and_grace(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(on_close(hopping(p, 10, 10, 5)), as);
}

static mill_table *hopping_reduce_on_close(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_reduce(on_close(hopping(p, 20, 7, 10)), append, NULL, kept(as, 1000));
}

static mill_table *hopping_aggregate_on_close_cached(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_aggregate(on_close(hopping(p, 20, 10, 3)), begin, add, NULL, kept(as, 1000));
}

static mill_table *hopping_reduce_cached(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_reduce(hopping(p, 20, 7, 10), append, NULL, kept(as, 1000));
}

static mill_table *unlimited_count(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(mill_grouped_windowed_by(grouped(p), mill_window_unlimited(0)), uncached(NULL));
}

static mill_table *unlimited_reduce_from_50(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_reduce(mill_grouped_windowed_by(grouped(p), mill_window_unlimited(50)), append, NULL, uncached(NULL));
}

static mill_table *until_close(mill_table *table)
{
    return mill_table_suppress(table, mill_suppress_until_window_closes(mill_suppress_unbounded()));
}

static mill_table *suppress_tumbling_until_close(struct pipeline *p, mill_materialized as)
{
    return until_close(mill_windowed_count(hopping(p, 10, 10, 5), kept(as, 1000)));
}

static mill_table *suppress_hopping_until_close_cached(struct pipeline *p, mill_materialized as)
{
    mill_suppressed final = mill_suppress_until_window_closes(mill_suppress_unbounded());
    final.name = "final";
    return mill_table_suppress(mill_windowed_aggregate(hopping(p, 20, 7, 10), begin, add, NULL, kept(as, 1000)), final);
}

static mill_table *suppress_until_close_full(struct pipeline *p, mill_materialized as)
{
    mill_suppress_buffer nine = mill_suppress_shut_down_when_full(mill_suppress_max_records(9));
    return mill_table_suppress(mill_windowed_count(hopping(p, 10, 10, 15), kept(as, 1000)),
                               mill_suppress_until_window_closes(nine));
}

static mill_table *suppress_windows_until_a_time_limit(struct pipeline *p, mill_materialized as)
{
    return mill_table_suppress(mill_windowed_count(hopping(p, 10, 10, 5), kept(as, 1000)),
                               mill_suppress_until_time_limit(10, mill_suppress_unbounded()));
}

static mill_table *suppress_until_a_time_limit(struct pipeline *p, mill_materialized as)
{
    return mill_table_suppress(mill_grouped_count(grouped(p), as), mill_suppress_until_time_limit(10, mill_suppress_unbounded()));
}

static mill_table *suppressed_aggregate(struct pipeline *p, mill_materialized as, int64_t limit_ms, mill_suppress_buffer buffer)
{
    return mill_table_suppress(mill_grouped_aggregate(grouped(p), begin, add, NULL, as),
                               mill_suppress_until_time_limit(limit_ms, buffer));
}

static mill_table *suppress_deletions_until_a_time_limit(struct pipeline *p, mill_materialized as)
{
    return suppressed_aggregate(p, as, 3, mill_suppress_unbounded());
}

static mill_table *suppress_at_most_2_records(struct pipeline *p, mill_materialized as)
{
    return suppressed_aggregate(p, as, 1000, mill_suppress_max_records(2));
}

static mill_table *suppress_at_most_130_bytes(struct pipeline *p, mill_materialized as)
{
    return mill_table_suppress(mill_grouped_reduce(grouped(p), append, NULL, as),
                               mill_suppress_until_time_limit(20, mill_suppress_max_bytes(130)));
}

static mill_table *suppress_at_most_150_bytes_of_aggregates(struct pipeline *p, mill_materialized as)
{
    return suppressed_aggregate(p, as, 20, mill_suppress_max_bytes(150));
}

static mill_table *suppress_windows_at_most_220_bytes(struct pipeline *p, mill_materialized as)
{
    return mill_table_suppress(mill_windowed_count(hopping(p, 10, 10, 15), kept(as, 1000)),
                               mill_suppress_until_time_limit(20, mill_suppress_max_bytes(220)));
}

static bool no_third_and_no_c(const mill_record *record, void *ctx)
{
    int64_t number = 0;
    assert_true(mill_int64_read(record->value, &number));
    return number % 3 != 0 && record->key.data[0] != 'c';
}

static mill_table *suppress_below_a_filter_until_close(struct pipeline *p, mill_materialized as)
{
    mill_table *counts = mill_windowed_count(hopping(p, 10, 10, 5), kept(as, 1000));
    return until_close(mill_table_filter(counts, no_third_and_no_c, NULL, (mill_materialized){ 0 }));
}

static bool is_even(const mill_record *record, void *ctx)
{
    int64_t number;
    return mill_int64_read(record->value, &number) && number % 2 == 0;
}

static mill_table *a_filter_with_a_store_below_suppress(struct pipeline *p, mill_materialized as)
{
    mill_table *held =
        mill_table_suppress(mill_grouped_count(grouped(p), as), mill_suppress_until_time_limit(5, mill_suppress_unbounded()));
    return mill_table_filter(held, is_even, NULL, uncached("even"));
}

static int add_dotted(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    mill_bytes dotted = mill_string(".");
    concatenate(&dotted, mill_is_null(value) ? mill_string("null") : value, context, NULL);
    return append(aggregate, dotted, context, NULL);
}

static mill_grouped *grouped2(struct pipeline *p)
{
    return mill_stream_group_by_key(mill_topology_stream(p->topology, "in2", NULL));
}

static mill_cogrouped *cogrouped(mill_grouped *one, mill_grouped *two)
{
    return mill_cogrouped_add(mill_grouped_cogroup(one, add, NULL), two, add_dotted, NULL);
}

static mill_table *cogroup_of_two(struct pipeline *p, mill_materialized as)
{
    mill_grouped *one = grouped(p);
    return mill_table_as(mill_cogrouped_aggregate(cogrouped(one, grouped2(p)), begin, NULL, as), "both");
}

static mill_table *cogroup_of_two_unnamed(struct pipeline *p, mill_materialized as)
{
    mill_grouped *two = grouped2(p);
    return mill_cogrouped_aggregate(cogrouped(grouped(p), two), begin, NULL, uncached(NULL));
}

static mill_table *cogroup_behind_new_keys(struct pipeline *p, mill_materialized as)
{
    mill_grouped *one = mill_stream_group_by_key(mill_stream_select_key(pipeline_in(p), to_value, NULL));
    mill_grouped_as(one, "one");
    mill_stream *in2 = mill_topology_stream(p->topology, "in2", NULL);
    mill_grouped *two = mill_stream_group_by_key(mill_stream_select_key(in2, to_value, NULL));
    return mill_table_as(mill_cogrouped_aggregate(cogrouped(one, two), begin, NULL, as), "both");
}

static mill_table *windowed_cogroup(struct pipeline *p, mill_materialized as)
{
    mill_grouped *one = grouped(p);
    mill_windowed_cogrouped *windowed = mill_cogrouped_windowed_by(cogrouped(one, grouped2(p)), mill_window_hopping(20, 7, 10));
    return mill_windowed_cogrouped_aggregate(windowed, begin, NULL, kept(as, 1000));
}

static mill_session_windowed *sessions(struct pipeline *p, int64_t gap, int64_t grace)
{
    return mill_grouped_windowed_by_session(grouped(p), mill_window_session(gap, grace));
}

static mill_session_windowed *sessions_on_close(struct pipeline *p, int64_t gap, int64_t grace)
{
    return mill_session_windowed_emit(sessions(p, gap, grace), MILL_EMIT_ON_WINDOW_CLOSE);
}

static int join_aggregates(mill_bytes key, mill_bytes *aggregate, mill_bytes other, mill_context *context, void *ctx)
{
    return concatenate(aggregate, other, context, NULL);
}

static mill_table *session_count(struct pipeline *p, mill_materialized as)
{
    return mill_session_windowed_count(sessions(p, 5, 20), kept(as, 1000));
}

static mill_table *session_count_least_retention(struct pipeline *p, mill_materialized as)
{
    return mill_session_windowed_count(sessions(p, 4, 0), as);
}

static mill_table *session_reduce(struct pipeline *p, mill_materialized as)
{
    return mill_session_windowed_reduce(sessions(p, 3, 10), append, NULL, kept(as, 1000));
}

static mill_table *session_aggregate(struct pipeline *p, mill_materialized as)
{
    return mill_session_windowed_aggregate(sessions(p, 3, 10), begin, add, join_aggregates, NULL, kept(as, 1000));
}

static mill_table *session_count_on_close(struct pipeline *p, mill_materialized as)
{
    return mill_session_windowed_count(sessions_on_close(p, 3, 4), kept(as, 1000));
}

static mill_table *session_reduce_on_close_least_retention(struct pipeline *p, mill_materialized as)
{
    return mill_session_windowed_reduce(sessions_on_close(p, 2, 3), append, NULL, as);
}

static mill_table *suppress_sessions_until_close(struct pipeline *p, mill_materialized as)
{
    return until_close(mill_session_windowed_count(sessions(p, 3, 6), kept(as, 1000)));
}

static mill_table *session_cogroup(struct pipeline *p, mill_materialized as)
{
    mill_grouped *one = grouped(p);
    mill_session_cogrouped *windowed =
        mill_cogrouped_windowed_by_session(cogrouped(one, grouped2(p)), mill_window_session(3, 10));
    return mill_session_cogrouped_aggregate(windowed, begin, join_aggregates, NULL, kept(as, 1000));
}

static mill_windowed *sliding(struct pipeline *p, int64_t difference, int64_t grace)
{
    return mill_grouped_windowed_by(grouped(p), mill_window_sliding(difference, grace));
}

static mill_table *sliding_count(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(sliding(p, 10, 50), kept(as, 1000));
}

static mill_table *sliding_reduce(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_reduce(sliding(p, 8, 10), append, NULL, kept(as, 1000));
}

static mill_table *sliding_aggregate(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_aggregate(sliding(p, 12, 10), begin, add, NULL, kept(as, 1000));
}

static mill_table *sliding_count_least_retention(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(sliding(p, 10, 5), as);
}

static mill_table *sliding_count_on_close(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_count(on_close(sliding(p, 6, 4)), kept(as, 1000));
}

static mill_table *sliding_reduce_on_close_least_retention(struct pipeline *p, mill_materialized as)
{
    return mill_windowed_reduce(on_close(sliding(p, 6, 4)), append, NULL, as);
}

static mill_table *suppress_sliding_until_close(struct pipeline *p, mill_materialized as)
{
    return until_close(mill_windowed_count(sliding(p, 6, 0), kept(as, 1000)));
}

static mill_table *sliding_cogroup(struct pipeline *p, mill_materialized as)
{
    mill_grouped *one = grouped(p);
    mill_windowed_cogrouped *windowed = mill_cogrouped_windowed_by(cogrouped(one, grouped2(p)), mill_window_sliding(10, 10));
    return mill_windowed_cogrouped_aggregate(windowed, begin, NULL, kept(as, 1000));
}

static int newest(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    *aggregate = value;
    return 0;
}

static int under_all(const mill_record *record, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_string("all");
    return 0;
}

static int nothing(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

static int append_signed(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, const char *sign)
{
    int code = concatenate(aggregate, mill_string(sign), context, NULL);
    return code < 0 ? code : concatenate(aggregate, value, context, NULL);
}

static int plus(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return append_signed(key, value, aggregate, context, "+");
}

static int minus(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return append_signed(key, value, aggregate, context, "-");
}

static mill_table *a_group_of_what_suppress_lets_go(struct pipeline *p, mill_materialized as)
{
    mill_table *held = mill_table_suppress(mill_grouped_reduce(grouped(p), newest, NULL, as),
                                           mill_suppress_until_time_limit(6, mill_suppress_unbounded()));
    return mill_grouped_table_aggregate(mill_table_group_by(held, under_all, NULL), nothing, plus, minus, NULL,
                                        uncached("group"));
}

static const struct named_pipeline {
    const char *name;
    mill_table *(*build)(struct pipeline *p, mill_materialized as);
    int64_t window_ms; /* of the keys that come out; 0: plain ones; SESSION */
    bool longs;
    int flags;
} PIPELINES[] = {
    { "tumbling count on close", tumbling_count_on_close, 10, true, 0 },
    { "tumbling count on close with grace", tumbling_count_on_close_with_grace, 10, true, 0 },
    { "tumbling count on close, least retention", tumbling_count_on_close_least_retention, 10, true, DIFFERS },
    { "tumbling count on close, least retention and grace", tumbling_count_on_close_least_retention_and_grace, 10, true,
      DIFFERS },
    { "hopping reduce on close", hopping_reduce_on_close, 20, false, 0 },
    { "hopping aggregate on close, cached", hopping_aggregate_on_close_cached, 20, false, 0 },
    { "unlimited count", unlimited_count, INT64_MAX, true, 0 },
    { "unlimited reduce from 50", unlimited_reduce_from_50, INT64_MAX, false, 0 },
    { "suppress tumbling until close", suppress_tumbling_until_close, 10, true, 0 },
    { "suppress hopping until close, cached", suppress_hopping_until_close_cached, 20, false, 0 },
    { "suppress until close, full", suppress_until_close_full, 10, true, 0 },
    { "suppress windows until a time limit", suppress_windows_until_a_time_limit, 10, true, 0 },
    { "suppress until a time limit", suppress_until_a_time_limit, 0, true, 0 },
    { "suppress deletions until a time limit", suppress_deletions_until_a_time_limit, 0, false, 0 },
    { "suppress at most 2 records", suppress_at_most_2_records, 0, false, 0 },
    { "suppress at most 130 bytes", suppress_at_most_130_bytes, 0, false, 0 },
    { "suppress at most 150 bytes of aggregates", suppress_at_most_150_bytes_of_aggregates, 0, false, DIFFERS },
    { "suppress windows at most 220 bytes", suppress_windows_at_most_220_bytes, 10, true, DIFFERS },
    { "suppress below a filter until close", suppress_below_a_filter_until_close, 10, true, 0 },
    { "a filter with a store below suppress", a_filter_with_a_store_below_suppress, 0, true, 0 },
    { "cogroup of two", cogroup_of_two, 0, false, 0 },
    { "cogroup of two, unnamed", cogroup_of_two_unnamed, 0, false, 0 },
    { "cogroup of two, cached", cogroup_of_two, 0, false, DIFFERS },
    { "hopping reduce, cached", hopping_reduce_cached, 20, false, DIFFERS },
    { "cogroup behind new keys", cogroup_behind_new_keys, 0, false, 0 },
    { "windowed cogroup", windowed_cogroup, 20, false, 0 },
    { "session count", session_count, SESSION, true, 0 },
    { "session count, least retention", session_count_least_retention, SESSION, true, DIFFERS },
    { "session reduce", session_reduce, SESSION, false, 0 },
    { "session aggregate", session_aggregate, SESSION, false, 0 },
    { "session count on close", session_count_on_close, SESSION, true, 0 },
    { "session reduce on close, least retention", session_reduce_on_close_least_retention, SESSION, false, DIFFERS },
    { "suppress sessions until close", suppress_sessions_until_close, SESSION, true, DIFFERS },
    { "session cogroup", session_cogroup, SESSION, false, 0 },
    { "sliding count", sliding_count, 10, true, 0 },
    { "sliding reduce", sliding_reduce, 8, false, 0 },
    { "sliding aggregate", sliding_aggregate, 12, false, 0 },
    { "sliding count, least retention", sliding_count_least_retention, 10, true, DIFFERS },
    { "sliding count on close", sliding_count_on_close, 6, true, DIFFERS },
    { "sliding reduce on close, least retention", sliding_reduce_on_close_least_retention, 6, false, DIFFERS },
    { "suppress sliding until close", suppress_sliding_until_close, 6, true, DIFFERS },
    { "sliding cogroup", sliding_cogroup, 10, false, 0 },
    { "a group of what suppress lets go", a_group_of_what_suppress_lets_go, 0, false, DIFFERS },
};

enum { PIPELINE_COUNT = sizeof PIPELINES / sizeof PIPELINES[0], LINE_BYTES = 4096, TEXT_BYTES = 1 << 16 };

/* ---- the facts ----------------------------------------------------------------------------------------------------------- */

struct facts {
    FILE *file;
    char line[LINE_BYTES]; /* without its newline; empty at the end */
    char name[LINE_BYTES]; /* of the pipeline at hand */
    char text[TEXT_BYTES];
};

static void read_line(struct facts *facts)
{
    facts->line[0] = '\0';
    if (fgets(facts->line, LINE_BYTES, facts->file) != NULL)
        facts->line[strcspn(facts->line, "\n")] = '\0';
}

static void open_facts(struct facts *facts)
{
    char path[4096];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/kafka_streams_windows.txt", (int)(slash - __FILE__), __FILE__);
    facts->file = fopen(path, "r");
    assert_non_null(facts->file);
    read_line(facts);
}

/* What follows `mark` in the lines that begin with it, `separator` between them, in facts->text. */
static void read_lines(struct facts *facts, const char *mark, const char *separator)
{
    size_t len = 0;
    facts->text[0] = '\0';
    for (; strncmp(facts->line, mark, strlen(mark)) == 0; read_line(facts))
        len +=
            (size_t)snprintf(facts->text + len, TEXT_BYTES - len, "%s%s", len == 0 ? "" : separator, facts->line + strlen(mark));
    assert_true(len < TEXT_BYTES);
}

static void compare_description(struct facts *facts, struct pipeline *p)
{
    read_lines(facts, "=", "\n");
    char *ours = mill_topology_describe(p->topology);
    if (ours == NULL)
        fail_msg("%s: %s", facts->name, mill_topology_error(p->topology));
    if (strcmp(ours, facts->text) != 0)
        fail_msg("%s:\n%s\nin Kafka Streams:\n%s", facts->name, ours, facts->text);
    mill_free(ours);
}

/* Pipes "topic key=value@timestamp". */
static int pipe_line(struct pipeline *p, const char *text)
{
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "%s", text);
    char *key = strchr(line, ' ') + 1;
    char *value = strchr(key, '=') + 1;
    char *timestamp = strrchr(value, '@') + 1;
    key[-1] = value[-1] = timestamp[-1] = '\0';
    return pipeline_try(p, line, strcmp(key, "~") == 0 ? NULL : key, strcmp(value, "~") == 0 ? NULL : value, atoll(timestamp));
}

static void compare_outputs(struct facts *facts, struct pipeline *p)
{
    while (facts->line[0] == '>') {
        char input[LINE_BYTES];
        snprintf(input, sizeof input, "%s", facts->line + 2);
        int code = pipe_line(p, input);
        read_line(facts);
        read_lines(facts, "< ", " ");
        bool fails = facts->line[0] == '?';
        if (fails)
            read_line(facts);
        if ((code < 0) != fails)
            fail_msg("%s: %s: %d %s", facts->name, input, code, mill_test_driver_error(p->driver));
        if (!fails && strcmp(pipeline_read(p, "out"), facts->text) != 0)
            fail_msg("%s: %s: \"%s\", in Kafka Streams \"%s\"", facts->name, input, p->text, facts->text);
    }
    assert_int_equal(facts->line[0], '!');
    expect_dropped(p, NULL, atoll(facts->line + 2));
    read_line(facts);
}

static const struct named_pipeline *find_pipeline(const char *name)
{
    for (size_t i = 0; i < PIPELINE_COUNT; i++)
        if (strcmp(PIPELINES[i].name, name) == 0)
            return &PIPELINES[i];
    fail_msg("no pipeline is called \"%s\"", name);
    return NULL;
}

static void compare_one(struct facts *facts, bool as_kafka)
{
    snprintf(facts->name, sizeof facts->name, "%s", facts->line + 4);
    read_line(facts);
    const struct named_pipeline *named = find_pipeline(facts->name);
    if (!as_kafka && named->flags == DIFFERS) {
        while (facts->line[0] != '\0' && facts->line[0] != '#')
            read_line(facts);
        return;
    }
    struct pipeline p = pipeline_begin();
    mill_table *table = named->build(&p, strstr(named->name, "cached") != NULL ? mill_as("store") : uncached("store"));
    mill_table_to(table, "out");
    pipeline_shows(&p, named->window_ms > 0 ? named->window_ms : 0, named->longs);
    p.sessions = named->window_ms == SESSION;
    static const char *const AS_KAFKA[] = { "mill.compat", "kafka", NULL };
    p.driver = mill_test_driver_new(p.topology, as_kafka ? AS_KAFKA : NULL, 0);
    assert_non_null(p.driver);
    compare_description(facts, &p);
    compare_outputs(facts, &p);
    pipeline_end(&p);
}

static void compare_all(bool as_kafka)
{
    struct facts *facts = calloc(1, sizeof *facts);
    open_facts(facts);
    size_t compared = 0;
    for (; facts->line[0] == '#'; compared++)
        compare_one(facts, as_kafka);
    assert_int_equal(compared, PIPELINE_COUNT);
    fclose(facts->file);
    free(facts);
}

static void every_pipeline_does_what_kafka_streams_does_when_told_to(void **state)
{
    compare_all(true);
}

static void those_that_are_not_meant_to_differ_do_so_by_default(void **state)
{
    compare_all(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pipeline_does_what_kafka_streams_does_when_told_to),
        cmocka_unit_test(those_that_are_not_meant_to_differ_do_so_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
