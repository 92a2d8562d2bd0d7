/*
 * What compaction makes of one batch: the batch as it is, a smaller one, an empty header, or nothing.
 *
 *      records       a record stays while it is the newest of its key; a tombstone until the batch's delete horizon has passed
 *      aborted       records of aborted transactions go
 *      markers       a transaction's marker stays until no batch of it is left and its delete horizon has passed
 *      horizons      the first pass that finds a tombstone, or a marker with nothing left to end, writes the time from which it
 *                    may go, now + delete.retention.ms, into the batch: attribute bit 6, base timestamp (KIP-534)
 *      empty batches the last batch of an active producer, and the last one of the stretch, stay as headers, so that sequences
 *                    and offsets are not lost
 *
 * Offsets, sequences, epochs and the last offset delta stay what they were. A batch of which no record goes keeps its bytes;
 * only one that changes is encoded (and compressed, with its codec) anew.
 *
 * Thread: its owner's.
 */
#ifndef LOG_BATCH_FILTER_H
#define LOG_BATCH_FILTER_H

#include "base/arena.h"
#include "log/offset_map.h"
#include "log/txn_filter.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"

enum { COMPACTION_UNPACKED_BYTES_MAX = 128 << 20 }; /* as what the broker takes from producers */

/* Where a producer stands: the batch that must not go. */
struct kept_producer {
    int64_t producer_id;
    int64_t last_offset; /* of its last batch; -1: it has only markers */
    int16_t epoch;
};

struct batch_filter {
    /* Set by the owner. */
    const struct offset_map *map;
    struct txn_filter *txns;
    const struct kept_producer *producers; /* by id */
    size_t producer_count;
    int64_t now_ms;
    int64_t delete_retention_ms;
    int64_t keep_next_offset; /* the batch that ends there stays, if only as a header */

    struct batch_reader reader;
    struct batch_writer writer;
    struct arena arena; /* of one batch's headers */
    uint8_t empty[BATCH_HEADER_BYTES];
};

/* What is to be written in a batch's place: valid until the next call. */
struct filtered_batch {
    mill_bytes bytes; /* null: nothing */
    bool changed;
    struct aborted_txn kept; /* an aborted transaction whose marker stays; producer id -1: none */
};

void batch_filter_init(struct batch_filter *filter);
void batch_filter_release(struct batch_filter *filter);

/* `batch` is whole, its CRC checked here. 0 with `filtered`; MILL_ECORRUPT; MILL_ENOMEM, MILL_ETOOLARGE. */
MILL_MUST_USE int batch_filter_run(struct batch_filter *filter, mill_bytes batch, struct filtered_batch *filtered);

#endif
