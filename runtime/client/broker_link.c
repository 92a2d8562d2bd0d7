/*
 * One connection to one broker on one lane: opened when a call waits, negotiated, given up on a time-out, opened again with a
 * jittered back-off.
 *
 * Whoever waits when a connection fails or is lost is told at once (calls for any broker move on to another): the caller knows
 * better than a queue whether the broker is still the right one, and nothing that was called later gets through before what was
 * called earlier and failed.
 *
 * ApiVersions is sent in version 3 and, when the peer did not understand that, in version 0 on the next connection.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "client/internal.h"
#include "wire/api/api_versions.h"
#include "wire/kafka_error.h"

enum {
    NEGOTIATE_VERSION = 3,
    /* Request and answer of one call: an answer of 100 MiB decodes to arrays of about twice its size at worst. */
    CALL_ARENA_BYTES_MAX = 256 << 20,
};

static void link_pump(struct broker_link *link);

const char *link_name(const struct broker_link *link, char text[LINK_NAME_BYTES])
{
    char address[IO_HOST_PORT_BYTES];
    io_write_host_port(address, link->host, link->port);
    if (link->broker == LINK_BOOTSTRAP)
        snprintf(text, LINK_NAME_BYTES, "bootstrap server %s", address);
    else
        snprintf(text, LINK_NAME_BYTES, "broker %d at %s", (int)link->broker, address);
    return text;
}

/* ---- connecting ------------------------------------------------------------------------------------------------------------ */

/* There is no connection (any more): back off, and let those who wait decide anew. */
static void link_failed(struct broker_link *link, int code)
{
    const struct client_options *options = &link->client->options;
    int64_t backoff_ms = options->reconnect_backoff_ms;
    for (int i = 0; i < link->failures && backoff_ms < options->reconnect_backoff_max_ms; i++)
        backoff_ms *= 2;
    if (backoff_ms > options->reconnect_backoff_max_ms)
        backoff_ms = options->reconnect_backoff_max_ms;
    link->failures++;
    link->retry_at_us = loop_now(link->client->loop).monotonic_us +
                        backoff_ms * (800 + (int64_t)prng_below(&link->client->prng, 401)); /* 80 to 120 % */

    struct list waiting;
    list_init(&waiting);
    for (struct list *node; (node = list_pop_front(&link->waiting));)
        list_push_back(&waiting, node);
    for (struct list *node; (node = list_pop_front(&waiting));) {
        struct call *call = list_entry(node, struct call, link);
        if (call->route.kind == ROUTE_ANY) {
            client_route(link->client, call);
            continue;
        }
        if (call->route.kind == ROUTE_COORDINATOR)
            client_coordinator_lost(link->client, call->route.type, call->route.key);
        client_call_fail(call, code == MILL_EACCESS || code == MILL_EUNSUPPORTED ? code : MILL_ECONNECTION, "%s",
                         link->error.text);
    }
    if (link->broker != LINK_BOOTSTRAP)
        client_refresh(link->client);
}

static void link_free(struct broker_link *link)
{
    struct client *client = link->client;
    loop_timer_cancel(client->loop, &link->timer);
    list_remove(&link->link);
    mem_free(link);
    client_link_gone(client);
}

static void on_closed(void *ctx, int code, const char *text, struct io_time now)
{
    struct broker_link *link = ctx;
    char name[LINK_NAME_BYTES];
    bool worked = link->was_ready;
    if (code != 0)
        error_set(&link->error, code, "%s: %s", link_name(link, name), text && *text ? text : mill_error_text(code));
    else if (worked)
        error_set(&link->error, MILL_ECONNECTION, "%s: the connection was given up", link_name(link, name));
    if (code != 0 && !link->retired)
        trace_line(!worked && link->failures == 0 ? TRACE_WARN : TRACE_INFO, "client", "%s", link->error.text);
    /* A peer that hangs up on the newer request, or answers gibberish, may know only the oldest. */
    if (link->state == LINK_NEGOTIATING && code != 0)
        link->negotiate_version = link->negotiate_version == 0 ? NEGOTIATE_VERSION : 0;

    loop_timer_cancel(link->client->loop, &link->timer);
    link->connection = NULL;
    link->state = LINK_IDLE;
    link->was_ready = false;
    mill_assert(link->in_flight == 0);
    if (link->retired) {
        link_free(link);
        return;
    }
    if (worked)
        link->failures = 0;
    link_failed(link, code);
}

void link_close(struct broker_link *link)
{
    if (!link->connection || link->state == LINK_CLOSING)
        return;
    link->state = LINK_CLOSING;
    link->connection->ops->close(link->connection);
}

static void on_timer(struct loop_timer *timer, struct io_time now)
{
    struct broker_link *link = timer->ctx;
    char name[LINK_NAME_BYTES];
    if (link->state == LINK_IDLE) {
        link_pump(link);
    } else if (link->state == LINK_CONNECTING || link->state == LINK_NEGOTIATING) {
        error_set(&link->error, MILL_ETIMEOUT, "%s: no connection within socket.connection.setup.timeout.ms (%lld)",
                  link_name(link, name), (long long)link->client->options.connection_setup_timeout_ms);
        link_close(link);
    }
}

