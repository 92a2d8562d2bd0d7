/* Every codec: round trips, limits met exactly, bombs, torn and flipped bytes, and the framings that other clients write. */
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/prng.h"
#include "record/compression.h"
#include "support/cmocka_all.h"
#include "support/unreadable_page.h"

enum { TEXT_BYTES_MAX = 300 * 1000 };

static struct packer packer;
static struct unpacker unpacker;
static struct buffer packed;
static struct buffer plain;
static uint8_t text[TEXT_BYTES_MAX];

static int set_up(void **state)
{
    packer_init(&packer);
    unpacker_init(&unpacker);
    buffer_init(&packed, 4 << 20);
    buffer_init(&plain, 1 << 20);
    /* Words of a small vocabulary: compressible, but not to nothing. */
    struct prng prng;
    prng_init(&prng, 3);
    for (size_t i = 0; i < sizeof text; i += 4) {
        uint32_t word = 0x61626364u + (uint32_t)prng_below(&prng, 500);
        memcpy(text + i, &word, sizeof word);
    }
    return 0;
}

static int tear_down(void **state)
{
    packer_release(&packer);
    unpacker_release(&unpacker);
    buffer_release(&packed);
    buffer_release(&plain);
    return 0;
}

static void pack_text(enum compression codec, size_t len)
{
    buffer_clear(&packed);
    assert_int_equal(packer_pack(&packer, codec, COMPRESSION_LEVEL_DEFAULT, mill_bytes_of(text, len), &packed), 0);
}

static int unpack(enum compression codec, mill_bytes bytes)
{
    buffer_clear(&plain);
    return unpacker_unpack(&unpacker, codec, bytes, &plain);
}

static void assert_plain_is_text(size_t len)
{
    assert_int_equal(plain.len, len);
    assert_memory_equal(plain.data, text, len);
}

static void names_are_kafkas(void **state)
{
    static const char *const names[] = { "none", "gzip", "snappy", "lz4", "zstd" };
    for (int codec = 0; codec < COMPRESSION_COUNT; codec++) {
        enum compression parsed;
        assert_string_equal(compression_name((enum compression)codec), names[codec]);
        assert_true(compression_parse(names[codec], &parsed));
        assert_int_equal(parsed, codec);
    }
    enum compression parsed;
    assert_null(compression_name((enum compression)5));
    assert_false(compression_parse("brotli", &parsed));
}

static void texts_of_many_sizes_survive_a_round_trip(void **state)
{
    static const size_t sizes[] = { 0, 1, 7, 100, 32767, 32768, 32769, 65536, 65537, 131072, TEXT_BYTES_MAX };
    for (enum compression codec = COMPRESSION_NONE; codec < COMPRESSION_COUNT; codec++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            pack_text(codec, sizes[i]);
            assert_int_equal(unpack(codec, buffer_bytes(&packed)), 0);
            assert_plain_is_text(sizes[i]);
        }
}

static void levels_outside_a_codecs_range_are_clamped(void **state)
{
    static const int levels[] = { INT_MIN + 1, -5, 0, 1, 9, 12, 22, INT_MAX };
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++)
        for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
            buffer_clear(&packed);
            assert_int_equal(packer_pack(&packer, codec, levels[i], mill_bytes_of(text, 5000), &packed), 0);
            assert_int_equal(unpack(codec, buffer_bytes(&packed)), 0);
            assert_plain_is_text(5000);
        }
}

static void both_directions_append(void **state)
{
    for (enum compression codec = COMPRESSION_NONE; codec < COMPRESSION_COUNT; codec++) {
        buffer_clear(&packed);
        buffer_append(&packed, "head", 4);
        assert_int_equal(packer_pack(&packer, codec, COMPRESSION_LEVEL_DEFAULT, mill_bytes_of(text, 1000), &packed), 0);
        buffer_clear(&plain);
        buffer_append(&plain, "tail", 4);
        mill_bytes bytes = mill_bytes_of(packed.data + 4, packed.len - 4);
        assert_int_equal(unpacker_unpack(&unpacker, codec, bytes, &plain), 0);
        assert_int_equal(plain.len, 1004);
        assert_memory_equal(plain.data, "tail", 4);
        assert_memory_equal(plain.data + 4, text, 1000);
    }
}

