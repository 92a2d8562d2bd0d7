/*
 * The server's end: a ring of requests in the order of their arrival, and one loop (`pump`) that moves all of it as far as it
 * goes.
 *
 *      frame -> [ WAITING ] -> start -> [ RUNNING ] -> server_connection_answer -> [ ANSWERED ] -> written, in order of arrival
 *
 * The ring always reads ANSWERED or RUNNING first, then WAITING. Answers given from within `request` only mark their slot: the
 * loop that called goes on with them, so the stack does not grow with the pipeline.
 *
 * Ending: the stream is closed at once; slots that the owner does not have are freed; `closed` is called when the stream is gone
 * and the last RUNNING request is back.
 */
#include "transport/server_connection.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "transport/frame.h"

enum slot_state { SLOT_WAITING, SLOT_RUNNING, SLOT_ANSWERED };

struct slot {
    struct request *request;
    enum slot_state state;
};

struct server_connection {
    struct loop *loop;
    struct net_stream *stream;
    const struct server_connection_limits *limits;
    const struct server_connection_events *events;
    void *ctx;
    char peer[IO_ADDRESS_BYTES];

    struct frame_reader reader;
    struct list writing; /* requests whose answers the stream has */
    size_t read_bytes;   /* frames of the requests in the ring */
    struct loop_timer idle;
    int64_t active_us;

    bool pumping;
    bool paused;
    bool draining;   /* read no further */
    bool peer_ended; /* nothing further will come */
    bool closing;
    bool opened; /* open has succeeded: the owner hears of the end */
    bool stream_gone;
    int code;
    struct error_text why;

    int first;
    int count;
    struct slot ring[]; /* limits->requests_max */
};

struct server_connection_limits server_connection_default_limits(void)
{
    return (struct server_connection_limits){
        .frame_bytes_max = FRAME_BYTES_MAX,
        .arena_bytes_max = (size_t)64 << 20,
        .requests_max = 16,
        .read_bytes_max = (size_t)8 << 20,
        .write_bytes_max = (size_t)1 << 20,
        .idle_us = INT64_C(600) * 1000000,
    };
}

static struct slot *slot_at(struct server_connection *connection, int i)
{
    return &connection->ring[(connection->first + i) % connection->limits->requests_max];
}

static int running_count(struct server_connection *connection)
{
    int running = 0;
    for (int i = 0; i < connection->count; i++)
        running += slot_at(connection, i)->state == SLOT_RUNNING;
    return running;
}

static struct request *pop_first(struct server_connection *connection)
{
    struct request *request = slot_at(connection, 0)->request;
    if (request->frame)
        connection->read_bytes -= request->frame->len;
    connection->first = (connection->first + 1) % connection->limits->requests_max;
    connection->count--;
    return request;
}

/* ---- ending ---------------------------------------------------------------------------------------------------------------- */

/* Frees the requests that the owner does not have; those that it has stay, in order. */
static void drop_slots(struct server_connection *connection)
{
    for (int left = connection->count; left > 0; left--) {
        struct slot slot = *slot_at(connection, 0);
        pop_first(connection);
        if (slot.state == SLOT_RUNNING)
            *slot_at(connection, connection->count++) = slot;
        else
            request_free(slot.request);
    }
}

/* Only what is parked for long is worth telling: the owner knows which. */
static void tell_unwanted(struct server_connection *connection)
{
    struct io_time now = loop_now(connection->loop);
    for (int i = 0; connection->events->unwanted && i < connection->count; i++)
        if (slot_at(connection, i)->state == SLOT_RUNNING)
            connection->events->unwanted(connection->ctx, slot_at(connection, i)->request, now);
}

static void begin_close(struct server_connection *connection, int code)
{
    if (connection->closing)
        return;
    connection->closing = true;
    connection->code = code;
    loop_timer_cancel(connection->loop, &connection->idle);
    drop_slots(connection);
    net_close(connection->stream);
    tell_unwanted(connection);
}

static void finish_if_over(struct server_connection *connection)
{
    if (!connection->stream_gone || connection->pumping || connection->count > 0)
        return;
    if (connection->opened)
        connection->events->closed(connection->ctx, connection, connection->code, connection->why.text);
    mem_free(connection);
}

/* ---- answers out ----------------------------------------------------------------------------------------------------------- */

