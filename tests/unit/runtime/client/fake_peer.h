/*
 * A cluster for unit tests: a loop under virtual time, a connector whose connections end in this struct, and answers to what
 * every client asks. What a test is about it answers itself, in `hook`; what the hook leaves alone gets the stock answer.
 * Requests that nobody answers stay in `held` until the test does.
 *
 * Brokers have ids from 1 to broker_count. Nothing is delivered from within a call: answers come with the next turn of the loop.
 */
#ifndef FAKE_PEER_H
#define FAKE_PEER_H

#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/prng.h"
#include "client/client.h"
#include "client/connection.h"
#include "client/options.h"
#include "io/timer_heap.h"
#include "wire/api/api_versions.h"
#include "wire/api/find_coordinator.h"
#include "wire/api/init_producer_id.h"
#include "wire/api/metadata.h"
#include "wire/kafka_error.h"

enum { PEER_TOPICS = 8, PEER_PARTITIONS = 8 };

struct peer;

struct peer_topic {
    const char *name;
    int32_t partitions;
    int32_t leaders[PEER_PARTITIONS];
    int32_t epochs[PEER_PARTITIONS];
    uint8_t id; /* 0: a cluster without topic ids */
    int16_t error;
};

struct peer_connection {
    struct connection connection; /* first */
    struct peer *peer;
    struct list link;
    const struct connection_events *events;
    void *ctx;
    int port;
    bool open;
    bool closing;
    int close_code;
    struct list answered; /* to be delivered */
    struct loop_timer timer;
};

struct peer {
    struct loop loop; /* first */
    struct connector connector;
    struct timer_heap timers;
    struct io_time now;
    struct prng prng;
    struct list connections;
    struct list held; /* requests that wait for peer_answer, oldest first */
    int connects;
    bool refuse;               /* connections fail */
    int16_t version_caps[128]; /* highest version + 1 that is offered; 0: ours */
    bool not_offered[128];

    int32_t broker_count;
    int32_t controller;
    int32_t coordinator;
    struct peer_topic topics[PEER_TOPICS];
    int64_t next_producer_id;
    int requests[128]; /* by API */

    bool (*hook)(struct peer *peer, struct request *request); /* true: it has taken care */
    void *ctx;
    int16_t transaction_version; /* finalized; 0: nothing is */
};

/* ---- the loop -------------------------------------------------------------------------------------------------------------- */

static inline struct io_time peer_loop_now(struct loop *loop)
{
    return ((struct peer *)loop)->now;
}

static inline void peer_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_us)
{
    timer_heap_set(&((struct peer *)loop)->timers, timer, at_us);
}

static inline void peer_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
    timer_heap_remove(&((struct peer *)loop)->timers, timer);
}

static inline int peer_random(struct loop *loop, void *into, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)into)[i] = (uint8_t)prng_next(&((struct peer *)loop)->prng);
    return 0;
}

/* Lets `ms` of virtual time pass, with all that happens in it. */
static inline void peer_run(struct peer *peer, int64_t ms)
{
    int64_t until_us = peer->now.monotonic_us + ms * 1000;
    while (peer->timers.root && peer->timers.root->at_us <= until_us) {
        struct loop_timer *timer = peer->timers.root;
        if (timer->at_us > peer->now.monotonic_us) {
            peer->now.wall_ms += (timer->at_us - peer->now.monotonic_us) / 1000;
            peer->now.monotonic_us = timer->at_us;
        }
        timer_heap_remove(&peer->timers, timer);
        timer->fire(timer, peer->now);
    }
    peer->now.wall_ms += (until_us - peer->now.monotonic_us) / 1000;
    peer->now.monotonic_us = until_us;
}

/* ---- failing allocations: those of the client, not of the peer ------------------------------------------------------------- */

static uint64_t peer_fail_left; /* the client's nth allocation from here fails; 0: none */

static inline void peer_fail_at(uint64_t nth)
{
    peer_fail_left = nth;
    mem_fail_at(nth, 0);
}

static inline void peer_fail_pause(void)
{
    uint64_t used = mem_fail_at(0, 0);
    peer_fail_left = used >= peer_fail_left ? 0 : peer_fail_left - used;
}

