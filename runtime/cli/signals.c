#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include "millstream/error.h"

/* SIGUSR1 ends the thread. */
static sigset_t watched(bool with_end)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (with_end)
        sigaddset(&set, SIGUSR1);
    return set;
}

void signals_block(void)
{
    sigset_t set = watched(true);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *wait_for_signals(void *argument)
{
    struct signals *signals = argument;
    sigset_t set = watched(true);
    int number;
    while (sigwait(&set, &number) == 0 && number != SIGUSR1) {
        if (atomic_exchange(&signals->last, number) != 0)
            _exit(128 + number);
        loop_wakeup_signal(&signals->wakeup);
    }
    return NULL;
}

int signals_take(struct signals *signals, struct loop *loop, void (*woken)(struct loop_wakeup *wakeup, struct io_time now),
                 void *ctx)
{
    *signals = (struct signals){ .wakeup = { .woken = woken, .ctx = ctx } };
    int code = loop_wakeup_open(loop, &signals->wakeup);
    if (code < 0)
        return code;
    signals->running = pthread_create(&signals->thread, NULL, wait_for_signals, signals) == 0;
    if (signals->running)
        return 0;
    loop_wakeup_close(&signals->wakeup);
    return MILL_ENOMEM;
}

void signals_release(struct signals *signals)
{
    if (!signals->running)
        return;
    pthread_kill(signals->thread, SIGUSR1);
    pthread_join(signals->thread, NULL);
    loop_wakeup_close(&signals->wakeup);
    signals->running = false;
}

int signals_last(struct signals *signals)
{
    return atomic_load(&signals->last);
}

int signals_wait(void)
{
    sigset_t set = watched(false);
    int number = 0;
    while (sigwait(&set, &number) != 0)
        ;
    return number;
}
