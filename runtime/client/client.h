/*
 * The cluster as one thread sees it: brokers, connections, metadata, coordinators, and calls to them.
 *
 * A call names an API and a route; the client finds the broker, opens and negotiates a connection when there is none, lets the
 * caller fill the request in the version that both sides know, and calls back once: with the answer, or with the reason why there
 * is none. Nothing is retried here, except that a call waits for a connection, a coordinator or a credit within its time-out:
 * whether a repeated request does harm is known to its caller only (producer, consumer, group member, admin).
 *
 *     call --route--> broker known? --no--> wait for metadata or coordinator
 *                         | yes
 *                     connection open on its lane? --no--> connect with jittered back-off, ApiVersions, wait
 *                         | yes
 *                     credit? --no--> wait           --yes--> fill(version), send ... done
 *
 * Lanes. A broker answers a connection's requests one after the other, so a parked Fetch or JoinGroup would hold up what is sent
 * behind it. Whoever parks requests takes a lane, which has its own connection to each broker. Lane 0 is for everything short.
 *
 * Metadata is kept for the topics that somebody asked for (client_topic), refreshed by age, on client_refresh and while a topic
 * or leader is unknown; listeners hear of every update. Topics are looked up by name once and used by handle.
 *
 * Thread: all of it, callbacks included, on the loop's thread. Nothing waits. `done` and `changed` may make and cancel calls, but
 * not free the client.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/list.h"
#include "client/options.h"
#include "io/io.h"
#include "wire/message.h"

struct client;
struct connector;

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

enum route_kind {
    ROUTE_ANY,         /* whichever broker is connected; when that fails before sending, another */
    ROUTE_BROKER,      /* `broker`: a leader */
    ROUTE_CONTROLLER,  /* as the metadata says */
    ROUTE_COORDINATOR, /* of the group or transactional id `key`; looked up once and kept */
};

enum coordinator_type { COORDINATOR_GROUP = 0, COORDINATOR_TRANSACTION = 1 };

struct route {
    enum route_kind kind;
    int lane;
    int32_t broker;
    enum coordinator_type type;
    const char *key; /* outlives the call */
};

/*
 * What came back. `body` is struct <api>_response as of `version`; it and its bytes are valid for `done`. A record slice is kept
 * longer by holding its buffer.
 */
struct answer {
    int code; /* 0, or MILL_ETIMEOUT, ECONNECTION, EUNSUPPORTED (no common version), EPROTOCOL, ENOMEM, or what fill returned */
    const char *text; /* of an error: what, where, what to do; "" else */
    int16_t version;
    const void *body;            /* NULL on an error */
    struct shared_buffer *frame; /* what `body` views when it came over the network; NULL in-process */
    int32_t broker;              /* that answered; -1 unknown */
};

struct call;

/*
 * Embedded in its owner; zero it, set the first group of fields and call. Until `done` it belongs to the client; then, and
 * already in `done`, it may be used again. `done` is never called from within client_call.
 */
struct call {
    enum api_key api_key;
    int16_t version_max; /* 0: the highest that wire knows */
    int64_t timeout_ms;  /* 0: request.timeout.ms */
    /*
     * Fills request->body (struct <api>_request at its defaults) for request->api_version; allocates from request->arena, gives
     * buffers to request_keep. 0, or a code that ends the call with it. NULL: there is nothing to fill.
     */
    int (*fill)(struct call *call, struct request *request);
    void (*done)(struct call *call, const struct answer *answer, struct io_time now);
    void *ctx;

    struct client *client; /* the client's, from here */
    struct route route;
    struct list link;
    struct broker_link *at;  /* where it waits or was sent */
    struct request *request; /* while it is sent */
    struct loop_timer timer;
    bool pending;
    int failure; /* of one whose `done` is due, with its text (owned, may be NULL) */
    char *failure_text;
};

void client_call(struct client *client, struct call *call, struct route route);
void client_cancel(struct call *call); /* no `done` any more; harmless when none is due, also on a zeroed call */
bool client_call_pending(const struct call *call);

/* ---- the client ------------------------------------------------------------------------------------------------------------ */

/*
 * `options` is copied, strings too. `connector` makes connections (client/connection.h) and outlives the client; NULL: TCP. NULL
 * when there is no memory or bootstrap_servers cannot be parsed, with the reason in `error`. Connects with the first call.
 */
struct client *client_new(struct loop *loop, const struct client_options *options, struct connector *connector,
                          struct error_text *error);

/*
 * Ends all connections; calls not answered get no `done`. Free what was built on the client first. `closed` (may be NULL) is
 * called when the loop holds nothing of the client any more, perhaps before this returns.
 */
