/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of record batches.
 *
 * Uses the processor's instruction where there is one (SSE4.2, ARMv8), else tables; chosen once at the first call.
 * crc32c(0, "123456789", 9) == 0xe3069283. To continue a sum, pass the last result as `crc`. Any thread.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same by tables, whatever the processor has: the oracle of tests and the fallback. */
uint32_t crc32c_by_tables(uint32_t crc, const void *data, size_t len);

#endif