static inline void peer_fail_resume(void)
{
    if (peer_fail_left > 0)
        mem_fail_at(peer_fail_left, 0);
}

/* ---- connections ----------------------------------------------------------------------------------------------------------- */

static inline void peer_connection_wake(struct peer_connection *connection)
{
    struct peer *peer = connection->peer;
    timer_heap_set(&peer->timers, &connection->timer, peer->now.monotonic_us);
}

/* Gives an answered request back to the client, in the next turn. */
static inline void peer_answer(struct peer *peer, struct request *request)
{
    struct peer_connection *connection = request->holder;
    list_remove(&request->link);
    list_push_back(&connection->answered, &request->link);
    peer_connection_wake(connection);
}

/* Cuts a connection off: requests come back with an error. */
static inline void peer_cut(struct peer_connection *connection, int code)
{
    connection->closing = true;
    connection->close_code = code;
    peer_connection_wake(connection);
}

static inline void peer_cut_all(struct peer *peer)
{
    list_for_each (node, &peer->connections)
        peer_cut(list_entry(node, struct peer_connection, link), MILL_ECONNECTION);
}

static inline void peer_take_back_held(struct peer_connection *connection)
{
    list_for_each_safe (node, &connection->peer->held) {
        struct request *request = list_entry(node, struct request, link);
        if (request->holder != connection)
            continue;
        request->response.error = connection->close_code ? connection->close_code : MILL_ECLOSED;
        request->response.body = NULL;
        list_remove(node);
        list_push_back(&connection->answered, node);
    }
}

static inline void peer_connection_turn(struct loop_timer *timer, struct io_time now)
{
    struct peer_connection *connection = timer->ctx;
    struct peer *peer = connection->peer;
    if (!connection->open && !connection->closing && !peer->refuse) {
        connection->open = true;
        connection->events->opened(connection->ctx, now);
    } else if (!connection->open && !connection->closing) {
        connection->closing = true;
        connection->close_code = MILL_ECONNECTION;
    }
    for (struct list *node; (node = list_pop_front(&connection->answered));)
        connection->events->answered(connection->ctx, list_entry(node, struct request, link), now);
    if (connection->closing) {
        peer_take_back_held(connection);
        for (struct list *node; (node = list_pop_front(&connection->answered));)
            connection->events->answered(connection->ctx, list_entry(node, struct request, link), now);
        timer_heap_remove(&peer->timers, &connection->timer);
        list_remove(&connection->link);
        connection->events->closed(connection->ctx, connection->close_code, "cut by the test", now);
        mem_free(connection);
    }
}

static inline void peer_serve(struct peer *peer, struct request *request);

static inline int peer_send(struct connection *base, struct request *request, struct error_text *error)
{
    struct peer_connection *connection = (struct peer_connection *)base;
    struct peer *peer = connection->peer;
    struct wire_frame frame;
    if (connection->closing)
        return error_set(error, MILL_ECLOSED, "closing");
    peer_fail_pause();
    int code = request_encode(request, &frame, error); /* as TCP would: catches fields that a version lacks */
    assert_int_equal(code, 0);
    request->holder = connection;
    list_push_back(&peer->held, &request->link);
    peer->requests[request->api->key]++;
    if (!peer->hook || !peer->hook(peer, request))
        peer_serve(peer, request);
    peer_fail_resume();
    return 0;
}

static inline void peer_close(struct connection *base)
{
    struct peer_connection *connection = (struct peer_connection *)base;
    if (!connection->closing)
        peer_cut(connection, 0);
}

static inline int peer_connect(struct connector *connector, struct loop *loop, const char *host, int port,
                               const struct connection_events *events, void *ctx, struct connection **result)
{
    static const struct connection_ops ops = { peer_send, peer_close };
    struct peer *peer = (struct peer *)loop;
    struct peer_connection *connection = mem_calloc(1, sizeof *connection);
    if (!connection)
        return MILL_ENOMEM;
    connection->connection = (struct connection){ &ops, 16 };
    connection->peer = peer;
    connection->events = events;
    connection->ctx = ctx;
    connection->port = port;
    connection->timer = (struct loop_timer){ .fire = peer_connection_turn, .ctx = connection };
    list_init(&connection->answered);
    list_push_back(&peer->connections, &connection->link);
    peer->connects++;
    peer_connection_wake(connection);
    *result = &connection->connection;
    return 0;
}

