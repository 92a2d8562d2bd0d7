/* Which change follows on which request: no log, no partitions, no clock of its own. */
#include "broker/txn/transaction.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

static const char *const status_names[TXN_STATUS_COUNT] = {
    "Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence",
};

const char *txn_status_name(enum txn_status status)
{
    return status_names[status];
}

bool txn_status_parse(mill_bytes name, enum txn_status *status)
{
    for (int i = 0; i < TXN_STATUS_COUNT; i++)
        if (mill_bytes_equal(name, mill_string(status_names[i]))) {
            *status = (enum txn_status)i;
            return true;
        }
    return false;
}

void txn_values_release(struct txn_values *values)
{
    txn_partitions_release(&values->partitions);
}

struct transaction *transaction_new(mill_bytes id, int32_t log_partition, int64_t producer_id, struct io_time now)
{
    struct transaction *txn = mem_calloc(1, sizeof *txn);
    char *name = mem_alloc(id.len + 1);
    if (!txn || !name) {
        mem_free(txn);
        mem_free(name);
        return NULL;
    }
    memcpy(name, id.data, id.len);
    name[id.len] = '\0';
    *txn = (struct transaction){
        .id = mill_bytes_of(name, id.len),
        .name = name,
        .log_partition = log_partition,
        .values = { .producer_id = producer_id,
                    .previous_producer_id = -1,
                    .next_producer_id = -1,
                    .epoch = -1,
                    .last_epoch = -1,
                    .start_ms = -1,
                    .updated_ms = now.wall_ms },
    };
    list_init(&txn->waiting);
    return txn;
}

void transaction_free(struct transaction *txn)
{
    mill_assert(list_empty(&txn->waiting));
    txn_values_release(&txn->values);
    mem_free(txn->name);
    mem_free(txn);
}

/* As it is, without its partitions. */
static struct txn_values values_as_they_are(const struct transaction *txn, struct io_time now)
{
    struct txn_values next = txn->values;
    next.partitions = (struct txn_partitions){ 0 };
    next.updated_ms = now.wall_ms;
    return next;
}

/* ---- init ------------------------------------------------------------------------------------------------------------------ */

static bool is_exhausted(int16_t epoch)
{
    return epoch >= TXN_EPOCH_LAST;
}

int16_t txn_check_init(const struct transaction *txn, struct producer_identity expected)
{
    const struct txn_values *values = &txn->values;
    bool is_known = expected.producer_id < 0 || values->epoch < 0 || expected.producer_id == values->producer_id ||
                    (expected.producer_id == values->previous_producer_id && is_exhausted(expected.epoch));
    return is_known ? KAFKA_NONE : KAFKA_PRODUCER_FENCED;
}

bool txn_needs_fresh_id(const struct transaction *txn, struct producer_identity expected)
{
    return is_exhausted(txn->values.epoch) && (expected.producer_id < 0 || expected.epoch == txn->values.epoch);
}

static int16_t bump(const struct txn_values *values, struct producer_identity expected, struct txn_values *next)
{
    if (expected.producer_id < 0) {
        next->epoch = (int16_t)(values->epoch + 1);
        next->last_epoch = -1;
    } else if (values->epoch < 0 || expected.epoch == values->epoch) {
        next->epoch = (int16_t)(values->epoch + 1);
        next->last_epoch = values->epoch;
    } else if (expected.epoch != values->last_epoch) {
        return KAFKA_PRODUCER_FENCED;
    } /* else it repeats itself: the answer was lost */
    return KAFKA_NONE;
}

int16_t txn_plan_init(const struct transaction *txn, struct producer_identity expected, int32_t timeout_ms, int64_t fresh_id,
                      struct io_time now, struct txn_values *next)
{
    const struct txn_values *values = &txn->values;
    *next = values_as_they_are(txn, now);
    next->status = TXN_EMPTY;
    next->timeout_ms = timeout_ms;
    next->start_ms = -1;
    next->next_producer_id = -1;
    if (!txn_needs_fresh_id(txn, expected))
        return is_exhausted(values->epoch) && expected.epoch != values->last_epoch ? KAFKA_PRODUCER_FENCED
                                                                                   : bump(values, expected, next);
    next->previous_producer_id = values->producer_id;
    next->producer_id = fresh_id;
    next->epoch = 0;
    next->last_epoch = expected.producer_id < 0 ? -1 : values->epoch;
    return KAFKA_NONE;
}

/* ---- partitions ------------------------------------------------------------------------------------------------------------ */

static int16_t check_producer(const struct transaction *txn, struct producer_identity producer)
{
    if (producer.producer_id != txn->values.producer_id)
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    return producer.epoch == txn->values.epoch ? KAFKA_NONE : KAFKA_PRODUCER_FENCED;
}

static bool has_all(const struct transaction *txn, const struct txn_target *targets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!txn_partitions_has(&txn->values.partitions, targets[i].topic, targets[i].partition))
            return false;
    return true;
}

int16_t txn_plan_add(const struct transaction *txn, struct producer_identity producer, const struct txn_target *targets,
                     size_t count, int16_t version, struct io_time now, struct txn_values *next)
{
    const struct txn_values *values = &txn->values;
    *next = values_as_they_are(txn, now);
    int16_t error = check_producer(txn, producer);
    if (error != KAFKA_NONE)
        return error;
    mill_assert(!txn_is_ending(txn)); /* it would be busy */
    bool is_ongoing = values->status == TXN_ONGOING;
    if (is_ongoing && has_all(txn, targets, count)) {
        next->status = TXN_DEAD;
        return KAFKA_NONE;
    }
    next->status = TXN_ONGOING;
    next->version = version;
    if (!is_ongoing)
        next->start_ms = now.wall_ms;
    int code = is_ongoing ? txn_partitions_copy(&next->partitions, &values->partitions) : 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = txn_partitions_add(&next->partitions, targets[i].topic, targets[i].partition);
    if (code == 0)
        return KAFKA_NONE;
    txn_values_release(next);
    return KAFKA_COORDINATOR_NOT_AVAILABLE; /* no memory: to be tried again */
}

