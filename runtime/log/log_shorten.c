/*
 * What makes a log shorter: retention and DeleteRecords, both from the front.
 *
 * Files are renamed first, so that a crash never shows half a segment, and removed when the delay is over; whoever still reads
 * one has it open.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "log/partition_log.h"
#include "log/partition_log_state.h"
#include "log/retention.h"

/*
 * The log goes after what it can do without, which would be litter without it; and before the transaction index, without which a
 * segment that a crash brings back would show what was aborted.
 */
static const char *const suffixes[] = { SUFFIX_INDEX, SUFFIX_TIME_INDEX, SUFFIX_SNAPSHOT, SUFFIX_LOG, SUFFIX_TXN_INDEX };

enum { AT_SNAPSHOT = 2, AT_TXN_INDEX = 4, SUFFIX_COUNT = sizeof suffixes / sizeof suffixes[0], IDLE_TAIL_US = 5 * 60 * 1000000 };

/* ---- removing files -------------------------------------------------------------------------------------------------------- */

static int rename_file(struct partition_log *log, int64_t base_offset, const char *suffix)
{
    char from[LOG_PATH_BYTES];
    char to[LOG_PATH_BYTES];
    log_segment_path(from, log->path, base_offset, suffix);
    log_segment_path_with(to, log->path, base_offset, suffix, SUFFIX_DELETED);
    int code = disk_rename(log->disk, from, to);
    if (code == MILL_ENOTFOUND)
        return 0;
    if (code < 0)
        trace_warn(log->name, "%s could not be renamed: %s; it comes back at the next start", from, mill_error_text(code));
    return code;
}

/* Before the transaction index goes, the log has gone durably. */
static int settle_log(struct partition_log *log, int64_t base_offset)
{
    char path[LOG_PATH_BYTES];
    struct disk_entry entry;
    log_segment_path(path, log->path, base_offset, SUFFIX_TXN_INDEX);
    return disk_stat(log->disk, path, &entry) < 0 ? 0 : disk_sync_directory(log->disk, log->path);
}

static int remove_files(struct partition_log *log, int64_t base_offset, const char *behind, bool keep_snapshot)
{
    char path[LOG_PATH_BYTES];
    int failed = 0;
    for (int i = 0; i < SUFFIX_COUNT; i++) {
        if (keep_snapshot && i == AT_SNAPSHOT)
            continue;
        int code = i == AT_TXN_INDEX ? settle_log(log, base_offset) : 0;
        log_segment_path_with(path, log->path, base_offset, suffixes[i], behind);
        if (code == 0)
            code = disk_remove(log->disk, path);
        if (code < 0 && code != MILL_ENOTFOUND)
            failed = code;
    }
    return failed;
}

int log_retire_files(struct partition_log *log, int64_t base_offset, bool keep_snapshot, struct io_time now)
{
    struct deleted_segment *deleted = mem_alloc(sizeof *deleted);
    if (!deleted)
        return remove_files(log, base_offset, "", keep_snapshot);
    int failed = 0;
    for (int i = 0; i < SUFFIX_COUNT; i++) {
        if (keep_snapshot && i == AT_SNAPSHOT)
            continue;
        int code = i == AT_TXN_INDEX ? settle_log(log, base_offset) : 0;
        if (code == 0)
            code = rename_file(log, base_offset, suffixes[i]);
        failed = code < 0 ? code : failed;
    }
    deleted->base_offset = base_offset;
    deleted->due_us = now.monotonic_us + log->config.file_delete_delay_ms * 1000;
    list_push_back(&log->deleted, &deleted->link);
    return failed;
}

static int remove_due(struct partition_log *log, struct io_time now)
{
    int failed = 0;
    list_for_each_safe (node, &log->deleted) {
        struct deleted_segment *deleted = list_entry(node, struct deleted_segment, link);
        if (deleted->due_us > now.monotonic_us)
            break;
        int code = remove_files(log, deleted->base_offset, SUFFIX_DELETED, false);
        if (code < 0)
            failed = code;
        list_remove(node);
        mem_free(deleted);
    }
    return failed;
}

