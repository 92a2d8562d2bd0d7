/*
 * A log's producers on disk: snapshots written at every roll, checkpoint and clean close, and brought up to the log end at open.
 *
 * A snapshot's name is the offset up to which it is true. One that is missing or fails its check costs a longer walk, never an
 * answer.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "log/batch_scan.h"
#include "log/partition_log_state.h"

enum {
    SNAPSHOT_BYTES_MAX = PRODUCER_SNAPSHOT_HEADER_BYTES + PRODUCER_COUNT_MAX * PRODUCER_SNAPSHOT_ENTRY_BYTES,
    BACKFILL_BYTES = 1 << 20 /* how much log before a snapshot is looked at for the windows of five */
};

/* ---- walking the log ------------------------------------------------------------------------------------------------------- */

static int walk_segment(struct partition_log *log, size_t at, struct offset_index_entry from,
                        int (*each)(void *ctx, const struct batch_scan *scan), void *ctx)
{
    struct segment *segment = log->segments[at];
    struct segment_files *files = segment->files;
    if (files)
        segment_files_hold(files);
    else if (!(files = segment_files_new(log->disk, log->path, segment->base_offset)))
        return MILL_ENOMEM;
    struct batch_scan scan = { .end = segment->bytes,
                               .position = from.position,
                               .next_offset = segment->base_offset,
                               .first_next_offset = from.next_offset,
                               .below_offset = log_segment_end(log, at),
                               .leader_epoch = -1 };
    int code = segment_files_open(files);
    if (code == 0) {
        scan.file = files->log;
        code = batch_scan_init(&scan);
    }
    while (code == 0) {
        code = batch_scan_next(&scan);
        bool is_wrong = code == MILL_ECORRUPT || code == MILL_ETRUNCATED;
        if (is_wrong && scan.first_next_offset != 0) { /* what the index says is not there: from the start, then */
            scan.position = 0;
            scan.first_next_offset = 0;
            code = 0;
        } else if (is_wrong) {
            code = batch_scan_resync(&scan);
            if (code <= 0)
                break;
            code = 0;
        } else if (code == 0) {
            break;
        } else if (code == 1) {
            code = each(ctx, &scan);
        }
    }
    batch_scan_release(&scan);
    segment_files_drop(files);
    return code;
}

/* The segment's index; when it is not in memory its files', in `loaded`, which is to be released. Empty when they are no good. */
static const struct segment_index *index_of(const struct partition_log *log, size_t at, struct segment_index *loaded)
{
    const struct segment *segment = log->segments[at];
    segment_index_init(loaded, segment->base_offset);
    bool uses_files =
        !segment->index.loaded && segment_index_load(loaded, log->disk, log->path, segment->bytes, log_segment_end(log, at)) == 0;
    return uses_files ? loaded : &segment->index;
}

/* Where in a segment to begin for `offset`. */
static struct offset_index_entry find_entry(const struct partition_log *log, size_t at, int64_t offset)
{
    struct segment_index loaded;
    if (offset <= log->segments[at]->base_offset)
        return (struct offset_index_entry){ 0 };
    struct offset_index_entry entry = offset_index_find(&index_of(log, at, &loaded)->offsets, offset);
    segment_index_release(&loaded);
    return entry;
}

int log_walk(struct partition_log *log, int64_t from_offset, int (*each)(void *ctx, const struct batch_scan *scan), void *ctx)
{
    int code = 0;
    size_t first = log_find_segment(log, from_offset);
    struct offset_index_entry from = find_entry(log, first, from_offset);
    for (size_t i = first; i < log->segment_count && code == 0; i++, from = (struct offset_index_entry){ 0 })
        code = walk_segment(log, i, from, each, ctx);
    return code;
}

/* ---- snapshots ------------------------------------------------------------------------------------------------------------- */

int log_write_snapshot(struct partition_log *log)
{
    struct buffer bytes;
    buffer_init(&bytes, SNAPSHOT_BYTES_MAX);
    producer_state_encode(&log->producers, &bytes);
    char path[LOG_PATH_BYTES];
    log_segment_path(path, log->path, partition_log_end_offset(log), SUFFIX_SNAPSHOT);
    int code = bytes.failed ? MILL_ENOMEM : log_write_file(log->disk, path, bytes.data, bytes.len);
    buffer_release(&bytes);
    if (code == 0)
        log->snapshot_end = partition_log_end_offset(log);
    return code;
}

bool log_needs_snapshot(const struct partition_log *log)
{
    int64_t end = partition_log_end_offset(log);
    return end != log->snapshot_end && end > log->segments[0]->base_offset;
}

static bool is_segment_start(const struct partition_log *log, int64_t offset)
{
    return log->segments[log_find_segment(log, offset)]->base_offset == offset;
}

