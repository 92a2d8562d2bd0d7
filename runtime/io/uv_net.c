/*
 * TCP over libuv: streams that connect or are accepted, listeners.
 *
 * A stream's states, and what moves it on:
 *
 *      RESOLVING -> CONNECTING -> OPEN       looked up; connected (or accepted: OPEN from the start)
 *                    |    ^
 *                    v    |
 *                   BETWEEN                  an address failed, its handle is closing, the next one follows
 *      any ------> CLOSING                   net_close; freed by the callback that was pending last
 *      RESOLVING, CONNECTING -> FAILED       no address left; the owner has been told and calls net_close
 *
 * uv_write tries the socket at once when nothing is queued, and calls back in a later turn: no `written` from within net_write.
 *
 * The listener accepts by itself instead of through uv_listen, which without descriptors spins: here it rests and tries again,
 * while clients wait in the kernel's backlog.
 */
#include "io/uv_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

enum {
    FREE_WRITES_MAX = 256,
    VECTORS_MAX = 64,
    BACKLOG = 511,
    ACCEPTS_PER_EVENT = 64,  /* then other streams get their turn */
    ACCEPT_REST_US = 100000, /* out of descriptors or memory: long enough not to spin, short beside a client's patience */
    KEEPALIVE_SECONDS = 60,
};

enum stream_state { STREAM_RESOLVING, STREAM_CONNECTING, STREAM_BETWEEN, STREAM_OPEN, STREAM_FAILED, STREAM_CLOSING };

struct net_stream {
    const struct loop_ops *ops;
    struct uv_loop *loop;
    uv_tcp_t tcp; /* initialised in CONNECTING, BETWEEN, OPEN and their CLOSING */
    enum stream_state state;
    const struct net_stream_events *events; /* NULL until started */
    void *ctx;
    bool paused;
    bool read_ended; /* the peer's end or an error has been told */
    bool reserving;  /* within `reserve`, where libuv cannot bear a close: take_bytes, which follows, does it */

    void (*connected)(void *ctx, int code, struct io_time now);
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    struct addrinfo *addresses; /* owned; of the look-up */
    struct addrinfo *address;   /* being tried */
};

struct write_request {
    union {
        uv_write_t uv;
        struct write_request *next_free;
    };
    struct net_stream *stream;
    void *ctx;
};

struct net_listener {
    const struct loop_ops *ops;
    struct uv_loop *loop;
    uv_poll_t poll;
    int fd;
    struct loop_timer rest;
    const struct net_listener_events *events;
    void *ctx;
};

static void handle_closed(uv_handle_t *handle);

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static void provide_place(uv_handle_t *handle, size_t suggested, uv_buf_t *place)
{
    struct net_stream *stream = handle->data;
    size_t len = 0;
    stream->reserving = true;
    uint8_t *at = stream->events->reserve(stream->ctx, &len);
    if (!at || stream->state == STREAM_CLOSING)
        len = 0; /* libuv then answers UV_ENOBUFS */
    stream->reserving = stream->state == STREAM_CLOSING;
    *place = uv_buf_init((char *)at, (unsigned)(len < UINT32_MAX ? len : UINT32_MAX));
}

static void take_bytes(uv_stream_t *handle, ssize_t len, const uv_buf_t *place)
{
    struct net_stream *stream = handle->data;
    if (stream->reserving)
        uv_close((uv_handle_t *)&stream->tcp, handle_closed);
    if (stream->state == STREAM_CLOSING || len == 0)
        return;
    struct io_time now = uv_loop_tick(stream->loop);
    if (len > 0) {
        stream->events->read(stream->ctx, len, now);
        return;
    }
    stream->read_ended = true;
    uv_read_stop(handle);
    int code = len == UV_EOF ? 0 : len == UV_ENOBUFS ? MILL_ENOMEM : uv_code((int)len);
    stream->events->read(stream->ctx, code, now);
}

void uv_net_read_pause(struct net_stream *stream, bool paused)
{
    stream->paused = paused;
    if (stream->state != STREAM_OPEN || stream->read_ended)
        return;
    if (paused)
        uv_read_stop((uv_stream_t *)&stream->tcp);
    else if (stream->events)
        uv_read_start((uv_stream_t *)&stream->tcp, provide_place, take_bytes); /* UV_EALREADY is harmless */
}

