/*
 * Finding the first record at or after a timestamp: time indexes say which segment and where to begin, then batches are walked,
 * and the records inside the first one that is young enough are compared one by one.
 */
#include "log/partition_log.h"

#include "base/alloc.h"
#include "log/batch_scan.h"
#include "log/partition_log_state.h"
#include "record/batch_reader.h"

/* What one compressed batch may unpack to here; produce has held it to a smaller maximum. */
enum { UNPACKED_BYTES_MAX = 256 << 20, RECORDS_AT_ONCE = 64 };

/* ---- begin ----------------------------------------------------------------------------------------------------------------- */

/* May a record that young lie in the segment? Without a known maximum it may. */
static bool may_hold(struct partition_log *log, struct segment *segment, int64_t timestamp_ms)
{
    if (segment->bytes == 0)
        return false;
    int64_t max = segment_max_timestamp(segment, log->disk, log->path);
    return max < 0 || max >= timestamp_ms;
}

static int64_t largest_timestamp(struct partition_log *log)
{
    int64_t largest = -1;
    for (size_t i = 0; i < log->segment_count; i++) {
        int64_t max = segment_max_timestamp(log->segments[i], log->disk, log->path);
        largest = max > largest ? max : largest;
    }
    return largest;
}

/* Notes where a time index says that the search may begin. False: at the segment's start. */
static bool trust_entry(struct log_lookup *lookup, const struct time_index *times)
{
    struct time_index_entry entry;
    lookup->entry_offset = -1;
    if (!times || !time_index_lookup(times, lookup->looked_for_ms, &entry))
        return false;
    lookup->entry_offset = entry.offset;
    lookup->entry_timestamp_ms = entry.timestamp_ms;
    return true;
}

/* Asks the first segment from `at` on that may hold it. LOG_COLD, 0 when there is none, or an error. */
static int ask_from(struct partition_log *log, struct log_lookup *lookup, size_t at)
{
    while (at < log->segment_count && !may_hold(log, log->segments[at], lookup->looked_for_ms))
        at++;
    if (at == log->segment_count || log->segments[at]->base_offset >= lookup->upper_offset)
        return 0;
    struct segment *segment = log->segments[at];
    int64_t from = segment->base_offset;
    if (trust_entry(lookup, segment->index.loaded ? &segment->index.times : NULL))
        from = lookup->entry_offset;
    int code = log_cold_begin(log, &lookup->cold, at, from);
    return code < 0 ? error_set(&lookup->error, code, "%s: no memory for a lookup", log->name) : LOG_COLD;
}

int partition_log_lookup(struct partition_log *log, struct log_lookup *lookup)
{
    lookup->offset = -1;
    lookup->found_timestamp_ms = -1;
    lookup->leader_epoch = -1;
    lookup->cold = (struct log_cold){ 0 };
    lookup->from_offset = log->log_start;
    lookup->looked_for_ms = lookup->timestamp_ms;
    if (lookup->timestamp_ms == LOG_MAX_TIMESTAMP) {
        lookup->looked_for_ms = largest_timestamp(log);
        if (lookup->looked_for_ms < 0)
            return 0;
    }
    return ask_from(log, lookup, log_find_segment(log, log->log_start));
}

/* ---- run ------------------------------------------------------------------------------------------------------------------- */

/* Compares the records of the open batch. 1 found, 0 not, or an error. */
static int search_records(struct log_lookup *lookup, struct batch_reader *reader)
{
    struct batch_record records[RECORDS_AT_ONCE];
    int count;
    while ((count = batch_reader_fill(reader, records, RECORDS_AT_ONCE)) > 0) {
        for (int i = 0; i < count; i++) {
            if (records[i].record.timestamp_ms < lookup->looked_for_ms || records[i].offset < lookup->from_offset)
                continue;
            lookup->offset = records[i].offset;
            lookup->found_timestamp_ms = records[i].record.timestamp_ms;
            lookup->leader_epoch = reader->header.leader_epoch;
            return 1;
        }
    }
    return count;
}

static int search_batch(struct log_lookup *lookup, const struct batch_scan *scan, struct batch_reader *reader)
{
    uint8_t *bytes = mem_alloc(scan->header.size);
    if (!bytes)
        return MILL_ENOMEM;
    ssize_t got = disk_read(scan->file, bytes, scan->header.size, scan->batch_position);
    int code = got < 0 ? (int)got : 0;
    if (code == 0)
        code = batch_reader_open(reader, mill_bytes_of(bytes, (size_t)got), false);
    if (code == 0)
        code = search_records(lookup, reader);
    mem_free(bytes);
    return code;
}

