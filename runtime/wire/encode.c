/*
 * Encoding: one walk over the fields, done twice. The first time it only counts, so that the size is exact by construction and
 * every reason to refuse is found before memory is taken; the second time it writes and cannot fail.
 *
 * Where a frame is wanted, record bytes are not written but referred to: the walk ends the slice of our own bytes, passes the
 * records' slices on, and begins the next one.
 */
#include "wire/codec.h"

#include "base/assert.h"
#include "base/varint.h"
#include "wire/fields.h"

struct encoder {
    const struct wire_message *message;
    int version;
    bool flexible;
    bool copies_records;

    uint8_t *at;          /* where the next byte goes; NULL: counting */
    size_t len;           /* bytes of our own */
    size_t records_len;   /* bytes referred to */
    size_t records_count; /* in so many slices */
    struct slice *slice;  /* the one being filled */
    const uint8_t *slice_start;

    int code;
    struct error_text *error;
};

static void encode_part(struct encoder *encoder, const struct wire_layout *layout, const void *value);

static void fail(struct encoder *encoder, int code, const struct wire_field *field, const char *why)
{
    if (encoder->code)
        return;
    encoder->code = code;
    if (encoder->error)
        error_set(encoder->error, code, "encoding %s version %d: %s: %s", encoder->message->layout->name, encoder->version,
                  field->name, why);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------------- */

/* Room for `len` bytes, or NULL when counting. */
static uint8_t *put(struct encoder *encoder, size_t len)
{
    encoder->len += len;
    if (!encoder->at)
        return NULL;
    uint8_t *place = encoder->at;
    encoder->at += len;
    return place;
}

static void put_bytes(struct encoder *encoder, const void *data, size_t len)
{
    uint8_t *place = put(encoder, len);
    if (place && len > 0)
        memcpy(place, data, len);
}

static void put_u8(struct encoder *encoder, uint8_t value)
{
    uint8_t *place = put(encoder, 1);
    if (place)
        *place = value;
}

static void put_u16(struct encoder *encoder, uint16_t value)
{
    uint8_t *place = put(encoder, 2);
    if (place)
        write_u16_be(place, value);
}

static void put_u32(struct encoder *encoder, uint32_t value)
{
    uint8_t *place = put(encoder, 4);
    if (place)
        write_u32_be(place, value);
}

static void put_u64(struct encoder *encoder, uint64_t value)
{
    uint8_t *place = put(encoder, 8);
    if (place)
        write_u64_be(place, value);
}

static void put_unsigned_varint(struct encoder *encoder, uint64_t value)
{
    uint8_t *place = put(encoder, unsigned_varint_size(value));
    if (place)
        unsigned_varint_write(place, value);
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

/* The length or count before strings (`in_16_bits`), bytes, records and arrays; null is -1. */
static void encode_length(struct encoder *encoder, const struct wire_field *field, bool is_null, size_t len, bool in_16_bits)
{
    if (is_null && !field_may_be_null(field, encoder->version)) {
        fail(encoder, MILL_EINVALID, field, "must not be null in this version");
        return;
    }
    if (len > INT32_MAX || (in_16_bits && !encoder->flexible && len > INT16_MAX)) {
        fail(encoder, MILL_ETOOLARGE, field, "too long for this version");
        return;
    }
    if (encoder->flexible)
        put_unsigned_varint(encoder, is_null ? 0 : len + 1);
    else if (in_16_bits)
        put_u16(encoder, is_null ? UINT16_MAX : (uint16_t)len);
    else
        put_u32(encoder, is_null ? UINT32_MAX : (uint32_t)len);
}

static void end_own_slice(struct encoder *encoder)
{
    size_t len = (size_t)(encoder->at - encoder->slice_start);
    if (len > 0)
        *encoder->slice++ = (struct slice){ mill_bytes_of(encoder->slice_start, len), NULL };
    encoder->slice_start = encoder->at;
}

static void encode_records(struct encoder *encoder, const struct wire_field *field, const struct wire_records *records)
{
    encode_length(encoder, field, records->count < 0, records->count < 0 ? 0 : records->len, false);
    if (records->count <= 0)
        return;
    if (encoder->copies_records) {
        for (int32_t i = 0; i < records->count; i++)
            put_bytes(encoder, records->slices[i].bytes.data, records->slices[i].bytes.len);
        return;
    }
    encoder->records_len += records->len;
    encoder->records_count += (size_t)records->count;
    if (!encoder->at)
        return;
    end_own_slice(encoder);
    memcpy(encoder->slice, records->slices, (size_t)records->count * sizeof *records->slices);
    encoder->slice += records->count;
}

static void encode_string(struct encoder *encoder, const struct wire_field *field, const mill_bytes *string)
{
    encode_length(encoder, field, mill_is_null(*string), string->len, field->type == WIRE_STRING);
    put_bytes(encoder, string->data, string->len);
}

static void encode_number(struct encoder *encoder, const struct wire_field *field, const void *at)
{
    uint64_t number = (uint64_t)field_number((enum wire_type)field->type, at);
    switch (field_fixed_size((enum wire_type)field->type)) {
    case 1:
        put_u8(encoder, (uint8_t)number);
        return;
    case 2:
        put_u16(encoder, (uint16_t)number);
        return;
    case 4:
        put_u32(encoder, (uint32_t)number);
        return;
    default:
        put_u64(encoder, number);
    }
}

static void encode_element(struct encoder *encoder, const struct wire_field *field, const void *at)
{
    switch ((enum wire_type)field->type) {
    case WIRE_STRING:
    case WIRE_BYTES:
        encode_string(encoder, field, (const mill_bytes *)at);
        return;
    case WIRE_RECORDS:
        encode_records(encoder, field, (const struct wire_records *)at);
        return;
    case WIRE_UUID:
        put_bytes(encoder, at, sizeof(struct wire_uuid));
        return;
    case WIRE_FLOAT64: {
        uint64_t bits;
        memcpy(&bits, at, sizeof bits);
        put_u64(encoder, bits);
        return;
    }
    case WIRE_PART:
        encode_part(encoder, field->part, at);
        return;
    default:
        encode_number(encoder, field, at);
    }
}

static void encode_array(struct encoder *encoder, const struct wire_field *field, const struct wire_array *array)
{
    encode_length(encoder, field, array->count < 0, array->count < 0 ? 0 : (size_t)array->count, false);
    size_t element_size = field_element_size(field);
    for (int32_t i = 0; i < array->count && !encoder->code; i++)
        encode_element(encoder, field, (const uint8_t *)array->items + (size_t)i * element_size);
}

static void encode_optional(struct encoder *encoder, const struct wire_field *field, const void *part)
{
    put_u8(encoder, part ? 1 : UINT8_MAX);
    if (part)
        encode_part(encoder, field->part, part);
}

static void encode_field(struct encoder *encoder, const struct wire_field *field, const void *at)
{
    if (field->shape == WIRE_MANY)
        encode_array(encoder, field, (const struct wire_array *)at);
    else if (field->shape == WIRE_OPTIONAL)
        encode_optional(encoder, field, *(void *const *)at);
    else
        encode_element(encoder, field, at);
}

/* ---- structs --------------------------------------------------------------------------------------------------------------- */

static size_t tagged_size(struct encoder *encoder, const struct wire_field *field, const void *at)
{
    struct encoder counter = {
        .message = encoder->message, .version = encoder->version, .flexible = true, .error = encoder->error
    };
    encode_field(&counter, field, at);
    if (counter.code && !encoder->code)
        encoder->code = counter.code;
    return counter.len;
}

/* Number of tagged fields, then each with its tag and size, in the order of tags; those at their default are left out. */
static void encode_tags(struct encoder *encoder, const struct wire_layout *layout, const void *value)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct wire_field *field = &layout->fields[i];
        if (field_is_tagged(field) && field_in_version(field, encoder->version) &&
            !field_is_default(field, field_at(field, value)))
            count++;
    }
    put_unsigned_varint(encoder, count);

    const struct wire_field *field = count ? layout_next_tagged(layout, encoder->version, -1) : NULL;
    for (; field; field = layout_next_tagged(layout, encoder->version, field->tag_plus_one - 1)) {
        const void *at = field_at(field, value);
        if (field_is_default(field, at))
            continue;
        put_unsigned_varint(encoder, (uint64_t)field->tag_plus_one - 1);
        put_unsigned_varint(encoder, tagged_size(encoder, field, at));
        encode_field(encoder, field, at);
    }
}

