#include "state/key_schema.h"

enum { ELEMENT_MEMBER = 0, ELEMENT_SIZE = 1 };

static mill_bytes result(const struct buffer *buffer)
{
    return buffer->failed ? mill_null() : buffer_bytes(buffer);
}

mill_bytes key_schema_changelog_window(struct buffer *into, mill_bytes key, int64_t start_ms)
{
    buffer_clear(into);
    buffer_append(into, key.data, key.len);
    buffer_append_u64(into, (uint64_t)start_ms);
    buffer_append_u32(into, 0);
    return result(into);
}

mill_bytes key_schema_windowed(struct buffer *into, mill_bytes key, int64_t start_ms)
{
    buffer_clear(into);
    buffer_append(into, key.data, key.len);
    buffer_append_u64(into, (uint64_t)start_ms);
    return result(into);
}

mill_bytes key_schema_stored_window(struct buffer *into, int64_t start_ms, mill_bytes key)
{
    buffer_clear(into);
    buffer_append_u64(into, (uint64_t)start_ms);
    buffer_append(into, key.data, key.len);
    return result(into);
}

static void begin_element(struct buffer *into, mill_bytes key, uint8_t kind)
{
    buffer_clear(into);
    buffer_append_u32(into, (uint32_t)key.len);
    buffer_append(into, key.data, key.len);
    buffer_append_u8(into, kind);
}

mill_bytes key_schema_member(struct buffer *into, mill_bytes key, mill_bytes member)
{
    begin_element(into, key, ELEMENT_MEMBER);
    buffer_append(into, member.data, member.len);
    return result(into);
}

mill_bytes key_schema_size(struct buffer *into, mill_bytes key)
{
    begin_element(into, key, ELEMENT_SIZE);
    return result(into);
}

bool key_schema_parse_changelog_window(mill_bytes changelog_key, mill_bytes *key, int64_t *start_ms)
{
    if (mill_is_null(changelog_key) || changelog_key.len < WINDOW_SUFFIX_BYTES)
        return false;
    *key = mill_bytes_of(changelog_key.data, changelog_key.len - WINDOW_SUFFIX_BYTES);
    *start_ms = (int64_t)read_u64_be(changelog_key.data + key->len);
    return *start_ms >= 0;
}

bool key_schema_parse_element(mill_bytes element, mill_bytes *key, mill_bytes *member)
{
    struct byte_reader reader = byte_reader_of(element);
    size_t key_len = byte_reader_u32(&reader);
    *key = mill_bytes_of(byte_reader_take(&reader, key_len), key_len);
    uint8_t kind = byte_reader_u8(&reader);
    if (reader.failed || (kind == ELEMENT_SIZE && byte_reader_left(&reader) > 0))
        return false;
    *member = kind == ELEMENT_MEMBER ? mill_bytes_of(reader.at, byte_reader_left(&reader)) : mill_null();
    return kind == ELEMENT_MEMBER || kind == ELEMENT_SIZE;
}
