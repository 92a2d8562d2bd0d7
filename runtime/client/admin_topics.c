/*
 * Topics: create, delete, describe, their configuration, deleting records.
 *
 * Creating is finished when this client's metadata has a leader for each new partition: a broker may answer before it accepts
 * writes, and an idempotent producer with several batches in flight would start with a failure (seen with Kafka 4.3).
 */
#include <stdlib.h>
#include <string.h>

#include "client/admin_internal.h"
#include "wire/api/create_topics.h"
#include "wire/api/delete_records.h"
#include "wire/api/delete_topics.h"
#include "wire/api/describe_configs.h"
#include "wire/api/metadata.h"
#include "wire/kafka_error.h"

static int32_t server_timeout_ms(const struct admin_operation *operation)
{
    return (int32_t)client_get_options(operation->client)->request_timeout_ms;
}

/* ---- create and delete ----------------------------------------------------------------------------------------------------- */

struct topics_operation {
    struct admin_operation base;
    admin_topics_cb *done;
    const struct admin_new_topic *wanted; /* create */
    struct admin_topic_result *results;
    size_t count;
    bool validate_only;
    bool answered;
};

static void topics_finish(struct admin_operation *base, struct io_time now)
{
    struct topics_operation *operation = (struct topics_operation *)base;
    for (size_t i = 0; !operation->answered && i < operation->count; i++) {
        operation->results[i].code = base->code;
        operation->results[i].text = base->error.text;
    }
    operation->done(base->ctx, base->code, base->error.text, operation->results, operation->count, now);
}

static struct admin_topic_result *result_of(struct topics_operation *operation, mill_bytes name)
{
    for (size_t i = 0; i < operation->count; i++)
        if (mill_bytes_equal(mill_string(operation->results[i].name), name))
            return &operation->results[i];
    return NULL;
}

/* True when the broker is not the one to ask: the whole is to be tried again. */
static bool take_topic_result(struct topics_operation *operation, mill_bytes name, int16_t error, mill_bytes message)
{
    struct admin_topic_result *result = result_of(operation, name);
    if (!result)
        return false;
    if (error == KAFKA_NOT_CONTROLLER || error == KAFKA_COORDINATOR_NOT_AVAILABLE)
        return true;
    result->code = kafka_error_to_mill(error);
    result->text = admin_error_text(&operation->base, error, message);
    if (result->code != 0)
        admin_note(&operation->base, result->code, "topic %s: %s", result->name, result->text);
    return false;
}

/* Copies names, and with them empty results; false without memory. */
static bool copy_names(struct topics_operation *operation, size_t count)
{
    operation->count = count;
    operation->results = arena_calloc(&operation->base.arena, count + 1, sizeof *operation->results);
    return operation->results != NULL;
}

static bool copy_name(struct topics_operation *operation, size_t i, const char *name)
{
    operation->results[i].name = arena_string(&operation->base.arena, mill_string(name));
    operation->results[i].text = "";
    return operation->results[i].name != NULL;
}

static int fill_new_topic(const struct admin_new_topic *from, struct create_topics_request_topic *into, struct arena *arena)
{
    into->name = mill_string(from->name);
    into->num_partitions = from->partitions;
    into->replication_factor = from->replication_factor;
    into->configs.items = create_topics_request_config_array(arena, (int32_t)from->config_count);
    if (!into->configs.items)
        return MILL_ENOMEM;
    into->configs.count = (int32_t)from->config_count;
    for (size_t i = 0; i < from->config_count; i++) {
        into->configs.items[i].name = mill_string(from->configs[i].name);
        into->configs.items[i].value = mill_string(from->configs[i].value);
    }
    return 0;
}

static int fill_create(struct call *call, struct request *request)
{
    struct topics_operation *operation = call->ctx;
    struct create_topics_request *body = request->body;
    body->timeout_ms = server_timeout_ms(&operation->base);
    body->validate_only = operation->validate_only;
    body->topics.items = create_topics_request_topic_array(&request->arena, (int32_t)operation->count);
    int code = body->topics.items ? 0 : MILL_ENOMEM;
    body->topics.count = (int32_t)operation->count;
    for (size_t i = 0; i < operation->count && code == 0; i++)
        code = fill_new_topic(&operation->wanted[i], &body->topics.items[i], &request->arena);
    return code;
}

