/*
 * A growable run of bytes with a maximum.
 *
 * A failed append (no memory, or above `bytes_max`) sets `failed` and changes nothing more, so that a writer of many fields asks
 * once at the end; buffer_clear makes it usable again. Thread: its owner.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

struct buffer {
    uint8_t *data; /* owned */
    size_t len;
    size_t capacity;
    size_t bytes_max;
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t bytes_max);
void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory */

/* Room for `more` bytes behind `len`, which the caller fills and adds to `len`; NULL and `failed` when there is none. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, const void *data, size_t len);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u16(struct buffer *buffer, uint16_t value); /* big-endian, as are the next two */
void buffer_append_u32(struct buffer *buffer, uint32_t value);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
void buffer_append_unsigned_varint(struct buffer *buffer, uint64_t value);
void buffer_append_varint(struct buffer *buffer, int64_t value);

static inline mill_bytes buffer_bytes(const struct buffer *buffer)
{
    return mill_bytes_of(buffer->data, buffer->len);
}

#endif
