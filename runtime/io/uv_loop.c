/*
 * One thread's loop over libuv: timers, wakeups, completions of work, time.
 *
 * Timers lie in our own heap; one uv_timer is armed for its root just before libuv polls. libuv counts milliseconds: a timer may
 * be late by one, never early. Other threads reach the loop through two lists under one mutex and one uv_async.
 */
#include "io/uv_loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"

static struct uv_loop *of_loop(struct loop *loop)
{
    return (struct uv_loop *)(void *)loop;
}

int uv_code(int result)
{
    if (result >= 0)
        return 0;
    if (result == UV_ECANCELED)
        return MILL_ECLOSED;
    if (result <= UV_EAI_ADDRFAMILY && result >= UV_EAI_SOCKTYPE)
        return MILL_ENOTFOUND;
    return error_from_errno(-result);
}

/* ---- time and timers ------------------------------------------------------------------------------------------------------- */

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct io_time uv_loop_tick(struct uv_loop *loop)
{
    loop->now = (struct io_time){ .monotonic_us = clock_us(CLOCK_MONOTONIC), .wall_ms = clock_us(CLOCK_REALTIME) / 1000 };
    return loop->now;
}

static struct io_time now_of(struct loop *loop)
{
    struct uv_loop *l = of_loop(loop);
    return l->running ? l->now : uv_loop_tick(l);
}

static void set_timer(struct loop *loop, struct loop_timer *timer, int64_t at_us)
{
    timer_heap_set(&of_loop(loop)->timers, timer, at_us);
}

static void cancel_timer(struct loop *loop, struct loop_timer *timer)
{
    timer_heap_remove(&of_loop(loop)->timers, timer);
}

/* Fires what is due as of one moment: a timer that sets itself to now again waits for the next turn. */
static void fire_timers(uv_timer_t *handle)
{
    struct uv_loop *loop = handle->data;
    struct io_time now = uv_loop_tick(loop);
    uint64_t set_before = loop->timers.next_sequence;
    for (;;) {
        struct loop_timer *timer = loop->timers.root;
        if (!timer || timer->at_us > now.monotonic_us || timer->sequence >= set_before)
            return;
        timer_heap_remove(&loop->timers, timer);
        timer->fire(timer, now);
    }
}

static void arm_timer(uv_prepare_t *handle)
{
    struct uv_loop *loop = handle->data;
    if (!loop->timers.root) {
        uv_timer_stop(&loop->timer);
        return;
    }
    int64_t wait_us = loop->timers.root->at_us - clock_us(CLOCK_MONOTONIC);
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->timer, fire_timers, wait_us > 0 ? ((uint64_t)wait_us + 999) / 1000 : 0, 0);
}

/* ---- from other threads: wakeups and completions --------------------------------------------------------------------------- */

static int open_wakeup(struct loop *loop, struct loop_wakeup *wakeup)
{
    wakeup->loop = loop;
    wakeup->open = true;
    list_init(&wakeup->link);
    return 0;
}

static void close_wakeup(struct loop_wakeup *wakeup)
{
    struct uv_loop *loop = of_loop(wakeup->loop);
    pthread_mutex_lock(&loop->mutex);
    wakeup->open = false;
    list_remove(&wakeup->link);
    pthread_mutex_unlock(&loop->mutex);
}

static void signal_wakeup(struct loop_wakeup *wakeup)
{
    struct uv_loop *loop = of_loop(wakeup->loop);
    pthread_mutex_lock(&loop->mutex);
    if (wakeup->open && list_empty(&wakeup->link)) {
        list_push_back(&loop->signalled, &wakeup->link);
        uv_async_send(&loop->async);
    }
    pthread_mutex_unlock(&loop->mutex);
}

void uv_loop_complete(struct work_item *item)
{
    struct uv_loop *loop = of_loop(item->loop);
    pthread_mutex_lock(&loop->mutex);
    list_push_back(&loop->completed, &item->link);
    uv_async_send(&loop->async);
    pthread_mutex_unlock(&loop->mutex);
}

static void submit_work(struct loop *loop, enum work_class class, struct work_item *item)
{
    struct uv_loop *l = of_loop(loop);
    mill_assert(l->threads != NULL);
    item->loop = loop;
    l->work_pending++;
    work_threads_submit(l->threads, class, item);
}

/* With the mutex: a wakeup's link is also read by those who signal it. */
static struct list *pop(struct uv_loop *loop, struct list *list)
{
    pthread_mutex_lock(&loop->mutex);
    struct list *first = list_pop_front(list);
    pthread_mutex_unlock(&loop->mutex);
    return first;
}

