/*
 * Messages as text, for traces and tests.
 */
#include "wire/codec.h"

#include <inttypes.h>
#include <stdio.h>

#include "wire/fields.h"

struct printer {
    int version;
    int32_t items_max;
    struct buffer *out;
};

static void print_part(struct printer *printer, const struct wire_layout *layout, const void *value);

static void print_text(struct printer *printer, const char *text)
{
    buffer_append(printer->out, text, strlen(text));
}

static void print_string(struct printer *printer, mill_bytes string)
{
    print_text(printer, "\"");
    for (size_t i = 0; i < string.len; i++) {
        uint8_t c = string.data[i];
        char escaped[8];
        if (c == '"' || c == '\\')
            snprintf(escaped, sizeof escaped, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            snprintf(escaped, sizeof escaped, "\\x%02x", c);
        else
            snprintf(escaped, sizeof escaped, "%c", c);
        print_text(printer, escaped);
    }
    print_text(printer, "\"");
}

static void print_length(struct printer *printer, size_t len)
{
    char text[40];
    snprintf(text, sizeof text, "<%zu bytes>", len);
    print_text(printer, text);
}

static void print_number(struct printer *printer, enum wire_type type, const void *at)
{
    char text[40];
    if (type == WIRE_FLOAT64)
        snprintf(text, sizeof text, "%g", *(const double *)at);
    else if (type == WIRE_BOOL)
        snprintf(text, sizeof text, "%s", *(const bool *)at ? "true" : "false");
    else
        snprintf(text, sizeof text, "%" PRId64, field_number(type, at));
    print_text(printer, text);
}

static void print_element(struct printer *printer, const struct wire_field *field, const void *at)
{
    switch ((enum wire_type)field->type) {
    case WIRE_STRING:
        if (mill_is_null(*(const mill_bytes *)at))
            print_text(printer, "null");
        else
            print_string(printer, *(const mill_bytes *)at);
        return;
    case WIRE_BYTES:
        if (mill_is_null(*(const mill_bytes *)at))
            print_text(printer, "null");
        else
            print_length(printer, ((const mill_bytes *)at)->len);
        return;
    case WIRE_RECORDS:
        if (((const struct wire_records *)at)->count < 0)
            print_text(printer, "null");
        else
            print_length(printer, ((const struct wire_records *)at)->len);
        return;
    case WIRE_UUID: {
        char text[WIRE_UUID_TEXT_BYTES];
        wire_uuid_text(*(const struct wire_uuid *)at, text);
        print_text(printer, text);
        return;
    }
    case WIRE_PART:
        print_part(printer, field->part, at);
        return;
    default:
        print_number(printer, (enum wire_type)field->type, at);
    }
}

static void print_array(struct printer *printer, const struct wire_field *field, const struct wire_array *array)
{
    if (array->count < 0) {
        print_text(printer, "null");
        return;
    }
    print_text(printer, "[");
    for (int32_t i = 0; i < array->count && i < printer->items_max; i++) {
        print_text(printer, i == 0 ? "" : ", ");
        print_element(printer, field, (const uint8_t *)array->items + (size_t)i * field_element_size(field));
    }
    if (array->count > printer->items_max) {
        char more[40];
        snprintf(more, sizeof more, ", %" PRId32 " more", array->count - printer->items_max);
        print_text(printer, more);
    }
    print_text(printer, "]");
}

static void print_field(struct printer *printer, const struct wire_field *field, const void *at)
{
    print_text(printer, field->name);
    print_text(printer, "=");
    if (field->shape == WIRE_MANY)
        print_array(printer, field, (const struct wire_array *)at);
    else if (field->shape == WIRE_ONE)
        print_element(printer, field, at);
    else if (*(void *const *)at)
        print_part(printer, field->part, *(void *const *)at);
    else
        print_text(printer, "null");
}

static void print_part(struct printer *printer, const struct wire_layout *layout, const void *value)
{
    const char *separator = "";
    print_text(printer, "{");
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct wire_field *field = &layout->fields[i];
        const void *at = field_at(field, value);
        if (!field_in_version(field, printer->version) || (field_is_tagged(field) && field_is_default(field, at)))
            continue;
        print_text(printer, separator);
        print_field(printer, field, at);
        separator = ", ";
    }
    print_text(printer, "}");
}

void wire_print(const struct wire_message *message, int version, const void *value, int32_t items_max, struct buffer *out)
{
    struct printer printer = { version, items_max, out };
    print_part(&printer, message->layout, value);
}
