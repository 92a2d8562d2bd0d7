/* One segment's file, indexes and age. */
#include "log/segment.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "log/batch_scan.h"
#include "log/log_files.h"

enum { INDEX_ENTRIES_FIRST = 64, INDEX_FILE_BYTES_MAX = 256 << 20 };

/* ---- files ----------------------------------------------------------------------------------------------------------------- */

struct segment_files *segment_files_new(struct disk *disk, const char *directory, int64_t base_offset)
{
    size_t len = strlen(directory) + 1;
    struct segment_files *files = mem_alloc(sizeof *files + len);
    if (!files)
        return NULL;
    atomic_init(&files->holders, 1);
    files->disk = disk;
    files->log = NULL;
    files->base_offset = base_offset;
    memcpy(files->directory, directory, len);
    return files;
}

void segment_files_hold(struct segment_files *files)
{
    atomic_fetch_add_explicit(&files->holders, 1, memory_order_relaxed);
}

void segment_files_drop(struct segment_files *files)
{
    if (!files || atomic_fetch_sub_explicit(&files->holders, 1, memory_order_acq_rel) != 1)
        return;
    disk_close(files->log);
    mem_free(files);
}

int segment_files_open(struct segment_files *files)
{
    if (files->log)
        return 0;
    char path[LOG_PATH_BYTES];
    log_segment_path(path, files->directory, files->base_offset, SUFFIX_LOG);
    return disk_open(files->disk, path, DISK_READ, &files->log);
}

/* ---- indexes --------------------------------------------------------------------------------------------------------------- */

void segment_index_init(struct segment_index *index, int64_t base_offset)
{
    *index = (struct segment_index){ .offsets.base_offset = base_offset, .times.base_offset = base_offset };
}

void segment_index_release(struct segment_index *index)
{
    mem_free(index->offsets.entries);
    mem_free(index->times.entries);
    segment_index_init(index, index->offsets.base_offset);
}

/* Reads whole entries; a partial one at the end, as a torn write leaves, is not counted. */
static int read_entries(struct disk *disk, const char *directory, int64_t base_offset, const char *suffix, size_t entry_bytes,
                        uint8_t **entries, size_t *count)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, directory, base_offset, suffix);
    char *data;
    size_t len;
    int code = disk_read_file(disk, path, INDEX_FILE_BYTES_MAX, &data, &len);
    if (code < 0)
        return code == MILL_ETOOLARGE ? MILL_ECORRUPT : code;
    *entries = (uint8_t *)data;
    *count = len / entry_bytes;
    return 0;
}

int segment_index_load(struct segment_index *index, struct disk *disk, const char *directory, uint32_t log_bytes,
                       int64_t end_offset)
{
    mill_assert(!index->loaded);
    int64_t base_offset = index->offsets.base_offset;
    uint8_t *entries;
    size_t count;
    int code = read_entries(disk, directory, base_offset, SUFFIX_INDEX, OFFSET_INDEX_ENTRY_BYTES, &entries, &count);
    if (code < 0)
        return code;
    code = offset_index_init(&index->offsets, base_offset, entries, count, count, log_bytes);
    if (code == 0)
        code = read_entries(disk, directory, base_offset, SUFFIX_TIME_INDEX, TIME_INDEX_ENTRY_BYTES, &entries, &count);
    if (code == 0)
        code = time_index_init(&index->times, base_offset, entries, count, count, end_offset);
    if (code < 0) {
        segment_index_release(index);
        return code;
    }
    index->offsets_saved = index->offsets.count;
    index->times_saved = index->times.count;
    index->loaded = true;
    return 0;
}

static int write_entries(struct disk *disk, const char *path, size_t entry_bytes, const uint8_t *entries, size_t count,
                         size_t *saved)
{
    struct disk_file *file;
    int code = disk_open(disk, path, DISK_WRITE | DISK_CREATE | (*saved == 0 ? DISK_TRUNCATE : 0), &file);
    if (code < 0)
        return code;
    struct io_vector vector = { entries + *saved * entry_bytes, (count - *saved) * entry_bytes };
    if (vector.len > 0)
        code = disk_write(file, &vector, 1, (int64_t)(*saved * entry_bytes));
    disk_close(file);
    if (code == 0)
        *saved = count;
    return code;
}

static int save(struct segment_index *index, struct disk *disk, const char *directory, const char *behind)
{
    char path[LOG_PATH_BYTES];
    log_segment_path_with(path, directory, index->offsets.base_offset, SUFFIX_INDEX, behind);
    int code =
        write_entries(disk, path, OFFSET_INDEX_ENTRY_BYTES, index->offsets.entries, index->offsets.count, &index->offsets_saved);
    if (code < 0)
        return code;
    log_segment_path_with(path, directory, index->offsets.base_offset, SUFFIX_TIME_INDEX, behind);
    return write_entries(disk, path, TIME_INDEX_ENTRY_BYTES, index->times.entries, index->times.count, &index->times_saved);
}

