/*
 * Random valid messages, for tests and fuzzers: small, but with nulls, empty and extreme values more often than chance would
 * have.
 */
#include "wire/codec.h"

#include "wire/fields.h"

enum { ITEMS_MAX = 3, STRING_MAX = 20, RECORDS_MAX = 64, SLICES_MAX = 3 };

struct inventor {
    int version;
    struct prng *prng;
    struct arena *arena;
};

static int invent_part(struct inventor *inventor, const struct wire_layout *layout, void *value);

static bool one_in(struct inventor *inventor, uint64_t n)
{
    return prng_below(inventor->prng, n) == 0;
}

static int64_t invent_number(struct inventor *inventor)
{
    static const int64_t special[] = { 0, 1, -1, INT8_MAX, INT16_MAX, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };
    if (one_in(inventor, 2))
        return special[prng_below(inventor->prng, sizeof special / sizeof *special)];
    return (int64_t)prng_next(inventor->prng);
}

static int invent_bytes(struct inventor *inventor, size_t max, mill_bytes *bytes)
{
    size_t len = one_in(inventor, 4) ? 0 : (size_t)prng_below(inventor->prng, max + 1);
    uint8_t *data = (uint8_t *)arena_alloc(inventor->arena, len);
    if (!data)
        return MILL_ENOMEM;
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)prng_next(inventor->prng);
    *bytes = mill_bytes_of(data, len);
    return 0;
}

static int invent_records(struct inventor *inventor, struct wire_records *records)
{
    int32_t count = (int32_t)prng_below(inventor->prng, SLICES_MAX + 1);
    struct slice *slices = (struct slice *)arena_calloc(inventor->arena, (size_t)count, sizeof *slices);
    if (!slices)
        return MILL_ENOMEM;
    *records = (struct wire_records){ slices, count, 0 };
    for (int32_t i = 0; i < count; i++) {
        int code = invent_bytes(inventor, RECORDS_MAX, &slices[i].bytes);
        if (code)
            return code;
        records->len += slices[i].bytes.len;
    }
    return 0;
}

static int invent_element(struct inventor *inventor, const struct wire_field *field, void *at)
{
    switch ((enum wire_type)field->type) {
    case WIRE_STRING:
    case WIRE_BYTES:
        return invent_bytes(inventor, STRING_MAX, (mill_bytes *)at);
    case WIRE_RECORDS:
        return invent_records(inventor, (struct wire_records *)at);
    case WIRE_UUID:
        for (size_t i = 0; i < sizeof(struct wire_uuid); i++)
            ((struct wire_uuid *)at)->bytes[i] = (uint8_t)prng_next(inventor->prng);
        return 0;
    case WIRE_FLOAT64:
        *(double *)at = (double)invent_number(inventor);
        return 0;
    case WIRE_PART:
        return invent_part(inventor, field->part, at);
    default:
        field_set_number((enum wire_type)field->type, at, invent_number(inventor));
        return 0;
    }
}

static int invent_array(struct inventor *inventor, const struct wire_field *field, struct wire_array *array)
{
    int32_t count = (int32_t)prng_below(inventor->prng, ITEMS_MAX + 1);
    size_t element_size = field_element_size(field);
    uint8_t *items = (uint8_t *)arena_calloc(inventor->arena, (size_t)count, element_size);
    if (!items)
        return MILL_ENOMEM;
    *array = (struct wire_array){ items, count };
    int code = 0;
    for (int32_t i = 0; i < count && !code; i++)
        code = invent_element(inventor, field, items + (size_t)i * element_size);
    return code;
}

static void set_null(const struct wire_field *field, void *at)
{
    if (field->shape == WIRE_MANY)
        *(struct wire_array *)at = (struct wire_array){ NULL, -1 };
    else if (field->shape == WIRE_OPTIONAL)
        *(void **)at = NULL;
    else if (field->type == WIRE_RECORDS)
        *(struct wire_records *)at = wire_records_null();
    else
        *(mill_bytes *)at = mill_null();
}

static int invent_field(struct inventor *inventor, const struct wire_field *field, void *at)
{
    if (field_may_be_null(field, inventor->version) && one_in(inventor, 4)) {
        set_null(field, at);
        return 0;
    }
    if (field->shape == WIRE_MANY)
        return invent_array(inventor, field, (struct wire_array *)at);
    if (field->shape == WIRE_ONE)
        return invent_element(inventor, field, at);

    void *part = arena_alloc(inventor->arena, field->part->size);
    *(void **)at = part;
    return part ? invent_part(inventor, field->part, part) : MILL_ENOMEM;
}

static int invent_part(struct inventor *inventor, const struct wire_layout *layout, void *value)
{
    int code = 0;
    for (uint32_t i = 0; i < layout->field_count && !code; i++) {
        const struct wire_field *field = &layout->fields[i];
        void *at = (uint8_t *)value + field->offset;
        field_set_default(field, at);
        if (field_in_version(field, inventor->version) && !(field_is_tagged(field) && one_in(inventor, 2)))
            code = invent_field(inventor, field, at);
    }
    return code;
}

int wire_random(const struct wire_message *message, int version, struct prng *prng, struct arena *arena, void *value)
{
    struct inventor inventor = { version, prng, arena };
    return invent_part(&inventor, message->layout, value);
}
