#include "state/key_schema.h"

#include "support/cmocka_all.h"
#include "support/unreadable_page.h"

static struct buffer buffer;

static int set_up(void **state)
{
    buffer_init(&buffer, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    buffer_release(&buffer);
    return 0;
}

static void a_changelog_key_of_a_window_is_kafka_streams(void **state)
{
    static const uint8_t expected[] = { 'a', 'b', 0, 0, 0, 0, 0, 0, 0xea, 0x60, 0, 0, 0, 0 };
    mill_bytes made = key_schema_changelog_window(&buffer, mill_string("ab"), 60000);
    assert_true(mill_bytes_equal(made, mill_bytes_of(expected, sizeof expected)));
    mill_bytes key;
    int64_t start_ms;
    assert_true(key_schema_parse_changelog_window(made, &key, &start_ms));
    assert_true(mill_bytes_equal(key, mill_string("ab")));
    assert_int_equal(start_ms, 60000);
}

static void a_changelog_key_cut_short_or_with_a_negative_start_is_refused(void **state)
{
    uint8_t bytes[12] = { 0 };
    mill_bytes key;
    int64_t start_ms;
    for (size_t len = 0; len < 12; len++)
        assert_false(key_schema_parse_changelog_window(mill_bytes_of(bytes, len), &key, &start_ms));
    assert_true(key_schema_parse_changelog_window(mill_bytes_of(bytes, 12), &key, &start_ms));
    bytes[0] = 0x80;
    assert_false(key_schema_parse_changelog_window(mill_bytes_of(bytes, 12), &key, &start_ms));
    assert_false(key_schema_parse_changelog_window(mill_null(), &key, &start_ms));
}

static void members_and_size_of_a_set_are_neighbours_the_size_last(void **state)
{
    uint8_t first[64];
    mill_bytes member = key_schema_member(&buffer, mill_string("k"), mill_string("zz"));
    memcpy(first, member.data, member.len);
    mill_bytes kept = mill_bytes_of(first, member.len);
    assert_true(mill_bytes_compare(kept, key_schema_size(&buffer, mill_string("k"))) < 0);
    assert_true(mill_bytes_compare(kept, key_schema_member(&buffer, mill_string("l"), mill_string(""))) < 0);
}

static void an_element_is_cut_into_key_and_member_at_any_length(void **state)
{
    mill_bytes whole = key_schema_member(&buffer, mill_string("key"), mill_string("member"));
    struct unreadable_page page = unreadable_page_new(4096);
    for (size_t len = 0; len <= whole.len; len++) {
        mill_bytes key;
        mill_bytes member;
        bool parsed = key_schema_parse_element(unreadable_page_put(&page, whole.data, len), &key, &member);
        assert_int_equal(parsed, len >= 8);
        if (parsed) {
            assert_true(mill_bytes_equal(key, mill_string("key")));
            assert_int_equal(member.len, len - 8);
        }
    }
    unreadable_page_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_changelog_key_of_a_window_is_kafka_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changelog_key_cut_short_or_with_a_negative_start_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_and_size_of_a_set_are_neighbours_the_size_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_element_is_cut_into_key_and_member_at_any_length, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
