/*
 * What the tests of this room share: batches that Apache Kafka 4.3.1 wrote, and a naive writer to compare with.
 *
 * The naive writer pushes one byte at a time and takes its checksum bit by bit; it shares no line with the code under test.
 */
#ifndef RECORD_BATCH_MODEL_H
#define RECORD_BATCH_MODEL_H

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "millstream/record.h"
#include "record/batch.h"

/*
 * Four records by MemoryRecordsBuilder: producer 4242, epoch 7, base sequence 77, transactional, leader epoch 5:
 *   1700000000000  "k0"    "value zero" four times, spaces between
 *   1700000000123  null    "no key"
 *   1699999999000  "gone"  null
 *   1700000100000  ""      ""              headers trace=abc, none=null
 */
static const char golden_none[] =
    "0000000000000000000000980000000502d62fa5860010000000030000018bcfe568000000018bcfe6eea0000000000000109200070000"
    "004d0000000466000000046b305676616c7565207a65726f2076616c7565207a65726f2076616c7565207a65726f2076616c7565207a65"
    "726f001a00f60102010c6e6f206b6579001600cf0f0408676f6e6501003000c09a0c060000040a747261636506616263086e6f6e6501";
static const char golden_gzip[] =
    "00000000000000000000008b0000000502f975aaf60011000000030000018bcfe568000000018bcfe6eea0000000000000109200070000"
    "004d000000041f8b08000000000000ff4b63606060c936082b4bcc294d55a84a2dca5720c4649062f8c6c8c4c89397af909d5ac920c670"
    "9e9f85233d3f2f9591c180e1c02c1e36a0895c254589c9a96c8949c91c792019008c9ac15b67000000";
static const char golden_snappy[] =
    "0000000000000000000000920000000502b6a11d070012000000030000018bcfe568000000018bcfe6eea0000000000000109200070000"
    "004d0000000482534e415050590000000001000000010000004d674866000000046b305676616c7565207a65726f207e0b00cc001a00f6"
    "0102010c6e6f206b6579001600cf0f0408676f6e6501003000c09a0c060000040a747261636506616263086e6f6e6501";
static const char golden_lz4[] =
    "00000000000000000000008e00000005024ac587570013000000030000018bcfe568000000018bcfe6eea0000000000000109200070000"
    "004d0000000404224d186040824e000000ff0466000000046b305676616c7565207a65726f200b000df025001a00f60102010c6e6f206b"
    "6579001600cf0f0408676f6e6501003000c09a0c060000040a747261636506616263086e6f6e650100000000";
static const char golden_zstd[] =
    "00000000000000000000008b0000000502ce4a245a0014000000030000018bcfe568000000018bcfe6eea0000000000000109200070000"
    "004d0000000428b52ffd0058740200740466000000046b305676616c7565207a65726f20001a00f60102010c6e6f206b6579001600cf0f"
    "0408676f6e6501003000c09a0c060000040a747261636506616263086e6f6e650101008d9730010000";

static const char *const golden_batches[COMPRESSION_COUNT] = { golden_none, golden_gzip, golden_snappy, golden_lz4, golden_zstd };

/* Markers of producer 4242, epoch 7, at 1700000000000, coordinator epoch 12. */
static const char golden_commit[] =
    "000000000000000000000042ffffffff02be3c129d0030000000000000018bcfe568000000018bcfe5680000000000000010920007ffff"
    "ffff000000012000000008000000010c00000000000c00";
static const char golden_abort[] =
    "000000000000000000000042ffffffff024a02c4d50030000000000000018bcfe568000000018bcfe5680000000000000010920007ffff"
    "ffff000000012000000008000000000c00000000000c00";

enum { MODEL_BYTES_MAX = 1 << 19 };

struct model_bytes {
    uint8_t data[MODEL_BYTES_MAX];
    size_t len;
};

static inline mill_bytes model_view(const struct model_bytes *bytes)
{
    return mill_bytes_of(bytes->data, bytes->len);
}

