#include "support/cmocka_all.h"

#include <string.h>

#include "base/alloc.h"
#include "millstream/error.h"
#include "transport/client_connection.h"
#include "unit/runtime/transport/rig.h"
#include "wire/api/heartbeat.h"
#include "wire/api/produce.h"

enum { BACK_MAX = 64 };

static struct {
    struct client_connection_limits limits;
    struct client_connection *connection;
    struct request *back[BACK_MAX];
    int back_count;
    bool connected;
    bool closed;
    int code;
    char why[ERROR_TEXT_BYTES];
} client;

static struct raw_peer broker;
static struct error_text error;

static void on_connected(void *ctx, struct client_connection *connection, struct io_time now)
{
    client.connected = true;
}

static void on_answered(void *ctx, struct client_connection *connection, struct request *request, struct io_time now)
{
    assert_false(client.closed);
    client.back[client.back_count++] = request;
}

static void on_closed(void *ctx, struct client_connection *connection, int code, const char *why, struct io_time now)
{
    client.closed = true;
    client.code = code;
    strcpy(client.why, why);
}

static const struct client_connection_events EVENTS = { on_connected, on_answered, on_closed };

static void take_broker_end(struct rig *rig, struct net_stream *stream)
{
    raw_take(&broker, stream);
}

static void open_connection(int port)
{
    assert_int_equal(client_connection_open(the_rig.loop, "127.0.0.1", port, &client.limits, &EVENTS, NULL, &client.connection),
                     0);
}

static int set_up(void **state)
{
    memset(&client, 0, sizeof client);
    memset(&broker, 0, sizeof broker);
    client.limits = client_connection_default_limits();
    rig_open(take_broker_end);
    open_connection(the_rig.port);
    return 0;
}

static int tear_down(void **state)
{
    if (!client.closed)
        client_connection_close(client.connection);
    RUN_UNTIL(client.closed);
    RUN_A_WHILE();
    if (broker.connected)
        raw_close(&broker);
    for (int i = 0; i < client.back_count; i++)
        request_free(client.back[i]);
    rig_close();
    return 0;
}

static int send_heartbeat(int64_t deadline_us)
{
    struct request *request = new_request(API_HEARTBEAT, 4, 0);
    int code = client_connection_send(client.connection, request, deadline_us, &error);
    if (code)
        request_free(request);
    return code;
}

/* The broker answers the request with this correlation id, with an error code by which the test knows it again. */
static void answer_as(int32_t correlation_id, int16_t error_code)
{
    struct request *request = new_request(API_HEARTBEAT, 4, correlation_id);
    struct heartbeat_response *response = request_new_response(request);
    response->error_code = error_code;
    struct wire_frame frame;
    assert_int_equal(response_encode(request, &frame, &error), 0);
    uint8_t *bytes = bytes_of_frame(&frame);
    raw_send(&broker, bytes, frame.len);
    free(bytes);
    request_free(request);
}

static void requests_sent_before_the_connection_stands_go_out_when_it_does(void **state)
{
    assert_int_equal(send_heartbeat(0), 0);
    assert_int_equal(send_heartbeat(0), 0);
    assert_int_equal(client_connection_in_flight(client.connection), 2);
    RUN_UNTIL(raw_frames(&broker) == 2);
    assert_true(client.connected);
}

static void answers_belong_to_requests_in_their_order(void **state)
{
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_heartbeat(0), 0);
    RUN_UNTIL(raw_frames(&broker) == 3);
    for (int32_t i = 0; i < 3; i++)
        answer_as(i, (int16_t)(100 + i));
    RUN_UNTIL(client.back_count == 3);
    for (int i = 0; i < 3; i++) {
        const struct heartbeat_response *response = client.back[i]->response.body;
        assert_int_equal(client.back[i]->response.error, 0);
        assert_int_equal(response->error_code, 100 + i);
        assert_int_equal(client.back[i]->correlation_id, i);
    }
    assert_int_equal(client_connection_in_flight(client.connection), 0);
}

static void a_one_way_request_is_back_when_it_is_written(void **state)
{
    struct request *request = new_request(API_PRODUCE, 9, 0);
    request->one_way = true;
    assert_int_equal(send_heartbeat(0), 0);
    assert_int_equal(client_connection_send(client.connection, request, 0, &error), 0);
    assert_int_equal(send_heartbeat(0), 0);
    RUN_UNTIL(client.back_count == 1);
    assert_ptr_equal(client.back[0], request);
    assert_null(request->response.body);
    assert_int_equal(request->response.error, 0);
    RUN_UNTIL(raw_frames(&broker) == 3);
    answer_as(0, 0);
    answer_as(2, 0);
    RUN_UNTIL(client.back_count == 3);
}

static void a_broker_that_goes_gives_every_request_back_with_an_error(void **state)
{
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_heartbeat(0), 0);
    RUN_UNTIL(raw_frames(&broker) == 3);
    raw_close(&broker);
    broker.connected = false;
    RUN_UNTIL(client.closed);
    assert_int_equal(client.back_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(client.back[i]->response.error, MILL_ECONNECTION);
    assert_int_equal(client.code, MILL_ECONNECTION);
    assert_string_equal(client.why, "the broker has closed the connection");
}

