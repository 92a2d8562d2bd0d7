/* `millstream broker`: the broker without an application. */
#include <stdio.h>
#include <string.h>

#include "app/broker_host.h"
#include "app/state_directory.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "broker/config.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "task/streams_config.h"

enum { CONFIG_FILE_BYTES_MAX = 1 << 20, SYNC_THREADS = 2, READ_THREADS = 4, BACKGROUND_THREADS = 1, PROPERTIES_MAX = 256 };

/* The broker's, and where the command listens, which the broker itself is told apart from them. */
static const struct config_table *properties(void)
{
    static struct config_key keys[PROPERTIES_MAX];
    static struct config_table table = { .keys = keys };
    const struct config_table *broker = broker_config_table();
    mill_assert(broker->count < PROPERTIES_MAX);
    memcpy(keys, broker->keys, broker->count * sizeof *keys);
    keys[broker->count] = (struct config_key){ .name = "listeners",
                                               .type = CONFIG_STRING,
                                               .default_value = "PLAINTEXT://127.0.0.1:9092",
                                               .doc = "Where it listens, as --listen, which wins." };
    table.prefixes = broker->prefixes;
    table.count = broker->count + 1;
    return &table;
}

static int read_file(struct config *config, const char *path)
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

static int configure(const struct cli *cli, struct config *config)
{
    const char *text;
    int code = 0;
    int at = 0;
    while (code == 0 && (text = cli_next_option(cli, "config", &at)) != NULL)
        code = read_file(config, text);
    at = 0;
    while (code == 0 && (text = cli_next_option(cli, "property", &at)) != NULL)
        code = config_set_pair(config, text);
    return code;
}

/* Where the broker inside an application would keep its log: both are the same broker, one after the other. */
static int default_directory(char path[STATE_PATH_BYTES], struct error_text *error)
{
    char root[STATE_PATH_BYTES];
    struct config config;
    config_init(&config, &streams_config_table);
    int code = state_directory_root(&config, root, error);
    config_release(&config);
    if (code == 0 && snprintf(path, STATE_PATH_BYTES, "%s/broker", root) >= STATE_PATH_BYTES)
        code = error_set(error, MILL_ETOOLARGE, "%s: too long a path", root);
    return code;
}

/* Beyond what the text itself advises; NULL: there is nothing that an option would cure. */
static const char *what_to_try(int code, const struct error_text *error)
{
    if (code == MILL_EADDRINUSE)
        return "--listen HOST:0 for a free port";
    if (code == MILL_EADDRNOTAVAIL)
        return "--listen 0.0.0.0:PORT for every address of this machine, --advertise for the name that clients use";
    if (strncmp(error->text, "cannot listen", strlen("cannot listen")) == 0)
        return "--listen HOST:PORT for another address";
    bool is_place = code == MILL_ELOCKED || code == MILL_EACCESS || code == MILL_EREADONLY || code == MILL_EDISKFULL ||
                    code == MILL_ETOOLARGE;
    return is_place ? "--data for another directory" : NULL;
}

static int serve(const struct cli *cli, struct config *config)
{
    struct error_text error = { "" };
    char host[256];
    char directory[STATE_PATH_BYTES];
    int port;
    const char *listen = cli_option(cli, "listen");
    int code = broker_host_parse_listener(listen ? listen : config_string(config, "listeners"), host, sizeof host, &port, &error);
    if (code < 0)
        return cli_usage(cli, "%s %s", listen ? "--listen" : "listeners:", error.text);
    config_set(config, "listeners", NULL);
    const char *data = cli_option(cli, "data");
    code = data == NULL                                                                 ? default_directory(directory, &error)
           : snprintf(directory, sizeof directory, "%s", data) >= (int)sizeof directory ? MILL_ETOOLARGE
                                                                                        : 0;
    if (code < 0 && !error.text[0])
        error_set(&error, code, "--data %.200s...: too long a path", data);
    struct work_threads *work = code < 0 ? NULL : work_threads_new(SYNC_THREADS, READ_THREADS, BACKGROUND_THREADS);
    if (code == 0 && work == NULL)
        code = error_set(&error, MILL_ENOMEM, "worker threads cannot be started");
    struct broker_host_options options = { .disk = uv_disk(),
                                           .work = work,
                                           .data_directory = directory,
                                           .host = host,
                                           .port = port,
                                           .advertised_host = cli_option(cli, "advertise"),
                                           .config = config };
    struct broker_host *broker = NULL;
    if (code == 0)
        code = broker_host_start(&options, &broker, &error);
    if (code == 0) {
        char address[IO_HOST_PORT_BYTES];
        io_write_host_port(address, host, broker_host_port(broker));
        fprintf(stderr, "millstream: broker at %s, data in %s; Ctrl-C stops it\n", address, directory);
        signals_wait();
        broker_host_stop(broker);
    } else {
        cli_error(what_to_try(code, &error), "%s", error.text);
    }
    work_threads_free(work);
    return code == 0 ? CLI_OK : CLI_FAILED;
}

static int run(const struct cli *cli)
{
    struct config config;
    config_init(&config, properties());
    signals_block();
    int code = configure(cli, &config) < 0 ? cli_usage(cli, "%s", config.error.text) : serve(cli, &config);
    config_release(&config);
    return code;
}

static const struct cli_option options[] = {
    { "data", 'd', "DIR", "Where its log lives; default the folder `broker` of the default state.dir." },
    { "listen", 'l', "HOST:PORT", "Where it listens [127.0.0.1:9092]; port 0 takes a free one." },
    { "advertise", 0, "HOST", "The name under which clients are told to find it; default the host that it listens on." },
    { "config", 'c', "FILE", "A .properties file; may be repeated. -X wins over it." },
    { NULL },
};

const struct cli_command command_broker = {
    .name = "broker",
    .arguments = "",
    .summary = "Runs a broker until Ctrl-C.",
    .options = options,
    .example = "millstream broker --data ./data --listen 0.0.0.0:9092 --advertise 192.0.2.1",
    .properties = properties,
    .run = run,
};
