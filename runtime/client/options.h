/*
 * What a user can set on the client, under Kafka's property names and with Kafka's defaults.
 *
 * `client_option_table` is the table for base/config.h; a program that has more properties (the app, the command line) puts these
 * keys into its own table by client_option_keys. The structs below hold the values parsed: each part of the client takes its own,
 * and whoever composes a client changes fields before handing it over (a stream thread's linger, the isolation level, ...).
 *
 * Strings point into the config and live until it is released or the key is set again. Times are in milliseconds, sizes in bytes.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

extern const struct config_key client_option_keys[];
extern const size_t client_option_key_count;
extern const struct config_table client_option_table;

struct client_options {
    const char *bootstrap_servers; /* host:port,...; NULL or "" is only right with an in-process connector */
    const char *client_id;
    int64_t request_timeout_ms;
    int64_t default_api_timeout_ms; /* how long an admin call or a look-up is retried */
    int64_t connection_setup_timeout_ms;
    int64_t retry_backoff_ms;
    int64_t retry_backoff_max_ms;
    int64_t reconnect_backoff_ms;
    int64_t reconnect_backoff_max_ms;
    int64_t metadata_max_age_ms;
    bool allow_auto_create_topics; /* asking for a topic's metadata may make the broker create it */
};

struct producer_options {
    int64_t linger_ms;
    int64_t batch_bytes;       /* batch.size: a batch is closed before it grows beyond this; one larger record gets its own */
    int64_t request_bytes_max; /* max.request.size: also the largest record */
    int64_t buffer_bytes;      /* buffer.memory: the mark above which producer_full() asks the caller to hold back */
    int64_t delivery_timeout_ms;
    int in_flight_max;            /* requests per broker, 1..5: the broker remembers five batches of a producer */
    int compression;              /* enum of record/compression.h by number: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd */
    int compression_level;        /* -1: the codec's default */
    const char *transactional_id; /* NULL: records are in no transaction. Not copied */
    int64_t transaction_timeout_ms;
};

enum offset_reset { OFFSET_RESET_LATEST, OFFSET_RESET_EARLIEST, OFFSET_RESET_NONE };

struct consumer_options {
    enum offset_reset offset_reset;
    bool read_committed;
    bool check_crcs;
    int64_t fetch_bytes_min;
    int64_t fetch_bytes_max; /* of one response, and of all that is buffered */
    int64_t fetch_wait_ms;
    int64_t partition_bytes_max; /* max.partition.fetch.bytes */
    const char *rack;            /* client.rack, "" for none */
};

struct group_options {
    const char *group_id;
    const char *group_instance_id; /* NULL: a dynamic member */
    int64_t session_timeout_ms;
    int64_t heartbeat_interval_ms;
    int64_t rebalance_timeout_ms; /* max.poll.interval.ms: how long the others wait for this member in a rebalance */
};

/*
 * Read what is set, else the defaults. The config's table has all of client_option_keys. Each returns 0, or MILL_EINVALID with
 * config->error when values contradict each other (the text names both properties).
 */
int client_options_read(struct client_options *options, struct config *config);
int producer_options_read(struct producer_options *options, struct config *config);
int consumer_options_read(struct consumer_options *options, struct config *config);
int group_options_read(struct group_options *options, struct config *config);

#endif
