/*
 * Append, roll and close; the questions that need no disk.
 *
 * An append changes nothing in memory before its write has succeeded: what a failed write leaves behind the end of the file is
 * overwritten by the next one, or cut by recovery.
 */
#include "log/partition_log.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "log/partition_log_state.h"
#include "log/retention.h"

/* ---- questions ------------------------------------------------------------------------------------------------------------- */

void partition_log_set_config(struct partition_log *log, const struct log_config *config)
{
    log->config = *config;
    log->looked_up_to = 0;
    log->tail.bytes_max = config->hot_tail_bytes;
}

const struct log_config *partition_log_get_config(const struct partition_log *log)
{
    return &log->config;
}

const char *partition_log_error(const struct partition_log *log)
{
    return log->error.text;
}

const char *partition_log_name(const struct partition_log *log)
{
    return log->name;
}

const char *partition_log_path(const struct partition_log *log)
{
    return log->path;
}

const uint8_t *partition_log_topic_id(const struct partition_log *log)
{
    return log->topic_id;
}

int64_t partition_log_start_offset(const struct partition_log *log)
{
    return log->log_start;
}

int64_t partition_log_end_offset(const struct partition_log *log)
{
    return log_active(log)->progress.next_offset;
}

int64_t partition_log_active_offset(const struct partition_log *log)
{
    return log_active(log)->base_offset;
}

int64_t partition_log_synced_end(const struct partition_log *log)
{
    return log->synced_end;
}

int64_t partition_log_lost(const struct partition_log *log)
{
    return log->lost;
}

int64_t partition_log_high_watermark(const struct partition_log *log)
{
    return log->config.sync_acks ? log->synced_end : partition_log_end_offset(log);
}

int64_t partition_log_bytes(const struct partition_log *log)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < log->segment_count; i++)
        bytes += log->segments[i]->bytes;
    return bytes;
}

int64_t partition_log_active_bytes(const struct partition_log *log)
{
    return log_active(log)->bytes;
}

size_t partition_log_segment_count(const struct partition_log *log)
{
    return log->segment_count;
}

int32_t partition_log_leader_epoch(const struct partition_log *log)
{
    return epoch_cache_latest(&log->epochs);
}

bool partition_log_epoch_end(const struct partition_log *log, int32_t epoch, int32_t *found_epoch, int64_t *end_offset)
{
    return epoch_cache_end(&log->epochs, epoch, partition_log_end_offset(log), found_epoch, end_offset);
}

/* ---- segments -------------------------------------------------------------------------------------------------------------- */

size_t log_find_segment(const struct partition_log *log, int64_t offset)
{
    size_t low = 0;
    size_t high = log->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->segments[middle]->base_offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : low - 1;
}

int log_insert_segment(struct partition_log *log, size_t at, struct segment *segment)
{
    if (log->segment_count == log->segment_capacity) {
        size_t capacity = log->segment_capacity ? log->segment_capacity * 2 : 4;
        struct segment **grown = mem_realloc(log->segments, capacity * sizeof(struct segment *));
        if (!grown)
            return MILL_ENOMEM;
        log->segments = grown;
        log->segment_capacity = capacity;
    }
    memmove(log->segments + at + 1, log->segments + at, (log->segment_count - at) * sizeof(struct segment *));
    log->segments[at] = segment;
    log->segment_count++;
    return 0;
}

int log_add_segment(struct partition_log *log, int64_t base_offset, struct io_time now)
{
    struct segment *segment = segment_new(base_offset, now);
    if (!segment)
        return MILL_ENOMEM;
    int code = MILL_ENOMEM;
    char path[LOG_PATH_BYTES];
    log_segment_path(path, log->path, base_offset, SUFFIX_LOG);
    segment->files = segment_files_new(log->disk, log->path, base_offset);
    if (!segment->files)
        goto fail;
    segment->index.loaded = true;
    segment->max_timestamp_known = true;
    code = disk_open(log->disk, path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &segment->files->log);
    if (code < 0)
        goto fail;
    log->directory_dirty = true;
    code = log_insert_segment(log, log->segment_count, segment);
    if (code < 0)
        goto fail;
    return 0;

fail:
    segment_free(segment);
    return code;
}

