/*
 * One partition's log: batches appended at the end, read by offset, aged from the front.
 *
 *      log start                       high watermark     log end
 *          v                                  v              v
 *      +---+--------------+---------------+---+--------------+
 *      |   | segment      | segment       | active segment   |      each: .log .index .timeindex, see segment.h, FORMAT.md
 *      +---+--------------+---------------+---+--------------+
 *                                             |<- not synced ->|
 *                                     |<----- hot tail ------->|     newest batches, still in memory
 *
 * Promises: offsets are dense as appended and strictly increase; what lies below the synced end survives a power cut; a batch
 * that fails its check is never served and never hides the batches behind it; no record is copied on the way in, nor out at the
 * tail.
 *
 * Thread: all functions named partition_log_* belong to the loop that owns the log. They block for page-cache appends and small
 * files only. What may wait for a disk is a `run` function (log_read_run, log_lookup_run, log_sync_run): it touches no log, only
 * what its struct holds, and goes to a worker (WORK_READ, WORK_SYNC), or is called in place by whoever may block. The pattern
 * is always begin (loop), run (worker), end (loop); a struct whose log was closed meanwhile is released instead of ended.
 *
 * Errors: negative MILL_E*, with partition_log_error's text. After a failed sync the log is failed for good: appends and syncs
 * answer MILL_EIO until the process has reopened it (recovery then decides what survived); reads of what was synced go on. After
 * a failed write (MILL_EDISKFULL, MILL_EIO) nothing has changed and the next append may succeed.
 */
#ifndef LOG_PARTITION_LOG_H
#define LOG_PARTITION_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/shared_buffer.h"
#include "io/io.h"
#include "log/log_config.h"

enum { TOPIC_ID_BYTES = 16, LOG_COLD = 1, LOG_APPEND_BATCHES_MAX = 64, LOG_SYNC_FILES_MAX = 16 };

struct partition_log;
struct segment_files;
struct aborted_txn;
struct producer_entry;
struct segment_index;
struct open_files;

/* ---- open and close -------------------------------------------------------------------------------------------------------- */

struct partition_log_options {
    struct disk *disk;
    const char *path;                 /* the partition's directory, "<data dir>/<topic>-<partition>"; made if missing; copied */
    uint8_t topic_id[TOPIC_ID_BYTES]; /* all zero: take what partition.metadata says */
    struct log_config config;
    bool clean;                    /* the data directory was closed cleanly: no scan */
    int64_t recovery_point;        /* below it everything is known to be synced; 0 when not known. See recovery.h */
    int64_t log_start;             /* from log-start-offset-checkpoint; -1 when not known */
    int64_t first_dirty;           /* from cleaner-offset-checkpoint: below it the log is compacted; 0 when it never was */
    struct open_files *open_files; /* the data directory's limit on files of old segments; NULL: no limit */
    struct io_time now;
};

/*
 * Opens or makes the log. After an unclean stop this recovers it (blocking, about a second per GiB above the recovery point).
 * Returns 0; MILL_EINVALID when partition.metadata names another topic id; MILL_ENOMEM; an I/O error. `error` says more.
 *
 * What a checkpoint says was synced, [log_start, recovery_point), and no segment holds any more is told as an error, and its
 * offsets are not given out again: see partition_log_lost.
 */
MILL_MUST_USE int partition_log_open(const struct partition_log_options *options, struct partition_log **log,
                                     struct error_text *error);

/*
 * Closes and frees. `clean`: syncs, writes indexes and the producer snapshot, so that the next open need not scan; an error says
 * that it is not clean after all. Otherwise the files stay as they are, as after a crash. Reads, lookups and syncs in flight are
 * to be released, not ended.
 */
int partition_log_close(struct partition_log *log, bool clean, struct error_text *error);

void partition_log_set_config(struct partition_log *log, const struct log_config *config);
const struct log_config *partition_log_get_config(const struct partition_log *log);

/* What the last negative result was about. Valid until the next call. */
const char *partition_log_error(const struct partition_log *log);

/* "<topic>-<partition>", the directory's name. */
const char *partition_log_name(const struct partition_log *log);
const char *partition_log_path(const struct partition_log *log);
const uint8_t *partition_log_topic_id(const struct partition_log *log);

