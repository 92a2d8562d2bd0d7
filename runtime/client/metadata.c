/*
 * Topics, partitions, leaders and brokers as the last Metadata answers told them.
 *
 * One request is out at a time and names every topic wanted. It is sent in the turn of the loop after something new is asked for;
 * again with a growing back-off while a topic or leader is unknown; and when the knowledge is too old. An answer with an older
 * leader epoch than ours came from a broker that lags behind, and does not replace what we know (KIP-320).
 *
 * A topic is asked for by name (client_topic), because it was seen to be there (client_topic_there), or both. A request that may
 * create topics must not name those that were seen: while it waits for one to be created, every second request names only the
 * others.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "client/internal.h"
#include "wire/api/metadata.h"
#include "wire/kafka_error.h"

/* ---- asking ---------------------------------------------------------------------------------------------------------------- */

static void plan(struct client *client, int64_t at_us)
{
    struct metadata *metadata = &client->metadata;
    if (client->closing || (metadata->due_us != 0 && metadata->due_us <= at_us))
        return;
    metadata->due_us = at_us;
    if (!metadata->call.pending)
        loop_timer_set(client->loop, &metadata->timer, at_us);
}

static void on_due(struct loop_timer *timer, struct io_time now)
{
    struct client *client = timer->ctx;
    client->metadata.due_us = 0;
    client->metadata.last_sent_us = now.monotonic_us;
    client_call(client, &client->metadata.call, (struct route){ .kind = ROUTE_ANY });
}

void client_refresh(struct client *client)
{
    int64_t now_us = loop_now(client->loop).monotonic_us;
    int64_t earliest_us = client->metadata.last_sent_us + client->options.retry_backoff_ms * 1000;
    plan(client, client->metadata.last_sent_us != 0 && earliest_us > now_us ? earliest_us : now_us);
}

static bool is_asked_for(const struct topic_entry *topic)
{
    return topic->named || topic->seen;
}

/* Is there one that asking may create, and one that asking must not create? */
static void look_through(const struct client *client, bool *creatable, bool *seen)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&client->metadata.topics, &at))) {
        const struct topic_entry *topic = entry->value;
        if (!is_asked_for(topic))
            continue;
        *seen |= topic->seen;
        *creatable |= !topic->seen && (topic->topic.partition_count < 0 || topic->topic.code == MILL_ENOTFOUND);
    }
}

static int fill(struct call *call, struct request *request)
{
    struct client *client = call->ctx;
    struct metadata_request *body = request->body;
    bool creatable = false;
    bool seen = false;
    look_through(client, &creatable, &seen);
    bool creates = client->options.allow_auto_create_topics && (!seen || (creatable && client->metadata.attempts % 2 == 0));
    int32_t count = (int32_t)hash_map_count(&client->metadata.topics);
    body->topics.items = metadata_request_topic_array(&request->arena, count);
    if (!body->topics.items)
        return MILL_ENOMEM;
    if (request->api_version >= 4)
        body->allow_auto_topic_creation = creates;
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&client->metadata.topics, &at))) {
        const struct topic_entry *topic = entry->value;
        if (is_asked_for(topic) && !(creates && topic->seen))
            body->topics.items[body->topics.count++].name = mill_string(topic->topic.name);
    }
    return 0;
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

static void free_brokers(struct client_broker *brokers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free((char *)brokers[i].host);
    mem_free(brokers);
}

static char *dup_bytes(mill_bytes bytes)
{
    char *text = mem_alloc(bytes.len + 1);
    if (!text)
        return NULL;
    if (bytes.len > 0)
        memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';
    return text;
}

static int take_brokers(struct metadata *metadata, const struct metadata_response *answer)
{
    size_t count = (size_t)answer->brokers.count;
    struct client_broker *brokers = mem_calloc(count, sizeof *brokers);
    if (!brokers)
        return MILL_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct metadata_response_broker *from = &answer->brokers.items[i];
        brokers[i] = (struct client_broker){ from->node_id, dup_bytes(from->host), from->port };
        if (!brokers[i].host) {
            free_brokers(brokers, count);
            return MILL_ENOMEM;
        }
    }
    free_brokers(metadata->brokers, metadata->broker_count);
    metadata->brokers = brokers;
    metadata->broker_count = count;
    metadata->controller = answer->controller_id;
    snprintf(metadata->cluster_id, sizeof metadata->cluster_id, "%.*s", (int)answer->cluster_id.len,
             answer->cluster_id.data ? (const char *)answer->cluster_id.data : "");
    return 0;
}

