/* What producers ask for: each operation tries, waits while the transaction is busy, and is judged anew when it tries again. */
#include "broker/internal.h"
#include "broker/txn/txn_coordinator.h"
#include "broker/txn/txn_log.h"
#include "broker/txn/txn_markers.h"

static void begin(struct txn_coordinator *coordinator, struct txn_operation *operation,
                  void (*attempt)(struct txn_operation *operation, struct io_time now), struct io_time now)
{
    operation->coordinator = coordinator;
    operation->attempt = attempt;
    list_init(&operation->link);
    attempt(operation, now);
}

static void finish(struct txn_operation *operation, int16_t error, struct io_time now)
{
    operation->done(operation, error, now);
}

/* The transaction when it can be worked on now. NULL with NONE: it waits, and will be called again. */
static struct transaction *enter(struct txn_operation *operation, int16_t *error)
{
    *error = txn_coordinator_check(operation->coordinator);
    struct transaction *txn = *error == KAFKA_NONE ? txn_coordinator_find(operation->coordinator, operation->id) : NULL;
    if (*error == KAFKA_NONE && !txn)
        *error = KAFKA_INVALID_PRODUCER_ID_MAPPING;
    if (*error != KAFKA_NONE || !txn->busy)
        return txn;
    list_push_back(&txn->waiting, &operation->link);
    return NULL;
}

/* The change of an operation is durable or refused: the next one may come. */
static void leave(struct txn_operation *operation, int16_t error, struct io_time now)
{
    struct txn_coordinator *coordinator = operation->coordinator;
    struct transaction *txn = txn_coordinator_find(coordinator, operation->id);
    txn->busy = false;
    finish(operation, error, now);
    txn_coordinator_ready(coordinator, txn, now);
}

/* ---- init ------------------------------------------------------------------------------------------------------------------ */

static struct txn_init *init_of(struct txn_operation *operation)
{
    return (struct txn_init *)((char *)operation - offsetof(struct txn_init, operation));
}

static void init_is_written(void *ctx, int16_t error, struct io_time now)
{
    struct txn_init *init = ctx;
    const struct transaction *txn = txn_coordinator_find(init->operation.coordinator, init->operation.id);
    init->producer = (struct producer_identity){ txn->values.producer_id, txn->values.epoch };
    leave(&init->operation, error, now);
}

