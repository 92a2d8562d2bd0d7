#include "state/radix.h"

#include <stdbool.h>
#include <string.h>

enum { DIGIT_BITS = 8, DIGITS = 64 / DIGIT_BITS, BUCKETS = 1 << DIGIT_BITS, SMALL = 24 };

static void insertion_sort(struct radix_pair *pairs, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct radix_pair pair = pairs[i];
        size_t at = i;
        for (; at > 0 && pairs[at - 1].number > pair.number; at--)
            pairs[at] = pairs[at - 1];
        pairs[at] = pair;
    }
}

static void sort_by_digit(const struct radix_pair *from, struct radix_pair *to, size_t count, int shift)
{
    size_t ends[BUCKETS] = { 0 };
    for (size_t i = 0; i < count; i++)
        ends[(from[i].number >> shift) & (BUCKETS - 1)]++;
    size_t start = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        size_t in_bucket = ends[i];
        ends[i] = start;
        start += in_bucket;
    }
    for (size_t i = 0; i < count; i++)
        to[ends[(from[i].number >> shift) & (BUCKETS - 1)]++] = from[i];
}

void radix_sort(struct radix_pair *pairs, struct radix_pair *scratch, size_t count)
{
    if (count <= SMALL) {
        insertion_sort(pairs, count);
        return;
    }
    uint64_t differing = 0;
    for (size_t i = 1; i < count; i++)
        differing |= pairs[i].number ^ pairs[0].number;
    struct radix_pair *from = pairs;
    struct radix_pair *to = scratch;
    for (int shift = 0; shift < 64; shift += DIGIT_BITS) {
        if (((differing >> shift) & (BUCKETS - 1)) == 0)
            continue;
        sort_by_digit(from, to, count, shift);
        struct radix_pair *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != pairs)
        memcpy(pairs, from, count * sizeof *pairs);
}
