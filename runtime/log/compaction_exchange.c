/*
 * The loop's half of a compaction: when it is due, what it takes, and how a group of segments is exchanged.
 *
 * The exchange of a group, whose new files lie under `.cleaned` and are synced:
 *
 *      1. rename .cleaned to .swap, the log last        a crash before: the new files are litter, removed at open
 *      2. sync the directory (worker)                   from here on the next open finishes it after a crash (swap_files.h)
 *      3. put the new segment in the old ones' place    readers see it through its open file; reads under way begin anew
 *         rename the old files to .deleted
 *      4. sync the directory (worker)                   the old ones cannot come back beside the new one
 *      5. drop .swap from the names
 *
 * Until 5 nobody can open the new segment by name, so its file stays open (`pinned`). When the disk fails between 3 and 5 it
 * stays so, and the next open finishes what is left.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "log/compaction.h"
#include "log/compaction_state.h"
#include "log/partition_log_state.h"
#include "log/swap_files.h"

/* ---- when ------------------------------------------------------------------------------------------------------------------ */

bool partition_log_compaction_wants_look(const struct partition_log *log)
{
    int64_t rolled = log_active(log)->base_offset;
    return rolled > log->first_dirty && rolled > log->looked_up_to && !log->uncleanable;
}

int64_t partition_log_first_dirty_offset(const struct partition_log *log)
{
    return log->first_dirty;
}

/* What was noted of a log that has been cut since counts for nothing. */
static int64_t first_dirty_offset(const struct partition_log *log)
{
    bool lies_within = log->first_dirty >= log->log_start && log->first_dirty <= partition_log_end_offset(log);
    return lies_within ? log->first_dirty : log->log_start;
}

/* The first segment that holds something dirty. */
static size_t first_dirty_segment(const struct partition_log *log)
{
    int64_t first_dirty = first_dirty_offset(log);
    size_t at = log_find_segment(log, first_dirty);
    return log_segment_end(log, at) <= first_dirty && at + 1 < log->segment_count ? at + 1 : at;
}

static bool is_too_young(struct partition_log *log, size_t at, struct io_time now)
{
    return log->config.compaction_lag_ms_min > 0 &&
           segment_max_timestamp(log->segments[at], log->disk, log->path) > now.wall_ms - log->config.compaction_lag_ms_min;
}

/* How many segments from the front may be looked at: whole, synced, below the stable offset, aborts written, old enough. */
static size_t count_cleanable(struct partition_log *log, size_t first_dirty, int64_t stable_offset, struct io_time now)
{
    int64_t limit = stable_offset < log->synced_end ? stable_offset : log->synced_end;
    int64_t aborted_end = log_aborted_saved_end(log); /* the next checkpoint writes what is not there yet */
    limit = limit < aborted_end ? limit : aborted_end;
    size_t count = first_dirty;
    while (count + 1 < log->segment_count && log_segment_end(log, count) <= limit && !is_too_young(log, count, now))
        count++;
    return count;
}

static bool has_waited_too_long(struct partition_log *log, size_t first_dirty, size_t cleanable, struct io_time now)
{
    int64_t lag_ms_max = log->config.compaction_lag_ms_max;
    for (size_t i = first_dirty; i < cleanable && lag_ms_max < now.wall_ms; i++) {
        int64_t first = segment_first_timestamp(log->segments[i], log->disk, log->path);
        if (first > 0 && first < now.wall_ms - lag_ms_max)
            return true;
    }
    return false;
}

void partition_log_compaction_need(struct partition_log *log, int64_t stable_offset, struct io_time now,
                                   struct compaction_need *need)
{
    *need = (struct compaction_need){ 0 };
    if (!log->config.cleanup_compact || log->compaction || log->uncleanable)
        return;
    log->looked_up_to = log_active(log)->base_offset;
    size_t first_dirty = first_dirty_segment(log);
    size_t cleanable = count_cleanable(log, first_dirty, stable_offset, now);
    bool is_held_back = cleanable + 1 < log->segment_count;
    need->may_be_due = is_held_back || (cleanable > first_dirty && log->config.compaction_lag_ms_max < INT64_MAX);
    int64_t clean_bytes = 0;
    int64_t dirty_bytes = 0;
    for (size_t i = 0; i < cleanable; i++)
        *(i < first_dirty ? &clean_bytes : &dirty_bytes) += log->segments[i]->bytes;
    if (dirty_bytes == 0)
        return;
    need->dirty_ratio = (double)dirty_bytes / (double)(clean_bytes + dirty_bytes);
    need->is_due = need->dirty_ratio > log->config.min_dirty_ratio || has_waited_too_long(log, first_dirty, cleanable, now);
}

