/*
 * Reading: from the hot tail at once, from disk in two steps.
 *
 * The loop notes what a worker needs (a file, where to look, what must be true of the batches there) and a worker does the rest.
 * Nothing that the worker touches belongs to the loop, so that a log may be appended to, aged or closed meanwhile.
 */
#include "log/partition_log.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "log/batch_scan.h"
#include "log/partition_log_state.h"

/* Read beyond what is asked for, so that the batch that the index points at need not be read before the one wanted. */
enum { SEARCH_BYTES = 64 << 10 };

/* ---- a place on disk: shared with log_lookup.c ----------------------------------------------------------------------------- */

int log_cold_begin(struct partition_log *log, struct log_cold *cold, size_t at, int64_t offset)
{
    struct segment *segment = log->segments[at];
    bool open = segment->files && segment->index.loaded;
    struct offset_index_entry entry = { 0 };
    if (open)
        entry = offset_index_find(&segment->index.offsets, offset);
    *cold = (struct log_cold){ .position = open ? (int64_t)entry.position : -1,
                               .first_next_offset = entry.next_offset,
                               .end = segment->bytes,
                               .base_offset = segment->base_offset,
                               .end_offset = log_segment_end(log, at),
                               .forgotten = page_cache_forgotten(log, segment),
                               .index_interval_bytes = log->config.index_interval_bytes,
                               .generation = log->generation,
                               .dense = log_is_dense(log) };
    cold->leader_epoch = epoch_cache_at(&log->epochs, offset, &cold->epoch_end);
    if (!open) {
        cold->files = segment_files_new(log->disk, log->path, segment->base_offset);
        return cold->files ? 0 : MILL_ENOMEM;
    }
    segment_files_hold(segment->files);
    cold->files = segment->files;
    if (at + 1 < log->segment_count)
        open_files_use(log->open_files, segment);
    return 0;
}

int log_cold_open(struct log_cold *cold)
{
    int code = segment_files_open(cold->files);
    if (code < 0 || cold->position >= 0)
        return code;
    cold->index = mem_alloc(sizeof *cold->index);
    if (!cold->index)
        return MILL_ENOMEM;
    struct segment_files *files = cold->files;
    segment_index_init(cold->index, cold->base_offset);
    code = segment_index_load(cold->index, files->disk, files->directory, (uint32_t)cold->end, cold->end_offset);
    if (code != MILL_ENOTFOUND && code != MILL_ECORRUPT)
        return code;
    cold->index_is_new = true;
    return segment_index_build(cold->index, files, (uint32_t)cold->end, cold->end_offset, cold->index_interval_bytes);
}

static struct segment *find_segment(struct partition_log *log, const struct log_cold *cold)
{
    struct segment *segment = log->segments[log_find_segment(log, cold->base_offset)];
    return segment->base_offset == cold->base_offset && cold->generation == log->generation ? segment : NULL;
}

/* An older segment that is not open takes the files and the index that a worker has opened for it. */
static void adopt(struct partition_log *log, struct segment *segment, struct log_cold *cold)
{
    if (segment->files || segment == log_active(log) || !cold->index || !cold->index->loaded)
        return;
    segment_files_hold(cold->files);
    segment->files = cold->files;
    segment->index = *cold->index;
    mem_free(cold->index);
    cold->index = NULL;
    if (cold->index_is_new) {
        trace_warn(log->name, "the index of segment %lld was missing or wrong; it has been built anew",
                   (long long)segment->base_offset);
        segment->max_timestamp_known = false;
        if (segment_index_save(&segment->index, log->disk, log->path, true) < 0)
            trace_warn(log->name, "the index of segment %lld could not be written", (long long)segment->base_offset);
    }
    open_files_use(log->open_files, segment);
}

bool log_cold_end(struct partition_log *log, struct log_cold *cold)
{
    struct segment *segment = find_segment(log, cold);
    if (segment && cold->code == 0)
        adopt(log, segment, cold);
    log_cold_release(cold);
    return segment != NULL;
}

void log_cold_release(struct log_cold *cold)
{
    segment_files_drop(cold->files);
    cold->files = NULL;
    if (cold->index)
        segment_index_release(cold->index);
    mem_free(cold->index);
    cold->index = NULL;
}

/* ---- begin ----------------------------------------------------------------------------------------------------------------- */

