/*
 * `millstream produce`: lines into a topic.
 *
 *     lines -> [pace] -> partition -> producer -> acknowledged
 *
 * Taking lines stops while the pace is kept, while the producer's memory is above its mark, and while the topic's partitions
 * are unknown; whatever ends the wait calls pump again. The end of the input, or Ctrl-C, flushes: what has been taken is
 * acknowledged or reported. After Ctrl-C there is no waiting for a broker that is not there, and waiting for one that is there is
 * told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/line_reader.h"
#include "cli/session.h"
#include "client/producer.h"
#include "record/default_partitioner.h"

enum { PACE_TICK_US = 10000, SLICE_LINES = 4096, TOLD_ERRORS_MAX = 3, TOPIC_TIMEOUT_US = 5000000 };
enum { PROGRESS_TERMINAL_US = 500000, PROGRESS_US = 5000000, LEAVING_LOOK_US = 1000000 };

struct producing {
    struct session *session;
    struct producer *producer;
    struct producer_topic *topic;
    struct producer_options options;
    struct metadata_listener metadata;
    struct line_reader reader;
    struct loop_timer timer;    /* of the pace, and of giving way to the loop */
    struct loop_timer progress; /* also the limit for waiting on the topic */
    struct loop_timer leaving;  /* after Ctrl-C */
    const char *const *files;   /* to come; ended by NULL */

    const char *key_separator; /* the key is before it, the value behind */
    const char *field_separator;
    int64_t key_field; /* 0: no key from a field; the value is the whole line */
    int64_t rate;      /* lines per second; 0: no limit */
    int64_t count_max; /* -1: no limit */
    int64_t partition; /* -1: by key */
    bool quiet;

    int32_t sticky;
    int64_t sticky_bytes;
    int64_t started_us;
    int64_t lines, bytes, lost;
    int failures; /* batches */
    bool flushing;
    bool waiting_told;
};

/* What client_connected says. */
struct reach {
    bool connected;
    char broker[300];
    char why[300];
};

static struct reach reach_of(const struct producing *p)
{
    struct reach reach;
    reach.connected = client_connected(p->session->client, reach.broker, sizeof reach.broker, reach.why, sizeof reach.why);
    return reach;
}

static void pump(struct producing *p, struct io_time now);

/* ---- telling ------------------------------------------------------------------------------------------------------------- */

static void tell_progress(const struct producing *p, struct io_time now, bool at_end)
{
    double seconds = (double)(now.monotonic_us - p->started_us) / 1e6;
    double rate = seconds > 0 ? (double)p->lines / seconds : 0;
    bool is_terminal = isatty(STDERR_FILENO);
    if (p->quiet)
        return;
    fprintf(stderr, "%s%" PRId64 " lines, %.1f MB in %.1f s, %.0f lines/s, %.1f MB not yet acknowledged%s",
            is_terminal ? "\r\033[K" : "", p->lines, (double)p->bytes / 1e6, seconds, rate,
            (double)producer_buffered_bytes(p->producer) / 1e6, is_terminal && !at_end ? "" : "\n");
}

static void on_progress(struct loop_timer *timer, struct io_time now)
{
    struct producing *p = timer->ctx;
    if (producer_topic_partition_count(p->topic) <= 0 && now.monotonic_us - p->started_us > TOPIC_TIMEOUT_US) {
        const struct client_topic *topic = producer_topic_handle(p->topic);
        struct reach reach = reach_of(p);
        char text[1024];
        if (topic->code < 0)
            snprintf(text, sizeof text, "topic %s: %s", topic->name, mill_error_text(topic->code));
        else
            snprintf(text, sizeof text, "topic %s: no broker answers: %s: %s", topic->name, reach.broker,
                     reach.why[0] ? reach.why : "no answer yet");
        session_fail(p->session, topic->code < 0 ? topic->code : MILL_ECONNECTION, text);
        return;
    }
    if (p->lines > 0)
        tell_progress(p, now, false);
    loop_timer_set(p->session->loop, timer, now.monotonic_us + (isatty(STDERR_FILENO) ? PROGRESS_TERMINAL_US : PROGRESS_US));
}

static void on_failed(void *ctx, const struct producer_failure *failure)
{
    struct producing *p = ctx;
    if (p->failures++ < TOLD_ERRORS_MAX)
        cli_error(NULL, "%s", failure->text);
    p->lost += failure->record_count;
}

