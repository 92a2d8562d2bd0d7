/*
 * Zstandard by libzstd.
 *
 * Frames are unpacked in one call into the output itself, which serves as the window: a declared window of 2 GiB costs nothing.
 * Java's writer streams and leaves the unpacked size out of the frame; then the output grows fourfold until the text fits,
 * beginning with the room that earlier batches have left.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "record/codec.h"

enum { LEVEL_DEFAULT = 3, ROOM_BYTES_FIRST = 64 * 1024, GROWTH = 4 };

/* A block unpacks to at most 128 KiB and takes at least 4 bytes. */
enum { BLOCK_BYTES_MAX = 128 * 1024, BLOCK_PACKED_BYTES_MIN = 4 };

void zstd_packer_release(struct packer *packer)
{
    ZSTD_freeCCtx(packer->zstd);
    packer->zstd = NULL;
}

int zstd_pack(struct packer *packer, int level, mill_bytes plain, struct buffer *out)
{
    if (!packer->zstd)
        packer->zstd = ZSTD_createCCtx();
    if (!packer->zstd)
        return MILL_ENOMEM;
    size_t bound = ZSTD_compressBound(plain.len);
    int code = codec_reserve(out, bound);
    if (code < 0)
        return code;
    level = codec_level(level, LEVEL_DEFAULT, ZSTD_minCLevel(), ZSTD_maxCLevel());
    size_t len = ZSTD_compressCCtx(packer->zstd, out->data + out->len, bound, plain.data, plain.len, level);
    if (ZSTD_isError(len))
        return MILL_ENOMEM;
    out->len += len;
    return 0;
}

void zstd_unpacker_release(struct unpacker *unpacker)
{
    ZSTD_freeDCtx(unpacker->zstd);
    unpacker->zstd = NULL;
}

/* How much room to try first: the size in the frame where it is given and possible, else a guess. */
static size_t first_room(mill_bytes packed, const struct buffer *out)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.data, packed.len);
    bool known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
    if (known && size > 0 && size <= (packed.len / BLOCK_PACKED_BYTES_MIN + 1) * BLOCK_BYTES_MAX)
        return (size_t)size;
    return codec_room(out) > ROOM_BYTES_FIRST ? codec_room(out) : ROOM_BYTES_FIRST;
}

int zstd_unpack(struct unpacker *unpacker, mill_bytes packed, struct buffer *out)
{
    if (!unpacker->zstd)
        unpacker->zstd = ZSTD_createDCtx();
    if (!unpacker->zstd)
        return MILL_ENOMEM;
    const size_t allowed = out->bytes_max - out->len;
    for (size_t room = first_room(packed, out);; room *= GROWTH) {
        if (room > allowed)
            room = allowed;
        int code = codec_reserve(out, room);
        if (code < 0)
            return code;
        size_t len = ZSTD_decompressDCtx(unpacker->zstd, out->data + out->len, room, packed.data, packed.len);
        if (!ZSTD_isError(len)) {
            out->len += len;
            return 0;
        }
        if (ZSTD_getErrorCode(len) == ZSTD_error_memory_allocation)
            return MILL_ENOMEM;
        if (ZSTD_getErrorCode(len) != ZSTD_error_dstSize_tooSmall)
            return MILL_ECORRUPT;
        if (room == allowed)
            return MILL_ETOOLARGE;
    }
}
