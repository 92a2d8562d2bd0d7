/*
 * A load generator: connections that keep requests in flight, below the client, so that the broker is what is measured.
 *
 * Batches are given as they are to be sent; nothing is encoded, looked up or retried, and the first error ends the program with a
 * message. Over TCP or in-process, as the connector is.
 *
 * Thread: that of load_open; each call runs the load's own loop until it is done.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shared_buffer.h"
#include "client/connection.h"

struct load;

struct load_options {
    struct connector *connector; /* tcp_connector(), or a local one */
    const char *host;            /* of TCP */
    int port;
    int connections;
    int in_flight; /* Produce requests per connection; a Fetch waits for the one before, whose answer says where to go on */
};

/* Connects all. */
struct load *load_open(const struct load_options *options);
void load_close(struct load *load);

void load_create_topic(struct load *load, const char *topic, int32_t partitions);

/*
 * The next batch for this connection, with its partition and a hold on its buffer, which the load takes over. In-process the
 * broker stamps the very bytes, so each batch needs a buffer of its own. False: there is no more.
 */
typedef bool load_source(void *ctx, int connection, int32_t *partition, struct slice *batch);

/* Sends one batch a request, acks=all, until the source is dry and all are acknowledged. */
void load_produce(struct load *load, const char *topic, load_source *source, void *ctx);

/* A run of whole batches; views, valid for the call. */
typedef void load_sink(void *ctx, int32_t partition, mill_bytes batches);

/*
 * Reads every partition from start to end: connection c reads partition c modulo `partitions`, so with more connections than
 * partitions several read the same. Returns the bytes received.
 */
uint64_t load_fetch(struct load *load, const char *topic, int32_t partitions, int32_t fetch_bytes, load_sink *sink, void *ctx);

#endif
