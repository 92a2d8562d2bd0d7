/*
 * Rounds: each asks every leader for its unanswered queries, one request a leader; when all are back, what is left (leader
 * unknown, retriable error) goes into the next round after a back-off, until the deadline. A request may name a partition once
 * only, so a second query of the same partition waits for the next round, which then comes at once.
 */
#include "client/offset_lookup.h"

#include "base/alloc.h"
#include "wire/api/list_offsets.h"
#include "wire/kafka_error.h"

/* Rounds in which a topic may be unknown to the brokers, as one that is just being created is. */
enum { MISSING_ATTEMPTS = 5 };

struct lookup_call {
    struct call call;
    struct offset_lookup *lookup;
    struct list link;
    size_t count;
    size_t indexes[]; /* into queries */
};

enum query_state { QUERY_WAITS, QUERY_ASKED, QUERY_ANSWERED };

struct offset_lookup {
    struct client *client;
    bool read_committed;
    void (*done)(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now);
    void *ctx;
    struct list calls;
    struct loop_timer timer;
    struct metadata_listener listener;
    int64_t deadline_us;
    int attempts;
    bool at_once; /* the next round needs no back-off */
    size_t count;
    uint8_t *states; /* enum query_state */
    struct offset_query queries[];
};

static void lookup_free(struct offset_lookup *lookup)
{
    for (struct list *node; (node = list_pop_front(&lookup->calls));) {
        struct lookup_call *call = list_entry(node, struct lookup_call, link);
        client_cancel(&call->call);
        mem_free(call);
    }
    loop_timer_cancel(client_loop(lookup->client), &lookup->timer);
    client_unlisten(&lookup->listener);
    mem_free(lookup->states);
    mem_free(lookup);
}

/* ---- requests -------------------------------------------------------------------------------------------------------------- */

static struct list_offsets_request_topic *topic_entry_of(struct list_offsets_request *body, const char *name)
{
    for (int32_t i = body->topics.count; i-- > 0;)
        if (mill_bytes_equal(body->topics.items[i].name, mill_string(name)))
            return &body->topics.items[i];
    return NULL;
}

static int fill(struct call *base, struct request *request)
{
    struct lookup_call *call = base->ctx;
    struct offset_lookup *lookup = call->lookup;
    struct list_offsets_request *body = request->body;
    body->replica_id = -1;
    if (request->api_version >= 2)
        body->isolation_level = lookup->read_committed ? 1 : 0;
    body->topics.items = list_offsets_request_topic_array(&request->arena, (int32_t)call->count);
    if (!body->topics.items)
        return MILL_ENOMEM;
    for (size_t i = 0; i < call->count; i++) {
        const struct offset_query *query = &lookup->queries[call->indexes[i]];
        if (query->timestamp_ms == OFFSET_AT_MAX_TIMESTAMP && request->api_version < 7)
            return MILL_EUNSUPPORTED;
        struct list_offsets_request_topic *topic = topic_entry_of(body, query->topic->name);
        if (!topic) {
            topic = &body->topics.items[body->topics.count++];
            topic->name = mill_string(query->topic->name);
            topic->partitions.items = list_offsets_request_partition_array(&request->arena, (int32_t)(call->count - i));
            if (!topic->partitions.items)
                return MILL_ENOMEM;
        }
        topic->partitions.items[topic->partitions.count++] = (struct list_offsets_request_partition){
            .partition_index = query->partition,
            .current_leader_epoch = query->topic->partitions[query->partition].leader_epoch,
            .timestamp = query->timestamp_ms,
        };
    }
    return 0;
}

static void on_answer(struct call *base, const struct answer *answer, struct io_time now);

static bool names_partition(const struct lookup_call *call, const struct offset_query *query)
{
    for (size_t i = 0; i < call->count; i++) {
        const struct offset_query *other = &call->lookup->queries[call->indexes[i]];
        if (other->topic == query->topic && other->partition == query->partition)
            return true;
    }
    return false;
}