/* ---- begin ----------------------------------------------------------------------------------------------------------------- */

static int take_sources(struct partition_log *log, struct compaction *compaction, size_t count)
{
    compaction->sources = mem_calloc(count, sizeof *compaction->sources);
    if (!compaction->sources)
        return MILL_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct segment *segment = log->segments[i];
        compaction->sources[i] = (struct compaction_source){ .base_offset = segment->base_offset,
                                                             .end_offset = log_segment_end(log, i),
                                                             .bytes = segment->bytes,
                                                             .first_append_ms = segment->first_append_ms,
                                                             .last_append_ms = segment->last_append_ms };
    }
    compaction->source_count = count;
    compaction->end_offset = log_segment_end(log, count - 1);
    return 0;
}

static int by_producer_id(const void *a, const void *b)
{
    const struct kept_producer *x = a;
    const struct kept_producer *y = b;
    return x->producer_id < y->producer_id ? -1 : x->producer_id > y->producer_id;
}

static int take_producers(const struct partition_log *log, struct compaction *compaction)
{
    size_t count = log->producers.count;
    compaction->producers = mem_calloc(count + 1, sizeof *compaction->producers);
    if (!compaction->producers)
        return MILL_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct producer_entry *entry = &log->producers.entries[i];
        compaction->producers[i] = (struct kept_producer){
            .producer_id = entry->producer_id,
            .last_offset = entry->batch_count > 0 ? entry->batches[entry->batch_count - 1].last_offset : -1,
            .epoch = entry->epoch,
        };
    }
    qsort(compaction->producers, count, sizeof *compaction->producers, by_producer_id);
    compaction->filter.producers = compaction->producers;
    compaction->filter.producer_count = count;
    return 0;
}

static int by_first_offset(const void *a, const void *b)
{
    const struct aborted_txn *x = a;
    const struct aborted_txn *y = b;
    return x->first_offset < y->first_offset ? -1 : x->first_offset > y->first_offset;
}

/* Those that begin in the cleanable part: below the stable offset all of them have ended. */
static int take_aborted(const struct partition_log *log, struct compaction *compaction)
{
    size_t count = log->txns.aborted_count;
    compaction->aborted = mem_calloc(count + 1, sizeof *compaction->aborted);
    compaction->kept = mem_calloc(count + 1, sizeof *compaction->kept);
    if (!compaction->aborted || !compaction->kept)
        return MILL_ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (log->txns.aborted[i].first_offset < compaction->end_offset)
            compaction->aborted[compaction->aborted_count++] = log->txns.aborted[i];
    qsort(compaction->aborted, compaction->aborted_count, sizeof *compaction->aborted, by_first_offset);
    txn_filter_init(&compaction->txns, compaction->aborted, compaction->aborted_count);
    return 0;
}

static struct compaction *new_compaction(const struct partition_log *log, size_t map_bytes_max, struct io_time now)
{
    struct compaction *compaction = mem_calloc(1, sizeof *compaction);
    if (!compaction)
        return NULL;
    compaction->disk = log->disk;
    compaction->path = mem_strdup(log->path);
    compaction->config = log->config;
    compaction->generation = log->generation;
    compaction->now_ms = now.wall_ms;
    compaction->first_dirty = first_dirty_offset(log);
    offset_map_init(&compaction->map, map_bytes_max);
    compaction->map.latest_offset = compaction->first_dirty - 1;
    buffer_init(&compaction->batch, INT32_MAX);
    segment_index_init(&compaction->index, 0);
    txn_filter_init(&compaction->txns, NULL, 0);
    batch_filter_init(&compaction->filter);
    compaction->filter.map = &compaction->map;
    compaction->filter.txns = &compaction->txns;
    compaction->filter.now_ms = now.wall_ms;
    compaction->filter.delete_retention_ms = log->config.delete_retention_ms;
    return compaction;
}

int partition_log_compaction_begin(struct partition_log *log, int64_t stable_offset, size_t map_bytes_max, struct io_time now,
                                   struct compaction **begun)
{
    if (!log->config.cleanup_compact || log->compaction || log->uncleanable)
        return MILL_EAGAIN;
    size_t first_dirty = first_dirty_segment(log);
    size_t count = count_cleanable(log, first_dirty, stable_offset, now);
    if (count <= first_dirty)
        return MILL_EAGAIN;
    struct compaction *compaction = new_compaction(log, map_bytes_max, now);
    int code = compaction && compaction->path ? take_sources(log, compaction, count) : MILL_ENOMEM;
    if (code == 0)
        code = take_producers(log, compaction);
    if (code == 0)
        code = take_aborted(log, compaction);
    if (code < 0) {
        compaction_release(compaction);
        return error_set(&log->error, code, "%s: no memory for a compaction", log->name);
    }
    compaction->at = first_dirty;
    log->compaction = compaction;
    *begun = compaction;
    return 0;
}

