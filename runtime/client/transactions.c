/*
 * Transactions of a producer: what its coordinator is asked, and when.
 *
 * The requests go one after the other, each repeated until it is answered; what an answer says is judged in one place (`judge`).
 * Partitions are added beside them, in one request for all that wait.
 *
 * Where the cluster has finalized transaction.version 2 (KIP-890), the first batch of a partition and the commit of a group's
 * offsets join the transaction by themselves, and each end gives the producer its next epoch, from which on all partitions begin
 * anew: what arrives late belongs to no later transaction. Elsewhere partitions and group are added by requests of their own and
 * the epoch stays until an abort. The versions of the requests say which it is; each transaction keeps to the one it began with.
 *
 * An abort in the older way ends with InitProducerId under the current id and epoch (KIP-360): numbers of batches that were
 * dropped never reach the brokers, so that all partitions begin anew in the next epoch.
 */
#include "base/assert.h"
#include "base/hash_map.h"
#include "base/trace.h"
#include "client/producer_internal.h"
#include "wire/api/add_offsets_to_txn.h"
#include "wire/api/add_partitions_to_txn.h"
#include "wire/api/end_txn.h"
#include "wire/api/init_producer_id.h"
#include "wire/kafka_error.h"

enum { ADD_PARTITIONS_VERSION = 3, END_TXN_VERSION = 4, NUMBERING_END_TXN_VERSION = 5, JOINING_TRANSACTION_VERSION = 2 };

/* How long the coordinator takes to end the last transaction is a matter of a round trip between brokers. */
enum { CONCURRENT_RETRY_US = 20000 };

static struct route to_coordinator(const struct producer *producer)
{
    return (
        struct route){ .kind = ROUTE_COORDINATOR, .type = COORDINATOR_TRANSACTION, .key = producer->options.transactional_id };
}

/* ---- judging answers ------------------------------------------------------------------------------------------------------- */

enum verdict { VERDICT_DONE, VERDICT_AGAIN, VERDICT_ABORT, VERDICT_FENCED, VERDICT_FATAL };

static enum verdict judge(struct producer *producer, const struct answer *answer, int16_t error)
{
    if (answer->body == NULL)
        return answer->code == MILL_EUNSUPPORTED || answer->code == MILL_EACCESS ? VERDICT_FATAL : VERDICT_AGAIN;
    switch (error) {
    case KAFKA_NONE:
        return VERDICT_DONE;
    case KAFKA_PRODUCER_FENCED:
    case KAFKA_INVALID_PRODUCER_EPOCH:
    case KAFKA_INVALID_PRODUCER_ID_MAPPING: /* the coordinator has forgotten us, after transactional.id.expiration.ms */
        return VERDICT_FENCED;
    case KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case KAFKA_CLUSTER_AUTHORIZATION_FAILED:
    case KAFKA_INVALID_TRANSACTION_TIMEOUT:
        return VERDICT_FATAL;
    case KAFKA_OPERATION_NOT_ATTEMPTED:
        return VERDICT_AGAIN;
    default:
        break;
    }
    switch (client_error_action(error)) {
    case ERROR_COORDINATOR:
        client_coordinator_lost(producer->client, COORDINATOR_TRANSACTION, producer->options.transactional_id);
        return VERDICT_AGAIN;
    case ERROR_REFRESH:
        client_refresh(producer->client);
        return VERDICT_AGAIN;
    case ERROR_RETRY:
        return VERDICT_AGAIN;
    default:
        return VERDICT_ABORT;
    }
}

static int64_t pause_us(struct producer *producer, int16_t error, int *attempts)
{
    return error == KAFKA_CONCURRENT_TRANSACTIONS ? CONCURRENT_RETRY_US
                                                  : client_retry_backoff_us(producer->client, (*attempts)++);
}

/* ---- ends of steps --------------------------------------------------------------------------------------------------------- */

static void finish(struct producer *producer, enum transaction_step step, int code, const char *text, struct io_time now)
{
    struct transaction *transaction = &producer->transaction;
    producer_done *done = transaction->done;
    transaction->step = step;
    transaction->done = NULL;
    if (done != NULL)
        done(transaction->ctx, code, text, now);
}

