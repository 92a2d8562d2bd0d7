/* A checking walk, and what is done where it stops. */
#include "log/recovery.h"

#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "log/batch_scan.h"
#include "log/log_files.h"

enum { COPY_BYTES = 256 << 10 };

static int fail(const struct recovery *recovery, const struct segment *segment, int code)
{
    return error_set(recovery->error, code, "%s: segment %lld cannot be recovered: %s", recovery->name,
                     (long long)segment->base_offset, mill_error_text(code));
}

/* ---- moving bytes ---------------------------------------------------------------------------------------------------------- */

static int copy_bytes(struct disk_file *from, struct disk_file *to, int64_t begin, int64_t end)
{
    uint8_t *chunk = mem_alloc(COPY_BYTES);
    if (!chunk)
        return MILL_ENOMEM;
    int code = 0;
    for (int64_t at = begin; at < end && code == 0;) {
        size_t len = end - at < COPY_BYTES ? (size_t)(end - at) : COPY_BYTES;
        ssize_t got = disk_read(from, chunk, len, at);
        if (got <= 0) {
            code = got < 0 ? (int)got : MILL_EIO;
            break;
        }
        code = disk_write(to, &(struct io_vector){ chunk, (size_t)got }, 1, at - begin);
        at += got;
    }
    mem_free(chunk);
    return code;
}

/* Copies a part of the segment into a new file, synced. The directory is not. */
static int copy_out(const struct recovery *recovery, const struct segment *segment, int64_t begin, int64_t end, const char *path)
{
    struct disk_file *to;
    int code = disk_open(recovery->disk, path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &to);
    if (code < 0)
        return code;
    code = copy_bytes(segment->files->log, to, begin, end);
    if (code == 0)
        code = disk_sync(to);
    disk_close(to);
    return code;
}

/* Are the `size` bytes of `kept` those of the other file from `begin` on? */
static int compare_bytes(struct disk_file *kept, int64_t size, struct disk_file *with, int64_t begin, bool *same)
{
    uint8_t *chunks = mem_alloc((size_t)2 * COPY_BYTES);
    if (!chunks)
        return MILL_ENOMEM;
    int code = 0;
    *same = true;
    for (int64_t at = 0; at < size && *same && code == 0;) {
        ssize_t got = disk_read(kept, chunks, size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES, at);
        if (got > 0)
            got = disk_read(with, chunks + COPY_BYTES, (size_t)got, begin + at);
        if (got <= 0) {
            code = got < 0 ? (int)got : MILL_EIO;
            break;
        }
        *same = memcmp(chunks, chunks + COPY_BYTES, (size_t)got) == 0;
        at += got;
    }
    mem_free(chunks);
    return code;
}

/* Is the name free? Also when what has it is a beginning of the same bytes: a recovery before this one was cut by a crash. */
static int may_take(const struct recovery *recovery, const char *path, const struct segment *segment, int64_t begin, int64_t end,
                    bool *free)
{
    struct disk_file *kept;
    int64_t size;
    *free = false;
    int code = disk_open(recovery->disk, path, DISK_READ, &kept);
    if (code < 0) {
        *free = code == MILL_ENOTFOUND;
        return *free ? 0 : code;
    }
    code = disk_size(kept, &size);
    if (code == 0 && size <= end - begin)
        code = compare_bytes(kept, size, segment->files->log, begin, free);
    disk_close(kept);
    return code;
}

/* Sets `path` to the file that has them now. */
static int keep_damaged(const struct recovery *recovery, const struct segment *segment, int64_t lost_offset, int64_t begin,
                        int64_t end, char path[LOG_PATH_BYTES])
{
    bool free = false;
    int code = 0;
    for (int number = 0; code == 0 && !free; number++) {
        log_damaged_path(path, recovery->directory, lost_offset, number);
        code = may_take(recovery, path, segment, begin, end, &free);
    }
    return code < 0 ? code : copy_out(recovery, segment, begin, end, path);
}