static void write_answer(struct server_connection *connection, struct request *request)
{
    if (!request->response.body) {
        if (request->response.error)
            begin_close(connection,
                        error_set(&connection->why, request->response.error, "a %s request without answer has failed: %s",
                                  request->api->name, mill_error_text(request->response.error)));
        request_free(request);
        return;
    }
    struct wire_frame frame;
    list_init(&request->link);
    list_push_back(&connection->writing, &request->link);
    int code = response_encode(request, &frame, &connection->why);
    if (!code)
        code = frame_write(connection->stream, &frame, request);
    if (code)
        begin_close(connection, code);
}

static bool write_answers(struct server_connection *connection)
{
    bool any = false;
    while (!connection->closing && connection->count > 0 && slot_at(connection, 0)->state == SLOT_ANSWERED) {
        write_answer(connection, pop_first(connection));
        any = true;
    }
    return any;
}

/* ---- requests in ----------------------------------------------------------------------------------------------------------- */

static bool may_start(struct server_connection *connection, int i)
{
    if (net_write_queued(connection->stream) > connection->limits->write_bytes_max)
        return false;
    if (i == 0)
        return true;
    return connection->events->overlaps &&
           connection->events->overlaps(connection->ctx, slot_at(connection, i - 1)->request, slot_at(connection, i)->request);
}

/* Starts the first that waits, if it may. */
static bool start_request(struct server_connection *connection, struct io_time now)
{
    int i = 0;
    while (i < connection->count && slot_at(connection, i)->state != SLOT_WAITING)
        i++;
    if (connection->closing || i == connection->count || !may_start(connection, i))
        return false;
    struct slot *slot = slot_at(connection, i);
    slot->state = SLOT_RUNNING;
    connection->events->request(connection->ctx, connection, slot->request, now);
    return true;
}

static bool has_room(const struct server_connection *connection)
{
    return connection->count < connection->limits->requests_max &&
           (connection->count == 0 || connection->read_bytes < connection->limits->read_bytes_max);
}

static bool take_frame(struct server_connection *connection, struct io_time now)
{
    if (connection->closing || connection->draining || !has_room(connection))
        return false;
    struct shared_buffer *frame;
    int code = frame_reader_next(&connection->reader, &frame);
    if (code < 0) {
        connection->why = connection->reader.error;
        begin_close(connection, code);
    }
    if (code <= 0)
        return false;

    struct request *request;
    code = request_decode(frame, connection->limits->arena_bytes_max, &request, &connection->why);
    if (code) {
        shared_buffer_drop(frame);
        begin_close(connection, code);
        return false;
    }
    request->owner = connection;
    connection->active_us = now.monotonic_us;
    connection->read_bytes += frame->len;
    *slot_at(connection, connection->count++) = (struct slot){ request, SLOT_WAITING };
    return true;
}

static void pause_or_resume(struct server_connection *connection)
{
    bool paused = connection->draining || connection->peer_ended || !has_room(connection);
    if (connection->closing || paused == connection->paused)
        return;
    connection->paused = paused;
    net_read_pause(connection->stream, paused);
}

static bool is_drained(const struct server_connection *connection)
{
    return (connection->draining || connection->peer_ended) && connection->count == 0 && list_empty(&connection->writing);
}

static void pump(struct server_connection *connection, struct io_time now)
{
    if (connection->pumping)
        return;
    connection->pumping = true;
    for (bool progress = true; progress;) {
        progress = write_answers(connection);
        progress |= start_request(connection, now);
        progress |= take_frame(connection, now);
    }
    pause_or_resume(connection);
    if (connection->peer_ended && !connection->closing)
        tell_unwanted(connection);
    if (is_drained(connection))
        begin_close(connection, 0);
    connection->pumping = false;
    finish_if_over(connection);
}

/* ---- the stream's events --------------------------------------------------------------------------------------------------- */

static uint8_t *on_reserve(void *ctx, size_t *len)
{
    struct server_connection *connection = (struct server_connection *)ctx;
    return frame_reader_reserve(&connection->reader, len);
}