static bool is_obsolete(const struct partition_log *log, int64_t offset)
{
    for (int i = 0; i < 2; i++)
        if (offset == log->checkpoint_snapshots[i] || offset == log->synced_snapshots[i])
            return false;
    return offset >= 0 && !is_segment_start(log, offset);
}

/*
 * Two are kept: the newest one below the recovery point, from which a start goes on, and the one before or behind it. A power cut
 * may take both if they were not synced, so that the newest two that were stay too. Those at segments' starts stay as long as
 * their segments.
 */
void log_note_snapshot(struct partition_log *log, int64_t end, int64_t point, bool synced, int64_t obsolete[2])
{
    int64_t *kept = log->checkpoint_snapshots;
    log->snapshot_end = end > log->snapshot_end ? end : log->snapshot_end;
    bool trusted = kept[1] <= point;
    int64_t gone = trusted ? kept[0] : kept[1];
    if (trusted)
        kept[0] = kept[1];
    kept[1] = end;
    int64_t synced_gone = synced ? log->synced_snapshots[0] : -1;
    if (synced) {
        log->synced_snapshots[0] = log->synced_snapshots[1];
        log->synced_snapshots[1] = end;
    }
    obsolete[0] = is_obsolete(log, gone) ? gone : -1;
    obsolete[1] = is_obsolete(log, synced_gone) ? synced_gone : -1;
}

struct search {
    int64_t below; /* snapshots at or above do not count */
    int64_t found; /* -1: none */
};

static int newest(void *ctx, const struct disk_entry *entry)
{
    struct search *search = ctx;
    int64_t offset;
    if (log_parse_name(entry->name, SUFFIX_SNAPSHOT, &offset) && offset < search->below && offset > search->found)
        search->found = offset;
    return 0;
}

static int64_t newest_snapshot(struct partition_log *log, int64_t below)
{
    struct search search = { .below = below, .found = -1 };
    return disk_list(log->disk, log->path, newest, &search) < 0 ? -1 : search.found;
}

static void remove_snapshot(struct partition_log *log, int64_t offset)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, log->path, offset, SUFFIX_SNAPSHOT);
    disk_remove(log->disk, path);
}

static int read_snapshot(struct partition_log *log, int64_t offset, int64_t now_ms)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, log->path, offset, SUFFIX_SNAPSHOT);
    char *bytes;
    size_t len;
    int code = disk_read_file(log->disk, path, SNAPSHOT_BYTES_MAX, &bytes, &len);
    if (code < 0)
        return code;
    code = producer_state_decode(&log->producers, mill_bytes_of(bytes, len), now_ms);
    mem_free(bytes);
    return code;
}

/*
 * Finds the newest one that is whole and may be believed; removes those that are damaged, or lie above the log end. `*offset` is
 * -1 when there is none. What a checkpoint wrote and no recovery point covers goes too: it may be of another topic, which had
 * this name until the checkpoint was under way.
 */
static int load_snapshot(struct partition_log *log, int64_t trusted_below, int64_t now_ms, int64_t *offset)
{
    int64_t end = partition_log_end_offset(log);
    int64_t below = INT64_MAX;
    while ((*offset = newest_snapshot(log, below)) >= 0) {
        below = *offset;
        bool trusted = *offset <= trusted_below;
        if (!trusted && *offset <= end && is_segment_start(log, *offset))
            continue;
        if (trusted && *offset <= end) {
            int code = read_snapshot(log, *offset, now_ms);
            if (code == 0 || code == MILL_ENOMEM)
                return code;
            trace_warn(log->name, "producer snapshot %lld is not usable (%s); producers are read from the log",
                       (long long)*offset, mill_error_text(code));
        }
        remove_snapshot(log, *offset);
    }
    return 0;
}

/* Snapshots of checkpoints and clean closes before the last one: those of rolls go with their segments. */
static void remove_stray_snapshots(struct partition_log *log, int64_t newest_offset)
{
    int64_t offset = newest_offset;
    while ((offset = newest_snapshot(log, offset)) >= 0)
        if (!is_segment_start(log, offset))
            remove_snapshot(log, offset);
}

/* ---- bringing them to the log end ------------------------------------------------------------------------------------------ */

struct replay {
    struct partition_log *log;
    int64_t from; /* the snapshot's offset */
    int64_t now_ms;
};

static int replay_batch(void *ctx, const struct batch_scan *scan)
{
    struct replay *replay = ctx;
    return scan->header.base_offset < replay->from ? 0 : log_replay_batch(replay->log, scan, replay->now_ms);
}

static int backfill_batch(void *ctx, const struct batch_scan *scan)
{
    struct replay *replay = ctx;
    if (batch_next_offset(&scan->header) > replay->from)
        return 1;
    producer_state_backfill(&replay->log->producers, &scan->header);
    return 0;
}

