/*
 * Groups: listing them, and describing one with its lag.
 *
 * Groups live at their coordinators, so a list asks every broker in turn. A description takes four steps: members
 * (DescribeGroups), committed offsets (OffsetFetch of all topics), then the ends and the starts of the partitions (ListOffsets).
 */
#include <stdlib.h>
#include <string.h>

#include "client/admin_internal.h"
#include "wire/api/describe_groups.h"
#include "wire/api/list_groups.h"
#include "wire/api/offset_fetch.h"
#include "wire/kafka_error.h"

/* ---- list ------------------------------------------------------------------------------------------------------------------ */

struct list_operation {
    struct admin_operation base;
    void (*done)(void *ctx, int code, const char *text, const struct admin_group_listing *groups, size_t count,
                 struct io_time now);
    int32_t *brokers; /* as of the first step */
    size_t broker_count;
    size_t at;
    struct admin_group_listing *groups;
    size_t count;
};

static void list_finish(struct admin_operation *base, struct io_time now)
{
    struct list_operation *operation = (struct list_operation *)base;
    operation->done(base->ctx, base->code, base->error.text, operation->groups, operation->count, now);
}

static int by_group_id(const void *a, const void *b)
{
    return strcmp(((const struct admin_group_listing *)a)->group_id, ((const struct admin_group_listing *)b)->group_id);
}

static void list_step(struct admin_operation *base, struct io_time now)
{
    struct list_operation *operation = (struct list_operation *)base;
    if (!operation->brokers) {
        const struct client_broker *brokers = client_brokers(base->client, &operation->broker_count);
        if (operation->broker_count == 0) {
            admin_await_metadata(base);
            return;
        }
        operation->brokers = arena_alloc(&base->arena, operation->broker_count * sizeof *operation->brokers);
        for (size_t i = 0; i < operation->broker_count && operation->brokers; i++)
            operation->brokers[i] = brokers[i].id;
    }
    if (!operation->brokers) {
        admin_fail(base, MILL_ENOMEM, now, "no memory for a list of brokers");
        return;
    }
    if (operation->at < operation->broker_count) {
        admin_send(base, (struct route){ .kind = ROUTE_BROKER, .broker = operation->brokers[operation->at] });
        return;
    }
    if (operation->count > 0)
        qsort(operation->groups, operation->count, sizeof *operation->groups, by_group_id);
    admin_finish(base, now);
}

static int add_groups(struct list_operation *operation, const struct list_groups_response *body)
{
    struct admin_operation *base = &operation->base;
    size_t more = (size_t)body->groups.count;
    struct admin_group_listing *groups = arena_alloc(&base->arena, (operation->count + more) * sizeof *groups);
    if (!groups)
        return MILL_ENOMEM;
    if (operation->count > 0)
        memcpy(groups, operation->groups, operation->count * sizeof *groups);
    for (size_t i = 0; i < more; i++) {
        const struct list_groups_response_group *from = &body->groups.items[i];
        groups[operation->count + i] = (struct admin_group_listing){
            .group_id = admin_string(base, from->group_id),
            .protocol_type = admin_string(base, from->protocol_type),
            .state = admin_string(base, from->group_state),
        };
    }
    operation->groups = groups;
    operation->count += more;
    return 0;
}

static void on_listed(struct call *call, const struct answer *answer, struct io_time now)
{
    struct list_operation *operation = call->ctx;
    struct admin_operation *base = &operation->base;
    const struct list_groups_response *body = answer->body;
    if (!body) {
        admin_unanswered(base, answer, now);
    } else if (client_error_action(body->error_code) == ERROR_FATAL) {
        admin_fail(base, kafka_error_to_mill(body->error_code), now, "listing groups: %s", kafka_error_text(body->error_code));
    } else if (body->error_code != 0) {
        admin_retry(base, MILL_ETIMEOUT, kafka_error_text(body->error_code), now);
    } else if (add_groups(operation, body) < 0) {
        admin_fail(base, MILL_ENOMEM, now, "no memory for %d groups", (int)body->groups.count);
    } else {
        operation->at++;
        list_step(base, now);
    }
}