/* ---- where it begins and ends ---------------------------------------------------------------------------------------------- */

int64_t partition_log_start_offset(const struct partition_log *log);
int64_t partition_log_end_offset(const struct partition_log *log);    /* of the next record */
int64_t partition_log_active_offset(const struct partition_log *log); /* where the newest segment begins */
int64_t partition_log_synced_end(const struct partition_log *log);

/*
 * How many offsets were found so far that were synced once and are gone: each stretch was told as an error. 0 after any crash but
 * one on a full disk, where retention may have gone ahead of the checkpoints (partition_log_checkpointed).
 */
int64_t partition_log_lost(const struct partition_log *log);

/* Up to where acks and fetches may go on one node: the synced end, or the end when sync_acks is off. */
int64_t partition_log_high_watermark(const struct partition_log *log);

/*
 * Up to where readers with read_committed may go: below it no transaction is open, and every marker lies below the high
 * watermark.
 */
int64_t partition_log_last_stable_offset(struct partition_log *log);

/*
 * Walks the aborted transactions (txn_index.h) that have batches in [from_offset, below_offset), in the order of their markers:
 * what a reader with read_committed is to leave out. Start with *at = 0; NULL at the end. Valid until the next call that changes
 * the log.
 */
const struct aborted_txn *partition_log_next_aborted(const struct partition_log *log, int64_t from_offset, int64_t below_offset,
                                                     size_t *at);

/* Has this producer a transaction open here, and of which epoch? */
bool partition_log_has_open_txn(const struct partition_log *log, int64_t producer_id, int16_t *epoch);

/* Walks the producers that the log knows (producer_state.h): start with *at = 0; NULL at the end. */
const struct producer_entry *partition_log_next_producer(const struct partition_log *log, size_t *at);

int64_t partition_log_bytes(const struct partition_log *log);
int64_t partition_log_active_bytes(const struct partition_log *log); /* of them, in the newest segment */
size_t partition_log_segment_count(const struct partition_log *log);

/* The newest leader epoch, -1 for an empty log. */
int32_t partition_log_leader_epoch(const struct partition_log *log);

/*
 * OffsetForLeaderEpoch: the largest epoch at or below `epoch` that the log knows, and where it ends (the next epoch's start, or
 * the log end). False, with -1 and -1, when there is none (KIP-101, KIP-279).
 */
bool partition_log_epoch_end(const struct partition_log *log, int32_t epoch, int32_t *found_epoch, int64_t *end_offset);

/* ---- append ---------------------------------------------------------------------------------------------------------------- */

enum append_origin {
    APPEND_CLIENT, /* held to max_message_bytes and to the producer's sequence */
    APPEND_BROKER  /* coordinators and markers: held to the segment's limits, and to the producer's and coordinator's epochs */
};

enum append_outcome {
    APPEND_DONE,
    APPEND_DUPLICATE,         /* seen before: base_offset and last_offset are those of then, nothing was written */
    APPEND_OUT_OF_ORDER,      /* OUT_OF_ORDER_SEQUENCE_NUMBER */
    APPEND_STALE_EPOCH,       /* INVALID_PRODUCER_EPOCH: a newer producer has this id */
    APPEND_STALE_COORDINATOR, /* TRANSACTION_COORDINATOR_FENCED: a marker of a coordinator that has been replaced */
    APPEND_OUTSIDE_TXN,       /* INVALID_TXN_STATE: no part of the transaction that its producer has open */
    APPEND_TOO_LARGE,         /* MESSAGE_TOO_LARGE */
    APPEND_ABOVE_SEGMENT      /* RECORD_LIST_TOO_LARGE: larger than segment_bytes */
};

struct append_result {
    enum append_outcome outcome; /* of the last batch looked at */
    size_t appended;             /* how many were written: all, unless outcome or code says otherwise */
    int64_t base_offset;         /* of the first, and of the last record of the last; -1 when none */
    int64_t last_offset;
};

