/*
 * Streams as pairs of ends. Bytes go from the writer's queue into the inbox of the other end (a transfer, on the writer's loop)
 * and from there into the reader's place (a delivery, on the reader's loop), each at an event of its own and in pieces of random
 * size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "simulation/sim_internal.h"

enum { INBOX_BYTES = 64 * 1024, WHILE_CUT_US = 10000, CONNECT_TIMEOUT_US = 3000000 };

enum stream_state { STREAM_CONNECTING, STREAM_OPEN, STREAM_FAILED, STREAM_CLOSING };

struct sim_write {
    struct list link;
    void *ctx;
    struct io_vector vectors[64];
    size_t count, at; /* vectors before `at` are taken */
};

struct net_stream {
    const struct loop_ops *ops;
    struct sim_loop *loop;
    struct list link;
    enum stream_state state;
    struct net_stream *peer;   /* NULL: none yet, or gone */
    char host[SIM_HOST_BYTES]; /* the other end's */
    int port;
    struct net_listener *listener; /* that is to accept it */
    const struct net_stream_events *events;
    void *ctx;
    void (*connected)(void *ctx, int code, struct io_time now);

    bool paused, ended, end_told;
    int end_code; /* what the reader is told behind the last byte, once `ended` */
    uint8_t *inbox;
    size_t inbox_at, inbox_len;
    struct list writes; /* not yet taken wholly */
    struct list taken;  /* `written` is due */
    size_t queued;
    struct loop_timer transfer, deliver, phase; /* phase: connect, accept or close */
};

struct net_listener {
    const struct loop_ops *ops;
    struct sim_loop *loop;
    struct list link;
    int port;
    bool open;
    const struct net_listener_events *events;
    void *ctx;
    struct loop_timer closing;
};

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
}

static bool are_cut(const struct sim_world *world, const char *a, const char *b)
{
    for (int i = 0; i < world->cut_count; i++)
        if ((strcmp(world->cuts[i][0], a) == 0 && strcmp(world->cuts[i][1], b) == 0) ||
            (strcmp(world->cuts[i][0], b) == 0 && strcmp(world->cuts[i][1], a) == 0))
            return true;
    return false;
}

static bool is_cut(const struct net_stream *stream)
{
    return are_cut(stream->loop->world, stream->loop->host, stream->host);
}

/* A piece of `most` bytes: mostly all, often some, at times a few. */
static size_t piece_of(struct prng *prng, size_t most)
{
    uint64_t draw = prng_below(prng, 10);
    if (draw == 0)
        return 1 + (size_t)prng_below(prng, most < 16 ? most : 16);
    return draw < 4 ? 1 + (size_t)prng_below(prng, most) : most;
}

