/*
 * Kafka's variable-length integers: little-endian groups of 7 bits, signed ones zigzagged first (as in Protocol Buffers).
 *
 * At most 5 bytes for 32 bits, 10 for 64; a longer or overflowing one fails the reader.
 */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include <stdint.h>

#include "base/bytes.h"

enum { VARINT_BYTES_MAX = 5, VARLONG_BYTES_MAX = 10 };

/* Slow paths, out of line; use the inline functions below. */
uint64_t varint_read_long_form(struct byte_reader *reader, int bytes_max);

static inline uint64_t byte_reader_unsigned(struct byte_reader *reader, int bytes_max)
{
    if (__builtin_expect(reader->at < reader->end && *reader->at < 0x80 && !reader->failed, 1))
        return *reader->at++;
    return varint_read_long_form(reader, bytes_max);
}

static inline uint32_t byte_reader_unsigned_varint(struct byte_reader *reader)
{
    return (uint32_t)byte_reader_unsigned(reader, VARINT_BYTES_MAX);
}

static inline int32_t byte_reader_varint(struct byte_reader *reader)
{
    uint32_t raw = (uint32_t)byte_reader_unsigned(reader, VARINT_BYTES_MAX);
    return (int32_t)(raw >> 1) ^ -(int32_t)(raw & 1);
}

static inline int64_t byte_reader_varlong(struct byte_reader *reader)
{
    uint64_t raw = byte_reader_unsigned(reader, VARLONG_BYTES_MAX);
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

static inline size_t unsigned_varint_size(uint64_t value)
{
    return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

static inline uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline size_t varint_size(int64_t value)
{
    return unsigned_varint_size(zigzag(value));
}

/* Writes at `at`, which has room for VARLONG_BYTES_MAX bytes; returns the end of what was written. */
static inline uint8_t *unsigned_varint_write(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *varint_write(uint8_t *at, int64_t value)
{
    return unsigned_varint_write(at, zigzag(value));
}

#endif
