#include "app/broker_host.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/loop_thread.h"
#include "base/alloc.h"
#include "server/server.h"

enum { HOST_BYTES = 256 };

struct broker_host {
    struct loop_thread thread;
    struct broker_host_options options;
    char host[HOST_BYTES];
    char advertised[HOST_BYTES];
    struct broker *broker;
    struct server *server;
    int port;
    atomic_bool stop_asked;
    bool closing;
    bool broker_closed;
    bool server_closed;

    /* The starter waits on its own loop until the broker's thread says how it went. */
    struct loop *starter;
    struct loop_wakeup told;
    int code;
    struct error_text error;
};

static void tell(struct broker_host *host, int code)
{
    host->code = code;
    loop_wakeup_signal(&host->told);
}

static int open_broker(struct broker_host *host, struct io_time now)
{
    struct broker_options options = { .disk = host->options.disk,
                                      .loop = host->thread.loop,
                                      .data_dir = host->options.data_directory,
                                      .config = host->options.config };
    host->broker = broker_new(&options);
    if (host->broker == NULL)
        return error_set(&host->error, MILL_ENOMEM, "no memory for the broker");
    int code = broker_open(host->broker, now);
    if (code < 0)
        return error_set(&host->error, code, "%s", broker_error(host->broker));
    if (host->options.host == NULL)
        return 0;
    struct server_options server = server_default_options(host->broker, host->thread.loop, host->host, host->options.port);
    code = server_open(&server, &host->server, &host->error);
    if (code < 0)
        return code;
    host->port = server_port(host->server);
    return broker_set_advertised(host->broker, host->advertised, host->port);
}

static void stop_when_closed(struct broker_host *host)
{
    if (host->broker_closed && host->server_closed)
        loop_stop(host->thread.loop);
}

static void on_broker_closed(void *ctx)
{
    struct broker_host *host = ctx;
    host->broker_closed = true;
    stop_when_closed(host);
}

static void on_server_closed(void *ctx)
{
    struct broker_host *host = ctx;
    host->server_closed = true;
    stop_when_closed(host);
}

static void close_all(struct broker_host *host, struct io_time now)
{
    if (host->closing)
        return;
    host->closing = true;
    host->server_closed = host->server == NULL;
    if (host->server != NULL)
        server_close(host->server, on_server_closed, host);
    broker_close(host->broker, on_broker_closed, host, now);
}

static void thread_started(void *ctx, struct io_time now)
{
    struct broker_host *host = ctx;
    int code = open_broker(host, now);
    if (code < 0)
        loop_stop(host->thread.loop);
    tell(host, code);
}

static void woken(void *ctx, struct io_time now)
{
    struct broker_host *host = ctx;
    if (atomic_load(&host->stop_asked))
        close_all(host, now);
}

static void ended(void *ctx)
{
    struct broker_host *host = ctx;
    if (host->broker != NULL)
        broker_free(host->broker);
    host->broker = NULL;
}

static const struct loop_thread_events THREAD_EVENTS = { thread_started, woken, ended };

/* ---- the caller's side ----------------------------------------------------------------------------------------------------- */

static void on_told(struct loop_wakeup *wakeup, struct io_time now)
{
    loop_stop(wakeup->loop);
}

static void free_host(struct broker_host *host)
{
    loop_thread_join(&host->thread);
    if (host->starter != NULL) {
        loop_wakeup_close(&host->told);
        uv_loop_free(host->starter);
    }
    mem_free(host);
}

static int start(struct broker_host *host)
{
    host->starter = uv_loop_new_with(NULL);
    if (host->starter == NULL)
        return error_set(&host->error, MILL_ENOMEM, "no memory for the broker's thread");
    host->told = (struct loop_wakeup){ .woken = on_told, .ctx = host };
    int code = loop_wakeup_open(host->starter, &host->told);
    if (code == 0)
        code = loop_thread_start(&host->thread, "broker", host->options.work, &THREAD_EVENTS, host);
    if (code < 0)
        return error_set(&host->error, code, "the broker's thread cannot be started: %s", mill_error_text(code));
    loop_run(host->starter, NULL);
    return host->code;
}

int broker_host_start(const struct broker_host_options *options, struct broker_host **started, struct error_text *error)
{
    struct broker_host *host = mem_calloc(1, sizeof *host);
    if (host == NULL)
        return error_set(error, MILL_ENOMEM, "no memory for the broker");
    host->options = *options;
    if (options->host != NULL) {
        snprintf(host->host, sizeof host->host, "%s", options->host);
        snprintf(host->advertised, sizeof host->advertised, "%s",
                 options->advertised_host ? options->advertised_host : options->host);
    }
    int code = start(host);
    if (code < 0) {
        *error = host->error;
        free_host(host);
        return code;
    }
    *started = host;
    return 0;
}

void broker_host_stop(struct broker_host *host)
{
    if (host == NULL)
        return;
    atomic_store(&host->stop_asked, true);
    loop_thread_wake(&host->thread);
    free_host(host);
}

struct broker *broker_host_broker(const struct broker_host *host)
{
    return host->broker;
}

int broker_host_port(const struct broker_host *host)
{
    return host->port;
}

int broker_host_parse_listener(const char *listener, char *host, size_t size, int *port, struct error_text *error)
{
    static const char SCHEME[] = "PLAINTEXT://";
    const char *address = strncmp(listener, SCHEME, sizeof SCHEME - 1) == 0 ? listener + sizeof SCHEME - 1 : listener;
    const char *colon = strrchr(address, ':');
    char *end = NULL;
    long number = colon ? strtol(colon + 1, &end, 10) : -1;
    if (colon == NULL || end == colon + 1 || *end != '\0' || number < 0 || number > 65535 || (size_t)(colon - address) >= size)
        return error_set(error, MILL_EINVALID, "%s: one listener as HOST:PORT or PLAINTEXT://HOST:PORT is wanted", listener);
    size_t len = (size_t)(colon - address);
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') { /* [::1] */
        address++;
        len -= 2;
    }
    memcpy(host, address, len);
    host[len] = '\0';
    if (len == 0)
        snprintf(host, size, "0.0.0.0");
    *port = (int)number;
    return 0;
}
