/*
 * A loop with a listener on a free port, and a peer that is nothing but bytes: for testing either end of a connection.
 */
#ifndef TESTS_TRANSPORT_RIG_H
#define TESTS_TRANSPORT_RIG_H

#include <stdlib.h>

#include "io/io.h"
#include "wire/message.h"

enum { RIG_BYTES_MAX = 8 << 20, RIG_TICK_US = 500, RIG_TICKS_MAX = 20000, RIG_ARENA_MAX = 16 << 20 };

/* One end of a stream as its owner sees it, without any protocol. */
struct raw_peer {
    struct net_stream *stream;
    uint8_t *in; /* what has come */
    size_t in_len;
    bool connected;
    bool ended; /* the other side has ended or failed */
    bool hung_up;
    bool closed;
    int unwritten;
};

struct rig {
    struct loop *loop;
    struct net_listener *listener;
    int port;
    void (*accepted)(struct rig *rig, struct net_stream *stream);
    struct loop_timer tick;
    bool ticked;
    int ticks;
    bool listener_closed;
};

static struct rig the_rig;

/* Runs the loop until the condition holds; fails the test after ten seconds. */
#define RUN_UNTIL(condition)                                 \
    do {                                                     \
        the_rig.ticks = 0;                                   \
        while (!(condition)) {                               \
            if (the_rig.ticks > RIG_TICKS_MAX)               \
                fail_msg("never came true: %s", #condition); \
            the_rig.ticked = false;                          \
            loop_run(the_rig.loop, &the_rig.ticked);         \
        }                                                    \
    } while (0)

/* Runs the loop for some turns, so that what should not happen could. */
#define RUN_A_WHILE() RUN_UNTIL(the_rig.ticks >= 20)

static void rig_tick(struct loop_timer *timer, struct io_time now)
{
    the_rig.ticked = true;
    the_rig.ticks++;
    loop_timer_set(the_rig.loop, timer, now.monotonic_us + RIG_TICK_US);
}

static void rig_accepted(void *ctx, struct net_stream *stream, struct io_time now)
{
    the_rig.accepted(&the_rig, stream);
}

static void rig_listener_closed(void *ctx)
{
    the_rig.listener_closed = true;
}

static const struct net_listener_events RIG_LISTENER_EVENTS = { rig_accepted, rig_listener_closed };

static void rig_open(void (*accepted)(struct rig *rig, struct net_stream *stream))
{
    the_rig = (struct rig){ .loop = uv_loop_new_with(NULL), .accepted = accepted, .tick = { .fire = rig_tick } };
    assert_non_null(the_rig.loop);
    assert_int_equal(net_listen(the_rig.loop, "127.0.0.1", 0, &RIG_LISTENER_EVENTS, NULL, &the_rig.listener), 0);
    the_rig.port = net_listener_port(the_rig.listener);
    loop_timer_set(the_rig.loop, &the_rig.tick, loop_now(the_rig.loop).monotonic_us + RIG_TICK_US);
}

/* Everything else on the loop is closed. */
static void rig_close(void)
{
    net_listener_close(the_rig.listener);
    RUN_UNTIL(the_rig.listener_closed);
    loop_timer_cancel(the_rig.loop, &the_rig.tick);
    uv_loop_free(the_rig.loop);
}

/* ---- the raw peer ---------------------------------------------------------------------------------------------------------- */

static uint8_t *raw_reserve(void *ctx, size_t *len)
{
    struct raw_peer *peer = ctx;
    *len = RIG_BYTES_MAX - peer->in_len;
    return peer->in + peer->in_len;
}

static void raw_read(void *ctx, ssize_t len, struct io_time now)
{
    struct raw_peer *peer = ctx;
    if (len > 0)
        peer->in_len += (size_t)len;
    else
        peer->ended = true;
}

static void raw_written(void *ctx, void *write_ctx, int code, struct io_time now)
{
    struct raw_peer *peer = ctx;
    peer->unwritten--;
    free(write_ctx);
}

static void raw_closed(void *ctx)
{
    struct raw_peer *peer = ctx;
    peer->closed = true;
}

static const struct net_stream_events RAW_EVENTS = { raw_reserve, raw_read, raw_written, raw_closed };

static void raw_connected(void *ctx, int code, struct io_time now)
{
    struct raw_peer *peer = ctx;
    assert_int_equal(code, 0);
    peer->connected = true;
}

static __attribute__((unused)) void raw_init(struct raw_peer *peer)
{
    *peer = (struct raw_peer){ .in = malloc(RIG_BYTES_MAX) };
    assert_non_null(peer->in);
}

static __attribute__((unused)) void raw_connect(struct raw_peer *peer)
{
    raw_init(peer);
    assert_int_equal(net_connect(the_rig.loop, "127.0.0.1", the_rig.port, raw_connected, &RAW_EVENTS, peer, &peer->stream), 0);
    RUN_UNTIL(peer->connected);
}

static __attribute__((unused)) void raw_take(struct raw_peer *peer, struct net_stream *stream)
{
    raw_init(peer);
    peer->stream = stream;
    peer->connected = true;
    assert_int_equal(net_start(stream, &RAW_EVENTS, peer), 0);
}

static __attribute__((unused)) void raw_send(struct raw_peer *peer, const void *bytes, size_t len)
{
    void *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    struct io_vector vector = { copy, len };
    assert_int_equal(net_write(peer->stream, &vector, 1, copy), 0);
    peer->unwritten++;
}

static __attribute__((unused)) void raw_hang_up(struct raw_peer *peer)
{
    if (!peer->hung_up)
        net_close(peer->stream);
    peer->hung_up = true;
}

static __attribute__((unused)) void raw_close(struct raw_peer *peer)
{
    raw_hang_up(peer);
    RUN_UNTIL(peer->closed);
    free(peer->in);
}

/* Length and bytes of an encoded frame, malloc'ed. */
static __attribute__((unused)) uint8_t *bytes_of_frame(const struct wire_frame *frame)
{
    uint8_t *bytes = malloc(frame->len);
    assert_non_null(bytes);
    size_t at = 0;
    for (int32_t i = 0; i < frame->count; i++) {
        memcpy(bytes + at, frame->slices[i].bytes.data, frame->slices[i].bytes.len);
        at += frame->slices[i].bytes.len;
    }
    return bytes;
}

/* Frees the request. */
static __attribute__((unused)) void raw_send_request(struct raw_peer *peer, struct request *request)
{
    struct wire_frame frame;
    assert_int_equal(request_encode(request, &frame, NULL), 0);
    uint8_t *bytes = bytes_of_frame(&frame);
    raw_send(peer, bytes, frame.len);
    free(bytes);
    request_free(request);
}

static __attribute__((unused)) struct request *new_request(int16_t key, int16_t version, int32_t correlation_id)
{
    struct request *request = request_new(api_find(key), version, RIG_ARENA_MAX);
    assert_non_null(request);
    request->correlation_id = correlation_id;
    request->client_id = mill_string("test");
    return request;
}

/* How many whole frames have come, and the correlation id of the ith. */
static __attribute__((unused)) int raw_frames(const struct raw_peer *peer)
{
    int count = 0;
    for (size_t at = 0; at + 4 <= peer->in_len && at + 4 + read_u32_be(peer->in + at) <= peer->in_len; count++)
        at += 4 + read_u32_be(peer->in + at);
    return count;
}

static __attribute__((unused)) int32_t raw_correlation_id(const struct raw_peer *peer, int i)
{
    size_t at = 0;
    for (; i > 0; i--)
        at += 4 + read_u32_be(peer->in + at);
    return (int32_t)read_u32_be(peer->in + at + 4);
}

#endif