/* Callbacks run without the mutex. What arrives meanwhile waits for the next turn, so that two chatty threads starve nobody. */
static void take_messages(uv_async_t *handle)
{
    struct uv_loop *loop = handle->data;
    struct io_time now = uv_loop_tick(loop);
    struct list completed, signalled;
    list_init(&completed);
    list_init(&signalled);
    pthread_mutex_lock(&loop->mutex);
    list_move_all(&completed, &loop->completed);
    list_move_all(&signalled, &loop->signalled);
    pthread_mutex_unlock(&loop->mutex);

    struct list *link;
    while ((link = pop(loop, &completed))) {
        struct work_item *item = list_entry(link, struct work_item, link);
        loop->work_pending--;
        item->done(item, now);
    }
    while ((link = pop(loop, &signalled))) {
        struct loop_wakeup *wakeup = list_entry(link, struct loop_wakeup, link);
        wakeup->woken(wakeup, now);
    }
}

/* ---- running --------------------------------------------------------------------------------------------------------------- */

static int run(struct loop *loop, const bool *until)
{
    struct uv_loop *l = of_loop(loop);
    mill_assert(!l->running);
    l->running = true;
    uv_loop_tick(l);
    while (!l->stopping && !(until && *until))
        uv_run(&l->uv, UV_RUN_ONCE); /* blocks while nothing happens: the async keeps the loop alive */
    l->stopping = false;
    l->running = false;
    return 0;
}

static void stop(struct loop *loop)
{
    of_loop(loop)->stopping = true;
}

static int fill_random(struct loop *loop, void *into, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = getrandom((char *)into + done, len - done, 0);
        if (got < 0 && errno != EINTR)
            return error_from_errno(errno);
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static const struct loop_ops uv_loop_ops = {
    .now = now_of,
    .timer_set = set_timer,
    .timer_cancel = cancel_timer,
    .wakeup_open = open_wakeup,
    .wakeup_close = close_wakeup,
    .wakeup_signal = signal_wakeup,
    .work_submit = submit_work,
    .listen = uv_net_listen,
    .listener_port = uv_net_listener_port,
    .listener_close = uv_net_listener_close,
    .connect = uv_net_connect,
    .start = uv_net_start,
    .read_pause = uv_net_read_pause,
    .write = uv_net_write,
    .write_queued = uv_net_write_queued,
    .close = uv_net_close,
    .peer_address = uv_net_peer_address,
    .run = run,
    .stop = stop,
    .random = fill_random,
};

/* ---- lifetime -------------------------------------------------------------------------------------------------------------- */

static void ignore_broken_pipes(void)
{
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
}

static int64_t wall_ms_of_trace(void *ctx)
{
    return clock_us(CLOCK_REALTIME) / 1000;
}

struct loop *uv_loop_new_with(struct work_threads *threads)
{
    struct uv_loop *loop = mem_calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->loop.ops = &uv_loop_ops;
    loop->threads = threads;
    list_init(&loop->completed);
    list_init(&loop->signalled);
    if (pthread_mutex_init(&loop->mutex, NULL) != 0)
        goto free_loop;
    if (uv_loop_init(&loop->uv) < 0)
        goto destroy_mutex;
    if (uv_async_init(&loop->uv, &loop->async, take_messages) < 0)
        goto close_uv;
    uv_timer_init(&loop->uv, &loop->timer);
    uv_prepare_init(&loop->uv, &loop->prepare);
    loop->async.data = loop->timer.data = loop->prepare.data = loop;
    uv_prepare_start(&loop->prepare, arm_timer);
    ignore_broken_pipes();
    trace_set_clock(wall_ms_of_trace, NULL);
    return &loop->loop;

close_uv:
    uv_loop_close(&loop->uv);
destroy_mutex:
    pthread_mutex_destroy(&loop->mutex);
free_loop:
    mem_free(loop);
    return NULL;
}

void uv_loop_free(struct loop *loop)
{
    if (!loop)
        return;
    struct uv_loop *l = of_loop(loop);
    mill_assert(!l->running);
    mill_assert(l->work_pending == 0);
    uv_close((uv_handle_t *)&l->async, NULL);
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    l->running = true; /* what is still closing may ask for the time */
    uv_run(&l->uv, UV_RUN_DEFAULT);
    int code = uv_loop_close(&l->uv);
    mill_assert(code == 0); /* else a stream or listener was left open */
    uv_net_free_writes(l);
    pthread_mutex_destroy(&l->mutex);
    mem_free(l);
}
