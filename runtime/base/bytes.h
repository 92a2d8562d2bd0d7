/*
 * Big-endian numbers and the bounds-checked reader: the only pointer arithmetic on a peer's data.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "millstream/bytes.h"

static inline uint16_t read_u16_be(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t read_u32_be(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t read_u64_be(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

static inline void write_u16_be(uint8_t *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof v);
}

static inline void write_u32_be(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

static inline void write_u64_be(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
}

/*
 * Reads forward through `data`. A read beyond the end sets `failed`, returns 0 or null and moves nothing, and so does every read
 * after it: a decoder reads all its fields and asks once at the end.
 */
struct byte_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct byte_reader byte_reader_of(mill_bytes data)
{
    struct byte_reader reader = { data.data, data.data ? data.data + data.len : data.data, false };
    return reader;
}

static inline size_t byte_reader_left(const struct byte_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* The next `len` bytes as a view into the data (non-null also for 0), or null and `failed`. */
static inline const uint8_t *byte_reader_take(struct byte_reader *reader, size_t len)
{
    if (reader->failed || len > byte_reader_left(reader)) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *taken = reader->at;
    reader->at += len;
    return taken;
}

static inline uint8_t byte_reader_u8(struct byte_reader *reader)
{
    const uint8_t *p = byte_reader_take(reader, 1);
    return p ? *p : 0;
}

static inline uint16_t byte_reader_u16(struct byte_reader *reader)
{
    const uint8_t *p = byte_reader_take(reader, 2);
    return p ? read_u16_be(p) : 0;
}

static inline uint32_t byte_reader_u32(struct byte_reader *reader)
{
    const uint8_t *p = byte_reader_take(reader, 4);
    return p ? read_u32_be(p) : 0;
}

static inline uint64_t byte_reader_u64(struct byte_reader *reader)
{
    const uint8_t *p = byte_reader_take(reader, 8);
    return p ? read_u64_be(p) : 0;
}

#endif
