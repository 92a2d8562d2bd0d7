#include "fields.h"

/* ---- CSV ----------------------------------------------------------------------------------------------------------------- */

struct csv_row csv_row_of(mill_bytes row)
{
    const uint8_t *end = row.data + row.len;
    if (row.len > 0 && end[-1] == '\r')
        end--;
    return (struct csv_row){ row.data, end, mill_is_null(row), false };
}

static bool fail(struct csv_row *row)
{
    row->done = true;
    row->failed = true;
    return false;
}

/* Behind a field: a comma, or nothing. */
static bool end_field(struct csv_row *row, const uint8_t *at)
{
    if (at == row->end) {
        row->done = true;
        return true;
    }
    if (*at != ',')
        return fail(row);
    row->at = at + 1;
    return true;
}

static bool next_quoted(struct csv_row *row, mill_bytes *field)
{
    const uint8_t *start = row->at + 1;
    const uint8_t *at = start;
    const uint8_t *quote;
    while ((quote = memchr(at, '"', (size_t)(row->end - at))) != NULL && quote + 1 < row->end && quote[1] == '"')
        at = quote + 2;
    if (quote == NULL || !end_field(row, quote + 1))
        return fail(row);
    *field = mill_bytes_of(start, (size_t)(quote - start));
    return true;
}

bool csv_next(struct csv_row *row, mill_bytes *field)
{
    if (row->done)
        return false;
    if (row->at < row->end && *row->at == '"')
        return next_quoted(row, field);
    const uint8_t *start = row->at;
    const uint8_t *comma = memchr(start, ',', (size_t)(row->end - start));
    *field = mill_bytes_of(start, (size_t)((comma ? comma : row->end) - start));
    return end_field(row, comma ? comma : row->end);
}

mill_bytes csv_unquote(mill_bytes field, uint8_t *room)
{
    if (field.len == 0 || memchr(field.data, '"', field.len) == NULL)
        return field;
    const uint8_t *at = field.data;
    const uint8_t *end = field.data + field.len;
    uint8_t *out = room;
    const uint8_t *quote;
    while ((quote = memchr(at, '"', (size_t)(end - at))) != NULL) {
        memcpy(out, at, (size_t)(quote + 1 - at));
        out += quote + 1 - at;
        at = quote + 1 < end && quote[1] == '"' ? quote + 2 : quote + 1;
    }
    memcpy(out, at, (size_t)(end - at));
    return mill_bytes_of(room, (size_t)(out + (end - at) - room));
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------------- */

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* `at` is behind the opening quote: the closing one, or NULL. */
static const uint8_t *string_end(const uint8_t *at, const uint8_t *end)
{
    for (; at < end && *at != '"'; at++)
        if (*at == '\\' && ++at == end)
            return NULL;
    return at < end ? at : NULL;
}

/* Behind an object or array that opens at `at`, counting brackets outside of strings; NULL: it has no end. */
static const uint8_t *skip_nested(const uint8_t *at, const uint8_t *end)
{
    for (size_t depth = 0; at < end; at++) {
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        else if (*at == '"' && (at = string_end(at + 1, end)) == NULL)
            return NULL;
    }
    return NULL;
}

/* Reads the value at `at`; returns where it ends, or NULL. */
static const uint8_t *read_value(const uint8_t *at, const uint8_t *end, mill_bytes *value)
{
    const uint8_t *start = at;
    if (at == end)
        return NULL;
    if (*at == '"') {
        const uint8_t *quote = string_end(at + 1, end);
        if (quote == NULL)
            return NULL;
        *value = mill_bytes_of(at + 1, (size_t)(quote - at - 1));
        return quote + 1;
    }
    if (*at == '{' || *at == '[') {
        if ((at = skip_nested(at, end)) == NULL)
            return NULL;
    } else {
        while (at < end && *at != ',' && *at != '}' && *at != ' ' && *at != '\t' && *at != '\n' && *at != '\r')
            at++;
    }
    *value = mill_bytes_of(start, (size_t)(at - start));
    return at > start ? at : NULL;
}

/* Reads `"key": value` at `at`; returns where it ends, or NULL. */
static const uint8_t *read_member(const uint8_t *at, const uint8_t *end, mill_bytes *key, mill_bytes *value)
{
    at = skip_blanks(at, end);
    if (at == end || *at != '"' || (at = read_value(at, end, key)) == NULL)
        return NULL;
    at = skip_blanks(at, end);
    return at == end || *at != ':' ? NULL : read_value(skip_blanks(at + 1, end), end, value);
}

bool json_member(mill_bytes object, const char *name, mill_bytes *value)
{
    if (mill_is_null(object))
        return false;
    const uint8_t *end = object.data + object.len;
    const uint8_t *at = skip_blanks(object.data, end);
    if (at == end || *at != '{')
        return false;
    mill_bytes wanted = mill_string(name);
    mill_bytes found = mill_null();
    do {
        mill_bytes key, member;
        if ((at = read_member(at + 1, end, &key, &member)) == NULL)
            return false;
        if (mill_is_null(found) && mill_bytes_equal(key, wanted))
            found = member;
        at = skip_blanks(at, end);
    } while (at < end && *at == ',');
    if (at == end || *at != '}' || skip_blanks(at + 1, end) != end || mill_is_null(found))
        return false;
    *value = found;
    return true;
}

enum { DIGITS_MAX = 15 };

bool number_parse(mill_bytes text, int64_t *number)
{
    size_t sign = text.len > 0 && text.data[0] == '-';
    *number = 0;
    if (text.len == sign || text.len > sign + DIGITS_MAX)
        return false;
    for (size_t i = sign; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *number = *number * 10 + text.data[i] - '0';
    }
    *number = sign ? -*number : *number;
    return true;
}
