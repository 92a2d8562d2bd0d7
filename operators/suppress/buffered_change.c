#include "suppress/buffered_change.h"

#include "base/bytes.h"

enum { NULL_LENGTH = UINT32_MAX, SAME_AS_PRIOR = UINT32_MAX - 1 };

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static void append(struct buffer *into, mill_bytes bytes)
{
    buffer_append_u32(into, mill_is_null(bytes) ? NULL_LENGTH : (uint32_t)bytes.len);
    if (bytes.len > 0)
        buffer_append(into, bytes.data, bytes.len);
}

/* Null is as good as equal to null. */
static bool same(mill_bytes a, mill_bytes b)
{
    return mill_is_null(a) ? mill_is_null(b) : !mill_is_null(b) && mill_bytes_equal(a, b);
}

int buffered_change_encode(struct buffer *into, const struct buffered_change *change)
{
    buffer_clear(into);
    buffer_append_u64(into, (uint64_t)change->timestamp_ms);
    buffer_append_u64(into, (uint64_t)change->offset);
    append(into, mill_is_null(change->topic) ? mill_string("") : change->topic);
    buffer_append_u32(into, (uint32_t)change->partition);
    buffer_append_u32(into, (uint32_t)change->header_count);
    for (size_t i = 0; i < change->header_count; i++) {
        append(into, change->headers[i].key);
        append(into, change->headers[i].value);
    }
    append(into, change->prior);
    if (!mill_is_null(change->old_value) && same(change->old_value, change->prior))
        buffer_append_u32(into, SAME_AS_PRIOR);
    else
        append(into, change->old_value);
    append(into, change->new_value);
    buffer_append_u64(into, (uint64_t)change->buffer_time_ms);
    return into->failed ? MILL_ENOMEM : 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static mill_bytes take(struct byte_reader *reader, uint32_t len)
{
    if (len == NULL_LENGTH)
        return mill_null();
    const uint8_t *data = byte_reader_take(reader, len);
    return data == NULL ? mill_null() : mill_bytes_of(data, len);
}

static mill_bytes take_prefixed(struct byte_reader *reader)
{
    return take(reader, byte_reader_u32(reader));
}

static int take_headers(mill_context *context, struct byte_reader *reader, struct buffered_change *change)
{
    enum { HEADER_BYTES_MIN = 8 };
    uint32_t count = byte_reader_u32(reader);
    if (count == NULL_LENGTH)
        count = 0;
    if (count > byte_reader_left(reader) / HEADER_BYTES_MIN)
        return MILL_ECORRUPT;
    mill_header *headers = count == 0 ? NULL : mill_context_alloc(context, count * sizeof *headers);
    if (count > 0 && headers == NULL)
        return MILL_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        headers[i].key = take_prefixed(reader);
        headers[i].value = take_prefixed(reader);
    }
    change->headers = headers;
    change->header_count = count;
    return 0;
}

int buffered_change_decode(mill_context *context, mill_bytes bytes, struct buffered_change *change)
{
    struct byte_reader reader = byte_reader_of(bytes);
    *change = (struct buffered_change){ .timestamp_ms = (int64_t)byte_reader_u64(&reader) };
    change->offset = (int64_t)byte_reader_u64(&reader);
    change->topic = take_prefixed(&reader);
    change->partition = (int32_t)byte_reader_u32(&reader);
    int code = take_headers(context, &reader, change);
    if (code < 0)
        return code;
    change->prior = take_prefixed(&reader);
    uint32_t old_len = byte_reader_u32(&reader);
    change->old_value = old_len == SAME_AS_PRIOR ? change->prior : take(&reader, old_len);
    change->new_value = take_prefixed(&reader);
    change->buffer_time_ms = (int64_t)byte_reader_u64(&reader);
    return reader.failed || byte_reader_left(&reader) > 0 ? MILL_ECORRUPT : 0;
}

/* ---- counting -------------------------------------------------------------------------------------------------------------- */

size_t buffered_change_bytes(mill_bytes key, const struct buffered_change *change)
{
    size_t bytes = 8 + key.len + change->prior.len + change->new_value.len;
    if (!same(change->old_value, change->prior))
        bytes += change->old_value.len;
    bytes += 8 + 8 + 4 + change->topic.len;
    for (size_t i = 0; i < change->header_count; i++)
        bytes += change->headers[i].key.len + change->headers[i].value.len;
    return bytes;
}
