/*
 * A thread around a loop.
 *
 * The owner's `started` runs first on the thread, then the loop until loop_stop, then `ended`, while the loop still is; `woken`
 * runs on it after loop_thread_wake. The thread takes no signals: they are the main thread's.
 */
#ifndef APP_LOOP_THREAD_H
#define APP_LOOP_THREAD_H

#include <pthread.h>

#include "io/io.h"

struct loop_thread_events {
    void (*started)(void *ctx, struct io_time now);
    void (*woken)(void *ctx, struct io_time now);
    void (*ended)(void *ctx);
};

struct loop_thread {
    pthread_t thread;
    struct loop *loop;
    struct loop_wakeup wakeup;
    const struct loop_thread_events *events;
    void *ctx;
    bool running;
};

/* `name` shows in debuggers (15 characters). 0; MILL_ENOMEM, MILL_EIO: nothing was started. */
int loop_thread_start(struct loop_thread *thread, const char *name, struct work_threads *work,
                      const struct loop_thread_events *events, void *ctx);

void loop_thread_wake(struct loop_thread *thread); /* any thread */

/* Waits for the end of the loop and frees it. Harmless when it was never started. */
void loop_thread_join(struct loop_thread *thread);

#endif
