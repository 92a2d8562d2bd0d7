/*
 * Decoding: one walk over the fields of a layout, each taken from the reader as its version says. Everything here comes from a
 * peer or a disk; nothing is allocated for a count before the bytes that remain have been seen to be able to hold it.
 */
#include "wire/codec.h"

#include "base/varint.h"
#include "wire/fields.h"

struct decoder {
    const struct wire_message *message;
    int version;
    bool flexible;
    struct byte_reader *reader;
    struct shared_buffer *frame;
    struct arena *arena;
    const struct wire_layout *layout; /* of the field that failed, NULL while none has */
    const struct wire_field *field;
};

static int decode_part(struct decoder *decoder, const struct wire_layout *layout, void *value);

/* ---- lengths and counts ---------------------------------------------------------------------------------------------------- */

/* The length or count before strings (`in_16_bits`), bytes, records and arrays; -1 is null, and only comes where null may be. */
static int decode_length(struct decoder *decoder, const struct wire_field *field, bool in_16_bits, int64_t *len)
{
    struct byte_reader *reader = decoder->reader;
    if (decoder->flexible)
        *len = (int64_t)byte_reader_unsigned_varint(reader) - 1;
    else if (in_16_bits)
        *len = (int16_t)byte_reader_u16(reader);
    else
        *len = (int32_t)byte_reader_u32(reader);
    if (reader->failed)
        return MILL_ETRUNCATED;
    if (*len < -1 || (*len == -1 && !field_may_be_null(field, decoder->version)))
        return MILL_ECORRUPT;
    return 0;
}

static size_t part_size_min(const struct decoder *decoder, const struct wire_layout *layout);

/* The least that one element can take in the message. */
static size_t element_size_min(const struct decoder *decoder, const struct wire_field *field)
{
    switch ((enum wire_type)field->type) {
    case WIRE_STRING:
        return decoder->flexible ? 1 : 2;
    case WIRE_BYTES:
    case WIRE_RECORDS:
        return decoder->flexible ? 1 : 4;
    case WIRE_PART:
        return part_size_min(decoder, field->part);
    default:
        return field_fixed_size((enum wire_type)field->type);
    }
}

static size_t field_size_min(const struct decoder *decoder, const struct wire_field *field)
{
    switch ((enum wire_shape)field->shape) {
    case WIRE_MANY:
        return decoder->flexible ? 1 : 4;
    case WIRE_OPTIONAL:
        return 1;
    default:
        return element_size_min(decoder, field);
    }
}

static size_t part_size_min(const struct decoder *decoder, const struct wire_layout *layout)
{
    size_t size = decoder->flexible ? 1 : 0;
    for (uint32_t i = 0; i < layout->field_count; i++)
        if (field_is_plain(&layout->fields[i], decoder->version))
            size += field_size_min(decoder, &layout->fields[i]);
    return size;
}

