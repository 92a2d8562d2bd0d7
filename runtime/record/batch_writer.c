/*
 * Records are encoded behind the room for a header, which finish fills in.
 *
 * A record starts with its own length, so its size is computed first; then it is known whether it fits, and it is written in one
 * go. The area is a shared buffer, so that a finished batch is handed over without a copy; the next area begins as large as the
 * last batch.
 */
#include "record/batch_writer.h"

#include "base/assert.h"
#include "base/varint.h"

enum { AREA_BYTES_FIRST = 1024 };

/* Sizes of an encoded record: `body` is what its length field says, `total` includes that field. */
struct record_size {
    size_t body;
    size_t total;
};

void batch_writer_init(struct batch_writer *writer, size_t bytes_target, size_t bytes_max)
{
    mill_assert(bytes_target <= bytes_max);
    mill_assert(bytes_max >= BATCH_HEADER_BYTES);
    mill_assert(bytes_max <= INT32_MAX);
    *writer = (struct batch_writer){ .bytes_target = bytes_target, .bytes_max = bytes_max, .area_bytes_next = AREA_BYTES_FIRST };
    /* What cannot be compressed grows a little: the wire's own limit bounds it. */
    buffer_init(&writer->packed, INT32_MAX);
    packer_init(&writer->packer);
    batch_writer_clear(writer);
}

void batch_writer_release(struct batch_writer *writer)
{
    shared_buffer_drop(writer->area);
    writer->area = NULL;
    buffer_release(&writer->packed);
    packer_release(&writer->packer);
}

void batch_writer_clear(struct batch_writer *writer)
{
    if (writer->area)
        writer->area->len = BATCH_HEADER_BYTES;
    writer->record_count = 0;
    writer->offset_delta_last = -1;
    writer->base_timestamp_ms = -1;
    writer->max_timestamp_ms = -1;
    writer->delete_horizon_ms = -1;
    writer->finished = mill_null();
}

size_t batch_writer_size(const struct batch_writer *writer)
{
    return writer->area ? writer->area->len : BATCH_HEADER_BYTES;
}

static inline size_t size_of_varint(uint64_t raw)
{
    return raw < 0x80 ? 1 : raw < 0x4000 ? 2 : unsigned_varint_size(raw);
}

static inline size_t size_of_bytes(mill_bytes bytes)
{
    return mill_is_null(bytes) ? 1 : size_of_varint(zigzag((int64_t)bytes.len)) + bytes.len;
}

static __attribute__((noinline)) size_t size_of_headers(const mill_record *record)
{
    size_t size = 0;
    for (size_t i = 0; i < record->header_count; i++)
        size += size_of_bytes(record->headers[i].key) + size_of_bytes(record->headers[i].value);
    return size;
}

/* Unsigned: deltas of extreme timestamps wrap, as they do in Java, and wrap back when read. */
static inline int64_t timestamp_delta(const struct batch_writer *writer, const mill_record *record)
{
    if (writer->record_count == 0 && writer->delete_horizon_ms < 0)
        return 0;
    return (int64_t)((uint64_t)record->timestamp_ms - (uint64_t)writer->base_timestamp_ms);
}

static inline struct record_size size_of_record(const struct batch_writer *writer, const mill_record *record,
                                                int32_t offset_delta)
{
    size_t body = 1 + size_of_varint(zigzag(timestamp_delta(writer, record))) + size_of_varint(zigzag(offset_delta)) +
                  size_of_bytes(record->key) + size_of_bytes(record->value) +
                  size_of_varint(zigzag((int64_t)record->header_count));
    if (__builtin_expect(record->header_count > 0, 0))
        body += size_of_headers(record);
    return (struct record_size){ body, body + size_of_varint(zigzag((int64_t)body)) };
}

size_t batch_writer_size_with(const struct batch_writer *writer, const mill_record *record)
{
    return batch_writer_size(writer) + size_of_record(writer, record, writer->offset_delta_last + 1).total;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t raw)
{
    if (raw < 0x80) {
        *at = (uint8_t)raw;
        return at + 1;
    }
    if (__builtin_expect(raw < 0x4000, 1)) {
        at[0] = (uint8_t)(raw | 0x80);
        at[1] = (uint8_t)(raw >> 7);
        return at + 2;
    }
    return unsigned_varint_write(at, raw);
}

