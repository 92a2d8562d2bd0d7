/* `millstream group`: list, and describe with lag. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "client/admin.h"

struct view {
    struct session *session;
    struct table table;
    enum table_format format;
    int64_t lag_max; /* -1: any is fine */
};

static void finish(struct view *view, int code)
{
    bool printed = table_print(&view->table, view->format);
    session_finish(view->session, printed ? code : CLI_FAILED);
}

static int run_view(const struct cli *cli, struct view *view, const struct table_column *columns, size_t column_count,
                    struct admin_operation *(*start)(struct view *view))
{
    struct session session;
    view->session = &session;
    if (!table_format_of(cli, &view->format))
        return CLI_USAGE;
    int code = session_open(&session, cli, NULL);
    table_init(&view->table, columns, column_count);
    if (code == CLI_OK) {
        session.operation = start(view);
        if (session.operation == NULL)
            session_fail(&session, MILL_ENOMEM, "");
        code = session_run(&session);
    }
    code = session_close(&session, code);
    table_release(&view->table);
    return code;
}

/* ---- list ---------------------------------------------------------------------------------------------------------------- */

static void listed(void *ctx, int code, const char *text, const struct admin_group_listing *groups, size_t count,
                   struct io_time now)
{
    struct view *view = ctx;
    view->session->operation = NULL;
    if (code < 0) {
        session_fail(view->session, code, text);
        return;
    }
    for (size_t i = 0; i < count; i++)
        table_add(&view->table, "%s\t%s\t%s", groups[i].group_id, groups[i].state, groups[i].protocol_type);
    finish(view, CLI_OK);
}

static struct admin_operation *start_list(struct view *view)
{
    return admin_list_groups(view->session->client, listed, view);
}

static int run_list(const struct cli *cli)
{
    static const struct table_column COLUMNS[] = { { "GROUP", false }, { "STATE", false }, { "PROTOCOL", false } };
    struct view view = { .lag_max = -1 };
    return run_view(cli, &view, COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], start_list);
}

const struct cli_command command_group_list = {
    .name = "group list",
    .arguments = "",
    .summary = "Lists consumer groups.",
    .properties = session_properties,
    .run = run_list,
};

/* ---- describe ------------------------------------------------------------------------------------------------------------ */

static void number_or_dash(char text[24], int64_t number)
{
    snprintf(text, 24, number < 0 ? "-" : "%" PRId64, number);
}

static void described(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now)
{
    struct view *view = ctx;
    view->session->operation = NULL;
    int64_t lag_sum = 0;
    if (code < 0) {
        session_fail(view->session, code, text);
        return;
    }
    for (size_t i = 0; i < group->offset_count; i++) {
        const struct admin_group_offset *at = &group->offsets[i];
        char committed[24], end[24], lag[24];
        number_or_dash(committed, at->committed);
        number_or_dash(end, at->log_end);
        number_or_dash(lag, at->lag);
        table_add(&view->table, "%s\t%s\t%d\t%s\t%s\t%s", group->group_id, at->topic, (int)at->partition, committed, end, lag);
        lag_sum += at->lag > 0 ? at->lag : 0;
    }
    if (view->format == TABLE_PRETTY)
        printf("%s is %s, members %zu, lag %" PRId64 "\n", group->group_id, group->state, group->member_count, lag_sum);
    bool too_far = view->lag_max >= 0 && lag_sum > view->lag_max;
    finish(view, too_far ? CLI_UNMET : CLI_OK);
    if (too_far)
        cli_error(NULL, "%s lags by %" PRId64 " records, more than %" PRId64, group->group_id, lag_sum, view->lag_max);
}

static struct admin_operation *start_describe(struct view *view)
{
    return admin_describe_group(view->session->client, view->session->cli->arguments[0], described, view);
}

static int run_describe(const struct cli *cli)
{
    static const struct table_column COLUMNS[] = { { "GROUP", false },    { "TOPIC", false },  { "PARTITION", true },
                                                   { "COMMITTED", true }, { "LOG END", true }, { "LAG", true } };
    struct view view = { .lag_max = -1 };
    if (!cli_number(cli, "max-lag", 0, INT64_MAX, &view.lag_max))
        return CLI_USAGE;
    return run_view(cli, &view, COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], start_describe);
}

static const struct cli_option describe_options[] = {
    { "max-lag", 0, "N", "Exit with 5 when the group lags by more records: for monitors." },
    { NULL },
};

const struct cli_command command_group_describe = {
    .name = "group describe",
    .arguments = "GROUP",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Shows where a group is in each partition, and its lag.",
    .options = describe_options,
    .example = "millstream group describe page-views --max-lag 1000",
    .properties = session_properties,
    .run = run_describe,
};
