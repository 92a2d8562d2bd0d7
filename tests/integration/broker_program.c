/*
 * A broker with a listener and nothing else, for tests with real clients.
 *
 *     broker_program <data directory> [<port>] [<property>=<value>]...
 *
 * Prints "ready <port> <milliseconds since start>" when clients can connect; SIGTERM and SIGINT close it cleanly.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/trace.h"
#include "broker/broker.h"
#include "broker/config.h"
#include "io/io.h"
#include "server/server.h"

static struct loop_wakeup stop;

struct program {
    struct loop *loop;
    struct broker *broker;
    struct server *server;
    bool stopping;
    int open; /* of broker and server */
};

static void on_signal(int number)
{
    loop_wakeup_signal(&stop);
}

static void closed(void *ctx)
{
    struct program *program = ctx;
    if (--program->open == 0)
        loop_stop(program->loop);
}

static void stop_asked(struct loop_wakeup *wakeup, struct io_time now)
{
    struct program *program = wakeup->ctx;
    if (program->stopping)
        return;
    program->stopping = true;
    server_close(program->server, closed, program);
    broker_close(program->broker, closed, program, now);
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "broker_program: %s: %s\n", what, why);
    return 1;
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    double begin = milliseconds();
    struct config config;
    struct error_text error;
    struct program program = { .open = 2 };
    int port = 0;
    if (argc < 2)
        return fail("usage", "broker_program <data directory> [<port>] [<property>=<value>]...");
    if (getenv("BROKER_TRACE"))
        trace_set_level(TRACE_DEBUG);
    config_init(&config, broker_config_table());
    for (int i = 2; i < argc; i++) {
        if (!strchr(argv[i], '='))
            port = atoi(argv[i]);
        else if (config_set_pair(&config, argv[i]) != 0)
            return fail(argv[i], config.error.text);
    }

    struct work_threads *threads = work_threads_new(4, 2, 1);
    program.loop = uv_loop_new_with(threads);
    struct broker_options options = { .disk = uv_disk(), .loop = program.loop, .data_dir = argv[1], .config = &config };
    program.broker = broker_new(&options);
    if (broker_open(program.broker, loop_now(program.loop)) != 0)
        return fail("open", broker_error(program.broker));
    struct server_options listen = server_default_options(program.broker, program.loop, "127.0.0.1", port);
    if (server_open(&listen, &program.server, &error) != 0)
        return fail("listen", error.text);
    port = server_port(program.server);
    broker_set_advertised(program.broker, "127.0.0.1", port);

    stop = (struct loop_wakeup){ .woken = stop_asked, .ctx = &program };
    loop_wakeup_open(program.loop, &stop);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    printf("ready %d %.1f\n", port, milliseconds() - begin);
    fflush(stdout);
    loop_run(program.loop, NULL);

    loop_wakeup_close(&stop);
    broker_free(program.broker);
    uv_loop_free(program.loop);
    work_threads_free(threads);
    config_release(&config);
    return 0;
}
