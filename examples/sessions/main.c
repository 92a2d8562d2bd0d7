/*
 * Visits of a web site, from its access log.
 *
 *     topic access-log        lines in Common or Combined Log Format
 *       -> visits             (client, end and start of the visit) -> pages, seconds, entry page, exit page: text, tabs between;
 *                             null when a visit was continued, and now has another end or start
 *       -> live-visitors      ("?site", five minutes) -> how many different clients were there, an 8-byte count
 *
 * A visit is what a client asks for without a pause of more than 30 minutes. Its entry page is the first by time, its exit page
 * the last; of several within the same second the first and the last by their bytes, so that it does not matter in which order
 * lines are read. Event time is the line's own; lines of another form are skipped and counted.
 *
 *     sessions [--grace SECONDS] [-X name=value]...
 *
 * A visit or five minutes take lines until they are --grace (10 minutes) past their end by the log's own clock; later ones are
 * skipped and counted as "late".
 */
#include <millstream/millstream.h>

#include "access_log.h"
#include "options.h"

/* ---- a visit as bytes: this head, then the entry page, then the exit page ------------------------------------------------- */

struct visit_head {
    int64_t pages;
    int64_t first_ms;
    int64_t last_ms;
    uint64_t entry_bytes;
};

struct visit {
    struct visit_head head;
    mill_bytes entry;
    mill_bytes exit;
};

static struct visit visit_read(mill_bytes bytes)
{
    struct visit visit;
    memcpy(&visit.head, bytes.data, sizeof visit.head);
    const uint8_t *pages = bytes.data + sizeof visit.head;
    visit.entry = mill_bytes_of(pages, visit.head.entry_bytes);
    visit.exit = mill_bytes_of(pages + visit.entry.len, bytes.len - sizeof visit.head - visit.entry.len);
    return visit;
}

static int visit_write(struct visit visit, mill_bytes *bytes, mill_context *context)
{
    size_t len = sizeof visit.head + visit.entry.len + visit.exit.len;
    uint8_t *to = mill_context_alloc(context, len);
    if (to == NULL)
        return MILL_ENOMEM;
    visit.head.entry_bytes = visit.entry.len;
    memcpy(to, &visit.head, sizeof visit.head);
    memcpy(to + sizeof visit.head, visit.entry.data, visit.entry.len);
    memcpy(to + sizeof visit.head + visit.entry.len, visit.exit.data, visit.exit.len);
    *bytes = mill_bytes_of(to, len);
    return MILL_OK;
}

/* Below 0: the page at time `a_ms` comes first. */
static int64_t page_order(int64_t a_ms, mill_bytes a, int64_t b_ms, mill_bytes b)
{
    return a_ms != b_ms ? a_ms - b_ms : mill_bytes_compare(a, b);
}

/* Two parts of a visit, in whatever order, become one. */
static int join_visits(mill_bytes *joined, mill_bytes other, mill_context *context, void *ctx)
{
    struct visit a = visit_read(*joined);
    struct visit b = visit_read(other);
    bool starts = page_order(a.head.first_ms, a.entry, b.head.first_ms, b.entry) <= 0;
    bool ends = page_order(a.head.last_ms, a.exit, b.head.last_ms, b.exit) >= 0;
    struct visit visit = { .head = { .pages = a.head.pages + b.head.pages,
                                     .first_ms = starts ? a.head.first_ms : b.head.first_ms,
                                     .last_ms = ends ? a.head.last_ms : b.head.last_ms },
                           .entry = starts ? a.entry : b.entry,
                           .exit = ends ? a.exit : b.exit };
    return visit_write(visit, joined, context);
}

static int show_visit(const mill_record *record, mill_bytes *text, mill_context *context, void *ctx)
{
    if (mill_is_null(record->value))
        return MILL_OK;
    struct visit visit = visit_read(record->value);
    size_t room = visit.entry.len + visit.exit.len + 64;
    char *to = mill_context_alloc(context, room);
    if (to == NULL)
        return MILL_ENOMEM;
    int head = snprintf(to, room, "%lld\t%lld\t", (long long)visit.head.pages,
                        (long long)(visit.head.last_ms - visit.head.first_ms) / 1000);
    size_t len = (size_t)head;
    memcpy(to + len, visit.entry.data, visit.entry.len);
    len += visit.entry.len;
    to[len++] = '\t';
    memcpy(to + len, visit.exit.data, visit.exit.len);
    *text = mill_bytes_of(to, len + visit.exit.len);
    return MILL_OK;
}

/* ---- the pipeline ---------------------------------------------------------------------------------------------------------- */

/* A line becomes (client, a visit of one page) at the line's own time. */
static int parse_hit(const mill_record *line, mill_emitter *out, void *ctx)
{
    struct access_log_line hit;
    if (!access_log_parse(line->value, &hit)) {
        mill_context_drop(mill_emitter_context(out), "malformed");
        return MILL_OK;
    }
    struct visit visit = { { 1, hit.time_ms, hit.time_ms, 0 }, hit.page, hit.page };
    mill_record record = { .key = hit.client, .timestamp_ms = hit.time_ms };
    int code = visit_write(visit, &record.value, mill_emitter_context(out));
    return code < 0 ? code : mill_emit(out, &record);
}

static int client_of_site(const mill_record *hit, mill_record *visitor, mill_context *context, void *ctx)
{
    visitor->key = mill_string("?site");
    visitor->value = hit->key;
    return MILL_OK;
}

static void build(mill_topology *topology, int64_t grace_ms)
{
    mill_stream *hits = mill_stream_flat_map(mill_topology_stream(topology, "access-log", NULL), parse_hit, NULL);

    mill_grouped *by_client = mill_grouped_as(mill_stream_group_by_key(hits), "by-client");
    mill_session_windowed *visits = mill_grouped_windowed_by_session(by_client, mill_window_session(MILL_MINUTES(30), grace_ms));
    mill_table *joined = mill_session_windowed_reduce(visits, join_visits, NULL, mill_as("visits"));
    mill_stream_to(mill_stream_map_values(mill_table_to_stream(joined), show_visit, NULL), "visits");

    mill_grouped *site = mill_grouped_as(mill_stream_group_by_key(mill_stream_map(hits, client_of_site, NULL)), "site");
    mill_windowed *live = mill_grouped_windowed_by(site, mill_window_tumbling(MILL_MINUTES(5), grace_ms));
    mill_table_to(mill_windowed_count_distinct(live, mill_as("live")), "live-visitors");
}

int main(int argc, char **argv)
{
    static const char *const DEFAULTS[] = { "commit.interval.ms", "1000", NULL };
    int64_t grace_seconds = take_number(&argc, argv, "--grace", 600, INT32_MAX, "seconds that a visit waits for late lines");
    mill_topology *topology = mill_topology_new();
    build(topology, MILL_SECONDS(grace_seconds));
    return mill_main_with(argc, argv, "sessions", topology, DEFAULTS);
}
