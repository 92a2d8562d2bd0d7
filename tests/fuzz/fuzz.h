/* What every fuzz target defines: runs one input, returns 0, and fails by a sanitizer's report or mill_assert. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads every byte of a view, so that one that leads outside is reported. */
static inline unsigned fuzz_touch(const uint8_t *data, size_t len)
{
    static volatile unsigned sum;
    for (size_t i = 0; i < len; i++)
        sum += data[i];
    return sum;
}

#endif
