/*
 * What an unclean stop has left of a segment, made into a segment again.
 *
 * Below the recovery point everything is known to be synced and is not looked at. From there on each batch is checked. Where the
 * checks stop, two things may have happened, and they must not be confused:
 *
 *   A power cut took what was not synced. It leaves a torn batch at the end, a file that is too short, or sectors that were
 *   never written between others that were: they read as zeros. Syncs go from front to back, so nothing behind was acknowledged
 *   either: the log ends here. A torn batch is cut off; whole batches behind an empty sector, and segments behind this one, are
 *   set aside.
 *
 *   Synced data is damaged. Nothing that is intact may go: the wrong bytes are set aside, and the batches behind them move into
 *   a segment of their own, so that the log has a gap in its offsets there, as compaction leaves them, and every reader can pass
 *   it. Reported as an error.
 *
 * In a few of ten thousand power cuts less than eight bytes of a lost batch tell the two apart, and it counts as damage: nothing
 * acknowledged is lost by that, but a producer whose batch it was has its retry refused and sees an error.
 *
 * To set aside is to keep in a `.damaged` file, named by the first offset that is missing, with a number behind when something
 * else of that offset is kept already; only its presence is ever looked at,
 * which tells a gap that is known from one that is new.
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
    int64_t recovery_point; /* below it all is synced; INT64_MAX after a clean close: all of it, and none is taken on trust */
    int64_t below_offset;   /* where the next segment begins; INT64_MAX for the last one */
    bool dense;             /* never compacted: offsets have no gaps */
    uint32_t index_interval_bytes;
    struct epoch_cache *epochs; /* learns the epochs that it sees */
    struct error_text *error;
};

struct recovery_result {
    int64_t split_offset;   /* the base offset of a new segment file behind this one, to be recovered next; -1: none */
    bool rest_was_unsynced; /* the log ends with this segment: those behind it are to be set aside */
};

/*
 * Recovers one segment: its bytes, progress and index are set anew, its file is open for writing and synced. Returns 0,
 * MILL_ENOMEM or an I/O error.
 */
MILL_MUST_USE int recovery_run(const struct recovery *recovery, struct segment *segment, struct recovery_result *result);

#endif
