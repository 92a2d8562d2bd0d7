#include "base/crc32c.h"

#include <string.h>

#include "base/prng.h"
#include "support/cmocka_all.h"

/* RFC 3720, appendix B.4. */
static void the_standards_examples_hold(void **state)
{
    uint8_t bytes[32];
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x46dd794e);
    assert_int_equal(crc32c(0, NULL, 0), 0);
}

/* The bit-by-bit definition. */
static uint32_t naive(const uint8_t *data, size_t len)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
    }
    return ~crc;
}

static void every_length_and_alignment_agrees_with_the_definition(void **state)
{
    static uint8_t bytes[8192];
    struct prng prng;
    prng_init(&prng, 1);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)prng_next(&prng);
    for (size_t len = 0; len < 8000; len = len < 900 ? len + 1 : len + 97) {
        const uint8_t *at = bytes + len % 8;
        uint32_t expected = naive(at, len);
        assert_int_equal(crc32c(0, at, len), expected);
        assert_int_equal(crc32c_by_tables(0, at, len), expected);
    }
}

static void a_sum_continues_over_parts(void **state)
{
    static uint8_t bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31);
    uint32_t whole = crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut += 61)
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples_hold),
        cmocka_unit_test(every_length_and_alignment_agrees_with_the_definition),
        cmocka_unit_test(a_sum_continues_over_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