/* What lies in the producer is given up; the partitions begin anew when they are written to next. */
static void forget_partitions(struct producer *producer, bool numbers_too)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&producer->topics, &at)) != NULL) {
        struct producer_topic *topic = entry->value;
        for (int32_t i = 0; i < topic->partition_capacity; i++) {
            struct producer_partition *partition = topic->partitions[i];
            if (partition == NULL)
                continue;
            partition->in_transaction = PARTITION_OUTSIDE;
            list_remove(&partition->adding);
            if (!numbers_too)
                continue;
            partition->producer_id = -1;
            partition->hole = false;
            partition->recovering = false;
            partition->retry_at_us = 0;
        }
    }
}

static void stop_adding(struct producer *producer)
{
    client_cancel(&producer->transaction.add_call);
    loop_timer_cancel(client_loop(producer->client), &producer->transaction.add_timer);
}

void transaction_break(struct producer *producer, int code, const char *text)
{
    struct transaction *transaction = &producer->transaction;
    if (transaction->broken == 0)
        transaction->broken = error_set(&transaction->reason, code, "%s", text);
}

void producer_break_transaction(struct producer *producer, int code, const char *text)
{
    transaction_break(producer, code, text);
}

bool producer_transaction_open(const struct producer *producer)
{
    return producer->transaction.step == TRANSACTION_OPEN;
}

const char *producer_transaction_broken(const struct producer *producer)
{
    return producer->transaction.broken == 0 ? NULL : producer->transaction.reason.text;
}

/* For good, or until the next producer_init_transactions. */
static void fail(struct producer *producer, int code, const char *text, struct io_time now)
{
    struct transaction *transaction = &producer->transaction;
    if (transaction->step == TRANSACTION_UNREADY && producer->error < 0)
        return;
    producer->error = error_set(&producer->error_text, code, "transactional id %s: %s", producer->options.transactional_id, text);
    stop_adding(producer);
    client_cancel(&transaction->call);
    loop_timer_cancel(client_loop(producer->client), &transaction->timer);
    transaction_break(producer, code, producer->error_text.text);
    sender_drop_all(producer);
    finish(producer, TRANSACTION_UNREADY, code, producer->error_text.text, now);
    producer_settled(producer, now);
}

void transaction_fenced(struct producer *producer, const char *text, struct io_time now)
{
    fail(producer, MILL_EFENCED, text, now);
}

/* ---- the requests of steps ------------------------------------------------------------------------------------------------- */

static void ask(struct producer *producer);

static int fill_init(struct producer *producer, struct request *request)
{
    struct init_producer_id_request *body = request->body;
    bool bump = producer->transaction.step == TRANSACTION_BUMPING;
    if (bump && request->api_version < 3)
        return MILL_EUNSUPPORTED;
    body->transactional_id = mill_string(producer->options.transactional_id);
    body->transaction_timeout_ms = (int32_t)producer->options.transaction_timeout_ms;
    if (bump) {
        body->producer_id = producer->producer_id;
        body->producer_epoch = producer->producer_epoch;
    }
    return 0;
}

static int fill(struct call *call, struct request *request)
{
    struct producer *producer = call->ctx;
    mill_bytes id = mill_string(producer->options.transactional_id);
    if (call->api_key == API_INIT_PRODUCER_ID)
        return fill_init(producer, request);
    if (call->api_key == API_ADD_OFFSETS_TO_TXN) {
        struct add_offsets_to_txn_request *body = request->body;
        body->transactional_id = id;
        body->producer_id = producer->producer_id;
        body->producer_epoch = producer->producer_epoch;
        body->group_id = mill_string(producer->transaction.group_id);
        return 0;
    }
    struct end_txn_request *body = request->body;
    body->transactional_id = id;
    body->producer_id = producer->producer_id;
    body->producer_epoch = producer->producer_epoch;
    body->committed = producer->transaction.step == TRANSACTION_COMMITTING;
    return 0;
}

static void bump(struct producer *producer)
{
    producer->transaction.step = TRANSACTION_BUMPING;
    ask(producer);
}