int segment_index_save(struct segment_index *index, struct disk *disk, const char *directory, bool all)
{
    if (all) {
        index->offsets_saved = 0;
        index->times_saved = 0;
    }
    return save(index, disk, directory, "");
}

int segment_index_save_as(struct segment_index *index, struct disk *disk, const char *directory, const char *behind)
{
    index->offsets_saved = 0;
    index->times_saved = 0;
    return save(index, disk, directory, behind);
}

int segment_index_sync(struct disk *disk, const char *directory, int64_t base_offset)
{
    int code = log_sync_file(disk, directory, base_offset, SUFFIX_INDEX);
    if (code == 0)
        code = log_sync_file(disk, directory, base_offset, SUFFIX_TIME_INDEX);
    return code < 0 ? code : log_sync_file(disk, directory, base_offset, SUFFIX_TXN_INDEX);
}

void segment_index_truncate(struct segment_index *index, int64_t offset)
{
    offset_index_truncate(&index->offsets, offset);
    time_index_truncate(&index->times, offset);
    /* The files are longer now than what counts: they are written anew with the next save. */
    index->offsets_saved = 0;
    index->times_saved = 0;
}

/* Room for one more entry. False at `bytes_max` or without memory. */
static bool grow(uint8_t **entries, size_t count, size_t *capacity, size_t entry_bytes, size_t bytes_max)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : INDEX_ENTRIES_FIRST;
    if (wanted > bytes_max / entry_bytes)
        wanted = bytes_max / entry_bytes;
    if (wanted <= count)
        return false;
    uint8_t *grown = mem_realloc(*entries, wanted * entry_bytes);
    if (!grown)
        return false;
    *entries = grown;
    *capacity = wanted;
    return true;
}

static bool note_time(struct segment_index *index, const struct segment_progress *progress, size_t bytes_max)
{
    struct time_index *times = &index->times;
    return progress->max_timestamp_ms < 0 ||
           (grow(&times->entries, times->count, &times->capacity, TIME_INDEX_ENTRY_BYTES, bytes_max) &&
            time_index_append(times, progress->max_timestamp_ms, progress->max_timestamp_offset));
}

void segment_index_note(struct segment_index *index, struct segment_progress *progress, const struct batch_header *header,
                        uint32_t position, uint32_t interval_bytes, uint32_t index_bytes_max)
{
    if (header->max_timestamp_ms > progress->max_timestamp_ms) {
        progress->max_timestamp_ms = header->max_timestamp_ms;
        progress->max_timestamp_offset = batch_last_offset(header);
    }
    if (progress->first_timestamp_ms < 0)
        progress->first_timestamp_ms = header->max_timestamp_ms;
    progress->next_offset = batch_next_offset(header);

    struct offset_index *offsets = &index->offsets;
    if (progress->bytes_since_index_entry > interval_bytes &&
        grow(&offsets->entries, offsets->count, &offsets->capacity, OFFSET_INDEX_ENTRY_BYTES, index_bytes_max) &&
        note_time(index, progress, index_bytes_max) && offset_index_append(offsets, batch_last_offset(header), position))
        progress->bytes_since_index_entry = 0;
    progress->bytes_since_index_entry += header->size;
}

void segment_index_finish(struct segment_index *index, const struct segment_progress *progress)
{
    note_time(index, progress, SIZE_MAX);
}

int segment_index_build(struct segment_index *index, struct segment_files *files, uint32_t log_bytes, int64_t end_offset,
                        uint32_t interval_bytes)
{
    struct batch_scan scan = {
        .file = files->log, .end = log_bytes, .next_offset = files->base_offset, .below_offset = end_offset, .leader_epoch = -1
    };
    struct segment_progress progress = { .next_offset = files->base_offset, .first_timestamp_ms = -1, .max_timestamp_ms = -1 };
    int code = batch_scan_init(&scan);
    while (code == 0) {
        code = batch_scan_next(&scan);
        if (code == 0)
            break;
        if (code == MILL_ECORRUPT || code == MILL_ETRUNCATED) {
            /* Damage does not end the index: it goes on behind it. */
            code = batch_scan_resync(&scan);
            if (code <= 0)
                break;
            code = 0;
            continue;
        }
        if (code < 0)
            break;
        segment_index_note(index, &progress, &scan.header, (uint32_t)scan.batch_position, interval_bytes, INDEX_FILE_BYTES_MAX);
        code = 0;
    }
    batch_scan_release(&scan);
    if (code < 0) {
        segment_index_release(index);
        return code;
    }
    segment_index_finish(index, &progress);
    index->loaded = true;
    return 0;
}

/* ---- the segment ----------------------------------------------------------------------------------------------------------- */

struct segment *segment_new(int64_t base_offset, struct io_time now)
{
    struct segment *segment = mem_calloc(1, sizeof *segment);
    if (!segment)
        return NULL;
    segment->base_offset = base_offset;
    segment->progress = (struct segment_progress){ .next_offset = base_offset, .first_timestamp_ms = -1, .max_timestamp_ms = -1 };
    segment->first_append_ms = now.wall_ms;
    segment->last_append_ms = now.wall_ms;
    segment_index_init(&segment->index, base_offset);
    list_init(&segment->open_link);
    return segment;
}