/* Where in a segment to begin so that about `bytes` of it before `end` are seen. 0 without an index: from its start. */
static uint32_t begin_before(const struct partition_log *log, size_t at, uint32_t end, uint32_t bytes)
{
    struct segment_index loaded;
    const struct segment_index *index = index_of(log, at, &loaded);
    uint32_t begin = end > bytes ? offset_index_position_before(&index->offsets, end - bytes) : 0;
    segment_index_release(&loaded);
    return begin;
}

/* A snapshot knows one batch per producer; those before it lie at the end of the log that it stands for. */
static int backfill(struct partition_log *log, const struct replay *replay)
{
    if (replay->from <= log->log_start || log->producers.count == 0)
        return 0;
    size_t last = log_find_segment(log, replay->from - 1);
    size_t first = last;
    uint32_t seen = log->segments[last]->bytes;
    while (first > 0 && seen < BACKFILL_BYTES)
        seen += log->segments[--first]->bytes;
    uint32_t surplus = seen > BACKFILL_BYTES ? seen - BACKFILL_BYTES : 0;
    uint32_t end = log->segments[first]->bytes;
    struct offset_index_entry from = { .position = surplus > 0 ? begin_before(log, first, end, end - surplus) : 0 };
    int code = 0;
    for (size_t i = first; i <= last && code == 0; i++, from.position = 0)
        code = walk_segment(log, i, from, backfill_batch, (void *)replay);
    return code < 0 ? code : 0;
}

struct txn_search {
    int64_t producer_id;
    int64_t from;
    int64_t below;
    bool found;
};

static int find_batch(void *ctx, const struct batch_scan *scan)
{
    struct txn_search *search = ctx;
    const struct batch_header *header = &scan->header;
    if (header->base_offset >= search->below)
        return 1;
    search->found = header->producer_id == search->producer_id && batch_is_transactional(header) && !batch_is_control(header) &&
                    header->base_offset >= search->from;
    return search->found;
}

/*
 * A transaction that a snapshot has open may have ended behind it. When compaction has taken its batches it may take the marker
 * too, and nothing tells of the end any more. Of one that is open compaction takes nothing: its first batch is where it began.
 */
static int forget_vanished_txns(struct partition_log *log, int64_t below)
{
    for (size_t i = 0; i < log->producers.count; i++) {
        struct producer_entry *entry = &log->producers.entries[i];
        if (entry->txn_start < 0)
            continue;
        struct txn_search search = { .producer_id = entry->producer_id, .from = entry->txn_start, .below = below };
        int code = log_walk(log, search.from, find_batch, &search);
        if (code < 0)
            return code;
        if (!search.found)
            entry->txn_start = -1;
    }
    return 0;
}

static void forget_all(struct partition_log *log)
{
    producer_state_clear(&log->producers);
    txn_state_clear(&log->txns);
    log->aborted_saved = 0;
}

/* What the files say, up to `*from`; -1: there is nothing to believe, all is read from the log. */
static int load_files(struct partition_log *log, int64_t trusted_below, int64_t now_ms, int64_t *from)
{
    int code = load_snapshot(log, trusted_below, now_ms, from);
    if (code < 0 || *from < 0)
        return code;
    code = forget_vanished_txns(log, *from);
    if (code == 0)
        code = log_load_aborted(log, *from);
    if (code == 0)
        code = log_reopen_txns(log);
    if (code != MILL_ECORRUPT)
        return code;
    trace_warn(log->name, "a transaction index is not usable; the log is read from its start");
    forget_all(log);
    *from = -1;
    return 0;
}

int log_load_producers(struct partition_log *log, int64_t trusted_below, int64_t now_ms)
{
    forget_all(log);
    int64_t snapshot;
    int code = load_files(log, trusted_below, now_ms, &snapshot);
    if (code < 0)
        return code;
    log->snapshot_end = snapshot;
    log->checkpoint_snapshots[0] = -1;
    log->checkpoint_snapshots[1] = snapshot >= 0 && !is_segment_start(log, snapshot) ? snapshot : -1;
    log->synced_snapshots[0] = -1;
    log->synced_snapshots[1] = log->checkpoint_snapshots[1]; /* if it was, which nobody knows any more */
    struct replay replay = { .log = log, .from = snapshot >= 0 ? snapshot : 0, .now_ms = now_ms };
    if (snapshot >= 0) {
        code = backfill(log, &replay);
        remove_stray_snapshots(log, snapshot);
    }
    if (code == 0 && replay.from < partition_log_end_offset(log))
        code = log_walk(log, replay.from, replay_batch, &replay);
    return code;
}
