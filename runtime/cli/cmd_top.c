/*
 * `millstream top`: what page_views has found, as it grows.
 *
 *     page-views, unique-visitors --> board --+
 *     group: positions, lag, skipped lines ---+--> every second: drawn anew on a terminal, else once at the end
 *
 * Positions and counts of skipped lines are what the group has committed: any process may ask, and they are of the same moment.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/record_format.h"
#include "cli/top_board.h"
#include "cli/topic_reader.h"
#include "task/offset_metadata.h"

enum { SCREEN_BYTES_MAX = 1 << 20, COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 10, QUIET_ROUNDS = 3 };

/* What a group has committed, all partitions together. */
struct group_figures {
    bool known;
    int64_t read; /* of the input topic */
    int64_t late;
    int64_t malformed;
    int64_t skipped_otherwise;
    int64_t lag; /* of the input topic and those between the steps of the pipeline */
};

struct top {
    struct session *session;
    struct topic_reader views;
    struct topic_reader visitors;
    struct top_board board;
    struct group_figures figures;
    struct admin_operation *describing;
    struct loop_timer timer;
    struct buffer screen;
    const char *group;
    const char *input;
    int64_t interval_ms;
    int64_t rows;
    bool until_idle;
    bool is_terminal;
    int lines_drawn;
    int quiet_rounds; /* in which nothing changed and nothing was left to do */
};

/* ---- drawing ------------------------------------------------------------------------------------------------------------- */

static int terminal_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : COLUMNS_DEFAULT;
}