struct admin_operation *admin_list_groups(struct client *client,
                                          void (*done)(void *ctx, int code, const char *text,
                                                       const struct admin_group_listing *groups, size_t count,
                                                       struct io_time now),
                                          void *ctx)
{
    struct list_operation *operation = admin_new(client, sizeof *operation, list_step, list_finish, ctx);
    if (!operation)
        return NULL;
    operation->done = done;
    operation->base.call.api_key = API_LIST_GROUPS;
    operation->base.call.done = on_listed;
    return &operation->base;
}

/* ---- describe -------------------------------------------------------------------------------------------------------------- */

enum describe_phase { ASK_MEMBERS, ASK_OFFSETS, ASK_ENDS, ASK_STARTS, DESCRIBED };

struct group_operation {
    struct admin_operation base;
    void (*done)(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now);
    enum describe_phase phase;
    struct admin_group group;
    struct admin_group_offset *offsets;
    size_t offset_count;
};

static void group_finish(struct admin_operation *base, struct io_time now)
{
    struct group_operation *operation = (struct group_operation *)base;
    operation->done(base->ctx, base->code, base->error.text, operation->phase == DESCRIBED ? &operation->group : NULL, now);
}

static int fill_describe_group(struct call *call, struct request *request)
{
    struct group_operation *operation = call->ctx;
    struct describe_groups_request *body = request->body;
    body->groups.items = arena_alloc(&request->arena, sizeof(mill_bytes));
    if (!body->groups.items)
        return MILL_ENOMEM;
    body->groups.count = 1;
    body->groups.items[0] = mill_string(operation->group.group_id);
    return 0;
}

static int fill_all_offsets(struct call *call, struct request *request)
{
    struct group_operation *operation = call->ctx;
    struct offset_fetch_request *body = request->body;
    if (request->api_version < 8) {
        body->group_id = mill_string(operation->group.group_id);
        body->topics.count = -1;
        return request->api_version >= 2 ? 0 : MILL_EUNSUPPORTED;
    }
    body->groups.items = offset_fetch_request_group_array(&request->arena, 1);
    if (!body->groups.items)
        return MILL_ENOMEM;
    body->groups.count = 1;
    body->groups.items[0].group_id = mill_string(operation->group.group_id);
    body->groups.items[0].topics.count = -1;
    return 0;
}

static void group_step(struct admin_operation *base, struct io_time now);

/* An error of the coordinator. */
static void group_refused(struct group_operation *operation, int16_t error, struct io_time now)
{
    struct admin_operation *base = &operation->base;
    enum error_action action = client_error_action(error);
    if (action == ERROR_COORDINATOR)
        client_coordinator_lost(base->client, COORDINATOR_GROUP, operation->group.group_id);
    if (error == KAFKA_GROUP_ID_NOT_FOUND)
        admin_fail(base, MILL_ENOTFOUND, now, "group %s: there is no such group", operation->group.group_id);
    else if (action == ERROR_FATAL)
        admin_fail(base, kafka_error_to_mill(error), now, "group %s: %s", operation->group.group_id, kafka_error_text(error));
    else
        admin_retry(base, MILL_ETIMEOUT, kafka_error_text(error), now);
}

static mill_bytes copy_bytes(struct arena *arena, mill_bytes bytes)
{
    mill_bytes copy = arena_dup(arena, bytes);
    return mill_is_null(copy) ? mill_bytes_of("", 0) : copy;
}

static int copy_members(struct group_operation *operation, const struct describe_groups_response_group *from)
{
    struct admin_operation *base = &operation->base;
    size_t count = (size_t)from->members.count;
    struct admin_group_member *members = arena_calloc(&base->arena, count + 1, sizeof *members);
    if (!members)
        return MILL_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct describe_groups_response_member *member = &from->members.items[i];
        members[i] = (struct admin_group_member){
            .member_id = admin_string(base, member->member_id),
            .group_instance_id = mill_is_null(member->group_instance_id) ? NULL : admin_string(base, member->group_instance_id),
            .client_id = admin_string(base, member->client_id),
            .host = admin_string(base, member->client_host),
            .metadata = copy_bytes(&base->arena, member->member_metadata),
            .assignment = copy_bytes(&base->arena, member->member_assignment),
        };
    }
    operation->group.members = members;
    operation->group.member_count = count;
    operation->group.state = admin_string(base, from->group_state);
    operation->group.protocol_type = admin_string(base, from->protocol_type);
    operation->group.protocol = admin_string(base, from->protocol_data);
    return 0;
}

