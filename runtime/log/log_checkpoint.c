/* Index files to be synced, snapshots and texts to be written, gathered on the loop and carried out by a worker. */
#include "log/log_checkpoint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "log/log_files.h"
#include "log/partition_log_state.h"

enum {
    CHECKPOINT_BYTES_MAX = 256 << 20,
    SYNCED_FROM_BYTES = 8 << 20 /* with so much appended since the last time: some ten milliseconds of reading */
};

/* The files of offsets, in the order in which they are written. */
enum { RECOVERY_POINTS, LOG_STARTS, FIRST_DIRTY, TOPIC_IDS, TEXT_COUNT };

static const char *const text_names[TEXT_COUNT] = {
    [RECOVERY_POINTS] = RECOVERY_POINT_FILE,
    [LOG_STARTS] = LOG_START_FILE,
    [FIRST_DIRTY] = FIRST_DIRTY_FILE,
    [TOPIC_IDS] = TOPIC_ID_FILE, /* last: until it is there, offsets of a topic that is new under an old name are not believed */
};

struct log_checkpoint {
    struct disk *disk;
    char *path;
    enum log_checkpoint_phase phase;
    struct list waiting;
    struct buffer texts[TEXT_COUNT]; /* empty: it has not changed */
    struct log_checkpoint_part *parts;
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
    list_init(&checkpoint->waiting);
    checkpoint->path = mem_strdup(path);
    checkpoint->parts = mem_calloc(logs_max + 1, sizeof *checkpoint->parts);
    checkpoint->part_capacity = logs_max;
    for (int i = 0; i < TEXT_COUNT; i++)
        buffer_init(&checkpoint->texts[i], CHECKPOINT_BYTES_MAX);
    if (!checkpoint->path || !checkpoint->parts) {
        log_checkpoint_free(checkpoint);
        return NULL;
    }
    return checkpoint;
}

void log_checkpoint_free(struct log_checkpoint *checkpoint)
{
    while (list_pop_front(&checkpoint->waiting))
        ;
    for (size_t i = 0; i < checkpoint->part_count; i++) {
        buffer_release(&checkpoint->parts[i].epochs);
        buffer_release(&checkpoint->parts[i].producers);
        mem_free(checkpoint->parts[i].path);
    }
    for (int i = 0; i < TEXT_COUNT; i++)
        buffer_release(&checkpoint->texts[i]);
    mem_free(checkpoint->parts);
    mem_free(checkpoint->path);
    mem_free(checkpoint);
}

/* ---- on the loop ----------------------------------------------------------------------------------------------------------- */

struct list *log_checkpoint_waiting(struct log_checkpoint *checkpoint)
{
    return &checkpoint->waiting;
}

static bool has_entries(const struct partition_log *log)
{
    const struct segment_index *index = &log_active(log)->index;
    return index->offsets.count > index->offsets_saved || index->times.count > index->times_saved;
}

static bool has_aborted(const struct partition_log *log)
{
    return log->aborted_saved < log->txns.aborted_count;
}

static int take(struct log_checkpoint_part *part, struct partition_log *log)
{
    part->path = mem_strdup(partition_log_path(log));
    if (!part->path)
        return MILL_ENOMEM;
    memcpy(part->topic_id, partition_log_topic_id(log), TOPIC_ID_BYTES);
    part->base_offset = log_active(log)->base_offset;
    part->end = partition_log_end_offset(log);
    part->appended_bytes = log->appended_bytes;
    /* Without them recovery begins at the last entry that is there, which takes longer and finds the same. */
    if (has_entries(log) && segment_index_save(&log_active(log)->index, log->disk, log->path, false) < 0 &&
        !log->checkpoint_failed)
        trace_warn(log->name, "index entries could not be written");
    if (has_aborted(log)) {
        log->txn_index_unsynced = true;
        if (log_save_aborted(log) < 0 && !log->checkpoint_failed)
            trace_warn(log->name, "aborted transactions could not be written to their index");
    }
    part->synced = log->txn_index_unsynced || log->appended_bytes - log->checkpoint_synced_bytes >= SYNCED_FROM_BYTES;
    if (log_needs_snapshot(log))
        producer_state_encode(&log->producers, &part->producers);
    if (log->epochs.changed)
        epoch_cache_encode(&log->epochs, &part->epochs);
    return part->epochs.failed || part->producers.failed ? MILL_ENOMEM : 0;
}

int log_checkpoint_add(struct log_checkpoint *checkpoint, struct partition_log *log)
{
    bool changed = has_entries(log) || has_aborted(log) || log->txn_index_unsynced || log->epochs.changed;
    if (!changed && !log_needs_snapshot(log)) {
        log->checkpoint_end = partition_log_end_offset(log);
        return 0;
    }
    mill_assert(checkpoint->part_count < checkpoint->part_capacity);
    struct log_checkpoint_part *part = &checkpoint->parts[checkpoint->part_count++];
    buffer_init(&part->epochs, CHECKPOINT_BYTES_MAX);
    buffer_init(&part->producers, CHECKPOINT_BYTES_MAX);
    part->obsolete[0] = -1;
    part->obsolete[1] = -1;
    return take(part, log);
}

