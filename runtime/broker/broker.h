/*
 * The broker: topics, partitions, consumer groups and their logs, owned by one loop.
 *
 *     broker_new -> broker_open -> broker_submit ... -> broker_close -> closed() -> broker_free
 *
 * Requests and answers are the decoded messages of wire/api. Every answer comes through a callback, perhaps later: an
 * acknowledged batch is synced first, a fetch may wait for records, a join for the other members. Nothing here waits.
 *
 * Thread: the loop's, for every call here. From other threads: broker_local.h.
 *
 * On disk, all in Kafka's formats: what log/log_directory.h lists, with `__cluster_metadata-0` for topics, configs and producer
 * ids, and one directory for each partition that was ever written to.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "base/config.h"
#include "base/error.h"
#include "io/io.h"
#include "wire/message.h"

struct broker;
struct metrics;

struct broker_options {
    struct disk *disk;
    struct loop *loop;
    const char *data_dir;        /* made, with parents, when missing */
    const struct config *config; /* of broker_config_table() (broker/config.h); copied */
};

/* NULL: no memory. Takes nothing from the disk yet. */
struct broker *broker_new(const struct broker_options *options);

/*
 * Locks the directory, replays the metadata, opens every partition that has a directory and starts to load the groups. 0: ready;
 * MILL_ELOCKED: another process runs on this directory; other codes as the disk gives them. The text is broker_error's. After an
 * error: broker_free.
 */
int broker_open(struct broker *broker, struct io_time now);
const char *broker_error(const struct broker *broker);

/*
 * The address that clients are told to connect to. Before the first request; `host` is copied. Without a listener (in-process
 * clients alone) it need not be set. MILL_ENOMEM.
 */
int broker_set_advertised(struct broker *broker, const char *host, int port);

/* A member that joined from inside this process: dropped when the broker loads its group after a restart. */
#define BROKER_HOST_IN_PROCESS "in-process"

/*
 * Gives a request away. `reply` comes exactly once, during the submit or later, on this loop, with request->response filled: a
 * body; or `error` (MILL_ENOMEM, MILL_ECLOSED, MILL_EUNSUPPORTED: no handler), after which a connection is to be closed; or
 * neither, when no answer is due (acks=0). `client_host` as Kafka prints it ("/127.0.0.1"), valid until the reply.
 */
typedef void (*broker_reply)(void *ctx, struct request *request, struct io_time now);
void broker_submit(struct broker *broker, struct request *request, const char *client_host, broker_reply reply, void *ctx,
                   struct io_time now);

/* The peer of a submitted request is gone: a parked one is answered now instead of at its deadline. */
void broker_hurry(struct broker *broker, struct request *request, struct io_time now);

/* Is this API answered at all? What the server and ApiVersions go by. */
bool broker_has_api(int16_t api_key);

/*
 * A clean shutdown: parked requests are answered, appended batches synced, logs closed and the clean mark written; then `closed`.
 * New requests are refused with MILL_ECLOSED.
 */
void broker_close(struct broker *broker, void (*closed)(void *ctx), void *ctx, struct io_time now);

/*
 * After `closed` or a failed open, when every in-process endpoint has closed. In tests of crashes also at any other time when its
 * loop is dead: nothing is written, and what workers have is lost with them.
 */
void broker_free(struct broker *broker);

const char *broker_cluster_id(const struct broker *broker);
const struct config *broker_config(const struct broker *broker);
struct metrics *broker_metrics(struct broker *broker);

#endif
