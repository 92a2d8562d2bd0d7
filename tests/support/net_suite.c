#include "support/net_suite.h"

#include <stdlib.h>
#include <string.h>

enum { LARGE = 8 << 20 };

/* ---- the rig --------------------------------------------------------------------------------------------------------------- */

static uint8_t *end_reserve(void *ctx, size_t *len)
{
    struct net_end *end = ctx;
    if (end->refuses_memory)
        return NULL;
    if (end->closes_in_reserve)
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
    struct net_end *end = ctx;
    assert_false(end->ended);
    assert_false(end->closed);
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
    struct net_end *end = ctx;
    assert_int_equal((intptr_t)write_ctx, end->written);
    end->written++;
    end->written_code = code;
    end->all_written = end->written == end->writes_wanted;
}

static void end_closed(void *ctx)
{
    struct net_end *end = ctx;
    assert_false(end->closed);
    end->closed = true;
}

const struct net_stream_events net_end_events = { end_reserve, end_read, end_written, end_closed };

static void end_connected(void *ctx, int code, struct io_time now)
{
    struct net_end *end = ctx;
    assert_false(end->connected);
    end->connected_code = code;
    end->connected = true;
}

static void accept_stream(void *ctx, struct net_stream *stream, struct io_time now)
{
    struct net_rig *rig = ctx;
    rig->server.stream = stream;
    assert_int_equal(net_start(stream, &net_end_events, &rig->server), 0);
    rig->accepted = true;
}

static void note_listener_closed(void *ctx)
{
    ((struct net_rig *)ctx)->listener_closed = true;
}

const struct net_listener_events net_rig_listener_events = { accept_stream, note_listener_closed };

void net_rig_open(struct net_rig *rig)
{
    memset(&rig->client, 0, sizeof rig->client);
    memset(&rig->server, 0, sizeof rig->server);
    rig->accepted = rig->listener_closed = false;
    assert_int_equal(net_listen(rig->server_loop, "127.0.0.1", 0, &net_rig_listener_events, rig, &rig->listener), 0);
}

static void close_end(struct net_rig *rig, struct net_end *end)
{
    if (end->stream && !end->closed) {
        net_close(end->stream);
        rig->run(&end->closed);
        assert_true(end->closed);
    }
    free(end->bytes);
}

void net_rig_close(struct net_rig *rig)
{
    close_end(rig, &rig->client);
    close_end(rig, &rig->server);
    net_listener_close(rig->listener);
    rig->run(&rig->listener_closed);
    assert_true(rig->listener_closed);
}

void net_rig_connect(struct net_rig *rig, const char *host, int port)
{
    struct net_end *client = &rig->client;
    assert_int_equal(net_connect(rig->client_loop, host, port, end_connected, &net_end_events, client, &client->stream), 0);
    assert_false(client->connected); /* never from within */
}

void net_rig_connect_both(struct net_rig *rig)
{
    net_rig_connect(rig, rig->server_host, net_listener_port(rig->listener));
    rig->run(&rig->client.connected);
    assert_int_equal(rig->client.connected_code, 0);
    rig->run(&rig->accepted);
    assert_true(rig->accepted);
}

void net_end_write(struct net_end *end, const void *data, size_t len, int number)
{
    const int written = end->written;
    assert_int_equal(net_write(end->stream, &(struct io_vector){ data, len }, 1, (void *)(intptr_t)number), 0);
    assert_int_equal(end->written, written); /* never from within */
    end->writes_wanted = number + 1;
    end->all_written = false;
}

static uint8_t *new_pattern(size_t len)
{
    uint8_t *bytes = malloc(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 13));
    return bytes;
}

/* ---- the suite ------------------------------------------------------------------------------------------------------------- */

void net_suite_bytes_go_both_ways_and_the_end_is_told(void **state)
{
    struct net_rig *rig = *state;
    net_rig_connect_both(rig);
    rig->server.wanted = rig->client.wanted = 4;
    net_end_write(&rig->client, "ping", 4, 0);
    rig->run(&rig->server.enough);
    net_end_write(&rig->server, "pong", 4, 0);
    rig->run(&rig->client.enough);
    assert_memory_equal(rig->server.bytes, "ping", 4);
    assert_memory_equal(rig->client.bytes, "pong", 4);

    net_close(rig->client.stream);
    rig->run(&rig->server.ended);
    assert_int_equal(rig->server.last_read, 0);
    rig->run(&rig->client.closed);
}

