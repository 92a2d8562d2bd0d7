#include "record/default_partitioner.h"

static uint32_t mix(uint32_t word)
{
    word *= 0x5bd1e995;
    word ^= word >> 24;
    return word * 0x5bd1e995;
}

uint32_t murmur2(mill_bytes key)
{
    const uint8_t *at = key.data;
    size_t left = key.len;
    uint32_t hash = 0x9747b28c ^ (uint32_t)key.len;
    for (; left >= 4; at += 4, left -= 4) {
        uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        hash = hash * 0x5bd1e995 ^ mix(word);
    }
    switch (left) {
    case 3:
        hash ^= (uint32_t)at[2] << 16; /* fall through */
    case 2:
        hash ^= (uint32_t)at[1] << 8; /* fall through */
    case 1:
        hash = (hash ^ at[0]) * 0x5bd1e995;
    }
    hash ^= hash >> 13;
    hash *= 0x5bd1e995;
    return hash ^ hash >> 15;
}
