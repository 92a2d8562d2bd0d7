/*
 * Snappy in the two framings that are met in Kafka.
 *
 * snappy-java's ("xerial"): a header, then blocks, all numbers big-endian. Java's writer may start anew in the middle, so that a
 * header can stand where a length is expected; its first four bytes would be a negative length.
 *
 *      0                       8         12           16        20
 *      +-----------------------+---------+------------+---------+------------+---------+---
 *      | 82 S N A P P Y 00     | version | compatible | length  | raw snappy | length  | ...
 *      +-----------------------+---------+------------+---------+------------+---------+---
 *
 * Raw: one block, which starts with its unpacked length as a varint.
 */
#include <snappy-c.h>

#include "base/bytes.h"
#include "record/codec.h"

enum { HEADER_BYTES = 16, MAGIC_BYTES = 8, BLOCK_BYTES = 32 * 1024, VERSION = 1 };

/* A block's densest element copies 64 bytes and takes 3. */
enum { EXPANSION_MAX = 22 };

static const uint8_t magic[MAGIC_BYTES] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0 };

static int pack_block(mill_bytes plain, struct buffer *out)
{
    size_t len = snappy_max_compressed_length(plain.len);
    int code = codec_reserve(out, sizeof(uint32_t) + len);
    if (code < 0)
        return code;
    uint8_t *at = out->data + out->len;
    if (snappy_compress((const char *)plain.data, plain.len, (char *)at + sizeof(uint32_t), &len) != SNAPPY_OK)
        return MILL_ENOMEM;
    write_u32_be(at, (uint32_t)len);
    out->len += sizeof(uint32_t) + len;
    return 0;
}

int snappy_pack(mill_bytes plain, struct buffer *out)
{
    int code = codec_reserve(out, HEADER_BYTES);
    if (code < 0)
        return code;
    buffer_append(out, magic, sizeof magic);
    buffer_append_u32(out, VERSION);
    buffer_append_u32(out, VERSION);
    for (size_t done = 0; done < plain.len && code == 0; done += BLOCK_BYTES) {
        size_t left = plain.len - done;
        code = pack_block(mill_bytes_of(plain.data + done, left < BLOCK_BYTES ? left : BLOCK_BYTES), out);
    }
    return code;
}

static int unpack_block(mill_bytes block, struct buffer *out)
{
    size_t len;
    if (snappy_uncompressed_length((const char *)block.data, block.len, &len) != SNAPPY_OK || len / EXPANSION_MAX > block.len)
        return MILL_ECORRUPT;
    int code = codec_reserve(out, len);
    if (code < 0)
        return code;
    if (snappy_uncompress((const char *)block.data, block.len, (char *)out->data + out->len, &len) != SNAPPY_OK)
        return MILL_ECORRUPT;
    out->len += len;
    return 0;
}

static bool starts_with_header(mill_bytes bytes)
{
    return bytes.len >= HEADER_BYTES && memcmp(bytes.data, magic, MAGIC_BYTES) == 0;
}

static int unpack_framed(struct byte_reader *in, struct buffer *out)
{
    while (byte_reader_left(in) > 0) {
        if (starts_with_header(mill_bytes_of(in->at, byte_reader_left(in)))) {
            byte_reader_take(in, HEADER_BYTES);
            continue;
        }
        uint32_t len = byte_reader_u32(in);
        const uint8_t *block = byte_reader_take(in, len);
        int code = block ? unpack_block(mill_bytes_of(block, len), out) : MILL_ECORRUPT;
        if (code < 0)
            return code;
    }
    return 0;
}

int snappy_unpack(mill_bytes packed, struct buffer *out)
{
    if (!starts_with_header(packed))
        return unpack_block(packed, out);
    struct byte_reader in = byte_reader_of(packed);
    return unpack_framed(&in, out);
}