static bool has_leaders(const struct client_topic *topic)
{
    bool known = topic->code == 0 && topic->partition_count > 0;
    for (int32_t i = 0; known && i < topic->partition_count; i++)
        known = topic->partitions[i].leader >= 0;
    return known;
}

static void create_step(struct admin_operation *base, struct io_time now)
{
    struct topics_operation *operation = (struct topics_operation *)base;
    if (!operation->answered) {
        admin_send(base, (struct route){ .kind = ROUTE_CONTROLLER });
        return;
    }
    for (size_t i = 0; i < operation->count && !operation->validate_only; i++) {
        if (operation->results[i].code != 0)
            continue;
        const struct client_topic *topic = client_topic(base->client, operation->results[i].name);
        if (!topic || has_leaders(topic))
            continue;
        if (now.monotonic_us >= base->deadline_us) {
            admin_fail(base, MILL_ETIMEOUT, now, "topic %s: created, but no leader is known yet", operation->results[i].name);
            return;
        }
        admin_await_metadata(base);
        return;
    }
    admin_finish(base, now);
}

static void on_created(struct call *call, const struct answer *answer, struct io_time now)
{
    struct topics_operation *operation = call->ctx;
    const struct create_topics_response *body = answer->body;
    bool again = false;
    if (!body) {
        admin_unanswered(&operation->base, answer, now);
        return;
    }
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct create_topics_response_topic *topic = &body->topics.items[i];
        again |= take_topic_result(operation, topic->name, topic->error_code, topic->error_message);
    }
    if (again) {
        admin_retry(&operation->base, MILL_ETIMEOUT, "no broker says that it is the controller", now);
        return;
    }
    operation->answered = true;
    operation->base.attempts = 0;
    create_step(&operation->base, now);
}

/* Copies what is wanted into the arena; false without memory. */
static bool copy_wanted(struct topics_operation *operation, const struct admin_new_topic *topics)
{
    struct arena *arena = &operation->base.arena;
    struct admin_new_topic *wanted = arena_calloc(arena, operation->count + 1, sizeof *wanted);
    for (size_t i = 0; i < operation->count; i++) {
        if (!wanted || !copy_name(operation, i, topics[i].name))
            return false;
        struct admin_config *configs = arena_calloc(arena, topics[i].config_count + 1, sizeof *configs);
        if (!configs)
            return false;
        for (size_t j = 0; j < topics[i].config_count; j++) {
            const struct admin_config *from = &topics[i].configs[j];
            configs[j].name = arena_string(arena, mill_string(from->name));
            configs[j].value = from->value ? arena_string(arena, mill_string(from->value)) : NULL;
            if (!configs[j].name || (from->value && !configs[j].value))
                return false;
        }
        wanted[i] = topics[i];
        wanted[i].name = operation->results[i].name;
        wanted[i].configs = configs;
    }
    operation->wanted = wanted;
    return wanted != NULL;
}

struct admin_operation *admin_create_topics(struct client *client, const struct admin_new_topic *topics, size_t count,
                                            bool validate_only, admin_topics_cb *done, void *ctx)
{
    struct topics_operation *operation = admin_new(client, sizeof *operation, create_step, topics_finish, ctx);
    if (!operation)
        return NULL;
    operation->done = done;
    operation->validate_only = validate_only;
    operation->base.call.api_key = API_CREATE_TOPICS;
    operation->base.call.fill = fill_create;
    operation->base.call.done = on_created;
    if (!copy_names(operation, count) || !copy_wanted(operation, topics)) {
        admin_cancel(&operation->base);
        return NULL;
    }
    return &operation->base;
}

static int fill_delete(struct call *call, struct request *request)
{
    struct topics_operation *operation = call->ctx;
    struct delete_topics_request *body = request->body;
    int32_t count = (int32_t)operation->count;
    body->timeout_ms = server_timeout_ms(&operation->base);
    body->topics.items = delete_topics_request_topic_array(&request->arena, count);
    body->topic_names.items = arena_alloc(&request->arena, (operation->count + 1) * sizeof(mill_bytes));
    if (!body->topics.items || !body->topic_names.items)
        return MILL_ENOMEM;
    for (int32_t i = 0; i < count; i++) {
        body->topics.items[i].name = mill_string(operation->results[i].name);
        body->topic_names.items[i] = mill_string(operation->results[i].name);
    }
    body->topics.count = request->api_version >= 6 ? count : 0;
    body->topic_names.count = request->api_version >= 6 ? 0 : count;
    return 0;
}