int partition_log_read(struct partition_log *log, struct log_read *read)
{
    int64_t end = partition_log_end_offset(log);
    read->cold = (struct log_cold){ 0 };
    read->slice_count = 0;
    read->bytes = 0;
    read->next_offset = read->offset;
    read->resume_offset = -1;
    if (read->offset < log->log_start || read->offset > end)
        return error_set(&read->error, MILL_EOUTOFRANGE, "%s: offset %lld lies outside [%lld, %lld]", log->name,
                         (long long)read->offset, (long long)log->log_start, (long long)end);
    if (read->offset >= (read->upper_offset < end ? read->upper_offset : end))
        return 0;
    if (hot_tail_covers(&log->tail, read->offset)) {
        struct hot_answer answer = hot_tail_take(&log->tail, read->offset, read->upper_offset, read->bytes_max,
                                                 read->first_always, read->slices, read->slices_max);
        read->slice_count = answer.slice_count;
        read->bytes = answer.bytes;
        read->next_offset = answer.next_offset;
        return 0;
    }
    int code = log_cold_begin(log, &read->cold, log_find_segment(log, read->offset), read->offset);
    return code < 0 ? error_set(&read->error, code, "%s: no memory for a read", log->name) : LOG_COLD;
}

/* ---- run ------------------------------------------------------------------------------------------------------------------- */

static int damaged(struct log_read *read, int64_t resume_offset)
{
    read->resume_offset = resume_offset;
    return error_set(&read->error, MILL_ECORRUPT,
                     "%s/%020lld.log: the batch with offset %lld is damaged; reading is possible again from %lld: restore the "
                     "segment from a copy, or skip to there",
                     read->cold.files->directory, (long long)read->cold.base_offset, (long long)read->offset,
                     (long long)resume_offset);
}

static int start_scan(const struct log_read *read, struct offset_index_entry from, bool check, struct batch_scan *scan)
{
    const struct log_cold *cold = &read->cold;
    *scan = (struct batch_scan){ .file = cold->files->log,
                                 .position = from.position,
                                 .end = cold->end,
                                 .next_offset = cold->base_offset,
                                 .below_offset = cold->end_offset,
                                 .first_next_offset = from.next_offset,
                                 .leader_epoch = -1,
                                 .dense = cold->dense && from.position == 0,
                                 .check = check };
    return batch_scan_init(scan);
}

/* Walks to the batch that holds the offset, or the first one behind it. 1 with scan->header, 0 when the segment ends before. */
static int find_batch(const struct log_read *read, struct batch_scan *scan)
{
    int code;
    while ((code = batch_scan_next(scan)) == 1 && scan->next_offset <= read->offset)
        scan->dense = read->cold.dense;
    return code;
}

/* The same with every batch checked, passing over those that are wrong. Damaged when the offset itself lies in one of them. */
static int find_intact_batch(struct log_read *read, struct batch_scan *scan)
{
    for (;;) {
        int code = find_batch(read, scan);
        if (code != MILL_ECORRUPT && code != MILL_ETRUNCATED)
            return code;
        code = batch_scan_resync(scan);
        if (code < 0)
            return code;
        if (code == 0)
            return damaged(read, read->cold.end_offset);
        if (scan->next_offset > read->offset)
            return damaged(read, scan->next_offset);
    }
}

static bool is_in_order(const struct log_cold *cold, const struct batch_header *header, int64_t next_offset, bool first)
{
    if (header->base_offset < next_offset || (cold->dense && !first && header->base_offset != next_offset))
        return false;
    bool epoch_known = cold->leader_epoch >= 0 && header->base_offset < cold->epoch_end;
    return batch_next_offset(header) <= cold->end_offset && (!epoch_known || header->leader_epoch == cold->leader_epoch);
}

/* How many of the bytes are whole, intact batches that may be shown; `next_offset` moves behind them. */
static size_t count_good(struct log_read *read, mill_bytes region, int64_t *next_offset, bool *wrong)
{
    mill_bytes batch;
    struct batch_header header;
    size_t good = 0;
    int code;
    while ((code = batch_next(&region, &batch, &header)) == 1) {
        if (batch_next_offset(&header) > read->upper_offset)
            return good;
        if (batch_check(batch, &header) < 0 || !is_in_order(&read->cold, &header, *next_offset, good == 0)) {
            code = MILL_ECORRUPT;
            break;
        }
        good += batch.len;
        *next_offset = batch_next_offset(&header);
    }
    *wrong = code < 0 && code != MILL_ETRUNCATED;
    return good;
}

