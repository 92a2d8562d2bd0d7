/*
 * What encoding, decoding, printing and inventing share: questions about one field of a layout. Private to wire/.
 */
#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include "wire/codec.h"

/* Every array in a struct begins like this, whatever its elements. */
struct wire_array {
    void *items;
    int32_t count;
};

static inline bool field_in_version(const struct wire_field *field, int version)
{
    return version >= field->first && version <= field->last;
}

static inline bool field_is_tagged(const struct wire_field *field)
{
    return field->tag_plus_one != 0;
}

/* Stands among the plain fields of this version. */
static inline bool field_is_plain(const struct wire_field *field, int version)
{
    return !field_is_tagged(field) && field_in_version(field, version);
}

static inline bool field_may_be_null(const struct wire_field *field, int version)
{
    return field->shape == WIRE_OPTIONAL || (field->nullable_plus_one != 0 && version >= field->nullable_plus_one - 1);
}

static inline const void *field_at(const struct wire_field *field, const void *value)
{
    return (const uint8_t *)value + field->offset;
}

/* Bytes of one element in the struct or the array. */
size_t field_element_size(const struct wire_field *field);

/* Bytes of a number or UUID in the message; 0 for what has no fixed size. */
size_t field_fixed_size(enum wire_type type);

void field_set_default(const struct wire_field *field, void *at);
bool field_is_default(const struct wire_field *field, const void *at);

/* As field_is_default, but null also passes where the default is empty: whether a field that a version lacks may be left out. */
bool field_is_unset(const struct wire_field *field, const void *at);

/* A number of any integer type, widened, and back. */
int64_t field_number(enum wire_type type, const void *at);
void field_set_number(enum wire_type type, void *at, int64_t number);

/* The tagged field of this version with the lowest tag above `after`; NULL: none. */
const struct wire_field *layout_next_tagged(const struct wire_layout *layout, int version, int after);

/* The tagged field of this version with this tag; NULL: none. */
const struct wire_field *layout_find_tagged(const struct wire_layout *layout, int version, uint32_t tag);

static inline bool message_is_flexible(const struct wire_message *message, int version)
{
    return version >= message->flexible_since;
}

static inline bool message_has_version(const struct wire_message *message, int version)
{
    return version >= message->version_min && version <= message->version_max;
}

#endif
