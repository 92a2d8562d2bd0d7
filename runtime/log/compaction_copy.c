/*
 * The worker's half: reading sources, filling the map, writing a group.
 *
 * Every batch is read whole and checked. One that is damaged ends the compaction: what cannot be read must not be judged.
 */
#include "log/compaction.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "log/compaction_state.h"
#include "log/log_files.h"
#include "record/control.h"

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static int start_source(struct compaction *compaction)
{
    const struct compaction_source *source = &compaction->sources[compaction->at];
    compaction->source = segment_files_new(compaction->disk, compaction->path, source->base_offset);
    int code = compaction->source ? segment_files_open(compaction->source) : MILL_ENOMEM;
    if (code < 0)
        return code;
    compaction->scan = (struct batch_scan){ .file = compaction->source->log,
                                            .end = source->bytes,
                                            .next_offset = source->base_offset,
                                            .below_offset = source->end_offset,
                                            .leader_epoch = -1 };
    return batch_scan_init(&compaction->scan);
}

static void end_source(struct compaction *compaction)
{
    batch_scan_release(&compaction->scan);
    segment_files_drop(compaction->source);
    compaction->source = NULL;
}

/* Reads the next batch of the source into the buffer: 1, 0 at its end, or an error. */
static int read_batch(struct compaction *compaction)
{
    if (!compaction->source) {
        int code = start_source(compaction);
        if (code < 0)
            return code;
    }
    int code = batch_scan_next(&compaction->scan);
    if (code <= 0) {
        if (code == 0)
            end_source(compaction);
        return code == MILL_ETRUNCATED ? MILL_ECORRUPT : code;
    }
    size_t size = compaction->scan.header.size;
    buffer_clear(&compaction->batch);
    uint8_t *bytes = buffer_reserve(&compaction->batch, size);
    if (!bytes)
        return MILL_ENOMEM;
    ssize_t got = disk_read(compaction->scan.file, bytes, size, compaction->scan.batch_position);
    if (got < 0)
        return (int)got;
    compaction->batch.len = (size_t)got;
    return (size_t)got == size ? 1 : MILL_ECORRUPT;
}

/* ---- the map --------------------------------------------------------------------------------------------------------------- */

static int map_records(struct compaction *compaction)
{
    struct batch_reader *reader = &compaction->filter.reader;
    int code = batch_reader_open(reader, buffer_bytes(&compaction->batch), true);
    struct batch_record record;
    while (code == 0 && (code = batch_reader_next(reader, &record)) == 1) {
        code = 0;
        if (!mill_is_null(record.record.key) && record.offset >= compaction->first_dirty)
            code = offset_map_put(&compaction->map, record.record.key, record.offset);
        if (code < 0)
            return code;
    }
    return code == MILL_EUNSUPPORTED || code == MILL_ETRUNCATED ? MILL_ECORRUPT : code;
}

static int meet_marker(struct compaction *compaction)
{
    struct batch_reader *reader = &compaction->filter.reader;
    struct batch_record record;
    struct aborted_txn kept;
    int type = -1;
    int code = batch_reader_open(reader, buffer_bytes(&compaction->batch), true);
    if (code == 0)
        code = batch_reader_next(reader, &record);
    if (code == 1)
        code = control_record_type(&record.record, &type);
    if (code == 0)
        code = txn_filter_meet_marker(&compaction->txns, &compaction->scan.header, type, &kept);
    return code < 0 ? code : 0;
}

/* 0; MILL_ETOOLARGE: the map is full. */
static int map_batch(struct compaction *compaction)
{
    const struct batch_header *header = &compaction->scan.header;
    if (batch_is_control(header))
        return meet_marker(compaction);
    int aborted = txn_filter_meet_batch(&compaction->txns, header);
    return aborted != 0 ? (aborted < 0 ? aborted : 0) : map_records(compaction);
}

/* The whole dirty part is in the map, or as much as found room. */
static int finish_map(struct compaction *compaction, bool full)
{
    struct offset_map *map = &compaction->map;
    end_source(compaction);
    if (map->latest_offset < compaction->first_dirty)
        return full ? error_set(&compaction->error, MILL_ECORRUPT,
                                "a batch at offset %lld has more keys than log.cleaner.dedupe.buffer.size has room for",
                                (long long)compaction->first_dirty)
                    : MILL_ECORRUPT;
    compaction->end_offset = map->latest_offset + 1;
    while (compaction->sources[compaction->source_count - 1].base_offset >= compaction->end_offset)
        compaction->source_count--;
    txn_filter_release(&compaction->txns);
    txn_filter_init(&compaction->txns, compaction->aborted, compaction->aborted_count);
    compaction->phase = COMPACTION_MAPPED;
    return 0;
}

static int run_map(struct compaction *compaction)
{
    for (size_t bytes = 0; bytes < COMPACTION_RUN_BYTES; bytes += compaction->batch.len) {
        int code = read_batch(compaction);
        if (code < 0)
            return code;
        if (code == 0) {
            compaction->map.latest_offset = compaction->sources[compaction->at].end_offset - 1;
            if (++compaction->at == compaction->source_count)
                return finish_map(compaction, false);
            continue;
        }
        code = map_batch(compaction);
        if (code == MILL_ETOOLARGE)
            return finish_map(compaction, true);
        if (code < 0)
            return code;
        compaction->map.latest_offset = batch_last_offset(&compaction->scan.header);
    }
    return 0;
}

/* ---- a group --------------------------------------------------------------------------------------------------------------- */

/* Have the group's other sources behind this one nothing in them? */
static bool is_last_source(const struct compaction *compaction)
{
    for (size_t i = compaction->at + 1; i < compaction->group_first + compaction->group_count; i++)
        if (compaction->sources[i].bytes > 0)
            return false;
    return true;
}

