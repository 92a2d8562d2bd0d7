#include "task/record_queue.h"

#include "base/assert.h"

enum {
    UNPACKED_BYTES_MAX = 256 << 20, /* what one compressed batch may become: far above max.message.bytes at any sane ratio */
    HEADERS_BYTES_MAX = 64 << 20
};

void record_queue_init(struct record_queue *queue, const char *topic, int32_t partition, const mill_source_options *options)
{
    *queue = (struct record_queue){ .topic = topic,
                                    .partition = partition,
                                    .extractor = options->extractor,
                                    .extractor_ctx = options->extractor_ctx,
                                    .extract_time_ms = -1,
                                    .partition_time_ms = -1,
                                    .next_offset = -1 };
    batch_reader_init(&queue->reader, UNPACKED_BYTES_MAX);
    arena_init(&queue->headers, 4096, HEADERS_BYTES_MAX);
}

static void drop_first_run(struct record_queue *queue)
{
    queue->bytes -= queue->runs[0].batches.bytes.len;
    shared_buffer_drop(queue->runs[0].batches.buffer);
    queue->run_count--;
    memmove(queue->runs, queue->runs + 1, queue->run_count * sizeof queue->runs[0]);
    queue->region = queue->run_count > 0 ? queue->runs[0].batches.bytes : mill_null();
}

static void drop_all(struct record_queue *queue)
{
    while (queue->run_count > 0)
        drop_first_run(queue);
    queue->batch_open = false;
    queue->at = queue->count = 0;
}

void record_queue_release(struct record_queue *queue)
{
    drop_all(queue);
    batch_reader_release(&queue->reader);
    arena_release(&queue->headers);
}

void record_queue_seek(struct record_queue *queue, int64_t offset, int64_t partition_time_ms)
{
    drop_all(queue);
    queue->next_offset = offset;
    queue->partition_time_ms = partition_time_ms;
    queue->extract_time_ms = partition_time_ms;
}

bool record_queue_has_room(const struct record_queue *queue)
{
    return queue->run_count < RECORD_QUEUE_SLICES;
}

bool record_queue_pass(struct record_queue *queue, int64_t offset)
{
    if (queue->run_count > 0 || queue->at < queue->count || queue->next_offset < 0 || offset <= queue->next_offset)
        return false;
    queue->next_offset = offset;
    return true;
}

void record_queue_add(struct record_queue *queue, const struct record_run *run)
{
    mill_assert(record_queue_has_room(queue));
    queue->runs[queue->run_count] = *run;
    if (queue->run_count++ == 0)
        queue->region = run->batches.bytes;
    queue->bytes += run->batches.bytes.len;
}

static int fail_at(struct record_queue *queue, int64_t offset, int code, const char *what)
{
    return error_set(&queue->error, code, "topic %s, partition %d, offset %lld: %s", queue->topic, queue->partition,
                     (long long)offset, what);
}

/* 1 when a batch is open, 0 when nothing is buffered. */
static int open_batch(struct record_queue *queue)
{
    while (!queue->batch_open) {
        mill_bytes batch;
        struct batch_header header;
        int code = queue->run_count == 0 ? 0 : batch_next(&queue->region, &batch, &header);
        if (code < 0)
            return fail_at(queue, queue->next_offset, code, "the fetched bytes are no record batch; the log may be damaged");
        if (code == 0) {
            if (queue->run_count == 0)
                return 0;
            /* Offsets that compaction or control batches left out are passed over with the run that spans them. */
            if (queue->next_offset < queue->runs[0].next_offset)
                queue->next_offset = queue->runs[0].next_offset;
            drop_first_run(queue);
            continue;
        }
        if (batch_is_control(&header))
            continue;
        /* The broker (in-process) or the consumer (remote) has checked the CRC. */
        code = batch_reader_open(&queue->reader, batch, false);
        if (code == 0 && header.base_offset < queue->runs[0].first_offset)
            code = batch_reader_skip_to(&queue->reader, queue->runs[0].first_offset);
        if (code < 0)
            return fail_at(queue, header.base_offset, code, "the record batch does not decode; the log may be damaged");
        queue->batch_open = true;
    }
    return 1;
}

/* Keeps the decoded records that have a time, in place. */
static int extract_times(struct record_queue *queue, size_t count, int64_t wall_ms)
{
    queue->at = queue->count = 0;
    arena_clear(&queue->headers);
    for (size_t i = 0; i < count; i++) {
        struct batch_record *record = &queue->records[i];
        if (record->record.header_count > 0 && batch_record_load_headers(record, &queue->headers) < 0)
            return fail_at(queue, record->offset, MILL_ENOMEM, "no memory for the record's headers");
        int64_t time = record->record.timestamp_ms;
        if (queue->extractor == mill_extract_wall_clock)
            time = wall_ms;
        else if (queue->extractor != NULL)
            time = queue->extractor(queue->extractor_ctx, &record->record, queue->extract_time_ms);
        else if (time < 0)
            return fail_at(queue, record->offset, MILL_EINVALID,
                           "the record's timestamp is negative; choose another timestamp extractor to skip or mend such records");
        if (time < 0) {
            queue->skipped++;
            continue;
        }
        record->record.timestamp_ms = time;
        if (time > queue->extract_time_ms)
            queue->extract_time_ms = time;
        if (queue->count != i)
            queue->records[queue->count] = *record;
        queue->count++;
    }
    return 0;
}

struct batch_record *record_queue_head(struct record_queue *queue, int64_t wall_ms, int *code)
{
    *code = 0;
    while (__builtin_expect(queue->at == queue->count, 0)) {
        int opened = open_batch(queue);
        if (opened <= 0) {
            *code = opened;
            return NULL;
        }
        int count = batch_reader_fill(&queue->reader, queue->records, RECORD_QUEUE_RUN);
        if (count <= 0) {
            queue->batch_open = false;
            queue->at = queue->count = 0;
            if (count < 0)
                *code = fail_at(queue, queue->next_offset, count, "a record does not decode; the log may be damaged");
            if (count < 0)
                return NULL;
            continue;
        }
        *code = extract_times(queue, (size_t)count, wall_ms);
        if (*code < 0)
            return NULL;
    }
    return &queue->records[queue->at];
}