/*
 * `wanted` bytes from `position` on, fewer at the file's end, as `*bytes` within the buffer. It has room for three blocks more:
 * what is read past the page cache begins and ends with a block and lies at one in memory.
 */
static int read_bytes(const struct log_cold *cold, struct shared_buffer *buffer, int64_t position, size_t wanted,
                      mill_bytes *bytes)
{
    size_t before = 0;
    uint8_t *into = buffer->data;
    ssize_t got;
    if (position + (int64_t)wanted > cold->forgotten) {
        got = disk_read(cold->files->log, into, wanted, position);
    } else {
        before = (size_t)(position % DISK_BLOCK_BYTES);
        into += -(uintptr_t)into % DISK_BLOCK_BYTES;
        size_t whole = (before + wanted + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES * DISK_BLOCK_BYTES;
        got = disk_read_past_cache(cold->files->log, into, whole, position - (int64_t)before);
    }
    if (got < 0)
        return (int)got;
    size_t len = (size_t)got < before ? 0 : (size_t)got - before;
    *bytes = mill_bytes_of(into + before, len < wanted ? len : wanted);
    buffer->len = (uint32_t)(into + before - buffer->data + bytes->len);
    return 0;
}

/* A buffer with the bytes of the segment from `position` on. */
static int load(struct log_read *read, int64_t position, size_t wanted, struct shared_buffer **buffer, mill_bytes *bytes)
{
    *buffer = shared_buffer_new(wanted + 3 * DISK_BLOCK_BYTES);
    if (!*buffer)
        return error_set(&read->error, MILL_ENOMEM, "%s: no memory for a read of %zu bytes", read->cold.files->directory, wanted);
    int code = read_bytes(&read->cold, *buffer, position, wanted, bytes);
    if (code < 0)
        shared_buffer_drop(*buffer);
    return code;
}

/* Answers with the intact batches at the start of `region`, the first is `header`, and takes the buffer over. 0: none is. */
static int answer(struct log_read *read, struct shared_buffer *buffer, mill_bytes region, const struct batch_header *header)
{
    int64_t next_offset = header->base_offset;
    bool wrong = false;
    size_t good = count_good(read, region, &next_offset, &wrong);
    if (good == 0) {
        shared_buffer_drop(buffer);
        return wrong ? MILL_ECORRUPT : 0;
    }
    read->slices[0] = (struct slice){ mill_bytes_of(region.data, good), buffer };
    read->slice_count = 1;
    read->bytes = good;
    read->next_offset = next_offset;
    return 1;
}

/* How many bytes to answer with when the first batch has `header` and `left` bytes are there; 0: none. */
static size_t allowed(const struct log_read *read, const struct batch_header *header, int64_t left)
{
    if (batch_next_offset(header) > read->upper_offset)
        return 0;
    if (header->size > read->bytes_max)
        return read->first_always ? header->size : 0;
    return (int64_t)read->bytes_max < left ? read->bytes_max : (size_t)left;
}

/* Reads from the batch that `scan` has found. MILL_ECORRUPT when already that one is wrong. */
static int read_batches(struct log_read *read, struct batch_scan *scan)
{
    int64_t position = scan->batch_position;
    size_t wanted = allowed(read, &scan->header, read->cold.end - position);
    if (wanted == 0)
        return 0;
    struct shared_buffer *buffer;
    mill_bytes bytes;
    int code = load(read, position, wanted, &buffer, &bytes);
    return code < 0 ? code : answer(read, buffer, bytes, &scan->header);
}

/*
 * Moves `region`, which begins where the index says, to the batch that holds the offset, or the first one behind it, as
 * find_batch does on the disk. False: it is not whole in there, or something does not fit.
 */
static bool skip_to_batch(const struct log_read *read, struct offset_index_entry from, mill_bytes *region,
                          struct batch_header *header)
{
    mill_bytes rest = *region;
    mill_bytes batch;
    int64_t next_offset = from.position == 0 ? read->cold.base_offset : -1;
    while (batch_next(&rest, &batch, header) == 1) {
        if (next_offset < 0 && from.next_offset > 0 && batch_next_offset(header) != from.next_offset)
            return false;
        if (next_offset >= 0 && (read->cold.dense ? header->base_offset != next_offset : header->base_offset < next_offset))
            return false;
        next_offset = batch_next_offset(header);
        if (next_offset > read->offset)
            return next_offset <= read->cold.end_offset;
        *region = rest;
    }
    return false;
}

/* The usual case with one call of the disk: the batch lies a little behind where the index points. 0: it has to be searched. */
static int read_at_once(struct log_read *read, struct offset_index_entry from)
{
    int64_t left = read->cold.end - from.position;
    size_t wanted = read->bytes_max + SEARCH_BYTES;
    if (left <= 0)
        return 0;
    if ((int64_t)wanted > left)
        wanted = (size_t)left;
    struct shared_buffer *buffer;
    mill_bytes region;
    int code = load(read, from.position, wanted, &buffer, &region);
    if (code < 0)
        return code;
    struct batch_header header;
    size_t len = skip_to_batch(read, from, &region, &header) ? allowed(read, &header, (int64_t)region.len) : 0;
    if (len > 0 && len <= region.len)
        return answer(read, buffer, mill_bytes_of(region.data, len), &header);
    shared_buffer_drop(buffer);
    return 0;
}

static int find_and_read(struct log_read *read, struct offset_index_entry from, bool check)
{
    struct batch_scan scan;
    int code = start_scan(read, from, check, &scan);
    if (code == 0)
        code = check ? find_intact_batch(read, &scan) : find_batch(read, &scan);
    if (code == 1) {
        code = read_batches(read, &scan);
        if (code == MILL_ECORRUPT && check)
            code = damaged(read, batch_next_offset(&scan.header)); /* its leader epoch alone is wrong */
    } else if (code == 0) {
        read->next_offset = read->cold.end_offset; /* the rest of the segment has no batches */
        read->cold.batches_end = scan.next_offset;
    }
    batch_scan_release(&scan);
    return code < 0 ? code : 0;
}

/*
 * Headers are walked unchecked, since the batches themselves are checked. When something does not fit, the segment is walked
 * again from its start with every check, so that neither a wrong index nor a wrong header hides what is intact.
 */
static int run(struct log_read *read)
{
    struct log_cold *cold = &read->cold;
    int code = log_cold_open(cold);
    if (code < 0)
        return code;
    struct offset_index_entry from = { (uint32_t)cold->position, cold->first_next_offset };
    if (cold->position < 0)
        from = offset_index_find(&cold->index->offsets, read->offset);
    code = read_at_once(read, from);
    if (code == 1)
        return 0;
    if (code == 0)
        code = find_and_read(read, from, false);
    if (code == MILL_ECORRUPT || code == MILL_ETRUNCATED)
        code = find_and_read(read, (struct offset_index_entry){ 0 }, true);
    return code;
}

void log_read_run(struct log_read *read)
{
    read->error.text[0] = '\0';
    read->cold.code = run(read);
    if (read->cold.code < 0 && read->error.text[0] == '\0')
        error_set(&read->error, read->cold.code, "%s/%020lld.log: reading at offset %lld: %s", read->cold.files->directory,
                  (long long)read->cold.base_offset, (long long)read->offset, mill_error_text(read->cold.code));
}

/* ---- end ------------------------------------------------------------------------------------------------------------------- */

int partition_log_read_end(struct partition_log *log, struct log_read *read)
{
    int code = read->cold.code;
    int64_t base_offset = read->cold.base_offset;
    int64_t batches_end = read->cold.batches_end;
    int64_t segment_end = read->cold.end_offset;
    bool valid = log_cold_end(log, &read->cold);
    if (!valid) {
        log_read_release(read);
        return MILL_EAGAIN;
    }
    if (code < 0)
        return code;
    bool passed_the_end = read->bytes == 0 && read->next_offset == segment_end;
    if (passed_the_end && segment_end < partition_log_end_offset(log)) {
        if (batches_end < segment_end)
            log_tell_lost_between(log, log_find_segment(log, base_offset), batches_end);
        read->offset = segment_end;
        return MILL_EAGAIN;
    }
    if (passed_the_end)
        read->next_offset = read->offset;
    return 0;
}

void log_read_release(struct log_read *read)
{
    for (size_t i = 0; i < read->slice_count; i++)
        shared_buffer_drop(read->slices[i].buffer);
    read->slice_count = 0;
    read->bytes = 0;
    log_cold_release(&read->cold);
}