static void on_members(struct call *call, const struct answer *answer, struct io_time now)
{
    struct group_operation *operation = call->ctx;
    struct admin_operation *base = &operation->base;
    const struct describe_groups_response *body = answer->body;
    if (!body) {
        admin_unanswered(base, answer, now);
        return;
    }
    if (body->groups.count != 1) {
        admin_fail(base, MILL_EPROTOCOL, now, "the broker answered a DescribeGroups of one group with none or many");
        return;
    }
    const struct describe_groups_response_group *group = &body->groups.items[0];
    if (group->error_code != 0) {
        group_refused(operation, group->error_code, now);
    } else if (mill_bytes_equal(group->group_state, mill_string("Dead"))) { /* how older brokers say it */
        group_refused(operation, KAFKA_GROUP_ID_NOT_FOUND, now);
    } else if (copy_members(operation, group) < 0) {
        admin_fail(base, MILL_ENOMEM, now, "no memory for the members of group %s", operation->group.group_id);
    } else {
        operation->phase = ASK_OFFSETS;
        group_step(base, now);
    }
}

static void add_offset(struct group_operation *operation, mill_bytes name, struct wire_uuid id, int32_t partition,
                       int64_t committed, mill_bytes metadata)
{
    struct admin_operation *base = &operation->base;
    const struct client_topic *topic = client_topic_by_id(base->client, id);
    operation->offsets[operation->offset_count++] = (struct admin_group_offset){
        .topic = mill_is_null(name) || name.len == 0 ? (topic ? topic->name : "") : admin_string(base, name),
        .partition = partition,
        .committed = committed,
        .log_start = -1,
        .log_end = -1,
        .lag = -1,
        .metadata = admin_string(base, metadata),
    };
}

static int take_group_offsets(struct group_operation *operation, const struct offset_fetch_response_group *group)
{
    size_t count = 0;
    for (int32_t i = 0; i < group->topics.count; i++)
        count += (size_t)group->topics.items[i].partitions.count;
    operation->offsets = arena_calloc(&operation->base.arena, count + 1, sizeof *operation->offsets);
    if (!operation->offsets)
        return MILL_ENOMEM;
    for (int32_t i = 0; i < group->topics.count; i++) {
        const struct offset_fetch_response_group_topic *topic = &group->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct offset_fetch_response_group_partition *told = &topic->partitions.items[j];
            add_offset(operation, topic->name, topic->topic_id, told->partition_index, told->committed_offset, told->metadata);
        }
    }
    return 0;
}

static int take_offsets(struct group_operation *operation, const struct offset_fetch_response *body)
{
    size_t count = 0;
    for (int32_t i = 0; i < body->topics.count; i++)
        count += (size_t)body->topics.items[i].partitions.count;
    operation->offsets = arena_calloc(&operation->base.arena, count + 1, sizeof *operation->offsets);
    if (!operation->offsets)
        return MILL_ENOMEM;
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct offset_fetch_response_topic *topic = &body->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct offset_fetch_response_partition *told = &topic->partitions.items[j];
            add_offset(operation, topic->name, (struct wire_uuid){ { 0 } }, told->partition_index, told->committed_offset,
                       told->metadata);
        }
    }
    return 0;
}

static int by_partition(const void *a, const void *b)
{
    const struct admin_group_offset *left = a;
    const struct admin_group_offset *right = b;
    int order = strcmp(left->topic, right->topic);
    return order != 0 ? order : (left->partition > right->partition) - (left->partition < right->partition);
}

