/*
 * Compressed bytes from a stranger, for the codec FUZZ_CODEC: one unpacker for all inputs, as in a reader, so that no input may
 * spoil it.
 */
#include "base/assert.h"
#include "fuzz/fuzz.h"
#include "record/compression.h"

enum { PLAIN_BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct unpacker unpacker;
    struct buffer plain;
    buffer_init(&plain, PLAIN_BYTES_MAX);
    int code = unpacker_unpack(&unpacker, FUZZ_CODEC, mill_bytes_of(data, len), &plain);
    mill_assert(plain.len <= PLAIN_BYTES_MAX);
    mill_assert(code == 0 || plain.len == 0);
    fuzz_touch(plain.data, plain.len);
    buffer_release(&plain);
    return 0;
}