static void an_output_may_be_met_exactly_but_not_exceeded_by_one(void **state)
{
    static const size_t sizes[] = { 1, 1000, 65536, 200000 };
    for (enum compression codec = COMPRESSION_NONE; codec < COMPRESSION_COUNT; codec++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct buffer exact, less;
            buffer_init(&exact, sizes[i]);
            buffer_init(&less, sizes[i] - 1);
            pack_text(codec, sizes[i]);
            assert_int_equal(unpacker_unpack(&unpacker, codec, buffer_bytes(&packed), &exact), 0);
            assert_int_equal(exact.len, sizes[i]);
            assert_int_equal(unpacker_unpack(&unpacker, codec, buffer_bytes(&packed), &less), MILL_ETOOLARGE);
            assert_int_equal(less.len, 0);
            buffer_release(&exact);
            buffer_release(&less);
        }
}

static void packing_into_too_small_a_buffer_is_refused(void **state)
{
    for (enum compression codec = COMPRESSION_NONE; codec < COMPRESSION_COUNT; codec++) {
        struct buffer small;
        buffer_init(&small, 10);
        int code = packer_pack(&packer, codec, COMPRESSION_LEVEL_DEFAULT, mill_bytes_of(text, 1000), &small);
        assert_int_equal(code, MILL_ETOOLARGE);
        assert_int_equal(small.len, 0);
        buffer_release(&small);
    }
}

static void nothing_is_no_text_of_any_codec(void **state)
{
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++)
        assert_int_equal(unpack(codec, mill_null()), MILL_ECORRUPT);
    assert_int_equal(unpack((enum compression)5, mill_string("x")), MILL_EUNSUPPORTED);
    assert_int_equal(unpack((enum compression) - 1, mill_string("x")), MILL_EUNSUPPORTED);
}

/* Framed snappy has no end mark: cut between blocks it is a shorter text, which the batch's record count then gives away. */
static void packed_bytes_cut_at_any_length_are_refused_or_a_shorter_text(void **state)
{
    struct unreadable_page page = unreadable_page_new(1 << 16);
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        pack_text(codec, 3000);
        for (size_t len = 1; len < packed.len; len++) {
            int code = unpack(codec, unreadable_page_put(&page, packed.data, len));
            if (codec == COMPRESSION_SNAPPY && code == 0)
                assert_memory_equal(plain.data, text, plain.len);
            else
                assert_int_equal(code, MILL_ECORRUPT);
        }
    }
    unreadable_page_free(&page);
}

static void flipped_bits_never_lead_outside(void **state)
{
    struct unreadable_page page = unreadable_page_new(1 << 16);
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        pack_text(codec, 400);
        for (size_t bit = 0; bit < packed.len * 8; bit++) {
            packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            int code = unpack(codec, unreadable_page_put(&page, packed.data, packed.len));
            assert_true(code == 0 || code == MILL_ECORRUPT || code == MILL_ETOOLARGE);
            packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    unreadable_page_free(&page);
}

static void bytes_behind_the_end_are_corrupt(void **state)
{
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        pack_text(codec, 1000);
        buffer_append(&packed, "junk!", 5);
        assert_int_equal(unpack(codec, buffer_bytes(&packed)), MILL_ECORRUPT);
    }
}

static void frames_in_a_row_are_one_text(void **state)
{
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        buffer_clear(&packed);
        for (size_t at = 0; at < 90000; at += 30000) {
            mill_bytes part = mill_bytes_of(text + at, 30000);
            assert_int_equal(packer_pack(&packer, codec, COMPRESSION_LEVEL_DEFAULT, part, &packed), 0);
        }
        assert_int_equal(unpack(codec, buffer_bytes(&packed)), 0);
        assert_plain_is_text(90000);
    }
}

