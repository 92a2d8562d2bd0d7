#include "task/offset_metadata.h"

#include "base/bytes.h"

enum { VERSION = 2, DECODED_BYTES = 9 };

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void offset_metadata_encode(int64_t partition_time_ms, char text[OFFSET_METADATA_BYTES])
{
    uint8_t raw[DECODED_BYTES] = { VERSION };
    write_u64_be(raw + 1, (uint64_t)partition_time_ms);
    for (size_t i = 0; i < DECODED_BYTES; i += 3) {
        uint32_t group = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 | raw[i + 2];
        for (size_t j = 0; j < 4; j++)
            text[i / 3 * 4 + j] = ALPHABET[group >> (18 - 6 * j) & 63];
    }
    text[OFFSET_METADATA_BYTES - 1] = '\0';
}

int64_t offset_metadata_decode(mill_bytes text)
{
    if (text.len < OFFSET_METADATA_BYTES - 1)
        return -1;
    uint8_t raw[DECODED_BYTES];
    for (size_t i = 0; i < DECODED_BYTES; i += 3) {
        uint32_t group = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = memchr(ALPHABET, text.data[i / 3 * 4 + j], 64);
            if (digit == NULL)
                return -1;
            group = group << 6 | (uint32_t)(digit - ALPHABET);
        }
        raw[i] = (uint8_t)(group >> 16);
        raw[i + 1] = (uint8_t)(group >> 8);
        raw[i + 2] = (uint8_t)group;
    }
    int64_t time = (int64_t)read_u64_be(raw + 1);
    return raw[0] == VERSION && time >= 0 ? time : -1;
}