static void on_retrying(void *ctx, const struct producer_failure *failure)
{
    cli_error(NULL, "%s", failure->text);
}

/* ---- the end ------------------------------------------------------------------------------------------------------------- */

static void on_flushed(void *ctx, int code, struct io_time now)
{
    struct producing *p = ctx;
    tell_progress(p, now, true);
    if (p->failures > TOLD_ERRORS_MAX)
        cli_error(NULL, "%" PRId64 " of %" PRId64 " lines are lost", p->lost, p->lines);
    session_finish(p->session, p->lost > 0 || code < 0 ? CLI_FAILED : CLI_OK);
}

static void flush(struct producing *p)
{
    if (p->flushing)
        return;
    p->flushing = true;
    if (producer_flush(p->producer, on_flushed, p) < 0)
        session_fail(p->session, MILL_ENOMEM, "");
}

/* There is nobody to send to, and a second Ctrl-C would be needed to say so. */
static void leave_unsent(struct producing *p, const struct reach *reach, struct io_time now)
{
    int64_t left = producer_unacknowledged(p->producer);
    if (p->lines > 0)
        tell_progress(p, now, true);
    if (p->lines == 0)
        cli_error("millstream broker, or -b HOST:PORT for another one", "no line was sent: %s: %s", reach->broker, reach->why);
    else
        cli_error(NULL, "%" PRId64 " of %" PRId64 " lines are not acknowledged, and may be lost: %s: %s", left, p->lines,
                  reach->broker, reach->why);
    session_finish(p->session, CLI_TIMEOUT);
}

static void on_leaving(struct loop_timer *timer, struct io_time now)
{
    struct producing *p = timer->ctx;
    struct reach reach = reach_of(p);
    int64_t left = producer_unacknowledged(p->producer);
    if (p->session->finished)
        return;
    if (!reach.connected) {
        leave_unsent(p, &reach, now);
        return;
    }
    if (!p->waiting_told && left > 0)
        fprintf(stderr, "waiting for %s to acknowledge %" PRId64 " lines; interrupt again to leave without\n", reach.broker,
                left);
    p->waiting_told = true;
    loop_timer_set(p->session->loop, timer, now.monotonic_us + LEAVING_LOOK_US);
}

static void on_interrupted(void *ctx, struct io_time now)
{
    struct producing *p = ctx;
    struct reach reach = reach_of(p);
    if (!reach.connected && (p->lines == 0 || producer_unacknowledged(p->producer) > 0)) {
        leave_unsent(p, &reach, now);
        return;
    }
    flush(p);
    loop_timer_set(p->session->loop, &p->leaving, now.monotonic_us + LEAVING_LOOK_US);
}

/* ---- one line ------------------------------------------------------------------------------------------------------------ */

/* The `number`th field (from 1), or null when there are fewer. */
static mill_bytes field_of(mill_bytes line, const char *separator, int64_t number)
{
    const uint8_t *at = line.data;
    const uint8_t *end = line.data + line.len;
    size_t len = strlen(separator);
    for (;; number--) {
        const uint8_t *next = memmem(at, (size_t)(end - at), separator, len);
        if (number == 1)
            return mill_bytes_of(at, (size_t)((next ? next : end) - at));
        if (next == NULL)
            return mill_null();
        at = next + len;
    }
}

static mill_record record_of(const struct producing *p, mill_bytes line, struct io_time now)
{
    mill_record record = { .value = line, .timestamp_ms = now.wall_ms };
    if (p->key_field > 0)
        record.key = field_of(line, p->field_separator, p->key_field);
    if (p->key_separator == NULL)
        return record;
    size_t len = strlen(p->key_separator);
    const uint8_t *at = memmem(line.data, line.len, p->key_separator, len);
    if (at == NULL)
        return record;
    record.key = mill_bytes_of(line.data, (size_t)(at - line.data));
    record.value = mill_bytes_of(at + len, line.len - record.key.len - len);
    return record;
}