static void delete_step(struct admin_operation *base, struct io_time now)
{
    admin_send(base, (struct route){ .kind = ROUTE_CONTROLLER });
}

static void on_deleted(struct call *call, const struct answer *answer, struct io_time now)
{
    struct topics_operation *operation = call->ctx;
    const struct delete_topics_response *body = answer->body;
    bool again = false;
    if (!body) {
        admin_unanswered(&operation->base, answer, now);
        return;
    }
    for (int32_t i = 0; i < body->responses.count; i++) {
        const struct delete_topics_response_topic *topic = &body->responses.items[i];
        again |= take_topic_result(operation, topic->name, topic->error_code, topic->error_message);
    }
    if (again) {
        admin_retry(&operation->base, MILL_ETIMEOUT, "no broker says that it is the controller", now);
        return;
    }
    operation->answered = true;
    admin_finish(&operation->base, now);
}

struct admin_operation *admin_delete_topics(struct client *client, const char *const *names, size_t count, admin_topics_cb *done,
                                            void *ctx)
{
    struct topics_operation *operation = admin_new(client, sizeof *operation, delete_step, topics_finish, ctx);
    if (!operation)
        return NULL;
    operation->done = done;
    operation->base.call.api_key = API_DELETE_TOPICS;
    operation->base.call.fill = fill_delete;
    operation->base.call.done = on_deleted;
    bool copied = copy_names(operation, count);
    for (size_t i = 0; i < count && copied; i++) {
        copied = copy_name(operation, i, names[i]);
        client_forget_topic(client, names[i]); /* asking for it could create it again */
    }
    if (!copied) {
        admin_cancel(&operation->base);
        return NULL;
    }
    return &operation->base;
}

/* ---- describe -------------------------------------------------------------------------------------------------------------- */

struct describe_operation {
    struct admin_operation base;
    void (*done)(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count, struct io_time now);
    const char **names; /* NULL: all */
    size_t name_count;
    struct admin_topic *topics;
    size_t count;
};

static void describe_finish(struct admin_operation *base, struct io_time now)
{
    struct describe_operation *operation = (struct describe_operation *)base;
    operation->done(base->ctx, base->code, base->error.text, operation->topics, operation->count, now);
}

static int fill_describe(struct call *call, struct request *request)
{
    struct describe_operation *operation = call->ctx;
    struct metadata_request *body = request->body;
    if (request->api_version >= 4)
        body->allow_auto_topic_creation = false;
    if (!operation->names) {
        body->topics.items = NULL;
        body->topics.count = -1;
        return 0;
    }
    body->topics.items = metadata_request_topic_array(&request->arena, (int32_t)operation->name_count);
    if (!body->topics.items)
        return MILL_ENOMEM;
    body->topics.count = (int32_t)operation->name_count;
    for (size_t i = 0; i < operation->name_count; i++)
        body->topics.items[i].name = mill_string(operation->names[i]);
    return 0;
}

static void describe_step(struct admin_operation *base, struct io_time now)
{
    admin_send(base, (struct route){ .kind = ROUTE_ANY });
}

static int by_index(const void *a, const void *b)
{
    const struct admin_partition *left = a;
    const struct admin_partition *right = b;
    return (left->index > right->index) - (left->index < right->index);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct admin_topic *)a)->name, ((const struct admin_topic *)b)->name);
}

static const int32_t *copy_ids(struct arena *arena, const struct wire_int32s *ids)
{
    size_t size = ids->count > 0 ? (size_t)ids->count * sizeof ids->items[0] : 0;
    int32_t *copy = arena_alloc(arena, size);
    if (copy && size > 0)
        memcpy(copy, ids->items, size);
    return copy;
}