static int take_partitions(struct client_topic *topic, const struct metadata_response_topic *from)
{
    int32_t count = from->partitions.count;
    bool same = wire_uuid_equal(topic->id, from->topic_id);
    int32_t known = same && topic->partition_count > 0 ? topic->partition_count : 0;
    if (same && count < known)
        return 0; /* a broker that lags behind: partitions are only ever added */
    if (count != known || !same) {
        struct client_partition *grown = mem_realloc(topic->partitions, (size_t)(count > 0 ? count : 1) * sizeof *grown);
        if (!grown)
            return MILL_ENOMEM;
        topic->partitions = grown;
    }
    for (int32_t i = known; i < count; i++)
        topic->partitions[i] = (struct client_partition){ -1, -1 };
    topic->id = from->topic_id;
    topic->partition_count = count;
    for (int32_t i = 0; i < count; i++) {
        const struct metadata_response_partition *told = &from->partitions.items[i];
        if (told->partition_index < 0 || told->partition_index >= count)
            continue;
        struct client_partition *partition = &topic->partitions[told->partition_index];
        if (told->leader_epoch >= 0 && told->leader_epoch < partition->leader_epoch)
            continue;
        partition->leader = told->leader_id;
        partition->leader_epoch = told->leader_epoch;
    }
    return 0;
}

static int take_topic(struct client *client, const struct metadata_response_topic *from)
{
    struct topic_entry *entry = hash_map_get(&client->metadata.topics, from->name);
    if (!entry)
        return 0;
    struct client_topic *topic = &entry->topic;
    topic->code = 0;
    if (from->error_code == 0)
        return take_partitions(topic, from);
    if (from->error_code != KAFKA_LEADER_NOT_AVAILABLE)
        topic->code = kafka_error_to_mill(from->error_code);
    for (int32_t i = 0; i < topic->partition_count; i++)
        topic->partitions[i].leader = -1;
    return 0;
}

static int take(struct client *client, const struct metadata_response *answer, struct error_text *error)
{
    if (answer->error_code != 0)
        return error_set(error, kafka_error_to_mill(answer->error_code), "metadata: %s", kafka_error_text(answer->error_code));
    if (answer->brokers.count == 0)
        return error_set(error, MILL_EAGAIN, "metadata: the cluster has no broker ready yet");
    int code = take_brokers(&client->metadata, answer);
    for (int32_t i = 0; i < answer->topics.count && code == 0; i++)
        code = take_topic(client, &answer->topics.items[i]);
    return code == 0 ? 0 : error_set(error, code, "metadata: %s", mill_error_text(code));
}

static bool something_unknown(const struct metadata *metadata)
{
    size_t at = 0;
    const struct hash_map_entry *node;
    while ((node = hash_map_next(&metadata->topics, &at))) {
        const struct topic_entry *entry = node->value;
        const struct client_topic *topic = &entry->topic;
        if (!is_asked_for(entry) || topic->code == MILL_EACCESS || topic->code == MILL_EINVALID)
            continue;
        if (topic->code != 0 || topic->partition_count < 0)
            return true;
        for (int32_t i = 0; i < topic->partition_count; i++)
            if (topic->partitions[i].leader < 0)
                return true;
    }
    return false;
}

/* Listeners may come and go while they are told. */
static void tell(struct client *client, int code, const char *text, struct io_time now)
{
    struct list due;
    list_init(&due);
    for (struct list *node; (node = list_pop_front(&client->metadata.listeners));)
        list_push_back(&due, node);
    for (struct list *node; (node = list_pop_front(&due));) {
        struct metadata_listener *listener = list_entry(node, struct metadata_listener, link);
        list_push_back(&client->metadata.listeners, node);
        listener->changed(listener->ctx, code, text, now);
    }
}

static void on_done(struct call *call, const struct answer *answer, struct io_time now)
{
    struct client *client = call->ctx;
    struct metadata *metadata = &client->metadata;
    struct error_text error = { "" };
    int code = answer->body ? take(client, answer->body, &error) : error_set(&error, answer->code, "%s", answer->text);

    int64_t asked_us = metadata->due_us;
    metadata->due_us = 0;
    bool unknown = code != 0 || something_unknown(metadata);
    plan(client, now.monotonic_us + (unknown ? client_retry_backoff_us(client, metadata->attempts++)
                                             : client->options.metadata_max_age_ms * 1000));
    if (!unknown)
        metadata->attempts = 0;
    if (asked_us != 0)
        plan(client, asked_us);

    if (code == 0) {
        client_adopt_brokers(client);
        client_reroute(client);
    } else {
        trace_info("client", "%s", error.text);
    }
    tell(client, code, error.text, now);
}

/* ---- what others know ------------------------------------------------------------------------------------------------------ */

static struct topic_entry *find_topic(struct client *client, const char *name)
{
    return hash_map_get(&client->metadata.topics, mill_string(name));
}

