/* Writing batches: Kafka's bytes, sizes known beforehand, limits, handing over, and random batches against the naive writer. */
#include "base/alloc.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"
#include "support/cmocka_all.h"
#include "support/rounds.h"
#include "unit/runtime/record/batch_model.h"

static struct batch_writer writer;
static struct model_bytes expected;

static int set_up(void **state)
{
    batch_writer_init(&writer, 1 << 19, 1 << 19);
    return 0;
}

static int tear_down(void **state)
{
    batch_writer_release(&writer);
    return 0;
}

static struct batch_options golden_options(enum compression compression)
{
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.compression = compression;
    options.leader_epoch = 5;
    options.producer_id = 4242;
    options.producer_epoch = 7;
    options.base_sequence = 77;
    options.transactional = true;
    return options;
}

static void append_golden_records(void)
{
    const mill_header headers[] = { { mill_string("trace"), mill_string("abc") }, { mill_string("none"), mill_null() } };
    const mill_record records[] = {
        { mill_string("k0"), mill_string("value zero value zero value zero value zero"), 1700000000000 },
        { mill_null(), mill_string("no key"), 1700000000123 },
        { mill_string("gone"), mill_null(), 1699999999000 },
        { mill_string(""), mill_string(""), 1700000100000, headers, 2 },
    };
    for (int i = 0; i < 4; i++)
        assert_int_equal(batch_writer_append(&writer, &records[i]), 0);
}

static void assert_same_bytes(mill_bytes bytes)
{
    assert_int_equal(bytes.len, expected.len);
    assert_memory_equal(bytes.data, expected.data, expected.len);
}

static void an_uncompressed_batch_is_kafkas_bytes(void **state)
{
    mill_bytes batch;
    struct batch_options options = golden_options(COMPRESSION_NONE);
    append_golden_records();
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    model_from_hex(&expected, golden_none);
    assert_same_bytes(batch);
}

/* Snappy and LZ4 have one obvious encoding of so short a text, in frames that must be Java's. */
static void snappy_and_lz4_batches_are_kafkas_bytes(void **state)
{
    append_golden_records();
    for (enum compression codec = COMPRESSION_SNAPPY; codec <= COMPRESSION_LZ4; codec++) {
        mill_bytes batch;
        struct batch_options options = golden_options(codec);
        assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
        model_from_hex(&expected, golden_batches[codec]);
        assert_same_bytes(batch);
    }
}

static void a_finished_batch_can_be_finished_again_with_another_sequence(void **state)
{
    mill_bytes batch;
    struct batch_header header;
    struct batch_options options = golden_options(COMPRESSION_NONE);
    append_golden_records();
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    options.base_sequence = 0;
    options.producer_epoch = 8;
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    assert_int_equal(batch_check(batch, &header), 0);
    assert_int_equal(header.base_sequence, 0);
    assert_int_equal(header.producer_epoch, 8);
}

static void log_append_time_is_the_batchs_time(void **state)
{
    mill_bytes batch;
    struct batch_header header;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.log_append_time_ms = 1800000000000;
    append_golden_records();
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    assert_int_equal(batch_check(batch, &header), 0);
    assert_true(batch_has_log_append_time(&header));
    assert_int_equal(header.max_timestamp_ms, 1800000000000);
}

static void offsets_may_leave_gaps(void **state)
{
    const mill_record records[] = { { .key = mill_string("a") }, { .key = mill_string("b"), .timestamp_ms = 9 } };
    const int32_t deltas[] = { 3, 70000 };
    mill_bytes batch;
    for (int i = 0; i < 2; i++)
        assert_int_equal(batch_writer_append_at(&writer, &records[i], deltas[i]), 0);
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.base_offset = 500;
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    model_batch(&expected, 500, records, deltas, 2);
    assert_same_bytes(batch);
}

static void the_size_is_known_before_a_record_is_appended(void **state)
{
    struct prng prng;
    prng_init(&prng, 5);
    static struct model_records some;
    assert_int_equal(batch_writer_size(&writer), BATCH_HEADER_BYTES);
    model_random_records(&some, &prng);
    for (size_t i = 0; i < some.count; i++) {
        size_t size = batch_writer_size_with(&writer, &some.records[i]);
        assert_int_equal(batch_writer_append(&writer, &some.records[i]), 0);
        assert_int_equal(batch_writer_size(&writer), size);
    }
}

