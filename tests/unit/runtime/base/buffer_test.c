#include "base/buffer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/varint.h"
#include "support/cmocka_all.h"

static void what_is_appended_reads_back(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 1024);
    buffer_append_u8(&buffer, 7);
    buffer_append_u16(&buffer, 0x1234);
    buffer_append_u32(&buffer, 0x12345678);
    buffer_append_u64(&buffer, 0x123456789abcdef0);
    buffer_append_unsigned_varint(&buffer, 300);
    buffer_append_varint(&buffer, -12345);
    buffer_append(&buffer, "tail", 4);
    assert_false(buffer.failed);

    struct byte_reader reader = byte_reader_of(buffer_bytes(&buffer));
    assert_int_equal(byte_reader_u8(&reader), 7);
    assert_int_equal(byte_reader_u16(&reader), 0x1234);
    assert_int_equal(byte_reader_u32(&reader), 0x12345678);
    assert_int_equal(byte_reader_u64(&reader), 0x123456789abcdef0);
    assert_int_equal(byte_reader_unsigned_varint(&reader), 300);
    assert_int_equal(byte_reader_varlong(&reader), -12345);
    assert_memory_equal(byte_reader_take(&reader, 4), "tail", 4);
    assert_int_equal(byte_reader_left(&reader), 0);
    buffer_release(&buffer);
}

static void a_buffer_grows_to_its_maximum_and_no_further(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 100);
    for (int i = 0; i < 100; i++)
        buffer_append_u8(&buffer, (uint8_t)i);
    assert_false(buffer.failed);
    buffer_append_u8(&buffer, 0);
    assert_true(buffer.failed);
    assert_int_equal(buffer.len, 100);
    assert_int_equal(buffer.data[99], 99);
    buffer_release(&buffer);
}

static void a_failure_sticks_until_cleared(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 8);
    buffer_append_u64(&buffer, 1);
    buffer_append_u64(&buffer, 2);
    assert_true(buffer.failed);
    assert_null(buffer_reserve(&buffer, 0));
    buffer_clear(&buffer);
    assert_non_null(buffer_reserve(&buffer, 8));
    buffer_release(&buffer);
}

static void no_memory_fails_the_append_and_keeps_the_bytes(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, SIZE_MAX);
    buffer_append(&buffer, "kept", 4);
    mem_fail_at(1, 1);
    static const uint8_t large[4096];
    buffer_append(&buffer, large, sizeof large);
    mem_fail_at(0, 0);
    assert_true(buffer.failed);
    assert_memory_equal(buffer.data, "kept", 4);
    assert_int_equal(buffer.len, 4);
    buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_reads_back),
        cmocka_unit_test(a_buffer_grows_to_its_maximum_and_no_further),
        cmocka_unit_test(a_failure_sticks_until_cleared),
        cmocka_unit_test(no_memory_fails_the_append_and_keeps_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