static int copy_topic(struct admin_operation *base, const struct metadata_response_topic *from, struct admin_topic *into)
{
    int32_t count = from->partitions.count;
    struct admin_partition *partitions = arena_calloc(&base->arena, (size_t)count + 1, sizeof *partitions);
    *into = (struct admin_topic){
        .name = admin_string(base, from->name),
        .id = from->topic_id,
        .internal = from->is_internal,
        .code = kafka_error_to_mill(from->error_code),
        .partitions = partitions,
        .partition_count = count,
    };
    for (int32_t i = 0; i < count && partitions; i++) {
        const struct metadata_response_partition *told = &from->partitions.items[i];
        partitions[i] = (struct admin_partition){
            .index = told->partition_index,
            .leader = told->leader_id,
            .leader_epoch = told->leader_epoch,
            .replicas = copy_ids(&base->arena, &told->replica_nodes),
            .replica_count = told->replica_nodes.count,
            .in_sync = copy_ids(&base->arena, &told->isr_nodes),
            .in_sync_count = told->isr_nodes.count,
        };
        if (!partitions[i].replicas || !partitions[i].in_sync)
            return MILL_ENOMEM;
    }
    if (!partitions)
        return MILL_ENOMEM;
    qsort(partitions, (size_t)count, sizeof *partitions, by_index);
    return 0;
}

static void on_described(struct call *call, const struct answer *answer, struct io_time now)
{
    struct describe_operation *operation = call->ctx;
    struct admin_operation *base = &operation->base;
    const struct metadata_response *body = answer->body;
    if (!body) {
        admin_unanswered(base, answer, now);
        return;
    }
    int32_t count = body->topics.count;
    operation->topics = arena_calloc(&base->arena, (size_t)count + 1, sizeof *operation->topics);
    int code = operation->topics ? 0 : MILL_ENOMEM;
    for (int32_t i = 0; i < count && code == 0; i++) {
        code = copy_topic(base, &body->topics.items[i], &operation->topics[i]);
        operation->count = (size_t)i + 1;
        const struct admin_topic *topic = &operation->topics[i];
        if (operation->names && topic->code != 0)
            admin_note(base, topic->code, "topic %s: %s", topic->name, kafka_error_text(body->topics.items[i].error_code));
    }
    if (code < 0) {
        operation->count = 0;
        admin_fail(base, code, now, "no memory for %d topics", (int)count);
        return;
    }
    qsort(operation->topics, operation->count, sizeof *operation->topics, by_name);
    admin_finish(base, now);
}

struct admin_operation *admin_describe_topics(struct client *client, const char *const *names, size_t count,
                                              void (*done)(void *ctx, int code, const char *text,
                                                           const struct admin_topic *topics, size_t count, struct io_time now),
                                              void *ctx)
{
    struct describe_operation *operation = admin_new(client, sizeof *operation, describe_step, describe_finish, ctx);
    if (!operation)
        return NULL;
    operation->done = done;
    operation->base.call.api_key = API_METADATA;
    operation->base.call.fill = fill_describe;
    operation->base.call.done = on_described;
    bool copied = true;
    if (names) {
        operation->name_count = count;
        operation->names = arena_calloc(&operation->base.arena, count + 1, sizeof *operation->names);
        copied = operation->names != NULL;
        for (size_t i = 0; i < count && copied; i++) {
            operation->names[i] = arena_string(&operation->base.arena, mill_string(names[i]));
            copied = operation->names[i] != NULL;
        }
    }
    if (!copied) {
        admin_cancel(&operation->base);
        return NULL;
    }
    return &operation->base;
}

/* ---- configuration --------------------------------------------------------------------------------------------------------- */

enum { CONFIG_SOURCE_DEFAULT = 5 };

struct configs_operation {
    struct admin_operation base;
    void (*done)(void *ctx, int code, const char *text, const struct admin_config_entry *entries, size_t count,
                 struct io_time now);
    enum admin_resource kind;
    const char *name;
    struct admin_config_entry *entries;
    size_t count;
};

static void configs_finish(struct admin_operation *base, struct io_time now)
{
    struct configs_operation *operation = (struct configs_operation *)base;
    operation->done(base->ctx, base->code, base->error.text, operation->entries, operation->count, now);
}

static int fill_configs(struct call *call, struct request *request)
{
    struct configs_operation *operation = call->ctx;
    struct describe_configs_request *body = request->body;
    body->resources.items = describe_configs_request_resource_array(&request->arena, 1);
    if (!body->resources.items)
        return MILL_ENOMEM;
    body->resources.count = 1;
    body->resources.items[0].resource_type = (int8_t)operation->kind;
    body->resources.items[0].resource_name = mill_string(operation->name);
    body->resources.items[0].configuration_keys.count = -1;
    return 0;
}

