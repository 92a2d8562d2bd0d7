/*
 * The server's end of a connection: requests in, answers out in the order of the requests.
 *
 * As clients of Kafka expect, one request of a connection is worked on at a time. Requests that follow are read ahead, within
 * limits, and wait; `overlaps` may let the next one start early where order is kept anyway (consecutive Produces share a group
 * commit). Reading pauses above the limits of requests or bytes read ahead, and no request starts while the peer leaves more than
 * `write_bytes_max` of answers unread.
 *
 * The answer of a request goes out as vectors: record batches are written from the buffers where they lie. A request without
 * answer (response.body NULL: acks=0) sends nothing; with response.error set it closes the connection.
 *
 * A peer that violates the protocol, an unknown API or version (but ApiVersions, see wire/message.h), or `idle_us` without a
 * request, ends the connection. It ends on its own thread of control: requests that the broker still has come back through
 * server_connection_answer as usual and are freed; when none is left, `closed` is called, last, and the connection is gone.
 *
 * TLS is a net_stream over another net_stream, put between before the connection gets it; SASL is requests like others, admitted
 * by whoever gets them.
 *
 * Thread: the stream's loop.
 */
#ifndef TRANSPORT_SERVER_CONNECTION_H
#define TRANSPORT_SERVER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io.h"
#include "wire/message.h"

struct server_connection;

struct server_connection_limits {
    size_t frame_bytes_max;
    size_t arena_bytes_max; /* one request's structs with its answer's */
    int requests_max;       /* read ahead and being worked on, together; at least 1 */
    size_t read_bytes_max;  /* frames of those; one frame above it is taken when nothing else is there */
    size_t write_bytes_max; /* answers that the peer has not taken */
    int64_t idle_us;        /* 0: never */
};

/* Kafka's: frames of 100 MiB, idle after 10 minutes; 64 MiB of structs, 16 requests, 8 MiB read ahead, 1 MiB unread answers. */
struct server_connection_limits server_connection_default_limits(void);

struct server_connection_events {
    /* A request to be answered by server_connection_answer, at once or later; the callee has it until then. */
    void (*request)(void *ctx, struct server_connection *connection, struct request *request, struct io_time now);
    /* Whether `next` may start while `running`, the one before it, is still worked on. NULL: never. */
    bool (*overlaps)(void *ctx, const struct request *running, const struct request *next);
    /* The last call. `code` 0: the peer or server_connection_close ended it; else MILL_E*, and `why` says it in words. */
    void (*closed)(void *ctx, struct server_connection *connection, int code, const char *why);
    /*
     * The peer has ended its side, or the connection ends, while `request` is worked on: nobody waits for it any more. May be
     * NULL.
     */
    void (*unwanted)(void *ctx, struct request *request, struct io_time now);
};

/*
 * Starts reading from an accepted stream, which it owns from now on, also when it fails (MILL_ENOMEM, net_start's errors).
 * `events` and `limits` are read while it lives; `ctx` is handed back.
 */
int server_connection_open(struct loop *loop, struct net_stream *stream, const struct server_connection_limits *limits,
                           const struct server_connection_events *events, void *ctx, struct server_connection **connection);

/* Gives back a request that `request` brought, with its response set. The connection is the request's own (request->owner). */
void server_connection_answer(struct request *request, struct io_time now);

/* Ends it: nothing more is read or written. May be called from any of its events; `closed` comes later. */
void server_connection_close(struct server_connection *connection);

/* Ends it in good order: no further request is read; those read are answered first. */
void server_connection_drain(struct server_connection *connection);

/* "127.0.0.1:50123", valid as long as the connection. */
const char *server_connection_peer(const struct server_connection *connection);
void *server_connection_context(const struct server_connection *connection);

#endif
