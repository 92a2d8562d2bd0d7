/*
 * A log's transactions: noted batch by batch, and the aborted ones on disk.
 *
 * The aborted list in memory is the whole one; the segments' `.txnindex` files are its copies, appended to when the offset index
 * is written, and synced with it. After a crash only entries below the recovery point are believed, the markers behind it are
 * read again. A file that is no transaction index, or not of its segment, has the whole log read again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "log/batch_scan.h"
#include "log/partition_log_state.h"
#include "record/control.h"

enum { INDEX_BYTES_MAX = 256 << 20 };

/* ---- batch by batch -------------------------------------------------------------------------------------------------------- */

int log_reserve_producer(struct partition_log *log, const struct batch_header *header)
{
    if (!batch_has_producer(header))
        return 0;
    int code = producer_state_reserve(&log->producers);
    return code == 0 && batch_is_transactional(header) ? txn_state_reserve(&log->txns) : code;
}

void log_note_producer(struct partition_log *log, const struct batch_header *header, const struct control_marker *marker,
                       int64_t now_ms)
{
    if (marker) {
        producer_state_note_marker(&log->producers, marker, now_ms);
        txn_state_end(&log->txns, header->producer_id, header->base_offset, marker->type == CONTROL_ABORT);
    } else if (producer_state_note(&log->producers, header, now_ms)) {
        txn_state_begin(&log->txns, header->producer_id, header->base_offset);
    }
}

/* A marker whose record cannot be read any more hides what it ended: nobody can tell that it was committed. */
static void assume_abort(const struct partition_log *log, const struct batch_header *header, struct control_marker *marker)
{
    trace_error(log->name, "the transaction marker at offset %lld is damaged: the transaction of producer %lld counts as aborted",
                (long long)header->base_offset, (long long)header->producer_id);
    *marker = (struct control_marker){ .type = CONTROL_ABORT,
                                       .producer_id = header->producer_id,
                                       .producer_epoch = header->producer_epoch,
                                       .coordinator_epoch = -1,
                                       .timestamp_ms = header->max_timestamp_ms };
}

static int read_marker(const struct partition_log *log, const struct batch_scan *scan, struct control_marker *marker)
{
    uint8_t bytes[CONTROL_MARKER_BYTES_MAX];
    struct batch_header header;
    if (scan->header.record_count == 0)
        return 0; /* compaction has left its header only */
    if (scan->header.size > CONTROL_MARKER_BYTES_MAX)
        return 0;
    ssize_t got = disk_read(scan->file, bytes, scan->header.size, scan->batch_position);
    if (got < 0)
        return (int)got;
    mill_bytes batch = mill_bytes_of(bytes, (size_t)got);
    int code = batch_check(batch, &header);
    if (code == 0)
        code = control_marker_decode(batch, marker);
    if (code == MILL_ENOMEM || code >= 0)
        return code;
    assume_abort(log, &scan->header, marker);
    return 1;
}

int log_replay_batch(struct partition_log *log, const struct batch_scan *scan, int64_t now_ms)
{
    const struct batch_header *header = &scan->header;
    struct control_marker marker;
    int is_marker = 0;
    if (!batch_has_producer(header))
        return 0;
    if (batch_is_control(header)) {
        is_marker = read_marker(log, scan, &marker);
        if (is_marker <= 0)
            return is_marker;
    }
    int code = log_reserve_producer(log, header);
    if (code == 0)
        log_note_producer(log, header, is_marker ? &marker : NULL, now_ms);
    return code;
}

static int by_first_offset(const void *a, const void *b)
{
    const struct open_txn *x = a;
    const struct open_txn *y = b;
    return x->first_offset < y->first_offset ? -1 : x->first_offset > y->first_offset;
}

