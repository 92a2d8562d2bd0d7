/*
 * Committed offsets: OffsetCommit, TxnOffsetCommit and OffsetFetch for a group.
 *
 * An operation is retried whole, after a back-off, while the coordinator moves or loads. Commits go out one at a time, so that a
 * retried one cannot overtake, or be overtaken by, another of the same partitions.
 */
#include "base/alloc.h"
#include "client/group_internal.h"
#include "wire/api/offset_commit.h"
#include "wire/api/offset_fetch.h"
#include "wire/api/txn_offset_commit.h"
#include "wire/kafka_error.h"

/* With 5 the broker would take it that transactions are KIP-890's, whose epochs change at each end. */
enum { TXN_OFFSET_COMMIT_VERSION = 4, JOINING_TXN_OFFSET_COMMIT_VERSION = 5 };

struct operation {
    struct call call;
    struct group_member *member;
    struct list link;
    struct loop_timer timer; /* a retry */
    bool is_commit;
    bool require_stable;
    struct producer_identity producer; /* of a commit within a transaction */
    int32_t generation;                /* that asked for it */
    int64_t deadline_us;
    int attempts;
    group_offsets_cb *done;
    void *ctx;
    struct arena arena; /* metadata of a commit */
    size_t count;
    struct group_offset offsets[];
};

static void operation_free(struct operation *operation)
{
    client_cancel(&operation->call);
    loop_timer_cancel(client_loop(operation->member->client), &operation->timer);
    list_remove(&operation->link);
    arena_release(&operation->arena);
    mem_free(operation);
}

/*
 * A commit belongs to the generation that asked for it: what was processed then may be another member's now. Without a generation
 * it is only right for who never joined.
 */
static bool is_stale(const struct operation *operation)
{
    const struct group_member *member = operation->member;
    bool outside = member->generation < 0 && member->state != GROUP_MEMBER_IDLE;
    return operation->is_commit && (outside || operation->generation != member->generation);
}

static void send(struct operation *operation)
{
    struct group_member *member = operation->member;
    operation->call.version_max = 0;
    if (operation->producer.transactional_id != NULL)
        operation->call.version_max =
            operation->producer.joins_by_itself ? JOINING_TXN_OFFSET_COMMIT_VERSION : TXN_OFFSET_COMMIT_VERSION;
    for (size_t i = 0; i < operation->count && operation->call.version_max == 0; i++)
        if (wire_uuid_is_zero(operation->offsets[i].topic->id))
            operation->call.version_max = 9; /* from 10 on topics are known by id alone */
    client_call(member->client, &operation->call,
                (struct route){ .kind = ROUTE_COORDINATOR, .type = COORDINATOR_GROUP, .key = member->options.group_id });
}

static void send_next_commit(struct group_member *member)
{
    list_for_each (node, &member->operations) {
        struct operation *operation = list_entry(node, struct operation, link);
        if (!operation->is_commit)
            continue;
        if (client_call_pending(&operation->call) || operation->timer.at_us != 0)
            return;
        if (is_stale(operation)) /* to be told in the next turn */
            loop_timer_set(client_loop(member->client), &operation->timer, loop_now(client_loop(member->client)).monotonic_us);
        else
            send(operation);
        return;
    }
}

static void finish(struct operation *operation, int code, const char *text, struct io_time now)
{
    struct group_member *member = operation->member;
    bool was_commit = operation->is_commit;
    list_remove(&operation->link);
    operation->done(operation->ctx, code, text, operation->offsets, operation->count, now);
    operation_free(operation);
    if (was_commit)
        send_next_commit(member);
}

static void fail_all(struct operation *operation, int code, const char *text, struct io_time now)
{
    for (size_t i = 0; i < operation->count; i++)
        operation->offsets[i].code = code;
    finish(operation, code, text, now);
}

