/*
 * The client's end of a connection: requests out, each back with its answer.
 *
 * A request given to client_connection_send comes back through `answered` exactly once, never from within the call: with
 * response.body, or with response.error when no answer will come. Answers come in the order of the requests, as Kafka promises;
 * one with another correlation id, one that does not decode, or a request past its deadline breaks the connection, because
 * whatever follows could not be told apart: all requests come back with an error, then `closed` is called.
 *
 * Requests sent before the connection stands wait for it.
 *
 * Thread: the loop's.
 */
#ifndef TRANSPORT_CLIENT_CONNECTION_H
#define TRANSPORT_CLIENT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io.h"
#include "wire/message.h"

struct client_connection;

struct client_connection_limits {
    size_t frame_bytes_max; /* of an answer */
    int requests_max;       /* sent and not back yet */
    int64_t connect_us;     /* time to connect; 0: none */
};

/* Answers of 100 MiB, 64 requests, 10 s (Kafka's socket.connection.setup.timeout.ms). */
struct client_connection_limits client_connection_default_limits(void);

struct client_connection_events {
    /* The connection stands. May be NULL. */
    void (*connected)(void *ctx, struct client_connection *connection, struct io_time now);
    /* A request is back; it is the callee's, who frees it. `request->owner` is untouched. */
    void (*answered)(void *ctx, struct client_connection *connection, struct request *request, struct io_time now);
    /*
     * The last call, after all requests are back: the connection is gone. `code` 0: client_connection_close; else MILL_E* and
     * why.
     */
    void (*closed)(void *ctx, struct client_connection *connection, int code, const char *why, struct io_time now);
};

/* Begins to connect. `events` and `limits` are read while it lives. An error: nothing was opened, no event comes. */
int client_connection_open(struct loop *loop, const char *host, int port, const struct client_connection_limits *limits,
                           const struct client_connection_events *events, void *ctx, struct client_connection **connection);

/*
 * Sends; sets the correlation id. `deadline_us` is monotonic, 0 for none. A request with `one_way` set (Produce with acks=0)
 * comes back when it is written, without body or error. On an error the request stays with the caller: MILL_EAGAIN (requests_max
 * are out), MILL_ECLOSED, or wire_encode's (`error`, may be NULL, says it in words).
 */
int client_connection_send(struct client_connection *connection, struct request *request, int64_t deadline_us,
                           struct error_text *error);

/* How many requests are out. */
int client_connection_in_flight(const struct client_connection *connection);

/* Ends it: requests that are out come back with MILL_ECLOSED, later, and then `closed` is called. Harmless when it is ending. */
void client_connection_close(struct client_connection *connection);

/* The context given at open. */
void *client_connection_context(const struct client_connection *connection);

#endif