/* ---- a group --------------------------------------------------------------------------------------------------------------- */

static size_t count_group(const struct compaction *compaction)
{
    const struct compaction_source *first = &compaction->sources[compaction->group_first];
    uint64_t bytes = first->bytes;
    size_t count = 1;
    while (compaction->group_first + count < compaction->source_count) {
        const struct compaction_source *next = first + count;
        bytes += next->bytes;
        if (bytes > compaction->config.segment_bytes || next->end_offset - 1 - first->base_offset > INT32_MAX)
            break;
        count++;
    }
    return count;
}

static int begin_group(struct compaction *compaction)
{
    compaction->group_count = count_group(compaction);
    int64_t base_offset = compaction->sources[compaction->group_first].base_offset;
    compaction->files = segment_files_new(compaction->disk, compaction->path, base_offset);
    if (!compaction->files)
        return MILL_ENOMEM;
    char path[LOG_PATH_BYTES];
    log_segment_path_with(path, compaction->path, base_offset, SUFFIX_LOG, SUFFIX_CLEANED);
    int code = disk_open(compaction->disk, path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &compaction->files->log);
    if (code < 0)
        return code;
    segment_index_init(&compaction->index, base_offset);
    compaction->index.loaded = true;
    compaction->progress =
        (struct segment_progress){ .next_offset = base_offset, .first_timestamp_ms = -1, .max_timestamp_ms = -1 };
    compaction->bytes = 0;
    compaction->changed = false;
    compaction->kept_count = 0;
    compaction->at = compaction->group_first;
    compaction->phase = COMPACTION_COPY;
    return 1;
}

static int rename_all(const struct compaction *compaction, const char *from_behind, const char *to_behind)
{
    char from[LOG_PATH_BYTES];
    char to[LOG_PATH_BYTES];
    for (int i = 0; i < SWAP_SUFFIX_COUNT; i++) {
        int64_t base_offset = compaction->sources[compaction->group_first].base_offset;
        log_segment_path_with(from, compaction->path, base_offset, swap_suffixes[i], from_behind);
        log_segment_path_with(to, compaction->path, base_offset, swap_suffixes[i], to_behind);
        int code = disk_rename(compaction->disk, from, to);
        if (code < 0)
            return code;
    }
    return 1;
}

static int remove_all(const struct compaction *compaction, const char *behind)
{
    char path[LOG_PATH_BYTES];
    int failed = 0;
    for (int i = SWAP_SUFFIX_COUNT; i > 0; i--) {
        int64_t base_offset = compaction->sources[compaction->group_first].base_offset;
        log_segment_path_with(path, compaction->path, base_offset, swap_suffixes[i - 1], behind);
        int code = disk_remove(compaction->disk, path);
        failed = code < 0 && code != MILL_ENOTFOUND ? code : failed;
    }
    return failed;
}

/* The new segment, with the group's open file and its index. NULL: no memory. */
static struct segment *make_segment(struct compaction *compaction)
{
    const struct compaction_source *first = &compaction->sources[compaction->group_first];
    const struct compaction_source *last = first + compaction->group_count - 1;
    struct segment *segment = segment_new(first->base_offset, (struct io_time){ 0 });
    if (!segment)
        return NULL;
    segment->bytes = compaction->bytes;
    segment->progress = compaction->progress;
    segment->progress.next_offset = last->end_offset;
    segment->max_timestamp_known = true;
    segment->first_append_ms = first->first_append_ms;
    segment->last_append_ms = last->last_append_ms;
    segment->files = compaction->files;
    segment->index = compaction->index;
    segment->pinned = true;
    compaction->files = NULL;
    segment_index_init(&compaction->index, 0);
    return segment;
}

