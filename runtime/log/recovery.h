/*
 * What an unclean stop has left of a segment, made into a segment again.
 *
 * Below the recovery point everything is known to be synced and is not looked at. From there on each batch is checked, and the
 * first one that is wrong decides:
 *
 *   nothing intact follows      a torn tail: the file is cut at the batch's edge. That is the usual case.
 *   intact batches follow, and  a power cut that kept later sectors and lost earlier ones, all of them unsynced and unacknowledged:
 *   a sector between is empty   the file is cut, as above, but the bytes behind are kept in a `.damaged` file. Last segment only.
 *   intact batches follow       data that was synced is damaged. Nothing that is intact goes: the wrong bytes move into a `.damaged`
 *                               file, the batches behind them into a segment of their own, so that the log has a gap in its
 *                               offsets there, as compaction leaves them, and every reader can pass it. Reported as an error.
 *
 * A `.damaged` file is named by the first offset that is missing; nothing here ever reads or removes it.
 *
 * Each step may be cut by a crash: the next recovery does it again. Thread: the loop at open; blocks.
 */
#ifndef LOG_RECOVERY_H
#define LOG_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "log/epoch_cache.h"
#include "log/segment.h"

struct recovery {
    struct disk *disk;
    const char *directory;
    const char *name;       /* the log's, for traces */
    int64_t recovery_point; /* below it all is synced */
    int64_t below_offset;   /* where the next segment begins; INT64_MAX for the last one */
    bool dense;             /* never compacted: offsets have no gaps */
    uint32_t index_interval_bytes;
    struct epoch_cache *epochs; /* learns the epochs that it sees */
    struct error_text *error;
};

/*
 * Recovers one segment: its bytes, progress and index are set anew, its files are open for writing and synced. `split_offset` is -1, or the
 * base offset of a new segment file behind this one, to be recovered next. Returns 0, MILL_ENOMEM or an I/O error.
 */
MILL_MUST_USE int recovery_run(const struct recovery *recovery, struct segment *segment, int64_t *split_offset);

#endif
