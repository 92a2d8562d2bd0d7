/*
 * What was synced and is not there any more.
 *
 * A checkpoint says that [log start, recovery point) of a log was synced, and retention removes no file before a checkpoint has
 * its log start. So whatever no segment holds of that has been taken away by the disk or by somebody, not by a crash. But
 * for one: on a disk too full for a checkpoint retention goes on, and a kill before the next has that told as a lost front.
 *
 *      log start             segment      segment                       recovery point
 *          |- - - - front - - -|.....|- - between - -|.....|- - - end - - -|
 *
 * It is told as an error, with offsets and files. Its offsets are never given out again: behind a lost end the log goes on at
 * the recovery point. Readers pass over a gap before a segment anyway; a lost end gets an empty batch, as compaction leaves them,
 * which brings them to the recovery point. The log start stays where it was, so that files that are restored from a copy belong
 * to the log again.
 *
 * Front and end are looked at when the log is opened: a front is told at each start, an end at the one that gives it its empty
 * batch. Where a segment ends is known only to who has read it, so what is missing between two is told when recovery or a reader
 * comes there, once in each start, or at open when an index has stayed without its segment. A log that compaction has thinned out
 * has gaps of its own. Those that recovery has made were told then: they have a `.damaged` file.
 */
#include <stdio.h>

#include "base/trace.h"
#include "log/log_files.h"
#include "log/partition_log.h"
#include "log/partition_log_state.h"

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

static void tell(struct partition_log *log, int64_t from, int64_t to, const char *where)
{
    log->lost += to - from;
    trace_error(
        log->name,
        "offsets %lld to %lld were synced and are gone: %s. Readers pass over them. Check the disk; to have them back, stop "
        "the broker and restore the file from a copy",
        (long long)from, (long long)to - 1, where);
}

/* What should lie in, or behind, this segment. */
static void tell_behind(struct partition_log *log, const struct segment *segment, int64_t from, int64_t to)
{
    char where[LOG_PATH_BYTES + 128];
    if (from == segment->base_offset)
        snprintf(where, sizeof where, "%s/%020lld.log is missing or was cut", log->path, (long long)from);
    else
        snprintf(where, sizeof where, "%s/%020lld.log ends before them, and there is no %020lld.log", log->path,
                 (long long)segment->base_offset, (long long)from);
    tell(log, from, to, where);
}

void log_tell_lost_front(struct partition_log *log, int64_t log_start, int64_t recovery_point)
{
    int64_t first = log->segments[0]->base_offset;
    int64_t to = first < recovery_point ? first : recovery_point;
    if (log_start < 0 || log_start >= to)
        return;
    char where[LOG_PATH_BYTES + 192];
    snprintf(where, sizeof where,
             "the first file in %s is %020lld.log; if the disk was full before the broker was killed, retention may have removed "
             "what lay before it",
             log->path, (long long)first);
    tell(log, log_start, to, where);
}

static bool is_known(const struct partition_log *log, int64_t offset)
{
    char path[LOG_PATH_BYTES];
    struct disk_entry entry;
    log_damaged_path(path, log->path, offset, 0);
    return disk_stat(log->disk, path, &entry) == 0;
}

void log_tell_lost_between(struct partition_log *log, size_t at, int64_t from)
{
    struct segment *segment = log->segments[at];
    int64_t to = log->segments[at + 1]->base_offset;
    int64_t wanted = from > log->log_start ? from : log->log_start;
    if (wanted >= to || segment->gap_told || !log_is_dense(log))
        return;
    segment->gap_told = true;
    int64_t synced_to = to < log->checkpointed ? to : log->checkpointed; /* of what lies behind it nobody knows */
    if (wanted < synced_to && !is_known(log, from))
        tell_behind(log, segment, wanted, synced_to);
}

/* ---- a lost end ------------------------------------------------------------------------------------------------------------ */

