/*
 * One transactional id: its producer, and the transaction that it has under way.
 *
 *                    InitProducerId
 *          +-------------------------------------+
 *          v                                     |
 *      +-------+  partitions   +---------+  EndTxn, time-out, a newer producer  +---------------+
 *      | Empty | ------------> | Ongoing | -----------------------------------> | PrepareCommit |
 *      +-------+               +---------+                                      | PrepareAbort  |
 *          ^                        ^                                           +---------------+
 *          | InitProducerId         | partitions                                        | markers in every partition
 *          |                        |                                                   v
 *          |                   +----------------+                                       |
 *          +------------------ | CompleteCommit | <-------------------------------------+
 *                              | CompleteAbort  |
 *                              +----------------+
 *
 * PrepareCommit is the point of no return: once its record is durable the transaction is committed, whatever happens next.
 *
 * A change is computed as new values (struct txn_values), written to `__transaction_state`, and becomes the transaction's own
 * when the record is durable; until then the transaction is `busy` and whoever wants another change waits. The functions of this
 * file compute: they look at one transaction, change nothing, and answer with enum kafka_error. The rules are Kafka's (KIP-98,
 * KIP-360, KIP-588, KIP-890); `version` is the transaction.version that the client speaks: with 2 each end of a transaction bumps
 * its epoch, so that nothing that was sent for an older one can join the next.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_TXN_TRANSACTION_H
#define BROKER_TXN_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "broker/txn/txn_partitions.h"
#include "io/io.h"
#include "millstream/bytes.h"
#include "wire/kafka_error.h"

/* The numbers are those of the log. */
enum txn_status {
    TXN_EMPTY = 0,
    TXN_ONGOING = 1,
    TXN_PREPARE_COMMIT = 2,
    TXN_PREPARE_ABORT = 3,
    TXN_COMPLETE_COMMIT = 4,
    TXN_COMPLETE_ABORT = 5,
    TXN_DEAD = 6,
    TXN_PREPARE_EPOCH_FENCE = 7, /* never written: the epoch with which an abort fences, see txn_plan_fence */
};

enum { TXN_STATUS_COUNT = 8, TXN_EPOCH_LAST = INT16_MAX - 1 /* after it comes a new producer id */ };

/* What is written down. */
struct txn_values {
    int64_t producer_id;
    int64_t previous_producer_id; /* -1: none */
    int64_t next_producer_id;     /* -1: none; the id with which a transaction goes on that ends at the last epoch */
    int16_t epoch;                /* -1: just made */
    int16_t last_epoch;           /* the one before, by which a repeated request is known; -1: none */
    int16_t version;              /* transaction.version of the client */
    int32_t timeout_ms;
    enum txn_status status;
    int64_t start_ms; /* of the transaction, -1: none */
    int64_t updated_ms;
    struct txn_partitions partitions; /* owned */
};

struct txn_coordinator;
struct txn_ending;

struct transaction {
    struct txn_coordinator *coordinator; /* its owner */
    mill_bytes id;                       /* lies in `name` */
    char *name;                          /* for traces: with a NUL behind */
    int32_t log_partition;
    struct txn_values values;
    bool busy;                 /* a change is on its way to the log, or markers to partitions */
    struct txn_ending *ending; /* the markers that are being written, or NULL */
    struct list waiting;       /* struct txn_operation of the coordinator: to be tried again when it is not busy any more */
};

/* NULL: no memory. */
struct transaction *transaction_new(mill_bytes id, int32_t log_partition, int64_t producer_id, struct io_time now);
/* Nobody waits any more. */
void transaction_free(struct transaction *txn);

const char *txn_status_name(enum txn_status status); /* as Kafka's tools print it */
bool txn_status_parse(mill_bytes name, enum txn_status *status);

/* ---- plans: `next` is filled on NONE; its partitions are a copy or empty, owned by it -------------------------------------- */

struct producer_identity {
    int64_t producer_id; /* -1: none is given */
    int16_t epoch;
};

/*
 * InitProducerId outside a transaction: the next epoch, or with `fresh_id` (at the last epoch; txn_needs_fresh_id) a new
 * producer. A producer that names itself (`expected`, KIP-360) is fenced when it is not the current one, and answered as before
 * when it repeats itself.
 */
int16_t txn_plan_init(const struct transaction *txn, struct producer_identity expected, int32_t timeout_ms, int64_t fresh_id,
                      struct io_time now, struct txn_values *next);
bool txn_needs_fresh_id(const struct transaction *txn, struct producer_identity expected);

/* May a producer that names itself init at all? NONE or PRODUCER_FENCED. */
int16_t txn_check_init(const struct transaction *txn, struct producer_identity expected);

/*
 * Partitions join the transaction, which begins when none is under way. NONE with next->status TXN_DEAD: all of them are in it
 * already and nothing is to be written. INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, or without memory
 * COORDINATOR_NOT_AVAILABLE.
 */
int16_t txn_plan_add(const struct transaction *txn, struct producer_identity producer, const struct txn_target *targets,
                     size_t count, int16_t version, struct io_time now, struct txn_values *next);

/* Is this partition in the producer's transaction? NONE, TRANSACTION_ABORTABLE, or why the producer may not ask. */
int16_t txn_verify(const struct transaction *txn, struct producer_identity producer, mill_bytes topic, int32_t partition);

/*
 * EndTxn of a client. NONE with next->status TXN_DEAD: it repeats itself, and what it asks for has been done. `fresh_id` as in
 * init, for version 2 (txn_end_needs_fresh_id).
 */
int16_t txn_plan_end(const struct transaction *txn, struct producer_identity producer, bool commit, int16_t version,
                     int64_t fresh_id, struct io_time now, struct txn_values *next);
bool txn_end_needs_fresh_id(const struct transaction *txn, struct producer_identity producer, int16_t version);

/* An ongoing transaction is aborted without its producer, which is fenced by a higher epoch. */
int16_t txn_plan_fence(const struct transaction *txn, struct io_time now, struct txn_values *next);

/* All markers are written. */
int16_t txn_plan_complete(const struct transaction *txn, struct io_time now, struct txn_values *next);

void txn_values_release(struct txn_values *values);

static inline bool txn_is_ending(const struct transaction *txn)
{
    return txn->values.status == TXN_PREPARE_COMMIT || txn->values.status == TXN_PREPARE_ABORT;
}

#endif
