/*
 * What the files of the libuv implementation share; nobody outside runtime/io includes it.
 */
#ifndef IO_UV_LOOP_H
#define IO_UV_LOOP_H

#include <pthread.h>
#include <uv.h>

#include "io/io.h"
#include "io/timer_heap.h"

struct write_request;

struct uv_loop {
    struct loop loop; /* first: a struct loop * is one of these */
    uv_loop_t uv;
    uv_timer_t timer;     /* armed for the heap's root before each poll */
    uv_prepare_t prepare; /* arms it */
    uv_async_t async;     /* `completed` or `signalled` has got its first entry */
    struct timer_heap timers;
    struct io_time now;
    bool running;
    bool stopping;

    struct work_threads *threads;
    size_t work_pending;

    pthread_mutex_t mutex; /* guards what other threads touch: */
    struct list completed; /* work items whose run has returned */
    struct list signalled; /* wakeups */

    struct write_request *free_writes; /* kept for reuse, at most FREE_WRITES_MAX */
    size_t free_write_count;
};

/* The time as of now, also kept for loop_now: each libuv callback begins with it. */
struct io_time uv_loop_tick(struct uv_loop *loop);

/* Hands a finished item to the loop that submitted it. Any thread. */
void uv_loop_complete(struct work_item *item);

/* Queues an item for the threads of its class. */
void work_threads_submit(struct work_threads *threads, enum work_class class, struct work_item *item);

/* A libuv result as MILL_E*. */
int uv_code(int result);

/* The network half of loop_ops, in uv_net.c. */
int uv_net_listen(struct loop *loop, const char *host, int port, const struct net_listener_events *events, void *ctx,
                  struct net_listener **listener);
int uv_net_listener_port(struct net_listener *listener);
void uv_net_listener_close(struct net_listener *listener);
int uv_net_connect(struct loop *loop, const char *host, int port, void (*connected)(void *ctx, int code, struct io_time now),
                   const struct net_stream_events *events, void *ctx, struct net_stream **stream);
int uv_net_start(struct net_stream *stream, const struct net_stream_events *events, void *ctx);
void uv_net_read_pause(struct net_stream *stream, bool paused);
int uv_net_write(struct net_stream *stream, const struct io_vector *vectors, size_t count, void *write_ctx);
size_t uv_net_write_queued(struct net_stream *stream);
void uv_net_close(struct net_stream *stream);
void uv_net_peer_address(struct net_stream *stream, char text[IO_ADDRESS_BYTES]);
void uv_net_free_writes(struct uv_loop *loop);

#endif