static int check_count(const struct decoder *decoder, const struct wire_field *field, int64_t count)
{
    if (count > WIRE_ARRAY_MAX)
        return MILL_ETOOLARGE;
    size_t size_min = element_size_min(decoder, field);
    return (uint64_t)count * size_min > byte_reader_left(decoder->reader) ? MILL_ETRUNCATED : 0;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

static int decode_string(struct decoder *decoder, const struct wire_field *field, mill_bytes *string)
{
    int64_t len;
    int code = decode_length(decoder, field, field->type == WIRE_STRING, &len);
    if (code)
        return code;
    *string = len < 0 ? mill_null() : mill_bytes_of(byte_reader_take(decoder->reader, (size_t)len), (size_t)len);
    return decoder->reader->failed ? MILL_ETRUNCATED : 0;
}

static int decode_records(struct decoder *decoder, const struct wire_field *field, struct wire_records *records)
{
    mill_bytes bytes;
    int code = decode_string(decoder, field, &bytes);
    if (code)
        return code;
    if (bytes.len == 0) {
        *records = (struct wire_records){ NULL, mill_is_null(bytes) ? -1 : 0, 0 };
        return 0;
    }
    struct slice *slice = (struct slice *)arena_alloc(decoder->arena, sizeof *slice);
    if (!slice)
        return MILL_ENOMEM;
    *slice = (struct slice){ bytes, decoder->frame };
    *records = (struct wire_records){ slice, 1, bytes.len };
    return 0;
}

static void decode_number(struct byte_reader *reader, enum wire_type type, void *at)
{
    switch (type) {
    case WIRE_BOOL:
    case WIRE_INT8:
        field_set_number(type, at, byte_reader_u8(reader));
        return;
    case WIRE_INT16:
    case WIRE_UINT16:
        field_set_number(type, at, byte_reader_u16(reader));
        return;
    case WIRE_INT32:
    case WIRE_UINT32:
        field_set_number(type, at, byte_reader_u32(reader));
        return;
    default:
        field_set_number(type, at, (int64_t)byte_reader_u64(reader));
    }
}

static int decode_element(struct decoder *decoder, const struct wire_field *field, void *at)
{
    switch ((enum wire_type)field->type) {
    case WIRE_STRING:
    case WIRE_BYTES:
        return decode_string(decoder, field, (mill_bytes *)at);
    case WIRE_RECORDS:
        return decode_records(decoder, field, (struct wire_records *)at);
    case WIRE_UUID: {
        const uint8_t *id = byte_reader_take(decoder->reader, sizeof(struct wire_uuid));
        if (!id)
            return MILL_ETRUNCATED;
        memcpy(at, id, sizeof(struct wire_uuid));
        return 0;
    }
    case WIRE_FLOAT64: {
        uint64_t bits = byte_reader_u64(decoder->reader);
        memcpy(at, &bits, sizeof bits);
        break;
    }
    case WIRE_PART:
        return decode_part(decoder, field->part, at);
    default:
        decode_number(decoder->reader, (enum wire_type)field->type, at);
    }
    return decoder->reader->failed ? MILL_ETRUNCATED : 0;
}

static int decode_array(struct decoder *decoder, const struct wire_field *field, struct wire_array *array)
{
    int64_t count;
    int code = decode_length(decoder, field, false, &count);
    if (code)
        return code;
    *array = (struct wire_array){ NULL, (int32_t)count };
    if (count <= 0)
        return 0;
    code = check_count(decoder, field, count);
    if (code)
        return code;

    size_t element_size = field_element_size(field);
    uint8_t *items = (uint8_t *)arena_alloc(decoder->arena, (size_t)count * element_size);
    if (!items)
        return MILL_ENOMEM;
    array->items = items;
    for (int64_t i = 0; i < count && !code; i++)
        code = decode_element(decoder, field, items + (size_t)i * element_size);
    return code;
}

static int decode_optional(struct decoder *decoder, const struct wire_field *field, void **part)
{
    int8_t present = (int8_t)byte_reader_u8(decoder->reader);
    *part = NULL;
    if (decoder->reader->failed)
        return MILL_ETRUNCATED;
    if (present < 0)
        return 0;
    *part = arena_alloc(decoder->arena, field->part->size);
    return *part ? decode_part(decoder, field->part, *part) : MILL_ENOMEM;
}

static int decode_field(struct decoder *decoder, const struct wire_layout *layout, const struct wire_field *field, void *value)
{
    void *at = (uint8_t *)value + field->offset;
    int code;
    if (field->shape == WIRE_MANY)
        code = decode_array(decoder, field, (struct wire_array *)at);
    else if (field->shape == WIRE_OPTIONAL)
        code = decode_optional(decoder, field, (void **)at);
    else
        code = decode_element(decoder, field, at);
    if (code && !decoder->field) {
        decoder->layout = layout;
        decoder->field = field;
    }
    return code;
}

/* ---- structs --------------------------------------------------------------------------------------------------------------- */

static int decode_tags_head(struct byte_reader *reader, uint32_t *count)
{
    *count = byte_reader_unsigned_varint(reader);
    if (reader->failed)
        return MILL_ETRUNCATED;
    return *count > WIRE_TAGS_MAX ? MILL_ETOOLARGE : 0;
}

/* The next tagged field; *last is the tag before it, -1 before the first. */
static int decode_tag(struct byte_reader *reader, int64_t *last, mill_bytes *bytes)
{
    uint32_t tag = byte_reader_unsigned_varint(reader);
    uint32_t size = byte_reader_unsigned_varint(reader);
    *bytes = mill_bytes_of(byte_reader_take(reader, size), size);
    if (reader->failed)
        return MILL_ETRUNCATED;
    if ((int64_t)tag <= *last)
        return MILL_ECORRUPT;
    *last = tag;
    return 0;
}

static int decode_tagged_field(struct decoder *decoder, const struct wire_layout *layout, const struct wire_field *field,
                               mill_bytes bytes, void *value)
{
    struct byte_reader tagged = byte_reader_of(bytes);
    struct byte_reader *outer = decoder->reader;
    decoder->reader = &tagged;
    int code = decode_field(decoder, layout, field, value);
    decoder->reader = outer;
    if (!code && byte_reader_left(&tagged) > 0)
        return MILL_ECORRUPT;
    return code;
}

static int decode_tags(struct decoder *decoder, const struct wire_layout *layout, void *value)
{
    uint32_t count;
    int64_t tag = -1;
    int code = decode_tags_head(decoder->reader, &count);
    for (uint32_t i = 0; i < count && !code; i++) {
        mill_bytes bytes;
        code = decode_tag(decoder->reader, &tag, &bytes);
        if (code)
            return code;
        const struct wire_field *field = layout_find_tagged(layout, decoder->version, (uint32_t)tag);
        if (field)
            code = decode_tagged_field(decoder, layout, field, bytes, value);
    }
    return code;
}

int wire_skip_tags(struct byte_reader *reader)
{
    uint32_t count;
    int64_t tag = -1;
    int code = decode_tags_head(reader, &count);
    for (uint32_t i = 0; i < count && !code; i++) {
        mill_bytes bytes;
        code = decode_tag(reader, &tag, &bytes);
    }
    return code;
}

static int decode_part(struct decoder *decoder, const struct wire_layout *layout, void *value)
{
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct wire_field *field = &layout->fields[i];
        if (!field_is_plain(field, decoder->version)) {
            field_set_default(field, (uint8_t *)value + field->offset);
            continue;
        }
        int code = decode_field(decoder, layout, field, value);
        if (code)
            return code;
    }
    return decoder->flexible ? decode_tags(decoder, layout, value) : 0;
}

