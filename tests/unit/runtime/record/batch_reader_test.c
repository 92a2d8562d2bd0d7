/* Reading records: Kafka's own bytes in every codec, bulk and single, and every way in which a batch can be wrong. */
#include "base/alloc.h"
#include "record/batch_reader.h"
#include "support/cmocka_all.h"
#include "support/unreadable_page.h"
#include "unit/runtime/record/batch_model.h"

static struct batch_reader reader;
static struct model_bytes batch;

static int set_up(void **state)
{
    batch_reader_init(&reader, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    batch_reader_release(&reader);
    return 0;
}

static void assert_bytes(mill_bytes bytes, const char *expected)
{
    assert_true(mill_bytes_equal(bytes, mill_string(expected)));
}

static void assert_is_the_golden_batch(const struct batch_record *records)
{
    assert_bytes(records[0].record.key, "k0");
    assert_bytes(records[0].record.value, "value zero value zero value zero value zero");
    assert_int_equal(records[0].record.timestamp_ms, 1700000000000);
    assert_true(mill_is_null(records[1].record.key));
    assert_bytes(records[1].record.value, "no key");
    assert_int_equal(records[1].record.timestamp_ms, 1700000000123);
    assert_bytes(records[2].record.key, "gone");
    assert_true(mill_is_null(records[2].record.value));
    assert_int_equal(records[2].record.timestamp_ms, 1699999999000);
    assert_bytes(records[3].record.key, "");
    assert_bytes(records[3].record.value, "");
    assert_int_equal(records[3].record.timestamp_ms, 1700000100000);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(records[i].offset, i);
        assert_int_equal(records[i].record.header_count, i == 3 ? 2 : 0);
        assert_null(records[i].record.headers);
        assert_true(mill_is_null(records[i].record.old_value));
    }
}

static void kafkas_batches_are_read_in_every_codec(void **state)
{
    for (int codec = 0; codec < COMPRESSION_COUNT; codec++) {
        struct batch_record records[8];
        model_from_hex(&batch, golden_batches[codec]);
        assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
        assert_int_equal(batch_compression(&reader.header), codec);
        assert_int_equal(batch_reader_owns_records(&reader), codec != COMPRESSION_NONE);
        assert_int_equal(batch_reader_fill(&reader, records, 8), 4);
        assert_is_the_golden_batch(records);
        assert_int_equal(batch_reader_fill(&reader, records, 8), 0);
    }
}

static void headers_are_parsed_when_asked_for(void **state)
{
    struct batch_record records[4];
    struct arena arena;
    arena_init(&arena, 1024, 4096);
    model_from_hex(&batch, golden_none);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_fill(&reader, records, 4), 4);
    assert_int_equal(batch_record_load_headers(&records[0], &arena), 0);
    assert_null(records[0].record.headers);
    assert_int_equal(batch_record_load_headers(&records[3], &arena), 0);
    assert_bytes(records[3].record.headers[0].key, "trace");
    assert_bytes(records[3].record.headers[0].value, "abc");
    assert_bytes(records[3].record.headers[1].key, "none");
    assert_true(mill_is_null(records[3].record.headers[1].value));
    arena_release(&arena);
}

static void an_uncompressed_batch_is_read_without_a_copy(void **state)
{
    struct batch_record record;
    model_from_hex(&batch, golden_none);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_next(&reader, &record), 1);
    assert_true(record.record.key.data > batch.data && record.record.key.data < batch.data + batch.len);
}

static void filling_in_small_steps_gives_the_same_records(void **state)
{
    struct batch_record records[4];
    model_from_hex(&batch, golden_zstd);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_fill(&reader, records, 3), 3);
    assert_int_equal(batch_reader_next(&reader, &records[3]), 1);
    assert_int_equal(batch_reader_next(&reader, &records[3]), 0);
    assert_is_the_golden_batch(records);
}