static void raw_snappy_is_read(void **state)
{
    size_t len = snappy_max_compressed_length(TEXT_BYTES_MAX);
    assert_non_null(buffer_reserve(&packed, len));
    assert_int_equal(snappy_compress((const char *)text, TEXT_BYTES_MAX, (char *)packed.data, &len), SNAPPY_OK);
    assert_int_equal(unpack(COMPRESSION_SNAPPY, mill_bytes_of(packed.data, len)), 0);
    assert_plain_is_text(TEXT_BYTES_MAX);
}

static void lz4_frames_with_linked_blocks_and_checksums_are_read(void **state)
{
    static const LZ4F_blockSizeID_t block_sizes[] = { LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB, LZ4F_max4MB };
    for (size_t i = 0; i < 4; i++) {
        LZ4F_preferences_t preferences = { .frameInfo = { .blockSizeID = block_sizes[i],
                                                          .blockMode = LZ4F_blockLinked,
                                                          .contentChecksumFlag = LZ4F_contentChecksumEnabled,
                                                          .blockChecksumFlag = LZ4F_blockChecksumEnabled,
                                                          .contentSize = TEXT_BYTES_MAX } };
        size_t bound = LZ4F_compressFrameBound(TEXT_BYTES_MAX, &preferences);
        assert_non_null(buffer_reserve(&packed, bound));
        size_t len = LZ4F_compressFrame(packed.data, bound, text, TEXT_BYTES_MAX, &preferences);
        assert_false(LZ4F_isError(len));
        assert_int_equal(unpack(COMPRESSION_LZ4, mill_bytes_of(packed.data, len)), 0);
        assert_plain_is_text(TEXT_BYTES_MAX);
        packed.data[len - 1] ^= 1;
        assert_int_equal(unpack(COMPRESSION_LZ4, mill_bytes_of(packed.data, len)), MILL_ECORRUPT);
    }
}

/* A zstd frame of `blocks` runs of 128 KiB each, four bytes a run, without its size. */
static void zstd_bomb(size_t blocks, uint8_t window_descriptor)
{
    const uint8_t head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, window_descriptor };
    buffer_clear(&packed);
    buffer_append(&packed, head, sizeof head);
    for (size_t i = 0; i < blocks; i++) {
        uint32_t block = (128 * 1024) << 3 | 1 << 1 | (i == blocks - 1);
        const uint8_t run[] = { (uint8_t)block, (uint8_t)(block >> 8), (uint8_t)(block >> 16), 'z' };
        buffer_append(&packed, run, sizeof run);
    }
}

static void a_zstd_frame_without_its_size_grows_the_output_as_needed(void **state)
{
    zstd_bomb(5, 0x58);
    assert_int_equal(unpack(COMPRESSION_ZSTD, buffer_bytes(&packed)), 0);
    assert_int_equal(plain.len, 5 * 128 * 1024);
}

static void a_zstd_window_of_2_gib_costs_no_memory(void **state)
{
    zstd_bomb(1, 0xa8);
    assert_int_equal(unpack(COMPRESSION_ZSTD, buffer_bytes(&packed)), 0);
    assert_int_equal(plain.len, 128 * 1024);
    assert_true(plain.capacity <= 1 << 20);
}

static void bombs_stop_at_the_maximum(void **state)
{
    static uint8_t zeros[2 << 20];
    zstd_bomb(20000, 0x58); /* 2.5 GiB in 80 KB */
    assert_int_equal(unpack(COMPRESSION_ZSTD, buffer_bytes(&packed)), MILL_ETOOLARGE);
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        buffer_clear(&packed);
        mill_bytes bytes = mill_bytes_of(zeros, sizeof zeros);
        assert_int_equal(packer_pack(&packer, codec, COMPRESSION_LEVEL_DEFAULT, bytes, &packed), 0);
        assert_int_equal(unpack(codec, buffer_bytes(&packed)), MILL_ETOOLARGE);
        assert_int_equal(plain.len, 0);
        assert_true(plain.capacity <= 1 << 20);
    }
}

