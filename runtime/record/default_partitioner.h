/* Which partition a key goes to, as Kafka's default partitioner has it: every client must place a key in the same one. */
#ifndef RECORD_DEFAULT_PARTITIONER_H
#define RECORD_DEFAULT_PARTITIONER_H

#include <stdint.h>

#include "millstream/bytes.h"

/* 32-bit Murmur2 over little-endian words with the seed 0x9747b28c. */
uint32_t murmur2(mill_bytes key);

/* The partition of a record with this key: (murmur2 & 0x7fffffff) mod count; `count` > 0. */
static inline int32_t default_partition(mill_bytes key, int32_t count)
{
    return (int32_t)((murmur2(key) & 0x7fffffff) % (uint32_t)count);
}

#endif