static void write_line(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void write_line(struct buffer *out, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_append(out, text, len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static void write_screen(struct top *top)
{
    struct buffer *out = &top->screen;
    const struct group_figures *figures = &top->figures;
    buffer_clear(out);
    if (top->board.minute_ms >= 0) {
        write_line(out, "By the log's own clock it is ");
        iso_time_write(out, top->board.minute_ms);
        write_line(out, ". Visitors: different clients, this hour and in the best.\n");
    } else {
        write_line(out, "No results yet: %s\n", figures->known ? "the first commit is to come" : "waiting for the group to read");
    }
    if (figures->known)
        write_line(out,
                   "lines %" PRId64 "   late updates %" PRId64 "   malformed %" PRId64 "   otherwise skipped %" PRId64
                   "   lag %" PRId64 "\n",
                   figures->read, figures->late, figures->malformed, figures->skipped_otherwise, figures->lag);
    write_line(out, "\n");
    top_board_write(&top->board, (size_t)top->rows, top->is_terminal ? terminal_columns() - 1 : COLUMNS_DEFAULT, out);
    if (top->board.failed)
        write_line(out, "No memory for all pages: the figures are too small.\n");
}

static void draw(struct top *top)
{
    write_screen(top);
    if (top->is_terminal && top->lines_drawn > 0)
        printf("\033[%dA\033[J", top->lines_drawn);
    fwrite(top->screen.data, 1, top->screen.len, stdout);
    if (!cli_flush())
        session_finish(top->session, CLI_FAILED);
    top->lines_drawn = 0;
    for (size_t i = 0; i < top->screen.len; i++)
        top->lines_drawn += top->screen.data[i] == '\n';
}

static void finish(struct top *top, int code)
{
    if (top->session->finished)
        return;
    draw(top);
    session_finish(top->session, code);
}

/* ---- the group ----------------------------------------------------------------------------------------------------------- */

static void add_count(void *ctx, mill_bytes name, int64_t count)
{
    struct group_figures *figures = ctx;
    if (mill_bytes_equal(name, mill_string("late")))
        figures->late += count;
    else if (mill_bytes_equal(name, mill_string("malformed")))
        figures->malformed += count;
    else
        figures->skipped_otherwise += count;
}

static struct group_figures figures_of(const struct top *top, const struct admin_group *group)
{
    struct group_figures figures = { .known = true };
    for (size_t i = 0; i < group->offset_count; i++) {
        const struct admin_group_offset *at = &group->offsets[i];
        figures.lag += at->lag > 0 ? at->lag : 0;
        if (strcmp(at->topic, top->input) == 0 && at->committed > 0)
            figures.read += at->committed;
        offset_metadata_drops(mill_string(at->metadata), add_count, &figures);
    }
    return figures;
}

/* Everything written has been read, and all of its results shown, for some rounds: nothing more comes by itself. */
static bool is_idle(struct top *top, const struct group_figures *now)
{
    bool is_quiet = now->known && now->lag == 0 && now->read > 0 && now->read == top->figures.read &&
                    topic_reader_at_end(&top->views) && topic_reader_at_end(&top->visitors) &&
                    topic_reader_lag(&top->views) + topic_reader_lag(&top->visitors) == 0;
    top->quiet_rounds = is_quiet ? top->quiet_rounds + 1 : 0;
    return top->quiet_rounds >= QUIET_ROUNDS;
}

static void described(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now)
{
    struct top *top = ctx;
    struct group_figures figures = { 0 };
    top->describing = NULL;
    if (code == 0)
        figures = figures_of(top, group);
    else if (code != MILL_ENOTFOUND) {
        session_fail(top->session, code, text);
        return;
    }
    bool is_over = top->until_idle && is_idle(top, &figures);
    top->figures = figures;
    if (is_over || (!top->is_terminal && !top->until_idle && figures.known && topic_reader_at_end(&top->views) &&
                    topic_reader_at_end(&top->visitors))) {
        finish(top, CLI_OK);
        return;
    }
    if (top->is_terminal)
        draw(top);
    loop_timer_set(top->session->loop, &top->timer, now.monotonic_us + top->interval_ms * 1000);
}

static void on_timer(struct loop_timer *timer, struct io_time now)
{
    struct top *top = timer->ctx;
    top->describing = admin_describe_group(top->session->client, top->group, described, top);
    if (top->describing == NULL)
        session_fail(top->session, MILL_ENOMEM, "");
}

/* ---- the topics ---------------------------------------------------------------------------------------------------------- */

static bool on_views(void *ctx, int32_t partition, const struct batch_record *record)
{
    top_board_add_views(&((struct top *)ctx)->board, record->record.key, record->record.value);
    return true;
}

static bool on_visitors(void *ctx, int32_t partition, const struct batch_record *record)
{
    top_board_add_visitors(&((struct top *)ctx)->board, record->record.key, record->record.value);
    return true;
}

static void on_idle(void *ctx, struct io_time now)
{
}

static void open_reader(struct top *top, struct topic_reader *reader, const char *topic, const struct topic_reader_events *events)
{
    *reader = (struct topic_reader){
        .session = top->session, .topic = topic, .partition = -1, .waits_for_topic = true, .events = events, .ctx = top
    };
    topic_reader_open(reader);
}

/* ---- running ------------------------------------------------------------------------------------------------------------- */

static void on_interrupted(void *ctx, struct io_time now)
{
    finish(ctx, CLI_OK);
}

static const char *option_or(const struct cli *cli, const char *name, const char *otherwise)
{
    const char *given = cli_option(cli, name);
    return given ? given : otherwise;
}

static int run(const struct cli *cli)
{
    static const struct topic_reader_events VIEWS = { on_views, on_idle };
    static const struct topic_reader_events VISITORS = { on_visitors, on_idle };
    static const char *const DEFAULTS[] = { "allow.auto.create.topics", "false", "isolation.level", "read_committed", NULL };
    struct session session;
    struct top top = { .session = &session,
                       .group = option_or(cli, "group", "page-views"),
                       .input = option_or(cli, "input", "access-log"),
                       .interval_ms = 1000,
                       .rows = ROWS_DEFAULT,
                       .until_idle = cli_option(cli, "until-idle") != NULL,
                       .is_terminal = isatty(STDOUT_FILENO) };
    const char *interval = cli_option(cli, "interval");
    if (interval != NULL && (!cli_parse_duration(interval, &top.interval_ms) || top.interval_ms == 0))
        return cli_usage(cli, "--interval %s: no duration such as 500ms or 2s", interval);
    if (!cli_number(cli, "rows", 1, 1000, &top.rows))
        return CLI_USAGE;
    int code = session_open(&session, cli, DEFAULTS);
    top_board_init(&top.board);
    buffer_init(&top.screen, SCREEN_BYTES_MAX);
    if (code == CLI_OK) {
        session.interrupted = on_interrupted;
        session.ctx = &top;
        top.timer = (struct loop_timer){ .fire = on_timer, .ctx = &top };
        open_reader(&top, &top.views, option_or(cli, "views", "page-views"), &VIEWS);
        open_reader(&top, &top.visitors, option_or(cli, "visitors", "unique-visitors"), &VISITORS);
        loop_timer_set(session.loop, &top.timer, loop_now(session.loop).monotonic_us);
        code = session_run(&session);
        loop_timer_cancel(session.loop, &top.timer);
        if (top.describing != NULL)
            admin_cancel(top.describing);
        topic_reader_close(&top.views);
        topic_reader_close(&top.visitors);
    }
    buffer_release(&top.screen);
    top_board_release(&top.board);
    return session_close(&session, code);
}

static const struct cli_option options[] = {
    { "rows", 'n', "N", "How many pages [10]." },
    { "interval", 'i', "TIME", "How often it is drawn anew [1s]." },
    { "until-idle", 0, NULL, "End when all input has been read and three rounds brought nothing new." },
    { "group", 'g', "GROUP", "The application [page-views]." },
    { "input", 0, "TOPIC", "Its input [access-log]." },
    { "views", 0, "TOPIC", "Its counts of views [page-views]." },
    { "visitors", 0, "TOPIC", "Its counts of visitors [unique-visitors]." },
    { NULL },
};

const struct cli_command command_top = {
    .name = "top",
    .arguments = "",
    .summary = "Shows what page_views finds, as it grows; without a terminal once.",
    .options = options,
    .properties = session_properties,
    .run = run,
};
