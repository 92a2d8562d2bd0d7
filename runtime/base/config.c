/*
 * Values as checked strings in a map; a getter converts again, which is cheap and keeps one representation.
 *
 * The parser follows java.util.Properties, since users paste from their Kafka files: `#` and `!` comments, key and value divided
 * by `=`, `:` or blanks, a backslash at the end joins lines, \t \n \r \f \uXXXX.
 */
#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/buffer.h"
#include "base/edit_distance.h"

enum { NAME_BYTES_MAX = 256, LINE_BYTES_MAX = 64 * 1024 };

/* ---- lifetime -------------------------------------------------------------------------------------------------------------- */

void config_init(struct config *config, const struct config_table *table)
{
    *config = (struct config){ .table = table };
    hash_map_init(&config->values);
}

void config_release(struct config *config)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&config->values, &at)))
        mem_free(entry->value);
    hash_map_release(&config->values);
}

int config_copy(struct config *to, const struct config *from)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&from->values, &at))) {
        char name[NAME_BYTES_MAX];
        memcpy(name, entry->key.data, entry->key.len);
        name[entry->key.len] = '\0';
        int code = config_set(to, name, entry->value);
        if (code < 0)
            return code;
    }
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static const struct config_key *find_key(const struct config_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    return NULL;
}

static bool has_prefix(const struct config_table *table, const char *name)
{
    for (const char *const *prefix = table->prefixes; prefix && *prefix; prefix++)
        if (strncmp(name, *prefix, strlen(*prefix)) == 0 && name[strlen(*prefix)] != '\0')
            return true;
    return false;
}

const char *config_nearest(const struct config_table *table, const char *name)
{
    const char *nearest = NULL;
    size_t best = edit_distance_max(name);
    for (size_t i = 0; i < table->count; i++) {
        size_t distance = edit_distance(table->keys[i].name, name);
        if (distance < best || (!nearest && distance == best)) {
            best = distance;
            nearest = table->keys[i].name;
        }
    }
    return nearest;
}

/* ---- checking and setting -------------------------------------------------------------------------------------------------- */

static bool parse_int(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    long long parsed = strtoll(text, &end, 10);
    while (*end == ' ' || *end == '\t')
        end++;
    *value = parsed;
    return end != text && *end == '\0' && errno == 0;
}

static bool parse_bool(const char *text, bool *value)
{
    *value = strcasecmp(text, "true") == 0;
    return *value || strcasecmp(text, "false") == 0;
}