/* Random batches in every codec: the plain bytes are the naive writer's, and the reader gives the records back. */
static void random_batches_survive_a_round_trip(void **state)
{
    const uint64_t seed = test_seed(7);
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    struct batch_reader reader;
    batch_reader_init(&reader, MODEL_BYTES_MAX);
    static struct model_records want;
    for (int round = 0; round < test_rounds(500); round++) {
        model_random_records(&want, &prng);
        mill_bytes batch;
        struct batch_options options = BATCH_OPTIONS_PLAIN;
        options.compression = (enum compression)(round % COMPRESSION_COUNT);
        options.base_offset = (int64_t)prng_below(&prng, 1000000);
        batch_writer_clear(&writer);
        for (size_t i = 0; i < want.count; i++)
            assert_int_equal(batch_writer_append(&writer, &want.records[i]), 0);
        assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
        if (options.compression == COMPRESSION_NONE) {
            model_batch(&expected, options.base_offset, want.records, NULL, want.count);
            assert_same_bytes(batch);
        }

        struct batch_record got[MODEL_RECORDS_MAX];
        mill_header headers[MODEL_HEADERS_MAX];
        assert_int_equal(batch_reader_open(&reader, batch, true), 0);
        assert_int_equal(batch_reader_fill(&reader, got, MODEL_RECORDS_MAX), want.count);
        for (size_t i = 0; i < want.count; i++) {
            const mill_record *record = &want.records[i];
            assert_true(mill_bytes_equal(got[i].record.key, record->key));
            assert_true(mill_bytes_equal(got[i].record.value, record->value));
            assert_int_equal(got[i].record.timestamp_ms, record->timestamp_ms);
            assert_int_equal(got[i].offset, options.base_offset + (int64_t)i);
            assert_int_equal(got[i].record.header_count, record->header_count);
            batch_record_parse_headers(&got[i], headers);
            for (size_t h = 0; h < record->header_count; h++) {
                assert_true(mill_bytes_equal(headers[h].key, record->headers[h].key));
                assert_true(mill_bytes_equal(headers[h].value, record->headers[h].value));
            }
        }
    }
    batch_reader_release(&reader);
}

/* Batches of at most 200 bytes, a single record of at most 1000. A record takes 7 bytes beside its value while that is short. */
static int set_up_small(void **state)
{
    batch_writer_init(&writer, 200, 1000);
    return 0;
}

static int append_value_of(size_t len)
{
    static const char text[2000];
    const mill_record record = { .key = mill_string(""), .value = mill_bytes_of(text, len) };
    return batch_writer_append(&writer, &record);
}

static void a_batch_is_full_when_the_next_record_would_exceed_the_target(void **state)
{
    assert_int_equal(append_value_of(50), 0);
    assert_int_equal(append_value_of(50), 0);
    size_t size = batch_writer_size(&writer);
    assert_int_equal(append_value_of(200 - size - 7 + 1), MILL_EAGAIN);
    assert_int_equal(batch_writer_size(&writer), size);
    assert_int_equal(append_value_of(200 - size - 7), 0);
    assert_int_equal(batch_writer_size(&writer), 200);
    assert_int_equal(append_value_of(0), MILL_EAGAIN);
}

static void a_record_beyond_the_target_gets_a_batch_of_its_own(void **state)
{
    mill_bytes batch;
    struct batch_header header;
    const struct batch_options options = BATCH_OPTIONS_PLAIN;
    assert_int_equal(append_value_of(1), 0);
    assert_int_equal(append_value_of(500), MILL_EAGAIN);
    batch_writer_clear(&writer);
    assert_int_equal(append_value_of(500), 0);
    assert_int_equal(append_value_of(0), MILL_EAGAIN);
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    assert_int_equal(batch_check(batch, &header), 0);
}

static void a_record_beyond_the_maximum_is_too_large_whether_the_batch_is_empty_or_not(void **state)
{
    assert_int_equal(append_value_of(931), MILL_ETOOLARGE);
    assert_int_equal(append_value_of(930), 0);
    assert_int_equal(batch_writer_size(&writer), 1000);
    assert_int_equal(append_value_of(931), MILL_ETOOLARGE);
}

