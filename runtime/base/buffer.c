/* Doubling growth up to a maximum; `failed` sticks until buffer_clear. */
#include "base/buffer.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/varint.h"

enum { BUFFER_BYTES_FIRST = 64 };

void buffer_init(struct buffer *buffer, size_t bytes_max)
{
    *buffer = (struct buffer){ .bytes_max = bytes_max };
}

void buffer_release(struct buffer *buffer)
{
    mem_free(buffer->data);
    buffer_init(buffer, buffer->bytes_max);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_BYTES_FIRST;
    while (capacity < needed)
        capacity = capacity > buffer->bytes_max / 2 ? buffer->bytes_max : capacity * 2;
    if (capacity > buffer->bytes_max)
        capacity = buffer->bytes_max;
    uint8_t *data = mem_realloc(buffer->data, capacity);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return NULL;
    bool fits = more <= buffer->bytes_max - buffer->len;
    if (!fits || ((more > buffer->capacity - buffer->len || !buffer->data) && !grow(buffer, buffer->len + more))) {
        buffer->failed = true;
        return NULL;
    }
    return buffer->data + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *data, size_t len)
{
    uint8_t *at = buffer_reserve(buffer, len);
    if (!at || len == 0)
        return;
    memcpy(at, data, len);
    buffer->len += len;
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    buffer_append(buffer, &value, 1);
}

void buffer_append_u16(struct buffer *buffer, uint16_t value)
{
    uint8_t bytes[2];
    write_u16_be(bytes, value);
    buffer_append(buffer, bytes, sizeof bytes);
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    write_u32_be(bytes, value);
    buffer_append(buffer, bytes, sizeof bytes);
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    write_u64_be(bytes, value);
    buffer_append(buffer, bytes, sizeof bytes);
}

void buffer_append_unsigned_varint(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[VARLONG_BYTES_MAX];
    uint8_t *end = unsigned_varint_write(bytes, value);
    buffer_append(buffer, bytes, (size_t)(end - bytes));
}

void buffer_append_varint(struct buffer *buffer, int64_t value)
{
    buffer_append_unsigned_varint(buffer, zigzag(value));
}