void log_drop_segments(struct partition_log *log, size_t from, size_t to, struct io_time now)
{
    for (size_t i = from; i < to; i++) {
        (void)log_retire_files(log, log->segments[i]->base_offset, false, now); /* what stays comes back at the next start */
        open_files_close(log->open_files, log->segments[i]);
        segment_free(log->segments[i]);
    }
    memmove(log->segments + from, log->segments + to, (log->segment_count - to) * sizeof(struct segment *));
    log->segment_count -= to - from;
    log->directory_dirty = true;
}

/* ---- the front ------------------------------------------------------------------------------------------------------------- */

static size_t count_expired(struct partition_log *log, struct io_time now)
{
    struct retention_view *views = mem_calloc(log->segment_count, sizeof *views);
    if (!views)
        return 0;
    for (size_t i = 0; i < log->segment_count; i++) {
        struct segment *segment = log->segments[i];
        views[i] = (struct retention_view){ .end_offset = log_segment_end(log, i),
                                            .bytes = segment->bytes,
                                            .max_timestamp_ms = segment_max_timestamp(segment, log->disk, log->path),
                                            .last_append_ms = segment->last_append_ms };
    }
    struct retention_bounds bounds = { .log_start = log->log_start,
                                       .high_watermark = partition_log_high_watermark(log),
                                       .now_ms = now.wall_ms };
    size_t count = retention_count(&log->config, views, log->segment_count, bounds);
    mem_free(views);
    return count;
}

/*
 * Drops the segments that lie below the log start, as far as a checkpoint says so too. Renames may reach the disk in any order,
 * and leave gaps: below the recovery point recovery does not ask why, and below the log start nothing is missed. While a
 * compaction is under way the files that it reads stay; the next maintenance drops them.
 */
static void drop_front(struct partition_log *log)
{
    if (log->compaction)
        return;
    int64_t below = log->log_start < log->checkpointed ? log->log_start : log->checkpointed;
    if (log->checkpointed_start < below)
        below = log->checkpointed_start;
    size_t count = 0;
    while (count + 1 < log->segment_count && log_segment_end(log, count) <= below)
        count++;
    if (count == 0)
        return;
    log_drop_segments(log, 0, count, log->start_moved);
    log_forget_aborted(log);
}

void partition_log_checkpointed(struct partition_log *log, int64_t recovery_point, int64_t log_start)
{
    log->checkpointed = recovery_point;
    log->checkpointed_start = log_start;
    drop_front(log);
}

static void move_start(struct partition_log *log, int64_t offset, struct io_time now)
{
    if (offset > log->log_start) {
        log->log_start = offset;
        log->start_moved = now;
        epoch_cache_truncate_start(&log->epochs, offset);
    }
    drop_front(log);
}

/*
 * Drops what retention says; the active segment too, after a new one has taken its place. When that cannot be made, as on a full
 * disk, the others go all the same: they make the room for it.
 */
static int drop_expired(struct partition_log *log, struct io_time now)
{
    size_t count = count_expired(log, now);
    if (count == log->segment_count && log_active(log)->bytes == 0)
        count--;
    int code = count == log->segment_count && count > 0 ? partition_log_roll(log, now) : 0;
    if (code < 0)
        count--;
    if (count > 0)
        move_start(log, log->segments[count]->base_offset, now);
    return code;
}

int partition_log_maintain(struct partition_log *log, struct io_time now)
{
    int code = 0;
    if (!log->failed && segment_is_aged(log_active(log), &log->config, -1, now))
        code = partition_log_roll(log, now);
    int dropped = drop_expired(log, now);
    code = code == 0 ? dropped : code;
    int removed = remove_due(log, now);
    producer_state_expire(&log->producers, now.wall_ms, log->config.producer_id_expiration_ms);
    if (now.monotonic_us - log->last_append_us > IDLE_TAIL_US)
        hot_tail_clear(&log->tail);
    if (code == 0 && removed < 0)
        return error_set(&log->error, removed, "%s: expired files could not be removed: %s", log->name, mill_error_text(removed));
    return code;
}

int partition_log_delete_records(struct partition_log *log, int64_t offset, struct io_time now)
{
    if (offset < 0 || offset > partition_log_high_watermark(log))
        return error_set(&log->error, MILL_EOUTOFRANGE, "%s: offset %lld lies outside [0, %lld]", log->name, (long long)offset,
                         (long long)partition_log_high_watermark(log));
    move_start(log, offset, now);
    return 0;
}