static bool is_allowed(const char *values, const char *value)
{
    size_t len = strlen(value);
    for (const char *at = values; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, value, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

static int check_value(struct config *config, const struct config_key *key, const char *value)
{
    int64_t number;
    bool truth;
    switch (key->type) {
    case CONFIG_INT:
        if (!parse_int(value, &number))
            return error_set(&config->error, MILL_EINVALID, "%s: \"%s\" is not a whole number", key->name, value);
        if (number < key->min || number > key->max)
            return error_set(&config->error, MILL_EINVALID, "%s: %lld is not within %lld and %lld", key->name, (long long)number,
                             (long long)key->min, (long long)key->max);
        return 0;
    case CONFIG_BOOL:
        if (!parse_bool(value, &truth))
            return error_set(&config->error, MILL_EINVALID, "%s: \"%s\" is neither true nor false", key->name, value);
        return 0;
    case CONFIG_STRING:
        if (key->values && !is_allowed(key->values, value))
            return error_set(&config->error, MILL_EINVALID, "%s: \"%s\" is none of %s", key->name, value, key->values);
        return 0;
    case CONFIG_LIST:
        return 0;
    }
    return 0;
}

static int refuse_unknown(struct config *config, const char *name)
{
    const char *nearest = config_nearest(config->table, name);
    if (nearest)
        return error_set(&config->error, MILL_EINVALID, "there is no property %s; did you mean %s?", name, nearest);
    return error_set(&config->error, MILL_EINVALID, "there is no property %s, nor one like it", name);
}

int config_set(struct config *config, const char *name, const char *value)
{
    const struct config_key *key = find_key(config->table, name);
    if (!key && !has_prefix(config->table, name))
        return refuse_unknown(config, name);
    if (strlen(name) >= NAME_BYTES_MAX)
        return error_set(&config->error, MILL_EINVALID, "%.32s...: the name is longer than %d bytes", name, NAME_BYTES_MAX - 1);
    if (!value) {
        mem_free(hash_map_remove(&config->values, mill_string(name)));
        return 0;
    }
    int code = key ? check_value(config, key, value) : 0;
    if (code < 0)
        return code;

    char *copy = mem_strdup(value);
    void *old = NULL;
    if (!copy || hash_map_put(&config->values, mill_string(name), copy, &old) < 0) {
        mem_free(copy);
        return error_set(&config->error, MILL_ENOMEM, "%s: %s", name, mill_error_text(MILL_ENOMEM));
    }
    mem_free(old);
    return 0;
}

int config_set_pair(struct config *config, const char *pair)
{
    const char *equals = strchr(pair, '=');
    size_t len = equals ? (size_t)(equals - pair) : 0;
    if (len == 0 || len >= NAME_BYTES_MAX)
        return error_set(&config->error, MILL_EINVALID, "\"%s\" is not of the form name=value", pair);
    char name[NAME_BYTES_MAX];
    memcpy(name, pair, len);
    name[len] = '\0';
    return config_set(config, name, equals + 1);
}

/* ---- properties text ------------------------------------------------------------------------------------------------------- */

struct properties_reader {
    const char *at;
    const char *end;
    int line; /* of the property last read */
    int next_line;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static void skip_blanks(struct properties_reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

/* Steps over \n, \r or \r\n. */
static void skip_line_end(struct properties_reader *reader)
{
    if (reader->at < reader->end && *reader->at == '\r')
        reader->at++;
    if (reader->at < reader->end && *reader->at == '\n')
        reader->at++;
    reader->next_line++;
}

static bool at_line_end(const struct properties_reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' || *reader->at == '\r';
}

/* Gathers one logical line: comments and blank lines skipped, continued lines joined, escapes still in. False at the end. */
static bool next_logical_line(struct properties_reader *reader, struct buffer *line)
{
    buffer_clear(line);
    for (;;) {
        skip_blanks(reader);
        if (reader->at == reader->end)
            return false;
        if (*reader->at != '#' && *reader->at != '!' && !at_line_end(reader))
            break;
        while (!at_line_end(reader))
            reader->at++;
        skip_line_end(reader);
    }
    reader->line = reader->next_line;
    while (reader->at < reader->end) {
        if (at_line_end(reader)) {
            skip_line_end(reader);
            break;
        }
        char c = *reader->at++;
        if (c == '\\' && at_line_end(reader)) {
            skip_line_end(reader);
            skip_blanks(reader);
            continue;
        }
        buffer_append_u8(line, (uint8_t)c);
        if (c == '\\')
            buffer_append_u8(line, (uint8_t)*reader->at++);
    }
    buffer_append_u8(line, '\0');
    return true;
}

static void append_utf8(struct buffer *out, unsigned code)
{
    if (code < 0x80) {
        buffer_append_u8(out, (uint8_t)code);
    } else if (code < 0x800) {
        buffer_append_u8(out, (uint8_t)(0xc0 | code >> 6));
        buffer_append_u8(out, (uint8_t)(0x80 | (code & 0x3f)));
    } else {
        buffer_append_u8(out, (uint8_t)(0xe0 | code >> 12));
        buffer_append_u8(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
        buffer_append_u8(out, (uint8_t)(0x80 | (code & 0x3f)));
    }
}

/* Reads what follows a backslash at `at` into `out`; returns where the text goes on, NULL when \u lacks its four digits. */
static const char *unescape(const char *at, struct buffer *out)
{
    static const char letters[] = "tnrf", meanings[] = "\t\n\r\f";
    if (*at == 'u') {
        unsigned code = 0;
        int used = 0;
        if (strspn(at + 1, "0123456789abcdefABCDEF") < 4 || sscanf(at + 1, "%4x%n", &code, &used) != 1 || code == 0)
            return NULL;
        append_utf8(out, code);
        return at + 1 + used;
    }
    const char *letter = *at ? strchr(letters, *at) : NULL;
    buffer_append_u8(out, (uint8_t)(letter ? meanings[letter - letters] : *at));
    return at + 1;
}

/*
 * Copies from `at` to `out`, unescaped, up to the first unescaped byte of `stops`; returns where that is, NULL on a bad escape.
 */
static const char *copy_until(const char *at, const char *stops, struct buffer *out)
{
    while (at && *at && !strchr(stops, *at)) {
        if (*at == '\\' && at[1]) {
            at = unescape(at + 1, out);
            continue;
        }
        buffer_append_u8(out, (uint8_t)*at++);
    }
    return at;
}

/* Divides a logical line and sets the property. `text` gets the name, its NUL and the value. */
static int set_from_line(struct config *config, const char *line, struct buffer *text)
{
    buffer_clear(text);
    const char *at = copy_until(line, "=: \t\f", text);
    buffer_append_u8(text, '\0');
    size_t value_at = text->len;
    if (at) {
        at += strspn(at, " \t\f");
        at += *at == '=' || *at == ':';
        at += strspn(at, " \t\f");
        at = copy_until(at, "", text);
    }
    buffer_append_u8(text, '\0');
    if (text->failed)
        return error_set(&config->error, MILL_ENOMEM, "%s", mill_error_text(MILL_ENOMEM));
    if (!at)
        return error_set(&config->error, MILL_EINVALID, "\\u is not followed by four hexadecimal digits");
    /* Blanks at the end are never meant; Java keeps them, and its users find out the hard way. */
    char *value = (char *)text->data + value_at;
    size_t len = strlen(value);
    while (len > 0 && is_blank(value[len - 1]))
        value[--len] = '\0';
    return config_set(config, (char *)text->data, value);
}

int config_parse(struct config *config, const char *text, size_t len, const char *source)
{
    struct properties_reader reader = { .at = text, .end = text + len, .next_line = 1 };
    struct buffer line, pair;
    buffer_init(&line, LINE_BYTES_MAX);
    buffer_init(&pair, 3 * LINE_BYTES_MAX); /* \u0800 and above are six bytes there and three here; NULs come on top */
    int code = 0;
    while (code == 0 && next_logical_line(&reader, &line)) {
        if (line.failed && line.len >= LINE_BYTES_MAX - 1)
            code = error_set(&config->error, MILL_ETOOLARGE, "the property is longer than %d bytes", LINE_BYTES_MAX);
        else if (line.failed)
            code = error_set(&config->error, MILL_ENOMEM, "%s", mill_error_text(MILL_ENOMEM));
        else
            code = set_from_line(config, (const char *)line.data, &pair);
    }
    if (code < 0)
        error_prefix(&config->error, code, "%s:%d", source, reader.line);
    buffer_release(&line);
    buffer_release(&pair);
    return code;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

const char *config_get_set(const struct config *config, const char *name)
{
    return hash_map_get(&config->values, mill_string(name));
}

static const char *value_of(const struct config *config, const char *name, enum config_type type)
{
    const struct config_key *key = find_key(config->table, name);
    mill_assert(key != NULL);
    mill_assert(key->type == type || (type == CONFIG_STRING && key->type == CONFIG_LIST));
    const char *set = config_get_set(config, name);
    return set ? set : key->default_value;
}

const char *config_string(const struct config *config, const char *name)
{
    return value_of(config, name, CONFIG_STRING);
}

int64_t config_int(const struct config *config, const char *name)
{
    const char *text = value_of(config, name, CONFIG_INT);
    int64_t value = 0;
    bool whole = !text || parse_int(text, &value);
    mill_assert(whole);
    return value;
}

bool config_bool(const struct config *config, const char *name)
{
    const char *text = value_of(config, name, CONFIG_BOOL);
    bool value = false;
    bool clear = !text || parse_bool(text, &value);
    mill_assert(clear);
    return value;
}
