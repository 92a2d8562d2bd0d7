/*
 * What a partition log is made of, for the files that implement it: partition_log.c (append, roll, close), log_open.c,
 * log_producers.c, log_txns.c, log_sync.c, log_read.c, log_lookup.c, log_shorten.c, compaction_exchange.c; and for those two that
 * write what many logs have, log_checkpoint.c and log_directory.c. Nobody else includes this.
 */
#ifndef LOG_PARTITION_LOG_STATE_H
#define LOG_PARTITION_LOG_STATE_H

#include "base/list.h"
#include "log/epoch_cache.h"
#include "log/hot_tail.h"
#include "log/log_files.h"
#include "log/page_cache.h"
#include "log/partition_log.h"
#include "log/producer_state.h"
#include "log/segment.h"
#include "log/txn_state.h"
#include "record/control.h"

/* A segment whose files are renamed and wait to be removed. */
struct deleted_segment {
    struct list link;
    int64_t base_offset;
    int64_t due_us; /* monotonic */
};

struct compaction;
struct batch_scan;

struct partition_log {
    struct disk *disk;
    char *path;
    const char *name; /* the last part of path */
    uint8_t topic_id[TOPIC_ID_BYTES];
    struct log_config config;
    struct open_files *open_files;

    struct segment **segments; /* by base offset; never empty; the last is active, with its file open for writing */
    size_t segment_count;
    size_t segment_capacity;
    int64_t log_start;
    int64_t synced_end;
    int64_t checkpointed;       /* the recovery point on disk */
    int64_t checkpointed_start; /* the log start on disk */
    struct io_time start_moved; /* when the log start last did */
    int64_t lost;               /* offsets that log_lost.c has told of */

    /* Of checkpoints: log_checkpoint.h. */
    int64_t checkpoint_end; /* below it index entries, epochs and producers are written, so far may the recovery point go */
    bool checkpoint_failed; /* the last checkpoint could not write them, which has been told */
    int64_t snapshot_end;   /* the newest snapshot's offset, -1: there is none */
    int64_t checkpoint_snapshots[2]; /* the newest of those that are at no segment's start, the older one first; -1: none */
    int64_t synced_snapshots[2];     /* the newest of them that were synced */
    int64_t appended_bytes;          /* since the open */
    int64_t checkpoint_synced_bytes; /* of these, when indexes and snapshot were last synced */
    bool txn_index_unsynced;
    struct list checkpoint_link; /* in the checkpoint that has yet to look at it */

    struct epoch_cache epochs;
    struct producer_state producers;
    struct txn_state txns;
    size_t aborted_saved; /* aborted transactions that the files have */
    struct hot_tail tail;
    struct page_cache page_cache;
    int64_t last_append_us; /* monotonic, for letting go of an idle tail */

    bool failed; /* a sync has failed: nothing more is written */
    bool syncing;
    bool directory_dirty;   /* files were made or renamed since the directory was synced */
    int64_t dirty_since_us; /* monotonic, of the first append that is not synced */
    uint32_t generation;    /* counts compactions */

    int64_t first_dirty;           /* below it the log is compacted; 0: it never was */
    int64_t looked_up_to;          /* segments before it were there when compaction was last thought of */
    struct compaction *compaction; /* under way: the front stays where it is */
    bool uncleanable;              /* a compaction has met what another one would meet again */

    struct list deleted; /* struct deleted_segment, oldest first */
    struct error_text error;
};

static inline struct segment *log_active(const struct partition_log *log)
{
    return log->segments[log->segment_count - 1];
}

/* Where the segment's offsets end: the next one's base, or the log end. */
static inline int64_t log_segment_end(const struct partition_log *log, size_t i)
{
    return i + 1 < log->segment_count ? log->segments[i + 1]->base_offset : log->segments[i]->progress.next_offset;
}

/* May readers expect that offsets have no gaps? */
static inline bool log_is_dense(const struct partition_log *log)
{
    return !log->config.cleanup_compact && log->first_dirty <= log->segments[0]->base_offset;
}

/* The last segment that begins at or before `offset`; 0 when all begin later. */
size_t log_find_segment(const struct partition_log *log, int64_t offset);

/* Puts a segment into the array at `at`. Takes it over on success. 0 or MILL_ENOMEM. */
int log_insert_segment(struct partition_log *log, size_t at, struct segment *segment);

/* Makes the file of a new active segment, which is added on success. 0 or an error. */
int log_add_segment(struct partition_log *log, int64_t base_offset, struct io_time now);

/* The segment that was the active one has a newer one behind it: its indexes and the producers' snapshot are written. */
void log_retire_segment(struct partition_log *log, struct segment *segment);

/*
 * Renames a segment's files for removal after the delay; its producer snapshot stays with `keep_snapshot`. 0, or an error of the
 * disk, after which some of them may have kept their names.
 */
int log_retire_files(struct partition_log *log, int64_t base_offset, bool keep_snapshot, struct io_time now);

