/*
 * LZ4 frames by liblz4.
 *
 * The decoder keeps at most one block (4 MiB) and 128 KiB of history of its own. At the output's maximum it is given no room at
 * all: what is left of the input may still be the end mark of a text that fits exactly.
 */
#include <lz4frame.h>

#include "record/codec.h"

enum { LEVEL_DEFAULT = 0, LEVEL_MIN = 1, LEVEL_MAX = 12 };

int lz4_pack(int level, mill_bytes plain, struct buffer *out)
{
    LZ4F_preferences_t preferences = {
        .frameInfo = { .blockSizeID = LZ4F_max64KB, .blockMode = LZ4F_blockIndependent },
        .compressionLevel = codec_level(level, LEVEL_DEFAULT, LEVEL_MIN, LEVEL_MAX),
    };
    size_t bound = LZ4F_compressFrameBound(plain.len, &preferences);
    int code = codec_reserve(out, bound);
    if (code < 0)
        return code;
    size_t len = LZ4F_compressFrame(out->data + out->len, bound, plain.data, plain.len, &preferences);
    if (LZ4F_isError(len))
        return MILL_ENOMEM;
    out->len += len;
    return 0;
}

void lz4_unpacker_release(struct unpacker *unpacker)
{
    LZ4F_freeDecompressionContext(unpacker->lz4);
    unpacker->lz4 = NULL;
}

/* One call of the decoder. Returns 1 at the end of a frame, 0 for more to do, or an error. */
static int decode_some(LZ4F_dctx *context, mill_bytes *in, struct buffer *out)
{
    int code = codec_reserve_some(out);
    if (code < 0)
        return code;
    size_t written = codec_room(out);
    size_t consumed = in->len;
    size_t hint = LZ4F_decompress(context, out->data + out->len, &written, in->data, &consumed, NULL);
    if (LZ4F_isError(hint))
        return MILL_ECORRUPT;
    bool full = codec_room(out) == 0;
    out->len += written;
    *in = mill_bytes_of(in->data + consumed, in->len - consumed);
    if (hint == 0)
        return 1;
    if (written == 0 && consumed == 0)
        return full ? MILL_ETOOLARGE : MILL_ECORRUPT;
    return 0;
}

int lz4_unpack(struct unpacker *unpacker, mill_bytes packed, struct buffer *out)
{
    if (!unpacker->lz4 && LZ4F_isError(LZ4F_createDecompressionContext(&unpacker->lz4, LZ4F_VERSION)))
        return MILL_ENOMEM;
    LZ4F_resetDecompressionContext(unpacker->lz4);
    for (;;) {
        int code = decode_some(unpacker->lz4, &packed, out);
        if (code < 0)
            return code;
        if (code == 1 && packed.len == 0)
            return 0;
    }
}