static void negotiate(struct broker_link *link);

static void on_opened(void *ctx, struct io_time now)
{
    struct broker_link *link = ctx;
    if (link->state == LINK_CONNECTING)
        negotiate(link);
}

static void on_answered(void *ctx, struct request *request, struct io_time now);

static const struct connection_events events = { on_opened, on_answered, on_closed };

static void link_connect(struct broker_link *link)
{
    struct client *client = link->client;
    char name[LINK_NAME_BYTES];
    link->state = LINK_CONNECTING;
    int code = client->connector->ops->connect(client->connector, client->loop, link->host, link->port, &events, link,
                                               &link->connection);
    if (code < 0) {
        link->state = LINK_IDLE;
        link->connection = NULL;
        error_set(&link->error, code, "%s: cannot connect: %s", link_name(link, name), mill_error_text(code));
        link_failed(link, code);
        return;
    }
    loop_timer_set(client->loop, &link->timer,
                   loop_now(client->loop).monotonic_us + client->options.connection_setup_timeout_ms * 1000);
}

/* ---- sending --------------------------------------------------------------------------------------------------------------- */

static struct request *new_request(struct broker_link *link, const struct api *api, int16_t version)
{
    struct request *request = request_new(api, version, CALL_ARENA_BYTES_MAX);
    if (request)
        request->client_id = mill_string(link->client->client_id);
    return request;
}

/* On an error the request is freed, and link->error says why. */
static int give_away(struct broker_link *link, struct request *request)
{
    int code = link->connection->ops->send(link->connection, request, &link->error);
    if (code < 0) {
        request_free(request);
        return code;
    }
    link->in_flight++;
    return 0;
}

/* The highest version that both know; below 0 with the reason in link->error. */
static int common_version(struct broker_link *link, const struct call *call, const struct api *api)
{
    char name[LINK_NAME_BYTES];
    struct version_range theirs = link->versions[api->key];
    int low = api->request->version_min > theirs.min ? api->request->version_min : theirs.min;
    int high = api->request->version_max < theirs.max ? api->request->version_max : theirs.max;
    if (call->version_max > 0 && high > call->version_max)
        high = call->version_max;
    if (low <= high)
        return high;
    if (theirs.max < theirs.min)
        return error_set(&link->error, MILL_EUNSUPPORTED, "%s does not offer %s", link_name(link, name), api->name);
    return error_set(&link->error, MILL_EUNSUPPORTED, "%s offers %s in versions %d to %d, this needs %d to %d",
                     link_name(link, name), api->name, theirs.min, theirs.max, api->request->version_min,
                     call->version_max > 0 ? call->version_max : api->request->version_max);
}

static void send_call(struct broker_link *link, struct call *call)
{
    const struct api *api = api_find((int16_t)call->api_key);
    mill_assert(api != NULL);
    int version = common_version(link, call, api);
    if (version < 0) {
        client_call_fail(call, version, "%s", link->error.text);
        return;
    }
    struct request *request = new_request(link, api, (int16_t)version);
    if (!request) {
        client_call_fail(call, MILL_ENOMEM, "no memory for a %s request", api->name);
        return;
    }
    int code = call->fill ? call->fill(call, request) : 0;
    if (code < 0) {
        request_free(request);
        client_call_fail(call, code, "%s request: %s", api->name, mill_error_text(code));
        return;
    }
    request->owner = call;
    code = give_away(link, request);
    if (code == MILL_ECLOSED) { /* when it tells so, the call ends with it */
        list_push_back(&link->waiting, &call->link);
        link_close(link);
    } else if (code < 0) {
        client_call_fail(call, code, "%s request: %s", api->name, link->error.text);
    } else {
        call->request = request;
    }
}

static void link_pump(struct broker_link *link)
{
    while (link->state == LINK_READY && link->in_flight < link->connection->credits && !list_empty(&link->waiting))
        send_call(link, list_entry(list_pop_front(&link->waiting), struct call, link));
    if (link->state != LINK_IDLE || list_empty(&link->waiting) || link->retired)
        return;
    if (loop_now(link->client->loop).monotonic_us >= link->retry_at_us)
        link_connect(link);
    else
        loop_timer_set(link->client->loop, &link->timer, link->retry_at_us);
}

