#include "conformance/peer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_java(int in, int out, const char *classpath, const char *directory)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    const char *java[] = { "java",
                           "-Xmx768m",
                           "-XX:+UseSerialGC",
                           "-XX:-UsePerfData",
                           "-cp",
                           classpath,
                           "-Xshare:auto",
                           "-Djava.io.tmpdir",
                           "Peer",
                           directory,
                           NULL };
    char tmp[1024];
    snprintf(tmp, sizeof tmp, "-Djava.io.tmpdir=%s", directory);
    java[7] = tmp;
    execvp(java[0], (char *const *)java);
    perror("java");
    _exit(127);
}

int peer_start(struct peer *peer, const char *classpath, const char *directory)
{
    int in[2], out[2];
    if (pipe(in) < 0 || pipe(out) < 0) {
        perror("pipe");
        return -1;
    }
    signal(SIGPIPE, SIG_IGN);
    peer->process = fork();
    if (peer->process < 0) {
        perror("fork");
        return -1;
    }
    if (peer->process == 0) {
        close(in[1]);
        close(out[0]);
        run_java(in[0], out[1], classpath, directory);
    }
    close(in[0]);
    close(out[1]);
    peer->to = fdopen(in[1], "w");
    peer->from = fdopen(out[0], "r");
    return peer->to != NULL && peer->from != NULL ? 0 : -1;
}

int peer_stop(struct peer *peer)
{
    int status = -1;
    fclose(peer->to);
    fclose(peer->from);
    if (waitpid(peer->process, &status, 0) == peer->process && status == 0)
        return 0;
    fprintf(stderr, "the peer did not end well: status %d\n", status);
    return -1;
}

int peer_send(struct peer *peer, const struct test_case *test)
{
    case_print(test, peer->to);
    return fflush(peer->to) == 0 ? 0 : -1;
}

static int read_output(char *line, struct result *result)
{
    int event, topic;
    char key[512], value[512]; /* 40 bytes of three letters, and a window */
    int64_t timestamp_ms;
    if (sscanf(line, "out %d %d %511s %511s %" SCNd64, &event, &topic, key, value, &timestamp_ms) != 5)
        return -1;
    result_add(result, event, topic, key, value, timestamp_ms);
    return 0;
}

static int read_error(const char *line, struct result *result)
{
    int used = 0;
    if (sscanf(line, "error %d %n", &result->error_event, &used) != 1)
        return -1;
    snprintf(result->error, sizeof result->error, "%.*s", (int)strcspn(line + used, "\n"), line + used);
    return 0;
}

int peer_receive(struct peer *peer, struct result *result)
{
    char line[2048];
    result_init(result, 0);
    while (fgets(line, sizeof line, peer->from) != NULL) {
        int code = 0;
        if (strcmp(line, "end\n") == 0)
            return 0;
        if (strncmp(line, "out ", 4) == 0)
            code = read_output(line, result);
        else if (strncmp(line, "error ", 6) == 0)
            code = read_error(line, result);
        else if (sscanf(line, "result %" SCNu64, &result->number) != 1 && sscanf(line, "dropped %" SCNd64, &result->dropped) != 1)
            code = -1;
        if (code < 0) {
            fprintf(stderr, "not a line of a result: %s", line);
            return -1;
        }
    }
    fprintf(stderr, "the peer has ended\n");
    return -1;
}
