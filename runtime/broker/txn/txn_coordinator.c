/* Who is there, who waits, and what time brings. */
#include "broker/txn/txn_coordinator.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "broker/internal.h"
#include "broker/txn/txn_log.h"
#include "broker/txn/txn_markers.h"

enum { RECORD_BYTES_MAX = 16 << 20, RESUME_US = 100 * 1000 };

static void abort_timed_out(struct loop_timer *timer, struct io_time now);
static void forget_expired(struct loop_timer *timer, struct io_time now);
static void resume_endings(struct loop_timer *timer, struct io_time now);

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

void txn_coordinator_init(struct txn_coordinator *coordinator, struct broker *broker)
{
    *coordinator = (struct txn_coordinator){ .broker = broker };
    internal_topic_init(&coordinator->topic, broker, TRANSACTIONS_TOPIC, "transaction.state.log.num.partitions",
                        "transaction.state.log.segment.bytes");
    hash_map_init(&coordinator->transactions);
    list_init(&coordinator->endings);
    list_init(&coordinator->changes);
    batch_writer_init(&coordinator->writer, RECORD_BYTES_MAX, RECORD_BYTES_MAX);
    buffer_init(&coordinator->key, RECORD_BYTES_MAX);
    buffer_init(&coordinator->value, RECORD_BYTES_MAX);
    coordinator->timeout_timer = (struct loop_timer){ .fire = abort_timed_out, .ctx = coordinator };
    coordinator->expiry_timer = (struct loop_timer){ .fire = forget_expired, .ctx = coordinator };
    coordinator->resume_timer = (struct loop_timer){ .fire = resume_endings, .ctx = coordinator };
}

static void plan(struct txn_coordinator *coordinator, struct loop_timer *timer, const char *interval_key, struct io_time now)
{
    int64_t interval_ms = config_int(&coordinator->broker->config, interval_key);
    loop_timer_set(coordinator->broker->loop, timer, now.monotonic_us + interval_ms * 1000);
}

static void plan_time_outs(struct txn_coordinator *coordinator, struct io_time now)
{
    plan(coordinator, &coordinator->timeout_timer, "transaction.abort.timed.out.transaction.cleanup.interval.ms", now);
}

static void plan_expiry(struct txn_coordinator *coordinator, struct io_time now)
{
    plan(coordinator, &coordinator->expiry_timer, "transaction.remove.expired.transaction.cleanup.interval.ms", now);
}

/* What was ending when the broker stopped is ended now. */
static void all_is_loaded(void *ctx, struct io_time now)
{
    struct txn_coordinator *coordinator = ctx;
    resume_endings(&coordinator->resume_timer, now);
}

int txn_coordinator_open(struct txn_coordinator *coordinator, struct io_time now)
{
    plan_time_outs(coordinator, now);
    plan_expiry(coordinator, now);
    return txn_log_load(coordinator, all_is_loaded, now);
}

void txn_coordinator_refuse_waiting(struct transaction *txn, int16_t error, struct io_time now)
{
    for (struct list *node; (node = list_pop_front(&txn->waiting)) != NULL;) {
        struct txn_operation *operation = list_entry(node, struct txn_operation, link);
        operation->done(operation, error, now);
    }
}

static void cancel_timers(struct txn_coordinator *coordinator)
{
    loop_timer_cancel(coordinator->broker->loop, &coordinator->timeout_timer);
    loop_timer_cancel(coordinator->broker->loop, &coordinator->expiry_timer);
    loop_timer_cancel(coordinator->broker->loop, &coordinator->resume_timer);
}

void txn_coordinator_close(struct txn_coordinator *coordinator, struct io_time now)
{
    if (coordinator->closed)
        return;
    coordinator->closed = true;
    cancel_timers(coordinator);
    topic_loader_stop(coordinator->loader);
    internal_topic_close(&coordinator->topic, now);
    txn_markers_close(coordinator, now);
    size_t at = 0;
    for (struct transaction *txn; (txn = txn_coordinator_next(coordinator, &at)) != NULL;)
        txn_coordinator_refuse_waiting(txn, KAFKA_NOT_COORDINATOR, now);
}

void txn_coordinator_release(struct txn_coordinator *coordinator)
{
    cancel_timers(coordinator);
    topic_loader_free(coordinator->loader);
    txn_markers_release(coordinator);
    txn_log_release(coordinator);
    size_t at = 0;
    for (struct transaction *txn; (txn = txn_coordinator_next(coordinator, &at)) != NULL;)
        transaction_free(txn);
    hash_map_release(&coordinator->transactions);
    batch_writer_release(&coordinator->writer);
    buffer_release(&coordinator->key);
    buffer_release(&coordinator->value);
}

/* ---- who is there ---------------------------------------------------------------------------------------------------------- */

static int32_t partition_count(const struct txn_coordinator *coordinator)
{
    const struct topic *topic = internal_topic_find(&coordinator->topic);
    return topic ? topic->partition_count : 0;
}

int16_t txn_coordinator_check(const struct txn_coordinator *coordinator)
{
    if (coordinator->closed)
        return KAFKA_NOT_COORDINATOR;
    /* All of it must be there: what was ending is busy only from then on. */
    return coordinator->loader ? KAFKA_COORDINATOR_LOAD_IN_PROGRESS : KAFKA_NONE;
}

struct transaction *txn_coordinator_find(const struct txn_coordinator *coordinator, mill_bytes id)
{
    return hash_map_get(&coordinator->transactions, id);
}

struct transaction *txn_coordinator_next(const struct txn_coordinator *coordinator, size_t *at)
{
    const struct hash_map_entry *entry = hash_map_next(&coordinator->transactions, at);
    return entry ? entry->value : NULL;
}

