/* Names, and the way to each codec. */
#include "record/compression.h"

#include <string.h>

#include "record/codec.h"

/* Room asked for when the size of the output is unknown; the buffer doubles beyond it. */
enum { ROOM_BYTES = 64 * 1024 };

static const char *const names[COMPRESSION_COUNT] = { "none", "gzip", "snappy", "lz4", "zstd" };

const char *compression_name(enum compression compression)
{
    return (unsigned)compression < COMPRESSION_COUNT ? names[compression] : NULL;
}

bool compression_parse(const char *name, enum compression *compression)
{
    for (int i = 0; i < COMPRESSION_COUNT; i++)
        if (strcmp(name, names[i]) == 0) {
            *compression = (enum compression)i;
            return true;
        }
    return false;
}

int codec_reserve(struct buffer *out, size_t more)
{
    if (more > out->bytes_max - out->len)
        return MILL_ETOOLARGE;
    return buffer_reserve(out, more) ? 0 : MILL_ENOMEM;
}

int codec_reserve_some(struct buffer *out)
{
    if (codec_room(out) > 0)
        return 0;
    size_t allowed = out->bytes_max - out->len;
    return codec_reserve(out, allowed < ROOM_BYTES ? allowed : ROOM_BYTES);
}

static int copy(mill_bytes bytes, struct buffer *out)
{
    int code = codec_reserve(out, bytes.len);
    if (code == 0)
        buffer_append(out, bytes.data, bytes.len);
    return code;
}

void packer_init(struct packer *packer)
{
    *packer = (struct packer){ 0 };
}

void packer_release(struct packer *packer)
{
    gzip_packer_release(packer);
    zstd_packer_release(packer);
    packer_init(packer);
}

static int pack(struct packer *packer, enum compression compression, int level, mill_bytes plain, struct buffer *out)
{
    switch (compression) {
    case COMPRESSION_NONE:
        return copy(plain, out);
    case COMPRESSION_GZIP:
        return gzip_pack(packer, level, plain, out);
    case COMPRESSION_SNAPPY:
        return snappy_pack(plain, out);
    case COMPRESSION_LZ4:
        return lz4_pack(level, plain, out);
    case COMPRESSION_ZSTD:
        return zstd_pack(packer, level, plain, out);
    default:
        return MILL_EUNSUPPORTED;
    }
}

int packer_pack(struct packer *packer, enum compression compression, int level, mill_bytes plain, struct buffer *out)
{
    if (plain.len > CODEC_INPUT_BYTES_MAX)
        return MILL_ETOOLARGE;
    size_t len = out->len;
    int code = pack(packer, compression, level, plain, out);
    if (code < 0)
        out->len = len;
    return code;
}

void unpacker_init(struct unpacker *unpacker)
{
    *unpacker = (struct unpacker){ 0 };
}

void unpacker_release(struct unpacker *unpacker)
{
    gzip_unpacker_release(unpacker);
    lz4_unpacker_release(unpacker);
    zstd_unpacker_release(unpacker);
    unpacker_init(unpacker);
}

static int unpack(struct unpacker *unpacker, enum compression compression, mill_bytes packed, struct buffer *out)
{
    switch (compression) {
    case COMPRESSION_GZIP:
        return gzip_unpack(unpacker, packed, out);
    case COMPRESSION_SNAPPY:
        return snappy_unpack(packed, out);
    case COMPRESSION_LZ4:
        return lz4_unpack(unpacker, packed, out);
    case COMPRESSION_ZSTD:
        return zstd_unpack(unpacker, packed, out);
    default:
        return MILL_EUNSUPPORTED;
    }
}

int unpacker_unpack(struct unpacker *unpacker, enum compression compression, mill_bytes packed, struct buffer *out)
{
    if (compression == COMPRESSION_NONE)
        return copy(packed, out);
    if (packed.len == 0 || packed.len > CODEC_INPUT_BYTES_MAX)
        return MILL_ECORRUPT;
    size_t len = out->len;
    int code = unpack(unpacker, compression, packed, out);
    if (code < 0)
        out->len = len;
    return code;
}
