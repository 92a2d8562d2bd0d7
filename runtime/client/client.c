/*
 * The client: its life, calls and where they go. See internal.h for the map of the files.
 *
 * Failures found while a call is being routed are told in the next turn of the loop (`ended`), so that `done` never runs inside
 * client_call. A request that runs into its time-out takes its connection with it: what follows on it would be as late.
 */
#include "client/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "client/internal.h"
#include "wire/kafka_error.h"

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

static void call_detach(struct call *call)
{
    list_remove(&call->link);
    loop_timer_cancel(call->client->loop, &call->timer);
    if (call->request)
        call->request->owner = NULL;
    call->request = NULL;
    call->at = NULL;
    call->pending = false;
}

void call_finish(struct call *call, const struct answer *answer, struct io_time now)
{
    char *text = call->failure_text;
    call->failure_text = NULL;
    call_detach(call);
    call->done(call, answer, now);
    mem_free(text);
}

void client_call_fail(struct call *call, int code, const char *format, ...)
{
    struct client *client = call->client;
    char text[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    call->failure = code;
    call->failure_text = mem_strdup(text);
    list_push_back(&client->ended, &call->link);
    loop_timer_set(client->loop, &client->ended_timer, loop_now(client->loop).monotonic_us);
}

static void on_ended(struct loop_timer *timer, struct io_time now)
{
    struct client *client = timer->ctx;
    struct list due;
    list_init(&due);
    for (struct list *node; (node = list_pop_front(&client->ended));)
        list_push_back(&due, node);
    for (struct list *node; (node = list_pop_front(&due));) {
        struct call *call = list_entry(node, struct call, link);
        struct answer answer = { .code = call->failure, .broker = -1 };
        answer.text = call->failure_text ? call->failure_text : mill_error_text(call->failure);
        call_finish(call, &answer, now);
    }
}

static void describe_search(const struct call *call, const char *api, struct error_text *text)
{
    char broker[LINK_NAME_BYTES];
    char why[ERROR_TEXT_BYTES];
    char last[ERROR_TEXT_BYTES] = "";
    if (!client_connected(call->client, broker, sizeof broker, why, sizeof why) && why[0] != '\0')
        snprintf(last, sizeof last, "; %.150s: %.150s", broker, why);
    if (call->route.kind == ROUTE_COORDINATOR)
        error_set(text, MILL_ETIMEOUT, "%s request: no coordinator was found in time for '%.100s'%s", api, call->route.key, last);
    else
        error_set(text, MILL_ETIMEOUT, "%s request: no metadata came in time%s", api, last);
}

/* Why a call that waits has not been sent. */
static void describe_wait(const struct call *call, struct error_text *text)
{
    const char *api = api_find((int16_t)call->api_key)->name;
    char name[LINK_NAME_BYTES];
    if (call->request)
        error_set(text, MILL_ETIMEOUT, "%s request: no answer in time from %s", api, link_name(call->at, name));
    else if (call->at)
        error_set(text, MILL_ETIMEOUT, "%s request: not sent in time to %s%s%s", api, link_name(call->at, name),
                  call->at->error.text[0] ? "; last error: " : "", call->at->error.text);
    else
        describe_search(call, api, text);
}

static void on_call_timeout(struct loop_timer *timer, struct io_time now)
{
    struct call *call = timer->ctx;
    struct error_text text;
    describe_wait(call, &text);
    struct answer answer = { .code = MILL_ETIMEOUT, .broker = -1, .text = text.text };
    if (call->request)
        link_close(call->at);
    call_finish(call, &answer, now);
}

void client_call(struct client *client, struct call *call, struct route route)
{
    mill_assert(!call->pending);
    call->client = client;
    call->route = route;
    call->pending = true;
    call->failure = 0;
    call->at = NULL;
    call->request = NULL;
    list_init(&call->link);
    call->timer.fire = on_call_timeout;
    call->timer.ctx = call;
    int64_t timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : client->options.request_timeout_ms;
    loop_timer_set(client->loop, &call->timer, loop_now(client->loop).monotonic_us + timeout_ms * 1000);
    client_route(client, call);
}

void client_cancel(struct call *call)
{
    if (!call->pending)
        return;
    call_detach(call);
    mem_free(call->failure_text);
    call->failure_text = NULL;
}

bool client_call_pending(const struct call *call)
{
    return call->pending;
}

/* ---- routes ---------------------------------------------------------------------------------------------------------------- */

/* How soon a link could take a call: 0 now, 1 soon, 2 after connecting, 3 after its back-off. */
static int link_distance(const struct broker_link *link, int64_t now_us)
{
    if (!link)
        return 2;
    if (link->state == LINK_READY)
        return 0;
    if (link->state == LINK_CONNECTING || link->state == LINK_NEGOTIATING)
        return 1;
    return link->retry_at_us <= now_us ? 2 : 3;
}

struct candidate {
    int32_t broker;
    const char *host;
    int port;
    struct broker_link *link;
    int distance;
};

static struct candidate candidate_at(struct client *client, size_t i, int lane, int64_t now_us)
{
    struct metadata *metadata = &client->metadata;
    struct candidate candidate;
    if (i < metadata->broker_count) {
        const struct client_broker *broker = &metadata->brokers[i];
        candidate = (struct candidate){ broker->id, broker->host, broker->port, NULL, 0 };
    } else {
        const struct address *address = &client->bootstrap[i - metadata->broker_count];
        candidate = (struct candidate){ LINK_BOOTSTRAP, address->host, address->port, NULL, 0 };
    }
    candidate.link = link_find(client, candidate.broker, candidate.host, candidate.port, lane);
    candidate.distance = link_distance(candidate.link, now_us);
    return candidate;
}

/* The nearest link; among equals brokers before bootstrap servers, and of those the one whose back-off ends first. */
static struct broker_link *nearest_link(struct client *client, int lane)
{
    int64_t now_us = loop_now(client->loop).monotonic_us;
    size_t count = client->metadata.broker_count + client->bootstrap_count;
    struct candidate best = candidate_at(client, 0, lane, now_us);
    for (size_t i = 1; i < count; i++) {
        struct candidate next = candidate_at(client, i, lane, now_us);
        bool sooner = next.distance == 3 && best.distance == 3 && next.link->retry_at_us < best.link->retry_at_us;
        if (next.distance < best.distance || sooner)
            best = next;
    }
    return best.link ? best.link : link_get(client, best.broker, best.host, best.port, lane);
}

static void route_to_broker(struct client *client, struct call *call, int32_t id)
{
    const struct client_broker *broker = metadata_broker(client, id);
    if (!broker) {
        client_refresh(client);
        client_call_fail(call, MILL_ECONNECTION, "broker %d is not known in the cluster", (int)id);
        return;
    }
    struct broker_link *link = link_get(client, id, broker->host, broker->port, call->route.lane);
    if (link)
        link_submit(link, call);
    else
        client_call_fail(call, MILL_ENOMEM, "no memory for a connection to broker %d", (int)id);
}

static void wait_unrouted(struct client *client, struct call *call)
{
    call->at = NULL;
    list_push_back(&client->unrouted, &call->link);
}

static void route_to_coordinator(struct client *client, struct call *call)
{
    int32_t id = coordinator_broker(client, call->route.type, call->route.key);
    if (id >= 0)
        route_to_broker(client, call, id);
    else if (id == COORDINATOR_NO_MEMORY)
        client_call_fail(call, MILL_ENOMEM, "no memory to look up the coordinator of '%s'", call->route.key);
    else
        wait_unrouted(client, call);
}

void client_route(struct client *client, struct call *call)
{
    switch (call->route.kind) {
    case ROUTE_BROKER:
        route_to_broker(client, call, call->route.broker);
        return;
    case ROUTE_COORDINATOR:
        route_to_coordinator(client, call);
        return;
    case ROUTE_CONTROLLER:
        if (client->metadata.controller >= 0) {
            route_to_broker(client, call, client->metadata.controller);
        } else {
            wait_unrouted(client, call);
            client_refresh(client);
        }
        return;
    case ROUTE_ANY:
        break;
    }
    struct broker_link *link = nearest_link(client, call->route.lane);
    if (link)
        link_submit(link, call);
    else
        client_call_fail(call, MILL_ENOMEM, "no memory for a connection");
}

void client_reroute(struct client *client)
{
    struct list waiting;
    list_init(&waiting);
    for (struct list *node; (node = list_pop_front(&client->unrouted));)
        list_push_back(&waiting, node);
    for (struct list *node; (node = list_pop_front(&waiting));)
        client_route(client, list_entry(node, struct call, link));
}

void client_adopt_brokers(struct client *client)
{
    list_for_each_safe (node, &client->links) {
        struct broker_link *link = list_entry(node, struct broker_link, link);
        if (link->broker != LINK_BOOTSTRAP) {
            const struct client_broker *broker = metadata_broker(client, link->broker);
            if (broker)
                link_set_address(link, broker->host, broker->port);
            continue;
        }
        for (size_t i = 0; i < client->metadata.broker_count && link->broker == LINK_BOOTSTRAP; i++) {
            const struct client_broker *broker = &client->metadata.brokers[i];
            if (broker->port == link->port && strcmp(broker->host, link->host) == 0 &&
                !link_find(client, broker->id, NULL, 0, link->lane))
                link->broker = broker->id;
        }
        if (link->broker == LINK_BOOTSTRAP && link->in_flight == 0 && list_empty(&link->waiting))
            link_retire(link);
    }
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

/* "host:port" or "[v6]:port" in [text, end). */
static int parse_address(const char *text, size_t len, struct address *address, struct error_text *error)
{
    const char *colon = NULL;
    for (size_t i = 0; i < len; i++)
        if (text[i] == ':')
            colon = text + i;
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    long port = 0;
    for (const char *p = colon ? colon + 1 : NULL; p && p < text + len; p++) {
        if (*p < '0' || *p > '9' || port > 65535)
            port = 65536 * 2;
        else
            port = port * 10 + (*p - '0');
    }
    const char *host = text;
    if (host_len >= 2 && text[0] == '[' && text[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    if (host_len == 0 || host_len >= sizeof address->host || port < 1 || port > 65535)
        return error_set(error, MILL_EINVALID, "bootstrap.servers: '%.*s' is not host:port", (int)len, text);
    memcpy(address->host, host, host_len);
    address->host[host_len] = '\0';
    address->port = (int)port;
    return 0;
}

static int parse_bootstrap(struct client *client, const char *servers, struct error_text *error)
{
    size_t capacity = 1;
    for (const char *p = servers; *p; p++)
        capacity += *p == ',';
    client->bootstrap = mem_calloc(capacity, sizeof *client->bootstrap);
    if (!client->bootstrap)
        return error_set(error, MILL_ENOMEM, "no memory for a client");
    for (const char *at = servers; *at;) {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ", \t");
        if (len == 0)
            break;
        int code = parse_address(at, len, &client->bootstrap[client->bootstrap_count], error);
        if (code < 0)
            return code;
        client->bootstrap_count++;
        at += len;
    }
    if (client->bootstrap_count == 0 && client->connector == tcp_connector())
        return error_set(error, MILL_EINVALID, "bootstrap.servers is empty: name at least one broker as host:port");
    if (client->bootstrap_count == 0) {
        snprintf(client->bootstrap[0].host, sizeof client->bootstrap[0].host, "in-process");
        client->bootstrap_count = 1;
    }
    return 0;
}

static void client_destroy(struct client *client)
{
    void (*closed)(void *ctx) = client->closed;
    void *ctx = client->closed_ctx;
    client_metadata_release(client);
    coordinators_release(client);
    hash_map_release(&client->coordinators);
    mem_free(client->bootstrap);
    mem_free(client->client_id);
    mem_free(client);
    if (closed)
        closed(ctx);
}

struct client *client_new(struct loop *loop, const struct client_options *options, struct connector *connector,
                          struct error_text *error)
{
    struct client *client = mem_calloc(1, sizeof *client);
    if (!client) {
        error_set(error, MILL_ENOMEM, "no memory for a client");
        return NULL;
    }
    client->loop = loop;
    client->features_epoch = -1;
    client->options = *options;
    client->connector = connector ? connector : tcp_connector();
    list_init(&client->links);
    list_init(&client->unrouted);
    list_init(&client->ended);
    client->ended_timer = (struct loop_timer){ .fire = on_ended, .ctx = client };
    hash_map_init(&client->coordinators);
    client_metadata_init(client);
    uint64_t seed = 0;
    (void)loop_random(loop, &seed, sizeof seed); /* only jitter: a zero seed does no harm */
    prng_init(&client->prng, seed);

    const char *servers = options->bootstrap_servers ? options->bootstrap_servers : "";
    client->client_id = mem_strdup(options->client_id ? options->client_id : "");
    int code =
        client->client_id ? parse_bootstrap(client, servers, error) : error_set(error, MILL_ENOMEM, "no memory for a client");
    client->options.client_id = client->client_id;
    client->options.bootstrap_servers = NULL; /* parsed; the string is the caller's */
    if (code < 0) {
        client_destroy(client);
        return NULL;
    }
    return client;
}

void client_link_gone(struct client *client)
{
    if (client->closing && list_empty(&client->links))
        client_destroy(client);
}

static void drop_calls(struct list *calls)
{
    for (struct list *node; (node = list_pop_front(calls));)
        client_cancel(list_entry(node, struct call, link));
}

void client_free(struct client *client, void (*closed)(void *ctx), void *ctx)
{
    if (!client)
        return;
    client->closed = closed;
    client->closed_ctx = ctx;
    client_cancel(&client->metadata.call);
    loop_timer_cancel(client->loop, &client->metadata.timer);
    coordinators_release(client);
    list_for_each_safe (node, &client->links) {
        struct broker_link *link = list_entry(node, struct broker_link, link);
        drop_calls(&link->waiting);
        link_retire(link);
    }
    drop_calls(&client->unrouted);
    drop_calls(&client->ended);
    loop_timer_cancel(client->loop, &client->ended_timer);
    client->closing = true;
    client_link_gone(client);
}

/* ---- small things ---------------------------------------------------------------------------------------------------------- */

int16_t client_transaction_version(const struct client *client)
{
    return client->transaction_version;
}

struct loop *client_loop(const struct client *client)
{
    return client->loop;
}

const struct client_options *client_get_options(const struct client *client)
{
    return &client->options;
}

int client_lane_new(struct client *client)
{
    return ++client->lanes;
}

void client_lane_close(struct client *client, int lane)
{
    list_for_each_safe (node, &client->links) {
        struct broker_link *link = list_entry(node, struct broker_link, link);
        if (link->lane == lane)
            link_retire(link);
    }
}

int64_t client_retry_backoff_us(struct client *client, int attempt)
{
    int64_t backoff_ms = client->options.retry_backoff_ms;
    for (int i = 0; i < attempt && backoff_ms < client->options.retry_backoff_max_ms; i++)
        backoff_ms *= 2;
    if (backoff_ms > client->options.retry_backoff_max_ms)
        backoff_ms = client->options.retry_backoff_max_ms;
    return backoff_ms * (800 + (int64_t)prng_below(&client->prng, 401));
}

uint64_t client_random(struct client *client)
{
    return prng_next(&client->prng);
}

/* How well a link answers where the broker is. */
static int link_tells(const struct broker_link *link)
{
    if (link->state == LINK_READY)
        return 3;
    return link->error.text[0] == '\0' ? 0 : link->broker == LINK_BOOTSTRAP ? 1 : 2;
}

bool client_connected(const struct client *client, char *name, size_t name_size, char *why, size_t why_size)
{
    const struct broker_link *best = NULL;
    list_for_each (node, &client->links) {
        const struct broker_link *link = list_entry(node, struct broker_link, link);
        if (best == NULL || link_tells(link) > link_tells(best))
            best = link;
    }
    bool connected = best != NULL && best->state == LINK_READY;
    char text[LINK_NAME_BYTES] = "a broker";
    if (best != NULL)
        link_name(best, text);
    const char *reason = best != NULL && !connected ? best->error.text : "";
    size_t prefix = strlen(text);
    if (strncmp(reason, text, prefix) == 0 && strncmp(reason + prefix, ": ", 2) == 0)
        reason += prefix + 2;
    snprintf(name, name_size, "%s", text);
    snprintf(why, why_size, "%s", reason);
    return connected;
}

const char *client_cluster_id(const struct client *client)
{
    return client->metadata.cluster_id;
}

enum error_action client_error_action(int16_t kafka_error)
{
    switch (kafka_error) {
    case KAFKA_NONE:
        return ERROR_NONE;
    case KAFKA_UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_LEADER_NOT_AVAILABLE:
    case KAFKA_NOT_LEADER_OR_FOLLOWER:
    case KAFKA_REPLICA_NOT_AVAILABLE:
    case KAFKA_NOT_CONTROLLER:
    case KAFKA_KAFKA_STORAGE_ERROR:
    case KAFKA_LISTENER_NOT_FOUND:
    case KAFKA_FENCED_LEADER_EPOCH:
    case KAFKA_UNKNOWN_LEADER_EPOCH:
    case KAFKA_UNKNOWN_TOPIC_ID:
    case KAFKA_INCONSISTENT_TOPIC_ID:
        return ERROR_REFRESH;
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_NOT_COORDINATOR:
        return ERROR_COORDINATOR;
    default:
        return kafka_error_retriable(kafka_error) ? ERROR_RETRY : ERROR_FATAL;
    }
}
