#include "support/cmocka_all.h"

#include <string.h>

#include "base/alloc.h"
#include "millstream/error.h"
#include "transport/server_connection.h"
#include "unit/runtime/transport/rig.h"
#include "wire/api/fetch.h"
#include "wire/api/heartbeat.h"
#include "wire/api/produce.h"

enum { HELD_MAX = 64 };

/* The server: keeps requests until the test answers them, or answers at once. */
static struct {
    struct server_connection_limits limits;
    struct server_connection *connection;
    struct request *held[HELD_MAX];
    int held_count;
    bool answers_at_once;
    bool overlapping;
    int requests;
    bool closed;
    int code;
    char why[ERROR_TEXT_BYTES];
} server;

static struct raw_peer peer;

static void answer(struct request *request)
{
    assert_non_null(request_new_response(request));
    server_connection_answer(request, loop_now(the_rig.loop));
}

static void on_request(void *ctx, struct server_connection *connection, struct request *request, struct io_time now)
{
    server.requests++;
    if (server.answers_at_once)
        answer(request);
    else
        server.held[server.held_count++] = request;
}

static bool may_overlap(void *ctx, const struct request *running, const struct request *next)
{
    return server.overlapping;
}

static void on_closed(void *ctx, struct server_connection *connection, int code, const char *why)
{
    server.closed = true;
    server.code = code;
    strcpy(server.why, why);
}

static const struct server_connection_events EVENTS = { on_request, may_overlap, on_closed };

static void accept_connection(struct rig *rig, struct net_stream *stream)
{
    assert_int_equal(server_connection_open(rig->loop, stream, &server.limits, &EVENTS, NULL, &server.connection), 0);
}

static int set_up(void **state)
{
    memset(&server, 0, sizeof server);
    server.limits = server_connection_default_limits();
    rig_open(accept_connection);
    raw_connect(&peer);
    RUN_UNTIL(server.connection);
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < server.held_count; i++)
        if (server.held[i])
            answer(server.held[i]);
    raw_close(&peer);
    RUN_UNTIL(server.closed);
    rig_close();
    return 0;
}

static void send_heartbeat(int32_t correlation_id)
{
    raw_send_request(&peer, new_request(API_HEARTBEAT, 4, correlation_id));
}

static void answer_held(int i)
{
    answer(server.held[i]);
    server.held[i] = NULL;
}

static void a_request_is_answered_under_its_correlation_id(void **state)
{
    server.answers_at_once = true;
    send_heartbeat(77);
    RUN_UNTIL(raw_frames(&peer) == 1);
    assert_int_equal(raw_correlation_id(&peer, 0), 77);
}

static void a_request_that_comes_byte_by_byte_is_one_request(void **state)
{
    server.answers_at_once = true;
    struct request *request = new_request(API_HEARTBEAT, 4, 5);
    struct wire_frame frame;
    assert_int_equal(request_encode(request, &frame, NULL), 0);
    uint8_t *bytes = bytes_of_frame(&frame);
    for (size_t i = 0; i < frame.len; i++) {
        raw_send(&peer, bytes + i, 1);
        RUN_UNTIL(peer.unwritten == 0);
    }
    RUN_UNTIL(raw_frames(&peer) == 1);
    assert_int_equal(server.requests, 1);
    free(bytes);
    request_free(request);
}

static void one_request_is_worked_on_at_a_time(void **state)
{
    send_heartbeat(1);
    send_heartbeat(2);
    RUN_UNTIL(server.held_count == 1);
    RUN_A_WHILE();
    assert_int_equal(server.held_count, 1);
    answer_held(0);
    RUN_UNTIL(server.held_count == 2);
}

