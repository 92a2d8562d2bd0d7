/*
 * What an application's properties tell the clients of its threads: those that client and engine share, Kafka Streams' own
 * defaults, and those behind a prefix ("consumer.", "main.consumer.", "restore.consumer.", "global.consumer.", "producer.",
 * "admin."), which count most.
 *
 * `clients` is a configuration of client_option_table that was only initialized; the options view into it. Errors name the
 * property and go to `error`.
 */
#ifndef WORKER_CLIENT_PROPERTIES_H
#define WORKER_CLIENT_PROPERTIES_H

#include <stdint.h>

#include "client/options.h"

struct stream_client_options {
    struct client_options client;
    struct producer_options producer;
    struct consumer_options consumer;
    struct consumer_options restorer; /* of changelogs; its rack is that of `consumer` */
    struct group_options group;
    int64_t reset_duration_ms; /* auto.offset.reset=by_duration:...; 0: another one */
};

/* Those of a stream thread. Bootstrap servers and all ids are left to the caller. 0, MILL_EINVALID, MILL_ENOMEM. */
int stream_client_options_read(struct stream_client_options *options, struct config *clients, const struct config *config,
                               struct error_text *error);

/* Those of the global stores' thread: `client` and `consumer` alone are set. */
int global_client_options_read(struct stream_client_options *options, struct config *clients, const struct config *config,
                               struct error_text *error);

/* Would both be read? Asked before anything is started, so that a wrong property costs nothing. */
int client_properties_check(const struct config *config, struct error_text *error);

#endif
