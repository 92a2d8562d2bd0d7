/*
 * Sums of times: a timestamp is whatever a producer wrote, and near the largest number a span added to it would overflow.
 */
#ifndef BASE_SATURATE_H
#define BASE_SATURATE_H

#include <stdint.h>

/* a + b, held at the smallest and the largest number. */
static inline int64_t saturated_sum(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

#endif
