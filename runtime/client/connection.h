/*
 * A way to send requests to one broker and get them back answered: over TCP, or in-process.
 *
 * A `struct request` (wire/message.h) goes out filled and comes back with its response. In-process nothing is encoded: request
 * and response bodies lie in the request's arena, and record slices are the broker's own buffers. Over TCP the connection
 * encodes, frames, gives correlation ids and decodes. The client cannot tell the two apart; both negotiate versions by
 * ApiVersions.
 *
 *     connect -> opened -> send ... answered ... -> close, or the connection is lost -> closed
 *
 * The connector is what a program chooses once: NULL at client_new is TCP, the app room makes one over its broker, the tests one
 * over a scripted peer.
 *
 * Thread: the client's loop, all calls and all events.
 */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

#include "io/io.h"
#include "wire/message.h"

struct connection;
struct connector;

/* The client's side. None is called from within a call of connection_ops or connector_ops. */
struct connection_events {
    /* May send. Not called when connecting fails: then `closed` is. */
    void (*opened)(void *ctx, struct io_time now);
    /* The request is the client's again, with response.body or response.error. Over TCP answers come in the order of sending. */
    void (*answered)(void *ctx, struct request *request, struct io_time now);
    /*
     * Last call, exactly once, also after close: the connection is gone and every request has come back (those cut off with
     * response.error). `code` is 0 after close, else MILL_ECONNECTION, MILL_EACCESS (TLS, SASL), MILL_EPROTOCOL, ...; `text` says
     * what happened and is valid for the call.
     */
    void (*closed)(void *ctx, int code, const char *text, struct io_time now);
};

struct connection_ops {
    /*
     * Gives the request away until `answered`; never blocks. On an error (it cannot be encoded, no memory) it stays the caller's,
     * with the reason in `error`. At most `credits` are out at a time; the client counts.
     */
    int (*send)(struct connection *connection, struct request *request, struct error_text *error);
    /* Starts closing; harmless when it is on its way. */
    void (*close)(struct connection *connection);
};

struct connection {
    const struct connection_ops *ops;
    int credits; /* set by the connector: requests that may be out at a time, at least 1 */
};

struct connector_ops {
    /*
     * Starts a connection; events follow. `host` is read during the call; an in-process connector ignores host and port.
     * 0, or MILL_ENOMEM or another code, and then there are no events.
     */
    int (*connect)(struct connector *connector, struct loop *loop, const char *host, int port,
                   const struct connection_events *events, void *ctx, struct connection **connection);
};

struct connector {
    const struct connector_ops *ops;
};

/* The TCP connector: static, stateless, never freed. */
struct connector *tcp_connector(void);

#endif