int log_reopen_txns(struct partition_log *log)
{
    struct txn_state *txns = &log->txns;
    for (size_t i = 0; i < log->producers.count; i++) {
        const struct producer_entry *entry = &log->producers.entries[i];
        if (entry->txn_start < 0)
            continue;
        int code = txn_state_reserve(txns);
        if (code < 0)
            return code;
        txns->open[txns->open_count++] = (struct open_txn){ entry->producer_id, entry->txn_start };
    }
    if (txns->open_count > 1)
        qsort(txns->open, txns->open_count, sizeof *txns->open, by_first_offset);
    return 0;
}

/* ---- the files ------------------------------------------------------------------------------------------------------------- */

/* Adds the segment's entries below `below`. MILL_ECORRUPT: they are not of this segment. */
static int load_segment(struct partition_log *log, size_t at, int64_t below)
{
    int64_t base_offset = log->segments[at]->base_offset;
    int64_t end_offset = log_segment_end(log, at);
    char path[LOG_PATH_BYTES];
    char *bytes;
    size_t len;
    log_segment_path(path, log->path, base_offset, SUFFIX_TXN_INDEX);
    int code = disk_read_file(log->disk, path, INDEX_BYTES_MAX, &bytes, &len);
    if (code < 0)
        return code == MILL_ENOTFOUND ? 0 : code == MILL_ETOOLARGE ? MILL_ECORRUPT : code;
    int64_t next = base_offset;
    for (size_t i = 0; code == 0 && i + TXN_INDEX_ENTRY_BYTES <= len; i += TXN_INDEX_ENTRY_BYTES) {
        struct aborted_txn txn;
        bool is_entry = txn_index_decode((const uint8_t *)bytes + i, &txn);
        if (is_entry && txn.last_offset >= below)
            break; /* behind what is believed: read again from the log */
        if (!is_entry || txn.last_offset < next || txn.last_offset >= end_offset)
            code = MILL_ECORRUPT;
        if (code == 0)
            code = txn_state_reserve(&log->txns);
        if (code == 0)
            txn_state_add_aborted(&log->txns, &txn);
        next = txn.last_offset + 1;
    }
    mem_free(bytes);
    return code;
}

struct stray {
    const struct partition_log *log;
    int64_t base_offset; /* of an index without a segment */
};

static int find_stray(void *ctx, const struct disk_entry *entry)
{
    struct stray *stray = ctx;
    const struct partition_log *log = stray->log;
    if (!log_parse_name(entry->name, SUFFIX_TXN_INDEX, &stray->base_offset))
        return 0;
    return log->segment_count == 0 || log->segments[log_find_segment(log, stray->base_offset)]->base_offset != stray->base_offset;
}

int log_remove_stray_aborted(struct partition_log *log)
{
    struct stray stray = { .log = log };
    int code;
    while ((code = disk_list(log->disk, log->path, find_stray, &stray)) == 1) {
        char path[LOG_PATH_BYTES];
        log_segment_path(path, log->path, stray.base_offset, SUFFIX_TXN_INDEX);
        code = disk_remove(log->disk, path);
        if (code < 0)
            return code;
    }
    return code;
}

int log_load_aborted(struct partition_log *log, int64_t below)
{
    int code = 0;
    for (size_t i = 0; i < log->segment_count && code == 0 && log->segments[i]->base_offset < below; i++)
        code = load_segment(log, i, below);
    log->aborted_saved = log->txns.aborted_count;
    return code;
}

static int write_entries(struct partition_log *log, int64_t base_offset, size_t position, const struct buffer *entries)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, log->path, base_offset, SUFFIX_TXN_INDEX);
    struct disk_file *file;
    int code = disk_open(log->disk, path, DISK_WRITE | DISK_CREATE, &file);
    if (code < 0)
        return code;
    log->directory_dirty |= position == 0;
    code = disk_write(file, &(struct io_vector){ entries->data, entries->len }, 1, (int64_t)position);
    if (code == 0)
        code = disk_truncate(file, (int64_t)(position + entries->len));
    disk_close(file);
    return code;
}