/* An index was wrong: from the start, without it. */
static void start_over(struct log_lookup *lookup, struct batch_scan *scan)
{
    scan->position = 0;
    scan->next_offset = lookup->cold.base_offset;
    scan->first_next_offset = 0;
    scan->leader_epoch = -1;
    lookup->entry_offset = -1;
}

/* 1 when there is more to search. */
static int pass_damage(struct log_lookup *lookup, struct batch_scan *scan)
{
    if (scan->first_next_offset == 0)
        return batch_scan_resync(scan);
    start_over(lookup, scan);
    return 1;
}

/* Up to the entry's batch no record is younger than the entry says, and that batch is as young. */
static bool contradicts_entry(struct log_lookup *lookup, const struct batch_header *header)
{
    if (lookup->entry_offset < 0)
        return false;
    int64_t last_offset = batch_last_offset(header);
    if (header->max_timestamp_ms > lookup->entry_timestamp_ms || last_offset > lookup->entry_offset)
        return true;
    if (last_offset < lookup->entry_offset)
        return false;
    bool wrong = header->max_timestamp_ms != lookup->entry_timestamp_ms;
    lookup->entry_offset = -1;
    return wrong;
}

/* Control batches are not for clients; a damaged batch has no records to compare. */
static int search_segment(struct log_lookup *lookup, struct batch_scan *scan, struct batch_reader *reader)
{
    for (;;) {
        int code = batch_scan_next(scan);
        scan->dense = lookup->cold.dense;
        if (code == MILL_ECORRUPT || code == MILL_ETRUNCATED) {
            code = pass_damage(lookup, scan);
            if (code <= 0)
                return code;
            continue;
        }
        if (code <= 0)
            return code;
        if (contradicts_entry(lookup, &scan->header)) {
            start_over(lookup, scan);
            continue;
        }
        if (scan->header.base_offset >= lookup->upper_offset)
            return 0;
        if (scan->header.max_timestamp_ms < lookup->looked_for_ms || batch_is_control(&scan->header))
            continue;
        code = search_batch(lookup, scan, reader);
        if (code != 0)
            return code < 0 ? code : 0;
    }
}

static struct offset_index_entry start_of(struct log_lookup *lookup)
{
    const struct log_cold *cold = &lookup->cold;
    if (cold->position >= 0)
        return (struct offset_index_entry){ (uint32_t)cold->position, cold->first_next_offset };
    if (!trust_entry(lookup, &cold->index->times))
        return (struct offset_index_entry){ 0 };
    return offset_index_find(&cold->index->offsets, lookup->entry_offset);
}

static int run(struct log_lookup *lookup)
{
    int code = log_cold_open(&lookup->cold);
    if (code < 0)
        return code;
    struct offset_index_entry from = start_of(lookup);
    struct batch_scan scan = { .file = lookup->cold.files->log,
                               .position = from.position,
                               .end = lookup->cold.end,
                               .next_offset = lookup->cold.base_offset,
                               .below_offset = lookup->cold.end_offset,
                               .first_next_offset = from.next_offset,
                               .leader_epoch = -1,
                               .dense = lookup->cold.dense && from.position == 0,
                               .check = true };
    code = batch_scan_init(&scan);
    if (code < 0)
        return code;
    struct batch_reader reader;
    batch_reader_init(&reader, UNPACKED_BYTES_MAX);
    code = search_segment(lookup, &scan, &reader);
    batch_reader_release(&reader);
    batch_scan_release(&scan);
    return code;
}

void log_lookup_run(struct log_lookup *lookup)
{
    lookup->cold.code = run(lookup);
    if (lookup->cold.code < 0)
        error_set(&lookup->error, lookup->cold.code, "%s/%020lld.log: looking for timestamp %lld: %s",
                  lookup->cold.files->directory, (long long)lookup->cold.base_offset, (long long)lookup->looked_for_ms,
                  mill_error_text(lookup->cold.code));
}

/* ---- end ------------------------------------------------------------------------------------------------------------------- */

int partition_log_lookup_end(struct partition_log *log, struct log_lookup *lookup)
{
    int code = lookup->cold.code;
    int64_t segment_end = lookup->cold.end_offset;
    if (!log_cold_end(log, &lookup->cold))
        return MILL_EAGAIN;
    if (code < 0)
        return code;
    if (lookup->offset >= lookup->upper_offset)
        lookup->offset = -1;
    if (lookup->offset >= 0)
        return 0;
    lookup->found_timestamp_ms = -1;
    lookup->leader_epoch = -1;
    size_t next = log_find_segment(log, segment_end);
    return log->segments[next]->base_offset == segment_end ? ask_from(log, lookup, next) : 0;
}

void log_lookup_release(struct log_lookup *lookup)
{
    log_cold_release(&lookup->cold);
}
