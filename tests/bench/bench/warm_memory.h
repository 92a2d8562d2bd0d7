/*
 * Memory that is really there.
 *
 * A virtual machine that gives free pages back to its host pays for each at the next first touch: five times the copy of what is
 * written there, and again for every file that grows in the page cache. So a process of its own takes as much memory as a run
 * will need, touches it, and hands it over piece by piece, a little ahead of what is consumed: a page that is used soon after it
 * was freed costs nothing.
 *
 * Thread: the caller's.
 */
#ifndef BENCH_WARM_MEMORY_H
#define BENCH_WARM_MEMORY_H

#include <stddef.h>
#include <sys/types.h>

/* Returns when the memory has been touched (at most three quarters of what is free). Before any thread is started: it forks. */
pid_t warm_memory_start(size_t bytes);
void warm_memory_stop(pid_t warmer);

#endif
