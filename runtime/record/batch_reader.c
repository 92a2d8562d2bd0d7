/*
 * The record parser, and what is built on it.
 *
 * Per record: its length, which must lie within the batch; then fields that must lie within the record and end exactly with it.
 * So the place of the next record depends on one varint alone, and the processor runs several records ahead.
 *
 * Varints of one and two bytes are read in line here: lengths and deltas of ordinary records are that long.
 */
#include "record/batch_reader.h"

#include "base/assert.h"
#include "base/varint.h"

/* The rare varint. NULL: it is wrong. */
static __attribute__((noinline)) const uint8_t *long_varint(const uint8_t *at, const uint8_t *end, int bytes_max, uint64_t *value)
{
    struct byte_reader in = { at, end, false };
    *value = byte_reader_unsigned(&in, bytes_max);
    return in.failed ? NULL : in.at;
}

/* Reads one varint, still zigzagged, and returns the place behind it; NULL: it is wrong or does not end before `end`. */
static inline __attribute__((always_inline)) const uint8_t *raw_varint(const uint8_t *at, const uint8_t *end, int bytes_max,
                                                                       uint64_t *value)
{
    if (__builtin_expect(at < end, 1)) {
        if (at[0] < 0x80) {
            *value = at[0];
            return at + 1;
        }
        if (__builtin_expect(end - at >= 2 && at[1] < 0x80, 1)) {
            *value = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
            return at + 2;
        }
    }
    return long_varint(at, end, bytes_max, value);
}