static void try_again(struct operation *operation, int code, const char *text, struct io_time now)
{
    struct client *client = operation->member->client;
    int64_t at_us = now.monotonic_us + client_retry_backoff_us(client, operation->attempts++);
    if (at_us >= operation->deadline_us)
        fail_all(operation, code, text, now);
    else
        loop_timer_set(client_loop(client), &operation->timer, at_us);
}

static void on_retry(struct loop_timer *timer, struct io_time now)
{
    struct operation *operation = timer->ctx;
    const struct group_member *member = operation->member;
    if (!is_stale(operation))
        send(operation);
    else if (member->generation < 0)
        fail_all(operation, MILL_EFENCED, "the membership that asked for the commit is gone", now);
    else
        fail_all(operation, MILL_EAGAIN, "the group has a newer generation than the one that asked for the commit", now);
}

static void unanswered(struct operation *operation, const struct answer *answer, struct io_time now)
{
    if (answer->code == MILL_EUNSUPPORTED || answer->code == MILL_EACCESS)
        fail_all(operation, answer->code, answer->text, now);
    else
        try_again(operation, answer->code, answer->text, now);
}

/* Whether the first topic of this name among the offsets is at i: each topic is listed once. */
static bool is_first_of_topic(const struct operation *operation, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (operation->offsets[j].topic == operation->offsets[i].topic)
            return false;
    return true;
}

static int32_t topic_partitions(const struct operation *operation, const struct client_topic *topic)
{
    int32_t count = 0;
    for (size_t i = 0; i < operation->count; i++)
        count += operation->offsets[i].topic == topic;
    return count;
}

static struct group_offset *find_offset(struct operation *operation, mill_bytes name, struct wire_uuid id, int32_t partition)
{
    for (size_t i = 0; i < operation->count; i++) {
        struct group_offset *offset = &operation->offsets[i];
        bool same = mill_is_null(name) || name.len == 0 ? wire_uuid_equal(offset->topic->id, id)
                                                        : mill_bytes_equal(mill_string(offset->topic->name), name);
        if (same && offset->partition == partition)
            return offset;
    }
    return NULL;
}

/* The topic has been deleted, as was to be expected. */
static bool has_gone(const struct client_topic *topic, int16_t error)
{
    return topic->may_go && (error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION || error == KAFKA_UNKNOWN_TOPIC_ID);
}

/* What an error of one partition, or of the group, asks for. Codes other than EAGAIN and the retries are final. */
enum verdict { VERDICT_FINE, VERDICT_RETRY, VERDICT_FINAL };

static enum verdict judge(struct operation *operation, int16_t error, int *code, struct io_time now)
{
    struct group_member *member = operation->member;
    *code = kafka_error_to_mill(error);
    switch (error) {
    case KAFKA_NONE:
        return VERDICT_FINE;
    case KAFKA_REBALANCE_IN_PROGRESS:
        *code = MILL_EAGAIN;
        return VERDICT_FINAL;
    case KAFKA_UNKNOWN_MEMBER_ID:
    case KAFKA_ILLEGAL_GENERATION:
        *code = operation->generation == member->generation ? MILL_EFENCED : MILL_EAGAIN; /* else: joined anew since */
        return VERDICT_FINAL;
    case KAFKA_FENCED_INSTANCE_ID:
        *code = MILL_EFENCED;
        return VERDICT_FINAL;
    default:
        break;
    }
    enum error_action action = client_error_action(error);
    if (action == ERROR_COORDINATOR)
        client_coordinator_lost(member->client, COORDINATOR_GROUP, member->options.group_id);
    return action == ERROR_FATAL ? VERDICT_FINAL : VERDICT_RETRY;
}

/* ---- commit ---------------------------------------------------------------------------------------------------------------- */

static void fill_commit_topic(struct operation *operation, const struct client_topic *topic,
                              struct offset_commit_request_topic *into)
{
    into->name = mill_string(topic->name);
    into->topic_id = topic->id;
    for (size_t i = 0; i < operation->count; i++) {
        const struct group_offset *offset = &operation->offsets[i];
        if (offset->topic != topic)
            continue;
        into->partitions.items[into->partitions.count++] = (struct offset_commit_request_partition){
            .partition_index = offset->partition,
            .committed_offset = offset->offset,
            .committed_leader_epoch = offset->leader_epoch,
            .committed_metadata = offset->metadata,
        };
    }
}

