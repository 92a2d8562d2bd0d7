/*
 * From a directory to a log: what lies there is listed, recovered where it has to be, and read into memory.
 *
 * After a clean close only the newest segment's end is looked at: from its last index entry on, headers alone.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "log/batch_scan.h"
#include "log/partition_log.h"
#include "log/partition_log_state.h"
#include "log/partition_metadata.h"
#include "log/recovery.h"
#include "log/swap_files.h"

/* ---- what lies in the directory -------------------------------------------------------------------------------------------- */

struct listing {
    struct partition_log *log;
    struct io_time now;
    char leftover[LOG_NAME_BYTES]; /* a name to be removed, "" when there is none */
};

static int find_leftover(void *ctx, const struct disk_entry *entry)
{
    struct listing *listing = ctx;
    if (!log_has_suffix(entry->name, SUFFIX_DELETED) && !log_has_suffix(entry->name, SUFFIX_CLEANED) &&
        !log_has_suffix(entry->name, SUFFIX_SWAP))
        return 0;
    if (strlen(entry->name) >= sizeof listing->leftover)
        return 0;
    memcpy(listing->leftover, entry->name, strlen(entry->name) + 1);
    return 1;
}

/* Files that were on their way in or out, or not finished, when the process ended. */
static int settle_leftovers(struct partition_log *log)
{
    struct listing listing = { .log = log };
    int code = disk_list(log->disk, log->path, find_leftover, &listing);
    if (code != 1)
        return code;
    log->directory_dirty = true;
    code = swap_files_finish(log->disk, log->path, log->name);
    while (code == 0 && (code = disk_list(log->disk, log->path, find_leftover, &listing)) == 1) {
        char path[LOG_PATH_BYTES];
        log_path(path, log->path, listing.leftover);
        code = disk_remove(log->disk, path);
    }
    return code;
}

static int find_segment(void *ctx, const struct disk_entry *entry)
{
    struct listing *listing = ctx;
    int64_t base_offset;
    if (!log_parse_name(entry->name, SUFFIX_LOG, &base_offset))
        return 0;
    if (entry->size > INT32_MAX)
        return MILL_ECORRUPT;
    struct segment *segment = segment_new(base_offset, listing->now);
    if (!segment)
        return MILL_ENOMEM;
    segment->bytes = (uint32_t)entry->size;
    segment->first_append_ms = entry->modified_ms;
    segment->last_append_ms = entry->modified_ms;
    struct partition_log *log = listing->log;
    size_t at = log->segment_count == 0 ? 0 : log_find_segment(log, base_offset);
    if (at < log->segment_count && log->segments[at]->base_offset < base_offset)
        at++;
    int code = log_insert_segment(log, at, segment);
    if (code < 0)
        segment_free(segment);
    return code;
}

static int list_segments(struct partition_log *log, struct io_time now)
{
    struct listing listing = { .log = log, .now = now };
    int code = disk_list(log->disk, log->path, find_segment, &listing);
    return code < 0 ? error_set(&log->error, code, "%s: its segments cannot be listed: %s", log->path, mill_error_text(code)) : 0;
}

/* ---- identity and epochs --------------------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t id[TOPIC_ID_BYTES])
{
    static const uint8_t zero[TOPIC_ID_BYTES];
    return memcmp(id, zero, TOPIC_ID_BYTES) == 0;
}

static int check_topic_id(struct partition_log *log, const uint8_t wanted[TOPIC_ID_BYTES])
{
    int code = partition_metadata_read(log->disk, log->path, log->topic_id);
    if (code == MILL_ENOTFOUND || (code == MILL_ECORRUPT && !is_zero(wanted))) {
        memcpy(log->topic_id, wanted, TOPIC_ID_BYTES);
        return is_zero(wanted) ? 0 : partition_metadata_write(log->disk, log->path, wanted);
    }
    if (code < 0)
        return error_set(&log->error, code, "%s/partition.metadata: %s; restore the file, or remove it to have it written again",
                         log->path, mill_error_text(code));
    if (!is_zero(wanted) && memcmp(log->topic_id, wanted, TOPIC_ID_BYTES) != 0)
        return error_set(&log->error, MILL_EINVALID, "%s: belongs to another topic of the same name; move the directory away",
                         log->path);
    return 0;
}

/* 1 when the file is there and good, 0 when epochs are to be learned from the log. */
static int read_epochs(struct partition_log *log)
{
    char path[LOG_PATH_BYTES];
    log_path(path, log->path, EPOCH_FILE);
    char *text;
    size_t len;
    int code = disk_read_file(log->disk, path, SMALL_FILE_BYTES_MAX, &text, &len);
    if (code == MILL_ENOTFOUND)
        return 0;
    if (code < 0)
        return code;
    code = epoch_cache_decode(&log->epochs, mill_bytes_of(text, len));
    mem_free(text);
    if (code == MILL_ECORRUPT) {
        trace_warn(log->name, "%s is not readable; leader epochs are read from the log, and the file is written anew", path);
        return 0;
    }
    return code < 0 ? code : 1;
}

