#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "client/admin.h"
#include "client/offset_lookup.h"

static void on_signal(struct loop_wakeup *wakeup, struct io_time now)
{
    struct session *session = wakeup->ctx;
    if (session->interrupted != NULL)
        session->interrupted(session->ctx, now);
    else
        session_finish(session, 128 + signals_last(&session->signals));
}

/* What the commands set otherwise than other programs: a person waits. */
static const char *const DEFAULTS[] = { "default.api.timeout.ms", "5000", "client.id", "millstream", NULL };

static int set_defaults(struct config *config, const char *const *defaults)
{
    int code = 0;
    for (; code == 0 && defaults != NULL && *defaults != NULL; defaults += 2)
        code = config_set(config, defaults[0], defaults[1]);
    return code;
}

static int configure(struct session *session, const char *const *defaults)
{
    struct config *config = &session->config;
    config_init(config, &client_option_table);
    const char *servers = cli_option(session->cli, "bootstrap-server");
    if (servers == NULL)
        servers = getenv("MILLSTREAM_BOOTSTRAP_SERVERS");
    int code = set_defaults(config, DEFAULTS);
    if (code == 0)
        code = config_set(config, "bootstrap.servers", servers && servers[0] ? servers : "127.0.0.1:9092");
    if (code == 0)
        code = set_defaults(config, defaults);
    const char *pair;
    int at = 0;
    while (code == 0 && (pair = cli_next_option(session->cli, "property", &at)) != NULL)
        code = config_set_pair(config, pair);
    return code == 0 ? client_options_read(&session->options, config) : code;
}

static int make(struct session *session)
{
    session->work = work_threads_new(1, 1, 1);
    session->loop = session->work ? uv_loop_new_with(session->work) : NULL;
    if (session->loop == NULL) {
        cli_error(NULL, "no memory, or no descriptors left");
        return CLI_FAILED;
    }
    int code = signals_take(&session->signals, session->loop, on_signal, session);
    if (code < 0) {
        cli_error(NULL, "signals cannot be taken: %s", mill_error_text(code));
        return CLI_FAILED;
    }
    struct error_text error = { "" };
    session->client = client_new(session->loop, &session->options, NULL, &error);
    if (session->client == NULL) {
        cli_error("-b HOST:PORT", "%s", error.text);
        return CLI_USAGE;
    }
    return CLI_OK;
}

void session_describe(struct session_properties *properties, const char *const *defaults)
{
    mill_assert(client_option_table.count <= SESSION_PROPERTIES_MAX);
    memcpy(properties->keys, client_option_table.keys, client_option_table.count * sizeof *properties->keys);
    properties->table = client_option_table;
    properties->table.keys = properties->keys;
    const char *const *all[] = { DEFAULTS, defaults };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const char *const *name = all[i]; name && *name; name += 2)
            for (size_t at = 0; at < properties->table.count; at++)
                if (strcmp(properties->keys[at].name, *name) == 0)
                    properties->keys[at].default_value = name[1];
}

const struct config_table *session_properties(void)
{
    static struct session_properties properties;
    session_describe(&properties, NULL);
    return &properties.table;
}

int session_open(struct session *session, const struct cli *cli, const char *const *defaults)
{
    *session = (struct session){ .cli = cli };
    signals_block();
    const char *servers = cli_option(cli, "bootstrap-server");
    if (servers != NULL && servers[0] == '\0')
        return cli_usage(cli, "--bootstrap-server is empty; it needs HOST:PORT");
    if (configure(session, defaults) < 0)
        return cli_usage(cli, "%s", session->config.error.text);
    return make(session);
}

int session_run(struct session *session)
{
    while (!session->finished && loop_run(session->loop, &session->finished) == 0)
        ;
    return session->code;
}

void session_finish(struct session *session, int code)
{
    if (session->finished)
        return;
    session->finished = true;
    session->code = code;
}

void session_fail(struct session *session, int code, const char *text)
{
    if (session->finished)
        return;
    bool unreachable = code == MILL_ECONNECTION || code == MILL_EREFUSED || code == MILL_ETIMEOUT;
    cli_error(unreachable ? "millstream broker, or -b HOST:PORT for another one" : NULL, "%s",
              text && text[0] ? text : mill_error_text(code));
    session_finish(session, cli_exit_code(code));
}

static void client_closed(void *ctx)
{
    *(bool *)ctx = true;
}

int session_close(struct session *session, int code)
{
    admin_cancel(session->operation);
    offset_lookup_cancel(session->lookup);
    if (session->client != NULL) {
        bool closed = false;
        client_free(session->client, client_closed, &closed);
        while (!closed && loop_run(session->loop, &closed) == 0)
            ;
    }
    signals_release(&session->signals);
    uv_loop_free(session->loop);
    work_threads_free(session->work);
    config_release(&session->config);
    return code;
}