static inline int64_t unzigzag(uint64_t raw)
{
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

/* Reads a 32-bit varint. */
static inline __attribute__((always_inline)) const uint8_t *read_int(const uint8_t *at, const uint8_t *end, int64_t *value)
{
    uint64_t raw;
    at = raw_varint(at, end, VARINT_BYTES_MAX, &raw);
    if (__builtin_expect(at != NULL, 1))
        *value = unzigzag(raw);
    return at;
}

/* Reads a length and as many bytes; length -1 is null. */
static inline __attribute__((always_inline)) const uint8_t *read_bytes(const uint8_t *at, const uint8_t *end, mill_bytes *bytes)
{
    int64_t len;
    at = read_int(at, end, &len);
    if (__builtin_expect(at == NULL, 0))
        return NULL;
    if (__builtin_expect(len < 0, 0)) {
        *bytes = mill_null();
        return len == -1 ? at : NULL;
    }
    if (__builtin_expect(len > end - at, 0))
        return NULL;
    *bytes = mill_bytes_of(at, (size_t)len);
    return at + len;
}

/* Are these `count` headers and nothing else? Checked at once, so that parsing them later cannot fail. */
static __attribute__((noinline)) bool headers_are_valid(mill_bytes headers, size_t count)
{
    const uint8_t *at = headers.data;
    const uint8_t *end = at + headers.len;
    mill_bytes key, value;
    for (size_t i = 0; i < count; i++) {
        at = read_bytes(at, end, &key);
        if (!at || mill_is_null(key) || !(at = read_bytes(at, end, &value)))
            return false;
    }
    return at == end;
}

void batch_record_parse_headers(struct batch_record *record, mill_header *headers)
{
    const uint8_t *at = record->headers.data;
    const uint8_t *end = at + record->headers.len;
    for (size_t i = 0; i < record->record.header_count; i++) {
        at = read_bytes(at, end, &headers[i].key);
        at = read_bytes(at, end, &headers[i].value);
    }
    record->record.headers = headers;
}

int batch_record_load_headers(struct batch_record *record, struct arena *arena)
{
    if (record->record.header_count == 0 || record->record.headers)
        return 0;
    mill_header *headers = arena_calloc(arena, record->record.header_count, sizeof *headers);
    if (!headers)
        return MILL_ENOMEM;
    batch_record_parse_headers(record, headers);
    return 0;
}

void batch_reader_init(struct batch_reader *reader, size_t unpacked_bytes_max)
{
    *reader = (struct batch_reader){ 0 };
    buffer_init(&reader->unpacked, unpacked_bytes_max);
    unpacker_init(&reader->unpacker);
}

void batch_reader_release(struct batch_reader *reader)
{
    buffer_release(&reader->unpacked);
    unpacker_release(&reader->unpacker);
}

bool batch_reader_owns_records(const struct batch_reader *reader)
{
    return batch_compression(&reader->header) != COMPRESSION_NONE;
}

/* Finds the records: in the batch itself, or unpacked. */
static int locate_records(struct batch_reader *reader, mill_bytes records)
{
    if (!batch_reader_owns_records(reader) || records.len == 0) {
        reader->in = byte_reader_of(records);
        return 0;
    }
    buffer_clear(&reader->unpacked);
    int code = unpacker_unpack(&reader->unpacker, batch_compression(&reader->header), records, &reader->unpacked);
    if (code == 0)
        reader->in = byte_reader_of(buffer_bytes(&reader->unpacked));
    return code;
}

static int decode_whole(mill_bytes batch, struct batch_header *header)
{
    int code = batch_header_decode(batch, header);
    if (code < 0)
        return code;
    return header->size == batch.len ? 0 : header->size > batch.len ? MILL_ETRUNCATED : MILL_ECORRUPT;
}

int batch_reader_open(struct batch_reader *reader, mill_bytes batch, bool check_crc)
{
    reader->in = byte_reader_of(mill_null());
    reader->records_left = 0;
    reader->offset_delta_last = -1;
    int code = check_crc ? batch_check(batch, &reader->header) : decode_whole(batch, &reader->header);
    if (code == 0)
        code = locate_records(reader, mill_bytes_of(batch.data + BATCH_HEADER_BYTES, batch.len - BATCH_HEADER_BYTES));
    if (code == 0)
        reader->records_left = reader->header.record_count;
    return code;
}

/* What the parser needs of the header, and the offset it has come to. */
struct parse {
    const uint8_t *end;
    int64_t base_offset;
    int64_t base_timestamp_ms;
    int64_t append_time_ms; /* instead of the record's own, when `has_append_time` */
    bool has_append_time;
    int64_t offset_delta_last;
    int64_t offset_delta_max;
};

static struct parse parse_of(const struct batch_reader *reader)
{
    const struct batch_header *header = &reader->header;
    return (struct parse){
        .end = reader->in.end,
        .base_offset = header->base_offset,
        .base_timestamp_ms = header->base_timestamp_ms,
        .append_time_ms = header->max_timestamp_ms,
        .has_append_time = batch_has_log_append_time(header),
        .offset_delta_last = reader->offset_delta_last,
        .offset_delta_max = header->last_offset_delta,
    };
}

/* The record at `at`: returns the place behind it, or NULL. */
static inline __attribute__((always_inline)) const uint8_t *parse_record(struct parse *parse, const uint8_t *at,
                                                                         struct batch_record *out)
{
    int64_t len;
    at = read_int(at, parse->end, &len);
    if (__builtin_expect(at == NULL || len < 1 || len > parse->end - at, 0))
        return NULL;
    const uint8_t *const end = at + len;
    at++; /* attributes: none are defined */

    uint64_t timestamp_delta;
    int64_t offset_delta, header_count;
    mill_bytes key, value;
    if (!(at = raw_varint(at, end, VARLONG_BYTES_MAX, &timestamp_delta)) || !(at = read_int(at, end, &offset_delta)))
        return NULL;
    if (__builtin_expect(offset_delta <= parse->offset_delta_last || offset_delta > parse->offset_delta_max, 0))
        return NULL;
    if (!(at = read_bytes(at, end, &key)) || !(at = read_bytes(at, end, &value)) || !(at = read_int(at, end, &header_count)))
        return NULL;
    /* A header takes at least 2 bytes. */
    if (__builtin_expect(header_count < 0 || header_count > (end - at) / 2, 0))
        return NULL;
    const mill_bytes headers = mill_bytes_of(at, (size_t)(end - at));
    if (__builtin_expect(headers.len > 0, 0) && !headers_are_valid(headers, (size_t)header_count))
        return NULL;

    parse->offset_delta_last = offset_delta;
    /* Unsigned: a delta from a stranger may overflow, and Java's wraps too. */
    uint64_t timestamp = (uint64_t)parse->base_timestamp_ms + (uint64_t)unzigzag(timestamp_delta);
    /* Field by field: a compound literal is cleared first, which costs a fifth of the whole. */
    out->record.key = key;
    out->record.value = value;
    out->record.timestamp_ms = parse->has_append_time ? parse->append_time_ms : (int64_t)timestamp;
    out->record.headers = NULL;
    out->record.header_count = (size_t)header_count;
    out->record.old_value = mill_null();
    out->offset = parse->base_offset + offset_delta;
    out->headers = headers;
    return end;
}

/* Nothing may be left behind the last record. */
static int end_of_batch(struct batch_reader *reader)
{
    if (byte_reader_left(&reader->in) == 0 && !reader->in.failed)
        return 0;
    return MILL_ECORRUPT;
}

int batch_reader_fill(struct batch_reader *reader, struct batch_record *records, size_t max)
{
    mill_assert(max > 0);
    if (reader->records_left == 0 || reader->in.failed)
        return end_of_batch(reader);
    size_t wanted = max < (size_t)reader->records_left ? max : (size_t)reader->records_left;
    struct parse parse = parse_of(reader);
    const uint8_t *at = reader->in.at;
    size_t count = 0;
    while (count < wanted) {
        const uint8_t *next = parse_record(&parse, at, &records[count]);
        if (__builtin_expect(next == NULL, 0)) {
            reader->in.failed = true;
            break;
        }
        at = next;
        count++;
    }
    reader->in.at = at;
    reader->records_left -= (int32_t)count;
    reader->offset_delta_last = (int32_t)parse.offset_delta_last;
    return count > 0 ? (int)count : MILL_ECORRUPT;
}

int batch_reader_next(struct batch_reader *reader, struct batch_record *record)
{
    return batch_reader_fill(reader, record, 1);
}

int batch_reader_skip_to(struct batch_reader *reader, int64_t offset)
{
    struct parse parse = parse_of(reader);
    while (reader->records_left > 0 && !reader->in.failed) {
        struct batch_record record;
        const uint8_t *next = parse_record(&parse, reader->in.at, &record);
        if (!next) {
            reader->in.failed = true;
            break;
        }
        if (record.offset >= offset)
            return 0;
        reader->in.at = next;
        reader->records_left--;
        reader->offset_delta_last = (int32_t)parse.offset_delta_last;
    }
    return end_of_batch(reader);
}

/* The rules for clients that the header alone can break. */
static bool header_may_be_produced(const struct batch_header *header)
{
    if (header->attributes & (BATCH_CONTROL | BATCH_DELETE_HORIZON | BATCH_LOG_APPEND_TIME))
        return false;
    if (header->record_count < 1 || header->record_count - 1 != header->last_offset_delta)
        return false;
    if (batch_has_producer(header))
        return header->producer_epoch >= 0 && header->base_sequence >= 0;
    return !batch_is_transactional(header);
}

/* Walks all records. With as many records as offsets and offsets that increase, these can only be 0, 1, 2, ... */
static int summarize(struct batch_reader *reader, struct batch_summary *summary)
{
    struct parse parse = parse_of(reader);
    const uint8_t *at = reader->in.at;
    *summary = (struct batch_summary){ .min_timestamp_ms = INT64_MAX, .max_timestamp_ms = INT64_MIN };
    for (int32_t i = 0; i < reader->header.record_count; i++) {
        struct batch_record record;
        at = parse_record(&parse, at, &record);
        if (!at)
            return MILL_EINVALID;
        int64_t timestamp_ms = record.record.timestamp_ms;
        summary->min_timestamp_ms = timestamp_ms < summary->min_timestamp_ms ? timestamp_ms : summary->min_timestamp_ms;
        summary->max_timestamp_ms = timestamp_ms > summary->max_timestamp_ms ? timestamp_ms : summary->max_timestamp_ms;
        summary->null_keys += mill_is_null(record.record.key);
    }
    return at == parse.end ? 0 : MILL_EINVALID;
}

int batch_check_produced(struct batch_reader *reader, mill_bytes batch, struct batch_summary *summary)
{
    int code = batch_reader_open(reader, batch, true);
    if (code == 0)
        code = header_may_be_produced(&reader->header) ? summarize(reader, summary) : MILL_EINVALID;
    reader->in = byte_reader_of(mill_null());
    reader->records_left = 0;
    return code;
}
