#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/io.h"
#include "support/cmocka_all.h"

/* One end of a connection as its owner sees it; keeps what arrives. */
struct end {
    struct net_stream *stream;
    uint8_t *bytes;
    size_t len, capacity, wanted;
    int connected_code;
    ssize_t last_read;
    int written, written_code;
    bool connected, ended, closed, enough, all_written, refuse_memory, close_in_reserve;
    int writes_wanted;
};

static struct loop *loop;
static struct net_listener *listener;
static struct end client, server;
static bool accepted, listener_closed;
static uint8_t *end_reserve(void *ctx, size_t *len)
{
    struct end *end = ctx;
    if (end->refuse_memory)
        return NULL;
    if (end->close_in_reserve)
        net_close(end->stream);
    if (end->capacity - end->len < 4096) {
        end->capacity = end->capacity * 2 + 65536;
        end->bytes = realloc(end->bytes, end->capacity);
    }
    *len = end->capacity - end->len;
    return end->bytes + end->len;
}

static void end_read(void *ctx, ssize_t len, struct io_time now)
{
    struct end *end = ctx;
    end->last_read = len;
    if (len <= 0) {
        end->ended = true;
        return;
    }
    end->len += (size_t)len;
    end->enough = end->len >= end->wanted;
}

static void end_written(void *ctx, void *write_ctx, int code, struct io_time now)
{
    struct end *end = ctx;
    assert_int_equal((intptr_t)write_ctx, end->written); /* in order */
    end->written++;
    end->written_code = code;
    end->all_written = end->written == end->writes_wanted;
}

static void end_closed(void *ctx)
{
    struct end *end = ctx;
    end->closed = true;
}

static const struct net_stream_events end_events = { end_reserve, end_read, end_written, end_closed };

static void end_connected(void *ctx, int code, struct io_time now)
{
    struct end *end = ctx;
    end->connected_code = code;
    end->connected = true;
}

static void accept_server(void *ctx, struct net_stream *stream, struct io_time now)
{
    server.stream = stream;
    assert_int_equal(net_start(stream, &end_events, &server), 0);
    accepted = true;
}

static void note_listener_closed(void *ctx)
{
    listener_closed = true;
}

static const struct net_listener_events listener_events = { accept_server, note_listener_closed };

static int set_up(void **state)
{
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    accepted = listener_closed = false;
    loop = uv_loop_new_with(NULL);
    assert_int_equal(net_listen(loop, "127.0.0.1", 0, &listener_events, NULL, &listener), 0);
    return 0;
}

static int tear_down(void **state)
{
    if (client.stream && !client.closed)
        net_close(client.stream);
    if (server.stream && !server.closed)
        net_close(server.stream);
    net_listener_close(listener);
    uv_loop_free(loop); /* runs what is closing */
    assert_true(listener_closed);
    assert_true(!client.stream || client.closed);
    assert_true(!server.stream || server.closed);
    free(client.bytes);
    free(server.bytes);
    return 0;
}

static void connect_to(const char *host, int port)
{
    assert_int_equal(net_connect(loop, host, port, end_connected, &end_events, &client, &client.stream), 0);
    assert_false(client.connected);
}

static void connect_both(void)
{
    connect_to("127.0.0.1", net_listener_port(listener));
    loop_run(loop, &client.connected);
    assert_int_equal(client.connected_code, 0);
    loop_run(loop, &accepted);
}

static void write_text(struct end *end, const char *text, intptr_t number)
{
    const struct io_vector vector = { text, strlen(text) };
    assert_int_equal(net_write(end->stream, &vector, 1, (void *)number), 0);
    assert_int_equal(end->written, number); /* never from within net_write */
    end->writes_wanted = (int)number + 1;
    end->all_written = false;
}

static void bytes_go_both_ways_and_the_end_is_told(void **state)
{
    connect_both();
    server.wanted = 4;
    write_text(&client, "ping", 0);
    loop_run(loop, &server.enough);
    client.wanted = 4;
    write_text(&server, "pong", 0);
    loop_run(loop, &client.enough);
    assert_memory_equal(server.bytes, "ping", 4);
    assert_memory_equal(client.bytes, "pong", 4);

    net_close(client.stream);
    loop_run(loop, &server.ended);
    assert_int_equal(server.last_read, 0);
}

static void a_large_write_arrives_whole_while_reading_pauses(void **state)
{
    connect_both();
    enum { LARGE = 8 << 20 };
    uint8_t *large = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (uint8_t)(i * 7 + (i >> 13));
    const struct io_vector halves[] = { { large, LARGE / 2 }, { large + LARGE / 2, LARGE / 2 } };
    net_read_pause(server.stream, true);
    assert_int_equal(net_write(client.stream, halves, 2, (void *)0), 0);
    client.writes_wanted = 1;
    size_t queued = net_write_queued(client.stream);
    assert_true(queued > 0 && queued < LARGE);
    assert_int_equal(server.len, 0);

    net_read_pause(server.stream, false);
    server.wanted = LARGE;
    loop_run(loop, &server.enough);
    loop_run(loop, &client.all_written);
    assert_int_equal(net_write_queued(client.stream), 0);
    assert_int_equal(client.written_code, 0);
    assert_memory_equal(server.bytes, large, LARGE);
    free(large);
}

