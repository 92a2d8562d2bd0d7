/*
 * A data directory: the logs of all partitions that lie in it, and the few files that they share.
 *
 *      meta.properties                    whose directory this is                  meta_properties.h
 *      .lock                              held while open: one process at a time
 *      .kafka_cleanshutdown               there only between a clean close and the next open
 *      recovery-point-offset-checkpoint   below it a log is known to be synced     offset_checkpoint.h
 *      log-start-offset-checkpoint        what DeleteRecords and retention moved
 *      cleaner-offset-checkpoint          up to where a log is compacted               compaction.h
 *      topic-id-checkpoint                whose offsets the others are, so that a topic made again under its old name has none
 *      <topic>-<partition>/               a log                                    partition_log.h
 *      <topic>-<partition>.<hex>-delete/  a log that is being removed
 *
 * After a clean close nothing is scanned. Thread: the loop that owns the logs, but for log_checkpoint_run and log_removal_run.
 */
#ifndef LOG_LOG_DIRECTORY_H
#define LOG_LOG_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/io.h"
#include "log/meta_properties.h"
#include "log/partition_log.h"

struct log_directory;

struct log_directory_options {
    struct disk *disk;
    const char *path;                /* made if missing, with parents; copied */
    struct meta_properties identity; /* for a new directory; an existing one's cluster id and node id must be the same, unless
                                           cluster_id is "" (take what is there) */
    size_t open_files_max;           /* of old segments; active ones are beside it. 0: a default of 256 */
};

/*
 * Locks, reads the shared files, and takes away the clean mark (synced before it returns), so that from here on a crash is
 * unclean. Returns 0; MILL_ELOCKED: another process has it; MILL_EINVALID: it is another broker's; MILL_EUNSUPPORTED: a newer
 * version wrote it; MILL_ENOMEM; an I/O error. `error` says which file and what to do.
 */
MILL_MUST_USE int log_directory_open(const struct log_directory_options *options, struct log_directory **directory,
                                     struct error_text *error);

const struct meta_properties *log_directory_identity(const struct log_directory *directory);
const char *log_directory_path(const struct log_directory *directory);
bool log_directory_was_clean(const struct log_directory *directory);

/* Calls back for each partition directory on disk, opened or not: to find strays. Non-zero ends it and is returned. */
int log_directory_each(struct log_directory *directory, int (*each)(void *ctx, const char *topic, int32_t partition), void *ctx);

/*
 * Opens or makes the log of a partition; it belongs to the directory until log_directory_close_log, _remove_log or _close.
 * `topic_id` as in partition_log_options. MILL_EINVALID also for a topic name that is no file name (the broker has checked it
 * before).
 */
MILL_MUST_USE int log_directory_open_log(struct log_directory *directory, const char *topic, int32_t partition,
                                         const uint8_t topic_id[TOPIC_ID_BYTES], const struct log_config *config,
                                         struct io_time now, struct partition_log **log, struct error_text *error);

/* Is there a log of it on disk, or does a checkpoint say that this topic had one? */
bool log_directory_has_log(struct log_directory *directory, const char *topic, int32_t partition,
                           const uint8_t topic_id[TOPIC_ID_BYTES]);

/* ---- removing a log: rename (loop), remove the tree (WORK_BACKGROUND) ------------------------------------------------------ */

struct log_removal {
    struct disk *disk;
    char *path; /* owned: the renamed directory */
    int code;
};

/*
 * Closes the log and renames its directory, so that the name is free at once; `random` makes the new name unique. After a
 * crash the next log_directory_open removes what is left. Returns 0 with `removal` to be run and released, or an error; the
 * log is closed either way.
 */
MILL_MUST_USE int log_directory_remove_log(struct log_directory *directory, struct partition_log *log, const uint8_t random[16],
                                           struct log_removal *removal, struct error_text *error);
void log_removal_run(struct log_removal *removal); /* WORK_BACKGROUND */
void log_removal_release(struct log_removal *removal);

/* ---- checkpoint: recovery points and log starts ---------------------------------------------------------------------------- */

struct log_checkpoint; /* opaque */

/*
 * Notes how far each log is synced, and writes what is needed of it below that and not on disk yet (log_checkpoint.h): after a
 * kill -9 only what came later is read. Regularly, and after DeleteRecords. begin (loop), then step (loop) until it returns 0
 * or an error, either of which frees; one at a time. NULL: no memory.
 *
 * step returns LOG_CHECKPOINT_RUNS when log_checkpoint_run is to be called (WORK_BACKGROUND) before the next step, and
 * LOG_CHECKPOINT_ADDS when the next step is better made a little later: enough has been written at once. Logs may be opened,
 * removed and written to in between. cancel instead of a step ends it early, before the directory is closed.
 */
enum { LOG_CHECKPOINT_RUNS = 1, LOG_CHECKPOINT_ADDS = 2 };

struct log_checkpoint *log_directory_checkpoint_begin(struct log_directory *directory);
MILL_MUST_USE int log_directory_checkpoint_step(struct log_directory *directory, struct log_checkpoint *checkpoint);
void log_directory_checkpoint_cancel(struct log_directory *directory, struct log_checkpoint *checkpoint);
void log_checkpoint_run(struct log_checkpoint *checkpoint);

/*
 * Closes all logs and frees. `clean` as in partition_log_close, then writes checkpoints and the clean mark; an error means
 * that the next open will scan. A checkpoint under way is to be ended or cancelled before.
 */
int log_directory_close(struct log_directory *directory, bool clean, struct error_text *error);

#endif