/*
 * Appends `count` (at most LOG_APPEND_BATCHES_MAX) batches in order, each slice exactly one batch that the caller has checked
 * (CRC, records, compression, timestamps); a control batch with a producer is a marker that ends its transaction. Gives them the
 * next offsets and stamps these and `leader_epoch`, which the CRC does not cover, into each header. A batch with a buffer is the
 * log's from then on: it is held for the hot tail, stamped in place once it is written, and must not be changed any more; nobody
 * else may look at its header during the call. One without is only read.
 *
 * Rolls as needed. Returns 0 with `result`; MILL_ENOMEM, MILL_EDISKFULL, MILL_EIO: result->appended of them were written before
 * that. The records are readable by partition_log_read at once, up to the caller's upper offset; they are synced by a later sync.
 */
MILL_MUST_USE int partition_log_append(struct partition_log *log, const struct slice *batches, size_t count,
                                       enum append_origin origin, int32_t leader_epoch, struct io_time now,
                                       struct append_result *result);

/* ---- sync: group commit ---------------------------------------------------------------------------------------------------- */

struct log_sync {
    struct segment_files *files[LOG_SYNC_FILES_MAX]; /* held */
    size_t file_count;
    uint32_t rolled;              /* bit i: files[i] has rolled, its index files are synced too */
    bool directories;             /* new files: their directory, and its parent, are synced as well */
    int64_t end;                  /* the synced end when this has succeeded */
    struct segment_files *forget; /* held, or NULL: of this file, synced before or now, a part leaves the page cache */
    int64_t forget_offset;
    int64_t forget_len;
    int code; /* what run found */
};

/* Is there a batch that is not synced? */
bool partition_log_is_dirty(const struct partition_log *log);

/* With sync_acks off: have flush_messages or flush_ms come? (With it on, whoever appends begins a sync.) */
bool partition_log_sync_is_due(const struct partition_log *log, struct io_time now);

/*
 * Takes all that is not synced now, batches and the indexes of segments that have rolled (at most LOG_SYNC_FILES_MAX files,
 * oldest first), into `sync`. Returns 1; 0 when there is nothing; MILL_EAGAIN: the last one has not ended, one at a time;
 * MILL_EIO: the log has failed; MILL_ENOMEM. Appends go on meanwhile.
 */
MILL_MUST_USE int partition_log_sync_begin(struct partition_log *log, struct log_sync *sync);
void log_sync_run(struct log_sync *sync); /* WORK_SYNC */

/* Moves the synced end, or fails the log for good when the sync failed. Releases. Returns 0 or an error. */
MILL_MUST_USE int partition_log_sync_end(struct partition_log *log, struct log_sync *sync);
void log_sync_release(struct log_sync *sync); /* instead of end, when the log is gone */

/* Begin, run and end in one, as often as it takes: for whoever may block (close, tests, tools). */
MILL_MUST_USE int partition_log_sync(struct partition_log *log);

/* ---- read ------------------------------------------------------------------------------------------------------------------ */

/* Where on disk an answer lies: this room's, filled by begin and used by run, on whichever thread. */
struct log_cold {
    struct segment_files *files; /* held */
    struct segment_index *index; /* owned: loaded by run when the segment had none at hand */
    int64_t position;            /* to search from; -1: ask the index */
    int64_t first_next_offset;   /* what the index says about the batch there; 0: nothing */
    int64_t end;                 /* bytes of the segment */
    int64_t base_offset;
    int64_t end_offset;
    int64_t epoch_end; /* batches before it carry `leader_epoch`; -1: not known */
    int32_t leader_epoch;
    int64_t forgotten; /* bytes of the segment that are no longer in the page cache, from its start */
    uint32_t index_interval_bytes;
    uint32_t generation; /* of the log: a compaction meanwhile makes the answer void */
    int64_t batches_end; /* set when a read has come to the segment's end: behind its last batch */
    bool dense;
    bool index_is_new; /* built, not read: to be saved */
    int code;
};

struct log_read {
    /* Set by the caller before partition_log_read. */
    int64_t offset;       /* first one wanted; the batch that holds it comes whole */
    int64_t upper_offset; /* batches at or after it are not shown: the high watermark, the last stable offset, or the end */
    size_t bytes_max;     /* of all batches together... */
    bool first_always;    /* ...but the first one comes even when it is larger (KIP-74) */
    struct slice *slices; /* the caller's array, at least 1 */
    size_t slices_max;

    /* The answer: batches in order, each slice with a hold on its buffer. */
    size_t slice_count;
    size_t bytes;
    int64_t next_offset; /* behind the last batch; `offset` when there is none */