/* The next transaction, perhaps under numbers of its own. */
static void begin_next(struct producer *producer, int64_t producer_id, int16_t producer_epoch, struct io_time now)
{
    struct transaction *transaction = &producer->transaction;
    bool renumbered = producer_id != producer->producer_id || producer_epoch != producer->producer_epoch;
    producer->producer_id = producer_id;
    producer->producer_epoch = producer_epoch;
    forget_partitions(producer, renumbered);
    transaction->begun = false;
    transaction->joins_by_itself = client_transaction_version(producer->client) >= JOINING_TRANSACTION_VERSION;
    finish(producer, TRANSACTION_OPEN, 0, "", now);
    sender_drain(producer, now);
}

/* After an abort, or at the beginning. */
static void begin_anew(struct producer *producer, int64_t producer_id, int16_t producer_epoch, struct io_time now)
{
    producer->transaction.broken = 0;
    producer->failed_code = 0;
    forget_partitions(producer, true);
    begin_next(producer, producer_id, producer_epoch, now);
}

/* The coordinator has ended it, and in version 2 it says under which numbers the next one is. */
static void ended(struct producer *producer, const struct answer *answer, struct io_time now)
{
    const struct end_txn_response *body = answer->body;
    bool has_numbers = answer->version >= NUMBERING_END_TXN_VERSION && body->producer_id >= 0;
    if (producer->transaction.step == TRANSACTION_COMMITTING)
        begin_next(producer, has_numbers ? body->producer_id : producer->producer_id,
                   has_numbers ? body->producer_epoch : producer->producer_epoch, now);
    else if (has_numbers)
        begin_anew(producer, body->producer_id, body->producer_epoch, now);
    else
        bump(producer);
}

/* The step has succeeded: the next one. */
static void go_on(struct producer *producer, const struct answer *answer, struct io_time now)
{
    struct transaction *transaction = &producer->transaction;
    switch (transaction->step) {
    case TRANSACTION_INITIALIZING:
    case TRANSACTION_BUMPING: {
        const struct init_producer_id_response *body = answer->body;
        begin_anew(producer, body->producer_id, body->producer_epoch, now);
        return;
    }
    case TRANSACTION_ADDING_GROUP:
        transaction->begun = true;
        finish(producer, TRANSACTION_OPEN, 0, "", now);
        return;
    default:
        mill_assert(transaction->step == TRANSACTION_COMMITTING || transaction->step == TRANSACTION_ABORTING);
        ended(producer, answer, now);
    }
}

static int16_t error_of(const struct call *call, const void *body)
{
    if (body == NULL)
        return KAFKA_NONE;
    if (call->api_key == API_INIT_PRODUCER_ID)
        return ((const struct init_producer_id_response *)body)->error_code;
    if (call->api_key == API_ADD_OFFSETS_TO_TXN)
        return ((const struct add_offsets_to_txn_response *)body)->error_code;
    return ((const struct end_txn_response *)body)->error_code;
}

static void answered(struct call *call, const struct answer *answer, struct io_time now)
{
    struct producer *producer = call->ctx;
    struct transaction *transaction = &producer->transaction;
    int16_t error = error_of(call, answer->body);
    const char *text = answer->body != NULL ? kafka_error_text(error) : answer->text;
    switch (judge(producer, answer, error)) {
    case VERDICT_DONE:
        transaction->attempts = 0;
        go_on(producer, answer, now);
        return;
    case VERDICT_AGAIN:
        loop_timer_set(client_loop(producer->client), &transaction->timer,
                       now.monotonic_us + pause_us(producer, error, &transaction->attempts));
        return;
    case VERDICT_FENCED:
        transaction_fenced(producer, text, now);
        return;
    case VERDICT_ABORT:
        break;
    case VERDICT_FATAL:
        fail(producer, answer->body != NULL ? kafka_error_to_mill(error) : answer->code, text, now);
        return;
    }
    trace_warn("client", "transactional id %s: %s", producer->options.transactional_id, text);
    if (transaction->step == TRANSACTION_ABORTING) { /* there was nothing to abort, as the coordinator sees it */
        bump(producer);
    } else if (transaction->step == TRANSACTION_INITIALIZING || transaction->step == TRANSACTION_BUMPING) {
        fail(producer, kafka_error_to_mill(error), text, now);
    } else {
        transaction_break(producer, kafka_error_to_mill(error), text);
        finish(producer, TRANSACTION_OPEN, kafka_error_to_mill(error), text, now);
    }
}

