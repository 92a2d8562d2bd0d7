/* Murmur2 as Kafka's default partitioner computes it (seed 0x9747b28c over the key's bytes). */
#ifndef BASE_MURMUR2_H
#define BASE_MURMUR2_H

#include <stdint.h>

#include "millstream/bytes.h"

uint32_t murmur2(mill_bytes key);

/* The partition of a record with this key: (murmur2 & 0x7fffffff) mod count; `count` > 0. */
static inline int32_t murmur2_partition(mill_bytes key, int32_t count)
{
    return (int32_t)((murmur2(key) & 0x7fffffff) % (uint32_t)count);
}

#endif
