/*
 * Sorts numbers with something attached: least significant digit first, digits that all share are skipped. Stable.
 *
 * `scratch` has room for `count` pairs too; the result is in `pairs`. Thread: any.
 */
#ifndef STATE_RADIX_H
#define STATE_RADIX_H

#include <stddef.h>
#include <stdint.h>

struct radix_pair {
    uint64_t number;
    uint64_t attached;
};

void radix_sort(struct radix_pair *pairs, struct radix_pair *scratch, size_t count);

#endif
