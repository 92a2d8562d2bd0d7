/*
 * mill_main: the life of a program in one call.
 *
 * Properties come, later ones winning, from the program's defaults, --config files, the environment
 * (MILLSTREAM_COMMIT_INTERVAL_MS is commit.interval.ms: dots are _, underscores __, dashes ___) and -X name=value.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/app_internal.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/trace.h"
#include "io/io.h"
#include "task/streams_config.h"

enum { PROPERTIES_MAX = 256, CONFIG_FILE_BYTES_MAX = 1 << 20, CLOSE_LOOK_MS = 250, CLOSE_LOOKS = 240 };
enum { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

extern char **environ;

/* ---- arguments ------------------------------------------------------------------------------------------------------------- */

static void print_help(const char *program, const char *application_id)
{
    printf("Usage: %s [--config FILE] [-X name=value]...\n\n"
           "Runs the pipeline '%s' until Ctrl-C. Without bootstrap.servers the broker runs inside and listens on `listeners`.\n\n"
           "Properties:\n",
           program, application_id);
    for (size_t i = 0; i < streams_config_table.count; i++) {
        const struct config_key *key = &streams_config_table.keys[i];
        printf("  %-46s %s%s%s%s\n", key->name, key->doc, key->default_value ? " [" : "",
               key->default_value ? key->default_value : "", key->default_value ? "]" : "");
    }
    printf(
        "  producer.*, consumer.*, topic.*, broker.*      Kafka's properties of the producer, the consumer, internal topics, the "
        "embedded broker.\n");
}

static int usage_error(const char *program, const char *text)
{
    fprintf(stderr, "%s: %s\nTry: %s --help\n", program, text, program);
    return EXIT_USAGE;
}

static int read_config_file(struct config *config, const char *path)
{
    char *text;
    size_t len;
    int code = disk_read_file(uv_disk(), path, CONFIG_FILE_BYTES_MAX, &text, &len);
    if (code < 0)
        return error_set(&config->error, code, "--config %s: %s", path, mill_error_text(code));
    code = config_parse(config, text, len, path);
    mem_free(text);
    return code;
}

/* COMMIT_INTERVAL_MS -> commit.interval.ms */
static void property_name(const char *from, size_t len, char *to, size_t size)
{
    size_t out = 0;
    for (size_t i = 0; i < len && out + 1 < size; i++) {
        size_t underscores = 0;
        while (i + underscores < len && from[i + underscores] == '_')
            underscores++;
        if (underscores == 0)
            to[out++] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] - 'A' + 'a') : from[i];
        else
            to[out++] = underscores == 1 ? '.' : underscores == 2 ? '_' : '-';
        i += underscores > 0 ? underscores - 1 : 0;
    }
    to[out] = '\0';
}

static int read_environment(struct config *config)
{
    static const char PREFIX[] = "MILLSTREAM_";
    size_t prefix = sizeof PREFIX - 1;
    for (char **entry = environ; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals == NULL || strncmp(*entry, PREFIX, prefix) != 0)
            continue;
        char name[256];
        property_name(*entry + prefix, (size_t)(equals - *entry) - prefix, name, sizeof name);
        int code = config_set(config, name, equals + 1);
        if (code < 0)
            return error_prefix(&config->error, code, "environment variable %.*s", (int)(equals - *entry), *entry);
    }
    return 0;
}

/*
 * 1: help was printed; 0; or an error in config->error. -X wins over the environment, which wins over files, wherever they stand.
 */
static int read_arguments(struct config *config, int argc, char **argv, const char *application_id)
{
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(argv[0], application_id);
            return 1;
        }
        bool takes_value = strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "-X") == 0;
        if (!takes_value || i + 1 == argc)
            return error_set(&config->error, MILL_EINVALID, takes_value ? "%s needs a value" : "unknown argument %s", argv[i]);
        int code = strcmp(argv[i], "--config") == 0 ? read_config_file(config, argv[i + 1]) : 0;
        if (code < 0)
            return code;
    }
    int code = read_environment(config);
    for (int i = 1; code == 0 && i < argc; i += 2)
        if (strcmp(argv[i], "-X") == 0)
            code = config_set_pair(config, argv[i + 1]);
    return code;
}

static void set_trace_level(const char *text)
{
    static const char *const LEVELS[] = { "debug", "info", "warn", "error", "off" };
    for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++)
        if (strcmp(text, LEVELS[i]) == 0)
            trace_set_level((enum trace_level)i);
}

/* ---- signals --------------------------------------------------------------------------------------------------------------- */

struct signals {
    mill_app *app;
    sigset_t set;
    atomic_bool stop_asked;
    pthread_t thread;
};

