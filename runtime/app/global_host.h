/*
 * The global stores of an application: their thread, on a loop of its own, and a reader for each stream thread.
 *
 * Without global stores in the topology nothing is started, and everything is filled and closed from the start.
 */
#ifndef APP_GLOBAL_HOST_H
#define APP_GLOBAL_HOST_H

#include <stdatomic.h>

#include "app/loop_thread.h"
#include "worker/global_thread.h"

/* Called on the stores' own thread. */
struct global_host_events {
    void (*filled)(void *ctx); /* stream threads may start */
    void (*failed)(void *ctx, int code, const char *text);
    void (*restoring)(void *ctx, const mill_restore_progress *progress);
    void (*closed)(void *ctx);
};

/* Embedded in its owner, zeroed. */
struct global_host {
    struct loop_thread loop_thread;
    struct global_thread_options options;
    struct global_thread *thread;
    struct global_reader **readers;
    size_t reader_count;
    const struct global_host_events *events;
    void *ctx;
    bool started;
    atomic_bool filled;
    atomic_bool close_asked;
    atomic_bool closed;
};

/* `options` without loop and readers. 0, or an error with text. */
int global_host_start(struct global_host *host, const struct global_thread_options *options, size_t reader_count,
                      struct work_threads *work, const struct global_host_events *events, void *ctx, struct error_text *error);

struct global_reader *global_host_reader(struct global_host *host, size_t number); /* NULL: there are no global stores */
bool global_host_filled(const struct global_host *host);                           /* any thread */
bool global_host_closed(const struct global_host *host);                           /* any thread */

/* Any thread. The stores close when all readers have; no stream thread that has not begun begins any more. */
void global_host_close(struct global_host *host);

/* Closes and waits; the stream threads are gone. Harmless when never started. */
void global_host_free(struct global_host *host);

#endif
