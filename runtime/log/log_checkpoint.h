/*
 * One checkpoint of a data directory, on its way to disk: see log_directory_checkpoint_begin, which puts it together from these.
 *
 * A recovery point may only be written when the index entries below it, and the leader epochs, are durable. Index entries are
 * written to the page cache by the loop, when a log is added; a worker syncs them, replaces the epochs' files, then the
 * files of offsets.
 */
#ifndef LOG_LOG_CHECKPOINT_H
#define LOG_LOG_CHECKPOINT_H

#include "log/log_directory.h"
#include "log/offset_checkpoint.h"

/* Room for `logs_max` logs. NULL: no memory. */
struct log_checkpoint *log_checkpoint_new(struct disk *disk, const char *path, size_t logs_max);
void log_checkpoint_free(struct log_checkpoint *checkpoint);

/* Loop. Writes the log's new index entries, and takes its epochs if they have changed. 0 or MILL_ENOMEM. */
MILL_MUST_USE int log_checkpoint_add(struct log_checkpoint *checkpoint, struct partition_log *log);

struct log_checkpoint_offsets {
    const struct offset_checkpoint *recovery_points;
    const struct offset_checkpoint *log_starts;
    const struct offset_checkpoint *first_dirty;
    const struct offset_checkpoint *topic_ids;
};

/* Last, before run: copies the offsets as the files' texts. 0 or MILL_ENOMEM. */
MILL_MUST_USE int log_checkpoint_set_offsets(struct log_checkpoint *checkpoint, const struct log_checkpoint_offsets *offsets);

/* It is not to be run: as if that had failed. */
void log_checkpoint_fail(struct log_checkpoint *checkpoint);

/* What run found. */
int log_checkpoint_code(const struct log_checkpoint *checkpoint);

/* The name of the ith log whose epochs it took, NULL behind the last: after a failure they are to be taken again. */
const char *log_checkpoint_epochs_of(const struct log_checkpoint *checkpoint, size_t i);

#endif
