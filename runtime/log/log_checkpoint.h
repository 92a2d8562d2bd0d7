/*
 * One checkpoint of a data directory, on its way to disk: see log_directory_checkpoint_begin, which puts it together from these.
 *
 * A recovery point may only be written when what is needed of the log below it is on disk: index entries, aborted transactions,
 * leader epochs, and the producers as they were at that offset. So there are two runs of a worker. The first writes that as it is
 * at the log end of the moment when the log was added. Meanwhile the log's own syncs go on, and have mostly reached that offset
 * when the second writes the files of offsets: then the recovery point is where the producers' snapshot is, and a start reads
 * nothing below it.
 *
 * The loop writes index entries to the page cache when a log is added. They and the snapshots are synced only where much would
 * have to be read without them; of the others the kernel takes care in its time, and a power cut before that costs a start
 * the reading of a few megabytes.
 */
#ifndef LOG_LOG_CHECKPOINT_H
#define LOG_LOG_CHECKPOINT_H

#include "log/log_directory.h"
#include "log/offset_checkpoint.h"

/* Room for `logs_max` logs. NULL: no memory. */
struct log_checkpoint *log_checkpoint_new(struct disk *disk, const char *path, size_t logs_max);
void log_checkpoint_free(struct log_checkpoint *checkpoint);

/* Logs that are still to be added, by their checkpoint_link. */
struct list *log_checkpoint_waiting(struct log_checkpoint *checkpoint);

/* Loop. Writes the log's new index entries, takes its producers and its epochs if they have changed. 0 or MILL_ENOMEM. */
MILL_MUST_USE int log_checkpoint_add(struct log_checkpoint *checkpoint, struct partition_log *log);

/* What has been added of one log. */
struct log_checkpoint_part {
    char *path;
    uint8_t topic_id[TOPIC_ID_BYTES];
    int64_t base_offset;     /* of the segment whose index has new entries */
    int64_t end;             /* the log end that all this is of */
    int64_t appended_bytes;  /* the log's, at that moment */
    bool synced;             /* index and snapshot: much would have to be read without them, or something wrong */
    struct buffer epochs;    /* empty: they have not changed */
    struct buffer producers; /* empty: there is a snapshot of this offset */
    int64_t obsolete[2];     /* older snapshots that go when the recovery point is on disk; -1: none */
    int code;                /* of writing it; what went wrong in one log's directory holds up no other log */
};

/* The ith, NULL behind the last. */
struct log_checkpoint_part *log_checkpoint_part_at(const struct log_checkpoint *checkpoint, size_t i);

enum log_checkpoint_phase { CHECKPOINT_ADDS, CHECKPOINT_WRITES_PARTS, CHECKPOINT_WRITES_OFFSETS };

enum log_checkpoint_phase log_checkpoint_phase_of(const struct log_checkpoint *checkpoint);

/* All have been added: the next run writes the parts. */
void log_checkpoint_set_parts(struct log_checkpoint *checkpoint);

struct log_checkpoint_offsets {
    struct offset_checkpoint *recovery_points;
    struct offset_checkpoint *log_starts;
    struct offset_checkpoint *first_dirty;
    struct offset_checkpoint *topic_ids;
};

/*
 * The next run writes the files of offsets, those that have changed, and removes what is obsolete: copies their texts.
 * LOG_CHECKPOINT_RUNS, 0 when there is nothing to be run, or MILL_ENOMEM.
 */
MILL_MUST_USE int log_checkpoint_set_offsets(struct log_checkpoint *checkpoint, const struct log_checkpoint_offsets *offsets);

/* What run found that concerns all logs: a full disk, or a file of offsets that could not be written. */
int log_checkpoint_code(const struct log_checkpoint *checkpoint);

#endif
