#include "support/cmocka_all.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "millstream/error.h"
#include "wire/api/api_versions.h"
#include "wire/api/fetch.h"
#include "wire/api/heartbeat.h"
#include "wire/api/metadata.h"
#include "wire/message.h"

enum { ARENA_MAX = 1024 * 1024 };

static struct error_text error;

static struct request *new_request(int16_t key, int16_t version)
{
    struct request *request = request_new(api_find(key), version, ARENA_MAX);
    assert_non_null(request);
    return request;
}

/* The frame's bytes behind its length, as they would arrive. */
static struct shared_buffer *sent(const struct wire_frame *frame)
{
    struct shared_buffer *buffer = shared_buffer_new(frame->len);
    assert_non_null(buffer);
    for (int32_t i = 0; i < frame->count; i++) {
        memcpy(buffer->data + buffer->len, frame->slices[i].bytes.data, frame->slices[i].bytes.len);
        buffer->len += (uint32_t)frame->slices[i].bytes.len;
    }
    assert_int_equal(read_u32_be(buffer->data), buffer->len - FRAME_LENGTH_BYTES);
    buffer->len -= FRAME_LENGTH_BYTES;
    memmove(buffer->data, buffer->data + FRAME_LENGTH_BYTES, buffer->len);
    return buffer;
}

static struct shared_buffer *frame_of(const void *bytes, size_t len)
{
    struct shared_buffer *buffer = shared_buffer_new(len);
    assert_non_null(buffer);
    memcpy(buffer->data, bytes, len);
    buffer->len = (uint32_t)len;
    return buffer;
}

static void every_request_arrives_with_its_header_in_every_version(void **state)
{
    for (int i = 0; i < api_table_count; i++) {
        const struct api *api = &api_table[i];
        for (int16_t version = api->request->version_min; version <= api->request->version_max; version++) {
            struct request *request = new_request(api->key, version);
            request->client_id = version % 2 ? mill_string("a client") : mill_null();
            request->correlation_id = -7;
            struct wire_frame frame;
            assert_int_equal(request_encode(request, &frame, &error), 0);

            struct request *arrived;
            assert_int_equal(request_decode(sent(&frame), ARENA_MAX, &arrived, &error), 0);
            assert_ptr_equal(arrived->api, api);
            assert_int_equal(arrived->api_version, version);
            assert_int_equal(arrived->correlation_id, -7);
            assert_true(mill_bytes_equal(arrived->client_id, request->client_id));
            request_free(request);
            request_free(arrived);
        }
    }
}

static void every_answer_arrives_in_every_version(void **state)
{
    for (int i = 0; i < api_table_count; i++) {
        const struct api *api = &api_table[i];
        for (int16_t version = api->request->version_min; version <= api->request->version_max; version++) {
            struct request *request = new_request(api->key, version);
            request->correlation_id = 41;
            assert_non_null(request_new_response(request));
            struct wire_frame frame;
            assert_int_equal(response_encode(request, &frame, &error), 0);

            struct shared_buffer *buffer = sent(&frame);
            int32_t correlation_id;
            assert_int_equal(response_peek(mill_bytes_of(buffer->data, buffer->len), &correlation_id), 0);
            assert_int_equal(correlation_id, 41);
            assert_int_equal(response_decode(request, buffer, &error), 0);
            assert_ptr_equal(request->response.frame, buffer);
            request_free(request);
        }
    }
}

static void headers_turn_flexible_with_the_message_but_for_the_answer_to_api_versions(void **state)
{
    assert_int_equal(api_request_header_version(api_find(API_FETCH), 11), 1);
    assert_int_equal(api_request_header_version(api_find(API_FETCH), 12), 2);
    assert_int_equal(api_response_header_version(api_find(API_FETCH), 11), 0);
    assert_int_equal(api_response_header_version(api_find(API_FETCH), 12), 1);
    assert_int_equal(api_request_header_version(api_find(API_API_VERSIONS), 3), 2);
    assert_int_equal(api_response_header_version(api_find(API_API_VERSIONS), 4), 0);
    assert_int_equal(api_request_header_version(api_find(API_SASL_HANDSHAKE), 1), 1);
}

static void a_real_client_s_first_request_is_read(void **state)
{
    /* ApiVersions 3 as librdkafka sends it: header 2 with a client id, then name and version in compact strings. */
    static const uint8_t bytes[] = { 0,  18,  0,   3,   0,   0,   0,   1,   0,   7,   'r', 'd', 'k', 'a', 'f', 'k', 'a', 0,
                                     11, 'l', 'i', 'b', 'r', 'd', 'k', 'a', 'f', 'k', 'a', 6,   '2', '.', '0', '.', '2', 0 };
    struct request *request;
    assert_int_equal(request_decode(frame_of(bytes, sizeof bytes), ARENA_MAX, &request, &error), 0);
    const struct api_versions_request *body = request->body;
    assert_true(mill_bytes_equal(request->client_id, mill_string("rdkafka")));
    assert_true(mill_bytes_equal(body->client_software_name, mill_string("librdkafka")));
    assert_true(mill_bytes_equal(body->client_software_version, mill_string("2.0.2")));
    request_free(request);
}

