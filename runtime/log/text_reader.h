/*
 * Reads the small text files that Kafka keeps beside its logs: lines of words and numbers.
 *
 * Like byte_reader: the first thing that is not as expected sets `failed`, and the caller asks once at the end. Bytes come from
 * disk and are bounded by the text; nothing is allocated.
 */
#ifndef LOG_TEXT_READER_H
#define LOG_TEXT_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "millstream/bytes.h"

struct text_reader {
    const char *at;
    const char *end;
    bool failed;
};

struct text_reader text_reader_of(mill_bytes text);

/* The next line without its end, "\n" or "\r\n"; false at the end of the text. */
bool text_reader_line(struct text_reader *reader, mill_bytes *line);

/* The next word of a line, up to a blank or the end of the text; null and `failed` when there is none. */
mill_bytes text_reader_word(struct text_reader *reader);

/* A word that is a decimal number within [min, max]. */
int64_t text_reader_number(struct text_reader *reader, int64_t min, int64_t max);

/* A line that is one such number. */
int64_t text_reader_number_line(struct text_reader *reader, int64_t min, int64_t max);

/* The end of the line must be here: no more words. */
bool text_reader_at_end(const struct text_reader *reader);

/* Appends formatted text to a buffer, as the writers of these files do. */
void text_append(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