static void overlapping_requests_are_answered_in_the_order_of_their_arrival(void **state)
{
    server.overlapping = true;
    for (int32_t id = 0; id < 3; id++)
        send_heartbeat(id);
    RUN_UNTIL(server.held_count == 3);
    answer_held(2);
    answer_held(1);
    RUN_A_WHILE();
    assert_int_equal(raw_frames(&peer), 0);
    answer_held(0);
    RUN_UNTIL(raw_frames(&peer) == 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(raw_correlation_id(&peer, i), i);
}

static void a_long_pipeline_is_answered_in_order_within_the_limits_of_reading_ahead(void **state)
{
    server.limits.requests_max = 3;
    server.answers_at_once = true;
    for (int32_t id = 0; id < 500; id++)
        send_heartbeat(id);
    RUN_UNTIL(raw_frames(&peer) == 500);
    for (int i = 0; i < 500; i++)
        assert_int_equal(raw_correlation_id(&peer, i), i);
}

static void a_request_without_answer_sends_nothing_and_the_next_one_is_answered(void **state)
{
    raw_send_request(&peer, new_request(API_PRODUCE, 9, 1));
    send_heartbeat(2);
    RUN_UNTIL(server.held_count == 1);
    server_connection_answer(server.held[0], loop_now(the_rig.loop));
    server.held[0] = NULL;
    RUN_UNTIL(server.held_count == 2);
    answer_held(1);
    RUN_UNTIL(raw_frames(&peer) == 1);
    assert_int_equal(raw_correlation_id(&peer, 0), 2);
}

static void a_request_without_answer_that_fails_closes_the_connection(void **state)
{
    raw_send_request(&peer, new_request(API_PRODUCE, 9, 1));
    RUN_UNTIL(server.held_count == 1);
    server.held[0]->response.error = MILL_EIO;
    server_connection_answer(server.held[0], loop_now(the_rig.loop));
    server.held[0] = NULL;
    RUN_UNTIL(server.closed);
    RUN_UNTIL(peer.ended);
    assert_int_equal(server.code, MILL_EIO);
}

static void an_answer_of_many_record_slices_arrives_whole(void **state)
{
    enum { SLICES = 200, SLICE_BYTES = 5000 };
    raw_send_request(&peer, new_request(API_FETCH, 12, 9));
    RUN_UNTIL(server.held_count == 1);
    struct request *request = server.held[0];
    server.held[0] = NULL;

    struct shared_buffer *batches = shared_buffer_new(SLICE_BYTES);
    assert_non_null(batches);
    memset(batches->data, 'b', SLICE_BYTES);
    assert_int_equal(request_keep(request, batches), 0);
    struct fetch_response *response = request_new_response(request);
    response->responses.items = fetch_response_topic_array(&request->arena, 1);
    response->responses.count = 1;
    response->responses.items[0].partitions.items = fetch_response_partition_array(&request->arena, 1);
    response->responses.items[0].partitions.count = 1;
    struct wire_records *records = &response->responses.items[0].partitions.items[0].records;
    *records = (struct wire_records){ arena_calloc(&request->arena, SLICES, sizeof(struct slice)), SLICES, SLICES * SLICE_BYTES };
    for (int i = 0; i < SLICES; i++)
        records->slices[i] = (struct slice){ mill_bytes_of(batches->data, SLICE_BYTES), batches };
    server_connection_answer(request, loop_now(the_rig.loop));

    RUN_UNTIL(raw_frames(&peer) == 1);
    assert_true(peer.in_len > SLICES * SLICE_BYTES);
    RUN_UNTIL(batches->holders == 1); /* written: the request has let go of them */
    shared_buffer_drop(batches);
}

static void an_unknown_api_closes_the_connection_and_says_why(void **state)
{
    static const uint8_t bytes[] = { 0, 0, 0, 10, 3, 0xe7, 0, 0, 0, 0, 0, 1, 0xff, 0xff };
    raw_send(&peer, bytes, sizeof bytes);
    RUN_UNTIL(server.closed);
    assert_int_equal(server.code, MILL_EUNSUPPORTED);
    assert_string_equal(server.why, "request with unknown API key 999");
}

static void a_browser_is_told_apart(void **state)
{
    raw_send(&peer, "GET / HTTP/1.1\r\n\r\n", 18);
    RUN_UNTIL(server.closed);
    assert_int_equal(server.code, MILL_EPROTOCOL);
    assert_non_null(strstr(server.why, "HTTP"));
}

static void requests_that_the_server_has_come_back_after_the_peer_is_gone(void **state)
{
    server.overlapping = true;
    send_heartbeat(1);
    send_heartbeat(2);
    RUN_UNTIL(server.held_count == 2);
    server_connection_close(server.connection);
    RUN_UNTIL(peer.ended);
    RUN_A_WHILE();
    assert_false(server.closed);
    answer_held(1);
    assert_false(server.closed);
    answer_held(0);
    assert_true(server.closed);
    assert_int_equal(server.code, 0);
}

static void what_a_peer_sent_before_it_went_is_still_worked_on(void **state)
{
    for (int32_t id = 0; id < 5; id++)
        raw_send_request(&peer, new_request(API_PRODUCE, 9, id));
    RUN_UNTIL(peer.unwritten == 0);
    raw_hang_up(&peer);
    for (int i = 0; i < 5; i++) {
        RUN_UNTIL(server.held_count == i + 1);
        server_connection_answer(server.held[i], loop_now(the_rig.loop));
        server.held[i] = NULL;
    }
    RUN_UNTIL(server.closed);
    assert_int_equal(server.code, 0);
}

static void draining_answers_what_was_read_and_then_closes(void **state)
{
    send_heartbeat(1);
    RUN_UNTIL(server.held_count == 1);
    server_connection_drain(server.connection);
    send_heartbeat(2);
    RUN_A_WHILE();
    answer_held(0);
    RUN_UNTIL(peer.ended);
    assert_int_equal(raw_frames(&peer), 1);
    assert_int_equal(server.requests, 1);
}

static void reading_pauses_while_the_server_is_behind(void **state)
{
    server.limits.read_bytes_max = 1000;
    char big[400];
    memset(big, 'm', sizeof big);
    for (int32_t id = 0; id < 100; id++) {
        struct request *request = new_request(API_HEARTBEAT, 4, id);
        ((struct heartbeat_request *)request->body)->member_id = mill_bytes_of(big, sizeof big);
        raw_send_request(&peer, request);
    }
    server.overlapping = true;
    RUN_UNTIL(server.held_count > 0);
    RUN_A_WHILE();
    assert_int_equal(server.held_count, 3);
    for (int i = 0; i < 60; i++) {
        RUN_UNTIL(server.held_count > i);
        answer_held(i);
    }
    server.answers_at_once = true;
    for (int i = 60; i < server.held_count; i++)
        answer_held(i);
    RUN_UNTIL(raw_frames(&peer) == 100);
}

static void an_idle_connection_is_closed_but_not_one_with_a_request_at_work(void **state)
{
    send_heartbeat(1);
    RUN_UNTIL(server.held_count == 1);
    RUN_A_WHILE();
    assert_false(server.closed);
    answer_held(0);
    RUN_UNTIL(server.closed);
    assert_int_equal(server.code, MILL_ETIMEOUT);
}

static int set_up_impatient(void **state)
{
    memset(&server, 0, sizeof server);
    server.limits = server_connection_default_limits();
    server.limits.idle_us = 5000;
    rig_open(accept_connection);
    raw_connect(&peer);
    RUN_UNTIL(server.connection);
    return 0;
}

static void a_failed_allocation_closes_the_connection_and_nothing_else(void **state)
{
    for (uint64_t nth = 1; nth < 12; nth++) {
        if (nth > 1) {
            tear_down(state);
            set_up(state);
        }
        server.answers_at_once = false;
        send_heartbeat(1);
        mem_fail_at(nth, 0);
        RUN_UNTIL(server.closed || server.held_count == 1);
        if (server.held_count == 1) {
            struct request *request = server.held[0];
            server.held[0] = NULL;
            if (request_new_response(request) == NULL)
                request->response.error = MILL_ENOMEM;
            server_connection_answer(request, loop_now(the_rig.loop));
            RUN_UNTIL(server.closed || raw_frames(&peer) == 1);
        }
        mem_fail_at(0, 0);
        if (server.closed)
            assert_int_equal(server.code, MILL_ENOMEM);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_under_its_correlation_id),
        TEST(a_request_that_comes_byte_by_byte_is_one_request),
        TEST(one_request_is_worked_on_at_a_time),
        TEST(overlapping_requests_are_answered_in_the_order_of_their_arrival),
        TEST(a_long_pipeline_is_answered_in_order_within_the_limits_of_reading_ahead),
        TEST(a_request_without_answer_sends_nothing_and_the_next_one_is_answered),
        TEST(a_request_without_answer_that_fails_closes_the_connection),
        TEST(an_answer_of_many_record_slices_arrives_whole),
        TEST(an_unknown_api_closes_the_connection_and_says_why),
        TEST(a_browser_is_told_apart),
        TEST(requests_that_the_server_has_come_back_after_the_peer_is_gone),
        TEST(what_a_peer_sent_before_it_went_is_still_worked_on),
        TEST(draining_answers_what_was_read_and_then_closes),
        TEST(reading_pauses_while_the_server_is_behind),
        cmocka_unit_test_setup_teardown(an_idle_connection_is_closed_but_not_one_with_a_request_at_work, set_up_impatient,
                                        tear_down),
        TEST(a_failed_allocation_closes_the_connection_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
