#include "server/server.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "wire/api/produce.h"

enum { HOST_BYTES = IO_ADDRESS_BYTES + 1, DESCRIPTORS_FOR_THE_LOG = 512, CONNECTIONS_MIN = 64 };

struct server {
    struct server_options options;
    struct net_listener *listener;
    struct list connections;
    int connection_count;
    size_t request_bytes; /* frames of requests that the broker has */
    size_t request_bytes_max;
    size_t read_ahead_bytes; /* a connection's limit while memory is not short */
    bool full_told;
    bool listening;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct served {
    struct list link;
    struct server *server;
    struct server_connection *connection;
    char host[HOST_BYTES]; /* as Kafka prints a client's host: "/127.0.0.1" */
};

/* ---- a connection ---------------------------------------------------------------------------------------------------------- */

/* Short of memory, a connection reads no further ahead than the one request that it is worked on for. */
static void count_bytes(struct server *server, const struct request *request, bool came)
{
    size_t len = request->frame->len;
    server->request_bytes = came ? server->request_bytes + len : server->request_bytes - len;
    bool is_short = server->request_bytes > server->request_bytes_max / 2;
    server->options.limits.read_bytes_max = is_short ? 1 : server->read_ahead_bytes;
}

static void answered(void *ctx, struct request *request, struct io_time now)
{
    count_bytes(ctx, request, false);
    server_connection_answer(request, now);
}

static void got_request(void *ctx, struct server_connection *connection, struct request *request, struct io_time now)
{
    struct served *served = ctx;
    if (!broker_has_api(request->api->key)) {
        request->response.error = MILL_EUNSUPPORTED;
        server_connection_answer(request, now);
        return;
    }
    count_bytes(served->server, request, true);
    broker_submit(served->server->options.broker, request, served->host, answered, served->server, now);
}

static void unwanted(void *ctx, struct request *request, struct io_time now)
{
    struct served *served = ctx;
    broker_hurry(served->server->options.broker, request, now);
}

/* Produces of one connection keep their order in the broker's queue and share a sync. */
static bool may_overlap(void *ctx, const struct request *running, const struct request *next)
{
    return running->api->key == API_PRODUCE && next->api->key == API_PRODUCE;
}

static void end_if_done(struct server *server)
{
    if (!server->closing || server->listening || !list_empty(&server->connections))
        return;
    void (*closed)(void *ctx) = server->closed;
    void *ctx = server->closed_ctx;
    mem_free(server);
    if (closed != NULL)
        closed(ctx);
}

static void connection_closed(void *ctx, struct server_connection *connection, int code, const char *why)
{
    struct served *served = ctx;
    struct server *server = served->server;
    if (code < 0 && code != MILL_ECONNECTION)
        trace_info("server", "connection from %s ended: %s", served->host + 1, why);
    list_remove(&served->link);
    server->connection_count--;
    server->full_told = false;
    mem_free(served);
    end_if_done(server);
}

static const struct server_connection_events CONNECTION_EVENTS = { got_request, may_overlap, connection_closed, unwanted };

/* ---- the listener ---------------------------------------------------------------------------------------------------------- */

/* Refusing a stream: it needs an owner until it is closed. */
static uint8_t *refuse_bytes(void *ctx, size_t *len)
{
    return NULL;
}

static void ignore_read(void *ctx, ssize_t len, struct io_time now)
{
}

static void ignore_written(void *ctx, void *write_ctx, int code, struct io_time now)
{
}

static void ignore_closed(void *ctx)
{
}

static const struct net_stream_events REFUSED = { refuse_bytes, ignore_read, ignore_written, ignore_closed };

static void refuse(struct server *server, struct net_stream *stream)
{
    if (!server->full_told)
        trace_warn("server", "%d connections are open, the most that are allowed; further ones are closed until some end",
                   server->connection_count);
    server->full_told = true;
    net_start(stream, &REFUSED, NULL);
    net_close(stream);
}

static void accepted(void *ctx, struct net_stream *stream, struct io_time now)
{
    struct server *server = ctx;
    struct served *served = NULL;
    if (server->connection_count < server->options.connections_max)
        served = mem_calloc(1, sizeof *served);
    if (served == NULL) {
        refuse(server, stream);
        return;
    }
    served->server = server;
    served->host[0] = '/';
    net_peer_address(stream, served->host + 1);
    char *port = strrchr(served->host, ':');
    if (port != NULL)
        *port = '\0';
    list_push_back(&server->connections, &served->link);
    server->connection_count++;
    int code = server_connection_open(server->options.loop, stream, &server->options.limits, &CONNECTION_EVENTS, served,
                                      &served->connection);
    if (code == 0)
        return;
    list_remove(&served->link);
    server->connection_count--;
    mem_free(served);
}

static void listener_closed(void *ctx)
{
    struct server *server = ctx;
    server->listening = false;
    end_if_done(server);
}

static const struct net_listener_events LISTENER_EVENTS = { accepted, listener_closed };

/* ---- opening and closing --------------------------------------------------------------------------------------------------- */

static int connections_allowed(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 1 << 20;
    return limit.rlim_cur > DESCRIPTORS_FOR_THE_LOG + CONNECTIONS_MIN ? (int)(limit.rlim_cur - DESCRIPTORS_FOR_THE_LOG)
                                                                      : CONNECTIONS_MIN;
}

struct server_options server_default_options(struct broker *broker, struct loop *loop, const char *host, int port)
{
    const struct config *config = broker_config(broker);
    struct server_connection_limits limits = server_connection_default_limits();
    int64_t idle_ms = config_int(config, "connections.max.idle.ms");
    int64_t connections = config_int(config, "max.connections");
    int allowed = connections_allowed();
    limits.frame_bytes_max = (size_t)config_int(config, "socket.request.max.bytes");
    limits.idle_us = idle_ms < 0 || idle_ms > INT64_MAX / 1000 ? 0 : idle_ms * 1000;
    return (struct server_options){ .broker = broker,
                                    .loop = loop,
                                    .host = host,
                                    .port = port,
                                    .connections_max = connections < allowed ? (int)connections : allowed,
                                    .request_bytes_max = (size_t)config_int(config, "queued.max.request.bytes"),
                                    .limits = limits };
}

int server_open(const struct server_options *options, struct server **opened, struct error_text *error)
{
    struct server *server = mem_calloc(1, sizeof *server);
    if (server == NULL)
        return error_set(error, MILL_ENOMEM, "no memory for the listener");
    server->options = *options;
    server->request_bytes_max = options->request_bytes_max;
    server->read_ahead_bytes = options->limits.read_bytes_max;
    list_init(&server->connections);
    int code = net_listen(options->loop, options->host, options->port, &LISTENER_EVENTS, server, &server->listener);
    if (code < 0) {
        mem_free(server);
        char address[IO_HOST_PORT_BYTES];
        io_write_host_port(address, options->host, options->port);
        return error_set(error, code, "cannot listen on %s: %s%s", address, mill_error_text(code),
                         code == MILL_EADDRINUSE ? "; choose another port by `listeners`, or stop the program that has it" : "");
    }
    server->listening = true;
    *opened = server;
    return 0;
}

int server_port(const struct server *server)
{
    return net_listener_port(server->listener);
}

int server_connections(const struct server *server)
{
    return server->connection_count;
}

void server_close(struct server *server, void (*closed)(void *ctx), void *ctx)
{
    server->closing = true;
    server->closed = closed;
    server->closed_ctx = ctx;
    list_for_each_safe (node, &server->connections)
        server_connection_drain(list_entry(node, struct served, link)->connection);
    net_listener_close(server->listener);
}
