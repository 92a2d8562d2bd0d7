/*
 * Cuts a byte stream into frames: an int32 length, big-endian, and as many bytes.
 *
 * The stream asks where its next bytes go (reserve), says how many came (commit), and complete frames are taken one by one
 * (next). A large frame is read straight into its own buffer, small ones go through a staging block, so that one read can bring
 * many; the staging block exists only while bytes are in it, so an idle connection costs its struct.
 *
 * Hostile input. A length of zero or below, or above `bytes_max`, is refused before anything is allocated. A buffer has the
 * length of its frame from the start; of a peer that announces much and sends little, the memory that is not written to is never
 * backed. Bytes that are HTTP or TLS are recognised, as these are the usual mistakes, and named in the error.
 *
 * Thread: the connection's loop.
 */
#ifndef TRANSPORT_FRAME_H
#define TRANSPORT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/shared_buffer.h"
#include "io/io.h"
#include "wire/codec.h"

enum {
    FRAME_BYTES_MAX = 100 * 1024 * 1024, /* Kafka's socket.request.max.bytes */
    FRAME_STAGING_BYTES = 16 * 1024,
};

struct frame_reader {
    size_t bytes_max;
    struct shared_buffer *frame; /* being filled; its capacity is its length */
    bool reads_into_frame;       /* what the last reserve gave: the frame's memory, else the staging block's */
    int failed;                  /* what next answered with, for good */
    uint8_t *staging;            /* NULL when empty */
    size_t staged_from;          /* bytes [from, to) of it are not cut yet */
    size_t staged_to;
    struct error_text error;
};

/* Takes no memory yet. `bytes_max` at most INT32_MAX. */
void frame_reader_init(struct frame_reader *reader, size_t bytes_max);
void frame_reader_release(struct frame_reader *reader);

/* Where the next bytes go, *len >= 1 of them at most; valid until commit. NULL: no memory. Not called while `next` has frames. */
uint8_t *frame_reader_reserve(struct frame_reader *reader, size_t *len);
void frame_reader_commit(struct frame_reader *reader, size_t len);

/*
 * 1: *frame is the next one, without its length; the caller is its one holder. 0: more bytes are needed. Negative, and again at
 * every later call: MILL_EPROTOCOL (no frame can begin like this), MILL_ETOOLARGE, MILL_ENOMEM; `reader->error` says it in words.
 */
int frame_reader_next(struct frame_reader *reader, struct shared_buffer **frame);

/*
 * Queues an encoded frame on the stream, in as many writes as its vectors need; the `written` of the last carries `write_ctx`,
 * those before it carry NULL. On an error a part may be queued: the stream must be closed, and the bytes stay until it is.
 */
int frame_write(struct net_stream *stream, const struct wire_frame *frame, void *write_ctx);

/* Whether the stream would end inside a frame. */
bool frame_reader_is_inside(const struct frame_reader *reader);

#endif
