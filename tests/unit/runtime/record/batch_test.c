/* The header and the whole of a batch: what is accepted, what is refused, what stamping changes. */
#include "record/batch.h"
#include "support/cmocka_all.h"
#include "support/unreadable_page.h"
#include "unit/runtime/record/batch_model.h"

static struct model_bytes batch;

static int set_up(void **state)
{
    model_from_hex(&batch, golden_none);
    return 0;
}

static void kafkas_header_is_decoded_field_by_field(void **state)
{
    struct batch_header header;
    assert_int_equal(batch_check(model_view(&batch), &header), 0);
    assert_int_equal(header.base_offset, 0);
    assert_int_equal(header.size, batch.len);
    assert_int_equal(header.leader_epoch, 5);
    assert_int_equal(header.crc, 0xd62fa586);
    assert_int_equal(header.attributes, BATCH_TRANSACTIONAL);
    assert_int_equal(header.last_offset_delta, 3);
    assert_int_equal(header.base_timestamp_ms, 1700000000000);
    assert_int_equal(header.max_timestamp_ms, 1700000100000);
    assert_int_equal(header.producer_id, 4242);
    assert_int_equal(header.producer_epoch, 7);
    assert_int_equal(header.base_sequence, 77);
    assert_int_equal(header.record_count, 4);
    assert_int_equal(batch_last_sequence(&header), 80);
}

static void encoding_a_decoded_header_gives_its_bytes_again(void **state)
{
    struct batch_header header;
    assert_int_equal(batch_header_decode(model_view(&batch), &header), 0);
    uint8_t bytes[BATCH_HEADER_BYTES];
    batch_header_encode(&header, bytes);
    assert_memory_equal(bytes, batch.data, sizeof bytes);
}

static void sequences_wrap_to_zero(void **state)
{
    struct batch_header header = { .base_sequence = INT32_MAX - 1, .last_offset_delta = 3 };
    assert_int_equal(batch_last_sequence(&header), 1);
}

static void a_batch_cut_at_any_length_is_truncated(void **state)
{
    struct unreadable_page page = unreadable_page_new(batch.len);
    struct batch_header header;
    for (size_t len = 0; len < batch.len; len++) {
        mill_bytes cut = unreadable_page_put(&page, batch.data, len);
        assert_int_equal(batch_check(cut, &header), MILL_ETRUNCATED);
        assert_int_equal(batch_header_decode(cut, &header), len < BATCH_HEADER_BYTES ? MILL_ETRUNCATED : 0);
    }
    assert_int_equal(batch_check(unreadable_page_put(&page, batch.data, batch.len), &header), 0);
    unreadable_page_free(&page);
}

static void bytes_behind_a_batch_are_corrupt(void **state)
{
    struct batch_header header;
    batch.data[batch.len++] = 0;
    assert_int_equal(batch_check(model_view(&batch), &header), MILL_ECORRUPT);
}

static void every_flipped_bit_is_found_except_in_what_the_broker_stamps(void **state)
{
    struct batch_header header;
    for (size_t bit = 0; bit < batch.len * 8; bit++) {
        size_t byte = bit / 8;
        bool negative_offset = bit == 7;
        bool stamped = byte < 8 || (byte >= 12 && byte < 16);
        batch.data[byte] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(batch_check(model_view(&batch), &header) == 0, stamped && !negative_offset);
        batch.data[byte] ^= (uint8_t)(1 << bit % 8);
    }
}

static void older_magics_are_unsupported_and_later_ones_corrupt(void **state)
{
    struct batch_header header;
    for (int magic = 0; magic < 256; magic++) {
        batch.data[16] = (uint8_t)magic;
        int expected = magic < 2 ? MILL_EUNSUPPORTED : magic == 2 ? 0 : MILL_ECORRUPT;
        assert_int_equal(batch_header_decode(model_view(&batch), &header), expected);
    }
}

static void zeros_are_no_batch(void **state)
{
    static const uint8_t zeros[200];
    struct batch_header header;
    assert_int_equal(batch_header_decode(mill_bytes_of(zeros, sizeof zeros), &header), MILL_ECORRUPT);
}

static void codecs_that_do_not_exist_are_unsupported(void **state)
{
    struct batch_header header;
    for (uint8_t codec = 5; codec < 8; codec++) {
        batch.data[22] = codec;
        model_seal(&batch);
        assert_int_equal(batch_check(model_view(&batch), &header), MILL_EUNSUPPORTED);
    }
}

struct wrong_header {
    size_t at;
    uint8_t bytes[8];
    size_t len;
};

static void headers_that_contradict_themselves_are_corrupt(void **state)
{
    static const struct wrong_header wrongs[] = {
        { 0, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 8 }, /* base offset -1 */
        { 0, { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe }, 8 }, /* last offset beyond 2^63 */
        { 8, { 0, 0, 0, 48 }, 4 },                                    /* shorter than a header */
        { 8, { 0x80, 0, 0, 0 }, 4 },                                  /* negative length */
        { 8, { 0xff, 0xff, 0xff, 0xff }, 4 },
        { 21, { 0x00, 0x80 }, 2 }, /* attributes that are not defined */
        { 21, { 0x80, 0x00 }, 2 },
        { 23, { 0xff, 0xff, 0xff, 0xff }, 4 }, /* last offset delta -1 */
        { 23, { 0, 0, 0, 2 }, 4 },             /* four records in three offsets */
        { 57, { 0xff, 0xff, 0xff, 0xff }, 4 }, /* record count -1 */
        { 57, { 0x00, 0x00, 0x01, 0x00 }, 4 },
    };
    struct batch_header header;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        model_from_hex(&batch, golden_none);
        memcpy(batch.data + wrongs[i].at, wrongs[i].bytes, wrongs[i].len);
        assert_int_equal(batch_header_decode(model_view(&batch), &header), MILL_ECORRUPT);
    }
}

