/*
 * A UUID as Kafka writes it in files: 22 characters of URL-safe base64 without padding (RFC 4648 section 5).
 *
 * Any thread.
 */
#ifndef LOG_UUID_TEXT_H
#define LOG_UUID_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "millstream/bytes.h"

enum { UUID_BYTES = 16, UUID_TEXT_CHARS = 22 };

/* Writes the characters and a NUL. */
void uuid_text_write(const uint8_t uuid[UUID_BYTES], char text[UUID_TEXT_CHARS + 1]);

/* False when `text` is not exactly 22 such characters; bits beyond the 128 must be zero. */
bool uuid_text_parse(mill_bytes text, uint8_t uuid[UUID_BYTES]);

#endif
