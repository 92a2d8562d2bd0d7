/* The table of properties and the structs filled from it; what each means is Kafka's documentation, in one sentence here. */
#include "client/options.h"

#include <string.h>

#include "base/assert.h"
#include "record/compression.h"

#define INT(key, value, low, high, text)                                                              \
    {                                                                                                 \
        .name = key, .type = CONFIG_INT, .default_value = value, .min = low, .max = high, .doc = text \
    }
#define STRING(key, value, allowed, text)                                                          \
    {                                                                                              \
        .name = key, .type = CONFIG_STRING, .default_value = value, .values = allowed, .doc = text \
    }
#define BOOL(key, value, text)                                                \
    {                                                                         \
        .name = key, .type = CONFIG_BOOL, .default_value = value, .doc = text \
    }

const struct config_key client_option_keys[] = {
    { .name = "bootstrap.servers",
      .type = CONFIG_LIST,
      .default_value = "",
      .doc = "Brokers to start from, host:port separated by commas; the rest of the cluster is learnt from them." },
    STRING("client.id", "", NULL, "A name for this client in the broker's traces, quotas and group descriptions."),
    INT("request.timeout.ms", "30000", 1, INT32_MAX,
        "How long a request waits for its answer before its connection is given up."),
    INT("default.api.timeout.ms", "60000", 1, INT32_MAX, "How long administration, look-ups and commits are retried."),
    INT("socket.connection.setup.timeout.ms", "10000", 1, INT32_MAX, "How long a connection may take to be set up."),
    INT("retry.backoff.ms", "100", 1, INT32_MAX, "The first pause before a request is repeated; it doubles with each attempt."),
    INT("retry.backoff.max.ms", "1000", 1, INT32_MAX, "The longest pause before a request is repeated."),
    INT("reconnect.backoff.ms", "50", 1, INT32_MAX, "The first pause before a broker is connected again; it doubles."),
    INT("reconnect.backoff.max.ms", "1000", 1, INT32_MAX, "The longest pause before a broker is connected again."),
    INT("metadata.max.age.ms", "300000", 1, INT32_MAX,
        "Metadata older than this is fetched again even when nothing seems wrong."),
    BOOL("allow.auto.create.topics", "true", "Whether asking for a topic that does not exist may make the broker create it."),

    STRING("acks", "all", "all|-1", "A record is acknowledged when all in-sync replicas have it; nothing weaker is offered."),
    BOOL("enable.idempotence", "true", "Each record is written once and in order; this cannot be switched off."),
    INT("linger.ms", "5", 0, INT32_MAX, "How long a batch that is not full waits for more records."),
    INT("batch.size", "16384", 1, 1 << 30, "The size at which a batch of one partition is sent."),
    INT("max.request.size", "1048576", 1, 1 << 30, "The largest request, and so the largest record."),
    INT("buffer.memory", "33554432", 1, INT64_MAX, "Above this many bytes not yet acknowledged the program holds back."),
    INT("delivery.timeout.ms", "120000", 1, INT32_MAX, "How long a batch is tried before its records are reported as lost."),
    INT("max.in.flight.requests.per.connection", "5", 1, 5, "Produce requests on their way to one broker at a time."),
    STRING("compression.type", "none", "none|gzip|snappy|lz4|zstd", "How batches are compressed."),
    INT("compression.gzip.level", "-1", -1, 9, "The level of gzip; -1 is its default."),
    INT("compression.lz4.level", "9", 1, 17, "The level of lz4; unset, the fast one."),
    INT("compression.zstd.level", "3", -131072, 22, "The level of zstd."),
    INT("transaction.timeout.ms", "60000", 1, INT32_MAX, "How long the broker lets a transaction be open before it aborts it."),

    STRING("auto.offset.reset", "latest", "latest|earliest|none", "Where to start when there is no position, or it is gone."),
    STRING("isolation.level", "read_uncommitted", "read_uncommitted|read_committed",
           "Whether records of open and aborted transactions are read."),
    BOOL("check.crcs", "true", "Whether the checksum of what is read is verified."),
    INT("fetch.min.bytes", "1", 0, INT32_MAX, "How much the broker gathers before it answers a fetch, within fetch.max.wait.ms."),
    INT("fetch.max.bytes", "52428800", 1, INT32_MAX, "The largest answer to a fetch, and the most that is read ahead."),
    INT("fetch.max.wait.ms", "500", 0, INT32_MAX, "How long the broker waits for fetch.min.bytes."),
    INT("max.partition.fetch.bytes", "1048576", 1, INT32_MAX, "The most that is fetched of one partition at a time."),
    STRING("client.rack", "", NULL, "Where this client runs, so that a broker can name a nearer replica."),

    STRING("group.id", "", NULL, "The consumer group."),
    STRING("group.instance.id", NULL, NULL, "A name that makes the member static: it may restart without a rebalance."),
    INT("session.timeout.ms", "45000", 1, INT32_MAX, "A member silent for so long is removed from the group."),
    INT("heartbeat.interval.ms", "3000", 1, INT32_MAX, "How often a member tells that it is alive."),
    INT("max.poll.interval.ms", "300000", 1, INT32_MAX, "How long the group waits for a member in a rebalance."),
};
const size_t client_option_key_count = sizeof client_option_keys / sizeof client_option_keys[0];

const struct config_table client_option_table = {
    .keys = client_option_keys,
    .count = sizeof client_option_keys / sizeof client_option_keys[0],
};