static inline uint8_t *put_bytes(uint8_t *at, mill_bytes bytes)
{
    if (mill_is_null(bytes))
        return put_varint(at, zigzag(-1));
    at = put_varint(at, zigzag((int64_t)bytes.len));
    memcpy(at, bytes.data, bytes.len);
    return at + bytes.len;
}

static __attribute__((noinline)) uint8_t *put_headers(uint8_t *at, const mill_record *record)
{
    for (size_t i = 0; i < record->header_count; i++) {
        at = put_bytes(at, record->headers[i].key);
        at = put_bytes(at, record->headers[i].value);
    }
    return at;
}

/* The capacity for `needed` bytes: doubled, up to the target; a first record beyond the target gets what it needs. */
static size_t area_capacity(const struct batch_writer *writer, size_t needed)
{
    size_t capacity = writer->area ? (size_t)writer->area->capacity * 2 : writer->area_bytes_next;
    if (capacity > writer->bytes_target)
        capacity = writer->bytes_target;
    return capacity > needed ? capacity : needed;
}

static int area_grow(struct batch_writer *writer, size_t needed)
{
    struct shared_buffer *area = shared_buffer_new(area_capacity(writer, needed));
    if (!area)
        return MILL_ENOMEM;
    area->len = BATCH_HEADER_BYTES;
    if (writer->area) {
        memcpy(area->data, writer->area->data, writer->area->len);
        area->len = writer->area->len;
        shared_buffer_drop(writer->area);
    }
    writer->area = area;
    return 0;
}

/*
 * Makes sure that the area can take `more` bytes, and may. `more` is what a caller's record claims: it is compared, then added.
 */
static inline int area_reserve(struct batch_writer *writer, size_t more)
{
    const struct shared_buffer *area = writer->area;
    if (__builtin_expect(area && more <= area->capacity - area->len && area->len + more <= writer->bytes_target, 1))
        return 0;
    if (more > writer->bytes_max - BATCH_HEADER_BYTES)
        return MILL_ETOOLARGE;
    size_t needed = batch_writer_size(writer) + more;
    if (needed > writer->bytes_target && writer->record_count > 0)
        return MILL_EAGAIN;
    return area && needed <= area->capacity ? 0 : area_grow(writer, needed);
}

int batch_writer_append_at(struct batch_writer *writer, const mill_record *record, int32_t offset_delta)
{
    mill_assert(mill_is_null(writer->finished));
    mill_assert(offset_delta > writer->offset_delta_last);
    struct record_size size = size_of_record(writer, record, offset_delta);
    int code = area_reserve(writer, size.total);
    if (__builtin_expect(code < 0, 0))
        return code;

    uint8_t *at = writer->area->data + writer->area->len;
    at = put_varint(at, zigzag((int64_t)size.body));
    *at++ = 0; /* attributes: none are defined */
    at = put_varint(at, zigzag(timestamp_delta(writer, record)));
    at = put_varint(at, zigzag(offset_delta));
    at = put_bytes(at, record->key);
    at = put_bytes(at, record->value);
    at = put_varint(at, zigzag((int64_t)record->header_count));
    if (__builtin_expect(record->header_count > 0, 0))
        at = put_headers(at, record);

    writer->area->len += (uint32_t)size.total;
    if (writer->record_count == 0)
        writer->max_timestamp_ms = record->timestamp_ms;
    if (writer->record_count == 0 && writer->delete_horizon_ms < 0)
        writer->base_timestamp_ms = record->timestamp_ms;
    if (record->timestamp_ms > writer->max_timestamp_ms)
        writer->max_timestamp_ms = record->timestamp_ms;
    writer->offset_delta_last = offset_delta;
    writer->record_count++;
    return 0;
}

int batch_writer_append(struct batch_writer *writer, const mill_record *record)
{
    return batch_writer_append_at(writer, record, writer->offset_delta_last + 1);
}