/* Asks one leader for all that it leads. */
static void ask_leader(struct offset_lookup *lookup, size_t first, int32_t leader)
{
    struct lookup_call *call = mem_calloc(1, sizeof *call + (lookup->count - first) * sizeof call->indexes[0]);
    if (!call)
        return; /* the next round tries again */
    call->call = (struct call){ .api_key = API_LIST_OFFSETS, .fill = fill, .done = on_answer, .ctx = call };
    call->lookup = lookup;
    for (size_t i = first; i < lookup->count; i++) {
        const struct offset_query *query = &lookup->queries[i];
        if (lookup->states[i] != QUERY_WAITS || client_leader(lookup->client, query->topic, query->partition) != leader)
            continue;
        if (names_partition(call, query)) {
            lookup->at_once = true;
            continue;
        }
        call->indexes[call->count++] = i;
        lookup->states[i] = QUERY_ASKED;
    }
    list_push_back(&lookup->calls, &call->link);
    client_call(lookup->client, &call->call, (struct route){ .kind = ROUTE_BROKER, .broker = leader });
}

/* ---- rounds ---------------------------------------------------------------------------------------------------------------- */

static void finish(struct offset_lookup *lookup, struct io_time now)
{
    int code = 0;
    for (size_t i = 0; i < lookup->count; i++) {
        if (lookup->states[i] != QUERY_ANSWERED)
            lookup->queries[i].code = MILL_ETIMEOUT;
        if (code == 0)
            code = lookup->queries[i].code;
    }
    lookup->done(lookup->ctx, code, lookup->queries, lookup->count, now);
    lookup_free(lookup);
}

static void next_round(struct offset_lookup *lookup, struct io_time now)
{
    bool waits = false;
    for (size_t i = 0; i < lookup->count; i++)
        waits |= lookup->states[i] == QUERY_WAITS;
    if (!waits || now.monotonic_us >= lookup->deadline_us) {
        finish(lookup, now);
        return;
    }
    int64_t pause_us = lookup->at_once ? 0 : client_retry_backoff_us(lookup->client, lookup->attempts++);
    lookup->at_once = false;
    loop_timer_set(client_loop(lookup->client), &lookup->timer, now.monotonic_us + pause_us);
}

static void on_round(struct loop_timer *timer, struct io_time now)
{
    struct offset_lookup *lookup = timer->ctx;
    for (size_t i = 0; i < lookup->count; i++) {
        struct offset_query *query = &lookup->queries[i];
        if (lookup->states[i] != QUERY_WAITS)
            continue;
        if (query->partition < 0 || (query->topic->partition_count >= 0 && query->partition >= query->topic->partition_count)) {
            query->code = MILL_ENOTFOUND;
            lookup->states[i] = QUERY_ANSWERED;
            continue;
        }
        bool missing = query->topic->code == MILL_ENOTFOUND && lookup->attempts >= MISSING_ATTEMPTS;
        if (missing || query->topic->code == MILL_EACCESS || query->topic->code == MILL_EINVALID) {
            query->code = query->topic->code;
            lookup->states[i] = QUERY_ANSWERED;
            continue;
        }
        int32_t leader = client_leader(lookup->client, query->topic, query->partition);
        if (leader >= 0)
            ask_leader(lookup, i, leader);
    }
    if (list_empty(&lookup->calls))
        next_round(lookup, now);
}

