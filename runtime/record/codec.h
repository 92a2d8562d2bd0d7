/*
 * What compression.c needs of each codec; private to this room.
 *
 * A pack function appends to `out`, an unpack function appends at most up to out->bytes_max and consumes all of its input. Input
 * is not empty and at most CODEC_INPUT_BYTES_MAX. Errors are those of compression.h; the caller puts out->len back.
 */
#ifndef RECORD_CODEC_H
#define RECORD_CODEC_H

#include "record/compression.h"

enum { CODEC_INPUT_BYTES_MAX = INT32_MAX };

int gzip_pack(struct packer *packer, int level, mill_bytes plain, struct buffer *out);
int gzip_unpack(struct unpacker *unpacker, mill_bytes packed, struct buffer *out);
void gzip_packer_release(struct packer *packer);
void gzip_unpacker_release(struct unpacker *unpacker);

int snappy_pack(mill_bytes plain, struct buffer *out);
int snappy_unpack(mill_bytes packed, struct buffer *out);

int lz4_pack(int level, mill_bytes plain, struct buffer *out);
int lz4_unpack(struct unpacker *unpacker, mill_bytes packed, struct buffer *out);
void lz4_unpacker_release(struct unpacker *unpacker);

int zstd_pack(struct packer *packer, int level, mill_bytes plain, struct buffer *out);
int zstd_unpack(struct unpacker *unpacker, mill_bytes packed, struct buffer *out);
void zstd_packer_release(struct packer *packer);
void zstd_unpacker_release(struct unpacker *unpacker);

static inline int codec_level(int level, int otherwise, int min, int max)
{
    if (level == COMPRESSION_LEVEL_DEFAULT)
        return otherwise;
    return level < min ? min : level > max ? max : level;
}

/* Makes room for `more` bytes behind out->len. MILL_ETOOLARGE when the maximum forbids it, MILL_ENOMEM. */
int codec_reserve(struct buffer *out, size_t more);

/* The same for an output whose size is unknown: some room, unless the maximum is reached already, which is no error. */
int codec_reserve_some(struct buffer *out);

static inline size_t codec_room(const struct buffer *out)
{
    return out->capacity - out->len;
}

#endif