/* The intact batches from `begin` on become the segment that starts with `base_offset`. */
static int split_off(const struct recovery *recovery, const struct segment *segment, int64_t base_offset, int64_t begin,
                     int64_t end)
{
    char cleaned[LOG_PATH_BYTES];
    char final[LOG_PATH_BYTES];
    log_segment_path(cleaned, recovery->directory, base_offset, SUFFIX_LOG SUFFIX_CLEANED);
    log_segment_path(final, recovery->directory, base_offset, SUFFIX_LOG);
    int code = copy_out(recovery, segment, begin, end, cleaned);
    if (code == 0)
        code = disk_rename(recovery->disk, cleaned, final);
    if (code == 0)
        code = disk_sync_directory(recovery->disk, recovery->directory);
    return code;
}

/* ---- where the walk stops -------------------------------------------------------------------------------------------------- */

static bool is_last(const struct recovery *recovery)
{
    return recovery->below_offset == INT64_MAX;
}

/*
 * Does the wrong batch run beyond the end of the file? Not if only its length is wrong, and the rest of the file is the rest of
 * it.
 */
static int is_torn(struct batch_scan *scan, bool *torn)
{
    struct batch_header header;
    int code = batch_scan_header(scan, &header);
    *torn = code == MILL_ETRUNCATED;
    if (code != 0 || header.size <= scan->end - scan->position)
        return code == MILL_ETRUNCATED || code == MILL_ECORRUPT ? 0 : code;
    header.size = (uint32_t)(scan->end - scan->position);
    code = batch_scan_check_sum(scan, scan->position, &header);
    *torn = code == MILL_ECORRUPT;
    return code == MILL_ECORRUPT ? 0 : code;
}

static void tell_damaged(const struct recovery *recovery, const struct segment *segment, int64_t from, int64_t to, int64_t bytes,
                         const char *kept)
{
    trace_error(
        recovery->name,
        "offsets %lld to %lld are damaged in %s/%020lld.log and lost to readers; their %lld bytes are kept in %s: check the "
        "disk, restore them from a copy if there is one",
        (long long)from, (long long)to - 1, recovery->directory, (long long)segment->base_offset, (long long)bytes, kept);
}

/* Isolates [wrong, intact): what lies behind becomes a segment of its own. */
static int isolate(const struct recovery *recovery, const struct segment *segment, int64_t wrong, int64_t lost_offset,
                   const struct batch_scan *scan, struct recovery_result *result)
{
    int64_t intact = scan->position;
    char kept[LOG_PATH_BYTES];
    int code = keep_damaged(recovery, segment, lost_offset, wrong, intact, kept);
    if (code == 0)
        tell_damaged(recovery, segment, lost_offset, scan->next_offset, intact - wrong, kept);
    if (code == 0)
        code = split_off(recovery, segment, scan->next_offset, intact, scan->end);
    if (code == 0)
        result->split_offset = scan->next_offset;
    return code;
}

/* The segment ends before `wrong`, with a batch that was never completed, or whatever the reason: then its bytes are kept. */
static int cut(const struct recovery *recovery, const struct segment *segment, int64_t wrong, int64_t lost_offset, bool keep,
               bool unsynced)
{
    long long bytes = (long long)(segment->bytes - wrong);
    char kept[LOG_PATH_BYTES];
    int code = keep ? keep_damaged(recovery, segment, lost_offset, wrong, segment->bytes, kept) : 0;
    if (code < 0)
        return code;
    if (!keep)
        trace_warn(recovery->name,
                   "cut %lld bytes off %s/%020lld.log, the rest of a batch at offset %lld that was never completed", bytes,
                   recovery->directory, (long long)segment->base_offset, (long long)lost_offset);
    else if (is_last(recovery) || unsynced) /* whatever was synced and is not there then is told as lost */
        trace_warn(recovery->name, "cut %lld bytes off %s/%020lld.log, from offset %lld on, and kept them in %s", bytes,
                   recovery->directory, (long long)segment->base_offset, (long long)lost_offset, kept);
    else
        tell_damaged(recovery, segment, lost_offset, recovery->below_offset, bytes, kept);
    return 0;
}