/* New leaders may be what the next round waits for. */
static void on_metadata(void *ctx, int code, const char *text, struct io_time now)
{
    struct offset_lookup *lookup = ctx;
    if (code == 0 && list_empty(&lookup->calls))
        loop_timer_set(client_loop(lookup->client), &lookup->timer, now.monotonic_us);
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

/* The query of this call that an answer is for; answers come in the order of the request, so it is mostly the one at *at. */
static struct offset_query *query_of(struct lookup_call *call, mill_bytes topic, int32_t partition, size_t *at)
{
    for (size_t i = 0; i < call->count; i++, (*at)++) {
        struct offset_query *query = &call->lookup->queries[call->indexes[*at % call->count]];
        if (query->partition == partition && mill_bytes_equal(mill_string(query->topic->name), topic))
            return query;
    }
    return NULL;
}

static void take_answer(struct offset_lookup *lookup, struct offset_query *query,
                        const struct list_offsets_response_partition *answer)
{
    enum error_action action = client_error_action(answer->error_code);
    size_t index = (size_t)(query - lookup->queries);
    if (action == ERROR_REFRESH)
        client_refresh(lookup->client);
    if (action == ERROR_REFRESH || action == ERROR_RETRY) {
        lookup->states[index] = QUERY_WAITS;
        return;
    }
    query->code = kafka_error_to_mill(answer->error_code);
    query->offset = answer->offset;
    query->found_ms = answer->timestamp;
    query->leader_epoch = answer->leader_epoch;
    lookup->states[index] = QUERY_ANSWERED;
}

static void take_failure(struct lookup_call *call, int code)
{
    bool fatal = code == MILL_EUNSUPPORTED || code == MILL_EACCESS;
    for (size_t i = 0; i < call->count; i++) {
        size_t index = call->indexes[i];
        call->lookup->states[index] = fatal ? QUERY_ANSWERED : QUERY_WAITS;
        call->lookup->queries[index].code = fatal ? code : 0;
    }
    client_refresh(call->lookup->client);
}

static void on_answer(struct call *base, const struct answer *answer, struct io_time now)
{
    struct lookup_call *call = base->ctx;
    struct offset_lookup *lookup = call->lookup;
    const struct list_offsets_response *body = answer->body;
    size_t at = 0;
    if (!body)
        take_failure(call, answer->code);
    for (int32_t i = 0; body && i < body->topics.count; i++) {
        const struct list_offsets_response_topic *topic = &body->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            struct offset_query *query = query_of(call, topic->name, topic->partitions.items[j].partition_index, &at);
            if (query)
                take_answer(lookup, query, &topic->partitions.items[j]);
        }
    }
    for (size_t i = 0; i < call->count; i++) /* left out of the answer */
        if (lookup->states[call->indexes[i]] == QUERY_ASKED)
            lookup->states[call->indexes[i]] = QUERY_WAITS;
    list_remove(&call->link);
    mem_free(call);
    if (list_empty(&lookup->calls))
        next_round(lookup, now);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

struct offset_lookup *
offset_lookup_start(struct client *client, const struct offset_query *queries, size_t count, bool read_committed,
                    void (*done)(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now), void *ctx)
{
    struct offset_lookup *lookup = mem_calloc(1, sizeof *lookup + count * sizeof lookup->queries[0]);
    uint8_t *states = mem_calloc(count + 1, 1);
    if (!lookup || !states) {
        mem_free(lookup);
        mem_free(states);
        return NULL;
    }
    int64_t now_us = loop_now(client_loop(client)).monotonic_us;
    lookup->client = client;
    lookup->read_committed = read_committed;
    lookup->done = done;
    lookup->ctx = ctx;
    lookup->deadline_us = now_us + client_get_options(client)->default_api_timeout_ms * 1000;
    lookup->count = count;
    lookup->states = states;
    list_init(&lookup->calls);
    lookup->timer = (struct loop_timer){ .fire = on_round, .ctx = lookup };
    for (size_t i = 0; i < count; i++) {
        lookup->queries[i] = queries[i];
        lookup->queries[i].offset = -1;
        lookup->queries[i].found_ms = -1;
        lookup->queries[i].leader_epoch = -1;
        lookup->queries[i].code = 0;
    }
    lookup->listener = (struct metadata_listener){ .changed = on_metadata, .ctx = lookup };
    client_listen(client, &lookup->listener);
    loop_timer_set(client_loop(client), &lookup->timer, now_us);
    return lookup;
}

void offset_lookup_cancel(struct offset_lookup *lookup)
{
    if (lookup)
        lookup_free(lookup);
}
