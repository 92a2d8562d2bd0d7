/*
 * Joins against Kafka Streams': KafkaStreamsJoins.java piped random records through the joins of the same names there; what each
 * topology describes itself as, every output record, its order and timestamp, and the number of dropped records must be the same
 * here.
 */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

/* ---- the user's functions, as in the Java program ------------------------------------------------------------------------ */

static const char *shown(mill_bytes bytes)
{
    return mill_is_null(bytes) ? "null" : (const char *)bytes.data;
}

static int shown_len(mill_bytes bytes)
{
    return mill_is_null(bytes) ? 4 : (int)bytes.len;
}

static int both(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    size_t room = key.len + left.len + right.len + 20;
    char *text = mill_context_alloc(context, room);
    assert_non_null(text);
    int len = snprintf(text, room, "(%.*s:%.*s+%.*s)", shown_len(key), shown(key), shown_len(left), shown(left), shown_len(right),
                       shown(right));
    *result = mill_bytes_of(text, (size_t)len);
    return 0;
}

static int right_alone(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = right;
    return 0;
}

static int no_aggregate(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

static int newest(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_bytes_equal(value, mill_string("del")) ? mill_null() : value;
    return 0;
}

static int oldest(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    return 0;
}

static int last_digit(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    mill_bytes value = record->value;
    if (!mill_is_null(value) && value.data[value.len - 1] != '7')
        *result = mill_bytes_of(value.data + value.len - 1, 1);
    return 0;
}

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static mill_stream *left(struct pipeline *p)
{
    return mill_topology_stream(p->topology, "left", NULL);
}

static mill_stream *right(struct pipeline *p)
{
    return mill_topology_stream(p->topology, "right", NULL);
}

static mill_stream *rekeyed(mill_stream *stream)
{
    return mill_stream_select_key(stream, last_digit, NULL);
}

static mill_table *table(struct pipeline *p)
{
    return mill_grouped_aggregate(mill_stream_group_by_key(right(p)), no_aggregate, newest, NULL, uncached("rows"));
}

static void out(mill_stream *stream)
{
    mill_stream_to(stream, "out");
}

static void table_inner(struct pipeline *p)
{
    mill_stream *l = left(p);
    out(mill_stream_join_table(l, table(p), both, NULL, mill_joined_as(NULL)));
}

static void table_left(struct pipeline *p)
{
    mill_stream *l = left(p);
    out(mill_stream_left_join_table(l, table(p), both, NULL, mill_joined_as(NULL)));
}

static void table_declared_first(struct pipeline *p)
{
    mill_table *t = table(p);
    out(mill_stream_left_join_table(left(p), t, both, NULL, mill_joined_as("enrich")));
}

static void table_behind_a_new_key(struct pipeline *p)
{
    mill_stream *l = rekeyed(left(p));
    out(mill_stream_join_table(l, table(p), both, NULL, mill_joined_as(NULL)));
}

static void table_left_behind_a_new_key(struct pipeline *p)
{
    mill_stream *l = rekeyed(left(p));
    out(mill_stream_left_join_table(l, table(p), both, NULL, mill_joined_as(NULL)));
}

static void table_behind_a_new_key_named(struct pipeline *p)
{
    mill_stream *l = rekeyed(left(p));
    out(mill_stream_join_table(l, table(p), both, NULL, mill_joined_as("enrich")));
}

static void table_joined_twice_behind_one_new_key(struct pipeline *p)
{
    mill_stream *keyed = rekeyed(left(p));
    mill_table *t = table(p);
    out(mill_stream_join_table(keyed, t, both, NULL, mill_joined_as(NULL)));
    out(mill_stream_left_join_table(keyed, t, both, NULL, mill_joined_as(NULL)));
}

static void table_of_a_table_joins_result(struct pipeline *p)
{
    mill_stream *l = left(p);
    l = mill_stream_join_table(l, table(p), right_alone, NULL, mill_joined_as(NULL));
    mill_table *first = mill_grouped_reduce(mill_stream_group_by_key(right(p)), oldest, NULL, uncached("first"));
    out(mill_stream_left_join_table(l, first, both, NULL, mill_joined_as(NULL)));
}

static bool has_key(const mill_record *record, void *ctx)
{
    return !mill_is_null(record->key);
}

static void versioned(struct pipeline *p, bool with_rest, int64_t grace_ms)
{
    mill_joined joined = mill_joined_as(NULL);
    joined.grace_ms = grace_ms;
    mill_stream *l = left(p);
    if (with_rest)
        l = mill_stream_filter(l, has_key, NULL);
    mill_table *t = mill_topology_table(p->topology, "right", NULL, mill_as_versioned("rows", 40));
    out(with_rest ? mill_stream_left_join_table(l, t, both, NULL, joined) : mill_stream_join_table(l, t, both, NULL, joined));
}

static void versioned_inner(struct pipeline *p)
{
    versioned(p, false, 0);
}

static void versioned_left(struct pipeline *p)
{
    versioned(p, true, 0);
}

static void versioned_after_10_inner(struct pipeline *p)
{
    versioned(p, false, 10);
}

static void versioned_after_10_left(struct pipeline *p)
{
    versioned(p, true, 10);
}

static void versioned_after_30_inner(struct pipeline *p)
{
    versioned(p, false, 30);
}

static void versioned_after_30_left(struct pipeline *p)
{
    versioned(p, true, 30);
}

/* The key of the row: that of the record, or of its value's last digit. */
static int mapped(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    mill_bytes value = record->value;
    if (mill_is_null(value) || value.data[value.len - 1] == '3')
        return 0;
    *result = value.data[value.len - 1] == '5' ? mill_string("b") : record->key;
    return 0;
}

static int own_key(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = record->key;
    return 0;
}

static int own_value(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = record->value;
    return 0;
}

static int last(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = value;
    return 0;
}

static mill_global_table *global(struct pipeline *p, const char *topic, const char *store)
{
    return mill_topology_global_table(p->topology, topic, NULL, mill_as(store));
}

static void global_inner(struct pipeline *p)
{
    mill_global_table *t = global(p, "right", NULL);
    out(mill_stream_join_global_table(left(p), t, mapped, both, NULL, mill_joined_as(NULL)));
}

static void global_left(struct pipeline *p)
{
    mill_stream *l = left(p);
    out(mill_stream_left_join_global_table(l, global(p, "right", NULL), mapped, both, NULL, mill_joined_as(NULL)));
}

static void global_with_names(struct pipeline *p)
{
    mill_global_table *t = mill_global_table_as(global(p, "right", "right-store"), "rows");
    out(mill_stream_left_join_global_table(left(p), t, mapped, both, NULL, mill_joined_as("enrich")));
}

static void global_under_a_stores_name(struct pipeline *p)
{
    mill_global_table *t = global(p, "right", "right-store");
    out(mill_stream_join_global_table(left(p), t, mapped, both, NULL, mill_joined_as(NULL)));
}

static void global_behind_a_new_key_and_regrouped(struct pipeline *p)
{
    mill_global_table *t = global(p, "right", NULL);
    mill_stream *joined = mill_stream_left_join_global_table(rekeyed(left(p)), t, mapped, both, NULL, mill_joined_as(NULL));
    mill_grouped *grouped = mill_stream_group_by_key(joined);
    mill_table_to(mill_grouped_aggregate(grouped, no_aggregate, last, NULL, uncached(NULL)), "out");
}

static void global_twice_and_a_stream(struct pipeline *p)
{
    mill_stream *l = left(p);
    mill_global_table *t = global(p, "right", NULL);
    mill_global_table *other = global(p, "other", NULL);
    l = mill_stream_join_global_table(l, t, own_key, right_alone, NULL, mill_joined_as(NULL));
    out(mill_stream_left_join_global_table(l, other, own_value, both, NULL, mill_joined_as(NULL)));
    mill_grouped_count(mill_stream_group_by_key(left(p)), uncached(NULL));
}

/* ---- two streams: "streams <kind> <before> <after> <grace>" -------------------------------------------------------------- */

static mill_join_windows ten(void)
{
    return mill_join_within(10, 5);
}

static void streams_of(struct pipeline *p, const char *kind, mill_join_windows windows)
{
    mill_stream *l = left(p);
    if (strcmp(kind, "inner") == 0)
        out(mill_stream_join(l, right(p), both, NULL, windows, mill_joined_as(NULL)));
    else if (strcmp(kind, "left") == 0)
        out(mill_stream_left_join(l, right(p), both, NULL, windows, mill_joined_as(NULL)));
    else if (strcmp(kind, "outer") == 0)
        out(mill_stream_outer_join(l, right(p), both, NULL, windows, mill_joined_as(NULL)));
    else
        out(mill_stream_join(l, l, both, NULL, windows, mill_joined_as(NULL)));
}

static int left_alone(mill_bytes key, mill_bytes left_value, mill_bytes right_value, mill_bytes *result, mill_context *context,
                      void *ctx)
{
    *result = left_value;
    return 0;
}

static void streams_with_names(struct pipeline *p)
{
    mill_joined joined = mill_joined_as("pair");
    joined.store_name = "kept";
    mill_stream *l = left(p);
    out(mill_stream_outer_join(l, right(p), both, NULL, ten(), joined));
}

static void streams_with_a_name(struct pipeline *p)
{
    mill_stream *l = left(p);
    out(mill_stream_left_join(l, right(p), both, NULL, ten(), mill_joined_as("pair")));
}

static void streams_behind_new_keys(struct pipeline *p)
{
    mill_stream *l = rekeyed(left(p));
    out(mill_stream_join(l, rekeyed(right(p)), both, NULL, ten(), mill_joined_as(NULL)));
}

static void streams_left_behind_new_keys_named(struct pipeline *p)
{
    mill_stream *l = rekeyed(left(p));
    out(mill_stream_left_join(l, rekeyed(right(p)), both, NULL, ten(), mill_joined_as("pair")));
}

static void streams_outer_behind_one_new_key(struct pipeline *p)
{
    mill_stream *l = rekeyed(left(p));
    out(mill_stream_outer_join(l, right(p), both, NULL, ten(), mill_joined_as(NULL)));
}

static void optimized_self(struct pipeline *p)
{
    mill_stream *l = left(p);
    out(mill_stream_join(l, l, both, NULL, ten(), mill_joined_as(NULL)));
}

static void optimized_left_self_with_bounds_that_differ(struct pipeline *p)
{
    mill_join_windows windows = { 3, 12, 2 };
    mill_stream *l = rekeyed(left(p));
    out(mill_stream_left_join(l, l, both, NULL, windows, mill_joined_as("pair")));
}

static void optimized_self_of_two_handles(struct pipeline *p)
{
    mill_join_windows windows = { 10, -2, 0 };
    mill_stream *l = left(p);
    out(mill_stream_outer_join(l, left(p), both, NULL, windows, mill_joined_as(NULL)));
}

static void streams_joined_twice_then_counted(struct pipeline *p)
{
    mill_stream *l = left(p);
    mill_stream *pairs = mill_stream_join(l, right(p), left_alone, NULL, ten(), mill_joined_as(NULL));
    pairs = mill_stream_outer_join(pairs, right(p), both, NULL, ten(), mill_joined_as(NULL));
    mill_table_to(mill_grouped_aggregate(mill_stream_group_by_key(pairs), no_aggregate, last, NULL, uncached(NULL)), "out");
}

static const struct named_pipeline {
    const char *name;
    void (*build)(struct pipeline *p);
} PIPELINES[] = {
    { "table inner", table_inner },
    { "table left", table_left },
    { "table declared first", table_declared_first },
    { "table behind a new key", table_behind_a_new_key },
    { "table left behind a new key", table_left_behind_a_new_key },
    { "table behind a new key, named", table_behind_a_new_key_named },
    { "table joined twice behind one new key", table_joined_twice_behind_one_new_key },
    { "table of a table join's result", table_of_a_table_joins_result },
    { "versioned inner", versioned_inner },
    { "versioned left", versioned_left },
    { "versioned after 10 inner", versioned_after_10_inner },
    { "versioned after 10 left", versioned_after_10_left },
    { "versioned after 30 inner", versioned_after_30_inner },
    { "versioned after 30 left", versioned_after_30_left },
    { "global inner", global_inner },
    { "global left", global_left },
    { "global with names", global_with_names },
    { "global under a store's name", global_under_a_stores_name },
    { "global behind a new key and regrouped", global_behind_a_new_key_and_regrouped },
    { "global twice, and a stream", global_twice_and_a_stream },
    { "streams with names", streams_with_names },
    { "streams with a name", streams_with_a_name },
    { "streams behind new keys", streams_behind_new_keys },
    { "streams left behind new keys, named", streams_left_behind_new_keys_named },
    { "streams outer behind one new key", streams_outer_behind_one_new_key },
    { "streams joined twice, then counted", streams_joined_twice_then_counted },
    { "optimized self", optimized_self },
    { "optimized left self with bounds that differ", optimized_left_self_with_bounds_that_differ },
    { "optimized self of two handles", optimized_self_of_two_handles },
};

enum {
    PIPELINE_COUNT = sizeof PIPELINES / sizeof PIPELINES[0],
    WINDOWED_COUNT = 4 * 9, /* kinds and windows of two streams */
    LINE_BYTES = 1024,
    TEXT_BYTES = 1 << 16
};

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
    snprintf(path, sizeof path, "%.*s/kafka_streams_joins.txt", (int)(slash - __FILE__), __FILE__);
    facts->file = fopen(path, "r");
    assert_non_null(facts->file);
    read_line(facts);
}

