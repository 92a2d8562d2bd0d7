/*
 * A request on its way there and back.
 *
 * One object goes the whole round, over TCP or in-process: whoever asks makes it, fills `body` and gives it away (to a connection
 * or to the broker's queue); whoever answers sets `response` and gives it back; whoever asked frees it. On the server's side of a
 * TCP connection the connection makes it from a frame, the broker answers it, and the connection frees it when the answer is
 * written. Request and response live in the one arena, so in-process no byte of a message is encoded or copied.
 *
 * Ownership. The request owns its arena and holds `frame`, `response.frame` and every buffer given to request_keep, and lets go
 * of them in request_free. Everything reachable from the bodies lies in the arena, in one of those buffers, or is constant.
 *
 * Thread: one at a time; giving it away hands it over.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/list.h"
#include "base/shared_buffer.h"
#include "wire/api_table.h"

struct response {
    void *body;                  /* struct <api>_response; NULL: no answer (acks=0), or `error` */
    struct shared_buffer *frame; /* the bytes that `body` views, when it came over the network; held */
    int error; /* 0, or MILL_E*: no answer will come (MILL_ECONNECTION, MILL_ETIMEOUT, MILL_EPROTOCOL, MILL_ECLOSED) */
};

struct request_keep;

struct request {
    const struct api *api;
    int16_t api_version;
    int32_t correlation_id; /* the peer's, or given by the connection that sends it */
    mill_bytes client_id;
    bool version_unknown;        /* ApiVersions of a version that we lack: to be answered in version 0; the body is at defaults */
    bool one_way;                /* no answer comes: set by the client for Produce with acks=0 */
    void *body;                  /* struct <api>_request */
    struct shared_buffer *frame; /* the bytes that `body` views, when it came over the network; held */
    struct arena arena;
    struct response response;
    struct request_keep *kept; /* buffers held until the request is freed */

    void *owner; /* of whoever made it: to know it again when it comes back */

    /* Of whoever has it at the moment: a place in a queue, a deadline, what else there is to remember. */
    struct list link;
    int64_t deadline_us;
    void *holder;
};

enum {
    FRAME_LENGTH_BYTES = 4,
    REQUEST_ARENA_BLOCK_BYTES = 4096,
};

/*
 * A request with its body at defaults, to be filled (strings and arrays into its arena). `arena_bytes_max` bounds request and
 * response together. NULL: no memory.
 */
struct request *request_new(const struct api *api, int16_t api_version, size_t arena_bytes_max);
void request_free(struct request *request); /* NULL is a no-op */

/* The body of the answer, made in the arena with its fields at defaults and set as response.body. NULL: no memory. */
void *request_new_response(struct request *request);

/* Holds `buffer` until the request is freed: for record slices of an answer. MILL_ENOMEM: not held. */
int request_keep(struct request *request, struct shared_buffer *buffer);

/*
 * For a way on which the body is not encoded: copies what its strings view into the arena, because the asker may drop that before
 * the answer comes. MILL_ENOMEM: not to be sent.
 */
int request_own(struct request *request);

/* ---- frames: int32 length, header, body ------------------------------------------------------------------------------------ */

/* What can be told of a request before its body is decoded. */
struct request_head {
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
};

/* The first 8 bytes behind the length. MILL_ETRUNCATED. */
int request_peek(mill_bytes frame, struct request_head *head);

/*
 * Decodes a frame (without its length) into a new request, which takes over the caller's hold on `frame` when it succeeds.
 * An unknown version of ApiVersions gives a request of version 0 with `version_unknown`: clients find our versions that way.
 * MILL_EUNSUPPORTED: any other unknown API or version; the connection is to be closed. Other errors as wire_decode; bytes behind
 * the message are ignored, as Kafka does. `error` may be NULL.
 */
int request_decode(struct shared_buffer *frame, size_t arena_bytes_max, struct request **request, struct error_text *error);

/* The whole frame of a request or of its response, length included, into the request's arena. Errors as wire_encode. */
int request_encode(struct request *request, struct wire_frame *frame, struct error_text *error);
int response_encode(struct request *request, struct wire_frame *frame, struct error_text *error);

/* The correlation id of a response's frame. MILL_ETRUNCATED. */
int response_peek(mill_bytes frame, int32_t *correlation_id);

/* Decodes the answer to `request` from its frame (without its length) and takes over the caller's hold when it succeeds. */
int response_decode(struct request *request, struct shared_buffer *frame, struct error_text *error);

/* "Metadata v12 #7 {topics=[...]}", for traces. */
void request_print(const struct request *request, struct buffer *out);
void response_print(const struct request *request, struct buffer *out);

#endif