struct log_checkpoint_part *log_checkpoint_part_at(const struct log_checkpoint *checkpoint, size_t i)
{
    return i < checkpoint->part_count ? &checkpoint->parts[i] : NULL;
}

enum log_checkpoint_phase log_checkpoint_phase_of(const struct log_checkpoint *checkpoint)
{
    return checkpoint->phase;
}

void log_checkpoint_set_parts(struct log_checkpoint *checkpoint)
{
    checkpoint->phase = CHECKPOINT_WRITES_PARTS;
}

int log_checkpoint_set_offsets(struct log_checkpoint *checkpoint, const struct log_checkpoint_offsets *offsets)
{
    struct offset_checkpoint *all[TEXT_COUNT] = {
        [RECOVERY_POINTS] = offsets->recovery_points,
        [LOG_STARTS] = offsets->log_starts,
        [FIRST_DIRTY] = offsets->first_dirty,
        [TOPIC_IDS] = offsets->topic_ids,
    };
    checkpoint->phase = CHECKPOINT_WRITES_OFFSETS;
    bool any = false;
    for (int i = 0; i < TEXT_COUNT; i++) {
        if (!all[i]->changed)
            continue;
        any = true;
        offset_checkpoint_encode(all[i], &checkpoint->texts[i]);
        if (checkpoint->texts[i].failed)
            return MILL_ENOMEM;
    }
    for (size_t i = 0; i < checkpoint->part_count; i++)
        any |= checkpoint->parts[i].obsolete[0] >= 0 || checkpoint->parts[i].obsolete[1] >= 0;
    return any ? LOG_CHECKPOINT_RUNS : 0;
}

int log_checkpoint_code(const struct log_checkpoint *checkpoint)
{
    return checkpoint->code;
}

/* ---- on a worker ----------------------------------------------------------------------------------------------------------- */

static int write_snapshot(struct disk *disk, const struct log_checkpoint_part *part)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, part->path, part->end, SUFFIX_SNAPSHOT);
    int code = log_write_file(disk, path, part->producers.data, part->producers.len);
    return code == 0 && part->synced ? log_sync_file(disk, part->path, part->end, SUFFIX_SNAPSHOT) : code;
}

static int write_part(struct disk *disk, const struct log_checkpoint_part *part)
{
    int code = part->synced ? segment_index_sync(disk, part->path, part->base_offset) : 0;
    if (code == 0 && part->producers.len > 0)
        code = write_snapshot(disk, part);
    if (code == 0 && part->synced)
        code = disk_sync_directory(disk, part->path);
    if (code == 0 && part->epochs.len > 0) {
        char path[LOG_PATH_BYTES];
        log_path(path, part->path, EPOCH_FILE);
        code = disk_replace_file(disk, path, part->epochs.data, part->epochs.len);
    }
    return code == MILL_ENOTFOUND ? 0 : code; /* the log has been removed meanwhile */
}

/* A full disk is everybody's: it ends the checkpoint. */
static int write_parts(struct log_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->part_count; i++) {
        struct log_checkpoint_part *part = &checkpoint->parts[i];
        part->code = write_part(checkpoint->disk, part);
        if (part->code == MILL_EDISKFULL)
            return part->code;
    }
    return 0;
}

static int write_text(const struct log_checkpoint *checkpoint, int i)
{
    char path[LOG_PATH_BYTES];
    log_path(path, checkpoint->path, text_names[i]);
    return disk_replace_file(checkpoint->disk, path, checkpoint->texts[i].data, checkpoint->texts[i].len);
}

static void remove_obsolete(struct disk *disk, const struct log_checkpoint_part *part)
{
    for (int i = 0; i < 2; i++) {
        if (part->obsolete[i] < 0)
            continue;
        char path[LOG_PATH_BYTES];
        log_segment_path(path, part->path, part->obsolete[i], SUFFIX_SNAPSHOT);
        (void)disk_remove(disk, path); /* what stays is removed at the next start */
    }
}

void log_checkpoint_run(struct log_checkpoint *checkpoint)
{
    int code = 0;
    if (checkpoint->phase == CHECKPOINT_WRITES_PARTS) {
        code = write_parts(checkpoint);
    } else {
        for (int i = 0; i < TEXT_COUNT && code == 0; i++)
            if (checkpoint->texts[i].len > 0)
                code = write_text(checkpoint, i);
        for (size_t i = 0; i < checkpoint->part_count && code == 0; i++)
            remove_obsolete(checkpoint->disk, &checkpoint->parts[i]);
    }
    checkpoint->code = code;
}
