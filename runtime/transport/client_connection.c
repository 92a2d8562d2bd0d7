/*
 * The client's end: one list of requests in the order of their sending.
 *
 * `request->holder` is the encoded frame while the stream needs its bytes, NULL once they are written. A request goes back when
 * its answer is here and it is written, too, so that nobody frees what is still being sent.
 *
 * Ending: the stream is closed at once, and when it is gone, so that no write refers to them, all requests go back with the
 * error.
 */
#include "transport/client_connection.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "transport/frame.h"

struct client_connection {
    struct loop *loop;
    struct net_stream *stream;
    const struct client_connection_limits *limits;
    const struct client_connection_events *events;
    void *ctx;

    struct frame_reader reader;
    struct list requests; /* in the order of their sending */
    int request_count;
    int32_t next_correlation_id;
    struct loop_timer timer;     /* at the earliest deadline */
    int64_t connect_deadline_us; /* 0: none */

    bool connected;
    bool closing;
    int code; /* of the requests that are out; the owner's close counts as MILL_ECLOSED for them */
    struct error_text why;
};

struct client_connection_limits client_connection_default_limits(void)
{
    return (struct client_connection_limits){
        .frame_bytes_max = FRAME_BYTES_MAX,
        .requests_max = 64,
        .connect_us = INT64_C(10) * 1000000,
    };
}

static struct request *first_request(struct client_connection *connection)
{
    return list_empty(&connection->requests) ? NULL : list_entry(connection->requests.next, struct request, link);
}

static bool is_written(const struct request *request)
{
    return request->holder == NULL;
}

static void begin_close(struct client_connection *connection, int code)
{
    if (connection->closing)
        return;
    connection->closing = true;
    connection->code = code;
    loop_timer_cancel(connection->loop, &connection->timer);
    net_close(connection->stream);
}

static void hand_back(struct client_connection *connection, struct request *request, struct io_time now)
{
    list_remove(&request->link);
    connection->request_count--;
    request->holder = NULL;
    connection->events->answered(connection->ctx, connection, request, now);
}

/* ---- deadlines ------------------------------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    if (a_us == 0 || b_us == 0)
        return a_us + b_us;
    return a_us < b_us ? a_us : b_us;
}

static void on_deadline(struct loop_timer *timer, struct io_time now)
{
    struct client_connection *connection = (struct client_connection *)timer->ctx;
    int64_t next_us = connection->connect_deadline_us;
    if (next_us != 0 && next_us <= now.monotonic_us) {
        begin_close(connection, error_set(&connection->why, MILL_ETIMEOUT, "could not connect in %lld ms",
                                          (long long)(connection->limits->connect_us / 1000)));
        return;
    }
    list_for_each (node, &connection->requests) {
        const struct request *request = list_entry(node, struct request, link);
        if (request->deadline_us != 0 && request->deadline_us <= now.monotonic_us) {
            begin_close(connection, error_set(&connection->why, MILL_ETIMEOUT, "no answer to %s version %d in time",
                                              request->api->name, request->api_version));
            return;
        }
        next_us = earlier(next_us, request->deadline_us);
    }
    if (next_us != 0)
        loop_timer_set(connection->loop, timer, next_us);
}

static void watch_deadline(struct client_connection *connection, int64_t deadline_us)
{
    if (deadline_us != 0 && (connection->timer.at_us == 0 || deadline_us < connection->timer.at_us))
        loop_timer_set(connection->loop, &connection->timer, deadline_us);
}

/* ---- answers in ------------------------------------------------------------------------------------------------------------ */

/* The request that the next answer belongs to; NULL: none is out. */
static struct request *next_to_be_answered(struct client_connection *connection)
{
    list_for_each (node, &connection->requests) {
        struct request *request = list_entry(node, struct request, link);
        if (!request->one_way)
            return request;
    }
    return NULL;
}

static int take_answer(struct client_connection *connection, struct request *request, struct shared_buffer *frame)
{
    int32_t correlation_id = 0;
    int code = response_peek(mill_bytes_of(frame->data, frame->len), &correlation_id);
    if (code)
        return error_set(&connection->why, MILL_EPROTOCOL, "an answer of %u bytes has no header", (unsigned)frame->len);
    if (!request || correlation_id != request->correlation_id)
        return error_set(&connection->why, MILL_EPROTOCOL, "an answer with correlation id %d, where %d is due",
                         (int)correlation_id, request ? (int)request->correlation_id : -1);
    code = response_decode(request, frame, &connection->why);
    return code == MILL_ENOMEM || code == 0 ? code : MILL_EPROTOCOL;
}

static void take_answers(struct client_connection *connection, struct io_time now)
{
    while (!connection->closing) {
        struct shared_buffer *frame;
        int code = frame_reader_next(&connection->reader, &frame);
        if (code == 0)
            return;
        if (code < 0) {
            connection->why = connection->reader.error;
            begin_close(connection, code);
            return;
        }
        struct request *request = next_to_be_answered(connection);
        code = take_answer(connection, request, frame);
        if (code) {
            shared_buffer_drop(frame);
            begin_close(connection, code);
        } else if (is_written(request)) {
            hand_back(connection, request, now);
        }
    }
}

/* ---- the stream's events --------------------------------------------------------------------------------------------------- */