static void schedule_once(struct net_stream *stream, struct loop_timer *event)
{
    if (stream->state != STREAM_OPEN || event->at_us != 0)
        return;
    bool same_host = strcmp(stream->loop->host, stream->host) == 0;
    sim_schedule(stream->loop, event, same_host ? 5 : 100, same_host ? 100 : 2000);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------ */

/* Parts two ends; `stream` will read `code` behind what has arrived (behind nothing when that is an error). */
static void end_stream(struct net_stream *stream, int code)
{
    stream->peer = NULL;
    if (stream->ended)
        return;
    stream->ended = true;
    stream->end_code = code;
    if (code < 0)
        stream->inbox_at = stream->inbox_len = 0;
    schedule_once(stream, &stream->deliver);
    schedule_once(stream, &stream->transfer);
}

static void break_stream(struct net_stream *stream)
{
    struct net_stream *peer = stream->peer;
    end_stream(stream, MILL_ECONNECTION);
    if (peer)
        end_stream(peer, MILL_ECONNECTION);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

/* Copies a piece of the oldest write into the peer's inbox. */
static void take_piece(struct net_stream *stream, struct sim_write *write)
{
    struct net_stream *peer = stream->peer;
    struct sim_world *world = stream->loop->world;
    while (write->at < write->count && peer->inbox_len < INBOX_BYTES) {
        struct io_vector *vector = &write->vectors[write->at];
        if (vector->len > 0) {
            size_t room = INBOX_BYTES - peer->inbox_len;
            size_t len = piece_of(&world->prng, vector->len < room ? vector->len : room);
            memcpy(peer->inbox + peer->inbox_len, vector->data, len);
            sim_world_note(world, vector->data, len);
            peer->inbox_len += len;
            stream->queued -= len;
            vector->data = (const uint8_t *)vector->data + len;
            vector->len -= len;
            if (vector->len > 0)
                return;
        }
        write->at++;
    }
}

static void tell_written(struct net_stream *stream, struct list *writes, int code)
{
    struct list *link = list_pop_front(writes);
    struct sim_write *write = list_entry(link, struct sim_write, link);
    void *ctx = write->ctx;
    free(write);
    stream->events->written(stream->ctx, ctx, code, sim_loop_now(stream->loop));
}

static void transfer(struct loop_timer *event, struct io_time now)
{
    struct net_stream *stream = event->ctx;
    struct sim_world *world = stream->loop->world;
    if (is_cut(stream)) {
        sim_schedule(stream->loop, event, WHILE_CUT_US, WHILE_CUT_US);
        return;
    }
    if (stream->peer && world->break_chance > 0 && prng_chance(&world->prng, world->break_chance))
        break_stream(stream);
    while (stream->peer && !list_empty(&stream->writes) && stream->peer->inbox_len < INBOX_BYTES) {
        struct sim_write *write = list_entry(stream->writes.next, struct sim_write, link);
        take_piece(stream, write);
        schedule_once(stream->peer, &stream->peer->deliver);
        if (write->at < write->count)
            break;
        list_remove(&write->link);
        list_push_back(&stream->taken, &write->link);
        if (prng_chance(&world->prng, 0.3))
            break;
    }
    if (stream->peer && !list_empty(&stream->writes) && stream->peer->inbox_len < INBOX_BYTES)
        schedule_once(stream, event);
    while (stream->state == STREAM_OPEN && !list_empty(&stream->taken))
        tell_written(stream, &stream->taken, 0);
    while (stream->state == STREAM_OPEN && !stream->peer && !list_empty(&stream->writes))
        tell_written(stream, &stream->writes, MILL_ECONNECTION);
}

int sim_net_write(struct net_stream *stream, const struct io_vector *vectors, size_t count, void *write_ctx)
{
    mill_assert(count <= 64);
    mill_assert(stream->events != NULL);
    if (stream->state != STREAM_OPEN)
        return MILL_ECLOSED;
    struct sim_write *write = sim_must(calloc(1, sizeof *write));
    write->ctx = write_ctx;
    write->count = count;
    memcpy(write->vectors, vectors, count * sizeof *vectors);
    for (size_t i = 0; i < count; i++)
        stream->queued += vectors[i].len;
    list_push_back(&stream->writes, &write->link);
    schedule_once(stream, &stream->transfer);
    return 0;
}

size_t sim_net_write_queued(struct net_stream *stream)
{
    return stream->state == STREAM_OPEN ? stream->queued : 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static void deliver_bytes(struct net_stream *stream)
{
    size_t place_len = 0, left = stream->inbox_len - stream->inbox_at;
    uint8_t *place = stream->events->reserve(stream->ctx, &place_len);
    if (stream->state != STREAM_OPEN)
        return;
    if (!place) {
        stream->ended = stream->end_told = true;
        stream->events->read(stream->ctx, MILL_ENOMEM, sim_loop_now(stream->loop));
        return;
    }
    mill_assert(place_len > 0);
    size_t len = piece_of(&stream->loop->world->prng, left < place_len ? left : place_len);
    memcpy(place, stream->inbox + stream->inbox_at, len);
    stream->inbox_at += len;
    if (stream->inbox_at == stream->inbox_len)
        stream->inbox_at = stream->inbox_len = 0;
    if (stream->peer && !list_empty(&stream->peer->writes))
        schedule_once(stream->peer, &stream->peer->transfer);
    if (stream->inbox_len > 0 || stream->ended)
        schedule_once(stream, &stream->deliver);
    stream->events->read(stream->ctx, (ssize_t)len, sim_loop_now(stream->loop));
}

static void deliver(struct loop_timer *event, struct io_time now)
{
    struct net_stream *stream = event->ctx;
    if (!stream->events || stream->paused || stream->end_told)
        return; /* started or resumed, it is scheduled again */
    if (is_cut(stream)) {
        sim_schedule(stream->loop, event, WHILE_CUT_US, WHILE_CUT_US);
    } else if (stream->inbox_len > 0) {
        deliver_bytes(stream);
    } else if (stream->ended) {
        stream->end_told = true;
        stream->events->read(stream->ctx, stream->end_code, sim_loop_now(stream->loop));
    }
}

void sim_net_read_pause(struct net_stream *stream, bool paused)
{
    stream->paused = paused;
    if (!paused)
        schedule_once(stream, &stream->deliver);
}

int sim_net_start(struct net_stream *stream, const struct net_stream_events *events, void *ctx)
{
    stream->events = events;
    stream->ctx = ctx;
    schedule_once(stream, &stream->deliver);
    return 0;
}

/* ---- closing --------------------------------------------------------------------------------------------------------------- */

static void free_stream(struct net_stream *stream)
{
    struct list *link;
    while ((link = list_pop_front(&stream->writes)) || (link = list_pop_front(&stream->taken)))
        free(list_entry(link, struct sim_write, link));
    list_remove(&stream->link);
    free(stream->inbox);
    free(stream);
}

static void finish_close(struct loop_timer *event, struct io_time now)
{
    struct net_stream *stream = event->ctx;
    while (!list_empty(&stream->taken))
        tell_written(stream, &stream->taken, 0);
    while (!list_empty(&stream->writes))
        tell_written(stream, &stream->writes, MILL_ECLOSED);
    const struct net_stream_events *events = stream->events;
    void *ctx = stream->ctx;
    free_stream(stream);
    if (events)
        events->closed(ctx);
}

void sim_net_close(struct net_stream *stream)
{
    if (stream->state == STREAM_CLOSING)
        return;
    stream->state = STREAM_CLOSING;
    timer_heap_remove(&stream->loop->timers, &stream->transfer);
    timer_heap_remove(&stream->loop->timers, &stream->deliver);
    if (stream->peer) /* TCP resets a connection whose closer leaves bytes unread */
        end_stream(stream->peer, stream->inbox_len > 0 ? MILL_ECONNECTION : 0);
    stream->peer = NULL;
    stream->phase.fire = finish_close;
    sim_schedule(stream->loop, &stream->phase, 1, 50);
}

/* ---- connecting and accepting ---------------------------------------------------------------------------------------------- */

static struct net_stream *new_stream(struct sim_loop *loop, enum stream_state state, const char *host, int port)
{
    struct net_stream *stream = sim_must(calloc(1, sizeof *stream));
    stream->ops = loop->loop.ops;
    stream->loop = loop;
    stream->state = state;
    stream->port = port;
    stream->inbox = sim_must(malloc(INBOX_BYTES));
    snprintf(stream->host, sizeof stream->host, "%s", host);
    list_init(&stream->writes);
    list_init(&stream->taken);
    stream->transfer.fire = transfer;
    stream->deliver.fire = deliver;
    stream->transfer.ctx = stream->deliver.ctx = stream->phase.ctx = stream;
    list_push_back(&loop->world->streams, &stream->link);
    return stream;
}

static struct net_listener *find_listener(struct sim_world *world, const char *host, int port)
{
    list_for_each (link, &world->listeners) {
        struct net_listener *listener = list_entry(link, struct net_listener, link);
        if (listener->open && listener->port == port && strcmp(listener->loop->host, host) == 0)
            return listener;
    }
    return NULL;
}

static void accept_stream(struct loop_timer *event, struct io_time now)
{
    struct net_stream *stream = event->ctx;
    struct net_listener *listener = stream->listener;
    stream->listener = NULL;
    listener->events->accepted(listener->ctx, stream, sim_loop_now(stream->loop));
}

static void fail_connect(struct loop_timer *event, struct io_time now)
{
    struct net_stream *stream = event->ctx;
    bool timed_out = is_cut(stream);
    stream->state = STREAM_FAILED;
    stream->connected(stream->ctx, timed_out ? MILL_ETIMEOUT : MILL_EREFUSED, sim_loop_now(stream->loop));
}

static void finish_connect(struct loop_timer *event, struct io_time now)
{
    struct net_stream *stream = event->ctx;
    struct sim_world *world = stream->loop->world;
    struct net_listener *listener = find_listener(world, stream->host, stream->port);
    if (is_cut(stream) || !listener) {
        event->fire = fail_connect;
        sim_schedule(stream->loop, event, is_cut(stream) ? CONNECT_TIMEOUT_US : 1, is_cut(stream) ? CONNECT_TIMEOUT_US : 10);
        return;
    }
    struct net_stream *accepted = new_stream(listener->loop, STREAM_OPEN, stream->loop->host, world->next_port++);
    accepted->listener = listener;
    accepted->peer = stream;
    accepted->phase.fire = accept_stream;
    sim_schedule(listener->loop, &accepted->phase, 1, 500);
    stream->peer = accepted;
    stream->state = STREAM_OPEN;
    stream->connected(stream->ctx, 0, sim_loop_now(stream->loop));
}

int sim_net_connect(struct loop *loop, const char *host, int port, void (*connected)(void *ctx, int code, struct io_time now),
                    const struct net_stream_events *events, void *ctx, struct net_stream **stream)
{
    struct sim_loop *l = (struct sim_loop *)(void *)loop;
    struct net_stream *made = new_stream(l, STREAM_CONNECTING, is_loopback(host) ? l->host : host, port);
    made->connected = connected;
    made->events = events;
    made->ctx = ctx;
    made->phase.fire = finish_connect;
    sim_schedule(l, &made->phase, 50, 1000);
    *stream = made;
    return 0;
}

void sim_net_peer_address(struct net_stream *stream, char text[IO_ADDRESS_BYTES])
{
    snprintf(text, IO_ADDRESS_BYTES, "%.50s:%d", stream->host, stream->port);
}

/* ---- listening ------------------------------------------------------------------------------------------------------------- */

int sim_net_listen(struct loop *loop, const char *host, int port, const struct net_listener_events *events, void *ctx,
                   struct net_listener **listener)
{
    struct sim_loop *l = (struct sim_loop *)(void *)loop;
    if (port != 0 && find_listener(l->world, l->host, port))
        return MILL_EADDRINUSE;
    struct net_listener *made = sim_must(calloc(1, sizeof *made));
    made->ops = loop->ops;
    made->loop = l;
    made->port = port != 0 ? port : l->world->next_port++;
    made->open = true;
    made->events = events;
    made->ctx = ctx;
    made->closing.ctx = made;
    list_push_back(&l->world->listeners, &made->link);
    *listener = made;
    return 0;
}

int sim_net_listener_port(struct net_listener *listener)
{
    return listener->port;
}

static void finish_listener_close(struct loop_timer *event, struct io_time now)
{
    struct net_listener *listener = event->ctx;
    const struct net_listener_events *events = listener->events;
    void *ctx = listener->ctx;
    list_remove(&listener->link);
    free(listener);
    events->closed(ctx);
}

/* Nobody takes new connections any more; those not yet accepted are reset. */
static void shut_listener(struct net_listener *listener)
{
    listener->open = false;
    list_for_each_safe (link, &listener->loop->world->streams) {
        struct net_stream *stream = list_entry(link, struct net_stream, link);
        if (stream->listener != listener)
            continue;
        timer_heap_remove(&stream->loop->timers, &stream->phase);
        break_stream(stream);
        timer_heap_remove(&stream->loop->timers, &stream->deliver);
        timer_heap_remove(&stream->loop->timers, &stream->transfer);
        free_stream(stream);
    }
}

void sim_net_listener_close(struct net_listener *listener)
{
    if (!listener->open && listener->closing.fire)
        return;
    shut_listener(listener);
    listener->closing.fire = finish_listener_close;
    sim_schedule(listener->loop, &listener->closing, 1, 50);
}

/* ---- trouble --------------------------------------------------------------------------------------------------------------- */

void sim_world_cut(struct sim_world *world, const char *a, const char *b, bool cut)
{
    int at = 0;
    while (at < world->cut_count && !(strcmp(world->cuts[at][0], a) == 0 && strcmp(world->cuts[at][1], b) == 0))
        at++;
    if (cut && at == world->cut_count) {
        mill_assert(world->cut_count < SIM_CUTS_MAX);
        snprintf(world->cuts[at][0], SIM_HOST_BYTES, "%s", a);
        snprintf(world->cuts[at][1], SIM_HOST_BYTES, "%s", b);
        world->cut_count++;
    } else if (!cut && at < world->cut_count) {
        memmove(world->cuts[at], world->cuts[at + 1], (size_t)(--world->cut_count - at) * sizeof world->cuts[0]);
    }
}

void sim_world_break_streams(struct sim_world *world, const char *host)
{
    list_for_each (link, &world->streams) {
        struct net_stream *stream = list_entry(link, struct net_stream, link);
        if (stream->state == STREAM_OPEN && stream->peer && strcmp(stream->loop->host, host) == 0)
            break_stream(stream);
    }
}

void sim_net_host_died(struct sim_world *world, const char *host)
{
    list_for_each (link, &world->listeners) {
        struct net_listener *listener = list_entry(link, struct net_listener, link);
        if (listener->open && strcmp(listener->loop->host, host) == 0)
            shut_listener(listener);
    }
    list_for_each (link, &world->streams) {
        struct net_stream *stream = list_entry(link, struct net_stream, link);
        if (!stream->peer || strcmp(stream->loop->host, host) != 0)
            continue;
        end_stream(stream->peer, prng_chance(&world->prng, 0.5) ? 0 : MILL_ECONNECTION);
        stream->peer = NULL;
    }
}

void sim_net_free(struct sim_world *world)
{
    while (!list_empty(&world->streams))
        free_stream(list_entry(world->streams.next, struct net_stream, link));
    struct list *link;
    while ((link = list_pop_front(&world->listeners)))
        free(list_entry(link, struct net_listener, link));
}
