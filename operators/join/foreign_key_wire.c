#include "join/foreign_key_wire.h"

#include "base/bytes.h"

enum {
    NO_HASH = 0x80,
    VERSION_MASK = 0x7f,
    SUBSCRIPTION_VERSION = 1,
    RESPONSE_VERSION = 0,
    LENGTH_BYTES = 4,
    PARTITION_BYTES = 4
};

static uint8_t *append(uint8_t *at, mill_bytes bytes)
{
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return at + bytes.len;
}

static uint8_t head(uint8_t version, mill_bytes hash)
{
    return mill_is_null(hash) ? version | NO_HASH : version;
}

/* The hash behind the head. */
static mill_bytes take_hash(struct byte_reader *reader, uint8_t read)
{
    const uint8_t *hash = (read & NO_HASH) != 0 ? NULL : byte_reader_take(reader, FOREIGN_KEY_HASH_BYTES);
    return hash == NULL ? mill_null() : mill_bytes_of(hash, FOREIGN_KEY_HASH_BYTES);
}

static mill_bytes take(struct byte_reader *reader, size_t len)
{
    return mill_bytes_of(byte_reader_take(reader, len), len);
}

/* ---- subscriptions ------------------------------------------------------------------------------------------------------- */

int subscription_write(mill_context *context, const struct subscription *subscription, mill_bytes *bytes)
{
    size_t len = 2 + subscription->hash.len + subscription->primary_key.len + PARTITION_BYTES;
    uint8_t *out = mill_context_alloc(context, len);
    if (out == NULL)
        return MILL_ENOMEM;
    out[0] = head(SUBSCRIPTION_VERSION, subscription->hash);
    out[1] = (uint8_t)subscription->instruction;
    uint8_t *at = append(append(out + 2, subscription->hash), subscription->primary_key);
    write_u32_be(at, (uint32_t)subscription->partition);
    *bytes = mill_bytes_of(out, len);
    return 0;
}

bool subscription_read(mill_bytes bytes, struct subscription *subscription)
{
    struct byte_reader reader = byte_reader_of(bytes);
    uint8_t first = byte_reader_u8(&reader);
    uint8_t instruction = byte_reader_u8(&reader);
    mill_bytes hash = take_hash(&reader, first);
    uint8_t version = first & VERSION_MASK;
    size_t tail = version == 0 ? 0 : PARTITION_BYTES;
    if (reader.failed || version > SUBSCRIPTION_VERSION || instruction >= SUBSCRIPTION_INSTRUCTIONS ||
        byte_reader_left(&reader) < tail)
        return false;
    *subscription = (struct subscription){ .instruction = (enum foreign_key_instruction)instruction,
                                           .hash = hash,
                                           .primary_key = take(&reader, byte_reader_left(&reader) - tail),
                                           .partition = SUBSCRIPTION_NO_PARTITION };
    if (tail > 0)
        subscription->partition = (int32_t)byte_reader_u32(&reader);
    return true;
}

/* ---- where they are kept ------------------------------------------------------------------------------------------------- */

int subscription_key_write(mill_context *context, mill_bytes foreign_key, mill_bytes primary_key, mill_bytes *bytes)
{
    size_t len = LENGTH_BYTES + foreign_key.len + primary_key.len;
    uint8_t *out = mill_context_alloc(context, len);
    if (out == NULL)
        return MILL_ENOMEM;
    write_u32_be(out, (uint32_t)foreign_key.len);
    append(append(out + LENGTH_BYTES, foreign_key), primary_key);
    *bytes = mill_bytes_of(out, len);
    return 0;
}

bool subscription_key_read(mill_bytes bytes, mill_bytes *foreign_key, mill_bytes *primary_key)
{
    struct byte_reader reader = byte_reader_of(bytes);
    uint32_t len = byte_reader_u32(&reader);
    const uint8_t *key = byte_reader_take(&reader, len);
    if (key == NULL)
        return false;
    *foreign_key = mill_bytes_of(key, len);
    *primary_key = take(&reader, byte_reader_left(&reader));
    return true;
}

/* ---- responses ----------------------------------------------------------------------------------------------------------- */

int foreign_response_write(struct buffer *buffer, const struct foreign_response *response, mill_bytes *bytes)
{
    buffer_clear(buffer);
    buffer_append_u8(buffer, head(RESPONSE_VERSION, response->hash));
    buffer_append(buffer, response->hash.data, response->hash.len);
    buffer_append(buffer, response->value.data, response->value.len);
    *bytes = buffer_bytes(buffer);
    return buffer->failed ? MILL_ENOMEM : 0;
}

bool foreign_response_read(mill_bytes bytes, struct foreign_response *response)
{
    struct byte_reader reader = byte_reader_of(bytes);
    uint8_t first = byte_reader_u8(&reader);
    response->hash = take_hash(&reader, first);
    if (reader.failed || (first & VERSION_MASK) != RESPONSE_VERSION)
        return false;
    size_t left = byte_reader_left(&reader);
    response->value = left == 0 ? mill_null() : take(&reader, left);
    return true;
}
