/* First what may happen to the batch as a whole, then record by record: once to decide, once more to write if any goes. */
#include "log/batch_filter.h"

#include "base/alloc.h"
#include "record/control.h"

enum { ARENA_BLOCK_BYTES = 4096 };

void batch_filter_init(struct batch_filter *filter)
{
    *filter = (struct batch_filter){ .keep_next_offset = -1 };
    batch_reader_init(&filter->reader, COMPACTION_UNPACKED_BYTES_MAX);
    batch_writer_init(&filter->writer, INT32_MAX, INT32_MAX);
    arena_init(&filter->arena, ARENA_BLOCK_BYTES, COMPACTION_UNPACKED_BYTES_MAX);
}

void batch_filter_release(struct batch_filter *filter)
{
    batch_reader_release(&filter->reader);
    batch_writer_release(&filter->writer);
    arena_release(&filter->arena);
}

/* What holds for all records of a batch. */
struct verdict {
    bool drop_records;    /* aborted, or a marker whose time has come */
    bool keep_empty;      /* a header stays when no record does */
    bool marker_is_spent; /* a marker that ends nothing any more: it gets a horizon */
    int64_t horizon_ms;   /* -1: the batch has none */
};

/* ---- the batch as a whole -------------------------------------------------------------------------------------------------- */

static bool is_last_of_its_producer(const struct batch_filter *filter, const struct batch_header *header)
{
    if (!batch_has_producer(header))
        return false;
    size_t low = 0;
    size_t high = filter->producer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (filter->producers[middle].producer_id < header->producer_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == filter->producer_count || filter->producers[low].producer_id != header->producer_id)
        return false;
    const struct kept_producer *producer = &filter->producers[low];
    /* One that has only markers left is fenced by the epoch of its last one. */
    return producer->last_offset >= 0 ? batch_last_offset(header) == producer->last_offset
                                      : batch_is_control(header) && header->producer_epoch == producer->epoch;
}

/* The type of a control batch's record, -1 when it has none. */
static int marker_type(struct batch_filter *filter, mill_bytes batch, int *type)
{
    *type = -1;
    struct batch_record record;
    int code = batch_reader_open(&filter->reader, batch, false);
    if (code == 0)
        code = batch_reader_next(&filter->reader, &record);
    return code == 1 ? control_record_type(&record.record, type) : code;
}

static int judge(struct batch_filter *filter, mill_bytes batch, const struct batch_header *header, struct verdict *verdict,
                 struct filtered_batch *filtered)
{
    *verdict = (struct verdict){
        .horizon_ms = header->attributes & BATCH_DELETE_HORIZON ? header->base_timestamp_ms : -1,
        .keep_empty = is_last_of_its_producer(filter, header) || batch_next_offset(header) == filter->keep_next_offset,
    };
    if (!batch_is_control(header)) {
        int aborted = txn_filter_meet_batch(filter->txns, header);
        verdict->drop_records = aborted == 1;
        return aborted < 0 ? aborted : 0;
    }
    int type;
    int code = marker_type(filter, batch, &type);
    if (code < 0)
        return code;
    int spent = txn_filter_meet_marker(filter->txns, header, type, &filtered->kept);
    verdict->marker_is_spent = spent == 1;
    verdict->drop_records = spent == 1 && verdict->horizon_ms >= 0 && verdict->horizon_ms <= filter->now_ms;
    return spent < 0 ? spent : 0;
}

/* ---- its records ----------------------------------------------------------------------------------------------------------- */

static bool stays(const struct batch_filter *filter, const struct verdict *verdict, const struct batch_record *record)
{
    if (verdict->drop_records)
        return false;
    if (batch_is_control(&filter->reader.header) || record->offset > filter->map->latest_offset)
        return true;
    if (mill_is_null(record->record.key))
        return false; /* from before the topic was compacted: nothing can ever overtake it, and Kafka drops it */
    if (record->offset < offset_map_get(filter->map, record->record.key))
        return false;
    bool horizon_has_passed = verdict->horizon_ms >= 0 && verdict->horizon_ms <= filter->now_ms;
    return !mill_is_null(record->record.value) || !horizon_has_passed;
}

struct tally {
    int32_t kept;
    int32_t dropped;
    bool has_tombstones; /* among those kept */
};