static void on_read(void *ctx, ssize_t len, struct io_time now)
{
    struct server_connection *connection = (struct server_connection *)ctx;
    if (connection->closing)
        return;
    if (len < 0) {
        begin_close(connection, error_set(&connection->why, (int)len, "reading: %s", mill_error_text((int)len)));
        return;
    }
    if (len == 0)
        connection->peer_ended = true; /* what it has sent is still worked on: a producer with acks=0 may send and go */
    else
        frame_reader_commit(&connection->reader, (size_t)len);
    pump(connection, now);
}

static void on_written(void *ctx, void *write_ctx, int code, struct io_time now)
{
    struct server_connection *connection = (struct server_connection *)ctx;
    struct request *request = (struct request *)write_ctx;
    if (request) {
        list_remove(&request->link);
        request_free(request);
    }
    if (code && !connection->closing)
        begin_close(connection, error_set(&connection->why, code, "writing: %s", mill_error_text(code)));
    connection->active_us = now.monotonic_us;
    if (!connection->closing)
        pump(connection, now);
}

static void on_closed(void *ctx)
{
    struct server_connection *connection = (struct server_connection *)ctx;
    for (struct list *node; (node = list_pop_front(&connection->writing));)
        request_free(list_entry(node, struct request, link));
    frame_reader_release(&connection->reader);
    connection->stream_gone = true;
    finish_if_over(connection);
}

static const struct net_stream_events STREAM_EVENTS = { on_reserve, on_read, on_written, on_closed };

static void on_idle(struct loop_timer *timer, struct io_time now)
{
    struct server_connection *connection = (struct server_connection *)timer->ctx;
    int64_t idle_us = connection->limits->idle_us;
    if (running_count(connection) > 0)
        connection->active_us = now.monotonic_us;
    if (now.monotonic_us - connection->active_us >= idle_us)
        begin_close(connection, error_set(&connection->why, MILL_ETIMEOUT, "idle for %lld s", (long long)(idle_us / 1000000)));
    else
        loop_timer_set(connection->loop, timer, connection->active_us + idle_us);
}

/* ---- the owner's calls ----------------------------------------------------------------------------------------------------- */

int server_connection_open(struct loop *loop, struct net_stream *stream, const struct server_connection_limits *limits,
                           const struct server_connection_events *events, void *ctx, struct server_connection **opened)
{
    mill_assert(limits->requests_max >= 1);
    struct server_connection *connection =
        (struct server_connection *)mem_calloc(1, sizeof *connection + (size_t)limits->requests_max * sizeof connection->ring[0]);
    if (!connection) {
        net_close(stream);
        return MILL_ENOMEM;
    }
    connection->loop = loop;
    connection->stream = stream;
    connection->limits = limits;
    connection->events = events;
    connection->ctx = ctx;
    connection->active_us = loop_now(loop).monotonic_us;
    connection->idle = (struct loop_timer){ .fire = on_idle, .ctx = connection };
    list_init(&connection->writing);
    frame_reader_init(&connection->reader, limits->frame_bytes_max);
    net_peer_address(stream, connection->peer);

    int code = net_start(stream, &STREAM_EVENTS, connection);
    if (code) {
        begin_close(connection, code); /* freed when the stream is gone */
        return code;
    }
    connection->opened = true;
    if (limits->idle_us > 0)
        loop_timer_set(loop, &connection->idle, connection->active_us + limits->idle_us);
    *opened = connection;
    return 0;
}

static int slot_of(struct server_connection *connection, const struct request *request)
{
    for (int i = 0; i < connection->count; i++)
        if (slot_at(connection, i)->request == request)
            return i;
    return -1;
}

void server_connection_answer(struct request *request, struct io_time now)
{
    struct server_connection *connection = (struct server_connection *)request->owner;
    int i = slot_of(connection, request);
    mill_assert(i >= 0);
    mill_assert(slot_at(connection, i)->state == SLOT_RUNNING);
    slot_at(connection, i)->state = SLOT_ANSWERED;
    if (!connection->closing) {
        connection->active_us = now.monotonic_us;
        pump(connection, now);
        return;
    }
    drop_slots(connection);
    finish_if_over(connection);
}

void server_connection_close(struct server_connection *connection)
{
    begin_close(connection, 0);
}

void server_connection_drain(struct server_connection *connection)
{
    connection->draining = true;
    pump(connection, loop_now(connection->loop));
}

const char *server_connection_peer(const struct server_connection *connection)
{
    return connection->peer;
}

void *server_connection_context(const struct server_connection *connection)
{
    return connection->ctx;
}
