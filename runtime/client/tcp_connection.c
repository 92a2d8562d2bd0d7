/* The client's connections over TCP: a thin coat over transport/client_connection, which frames, encodes and decodes. */
#include "base/alloc.h"
#include "client/connection.h"
#include "transport/client_connection.h"

/* The broker answers a connection one request at a time; more than a few dozen in its queue only grow buffers. */
enum { TCP_CREDITS = 32 };

struct tcp_connection {
    struct connection connection; /* first */
    const struct connection_events *events;
    void *ctx;
    struct client_connection_limits limits;
    struct client_connection *transport;
};

static void on_connected(void *ctx, struct client_connection *transport, struct io_time now)
{
    struct tcp_connection *tcp = ctx;
    tcp->events->opened(tcp->ctx, now);
}

static void on_answered(void *ctx, struct client_connection *transport, struct request *request, struct io_time now)
{
    struct tcp_connection *tcp = ctx;
    tcp->events->answered(tcp->ctx, request, now);
}

static void on_closed(void *ctx, struct client_connection *transport, int code, const char *why, struct io_time now)
{
    struct tcp_connection *tcp = ctx;
    tcp->events->closed(tcp->ctx, code, why, now);
    mem_free(tcp);
}

static const struct client_connection_events transport_events = { on_connected, on_answered, on_closed };

static int tcp_send(struct connection *connection, struct request *request, struct error_text *error)
{
    struct tcp_connection *tcp = (struct tcp_connection *)connection;
    return client_connection_send(tcp->transport, request, 0, error);
}

static void tcp_close(struct connection *connection)
{
    client_connection_close(((struct tcp_connection *)connection)->transport);
}

static const struct connection_ops tcp_ops = { tcp_send, tcp_close };

static int tcp_connect(struct connector *connector, struct loop *loop, const char *host, int port,
                       const struct connection_events *events, void *ctx, struct connection **connection)
{
    struct tcp_connection *tcp = mem_calloc(1, sizeof *tcp);
    if (!tcp)
        return MILL_ENOMEM;
    *tcp = (struct tcp_connection){ .connection = { &tcp_ops, TCP_CREDITS }, .events = events, .ctx = ctx };
    tcp->limits = client_connection_default_limits();
    tcp->limits.connect_us = 0; /* the link watches the time, negotiation included */
    int code = client_connection_open(loop, host, port, &tcp->limits, &transport_events, tcp, &tcp->transport);
    if (code < 0) {
        mem_free(tcp);
        return code;
    }
    *connection = &tcp->connection;
    return 0;
}

static const struct connector_ops tcp_connector_ops = { tcp_connect };

struct connector *tcp_connector(void)
{
    static struct connector connector = { &tcp_connector_ops };
    return &connector;
}
