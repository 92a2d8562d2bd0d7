#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "task/offset_metadata.h"

/* Kafka Streams writes TopicPartitionMetadata(1600000000000) so: version 2, then the time. */
static void the_text_is_kafka_streams_own(void **state)
{
    char text[OFFSET_METADATA_BYTES];
    offset_metadata_encode(1600000000000, text);
    assert_string_equal(text, "AgAAAXSHboAA");
    assert_int_equal(offset_metadata_decode(mill_string(text)), 1600000000000);
}

static void what_was_written_is_read_back(void **state)
{
    static const int64_t TIMES[] = { 0, 1, 255, 1600000000000, INT64_MAX };
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        char text[OFFSET_METADATA_BYTES];
        offset_metadata_encode(TIMES[i], text);
        assert_int_equal(offset_metadata_decode(mill_string(text)), TIMES[i]);
    }
}

static void an_unknown_time_stays_unknown(void **state)
{
    char text[OFFSET_METADATA_BYTES];
    offset_metadata_encode(-1, text);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_kafka_streams_own), cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(an_unknown_time_stays_unknown), cmocka_unit_test(what_is_not_ours_is_no_time),
        cmocka_unit_test(what_follows_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