static void an_unknown_version_of_api_versions_becomes_one_of_version_0_that_says_so(void **state)
{
    static const uint8_t bytes[] = { 0, 18, 0, 99, 0, 0, 0, 5, 'w', 'h', 'a', 't' };
    struct request *request;
    assert_int_equal(request_decode(frame_of(bytes, sizeof bytes), ARENA_MAX, &request, &error), 0);
    assert_true(request->version_unknown);
    assert_int_equal(request->api_version, 0);
    assert_int_equal(request->correlation_id, 5);
    request_free(request);
}

static void unknown_apis_and_versions_are_refused_by_name_and_the_frame_stays_the_callers(void **state)
{
    struct request *request;
    struct shared_buffer *frame = frame_of("\x03\xe7\0\0\0\0\0\1\xff\xff", 10);
    assert_int_equal(request_decode(frame, ARENA_MAX, &request, &error), MILL_EUNSUPPORTED);
    assert_string_equal(error.text, "request with unknown API key 999");
    assert_int_equal(frame->holders, 1);
    shared_buffer_drop(frame);

    frame = frame_of("\0\0\0\2\0\0\0\1\xff\xff", 10);
    assert_int_equal(request_decode(frame, ARENA_MAX, &request, &error), MILL_EUNSUPPORTED);
    assert_string_equal(error.text, "request Produce version 2: not supported");
    shared_buffer_drop(frame);
}

static void headers_cut_anywhere_are_refused(void **state)
{
    struct request *request = new_request(API_HEARTBEAT, 4);
    request->client_id = mill_string("c");
    struct wire_frame encoded;
    assert_int_equal(request_encode(request, &encoded, &error), 0);
    struct shared_buffer *whole = sent(&encoded);
    for (uint32_t len = 0; len < whole->len; len++) {
        struct shared_buffer *cut = frame_of(whole->data, len);
        struct request *arrived;
        assert_int_equal(request_decode(cut, ARENA_MAX, &arrived, &error), MILL_ETRUNCATED);
        shared_buffer_drop(cut);
    }
    shared_buffer_drop(whole);
    request_free(request);
}

static void a_request_holds_what_it_was_given_until_it_is_freed(void **state)
{
    struct request *request = new_request(API_FETCH, 12);
    struct shared_buffer *batches = frame_of("batches", 7);
    assert_int_equal(request_keep(request, batches), 0);
    assert_int_equal(batches->holders, 2);
    request_free(request);
    assert_int_equal(batches->holders, 1);
    shared_buffer_drop(batches);
}

static void failed_allocations_leave_frame_and_request_with_the_caller(void **state)
{
    struct request *request = new_request(API_METADATA, 9);
    struct metadata_request *body = request->body;
    body->topics.items = metadata_request_topic_array(&request->arena, 3);
    body->topics.count = 3;
    struct wire_frame encoded;
    assert_int_equal(request_encode(request, &encoded, &error), 0);
    struct shared_buffer *frame = sent(&encoded);
    struct request *arrived;
    int code = MILL_ENOMEM;
    for (uint64_t nth = 1; code; nth++) {
        mem_fail_at(nth, 0);
        code = request_decode(frame, ARENA_MAX, &arrived, &error);
        mem_fail_at(0, 0);
        assert_true(code == 0 || code == MILL_ENOMEM);
        assert_int_equal(frame->holders, 1);
    }
    request_free(arrived);
    request_free(request);
}

static void text_names_request_version_and_correlation(void **state)
{
    struct request *request = new_request(API_HEARTBEAT, 0);
    struct heartbeat_request *body = request->body;
    body->group_id = mill_string("g");
    request->correlation_id = 12;
    struct buffer out;
    buffer_init(&out, 4096);
    request_print(request, &out);
    buffer_append(&out, " -> ", 4);
    response_print(request, &out);
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data,
                        "Heartbeat v0 #12 {group_id=\"g\", generation_id=0, member_id=\"\"} -> Heartbeat v0 #12 nothing");
    buffer_release(&out);
    request_free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_arrives_with_its_header_in_every_version),
        cmocka_unit_test(every_answer_arrives_in_every_version),
        cmocka_unit_test(headers_turn_flexible_with_the_message_but_for_the_answer_to_api_versions),
        cmocka_unit_test(a_real_client_s_first_request_is_read),
        cmocka_unit_test(an_unknown_version_of_api_versions_becomes_one_of_version_0_that_says_so),
        cmocka_unit_test(unknown_apis_and_versions_are_refused_by_name_and_the_frame_stays_the_callers),
        cmocka_unit_test(headers_cut_anywhere_are_refused),
        cmocka_unit_test(a_request_holds_what_it_was_given_until_it_is_freed),
        cmocka_unit_test(failed_allocations_leave_frame_and_request_with_the_caller),
        cmocka_unit_test(text_names_request_version_and_correlation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
