/* The header's fields in the order of the wire, and the checks that need no record. */
#include "record/batch.h"

#include "base/bytes.h"
#include "base/crc32c.h"

/* Where single fields lie that are read or written alone. */
enum {
    AT_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = BATCH_CHECKED_FROM,
    AT_MAX_TIMESTAMP = 35
};

/* A message of magic 0 or 1, behind offset and length: CRC, magic, attributes, key length, value length. */
enum { OLD_LENGTH_MIN = 14 };

/* An uncompressed record is a length, attributes, timestamp, offset, key length, value length and header count: 7 bytes. */
enum { RECORD_BYTES_MIN = 7 };

static uint32_t crc_of(const uint8_t *batch, size_t size)
{
    return crc32c(0, batch + BATCH_CHECKED_FROM, size - BATCH_CHECKED_FROM);
}

static void decode_fields(mill_bytes bytes, struct batch_header *header)
{
    struct byte_reader in = byte_reader_of(bytes);
    header->base_offset = (int64_t)byte_reader_u64(&in);
    header->size = byte_reader_u32(&in) + BATCH_PREFIX_BYTES;
    header->leader_epoch = (int32_t)byte_reader_u32(&in);
    byte_reader_u8(&in); /* the magic */
    header->crc = byte_reader_u32(&in);
    header->attributes = byte_reader_u16(&in);
    header->last_offset_delta = (int32_t)byte_reader_u32(&in);
    header->base_timestamp_ms = (int64_t)byte_reader_u64(&in);
    header->max_timestamp_ms = (int64_t)byte_reader_u64(&in);
    header->producer_id = (int64_t)byte_reader_u64(&in);
    header->producer_epoch = (int16_t)byte_reader_u16(&in);
    header->base_sequence = (int32_t)byte_reader_u32(&in);
    header->record_count = (int32_t)byte_reader_u32(&in);
}

/* Offsets must count up without overflow, and no more records be claimed than offsets, or bytes to hold them. */
static bool counts_fit(const struct batch_header *header)
{
    if (header->base_offset < 0 || header->last_offset_delta < 0 || header->record_count < 0)
        return false;
    if (header->base_offset > INT64_MAX - 1 - header->last_offset_delta)
        return false;
    if ((int64_t)header->record_count > (int64_t)header->last_offset_delta + 1)
        return false;
    return batch_compression(header) != COMPRESSION_NONE ||
           (size_t)header->record_count <= (header->size - BATCH_HEADER_BYTES) / RECORD_BYTES_MIN;
}

/* Length and magic lie at the same place in every version; zeros, as behind the end of a log that was grown ahead, are none. */
int batch_header_decode(mill_bytes bytes, struct batch_header *header)
{
    if (bytes.len < BATCH_HEADER_BYTES)
        return MILL_ETRUNCATED;
    uint32_t length = read_u32_be(bytes.data + AT_LENGTH);
    uint8_t magic = bytes.data[AT_MAGIC];
    if (magic > BATCH_MAGIC || length < OLD_LENGTH_MIN || length > INT32_MAX)
        return MILL_ECORRUPT;
    if (magic < BATCH_MAGIC)
        return MILL_EUNSUPPORTED;
    if (length < BATCH_HEADER_BYTES - BATCH_PREFIX_BYTES)
        return MILL_ECORRUPT;

    struct batch_header decoded;
    decode_fields(bytes, &decoded);
    if (batch_compression(&decoded) >= COMPRESSION_COUNT)
        return MILL_EUNSUPPORTED;
    if ((decoded.attributes & ~BATCH_ATTRIBUTES_MASK) != 0 || !counts_fit(&decoded))
        return MILL_ECORRUPT;
    *header = decoded;
    return 0;
}

void batch_header_encode(const struct batch_header *header, uint8_t bytes[BATCH_HEADER_BYTES])
{
    write_u64_be(bytes, (uint64_t)header->base_offset);
    write_u32_be(bytes + AT_LENGTH, header->size - BATCH_PREFIX_BYTES);
    write_u32_be(bytes + AT_LEADER_EPOCH, (uint32_t)header->leader_epoch);
    bytes[AT_MAGIC] = BATCH_MAGIC;
    write_u32_be(bytes + AT_CRC, header->crc);
    write_u16_be(bytes + AT_ATTRIBUTES, header->attributes);
    write_u32_be(bytes + 23, (uint32_t)header->last_offset_delta);
    write_u64_be(bytes + 27, (uint64_t)header->base_timestamp_ms);
    write_u64_be(bytes + AT_MAX_TIMESTAMP, (uint64_t)header->max_timestamp_ms);
    write_u64_be(bytes + 43, (uint64_t)header->producer_id);
    write_u16_be(bytes + 51, (uint16_t)header->producer_epoch);
    write_u32_be(bytes + 53, (uint32_t)header->base_sequence);
    write_u32_be(bytes + 57, (uint32_t)header->record_count);
}

int batch_next(mill_bytes *region, mill_bytes *batch, struct batch_header *header)
{
    if (region->len == 0)
        return 0;
    struct batch_header next;
    int code = batch_header_decode(*region, &next);
    if (code < 0)
        return code;
    if (next.size > region->len)
        return MILL_ETRUNCATED;
    *header = next;
    *batch = mill_bytes_of(region->data, next.size);
    *region = mill_bytes_of(region->data + next.size, region->len - next.size);
    return 1;
}

int batch_check(mill_bytes bytes, struct batch_header *header)
{
    struct batch_header checked;
    int code = batch_header_decode(bytes, &checked);
    if (code < 0)
        return code;
    if (checked.size > bytes.len)
        return MILL_ETRUNCATED;
    if (checked.size < bytes.len || crc_of(bytes.data, bytes.len) != checked.crc)
        return MILL_ECORRUPT;
    *header = checked;
    return 0;
}

void batch_seal(uint8_t *batch, size_t size)
{
    write_u32_be(batch + AT_CRC, crc_of(batch, size));
}

void batch_stamp(uint8_t header[BATCH_HEADER_BYTES], int64_t base_offset, int32_t leader_epoch)
{
    write_u64_be(header, (uint64_t)base_offset);
    write_u32_be(header + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

void batch_restamp_time(uint8_t *batch, size_t size, int64_t max_timestamp_ms, bool log_append_time)
{
    if (log_append_time)
        write_u16_be(batch + AT_ATTRIBUTES, read_u16_be(batch + AT_ATTRIBUTES) | BATCH_LOG_APPEND_TIME);
    write_u64_be(batch + AT_MAX_TIMESTAMP, (uint64_t)max_timestamp_ms);
    batch_seal(batch, size);
}
