/*
 * What a log knows about its idempotent producers (KIP-98): enough to refuse gaps and answer duplicates.
 *
 * Per producer id: its epoch and the last five batches, which is how many requests a client may have in flight. A batch that
 * repeats one of the five is answered with that one's offsets; else its first sequence must follow the last one's, counting from
 * 2^31-1 on to 0. A newer epoch starts at 0 and fences the older, also when a marker brought it (KIP-890): a batch that overtook
 * the first one of its epoch is out of order. An id that is not known here may start anywhere, as may one of which nothing but a
 * marker has been seen: its state has expired, or the records before have been deleted.
 *
 * Rebuilt at open from a snapshot and the batches behind it. The snapshot file, big-endian, as Kafka's:
 *
 *      0         2         6         10
 *      +---------+---------+---------+-----------------------------------------------------------------------+----
 *      | version | CRC-32C | count   | producer id i64, epoch i16, last sequence i32, last offset i64,       | ...
 *      | i16 = 1 | of rest | i32     | offset delta i32, timestamp i64, coordinator epoch i32, txn start i64 |
 *      +---------+---------+---------+-----------------------------------------------------------------------+----
 *
 * It holds one batch per producer (last sequence and offset -1: none; then an offset delta of -1, at which Kafka does not look,
 * says that it may start anywhere); the caller walks a stretch of log before its end to fill the windows
 * (producer_state_backfill).
 *
 * Thread: the loop that owns the log.
 */
#ifndef LOG_PRODUCER_STATE_H
#define LOG_PRODUCER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "millstream/bytes.h"
#include "record/batch.h"
#include "record/control.h"

enum {
    PRODUCER_WINDOW = 5,
    PRODUCER_COUNT_MAX = 65536, /* about 12 MiB; at that, the eighth that has been here longest is forgotten */
    PRODUCER_SNAPSHOT_HEADER_BYTES = 10,
    PRODUCER_SNAPSHOT_ENTRY_BYTES = 46
};

struct producer_batch {
    int64_t last_offset;
    int32_t offset_delta; /* last offset - first offset, and so of the sequences */
    int32_t last_sequence;
};

struct producer_entry {
    int64_t producer_id;
    int64_t last_seen_ms;      /* wall time of the append, or of the open that found it */
    int64_t last_timestamp_ms; /* the last batch's largest */
    int64_t txn_start;         /* the open transaction's first offset, -1: none is open */
    int32_t coordinator_epoch; /* of the last marker, -1: none was seen */
    int16_t epoch;
    bool may_start_anywhere; /* while there are no batches: only a marker has been seen */
    uint8_t batch_count;
    struct producer_batch batches[PRODUCER_WINDOW]; /* oldest first */
};

struct producer_state {
    struct producer_entry *entries; /* in order of first appearance */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* hash of id -> index + 1, 0 empty */
    size_t slot_mask;
};

void producer_state_init(struct producer_state *state);
void producer_state_release(struct producer_state *state);
void producer_state_clear(struct producer_state *state);

enum producer_verdict {
    PRODUCER_IN_ORDER,
    PRODUCER_DUPLICATE,
    PRODUCER_OUT_OF_ORDER,
    PRODUCER_STALE_EPOCH,
    PRODUCER_OUTSIDE_TXN /* the producer has a transaction open, and this is no part of it */
};

/*
 * May this batch, which has a producer, be appended? A duplicate's offsets go into `duplicate`. Changes nothing.
 */
enum producer_verdict producer_state_check(const struct producer_state *state, const struct batch_header *header,
                                           struct producer_batch *duplicate);

/*
 * Makes room for one more producer, so that the next note cannot fail. 0 or MILL_ENOMEM, also when nothing but producers with
 * open transactions could be forgotten.
 */
MILL_MUST_USE int producer_state_reserve(struct producer_state *state);

/*
 * The batch is in the log. Batches without a producer are passed over, and control batches. Its room was reserved. Also for
 * replay: what is in the log is taken as it is. True: the producer's transaction begins with it.
 */
bool producer_state_note(struct producer_state *state, const struct batch_header *header, int64_t now_ms);

/* A marker is in the log: the producer's transaction has ended, older epochs are fenced. Its room was reserved. */
void producer_state_note_marker(struct producer_state *state, const struct control_marker *marker, int64_t now_ms);

/*
 * A batch that lies before what a snapshot knows: when it is one of its producer's last five, it joins the window. Call in offset
 * order, for a stretch that ends where the snapshot does.
 */
void producer_state_backfill(struct producer_state *state, const struct batch_header *header);

/*
 * Forgets producers that were last seen `expiration_ms` ago or earlier. A restart sees all whom it finds, where Kafka goes by the
 * last batch's timestamps, also when it loads a snapshot: those are the records', and a producer of old ones would be forgotten
 * although it is about to repeat a batch.
 *
 * Compaction keeps the last batch's header of those who are known. One who has been forgotten may so lose it while an older batch
 * stays; if then all snapshots are missing too, that one is taken for the last, and what follows is out of order until the
 * producer raises its epoch, as clients do then, or has expired once more.
 */
void producer_state_expire(struct producer_state *state, int64_t now_ms, int64_t expiration_ms);

const struct producer_entry *producer_state_find(const struct producer_state *state, int64_t producer_id);

/* Appends the snapshot file's bytes; bytes->failed says when there is no memory. */
void producer_state_encode(const struct producer_state *state, struct buffer *bytes);

/* Fills an empty state. MILL_ECORRUPT, which leaves it empty; MILL_ENOMEM. */
MILL_MUST_USE int producer_state_decode(struct producer_state *state, mill_bytes bytes, int64_t now_ms);

#endif
