/*
 * SipHash-2-4 with a 128-bit result (Aumasson and Bernstein), for keys too long for LMDB: whoever chooses the keys cannot make
 * two of them collide without knowing the salt. Any thread.
 */
#ifndef STATE_DIGEST_H
#define STATE_DIGEST_H

#include "millstream/bytes.h"

enum { DIGEST_BYTES = 16 };

void digest(const uint8_t salt[16], mill_bytes bytes, uint8_t result[DIGEST_BYTES]);

#endif
