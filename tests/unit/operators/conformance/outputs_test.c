/*
 * Outputs against Kafka Streams': the random records that KafkaStreamsOutputs.java piped through Apache Kafka 4.3.1's
 * TopologyTestDriver, with caches and without, are piped through the same pipelines here; every output record, its order and
 * timestamp, and the number of dropped records must be the same.
 *
 * One difference is meant: the timestamp of a deletion that comes out of a cache ("@-" in the facts). Kafka Streams gives it
 * that of the record that deletes, but without a cache the largest seen; ours does not depend on the cache.
 */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

/* ---- the user's functions, as in the Java program ------------------------------------------------------------------------ */

/* Java's x + y, which writes null as a word. */
static int java_append(mill_bytes *aggregate, mill_bytes value, mill_context *context)
{
    if (mill_bytes_equal(value, mill_string("del"))) {
        *aggregate = mill_null();
        return 0;
    }
    return concatenate(aggregate, mill_is_null(value) ? mill_string("null") : value, context, NULL);
}

static int reducer(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    return java_append(aggregate, value, context);
}

static int initializer(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("<");
    return 0;
}

static int aggregator(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return java_append(aggregate, value, context);
}

/* Each letter of the value as key, the key as value. */
static int letters(const mill_record *record, mill_emitter *out, void *ctx)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < record->value.len; i++) {
        mill_record letter = *record;
        letter.key = mill_bytes_of(record->value.data + i, 1);
        letter.value = record->key;
        code = mill_emit(out, &letter);
    }
    return code;
}

static bool is_long(const mill_record *record, void *ctx)
{
    return record->value.len > 1;
}

static bool has_no_key(const mill_record *record, void *ctx)
{
    return mill_is_null(record->key);
}

static int exclaim(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_is_null(record->value) ? mill_string("null") : record->value;
    return concatenate(result, mill_string("!"), context, NULL);
}

/* ---- the pipelines ------------------------------------------------------------------------------------------------------- */

static mill_grouped *grouped(struct pipeline *p)
{
    return mill_stream_group_by_key(pipeline_in(p));
}

static mill_windowed *windowed(struct pipeline *p, int64_t size, int64_t advance, int64_t grace)
{
    pipeline_shows(p, size, p->longs);
    return mill_grouped_windowed_by(grouped(p), mill_window_hopping(size, advance, grace));
}

static void count(struct pipeline *p, mill_materialized as)
{
    pipeline_shows(p, 0, true);
    mill_table_to(mill_grouped_count(grouped(p), as), "out");
}

static void reduce(struct pipeline *p, mill_materialized as)
{
    mill_table_to(mill_grouped_reduce(grouped(p), reducer, NULL, as), "out");
}

static void aggregate(struct pipeline *p, mill_materialized as)
{
    mill_table_to(mill_grouped_aggregate(grouped(p), initializer, aggregator, NULL, as), "out");
}

static void count_of_letters(struct pipeline *p, mill_materialized as)
{
    pipeline_shows(p, 0, true);
    mill_stream *stream = mill_stream_flat_map(pipeline_in(p), letters, NULL);
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(stream), as), "out");
}

static void count_of_letters_in_windows(struct pipeline *p, mill_materialized as)
{
    pipeline_shows(p, 10, true);
    mill_grouped *group = mill_stream_group_by_key(mill_stream_flat_map(pipeline_in(p), letters, NULL));
    mill_table_to(mill_windowed_count(mill_grouped_windowed_by(group, mill_window_tumbling(10, 5)), as), "out");
}

static void tumbling_count(struct pipeline *p, mill_materialized as)
{
    p->longs = true;
    mill_table_to(mill_windowed_count(windowed(p, 10, 10, 0), as), "out");
}

static void tumbling_count_with_grace(struct pipeline *p, mill_materialized as)
{
    p->longs = true;
    mill_table_to(mill_windowed_count(windowed(p, 10, 10, 15), as), "out");
}

static void hopping_count(struct pipeline *p, mill_materialized as)
{
    p->longs = true;
    mill_table_to(mill_windowed_count(windowed(p, 12, 5, 8), as), "out");
}

static void hopping_reduce(struct pipeline *p, mill_materialized as)
{
    mill_table_to(mill_windowed_reduce(windowed(p, 20, 7, 10), reducer, NULL, as), "out");
}

static void hopping_aggregate(struct pipeline *p, mill_materialized as)
{
    mill_table_to(mill_windowed_aggregate(windowed(p, 20, 10, 10), initializer, aggregator, NULL, as), "out");
}