int16_t txn_verify(const struct transaction *txn, struct producer_identity producer, mill_bytes topic, int32_t partition)
{
    int16_t error = check_producer(txn, producer);
    if (error != KAFKA_NONE)
        return error;
    if (txn_is_ending(txn))
        return KAFKA_CONCURRENT_TRANSACTIONS;
    bool is_in = txn->values.status == TXN_ONGOING && txn_partitions_has(&txn->values.partitions, topic, partition);
    return is_in ? KAFKA_NONE : KAFKA_TRANSACTION_ABORTABLE;
}

/* ---- the end --------------------------------------------------------------------------------------------------------------- */

/* The epoch was bumped by what this request asks for again (version 2). */
static bool repeats_end(const struct txn_values *values, struct producer_identity producer)
{
    if (producer.producer_id == values->producer_id) /* the very last epoch is only ever reached by a fence */
        return values->epoch == producer.epoch + 1 && values->epoch != INT16_MAX;
    return producer.producer_id == values->previous_producer_id && producer.epoch == TXN_EPOCH_LAST && values->epoch == 0;
}

static int16_t check_end(const struct transaction *txn, struct producer_identity producer, int16_t version, bool *repeats)
{
    const struct txn_values *values = &txn->values;
    bool is_complete = values->status == TXN_COMPLETE_COMMIT || values->status == TXN_COMPLETE_ABORT;
    *repeats = version >= 2 && is_complete && repeats_end(values, producer);
    return *repeats ? KAFKA_NONE : check_producer(txn, producer);
}

bool txn_end_needs_fresh_id(const struct transaction *txn, struct producer_identity producer, int16_t version)
{
    bool repeats;
    return version >= 2 && is_exhausted(txn->values.epoch) && check_end(txn, producer, version, &repeats) == KAFKA_NONE &&
           !repeats;
}

/* Copies the partitions, to which the markers go. */
static int16_t prepare(const struct transaction *txn, bool commit, struct txn_values *next)
{
    next->status = commit ? TXN_PREPARE_COMMIT : TXN_PREPARE_ABORT;
    if (txn->values.status != TXN_ONGOING) {
        next->start_ms = next->updated_ms; /* an abort before the first partition */
        return KAFKA_NONE;
    }
    return txn_partitions_copy(&next->partitions, &txn->values.partitions) == 0 ? KAFKA_NONE : KAFKA_COORDINATOR_NOT_AVAILABLE;
}

static void bump_for_end(const struct txn_values *values, int64_t fresh_id, struct txn_values *next)
{
    if (values->epoch == INT16_MAX)
        return; /* fenced at the very last one: the next init brings a new producer id */
    next->epoch = (int16_t)(values->epoch + 1);
    next->last_epoch = values->epoch;
    next->next_producer_id = fresh_id;
}

/* What a client gets that asks for the end of something that is not under way. */
static int16_t end_of_nothing(const struct transaction *txn, bool commit, int16_t version, bool repeats, struct txn_values *next)
{
    enum txn_status status = txn->values.status;
    bool is_done = status == (commit ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT);
    if (version < 2 ? is_done : is_done && repeats) {
        next->status = TXN_DEAD;
        return KAFKA_NONE;
    }
    /* With version 2 a transaction whose partitions never came to us may be aborted: its epoch goes up all the same. */
    return version >= 2 && !commit && !repeats ? KAFKA_NONE : KAFKA_INVALID_TXN_STATE;
}

int16_t txn_plan_end(const struct transaction *txn, struct producer_identity producer, bool commit, int16_t version,
                     int64_t fresh_id, struct io_time now, struct txn_values *next)
{
    bool repeats;
    *next = values_as_they_are(txn, now);
    int16_t error = check_end(txn, producer, version, &repeats);
    if (error == KAFKA_NONE && txn->values.status != TXN_ONGOING)
        error = end_of_nothing(txn, commit, version, repeats, next);
    if (error != KAFKA_NONE || next->status == TXN_DEAD)
        return error;
    next->version = version;
    if (version >= 2)
        bump_for_end(&txn->values, fresh_id, next);
    return prepare(txn, commit, next);
}

int16_t txn_plan_fence(const struct transaction *txn, struct io_time now, struct txn_values *next)
{
    mill_assert(txn->values.status == TXN_ONGOING);
    *next = values_as_they_are(txn, now);
    /* By two with version 2: by one its producer's own end would, and a repeated EndTxn must not be taken for answered. */
    int epoch = next->epoch + (next->version >= 2 ? 2 : 1);
    next->epoch = epoch < INT16_MAX ? (int16_t)epoch : INT16_MAX;
    next->last_epoch = -1;
    return prepare(txn, false, next);
}

int16_t txn_plan_complete(const struct transaction *txn, struct io_time now, struct txn_values *next)
{
    mill_assert(txn_is_ending(txn));
    *next = values_as_they_are(txn, now);
    next->status = txn->values.status == TXN_PREPARE_COMMIT ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT;
    if (next->next_producer_id >= 0) {
        next->previous_producer_id = next->producer_id;
        next->producer_id = next->next_producer_id;
        next->next_producer_id = -1;
        next->epoch = 0;
        next->last_epoch = TXN_EPOCH_LAST;
    }
    return KAFKA_NONE;
}
