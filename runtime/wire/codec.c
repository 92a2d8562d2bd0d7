/*
 * Fields of messages: their sizes, numbers and defaults. Encoding, decoding, printing and inventing are files of their own.
 */
#include "wire/codec.h"

#include "base/assert.h"
#include "wire/fields.h"

static const uint8_t EMPTY[1];

static const struct {
    uint8_t in_struct;
    uint8_t in_message;
} TYPE_SIZES[] = {
    [WIRE_BOOL] = { sizeof(bool), 1 },
    [WIRE_INT8] = { sizeof(int8_t), 1 },
    [WIRE_INT16] = { sizeof(int16_t), 2 },
    [WIRE_UINT16] = { sizeof(uint16_t), 2 },
    [WIRE_INT32] = { sizeof(int32_t), 4 },
    [WIRE_UINT32] = { sizeof(uint32_t), 4 },
    [WIRE_INT64] = { sizeof(int64_t), 8 },
    [WIRE_FLOAT64] = { sizeof(double), 8 },
    [WIRE_UUID] = { sizeof(struct wire_uuid), 16 },
    [WIRE_STRING] = { sizeof(mill_bytes), 0 },
    [WIRE_BYTES] = { sizeof(mill_bytes), 0 },
    [WIRE_RECORDS] = { sizeof(struct wire_records), 0 },
    [WIRE_PART] = { 0, 0 },
};

size_t field_element_size(const struct wire_field *field)
{
    return field->type == WIRE_PART ? field->part->size : TYPE_SIZES[field->type].in_struct;
}

size_t field_fixed_size(enum wire_type type)
{
    return TYPE_SIZES[type].in_message;
}

int64_t field_number(enum wire_type type, const void *at)
{
    switch (type) {
    case WIRE_BOOL:
        return *(const bool *)at;
    case WIRE_INT8:
        return *(const int8_t *)at;
    case WIRE_INT16:
        return *(const int16_t *)at;
    case WIRE_UINT16:
        return *(const uint16_t *)at;
    case WIRE_INT32:
        return *(const int32_t *)at;
    case WIRE_UINT32:
        return *(const uint32_t *)at;
    default:
        mill_assert(type == WIRE_INT64);
        return *(const int64_t *)at;
    }
}

void field_set_number(enum wire_type type, void *at, int64_t number)
{
    switch (type) {
    case WIRE_BOOL:
        *(bool *)at = number != 0;
        return;
    case WIRE_INT8:
        *(int8_t *)at = (int8_t)number;
        return;
    case WIRE_INT16:
        *(int16_t *)at = (int16_t)number;
        return;
    case WIRE_UINT16:
        *(uint16_t *)at = (uint16_t)number;
        return;
    case WIRE_INT32:
        *(int32_t *)at = (int32_t)number;
        return;
    case WIRE_UINT32:
        *(uint32_t *)at = (uint32_t)number;
        return;
    default:
        mill_assert(type == WIRE_INT64);
        *(int64_t *)at = number;
    }
}

void field_set_default(const struct wire_field *field, void *at)
{
    if (field->shape == WIRE_MANY) {
        *(struct wire_array *)at = (struct wire_array){ NULL, field->null_default ? -1 : 0 };
        return;
    }
    if (field->shape == WIRE_OPTIONAL) {
        *(void **)at = NULL;
        return;
    }
    switch ((enum wire_type)field->type) {
    case WIRE_STRING:
    case WIRE_BYTES:
        *(mill_bytes *)at = field->null_default ? mill_null() : mill_bytes_of(EMPTY, 0);
        return;
    case WIRE_RECORDS:
        *(struct wire_records *)at = wire_records_null();
        return;
    case WIRE_UUID:
        *(struct wire_uuid *)at = (struct wire_uuid){ { 0 } };
        return;
    case WIRE_FLOAT64:
        *(double *)at = (double)field->default_value;
        return;
    case WIRE_PART:
        wire_init(field->part, at);
        return;
    default:
        field_set_number((enum wire_type)field->type, at, field->default_value);
    }
}

static bool part_is_default(const struct wire_layout *layout, const void *value)
{
    for (uint32_t i = 0; i < layout->field_count; i++)
        if (!field_is_default(&layout->fields[i], field_at(&layout->fields[i], value)))
            return false;
    return true;
}

bool field_is_default(const struct wire_field *field, const void *at)
{
    if (field->shape == WIRE_MANY)
        return field->null_default ? ((const struct wire_array *)at)->count < 0 : ((const struct wire_array *)at)->count == 0;
    if (field->shape == WIRE_OPTIONAL)
        return *(void *const *)at == NULL;
    switch ((enum wire_type)field->type) {
    case WIRE_STRING:
    case WIRE_BYTES:
        return ((const mill_bytes *)at)->len == 0 && mill_is_null(*(const mill_bytes *)at) == field->null_default;
    case WIRE_RECORDS:
        return ((const struct wire_records *)at)->count < 0;
    case WIRE_UUID:
        return wire_uuid_is_zero(*(const struct wire_uuid *)at);
    case WIRE_FLOAT64:
        return *(const double *)at == (double)field->default_value;
    case WIRE_PART:
        return part_is_default(field->part, at);
    default:
        return field_number((enum wire_type)field->type, at) == field->default_value;
    }
}

bool field_is_unset(const struct wire_field *field, const void *at)
{
    if (field->shape == WIRE_MANY)
        return ((const struct wire_array *)at)->count <= 0;
    if (field->shape == WIRE_ONE && (field->type == WIRE_STRING || field->type == WIRE_BYTES))
        return ((const mill_bytes *)at)->len == 0;
    return field_is_default(field, at);
}

const struct wire_field *layout_next_tagged(const struct wire_layout *layout, int version, int after)
{
    const struct wire_field *next = NULL;
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct wire_field *field = &layout->fields[i];
        if (!field_is_tagged(field) || !field_in_version(field, version) || field->tag_plus_one - 1 <= after)
            continue;
        if (!next || field->tag_plus_one < next->tag_plus_one)
            next = field;
    }
    return next;
}

const struct wire_field *layout_find_tagged(const struct wire_layout *layout, int version, uint32_t tag)
{
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct wire_field *field = &layout->fields[i];
        if (field_is_tagged(field) && field_in_version(field, version) && (uint32_t)(field->tag_plus_one - 1) == tag)
            return field;
    }
    return NULL;
}

void wire_init(const struct wire_layout *layout, void *value)
{
    for (uint32_t i = 0; i < layout->field_count; i++)
        field_set_default(&layout->fields[i], (uint8_t *)value + layout->fields[i].offset);
}

void *wire_new_array(const struct wire_layout *layout, struct arena *arena, int32_t count)
{
    mill_assert(count >= 0);
    uint8_t *items = (uint8_t *)arena_calloc(arena, (size_t)count, layout->size);
    if (!items)
        return NULL;
    for (int32_t i = 0; i < count; i++)
        wire_init(layout, items + (size_t)i * layout->size);
    return items;
}

void wire_uuid_text(struct wire_uuid id, char text[WIRE_UUID_TEXT_BYTES])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    int bit_count = 0;
    char *at = text;
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        bits = bits << 8 | id.bytes[i];
        for (bit_count += 8; bit_count >= 6; bit_count -= 6)
            *at++ = digits[bits >> (bit_count - 6) & 63];
    }
    *at++ = digits[bits << (6 - bit_count) & 63];
    *at = 0;
}