static void offsets_count_from_the_stamped_base(void **state)
{
    struct batch_record record;
    model_from_hex(&batch, golden_lz4);
    batch_stamp(batch.data, 1000, 1);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_skip_to(&reader, 1002), 0);
    assert_int_equal(batch_reader_next(&reader, &record), 1);
    assert_int_equal(record.offset, 1002);
    assert_bytes(record.record.key, "gone");
}

static void skipping_ends_at_the_end_and_never_goes_back(void **state)
{
    struct batch_record record;
    model_from_hex(&batch, golden_none);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_skip_to(&reader, 3), 0);
    assert_int_equal(batch_reader_skip_to(&reader, 0), 0);
    assert_int_equal(batch_reader_next(&reader, &record), 1);
    assert_int_equal(record.offset, 3);
    assert_int_equal(batch_reader_skip_to(&reader, 100), 0);
    assert_int_equal(batch_reader_next(&reader, &record), 0);
}

static void log_append_time_is_every_records_time(void **state)
{
    struct batch_record records[4];
    model_from_hex(&batch, golden_snappy);
    batch_restamp_time(batch.data, batch.len, 1800000000000, true);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_fill(&reader, records, 4), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(records[i].record.timestamp_ms, 1800000000000);
}

static void gaps_that_compaction_left_are_kept(void **state)
{
    const mill_record records[] = { { .key = mill_string("a") }, { .key = mill_string("b") } };
    const int32_t deltas[] = { 5, 70000 };
    struct batch_record read[2];
    model_batch(&batch, 100, records, deltas, 2);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_fill(&reader, read, 2), 2);
    assert_int_equal(read[0].offset, 105);
    assert_int_equal(read[1].offset, 70100);
}

static void a_compacted_batch_without_records_is_at_its_end(void **state)
{
    struct batch_record record;
    for (int codec = 0; codec < COMPRESSION_COUNT; codec++) {
        model_from_hex(&batch, golden_batches[codec]);
        batch.len = BATCH_HEADER_BYTES;
        model_put_u32(&batch, 57, 0);
        model_seal(&batch);
        assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
        assert_int_equal(batch_reader_next(&reader, &record), 0);
    }
}

static void a_wrong_checksum_is_refused_unless_it_is_not_to_be_checked(void **state)
{
    model_from_hex(&batch, golden_none);
    batch.data[17] ^= 1;
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), MILL_ECORRUPT);
    struct batch_record record;
    assert_int_equal(batch_reader_next(&reader, &record), 0);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), false), 0);
}

/* The records of an open batch, one by one; returns how it ended. */
static int read_all(size_t *count)
{
    struct batch_record records[3];
    mill_header headers[64];
    int code;
    *count = 0;
    while ((code = batch_reader_fill(&reader, records, 3)) > 0)
        for (int i = 0; i < code; i++, (*count)++)
            if (records[i].record.header_count <= 64)
                batch_record_parse_headers(&records[i], headers);
    return code;
}

/* The CRC is made right for each cut, so that the parser itself must find the end. */
static void a_resealed_batch_cut_at_any_length_is_refused_without_reading_on(void **state)
{
    struct unreadable_page page = unreadable_page_new(512);
    for (int codec = 0; codec < COMPRESSION_COUNT; codec++) {
        model_from_hex(&batch, golden_batches[codec]);
        size_t whole = batch.len;
        for (size_t len = BATCH_HEADER_BYTES; len < whole; len++) {
            model_from_hex(&batch, golden_batches[codec]);
            batch.len = len;
            model_seal(&batch);
            size_t count = 0;
            int code = batch_reader_open(&reader, unreadable_page_put(&page, batch.data, len), true);
            if (code == 0)
                code = read_all(&count);
            assert_true(code == MILL_ECORRUPT || code == MILL_ETOOLARGE);
        }
    }
    unreadable_page_free(&page);
}

