/*
 * A message that owns its bytes: what its strings view may be gone before the message is.
 */
#include "wire/fields.h"

static int own_bytes(mill_bytes *bytes, struct arena *arena)
{
    if (bytes->len == 0)
        return 0; /* null stays null */
    uint8_t *copy = arena_alloc(arena, bytes->len);
    if (!copy)
        return MILL_ENOMEM;
    memcpy(copy, bytes->data, bytes->len);
    bytes->data = copy;
    return 0;
}

static int own_element(const struct wire_field *field, void *at, struct arena *arena)
{
    if (field->type == WIRE_STRING || field->type == WIRE_BYTES)
        return own_bytes(at, arena);
    return field->type == WIRE_PART ? wire_own(field->part, at, arena) : 0;
}

static int own_array(const struct wire_field *field, struct wire_array *array, struct arena *arena)
{
    int code = 0;
    for (int32_t i = 0; i < array->count && code == 0; i++)
        code = own_element(field, (uint8_t *)array->items + (size_t)i * field_element_size(field), arena);
    return code;
}

int wire_own(const struct wire_layout *layout, void *value, struct arena *arena)
{
    int code = 0;
    for (uint32_t i = 0; i < layout->field_count && code == 0; i++) {
        const struct wire_field *field = &layout->fields[i];
        void *at = (uint8_t *)value + field->offset;
        if (field->shape == WIRE_MANY)
            code = own_array(field, at, arena);
        else if (field->shape == WIRE_ONE)
            code = own_element(field, at, arena);
        else if (*(void **)at)
            code = wire_own(field->part, *(void **)at, arena);
    }
    return code;
}
