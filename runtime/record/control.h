/*
 * Control records: what the broker itself writes between the records of clients.
 *
 * A control batch (attribute bit 5) holds one record whose key is version i16 and type i16. The marker that ends a transaction in
 * a partition has the value version i16 and coordinator epoch i32, and the batch carries the producer's id and epoch, no
 * sequence, and the transactional bit (KIP-98). Consumers never see control records.
 */
#ifndef RECORD_CONTROL_H
#define RECORD_CONTROL_H

#include <stdint.h>

#include "millstream/record.h"
#include "record/batch.h"

enum control_type {
    CONTROL_ABORT = 0,
    CONTROL_COMMIT = 1,
    CONTROL_LEADER_CHANGE = 2,
    CONTROL_SNAPSHOT_HEADER = 3,
    CONTROL_SNAPSHOT_FOOTER = 4,
    CONTROL_KRAFT_VERSION = 5,
    CONTROL_KRAFT_VOTERS = 6
};

/*
 * A transaction's marker is written this large. Compaction may put a delete horizon into its header, of which the record's
 * timestamp is then up to 10 bytes away.
 */
enum { CONTROL_MARKER_BYTES = 78, CONTROL_MARKER_BYTES_MAX = CONTROL_MARKER_BYTES + 9 };

struct control_marker {
    enum control_type type; /* CONTROL_ABORT or CONTROL_COMMIT */
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t coordinator_epoch;
    int64_t timestamp_ms;
};

/* Writes the sealed batch of a marker, base offset 0 and leader epoch -1: see batch_stamp. */
void control_marker_encode(const struct control_marker *marker, uint8_t batch[CONTROL_MARKER_BYTES]);

/*
 * The type of a control record, which may be one that is not listed above: later versions add types, and readers pass over those
 * they do not know. MILL_ECORRUPT when the key is too short or its version negative.
 */
MILL_MUST_USE int control_record_type(const mill_record *record, int *type);

/*
 * Reads a whole control batch that is intact (batch_check). 1 with the marker; 0: it ends no transaction, or compaction has taken
 * its record; MILL_ECORRUPT.
 */
MILL_MUST_USE int control_marker_decode(mill_bytes batch, struct control_marker *marker);

/* The coordinator epoch from the value of a commit or abort record, or MILL_ECORRUPT. */
MILL_MUST_USE int control_marker_epoch(const mill_record *record, int32_t *coordinator_epoch);

#endif