static void ask(struct producer *producer)
{
    struct transaction *transaction = &producer->transaction;
    transaction->call.version_max = 0;
    if (transaction->step == TRANSACTION_INITIALIZING || transaction->step == TRANSACTION_BUMPING) {
        transaction->call.api_key = API_INIT_PRODUCER_ID;
    } else if (transaction->step == TRANSACTION_ADDING_GROUP) {
        transaction->call.api_key = API_ADD_OFFSETS_TO_TXN;
        transaction->call.version_max = ADD_PARTITIONS_VERSION;
    } else {
        transaction->call.api_key = API_END_TXN;
        transaction->call.version_max = transaction->joins_by_itself ? NUMBERING_END_TXN_VERSION : END_TXN_VERSION;
    }
    client_call(producer->client, &transaction->call, to_coordinator(producer));
}

static void on_timer(struct loop_timer *timer, struct io_time now)
{
    ask(timer->ctx);
}

static void begin(struct producer *producer, enum transaction_step step, producer_done *done, void *ctx)
{
    struct transaction *transaction = &producer->transaction;
    mill_assert(transaction->done == NULL);
    transaction->step = step;
    transaction->done = done;
    transaction->ctx = ctx;
    transaction->attempts = 0;
}

/* ---- adding partitions ----------------------------------------------------------------------------------------------------- */

/* Version 2: the batch adds its partition. Not while the transaction is being ended: it would be the next one's. */
static bool joins(struct producer *producer, struct producer_partition *partition)
{
    struct transaction *transaction = &producer->transaction;
    if (transaction->step != TRANSACTION_OPEN && transaction->step != TRANSACTION_ADDING_GROUP)
        return false;
    partition->in_transaction = PARTITION_ADDED;
    transaction->begun = true;
    return true;
}

bool transaction_admits(struct producer *producer, struct producer_partition *partition)
{
    if (!is_transactional(producer) || partition->in_transaction == PARTITION_ADDED)
        return true;
    if (producer->transaction.joins_by_itself)
        return joins(producer, partition);
    if (producer->producer_id >= 0 && partition->in_transaction == PARTITION_OUTSIDE && !transaction_drops(producer)) {
        partition->in_transaction = PARTITION_WAITS;
        list_push_back(&producer->transaction.adding, &partition->adding);
    }
    return false;
}

/* Counts the partitions that wait, by topic (fill_count), and gives each topic a place (fill_slot); returns how many topics. */
static int32_t count_topics(struct producer *producer)
{
    int32_t topics = 0;
    list_for_each (node, &producer->transaction.adding)
        list_entry(node, struct producer_partition, adding)->topic->fill_slot = -1;
    list_for_each (node, &producer->transaction.adding) {
        struct producer_topic *topic = list_entry(node, struct producer_partition, adding)->topic;
        if (topic->fill_slot < 0) {
            topic->fill_slot = topics++;
            topic->fill_count = 0;
        }
        topic->fill_count++;
    }
    return topics;
}

static int fill_add(struct call *call, struct request *request)
{
    struct producer *producer = call->ctx;
    struct add_partitions_to_txn_request *body = request->body;
    body->v3_and_below_transactional_id = mill_string(producer->options.transactional_id);
    body->v3_and_below_producer_id = producer->producer_id;
    body->v3_and_below_producer_epoch = producer->producer_epoch;
    int32_t topics = count_topics(producer);
    body->v3_and_below_topics.items = add_partitions_to_txn_topic_array(&request->arena, topics);
    if (body->v3_and_below_topics.items == NULL)
        return MILL_ENOMEM;
    body->v3_and_below_topics.count = topics;
    list_for_each (node, &producer->transaction.adding) {
        const struct producer_partition *partition = list_entry(node, struct producer_partition, adding);
        struct add_partitions_to_txn_topic *into = &body->v3_and_below_topics.items[partition->topic->fill_slot];
        if (into->partitions.items == NULL) {
            into->name = mill_string(partition->topic->handle->name);
            into->partitions.items =
                arena_alloc(&request->arena, (size_t)partition->topic->fill_count * sizeof into->partitions.items[0]);
        }
        if (into->partitions.items == NULL)
            return MILL_ENOMEM;
        into->partitions.items[into->partitions.count++] = partition->index;
    }
    return 0;
}