static void a_claimed_size_that_the_input_cannot_hold_reserves_nothing(void **state)
{
    /* Snappy: a length of 1 MiB before four bytes, raw and framed. */
    static const uint8_t raw[] = { 0x80, 0x80, 0x40, 0x0c, 'a', 'b', 'c', 'd' };
    static const uint8_t framed[] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y',  0,    0,    0,    0,   1,   0,  0,
                                      0,    1,   0,   0,   0,   7,   0x80, 0x80, 0x40, 0x0c, 'a', 'b', 'c' };
    /* zstd: a single segment that claims 1 MiB, with an empty raw block. */
    static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x10, 0, 1, 0, 0 };
    assert_int_equal(unpack(COMPRESSION_SNAPPY, mill_bytes_of(raw, sizeof raw)), MILL_ECORRUPT);
    assert_int_equal(unpack(COMPRESSION_SNAPPY, mill_bytes_of(framed, sizeof framed)), MILL_ECORRUPT);
    assert_int_equal(plain.capacity, 0);
    assert_int_equal(unpack(COMPRESSION_ZSTD, mill_bytes_of(zstd, sizeof zstd)), MILL_ECORRUPT);
    assert_true(plain.capacity < 512 * 1024);
}

static void a_snappy_block_length_beyond_the_input_is_corrupt(void **state)
{
    static const uint8_t framed[] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1 };
    assert_int_equal(unpack(COMPRESSION_SNAPPY, mill_bytes_of(framed, sizeof framed)), MILL_ECORRUPT);
    assert_int_equal(unpack(COMPRESSION_SNAPPY, mill_bytes_of(framed, 16)), 0);
    assert_int_equal(plain.len, 0);
}

static void an_unpacker_works_on_after_refusing(void **state)
{
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        pack_text(codec, 100000);
        assert_int_equal(unpack(codec, mill_bytes_of(packed.data, packed.len / 2)), MILL_ECORRUPT);
        assert_int_equal(unpack(codec, buffer_bytes(&packed)), 0);
        assert_plain_is_text(100000);
    }
}

/* Ours and zlib's allocations; the other libraries take theirs from malloc. */
static void lack_of_memory_is_reported_at_every_allocation(void **state)
{
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        uint64_t nth = 1;
        for (int code = MILL_ENOMEM; code != 0; nth++) {
            tear_down(state);
            set_up(state);
            mem_fail_at(nth, 0);
            code = packer_pack(&packer, codec, COMPRESSION_LEVEL_DEFAULT, mill_bytes_of(text, TEXT_BYTES_MAX), &packed);
            if (code == 0)
                code = unpack(codec, buffer_bytes(&packed));
            mem_fail_at(0, 0);
            assert_true(code == 0 || code == MILL_ENOMEM);
        }
        assert_true(nth > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_kafkas),
        cmocka_unit_test_setup_teardown(texts_of_many_sizes_survive_a_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(levels_outside_a_codecs_range_are_clamped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_directions_append, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_output_may_be_met_exactly_but_not_exceeded_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packing_into_too_small_a_buffer_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_no_text_of_any_codec, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packed_bytes_cut_at_any_length_are_refused_or_a_shorter_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flipped_bits_never_lead_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_behind_the_end_are_corrupt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_in_a_row_are_one_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(raw_snappy_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lz4_frames_with_linked_blocks_and_checksums_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zstd_frame_without_its_size_grows_the_output_as_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zstd_window_of_2_gib_costs_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bombs_stop_at_the_maximum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claimed_size_that_the_input_cannot_hold_reserves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snappy_block_length_beyond_the_input_is_corrupt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unpacker_works_on_after_refusing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lack_of_memory_is_reported_at_every_allocation, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
