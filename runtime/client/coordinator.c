/*
 * Who coordinates a group or a transactional id: looked up once, kept until it proves wrong, looked up again with a back-off for
 * as long as calls wait for it.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "client/internal.h"
#include "wire/api/find_coordinator.h"
#include "wire/kafka_error.h"

static int fill(struct call *call, struct request *request)
{
    struct coordinator *coordinator = call->ctx;
    struct find_coordinator_request *body = request->body;
    body->key_type = (int8_t)coordinator->type;
    if (request->api_version < 4) {
        body->key = mill_string(coordinator->key);
        return 0;
    }
    body->coordinator_keys.items = arena_alloc(&request->arena, sizeof(mill_bytes));
    if (!body->coordinator_keys.items)
        return MILL_ENOMEM;
    body->coordinator_keys.items[0] = mill_string(coordinator->key);
    body->coordinator_keys.count = 1;
    return 0;
}

static bool waits_for(const struct call *call, const struct coordinator *coordinator)
{
    return call->route.kind == ROUTE_COORDINATOR && call->route.type == coordinator->type &&
           strcmp(call->route.key, coordinator->key) == 0;
}

static void fail_waiting(struct coordinator *coordinator, int code, const char *text)
{
    list_for_each_safe (node, &coordinator->client->unrouted) {
        struct call *call = list_entry(node, struct call, link);
        if (!waits_for(call, coordinator))
            continue;
        list_remove(node);
        client_call_fail(call, code, "coordinator of '%s': %s", coordinator->key, text);
    }
}

static void look_up(struct coordinator *coordinator)
{
    client_call(coordinator->client, &coordinator->call, (struct route){ .kind = ROUTE_ANY });
}

static void on_retry(struct loop_timer *timer, struct io_time now)
{
    look_up(timer->ctx);
}

/* Only for somebody's sake: when nobody waits any more, the next call starts a new look-up. */
static void retry_later(struct coordinator *coordinator, struct io_time now)
{
    struct client *client = coordinator->client;
    list_for_each (node, &client->unrouted) {
        if (!waits_for(list_entry(node, struct call, link), coordinator))
            continue;
        loop_timer_set(client->loop, &coordinator->timer,
                       now.monotonic_us + client_retry_backoff_us(client, coordinator->attempts++));
        return;
    }
}

static void on_done(struct call *call, const struct answer *answer, struct io_time now)
{
    struct coordinator *coordinator = call->ctx;
    const struct find_coordinator_response *body = answer->body;
    if (!body) {
        if (answer->code == MILL_EUNSUPPORTED || answer->code == MILL_EACCESS)
            fail_waiting(coordinator, answer->code, answer->text);
        else
            retry_later(coordinator, now);
        return;
    }
    int16_t error = body->error_code;
    int32_t id = body->node_id;
    int32_t port = body->port;
    mill_bytes host = body->host;
    if (answer->version >= 4) {
        if (body->coordinators.count != 1) {
            fail_waiting(coordinator, MILL_EPROTOCOL, "the broker answered a FindCoordinator of one key with none or many");
            return;
        }
        error = body->coordinators.items[0].error_code;
        id = body->coordinators.items[0].node_id;
        port = body->coordinators.items[0].port;
        host = body->coordinators.items[0].host;
    }
    enum error_action action = client_error_action(error);
    if (action == ERROR_FATAL) {
        fail_waiting(coordinator, kafka_error_to_mill(error), kafka_error_text(error));
    } else if (action != ERROR_NONE || metadata_learn_broker(coordinator->client, id, host, port) < 0) {
        retry_later(coordinator, now);
    } else {
        coordinator->broker = id;
        coordinator->attempts = 0;
        client_reroute(coordinator->client);
    }
}

/* The map's key: the type as a digit and the name. NULL: no memory; the caller frees. */
static char *map_key(enum coordinator_type type, const char *key)
{
    size_t size = strlen(key) + 2;
    char *text = mem_alloc(size);
    if (text)
        snprintf(text, size, "%d%s", (int)type, key);
    return text;
}

static struct coordinator *coordinator_new(struct client *client, enum coordinator_type type, const char *key, const char *name)
{
    struct coordinator *coordinator = mem_calloc(1, sizeof *coordinator);
    if (!coordinator)
        return NULL;
    coordinator->client = client;
    coordinator->type = type;
    coordinator->broker = -1;
    coordinator->key = mem_strdup(key);
    coordinator->call = (struct call){ .api_key = API_FIND_COORDINATOR, .fill = fill, .done = on_done, .ctx = coordinator };
    coordinator->timer = (struct loop_timer){ .fire = on_retry, .ctx = coordinator };
    if (!coordinator->key || hash_map_put(&client->coordinators, mill_string(name), coordinator, NULL) < 0) {
        mem_free(coordinator->key);
        mem_free(coordinator);
        return NULL;
    }
    return coordinator;
}

int32_t coordinator_broker(struct client *client, enum coordinator_type type, const char *key)
{
    char *name = map_key(type, key);
    if (!name)
        return COORDINATOR_NO_MEMORY;
    struct coordinator *coordinator = hash_map_get(&client->coordinators, mill_string(name));
    if (!coordinator)
        coordinator = coordinator_new(client, type, key, name);
    mem_free(name);
    if (!coordinator)
        return COORDINATOR_NO_MEMORY;
    if (coordinator->broker < 0 && !coordinator->call.pending && coordinator->timer.at_us == 0)
        look_up(coordinator);
    return coordinator->broker;
}

void client_coordinator_lost(struct client *client, enum coordinator_type type, const char *key)
{
    char *name = map_key(type, key);
    struct coordinator *coordinator = name ? hash_map_get(&client->coordinators, mill_string(name)) : NULL;
    if (coordinator)
        coordinator->broker = -1;
    mem_free(name);
}

void coordinators_release(struct client *client)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&client->coordinators, &at))) {
        struct coordinator *coordinator = entry->value;
        hash_map_remove(&client->coordinators, entry->key);
        client_cancel(&coordinator->call);
        loop_timer_cancel(client->loop, &coordinator->timer);
        mem_free(coordinator->key);
        mem_free(coordinator);
    }
}