/* Decides about the wrong batch before `scan`. On success everything from there on may be cut off. */
static int judge(const struct recovery *recovery, const struct segment *segment, struct batch_scan *scan,
                 struct recovery_result *result)
{
    int64_t wrong = scan->position;
    int64_t lost_offset = scan->next_offset;
    bool torn = false;
    bool hole = false;
    int code = is_torn(scan, &torn);
    int found = code == 0 ? batch_scan_resync(scan) : code;
    if (found < 0)
        return found;
    code = batch_scan_finds_hole(scan, wrong, found ? scan->position : scan->end, lost_offset, &hole);
    if (code < 0)
        return code;

    /* What was synced is neither torn nor empty because of a power cut, whatever it looks like. */
    bool unsynced = (hole || (torn && !found)) && lost_offset >= recovery->recovery_point;
    if (found && !(hole && unsynced))
        code = isolate(recovery, segment, wrong, lost_offset, scan, result);
    else
        code = cut(recovery, segment, wrong, lost_offset, found || !unsynced, unsynced);
    result->rest_was_unsynced = unsynced;
    scan->position = wrong;
    scan->next_offset = lost_offset;
    return code;
}

/* The file is whole, but the next segment begins later: a gap that is known, or the end of what was synced? */
static int judge_end(const struct recovery *recovery, const struct batch_scan *scan, struct recovery_result *result)
{
    if (is_last(recovery) || !recovery->dense || scan->next_offset == recovery->below_offset ||
        scan->next_offset < recovery->recovery_point)
        return 0;
    char path[LOG_PATH_BYTES];
    log_segment_path(path, recovery->directory, scan->next_offset, SUFFIX_DAMAGED);
    struct disk_entry entry;
    int code = disk_stat(recovery->disk, path, &entry);
    result->rest_was_unsynced = code == MILL_ENOTFOUND;
    return code == MILL_ENOTFOUND ? 0 : code;
}

/* ---- the walk -------------------------------------------------------------------------------------------------------------- */

static int open_for_writing(const struct recovery *recovery, struct segment *segment)
{
    if (segment->files)
        return 0;
    segment->files = segment_files_new(recovery->disk, recovery->directory, segment->base_offset);
    if (!segment->files)
        return MILL_ENOMEM;
    char path[LOG_PATH_BYTES];
    log_segment_path(path, recovery->directory, segment->base_offset, SUFFIX_LOG);
    return disk_open(recovery->disk, path, DISK_WRITE, &segment->files->log);
}

static void start_progress(struct segment *segment)
{
    segment->progress = (struct segment_progress){ .next_offset = segment->base_offset,
                                                   .first_timestamp_ms = -1,
                                                   .max_timestamp_ms = -1,
                                                   .max_timestamp_offset = segment->base_offset };
    segment->max_timestamp_known = true;
}

/*
 * Goes on from the index's last entry below the recovery point. False: there is none to trust, the walk starts at the beginning.
 */
static bool start_from_index(const struct recovery *recovery, struct segment *segment, struct offset_index_entry *from)
{
    if (recovery->recovery_point <= segment->base_offset || recovery->recovery_point == INT64_MAX)
        return false;
    struct segment_index *index = &segment->index;
    if (segment_index_load(index, recovery->disk, recovery->directory, segment->bytes, recovery->below_offset) < 0)
        return false;
    segment_index_truncate(index, recovery->recovery_point);
    *from = offset_index_find(&index->offsets, INT64_MAX);
    struct time_index_entry last;
    if (!time_index_last(&index->times, &last))
        return from->position > 0;
    segment->progress.max_timestamp_ms = last.timestamp_ms;
    segment->progress.max_timestamp_offset = last.offset;
    return from->position > 0 && last.offset < from->next_offset;
}