/*
 * The last batch of a group stays, if only as a header: so the new segment is never empty and says itself which old ones it
 * stands for (swap_files.h). The last batch of the round stays for the same reason, as in Kafka.
 */
static void choose_kept_batch(struct compaction *compaction)
{
    const struct batch_scan *scan = &compaction->scan;
    bool ends_group = is_last_source(compaction) && scan->position == scan->end;
    bool ends_round = batch_next_offset(&scan->header) == compaction->end_offset;
    compaction->filter.keep_next_offset = ends_group || ends_round ? batch_next_offset(&scan->header) : -1;
}

static int write_batch(struct compaction *compaction, mill_bytes bytes)
{
    struct batch_header header;
    int code = batch_header_decode(bytes, &header);
    mill_assert(code == 0);
    code = disk_write(compaction->files->log, &(struct io_vector){ bytes.data, bytes.len }, 1, compaction->bytes);
    if (code < 0)
        return code;
    segment_index_note(&compaction->index, &compaction->progress, &header, compaction->bytes,
                       compaction->config.index_interval_bytes, compaction->config.segment_index_bytes);
    compaction->bytes += header.size;
    return 0;
}

static int copy_batch(struct compaction *compaction)
{
    choose_kept_batch(compaction);
    struct filtered_batch filtered;
    int code = batch_filter_run(&compaction->filter, buffer_bytes(&compaction->batch), &filtered);
    if (code < 0)
        return code;
    compaction->changed |= filtered.changed;
    if (mill_is_null(filtered.bytes))
        return 0;
    if (filtered.kept.producer_id >= 0)
        compaction->kept[compaction->kept_count++] = filtered.kept;
    return write_batch(compaction, filtered.bytes);
}

/* The file is there even when it is empty, so that the exchange need not ask. */
static int write_txn_index(const struct compaction *compaction)
{
    struct buffer entries;
    char path[LOG_PATH_BYTES];
    buffer_init(&entries, INT32_MAX);
    for (size_t i = 0; i < compaction->kept_count; i++)
        txn_index_encode(&compaction->kept[i], &entries);
    log_segment_path_with(path, compaction->path, compaction->files->base_offset, SUFFIX_TXN_INDEX, SUFFIX_CLEANED);
    int code = entries.failed ? MILL_ENOMEM : log_write_file(compaction->disk, path, entries.data, entries.len);
    buffer_release(&entries);
    return code;
}

static int sync_cleaned(const struct compaction *compaction, const char *suffix)
{
    return log_sync_file(compaction->disk, compaction->path, compaction->files->base_offset, suffix);
}

/* All sources of the group are copied: its files become durable, under names that mean nothing yet. */
static int finish_group(struct compaction *compaction)
{
    const struct compaction_source *last = &compaction->sources[compaction->at - 1];
    bool is_as_before = !compaction->changed && compaction->group_count == 1;
    if (is_as_before || compaction->bytes == 0) {
        compaction->phase = COMPACTION_UNCHANGED;
        return 0;
    }
    segment_index_finish(&compaction->index, &compaction->progress);
    int code = segment_index_save_as(&compaction->index, compaction->disk, compaction->path, SUFFIX_CLEANED);
    if (code == 0)
        code = sync_cleaned(compaction, SUFFIX_INDEX SUFFIX_CLEANED);
    if (code == 0)
        code = sync_cleaned(compaction, SUFFIX_TIME_INDEX SUFFIX_CLEANED);
    if (code == 0)
        code = write_txn_index(compaction);
    if (code == 0)
        code = sync_cleaned(compaction, SUFFIX_TXN_INDEX SUFFIX_CLEANED);
    if (code == 0) /* retention counts from the last append, not from now */
        code = disk_set_modified(compaction->files->log, last->last_append_ms);
    if (code == 0)
        code = disk_sync(compaction->files->log);
    if (code == 0)
        compaction->phase = COMPACTION_COPIED;
    return code;
}

static int run_copy(struct compaction *compaction)
{
    for (size_t bytes = 0; bytes < COMPACTION_RUN_BYTES; bytes += compaction->batch.len) {
        int code = read_batch(compaction);
        if (code == 1)
            code = copy_batch(compaction);
        else if (code == 0 && ++compaction->at == compaction->group_first + compaction->group_count)
            return finish_group(compaction);
        if (code < 0)
            return code;
    }
    return 0;
}

/* ---- run ------------------------------------------------------------------------------------------------------------------- */

void compaction_run(struct compaction *compaction)
{
    switch (compaction->phase) {
    case COMPACTION_MAP:
        compaction->code = run_map(compaction);
        break;
    case COMPACTION_COPY:
        compaction->code = run_copy(compaction);
        break;
    case COMPACTION_RENAMED:
    case COMPACTION_REPLACED:
        compaction->code = disk_sync_directory(compaction->disk, compaction->path);
        if (compaction->code == 0)
            compaction->phase++;
        break;
    default: /* there is nothing to run */
        break;
    }
}

void compaction_forget_group(struct compaction *compaction)
{
    segment_files_drop(compaction->files);
    compaction->files = NULL;
    segment_index_release(&compaction->index);
}

void compaction_release(struct compaction *compaction)
{
    if (!compaction)
        return;
    end_source(compaction);
    compaction_forget_group(compaction);
    batch_filter_release(&compaction->filter);
    txn_filter_release(&compaction->txns);
    offset_map_release(&compaction->map);
    buffer_release(&compaction->batch);
    mem_free(compaction->sources);
    mem_free(compaction->producers);
    mem_free(compaction->aborted);
    mem_free(compaction->kept);
    mem_free(compaction->path);
    mem_free(compaction);
}