int uv_net_start(struct net_stream *stream, const struct net_stream_events *events, void *ctx)
{
    mill_assert(stream->state == STREAM_OPEN);
    stream->events = events;
    stream->ctx = ctx;
    return stream->paused ? 0 : uv_code(uv_read_start((uv_stream_t *)&stream->tcp, provide_place, take_bytes));
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static struct write_request *take_write(struct uv_loop *loop)
{
    struct write_request *request = loop->free_writes;
    if (!request)
        return mem_alloc(sizeof *request);
    loop->free_writes = request->next_free;
    loop->free_write_count--;
    return request;
}

static void give_write(struct uv_loop *loop, struct write_request *request)
{
    if (loop->free_write_count == FREE_WRITES_MAX) {
        mem_free(request);
        return;
    }
    request->next_free = loop->free_writes;
    loop->free_writes = request;
    loop->free_write_count++;
}

void uv_net_free_writes(struct uv_loop *loop)
{
    while (loop->free_writes) {
        struct write_request *request = loop->free_writes;
        loop->free_writes = request->next_free;
        mem_free(request);
    }
}

static void finish_write(uv_write_t *uv, int result)
{
    struct write_request *request = uv->data;
    struct net_stream *stream = request->stream;
    void *ctx = request->ctx;
    give_write(stream->loop, request);
    stream->events->written(stream->ctx, ctx, uv_code(result), uv_loop_tick(stream->loop));
}

int uv_net_write(struct net_stream *stream, const struct io_vector *vectors, size_t count, void *write_ctx)
{
    mill_assert(count <= VECTORS_MAX);
    mill_assert(stream->events != NULL);
    if (stream->state != STREAM_OPEN)
        return MILL_ECLOSED;
    struct write_request *request = take_write(stream->loop);
    if (!request)
        return MILL_ENOMEM;
    request->stream = stream;
    request->ctx = write_ctx;
    request->uv.data = request;
    uv_buf_t bufs[VECTORS_MAX];
    for (size_t i = 0; i < count; i++) {
        mill_assert(vectors[i].len <= UINT32_MAX);
        bufs[i] = uv_buf_init((char *)vectors[i].data, (unsigned)vectors[i].len);
    }
    int result = uv_write(&request->uv, (uv_stream_t *)&stream->tcp, bufs, (unsigned)count, finish_write);
    if (result < 0)
        give_write(stream->loop, request);
    return uv_code(result);
}

size_t uv_net_write_queued(struct net_stream *stream)
{
    return stream->state == STREAM_OPEN ? uv_stream_get_write_queue_size((uv_stream_t *)&stream->tcp) : 0;
}

/* ---- closing --------------------------------------------------------------------------------------------------------------- */

static void finish_close(struct net_stream *stream)
{
    const struct net_stream_events *events = stream->events;
    void *ctx = stream->ctx;
    uv_freeaddrinfo(stream->addresses);
    mem_free(stream);
    if (events)
        events->closed(ctx);
}

static void handle_closed(uv_handle_t *handle)
{
    finish_close(handle->data);
}

void uv_net_close(struct net_stream *stream)
{
    enum stream_state before = stream->state;
    if (before == STREAM_CLOSING)
        return;
    stream->state = STREAM_CLOSING;
    if (stream->reserving)
        return;
    if (before == STREAM_RESOLVING)
        uv_cancel((uv_req_t *)&stream->resolve); /* its callback, cancelled or not, finishes the close */
    else if (before != STREAM_BETWEEN)           /* there the handle is closing already */
        uv_close((uv_handle_t *)&stream->tcp, handle_closed);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------------ */

static void open_socket_options(struct net_stream *stream)
{
    uv_tcp_nodelay(&stream->tcp, 1);
    uv_tcp_keepalive(&stream->tcp, 1, KEEPALIVE_SECONDS);
}

static struct net_stream *new_stream(struct uv_loop *loop, enum stream_state state)
{
    struct net_stream *stream = mem_calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->ops = loop->loop.ops;
    stream->loop = loop;
    stream->state = state;
    uv_tcp_init(&loop->uv, &stream->tcp);
    stream->tcp.data = stream;
    stream->resolve.data = stream;
    stream->connect.data = stream;
    return stream;
}

static void fail_connect(struct net_stream *stream, int code)
{
    stream->state = STREAM_FAILED;
    stream->connected(stream->ctx, code, uv_loop_tick(stream->loop));
}

static void finish_connect(uv_connect_t *request, int result);

static void try_address(struct net_stream *stream)
{
    stream->state = STREAM_CONNECTING;
    int result = uv_tcp_connect(&stream->connect, &stream->tcp, stream->address->ai_addr, finish_connect);
    if (result < 0)
        finish_connect(&stream->connect, result);
}

/* The failed address's handle is gone: a fresh one for the next address. */
static void try_next_address(uv_handle_t *handle)
{
    struct net_stream *stream = handle->data;
    if (stream->state == STREAM_CLOSING) {
        finish_close(stream);
        return;
    }
    uv_tcp_init(&stream->loop->uv, &stream->tcp);
    stream->tcp.data = stream;
    stream->address = stream->address->ai_next;
    try_address(stream);
}

static void finish_connect(uv_connect_t *request, int result)
{
    struct net_stream *stream = request->data;
    if (stream->state == STREAM_CLOSING)
        return; /* cancelled: handle_closed follows */
    if (result < 0 && stream->address->ai_next) {
        stream->state = STREAM_BETWEEN;
        uv_close((uv_handle_t *)&stream->tcp, try_next_address);
        return;
    }
    if (result < 0) {
        fail_connect(stream, uv_code(result));
        return;
    }
    stream->state = STREAM_OPEN;
    open_socket_options(stream);
    stream->connected(stream->ctx, 0, uv_loop_tick(stream->loop));
    if (stream->state == STREAM_OPEN && !stream->paused)
        uv_read_start((uv_stream_t *)&stream->tcp, provide_place, take_bytes);
}

static void finish_resolve(uv_getaddrinfo_t *request, int result, struct addrinfo *addresses)
{
    struct net_stream *stream = request->data;
    stream->addresses = addresses;
    stream->address = addresses;
    if (stream->state == STREAM_CLOSING)
        uv_close((uv_handle_t *)&stream->tcp, handle_closed);
    else if (result < 0)
        fail_connect(stream, uv_code(result));
    else
        try_address(stream);
}

/* A numeric address needs no look-up, and so no thread of libuv's pool. */
static int start_connect(struct net_stream *stream, const char *host, int port)
{
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
    if (getaddrinfo(host, service, &hints, &stream->addresses) == 0) {
        stream->address = stream->addresses;
        stream->state = STREAM_CONNECTING;
        return uv_tcp_connect(&stream->connect, &stream->tcp, stream->address->ai_addr, finish_connect);
    }
    stream->addresses = NULL;
    hints.ai_flags = AI_NUMERICSERV;
    return uv_getaddrinfo(&stream->loop->uv, &stream->resolve, finish_resolve, host, service, &hints);
}

int uv_net_connect(struct loop *loop, const char *host, int port, void (*connected)(void *ctx, int code, struct io_time now),
                   const struct net_stream_events *events, void *ctx, struct net_stream **stream)
{
    struct net_stream *made = new_stream((struct uv_loop *)(void *)loop, STREAM_RESOLVING);
    if (!made)
        return MILL_ENOMEM;
    made->connected = connected;
    made->events = events;
    made->ctx = ctx;
    int result = start_connect(made, host, port);
    if (result < 0) {
        made->state = STREAM_CLOSING;
        made->events = NULL; /* the caller never had it: it goes without a word */
        uv_close((uv_handle_t *)&made->tcp, handle_closed);
        return uv_code(result);
    }
    *stream = made;
    return 0;
}

static void write_address(const struct sockaddr_storage *address, char text[IO_ADDRESS_BYTES])
{
    char host[IO_ADDRESS_BYTES - 8];
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        const uint8_t *bytes = v6->sin6_addr.s6_addr;
        uv_ip6_name(v6, host, sizeof host);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            snprintf(text, IO_ADDRESS_BYTES, "%d.%d.%d.%d:%d", bytes[12], bytes[13], bytes[14], bytes[15], ntohs(v6->sin6_port));
        else
            snprintf(text, IO_ADDRESS_BYTES, "[%s]:%d", host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        uv_ip4_name(v4, host, sizeof host);
        snprintf(text, IO_ADDRESS_BYTES, "%s:%d", host, ntohs(v4->sin_port));
    }
}

void uv_net_peer_address(struct net_stream *stream, char text[IO_ADDRESS_BYTES])
{
    struct sockaddr_storage address;
    int len = sizeof address;
    if (stream->state == STREAM_OPEN && uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)&address, &len) == 0)
        write_address(&address, text);
    else
        snprintf(text, IO_ADDRESS_BYTES, "unknown");
}