static void init_has_id(struct producer_id_request *request, int16_t error, int64_t producer_id, struct io_time now)
{
    struct txn_init *init = request->ctx;
    init->fresh_id = producer_id;
    if (error != KAFKA_NONE)
        finish(&init->operation, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
    else
        init->operation.attempt(&init->operation, now);
}

static void take_id(struct txn_operation *operation, struct producer_id_request *request,
                    void (*done)(struct producer_id_request *request, int16_t error, int64_t producer_id, struct io_time now),
                    void *ctx, struct io_time now)
{
    *request = (struct producer_id_request){ .done = done, .ctx = ctx };
    producer_ids_take(&operation->coordinator->broker->producer_ids, request, now);
}

static void init_transaction(struct txn_init *init, struct transaction *txn, struct io_time now)
{
    struct txn_operation *operation = &init->operation;
    struct txn_values next;
    int16_t error = txn_plan_init(txn, init->expected, init->timeout_ms, init->fresh_id, now, &next);
    if (error != KAFKA_NONE) {
        finish(operation, error, now);
        return;
    }
    txn->busy = true;
    txn_log_write(operation->coordinator, txn, &next, init_is_written, init, now);
}

static void attempt_init(struct txn_operation *operation, struct io_time now)
{
    struct txn_init *init = init_of(operation);
    int16_t error;
    struct transaction *txn = enter(operation, &error);
    bool is_unknown = error == KAFKA_INVALID_PRODUCER_ID_MAPPING;
    if (txn)
        error = txn_check_init(txn, init->expected);
    if (error != KAFKA_NONE && !is_unknown) {
        finish(operation, error, now);
        return;
    }
    if (!txn && !is_unknown)
        return; /* it waits */
    if (txn && txn->values.status == TXN_ONGOING) {
        list_push_back(&txn->waiting, &operation->link);
        txn_coordinator_fence(operation->coordinator, txn, now);
        return;
    }
    if (init->fresh_id < 0 && (is_unknown || txn_needs_fresh_id(txn, init->expected))) {
        take_id(operation, &init->request, init_has_id, init, now);
        return;
    }
    if (is_unknown)
        txn = txn_coordinator_add_transaction(operation->coordinator, operation->id, init->fresh_id, now);
    if (txn)
        init_transaction(init, txn, now);
    else
        finish(operation, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
}

void txn_coordinator_init_producer(struct txn_coordinator *coordinator, struct txn_init *init, struct io_time now)
{
    init->fresh_id = -1;
    init->producer = (struct producer_identity){ -1, -1 };
    begin(coordinator, &init->operation, attempt_init, now);
}

/* ---- partitions ------------------------------------------------------------------------------------------------------------ */

static void add_is_written(void *ctx, int16_t error, struct io_time now)
{
    leave(ctx, error, now);
}

static void attempt_add(struct txn_operation *operation, struct io_time now)
{
    struct txn_add *add = (struct txn_add *)((char *)operation - offsetof(struct txn_add, operation));
    struct txn_values next;
    int16_t error;
    struct transaction *txn = enter(operation, &error);
    if (txn)
        error = txn_plan_add(txn, add->producer, add->targets, add->target_count, add->version, now, &next);
    else if (error == KAFKA_NONE)
        return; /* it waits */
    if (error != KAFKA_NONE || next.status == TXN_DEAD) {
        finish(operation, error, now);
        return;
    }
    txn->busy = true;
    txn_log_write(operation->coordinator, txn, &next, add_is_written, operation, now);
}

void txn_coordinator_add(struct txn_coordinator *coordinator, struct txn_add *add, struct io_time now)
{
    begin(coordinator, &add->operation, attempt_add, now);
}

int16_t txn_coordinator_verify(const struct txn_coordinator *coordinator, mill_bytes id, struct producer_identity producer,
                               mill_bytes topic, int32_t partition)
{
    int16_t error = txn_coordinator_check(coordinator);
    if (error != KAFKA_NONE)
        return error;
    const struct transaction *txn = txn_coordinator_find(coordinator, id);
    return txn ? txn_verify(txn, producer, topic, partition) : KAFKA_INVALID_PRODUCER_ID_MAPPING;
}

/* ---- the end --------------------------------------------------------------------------------------------------------------- */

static struct txn_end *end_of(struct txn_operation *operation)
{
    return (struct txn_end *)((char *)operation - offsetof(struct txn_end, operation));
}

static void set_next(struct txn_end *end, const struct transaction *txn)
{
    const struct txn_values *values = &txn->values;
    bool moves_on = values->next_producer_id >= 0;
    end->next =
        (struct producer_identity){ moves_on ? values->next_producer_id : values->producer_id, moves_on ? 0 : values->epoch };
}

static void markers_are_written(void *ctx, struct io_time now)
{
    struct txn_end *end = ctx;
    finish(&end->operation, KAFKA_NONE, now);
}

static void end_is_written(void *ctx, int16_t error, struct io_time now)
{
    struct txn_end *end = ctx;
    struct txn_coordinator *coordinator = end->operation.coordinator;
    struct transaction *txn = txn_coordinator_find(coordinator, end->operation.id);
    if (error != KAFKA_NONE) {
        leave(&end->operation, error, now);
        return;
    }
    set_next(end, txn);
    if (coordinator->closed)
        finish(&end->operation, KAFKA_NONE, now); /* it is decided; the next start writes the markers */
    else
        txn_markers_write(coordinator, txn, markers_are_written, end, now);
}

static void end_has_id(struct producer_id_request *request, int16_t error, int64_t producer_id, struct io_time now)
{
    struct txn_end *end = request->ctx;
    end->fresh_id = producer_id;
    if (error != KAFKA_NONE)
        finish(&end->operation, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
    else
        end->operation.attempt(&end->operation, now);
}

static void attempt_end(struct txn_operation *operation, struct io_time now)
{
    struct txn_end *end = end_of(operation);
    struct txn_values next;
    int16_t error;
    struct transaction *txn = enter(operation, &error);
    if (!txn && error == KAFKA_NONE)
        return; /* it waits */
    if (txn && end->fresh_id < 0 && txn_end_needs_fresh_id(txn, end->producer, end->version)) {
        take_id(operation, &end->request, end_has_id, end, now);
        return;
    }
    if (txn)
        error = txn_plan_end(txn, end->producer, end->commit, end->version, end->fresh_id, now, &next);
    if (error != KAFKA_NONE || next.status == TXN_DEAD) {
        if (txn)
            set_next(end, txn);
        finish(operation, error, now);
        return;
    }
    txn->busy = true;
    txn_log_write(operation->coordinator, txn, &next, end_is_written, end, now);
}

void txn_coordinator_end(struct txn_coordinator *coordinator, struct txn_end *end, struct io_time now)
{
    end->fresh_id = -1;
    end->next = (struct producer_identity){ -1, -1 };
    begin(coordinator, &end->operation, attempt_end, now);
}