static void closing_finishes_queued_writes_with_an_error_and_then_closes(void **state)
{
    connect_both();
    static uint8_t large[8 << 20];
    const struct io_vector vector = { large, sizeof large };
    net_read_pause(server.stream, true);
    assert_int_equal(net_write(client.stream, &vector, 1, (void *)0), 0);
    assert_int_equal(net_write(client.stream, &vector, 1, (void *)1), 0);
    net_close(client.stream);
    net_close(client.stream);
    assert_int_equal(net_write(client.stream, &vector, 1, (void *)2), MILL_ECLOSED);
    loop_run(loop, &client.closed);
    assert_int_equal(client.written, 2);
    assert_int_equal(client.written_code, MILL_ECLOSED);
}

static void a_refused_connection_is_an_error_of_connected(void **state)
{
    struct net_listener *other;
    assert_int_equal(net_listen(loop, "127.0.0.1", 0, &listener_events, NULL, &other), 0);
    int port = net_listener_port(other);
    net_listener_close(other);
    connect_to("127.0.0.1", port);
    loop_run(loop, &client.connected);
    assert_int_equal(client.connected_code, MILL_ECONNECTION);
}

static void a_name_is_looked_up_and_its_addresses_are_tried(void **state)
{
    connect_to("localhost", net_listener_port(listener)); /* ::1 comes first on many machines, and nobody listens there */
    loop_run(loop, &client.connected);
    assert_int_equal(client.connected_code, 0);
    loop_run(loop, &accepted);
    char text[IO_ADDRESS_BYTES];
    net_peer_address(client.stream, text);
    char expected[IO_ADDRESS_BYTES];
    snprintf(expected, sizeof expected, "127.0.0.1:%d", net_listener_port(listener));
    assert_string_equal(text, expected);
}

static void a_connect_can_be_given_up_at_once(void **state)
{
    connect_to("localhost", net_listener_port(listener));
    net_close(client.stream);
    loop_run(loop, &client.closed);
    assert_false(client.connected);
    memset(&client, 0, sizeof client);
    connect_to("127.0.0.1", net_listener_port(listener));
    net_close(client.stream);
    loop_run(loop, &client.closed);
    assert_false(client.connected);
}

static void an_occupied_port_is_told(void **state)
{
    struct net_listener *other;
    assert_int_equal(net_listen(loop, "127.0.0.1", net_listener_port(listener), &listener_events, NULL, &other), MILL_EADDRINUSE);
    assert_int_equal(net_listen(loop, "no.such.host.invalid", 0, &listener_events, NULL, &other), MILL_ENOTFOUND);
}

static void an_empty_host_listens_on_every_address(void **state)
{
    struct net_listener *any;
    assert_int_equal(net_listen(loop, "", 0, &listener_events, NULL, &any), 0);
    connect_to("127.0.0.1", net_listener_port(any));
    loop_run(loop, &accepted);
    net_listener_close(any);
    loop_run(loop, &listener_closed);
    listener_closed = false;
}

static void an_owner_without_memory_fails_the_stream(void **state)
{
    connect_both();
    server.refuse_memory = true;
    write_text(&client, "x", 0);
    loop_run(loop, &server.ended);
    assert_int_equal(server.last_read, MILL_ENOMEM);
}

static void an_owner_may_close_when_asked_for_a_place(void **state)
{
    connect_both();
    server.close_in_reserve = true;
    write_text(&client, "x", 0);
    loop_run(loop, &server.closed);
    assert_int_equal(server.len, 0);
}

/* Runs the loop over several rests of the listener. */
static void pass(struct loop_timer *timer, struct io_time now)
{
    *(bool *)timer->ctx = true;
}

static void running_out_of_descriptors_delays_accepting_and_loses_nobody(void **state)
{
    connect_to("127.0.0.1", net_listener_port(listener));
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)dup(0); /* the lowest free number is the new limit */
    close((int)none.rlim_cur);
    setrlimit(RLIMIT_NOFILE, &none);
    bool passed = false;
    struct loop_timer timer = { .fire = pass, .ctx = &passed };
    loop_timer_set(loop, &timer, loop_now(loop).monotonic_us + 150000);
    loop_run(loop, &passed);
    assert_false(accepted);
    setrlimit(RLIMIT_NOFILE, &before);
    loop_run(loop, &accepted);
    assert_true(client.connected);
}

static void running_out_of_memory_anywhere_is_an_error(void **state)
{
    struct net_listener *other;
    mem_fail_at(1, 0);
    assert_int_equal(net_listen(loop, "127.0.0.1", 0, &listener_events, NULL, &other), MILL_ENOMEM);
    mem_fail_at(1, 0);
    struct net_stream *none;
    assert_int_equal(net_connect(loop, "127.0.0.1", 1, end_connected, &end_events, &client, &none), MILL_ENOMEM);
    connect_both();
    mem_fail_at(1, 0);
    assert_int_equal(net_write(client.stream, &(struct io_vector){ "x", 1 }, 1, NULL), MILL_ENOMEM);
    mem_fail_at(0, 0);
    write_text(&client, "x", 0);
    server.wanted = 1;
    loop_run(loop, &server.enough);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_both_ways_and_the_end_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_write_arrives_whole_while_reading_pauses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_finishes_queued_writes_with_an_error_and_then_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_connection_is_an_error_of_connected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_looked_up_and_its_addresses_are_tried, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connect_can_be_given_up_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_occupied_port_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_host_listens_on_every_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_owner_without_memory_fails_the_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_owner_may_close_when_asked_for_a_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_descriptors_delays_accepting_and_loses_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_anywhere_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