void client_free(struct client *client, void (*closed)(void *ctx), void *ctx);

struct loop *client_loop(const struct client *client);
const struct client_options *client_get_options(const struct client *client);

int client_lane_new(struct client *client); /* a lane of one's own; never fails */
void client_lane_close(struct client *client,
                       int lane); /* its connections are closed, calls that wait on it end with MILL_ECLOSED */

/* The coordinator has moved: the next call looks it up again. */
void client_coordinator_lost(struct client *client, enum coordinator_type type, const char *key);

/* A uniformly jittered, exponential back-off in microseconds for attempt 0, 1, 2...: Kafka's retry.backoff.ms with +-20 %. */
int64_t client_retry_backoff_us(struct client *client, int attempt);

const char *client_cluster_id(const struct client *client); /* "" while unknown */

/*
 * Is a broker connected, on whatever lane? `name` gets it, or one that was tried ("broker 1 at 10.0.0.1:9092"), `why` the reason
 * why there is no connection ("" when there is one, or none is known); both are cut at their sizes.
 */
bool client_connected(const struct client *client, char *name, size_t name_size, char *why, size_t why_size);
uint64_t client_random(struct client *client); /* for jitter */

/* ---- metadata -------------------------------------------------------------------------------------------------------------- */

struct client_partition {
    int32_t leader; /* broker id; -1: none known */
    int32_t leader_epoch;
};

/* One for each name ever asked for, until client_free; read-only. */
struct client_topic {
    const char *name;
    struct wire_uuid id;     /* zero: unknown, or a cluster without topic ids */
    bool may_go;             /* once named by client_topic_there */
    int32_t partition_count; /* -1: not known yet */
    int code;                /* 0; MILL_ENOTFOUND, MILL_EACCESS, MILL_EINVALID (name): the latest answer about it */
    struct client_partition *partitions;
};

/* The handle of a topic; asks for its metadata if it is new. NULL: no memory. */
struct client_topic *client_topic(struct client *client, const char *name);

/*
 * The same for a topic that was seen to be there and may be deleted meanwhile: asking for it never creates it, and what a
 * consumer group commits of one that is gone counts as committed (but within a transaction, where it is MILL_ENOTFOUND).
 */
struct client_topic *client_topic_there(struct client *client, const char *name);

/* Takes client_topic_there back: the topic is asked for only if client_topic named it too, whenever. Handles stay valid. */
void client_leave_topic(struct client *client, const char *name);

/*
 * Stops asking for a topic, whoever named it (it was deleted, and asking could create it again), until one of the two names it
 * again. Handles stay valid.
 */
void client_forget_topic(struct client *client, const char *name);

/* The known topic with this id or NULL: for answers that name topics by id. */
struct client_topic *client_topic_by_id(struct client *client, struct wire_uuid id);

/* The leader of a partition, -1 while unknown (and then a refresh is under way). */
int32_t client_leader(struct client *client, const struct client_topic *topic, int32_t partition);

/* Something we knew proved wrong: fetches metadata again, at once or after a back-off since the last time. Many calls are one. */
void client_refresh(struct client *client);

/* Better knowledge from an answer (KIP-951): taken when its epoch is newer. */
void client_learn_leader(struct client *client, struct client_topic *topic, int32_t partition, int32_t leader, int32_t epoch);

/* Called after every metadata answer, and when asking for it failed (`code` not 0, with text). Embedded in its owner. */
struct metadata_listener {
    void (*changed)(void *ctx, int code, const char *text, struct io_time now);
    void *ctx;
    struct list link;
};
void client_listen(struct client *client, struct metadata_listener *listener);
void client_unlisten(struct metadata_listener *listener);

struct client_broker {
    int32_t id;
    const char *host;
    int port;
};
/* The brokers as of the last metadata; valid until the next turn of the loop. */
const struct client_broker *client_brokers(const struct client *client, size_t *count);
int32_t client_controller(const struct client *client); /* -1 unknown */

/* The cluster's finalized transaction.version, as the brokers asked so far have said (KIP-890 is 2); 0: none has. */
int16_t client_transaction_version(const struct client *client);

/* ---- errors ---------------------------------------------------------------------------------------------------------------- */

/* What a Kafka error code of an answer asks of the client. */
enum error_action {
    ERROR_NONE,        /* 0 */
    ERROR_RETRY,       /* the same request again after a back-off */
    ERROR_REFRESH,     /* metadata is stale: refresh, then retry */
    ERROR_COORDINATOR, /* the coordinator has moved: client_coordinator_lost, then retry */
    ERROR_FATAL,       /* no repetition mends it */
};
enum error_action client_error_action(int16_t kafka_error);

#endif
