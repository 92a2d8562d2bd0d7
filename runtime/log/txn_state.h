/*
 * What a log knows about its transactions: which are open, which have just ended, and which were aborted.
 *
 *      first batch              marker                 marker below the high watermark
 *      ----------->  open  ------------------>  ended  ------------------------------->  forgotten, but for the aborted list
 *
 * A reader with read_committed stops at the last stable offset: where the first transaction begins that is open, or whose marker
 * is not durable yet. Below it every transaction has ended, and the aborted list tells which of them to leave out.
 *
 * Rebuilt at open: the open ones from the producers' snapshot, the aborted list from the segments' transaction indexes
 * (txn_index.h), both brought up to the end by the markers behind.
 *
 * Thread: the loop that owns the log.
 */
#ifndef LOG_TXN_STATE_H
#define LOG_TXN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/txn_index.h"
#include "millstream/error.h"

struct open_txn {
    int64_t producer_id;
    int64_t first_offset;
};

struct ended_txn {
    int64_t first_offset;
    int64_t last_offset; /* of the marker */
};

struct txn_state {
    struct open_txn *open; /* by first offset; a producer has one at most */
    size_t open_count;
    size_t open_capacity;
    struct ended_txn *ended; /* by last offset: those whose markers may not be durable */
    size_t ended_count;
    size_t ended_capacity;
    struct aborted_txn *aborted; /* by last offset: all that the log still holds */
    size_t aborted_count;
    size_t aborted_capacity;
};

void txn_state_init(struct txn_state *state);
void txn_state_release(struct txn_state *state);
void txn_state_clear(struct txn_state *state);

/* Room for one more of each, so that the next call cannot fail. 0 or MILL_ENOMEM. */
MILL_MUST_USE int txn_state_reserve(struct txn_state *state);

/* A producer's first batch of a transaction. Its room was reserved; offsets rise from call to call. */
void txn_state_begin(struct txn_state *state, int64_t producer_id, int64_t first_offset);

/* The marker at `marker_offset` ends the producer's open transaction. False: it had none. Its room was reserved. */
bool txn_state_end(struct txn_state *state, int64_t producer_id, int64_t marker_offset, bool aborted);

/* An aborted transaction as the index file has it, behind those before. Its room was reserved. */
void txn_state_add_aborted(struct txn_state *state, const struct aborted_txn *txn);

/* Markers below `high_watermark` are durable: forgets the transactions that they end. */
void txn_state_settle(struct txn_state *state, int64_t high_watermark);

/* Where the first transaction begins that is open or not settled; INT64_MAX: none. */
int64_t txn_state_first_unstable(const struct txn_state *state);

/* The index of the first aborted transaction whose marker lies at or behind `offset`; aborted_count when there is none. */
size_t txn_state_find_aborted(const struct txn_state *state, int64_t offset);

/* The log begins at `log_start` now: returns how many aborted transactions are forgotten. */
size_t txn_state_truncate_start(struct txn_state *state, int64_t log_start);

#endif