/* What cannot be written now is built again when it is needed. */
void log_retire_segment(struct partition_log *log, struct segment *segment)
{
    segment_index_finish(&segment->index, &segment->progress);
    segment->index_dirty = true;
    /* A failed write may have left bytes behind the end. */
    int code = disk_truncate(segment->files->log, segment->bytes);
    if (code == 0)
        code = segment_index_save(&segment->index, log->disk, log->path, false);
    if (code == 0)
        code = log_save_aborted(log);
    if (code == 0)
        code = log_write_snapshot(log);
    if (code < 0)
        trace_warn(log->name, "index or producer snapshot at offset %lld was not written (%s); they will be built from the log",
                   (long long)segment->progress.next_offset, mill_error_text(code));
    open_files_use(log->open_files, segment);
}

int partition_log_roll(struct partition_log *log, struct io_time now)
{
    struct segment *active = log_active(log);
    if (active->bytes == 0)
        return 0;
    if (log->failed)
        return error_set(&log->error, MILL_EIO, "%s: a sync has failed; restart the broker to recover the log", log->name);
    int code = log_add_segment(log, active->progress.next_offset, now);
    if (code < 0)
        return error_set(&log->error, code, "%s: no new segment at offset %lld: %s", log->name,
                         (long long)active->progress.next_offset, mill_error_text(code));
    log_retire_segment(log, active);
    return 0;
}

/* ---- append ---------------------------------------------------------------------------------------------------------------- */

/* The batches of one write: checked, stamped, not yet in the log. */
struct run {
    size_t count;
    size_t bytes;
    int64_t next_offset;
    bool is_marker; /* the first, and only, batch ends a transaction */
    struct control_marker marker;
    struct batch_header headers[LOG_APPEND_BATCHES_MAX];
    uint8_t stamped[LOG_APPEND_BATCHES_MAX][BATCH_HEADER_BYTES];
    struct io_vector vectors[LOG_APPEND_BATCHES_MAX * 2];
};

static enum append_outcome judge_marker(const struct partition_log *log, const struct control_marker *marker)
{
    const struct producer_entry *entry = producer_state_find(&log->producers, marker->producer_id);
    if (entry && marker->producer_epoch < entry->epoch)
        return APPEND_STALE_EPOCH;
    return entry && marker->coordinator_epoch < entry->coordinator_epoch ? APPEND_STALE_COORDINATOR : APPEND_DONE;
}

static enum append_outcome judge_producer(const struct partition_log *log, const struct batch_header *header,
                                          struct append_result *result)
{
    if (!batch_has_producer(header) || batch_is_control(header))
        return APPEND_DONE;
    struct producer_batch seen;
    switch (producer_state_check(&log->producers, header, &seen)) {
    case PRODUCER_IN_ORDER:
        return APPEND_DONE;
    case PRODUCER_DUPLICATE:
        result->base_offset = seen.last_offset - seen.offset_delta;
        result->last_offset = seen.last_offset;
        return APPEND_DUPLICATE;
    case PRODUCER_STALE_EPOCH:
        return APPEND_STALE_EPOCH;
    case PRODUCER_OUTSIDE_TXN:
        return APPEND_OUTSIDE_TXN;
    case PRODUCER_OUT_OF_ORDER:
        break;
    }
    return APPEND_OUT_OF_ORDER;
}

static enum append_outcome judge(const struct partition_log *log, const struct run *run, const struct batch_header *header,
                                 enum append_origin origin, struct append_result *result)
{
    if (origin == APPEND_CLIENT && header->size > log->config.max_message_bytes)
        return APPEND_TOO_LARGE;
    if (header->size > log->config.segment_bytes)
        return APPEND_ABOVE_SEGMENT;
    return run->is_marker ? judge_marker(log, &run->marker) : judge_producer(log, header, result);
}