/* Without the CRC's help: every bit of every golden batch flipped. What is read may differ, but stays inside. */
static void flipped_bits_under_a_right_checksum_never_lead_outside(void **state)
{
    struct unreadable_page page = unreadable_page_new(512);
    for (int codec = 0; codec < COMPRESSION_COUNT; codec++) {
        model_from_hex(&batch, golden_batches[codec]);
        for (size_t bit = 0; bit < batch.len * 8; bit++) {
            batch.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            size_t count = 0;
            if (batch_reader_open(&reader, unreadable_page_put(&page, batch.data, batch.len), false) == 0)
                (void)read_all(&count);
            assert_true(count <= 4);
            batch.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    unreadable_page_free(&page);
}

/* A batch around `len` bytes that pose as one record. */
static int open_with_record(const void *bytes, size_t len)
{
    const mill_record any = { .key = mill_string("any") };
    model_batch(&batch, 0, &any, NULL, 1);
    memcpy(batch.data + BATCH_HEADER_BYTES, bytes, len);
    batch.len = BATCH_HEADER_BYTES + len;
    model_seal(&batch);
    return batch_reader_open(&reader, model_view(&batch), true);
}

struct wrong_record {
    const char *what;
    uint8_t bytes[24];
    size_t len;
};

static void malformed_records_are_refused(void **state)
{
    static const struct wrong_record wrongs[] = {
        { "negative length", { 0x01, 0, 0, 0, 1, 1, 0 }, 7 },
        { "length 0", { 0x00, 0, 0, 0, 1, 1, 0 }, 7 },
        { "length beyond the batch", { 0x0e, 0, 0, 0, 1, 1, 0 }, 7 },
        { "length that ends before the fields", { 0x0a, 0, 0, 0, 1, 1, 0 }, 7 },
        { "length behind the fields", { 0x0e, 0, 0, 0, 1, 1, 0, 0 }, 8 },
        { "length of six bytes", { 0x8c, 0x80, 0x80, 0x80, 0x80, 0x00, 0, 0, 0, 1, 1, 0 }, 12 },
        { "negative offset delta", { 0x0c, 0, 0, 1, 1, 1, 0 }, 7 },
        { "offset delta beyond the last", { 0x0c, 0, 0, 2, 1, 1, 0 }, 7 },
        { "key length -2", { 0x0c, 0, 0, 0, 3, 1, 0 }, 7 },
        { "value length -2", { 0x0c, 0, 0, 0, 1, 3, 0 }, 7 },
        { "key beyond the record", { 0x0c, 0, 0, 0, 8, 1, 0 }, 7 },
        { "value beyond the record", { 0x0c, 0, 0, 0, 1, 4, 0 }, 7 },
        { "key of 2 GiB", { 0x14, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 0 }, 11 },
        { "negative header count", { 0x0c, 0, 0, 0, 1, 1, 1 }, 7 },
        { "more headers than bytes", { 0x10, 0, 0, 0, 1, 1, 4, 0, 1 }, 9 },
        { "header with a null key", { 0x10, 0, 0, 0, 1, 1, 2, 1, 1 }, 9 },
        { "header value beyond the record", { 0x10, 0, 0, 0, 1, 1, 2, 0, 2 }, 9 },
        { "bytes behind the headers", { 0x12, 0, 0, 0, 1, 1, 2, 0, 1, 0 }, 10 },
        { "timestamp delta of eleven bytes",
          { 0x20, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 1, 0 },
          17 },
        { "bytes behind the last record", { 0x0c, 0, 0, 0, 1, 1, 0, 0 }, 8 },
    };
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        size_t count;
        print_message("%s\n", wrongs[i].what);
        assert_int_equal(open_with_record(wrongs[i].bytes, wrongs[i].len), 0);
        assert_int_equal(read_all(&count), MILL_ECORRUPT);
        assert_int_equal(read_all(&count), MILL_ECORRUPT);
        struct batch_summary summary;
        assert_int_equal(batch_check_produced(&reader, model_view(&batch), &summary), MILL_EINVALID);
    }
}

static void the_smallest_record_is_read(void **state)
{
    static const uint8_t smallest[] = { 0x0c, 0, 0, 0, 1, 1, 0 };
    size_t count;
    assert_int_equal(open_with_record(smallest, sizeof smallest), 0);
    assert_int_equal(read_all(&count), 0);
    assert_int_equal(count, 1);
}

static void a_timestamp_delta_may_span_all_64_bits(void **state)
{
    const mill_record records[] = { { .timestamp_ms = -1 }, { .timestamp_ms = INT64_MAX }, { .timestamp_ms = 0 } };
    struct batch_record read[3];
    model_batch(&batch, 0, records, NULL, 1);
    batch.len = BATCH_HEADER_BYTES;
    for (int i = 0; i < 3; i++)
        model_push_record(&batch, &records[i], (int64_t)((uint64_t)records[i].timestamp_ms + 1), i);
    model_put_u32(&batch, 23, 2);
    model_put_u32(&batch, 57, 3);
    model_seal(&batch);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_fill(&reader, read, 3), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(read[i].record.timestamp_ms, records[i].timestamp_ms);
}

static void records_before_a_wrong_one_are_delivered(void **state)
{
    const mill_record records[] = { { .key = mill_string("good") }, { .key = mill_string("bad") } };
    struct batch_record read[2];
    model_batch(&batch, 0, records, NULL, 2);
    batch.data[batch.len - 1] = 9; /* the header count of the second */
    model_seal(&batch);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(batch_reader_fill(&reader, read, 2), 1);
    assert_bytes(read[0].record.key, "good");
    assert_int_equal(batch_reader_fill(&reader, read, 2), MILL_ECORRUPT);
    assert_int_equal(batch_reader_skip_to(&reader, 5), MILL_ECORRUPT);
}

static void offsets_that_do_not_increase_are_refused(void **state)
{
    const mill_record records[] = { { .key = mill_string("a") }, { .key = mill_string("b") }, { .key = mill_string("c") } };
    const int32_t deltas[] = { 1, 1, 2 };
    size_t count;
    model_batch(&batch, 0, records, deltas, 3);
    assert_int_equal(batch_reader_open(&reader, model_view(&batch), true), 0);
    assert_int_equal(read_all(&count), MILL_ECORRUPT);
    assert_int_equal(count, 1);
}

static void a_batch_that_unpacks_beyond_the_maximum_is_too_large(void **state)
{
    for (int codec = 1; codec < COMPRESSION_COUNT; codec++) {
        struct batch_reader small;
        batch_reader_init(&small, 91);
        model_from_hex(&batch, golden_batches[codec]);
        assert_int_equal(batch_reader_open(&small, model_view(&batch), true), MILL_ETOOLARGE);
        batch_reader_release(&small);
    }
}

/* What Kafka's own producer sends, and what the broker learns from it. */
static void a_produced_batch_is_checked_and_summarized(void **state)
{
    for (int codec = 0; codec < COMPRESSION_COUNT; codec++) {
        struct batch_summary summary;
        model_from_hex(&batch, golden_batches[codec]);
        assert_int_equal(batch_check_produced(&reader, model_view(&batch), &summary), 0);
        assert_int_equal(summary.min_timestamp_ms, 1699999999000);
        assert_int_equal(summary.max_timestamp_ms, 1700000100000);
        assert_int_equal(summary.null_keys, 1);
        assert_int_equal(reader.header.record_count, 4);
    }
}

static void set_u16(size_t at, uint16_t value)
{
    batch.data[at] = (uint8_t)(value >> 8);
    batch.data[at + 1] = (uint8_t)value;
}

static void check_is_invalid_after_sealing(void)
{
    struct batch_summary summary;
    model_seal(&batch);
    assert_int_equal(batch_check_produced(&reader, model_view(&batch), &summary), MILL_EINVALID);
    model_from_hex(&batch, golden_none);
}

static void producers_may_not_send_what_only_the_broker_writes(void **state)
{
    model_from_hex(&batch, golden_none);
    set_u16(21, BATCH_TRANSACTIONAL | BATCH_CONTROL);
    check_is_invalid_after_sealing();
    set_u16(21, BATCH_TRANSACTIONAL | BATCH_LOG_APPEND_TIME);
    check_is_invalid_after_sealing();
    set_u16(21, BATCH_TRANSACTIONAL | BATCH_DELETE_HORIZON);
    check_is_invalid_after_sealing();
}

static void a_producer_needs_epoch_and_sequence_and_a_transaction_a_producer(void **state)
{
    model_from_hex(&batch, golden_none);
    set_u16(51, 0xffff);
    check_is_invalid_after_sealing();
    model_put_u32(&batch, 53, (uint32_t)-1);
    check_is_invalid_after_sealing();
    memset(batch.data + 43, 0xff, 14); /* no producer, but transactional */
    check_is_invalid_after_sealing();
}

static void produced_offsets_have_no_gaps(void **state)
{
    const mill_record records[] = { { .key = mill_string("a") }, { .key = mill_string("b") } };
    const int32_t deltas[] = { 0, 2 };
    struct batch_summary summary;
    model_batch(&batch, 0, records, deltas, 2);
    assert_int_equal(batch_check_produced(&reader, model_view(&batch), &summary), MILL_EINVALID);
}

static void a_produced_batch_has_records(void **state)
{
    model_from_hex(&batch, golden_none);
    batch.len = BATCH_HEADER_BYTES;
    model_put_u32(&batch, 57, 0);
    check_is_invalid_after_sealing();
}

/* gzip's state and the buffer come from our allocator: whichever call fails, the next attempt works. */
static void lack_of_memory_is_reported_at_every_allocation(void **state)
{
    uint64_t nth = 1;
    for (int code = MILL_ENOMEM; code != 0; nth++) {
        struct batch_reader fresh;
        batch_reader_init(&fresh, 1 << 20);
        model_from_hex(&batch, golden_gzip);
        mem_fail_at(nth, 0);
        code = batch_reader_open(&fresh, model_view(&batch), true);
        mem_fail_at(0, 0);
        assert_true(code == 0 || code == MILL_ENOMEM);
        assert_int_equal(batch_reader_open(&fresh, model_view(&batch), true), 0);
        batch_reader_release(&fresh);
    }
    assert_true(nth > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kafkas_batches_are_read_in_every_codec, set_up, tear_down),
        cmocka_unit_test_setup_teardown(headers_are_parsed_when_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_uncompressed_batch_is_read_without_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(filling_in_small_steps_gives_the_same_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(offsets_count_from_the_stamped_base, set_up, tear_down),
        cmocka_unit_test_setup_teardown(skipping_ends_at_the_end_and_never_goes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(log_append_time_is_every_records_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gaps_that_compaction_left_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_compacted_batch_without_records_is_at_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_checksum_is_refused_unless_it_is_not_to_be_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_resealed_batch_cut_at_any_length_is_refused_without_reading_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flipped_bits_under_a_right_checksum_never_lead_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(malformed_records_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_smallest_record_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timestamp_delta_may_span_all_64_bits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_before_a_wrong_one_are_delivered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(offsets_that_do_not_increase_are_refused, set_up, tear_down),
        cmocka_unit_test(a_batch_that_unpacks_beyond_the_maximum_is_too_large),
        cmocka_unit_test_setup_teardown(a_produced_batch_is_checked_and_summarized, set_up, tear_down),
        cmocka_unit_test_setup_teardown(producers_may_not_send_what_only_the_broker_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_producer_needs_epoch_and_sequence_and_a_transaction_a_producer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(produced_offsets_have_no_gaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_produced_batch_has_records, set_up, tear_down),
        cmocka_unit_test(lack_of_memory_is_reported_at_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
