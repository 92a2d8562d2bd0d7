/*
 * Records into bytes and back: the cost that every record pays at the doors of a task.
 *
 * 100-byte records: a key `page-0000042` (12) and a value of 88; timestamps rise by 1 ms every 10 records. Batches lie one behind
 * the other in a region larger than the first two caches, as in a fetch. The argument, when given, is the records of a batch.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "bench/report.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"

enum { RECORDS = 2000000, KEY_BYTES = 12, VALUE_BYTES = 88, KEYS = 10000, PREFETCHED = 64 };

enum { REGION_BYTES_MAX = RECORDS * (KEY_BYTES + VALUE_BYTES + 20) + (1 << 20) };

struct region {
    uint8_t *data;
    size_t len;
};

static char keys[KEYS][16];
static uint8_t value_text[4096];
static int32_t batch_records = 600; /* 64 KiB */

static void fill_texts(void)
{
    for (int i = 0; i < KEYS; i++)
        snprintf(keys[i], sizeof keys[i], "page-%07d", i);
    for (size_t i = 0; i < sizeof value_text; i++)
        value_text[i] = (uint8_t)('a' + i * 7 % 26);
}

static mill_record record_of(uint32_t i)
{
    uint32_t key = i * 2654435761u % KEYS;
    return (mill_record){ .key = mill_bytes_of(keys[key], KEY_BYTES),
                          .value = mill_bytes_of(value_text + (i & 63), VALUE_BYTES),
                          .timestamp_ms = 1700000000000 + i / 10 };
}

static void append_batch(struct batch_writer *writer, enum compression compression, struct region *to)
{
    mill_bytes batch;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.compression = compression;
    int code = batch_writer_finish(writer, &options, &batch);
    mill_assert(code == 0);
    mill_assert(to->len + batch.len <= REGION_BYTES_MAX);
    memcpy(to->data + to->len, batch.data, batch.len);
    to->len += batch.len;
    batch_writer_clear(writer);
}

static void append_record(struct batch_writer *writer, const mill_record *record, enum compression compression, struct region *to)
{
    int code = batch_writer_append(writer, record);
    mill_assert(code == 0);
    if (writer->record_count == batch_records)
        append_batch(writer, compression, to);
}

static void encode_all(struct batch_writer *writer, enum compression compression, struct region *to)
{
    to->len = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        mill_record record = record_of(i);
        append_record(writer, &record, compression, to);
    }
    if (writer->record_count > 0)
        append_batch(writer, compression, to);
}

/* Calls `each` for all records of the region. */
static uint64_t parse_all(struct batch_reader *reader, const struct region *from, bool check_crc,
                          void (*each)(void *ctx, const mill_record *record), void *ctx)
{
    struct batch_record records[PREFETCHED];
    mill_bytes region = mill_bytes_of(from->data, from->len);
    mill_bytes batch;
    struct batch_header header;
    uint64_t total = 0;
    uint64_t sum = 0;
    while (batch_next(&region, &batch, &header) == 1) {
        int code = batch_reader_open(reader, batch, check_crc);
        mill_assert(code == 0);
        int count;
        while ((count = batch_reader_fill(reader, records, PREFETCHED)) > 0) {
            for (int i = 0; i < count; i++) {
                sum += records[i].record.key.data[0] + records[i].record.value.data[0] + (uint64_t)records[i].offset;
                if (each)
                    each(ctx, &records[i].record);
            }
            total += (uint64_t)count;
        }
        mill_assert(count == 0);
    }
    bench_keep(sum);
    return total;
}

struct filter_map {
    struct batch_writer *writer;
    struct region *to;
    bool filters;
};

/* Passes records whose key's last digit is even, with the value in capitals. */
static void filter_and_map(void *ctx, const mill_record *record)
{
    const struct filter_map *job = ctx;
    if (job->filters && (record->key.data[record->key.len - 1] & 1))
        return;
    uint8_t mapped[VALUE_BYTES];
    for (size_t i = 0; i < VALUE_BYTES; i++)
        mapped[i] = record->value.data[i] ^ 0x20;
    mill_record out = { .key = record->key, .value = mill_bytes_of(mapped, VALUE_BYTES), .timestamp_ms = record->timestamp_ms };
    append_record(job->writer, &out, COMPRESSION_NONE, job->to);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        batch_records = atoi(argv[1]);
    fill_texts();
    struct region in = { mem_alloc(REGION_BYTES_MAX), 0 };
    struct region out = { mem_alloc(REGION_BYTES_MAX), 0 };
    mill_assert(in.data && out.data && batch_records > 0);
    memset(out.data, 0, REGION_BYTES_MAX);
    struct batch_writer writer;
    struct batch_reader reader;
    batch_writer_init(&writer, 64 << 20, 64 << 20);
    batch_reader_init(&reader, 64 << 20);
    char shape[100];
    snprintf(shape, sizeof shape, "100-byte records, %d a batch", (int)batch_records);
    struct report report;

    report_init(&report, "encode, with CRC", shape, 48e6);
    for (int i = 0; i < BENCH_SAMPLES; i++) {
        report_begin(&report);
        encode_all(&writer, COMPRESSION_NONE, &in);
        report_end(&report, RECORDS, in.len);
    }
    report_print(&report);

    for (int check_crc = 1; check_crc >= 0; check_crc--) {
        report_init(&report, check_crc ? "parse, with CRC" : "parse, without CRC", shape, 89e6);
        for (int i = 0; i < BENCH_SAMPLES; i++) {
            report_begin(&report);
            uint64_t count = parse_all(&reader, &in, check_crc, NULL, NULL);
            report_end(&report, count, in.len);
        }
        report_print(&report);
    }

    for (int filters = 0; filters < 2; filters++) {
        report_init(&report, filters ? "parse, filter half, map, encode" : "parse, map, encode", shape, filters ? 27e6 : 22e6);
        for (int i = 0; i < BENCH_SAMPLES; i++) {
            struct filter_map job = { &writer, &out, filters };
            out.len = 0;
            report_begin(&report);
            uint64_t count = parse_all(&reader, &in, true, filter_and_map, &job);
            report_end(&report, count, in.len);
            batch_writer_clear(&writer);
        }
        report_print(&report);
    }

    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++) {
        char name[40];
        snprintf(name, sizeof name, "encode, %s", compression_name(codec));
        report_init(&report, name, shape, 0);
        report_begin(&report);
        encode_all(&writer, codec, &out);
        report_end(&report, RECORDS, in.len);
        report_print(&report);
        snprintf(name, sizeof name, "parse, %s", compression_name(codec));
        report_init(&report, name, shape, 0);
        report_begin(&report);
        uint64_t count = parse_all(&reader, &out, true, NULL, NULL);
        report_end(&report, count, in.len);
        report_print(&report);
    }
    batch_reader_release(&reader);
    batch_writer_release(&writer);
    mem_free(in.data);
    mem_free(out.data);
    return 0;
}
