/* Levenshtein's distance, in one row. */
#include "base/edit_distance.h"

#include <stdint.h>
#include <string.h>

enum { WORD_BYTES_MAX = 256 };

size_t edit_distance(const char *a, const char *b)
{
    size_t row[WORD_BYTES_MAX + 1];
    size_t b_len = strlen(b);
    if (b_len > WORD_BYTES_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t replaced = diagonal + (a[i] != b[j]);
            size_t added = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < added ? replaced : added;
        }
    }
    return row[b_len];
}

size_t edit_distance_max(const char *name)
{
    return strlen(name) / 3 + 1;
}
