/* A small seeded generator (xoshiro256**) for simulation, tests and jitter; never for secrets. Same seed, same numbers. */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state[4];
};

void prng_init(struct prng *prng, uint64_t seed);
uint64_t prng_next(struct prng *prng);
uint64_t prng_below(struct prng *prng, uint64_t bound); /* uniform in [0, bound); bound > 0 */
bool prng_chance(struct prng *prng, double probability);

#endif
