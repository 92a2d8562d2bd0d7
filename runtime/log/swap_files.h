/*
 * What a compaction that was cut by a crash has left: finished, or taken away, before the log is opened.
 *
 *      .cleaned           never became valid: removed with the other leftovers
 *      .log.swap          whole and synced; the segments that it stands for, all that begin within its offsets, may be there or
 *                         not: they are removed, and it takes its name
 *      .index.swap, ...   go with their log; without one they are removed
 *
 * One in which no intact batch is left is removed while its original is there.
 */
#ifndef LOG_SWAP_FILES_H
#define LOG_SWAP_FILES_H

#include "io/io.h"

/*
 * The files of a segment that a compaction writes. The log itself is last where it says that the others are whole, first (gone
 * through from the end) where it says that they are not.
 */
enum { SWAP_SUFFIX_COUNT = 4 };
extern const char *const swap_suffixes[SWAP_SUFFIX_COUNT];

/* 0, MILL_ENOMEM or an I/O error. May be cut by a crash at every step. `name` is the log's, for traces. */
MILL_MUST_USE int swap_files_finish(struct disk *disk, const char *directory, const char *name);

#endif