static void an_uncompressed_batch_is_handed_over_without_a_copy(void **state)
{
    mill_bytes batch;
    struct shared_buffer *taken;
    const struct batch_options options = BATCH_OPTIONS_PLAIN;
    append_golden_records();
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    assert_int_equal(batch_writer_take(&writer, &taken), 0);
    assert_ptr_equal(taken->data, batch.data);
    assert_int_equal(taken->len, batch.len);
    assert_int_equal(batch_writer_size(&writer), BATCH_HEADER_BYTES);

    append_golden_records();
    assert_ptr_not_equal(writer.area, taken);
    struct batch_header header;
    assert_int_equal(batch_check(mill_bytes_of(taken->data, taken->len), &header), 0);
    shared_buffer_drop(taken);
}

static void a_compressed_batch_is_handed_over_in_just_its_size(void **state)
{
    mill_bytes batch;
    struct shared_buffer *taken;
    struct batch_options options = golden_options(COMPRESSION_LZ4);
    append_golden_records();
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    assert_int_equal(batch_writer_take(&writer, &taken), 0);
    model_from_hex(&expected, golden_lz4);
    assert_same_bytes(mill_bytes_of(taken->data, taken->len));
    assert_int_equal(taken->capacity, expected.len);
    shared_buffer_drop(taken);
}

static void batches_of_a_size_need_one_allocation_each_at_most(void **state)
{
    const struct batch_options options = BATCH_OPTIONS_PLAIN;
    static const char value[100];
    const mill_record record = { .value = mill_bytes_of(value, sizeof value) };
    for (int round = 0; round < 3; round++) {
        mill_bytes batch;
        struct shared_buffer *taken;
        mem_fail_at(UINT64_MAX, 0);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(batch_writer_append(&writer, &record), 0);
        uint64_t allocations = mem_fail_at(0, 0);
        if (round > 0)
            assert_in_range(allocations, 0, 1); /* the block of the batch before may come back */
        assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
        assert_int_equal(batch_writer_take(&writer, &taken), 0);
        shared_buffer_drop(taken);
    }
}

/* Fills a small batch of several growths in `codec` and takes it; the first error ends it. */
static int write_one(struct batch_writer *to, enum compression codec)
{
    static const char value[700];
    const mill_record record = { .value = mill_bytes_of(value, sizeof value) };
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.compression = codec;
    for (int i = 0; i < 4; i++) {
        int code = batch_writer_append(to, &record);
        if (code < 0)
            return code;
    }
    mill_bytes batch;
    struct shared_buffer *taken;
    int code = batch_writer_finish(to, &options, &batch);
    if (code == 0)
        code = batch_writer_take(to, &taken);
    if (code == 0)
        shared_buffer_drop(taken);
    return code;
}

static void lack_of_memory_is_reported_at_every_allocation_and_harms_nothing(void **state)
{
    for (enum compression codec = COMPRESSION_NONE; codec < COMPRESSION_COUNT; codec++) {
        uint64_t nth = 1;
        for (int code = MILL_ENOMEM; code != 0; nth++) {
            struct batch_writer fresh;
            batch_writer_init(&fresh, 1 << 16, 1 << 16);
            mem_fail_at(nth, 0);
            code = write_one(&fresh, codec);
            mem_fail_at(0, 0);
            assert_true(code == 0 || code == MILL_ENOMEM);
            batch_writer_clear(&fresh);
            assert_int_equal(write_one(&fresh, codec), 0);
            batch_writer_release(&fresh);
        }
        assert_true(nth > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_uncompressed_batch_is_kafkas_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(snappy_and_lz4_batches_are_kafkas_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_finished_batch_can_be_finished_again_with_another_sequence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(log_append_time_is_the_batchs_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(offsets_may_leave_gaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_size_is_known_before_a_record_is_appended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_batches_survive_a_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_is_full_when_the_next_record_would_exceed_the_target, set_up_small, tear_down),
        cmocka_unit_test_setup_teardown(a_record_beyond_the_target_gets_a_batch_of_its_own, set_up_small, tear_down),
        cmocka_unit_test_setup_teardown(a_record_beyond_the_maximum_is_too_large_whether_the_batch_is_empty_or_not, set_up_small,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_uncompressed_batch_is_handed_over_without_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_compressed_batch_is_handed_over_in_just_its_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(batches_of_a_size_need_one_allocation_each_at_most, set_up, tear_down),
        cmocka_unit_test(lack_of_memory_is_reported_at_every_allocation_and_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