static uint8_t *on_reserve(void *ctx, size_t *len)
{
    struct client_connection *connection = (struct client_connection *)ctx;
    return frame_reader_reserve(&connection->reader, len);
}

static void on_read(void *ctx, ssize_t len, struct io_time now)
{
    struct client_connection *connection = (struct client_connection *)ctx;
    if (connection->closing)
        return;
    if (len <= 0) {
        begin_close(connection, error_set(&connection->why, len == 0 ? MILL_ECONNECTION : (int)len, "%s",
                                          len == 0 ? "the broker has closed the connection" : mill_error_text((int)len)));
        return;
    }
    frame_reader_commit(&connection->reader, (size_t)len);
    take_answers(connection, now);
}

static void on_written(void *ctx, void *write_ctx, int code, struct io_time now)
{
    struct client_connection *connection = (struct client_connection *)ctx;
    struct request *request = (struct request *)write_ctx;
    if (request)
        request->holder = NULL;
    if (connection->closing)
        return;
    if (code) {
        begin_close(connection, error_set(&connection->why, code, "sending: %s", mill_error_text(code)));
        return;
    }
    if (request && (request->one_way || request->response.body))
        hand_back(connection, request, now);
}

static void on_closed(void *ctx)
{
    struct client_connection *connection = (struct client_connection *)ctx;
    struct io_time now = loop_now(connection->loop);
    for (struct request *request; (request = first_request(connection));) {
        if (!request->response.body)
            request->response.error = connection->code ? connection->code : MILL_ECLOSED;
        hand_back(connection, request, now);
    }
    frame_reader_release(&connection->reader);
    connection->events->closed(connection->ctx, connection, connection->code, connection->why.text, now);
    mem_free(connection);
}

static const struct net_stream_events STREAM_EVENTS = { on_reserve, on_read, on_written, on_closed };

/* ---- sending --------------------------------------------------------------------------------------------------------------- */

static void write_request(struct client_connection *connection, struct request *request)
{
    int code = frame_write(connection->stream, (const struct wire_frame *)request->holder, request);
    if (code)
        begin_close(connection, error_set(&connection->why, code, "sending: %s", mill_error_text(code)));
}

static void on_connected(void *ctx, int code, struct io_time now)
{
    struct client_connection *connection = (struct client_connection *)ctx;
    if (connection->closing)
        return;
    if (code) {
        begin_close(connection, error_set(&connection->why, code, "could not connect: %s", mill_error_text(code)));
        return;
    }
    connection->connected = true;
    connection->connect_deadline_us = 0;
    list_for_each (node, &connection->requests) {
        if (!connection->closing)
            write_request(connection, list_entry(node, struct request, link));
    }
    if (!connection->closing && connection->events->connected)
        connection->events->connected(connection->ctx, connection, now);
}

int client_connection_open(struct loop *loop, const char *host, int port, const struct client_connection_limits *limits,
                           const struct client_connection_events *events, void *ctx, struct client_connection **opened)
{
    struct client_connection *connection = (struct client_connection *)mem_calloc(1, sizeof *connection);
    if (!connection)
        return MILL_ENOMEM;
    connection->loop = loop;
    connection->limits = limits;
    connection->events = events;
    connection->ctx = ctx;
    connection->timer = (struct loop_timer){ .fire = on_deadline, .ctx = connection };
    list_init(&connection->requests);
    frame_reader_init(&connection->reader, limits->frame_bytes_max);
    int code = net_connect(loop, host, port, on_connected, &STREAM_EVENTS, connection, &connection->stream);
    if (code) {
        mem_free(connection);
        return code;
    }
    if (limits->connect_us > 0)
        connection->connect_deadline_us = loop_now(loop).monotonic_us + limits->connect_us;
    watch_deadline(connection, connection->connect_deadline_us);
    *opened = connection;
    return 0;
}

/* Encodes into the request's arena; the frame itself lies there, too. */
static int encode(struct request *request, struct error_text *error)
{
    struct wire_frame *frame = (struct wire_frame *)arena_alloc(&request->arena, sizeof *frame);
    int code = frame ? request_encode(request, frame, error) : MILL_ENOMEM;
    request->holder = code ? NULL : frame;
    return code;
}

int client_connection_send(struct client_connection *connection, struct request *request, int64_t deadline_us,
                           struct error_text *error)
{
    if (connection->closing)
        return MILL_ECLOSED;
    if (connection->request_count >= connection->limits->requests_max)
        return MILL_EAGAIN;
    request->correlation_id = connection->next_correlation_id;
    int code = encode(request, error);
    if (code)
        return code;
    connection->next_correlation_id = connection->next_correlation_id == INT32_MAX ? 0 : connection->next_correlation_id + 1;
    request->deadline_us = deadline_us;
    list_push_back(&connection->requests, &request->link);
    connection->request_count++;
    watch_deadline(connection, deadline_us);
    if (connection->connected)
        write_request(connection, request);
    return 0;
}

int client_connection_in_flight(const struct client_connection *connection)
{
    return connection->request_count;
}

void client_connection_close(struct client_connection *connection)
{
    begin_close(connection, 0);
}

void *client_connection_context(const struct client_connection *connection)
{
    return connection->ctx;
}
