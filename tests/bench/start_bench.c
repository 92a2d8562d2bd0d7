/*
 * From exec to work: how long until a fresh broker answers, until it has acknowledged (and synced) a first record in a topic made
 * for it, and what it holds in memory when idle.
 *
 *     bench.start [MILLSTREAM COMMAND]
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "bench/load.h"
#include "bench/records.h"
#include "bench/report.h"
#include "support/temp_dir.h"

enum { STARTS = 7, READY_BAR_MS = 50, ACKNOWLEDGED_BAR_MS = 100, IDLE_BAR_MB = 20, GIVE_UP_SECONDS = 10 };

struct start {
    double ready_ms;
    double acknowledged_ms;
    double idle_mb;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench.start: %s\n", what);
    exit(1);
}

static struct sockaddr_in local_address(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int free_port(void)
{
    struct sockaddr_in address = local_address(0);
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        give_up("no free port");
    close(fd);
    return ntohs(address.sin_port);
}

/* One ApiVersions of version 0, there and back. */
static bool answers(int port)
{
    static const uint8_t ASK[] = { 0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff };
    uint8_t answer[4];
    struct sockaddr_in address = local_address(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool answered = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && write(fd, ASK, sizeof ASK) == sizeof ASK &&
                    read(fd, answer, sizeof answer) == sizeof answer;
    close(fd);
    return answered;
}

static void nap(long microseconds)
{
    nanosleep(&(struct timespec){ .tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000 }, NULL);
}

static pid_t start_broker(const char *command, const char *directory, int port)
{
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", port);
    pid_t broker = fork();
    if (broker == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execl(command, command, "broker", "--data", directory, "--listen", listen, (char *)NULL);
        _exit(1);
    }
    return broker;
}

static void acknowledge_one(int port)
{
    static struct record_source source;
    struct load_options options = { tcp_connector(), "127.0.0.1", port, 1, 1 };
    record_source_init(&source, RECORDS_UNIFORM, 1, 1, 1, 1024, (int64_t)time(NULL) * 1000);
    struct load *load = load_open(&options);
    load_create_topic(load, "first", 1);
    load_produce(load, "first", record_source_next, &source);
    load_close(load);
    record_source_release(&source);
}

static double resident_mb(pid_t process)
{
    char path[64];
    char line[256];
    double kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtod(line + 6, NULL);
    if (status != NULL)
        fclose(status);
    return kib * 1024 / 1e6;
}

static struct start measure(const char *command)
{
    struct start start;
    struct temp_dir directory;
    temp_dir_init(&directory);
    int port = free_port();
    double begin = bench_seconds();
    pid_t broker = start_broker(command, directory.path, port);
    while (!answers(port)) {
        nap(200);
        if (bench_seconds() - begin > GIVE_UP_SECONDS)
            give_up("the broker does not answer");
    }
    start.ready_ms = (bench_seconds() - begin) * 1e3;
    acknowledge_one(port);
    start.acknowledged_ms = (bench_seconds() - begin) * 1e3;
    nap(500000);
    start.idle_mb = resident_mb(broker);
    kill(broker, SIGTERM);
    waitpid(broker, NULL, 0);
    temp_dir_release(&directory);
    return start;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print(const char *what, const char *unit, double values[STARTS], int bar)
{
    qsort(values, STARTS, sizeof *values, by_value);
    printf("%-34s %8.1f %s [%.1f..%.1f, n=%d]  %.2f of the bar %d %s\n", what, values[STARTS / 2], unit, values[0],
           values[STARTS - 1], STARTS, values[STARTS / 2] / bar, bar, unit);
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : MILLSTREAM_COMMAND;
    double ready[STARTS], acknowledged[STARTS], idle[STARTS];
    for (int i = 0; i < STARTS; i++) {
        struct start start = measure(command);
        ready[i] = start.ready_ms;
        acknowledged[i] = start.acknowledged_ms;
        idle[i] = start.idle_mb;
    }
    print("exec to first answer", "ms", ready, READY_BAR_MS);
    print("exec to first acknowledged record", "ms", acknowledged, ACKNOWLEDGED_BAR_MS);
    print("memory of the idle broker", "MB", idle, IDLE_BAR_MB);
    return 0;
}