static int learn_epoch(void *ctx, const struct batch_scan *scan)
{
    struct partition_log *log = ctx;
    int code = epoch_cache_reserve(&log->epochs);
    if (code == 0)
        epoch_cache_note(&log->epochs, scan->header.leader_epoch, scan->header.base_offset);
    return code;
}

/* ---- the segments' ends ---------------------------------------------------------------------------------------------------- */

/*
 * The newest segment after a clean close: headers from the last index entry on. MILL_ECORRUPT: it is not as a clean close leaves
 * it.
 */
static int read_end(struct partition_log *log, struct segment *segment)
{
    struct segment_index *index = &segment->index;
    segment->files = segment_files_new(log->disk, log->path, segment->base_offset);
    if (!segment->files)
        return MILL_ENOMEM;
    char path[LOG_PATH_BYTES];
    log_segment_path(path, log->path, segment->base_offset, SUFFIX_LOG);
    int code = disk_open(log->disk, path, DISK_WRITE, &segment->files->log);
    if (code < 0 || segment->bytes == 0) {
        index->loaded = true;
        segment->max_timestamp_known = true;
        return code;
    }
    code = segment_index_load(index, log->disk, log->path, segment->bytes, INT64_MAX);
    if (code < 0 && code != MILL_ENOTFOUND && code != MILL_ECORRUPT)
        return code;
    struct offset_index_entry from = offset_index_find(&index->offsets, INT64_MAX);
    struct time_index_entry last;
    if (time_index_last(&index->times, &last)) {
        segment->progress.max_timestamp_ms = last.timestamp_ms;
        segment->progress.max_timestamp_offset = last.offset;
    }
    struct batch_scan scan = { .file = segment->files->log,
                               .position = from.position,
                               .end = segment->bytes,
                               .next_offset = segment->base_offset,
                               .below_offset = INT64_MAX,
                               .first_next_offset = from.next_offset,
                               .leader_epoch = -1 };
    code = batch_scan_init(&scan);
    if (code < 0)
        return code;
    while ((code = batch_scan_next(&scan)) == 1) {
        segment_index_note(index, &segment->progress, &scan.header, (uint32_t)scan.batch_position,
                           log->config.index_interval_bytes, log->config.segment_index_bytes);
        scan.dense = log_is_dense(log);
    }
    batch_scan_release(&scan);
    index->loaded = true;
    segment->max_timestamp_known = true;
    return code == MILL_ETRUNCATED ? MILL_ECORRUPT : code;
}

/* A segment file that recovery has split off the one before. */
static int add_split(struct partition_log *log, size_t at, int64_t base_offset, struct io_time now)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, log->path, base_offset, SUFFIX_LOG);
    struct disk_entry entry;
    int code = disk_stat(log->disk, path, &entry);
    if (code < 0)
        return code;
    struct segment *segment = segment_new(base_offset, now);
    if (!segment)
        return MILL_ENOMEM;
    segment->bytes = (uint32_t)entry.size;
    code = log_insert_segment(log, at, segment);
    if (code < 0)
        segment_free(segment);
    return code;
}

/* Takes the segment's file out of the log, under the first name that is free. */
static int set_aside_one(struct partition_log *log, const struct segment *segment)
{
    char path[LOG_PATH_BYTES];
    char aside[LOG_PATH_BYTES];
    struct disk_entry entry;
    log_segment_path(path, log->path, segment->base_offset, SUFFIX_LOG);
    if (segment->bytes == 0)
        return disk_remove(log->disk, path);
    int number = 0;
    int code;
    do
        log_damaged_path(aside, log->path, segment->base_offset, number++);
    while ((code = disk_stat(log->disk, aside, &entry)) == 0);
    return code == MILL_ENOTFOUND ? disk_rename(log->disk, path, aside) : code;
}