/* ---- stock answers --------------------------------------------------------------------------------------------------------- */

/* The response body, made in the request. */
static inline void *peer_response(struct request *request)
{
    void *body = request_new_response(request);
    assert_non_null(body);
    return body;
}

static inline struct wire_uuid peer_topic_id(const struct peer_topic *topic)
{
    struct wire_uuid id = { { 0 } };
    id.bytes[15] = topic->id;
    return id;
}

static inline struct peer_topic *peer_find_topic(struct peer *peer, mill_bytes name)
{
    for (int i = 0; i < PEER_TOPICS; i++)
        if (peer->topics[i].name && mill_bytes_equal(mill_string(peer->topics[i].name), name))
            return &peer->topics[i];
    return NULL;
}

static inline const char *peer_topic_name(struct peer *peer, struct wire_uuid id)
{
    for (int i = 0; i < PEER_TOPICS; i++)
        if (peer->topics[i].name && wire_uuid_equal(peer_topic_id(&peer->topics[i]), id))
            return peer->topics[i].name;
    return NULL;
}

static inline void peer_answer_api_versions(struct peer *peer, struct request *request)
{
    struct api_versions_response *body = peer_response(request);
    body->api_keys.items = api_versions_response_api_key_array(&request->arena, api_table_count);
    for (int i = 0; i < api_table_count; i++) {
        const struct api *api = &api_table[i];
        int16_t cap = peer->version_caps[api->key];
        if (peer->not_offered[api->key])
            continue;
        body->api_keys.items[body->api_keys.count++] =
            (struct api_versions_response_api_key){ api->key, api->advertised_min,
                                                    cap > 0 ? (int16_t)(cap - 1) : api->request->version_max };
    }
    if (peer->transaction_version == 0 || request->api_version < 3)
        return;
    body->finalized_features_epoch = 1;
    body->finalized_features.items = api_versions_response_finalized_feature_array(&request->arena, 1);
    body->finalized_features.count = 1;
    body->finalized_features.items[0].name = mill_string("transaction.version");
    body->finalized_features.items[0].max_version_level = peer->transaction_version;
}

static inline void peer_answer_metadata(struct peer *peer, struct request *request)
{
    const struct metadata_request *asked = request->body;
    struct metadata_response *body = peer_response(request);
    body->cluster_id = mill_string("test");
    body->controller_id = peer->controller;
    body->brokers.items = metadata_response_broker_array(&request->arena, peer->broker_count);
    body->brokers.count = peer->broker_count;
    for (int32_t i = 0; i < peer->broker_count; i++) {
        body->brokers.items[i].node_id = i + 1;
        body->brokers.items[i].host = mill_string("broker");
        body->brokers.items[i].port = 9091 + i;
    }
    int32_t count = asked->topics.count < 0 ? 0 : asked->topics.count;
    body->topics.items = metadata_response_topic_array(&request->arena, count);
    body->topics.count = count;
    for (int32_t i = 0; i < count; i++) {
        struct metadata_response_topic *told = &body->topics.items[i];
        const struct peer_topic *topic = peer_find_topic(peer, asked->topics.items[i].name);
        told->name = asked->topics.items[i].name;
        told->error_code = topic ? topic->error : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        if (!topic || topic->error != 0)
            continue;
        told->topic_id = peer_topic_id(topic);
        told->partitions.items = metadata_response_partition_array(&request->arena, topic->partitions);
        told->partitions.count = topic->partitions;
        for (int32_t p = 0; p < topic->partitions; p++) {
            told->partitions.items[p].partition_index = p;
            told->partitions.items[p].leader_id = topic->leaders[p];
            told->partitions.items[p].leader_epoch = topic->epochs[p];
        }
    }
}

