#include "cli/record_format.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "millstream/serde.h"

/* ---- types --------------------------------------------------------------------------------------------------------------- */

bool data_type_parse(const char *text, bool is_key, enum data_type *type, int64_t *window_ms)
{
    static const char *const NAMES[] = { "text", "long", "int", "double", "hex", "windowed", "session" };
    size_t count = sizeof NAMES / sizeof NAMES[0] - (is_key ? 0 : 2);
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, NAMES[i]) == 0) {
            *type = (enum data_type)i;
            return true;
        }
    if (!is_key || strncmp(text, "windowed:", 9) != 0 || !cli_parse_duration(text + 9, window_ms))
        return false;
    *type = DATA_WINDOWED;
    return true;
}

bool record_format_check(const char *text, char *letter)
{
    for (; (text = strchr(text, '%')) != NULL; text += 2) {
        *letter = text[1];
        if (text[1] == '\0' || strchr("sSkKwetpoTdh%", text[1]) == NULL)
            return false;
    }
    return true;
}

/* ---- pieces -------------------------------------------------------------------------------------------------------------- */

static void append_text(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

static void __attribute__((format(printf, 2, 3))) append_format(struct buffer *out, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_append(out, text, len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static void append_bytes(struct buffer *out, mill_bytes bytes)
{
    buffer_append(out, bytes.data, bytes.len);
}

static void append_hex(struct buffer *out, mill_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        append_format(out, "%02x", bytes.data[i]);
}

void iso_time_write(struct buffer *out, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms >= 0 ? time_ms / 1000 : -((999 - time_ms) / 1000));
    int milliseconds = (int)(time_ms - (int64_t)seconds * 1000);
    struct tm date;
    char text[48];
    if (gmtime_r(&seconds, &date) == NULL) {
        append_format(out, "%" PRId64, time_ms);
        return;
    }
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &date);
    buffer_append(out, text, len);
    if (milliseconds > 0)
        append_format(out, ".%03d", milliseconds);
    buffer_append_u8(out, 'Z');
}

/* Bytes of the UTF-8 character at `at`, or 0: none begins here. */
static size_t utf8_len(const uint8_t *at, const uint8_t *end)
{
    static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = at[0] < 0x80 ? 1 : (at[0] & 0xe0) == 0xc0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : (at[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (len <= 1 || (size_t)(end - at) < len)
        return len == 1;
    uint32_t code = at[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    return code < LEAST[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : len;
}

void json_write_string(struct buffer *out, mill_bytes text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.len;
    buffer_append_u8(out, '"');
    while (at < end) {
        size_t len = utf8_len(at, end);
        if (len == 0)
            append_text(out, "\\ufffd");
        else if (*at == '"' || *at == '\\')
            append_format(out, "\\%c", *at);
        else if (*at < ' ' || *at == 0x7f)
            append_format(out, "\\u%04x", *at);
        else
            buffer_append(out, at, len);
        at += len ? len : 1;
    }
    buffer_append_u8(out, '"');
}

/* ---- data by type -------------------------------------------------------------------------------------------------------- */

static void append_data(struct buffer *out, enum data_type type, mill_bytes data, bool json)
{
    int64_t number;
    int32_t small;
    double real;
    if (mill_is_null(data))
        append_text(out, json ? "null" : "");
    else if (type == DATA_TEXT && json)
        json_write_string(out, data);
    else if (type == DATA_TEXT)
        append_bytes(out, data);
    else if (type == DATA_LONG && mill_int64_read(data, &number))
        append_format(out, "%" PRId64, number);
    else if (type == DATA_INT && mill_int32_read(data, &small))
        append_format(out, "%" PRId32, small);
    else if (type == DATA_DOUBLE && mill_double_read(data, &real))
        append_format(out, real - real == 0 ? "%.17g" : "\"%g\"", real);
    else {
        append_text(out, json ? "\"" : "");
        append_text(out, type == DATA_HEX ? "" : "0x");
        append_hex(out, data);
        append_text(out, json ? "\"" : "");
    }
}

/* A key taken apart: what the window says is only set for a windowed one. */
struct key_parts {
    mill_bytes key;
    enum data_type type;
    bool is_windowed;
    bool has_end;
    int64_t start_ms;
    int64_t end_ms;
};

static struct key_parts take_apart(const struct record_format *format, mill_bytes key)
{
    mill_windowed_key windowed = { 0 };
    if (format->key_type != DATA_WINDOWED && format->key_type != DATA_SESSION)
        return (struct key_parts){ .key = key, .type = format->key_type };
    bool read = format->key_type == DATA_SESSION ? mill_session_window_read(key, &windowed)
                                                 : mill_time_window_read(key, format->window_ms, &windowed);
    if (!read)
        return (struct key_parts){ .key = key, .type = format->key_type };
    bool has_end = format->key_type == DATA_SESSION || format->window_ms > 0;
    return (struct key_parts){ windowed.key, DATA_TEXT, true, has_end, windowed.start_ms, windowed.end_ms };
}

/* ---- formats ------------------------------------------------------------------------------------------------------------- */

static void append_headers(struct buffer *out, const mill_record *record)
{
    for (size_t i = 0; i < record->header_count; i++) {
        append_text(out, i > 0 ? "," : "");
        append_bytes(out, record->headers[i].key);
        buffer_append_u8(out, '=');
        append_bytes(out, record->headers[i].value);
    }
}

static void append_letter(struct buffer *out, char letter, const struct record_format *format, const struct key_parts *key,
                          const struct record_place *place, const mill_record *record)
{
    switch (letter) {
    case 's':
        append_data(out, format->value_type, record->value, false);
        break;
    case 'k':
        append_data(out, key->type, key->key, false);
        break;
    case 'S':
    case 'K': {
        mill_bytes data = letter == 'S' ? record->value : record->key;
        append_format(out, "%" PRId64, mill_is_null(data) ? -1 : (int64_t)data.len);
        break;
    }
    case 'w':
        if (key->is_windowed)
            iso_time_write(out, key->start_ms);
        break;
    case 'e':
        if (key->has_end)
            iso_time_write(out, key->end_ms);
        break;
    case 't':
        append_text(out, place->topic);
        break;
    case 'p':
        append_format(out, "%" PRId32, place->partition);
        break;
    case 'o':
        append_format(out, "%" PRId64, place->offset);
        break;
    case 'T':
        append_format(out, "%" PRId64, record->timestamp_ms);
        break;
    case 'd':
        iso_time_write(out, record->timestamp_ms);
        break;
    case 'h':
        append_headers(out, record);
        break;
    default:
        buffer_append_u8(out, (uint8_t)letter);
    }
}

static uint8_t escaped(char letter)
{
    return letter == 'n' ? '\n' : letter == 't' ? '\t' : letter == 'r' ? '\r' : letter == '0' ? '\0' : (uint8_t)letter;
}

static void write_text(const struct record_format *format, const struct key_parts *key, const struct record_place *place,
                       const mill_record *record, struct buffer *out)
{
    for (const char *at = format->text; *at != '\0'; at++) {
        if (*at == '%' && at[1] != '\0')
            append_letter(out, *++at, format, key, place, record);
        else if (*at == '\\' && at[1] != '\0')
            buffer_append_u8(out, escaped(*++at));
        else
            buffer_append_u8(out, (uint8_t)*at);
    }
}

static void write_json(const struct record_format *format, const struct key_parts *key, const struct record_place *place,
                       const mill_record *record, struct buffer *out)
{
    append_text(out, "{\"topic\":");
    json_write_string(out, mill_string(place->topic));
    append_format(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, place->partition, place->offset);
    append_format(out, ",\"timestamp\":%" PRId64 ",\"key\":", record->timestamp_ms);
    append_data(out, key->type, key->key, true);
    if (key->is_windowed)
        append_format(out, ",\"window_start\":%" PRId64, key->start_ms);
    if (key->has_end)
        append_format(out, ",\"window_end\":%" PRId64, key->end_ms);
    append_text(out, ",\"value\":");
    append_data(out, format->value_type, record->value, true);
    for (size_t i = 0; i < record->header_count; i++) {
        append_text(out, i == 0 ? ",\"headers\":[[" : ",[");
        json_write_string(out, record->headers[i].key);
        buffer_append_u8(out, ',');
        append_data(out, DATA_TEXT, record->headers[i].value, true);
        append_text(out, i + 1 == record->header_count ? "]]" : "]");
    }
    append_text(out, "}\n");
}

void record_format_write(const struct record_format *format, const struct record_place *place, const mill_record *record,
                         struct buffer *out)
{
    struct key_parts key = take_apart(format, record->key);
    if (format->text == NULL)
        write_json(format, &key, place, record, out);
    else
        write_text(format, &key, place, record, out);
}