/* The entry of a topic, which is asked for in the next turn if it was not; then the caller says why. NULL: no memory. */
static struct topic_entry *ask_for(struct client *client, const char *name)
{
    struct topic_entry *entry = find_topic(client, name);
    if (entry && is_asked_for(entry))
        return entry;
    if (!entry) {
        entry = mem_calloc(1, sizeof *entry);
        char *copy = mem_strdup(name);
        if (!entry || !copy || hash_map_put(&client->metadata.topics, mill_string(name), entry, NULL) < 0) {
            mem_free(entry);
            mem_free(copy);
            return NULL;
        }
        entry->topic = (struct client_topic){ .name = copy, .partition_count = -1 };
    }
    client->metadata.attempts = 0;
    plan(client, loop_now(client->loop).monotonic_us);
    return entry;
}

struct client_topic *client_topic(struct client *client, const char *name)
{
    struct topic_entry *entry = ask_for(client, name);
    if (!entry)
        return NULL;
    entry->named = true;
    return &entry->topic;
}

struct client_topic *client_topic_there(struct client *client, const char *name)
{
    struct topic_entry *entry = ask_for(client, name);
    if (!entry)
        return NULL;
    entry->seen = true;
    entry->topic.may_go = true;
    return &entry->topic;
}

void client_leave_topic(struct client *client, const char *name)
{
    struct topic_entry *entry = find_topic(client, name);
    if (entry)
        entry->seen = false;
}

void client_forget_topic(struct client *client, const char *name)
{
    struct topic_entry *entry = find_topic(client, name);
    if (entry)
        entry->named = entry->seen = false;
}

struct client_topic *client_topic_by_id(struct client *client, struct wire_uuid id)
{
    if (wire_uuid_is_zero(id))
        return NULL;
    size_t at = 0;
    const struct hash_map_entry *node;
    while ((node = hash_map_next(&client->metadata.topics, &at))) {
        struct topic_entry *entry = node->value;
        if (wire_uuid_equal(entry->topic.id, id))
            return &entry->topic;
    }
    return NULL;
}

int32_t client_leader(struct client *client, const struct client_topic *topic, int32_t partition)
{
    bool known = partition >= 0 && partition < topic->partition_count && topic->partitions[partition].leader >= 0;
    if (!known)
        client_refresh(client);
    return known ? topic->partitions[partition].leader : -1;
}

void client_learn_leader(struct client *client, struct client_topic *topic, int32_t partition, int32_t leader, int32_t epoch)
{
    if (partition < 0 || partition >= topic->partition_count || leader < 0 || !metadata_broker(client, leader))
        return;
    struct client_partition *known = &topic->partitions[partition];
    if (epoch > known->leader_epoch)
        *known = (struct client_partition){ leader, epoch };
}

void client_listen(struct client *client, struct metadata_listener *listener)
{
    list_push_back(&client->metadata.listeners, &listener->link);
}

void client_unlisten(struct metadata_listener *listener)
{
    list_remove(&listener->link);
}

const struct client_broker *client_brokers(const struct client *client, size_t *count)
{
    *count = client->metadata.broker_count;
    return client->metadata.brokers;
}

int32_t client_controller(const struct client *client)
{
    return client->metadata.controller;
}

const struct client_broker *metadata_broker(const struct client *client, int32_t id)
{
    for (size_t i = 0; i < client->metadata.broker_count; i++)
        if (client->metadata.brokers[i].id == id)
            return &client->metadata.brokers[i];
    return NULL;
}

int metadata_learn_broker(struct client *client, int32_t id, mill_bytes host, int port)
{
    struct metadata *metadata = &client->metadata;
    char *copy = dup_bytes(host);
    if (!copy)
        return MILL_ENOMEM;
    struct client_broker *known = (struct client_broker *)metadata_broker(client, id);
    if (known) {
        mem_free((char *)known->host);
        *known = (struct client_broker){ id, copy, port };
        return 0;
    }
    struct client_broker *grown = mem_realloc(metadata->brokers, (metadata->broker_count + 1) * sizeof *grown);
    if (!grown) {
        mem_free(copy);
        return MILL_ENOMEM;
    }
    metadata->brokers = grown;
    metadata->brokers[metadata->broker_count++] = (struct client_broker){ id, copy, port };
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

void client_metadata_init(struct client *client)
{
    struct metadata *metadata = &client->metadata;
    hash_map_init(&metadata->topics);
    list_init(&metadata->listeners);
    metadata->controller = -1;
    metadata->call = (struct call){ .api_key = API_METADATA, .fill = fill, .done = on_done, .ctx = client };
    metadata->timer = (struct loop_timer){ .fire = on_due, .ctx = client };
}

void client_metadata_release(struct client *client)
{
    size_t at = 0;
    const struct hash_map_entry *node;
    while ((node = hash_map_next(&client->metadata.topics, &at))) {
        struct topic_entry *entry = node->value;
        mem_free((char *)entry->topic.name);
        mem_free(entry->topic.partitions);
        mem_free(entry);
    }
    hash_map_release(&client->metadata.topics);
    free_brokers(client->metadata.brokers, client->metadata.broker_count);
}
