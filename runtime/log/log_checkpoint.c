/* Index files to be synced and texts to be written, gathered on the loop and carried out by a worker. */
#include "log/log_checkpoint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "log/log_files.h"
#include "log/partition_log_state.h"

enum { CHECKPOINT_BYTES_MAX = 256 << 20 };

struct log_part {
    char *path;
    int64_t base_offset;  /* of the segment whose index has new entries */
    struct buffer epochs; /* empty: they have not changed */
};

struct log_checkpoint {
    struct disk *disk;
    char *path;
    struct buffer recovery_points;
    struct buffer log_starts;
    struct buffer first_dirty;
    struct buffer topic_ids;
    struct log_part *parts;
    size_t part_count;
    size_t part_capacity;
    int code;
};

struct log_checkpoint *log_checkpoint_new(struct disk *disk, const char *path, size_t logs_max)
{
    struct log_checkpoint *checkpoint = mem_calloc(1, sizeof *checkpoint);
    if (!checkpoint)
        return NULL;
    checkpoint->disk = disk;
    checkpoint->path = mem_strdup(path);
    checkpoint->parts = mem_calloc(logs_max + 1, sizeof *checkpoint->parts);
    checkpoint->part_capacity = logs_max;
    buffer_init(&checkpoint->recovery_points, CHECKPOINT_BYTES_MAX);
    buffer_init(&checkpoint->log_starts, CHECKPOINT_BYTES_MAX);
    buffer_init(&checkpoint->first_dirty, CHECKPOINT_BYTES_MAX);
    buffer_init(&checkpoint->topic_ids, CHECKPOINT_BYTES_MAX);
    if (!checkpoint->path || !checkpoint->parts) {
        log_checkpoint_free(checkpoint);
        return NULL;
    }
    return checkpoint;
}

void log_checkpoint_free(struct log_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->part_count; i++) {
        buffer_release(&checkpoint->parts[i].epochs);
        mem_free(checkpoint->parts[i].path);
    }
    buffer_release(&checkpoint->recovery_points);
    buffer_release(&checkpoint->log_starts);
    buffer_release(&checkpoint->first_dirty);
    buffer_release(&checkpoint->topic_ids);
    mem_free(checkpoint->parts);
    mem_free(checkpoint->path);
    mem_free(checkpoint);
}

/* ---- on the loop ----------------------------------------------------------------------------------------------------------- */

int log_checkpoint_add(struct log_checkpoint *checkpoint, struct partition_log *log)
{
    struct segment_index *index = &log_active(log)->index;
    bool has_entries = index->offsets.count > index->offsets_saved || index->times.count > index->times_saved ||
                       log->aborted_saved < log->txns.aborted_count;
    if (!has_entries && !log->epochs.changed)
        return 0;
    mill_assert(checkpoint->part_count < checkpoint->part_capacity);
    struct log_part *part = &checkpoint->parts[checkpoint->part_count++];
    part->base_offset = log_active(log)->base_offset;
    buffer_init(&part->epochs, CHECKPOINT_BYTES_MAX);
    part->path = mem_strdup(partition_log_path(log));
    if (!part->path)
        return MILL_ENOMEM;
    /* Without them recovery begins at the last entry that is there, which takes longer and finds the same. */
    if (has_entries && segment_index_save(index, log->disk, log->path, false) < 0)
        trace_warn(log->name, "index entries could not be written");
    if (has_entries && log_save_aborted(log) < 0)
        trace_warn(log->name, "aborted transactions could not be written to their index");
    if (log->epochs.changed)
        epoch_cache_encode(&log->epochs, &part->epochs);
    return part->epochs.failed ? MILL_ENOMEM : 0;
}

int log_checkpoint_set_offsets(struct log_checkpoint *checkpoint, const struct log_checkpoint_offsets *offsets)
{
    offset_checkpoint_encode(offsets->recovery_points, &checkpoint->recovery_points);
    offset_checkpoint_encode(offsets->log_starts, &checkpoint->log_starts);
    offset_checkpoint_encode(offsets->first_dirty, &checkpoint->first_dirty);
    offset_checkpoint_encode(offsets->topic_ids, &checkpoint->topic_ids);
    bool failed = checkpoint->recovery_points.failed || checkpoint->log_starts.failed || checkpoint->first_dirty.failed ||
                  checkpoint->topic_ids.failed;
    return failed ? MILL_ENOMEM : 0;
}

void log_checkpoint_fail(struct log_checkpoint *checkpoint)
{
    checkpoint->code = MILL_ENOMEM;
}

int log_checkpoint_code(const struct log_checkpoint *checkpoint)
{
    return checkpoint->code;
}

const char *log_checkpoint_epochs_of(const struct log_checkpoint *checkpoint, size_t i)
{
    for (size_t at = 0; at < checkpoint->part_count; at++) {
        const struct log_part *part = &checkpoint->parts[at];
        if (part->path && part->epochs.len > 0 && i-- == 0)
            return strrchr(part->path, '/') + 1;
    }
    return NULL;
}

/* ---- on a worker ----------------------------------------------------------------------------------------------------------- */

static int write_part(struct disk *disk, const struct log_part *part)
{
    int code = segment_index_sync(disk, part->path, part->base_offset);
    if (code == 0)
        code = disk_sync_directory(disk, part->path);
    if (code == 0 && part->epochs.len > 0) {
        char path[LOG_PATH_BYTES];
        log_path(path, part->path, EPOCH_FILE);
        code = disk_replace_file(disk, path, part->epochs.data, part->epochs.len);
    }
    return code == MILL_ENOTFOUND ? 0 : code; /* the log has been removed meanwhile */
}

static int write_text(const struct log_checkpoint *checkpoint, const char *name, const struct buffer *text)
{
    char path[LOG_PATH_BYTES];
    log_path(path, checkpoint->path, name);
    return disk_replace_file(checkpoint->disk, path, text->data, text->len);
}

void log_checkpoint_run(struct log_checkpoint *checkpoint)
{
    int code = 0;
    for (size_t i = 0; i < checkpoint->part_count && code == 0; i++)
        code = write_part(checkpoint->disk, &checkpoint->parts[i]);
    if (code == 0)
        code = write_text(checkpoint, RECOVERY_POINT_FILE, &checkpoint->recovery_points);
    if (code == 0)
        code = write_text(checkpoint, LOG_START_FILE, &checkpoint->log_starts);
    if (code == 0)
        code = write_text(checkpoint, FIRST_DIRTY_FILE, &checkpoint->first_dirty);
    /* Last: until it is there, offsets of a topic that is new under an old name are not believed. */
    if (code == 0)
        code = write_text(checkpoint, TOPIC_ID_FILE, &checkpoint->topic_ids);
    checkpoint->code = code;
}