int client_options_read(struct client_options *options, struct config *config)
{
    *options = (struct client_options){
        .bootstrap_servers = config_string(config, "bootstrap.servers"),
        .client_id = config_string(config, "client.id"),
        .request_timeout_ms = config_int(config, "request.timeout.ms"),
        .default_api_timeout_ms = config_int(config, "default.api.timeout.ms"),
        .connection_setup_timeout_ms = config_int(config, "socket.connection.setup.timeout.ms"),
        .retry_backoff_ms = config_int(config, "retry.backoff.ms"),
        .retry_backoff_max_ms = config_int(config, "retry.backoff.max.ms"),
        .reconnect_backoff_ms = config_int(config, "reconnect.backoff.ms"),
        .reconnect_backoff_max_ms = config_int(config, "reconnect.backoff.max.ms"),
        .metadata_max_age_ms = config_int(config, "metadata.max.age.ms"),
        .allow_auto_create_topics = config_bool(config, "allow.auto.create.topics"),
    };
    return 0;
}

/* Kafka's names of the levels differ per codec, and an unset lz4 level means the fast codec, not level 9 (KIP-390). */
static int level_of(const struct config *config, enum compression compression)
{
    const char *name = compression == COMPRESSION_GZIP   ? "compression.gzip.level"
                       : compression == COMPRESSION_LZ4  ? "compression.lz4.level"
                       : compression == COMPRESSION_ZSTD ? "compression.zstd.level"
                                                         : NULL;
    if (!name || !config_get_set(config, name))
        return COMPRESSION_LEVEL_DEFAULT;
    int64_t level = config_int(config, name);
    return compression == COMPRESSION_GZIP && level < 0 ? COMPRESSION_LEVEL_DEFAULT : (int)level;
}

int producer_options_read(struct producer_options *options, struct config *config)
{
    enum compression compression = COMPRESSION_NONE;
    bool known = compression_parse(config_string(config, "compression.type"), &compression);
    mill_assert(known); /* the table allows no other */

    *options = (struct producer_options){
        .linger_ms = config_int(config, "linger.ms"),
        .batch_bytes = config_int(config, "batch.size"),
        .request_bytes_max = config_int(config, "max.request.size"),
        .buffer_bytes = config_int(config, "buffer.memory"),
        .delivery_timeout_ms = config_int(config, "delivery.timeout.ms"),
        .in_flight_max = (int)config_int(config, "max.in.flight.requests.per.connection"),
        .compression = compression,
        .compression_level = level_of(config, compression),
        .transaction_timeout_ms = config_int(config, "transaction.timeout.ms"),
    };
    if (!config_bool(config, "enable.idempotence"))
        return error_set(&config->error, MILL_EINVALID, "enable.idempotence cannot be false: this producer is always idempotent");
    int64_t request_ms = config_int(config, "request.timeout.ms");
    if (options->delivery_timeout_ms < options->linger_ms + request_ms)
        return error_set(&config->error, MILL_EINVALID,
                         "delivery.timeout.ms (%lld) is below linger.ms plus request.timeout.ms (%lld): raise it or lower them",
                         (long long)options->delivery_timeout_ms, (long long)(options->linger_ms + request_ms));
    return 0;
}

int consumer_options_read(struct consumer_options *options, struct config *config)
{
    const char *reset = config_string(config, "auto.offset.reset");
    *options = (struct consumer_options){
        .offset_reset = strcmp(reset, "earliest") == 0 ? OFFSET_RESET_EARLIEST
                        : strcmp(reset, "none") == 0   ? OFFSET_RESET_NONE
                                                       : OFFSET_RESET_LATEST,
        .read_committed = strcmp(config_string(config, "isolation.level"), "read_committed") == 0,
        .check_crcs = config_bool(config, "check.crcs"),
        .fetch_bytes_min = config_int(config, "fetch.min.bytes"),
        .fetch_bytes_max = config_int(config, "fetch.max.bytes"),
        .fetch_wait_ms = config_int(config, "fetch.max.wait.ms"),
        .partition_bytes_max = config_int(config, "max.partition.fetch.bytes"),
        .rack = config_string(config, "client.rack"),
    };
    int64_t request_ms = config_int(config, "request.timeout.ms");
    if (options->fetch_wait_ms >= request_ms)
        return error_set(&config->error, MILL_EINVALID,
                         "fetch.max.wait.ms (%lld) is not below request.timeout.ms (%lld): every idle fetch would time out",
                         (long long)options->fetch_wait_ms, (long long)request_ms);
    return 0;
}

int group_options_read(struct group_options *options, struct config *config)
{
    *options = (struct group_options){
        .group_id = config_string(config, "group.id"),
        .group_instance_id = config_string(config, "group.instance.id"),
        .session_timeout_ms = config_int(config, "session.timeout.ms"),
        .heartbeat_interval_ms = config_int(config, "heartbeat.interval.ms"),
        .rebalance_timeout_ms = config_int(config, "max.poll.interval.ms"),
    };
    if (options->heartbeat_interval_ms >= options->session_timeout_ms)
        return error_set(&config->error, MILL_EINVALID,
                         "heartbeat.interval.ms (%lld) is not below session.timeout.ms (%lld): a third of it is usual",
                         (long long)options->heartbeat_interval_ms, (long long)options->session_timeout_ms);
    return 0;
}