static int note(const struct recovery *recovery, struct segment *segment, const struct batch_scan *scan)
{
    int code = epoch_cache_reserve(recovery->epochs);
    if (code < 0)
        return code;
    epoch_cache_note(recovery->epochs, scan->header.leader_epoch, scan->header.base_offset);
    segment_index_note(&segment->index, &segment->progress, &scan->header, (uint32_t)scan->batch_position,
                       recovery->index_interval_bytes, UINT32_MAX);
    return 0;
}

/* Walks from an index entry; 0 with scan->position where the segment ends, 1 when even the first batch there is wrong. */
static int walk(const struct recovery *recovery, struct segment *segment, struct offset_index_entry from, struct batch_scan *scan,
                struct recovery_result *result)
{
    bool anchored = from.position == 0; /* in the middle of a segment the first batch says where we are */
    *scan = (struct batch_scan){ .file = segment->files->log,
                                 .position = from.position,
                                 .end = segment->bytes,
                                 .next_offset = segment->base_offset,
                                 .below_offset = recovery->below_offset,
                                 .first_next_offset = from.next_offset,
                                 .leader_epoch = -1,
                                 .dense = anchored && recovery->dense,
                                 .check = true };
    int code = batch_scan_init(scan);
    if (code < 0)
        return code;
    while ((code = batch_scan_next(scan)) == 1) {
        anchored = true;
        scan->dense = recovery->dense;
        code = note(recovery, segment, scan);
        if (code < 0)
            return code;
    }
    if (code == 0)
        return judge_end(recovery, scan, result);
    if (code != MILL_ECORRUPT && code != MILL_ETRUNCATED)
        return code;
    return anchored ? judge(recovery, segment, scan, result) : 1;
}

static int walk_from_start(const struct recovery *recovery, struct segment *segment, struct batch_scan *scan,
                           struct recovery_result *result)
{
    segment_index_release(&segment->index);
    start_progress(segment);
    return walk(recovery, segment, (struct offset_index_entry){ 0 }, scan, result);
}

/*
 * `last`: it goes on as the active segment, whose index is written when it rolls. Below the recovery point all is synced: of
 * a thousand logs, most of which nobody wrote to, few need it.
 */
static int finish(const struct recovery *recovery, struct segment *segment, int64_t end, bool last)
{
    bool is_synced = last && end == segment->bytes && segment->progress.next_offset <= recovery->recovery_point;
    int code = end < segment->bytes ? disk_truncate(segment->files->log, end) : 0;
    if (code == 0 && !is_synced)
        code = disk_sync(segment->files->log);
    if (code < 0)
        return code;
    segment->bytes = (uint32_t)end;
    segment->index.loaded = true;
    if (last)
        return 0;
    /* An old index must not outlive this: it may end too early, and a search by timestamp would then miss what lies behind. */
    segment_index_finish(&segment->index, &segment->progress);
    code = segment_index_save(&segment->index, recovery->disk, recovery->directory, true);
    return code < 0 ? code : segment_index_sync(recovery->disk, recovery->directory, segment->base_offset);
}

int recovery_run(const struct recovery *recovery, struct segment *segment, struct recovery_result *result)
{
    *result = (struct recovery_result){ .split_offset = -1 };
    int code = open_for_writing(recovery, segment);
    if (code < 0)
        return fail(recovery, segment, code);

    struct batch_scan scan = { 0 };
    struct offset_index_entry from;
    start_progress(segment);
    if (start_from_index(recovery, segment, &from)) {
        code = walk(recovery, segment, from, &scan, result);
        if (code == 1) {
            batch_scan_release(&scan);
            code = walk_from_start(recovery, segment, &scan, result);
        }
    } else {
        code = walk_from_start(recovery, segment, &scan, result);
    }
    batch_scan_release(&scan);
    if (code == 0)
        code = finish(recovery, segment, scan.position, is_last(recovery) && result->split_offset < 0);
    return code < 0 ? fail(recovery, segment, code) : 0;
}
