/*
 * The broker on a thread of its own, with its listener: what an application embeds and `millstream broker` runs.
 *
 * Thread: the caller's, one at a time; broker_host_broker's result is for in-process connections on any thread.
 */
#ifndef APP_BROKER_HOST_H
#define APP_BROKER_HOST_H

#include "base/config.h"
#include "base/error.h"
#include "broker/broker.h"
#include "io/io.h"

struct broker_host;

struct broker_host_options {
    struct disk *disk;
    struct work_threads *work;
    const char *data_directory;
    const char *host;            /* to listen on; NULL: no listener, in-process clients only */
    int port;                    /* 0: a free one */
    const char *advertised_host; /* NULL: `host` */
    const struct config *config; /* of broker_config_table() */
};

/*
 * Starts it and waits until it answers. 0, or with the reason in `error`: as broker_open, of which MILL_ELOCKED is that another
 * broker has the data directory; as server_open, of which MILL_EADDRINUSE is that something listens there; MILL_ENOMEM.
 */
MILL_MUST_USE int broker_host_start(const struct broker_host_options *options, struct broker_host **started,
                                    struct error_text *error);

/* Closes in order (clean shutdown), waits for it and frees. In-process connections are closed before. NULL is a no-op. */
void broker_host_stop(struct broker_host *host);

struct broker *broker_host_broker(const struct broker_host *host);
int broker_host_port(const struct broker_host *host); /* 0 without a listener */

/*
 * "PLAINTEXT://host:port" or "host:port", the host of IPv6 in brackets, into its parts; `host` gets at most `size` bytes.
 * MILL_EINVALID with text.
 */
int broker_host_parse_listener(const char *listener, char *host, size_t size, int *port, struct error_text *error);

#endif