/* By key as Kafka does it; without a key one partition for a batch's worth of lines, then the next. */
static int32_t partition_of(struct producing *p, const mill_record *record, int32_t count)
{
    if (p->partition >= 0)
        return (int32_t)p->partition;
    if (!mill_is_null(record->key))
        return default_partition(record->key, count);
    p->sticky_bytes += (int64_t)record->value.len;
    if (p->sticky_bytes > p->options.batch_bytes) {
        p->sticky_bytes = 0;
        p->sticky++;
    }
    return p->sticky % count;
}

/* 0, or a code that ends everything, which was told. A line that is refused is told and passed over. */
static int send_line(struct producing *p, mill_bytes line, struct io_time now)
{
    mill_record record = record_of(p, line, now);
    int32_t partition = partition_of(p, &record, producer_topic_partition_count(p->topic));
    int code = producer_send(p->producer, p->topic, partition, &record);
    p->lines++;
    p->bytes += (int64_t)line.len;
    if (code == 0)
        return 0;
    if (code == MILL_ETOOLARGE) {
        cli_error("-X max.request.size=...", "line %" PRId64 ": %zu bytes are too many for one record", p->lines, line.len);
        p->lost++;
        return 0;
    }
    const char *text = "";
    if (producer_error(p->producer, &text) == 0)
        text = code == MILL_EINVALID ? "the topic has no such partition" : mill_error_text(code);
    session_fail(p->session, code == MILL_EINVALID ? MILL_ENOTFOUND : code, text);
    return code;
}

/* ---- the pump ------------------------------------------------------------------------------------------------------------ */

static void on_timer(struct loop_timer *timer, struct io_time now)
{
    pump(timer->ctx, now);
}

static void on_ready(void *ctx, struct io_time now)
{
    pump(ctx, now);
}

static void on_metadata(void *ctx, int code, const char *text, struct io_time now)
{
    pump(ctx, now);
}

/* How many lines the pace allows by now, beyond those taken. */
static int64_t allowed(const struct producing *p, struct io_time now)
{
    int64_t allowance = SLICE_LINES;
    if (p->rate > 0) {
        int64_t due = (int64_t)((double)(now.monotonic_us - p->started_us) / 1e6 * (double)p->rate) + 1;
        allowance = due - p->lines < allowance ? due - p->lines : allowance;
    }
    if (p->count_max >= 0 && p->count_max - p->lines < allowance)
        allowance = p->count_max - p->lines;
    return allowance;
}

/* Of the file that is open, or was to be. */
static void fail_reading(struct producing *p, int code)
{
    char text[512];
    const char *file = p->files[-1];
    snprintf(text, sizeof text, "%s: %s", strcmp(file, "-") == 0 ? "standard input" : file,
             code == MILL_ETOOLARGE ? "a line is longer than any record may be"
             : code == MILL_EIO     ? "it cannot be read; pipes go to standard input"
                                    : mill_error_text(code));
    session_fail(p->session, code, text);
}

static int open_next_file(struct producing *p)
{
    line_reader_close(&p->reader);
    int code = line_reader_open(&p->reader, p->session->loop, *p->files++, on_ready, p);
    if (code < 0)
        fail_reading(p, code);
    return code;
}

/* What the reader's code, not a line, means: the next file, the end, or an error. */
static void end_of_lines(struct producing *p, int code, struct io_time now)
{
    if (code == MILL_ECLOSED && *p->files == NULL)
        flush(p);
    else if (code == MILL_ECLOSED && open_next_file(p) == 0)
        loop_timer_set(p->session->loop, &p->timer, now.monotonic_us);
    else if (code != MILL_ECLOSED)
        fail_reading(p, code);
}

static void pump(struct producing *p, struct io_time now)
{
    if (p->session->finished || p->flushing || producer_topic_partition_count(p->topic) <= 0)
        return;
    int64_t lines = allowed(p, now);
    for (; lines > 0 && !producer_full(p->producer); lines--) {
        mill_bytes line;
        int code = line_reader_next(&p->reader, &line);
        if (code < 0)
            end_of_lines(p, code, now);
        if (code <= 0 || send_line(p, line, now) < 0)
            return;
    }
    if (p->count_max >= 0 && p->lines >= p->count_max)
        flush(p);
    else if (!producer_full(p->producer)) /* else `room` goes on */
        loop_timer_set(p->session->loop, &p->timer, now.monotonic_us + (lines < 0 || p->rate > 0 ? PACE_TICK_US : 0));
}

