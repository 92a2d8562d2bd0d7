/*
 * How long a random test runs and from which seed, asked of the environment:
 *
 *     MILLSTREAM_SEED=<n>      the first seed, to repeat a failure
 *     MILLSTREAM_ROUNDS=<n>    n times the usual number of rounds, for a long run
 *
 * A sanitized build, which is slow, makes an eighth of the rounds; a test that tries each bit or the like steps by ROUNDS_STRIDE.
 */
#ifndef SUPPORT_ROUNDS_H
#define SUPPORT_ROUNDS_H

#include <stdint.h>
#include <stdlib.h>

#ifdef MILLSTREAM_SANITIZED
enum { ROUNDS_DIVISOR = 8, ROUNDS_STRIDE = 7 };
#else
enum { ROUNDS_DIVISOR = 1, ROUNDS_STRIDE = 1 };
#endif

/* At least 1. */
static inline int test_rounds(int usual)
{
    const char *factor = getenv("MILLSTREAM_ROUNDS");
    int rounds = usual * (factor ? atoi(factor) : 1) / ROUNDS_DIVISOR;
    return rounds > 0 ? rounds : 1;
}

static inline uint64_t test_seed(uint64_t usual)
{
    const char *given = getenv("MILLSTREAM_SEED");
    return given ? strtoull(given, NULL, 10) : usual;
}

#endif