/* Writes a batch without records that holds the offsets from the log end up to `end`. */
static int write_empty_batch(struct partition_log *log, int64_t end)
{
    struct segment *active = log_active(log);
    int64_t from = active->progress.next_offset;
    int64_t until;
    struct batch_header header = { .base_offset = from,
                                   .size = BATCH_HEADER_BYTES,
                                   .leader_epoch = epoch_cache_at(&log->epochs, from, &until),
                                   .last_offset_delta = (int32_t)(end - 1 - from),
                                   .base_timestamp_ms = -1,
                                   .max_timestamp_ms = -1,
                                   .producer_id = -1,
                                   .producer_epoch = -1,
                                   .base_sequence = -1 };
    uint8_t batch[BATCH_HEADER_BYTES];
    batch_header_encode(&header, batch);
    batch_seal(batch, sizeof batch);
    int code = disk_write(active->files->log, &(struct io_vector){ batch, sizeof batch }, 1, active->bytes);
    if (code == 0)
        code = disk_sync(active->files->log);
    if (code < 0)
        return code;
    segment_index_note(&active->index, &active->progress, &header, active->bytes, log->config.index_interval_bytes,
                       log->config.segment_index_bytes);
    active->bytes += header.size;
    return 0;
}

int log_settle_lost_end(struct partition_log *log, int64_t recovery_point, struct io_time now)
{
    struct segment *active = log_active(log);
    int64_t end = partition_log_end_offset(log);
    int64_t from = end > log->log_start ? end : log->log_start;
    if (from < recovery_point)
        tell_behind(log, active, from, recovery_point);
    int code = 0;
    /* An offset that lies too far behind a segment's first one needs a segment of its own, and leaves a gap before that. */
    if (recovery_point - 1 - active->base_offset > INT32_MAX) {
        active->gap_told = true;
        code = log_add_segment(log, recovery_point - 1, now);
        if (code == 0)
            log_retire_segment(log, active);
    }
    if (code == 0)
        code = write_empty_batch(log, recovery_point);
    return code < 0 ? error_set(&log->error, code, "%s: offsets up to %lld are gone, and the log cannot be ended there: %s",
                                log->name, (long long)recovery_point - 1, mill_error_text(code))
                    : 0;
}

/* ---- between segments, at open --------------------------------------------------------------------------------------------- */

struct search {
    const struct partition_log *log;
    int64_t above;
    int64_t found; /* the lowest offset that an index, but no segment, has as its name; -1: none */
};

static int find_headless(void *ctx, const struct disk_entry *entry)
{
    struct search *search = ctx;
    const struct partition_log *log = search->log;
    int64_t offset;
    if (!log_parse_name(entry->name, SUFFIX_INDEX, &offset) && !log_parse_name(entry->name, SUFFIX_TIME_INDEX, &offset))
        return 0;
    if (offset <= search->above || offset >= log_active(log)->base_offset || (search->found >= 0 && search->found <= offset))
        return 0;
    if (log->segments[log_find_segment(log, offset)]->base_offset != offset)
        search->found = offset;
    return 0;
}

/* Only the read says: the index may be litter, its offsets may have been given to what lies in the segment before. */
static void read_at(struct partition_log *log, int64_t offset)
{
    struct slice slice;
    struct log_read read = {
        .offset = offset, .upper_offset = offset + 1, .bytes_max = 1, .first_always = true, .slices = &slice, .slices_max = 1
    };
    int code = partition_log_read(log, &read);
    if (code == LOG_COLD) {
        log_read_run(&read);
        code = partition_log_read_end(log, &read); /* which tells; whatever else is wrong is told to readers */
    }
    if (code == 0)
        log_read_release(&read);
}

void log_look_for_lost(struct partition_log *log)
{
    struct search search = { .log = log,
                             .above = log->log_start > log->segments[0]->base_offset ? log->log_start
                                                                                     : log->segments[0]->base_offset };
    if (!log_is_dense(log))
        return;
    for (;;) {
        search.found = -1;
        if (disk_list(log->disk, log->path, find_headless, &search) < 0 || search.found < 0)
            return;
        read_at(log, search.found);
        search.above = search.found;
    }
}
