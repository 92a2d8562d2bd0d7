/* 128-bit Murmur3 as in Kafka Streams (x64 form, seed 104729), by which a join recognises the value that it asked with. */
#ifndef BASE_MURMUR3_H
#define BASE_MURMUR3_H

#include <stdint.h>

#include "millstream/bytes.h"

enum { MURMUR3_BYTES = 16 };

/* Both halves as big-endian longs, as Kafka Streams writes them. */
void murmur3_128(mill_bytes data, uint8_t out[MURMUR3_BYTES]);

#endif