static void configs_step(struct admin_operation *base, struct io_time now)
{
    struct configs_operation *operation = (struct configs_operation *)base;
    struct route route = { .kind = ROUTE_ANY };
    size_t known = 0;
    if (operation->kind == ADMIN_BROKER) { /* only the broker itself knows */
        route = (struct route){ .kind = ROUTE_BROKER, .broker = (int32_t)strtol(operation->name, NULL, 10) };
        client_brokers(base->client, &known);
        if (known == 0) {
            admin_await_metadata(base);
            return;
        }
    }
    admin_send(base, route);
}

static void on_configs(struct call *call, const struct answer *answer, struct io_time now)
{
    struct configs_operation *operation = call->ctx;
    struct admin_operation *base = &operation->base;
    const struct describe_configs_response *body = answer->body;
    if (!body) {
        admin_unanswered(base, answer, now);
        return;
    }
    if (body->results.count != 1) {
        admin_fail(base, MILL_EPROTOCOL, now, "the broker answered a DescribeConfigs of one resource with none or many");
        return;
    }
    const struct describe_configs_response_result *result = &body->results.items[0];
    if (result->error_code != 0) {
        admin_fail(base, kafka_error_to_mill(result->error_code), now, "%s: %s", operation->name,
                   admin_error_text(base, result->error_code, result->error_message));
        return;
    }
    operation->entries = arena_calloc(&base->arena, (size_t)result->configs.count + 1, sizeof *operation->entries);
    if (!operation->entries) {
        admin_fail(base, MILL_ENOMEM, now, "no memory for %d properties", (int)result->configs.count);
        return;
    }
    for (int32_t i = 0; i < result->configs.count; i++) {
        const struct describe_configs_response_config *from = &result->configs.items[i];
        operation->entries[i] = (struct admin_config_entry){
            .name = admin_string(base, from->name),
            .value = mill_is_null(from->value) ? NULL : admin_string(base, from->value),
            .is_default = from->config_source == CONFIG_SOURCE_DEFAULT,
            .read_only = from->read_only,
            .sensitive = from->is_sensitive,
        };
    }
    operation->count = (size_t)result->configs.count;
    admin_finish(base, now);
}

struct admin_operation *admin_describe_configs(struct client *client, enum admin_resource kind, const char *name,
                                               void (*done)(void *ctx, int code, const char *text,
                                                            const struct admin_config_entry *entries, size_t count,
                                                            struct io_time now),
                                               void *ctx)
{
    struct configs_operation *operation = admin_new(client, sizeof *operation, configs_step, configs_finish, ctx);
    if (!operation)
        return NULL;
    operation->done = done;
    operation->kind = kind;
    operation->name = arena_string(&operation->base.arena, mill_string(name));
    operation->base.call.api_key = API_DESCRIBE_CONFIGS;
    operation->base.call.fill = fill_configs;
    operation->base.call.done = on_configs;
    if (!operation->name) {
        admin_cancel(&operation->base);
        return NULL;
    }
    return &operation->base;
}

/* ---- deleting records: leader after leader --------------------------------------------------------------------------------- */

struct records_operation {
    struct admin_operation base;
    void (*done)(void *ctx, int code, const char *text, const struct offset_query *results, size_t count, struct io_time now);
    struct offset_query *queries;
    bool *answered;
    size_t count;
    int32_t leader; /* of the request that is out */
};

static void records_finish(struct admin_operation *base, struct io_time now)
{
    struct records_operation *operation = (struct records_operation *)base;
    for (size_t i = 0; i < operation->count; i++)
        if (!operation->answered[i])
            operation->queries[i].code = base->code;
    operation->done(base->ctx, base->code, base->error.text, operation->queries, operation->count, now);
}

static bool is_asked(const struct records_operation *operation, size_t i)
{
    const struct offset_query *query = &operation->queries[i];
    return !operation->answered[i] && client_leader(operation->base.client, query->topic, query->partition) == operation->leader;
}