static int fill_commit(struct call *call, struct request *request)
{
    struct operation *operation = call->ctx;
    const struct group_member *member = operation->member;
    struct offset_commit_request *body = request->body;
    body->group_id = mill_string(member->options.group_id);
    body->generation_id_or_member_epoch = member->generation;
    if (member->generation >= 0) {
        body->member_id = mill_string(member->member_id);
        if (request->api_version >= 7)
            body->group_instance_id = mill_string(member->options.group_instance_id);
    }
    body->topics.items = offset_commit_request_topic_array(&request->arena, (int32_t)operation->count);
    if (!body->topics.items)
        return MILL_ENOMEM;
    for (size_t i = 0; i < operation->count; i++) {
        if (!is_first_of_topic(operation, i))
            continue;
        const struct client_topic *topic = operation->offsets[i].topic;
        struct offset_commit_request_topic *into = &body->topics.items[body->topics.count++];
        into->partitions.items = offset_commit_request_partition_array(&request->arena, topic_partitions(operation, topic));
        if (!into->partitions.items)
            return MILL_ENOMEM;
        fill_commit_topic(operation, topic, into);
    }
    return 0;
}

static int fill_txn_commit(struct call *call, struct request *request)
{
    struct operation *operation = call->ctx;
    const struct group_member *member = operation->member;
    struct txn_offset_commit_request *body = request->body;
    body->transactional_id = mill_string(operation->producer.transactional_id);
    body->producer_id = operation->producer.producer_id;
    body->producer_epoch = operation->producer.producer_epoch;
    body->group_id = mill_string(member->options.group_id);
    if (request->api_version >= 3 && member->generation >= 0) {
        body->generation_id = member->generation;
        body->member_id = mill_string(member->member_id);
        body->group_instance_id = mill_string(member->options.group_instance_id);
    }
    body->topics.items = txn_offset_commit_request_topic_array(&request->arena, (int32_t)operation->count);
    if (!body->topics.items)
        return MILL_ENOMEM;
    for (size_t i = 0; i < operation->count; i++) {
        const struct client_topic *topic = operation->offsets[i].topic;
        if (!is_first_of_topic(operation, i))
            continue;
        struct txn_offset_commit_request_topic *into = &body->topics.items[body->topics.count++];
        into->name = mill_string(topic->name);
        into->partitions.items = txn_offset_commit_request_partition_array(&request->arena, topic_partitions(operation, topic));
        if (!into->partitions.items)
            return MILL_ENOMEM;
        for (size_t j = i; j < operation->count; j++)
            if (operation->offsets[j].topic == topic)
                into->partitions.items[into->partitions.count++] = (struct txn_offset_commit_request_partition){
                    .partition_index = operation->offsets[j].partition,
                    .committed_offset = operation->offsets[j].offset,
                    .committed_leader_epoch = operation->offsets[j].leader_epoch,
                    .committed_metadata = operation->offsets[j].metadata,
                };
    }
    return 0;
}

/* What a commit's answer has said so far. */
struct commit_outcome {
    int16_t first_error;
    bool retry;
};

static void expect_answers(struct operation *operation)
{
    for (size_t i = 0; i < operation->count; i++)
        operation->offsets[i].code = MILL_EPROTOCOL; /* unless the answer tells */
}

static void take_committed(struct operation *operation, struct commit_outcome *outcome, struct group_offset *offset,
                           int16_t error, struct io_time now)
{
    if (!offset)
        return;
    if (has_gone(offset->topic, error)) {
        client_refresh(operation->member->client);
        offset->code = operation->producer.transactional_id == NULL ? 0 : MILL_ENOTFOUND;
        if (offset->code != 0 && outcome->first_error == 0)
            outcome->first_error = error;
        return;
    }
    outcome->retry |= judge(operation, error, &offset->code, now) == VERDICT_RETRY;
    if (outcome->first_error == 0)
        outcome->first_error = error;
}