struct transaction *txn_coordinator_add_transaction(struct txn_coordinator *coordinator, mill_bytes id, int64_t producer_id,
                                                    struct io_time now)
{
    int32_t log_partition = internal_topic_partition_of(id, partition_count(coordinator));
    struct transaction *txn = transaction_new(id, log_partition, producer_id, now);
    if (txn)
        txn->coordinator = coordinator;
    if (txn && hash_map_put(&coordinator->transactions, txn->id, txn, NULL) != 0) {
        transaction_free(txn);
        return NULL;
    }
    return txn;
}

void txn_coordinator_remove(struct txn_coordinator *coordinator, struct transaction *txn)
{
    hash_map_remove(&coordinator->transactions, txn->id);
    transaction_free(txn);
}

/* ---- who waits ------------------------------------------------------------------------------------------------------------- */

/* Each that tries may make it busy again, or have it removed. */
void txn_coordinator_ready(struct txn_coordinator *coordinator, struct transaction *txn, struct io_time now)
{
    while (!txn->busy && !coordinator->closed) {
        struct list *node = list_pop_front(&txn->waiting);
        if (!node)
            return;
        struct txn_operation *operation = list_entry(node, struct txn_operation, link);
        operation->attempt(operation, now);
    }
}

/* ---- aborts without the producer ------------------------------------------------------------------------------------------- */

static void fence_is_written(void *ctx, int16_t error, struct io_time now)
{
    struct transaction *txn = ctx;
    struct txn_coordinator *coordinator = txn->coordinator;
    if (error == KAFKA_NONE && !coordinator->closed) {
        txn_markers_write(coordinator, txn, NULL, NULL, now);
        return;
    }
    txn->busy = false;
    if (!coordinator->closed)
        txn_coordinator_refuse_waiting(txn, KAFKA_NOT_COORDINATOR, now); /* else they would try the same again, at once */
}

void txn_coordinator_fence(struct txn_coordinator *coordinator, struct transaction *txn, struct io_time now)
{
    struct txn_values next;
    txn->busy = true;
    int16_t error = txn_plan_fence(txn, now, &next);
    if (error == KAFKA_NONE)
        txn_log_write(coordinator, txn, &next, fence_is_written, txn, now);
    else
        fence_is_written(txn, error, now);
}

static bool has_timed_out(const struct transaction *txn, struct io_time now)
{
    return !txn->busy && txn->values.status == TXN_ONGOING && now.wall_ms - txn->values.start_ms > txn->values.timeout_ms;
}

static void abort_timed_out(struct loop_timer *timer, struct io_time now)
{
    struct txn_coordinator *coordinator = timer->ctx;
    plan_time_outs(coordinator, now);
    size_t at = 0;
    for (struct transaction *txn; !coordinator->loader && (txn = txn_coordinator_next(coordinator, &at)) != NULL;)
        if (has_timed_out(txn, now)) {
            trace_info("txn", "%s: its transaction is older than %d ms and is aborted", txn->name, (int)txn->values.timeout_ms);
            txn_coordinator_fence(coordinator, txn, now);
        }
    internal_topic_roll(&coordinator->topic, now);
}

/* ---- endings --------------------------------------------------------------------------------------------------------------- */

void txn_coordinator_resume_later(struct txn_coordinator *coordinator, struct io_time now)
{
    loop_timer_set(coordinator->broker->loop, &coordinator->resume_timer, now.monotonic_us + RESUME_US);
}

static void resume_endings(struct loop_timer *timer, struct io_time now)
{
    struct txn_coordinator *coordinator = timer->ctx;
    size_t at = 0;
    for (struct transaction *txn; (txn = txn_coordinator_next(coordinator, &at)) != NULL;)
        if (txn_is_ending(txn) && !txn->ending) {
            txn->busy = true;
            txn_markers_write(coordinator, txn, NULL, NULL, now);
        }
}

/* ---- forgetting ------------------------------------------------------------------------------------------------------------ */

static void tombstone_is_written(void *ctx, int16_t error, struct io_time now)
{
    struct transaction *txn = ctx;
    struct txn_coordinator *coordinator = txn->coordinator;
    txn->busy = false;
    if (error != KAFKA_NONE || coordinator->closed) {
        txn_coordinator_ready(coordinator, txn, now);
        return;
    }
    struct list waiting;
    list_init(&waiting);
    for (struct list *node; (node = list_pop_front(&txn->waiting)) != NULL;)
        list_push_back(&waiting, node);
    txn_coordinator_remove(coordinator, txn);
    for (struct list *node; (node = list_pop_front(&waiting)) != NULL;) {
        struct txn_operation *operation = list_entry(node, struct txn_operation, link);
        operation->attempt(operation, now);
    }
}

static void forget_expired(struct loop_timer *timer, struct io_time now)
{
    struct txn_coordinator *coordinator = timer->ctx;
    int64_t expiration_ms = config_int(&coordinator->broker->config, "transactional.id.expiration.ms");
    plan_expiry(coordinator, now);
    size_t at = 0;
    for (struct transaction *txn; !coordinator->loader && (txn = txn_coordinator_next(coordinator, &at)) != NULL;) {
        bool is_idle = !txn->busy && !txn_is_ending(txn) && txn->values.status != TXN_ONGOING;
        if (!is_idle || now.wall_ms - txn->values.updated_ms < expiration_ms)
            continue;
        txn->busy = true;
        txn_log_forget(coordinator, txn, tombstone_is_written, txn, now);
    }
}
