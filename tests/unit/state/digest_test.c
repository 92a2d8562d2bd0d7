#include "state/digest.h"

#include "support/cmocka_all.h"

/* The vectors of the authors: the key is 00 01 .. 0f, the message the first bytes of the same row. */
static void digests_are_those_of_siphash(void **state)
{
    static const uint8_t empty[16] = { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                       0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 };
    static const uint8_t one[16] = { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                                     0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 };
    uint8_t row[64];
    uint8_t result[DIGEST_BYTES];
    for (size_t i = 0; i < sizeof row; i++)
        row[i] = (uint8_t)i;
    digest(row, mill_bytes_of(row, 0), result);
    assert_memory_equal(result, empty, sizeof empty);
    digest(row, mill_bytes_of(row, 1), result);
    assert_memory_equal(result, one, sizeof one);
}

static void another_salt_gives_another_digest(void **state)
{
    uint8_t a[DIGEST_BYTES];
    uint8_t b[DIGEST_BYTES];
    digest((const uint8_t *)"0123456789abcdef", mill_string("key"), a);
    digest((const uint8_t *)"0123456789abcdeg", mill_string("key"), b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_siphash),
        cmocka_unit_test(another_salt_gives_another_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
