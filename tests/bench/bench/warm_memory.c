/* One mapping, populated by the kernel, unmapped from its front. */
#include "bench/warm_memory.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 << 20, POLL_MS = 10 };

#define AHEAD_BYTES (4ll << 30)

static int64_t free_bytes(void)
{
    long long kib = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL && sscanf(line, "MemFree: %lld", &kib) != 1)
        continue;
    if (file != NULL)
        fclose(file);
    return (int64_t)kib * 1024;
}

static void hand_over(uint8_t *memory, int64_t bytes)
{
    int64_t free_at_first = free_bytes();
    int64_t released = 0;
    while (released < bytes) {
        int64_t consumed = free_at_first + released - free_bytes();
        int64_t piece = bytes - released < PIECE_BYTES ? bytes - released : PIECE_BYTES;
        if (released < consumed + AHEAD_BYTES) {
            munmap(memory + released, (size_t)piece);
            released += piece;
        } else {
            nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000 }, NULL);
        }
    }
}

static void warm(int64_t bytes, int ready)
{
    int64_t most = free_bytes() / 4 * 3;
    bytes = bytes < most ? bytes : most;
    uint8_t *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (write(ready, "", 1) == 1 && memory != MAP_FAILED)
        hand_over(memory, bytes);
}

pid_t warm_memory_start(size_t bytes)
{
    int ready[2];
    char byte;
    fflush(stdout);
    if (pipe(ready) < 0)
        return -1;
    pid_t warmer = fork();
    if (warmer == 0) {
        close(ready[0]);
        warm((int64_t)bytes, ready[1]);
        _exit(0);
    }
    close(ready[1]);
    if (warmer > 0 && read(ready[0], &byte, 1) < 0)
        perror("warm_memory");
    close(ready[0]);
    return warmer;
}

void warm_memory_stop(pid_t warmer)
{
    if (warmer <= 0)
        return;
    kill(warmer, SIGKILL);
    waitpid(warmer, NULL, 0);
}