/* Step 3: in memory first, so that what the disk refuses afterwards leaves the log readable. */
static int replace_segments(struct partition_log *log, struct compaction *compaction, struct io_time now)
{
    struct segment *segment = make_segment(compaction);
    if (!segment)
        return MILL_ENOMEM;
    size_t at = log_find_segment(log, segment->base_offset);
    size_t count = compaction->group_count;
    mill_assert(at + count < log->segment_count);
    mill_assert(log->segments[at]->base_offset == segment->base_offset);
    for (size_t i = at; i < at + count; i++) {
        open_files_close(log->open_files, log->segments[i]);
        segment_free(log->segments[i]);
    }
    log->segments[at] = segment;
    memmove(log->segments + at + 1, log->segments + at + count, (log->segment_count - at - count) * sizeof(struct segment *));
    log->segment_count -= count - 1;
    log_replace_aborted(log, segment->base_offset, segment->progress.next_offset, compaction->kept, compaction->kept_count);
    /* With their entries in the aborted list gone, the batches of before must not be read any more. */
    hot_tail_forget_before(&log->tail, segment->progress.next_offset);
    compaction->generation = ++log->generation; /* what is being read of the old ones is void */
    compaction->phase = COMPACTION_REPLACED;

    int failed = 1;
    for (size_t i = 0; i < count; i++) {
        int code = log_retire_files(log, compaction->sources[compaction->group_first + i].base_offset, i == 0, now);
        failed = code < 0 ? code : failed;
    }
    return failed;
}

/* Step 5, and on to the next group: 1; 0 when all are done; or an error. */
static int next_group(struct partition_log *log, struct compaction *compaction)
{
    compaction_forget_group(compaction);
    compaction->group_first += compaction->group_count;
    if (compaction->group_first < compaction->source_count)
        return begin_group(compaction);
    log->first_dirty = compaction->end_offset;
    return 0;
}

static int finish_exchange(struct partition_log *log, struct compaction *compaction)
{
    int code = rename_all(compaction, SUFFIX_SWAP, "");
    if (code < 0)
        return code;
    int64_t base_offset = compaction->sources[compaction->group_first].base_offset;
    struct segment *segment = log->segments[log_find_segment(log, base_offset)];
    mill_assert(segment->base_offset == base_offset);
    segment->pinned = false;
    open_files_use(log->open_files, segment);
    log->directory_dirty = true;
    return next_group(log, compaction);
}

/* ---- step ------------------------------------------------------------------------------------------------------------------ */

static int step(struct partition_log *log, struct compaction *compaction, struct io_time now)
{
    switch (compaction->phase) {
    case COMPACTION_MAPPED:
        return begin_group(compaction);
    case COMPACTION_COPIED: {
        int code = rename_all(compaction, SUFFIX_CLEANED, SUFFIX_SWAP);
        compaction->phase = code < 0 ? compaction->phase : COMPACTION_RENAMED;
        return code;
    }
    case COMPACTION_UNCHANGED: {
        int code = remove_all(compaction, SUFFIX_CLEANED);
        return code < 0 ? code : next_group(log, compaction);
    }
    case COMPACTION_COMMITTED:
        return replace_segments(log, compaction, now);
    case COMPACTION_RETIRED:
        return finish_exchange(log, compaction);
    default:
        return 1; /* run goes on */
    }
}

/*
 * Before the new segment is in the log its files are taken away again. One that stays under `.swap` must not meet a later
 * compaction: at the next open it would take the place of that one's work.
 */
static int give_up(struct partition_log *log, struct compaction *compaction, int code)
{
    bool is_exchanged = compaction->phase >= COMPACTION_REPLACED;
    if (compaction->group_count > 0 && !is_exchanged) {
        int swap_stays = remove_all(compaction, SUFFIX_SWAP);
        (void)remove_all(compaction, SUFFIX_CLEANED);
        log->uncleanable |= swap_stays < 0;
    }
    log->uncleanable |= is_exchanged || code == MILL_ECORRUPT;
    const char *text = compaction->error.text[0] ? compaction->error.text : mill_error_text(code);
    error_set(&log->error, code, "%s: compaction %s: %s%s", log->name,
              is_exchanged ? "is finished at the next start" : "was given up", text,
              log->uncleanable ? "; the log is not compacted again before it" : "");
    return code;
}

int partition_log_compaction_step(struct partition_log *log, struct compaction *compaction, struct io_time now)
{
    mill_assert(log->compaction == compaction);
    int code = compaction->code;
    if (code == 0 && compaction->generation != log->generation)
        code = MILL_EAGAIN; /* the tail was cut meanwhile */
    if (code == 0)
        code = step(log, compaction, now);
    if (code == 1)
        return 1;
    if (code < 0)
        code = give_up(log, compaction, code);
    log->compaction = NULL;
    compaction_release(compaction);
    return code;
}