/* ---- listening ------------------------------------------------------------------------------------------------------------- */

static void accept_streams(uv_poll_t *handle, int status, int events);

static void end_rest(struct loop_timer *timer, struct io_time now)
{
    struct net_listener *listener = timer->ctx;
    uv_poll_start(&listener->poll, UV_READABLE, accept_streams);
}

static void rest(struct net_listener *listener)
{
    uv_poll_stop(&listener->poll);
    timer_heap_set(&listener->loop->timers, &listener->rest, listener->loop->now.monotonic_us + ACCEPT_REST_US);
}

/* What is wrong with one connection alone, or with none: go on. */
static bool is_passing(int number)
{
    return number == EINTR || number == ECONNABORTED || number == EPROTO || number == EPERM;
}

static struct net_stream *stream_of_descriptor(struct uv_loop *loop, int fd)
{
    struct net_stream *stream = new_stream(loop, STREAM_OPEN);
    if (!stream) {
        close(fd);
        return NULL;
    }
    if (uv_tcp_open(&stream->tcp, fd) < 0) {
        close(fd);
        uv_net_close(stream);
        return NULL;
    }
    open_socket_options(stream);
    return stream;
}

static void accept_streams(uv_poll_t *handle, int status, int events)
{
    struct net_listener *listener = handle->data;
    struct io_time now = uv_loop_tick(listener->loop);
    for (int i = 0; i < ACCEPTS_PER_EVENT && !uv_is_closing((uv_handle_t *)handle); i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (fd < 0 && is_passing(errno))
            continue;
        struct net_stream *stream = fd < 0 ? NULL : stream_of_descriptor(listener->loop, fd);
        if (!stream) {
            rest(listener);
            return;
        }
        listener->events->accepted(listener->ctx, stream, now);
    }
}

