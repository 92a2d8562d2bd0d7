/*
 * Page views and unique visitors of a web site, from its access log.
 *
 *     topic access-log        lines in Common or Combined Log Format
 *       -> page-views         (page, minute) -> how often it was asked for
 *       -> unique-visitors    (page, hour)   -> how many different clients asked for it, exactly
 *                             ("?site", hour) the same for the whole site
 *
 * Keys are windowed (the key, then the window's start as 8 bytes), values are 8-byte counts, as Kafka Streams writes them.
 * Event time is the line's own time, whenever it is read. Lines of another form are skipped and counted.
 *
 *     page_views [--grace SECONDS] [-X name=value]...
 *
 * A window takes lines until it is --grace (10 minutes) past its end by the log's own clock; later ones are skipped and counted
 * as "late".
 */
#include <millstream/millstream.h>

#include "access_log.h"
#include "options.h"

/* The key of the whole site: no page has a '?' in it. */
static const char WHOLE_SITE[] = "?site";

/* A line becomes (page, client) at the line's own time. */
static int parse_hit(const mill_record *line, mill_emitter *out, void *ctx)
{
    struct access_log_line hit;
    if (!access_log_parse(line->value, &hit)) {
        mill_context_drop(mill_emitter_context(out), "malformed");
        return MILL_OK;
    }
    return mill_emit(out, &(mill_record){ .key = hit.page, .value = hit.client, .timestamp_ms = hit.time_ms });
}

static int whole_site(const mill_record *hit, mill_bytes *key, mill_context *context, void *ctx)
{
    *key = mill_string(WHOLE_SITE);
    return MILL_OK;
}

static void build(mill_topology *topology, int64_t grace_ms)
{
    mill_time_windows minute = mill_window_tumbling(MILL_MINUTES(1), grace_ms);
    mill_time_windows hour = mill_window_tumbling(MILL_HOURS(1), grace_ms);

    mill_stream *hits = mill_stream_flat_map(mill_topology_stream(topology, "access-log", NULL), parse_hit, NULL);
    mill_grouped *by_page = mill_grouped_as(mill_stream_group_by_key(hits), "by-page");
    mill_grouped *site = mill_grouped_as(mill_stream_group_by(hits, whole_site, NULL), "site");

    mill_table_to(mill_windowed_count(mill_grouped_windowed_by(by_page, minute), mill_as("page-views")), "page-views");
    mill_table_to(mill_windowed_count_distinct(mill_grouped_windowed_by(by_page, hour), mill_as("page-visitors")),
                  "unique-visitors");
    mill_table_to(mill_windowed_count_distinct(mill_grouped_windowed_by(site, hour), mill_as("site-visitors")),
                  "unique-visitors");
}

int main(int argc, char **argv)
{
    static const char *const DEFAULTS[] = { "commit.interval.ms", "1000", NULL };
    int64_t grace_seconds = take_number(&argc, argv, "--grace", 600, INT32_MAX, "seconds that a window waits for late lines");
    mill_topology *topology = mill_topology_new();
    build(topology, MILL_SECONDS(grace_seconds));
    return mill_main_with(argc, argv, "page-views", topology, DEFAULTS);
}