/* The first SIGINT or SIGTERM stops in order, the second at once. SIGUSR1 ends this thread. */
static void *wait_for_signals(void *argument)
{
    struct signals *signals = argument;
    int number;
    while (sigwait(&signals->set, &number) == 0 && number != SIGUSR1) {
        if (atomic_exchange(&signals->stop_asked, true))
            _exit(128 + number);
        app_wake(signals->app);
    }
    return NULL;
}

static int take_signals(struct signals *signals)
{
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    return pthread_create(&signals->thread, NULL, wait_for_signals, signals);
}

/* ---- running --------------------------------------------------------------------------------------------------------------- */

static void tell_restore(void *ctx, const mill_restore_progress *progress)
{
    if (progress->total == 0)
        return;
    fprintf(stderr, "restoring %s in task %s: %lld of %lld changelog records (%lld %%)\n", progress->store, progress->task_id,
            (long long)progress->restored, (long long)progress->total, (long long)(progress->restored * 100 / progress->total));
}

/* One line at the end, if there is anything to tell. */
static void tell_drops(const char *program, const mill_app *app)
{
    mill_drops drops[MILL_DROP_REASONS_MAX];
    size_t count = mill_app_drops(app, drops, MILL_DROP_REASONS_MAX);
    long long sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += drops[i].records;
    if (sum == 0)
        return;
    fprintf(stderr, "%s: records skipped since the first start: %lld", program, sum);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s%s %lld", i == 0 ? " (" : ", ", drops[i].reason, (long long)drops[i].records);
    fprintf(stderr, ")\n");
}

/* Who waits longer than a moment is told for what, and that it need not be. */
static int close_app(const char *program, mill_app *app)
{
    char text[ERROR_TEXT_BYTES];
    bool told = false;
    int code = mill_app_close(app, CLOSE_LOOK_MS);
    for (int i = 1; code == MILL_ETIMEOUT && i < CLOSE_LOOKS; i++) {
        if (!told && mill_app_waits_for(app, text, sizeof text) > 0) {
            fprintf(stderr,
                    "%s: waiting for %s; interrupt again to leave without: records since the last commit are read again\n",
                    program, text);
            told = true;
        }
        code = mill_app_close(app, CLOSE_LOOK_MS);
    }
    return code;
}

static int run_app(const char *program, mill_app *app)
{
    struct signals signals = { .app = app };
    mill_app_on_restore(app, tell_restore, NULL);
    if (take_signals(&signals) != 0) {
        fprintf(stderr, "%s: no thread for signals\n", program);
        return EXIT_FAILED;
    }
    int code = mill_app_start(app);
    if (code == 0) {
        fprintf(stderr, "%s: ready, broker at %s\n", program, mill_app_bootstrap_servers(app));
        app_wait(app, &signals.stop_asked);
        code = close_app(program, app);
    }
    tell_drops(program, app);
    if (code < 0)
        fprintf(stderr, "%s: %s\n", program, mill_app_error(app)[0] ? mill_app_error(app) : mill_error_text(code));
    pthread_kill(signals.thread, SIGUSR1);
    pthread_join(signals.thread, NULL);
    return code < 0 ? EXIT_FAILED : EXIT_STOPPED;
}

static int run(int argc, char **argv, const char *application_id, mill_topology *topology, const char *const *defaults,
               struct config *config)
{
    config_set(config, "application.id", application_id);
    int code = streams_config_set_all(config, defaults);
    if (code == 0)
        code = read_arguments(config, argc, argv, application_id);
    if (code != 0)
        return code > 0 ? EXIT_STOPPED : usage_error(argv[0], config->error.text);
    set_trace_level(config_string(config, "mill.trace.level"));

    const char *properties[2 * PROPERTIES_MAX + 1];
    size_t count = 0;
    size_t at = 0;
    const struct hash_map_entry *entry;
    struct arena names;
    arena_init(&names, 4096, 1 << 20);
    while ((entry = hash_map_next(&config->values, &at)) != NULL && count < PROPERTIES_MAX) {
        properties[2 * count] = arena_string(&names, entry->key);
        properties[2 * count + 1] = entry->value;
        count += properties[2 * count] != NULL;
    }
    properties[2 * count] = NULL;
    char error[ERROR_TEXT_BYTES];
    mill_app *app = mill_app_new(topology, properties, error, sizeof error);
    int exit_code = app ? run_app(argv[0], app) : usage_error(argv[0], error);
    mill_app_free(app);
    arena_release(&names);
    return exit_code;
}

int mill_main_with(int argc, char **argv, const char *application_id, mill_topology *topology, const char *const *defaults)
{
    struct config config;
    config_init(&config, &streams_config_table);
    int exit_code = run(argc, argv, application_id, topology, defaults, &config);
    config_release(&config);
    mill_topology_free(topology);
    return exit_code;
}

int mill_main(int argc, char **argv, const char *application_id, mill_topology *topology)
{
    return mill_main_with(argc, argv, application_id, topology, NULL);
}