static struct producer_partition *find_waiting(struct producer *producer, mill_bytes topic, int32_t index)
{
    list_for_each (node, &producer->transaction.adding) {
        struct producer_partition *partition = list_entry(node, struct producer_partition, adding);
        if (partition->index == index && mill_bytes_equal(mill_string(partition->topic->handle->name), topic))
            return partition;
    }
    return NULL;
}

/*
 * The worst of what the answer says of its partitions; those that are in are taken from the list. One that says of none that it
 * is in is worth another try, after a pause.
 */
static enum verdict take_added(struct producer *producer, const struct answer *answer, int16_t *error,
                               const struct producer_partition **at_fault)
{
    const struct add_partitions_to_txn_response *body = answer->body;
    enum verdict worst = VERDICT_DONE;
    bool none = true;
    for (int32_t i = 0; i < body->results_by_topic_v3_and_below.count; i++) {
        const struct add_partitions_to_txn_topic_result *topic = &body->results_by_topic_v3_and_below.items[i];
        for (int32_t j = 0; j < topic->results_by_partition.count; j++) {
            const struct add_partitions_to_txn_partition_result *result = &topic->results_by_partition.items[j];
            struct producer_partition *partition = find_waiting(producer, topic->name, result->partition_index);
            enum verdict verdict = judge(producer, answer, result->partition_error_code);
            if (verdict > worst) {
                worst = verdict;
                *error = result->partition_error_code;
                *at_fault = partition;
            }
            if (verdict != VERDICT_DONE || partition == NULL)
                continue;
            partition->in_transaction = PARTITION_ADDED;
            list_remove(&partition->adding);
            none = false;
        }
    }
    return worst == VERDICT_DONE && none ? VERDICT_AGAIN : worst;
}

static void refuse_partition(struct producer *producer, const struct producer_partition *partition, int code, const char *text,
                             struct io_time now)
{
    struct error_text full;
    struct producer_failure failure = { .topic = partition != NULL ? partition->topic->handle->name : "",
                                        .partition = partition != NULL ? partition->index : -1,
                                        .code = code,
                                        .text = full.text };
    error_set(&full, code, "%s-%d cannot be written in a transaction: %s", failure.topic, (int)failure.partition, text);
    transaction_break(producer, code, full.text);
    sender_drop_all(producer);
    producer_settled(producer, now);
    if (producer->events != NULL && producer->events->failed != NULL)
        producer->events->failed(producer->ctx, &failure);
}

static void added(struct call *call, const struct answer *answer, struct io_time now)
{
    struct producer *producer = call->ctx;
    struct transaction *transaction = &producer->transaction;
    int16_t error = KAFKA_NONE;
    const struct producer_partition *partition = NULL;
    enum verdict verdict =
        answer->body != NULL ? take_added(producer, answer, &error, &partition) : judge(producer, answer, KAFKA_NONE);
    const char *text = answer->body != NULL ? kafka_error_text(error) : answer->text;
    int code = answer->body != NULL ? kafka_error_to_mill(error) : answer->code;
    transaction->begun = true; /* perhaps: an abort does no harm */
    if (verdict == VERDICT_FENCED || verdict == VERDICT_FATAL) {
        fail(producer, verdict == VERDICT_FENCED ? MILL_EFENCED : code, text, now);
        return;
    }
    if (verdict == VERDICT_ABORT) {
        refuse_partition(producer, partition, code, text, now);
        return;
    }
    if (verdict == VERDICT_DONE)
        transaction->add_attempts = 0;
    if (!list_empty(&transaction->adding))
        loop_timer_set(client_loop(producer->client), &transaction->add_timer,
                       now.monotonic_us + (verdict == VERDICT_DONE ? 0 : pause_us(producer, error, &transaction->add_attempts)));
    sender_drain(producer, now);
}

static void on_add_timer(struct loop_timer *timer, struct io_time now)
{
    transaction_add_partitions(timer->ctx);
}

void transaction_add_partitions(struct producer *producer)
{
    struct transaction *transaction = &producer->transaction;
    if (list_empty(&transaction->adding) || client_call_pending(&transaction->add_call) || transaction->add_timer.at_us != 0)
        return;
    client_call(producer->client, &transaction->add_call, to_coordinator(producer));
}