/* Segments from `from` on were not synced: their logs are kept under another name, empty ones go. */
static int set_aside(struct partition_log *log, size_t from)
{
    while (log->segment_count > from) {
        struct segment *segment = log->segments[log->segment_count - 1];
        trace_warn(log->name, "segment %lld was not synced when the power went; its %u bytes are set aside in %s",
                   (long long)segment->base_offset, (unsigned)segment->bytes, log->path);
        int code = set_aside_one(log, segment);
        if (code < 0)
            return code;
        log->segment_count--;
        segment_free(segment);
    }
    return 0;
}

static int recover(struct partition_log *log, size_t at, int64_t recovery_point, struct io_time now)
{
    bool last = at + 1 == log->segment_count;
    struct recovery recovery = { .disk = log->disk,
                                 .directory = log->path,
                                 .name = log->name,
                                 .recovery_point = recovery_point,
                                 .below_offset = last ? INT64_MAX : log->segments[at + 1]->base_offset,
                                 .dense = log_is_dense(log),
                                 .index_interval_bytes = log->config.index_interval_bytes,
                                 .epochs = &log->epochs,
                                 .error = &log->error };
    struct recovery_result result;
    uint32_t bytes = log->segments[at]->bytes;
    int code = recovery_run(&recovery, log->segments[at], &result);
    /* A file that holds what was synced is in its directory; one that is whole has put none beside it. */
    log->directory_dirty |=
        log->segments[at]->base_offset >= recovery_point || log->segments[at]->bytes != bytes || result.rest_was_unsynced;
    if (code == 0 && result.rest_was_unsynced)
        code = set_aside(log, at + 1);
    else if (code == 0 && result.split_offset >= 0)
        code = add_split(log, at + 1, result.split_offset, now);
    return code;
}

/* Finds where one segment ends: by what is trusted, or by recovery, which may put another one behind it. */
static int settle_segment(struct partition_log *log, size_t at, const struct partition_log_options *options)
{
    struct segment *segment = log->segments[at];
    bool last = at + 1 == log->segment_count;
    bool trusted = options->clean || (!last && log->segments[at + 1]->base_offset <= options->recovery_point);
    if (!trusted)
        return recover(log, at, options->recovery_point, options->now);
    if (!last)
        return 0;
    int code = read_end(log, segment);
    if (code != MILL_ECORRUPT)
        return code;
    trace_warn(log->name, "%s/%020lld.log is not as a clean close leaves it; it is recovered", log->path,
               (long long)segment->base_offset);
    segment_index_release(&segment->index);
    return recover(log, at, INT64_MAX, options->now); /* after a clean close all was synced */
}

static int settle_segments(struct partition_log *log, const struct partition_log_options *options)
{
    for (size_t i = 0; i < log->segment_count; i++) {
        struct segment *segment = log->segments[i];
        int code = settle_segment(log, i, options);
        if (code < 0)
            return log->error.text[0] ? code
                                      : error_set(&log->error, code, "%s: segment %lld cannot be opened: %s", log->name,
                                                  (long long)segment->base_offset, mill_error_text(code));
        bool last = i + 1 == log->segment_count;
        if (!last) {
            int64_t end = segment->progress.next_offset;
            int64_t next = log->segments[i + 1]->base_offset;
            if (segment->files && end < next) /* it was recovered, so that its end is known */
                log_tell_lost_between(log, i, end);
            open_files_close(log->open_files, segment);
            segment->progress.next_offset = next;
        }
    }
    return 0;
}

/* ---- putting it together --------------------------------------------------------------------------------------------------- */

/* Where it is not known the log starts with the first segment. A log that ends below its start begins anew there. */
static int settle_start(struct partition_log *log, const struct partition_log_options *options)
{
    if (options->log_start < 0)
        log->log_start = log->segments[0]->base_offset;
    if (log->log_start <= partition_log_end_offset(log))
        return 0;
    trace_warn(log->name, "ends at %lld, below its start %lld, and begins anew there", (long long)partition_log_end_offset(log),
               (long long)log->log_start);
    int code = log_add_segment(log, log->log_start, options->now);
    if (code == 0)
        log_drop_segments(log, 0, log->segment_count - 1, options->now);
    return code;
}

/* An empty segment alone, behind the log start: nothing is left of what was synced, and nothing would bring a reader there. */
static bool is_all_gone(const struct partition_log *log, const struct partition_log_options *options)
{
    const struct segment *only = log->segments[0];
    return log->segment_count == 1 && only->bytes == 0 && options->log_start >= 0 && only->base_offset > options->log_start &&
           options->recovery_point > options->log_start;
}