static int save_segment(struct partition_log *log, size_t at)
{
    const struct txn_state *txns = &log->txns;
    int64_t base_offset = log->segments[at]->base_offset;
    size_t first = txn_state_find_aborted(txns, base_offset);
    size_t end = txn_state_find_aborted(txns, log_segment_end(log, at));
    struct buffer entries;
    buffer_init(&entries, INDEX_BYTES_MAX);
    for (size_t i = log->aborted_saved; i < end; i++)
        txn_index_encode(&txns->aborted[i], &entries);
    int code = entries.failed ? MILL_ENOMEM
                              : write_entries(log, base_offset, (log->aborted_saved - first) * TXN_INDEX_ENTRY_BYTES, &entries);
    buffer_release(&entries);
    if (code < 0)
        return code;
    log->aborted_saved = end;
    /* What could not be written when the segment rolled is synced with the next round, from the first dirty one on. */
    for (size_t i = at; i + 1 < log->segment_count; i++)
        log->segments[i]->index_dirty = true;
    return 0;
}

int64_t log_aborted_saved_end(const struct partition_log *log)
{
    const struct txn_state *txns = &log->txns;
    return log->aborted_saved < txns->aborted_count ? txns->aborted[log->aborted_saved].last_offset : INT64_MAX;
}

int log_save_aborted(struct partition_log *log)
{
    int code = 0;
    while (code == 0 && log->aborted_saved < log->txns.aborted_count)
        code = save_segment(log, log_find_segment(log, log->txns.aborted[log->aborted_saved].last_offset));
    return code;
}

void log_replace_aborted(struct partition_log *log, int64_t from, int64_t to, const struct aborted_txn *kept, size_t count)
{
    struct txn_state *txns = &log->txns;
    size_t first = txn_state_find_aborted(txns, from);
    size_t end = txn_state_find_aborted(txns, to);
    if (first == end)
        return;
    mill_assert(end <= log->aborted_saved);
    mill_assert(count <= end - first);
    if (count > 0)
        memcpy(txns->aborted + first, kept, count * sizeof *kept);
    memmove(txns->aborted + first + count, txns->aborted + end, (txns->aborted_count - end) * sizeof *kept);
    txns->aborted_count -= end - first - count;
    log->aborted_saved -= end - first - count;
}

void log_forget_aborted(struct partition_log *log)
{
    size_t gone = txn_state_truncate_start(&log->txns, log->segments[0]->base_offset);
    log->aborted_saved -= gone < log->aborted_saved ? gone : log->aborted_saved;
}

/* ---- questions ------------------------------------------------------------------------------------------------------------- */

int64_t partition_log_last_stable_offset(struct partition_log *log)
{
    int64_t high_watermark = partition_log_high_watermark(log);
    txn_state_settle(&log->txns, high_watermark);
    int64_t stable = txn_state_first_unstable(&log->txns);
    stable = stable < high_watermark ? stable : high_watermark;
    return stable > log->log_start ? stable : log->log_start;
}

const struct aborted_txn *partition_log_next_aborted(const struct partition_log *log, int64_t from_offset, int64_t below_offset,
                                                     size_t *at)
{
    const struct txn_state *txns = &log->txns;
    size_t first = txn_state_find_aborted(txns, from_offset);
    if (*at < first)
        *at = first;
    while (*at < txns->aborted_count) {
        const struct aborted_txn *txn = &txns->aborted[(*at)++];
        if (txn->first_offset < below_offset)
            return txn;
        if (txn->last_stable_offset >= below_offset)
            break; /* all that follow began behind it */
    }
    *at = txns->aborted_count;
    return NULL;
}

bool partition_log_has_open_txn(const struct partition_log *log, int64_t producer_id, int16_t *epoch)
{
    const struct producer_entry *entry = producer_state_find(&log->producers, producer_id);
    if (!entry || entry->txn_start < 0)
        return false;
    *epoch = entry->epoch;
    return true;
}

const struct producer_entry *partition_log_next_producer(const struct partition_log *log, size_t *at)
{
    return *at < log->producers.count ? &log->producers.entries[(*at)++] : NULL;
}
