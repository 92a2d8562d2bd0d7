/*
 * gzip by zlib. The stream's state is kept between batches and reset, its memory comes from base/alloc.h.
 *
 * Unpacking goes member by member into whatever room the output has. At the output's maximum it is given no room at all: what is
 * left of the input may still be the trailer of a text that fits exactly.
 */
#include <zlib.h>

#include "base/alloc.h"
#include "record/codec.h"

enum { LEVEL_DEFAULT = 6, LEVEL_MIN = 1, LEVEL_MAX = 9, MEMORY_LEVEL = 8, WINDOW_BITS = 15, GZIP_ONLY = 16 };

static voidpf zlib_alloc(voidpf ctx, uInt items, uInt size)
{
    return mem_calloc(items, size);
}

static void zlib_free(voidpf ctx, voidpf block)
{
    mem_free(block);
}

static z_stream *stream_new(void)
{
    z_stream *stream = mem_calloc(1, sizeof *stream);
    if (stream) {
        stream->zalloc = zlib_alloc;
        stream->zfree = zlib_free;
    }
    return stream;
}

void gzip_packer_release(struct packer *packer)
{
    if (packer->gzip)
        deflateEnd(packer->gzip);
    mem_free(packer->gzip);
    packer->gzip = NULL;
}

/* A stream of `level`, at its start. Levels change with the configuration only, so another level makes another stream. */
static int packer_start(struct packer *packer, int level)
{
    if (packer->gzip && packer->gzip_level == level)
        return deflateReset(packer->gzip) == Z_OK ? 0 : MILL_ENOMEM;
    gzip_packer_release(packer);
    z_stream *stream = stream_new();
    if (!stream)
        return MILL_ENOMEM;
    if (deflateInit2(stream, level, Z_DEFLATED, WINDOW_BITS + GZIP_ONLY, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        mem_free(stream);
        return MILL_ENOMEM;
    }
    packer->gzip = stream;
    packer->gzip_level = level;
    return 0;
}

int gzip_pack(struct packer *packer, int level, mill_bytes plain, struct buffer *out)
{
    int code = packer_start(packer, codec_level(level, LEVEL_DEFAULT, LEVEL_MIN, LEVEL_MAX));
    if (code < 0)
        return code;
    z_stream *stream = packer->gzip;
    size_t bound = deflateBound(stream, plain.len);
    code = codec_reserve(out, bound);
    if (code < 0)
        return code;
    stream->next_in = (Bytef *)plain.data;
    stream->avail_in = (uInt)plain.len;
    stream->next_out = out->data + out->len;
    stream->avail_out = (uInt)bound;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return MILL_ENOMEM;
    out->len += bound - stream->avail_out;
    return 0;
}

void gzip_unpacker_release(struct unpacker *unpacker)
{
    if (unpacker->gzip)
        inflateEnd(unpacker->gzip);
    mem_free(unpacker->gzip);
    unpacker->gzip = NULL;
}

static int unpacker_start(struct unpacker *unpacker)
{
    if (unpacker->gzip)
        return inflateReset(unpacker->gzip) == Z_OK ? 0 : MILL_ENOMEM;
    z_stream *stream = stream_new();
    if (!stream)
        return MILL_ENOMEM;
    if (inflateInit2(stream, WINDOW_BITS + GZIP_ONLY) != Z_OK) {
        mem_free(stream);
        return MILL_ENOMEM;
    }
    unpacker->gzip = stream;
    return 0;
}

/* One call of inflate into the room that is there. Returns 1 at the end of a member, 0 for more to do, or an error. */
static int inflate_some(z_stream *stream, struct buffer *out)
{
    int code = codec_reserve_some(out);
    if (code < 0)
        return code;
    size_t room = codec_room(out) < CODEC_INPUT_BYTES_MAX ? codec_room(out) : CODEC_INPUT_BYTES_MAX;
    stream->next_out = out->data + out->len;
    stream->avail_out = (uInt)room;
    int result = inflate(stream, Z_NO_FLUSH);
    out->len += room - stream->avail_out;

    switch (result) {
    case Z_STREAM_END:
        return 1;
    case Z_OK:
        return 0;
    case Z_BUF_ERROR: /* no progress: no input, or no room and the maximum reached */
        return stream->avail_in == 0 && room > 0 ? MILL_ECORRUPT : MILL_ETOOLARGE;
    case Z_MEM_ERROR:
        return MILL_ENOMEM;
    default:
        return MILL_ECORRUPT;
    }
}

int gzip_unpack(struct unpacker *unpacker, mill_bytes packed, struct buffer *out)
{
    int code = unpacker_start(unpacker);
    if (code < 0)
        return code;
    z_stream *stream = unpacker->gzip;
    stream->next_in = (Bytef *)packed.data;
    stream->avail_in = (uInt)packed.len;
    for (;;) {
        code = inflate_some(stream, out);
        if (code < 0)
            return code;
        if (code == 1 && stream->avail_in == 0)
            return 0;
        if (code == 1 && inflateReset(stream) != Z_OK)
            return MILL_ECORRUPT;
    }
}
