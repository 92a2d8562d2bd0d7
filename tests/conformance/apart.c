#include "conformance/apart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void *apart_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return memory;
}

pid_t apart_start(void (*work)(void *ctx), void *ctx)
{
    fflush(stdout);
    pid_t process = fork();
    if (process < 0) {
        perror("fork");
        exit(1);
    }
    if (process == 0) {
        work(ctx);
        fflush(stdout);
        _exit(0);
    }
    return process;
}

bool apart_end(pid_t process, char how[APART_TEXT_BYTES])
{
    int status = -1;
    if (waitpid(process, &status, 0) != process)
        snprintf(how, APART_TEXT_BYTES, "it cannot be waited for");
    else if (WIFSIGNALED(status))
        snprintf(how, APART_TEXT_BYTES, "signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(how, APART_TEXT_BYTES, "exit status %d", WEXITSTATUS(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
