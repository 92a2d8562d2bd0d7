/* Every kind of changelog: tables, windows, sessions, a suppress buffer, windows that emit on close, both kinds of joins. */
#include <stdarg.h>
#include <stdio.h>

#include "topologies.h"

enum { TEXT_BYTES = 128, TOPIC_BYTES = 250 };

static mill_bytes format_text(mill_context *context, const char *format, ...)
{
    char *text = mill_context_alloc(context, TEXT_BYTES);
    if (text == NULL)
        return mill_null();
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, TEXT_BYTES, format, arguments);
    va_end(arguments);
    return mill_bytes_of(text, len < TEXT_BYTES ? (size_t)len : TEXT_BYTES - 1);
}

/* word -> "note of <word>" */
static int split(const mill_record *record, mill_emitter *out, void *ctx)
{
    struct line line = { .words = mill_string("") };
    mill_record word = *record;
    read_line(record->value, &line);
    int code = MILL_OK;
    while (code == MILL_OK && next_word(&line.words, &word.key)) {
        word.value = format_text(mill_emitter_context(out), "note of %.*s", (int)word.key.len, (const char *)word.key.data);
        code = mill_is_null(word.value) ? MILL_ENOMEM : mill_emit(out, &word);
    }
    return code;
}

/* Which lines, and how far before their numbers their keys are. */
struct choice {
    int divisor;
    int remainder;
    int earlier;
};

static bool is_chosen(const mill_record *record, void *ctx)
{
    const struct choice *choice = ctx;
    struct line line;
    return read_line(record->value, &line) && line.number % choice->divisor == choice->remainder;
}

/* number -> first word */
static int by_number(const mill_record *record, mill_record *result, mill_context *context, void *ctx)
{
    const struct choice *choice = ctx;
    struct line line = { .words = mill_string("") };
    read_line(record->value, &line);
    *result = *record;
    result->key = format_text(context, "%lld", (long long)line.number - choice->earlier);
    next_word(&line.words, &result->value);
    return mill_is_null(result->key) ? MILL_ENOMEM : MILL_OK;
}

static int beside(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    if (mill_is_null(right))
        right = mill_string("null");
    *result = format_text(context, "%.*s|%.*s", (int)left.len, (const char *)left.data, (int)right.len, (const char *)right.data);
    return mill_is_null(*result) ? MILL_ENOMEM : MILL_OK;
}

static int itself(const mill_record *record, mill_bytes *key, mill_context *context, void *ctx)
{
    *key = record->value;
    return MILL_OK;
}

static const char *name_topic(char topic[TOPIC_BYTES], const char *output, const char *what)
{
    snprintf(topic, TOPIC_BYTES, "%s-%s", output, what);
    return topic;
}

static void build_aggregations(mill_stream *words, const char *output)
{
    char topic[TOPIC_BYTES];
    mill_grouped *by_word = mill_grouped_as(mill_stream_group_by_key(words), "words");
    mill_time_windows ten = mill_window_tumbling(MILL_SECONDS(10), MILL_SECONDS(300));
    mill_session_windows visit = mill_window_session(MILL_SECONDS(5), MILL_HOURS(24));

    mill_table_to(mill_grouped_count(by_word, mill_as("totals")), name_topic(topic, output, "totals"));
    mill_table_to(mill_session_windowed_count(mill_grouped_windowed_by_session(by_word, visit), mill_as("visits")),
                  name_topic(topic, output, "visits"));
    mill_suppressed last = mill_suppress_until_window_closes(mill_suppress_unbounded());
    last.name = "last-of-tens";
    mill_table *tens = mill_windowed_count(mill_grouped_windowed_by(by_word, ten), mill_as("tens"));
    mill_table_to(mill_table_suppress(tens, last), name_topic(topic, output, "suppressed"));
    mill_windowed *closed = mill_windowed_emit(mill_grouped_windowed_by(by_word, ten), MILL_EMIT_ON_WINDOW_CLOSE);
    mill_materialized uncached = mill_as("closed");
    uncached.without_cache = true;
    uncached.retention_ms = MILL_HOURS(2);
    mill_table_to(mill_windowed_count(closed, uncached), name_topic(topic, output, "closed"));
}

static void build_joins(mill_stream *lines, mill_stream *words, const char *output)
{
    static struct choice even = { 2, 0, 0 };
    static struct choice behind_fourth = { 4, 1, 1 };
    char topic[TOPIC_BYTES];
    mill_stream *left = mill_stream_map(mill_stream_filter(lines, is_chosen, &even), by_number, &even);
    mill_stream *right = mill_stream_map(mill_stream_filter(lines, is_chosen, &behind_fourth), by_number, &behind_fourth);
    mill_joined pair = mill_joined_as("pair");
    pair.store_name = "pair";
    mill_join_windows windows = mill_join_within(MILL_SECONDS(300), MILL_SECONDS(300));
    mill_stream_to(mill_stream_left_join(left, right, beside, NULL, windows, pair), name_topic(topic, output, "pairs"));

    mill_table *notes = mill_stream_to_table(words, mill_as("notes"));
    mill_table *firsts = mill_stream_to_table(mill_stream_map(lines, by_number, &even), mill_as("firsts"));
    mill_table *noted = mill_table_foreign_key_join(firsts, notes, itself, beside, NULL, mill_joined_as(NULL), mill_as("noted"));
    mill_table_to(noted, name_topic(topic, output, "noted"));
}

void build_stores(mill_topology *topology, const char *input, const char *output)
{
    mill_stream *lines = stream_of_lines(topology, input);
    mill_stream *words = mill_stream_flat_map(lines, split, NULL);
    build_aggregations(words, output);
    build_joins(lines, words, output);
}