/* ---- the calls ------------------------------------------------------------------------------------------------------------- */

void producer_init_transactions(struct producer *producer, producer_done *done, void *ctx)
{
    struct transaction *transaction = &producer->transaction;
    mill_assert(transaction->step == TRANSACTION_UNREADY);
    producer->error = 0;
    producer->error_text.text[0] = '\0';
    producer->producer_id = -1;
    begin(producer, TRANSACTION_LANDING, done, ctx);
    transaction_landed(producer, loop_now(client_loop(producer->client)));
}

void producer_add_group(struct producer *producer, const char *group_id, producer_done *done, void *ctx)
{
    mill_assert(producer->transaction.step == TRANSACTION_OPEN);
    producer->transaction.group_id = group_id;
    begin(producer, TRANSACTION_ADDING_GROUP, done, ctx);
    if (!producer->transaction.joins_by_itself) {
        ask(producer);
        return;
    }
    producer->transaction.begun = true;
    finish(producer, TRANSACTION_OPEN, 0, "", loop_now(client_loop(producer->client)));
}

void producer_commit_transaction(struct producer *producer, producer_done *done, void *ctx)
{
    struct transaction *transaction = &producer->transaction;
    mill_assert(transaction->step == TRANSACTION_OPEN);
    struct io_time now = loop_now(client_loop(producer->client));
    begin(producer, TRANSACTION_COMMITTING, done, ctx);
    if (transaction->broken < 0)
        finish(producer, TRANSACTION_OPEN, MILL_EAGAIN, transaction->reason.text, now);
    else if (!transaction->begun)
        finish(producer, TRANSACTION_OPEN, 0, "", now);
    else
        ask(producer);
}

/* Nothing is in flight any more: the coordinator is asked to take over or to abort. */
void transaction_landed(struct producer *producer, struct io_time now)
{
    struct transaction *transaction = &producer->transaction;
    if (transaction->step != TRANSACTION_LANDING || !list_empty(&producer->calls))
        return;
    if (producer->producer_id < 0)
        transaction->step = TRANSACTION_INITIALIZING;
    else
        transaction->step = transaction->begun ? TRANSACTION_ABORTING : TRANSACTION_BUMPING;
    ask(producer);
}

void producer_abort_transaction(struct producer *producer, producer_done *done, void *ctx)
{
    struct transaction *transaction = &producer->transaction;
    mill_assert(transaction->step == TRANSACTION_OPEN);
    struct io_time now = loop_now(client_loop(producer->client));
    if (client_call_pending(&transaction->add_call))
        transaction->begun = true; /* perhaps */
    stop_adding(producer);
    begin(producer, TRANSACTION_LANDING, done, ctx);
    sender_drop_all(producer);
    producer_settled(producer, now);
    transaction_landed(producer, now);
}

struct producer_identity producer_identity(const struct producer *producer)
{
    return (struct producer_identity){ .transactional_id = producer->options.transactional_id,
                                       .producer_id = producer->producer_id,
                                       .producer_epoch = producer->producer_epoch,
                                       .joins_by_itself = producer->transaction.joins_by_itself };
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

void transactions_init(struct producer *producer)
{
    struct transaction *transaction = &producer->transaction;
    list_init(&transaction->adding);
    transaction->timer = (struct loop_timer){ .fire = on_timer, .ctx = producer };
    transaction->add_timer = (struct loop_timer){ .fire = on_add_timer, .ctx = producer };
    transaction->call = (struct call){ .fill = fill, .done = answered, .ctx = producer };
    transaction->add_call = (struct call){ .api_key = API_ADD_PARTITIONS_TO_TXN,
                                           .version_max = ADD_PARTITIONS_VERSION,
                                           .fill = fill_add,
                                           .done = added,
                                           .ctx = producer };
    if (producer->options.transactional_id != NULL)
        transaction->step = TRANSACTION_UNREADY;
}

void transactions_release(struct producer *producer)
{
    stop_adding(producer);
    client_cancel(&producer->transaction.call);
    loop_timer_cancel(client_loop(producer->client), &producer->transaction.timer);
}