/* ---- messages -------------------------------------------------------------------------------------------------------------- */

static int explain(const struct decoder *decoder, int code, size_t at, struct error_text *error)
{
    if (!error)
        return code;
    const char *layout = decoder->layout ? decoder->layout->name : decoder->message->layout->name;
    const char *field = decoder->field ? decoder->field->name : "tagged fields";
    return error_set(error, code, "decoding %s version %d: %s.%s, near byte %zu: %s", decoder->message->layout->name,
                     decoder->version, layout, field, at, mill_error_text(code));
}

int wire_decode(const struct wire_message *message, int version, struct byte_reader *reader, struct shared_buffer *frame,
                struct arena *arena, void *value, struct error_text *error)
{
    if (!message_has_version(message, version)) {
        if (error)
            error_set(error, MILL_EUNSUPPORTED, "decoding %s: there is no version %d", message->layout->name, version);
        return MILL_EUNSUPPORTED;
    }
    struct decoder decoder = {
        .message = message,
        .version = version,
        .flexible = message_is_flexible(message, version),
        .reader = reader,
        .frame = frame,
        .arena = arena,
    };
    const uint8_t *start = reader->at;
    int code = decode_part(&decoder, message->layout, value);
    return code ? explain(&decoder, code, (size_t)(reader->at - start), error) : 0;
}