static void add_to_run(struct run *run, struct slice batch, struct batch_header header, int32_t leader_epoch)
{
    header.base_offset = run->next_offset;
    header.leader_epoch = leader_epoch;
    uint8_t *stamped = run->stamped[run->count];
    memcpy(stamped, batch.bytes.data, BATCH_HEADER_BYTES);
    batch_stamp(stamped, header.base_offset, leader_epoch);
    run->vectors[run->count * 2] = (struct io_vector){ stamped, BATCH_HEADER_BYTES };
    run->vectors[run->count * 2 + 1] =
        (struct io_vector){ batch.bytes.data + BATCH_HEADER_BYTES, batch.bytes.len - BATCH_HEADER_BYTES };
    run->headers[run->count++] = header;
    run->bytes += header.size;
    run->next_offset = batch_next_offset(&header);
}

/* The room that noting a batch needs is taken before it is written. */
static int reserve(struct partition_log *log, const struct batch_header *header)
{
    int code = epoch_cache_reserve(&log->epochs);
    return code == 0 ? log_reserve_producer(log, header) : code;
}

/* Writes the run and takes it into everything that the log knows. */
static int write_run(struct partition_log *log, const struct run *run, const struct slice *batches, struct io_time now,
                     struct append_result *result)
{
    struct segment *active = log_active(log);
    int code = disk_write(active->files->log, run->vectors, run->count * 2, active->bytes);
    if (code < 0)
        return error_set(&log->error, code, "%s: %zu bytes at offset %lld were not written: %s", log->name, run->bytes,
                         (long long)active->progress.next_offset, mill_error_text(code));
    if (active->bytes == 0)
        active->first_append_ms = now.wall_ms;
    if (!partition_log_is_dirty(log))
        log->dirty_since_us = now.monotonic_us;
    active->last_append_ms = now.wall_ms;
    log->last_append_us = now.monotonic_us;
    log->page_cache.bytes += (int64_t)run->bytes;
    log->appended_bytes += (int64_t)run->bytes;
    for (size_t i = 0; i < run->count; i++) {
        const struct batch_header *header = &run->headers[i];
        epoch_cache_note(&log->epochs, header->leader_epoch, header->base_offset);
        segment_index_note(&active->index, &active->progress, header, active->bytes, log->config.index_interval_bytes,
                           log->config.segment_index_bytes);
        active->bytes += header->size;
        log_note_producer(log, header, run->is_marker ? &run->marker : NULL, now.wall_ms);
        hot_tail_push(&log->tail, run->stamped[i], batches[i], header->base_offset, batch_next_offset(header));
    }
    if (result->base_offset < 0)
        result->base_offset = run->headers[0].base_offset;
    result->last_offset = run->next_offset - 1;
    result->appended += run->count;
    return 0;
}

static bool needs_roll(const struct partition_log *log, const struct batch_header *header, struct io_time now)
{
    const struct segment *active = log_active(log);
    return segment_is_full(active, &log->config, header->size, active->progress.next_offset + header->last_offset_delta) ||
           segment_is_aged(active, &log->config, header->max_timestamp_ms, now);
}

/* Only the first batch of a run has a producer, so only that one can end a transaction. */
static int read_marker(struct run *run, mill_bytes batch, const struct batch_header *header)
{
    run->is_marker = false;
    if (!batch_has_producer(header) || !batch_is_control(header))
        return 0;
    int code = control_marker_decode(batch, &run->marker);
    mill_assert(code == 1 || code == MILL_ENOMEM);
    run->is_marker = code == 1;
    return code < 0 ? code : 0;
}

/*
 * Collects batches that one write can take: they fit the segment, and only the first has a producer, whose next batch can be
 * judged only when this one is in. Returns 0 with an empty run when result->outcome says why the first was not taken.
 */
static int collect(struct partition_log *log, struct run *run, const struct slice *batches, size_t count,
                   enum append_origin origin, int32_t leader_epoch, struct io_time now, struct append_result *result)
{
    run->count = 0;
    run->bytes = 0;
    for (size_t i = 0; i < count; i++) {
        struct batch_header header;
        int code = batch_header_decode(batches[i].bytes, &header);
        mill_assert(code == 0);
        mill_assert(header.size == batches[i].bytes.len);
        if (run->count > 0 &&
            (batch_has_producer(&header) || run->bytes + log_active(log)->bytes + header.size > log->config.segment_bytes))
            return 0;
        code = read_marker(run, batches[i].bytes, &header);
        if (code < 0)
            return code;
        enum append_outcome outcome = judge(log, run, &header, origin, result);
        if (outcome != APPEND_DONE) {
            if (run->count == 0)
                result->outcome = outcome;
            return 0;
        }
        code = reserve(log, &header);
        if (code == 0 && run->count == 0 && needs_roll(log, &header, now))
            code = partition_log_roll(log, now);
        if (code < 0)
            return run->count > 0 ? 0 : code;
        if (run->count == 0)
            run->next_offset = partition_log_end_offset(log);
        add_to_run(run, batches[i], header, leader_epoch);
    }
    return 0;
}

