#include "cli/topic_reader.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "record/batch.h"

enum { RECORDS_PER_FILL = 256, RETRY_US = 500000, UNPACKED_BYTES_MAX = 1 << 28, HEADER_BYTES_MAX = 1 << 24 };

bool topic_start_parse(const char *text, struct topic_start *start)
{
    if (strcmp(text, "beginning") == 0 || strcmp(text, "end") == 0) {
        *start = (struct topic_start){ text[0] == 'b' ? TOPIC_START_BEGINNING : TOPIC_START_END, 0 };
        return true;
    }
    bool is_time = text[0] == '@';
    char *end;
    errno = 0;
    long long number = strtoll(text + is_time, &end, 10);
    bool is_back = text[0] == '-';
    if (errno != 0 || end == text + is_time || *end != '\0' || (is_time && number < 0) || number == LLONG_MIN)
        return false;
    *start = is_time   ? (struct topic_start){ TOPIC_START_TIME_MS, number }
             : is_back ? (struct topic_start){ TOPIC_START_BACK, -number }
                       : (struct topic_start){ TOPIC_START_OFFSET, number };
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static void fail(struct topic_reader *reader, int code, const char *text)
{
    char full[ERROR_TEXT_BYTES + 128];
    snprintf(full, sizeof full, "topic %s: %s", reader->topic, text[0] ? text : mill_error_text(code));
    reader->stopped = true;
    session_fail(reader->session, code, full);
}

/* The records of one batch from `first` on. 0, or an error. */
static int give_batch(struct topic_reader *reader, int32_t partition, mill_bytes batch, int64_t first)
{
    struct batch_record records[RECORDS_PER_FILL];
    int code = batch_reader_open(&reader->batches, batch, false);
    if (code == 0)
        code = batch_reader_skip_to(&reader->batches, first);
    while (code == 0) {
        int count = batch_reader_fill(&reader->batches, records, RECORDS_PER_FILL);
        if (count <= 0)
            return count;
        for (int i = 0; code == 0 && i < count && !reader->stopped; i++) {
            code = batch_record_load_headers(&records[i], &reader->headers);
            if (code == 0)
                reader->stopped = !reader->events->record(reader->ctx, partition, &records[i]);
        }
        arena_clear(&reader->headers);
        if (reader->stopped)
            return 0;
    }
    return code;
}

static int give_run(struct topic_reader *reader, const struct fetched *fetched)
{
    mill_bytes region = fetched->batches.bytes;
    mill_bytes batch;
    struct batch_header header;
    int code = 0;
    while (!reader->stopped && (code = batch_next(&region, &batch, &header)) == 1) {
        code = give_batch(reader, fetched->partition->index, batch, fetched->first_offset);
        if (code < 0)
            return code;
    }
    return reader->stopped ? 0 : code;
}

static void on_ready(void *ctx, struct io_time now)
{
    struct topic_reader *reader = ctx;
    struct fetched fetched;
    while (!reader->stopped && consumer_next(reader->consumer, &fetched)) {
        int code = give_run(reader, &fetched);
        fetched_release(&fetched);
        if (code < 0)
            fail(reader, code, "");
    }
    if (!reader->stopped)
        reader->events->idle(reader->ctx, now);
}

static void on_failed(void *ctx, struct consumer_partition *partition, int code, const char *text)
{
    fail(ctx, code, text);
}

/* ---- starting ------------------------------------------------------------------------------------------------------------ */

static int64_t start_offset(const struct topic_reader *reader, const struct offset_query *low, const struct offset_query *end)
{
    switch (reader->start.kind) {
    case TOPIC_START_END:
        return end->offset;
    case TOPIC_START_OFFSET:
        return reader->start.number;
    case TOPIC_START_BACK:
        return end->offset - low->offset > reader->start.number ? end->offset - reader->start.number : low->offset;
    default:
        return low->offset >= 0 ? low->offset : end->offset; /* no record at or after that time */
    }
}

/* The brokers answer, but none of them leads a partition that is asked for. */
static bool has_no_leader(const struct topic_reader *reader, const struct offset_query *queries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (queries[i].code == MILL_ETIMEOUT && queries[i].topic->partition_count > queries[i].partition &&
            client_leader(reader->session->client, queries[i].topic, queries[i].partition) < 0)
            return true;
    return false;
}

static void looked_up(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now)
{
    static const struct consumer_events EVENTS = { on_ready, on_failed, NULL };
    struct topic_reader *reader = ctx;
    reader->looking_up = NULL;
    if (code == MILL_ETIMEOUT && has_no_leader(reader, queries, count)) {
        fail(reader, MILL_EBROKER, "a partition has no leader: its broker is away, or has said why it cannot open its files");
        return;
    }
    if (code < 0) {
        fail(reader, code, "");
        return;
    }
    reader->consumer = consumer_new(reader->session->client, &reader->options, &EVENTS, reader);
    for (size_t i = 0; reader->consumer != NULL && i < count / 2; i++) {
        const struct offset_query *query = &queries[2 * i];
        reader->ends[i] = queries[2 * i + 1].offset;
        reader->partitions[i] =
            consumer_assign(reader->consumer, query->topic, query->partition, start_offset(reader, query, query + 1));
        if (reader->partitions[i] == NULL)
            break;
        reader->partition_count = i + 1;
    }
    if (reader->partition_count < count / 2)
        fail(reader, MILL_ENOMEM, "");
    else
        reader->events->idle(reader->ctx, now);
}

static void look_up(struct topic_reader *reader, int32_t first, int32_t until)
{
    size_t count = (size_t)(until - first);
    struct offset_query *queries = mem_calloc(2 * count, sizeof *queries);
    reader->partitions = mem_calloc(count, sizeof *reader->partitions);
    reader->ends = mem_calloc(count, sizeof *reader->ends);
    reader->handle = client_topic(reader->session->client, reader->topic);
    bool has_memory = queries != NULL && reader->partitions != NULL && reader->ends != NULL && reader->handle != NULL;
    for (size_t i = 0; has_memory && i < count; i++) {
        bool by_time = reader->start.kind == TOPIC_START_TIME_MS;
        queries[2 * i] = (struct offset_query){ .topic = reader->handle,
                                                .partition = first + (int32_t)i,
                                                .timestamp_ms = by_time ? reader->start.number : OFFSET_AT_START };
        queries[2 * i + 1] = queries[2 * i];
        queries[2 * i + 1].timestamp_ms = OFFSET_AT_END;
    }
    if (has_memory)
        reader->looking_up =
            offset_lookup_start(reader->session->client, queries, 2 * count, reader->options.read_committed, looked_up, reader);
    if (reader->looking_up == NULL)
        fail(reader, MILL_ENOMEM, "");
    mem_free(queries);
}

static void described(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count, struct io_time now)
{
    struct topic_reader *reader = ctx;
    reader->describing = NULL;
    int result = count > 0 ? topics[0].code : code;
    if (result == MILL_ENOTFOUND && reader->waits_for_topic)
        loop_timer_set(reader->session->loop, &reader->retry, now.monotonic_us + RETRY_US);
    else if (result < 0 || count == 0)
        fail(reader, result < 0 ? result : MILL_EPROTOCOL, result == MILL_ENOTFOUND ? "there is no such topic" : text);
    else if (reader->partition >= topics[0].partition_count)
        fail(reader, MILL_ENOTFOUND, "the topic has no such partition");
    else if (reader->partition >= 0)
        look_up(reader, reader->partition, reader->partition + 1);
    else
        look_up(reader, 0, topics[0].partition_count);
}

static void describe(struct topic_reader *reader)
{
    reader->describing = admin_describe_topics(reader->session->client, &reader->topic, 1, described, reader);
    if (reader->describing == NULL)
        fail(reader, MILL_ENOMEM, "");
}

static void on_retry(struct loop_timer *timer, struct io_time now)
{
    describe(timer->ctx);
}

void topic_reader_open(struct topic_reader *reader)
{
    reader->retry = (struct loop_timer){ .fire = on_retry, .ctx = reader };
    batch_reader_init(&reader->batches, UNPACKED_BYTES_MAX);
    arena_init(&reader->headers, 4096, HEADER_BYTES_MAX);
    if (consumer_options_read(&reader->options, &reader->session->config) < 0)
        fail(reader, MILL_EINVALID, reader->session->config.error.text);
    else
        describe(reader);
}

void topic_reader_close(struct topic_reader *reader)
{
    reader->stopped = true;
    if (reader->events == NULL)
        return;
    loop_timer_cancel(reader->session->loop, &reader->retry);
    if (reader->describing != NULL)
        admin_cancel(reader->describing);
    if (reader->looking_up != NULL)
        offset_lookup_cancel(reader->looking_up);
    if (reader->consumer != NULL)
        consumer_free(reader->consumer);
    batch_reader_release(&reader->batches);
    arena_release(&reader->headers);
    mem_free(reader->partitions);
    mem_free(reader->ends);
    *reader = (struct topic_reader){ .stopped = true };
}

bool topic_reader_at_end(const struct topic_reader *reader)
{
    for (size_t i = 0; i < reader->partition_count; i++)
        if (consumer_position(reader->partitions[i]) < reader->ends[i])
            return false;
    return reader->partition_count > 0;
}

int64_t topic_reader_lag(const struct topic_reader *reader)
{
    int64_t sum = 0;
    for (size_t i = 0; i < reader->partition_count; i++) {
        int64_t lag = consumer_lag(reader->partitions[i]);
        sum += lag > 0 ? lag : 0;
    }
    return sum;
}
