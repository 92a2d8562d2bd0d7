/*
 * The record batch, version 2: the unit in which records are produced, stored, replicated and fetched.
 *
 * FORMAT.md draws its bytes. Everything is big-endian. A batch's CRC-32C covers its attributes and all behind them, so that the
 * broker stamps base offset and leader epoch without touching it. All functions take bytes from strangers, read nothing beyond
 * them and answer with an error where they are wrong:
 *
 *   MILL_ETRUNCATED    the bytes end before the batch does: read more, or cut the tail
 *   MILL_ECORRUPT      sizes or checksum do not fit: these bytes are no batch (CORRUPT_MESSAGE)
 *   MILL_EUNSUPPORTED  an older magic (0, 1), or a codec that does not exist
 *   MILL_EINVALID      an intact batch that breaks a rule (INVALID_RECORD)
 *
 * Nothing here allocates. Any thread.
 */
#ifndef RECORD_BATCH_H
#define RECORD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"
#include "millstream/error.h"
#include "record/compression.h"

enum {
    BATCH_HEADER_BYTES = 61,
    BATCH_PREFIX_BYTES = 12, /* base offset and length: enough to find the next batch */
    BATCH_CHECKED_FROM = 21, /* the CRC covers the bytes from here to the end */
    BATCH_MAGIC = 2
};

enum batch_attributes {
    BATCH_COMPRESSION_MASK = 0x07,
    BATCH_LOG_APPEND_TIME = 0x08, /* the timestamp of each record is max_timestamp_ms */
    BATCH_TRANSACTIONAL = 0x10,
    BATCH_CONTROL = 0x20,        /* see control.h */
    BATCH_DELETE_HORIZON = 0x40, /* base_timestamp_ms is the time at which tombstones and markers may go (KIP-534) */
    BATCH_ATTRIBUTES_MASK = 0x7f
};

struct batch_header {
    int64_t base_offset;
    uint32_t size; /* of the whole batch, header included: the wire's length + BATCH_PREFIX_BYTES */
    int32_t leader_epoch;
    uint32_t crc;
    uint16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms; /* -1: records have none */
    int64_t producer_id;      /* -1, as are the next two, when the producer is not idempotent */
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t record_count; /* below last_offset_delta + 1 after compaction, even 0 */
};

static inline int64_t batch_last_offset(const struct batch_header *header)
{
    return header->base_offset + header->last_offset_delta;
}

static inline int64_t batch_next_offset(const struct batch_header *header)
{
    return batch_last_offset(header) + 1;
}

static inline enum compression batch_compression(const struct batch_header *header)
{
    return (enum compression)(header->attributes & BATCH_COMPRESSION_MASK);
}

static inline bool batch_is_control(const struct batch_header *header)
{
    return (header->attributes & BATCH_CONTROL) != 0;
}

static inline bool batch_is_transactional(const struct batch_header *header)
{
    return (header->attributes & BATCH_TRANSACTIONAL) != 0;
}

static inline bool batch_has_log_append_time(const struct batch_header *header)
{
    return (header->attributes & BATCH_LOG_APPEND_TIME) != 0;
}

static inline bool batch_has_producer(const struct batch_header *header)
{
    return header->producer_id >= 0;
}

/* The sequence of the last record: sequences wrap from INT32_MAX to 0. Only for batches that have a producer. */
static inline int32_t batch_last_sequence(const struct batch_header *header)
{
    return (int32_t)(((uint32_t)header->base_sequence + (uint32_t)header->last_offset_delta) & INT32_MAX);
}

/*
 * Decodes the 61 bytes at the start of `bytes`, which need not hold the rest of the batch. Checks what can be told from them:
 * size, magic, codec, attributes, offsets, counts; never the CRC. `header` is set only on success.
 * Returns 0, MILL_ETRUNCATED, MILL_ECORRUPT or MILL_EUNSUPPORTED.
 */
MILL_MUST_USE int batch_header_decode(mill_bytes bytes, struct batch_header *header);

/* Writes all fields but the CRC's, which is written as header->crc; see batch_seal. */
void batch_header_encode(const struct batch_header *header, uint8_t bytes[BATCH_HEADER_BYTES]);

/*
 * Cuts the first batch off `region`, a run of batches as in a segment, a Produce or a Fetch. Returns 1 with `batch` (a view into
 * the region) and its header; 0 when the region is empty; MILL_ETRUNCATED when a part of a batch is left, which is normal at the
 * end of a Fetch; MILL_ECORRUPT or MILL_EUNSUPPORTED. Only 1 moves `region`. The CRC is not looked at.
 */
MILL_MUST_USE int batch_next(mill_bytes *region, mill_bytes *batch, struct batch_header *header);

/*
 * Is `bytes` exactly one intact batch: header, length, CRC? What recovery, replication and readers ask. The records are not
 * looked at. Returns 0 with `header`, or one of the errors above.
 */
MILL_MUST_USE int batch_check(mill_bytes bytes, struct batch_header *header);

/* Sets the CRC of a whole batch of `size` bytes. */
void batch_seal(uint8_t *batch, size_t size);

/*
 * The broker's stamp on its own copy of a header: neither field is under the CRC. The batch that others can see stays as it is.
 */
void batch_stamp(uint8_t header[BATCH_HEADER_BYTES], int64_t base_offset, int32_t leader_epoch);

/*
 * Sets max_timestamp_ms, and LOG_APPEND_TIME when `log_append_time` (message.timestamp.type=LogAppendTime, or a producer that
 * wrote a wrong maximum), then the CRC anew. `batch` is a whole batch of `size` bytes that nobody else can see yet.
 */
void batch_restamp_time(uint8_t *batch, size_t size, int64_t max_timestamp_ms, bool log_append_time);

#endif