static int count_records(struct batch_filter *filter, mill_bytes batch, const struct verdict *verdict, struct tally *tally)
{
    int code = batch_reader_open(&filter->reader, batch, false);
    if (code < 0)
        return code;
    struct batch_record record;
    while ((code = batch_reader_next(&filter->reader, &record)) == 1) {
        bool kept = stays(filter, verdict, &record);
        tally->kept += kept;
        tally->dropped += !kept;
        tally->has_tombstones |= kept && mill_is_null(record.record.value);
    }
    return code;
}

static int write_records(struct batch_filter *filter, mill_bytes batch, const struct verdict *verdict)
{
    int code = batch_reader_open(&filter->reader, batch, false);
    if (code < 0)
        return code;
    int64_t base_offset = filter->reader.header.base_offset;
    struct batch_record record;
    while ((code = batch_reader_next(&filter->reader, &record)) == 1) {
        if (!stays(filter, verdict, &record))
            continue;
        code = batch_record_load_headers(&record, &filter->arena);
        if (code == 0)
            code = batch_writer_append_at(&filter->writer, &record.record, (int32_t)(record.offset - base_offset));
        if (code < 0)
            return code;
    }
    return code;
}

static int encode_again(struct batch_filter *filter, mill_bytes batch, const struct batch_header *header,
                        const struct verdict *verdict, int64_t horizon_ms, mill_bytes *encoded)
{
    arena_clear(&filter->arena);
    batch_writer_clear(&filter->writer);
    if (horizon_ms >= 0)
        batch_writer_set_delete_horizon(&filter->writer, horizon_ms);
    int code = write_records(filter, batch, verdict);
    if (code < 0)
        return code;
    struct batch_options options = {
        .compression = batch_compression(header),
        .compression_level = COMPRESSION_LEVEL_DEFAULT,
        .base_offset = header->base_offset,
        .leader_epoch = header->leader_epoch,
        .producer_id = header->producer_id,
        .producer_epoch = header->producer_epoch,
        .base_sequence = header->base_sequence,
        .transactional = batch_is_transactional(header),
        .control = batch_is_control(header),
        .log_append_time_ms = batch_has_log_append_time(header) ? header->max_timestamp_ms : -1,
        .last_offset_delta = header->last_offset_delta,
    };
    return batch_writer_finish(&filter->writer, &options, encoded);
}

static mill_bytes encode_empty(struct batch_filter *filter, const struct batch_header *header)
{
    struct batch_header empty = *header;
    empty.size = BATCH_HEADER_BYTES;
    empty.record_count = 0;
    empty.base_timestamp_ms = -1;
    empty.attributes &= (uint16_t) ~(BATCH_COMPRESSION_MASK | BATCH_DELETE_HORIZON);
    batch_header_encode(&empty, filter->empty);
    batch_seal(filter->empty, BATCH_HEADER_BYTES);
    return mill_bytes_of(filter->empty, BATCH_HEADER_BYTES);
}

int batch_filter_run(struct batch_filter *filter, mill_bytes batch, struct filtered_batch *filtered)
{
    *filtered = (struct filtered_batch){ .bytes = mill_null(), .kept.producer_id = -1 };
    struct batch_header header;
    int code = batch_check(batch, &header);
    if (code < 0)
        return code == MILL_ETRUNCATED || code == MILL_EUNSUPPORTED ? MILL_ECORRUPT : code;
    struct verdict verdict;
    struct tally tally = { 0 };
    code = judge(filter, batch, &header, &verdict, filtered);
    if (code == 0)
        code = count_records(filter, batch, &verdict, &tally);
    if (code < 0)
        return code;
    if (tally.kept == 0) {
        filtered->bytes = verdict.keep_empty ? encode_empty(filter, &header) : mill_null();
        filtered->changed = !(verdict.keep_empty && header.record_count == 0 && batch.len == BATCH_HEADER_BYTES);
        return 0;
    }
    bool wants_horizon = verdict.horizon_ms < 0 && (tally.has_tombstones || verdict.marker_is_spent);
    filtered->changed = tally.dropped > 0 || wants_horizon;
    filtered->bytes = batch;
    if (!filtered->changed)
        return 0;
    int64_t horizon_ms = wants_horizon ? filter->now_ms + filter->delete_retention_ms : verdict.horizon_ms;
    return encode_again(filter, batch, &header, &verdict, horizon_ms, &filtered->bytes);
}