static void letters_of_a_branch_merged_back(struct pipeline *p, mill_materialized as)
{
    mill_branches *branches = mill_stream_split(pipeline_in(p));
    mill_stream *longs = mill_branch(branches, is_long, NULL);
    mill_stream *rest = mill_branch_default(branches);
    longs = mill_stream_flat_map(longs, letters, NULL);
    rest = mill_stream_map_values(mill_stream_filter_not(rest, has_no_key, NULL), exclaim, NULL);
    mill_stream_to(mill_stream_merge(longs, rest), "out");
}

static const struct named_pipeline {
    const char *name;
    void (*build)(struct pipeline *p, mill_materialized as);
} PIPELINES[] = {
    { "count", count },
    { "reduce", reduce },
    { "aggregate", aggregate },
    { "count of letters", count_of_letters },
    { "count of letters in windows", count_of_letters_in_windows },
    { "tumbling count", tumbling_count },
    { "tumbling count with grace", tumbling_count_with_grace },
    { "hopping count", hopping_count },
    { "hopping reduce", hopping_reduce },
    { "hopping aggregate", hopping_aggregate },
    { "letters of a branch, merged back", letters_of_a_branch_merged_back },
};

enum { PIPELINE_COUNT = sizeof PIPELINES / sizeof PIPELINES[0], LINE_BYTES = 4096, FACT_COUNT = 21 };

/* ---- the facts ----------------------------------------------------------------------------------------------------------- */

static FILE *open_facts(void)
{
    char path[LINE_BYTES];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/kafka_streams_outputs.txt", (int)(slash - __FILE__), __FILE__);
    FILE *facts = fopen(path, "r");
    assert_non_null(facts);
    return facts;
}

/* Reads a line without its newline; an empty one at the end. */
static void read_line(FILE *facts, char line[LINE_BYTES])
{
    line[0] = '\0';
    if (fgets(line, LINE_BYTES, facts) != NULL)
        line[strcspn(line, "\n")] = '\0';
}

static struct pipeline begin_pipeline(const char *heading)
{
    struct pipeline p = pipeline_begin();
    char name[LINE_BYTES];
    snprintf(name, sizeof name, "%s", heading);
    char *cached = strstr(name, ", cached");
    if (cached != NULL)
        *cached = '\0';
    p.hides_deletion_times = cached != NULL;
    for (size_t i = 0; i < PIPELINE_COUNT; i++)
        if (strcmp(PIPELINES[i].name, name) == 0) {
            PIPELINES[i].build(&p, cached != NULL ? mill_as("store") : uncached("store"));
            pipeline_start(&p);
            return p;
        }
    fail_msg("no pipeline is called \"%s\"", name);
    return p;
}

/* "> key=value@timestamp" */
static void pipe_line(struct pipeline *p, char *line)
{
    char *key = line + 2;
    char *value = strchr(key, '=') + 1;
    char *timestamp = strrchr(value, '@') + 1;
    value[-1] = '\0';
    timestamp[-1] = '\0';
    pipeline_pipe(p, "in", strcmp(key, "~") == 0 ? NULL : key, strcmp(value, "~") == 0 ? NULL : value, atoll(timestamp));
}

/* The outputs of one input as expect prints them; `line` is the line behind them on return. */
static void read_outputs(FILE *facts, char line[LINE_BYTES], char *outputs)
{
    outputs[0] = '\0';
    for (read_line(facts, line); line[0] == '<'; read_line(facts, line)) {
        strcat(outputs, outputs[0] == '\0' ? "" : " ");
        strcat(outputs, line + 2);
    }
}

static void compare_one(FILE *facts, char line[LINE_BYTES])
{
    char heading[LINE_BYTES];
    char input[LINE_BYTES];
    char outputs[4 * LINE_BYTES];
    snprintf(heading, sizeof heading, "%s", line + 4);
    struct pipeline p = begin_pipeline(heading);
    read_line(facts, line);
    while (line[0] == '>') {
        snprintf(input, sizeof input, "%s", line);
        pipe_line(&p, line);
        read_outputs(facts, line, outputs);
        if (strcmp(pipeline_read(&p, "out"), outputs) != 0)
            fail_msg("%s: %s: \"%s\", in Kafka Streams \"%s\"", heading, input, p.text, outputs);
    }
    assert_int_equal(line[0], '!');
    expect_dropped(&p, NULL, atoll(line + 2));
    read_line(facts, line);
    pipeline_end(&p);
}

static void every_pipeline_puts_out_what_kafka_streams_does(void **state)
{
    FILE *facts = open_facts();
    char line[LINE_BYTES];
    int compared = 0;
    for (read_line(facts, line); line[0] == '#'; compared++)
        compare_one(facts, line);
    assert_int_equal(compared, FACT_COUNT);
    fclose(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_pipeline_puts_out_what_kafka_streams_does) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
