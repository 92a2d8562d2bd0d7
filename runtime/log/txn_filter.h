/*
 * Which batches of a log belong to aborted transactions, and which markers still have something to end: what compaction asks as
 * it walks a log from anywhere to its end.
 *
 * Records of an aborted transaction were never there for a reader with read_committed, and compaction drops them. A marker goes
 * only when none of its transaction's batches is left, since until then it is what tells readers their fate; so a marker is
 * `needed` when the walk has met a batch of its transaction.
 *
 * Thread: its owner's.
 */
#ifndef LOG_TXN_FILTER_H
#define LOG_TXN_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_map.h"
#include "log/txn_index.h"
#include "millstream/error.h"
#include "record/batch.h"

struct txn_filter {
    const struct aborted_txn *aborted; /* the caller's, by first offset; stays while the filter is used */
    size_t aborted_count;
    size_t next;             /* the first one that the walk has not come to */
    struct hash_map aborts;  /* producer id -> struct aborted_walk: aborted transactions that the walk is in */
    struct hash_map commits; /* producer id -> anything: committed ones of which it has seen a batch */
};

void txn_filter_init(struct txn_filter *filter, const struct aborted_txn *aborted, size_t aborted_count);
void txn_filter_release(struct txn_filter *filter);

/* The walk meets a batch of records. 1: it belongs to an aborted transaction; 0: it does not; MILL_ENOMEM. */
MILL_MUST_USE int txn_filter_meet_batch(struct txn_filter *filter, const struct batch_header *header);

/*
 * The walk meets a control batch whose record is of `type` (control.h; -1: it has no record any more). 1: nothing that it ends is
 * left; 0: it is needed, and `kept` tells which aborted transaction it ends (producer id -1: none); MILL_ENOMEM.
 */
MILL_MUST_USE int txn_filter_meet_marker(struct txn_filter *filter, const struct batch_header *header, int type,
                                         struct aborted_txn *kept);

#endif