int partition_log_append(struct partition_log *log, const struct slice *batches, size_t count, enum append_origin origin,
                         int32_t leader_epoch, struct io_time now, struct append_result *result)
{
    mill_assert(count <= LOG_APPEND_BATCHES_MAX);
    *result = (struct append_result){ .outcome = APPEND_DONE, .base_offset = -1, .last_offset = -1 };
    if (log->failed)
        return error_set(&log->error, MILL_EIO, "%s: a sync has failed; restart the broker to recover the log", log->name);

    while (result->appended < count) {
        struct run run;
        const struct slice *next = batches + result->appended;
        int code = collect(log, &run, next, count - result->appended, origin, leader_epoch, now, result);
        if (code < 0)
            return code == MILL_ENOMEM ? error_set(&log->error, code, "%s: no memory for an append", log->name) : code;
        if (run.count == 0)
            return 0;
        code = write_run(log, &run, next, now, result);
        if (code < 0)
            return code;
    }
    return 0;
}

/* ---- the epochs' file ------------------------------------------------------------------------------------------------------ */

int log_write_epochs(struct partition_log *log)
{
    if (!log->epochs.changed)
        return 0;
    struct buffer text;
    buffer_init(&text, SMALL_FILE_BYTES_MAX);
    epoch_cache_encode(&log->epochs, &text);
    char path[LOG_PATH_BYTES];
    log_path(path, log->path, EPOCH_FILE);
    int code = text.failed ? MILL_ENOMEM : disk_replace_file(log->disk, path, text.data, text.len);
    buffer_release(&text);
    if (code < 0)
        log->epochs.changed = true;
    return code;
}

/* ---- close ----------------------------------------------------------------------------------------------------------------- */

/* Everything that the next open takes on trust, written and synced. */
static int close_files(struct partition_log *log)
{
    struct segment *active = log_active(log);
    int code = log_save_aborted(log);
    if (code == 0)
        code = partition_log_sync(log);
    if (code == 0)
        code = disk_truncate(active->files->log, active->bytes);
    if (code == 0)
        code = segment_index_save(&active->index, log->disk, log->path, false);
    if (code == 0 && (active->index.offsets.count > 0 || log->txns.aborted_count > 0))
        code = segment_index_sync(log->disk, log->path, active->base_offset);
    if (code == 0 && log->directory_dirty)
        code = disk_sync_directory(log->disk, log->path);
    if (code == 0)
        code = log_write_snapshot(log);
    if (code == 0)
        code = log_write_epochs(log);
    return code;
}

static void free_log(struct partition_log *log)
{
    list_remove(&log->checkpoint_link);
    for (size_t i = 0; i < log->segment_count; i++) {
        if (!list_empty(&log->segments[i]->open_link))
            open_files_close(log->open_files, log->segments[i]);
        segment_free(log->segments[i]);
    }
    for (struct list *node; (node = list_pop_front(&log->deleted)) != NULL;)
        mem_free(list_entry(node, struct deleted_segment, link));
    mem_free(log->segments);
    epoch_cache_release(&log->epochs);
    producer_state_release(&log->producers);
    txn_state_release(&log->txns);
    hot_tail_release(&log->tail);
    mem_free(log->path);
    mem_free(log);
}

int partition_log_close(struct partition_log *log, bool clean, struct error_text *error)
{
    int code = 0;
    if (clean && log->failed)
        code = error_set(error, MILL_EIO, "%s: a sync has failed; the next start recovers the log", log->name);
    else if (clean && (code = close_files(log)) < 0)
        error_set(error, code, "%s: not closed cleanly: %s", log->name, mill_error_text(code));
    free_log(log);
    return code;
}
