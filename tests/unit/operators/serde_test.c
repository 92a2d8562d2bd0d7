/* Numbers and windowed keys as Kafka's serializers write them. */
#include "support/cmocka_all.h"

#include "millstream/serde.h"

static void assert_bytes(mill_bytes bytes, const char *expected, size_t len)
{
    assert_int_equal(bytes.len, len);
    assert_memory_equal(bytes.data, expected, len);
}

static void a_long_is_eight_bytes_big_endian(void **state)
{
    static const int64_t numbers[] = { 0, 1, -1, 258, INT64_MAX, INT64_MIN };
    uint8_t out[8];
    assert_bytes(mill_int64_write(out, 258), "\0\0\0\0\0\0\1\2", 8);
    assert_bytes(mill_int64_write(out, -2), "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t number = 7;
        assert_true(mill_int64_read(mill_int64_write(out, numbers[i]), &number));
        assert_true(number == numbers[i]);
    }
}

static void an_integer_is_four_bytes_big_endian(void **state)
{
    uint8_t out[4];
    int32_t number = 7;
    assert_bytes(mill_int32_write(out, -2), "\xff\xff\xff\xfe", 4);
    assert_true(mill_int32_read(mill_int32_write(out, INT32_MIN), &number));
    assert_int_equal(number, INT32_MIN);
}

static void a_double_is_its_ieee_bits(void **state)
{
    uint8_t out[8];
    double number = 0;
    assert_bytes(mill_double_write(out, -1.5), "\xbf\xf8\0\0\0\0\0\0", 8);
    assert_true(mill_double_read(mill_double_write(out, -1.5), &number));
    assert_true(number == -1.5);
}

static void numbers_of_another_length_are_refused_and_nothing_is_written(void **state)
{
    uint8_t bytes[16] = { 0 };
    for (size_t len = 0; len <= sizeof bytes; len++) {
        int64_t long_number = 7;
        int32_t number = 7;
        assert_int_equal(mill_int64_read(mill_bytes_of(bytes, len), &long_number), len == 8);
        assert_int_equal(long_number, len == 8 ? 0 : 7);
        assert_int_equal(mill_int32_read(mill_bytes_of(bytes, len), &number), len == 4);
        assert_int_equal(number, len == 4 ? 0 : 7);
    }
    int64_t number = 7;
    assert_false(mill_int64_read(mill_null(), &number));
}

static void a_time_windowed_key_is_key_and_start(void **state)
{
    uint8_t out[2 + MILL_TIME_WINDOW_BYTES];
    mill_bytes bytes = mill_time_window_write(out, mill_string("ab"), 10);
    assert_bytes(bytes, "ab\0\0\0\0\0\0\0\12", 10);
    mill_windowed_key windowed;
    assert_true(mill_time_window_read(bytes, 5, &windowed));
    assert_bytes(windowed.key, "ab", 2);
    assert_int_equal(windowed.start_ms, 10);
    assert_int_equal(windowed.end_ms, 15);
    for (size_t len = 0; len < MILL_TIME_WINDOW_BYTES; len++)
        assert_false(mill_time_window_read(mill_bytes_of(out, len), 5, &windowed));
    assert_true(mill_time_window_read(mill_bytes_of(out + 2, MILL_TIME_WINDOW_BYTES), 5, &windowed));
    assert_int_equal(windowed.key.len, 0);
}

static void the_end_of_a_window_stays_in_range(void **state)
{
    uint8_t out[MILL_TIME_WINDOW_BYTES];
    mill_windowed_key windowed;
    assert_true(mill_time_window_read(mill_time_window_write(out, mill_string(""), INT64_MAX - 1), 10, &windowed));
    assert_true(windowed.end_ms == INT64_MAX);
}

static void a_session_windowed_key_is_key_end_and_start(void **state)
{
    uint8_t out[1 + MILL_SESSION_WINDOW_BYTES];
    mill_bytes bytes = mill_session_window_write(out, mill_string("a"), 1, 2);
    assert_bytes(bytes, "a\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1", 17);
    mill_windowed_key windowed;
    assert_true(mill_session_window_read(bytes, &windowed));
    assert_int_equal(windowed.start_ms, 1);
    assert_int_equal(windowed.end_ms, 2);
    for (size_t len = 0; len < MILL_SESSION_WINDOW_BYTES; len++)
        assert_false(mill_session_window_read(mill_bytes_of(out, len), &windowed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_is_eight_bytes_big_endian),
        cmocka_unit_test(an_integer_is_four_bytes_big_endian),
        cmocka_unit_test(a_double_is_its_ieee_bits),
        cmocka_unit_test(numbers_of_another_length_are_refused_and_nothing_is_written),
        cmocka_unit_test(a_time_windowed_key_is_key_and_start),
        cmocka_unit_test(the_end_of_a_window_stays_in_range),
        cmocka_unit_test(a_session_windowed_key_is_key_end_and_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