static void encode_part(struct encoder *encoder, const struct wire_layout *layout, const void *value)
{
    for (uint32_t i = 0; i < layout->field_count && !encoder->code; i++) {
        const struct wire_field *field = &layout->fields[i];
        const void *at = field_at(field, value);
        if (field_is_plain(field, encoder->version))
            encode_field(encoder, field, at);
        else if (!field_in_version(field, encoder->version) && !field->ignorable && !field_is_unset(field, at))
            fail(encoder, MILL_EUNSUPPORTED, field, "is set, but this version has no such field");
    }
    if (encoder->flexible && !encoder->code)
        encode_tags(encoder, layout, value);
}

/* ---- messages -------------------------------------------------------------------------------------------------------------- */

static struct encoder encoder_of(const struct wire_message *message, int version, bool copies_records, struct error_text *error)
{
    return (struct encoder){
        .message = message,
        .version = version,
        .flexible = message_is_flexible(message, version),
        .copies_records = copies_records,
        .error = error,
    };
}

/* The counting walk. */
static int count_bytes(struct encoder *encoder, const void *value)
{
    const char *name = encoder->message->layout->name;
    if (!message_has_version(encoder->message, encoder->version)) {
        if (encoder->error)
            error_set(encoder->error, MILL_EUNSUPPORTED, "encoding %s: there is no version %d", name, encoder->version);
        return MILL_EUNSUPPORTED;
    }
    encode_part(encoder, encoder->message->layout, value);
    if (!encoder->code && encoder->len + encoder->records_len > INT32_MAX) {
        if (encoder->error)
            error_set(encoder->error, MILL_ETOOLARGE, "encoding %s: above 2 GiB", name);
        return MILL_ETOOLARGE;
    }
    return encoder->code;
}

