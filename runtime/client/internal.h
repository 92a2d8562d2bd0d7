/*
 * What the files of the client share: the client itself, its links to brokers, its metadata, its coordinators.
 *
 * client.c routes calls; broker_link.c has one connection to one broker on one lane; metadata.c keeps topics and brokers;
 * coordinator.c finds coordinators. Nobody outside these four includes this.
 *
 * A call lies in exactly one place at a time: in a link's `waiting`, at a connection (call->request), in `unrouted` (it waits for
 * metadata or a coordinator) or in `ended` (its `done` is due in the next turn of the loop).
 */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include "base/hash_map.h"
#include "base/prng.h"
#include "client/client.h"
#include "client/connection.h"

/* ---- links ----------------------------------------------------------------------------------------------------------------- */

/*
 *     IDLE --a call waits, back-off over--> CONNECTING --opened--> NEGOTIATING --ApiVersions answered--> READY
 *       ^                                       |                       |                                 |
 *       +---------------closed------------------+-----------------------+--------- CLOSING <--------------+
 */
enum link_state { LINK_IDLE, LINK_CONNECTING, LINK_NEGOTIATING, LINK_READY, LINK_CLOSING };

enum {
    LINK_BOOTSTRAP = -1, /* instead of a broker id: an address of bootstrap.servers */
    LINK_API_KEYS = 128, /* keys above are nothing that we send */
    HOST_BYTES = 256,
    LINK_NAME_BYTES = HOST_BYTES + 40,
};

struct version_range {
    int16_t min, max; /* max below min: not offered */
};

struct broker_link {
    struct client *client;
    int32_t broker; /* or LINK_BOOTSTRAP */
    int lane;
    char host[HOST_BYTES];
    int port;
    enum link_state state;
    bool retired; /* freed when closed */
    bool was_ready;
    struct connection *connection;
    struct list waiting; /* calls */
    int in_flight;
    int failures; /* in a row */
    int64_t retry_at_us;
    struct loop_timer timer; /* set-up time-out, or back-off */
    int16_t negotiate_version;
    struct error_text error; /* why the connection was last given up */
    struct version_range versions[LINK_API_KEYS];
    struct list link;
};

/* "broker 1 at host:9092", into `text`, for messages. */
const char *link_name(const struct broker_link *link, char text[LINK_NAME_BYTES]);

/* The link to a broker (host and port do not matter then) or bootstrap address on a lane; NULL: none. */
struct broker_link *link_find(struct client *client, int32_t broker, const char *host, int port, int lane);
/* The same, made if missing; NULL: no memory. */
struct broker_link *link_get(struct client *client, int32_t broker, const char *host, int port, int lane);
void link_submit(struct broker_link *link, struct call *call);
void link_close(struct broker_link *link); /* gives the connection up; it comes back when a call waits */
/* Closes it for good; its waiting calls end with MILL_ECLOSED. Frees it, now or when its connection is gone. */
void link_retire(struct broker_link *link);
/* Moves to another address. */
void link_set_address(struct broker_link *link, const char *host, int port);

/* ---- coordinators ---------------------------------------------------------------------------------------------------------- */

enum { COORDINATOR_NO_MEMORY = -2 };

struct coordinator {
    struct client *client;
    enum coordinator_type type;
    char *key;
    int32_t broker; /* -1: to be looked up */
    int attempts;
    struct call call;
    struct loop_timer timer;
};

/*
 * The broker; or -1 and a look-up is under way, at whose end the calls that wait are routed again or fail; or
 * COORDINATOR_NO_MEMORY.
 */
int32_t coordinator_broker(struct client *client, enum coordinator_type type, const char *key);
void coordinators_release(struct client *client);

/* ---- metadata -------------------------------------------------------------------------------------------------------------- */

struct topic_entry {
    struct client_topic topic; /* first: a handle is a pointer to it */
    /* Either: asked for at refreshes. */
    bool named; /* by client_topic: asking may create it */
    bool seen;  /* by client_topic_there: asking must not create it */
};

struct metadata {
    struct hash_map topics; /* name -> topic_entry */
    struct client_broker *brokers;
    size_t broker_count;
    int32_t controller;
    char cluster_id[64];
    struct list listeners;
    struct call call;
    struct loop_timer timer;
    int64_t due_us; /* when to ask next, 0: not planned; kept while a call is out */
    int64_t last_sent_us;
    int attempts; /* in a row that left something unknown */
};

void client_metadata_init(struct client *client);
void client_metadata_release(struct client *client);
const struct client_broker *metadata_broker(const struct client *client, int32_t id);
/* Adds or corrects a broker that another answer told of. 0 or MILL_ENOMEM. */
int metadata_learn_broker(struct client *client, int32_t id, mill_bytes host, int port);

/* ---- client ---------------------------------------------------------------------------------------------------------------- */

struct address {
    char host[HOST_BYTES];
    int port;
};

struct client {
    struct loop *loop;
    struct client_options options;
    char *client_id;
    struct connector *connector;
    struct prng prng;
    struct address *bootstrap;
    size_t bootstrap_count;
    struct list links;
    struct list unrouted;
    struct list ended;
    struct loop_timer ended_timer;
    int lanes;
    struct hash_map coordinators;
    struct metadata metadata;
    int64_t features_epoch;      /* of the newest answer that said what is finalized; -1: none */
    int16_t transaction_version; /* finalized (KIP-890); 0: not told */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* Tries again to route what waits for metadata or a coordinator. */
void client_reroute(struct client *client);
/* New brokers are known: links follow their addresses, those to bootstrap servers become links to brokers or go. */
void client_adopt_brokers(struct client *client);
void client_route(struct client *client, struct call *call);

/* The call is answered now, or fails in the next turn of the loop. It lies nowhere when these are called. */
void call_finish(struct call *call, const struct answer *answer, struct io_time now);
void client_call_fail(struct call *call, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A link is gone; frees a closing client with its last. */
void client_link_gone(struct client *client);

#endif
