#include "transport/frame.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"

enum {
    LENGTH_BYTES = 4,
    /*
     * Below this much left of a frame, one read through the staging block, which may bring the next frame too, beats one without
     * a copy.
     */
    DIRECT_BYTES_MIN = 4096,
    VECTORS_MAX = 64,
};

void frame_reader_init(struct frame_reader *reader, size_t bytes_max)
{
    mill_assert(bytes_max <= INT32_MAX);
    *reader = (struct frame_reader){ .bytes_max = bytes_max };
}

void frame_reader_release(struct frame_reader *reader)
{
    shared_buffer_drop(reader->frame);
    mem_free(reader->staging);
    reader->frame = NULL;
    reader->staging = NULL;
}

static size_t staged(const struct frame_reader *reader)
{
    return reader->staged_to - reader->staged_from;
}

static size_t missing(const struct shared_buffer *frame)
{
    return frame->capacity - frame->len;
}

/* ---- taking bytes in ------------------------------------------------------------------------------------------------------- */

/* What is left in the staging block, less than a length, moves to its start. */
static uint8_t *reserve_staging(struct frame_reader *reader, size_t *len)
{
    if (!reader->staging) {
        reader->staging = (uint8_t *)mem_alloc(FRAME_STAGING_BYTES);
        if (!reader->staging)
            return NULL;
        reader->staged_from = reader->staged_to = 0;
    }
    memmove(reader->staging, reader->staging + reader->staged_from, staged(reader));
    reader->staged_to = staged(reader);
    reader->staged_from = 0;
    *len = FRAME_STAGING_BYTES - reader->staged_to;
    return reader->staging + reader->staged_to;
}

uint8_t *frame_reader_reserve(struct frame_reader *reader, size_t *len)
{
    reader->reads_into_frame = reader->frame && missing(reader->frame) >= DIRECT_BYTES_MIN;
    if (!reader->reads_into_frame)
        return reserve_staging(reader, len);
    *len = missing(reader->frame);
    return reader->frame->data + reader->frame->len;
}

void frame_reader_commit(struct frame_reader *reader, size_t len)
{
    if (reader->reads_into_frame) {
        mill_assert(len <= missing(reader->frame));
        reader->frame->len += (uint32_t)len;
    } else {
        mill_assert(len <= FRAME_STAGING_BYTES - reader->staged_to);
        reader->staged_to += len;
    }
}

/* ---- cutting --------------------------------------------------------------------------------------------------------------- */

/* What kind of peer begins with these four bytes, if it is one that is met in practice. */
static const char *protocol_of(const uint8_t bytes[LENGTH_BYTES])
{
    static const char *const http[] = { "GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "CONN", "HTTP" };
    for (size_t i = 0; i < sizeof http / sizeof *http; i++)
        if (memcmp(bytes, http[i], LENGTH_BYTES) == 0)
            return "HTTP";
    if ((bytes[0] == 0x16 || bytes[0] == 0x15) && bytes[1] == 0x03)
        return "TLS";
    return NULL;
}

static int refuse_length(struct frame_reader *reader, const uint8_t *bytes)
{
    int32_t length = (int32_t)read_u32_be(bytes);
    const char *protocol = protocol_of(bytes);
    if (protocol)
        return error_set(&reader->error, MILL_EPROTOCOL,
                         "the peer speaks %s, but this connection speaks Kafka's protocol in clear text; check port and "
                         "security.protocol on its side",
                         protocol);
    if (length <= 0)
        return error_set(&reader->error, MILL_EPROTOCOL, "a frame of length %" PRId32 " is not Kafka's protocol", length);
    return error_set(&reader->error, MILL_ETOOLARGE, "a frame of %" PRId32 " bytes is above the limit of %zu", length,
                     reader->bytes_max);
}

static int begin_frame(struct frame_reader *reader)
{
    const uint8_t *bytes = reader->staging + reader->staged_from;
    int32_t length = (int32_t)read_u32_be(bytes);
    if (length <= 0 || (size_t)length > reader->bytes_max)
        return refuse_length(reader, bytes);
    reader->frame = shared_buffer_new((size_t)length);
    if (!reader->frame)
        return error_set(&reader->error, MILL_ENOMEM, "no memory for a frame of %" PRId32 " bytes", length);
    reader->staged_from += LENGTH_BYTES;
    return 0;
}

static void move_staged_into_frame(struct frame_reader *reader)
{
    struct shared_buffer *frame = reader->frame;
    size_t len = staged(reader) < missing(frame) ? staged(reader) : missing(frame);
    if (len == 0)
        return;
    memcpy(frame->data + frame->len, reader->staging + reader->staged_from, len);
    frame->len += (uint32_t)len;
    reader->staged_from += len;
}

static void free_empty_staging(struct frame_reader *reader)
{
    if (staged(reader) > 0)
        return;
    mem_free(reader->staging);
    reader->staging = NULL;
    reader->staged_from = reader->staged_to = 0;
}

int frame_reader_next(struct frame_reader *reader, struct shared_buffer **frame)
{
    if (!reader->failed && !reader->frame && staged(reader) >= LENGTH_BYTES)
        reader->failed = begin_frame(reader);
    if (reader->failed)
        return reader->failed;
    if (reader->frame)
        move_staged_into_frame(reader);
    free_empty_staging(reader);
    if (!reader->frame || missing(reader->frame) > 0)
        return 0;
    *frame = reader->frame;
    reader->frame = NULL;
    return 1;
}

bool frame_reader_is_inside(const struct frame_reader *reader)
{
    return reader->frame || staged(reader) > 0;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

int frame_write(struct net_stream *stream, const struct wire_frame *frame, void *write_ctx)
{
    struct io_vector vectors[VECTORS_MAX];
    for (int32_t i = 0; i < frame->count;) {
        size_t count = 0;
        for (; i < frame->count && count < VECTORS_MAX; i++)
            vectors[count++] = (struct io_vector){ frame->slices[i].bytes.data, frame->slices[i].bytes.len };
        int code = net_write(stream, vectors, count, i == frame->count ? write_ctx : NULL);
        if (code)
            return code;
    }
    return 0;
}
