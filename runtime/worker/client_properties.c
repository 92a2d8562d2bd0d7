#include "worker/client_properties.h"

#include <stdio.h>
#include <string.h>

#include "task/streams_config.h"

static int copy_prefixed(const struct config *from, const char *prefix, struct config *to)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    size_t prefix_len = strlen(prefix);
    while ((entry = hash_map_next(&from->values, &at)) != NULL) {
        char name[256];
        if (entry->key.len <= prefix_len || entry->key.len - prefix_len >= sizeof name ||
            memcmp(entry->key.data, prefix, prefix_len) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(entry->key.len - prefix_len), (const char *)entry->key.data + prefix_len);
        int code = config_set(to, name, entry->value);
        if (code < 0)
            return error_prefix(&to->error, code, "%s", prefix);
    }
    return 0;
}

static int explain(struct error_text *error, int code, const struct config *clients)
{
    return error_set(error, code, "%s", clients->error.text[0] ? clients->error.text : mill_error_text(code));
}

static int set_shared(struct config *clients, const struct config *config, struct stream_client_options *options)
{
    static const char *const SHARED[] = { "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms",
                                          "metadata.max.age.ms" };
    static const char *const RESETS[] = { [MILL_RESET_EARLIEST] = "earliest",
                                          [MILL_RESET_LATEST] = "latest",
                                          [MILL_RESET_NONE] = "none",
                                          [MILL_RESET_BY_DURATION] = "latest" }; /* for an offset that is gone */
    mill_reset_policy reset;
    int code = streams_config_reset((struct config *)config, &reset, &options->reset_duration_ms);
    if (code == 0)
        code = config_set(clients, "auto.offset.reset", RESETS[reset]);
    for (size_t i = 0; code == 0 && i < sizeof SHARED / sizeof SHARED[0]; i++)
        code = config_set(clients, SHARED[i], streams_config_text(config, SHARED[i]));
    if (code == 0) /* Kafka Streams' own default: latency is bounded by the commit, batches by their size */
        code = config_set(clients, "linger.ms", "100");
    if (code == 0) /* Kafka's 16 KiB would spend more on requests and syncs than on records */
        code = config_set(clients, "batch.size", "524288");
    if (code == 0 && streams_exactly_once(config)) /* Kafka Streams' own: readers wait no longer for one that is gone */
        code = config_set(clients, "transaction.timeout.ms", "10000");
    return code;
}

/* The broker would abort each transaction before it is committed. */
static int check_transaction_timeout(const struct stream_client_options *options, const struct config *config,
                                     struct error_text *error)
{
    int64_t commit_ms = streams_commit_interval_ms(config);
    int64_t timeout_ms = options->producer.transaction_timeout_ms;
    if (!streams_exactly_once(config) || timeout_ms >= commit_ms)
        return 0;
    return error_set(error, MILL_EINVALID,
                     "commit.interval.ms (%lld) is above producer.transaction.timeout.ms (%lld): the broker would abort each "
                     "transaction before it is committed; lower the one or raise the other",
                     (long long)commit_ms, (long long)timeout_ms);
}

/*
 * A task retries for task.timeout.ms before its thread fails (KIP-572). Here its client does, whose calls and batches are then
 * not given up sooner: nothing has to be read again.
 */
static void try_for_task_timeout(struct stream_client_options *options, const struct config *config)
{
    int64_t timeout_ms = streams_config_ms(config, "task.timeout.ms");
    if (timeout_ms > INT32_MAX)
        timeout_ms = INT32_MAX; /* what the client's own properties may be, too */
    if (options->client.default_api_timeout_ms < timeout_ms)
        options->client.default_api_timeout_ms = timeout_ms;
    if (options->producer.delivery_timeout_ms < timeout_ms)
        options->producer.delivery_timeout_ms = timeout_ms;
}

static int copy_all_prefixed(const struct config *from, const char *const *prefixes, struct config *to)
{
    int code = 0;
    for (size_t i = 0; code == 0 && prefixes[i] != NULL; i++)
        code = copy_prefixed(from, prefixes[i], to);
    return code;
}

/*
 * Of what was in the stores nothing may be left out: a changelog that no longer has an offset is not read from elsewhere,
 * whatever the inputs' policy is.
 */
static int read_restorer(struct stream_client_options *options, const struct config *config, struct error_text *error)
{
    static const char *const PREFIXES[] = { "consumer.", "restore.consumer.", NULL };
    struct config clients;
    config_init(&clients, &client_option_table);
    int code = copy_all_prefixed(config, PREFIXES, &clients);
    if (code == 0)
        code = consumer_options_read(&options->restorer, &clients);
    if (code < 0)
        explain(error, code, &clients);
    config_release(&clients);
    options->restorer.rack = options->consumer.rack;
    options->restorer.offset_reset = OFFSET_RESET_NONE;
    options->restorer.read_committed |= streams_exactly_once(config);
    return code;
}

int stream_client_options_read(struct stream_client_options *options, struct config *clients, const struct config *config,
                               struct error_text *error)
{
    static const char *const PREFIXES[] = { "consumer.", "main.consumer.", "producer.", "admin.", NULL };
    int code = set_shared(clients, config, options);
    if (code == 0)
        code = copy_all_prefixed(config, PREFIXES, clients);
    if (code == 0)
        code = client_options_read(&options->client, clients);
    if (code == 0)
        code = producer_options_read(&options->producer, clients);
    if (code == 0)
        code = consumer_options_read(&options->consumer, clients);
    if (code == 0)
        code = group_options_read(&options->group, clients);
    if (code < 0)
        return explain(error, code, clients);
    try_for_task_timeout(options, config);
    options->client.allow_auto_create_topics = true;
    options->consumer.read_committed |= streams_exactly_once(config);
    code = read_restorer(options, config, error);
    return code < 0 ? code : check_transaction_timeout(options, config, error);
}

int global_client_options_read(struct stream_client_options *options, struct config *clients, const struct config *config,
                               struct error_text *error)
{
    static const char *const PREFIXES[] = { "consumer.", "global.consumer.", "admin.", NULL };
    int code = copy_all_prefixed(config, PREFIXES, clients);
    if (code == 0)
        code = client_options_read(&options->client, clients);
    if (code == 0)
        code = consumer_options_read(&options->consumer, clients);
    if (code < 0)
        return explain(error, code, clients);
    options->client.allow_auto_create_topics = false;
    options->consumer.offset_reset =
        OFFSET_RESET_NONE; /* with a hole the stores would be wrong: the next start builds them anew */
    options->consumer.read_committed |= streams_exactly_once(config);
    return 0;
}

int client_properties_check(const struct config *config, struct error_text *error)
{
    int (*const reads[])(struct stream_client_options *, struct config *, const struct config *,
                         struct error_text *) = { stream_client_options_read, global_client_options_read };
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof reads / sizeof reads[0]; i++) {
        struct stream_client_options options;
        struct config clients;
        config_init(&clients, &client_option_table);
        code = reads[i](&options, &clients, config, error);
        config_release(&clients);
    }
    return code;
}