/* What follows `mark` in the lines that begin with it, each with `separator` behind it, in facts->text. */
static void read_lines(struct facts *facts, const char *mark, const char *separator)
{
    size_t len = 0;
    facts->text[0] = '\0';
    for (; strncmp(facts->line, mark, strlen(mark)) == 0; read_line(facts))
        len += (size_t)snprintf(facts->text + len, TEXT_BYTES - len, "%s%s", facts->line + strlen(mark), separator);
    assert_true(len < TEXT_BYTES);
}

static void compare_description(struct facts *facts, struct pipeline *p)
{
    read_lines(facts, "=", "\n");
    facts->text[strlen(facts->text) - 1] = '\0'; /* the text was split at its newlines: the last piece had none */
    char *ours = mill_topology_describe(p->topology);
    if (ours == NULL)
        fail_msg("%s: %s", facts->name, mill_topology_error(p->topology));
    if (strcmp(ours, facts->text) != 0)
        fail_msg("%s:\n%s\nin Kafka Streams:\n%s", facts->name, ours, facts->text);
    mill_free(ours);
}

/* "> topic key=value@timestamp" */
static void pipe_line(struct pipeline *p, char *line)
{
    char *topic = line + 2;
    char *key = strchr(topic, ' ') + 1;
    char *value = strchr(key, '=') + 1;
    char *timestamp = strrchr(value, '@') + 1;
    key[-1] = value[-1] = timestamp[-1] = '\0';
    pipeline_pipe(p, topic, strcmp(key, "~") == 0 ? NULL : key, strcmp(value, "~") == 0 ? NULL : value, atoll(timestamp));
}

