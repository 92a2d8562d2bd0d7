/*
 * What services log while they do what: each line of their log joined with the span of the trace that it was written in.
 *
 *     topic service-log       rows of CSV: Timestamp,...,PodName,...,TraceID,SpanID,{"log":"clock LEVEL text"}
 *     topic spans             rows of CSV: TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,...
 *       -> operation-logs     (operation, five minutes) -> errors,lines
 *
 * A line and a span of one trace and span id meet when the span began at most five minutes before or after the line was
 * written. Event time is the row's own; keys of the result are windowed (the key, then the window's start as 8 bytes). Rows of
 * another form are skipped and counted.
 *
 *     trace_join [--grace MINUTES] [-X name=value]...
 *
 * Lines and spans may come --grace (10) minutes after those that they belong to.
 */
#include <stdio.h>

#include <millstream/millstream.h>

#include "fields.h"
#include "options.h"
#include "service_log.h"
#include "span.h"

enum { TEXT_BYTES = 48 };

/* "trace/span"; null without memory. */
static mill_bytes id_of(mill_context *context, mill_bytes trace_id, mill_bytes span_id)
{
    size_t room = trace_id.len + span_id.len + 2;
    char *id = mill_context_alloc(context, room);
    if (id == NULL)
        return mill_null();
    int len = snprintf(id, room, "%.*s/%.*s", (int)trace_id.len, (const char *)trace_id.data, (int)span_id.len,
                       (const char *)span_id.data);
    return mill_bytes_of(id, (size_t)len);
}

static int send_under_id(mill_emitter *out, mill_bytes trace_id, mill_bytes span_id, mill_bytes value, int64_t time_ms)
{
    mill_record record = { .key = id_of(mill_emitter_context(out), trace_id, span_id), .value = value, .timestamp_ms = time_ms };
    return mill_is_null(record.key) ? MILL_ENOMEM : mill_emit(out, &record);
}

/* A row of the log becomes id -> level. */
static int parse_line(const mill_record *row, mill_emitter *out, void *ctx)
{
    struct service_log_line line;
    uint8_t *room = mill_context_alloc(mill_emitter_context(out), row->value.len + 1);
    if (room == NULL)
        return MILL_ENOMEM;
    if (!service_log_parse(row->value, room, &line)) {
        mill_context_drop(mill_emitter_context(out), "malformed");
        return MILL_OK;
    }
    return send_under_id(out, line.trace_id, line.span_id, line.level, line.time_ms);
}

/* A span becomes id -> operation. */
static int parse_span(const mill_record *row, mill_emitter *out, void *ctx)
{
    struct span span;
    if (!span_parse(row->value, &span)) {
        mill_context_drop(mill_emitter_context(out), "malformed");
        return MILL_OK;
    }
    return send_under_id(out, span.trace_id, span.span_id, span.operation, span.time_ms);
}

/* "LEVEL operation" */
static int level_and_operation(mill_bytes id, mill_bytes level, mill_bytes operation, mill_bytes *result, mill_context *context,
                               void *ctx)
{
    size_t room = level.len + operation.len + 2;
    char *text = mill_context_alloc(context, room);
    if (text == NULL)
        return MILL_ENOMEM;
    int len = snprintf(text, room, "%.*s %.*s", (int)level.len, (const char *)level.data, (int)operation.len,
                       (const char *)operation.data);
    *result = mill_bytes_of(text, (size_t)len);
    return MILL_OK;
}

static int operation_of(const mill_record *pair, mill_bytes *key, mill_context *context, void *ctx)
{
    size_t level = 0;
    while (pair->value.data[level] != ' ')
        level++;
    *key = mill_bytes_of(pair->value.data + level + 1, pair->value.len - level - 1);
    return MILL_OK;
}

static int nothing_yet(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("0,0");
    return MILL_OK;
}

/* "errors,lines" and one more line. */
static int add_line(mill_bytes operation, mill_bytes pair, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    struct csv_row row = csv_row_of(*aggregate);
    mill_bytes field;
    int64_t errors;
    int64_t lines;
    if (!csv_next(&row, &field) || !number_parse(field, &errors) || !csv_next(&row, &field) || !number_parse(field, &lines))
        return mill_context_error(context, MILL_ECORRUPT, "the stored counts are no two numbers");
    bool is_error = pair.len > 6 && mill_bytes_equal(mill_bytes_of(pair.data, 6), mill_string("ERROR "));
    char *text = mill_context_alloc(context, TEXT_BYTES);
    if (text == NULL)
        return MILL_ENOMEM;
    int len = snprintf(text, TEXT_BYTES, "%lld,%lld", (long long)errors + is_error, (long long)lines + 1);
    *aggregate = mill_bytes_of(text, (size_t)len);
    return MILL_OK;
}

static void build(mill_topology *topology, int64_t grace_ms)
{
    mill_stream *lines = mill_stream_flat_map(mill_topology_stream(topology, "service-log", NULL), parse_line, NULL);
    mill_stream *spans = mill_stream_flat_map(mill_topology_stream(topology, "spans", NULL), parse_span, NULL);
    mill_join_windows five_minutes = mill_join_within(MILL_MINUTES(5), grace_ms);
    mill_stream *pairs = mill_stream_join(lines, spans, level_and_operation, NULL, five_minutes, mill_joined_as("traced"));

    mill_grouped *by_operation = mill_grouped_as(mill_stream_group_by(pairs, operation_of, NULL), "by-operation");
    mill_windowed *windows = mill_grouped_windowed_by(by_operation, mill_window_tumbling(MILL_MINUTES(5), grace_ms));
    mill_table *counts = mill_windowed_aggregate(windows, nothing_yet, add_line, NULL, mill_as("operation-logs"));
    mill_table_to(counts, "operation-logs");
}

int main(int argc, char **argv)
{
    static const char *const DEFAULTS[] = { "commit.interval.ms", "1000", NULL };
    int64_t grace_minutes = take_number(&argc, argv, "--grace", 10, 10000000,
                                        "minutes that lines and spans may come after those that they belong to");
    mill_topology *topology = mill_topology_new();
    build(topology, MILL_MINUTES(grace_minutes));
    return mill_main_with(argc, argv, "trace-join", topology, DEFAULTS);
}