static void more_records_than_bytes_can_hold_are_corrupt(void **state)
{
    struct batch_header header;
    model_put_u32(&batch, 23, 1000000);
    model_put_u32(&batch, 57, (uint32_t)(batch.len - BATCH_HEADER_BYTES) / 7 + 1);
    assert_int_equal(batch_header_decode(model_view(&batch), &header), MILL_ECORRUPT);
    model_put_u32(&batch, 57, (uint32_t)(batch.len - BATCH_HEADER_BYTES) / 7);
    assert_int_equal(batch_header_decode(model_view(&batch), &header), 0);
}

static void a_compacted_batch_may_be_empty(void **state)
{
    struct batch_header header;
    batch.len = BATCH_HEADER_BYTES;
    model_put_u32(&batch, 57, 0);
    model_seal(&batch);
    assert_int_equal(batch_check(model_view(&batch), &header), 0);
    assert_int_equal(batch_next_offset(&header), 4);
}

static void a_region_is_walked_batch_by_batch_to_its_torn_end(void **state)
{
    static uint8_t bytes[1024];
    for (size_t i = 0; i < 3; i++)
        memcpy(bytes + i * batch.len, batch.data, batch.len);
    mill_bytes region = mill_bytes_of(bytes, 3 * batch.len - 1);
    mill_bytes view;
    struct batch_header header;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(batch_next(&region, &view, &header), 1);
        assert_ptr_equal(view.data, bytes + i * batch.len);
        assert_int_equal(view.len, batch.len);
    }
    assert_int_equal(batch_next(&region, &view, &header), MILL_ETRUNCATED);
    assert_ptr_equal(region.data, bytes + 2 * batch.len);
    region.len++;
    assert_int_equal(batch_next(&region, &view, &header), 1);
    assert_int_equal(batch_next(&region, &view, &header), 0);
}

static void a_null_region_is_empty(void **state)
{
    mill_bytes region = mill_null(), view;
    struct batch_header header;
    assert_int_equal(batch_next(&region, &view, &header), 0);
}

static void stamping_offset_and_epoch_leaves_the_checksum_right(void **state)
{
    struct batch_header header;
    batch_stamp(batch.data, 1234567890123, 9);
    assert_int_equal(batch_check(model_view(&batch), &header), 0);
    assert_int_equal(header.base_offset, 1234567890123);
    assert_int_equal(header.leader_epoch, 9);
    assert_int_equal(batch_last_offset(&header), 1234567890126);
}

static void log_append_time_is_set_under_a_new_checksum(void **state)
{
    struct batch_header header;
    batch_restamp_time(batch.data, batch.len, 1800000000000, true);
    assert_int_equal(batch_check(model_view(&batch), &header), 0);
    assert_true(batch_has_log_append_time(&header));
    assert_true(batch_is_transactional(&header));
    assert_int_equal(header.max_timestamp_ms, 1800000000000);
}

static void a_wrong_maximum_is_corrected_without_changing_the_kind_of_time(void **state)
{
    struct batch_header header;
    batch_restamp_time(batch.data, batch.len, 1700000000123, false);
    assert_int_equal(batch_check(model_view(&batch), &header), 0);
    assert_false(batch_has_log_append_time(&header));
    assert_int_equal(header.max_timestamp_ms, 1700000000123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kafkas_header_is_decoded_field_by_field, set_up),
        cmocka_unit_test_setup(encoding_a_decoded_header_gives_its_bytes_again, set_up),
        cmocka_unit_test(sequences_wrap_to_zero),
        cmocka_unit_test_setup(a_batch_cut_at_any_length_is_truncated, set_up),
        cmocka_unit_test_setup(bytes_behind_a_batch_are_corrupt, set_up),
        cmocka_unit_test_setup(every_flipped_bit_is_found_except_in_what_the_broker_stamps, set_up),
        cmocka_unit_test_setup(older_magics_are_unsupported_and_later_ones_corrupt, set_up),
        cmocka_unit_test(zeros_are_no_batch),
        cmocka_unit_test_setup(codecs_that_do_not_exist_are_unsupported, set_up),
        cmocka_unit_test(headers_that_contradict_themselves_are_corrupt),
        cmocka_unit_test_setup(more_records_than_bytes_can_hold_are_corrupt, set_up),
        cmocka_unit_test_setup(a_compacted_batch_may_be_empty, set_up),
        cmocka_unit_test_setup(a_region_is_walked_batch_by_batch_to_its_torn_end, set_up),
        cmocka_unit_test(a_null_region_is_empty),
        cmocka_unit_test_setup(stamping_offset_and_epoch_leaves_the_checksum_right, set_up),
        cmocka_unit_test_setup(log_append_time_is_set_under_a_new_checksum, set_up),
        cmocka_unit_test_setup(a_wrong_maximum_is_corrected_without_changing_the_kind_of_time, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