static int fill_delete_records(struct call *call, struct request *request)
{
    struct records_operation *operation = call->ctx;
    struct delete_records_request *body = request->body;
    body->timeout_ms = server_timeout_ms(&operation->base);
    body->topics.items = delete_records_request_topic_array(&request->arena, (int32_t)operation->count);
    if (!body->topics.items)
        return MILL_ENOMEM;
    for (size_t i = 0; i < operation->count; i++) {
        if (!is_asked(operation, i))
            continue;
        mill_bytes name = mill_string(operation->queries[i].topic->name);
        struct delete_records_request_topic *topic = NULL;
        for (int32_t j = 0; j < body->topics.count && !topic; j++)
            if (mill_bytes_equal(body->topics.items[j].name, name))
                topic = &body->topics.items[j];
        if (!topic) {
            topic = &body->topics.items[body->topics.count++];
            topic->name = name;
            topic->partitions.items = delete_records_request_partition_array(&request->arena, (int32_t)(operation->count - i));
            if (!topic->partitions.items)
                return MILL_ENOMEM;
        }
        topic->partitions.items[topic->partitions.count++] = (struct delete_records_request_partition){
            .partition_index = operation->queries[i].partition,
            .offset = operation->queries[i].offset,
        };
    }
    return 0;
}

static void records_step(struct admin_operation *base, struct io_time now)
{
    struct records_operation *operation = (struct records_operation *)base;
    bool left = false;
    for (size_t i = 0; i < operation->count; i++) {
        if (operation->answered[i])
            continue;
        left = true;
        int32_t leader = client_leader(base->client, operation->queries[i].topic, operation->queries[i].partition);
        if (leader < 0)
            continue;
        operation->leader = leader;
        admin_send(base, (struct route){ .kind = ROUTE_BROKER, .broker = leader });
        return;
    }
    if (left)
        admin_retry(base, MILL_ETIMEOUT, "a partition has no known leader", now);
    else
        admin_finish(base, now);
}

static void take_deleted(struct records_operation *operation, mill_bytes topic,
                         const struct delete_records_response_partition *told)
{
    for (size_t i = 0; i < operation->count; i++) {
        struct offset_query *query = &operation->queries[i];
        if (query->partition != told->partition_index || !mill_bytes_equal(mill_string(query->topic->name), topic))
            continue;
        enum error_action action = client_error_action(told->error_code);
        if (action == ERROR_RETRY || action == ERROR_REFRESH)
            return;
        operation->answered[i] = true;
        query->code = kafka_error_to_mill(told->error_code);
        query->offset = told->low_watermark;
        if (query->code != 0)
            admin_note(&operation->base, query->code, "deleting records of %s-%d: %s", query->topic->name, (int)query->partition,
                       kafka_error_text(told->error_code));
    }
}

static size_t count_answered(const struct records_operation *operation)
{
    size_t count = 0;
    for (size_t i = 0; i < operation->count; i++)
        count += operation->answered[i];
    return count;
}

static void on_records_deleted(struct call *call, const struct answer *answer, struct io_time now)
{
    struct records_operation *operation = call->ctx;
    const struct delete_records_response *body = answer->body;
    if (!body) {
        admin_unanswered(&operation->base, answer, now);
        return;
    }
    size_t before = count_answered(operation);
    for (int32_t i = 0; i < body->topics.count; i++)
        for (int32_t j = 0; j < body->topics.items[i].partitions.count; j++)
            take_deleted(operation, body->topics.items[i].name, &body->topics.items[i].partitions.items[j]);
    if (count_answered(operation) > before)
        records_step(&operation->base, now);
    else
        admin_retry(&operation->base, MILL_ETIMEOUT, "the leader of a partition cannot delete records now", now);
}

struct admin_operation *admin_delete_records(struct client *client, const struct offset_query *before, size_t count,
                                             void (*done)(void *ctx, int code, const char *text,
                                                          const struct offset_query *results, size_t count, struct io_time now),
                                             void *ctx)
{
    struct records_operation *operation = admin_new(client, sizeof *operation, records_step, records_finish, ctx);
    if (!operation)
        return NULL;
    operation->done = done;
    operation->count = count;
    operation->queries = arena_alloc(&operation->base.arena, (count + 1) * sizeof *operation->queries);
    operation->answered = arena_calloc(&operation->base.arena, count + 1, sizeof *operation->answered);
    operation->base.call.api_key = API_DELETE_RECORDS;
    operation->base.call.fill = fill_delete_records;
    operation->base.call.done = on_records_deleted;
    if (!operation->queries || !operation->answered) {
        admin_cancel(&operation->base);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        operation->queries[i] = before[i];
    return &operation->base;
}
