/*
 * The listener: TCP connections whose requests go to the broker.
 *
 * Connections are bounded in number (`connections_max`); one above it is closed at once, so that those inside keep their service.
 * What a connection may hold in memory is bounded by transport/server_connection.h. APIs that the broker does not answer end the
 * connection, as an unknown version does.
 *
 * Thread: the broker's loop.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "broker/broker.h"
#include "io/io.h"
#include "transport/server_connection.h"

struct server;

struct server_options {
    struct broker *broker; /* outlives the server */
    struct loop *loop;
    const char *host; /* numeric address or name to listen on */
    int port;         /* 0: a free one */
    int connections_max;
    size_t request_bytes_max; /* of all requests in work; above half of it connections stop to read ahead */
    struct server_connection_limits limits;
};

/*
 * The limits of the broker's config (max.connections, connections.max.idle.ms, socket.request.max.bytes,
 * queued.max.request.bytes), and no more connections than the process has descriptors for, less those that the log needs.
 */
struct server_options server_default_options(struct broker *broker, struct loop *loop, const char *host, int port);

/* Listens. 0; MILL_EADDRINUSE, EADDRNOTAVAIL, EACCESS, ENOTFOUND (host), ENOMEM, with the text in `error`. */
int server_open(const struct server_options *options, struct server **server, struct error_text *error);
int server_port(const struct server *server);
int server_connections(const struct server *server); /* open now */

/*
 * No new connections; requests already read are answered, then connections close. `closed` comes last, and the server is gone.
 * Parked requests are the broker's to end: broker_close does it.
 */
void server_close(struct server *server, void (*closed)(void *ctx), void *ctx);

#endif