static inline void model_from_hex(struct model_bytes *bytes, const char *hex)
{
    bytes->len = strlen(hex) / 2;
    for (size_t i = 0; i < bytes->len; i++) {
        char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };
        bytes->data[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static inline void model_push(struct model_bytes *to, uint64_t value, int byte_count)
{
    for (int i = byte_count - 1; i >= 0; i--)
        to->data[to->len++] = (uint8_t)(value >> (8 * i));
}

static inline void model_push_varint(struct model_bytes *to, int64_t value)
{
    uint64_t raw = value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1;
    do {
        uint8_t low = raw & 0x7f;
        raw >>= 7;
        to->data[to->len++] = raw ? low | 0x80 : low;
    } while (raw);
}

static inline void model_push_bytes(struct model_bytes *to, mill_bytes bytes)
{
    model_push_varint(to, mill_is_null(bytes) ? -1 : (int64_t)bytes.len);
    for (size_t i = 0; i < bytes.len; i++)
        to->data[to->len++] = bytes.data[i];
}

static inline void model_push_record(struct model_bytes *to, const mill_record *record, int64_t timestamp_delta,
                                     int64_t offset_delta)
{
    static struct model_bytes body;
    body.len = 0;
    model_push(&body, 0, 1);
    model_push_varint(&body, timestamp_delta);
    model_push_varint(&body, offset_delta);
    model_push_bytes(&body, record->key);
    model_push_bytes(&body, record->value);
    model_push_varint(&body, (int64_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        model_push_bytes(&body, record->headers[i].key);
        model_push_bytes(&body, record->headers[i].value);
    }
    model_push_varint(to, (int64_t)body.len);
    memcpy(to->data + to->len, body.data, body.len);
    to->len += body.len;
}

static inline uint32_t model_crc(const uint8_t *data, size_t len)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

static inline void model_put_u32(struct model_bytes *batch, size_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        batch->data[at + (size_t)i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Puts length and CRC into a batch whose other bytes are there. */
static inline void model_seal(struct model_bytes *batch)
{
    model_put_u32(batch, 8, (uint32_t)batch->len - 12);
    model_put_u32(batch, 17, model_crc(batch->data + 21, batch->len - 21));
}

/* A plain batch at `base_offset` with the records at `offset_deltas`, or 0, 1, 2, ... when that is NULL. */
static inline void model_batch(struct model_bytes *to, int64_t base_offset, const mill_record *records,
                               const int32_t *offset_deltas, size_t count)
{
    int64_t max_timestamp = records[0].timestamp_ms;
    for (size_t i = 0; i < count; i++)
        if (records[i].timestamp_ms > max_timestamp)
            max_timestamp = records[i].timestamp_ms;
    to->len = 0;
    model_push(to, (uint64_t)base_offset, 8);
    model_push(to, 0, 4);            /* length */
    model_push(to, (uint64_t)-1, 4); /* leader epoch */
    model_push(to, 2, 1);            /* magic */
    model_push(to, 0, 4);            /* CRC */
    model_push(to, 0, 2);            /* attributes */
    model_push(to, offset_deltas ? (uint64_t)offset_deltas[count - 1] : count - 1, 4);
    model_push(to, (uint64_t)records[0].timestamp_ms, 8);
    model_push(to, (uint64_t)max_timestamp, 8);
    model_push(to, (uint64_t)-1, 8); /* producer id, epoch, base sequence */
    model_push(to, (uint64_t)-1, 2);
    model_push(to, (uint64_t)-1, 4);
    model_push(to, count, 4);
    for (size_t i = 0; i < count; i++)
        model_push_record(to, &records[i], records[i].timestamp_ms - records[0].timestamp_ms,
                          offset_deltas ? offset_deltas[i] : (int64_t)i);
    model_seal(to);
}

enum { MODEL_RECORDS_MAX = 40, MODEL_HEADERS_MAX = 4 };

struct model_records {
    mill_record records[MODEL_RECORDS_MAX];
    mill_header headers[MODEL_RECORDS_MAX][MODEL_HEADERS_MAX];
    size_t count;
    uint8_t text[4096];
};

/* A piece of `text`: null, empty, short, or now and then long enough for a length of two bytes or three. */
static inline mill_bytes model_random_bytes(struct model_records *in, struct prng *prng, bool may_be_null)
{
    if (may_be_null && prng_below(prng, 8) == 0)
        return mill_null();
    size_t len = prng_below(prng, 10) == 0 ? prng_below(prng, 900) : prng_below(prng, 40);
    return mill_bytes_of(in->text + prng_below(prng, sizeof in->text - len), len);
}

/* At least one record, of all shapes; timestamps wander in both directions. */
static inline void model_random_records(struct model_records *out, struct prng *prng)
{
    static const int64_t spreads[] = { 1, 100, 100000, (int64_t)1 << 40 };
    for (size_t i = 0; i < sizeof out->text; i++)
        out->text[i] = (uint8_t)('a' + prng_below(prng, 20));
    out->count = 1 + prng_below(prng, MODEL_RECORDS_MAX);
    int64_t spread = spreads[prng_below(prng, 4)];
    for (size_t i = 0; i < out->count; i++) {
        mill_record *record = &out->records[i];
        *record = (mill_record){ .timestamp_ms = 1700000000000 + (int64_t)prng_below(prng, (uint64_t)(2 * spread)) - spread };
        record->key = model_random_bytes(out, prng, true);
        record->value = model_random_bytes(out, prng, true);
        record->header_count = prng_below(prng, 4) == 0 ? prng_below(prng, MODEL_HEADERS_MAX + 1) : 0;
        record->headers = out->headers[i];
        for (size_t h = 0; h < record->header_count; h++) {
            out->headers[i][h].key = model_random_bytes(out, prng, false);
            out->headers[i][h].value = model_random_bytes(out, prng, true);
        }
    }
}

#endif
