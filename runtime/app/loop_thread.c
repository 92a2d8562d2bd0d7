#include "app/loop_thread.h"

#include <signal.h>

static void on_wakeup(struct loop_wakeup *wakeup, struct io_time now)
{
    struct loop_thread *thread = wakeup->ctx;
    thread->events->woken(thread->ctx, now);
}

static void *body(void *argument)
{
    struct loop_thread *thread = argument;
    thread->events->started(thread->ctx, loop_now(thread->loop));
    loop_run(thread->loop, NULL);
    thread->events->ended(thread->ctx);
    loop_wakeup_close(&thread->wakeup);
    return NULL;
}

/* All signals are blocked while the thread is made, because it inherits the mask. */
static int make_thread(struct loop_thread *thread)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread->thread, NULL, body, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? error_from_errno(failed) : 0;
}

int loop_thread_start(struct loop_thread *thread, const char *name, struct work_threads *work,
                      const struct loop_thread_events *events, void *ctx)
{
    *thread = (struct loop_thread){ .events = events, .ctx = ctx };
    thread->loop = uv_loop_new_with(work);
    if (thread->loop == NULL)
        return MILL_ENOMEM;
    thread->wakeup = (struct loop_wakeup){ .woken = on_wakeup, .ctx = thread };
    int code = loop_wakeup_open(thread->loop, &thread->wakeup);
    if (code == 0) {
        code = make_thread(thread);
        if (code < 0)
            loop_wakeup_close(&thread->wakeup);
    }
    if (code < 0) {
        uv_loop_free(thread->loop);
        return code;
    }
    pthread_setname_np(thread->thread, name);
    thread->running = true;
    return 0;
}

void loop_thread_wake(struct loop_thread *thread)
{
    loop_wakeup_signal(&thread->wakeup);
}

void loop_thread_join(struct loop_thread *thread)
{
    if (!thread->running)
        return;
    pthread_join(thread->thread, NULL);
    thread->running = false;
    uv_loop_free(thread->loop);
}