static void end_commit(struct operation *operation, struct commit_outcome outcome, struct io_time now)
{
    struct group_member *member = operation->member;
    int16_t first_error = outcome.first_error;
    int first_code = 0;
    bool retry = outcome.retry;
    for (size_t i = 0; i < operation->count && first_code == 0; i++)
        first_code = operation->offsets[i].code;
    const char *text = first_code == MILL_EPROTOCOL && first_error == 0 ? "the broker left a partition out of its answer"
                                                                        : kafka_error_text(first_error);
    if (retry) {
        try_again(operation, first_code, text, now);
        return;
    }
    bool of_producer = first_error == KAFKA_PRODUCER_FENCED || first_error == KAFKA_INVALID_PRODUCER_EPOCH;
    bool lost = first_code == MILL_EFENCED && member->generation >= 0 && !of_producer;
    if (lost && first_error == KAFKA_FENCED_INSTANCE_ID)
        group_member_failed(member, MILL_EFENCED, now, "another member runs under group.instance.id %s; give each its own",
                            member->options.group_instance_id);
    else if (lost)
        group_member_lost(member, now);
    finish(operation, first_code, first_code == 0 ? "" : text, now);
}

static void on_committed(struct call *call, const struct answer *answer, struct io_time now)
{
    struct operation *operation = call->ctx;
    const struct offset_commit_response *body = answer->body;
    if (!body) {
        unanswered(operation, answer, now);
        return;
    }
    struct commit_outcome outcome = { 0 };
    expect_answers(operation);
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct offset_commit_response_topic *topic = &body->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct offset_commit_response_partition *told = &topic->partitions.items[j];
            take_committed(operation, &outcome, find_offset(operation, topic->name, topic->topic_id, told->partition_index),
                           told->error_code, now);
        }
    }
    end_commit(operation, outcome, now);
}

static void on_txn_committed(struct call *call, const struct answer *answer, struct io_time now)
{
    struct operation *operation = call->ctx;
    const struct txn_offset_commit_response *body = answer->body;
    if (!body) {
        unanswered(operation, answer, now);
        return;
    }
    struct commit_outcome outcome = { 0 };
    expect_answers(operation);
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct txn_offset_commit_response_topic *topic = &body->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct txn_offset_commit_response_partition *told = &topic->partitions.items[j];
            take_committed(operation, &outcome,
                           find_offset(operation, topic->name, (struct wire_uuid){ { 0 } }, told->partition_index),
                           told->error_code, now);
        }
    }
    end_commit(operation, outcome, now);
}

/* ---- fetch ----------------------------------------------------------------------------------------------------------------- */

static int fill_indexes(struct operation *operation, const struct client_topic *topic, struct arena *arena,
                        struct wire_int32s *indexes)
{
    indexes->items = arena_alloc(arena, (size_t)topic_partitions(operation, topic) * sizeof indexes->items[0]);
    if (!indexes->items)
        return MILL_ENOMEM;
    for (size_t i = 0; i < operation->count; i++)
        if (operation->offsets[i].topic == topic)
            indexes->items[indexes->count++] = operation->offsets[i].partition;
    return 0;
}

/* Up to version 7 the request is about one group. */
static int fill_fetch_of_one(struct operation *operation, struct request *request)
{
    struct offset_fetch_request *body = request->body;
    body->group_id = mill_string(operation->member->options.group_id);
    body->topics.items = offset_fetch_request_topic_array(&request->arena, (int32_t)operation->count);
    int code = body->topics.items ? 0 : MILL_ENOMEM;
    for (size_t i = 0; i < operation->count && code == 0; i++) {
        if (!is_first_of_topic(operation, i))
            continue;
        struct offset_fetch_request_topic *into = &body->topics.items[body->topics.count++];
        into->name = mill_string(operation->offsets[i].topic->name);
        code = fill_indexes(operation, operation->offsets[i].topic, &request->arena, &into->partition_indexes);
    }
    return code;
}

