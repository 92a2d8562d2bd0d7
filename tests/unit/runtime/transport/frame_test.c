#include "support/cmocka_all.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "millstream/error.h"
#include "transport/frame.h"

enum { LIMIT = 100000 };

struct fixture {
    struct frame_reader reader;
    struct shared_buffer *frame;
};

static int set_up(void **state)
{
    static struct fixture f;
    frame_reader_init(&f.reader, LIMIT);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mem_fail_at(0, 0);
    frame_reader_release(&f->reader);
    return 0;
}

/* Gives the reader as many of the bytes as it has room for; how many. */
static size_t give(struct fixture *f, const uint8_t *bytes, size_t len)
{
    size_t room;
    uint8_t *at = frame_reader_reserve(&f->reader, &room);
    assert_non_null(at);
    assert_true(room >= 1);
    size_t given = len < room ? len : room;
    memcpy(at, bytes, given);
    frame_reader_commit(&f->reader, given);
    return given;
}

/* `count` frames of `len` bytes, the ith filled with i + 1. */
static size_t make_stream(uint8_t *stream, size_t count, size_t len)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        write_u32_be(stream + at, (uint32_t)len);
        memset(stream + at + 4, (int)i + 1, len);
        at += 4 + len;
    }
    return at;
}

static void expect_frame(struct fixture *f, size_t len, uint8_t fill)
{
    assert_int_equal(f->frame->len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(f->frame->data[i], fill);
    shared_buffer_drop(f->frame);
}

static void frames_are_the_same_wherever_the_stream_is_split(void **state)
{
    struct fixture *f = *state;
    uint8_t stream[100];
    size_t len = make_stream(stream, 3, 7);
    for (size_t split = 0; split <= len; split++) {
        size_t frames = 0;
        for (size_t at = 0; at < len;) {
            at += give(f, stream + at, at < split ? split - at : len - at);
            for (int got; (got = frame_reader_next(&f->reader, &f->frame)) != 0;) {
                assert_int_equal(got, 1);
                expect_frame(f, 7, (uint8_t)++frames);
            }
        }
        assert_int_equal(frames, 3);
        assert_false(frame_reader_is_inside(&f->reader));
        assert_null(f->reader.staging);
    }
}

static void a_stream_may_come_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    uint8_t stream[100];
    size_t len = make_stream(stream, 3, 7);
    size_t frames = 0;
    for (size_t at = 0; at < len; at++) {
        give(f, stream + at, 1);
        if (frame_reader_next(&f->reader, &f->frame) == 1)
            expect_frame(f, 7, (uint8_t)++frames);
    }
    assert_int_equal(frames, 3);
}

static void a_large_frame_is_read_straight_into_its_buffer(void **state)
{
    struct fixture *f = *state;
    static uint8_t stream[4 + LIMIT];
    size_t len = make_stream(stream, 1, LIMIT);
    size_t at = give(f, stream, 4);
    assert_int_equal(frame_reader_next(&f->reader, &f->frame), 0);
    size_t room;
    assert_ptr_equal(frame_reader_reserve(&f->reader, &room), f->reader.frame->data);
    assert_int_equal(room, LIMIT);
    assert_null(f->reader.staging);
    while (at < len)
        at += give(f, stream + at, len - at < 30000 ? len - at : 30000);
    assert_int_equal(frame_reader_next(&f->reader, &f->frame), 1);
    expect_frame(f, LIMIT, 1);
}

static void an_empty_a_negative_and_a_huge_length_are_refused_before_allocating(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint8_t bytes[4];
        int code;
        const char *text;
    } cases[] = {
        { { 0, 0, 0, 0 }, MILL_EPROTOCOL, "a frame of length 0 is not Kafka's protocol" },
        { { 0xff, 0xff, 0xff, 0xff }, MILL_EPROTOCOL, "a frame of length -1 is not Kafka's protocol" },
        { { 0, 1, 0x86, 0xa1 }, MILL_ETOOLARGE, "a frame of 100001 bytes is above the limit of 100000" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame_reader_release(&f->reader);
        frame_reader_init(&f->reader, LIMIT);
        give(f, cases[i].bytes, 4);
        assert_int_equal(frame_reader_next(&f->reader, &f->frame), cases[i].code);
        assert_string_equal(f->reader.error.text, cases[i].text);
        assert_null(f->reader.frame);
        assert_int_equal(frame_reader_next(&f->reader, &f->frame), cases[i].code);
    }
}

static void the_largest_length_allowed_is_taken(void **state)
{
    struct fixture *f = *state;
    static const uint8_t bytes[] = { 0, 1, 0x86, 0xa0 };
    give(f, bytes, 4);
    assert_int_equal(frame_reader_next(&f->reader, &f->frame), 0);
    assert_true(frame_reader_is_inside(&f->reader));
}

static void http_and_tls_are_called_by_their_names(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *bytes;
        const char *name;
    } cases[] = {
        { "GET / HTTP/1.1", "HTTP" }, { "POST /topics", "HTTP" }, { "HTTP/1.1 400", "HTTP" }, { "\x16\x03\x01\x02", "TLS" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame_reader_release(&f->reader);
        frame_reader_init(&f->reader, FRAME_BYTES_MAX);
        give(f, (const uint8_t *)cases[i].bytes, strlen(cases[i].bytes));
        assert_int_equal(frame_reader_next(&f->reader, &f->frame), MILL_EPROTOCOL);
        assert_non_null(strstr(f->reader.error.text, cases[i].name));
    }
}

static void lack_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    struct fixture *f = *state;
    uint8_t stream[100];
    make_stream(stream, 1, 7);
    size_t room;
    mem_fail_at(1, 0);
    assert_null(frame_reader_reserve(&f->reader, &room));
    mem_fail_at(0, 0);
    give(f, stream, 11);
    mem_fail_at(1, 0);
    assert_int_equal(frame_reader_next(&f->reader, &f->frame), MILL_ENOMEM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(frames_are_the_same_wherever_the_stream_is_split),
        TEST(a_stream_may_come_byte_by_byte),
        TEST(a_large_frame_is_read_straight_into_its_buffer),
        TEST(an_empty_a_negative_and_a_huge_length_are_refused_before_allocating),
        TEST(the_largest_length_allowed_is_taken),
        TEST(http_and_tls_are_called_by_their_names),
        TEST(lack_of_memory_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
