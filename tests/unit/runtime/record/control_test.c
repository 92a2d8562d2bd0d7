/* Markers, byte for byte as Kafka writes them, and the reading of control records. */
#include "record/batch_reader.h"
#include "record/control.h"
#include "support/cmocka_all.h"
#include "unit/runtime/record/batch_model.h"

static const struct control_marker marker = {
    .type = CONTROL_COMMIT,
    .producer_id = 4242,
    .producer_epoch = 7,
    .coordinator_epoch = 12,
    .timestamp_ms = 1700000000000,
};

static void markers_are_kafkas_bytes(void **state)
{
    static struct model_bytes golden;
    uint8_t bytes[CONTROL_MARKER_BYTES];
    model_from_hex(&golden, golden_commit);
    assert_int_equal(golden.len, CONTROL_MARKER_BYTES);
    control_marker_encode(&marker, bytes);
    assert_memory_equal(bytes, golden.data, CONTROL_MARKER_BYTES);

    struct control_marker abort_marker = marker;
    abort_marker.type = CONTROL_ABORT;
    model_from_hex(&golden, golden_abort);
    control_marker_encode(&abort_marker, bytes);
    assert_memory_equal(bytes, golden.data, CONTROL_MARKER_BYTES);
}

static void a_marker_is_read_back(void **state)
{
    uint8_t bytes[CONTROL_MARKER_BYTES];
    control_marker_encode(&marker, bytes);
    struct batch_reader reader;
    batch_reader_init(&reader, 0);
    struct batch_record record;
    int type;
    int32_t epoch;
    assert_int_equal(batch_reader_open(&reader, mill_bytes_of(bytes, sizeof bytes), true), 0);
    assert_true(batch_is_control(&reader.header));
    assert_int_equal(batch_reader_next(&reader, &record), 1);
    assert_int_equal(control_record_type(&record.record, &type), 0);
    assert_int_equal(type, CONTROL_COMMIT);
    assert_int_equal(control_marker_epoch(&record.record, &epoch), 0);
    assert_int_equal(epoch, 12);
    batch_reader_release(&reader);
}

static void control_records_of_later_versions_keep_what_is_known(void **state)
{
    static const uint8_t key[] = { 0, 3, 0, 99, 1, 2 };
    static const uint8_t value[] = { 0, 1, 0, 0, 0, 5, 7 };
    const mill_record record = { .key = mill_bytes_of(key, sizeof key), .value = mill_bytes_of(value, sizeof value) };
    int type;
    int32_t epoch;
    assert_int_equal(control_record_type(&record, &type), 0);
    assert_int_equal(type, 99);
    assert_int_equal(control_marker_epoch(&record, &epoch), 0);
    assert_int_equal(epoch, 5);
}

static void short_and_null_control_records_are_corrupt(void **state)
{
    static const uint8_t bytes[6];
    int type;
    int32_t epoch;
    for (size_t len = 0; len < sizeof bytes; len++) {
        const mill_record record = { .key = mill_bytes_of(bytes, len), .value = mill_bytes_of(bytes, len) };
        assert_int_equal(control_record_type(&record, &type), len < 4 ? MILL_ECORRUPT : 0);
        assert_int_equal(control_marker_epoch(&record, &epoch), MILL_ECORRUPT);
    }
    const mill_record null_record = { 0 };
    assert_int_equal(control_record_type(&null_record, &type), MILL_ECORRUPT);
}

static void negative_versions_are_corrupt(void **state)
{
    static const uint8_t bytes[] = { 0xff, 0xff, 0, 0, 0, 0 };
    const mill_record record = { .key = mill_bytes_of(bytes, 4), .value = mill_bytes_of(bytes, 6) };
    int type;
    int32_t epoch;
    assert_int_equal(control_record_type(&record, &type), MILL_ECORRUPT);
    assert_int_equal(control_marker_epoch(&record, &epoch), MILL_ECORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markers_are_kafkas_bytes),
        cmocka_unit_test(a_marker_is_read_back),
        cmocka_unit_test(control_records_of_later_versions_keep_what_is_known),
        cmocka_unit_test(short_and_null_control_records_are_corrupt),
        cmocka_unit_test(negative_versions_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