/* A listening socket on one address, or the negative code why not. */
static int listening_socket(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_from_errno(errno);
    const int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off); /* "::" serves IPv4 too */
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int code = error_from_errno(errno);
        close(fd);
        return code;
    }
    return fd;
}

/* The first address of `host` that binds. The any-address is "::", which serves both families; of a name, IPv4 goes first. */
static int bind_host(const char *host, int port)
{
    const bool any = host[0] == '\0';
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *addresses;
    if (getaddrinfo(any ? NULL : host, service, &hints, &addresses) != 0)
        return MILL_ENOTFOUND;
    const int families[] = { any ? AF_INET6 : AF_INET, any ? AF_INET : AF_INET6 };
    int fd = MILL_ENOTFOUND;
    for (int i = 0; i < 2 && fd < 0; i++)
        for (struct addrinfo *address = addresses; address && fd < 0; address = address->ai_next)
            if (address->ai_family == families[i])
                fd = listening_socket(address);
    freeaddrinfo(addresses);
    return fd;
}

int uv_net_listen(struct loop *loop, const char *host, int port, const struct net_listener_events *events, void *ctx,
                  struct net_listener **listener)
{
    struct net_listener *made = mem_calloc(1, sizeof *made);
    if (!made)
        return MILL_ENOMEM;
    made->ops = loop->ops;
    made->loop = (struct uv_loop *)(void *)loop;
    made->events = events;
    made->ctx = ctx;
    made->rest.fire = end_rest;
    made->rest.ctx = made;
    made->fd = bind_host(host, port);
    if (made->fd < 0) {
        int code = made->fd;
        mem_free(made);
        return code;
    }
    int result = uv_poll_init(&made->loop->uv, &made->poll, made->fd);
    if (result < 0) {
        close(made->fd);
        mem_free(made);
        return uv_code(result);
    }
    made->poll.data = made;
    uv_poll_start(&made->poll, UV_READABLE, accept_streams);
    *listener = made;
    return 0;
}

int uv_net_listener_port(struct net_listener *listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(listener->fd, (struct sockaddr *)&address, &len) < 0)
        return error_from_errno(errno);
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&address)->sin6_port
                                               : ((struct sockaddr_in *)(void *)&address)->sin_port);
}

static void listener_closed(uv_handle_t *handle)
{
    struct net_listener *listener = handle->data;
    const struct net_listener_events *events = listener->events;
    void *ctx = listener->ctx;
    mem_free(listener);
    events->closed(ctx);
}

void uv_net_listener_close(struct net_listener *listener)
{
    timer_heap_remove(&listener->loop->timers, &listener->rest);
    uv_close((uv_handle_t *)&listener->poll, listener_closed);
    close(listener->fd); /* at once: the port is free again for whoever listens next; libuv has let go of the descriptor */
}
