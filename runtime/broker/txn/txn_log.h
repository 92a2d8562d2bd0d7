/*
 * `__transaction_state`: a transaction's values written down, and read again at start.
 *
 * Records are Kafka's (wire/txn_records.h), one batch each.
 */
#ifndef BROKER_TXN_TXN_LOG_H
#define BROKER_TXN_TXN_LOG_H

#include "broker/txn/txn_coordinator.h"

typedef void txn_written(void *ctx, int16_t error, struct io_time now);

/*
 * Takes `next`, writes it, and makes it the transaction's own when it is durable; then `done` (may be NULL) with NONE, else with
 * COORDINATOR_NOT_AVAILABLE, or NOT_COORDINATOR when the disk has failed. The caller has set txn->busy, and clears it.
 */
void txn_log_write(struct txn_coordinator *coordinator, struct transaction *txn, struct txn_values *next, txn_written *done,
                   void *ctx, struct io_time now);

/*
 * The same, but the values are the transaction's own at once: for the end of a transaction, which follows from what is durable
 * already, so that losing the record loses nothing.
 */
void txn_log_note(struct txn_coordinator *coordinator, struct transaction *txn, struct txn_values *next, struct io_time now);

/* Writes the id's tombstone. `done` as above. */
void txn_log_forget(struct txn_coordinator *coordinator, struct transaction *txn, txn_written *done, void *ctx,
                    struct io_time now);

/* Reads the topic; `finished` is called unless there is nothing to read (then coordinator->loader is NULL). MILL_ENOMEM. */
int txn_log_load(struct txn_coordinator *coordinator, void (*finished)(void *ctx, struct io_time now), struct io_time now);

/* At the end of the broker: what is on its way is forgotten. */
void txn_log_release(struct txn_coordinator *coordinator);

#endif
