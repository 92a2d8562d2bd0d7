/* `millstream consume`: a topic's records on standard output. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/record_format.h"
#include "cli/topic_reader.h"

enum { OUTPUT_BYTES_MAX = 1 << 30, OUTPUT_FLUSH_BYTES = 1 << 18 };

struct consuming {
    struct session *session;
    struct topic_reader reader;
    struct record_format format;
    struct buffer out;
    int64_t count_left; /* -1: no limit */
    bool until_end;
};

/* False: it cannot be written, which was told, or nobody reads any more. */
static bool flush(struct consuming *c)
{
    bool complete = !c->out.failed;
    if (!complete)
        cli_error(NULL, "no memory for what is to be printed");
    if (c->out.len > 0)
        (void)fwrite(c->out.data, 1, c->out.len, stdout); /* cli_flush looks at it */
    buffer_clear(&c->out);
    return cli_flush() && complete;
}

static void finish(struct consuming *c)
{
    session_finish(c->session, flush(c) ? CLI_OK : CLI_FAILED);
}

static bool on_record(void *ctx, int32_t partition, const struct batch_record *record)
{
    struct consuming *c = ctx;
    struct record_place place = { c->reader.topic, partition, record->offset };
    record_format_write(&c->format, &place, &record->record, &c->out);
    bool is_last = c->count_left > 0 && --c->count_left == 0;
    if (is_last)
        finish(c);
    else if (c->out.len >= OUTPUT_FLUSH_BYTES && !flush(c))
        session_finish(c->session, CLI_FAILED);
    return !c->session->finished;
}

static void on_idle(void *ctx, struct io_time now)
{
    struct consuming *c = ctx;
    if (c->until_end && topic_reader_at_end(&c->reader))
        finish(c);
    else if (!flush(c))
        session_finish(c->session, CLI_FAILED);
}

/* Ctrl-C is how one leaves, unless an end was asked for. */
static void on_interrupted(void *ctx, struct io_time now)
{
    struct consuming *c = ctx;
    bool is_early = c->until_end || c->count_left > 0;
    session_finish(c->session, !flush(c) ? CLI_FAILED : is_early ? 128 + signals_last(&c->session->signals) : CLI_OK);
}

static int read_format(const struct cli *cli, struct record_format *format)
{
    const char *key = cli_option(cli, "key");
    const char *value = cli_option(cli, "value");
    const char *output = cli_option(cli, "output");
    bool is_json = output != NULL && strcmp(output, "json") == 0;
    char letter;
    if (output != NULL && !is_json && strcmp(output, "text") != 0)
        return cli_usage(cli, "--output %s: neither text nor json", output);
    if (key != NULL && !data_type_parse(key, true, &format->key_type, &format->window_ms))
        return cli_usage(cli, "--key %s: none of text, long, int, double, hex, windowed, windowed:SIZE, session", key);
    if (value != NULL && !data_type_parse(value, false, &format->value_type, &format->window_ms))
        return cli_usage(cli, "--value %s: none of text, long, int, double, hex", value);
    format->text = cli_option(cli, "format");
    if (format->text != NULL && !record_format_check(format->text, &letter))
        return cli_usage(cli, "--format: %%%c is no letter of it", letter);
    if (format->text == NULL && !is_json)
        format->text = key == NULL                         ? "%s\\n"
                       : format->key_type == DATA_WINDOWED ? "%w\\t%k\\t%s\\n"
                       : format->key_type == DATA_SESSION  ? "%w\\t%e\\t%k\\t%s\\n"
                                                           : "%k\\t%s\\n";
    return CLI_OK;
}

static int read_options(const struct cli *cli, struct consuming *c)
{
    int64_t partition = -1;
    const char *offset = cli_option(cli, "offset");
    c->reader.start.kind =
        cli_option(cli, "from-beginning") || cli_option(cli, "until-end") ? TOPIC_START_BEGINNING : TOPIC_START_END;
    if (offset != NULL && !topic_start_parse(offset, &c->reader.start))
        return cli_usage(cli, "--offset %s: none of beginning, end, N, -N, @MILLISECONDS", offset);
    if (!cli_number(cli, "partition", 0, INT32_MAX, &partition) || !cli_number(cli, "count", 1, INT64_MAX, &c->count_left))
        return CLI_USAGE;
    c->reader.partition = (int32_t)partition;
    c->until_end = cli_option(cli, "until-end") != NULL;
    return read_format(cli, &c->format);
}

static int run(const struct cli *cli)
{
    static const struct topic_reader_events EVENTS = { on_record, on_idle };
    static const char *const DEFAULTS[] = { "allow.auto.create.topics", "false", NULL };
    struct session session;
    struct consuming c = { .session = &session, .count_left = -1 };
    int code = read_options(cli, &c);
    if (code != CLI_OK)
        return code;
    code = session_open(&session, cli, DEFAULTS);
    buffer_init(&c.out, OUTPUT_BYTES_MAX);
    if (code == CLI_OK) {
        session.interrupted = on_interrupted;
        session.ctx = &c;
        c.reader.session = &session;
        c.reader.topic = cli->arguments[0];
        c.reader.events = &EVENTS;
        c.reader.ctx = &c;
        topic_reader_open(&c.reader);
        code = session_run(&session);
        topic_reader_close(&c.reader);
    }
    buffer_release(&c.out);
    return session_close(&session, code);
}

static const struct cli_option options[] = {
    { "from-beginning", 0, NULL, "Start at the first record; default the end." },
    { "offset", 'O', "WHERE", "Start at beginning, end, N, -N (N before the end) or @MILLISECONDS." },
    { "until-end", 'e', NULL, "Stop at what is the end now; starts at the beginning unless --offset is given." },
    { "count", 'c', "N", "Stop after so many records." },
    { "partition", 'p', "N", "Only this partition." },
    { "key", 'k', "TYPE", "Print keys, as text, long, int, double, hex, windowed, windowed:SIZE (1m, 1h) or session." },
    { "value", 's', "TYPE", "Print values as text, long, int, double or hex." },
    { "format", 'f', "FORMAT",
      "%s value %k key %w window start %e its end %t topic %p partition %o offset %T %d time %h headers." },
    { NULL },
};

const struct cli_command command_consume = {
    .name = "consume",
    .arguments = "TOPIC",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Prints a topic's records as they come; -o json: a line of JSON each.",
    .options = options,
    .example = "millstream consume page-views --until-end --key windowed:1m --value long",
    .properties = session_properties,
    .run = run,
};
