/*
 * Walks the batches of a log file, with or without checking what is in them.
 *
 * Reads through a window of bounded size, whatever lengths the file claims: a batch larger than the window is summed piece by
 * piece. Each batch must fit its place, for a CRC does not cover the first 21 bytes:
 *
 *   - it begins at `next_offset` exactly where offsets are dense, at or behind it where compaction has left gaps;
 *   - it ends below `below_offset`, where the next segment begins;
 *   - its leader epoch is not below the one before, and when it is above, not above the one behind either.
 *
 * That finds valid batches at a wrong place as well. Errors leave the scan where it is, before the batch that is wrong:
 *
 *   MILL_ETRUNCATED    the file ends before the batch does
 *   MILL_ECORRUPT      (also for MILL_EUNSUPPORTED) these bytes are not the batch that belongs here
 *   MILL_EIO           and the disk's other errors
 *
 * Thread: its owner's; blocks.
 */
#ifndef LOG_BATCH_SCAN_H
#define LOG_BATCH_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io.h"
#include "record/batch.h"

enum { BATCH_SCAN_WINDOW = 256 << 10, BATCH_SCAN_WINDOW_SMALL = 4 << 10 };

struct batch_scan {
    struct disk_file *file; /* the caller's, open while the scan is used */
    int64_t position;       /* of the next batch */
    int64_t end;            /* of the bytes that count, at most the file's size */
    int64_t next_offset;
    int64_t below_offset;
    int64_t first_next_offset; /* 0, or what an index says of the first batch: its next offset. 0 once that is found to be so */
    int32_t leader_epoch;      /* of the last batch, or a lower bound */
    bool dense;
    bool check; /* CRCs too */

    struct batch_header header; /* of the batch that batch_scan_next returned */
    int64_t batch_position;     /* and where it begins */

    uint8_t *window; /* owned: what lies at window_at */
    size_t window_bytes;
    int64_t window_at;
    size_t window_len;
};

/*
 * Sets what the caller's struct says (file, position, end, next_offset, below_offset, leader_epoch, dense, check) as the start,
 * and allocates the window: the large one when `check`, else one for headers alone. 0 or MILL_ENOMEM.
 */
MILL_MUST_USE int batch_scan_init(struct batch_scan *scan);
void batch_scan_release(struct batch_scan *scan);

/* 1 with header and batch_position, having moved behind the batch; 0 at `end`; or an error as above. */
MILL_MUST_USE int batch_scan_next(struct batch_scan *scan);

/*
 * The header before which the scan stands, as far as it can be decoded: 0, also when the batch does not fit its place or the
 * file; MILL_ETRUNCATED when the file ends within the header; MILL_ECORRUPT; or an I/O error.
 */
MILL_MUST_USE int batch_scan_header(struct batch_scan *scan, struct batch_header *header);

/* Does the batch of header->size bytes at `position` have the CRC that the header says? 0, MILL_ECORRUPT or an I/O error. */
MILL_MUST_USE int batch_scan_check_sum(struct batch_scan *scan, int64_t position, const struct batch_header *header);

/*
 * After an error: looks for the first intact batch behind the wrong one that may lie in this segment, and moves there, so that
 * batch_scan_next returns it. Tried first is the place where the wrong batch says that it ends, then every byte. 1; 0 when there
 * is none, which leaves the scan where it is; or an I/O error.
 */
MILL_MUST_USE int batch_scan_resync(struct batch_scan *scan);

/*
 * Is one of the file's 512-byte sectors in [from, to) empty, as an unwritten piece of a grown file reads? That is a whole sector
 * of zeros, zeros from the start of the last sector to the end of the file, or zeros from `from` to the end of its sector where a
 * batch with `expected_offset` should begin. Less than about 8 zeros prove nothing.
 */
MILL_MUST_USE int batch_scan_finds_hole(struct batch_scan *scan, int64_t from, int64_t to, int64_t expected_offset, bool *hole);

#endif
