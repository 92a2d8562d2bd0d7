/* Equality of short runs of bytes without a call, which costs more than comparing most keys. Any thread. */
#ifndef STATE_SAME_BYTES_H
#define STATE_SAME_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len < 8)
        return memcmp(a, b, len) == 0;
    uint64_t left;
    uint64_t right;
    for (size_t at = 0; at + 8 < len; at += 8) {
        memcpy(&left, a + at, 8);
        memcpy(&right, b + at, 8);
        if (left != right)
            return false;
    }
    memcpy(&left, a + len - 8, 8);
    memcpy(&right, b + len - 8, 8);
    return left == right;
}

#endif
