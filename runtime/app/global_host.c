#include "app/global_host.h"

#include "base/alloc.h"

static void thread_filled(void *ctx)
{
    struct global_host *host = ctx;
    atomic_store(&host->filled, true);
    host->events->filled(host->ctx);
}

static void thread_failed(void *ctx, int code, const char *text)
{
    struct global_host *host = ctx;
    host->events->failed(host->ctx, code, text);
}

static void thread_restoring(void *ctx, const mill_restore_progress *progress)
{
    struct global_host *host = ctx;
    host->events->restoring(host->ctx, progress);
}

static void thread_closed(void *ctx)
{
    struct global_host *host = ctx;
    loop_stop(host->loop_thread.loop);
}

static const struct global_thread_events THREAD_EVENTS = { thread_filled, thread_failed, thread_restoring, thread_closed };

static void loop_started(void *ctx, struct io_time now)
{
    struct global_host *host = ctx;
    struct error_text error = { "" };
    host->options.loop = host->loop_thread.loop;
    host->thread = global_thread_new(&host->options, &THREAD_EVENTS, host, &error);
    if (host->thread != NULL) {
        global_thread_start(host->thread, now);
        return;
    }
    host->events->failed(host->ctx, MILL_EINVALID, error.text);
    loop_stop(host->loop_thread.loop);
}

static void loop_woken(void *ctx, struct io_time now)
{
    struct global_host *host = ctx;
    if (atomic_load(&host->close_asked) && host->thread != NULL)
        global_thread_close(host->thread, now);
}

static void loop_ended(void *ctx)
{
    struct global_host *host = ctx;
    global_thread_free(host->thread);
    host->thread = NULL;
    atomic_store(&host->closed, true);
    host->events->closed(host->ctx);
}

static const struct loop_thread_events LOOP_EVENTS = { loop_started, loop_woken, loop_ended };

static int make_readers(struct global_host *host, size_t count)
{
    host->readers = mem_calloc(count, sizeof(struct global_reader *));
    if (host->readers == NULL)
        return MILL_ENOMEM;
    for (host->reader_count = 0; host->reader_count < count; host->reader_count++) {
        host->readers[host->reader_count] = global_reader_new(host->options.topology);
        if (host->readers[host->reader_count] == NULL)
            return MILL_ENOMEM;
    }
    return 0;
}

int global_host_start(struct global_host *host, const struct global_thread_options *options, size_t reader_count,
                      struct work_threads *work, const struct global_host_events *events, void *ctx, struct error_text *error)
{
    if (options->topology->globals.stores.count == 0)
        return 0;
    host->options = *options;
    host->events = events;
    host->ctx = ctx;
    int code = make_readers(host, reader_count);
    host->options.readers = host->readers;
    host->options.reader_count = host->reader_count;
    if (code == 0)
        code = loop_thread_start(&host->loop_thread, "global", work, &LOOP_EVENTS, host);
    host->started = code == 0;
    return code < 0 ? error_set(error, code, "the global stores' thread cannot be started: %s", mill_error_text(code)) : 0;
}

struct global_reader *global_host_reader(struct global_host *host, size_t number)
{
    return host->readers != NULL ? host->readers[number] : NULL;
}

bool global_host_filled(const struct global_host *host)
{
    return !host->started || atomic_load(&host->filled);
}

bool global_host_closed(const struct global_host *host)
{
    return !host->started || atomic_load(&host->closed);
}

void global_host_close(struct global_host *host)
{
    atomic_store(&host->close_asked, true);
    if (host->started)
        loop_thread_wake(&host->loop_thread);
}

void global_host_free(struct global_host *host)
{
    global_host_close(host);
    if (host->started)
        loop_thread_join(&host->loop_thread);
    for (size_t i = 0; i < host->reader_count; i++)
        global_reader_free(host->readers[i]);
    mem_free(host->readers);
}