static int fill_fetch(struct call *call, struct request *request)
{
    struct operation *operation = call->ctx;
    struct offset_fetch_request *body = request->body;
    if (request->api_version >= 7)
        body->require_stable = operation->require_stable;
    if (request->api_version < 8)
        return fill_fetch_of_one(operation, request);
    body->groups.items = offset_fetch_request_group_array(&request->arena, 1);
    if (!body->groups.items)
        return MILL_ENOMEM;
    body->groups.count = 1;
    struct offset_fetch_request_group *group = &body->groups.items[0];
    group->group_id = mill_string(operation->member->options.group_id);
    group->topics.items = offset_fetch_request_group_topic_array(&request->arena, (int32_t)operation->count);
    int code = group->topics.items ? 0 : MILL_ENOMEM;
    for (size_t i = 0; i < operation->count && code == 0; i++) {
        if (!is_first_of_topic(operation, i))
            continue;
        struct offset_fetch_request_group_topic *into = &group->topics.items[group->topics.count++];
        into->name = mill_string(operation->offsets[i].topic->name);
        into->topic_id = operation->offsets[i].topic->id;
        code = fill_indexes(operation, operation->offsets[i].topic, &request->arena, &into->partition_indexes);
    }
    return code;
}

/* One partition's answer, in either form. Whether the whole is to be tried again. */
static bool take_offset(struct operation *operation, mill_bytes name, struct wire_uuid id, int32_t partition, int64_t committed,
                        int32_t leader_epoch, mill_bytes metadata, int16_t error, struct io_time now)
{
    struct group_offset *offset = find_offset(operation, name, id, partition);
    if (!offset)
        return false;
    offset->offset = committed;
    offset->leader_epoch = leader_epoch;
    offset->metadata = metadata;
    return judge(operation, error, &offset->code, now) == VERDICT_RETRY;
}

static bool take_group(struct operation *operation, const struct offset_fetch_response_group *group, struct io_time now)
{
    bool retry = false;
    for (int32_t i = 0; i < group->topics.count; i++) {
        const struct offset_fetch_response_group_topic *topic = &group->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct offset_fetch_response_group_partition *told = &topic->partitions.items[j];
            retry |= take_offset(operation, topic->name, topic->topic_id, told->partition_index, told->committed_offset,
                                 told->committed_leader_epoch, told->metadata, told->error_code, now);
        }
    }
    return retry;
}

static bool take_one(struct operation *operation, const struct offset_fetch_response *body, struct io_time now)
{
    bool retry = false;
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct offset_fetch_response_topic *topic = &body->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct offset_fetch_response_partition *told = &topic->partitions.items[j];
            retry |= take_offset(operation, topic->name, (struct wire_uuid){ { 0 } }, told->partition_index,
                                 told->committed_offset, told->committed_leader_epoch, told->metadata, told->error_code, now);
        }
    }
    return retry;
}

static void on_fetched(struct call *call, const struct answer *answer, struct io_time now)
{
    struct operation *operation = call->ctx;
    const struct offset_fetch_response *body = answer->body;
    if (!body) {
        unanswered(operation, answer, now);
        return;
    }
    const struct offset_fetch_response_group *group = body->groups.count == 1 ? &body->groups.items[0] : NULL;
    if (answer->version >= 8 && !group) {
        fail_all(operation, MILL_EPROTOCOL, "the broker answered an OffsetFetch of one group with none or many", now);
        return;
    }
    int16_t error = group ? group->error_code : body->error_code;
    int code;
    enum verdict verdict = judge(operation, error, &code, now);
    if (verdict == VERDICT_FINAL) {
        fail_all(operation, code, kafka_error_text(error), now);
        return;
    }
    bool retry = verdict == VERDICT_RETRY;
    for (size_t i = 0; i < operation->count && !retry; i++)
        operation->offsets[i] = (struct group_offset){
            .topic = operation->offsets[i].topic, .partition = operation->offsets[i].partition, .offset = -1, .leader_epoch = -1
        };
    if (!retry)
        retry = group ? take_group(operation, group, now) : take_one(operation, body, now);
    if (retry) {
        try_again(operation, MILL_EAGAIN, "the coordinator is not ready, or a transaction holds the offsets", now);
        return;
    }
    for (size_t i = 0; i < operation->count && code == 0; i++)
        code = operation->offsets[i].code;
    finish(operation, code, code == 0 ? "" : mill_error_text(code), now);
}

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