static void closing_gives_requests_back_later_and_takes_no_more(void **state)
{
    assert_int_equal(send_heartbeat(0), 0);
    client_connection_close(client.connection);
    assert_int_equal(client.back_count, 0);
    assert_int_equal(send_heartbeat(0), MILL_ECLOSED);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.back_count, 1);
    assert_int_equal(client.back[0]->response.error, MILL_ECLOSED);
    assert_int_equal(client.code, 0);
}

static void an_answer_under_another_id_breaks_the_connection(void **state)
{
    assert_int_equal(send_heartbeat(0), 0);
    RUN_UNTIL(raw_frames(&broker) == 1);
    answer_as(7, 0);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.code, MILL_EPROTOCOL);
    assert_string_equal(client.why, "an answer with correlation id 7, where 0 is due");
}

static void an_answer_that_nobody_asked_for_breaks_the_connection(void **state)
{
    RUN_UNTIL(broker.connected);
    answer_as(0, 0);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.code, MILL_EPROTOCOL);
}

static void an_answer_that_does_not_decode_breaks_the_connection(void **state)
{
    static const uint8_t bytes[] = { 0, 0, 0, 6, 0, 0, 0, 0, 0, 1 };
    assert_int_equal(send_heartbeat(0), 0);
    RUN_UNTIL(raw_frames(&broker) == 1);
    raw_send(&broker, bytes, sizeof bytes);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.code, MILL_EPROTOCOL);
    assert_non_null(strstr(client.why, "heartbeat_response"));
}

static void a_request_past_its_deadline_breaks_the_connection(void **state)
{
    int64_t now_us = loop_now(the_rig.loop).monotonic_us;
    assert_int_equal(send_heartbeat(now_us + INT64_C(3600) * 1000000), 0);
    assert_int_equal(send_heartbeat(now_us + 5000), 0);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.code, MILL_ETIMEOUT);
    assert_string_equal(client.why, "no answer to Heartbeat version 4 in time");
    assert_int_equal(client.back_count, 2);
}

static void an_answer_in_time_disarms_its_deadline(void **state)
{
    assert_int_equal(send_heartbeat(loop_now(the_rig.loop).monotonic_us + 100000), 0);
    RUN_UNTIL(raw_frames(&broker) == 1);
    answer_as(0, 0);
    RUN_UNTIL(client.back_count == 1);
    RUN_UNTIL(the_rig.ticks > 250);
    assert_false(client.closed);
}

static void no_more_than_the_limit_are_in_flight(void **state)
{
    client.limits.requests_max = 2;
    assert_int_equal(send_heartbeat(0), 0);
    assert_int_equal(send_heartbeat(0), 0);
    assert_int_equal(send_heartbeat(0), MILL_EAGAIN);
}

static void a_port_where_nobody_listens_is_told_as_such(void **state)
{
    client_connection_close(client.connection);
    RUN_UNTIL(client.closed);
    memset(&client, 0, sizeof client);
    client.limits = client_connection_default_limits();
    open_connection(1); /* tcpmux: reserved, and taken by nobody */
    assert_int_equal(send_heartbeat(0), 0);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.code, MILL_EREFUSED);
    assert_non_null(strstr(client.why, "could not connect"));
    assert_int_equal(client.back_count, 1);
}

static void a_failed_allocation_loses_no_request(void **state)
{
    for (uint64_t nth = 1; nth < 10; nth++) {
        if (nth > 1) {
            tear_down(state);
            set_up(state);
        }
        RUN_UNTIL(broker.connected && client.connected);
        struct request *request = new_request(API_HEARTBEAT, 4, 0);
        mem_fail_at(nth, 0);
        int code = client_connection_send(client.connection, request, 0, &error);
        if (code) {
            assert_int_equal(code, MILL_ENOMEM);
            request_free(request);
        } else {
            RUN_UNTIL(client.back_count == 1 || raw_frames(&broker) == 1);
            if (client.back_count == 0) {
                uint8_t answer[] = { 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
                raw_send(&broker, answer, sizeof answer);
                RUN_UNTIL(client.back_count == 1);
            }
        }
        mem_fail_at(0, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(requests_sent_before_the_connection_stands_go_out_when_it_does),
        TEST(answers_belong_to_requests_in_their_order),
        TEST(a_one_way_request_is_back_when_it_is_written),
        TEST(a_broker_that_goes_gives_every_request_back_with_an_error),
        TEST(closing_gives_requests_back_later_and_takes_no_more),
        TEST(an_answer_under_another_id_breaks_the_connection),
        TEST(an_answer_that_nobody_asked_for_breaks_the_connection),
        TEST(an_answer_that_does_not_decode_breaks_the_connection),
        TEST(a_request_past_its_deadline_breaks_the_connection),
        TEST(an_answer_in_time_disarms_its_deadline),
        TEST(no_more_than_the_limit_are_in_flight),
        TEST(a_port_where_nobody_listens_is_told_as_such),
        TEST(a_failed_allocation_loses_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