int wire_size(const struct wire_message *message, int version, const void *value, size_t *size, struct error_text *error)
{
    struct encoder encoder = encoder_of(message, version, false, error);
    int code = count_bytes(&encoder, value);
    *size = encoder.len + encoder.records_len;
    return code;
}

int wire_encode(const struct wire_message *message, int version, const void *value, size_t head, struct arena *arena,
                struct wire_frame *frame, struct error_text *error)
{
    struct encoder counter = encoder_of(message, version, false, error);
    int code = count_bytes(&counter, value);
    if (code)
        return code;

    /* At most one slice of our own before each run of records, and one behind the last. */
    uint8_t *own = (uint8_t *)arena_alloc(arena, head + counter.len);
    struct slice *slices = (struct slice *)arena_alloc(arena, (2 * counter.records_count + 1) * sizeof *slices);
    if (!own || !slices)
        return MILL_ENOMEM;

    struct encoder encoder = encoder_of(message, version, false, NULL);
    encoder.at = own + head;
    encoder.slice = slices;
    encoder.slice_start = own;
    encode_part(&encoder, message->layout, value);
    mill_assert(encoder.len == counter.len);
    end_own_slice(&encoder);

    *frame = (struct wire_frame){
        .slices = slices,
        .count = (int32_t)(encoder.slice - slices),
        .len = head + encoder.len + encoder.records_len,
    };
    return 0;
}

int wire_append(const struct wire_message *message, int version, const void *value, struct buffer *out, struct error_text *error)
{
    struct encoder counter = encoder_of(message, version, true, error);
    int code = count_bytes(&counter, value);
    if (code)
        return code;
    uint8_t *place = buffer_reserve(out, counter.len);
    if (!place)
        return MILL_ENOMEM;

    struct encoder encoder = encoder_of(message, version, true, NULL);
    encoder.at = place;
    encode_part(&encoder, message->layout, value);
    mill_assert(encoder.len == counter.len);
    out->len += encoder.len;
    return 0;
}
