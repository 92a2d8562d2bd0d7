#include "base/murmur3.h"

#include "base/bytes.h"

enum { BLOCK_BYTES = 16 };

static const uint64_t SEED = 104729;
static const uint64_t C1 = 0x87c37b91114253d5;
static const uint64_t C2 = 0x4cf5ad432745937f;

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

/* Little-endian; what is missing of 8 bytes is 0. */
static uint64_t read_word(const uint8_t *at, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len && i < 8; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static uint64_t mix_low(uint64_t word)
{
    return rotate(word * C1, 31) * C2;
}

static uint64_t mix_high(uint64_t word)
{
    return rotate(word * C2, 33) * C1;
}

static uint64_t finish(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccd;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53;
    return hash ^ hash >> 33;
}

void murmur3_128(mill_bytes data, uint8_t out[MURMUR3_BYTES])
{
    const uint8_t *at = data.data;
    size_t left = data.len;
    uint64_t low = SEED;
    uint64_t high = SEED;
    for (; left >= BLOCK_BYTES; at += BLOCK_BYTES, left -= BLOCK_BYTES) {
        low = (rotate(low ^ mix_low(read_word(at, 8)), 27) + high) * 5 + 0x52dce729;
        high = (rotate(high ^ mix_high(read_word(at + 8, 8)), 31) + low) * 5 + 0x38495ab5;
    }
    if (left > 8)
        high ^= mix_high(read_word(at + 8, left - 8));
    if (left > 0)
        low ^= mix_low(read_word(at, left));
    low ^= data.len;
    high ^= data.len;
    low += high;
    high += low;
    low = finish(low);
    high = finish(high);
    low += high;
    high += low;
    write_u64_be(out, low);
    write_u64_be(out + 8, high);
}
