/*
 * Group commit: what has been appended becomes durable, a round at a time.
 *
 * A round takes the files that hold unsynced bytes, oldest first, and the directory when files were made in it; the synced end
 * moves only when all of that has succeeded. A failed sync is final: what the kernel dropped cannot be known (fsync marks pages
 * clean even when it fails), so nothing appended since the last good round is ever acknowledged.
 */
#include "log/partition_log.h"

#include <string.h>

#include "base/assert.h"
#include "log/partition_log_state.h"

bool partition_log_is_dirty(const struct partition_log *log)
{
    return log->synced_end < partition_log_end_offset(log);
}

bool partition_log_sync_is_due(const struct partition_log *log, struct io_time now)
{
    if (!partition_log_is_dirty(log) || log->syncing || log->failed)
        return false;
    return partition_log_end_offset(log) - log->synced_end >= log->config.flush_messages ||
           (now.monotonic_us - log->dirty_since_us) / 1000 >= log->config.flush_ms;
}

int64_t log_recovery_point(const struct partition_log *log)
{
    int64_t point = log->synced_end < log->checkpoint_end ? log->synced_end : log->checkpoint_end;
    for (size_t i = log->segment_count; i > 0; i--)
        if (log->segments[i - 1]->index_dirty && log->segments[i - 1]->base_offset < point)
            point = log->segments[i - 1]->base_offset;
    int64_t aborted_end = log_aborted_saved_end(log);
    return point < aborted_end ? point : aborted_end;
}

static bool needs_sync(const struct partition_log *log, size_t i)
{
    return log_segment_end(log, i) > log->synced_end || log->segments[i]->index_dirty;
}

static size_t first_dirty(const struct partition_log *log)
{
    size_t first = log->segment_count - 1;
    while (first > 0 && needs_sync(log, first - 1))
        first--;
    return first;
}

/* A hold on the segment's open file, or on one to be opened. */
static struct segment_files *hold_files(struct partition_log *log, struct segment *segment)
{
    if (!segment->files)
        return segment_files_new(log->disk, log->path, segment->base_offset);
    segment_files_hold(segment->files);
    return segment->files;
}

int partition_log_sync_begin(struct partition_log *log, struct log_sync *sync)
{
    if (log->failed)
        return error_set(&log->error, MILL_EIO, "%s: a sync has failed; restart the broker to recover the log", log->name);
    if (log->syncing)
        return error_set(&log->error, MILL_EAGAIN, "%s: a sync is under way", log->name);
    size_t first = first_dirty(log);
    /* A segment that rolled while all was synced has indexes that are not, although no batch waits for it. */
    if (!partition_log_is_dirty(log) && first + 1 == log->segment_count)
        return 0;

    *sync = (struct log_sync){ 0 };
    for (size_t i = first; i < log->segment_count && sync->file_count < LOG_SYNC_FILES_MAX; i++) {
        struct segment *segment = log->segments[i];
        struct segment_files *files = hold_files(log, segment);
        if (!files) {
            log_sync_release(sync);
            return error_set(&log->error, MILL_ENOMEM, "%s: no memory for a sync", log->name);
        }
        sync->rolled |= (uint32_t)segment->index_dirty << sync->file_count;
        sync->files[sync->file_count++] = files;
        sync->end = log_segment_end(log, i);
    }
    page_cache_plan(log, sync);
    sync->directories = log->directory_dirty;
    log->directory_dirty = false;
    log->syncing = true;
    return 1;
}

/* A segment that has rolled brings its indexes, the one behind it the producers' snapshot of that moment. */
static int sync_files(struct segment_files *files, bool rolled, bool has_snapshot)
{
    int code = segment_files_open(files);
    if (code == 0)
        code = disk_sync(files->log);
    if (code == 0 && rolled)
        code = segment_index_sync(files->disk, files->directory, files->base_offset);
    if (code == 0 && has_snapshot)
        code = log_sync_file(files->disk, files->directory, files->base_offset, SUFFIX_SNAPSHOT);
    return code;
}

int log_sync_directories(struct disk *disk, const char *path)
{
    int code = disk_sync_directory(disk, path);
    if (code < 0)
        return code;
    char parent[LOG_PATH_BYTES];
    memcpy(parent, path, strlen(path) + 1);
    char *slash = strrchr(parent, '/');
    if (!slash)
        return disk_sync_directory(disk, ".");
    slash[slash == parent] = '\0';
    return disk_sync_directory(disk, parent);
}

void log_sync_run(struct log_sync *sync)
{
    sync->code = 0;
    for (size_t i = 0; i < sync->file_count && sync->code == 0; i++) {
        bool follows_a_roll = i > 0;
        sync->code = sync_files(sync->files[i], (sync->rolled >> i & 1) != 0, follows_a_roll);
    }
    if (sync->code == 0 && sync->directories)
        sync->code = log_sync_directories(sync->files[0]->disk, sync->files[0]->directory);
    if (sync->code == 0 && sync->forget && sync->forget->log)
        disk_forget(sync->forget->log, sync->forget_offset, sync->forget_len);
}

void log_sync_release(struct log_sync *sync)
{
    for (size_t i = 0; i < sync->file_count; i++)
        segment_files_drop(sync->files[i]);
    sync->file_count = 0;
    segment_files_drop(sync->forget);
    sync->forget = NULL;
}

int partition_log_sync_end(struct partition_log *log, struct log_sync *sync)
{
    mill_assert(log->syncing);
    log->syncing = false;
    for (size_t i = 0; i < sync->file_count && sync->code == 0; i++) {
        if (sync->rolled >> i & 1) {
            struct segment *segment = log->segments[log_find_segment(log, sync->files[i]->base_offset)];
            if (segment->base_offset == sync->files[i]->base_offset)
                segment->index_dirty = false;
        }
    }
    log_sync_release(sync);
    if (sync->code < 0) {
        log->failed = true;
        return error_set(&log->error, sync->code,
                         "%s: offsets from %lld on could not be synced (%s): none of them is acknowledged; "
                         "check the disk and restart the broker to recover the log",
                         log->name, (long long)log->synced_end, mill_error_text(sync->code));
    }
    if (sync->end > log->synced_end)
        log->synced_end = sync->end;
    return 0;
}

int partition_log_sync(struct partition_log *log)
{
    struct log_sync sync;
    int code;
    while ((code = partition_log_sync_begin(log, &sync)) == 1) {
        log_sync_run(&sync);
        code = partition_log_sync_end(log, &sync);
        if (code < 0)
            return code;
    }
    return code;
}