void link_submit(struct broker_link *link, struct call *call)
{
    call->at = link;
    list_push_back(&link->waiting, &call->link);
    link_pump(link);
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

static void negotiate(struct broker_link *link)
{
    link->state = LINK_NEGOTIATING;
    struct request *request = new_request(link, api_find(API_API_VERSIONS), link->negotiate_version);
    if (!request) {
        error_set(&link->error, MILL_ENOMEM, "no memory for an ApiVersions request");
        link_close(link);
        return;
    }
    struct api_versions_request *body = request->body;
    if (link->negotiate_version >= 3) {
        body->client_software_name = mill_string("millstream");
        body->client_software_version = mill_string("0.1.0");
    }
    if (give_away(link, request) < 0)
        link_close(link);
}

/* What the cluster has finalized; of two brokers the one that has heard later is right. */
static void take_features(struct client *client, const struct api_versions_response *answer)
{
    if (answer->finalized_features_epoch < client->features_epoch)
        return;
    client->features_epoch = answer->finalized_features_epoch;
    client->transaction_version = 0;
    for (int32_t i = 0; i < answer->finalized_features.count; i++)
        if (mill_bytes_equal(answer->finalized_features.items[i].name, mill_string("transaction.version")))
            client->transaction_version = answer->finalized_features.items[i].max_version_level;
}

static void negotiated(struct broker_link *link, struct request *request)
{
    const struct api_versions_response *answer = request->response.body;
    char name[LINK_NAME_BYTES];
    if (!answer || answer->error_code != 0) {
        if (answer && answer->error_code == KAFKA_UNSUPPORTED_VERSION && link->negotiate_version > 0) {
            link->negotiate_version = 0;
            negotiate(link);
            return;
        }
        error_set(&link->error, MILL_EUNSUPPORTED, "%s: ApiVersions failed: %s", link_name(link, name),
                  answer ? kafka_error_text(answer->error_code) : mill_error_text(request->response.error));
        if (answer)
            link_close(link);
        return; /* without an answer the connection is about to close by itself */
    }
    for (int i = 0; i < LINK_API_KEYS; i++)
        link->versions[i] = (struct version_range){ 0, -1 };
    for (int32_t i = 0; i < answer->api_keys.count; i++) {
        const struct api_versions_response_api_key *key = &answer->api_keys.items[i];
        if (key->api_key >= 0 && key->api_key < LINK_API_KEYS)
            link->versions[key->api_key] = (struct version_range){ key->min_version, key->max_version };
    }
    take_features(link->client, answer);
    link->state = LINK_READY;
    link->was_ready = true;
    link->failures = 0;
    loop_timer_cancel(link->client->loop, &link->timer);
}

static void on_answered(void *ctx, struct request *request, struct io_time now)
{
    struct broker_link *link = ctx;
    struct call *call = request->owner;
    char name[LINK_NAME_BYTES];
    link->in_flight--;
    if (request->api->key == API_API_VERSIONS) {
        if (link->state == LINK_NEGOTIATING)
            negotiated(link, request);
    } else if (call) {
        struct answer answer = {
            .text = "",
            .version = request->api_version,
            .body = request->response.body,
            .frame = request->response.frame,
            .broker = link->broker,
        };
        struct error_text text = { "" };
        if (!answer.body) {
            int code = request->response.error;
            answer.code = code == 0 ? MILL_EPROTOCOL : code == MILL_ECLOSED ? MILL_ECONNECTION : code;
            error_set(&text, answer.code, "%s: %s request: %s", link_name(link, name), request->api->name,
                      mill_error_text(answer.code));
            answer.text = text.text;
        }
        call->request = NULL;
        call_finish(call, &answer, now);
    }
    request_free(request);
    link_pump(link);
}

/* ---- links of a client ----------------------------------------------------------------------------------------------------- */

struct broker_link *link_find(struct client *client, int32_t broker, const char *host, int port, int lane)
{
    list_for_each (node, &client->links) {
        struct broker_link *link = list_entry(node, struct broker_link, link);
        if (link->retired || link->lane != lane || link->broker != broker)
            continue;
        if (broker != LINK_BOOTSTRAP || (link->port == port && strcmp(link->host, host) == 0))
            return link;
    }
    return NULL;
}

struct broker_link *link_get(struct client *client, int32_t broker, const char *host, int port, int lane)
{
    struct broker_link *found = link_find(client, broker, host, port, lane);
    if (found)
        return found;
    struct broker_link *link = mem_calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->client = client;
    link->broker = broker;
    link->lane = lane;
    snprintf(link->host, sizeof link->host, "%s", host);
    link->port = port;
    link->negotiate_version = NEGOTIATE_VERSION;
    link->timer = (struct loop_timer){ .fire = on_timer, .ctx = link };
    list_init(&link->waiting);
    list_push_back(&client->links, &link->link);
    return link;
}

void link_retire(struct broker_link *link)
{
    if (link->retired)
        return;
    link->retired = true;
    for (struct list *node; (node = list_pop_front(&link->waiting));)
        client_call_fail(list_entry(node, struct call, link), MILL_ECLOSED, "the connection was closed");
    if (link->connection)
        link_close(link);
    else
        link_free(link);
}

void link_set_address(struct broker_link *link, const char *host, int port)
{
    if (link->port == port && strcmp(link->host, host) == 0)
        return;
    snprintf(link->host, sizeof link->host, "%s", host);
    link->port = port;
    link->failures = 0;
    link->retry_at_us = 0;
    link_close(link);
}
