/*
 * The aborted transactions of one segment: those whose markers lie in it, in the order of the markers. The file is Kafka's
 * `.txnindex`, big-endian, and exists only where there are any:
 *
 *      0         2                 10                18               26                        34
 *      +---------+-----------------+-----------------+----------------+-------------------------+----
 *      | version | producer id i64 | first offset of | offset of the  | last stable offset when | ...
 *      | i16 = 0 |                 | its batches i64 | marker i64     | it was written i64      |
 *      +---------+-----------------+-----------------+----------------+-------------------------+----
 *
 * Any thread; nothing here blocks or allocates.
 */
#ifndef LOG_TXN_INDEX_H
#define LOG_TXN_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { TXN_INDEX_ENTRY_BYTES = 34 };

struct aborted_txn {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset; /* of the marker */
    /* Every transaction that began before it had ended: whoever reads only up to it need not look at later entries. */
    int64_t last_stable_offset;
};

/* Appends one entry; bytes->failed says when there is no memory. */
void txn_index_encode(const struct aborted_txn *txn, struct buffer *bytes);

/* Is this an entry, as any of this format? */
bool txn_index_decode(const uint8_t bytes[TXN_INDEX_ENTRY_BYTES], struct aborted_txn *txn);

#endif
