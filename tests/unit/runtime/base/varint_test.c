#include "base/varint.h"

#include "support/cmocka_all.h"

static const struct {
    int64_t value;
    uint8_t bytes[VARLONG_BYTES_MAX];
    size_t len;
} examples[] = {
    { 0, { 0x00 }, 1 },
    { -1, { 0x01 }, 1 },
    { 1, { 0x02 }, 1 },
    { 63, { 0x7e }, 1 },
    { -64, { 0x7f }, 1 },
    { 64, { 0x80, 0x01 }, 2 },
    { -65, { 0x81, 0x01 }, 2 },
    { INT32_MAX, { 0xfe, 0xff, 0xff, 0xff, 0x0f }, 5 },
    { INT32_MIN, { 0xff, 0xff, 0xff, 0xff, 0x0f }, 5 },
    { INT64_MAX, { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, 10 },
    { INT64_MIN, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, 10 },
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static void numbers_have_kafkas_bytes(void **state)
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        uint8_t bytes[VARLONG_BYTES_MAX];
        uint8_t *end = varint_write(bytes, examples[i].value);
        assert_int_equal(end - bytes, examples[i].len);
        assert_int_equal(varint_size(examples[i].value), examples[i].len);
        assert_memory_equal(bytes, examples[i].bytes, examples[i].len);
    }
}

static void bytes_read_back_and_fail_at_every_cut(void **state)
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        for (size_t cut = 0; cut <= examples[i].len; cut++) {
            struct byte_reader reader = byte_reader_of(mill_bytes_of(examples[i].bytes, cut));
            int64_t value = byte_reader_varlong(&reader);
            assert_int_equal(reader.failed, cut < examples[i].len);
            assert_int_equal(value, reader.failed ? 0 : examples[i].value);
            assert_int_equal(byte_reader_left(&reader), reader.failed ? cut : 0);
        }
    }
}

static void thirty_two_bits_read_as_such(void **state)
{
    struct byte_reader reader = byte_reader_of(mill_bytes_of(examples[8].bytes, 5));
    assert_int_equal(byte_reader_varint(&reader), INT32_MIN);
    assert_false(reader.failed);
}

static void too_long_and_overflowing_forms_fail(void **state)
{
    static const uint8_t six_bytes[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x00 };
    static const uint8_t bit_32[] = { 0x80, 0x80, 0x80, 0x80, 0x10 };
    static const uint8_t bit_64[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02 };
    struct byte_reader reader = byte_reader_of(mill_bytes_of(six_bytes, sizeof six_bytes));
    byte_reader_unsigned_varint(&reader);
    assert_true(reader.failed);
    reader = byte_reader_of(mill_bytes_of(bit_32, sizeof bit_32));
    byte_reader_varint(&reader);
    assert_true(reader.failed);
    reader = byte_reader_of(mill_bytes_of(bit_64, sizeof bit_64));
    byte_reader_varlong(&reader);
    assert_true(reader.failed);
}

static void a_failed_reader_stays_failed(void **state)
{
    static const uint8_t bytes[] = { 0x02 };
    struct byte_reader reader = byte_reader_of(mill_bytes_of(bytes, 1));
    byte_reader_u32(&reader);
    assert_true(reader.failed);
    assert_int_equal(byte_reader_varint(&reader), 0);
    assert_int_equal(byte_reader_left(&reader), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_kafkas_bytes),    cmocka_unit_test(bytes_read_back_and_fail_at_every_cut),
        cmocka_unit_test(thirty_two_bits_read_as_such), cmocka_unit_test(too_long_and_overflowing_forms_fail),
        cmocka_unit_test(a_failed_reader_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
