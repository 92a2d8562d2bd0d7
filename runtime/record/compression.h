/*
 * The codecs of a record batch: gzip, snappy, LZ4 and zstd, in the framing that Kafka's clients write.
 *
 *   gzip    RFC 1952; several members in a row are one text
 *   snappy  written in blocks of 32 KiB behind the header of snappy-java ("xerial"), as Java clients do; read in that framing
 *           and raw, as librdkafka and others write it
 *   lz4     LZ4 frame 1.x; written with independent blocks of 64 KiB and no checksums (Java's reader refuses linked blocks)
 *   zstd    RFC 8878; several frames in a row are one text
 *
 * Compressed bytes come from strangers: unpacking never writes above the maximum of the output buffer, never reserves for a
 * claimed size that the input cannot hold, and needs no memory that grows with a declared window.
 *
 * A codec's working memory is made at its first use and kept until release, so a packer or unpacker belongs to one long-lived
 * owner. gzip takes its own through base/alloc.h, the other libraries from malloc. Thread: the owner's.
 */
#ifndef RECORD_COMPRESSION_H
#define RECORD_COMPRESSION_H

#include <limits.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "millstream/bytes.h"
#include "millstream/error.h"

/* As in bits 0-2 of a batch's attributes. */
enum compression {
    COMPRESSION_NONE = 0,
    COMPRESSION_GZIP = 1,
    COMPRESSION_SNAPPY = 2,
    COMPRESSION_LZ4 = 3,
    COMPRESSION_ZSTD = 4,
    COMPRESSION_COUNT
};

/* Each codec's own: gzip 6, lz4 fast, zstd 3; snappy has no levels. Levels outside a codec's range are clamped to it. */
enum { COMPRESSION_LEVEL_DEFAULT = INT_MIN };

/*
 * "none", "gzip", "snappy", "lz4", "zstd": as in the property compression.type. Static. NULL for a number that is none of them.
 */
const char *compression_name(enum compression compression);

/* The opposite: false for any other name. */
bool compression_parse(const char *name, enum compression *compression);

struct packer {
    struct z_stream_s *gzip; /* each NULL until first used */
    struct ZSTD_CCtx_s *zstd;
    int gzip_level;
};

void packer_init(struct packer *packer);
void packer_release(struct packer *packer);

/*
 * Appends `plain`, compressed, to `out`; COMPRESSION_NONE copies. Returns 0, MILL_ENOMEM, MILL_ETOOLARGE when the result would
 * exceed out->bytes_max, MILL_EUNSUPPORTED for an unknown codec; after an error out->len is what it was.
 */
MILL_MUST_USE int packer_pack(struct packer *packer, enum compression compression, int level, mill_bytes plain,
                              struct buffer *out);

struct unpacker {
    struct z_stream_s *gzip; /* each NULL until first used */
    struct LZ4F_dctx_s *lz4;
    struct ZSTD_DCtx_s *zstd;
};

void unpacker_init(struct unpacker *unpacker);
void unpacker_release(struct unpacker *unpacker);

/*
 * Appends what `packed` holds to `out`; COMPRESSION_NONE copies. All of `packed` must be consumed. Returns 0, MILL_ECORRUPT (the
 * bytes are not whole or not of this codec), MILL_ETOOLARGE (it would exceed out->bytes_max: a bomb, or a limit set too low),
 * MILL_ENOMEM, MILL_EUNSUPPORTED for an unknown codec; after an error out->len is what it was.
 */
MILL_MUST_USE int unpacker_unpack(struct unpacker *unpacker, enum compression compression, mill_bytes packed, struct buffer *out);

#endif