static void compare_outputs(struct facts *facts, struct pipeline *p)
{
    while (facts->line[0] == '>') {
        char input[LINE_BYTES];
        snprintf(input, sizeof input, "%s", facts->line);
        pipe_line(p, facts->line);
        read_line(facts);
        read_lines(facts, "< ", " ");
        const char *ours = pipeline_read(p, "out");
        if (strncmp(ours, facts->text, strlen(ours)) != 0 || strlen(facts->text) != strlen(ours) + (ours[0] != '\0'))
            fail_msg("%s: %s: \"%s\", in Kafka Streams \"%s\"", facts->name, input, ours, facts->text);
    }
    assert_int_equal(facts->line[0], '!');
    if (mill_test_driver_dropped(p->driver, NULL) != atoll(facts->line + 2))
        fail_msg("%s: %lld records dropped, in Kafka Streams %s", facts->name,
                 (long long)mill_test_driver_dropped(p->driver, NULL), facts->line + 2);
    read_line(facts);
}

static void build(struct facts *facts, struct pipeline *p)
{
    char kind[16];
    int before;
    int after;
    int grace;
    if (sscanf(facts->name, "streams %15s %d %d %d", kind, &before, &after, &grace) == 4) {
        streams_of(p, kind, (mill_join_windows){ before, after, grace });
        return;
    }
    for (size_t i = 0; i < PIPELINE_COUNT; i++)
        if (strcmp(PIPELINES[i].name, facts->name) == 0) {
            if (strncmp(facts->name, "optimized", 9) == 0)
                mill_topology_optimize(p->topology, "single.store.self.join");
            PIPELINES[i].build(p);
            return;
        }
    fail_msg("no pipeline is called \"%s\"", facts->name);
}

static void every_join_does_what_kafka_streams_does(void **state)
{
    static struct facts facts;
    open_facts(&facts);
    size_t compared = 0;
    for (; facts.line[0] == '#'; compared++) {
        memcpy(facts.name, facts.line + 4, LINE_BYTES - 4);
        read_line(&facts);
        struct pipeline p = pipeline_begin();
        build(&facts, &p);
        compare_description(&facts, &p);
        p.driver = mill_test_driver_new(p.topology, (const char *[]){ "mill.compat", "kafka", NULL }, 0);
        assert_non_null(p.driver);
        compare_outputs(&facts, &p);
        pipeline_end(&p);
    }
    assert_int_equal(compared, PIPELINE_COUNT + WINDOWED_COUNT);
    fclose(facts.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_join_does_what_kafka_streams_does) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
