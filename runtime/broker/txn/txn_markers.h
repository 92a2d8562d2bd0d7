/*
 * The end of a transaction whose record of intent (PrepareCommit, PrepareAbort) is durable: a marker into every partition that it
 * wrote to, then CompleteCommit or CompleteAbort.
 *
 * What cannot be written now is tried again, for ever: the decision has been made. A partition that was deleted needs none, and
 * one that a newer epoch has reached has had its marker.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_TXN_TXN_MARKERS_H
#define BROKER_TXN_TXN_MARKERS_H

#include "broker/txn/txn_coordinator.h"

/*
 * The transaction is ending, and busy. `done` (may be NULL) is told once: when all markers are durable, or when the first of them
 * has to be tried again. Without memory it begins later, and `done` is told at once.
 */
void txn_markers_write(struct txn_coordinator *coordinator, struct transaction *txn, void (*done)(void *ctx, struct io_time now),
                       void *ctx, struct io_time now);

/* The broker closes: whoever waits for an ending is told, no marker is written any more. */
void txn_markers_close(struct txn_coordinator *coordinator, struct io_time now);

/* At the end of the broker. */
void txn_markers_release(struct txn_coordinator *coordinator);

#endif