    /* MILL_ECORRUPT: from where on reading is possible again (-1: nowhere). The broker answers CORRUPT_MESSAGE. */
    int64_t resume_offset;
    struct error_text error;

    struct log_cold cold;
};

/*
 * Reads from the hot tail: 0 with the answer, perhaps empty (at the end, or at upper_offset). LOG_COLD: the bytes lie on disk;
 * run log_read_run, then end. MILL_EOUTOFRANGE: below the log start or above the log end. A read does not go beyond one segment.
 */
MILL_MUST_USE int partition_log_read(struct partition_log *log, struct log_read *read);

/*
 * Reads one buffer of whole batches and checks each (CRC, length, order). Any thread; allocates the buffer. For a log at rest,
 * any owner may call it in place.
 */
void log_read_run(struct log_read *read);

/*
 * 0 with the answer; MILL_ECORRUPT as above; MILL_EAGAIN: read again, from `offset`, since the segment has gone
 * meanwhile, or has no more batches and `offset` is now where the next one begins; MILL_ENOMEM; MILL_EIO. After an error
 * nothing is held.
 */
MILL_MUST_USE int partition_log_read_end(struct partition_log *log, struct log_read *read);

/* Drops what the answer holds, in whatever state the read is. Any thread; call it once when the slices are sent. */
void log_read_release(struct log_read *read);

/* ---- find by timestamp ----------------------------------------------------------------------------------------------------- */

enum { LOG_MAX_TIMESTAMP = -3 }; /* ListOffsets' code (KIP-734) */

struct log_lookup {
    int64_t timestamp_ms; /* the first record at or after it is looked for; LOG_MAX_TIMESTAMP: the one with the largest */
    int64_t upper_offset; /* records at or after it do not count */

    int64_t offset; /* the answer, -1 when there is none */
    int64_t found_timestamp_ms;
    int32_t leader_epoch;
    struct error_text error;

    struct log_cold cold;
    int64_t looked_for_ms; /* timestamp_ms, or the largest that the indexes know */
    int64_t from_offset;   /* the log start: records before it are deleted */
    int64_t entry_offset;  /* the time index's entry that is trusted until its batch has been seen; -1: none, or seen */
    int64_t entry_timestamp_ms;
};

/*
 * Records inside a batch count one by one, also in compressed ones. 0: answered (none); LOG_COLD: run, then end, which may say
 * LOG_COLD again when the segment that was asked had none and the next one is to be asked.
 */
MILL_MUST_USE int partition_log_lookup(struct partition_log *log, struct log_lookup *lookup);
void log_lookup_run(struct log_lookup *lookup); /* WORK_READ */
/* 0, LOG_COLD, MILL_EAGAIN (begin again), or an error with lookup->error. */
MILL_MUST_USE int partition_log_lookup_end(struct partition_log *log, struct log_lookup *lookup);
void log_lookup_release(struct log_lookup *lookup); /* instead of end, when the log is gone */

/* ---- ageing and cutting ---------------------------------------------------------------------------------------------------- */

/*
 * Rolls by time, applies retention (see retention.h; files go once a checkpoint covers them), removes files whose delay is over,
 * forgets expired producers, lets go of an idle hot tail. Call it every few minutes, and after a config change.
 * Returns 0 or an error, which is a warning: try again next time.
 */
int partition_log_maintain(struct partition_log *log, struct io_time now);

/*
 * Recovery point and log start on disk are these now: segments below both are removed, and only they, so that the next open can
 * tell what retention took from what a power cut did, and from what was lost. The data directory calls it after each checkpoint;
 * with INT64_MAX as the log start when the disk was too full to write one, for then only retention can make room.
 */
void partition_log_checkpointed(struct partition_log *log, int64_t recovery_point, int64_t log_start);

/*
 * DeleteRecords: moves the log start to `offset` (at most the high watermark; the broker turns -1 into that) and drops segments
 * that lie below. 0, or MILL_EOUTOFRANGE. It is durable with the next checkpoint of the data directory (log_directory.h).
 */
MILL_MUST_USE int partition_log_delete_records(struct partition_log *log, int64_t offset, struct io_time now);

/* Starts a new segment now. 0 also when the active one is empty. */
MILL_MUST_USE int partition_log_roll(struct partition_log *log, struct io_time now);

#endif
