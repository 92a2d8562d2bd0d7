/*
 * A segment: a stretch of the log in one file, with its two sparse indexes.
 *
 *      00000000000000001042.log         batches, back to back; the name is the first offset
 *      00000000000000001042.index       offset_index.h
 *      00000000000000001042.timeindex   time_index.h
 *
 * The newest segment is the active one: appended to, its file open, its indexes growing in memory; they reach the disk when it
 * rolls, at a checkpoint and at a clean close. Older ones never change. Their files and indexes are opened by whoever reads them,
 * on its own thread, then handed to the segment, which keeps them within the data directory's limit (open_files.h).
 *
 * Indexes are hints: what is missing or fails its check is built anew from the log.
 *
 * Thread: the loop that owns the log, unless a function says otherwise.
 */
#ifndef LOG_SEGMENT_H
#define LOG_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "io/io.h"
#include "log/log_config.h"
#include "log/offset_index.h"
#include "log/time_index.h"
#include "record/batch.h"

/* ---- the open file, shared with workers ------------------------------------------------------------------------------------ */

/* Closed by the last holder. What it says does not change while a second holder can see it. */
struct segment_files {
    atomic_uint holders;
    struct disk *disk;
    struct disk_file *log; /* NULL: not opened yet; whoever holds it alone may open it */
    int64_t base_offset;
    char directory[]; /* NUL-terminated */
};

/* One holder, the caller; nothing is opened. NULL: no memory. */
struct segment_files *segment_files_new(struct disk *disk, const char *directory, int64_t base_offset);
void segment_files_hold(struct segment_files *files);
void segment_files_drop(struct segment_files *files); /* NULL is a no-op; any thread */

/* Opens the log file for reading. 0 when it is open already. Blocks. */
MILL_MUST_USE int segment_files_open(struct segment_files *files);

/* ---- the indexes ----------------------------------------------------------------------------------------------------------- */

struct segment_index {
    struct offset_index offsets; /* entries owned by this struct */
    struct time_index times;
    size_t offsets_saved; /* entries that are on disk */
    size_t times_saved;
    bool loaded;
};

void segment_index_init(struct segment_index *index, int64_t base_offset);
void segment_index_release(struct segment_index *index);

/*
 * Reads both files of a segment of `log_bytes` that ends at `end_offset`. MILL_ENOTFOUND or MILL_ECORRUPT: to be rebuilt;
 * MILL_ENOMEM; an I/O error. `index` is initialised, and stays so after an error. Any thread; blocks.
 */
MILL_MUST_USE int segment_index_load(struct segment_index *index, struct disk *disk, const char *directory, uint32_t log_bytes,
                                     int64_t end_offset);

/* Writes the entries that are not on disk yet; `all`: both files anew. Not synced. An error leaves them to be written again. */
MILL_MUST_USE int segment_index_save(struct segment_index *index, struct disk *disk, const char *directory, bool all);

/* Both files anew, under their names with `behind` (SUFFIX_CLEANED) after them. Not synced. Any thread. */
MILL_MUST_USE int segment_index_save_as(struct segment_index *index, struct disk *disk, const char *directory,
                                        const char *behind);

/* Syncs both files and the transaction index, those that are there. Any thread; blocks. */
MILL_MUST_USE int segment_index_sync(struct disk *disk, const char *directory, int64_t base_offset);

/* Drops what lies at or behind `offset`. */
void segment_index_truncate(struct segment_index *index, int64_t offset);

/* ---- what an index learns from batches, one by one ------------------------------------------------------------------------- */

struct segment_progress {
    int64_t next_offset;
    int64_t first_timestamp_ms;   /* of the first batch, -1: none */
    int64_t max_timestamp_ms;     /* so far, -1: none */
    int64_t max_timestamp_offset; /* the last offset of the batch that brought it */
    uint32_t bytes_since_index_entry;
};

/*
 * A batch lies at `position`. Adds an index entry when more than `interval_bytes` have come since the last one. Without memory,
 * or when the index is full, none is added, which only makes searches longer.
 */
void segment_index_note(struct segment_index *index, struct segment_progress *progress, const struct batch_header *header,
                        uint32_t position, uint32_t interval_bytes, uint32_t index_bytes_max);

/* The last time index entry of a finished segment: its largest timestamp. */
void segment_index_finish(struct segment_index *index, const struct segment_progress *progress);

/*
 * Builds the index of a finished segment from its log file, headers only; stops at what is no batch. 0, MILL_ENOMEM or an I/O
 * error. Any thread; blocks.
 */
MILL_MUST_USE int segment_index_build(struct segment_index *index, struct segment_files *files, uint32_t log_bytes,
                                      int64_t end_offset, uint32_t interval_bytes);

/* ---- the segment ----------------------------------------------------------------------------------------------------------- */

struct segment {
    int64_t base_offset;
    uint32_t bytes; /* of the log file that count */
    struct segment_progress
        progress;       /* of an older segment only next_offset (where the next one begins) and the maximum, if known */
    uint32_t forgotten; /* of them, from the start: no longer in the page cache. page_cache.h */
    bool max_timestamp_known;
    int64_t first_append_ms; /* wall time, or the file's own when it was found at open */
    int64_t last_append_ms;
    struct segment_files *files; /* NULL: not open */
    struct segment_index index;
    bool index_dirty;      /* rolled, and its index files are not synced yet */
    bool gap_told;         /* that offsets between it and the next one are missing. log_lost.c */
    bool pinned;           /* its files have not got their names yet, so they stay open: see compaction_exchange.c */
    struct list open_link; /* in open_files, when it is an older one and open */
};

struct segment *segment_new(int64_t base_offset, struct io_time now);
void segment_free(struct segment *segment); /* closes; NULL is a no-op */

/* Is there no room for a batch of `bytes` that ends at `last_offset`? */
bool segment_is_full(const struct segment *segment, const struct log_config *config, uint32_t bytes, int64_t last_offset);

/* Is it time to roll before a batch whose records are as young as `timestamp_ms` (-1: none is at hand)? */
bool segment_is_aged(const struct segment *segment, const struct log_config *config, int64_t timestamp_ms, struct io_time now);

/* An older segment's largest timestamp, read from its time index when not known; -1: none. Blocks for a few bytes. */
int64_t segment_max_timestamp(struct segment *segment, struct disk *disk, const char *directory);

/* The largest timestamp of an older segment's first batch, read from its file when not known; -1: none. As above. */
int64_t segment_first_timestamp(struct segment *segment, struct disk *disk, const char *directory);

/* ---- the limit on open files of older segments ----------------------------------------------------------------------------- */

/* Least recently used first. `max` of them stay open, of all logs of a data directory. */
struct open_files {
    struct list segments;
    size_t count;
    size_t max;
};

void open_files_init(struct open_files *open, size_t max);

/*
 * An older segment has been opened, or used again: it is the last to be closed; the first goes when there are too many. `open`
 * may be NULL.
 */
void open_files_use(struct open_files *open, struct segment *segment);

/* Closes a segment's files and lets go of its index. */
void open_files_close(struct open_files *open, struct segment *segment);

#endif