void batch_writer_set_delete_horizon(struct batch_writer *writer, int64_t horizon_ms)
{
    mill_assert(writer->record_count == 0);
    mill_assert(horizon_ms >= 0);
    writer->delete_horizon_ms = horizon_ms;
    writer->base_timestamp_ms = horizon_ms;
}

static uint16_t attributes_of(const struct batch_options *options)
{
    return (uint16_t)((unsigned)options->compression | (options->log_append_time_ms >= 0 ? BATCH_LOG_APPEND_TIME : 0) |
                      (options->transactional ? BATCH_TRANSACTIONAL : 0) | (options->control ? BATCH_CONTROL : 0));
}

static void write_header(const struct batch_writer *writer, const struct batch_options *options, uint8_t *batch, size_t size)
{
    struct batch_header header = {
        .base_offset = options->base_offset,
        .size = (uint32_t)size,
        .leader_epoch = options->leader_epoch,
        .attributes = (uint16_t)(attributes_of(options) | (writer->delete_horizon_ms >= 0 ? BATCH_DELETE_HORIZON : 0)),
        .last_offset_delta = options->last_offset_delta < 0 ? writer->offset_delta_last : options->last_offset_delta,
        .base_timestamp_ms = writer->base_timestamp_ms,
        .max_timestamp_ms = options->log_append_time_ms >= 0 ? options->log_append_time_ms : writer->max_timestamp_ms,
        .producer_id = options->producer_id,
        .producer_epoch = options->producer_epoch,
        .base_sequence = options->base_sequence,
        .record_count = writer->record_count,
    };
    batch_header_encode(&header, batch);
    batch_seal(batch, size);
}

/* The records, compressed, behind the room for a header. */
static int pack_records(struct batch_writer *writer, const struct batch_options *options)
{
    struct buffer *packed = &writer->packed;
    buffer_clear(packed);
    if (!buffer_reserve(packed, BATCH_HEADER_BYTES))
        return MILL_ENOMEM;
    packed->len = BATCH_HEADER_BYTES;
    const struct shared_buffer *area = writer->area;
    mill_bytes records = mill_bytes_of(area->data + BATCH_HEADER_BYTES, area->len - BATCH_HEADER_BYTES);
    return packer_pack(&writer->packer, options->compression, options->compression_level, records, packed);
}

int batch_writer_finish(struct batch_writer *writer, const struct batch_options *options, mill_bytes *batch)
{
    mill_assert(writer->record_count > 0);
    uint8_t *bytes = writer->area->data;
    size_t size = writer->area->len;
    if (options->compression != COMPRESSION_NONE) {
        int code = pack_records(writer, options);
        if (code < 0)
            return code;
        bytes = writer->packed.data;
        size = writer->packed.len;
    }
    write_header(writer, options, bytes, size);
    writer->finished = *batch = mill_bytes_of(bytes, size);
    return 0;
}

static struct shared_buffer *copy_of(mill_bytes bytes)
{
    struct shared_buffer *copy = shared_buffer_new(bytes.len);
    if (copy) {
        memcpy(copy->data, bytes.data, bytes.len);
        copy->len = (uint32_t)bytes.len;
    }
    return copy;
}

/* Half as much again, so that batches of varying size do not grow theirs each time. */
static size_t next_area_bytes(size_t batch_bytes)
{
    size_t bytes = batch_bytes + batch_bytes / 2;
    return bytes > AREA_BYTES_FIRST ? bytes : AREA_BYTES_FIRST;
}

int batch_writer_take(struct batch_writer *writer, struct shared_buffer **batch)
{
    mill_assert(!mill_is_null(writer->finished));
    if (writer->finished.data == writer->area->data) {
        writer->area_bytes_next = next_area_bytes(writer->area->len);
        *batch = writer->area;
        writer->area = NULL;
    } else {
        struct shared_buffer *copy = copy_of(writer->finished);
        if (!copy)
            return MILL_ENOMEM;
        *batch = copy;
    }
    batch_writer_clear(writer);
    return 0;
}