static inline void peer_answer_find_coordinator(struct peer *peer, struct request *request)
{
    const struct find_coordinator_request *asked = request->body;
    struct find_coordinator_response *body = peer_response(request);
    if (request->api_version < 4) {
        body->node_id = peer->coordinator;
        body->host = mill_string("broker");
        body->port = 9090 + peer->coordinator;
        return;
    }
    body->coordinators.items = find_coordinator_response_coordinator_array(&request->arena, 1);
    body->coordinators.count = 1;
    body->coordinators.items[0].key = asked->coordinator_keys.items[0];
    body->coordinators.items[0].node_id = peer->coordinator;
    body->coordinators.items[0].host = mill_string("broker");
    body->coordinators.items[0].port = 9090 + peer->coordinator;
    body->coordinators.items[0].error_code = peer->coordinator < 0 ? KAFKA_COORDINATOR_NOT_AVAILABLE : 0;
}

static inline void peer_serve(struct peer *peer, struct request *request)
{
    switch (request->api->key) {
    case API_API_VERSIONS:
        peer_answer_api_versions(peer, request);
        break;
    case API_METADATA:
        peer_answer_metadata(peer, request);
        break;
    case API_FIND_COORDINATOR:
        peer_answer_find_coordinator(peer, request);
        break;
    case API_INIT_PRODUCER_ID:
        ((struct init_producer_id_response *)peer_response(request))->producer_id = peer->next_producer_id++;
        break;
    default:
        return; /* held until the test answers */
    }
    peer_answer(peer, request);
}

/* The oldest held request of an API, or NULL. */
static inline struct request *peer_held(struct peer *peer, enum api_key key)
{
    list_for_each (node, &peer->held) {
        struct request *request = list_entry(node, struct request, link);
        if (request->api->key == (int16_t)key)
            return request;
    }
    return NULL;
}

/* Which broker a request was sent to; 0: a bootstrap server. */
static inline int32_t peer_broker_of(const struct request *request)
{
    return ((const struct peer_connection *)request->holder)->port - 9090;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static inline void peer_init(struct peer *peer)
{
    static const struct loop_ops loop_ops = {
        .now = peer_loop_now, .timer_set = peer_timer_set, .timer_cancel = peer_timer_cancel, .random = peer_random
    };
    static const struct connector_ops connector_ops = { peer_connect };
    memset(peer, 0, sizeof *peer);
    peer->loop.ops = &loop_ops;
    peer->connector.ops = &connector_ops;
    peer->now = (struct io_time){ 1000000, 1700000000000 };
    prng_init(&peer->prng, 1);
    list_init(&peer->connections);
    list_init(&peer->held);
    peer->broker_count = 3;
    peer->controller = 1;
    peer->coordinator = 2;
    peer->next_producer_id = 4000;
}

static inline struct peer_topic *peer_add_topic(struct peer *peer, const char *name, int32_t partitions, int32_t leader)
{
    for (int i = 0; i < PEER_TOPICS; i++) {
        struct peer_topic *topic = &peer->topics[i];
        if (topic->name)
            continue;
        *topic = (struct peer_topic){ .name = name, .partitions = partitions, .id = (uint8_t)(i + 1) };
        for (int32_t p = 0; p < partitions; p++)
            topic->leaders[p] = leader;
        return topic;
    }
    return NULL;
}

static inline struct client_options peer_client_options(void)
{
    struct config config;
    struct client_options options;
    config_init(&config, &client_option_table);
    assert_int_equal(client_options_read(&options, &config), 0);
    config_release(&config);
    options.bootstrap_servers = "bootstrap:9090";
    options.client_id = "test";
    return options;
}

static inline struct client *peer_client(struct peer *peer)
{
    struct client_options options = peer_client_options();
    struct error_text error = { "" };
    struct client *client = client_new(&peer->loop, &options, &peer->connector, &error);
    if (client == NULL)
        print_message("%s\n", error.text);
    return client;
}

static inline void peer_note_closed(void *ctx)
{
    *(bool *)ctx = true;
}

/* Frees the client and checks that nothing of it is left on the loop. */
static inline void peer_end(struct peer *peer, struct client *client)
{
    bool closed = false;
    client_free(client, peer_note_closed, &closed);
    peer_run(peer, 0);
    assert_true(closed);
    assert_true(list_empty(&peer->held));
    assert_true(list_empty(&peer->connections));
    assert_null(peer->timers.root);
}

#endif
