/*
 * Bytes: what keys, values and names are.
 *
 * A view: whoever hands one out says how long it lives, usually for the callback. `data == NULL` is null (a tombstone, a missing
 * key); an empty value is a non-null pointer and length 0. Nothing here is terminated by NUL.
 */
#ifndef MILLSTREAM_BYTES_H
#define MILLSTREAM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_bytes {
    const uint8_t *data;
    size_t len;
} mill_bytes;

static inline mill_bytes mill_bytes_of(const void *data, size_t len)
{
    mill_bytes bytes = { (const uint8_t *)data, len };
    return bytes;
}

/* The bytes of a C string without its NUL; lives as long as the string. Null for NULL. */
static inline mill_bytes mill_string(const char *text)
{
    return mill_bytes_of(text, text ? strlen(text) : 0);
}

static inline mill_bytes mill_null(void)
{
    return mill_bytes_of(NULL, 0);
}

static inline bool mill_is_null(mill_bytes bytes)
{
    return bytes.data == NULL;
}

/* Null equals only null. */
static inline bool mill_bytes_equal(mill_bytes a, mill_bytes b)
{
    if (a.len != b.len || (a.data == NULL) != (b.data == NULL))
        return false;
    return a.len == 0 || memcmp(a.data, b.data, a.len) == 0;
}

/* Unsigned lexicographic order, a prefix before what it starts: Kafka's order of Bytes. */
static inline int mill_bytes_compare(mill_bytes a, mill_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

#ifdef __cplusplus
}
#endif
#endif