void net_suite_a_large_write_arrives_whole_while_reading_pauses(void **state)
{
    struct net_rig *rig = *state;
    net_rig_connect_both(rig);
    uint8_t *large = new_pattern(LARGE);
    const struct io_vector halves[] = { { large, LARGE / 2 }, { large + LARGE / 2, LARGE / 2 } };
    net_read_pause(rig->server.stream, true);
    assert_int_equal(net_write(rig->client.stream, halves, 2, (void *)0), 0);
    rig->client.writes_wanted = 1;
    assert_in_range(net_write_queued(rig->client.stream), 1, LARGE);
    assert_int_equal(rig->server.len, 0);

    net_read_pause(rig->server.stream, false);
    rig->server.wanted = LARGE;
    rig->run(&rig->server.enough);
    rig->run(&rig->client.all_written);
    assert_int_equal(net_write_queued(rig->client.stream), 0);
    assert_int_equal(rig->client.written_code, 0);
    assert_memory_equal(rig->server.bytes, large, LARGE);
    free(large);
}

void net_suite_many_writes_finish_in_order(void **state)
{
    enum { WRITES = 1000, STEP = 100 };
    struct net_rig *rig = *state;
    net_rig_connect_both(rig);
    uint8_t *bytes = new_pattern(WRITES * STEP);
    rig->server.wanted = WRITES * STEP;
    for (int i = 0; i < WRITES; i++)
        net_end_write(&rig->client, bytes + i * STEP, STEP, i);
    rig->run(&rig->server.enough);
    rig->run(&rig->client.all_written);
    assert_memory_equal(rig->server.bytes, bytes, WRITES * STEP);
    free(bytes);
}

void net_suite_closing_finishes_queued_writes_with_an_error(void **state)
{
    struct net_rig *rig = *state;
    net_rig_connect_both(rig);
    uint8_t *large = new_pattern(LARGE);
    net_read_pause(rig->server.stream, true);
    net_end_write(&rig->client, large, LARGE, 0);
    net_end_write(&rig->client, large, LARGE, 1);
    net_close(rig->client.stream);
    net_close(rig->client.stream);
    assert_int_equal(net_write(rig->client.stream, &(struct io_vector){ large, 1 }, 1, NULL), MILL_ECLOSED);
    rig->run(&rig->client.closed);
    assert_int_equal(rig->client.written, 2);
    assert_int_equal(rig->client.written_code, MILL_ECLOSED);
    free(large);
}

void net_suite_writing_to_one_who_left_fails(void **state)
{
    struct net_rig *rig = *state;
    net_rig_connect_both(rig);
    uint8_t *large = new_pattern(LARGE);
    net_close(rig->server.stream);
    rig->run(&rig->server.closed);
    net_end_write(&rig->client, large, LARGE, 0); /* the first may be taken before the refusal arrives */
    rig->run(&rig->client.all_written);
    net_end_write(&rig->client, large, LARGE, 1);
    rig->run(&rig->client.all_written);
    assert_int_equal(rig->client.written_code, MILL_ECONNECTION);
    free(large);
}

void net_suite_a_refused_connection_is_an_error_of_connected(void **state)
{
    struct net_rig *rig = *state;
    int port = net_listener_port(rig->listener);
    net_listener_close(rig->listener);
    rig->run(&rig->listener_closed);
    net_rig_connect(rig, rig->server_host, port);
    rig->run(&rig->client.connected);
    assert_int_equal(rig->client.connected_code, MILL_EREFUSED);
    rig->listener_closed = false;
    assert_int_equal(net_listen(rig->server_loop, "127.0.0.1", 0, &net_rig_listener_events, rig, &rig->listener), 0);
}

void net_suite_a_connect_can_be_given_up_at_once(void **state)
{
    struct net_rig *rig = *state;
    net_rig_connect(rig, rig->server_host, net_listener_port(rig->listener));
    net_close(rig->client.stream);
    rig->run(&rig->client.closed);
    assert_false(rig->client.connected);
}

void net_suite_an_occupied_port_is_told(void **state)
{
    struct net_rig *rig = *state;
    struct net_listener *other;
    int port = net_listener_port(rig->listener);
    assert_int_equal(net_listen(rig->server_loop, "127.0.0.1", port, &net_rig_listener_events, rig, &other), MILL_EADDRINUSE);
}

void net_suite_an_owner_without_memory_fails_the_stream(void **state)
{
    struct net_rig *rig = *state;
    net_rig_connect_both(rig);
    rig->server.refuses_memory = true;
    net_end_write(&rig->client, "x", 1, 0);
    rig->run(&rig->server.ended);
    assert_int_equal(rig->server.last_read, MILL_ENOMEM);
}

void net_suite_an_owner_may_close_when_asked_for_a_place(void **state)
{
    struct net_rig *rig = *state;
    net_rig_connect_both(rig);
    rig->server.closes_in_reserve = true;
    net_end_write(&rig->client, "x", 1, 0);
    rig->run(&rig->server.closed);
    assert_int_equal(rig->server.len, 0);
}
