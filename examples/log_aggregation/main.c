/*
 * Errors of services, from their logs, and an alert where there are many.
 *
 *     topic service-log      CSV rows with JSON inside (common/service_log.h)
 *       -> service-errors    (service, window) -> errors in it; windows of five minutes, a new one every minute
 *       -> alerts            the same, where there are more than --threshold
 *
 * Keys are windowed (the service, then the window's start as 8 bytes), values are 8-byte counts, as Kafka Streams writes them.
 * Event time is the row's own. Rows of another form are skipped and counted.
 *
 *     log_aggregation [--threshold ERRORS] [-X name=value]...
 *
 * Services write out of order by minutes: a window takes rows until it is ten minutes past its end by the log's own clock.
 */
#include <millstream/millstream.h>

#include "options.h"
#include "service_log.h"

/* A row becomes (service, level) at the row's own time. */
static int parse_entry(const mill_record *row, mill_emitter *out, void *ctx)
{
    mill_context *context = mill_emitter_context(out);
    struct service_log_line entry;
    uint8_t *room = mill_context_alloc(context, row->value.len);
    if (room == NULL)
        return MILL_ENOMEM;
    if (!service_log_parse(row->value, room, &entry)) {
        mill_context_drop(context, "malformed");
        return MILL_OK;
    }
    return mill_emit(out, &(mill_record){ .key = entry.service, .value = entry.level, .timestamp_ms = entry.time_ms });
}

static bool is_error(const mill_record *entry, void *ctx)
{
    return mill_bytes_equal(entry->value, mill_string("ERROR"));
}

static bool is_above(const mill_record *errors, void *threshold)
{
    int64_t count;
    return mill_int64_read(errors->value, &count) && count > *(const int64_t *)threshold;
}

static void build(mill_topology *topology, int64_t *threshold)
{
    mill_stream *entries = mill_stream_flat_map(mill_topology_stream(topology, "service-log", NULL), parse_entry, NULL);
    mill_grouped *errors = mill_grouped_as(mill_stream_group_by_key(mill_stream_filter(entries, is_error, NULL)), "by-service");
    mill_time_windows five_minutes = mill_window_hopping(MILL_MINUTES(5), MILL_MINUTES(1), MILL_MINUTES(10));

    mill_table *per_service = mill_windowed_count(mill_grouped_windowed_by(errors, five_minutes), mill_as("service-errors"));
    mill_table_to(per_service, "service-errors");
    mill_stream_to(mill_stream_filter(mill_table_to_stream(per_service), is_above, threshold), "alerts");
}

int main(int argc, char **argv)
{
    static const char *const DEFAULTS[] = { "commit.interval.ms", "1000", NULL };
    static int64_t threshold;
    threshold = take_number(&argc, argv, "--threshold", 20, INT32_MAX, "errors in a window above which it is an alert");
    mill_topology *topology = mill_topology_new();
    build(topology, &threshold);
    return mill_main_with(argc, argv, "log-aggregation", topology, DEFAULTS);
}
