/*
 * How `millstream consume` prints a record: a format with kcat's letters, or a line of JSON; keys and values by their type.
 *
 * Formats: %s value, %S its bytes, %k key, %K its bytes, %w start of the key's window (ISO 8601), %e its end, %t topic, %p
 * partition, %o offset, %T timestamp (milliseconds), %d the same as ISO 8601, %h headers, %% a percent sign, \n \t \r \\ \0.
 *
 * JSON: topic, partition, offset, timestamp, key, value, and window_start, window_end, headers where there are any. Bytes that
 * are no UTF-8 become U+FFFD; numbers are numbers; null is null.
 */
#ifndef CLI_RECORD_FORMAT_H
#define CLI_RECORD_FORMAT_H

#include "base/buffer.h"
#include "millstream/record.h"

enum data_type { DATA_TEXT, DATA_LONG, DATA_INT, DATA_DOUBLE, DATA_HEX, DATA_WINDOWED, DATA_SESSION };

struct record_format {
    const char *text; /* NULL: JSON */
    enum data_type key_type;
    enum data_type value_type;
    int64_t window_ms; /* of windowed keys; 0: not known */
};

/*
 * "text", "long", "int", "double", "hex"; for keys "windowed", "windowed:SIZE" (60000, 1m, 1h) and "session", too. False: none of
 * these.
 */
bool data_type_parse(const char *text, bool is_key, enum data_type *type, int64_t *window_ms);

/* False: an unknown letter behind a percent sign, which is in `*letter`. */
bool record_format_check(const char *text, char *letter);

struct record_place {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/*
 * Appends; data that is not of its type is printed as hex with 0x before it (in JSON as such a string). `out` fails when there
 * is no memory.
 */
void record_format_write(const struct record_format *format, const struct record_place *place, const mill_record *record,
                         struct buffer *out);

/* Appends a JSON string with its quotes. */
void json_write_string(struct buffer *out, mill_bytes text);

/* "2016-02-20T05:00:00Z", with milliseconds when there are some. */
void iso_time_write(struct buffer *out, int64_t time_ms);

#endif
