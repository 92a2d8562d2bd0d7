#include "table/change.h"

#include "base/bytes.h"
#include "base/varint.h"

enum { OLD, NEW, BOTH, KINDS };

int change_write(mill_context *context, mill_bytes new_value, mill_bytes old_value, mill_bytes *bytes)
{
    bool both = !mill_is_null(new_value) && !mill_is_null(old_value);
    uint8_t *out = mill_context_alloc(context, VARLONG_BYTES_MAX + new_value.len + old_value.len + 1);
    if (out == NULL)
        return MILL_ENOMEM;
    uint8_t *at = both ? varint_write(out, (int64_t)new_value.len) : out;
    if (new_value.len > 0)
        memcpy(at, new_value.data, new_value.len);
    at += new_value.len;
    if (old_value.len > 0)
        memcpy(at, old_value.data, old_value.len);
    at += old_value.len;
    *at++ = both ? BOTH : mill_is_null(new_value) ? OLD : NEW;
    *bytes = mill_bytes_of(out, (size_t)(at - out));
    return 0;
}

static bool read_both(mill_bytes body, mill_bytes *new_value, mill_bytes *old_value)
{
    struct byte_reader reader = byte_reader_of(body);
    int32_t new_len = byte_reader_varint(&reader);
    const uint8_t *taken = new_len < 0 ? NULL : byte_reader_take(&reader, (size_t)new_len);
    if (taken == NULL)
        return false;
    size_t left = byte_reader_left(&reader);
    *new_value = mill_bytes_of(taken, (size_t)new_len);
    *old_value = mill_bytes_of(byte_reader_take(&reader, left), left);
    return true;
}

bool change_read(mill_bytes bytes, mill_bytes *new_value, mill_bytes *old_value)
{
    *new_value = *old_value = mill_null();
    uint8_t kind = bytes.len == 0 ? UINT8_MAX : bytes.data[bytes.len - 1];
    size_t tail = kind < KINDS ? 1 : 2;
    if (kind >= 2 * KINDS || bytes.len < tail)
        return false;
    mill_bytes body = mill_bytes_of(bytes.data, bytes.len - tail);
    switch (kind % KINDS) {
    case OLD:
        *old_value = body;
        return true;
    case NEW:
        *new_value = body;
        return true;
    default:
        return read_both(body, new_value, old_value);
    }
}
