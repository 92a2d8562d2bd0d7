/* The rare half of reading a varint: more than one byte, or an error. */
#include "base/varint.h"

uint64_t varint_read_long_form(struct byte_reader *reader, int bytes_max)
{
    /* The last byte may carry only what is left of 32 or 64 bits: 4 of the fifth, 1 of the tenth. */
    const uint8_t last_byte_max = bytes_max == VARINT_BYTES_MAX ? 0x0f : 0x01;
    const uint8_t *at = reader->at;
    uint64_t value = 0;
    for (int i = 0; i < bytes_max && at < reader->end && !reader->failed; i++) {
        uint8_t byte = *at++;
        if (i == bytes_max - 1 && byte > last_byte_max)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            reader->at = at;
            return value;
        }
    }
    reader->failed = true;
    return 0;
}