void segment_free(struct segment *segment)
{
    if (!segment)
        return;
    mill_assert(list_empty(&segment->open_link));
    segment_files_drop(segment->files);
    segment_index_release(&segment->index);
    mem_free(segment);
}

bool segment_is_full(const struct segment *segment, const struct log_config *config, uint32_t bytes, int64_t last_offset)
{
    if (segment->bytes == 0)
        return false;
    size_t index_bytes_max = config->segment_index_bytes;
    return (uint64_t)segment->bytes + bytes > config->segment_bytes || last_offset - segment->base_offset > INT32_MAX ||
           (segment->index.offsets.count + 1) * OFFSET_INDEX_ENTRY_BYTES > index_bytes_max ||
           (segment->index.times.count + 1) * TIME_INDEX_ENTRY_BYTES > index_bytes_max;
}

/*
 * Kafka's rule measures record time, so that a replayed history is cut into weeks and can age by them. Ours ages by append time,
 * so a segment's own age is what matters: thirteen years of access log are one segment, not seven hundred.
 */
bool segment_is_aged(const struct segment *segment, const struct log_config *config, int64_t timestamp_ms, struct io_time now)
{
    if (segment->bytes == 0)
        return false;
    /* An active segment is not compacted, so what must be is rolled in time. */
    int64_t age_ms_max = config->segment_ms;
    if (config->cleanup_compact && config->compaction_lag_ms_max < age_ms_max)
        age_ms_max = config->compaction_lag_ms_max;
    int64_t first = segment->progress.first_timestamp_ms;
    if (config->retention_by_record_time && first >= 0 && timestamp_ms >= 0)
        return timestamp_ms - first > age_ms_max;
    return now.wall_ms - segment->first_append_ms > age_ms_max;
}

static int64_t read_last_timestamp(const struct segment *segment, struct disk *disk, const char *directory)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, directory, segment->base_offset, SUFFIX_TIME_INDEX);
    struct disk_file *file;
    if (disk_open(disk, path, DISK_READ, &file) < 0)
        return -1;
    uint8_t entry[TIME_INDEX_ENTRY_BYTES];
    int64_t size;
    struct time_index last;
    struct time_index_entry found = { .timestamp_ms = -1 };
    if (disk_size(file, &size) == 0 && size >= TIME_INDEX_ENTRY_BYTES &&
        disk_read(file, entry, sizeof entry, (size / TIME_INDEX_ENTRY_BYTES - 1) * TIME_INDEX_ENTRY_BYTES) == sizeof entry &&
        time_index_init(&last, segment->base_offset, entry, 1, 1, segment->progress.next_offset) == 0)
        time_index_last(&last, &found);
    disk_close(file);
    return found.timestamp_ms;
}

int64_t segment_max_timestamp(struct segment *segment, struct disk *disk, const char *directory)
{
    if (!segment->max_timestamp_known) {
        segment->progress.max_timestamp_ms = read_last_timestamp(segment, disk, directory);
        segment->max_timestamp_known = true;
    }
    return segment->progress.max_timestamp_ms;
}

int64_t segment_first_timestamp(struct segment *segment, struct disk *disk, const char *directory)
{
    if (segment->progress.first_timestamp_ms >= 0)
        return segment->progress.first_timestamp_ms;
    char path[LOG_PATH_BYTES];
    log_segment_path(path, directory, segment->base_offset, SUFFIX_LOG);
    struct disk_file *file;
    if (segment->pinned || disk_open(disk, path, DISK_READ, &file) < 0)
        return -1;
    uint8_t bytes[BATCH_HEADER_BYTES];
    struct batch_header header;
    if (disk_read(file, bytes, sizeof bytes, 0) == sizeof bytes &&
        batch_header_decode(mill_bytes_of(bytes, sizeof bytes), &header) == 0)
        segment->progress.first_timestamp_ms = header.max_timestamp_ms;
    disk_close(file);
    return segment->progress.first_timestamp_ms;
}

/* ---- open files ------------------------------------------------------------------------------------------------------------ */

void open_files_init(struct open_files *open, size_t max)
{
    list_init(&open->segments);
    open->count = 0;
    open->max = max;
}

void open_files_use(struct open_files *open, struct segment *segment)
{
    if (!open || segment->pinned)
        return;
    if (list_empty(&segment->open_link))
        open->count++;
    list_remove(&segment->open_link);
    list_push_back(&open->segments, &segment->open_link);
    while (open->count > open->max)
        open_files_close(open, list_entry(open->segments.next, struct segment, open_link));
}

void open_files_close(struct open_files *open, struct segment *segment)
{
    if (!list_empty(&segment->open_link)) {
        list_remove(&segment->open_link);
        open->count--;
    }
    segment_files_drop(segment->files);
    segment->files = NULL;
    segment_index_release(&segment->index);
}
