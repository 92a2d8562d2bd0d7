#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "task/offset_metadata.h"

/* Kafka Streams writes TopicPartitionMetadata(1600000000000) so: version 2, then the time. */
static void the_text_is_kafka_streams_own(void **state)
{
    char text[OFFSET_METADATA_BYTES];
    offset_metadata_encode(1600000000000, NULL, 0, NULL, 0, text);
    assert_string_equal(text, "AgAAAXSHboAA");
    assert_int_equal(offset_metadata_decode(mill_string(text)), 1600000000000);
}

static void what_was_written_is_read_back(void **state)
{
    static const int64_t TIMES[] = { 0, 1, 255, 1600000000000, INT64_MAX };
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        char text[OFFSET_METADATA_BYTES];
        offset_metadata_encode(TIMES[i], NULL, 0, NULL, 0, text);
        assert_int_equal(offset_metadata_decode(mill_string(text)), TIMES[i]);
    }
}

static void an_unknown_time_stays_unknown(void **state)
{
    char text[OFFSET_METADATA_BYTES];
    offset_metadata_encode(-1, NULL, 0, NULL, 0, text);
    assert_int_equal(offset_metadata_decode(mill_string(text)), -1);
}

static void what_is_not_ours_is_no_time(void **state)
{
    static const char *const TEXTS[] = { "", "AgAAAX", "not base64 !", "AQAAAXSHboAA",
                                         "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" };
    assert_int_equal(offset_metadata_decode(mill_null()), -1);
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        assert_int_equal(offset_metadata_decode(mill_string(TEXTS[i])), -1);
}

/* Kafka Streams appends its processors' metadata. */
static void what_follows_is_passed_over(void **state)
{
    assert_int_equal(offset_metadata_decode(mill_string("AgAAAXSHboAAAAAAAQAAAAFh")), 1600000000000);
}

static void note_drop(void *ctx, mill_bytes reason, int64_t count)
{
    char *noted = ctx;
    snprintf(noted + strlen(noted), 128, "%.*s=%lld ", (int)reason.len, (const char *)reason.data, (long long)count);
}

static void count_entry(void *ctx, mill_bytes name, int64_t number)
{
    ++*(int *)ctx;
}

/* As Kafka Streams writes a ProcessorMetadata with these entries. */
static void what_was_dropped_stands_among_the_processors_metadata(void **state)
{
    static const struct drop_count DROPS[] = { { "late", 7 }, { "malformed", 1234567890123 } };
    char text[OFFSET_METADATA_BYTES];
    char noted[256] = "";
    offset_metadata_encode(5, DROPS, 2, NULL, 0, text);
    assert_string_equal(text, "AgAAAAAAAAAFAAAAAgAAAAxkcm9wcGVkLmxhdGUAAAAAAAAABwAAABFkcm9wcGVkLm1hbGZvcm1lZAAAAR9x+wTL");
    assert_int_equal(offset_metadata_decode(mill_string(text)), 5);
    offset_metadata_drops(mill_string(text), note_drop, noted);
    assert_string_equal(noted, "late=7 malformed=1234567890123 ");
}

static void what_processors_remember_stands_beside_it(void **state)
{
    static const struct drop_count DROPS[] = { { "late", 7 } };
    static const struct remembered_number NUMBERS[] = { { .name = "pv", .number = 60000 }, { .name = "uv", .number = 0 } };
    char text[OFFSET_METADATA_BYTES];
    char dropped[256] = "";
    char remembered[256] = "";
    offset_metadata_encode(5, DROPS, 1, NUMBERS, 2, text);
    offset_metadata_drops(mill_string(text), note_drop, dropped);
    offset_metadata_numbers(mill_string(text), note_drop, remembered);
    assert_string_equal(dropped, "late=7 ");
    assert_string_equal(remembered, "pv=60000 uv=0 ");
}

static void numbers_that_do_not_fit_are_left_out(void **state)
{
    char name[241];
    memset(name, 'x', 240);
    name[240] = '\0';
    struct remembered_number numbers[OFFSET_METADATA_NUMBERS_MAX];
    for (size_t i = 0; i < OFFSET_METADATA_NUMBERS_MAX; i++)
        numbers[i] = (struct remembered_number){ .name = name, .number = (int64_t)i };
    char text[OFFSET_METADATA_BYTES];
    offset_metadata_encode(5, NULL, 0, numbers, OFFSET_METADATA_NUMBERS_MAX, text);
    assert_true(strlen(text) <= 4096);
    assert_int_equal(offset_metadata_decode(mill_string(text)), 5);
    int kept = 0;
    offset_metadata_numbers(mill_string(text), count_entry, &kept);
    assert_int_equal(kept, 12);
}

static void a_text_cut_anywhere_tells_only_whole_entries(void **state)
{
    static const struct drop_count DROPS[] = { { "late", 7 }, { "x", 9 } };
    char text[OFFSET_METADATA_BYTES];
    offset_metadata_encode(5, DROPS, 2, NULL, 0, text);
    for (size_t len = 0; len < strlen(text); len++) {
        char noted[256] = "";
        offset_metadata_drops(mill_bytes_of(text, len), note_drop, noted);
        assert_true(strcmp(noted, "") == 0 || strcmp(noted, "late=7 ") == 0);
    }
}

static void a_reason_too_long_to_write_is_left_out(void **state)
{
    static const struct drop_count DROPS[] = { { "a reason that nobody would want to read", 1 }, { "late", 7 } };
    char text[OFFSET_METADATA_BYTES];
    char noted[256] = "";
    offset_metadata_encode(5, DROPS, 2, NULL, 0, text);
    offset_metadata_drops(mill_string(text), note_drop, noted);
    assert_string_equal(noted, "late=7 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_kafka_streams_own),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(an_unknown_time_stays_unknown),
        cmocka_unit_test(what_is_not_ours_is_no_time),
        cmocka_unit_test(what_follows_is_passed_over),
        cmocka_unit_test(what_was_dropped_stands_among_the_processors_metadata),
        cmocka_unit_test(what_processors_remember_stands_beside_it),
        cmocka_unit_test(numbers_that_do_not_fit_are_left_out),
        cmocka_unit_test(a_text_cut_anywhere_tells_only_whole_entries),
        cmocka_unit_test(a_reason_too_long_to_write_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