/* ---- running ------------------------------------------------------------------------------------------------------------- */

static int start(struct producing *p, const char *topic)
{
    static const struct producer_events EVENTS = { on_failed, on_ready, on_retrying };
    struct session *session = p->session;
    if (producer_options_read(&p->options, &session->config) < 0)
        return cli_usage(session->cli, "%s", session->config.error.text);
    struct io_time now = loop_now(session->loop);
    p->started_us = now.monotonic_us;
    p->timer = (struct loop_timer){ .fire = on_timer, .ctx = p };
    p->progress = (struct loop_timer){ .fire = on_progress, .ctx = p };
    p->leaving = (struct loop_timer){ .fire = on_leaving, .ctx = p };
    p->metadata = (struct metadata_listener){ .changed = on_metadata, .ctx = p };
    session->interrupted = on_interrupted;
    session->ctx = p;
    p->producer = producer_new(session->client, &p->options, &EVENTS, p);
    p->topic = p->producer ? producer_topic(p->producer, topic) : NULL;
    if (p->topic == NULL) {
        session_fail(session, MILL_ENOMEM, "");
        return CLI_FAILED;
    }
    client_listen(session->client, &p->metadata);
    loop_timer_set(session->loop, &p->progress, now.monotonic_us + PROGRESS_TERMINAL_US);
    if (open_next_file(p) < 0)
        return session->code;
    pump(p, now);
    return session_run(session);
}

static const char *const DEFAULTS[] = { "batch.size", "262144", NULL }; /* a file is sent as fast as it can be */

static const struct config_table *properties(void)
{
    static struct session_properties properties;
    session_describe(&properties, DEFAULTS);
    return &properties.table;
}

static int run(const struct cli *cli)
{
    static const char *const STANDARD_INPUT[] = { "-", NULL };
    struct session session;
    struct producing p = { .session = &session,
                           .files = cli->argument_count > 1 ? cli->arguments + 1 : STANDARD_INPUT,
                           .key_separator = cli_option(cli, "key-separator"),
                           .field_separator = cli_option(cli, "field-separator"),
                           .count_max = -1,
                           .partition = -1,
                           .quiet = cli_option(cli, "quiet") != NULL };
    if (!cli_number(cli, "key-field", 1, INT32_MAX, &p.key_field) || !cli_number(cli, "rate", 0, INT32_MAX, &p.rate) ||
        !cli_number(cli, "count", 0, INT64_MAX, &p.count_max) || !cli_number(cli, "partition", 0, INT32_MAX, &p.partition))
        return CLI_USAGE;
    if (p.field_separator == NULL)
        p.field_separator = " ";
    if (p.field_separator[0] == '\0' || (p.key_separator != NULL && p.key_separator[0] == '\0'))
        return cli_usage(cli, "a separator is at least one character");
    int code = session_open(&session, cli, DEFAULTS);
    if (code == CLI_OK) {
        code = start(&p, cli->arguments[0]);
        loop_timer_cancel(session.loop, &p.timer);
        loop_timer_cancel(session.loop, &p.progress);
        loop_timer_cancel(session.loop, &p.leaving);
        line_reader_close(&p.reader);
        if (p.topic != NULL)
            client_unlisten(&p.metadata);
        if (p.producer != NULL)
            producer_free(p.producer);
    }
    return session_close(&session, code);
}

static const struct cli_option options[] = {
    { "key-separator", 'K', "TEXT", "The key is what a line has before TEXT, the value what is behind it." },
    { "key-field", 'k', "N", "The key is the Nth field of the line, the value the whole line." },
    { "field-separator", 0, "TEXT", "What is between fields; default one blank." },
    { "partition", 'p', "N", "All lines into this partition; default by key, without one in turns." },
    { "rate", 'r', "LINES", "At most so many a second." },
    { "count", 'c', "LINES", "Stop after so many." },
    { "quiet", 'q', NULL, "No progress." },
    { NULL },
};

const struct cli_command command_produce = {
    .name = "produce",
    .arguments = "TOPIC [FILE]...",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "Writes lines of files or of standard input into a topic, each once, acknowledged.",
    .options = options,
    .example = "zcat access.log.gz | millstream produce access-log --key-field 1 --rate 5000",
    .properties = properties,
    .run = run,
};