/* There is no batch: a new log, or one whose files are all gone. */
static int begin_log(struct partition_log *log, const struct partition_log_options *options)
{
    int64_t end = options->recovery_point;
    if (log->segment_count > 0) {
        end = log->segments[0]->base_offset > end ? log->segments[0]->base_offset : end;
        segment_free(log->segments[0]);
        log->segment_count = 0;
    }
    int code = log_add_segment(log, log->log_start, options->now);
    if (code < 0 || log->log_start >= end)
        return code;
    code = log_settle_lost_end(log, end, options->now);
    return code == 0 ? partition_log_roll(log, options->now) : code;
}

static int load(struct partition_log *log, const struct partition_log_options *options)
{
    int code = disk_make_directory(log->disk, log->path);
    if (code == 0)
        code = settle_leftovers(log);
    if (code == 0)
        code = check_topic_id(log, options->topic_id);
    if (code == 0)
        code = list_segments(log, options->now);
    if (code == 0)
        code = log_remove_stray_aborted(log);
    if (code < 0)
        return code;
    if (log->segment_count == 0 || is_all_gone(log, options))
        return begin_log(log, options);

    int has_epochs = read_epochs(log);
    if (has_epochs < 0)
        return has_epochs;
    code = settle_segments(log, options);
    if (code == 0 && log->directory_dirty) /* what is found here counts as synced, so that it must not go with its directory */
        code = log_sync_directories(log->disk, log->path);
    bool recovered_all = !options->clean && options->recovery_point <= log->segments[0]->base_offset;
    if (code == 0 && !has_epochs && !recovered_all && partition_log_end_offset(log) > log->segments[0]->base_offset) {
        epoch_cache_truncate_end(&log->epochs, 0);
        code = log_walk(log, 0, learn_epoch, log);
    }
    bool has_lost_end = code == 0 && partition_log_end_offset(log) < options->recovery_point;
    if (code == 0)
        log_tell_lost_front(log, options->log_start, options->recovery_point);
    if (has_lost_end)
        code = log_settle_lost_end(log, options->recovery_point, options->now);
    if (code == 0)
        code = settle_start(log, options);
    if (code < 0)
        return code;
    epoch_cache_truncate_end(&log->epochs, partition_log_end_offset(log));
    epoch_cache_truncate_start(&log->epochs, log->log_start);
    code = log_load_producers(log, options->clean ? INT64_MAX : options->recovery_point, options->now.wall_ms);
    /* What is appended from here on has a file of its own, so that the one that was cut may be restored from a copy. */
    return code == 0 && has_lost_end ? partition_log_roll(log, options->now) : code;
}

int partition_log_open(const struct partition_log_options *options, struct partition_log **opened, struct error_text *error)
{
    if (!log_path_fits(options->path))
        return error_set(error, MILL_ETOOLARGE, "%.64s...: a log's path may have %d characters", options->path,
                         LOG_PATH_BYTES - LOG_NAME_BYTES);
    struct partition_log *log = mem_calloc(1, sizeof *log);
    char *path = mem_strdup(options->path);
    if (!log || !path) {
        mem_free(log);
        mem_free(path);
        return error_set(error, MILL_ENOMEM, "%s: no memory for a log", options->path);
    }
    log->disk = options->disk;
    log->path = path;
    const char *slash = strrchr(path, '/');
    log->name = slash ? slash + 1 : path;
    log->config = options->config;
    log->checkpointed = options->recovery_point;
    log->checkpointed_start = options->log_start;
    log->checkpoint_end = options->recovery_point;
    log->snapshot_end = -1;
    log->checkpoint_snapshots[0] = -1;
    log->checkpoint_snapshots[1] = -1;
    log->synced_snapshots[0] = -1;
    log->synced_snapshots[1] = -1;
    log->open_files = options->open_files;
    log->first_dirty = options->first_dirty;
    log->log_start = options->log_start > 0 ? options->log_start : 0;
    list_init(&log->deleted);
    list_init(&log->checkpoint_link);
    epoch_cache_init(&log->epochs);
    producer_state_init(&log->producers);
    txn_state_init(&log->txns);
    hot_tail_init(&log->tail, options->config.hot_tail_bytes);

    int code = load(log, options);
    if (code == 0)
        log->page_cache.base_offset = log_active(log)->base_offset;
    if (code < 0) {
        *error = log->error;
        if (!error->text[0])
            error_set(error, code, "%s: cannot be opened: %s", log->name, mill_error_text(code));
        partition_log_close(log, false, NULL);
        return code;
    }
    log->synced_end = partition_log_end_offset(log);
    /* Whoever made the files may have ended before they were entered durably: the first sync sees to it. */
    log->directory_dirty = true;
    log_look_for_lost(log);
    log->error.text[0] = '\0';
    *opened = log;
    return 0;
}