static struct operation *operation_new(struct group_member *member, const struct group_offset *offsets, size_t count,
                                       group_offsets_cb *done, void *ctx)
{
    struct operation *operation = mem_calloc(1, sizeof *operation + count * sizeof *offsets);
    if (!operation)
        return NULL;
    struct client *client = member->client;
    operation->member = member;
    operation->generation = member->generation;
    operation->done = done;
    operation->ctx = ctx;
    operation->count = count;
    operation->deadline_us =
        loop_now(client_loop(client)).monotonic_us + client_get_options(client)->default_api_timeout_ms * 1000;
    operation->timer = (struct loop_timer){ .fire = on_retry, .ctx = operation };
    operation->call.ctx = operation;
    list_init(&operation->link);
    arena_init(&operation->arena, 4096, 64 << 20);
    if (count > 0)
        memcpy(operation->offsets, offsets, count * sizeof *offsets);
    return operation;
}

/* Queues it behind earlier commits. */
static int commit(struct operation *operation)
{
    struct group_member *member = operation->member;
    operation->is_commit = true;
    for (size_t i = 0; i < operation->count; i++) {
        struct group_offset *offset = &operation->offsets[i];
        offset->metadata = arena_dup(&operation->arena, offset->metadata.data ? offset->metadata : mill_bytes_of("", 0));
        if (mill_is_null(offset->metadata)) {
            operation_free(operation);
            return MILL_ENOMEM;
        }
    }
    list_push_back(&member->operations, &operation->link);
    send_next_commit(member);
    return 0;
}

int group_member_commit(struct group_member *member, const struct group_offset *offsets, size_t count, group_offsets_cb *done,
                        void *ctx)
{
    struct operation *operation = operation_new(member, offsets, count, done, ctx);
    if (!operation)
        return MILL_ENOMEM;
    operation->call.api_key = API_OFFSET_COMMIT;
    operation->call.fill = fill_commit;
    operation->call.done = on_committed;
    return commit(operation);
}

int group_member_commit_in_transaction(struct group_member *member, struct producer_identity producer,
                                       const struct group_offset *offsets, size_t count, group_offsets_cb *done, void *ctx)
{
    struct operation *operation = operation_new(member, offsets, count, done, ctx);
    if (!operation)
        return MILL_ENOMEM;
    operation->producer = producer;
    operation->call.api_key = API_TXN_OFFSET_COMMIT;
    operation->call.fill = fill_txn_commit;
    operation->call.done = on_txn_committed;
    return commit(operation);
}

int group_member_committed(struct group_member *member, const struct group_offset *offsets, size_t count, bool require_stable,
                           group_offsets_cb *done, void *ctx)
{
    struct operation *operation = operation_new(member, offsets, count, done, ctx);
    if (!operation)
        return MILL_ENOMEM;
    operation->require_stable = require_stable;
    operation->call.api_key = API_OFFSET_FETCH;
    operation->call.fill = fill_fetch;
    operation->call.done = on_fetched;
    list_push_back(&member->operations, &operation->link);
    send(operation);
    return 0;
}

void group_member_cancel_offsets(struct group_member *member)
{
    while (!list_empty(&member->operations))
        operation_free(list_entry(member->operations.next, struct operation, link));
}
