/* xoshiro256** by Blackman and Vigna, its state filled from the seed by splitmix64. */
#include "base/prng.h"

#include "base/assert.h"

__extension__ typedef unsigned __int128 uint128;

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint64_t rotated(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

void prng_init(struct prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        prng->state[i] = splitmix64(&seed);
}

uint64_t prng_next(struct prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = rotated(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotated(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    mill_assert(bound > 0);
    /* The high word of the product is uniform once the few low words that would favour some results are drawn again (Lemire). */
    uint128 product = (uint128)prng_next(prng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t threshold = -bound % bound;
        while ((uint64_t)product < threshold)
            product = (uint128)prng_next(prng) * bound;
    }
    return (uint64_t)(product >> 64);
}

bool prng_chance(struct prng *prng, double probability)
{
    return (double)(prng_next(prng) >> 11) * 0x1p-53 < probability;
}
