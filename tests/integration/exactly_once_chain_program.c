/*
 * The pipeline of exactly_once_chain.py: a windowed aggregation between two repartitions, then a join on ids that are unique.
 *
 *     topic chain-events   "ms user"            by user, through a repartition topic
 *                          the number of a user's events of a minute: without a cache n is 1, 2, 3, ...
 *       -> chain-counts    "user/minute/n" -> "n", an id that comes once
 *                          the same through a second repartition topic
 *     topic chain-details  id -> "ms text"      joined with it, inner
 *       -> chain-results   id -> "n text"
 *
 * Event time is what the values begin with. Nothing is ever late: windows, join and grace are longer than any input.
 *
 *     exactly_once_chain_program [-X name=value]...
 */
#include <inttypes.h>
#include <stdio.h>

#include <millstream/millstream.h>

enum { ID_BYTES = 128, COUNT_TEXT_BYTES = 24 };

/* The number that the value begins with; -1 without one, which drops the record. `*rest` is what comes behind the blank. */
static int64_t leading_ms(mill_bytes value, mill_bytes *rest)
{
    const char *text = value.data == NULL ? "" : (const char *)value.data;
    int64_t ms = 0;
    size_t at = 0;
    for (; at < value.len && at < 15 && text[at] >= '0' && text[at] <= '9'; at++)
        ms = ms * 10 + (text[at] - '0');
    if (at == 0 || at >= value.len || text[at] != ' ')
        return -1;
    *rest = mill_bytes_of(text + at + 1, value.len - at - 1);
    return ms;
}

static int64_t event_time(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    mill_bytes rest;
    return leading_ms(record->value, &rest);
}

static int user_of(const mill_record *event, mill_bytes *user, mill_context *context, void *ctx)
{
    return leading_ms(event->value, user) < 0 ? MILL_EINVALID : MILL_OK;
}

/* (user, minute) -> n becomes "user/minute/n" -> "n". */
static int number_count(const mill_record *count, mill_record *result, mill_context *context, void *ctx)
{
    mill_windowed_key window;
    int64_t n;
    if (!mill_time_window_read(count->key, MILL_MINUTES(1), &window) || !mill_int64_read(count->value, &n))
        return mill_context_error(context, MILL_ECORRUPT, "this is no count of a window");
    char *id = mill_context_alloc(context, ID_BYTES);
    char *text = mill_context_alloc(context, COUNT_TEXT_BYTES);
    if (id == NULL || text == NULL)
        return MILL_ENOMEM;
    int id_bytes = snprintf(id, ID_BYTES, "%.*s/%" PRId64 "/%" PRId64, (int)window.key.len, (const char *)window.key.data,
                            window.start_ms / MILL_MINUTES(1), n);
    if (id_bytes >= ID_BYTES)
        return mill_context_error(context, MILL_ETOOLARGE, "a user's name is too long");
    result->key = mill_bytes_of(id, (size_t)id_bytes);
    result->value = mill_bytes_of(text, (size_t)snprintf(text, COUNT_TEXT_BYTES, "%" PRId64, n));
    return MILL_OK;
}

static int with_detail(mill_bytes id, mill_bytes count, mill_bytes detail, mill_bytes *result, mill_context *context, void *ctx)
{
    mill_bytes text = { 0 };
    if (leading_ms(detail, &text) < 0)
        return mill_context_error(context, MILL_ECORRUPT, "a detail does not begin with its time");
    char *joined = mill_context_alloc(context, count.len + 1 + text.len);
    if (joined == NULL)
        return MILL_ENOMEM;
    memcpy(joined, count.data, count.len);
    joined[count.len] = ' ';
    memcpy(joined + count.len + 1, text.data, text.len);
    *result = mill_bytes_of(joined, count.len + 1 + text.len);
    return MILL_OK;
}

static void build(mill_topology *topology)
{
    mill_source_options in_event_time = { .extractor = event_time };
    mill_stream *events = mill_topology_stream(topology, "chain-events", &in_event_time);
    mill_stream *details = mill_topology_stream(topology, "chain-details", &in_event_time);

    mill_grouped *by_user = mill_grouped_as(mill_stream_group_by(events, user_of, NULL), "by-user");
    mill_windowed *minutes = mill_grouped_windowed_by(by_user, mill_window_tumbling(MILL_MINUTES(1), MILL_DAYS(1)));
    mill_table *counts = mill_windowed_count(minutes, mill_as("counts"));

    mill_stream *numbered = mill_stream_map(mill_table_to_stream(counts), number_count, NULL);
    mill_stream_to(numbered, "chain-counts");
    numbered = mill_stream_repartition(numbered, "by-id", 0);
    mill_stream *joined = mill_stream_join(numbered, details, with_detail, NULL, mill_join_within(MILL_DAYS(1), MILL_DAYS(1)),
                                           mill_joined_as("with-detail"));
    mill_stream_to(joined, "chain-results");
}

int main(int argc, char **argv)
{
    mill_topology *topology = mill_topology_new();
    build(topology);
    return mill_main(argc, argv, "chain", topology);
}