/* Renames or removes the files of segments [from, to) and forgets them. */
void log_drop_segments(struct partition_log *log, size_t from, size_t to, struct io_time now);

/*
 * Walks the headers of all batches from `from_offset` on (damaged ones are passed over) until `each` returns non-zero, which is
 * returned. The scan stands behind the batch. Opens what is not open. Blocks.
 */
int log_walk(struct partition_log *log, int64_t from_offset, int (*each)(void *ctx, const struct batch_scan *scan), void *ctx);

/* ---- log_lost.c ------------------------------------------------------------------------------------------------------------ */

/* Tells if the segments begin behind `log_start` (-1: not known) although a checkpoint says that more was synced. */
void log_tell_lost_front(struct partition_log *log, int64_t log_start, int64_t recovery_point);

/*
 * The log ends below the recovery point: tells, and ends the log there with an empty batch that brings readers over the gap.
 * Its epochs are known. 0 or an error of the disk.
 */
int log_settle_lost_end(struct partition_log *log, int64_t recovery_point, struct io_time now);

/* The batches of segment `at`, which is not the last, end with `from`, below the next one: tells, once, unless that is known. */
void log_tell_lost_between(struct partition_log *log, size_t at, int64_t from);

/* The log is open: has the directory an index without its segment? Reads there, which tells if offsets are missing. */
void log_look_for_lost(struct partition_log *log);

/*
 * Brings producers and transactions to where the log ends: from the newest usable snapshot at or below `trusted_below`, and the
 * transaction indexes up to it, then batch by batch. 0, MILL_ENOMEM or an I/O error.
 */
int log_load_producers(struct partition_log *log, int64_t trusted_below, int64_t now_ms);

/* ---- log_txns.c ------------------------------------------------------------------------------------------------------------ */

/* Takes the room that noting a batch needs. 0 or MILL_ENOMEM. */
int log_reserve_producer(struct partition_log *log, const struct batch_header *header);

/* The batch is in the log; `marker` is what it says when it is one that ends a transaction, else NULL. */
void log_note_producer(struct partition_log *log, const struct batch_header *header, const struct control_marker *marker,
                       int64_t now_ms);

/* The same for a batch that a walk has come to. 0, MILL_ENOMEM or an I/O error. */
int log_replay_batch(struct partition_log *log, const struct batch_scan *scan, int64_t now_ms);

/* Opens the transactions that the producers of a snapshot had open. 0 or MILL_ENOMEM. */
int log_reopen_txns(struct partition_log *log);

/* At open: removes the transaction indexes whose segments have gone. 0 or an error. */
int log_remove_stray_aborted(struct partition_log *log);

/* Reads the aborted transactions whose markers lie below `below`. 0, MILL_ECORRUPT: not to be believed, or another error. */
int log_load_aborted(struct partition_log *log, int64_t below);

/* The marker of the first aborted transaction that the files do not have; INT64_MAX: they have all. */
int64_t log_aborted_saved_end(const struct partition_log *log);

/* Appends to the files what they do not have yet. Not synced. 0 or an error, after which it may be tried again. */
int log_save_aborted(struct partition_log *log);

/* Compaction has left `kept` of those whose markers lie in [from, to), and written them into the new segment's file. */
void log_replace_aborted(struct partition_log *log, int64_t from, int64_t to, const struct aborted_txn *kept, size_t count);

/* Segments at the front have gone: so have the aborted transactions whose markers lay there. */
void log_forget_aborted(struct partition_log *log);

/* Writes the producers as they are at the log end. Not synced. */
int log_write_snapshot(struct partition_log *log);

/* Is there no snapshot of the log end? */
bool log_needs_snapshot(const struct partition_log *log);

/* A checkpoint has written the snapshot of `end`: older ones that nobody needs with recovery point `point`, -1: none. */
void log_note_snapshot(struct partition_log *log, int64_t end, int64_t point, bool synced, int64_t obsolete[2]);

/* Replaces leader-epoch-checkpoint, durably, when it has changed. */
int log_write_epochs(struct partition_log *log);

/* Below it batches and the indexes of rolled segments are synced, and a checkpoint has written what it has to. */
int64_t log_recovery_point(const struct partition_log *log);

/* Enters the log's files, and the log itself among the others, durably. Blocks. */
int log_sync_directories(struct disk *disk, const char *path);

/* Fills `cold` for a search of segment `at` from `offset` on. 0 or MILL_ENOMEM. */
int log_cold_begin(struct partition_log *log, struct log_cold *cold, size_t at, int64_t offset);

/* Any thread: opens what is not open, loads or builds the index. Leaves `position` at -1 when it was. 0 or an error. */
int log_cold_open(struct log_cold *cold);

/* Hands what was opened to its segment, if that is still there, and lets go. False: the segment has gone, or the tail was cut. */
bool log_cold_end(struct partition_log *log, struct log_cold *cold);
void log_cold_release(struct log_cold *cold);

#endif