static void on_offsets(struct call *call, const struct answer *answer, struct io_time now)
{
    struct group_operation *operation = call->ctx;
    struct admin_operation *base = &operation->base;
    const struct offset_fetch_response *body = answer->body;
    if (!body) {
        admin_unanswered(base, answer, now);
        return;
    }
    const struct offset_fetch_response_group *group = body->groups.count == 1 ? &body->groups.items[0] : NULL;
    int16_t error = group ? group->error_code : body->error_code;
    if (error != 0) {
        group_refused(operation, error, now);
        return;
    }
    if ((group ? take_group_offsets(operation, group) : take_offsets(operation, body)) < 0) {
        admin_fail(base, MILL_ENOMEM, now, "no memory for the offsets of group %s", operation->group.group_id);
        return;
    }
    qsort(operation->offsets, operation->offset_count, sizeof *operation->offsets, by_partition);
    operation->phase = operation->offset_count > 0 ? ASK_ENDS : DESCRIBED;
    group_step(base, now);
}

static void on_looked_up(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now)
{
    struct group_operation *operation = ctx;
    operation->base.lookup = NULL;
    for (size_t i = 0; i < count; i++) {
        struct admin_group_offset *offset = &operation->offsets[i];
        int64_t found = queries[i].code == 0 ? queries[i].offset : -1; /* a topic that is gone has none */
        if (operation->phase == ASK_STARTS) {
            offset->log_start = found;
            continue;
        }
        offset->log_end = found;
        if (found >= 0 && offset->committed >= 0)
            offset->lag = found > offset->committed ? found - offset->committed : 0;
    }
    operation->phase = operation->phase == ASK_ENDS ? ASK_STARTS : DESCRIBED;
    group_step(&operation->base, now);
}

static void look_up(struct group_operation *operation, int64_t which, struct io_time now)
{
    struct admin_operation *base = &operation->base;
    struct offset_query *queries = arena_calloc(&base->arena, operation->offset_count, sizeof *queries);
    for (size_t i = 0; i < operation->offset_count && queries; i++) {
        queries[i] = (struct offset_query){ .topic = client_topic(base->client, operation->offsets[i].topic),
                                            .partition = operation->offsets[i].partition,
                                            .timestamp_ms = which };
        if (!queries[i].topic)
            queries = NULL;
    }
    if (queries)
        base->lookup = offset_lookup_start(base->client, queries, operation->offset_count, false, on_looked_up, operation);
    if (!base->lookup)
        admin_fail(base, MILL_ENOMEM, now, "no memory to look up %zu offsets", operation->offset_count);
}

static void group_step(struct admin_operation *base, struct io_time now)
{
    struct group_operation *operation = (struct group_operation *)base;
    struct route route = { .kind = ROUTE_COORDINATOR, .type = COORDINATOR_GROUP, .key = operation->group.group_id };
    switch (operation->phase) {
    case ASK_MEMBERS:
        base->call.api_key = API_DESCRIBE_GROUPS;
        base->call.fill = fill_describe_group;
        base->call.done = on_members;
        admin_send(base, route);
        return;
    case ASK_OFFSETS:
        base->call.api_key = API_OFFSET_FETCH;
        base->call.version_max = 9; /* later versions answer with topic ids, which we may not know */
        base->call.fill = fill_all_offsets;
        base->call.done = on_offsets;
        admin_send(base, route);
        return;
    case ASK_ENDS:
        look_up(operation, OFFSET_AT_END, now);
        return;
    case ASK_STARTS:
        look_up(operation, OFFSET_AT_START, now);
        return;
    case DESCRIBED:
        operation->group.offsets = operation->offsets;
        operation->group.offset_count = operation->offset_count;
        admin_finish(base, now);
        return;
    }
}

struct admin_operation *admin_describe_group(struct client *client, const char *group_id,
                                             void (*done)(void *ctx, int code, const char *text, const struct admin_group *group,
                                                          struct io_time now),
                                             void *ctx)
{
    struct group_operation *operation = admin_new(client, sizeof *operation, group_step, group_finish, ctx);
    if (!operation)
        return NULL;
    operation->done = done;
    operation->group.group_id = arena_string(&operation->base.arena, mill_string(group_id));
    if (!operation->group.group_id) {
        admin_cancel(&operation->base);
        return NULL;
    }
    return &operation->base;
}
