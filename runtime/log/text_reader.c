/* Words, numbers and lines; every step is bounded by reader->end. */
#include "log/text_reader.h"

#include <stdarg.h>
#include <stdio.h>

struct text_reader text_reader_of(mill_bytes text)
{
    const char *at = (const char *)text.data;
    return (struct text_reader){ .at = at, .end = at ? at + text.len : at };
}

bool text_reader_line(struct text_reader *reader, mill_bytes *line)
{
    if (reader->at == reader->end)
        return false;
    const char *start = reader->at;
    const char *stop = memchr(start, '\n', (size_t)(reader->end - start));
    reader->at = stop ? stop + 1 : reader->end;
    const char *line_end = stop ? stop : reader->end;
    if (line_end > start && line_end[-1] == '\r')
        line_end--;
    *line = mill_bytes_of(start, (size_t)(line_end - start));
    return true;
}

mill_bytes text_reader_word(struct text_reader *reader)
{
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at != ' ')
        reader->at++;
    mill_bytes word = mill_bytes_of(start, (size_t)(reader->at - start));
    if (reader->at < reader->end)
        reader->at++;
    if (word.len == 0 || reader->failed) {
        reader->failed = true;
        return mill_null();
    }
    return word;
}

/* Parses by hand: strtoll would read beyond the text, and takes blanks and signs that no writer writes. */
static bool parse_number(mill_bytes word, int64_t *number)
{
    size_t i = word.len > 0 && word.data[0] == '-' ? 1 : 0;
    bool negative = i == 1;
    if (i == word.len)
        return false;
    int64_t value = 0;
    for (; i < word.len; i++) {
        int digit = word.data[i] - '0';
        if (digit < 0 || digit > 9)
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    /* Counted downwards, so that INT64_MIN has its place. */
    if (!negative && value == INT64_MIN)
        return false;
    *number = negative ? value : -value;
    return true;
}

int64_t text_reader_number(struct text_reader *reader, int64_t min, int64_t max)
{
    mill_bytes word = text_reader_word(reader);
    int64_t number = 0;
    if (reader->failed || !parse_number(word, &number) || number < min || number > max) {
        reader->failed = true;
        return 0;
    }
    return number;
}

int64_t text_reader_number_line(struct text_reader *reader, int64_t min, int64_t max)
{
    mill_bytes line;
    if (reader->failed || !text_reader_line(reader, &line)) {
        reader->failed = true;
        return 0;
    }
    struct text_reader words = text_reader_of(line);
    int64_t number = text_reader_number(&words, min, max);
    if (words.failed || !text_reader_at_end(&words))
        reader->failed = true;
    return number;
}

bool text_reader_at_end(const struct text_reader *reader)
{
    return reader->at == reader->end;
}

void text_append(struct buffer *buffer, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof line) {
        buffer->failed = true;
        return;
    }
    buffer_append(buffer, line, (size_t)len);
}
