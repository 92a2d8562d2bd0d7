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

static char keys[KEYS][24];
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

struct bench {
    struct batch_writer writer;
    struct batch_reader reader;
    struct region in;
    struct region out;
    char shape[100];
};

static void bench_encode(struct bench *bench)
{
    struct report report;
    report_init(&report, "encode, with CRC", bench->shape, 48e6);
    for (int i = 0; i < BENCH_SAMPLES; i++) {
        report_begin(&report);
        encode_all(&bench->writer, COMPRESSION_NONE, &bench->in);
        report_end(&report, RECORDS, bench->in.len);
    }
    report_print(&report);
}

static void bench_parse(struct bench *bench, bool check_crc)
{
    struct report report;
    report_init(&report, check_crc ? "parse, with CRC" : "parse, without CRC", bench->shape, 89e6);
    for (int i = 0; i < BENCH_SAMPLES; i++) {
        report_begin(&report);
        uint64_t count = parse_all(&bench->reader, &bench->in, check_crc, NULL, NULL);
        report_end(&report, count, bench->in.len);
    }
    report_print(&report);
}

static void bench_filter_map(struct bench *bench, bool filters)
{
    struct report report;
    report_init(&report, filters ? "parse, filter half, map, encode" : "parse, map, encode", bench->shape, filters ? 27e6 : 22e6);
    for (int i = 0; i < BENCH_SAMPLES; i++) {
        struct filter_map job = { &bench->writer, &bench->out, filters };
        bench->out.len = 0;
        report_begin(&report);
        uint64_t count = parse_all(&bench->reader, &bench->in, true, filter_and_map, &job);
        report_end(&report, count, bench->in.len);
        batch_writer_clear(&bench->writer);
    }
    report_print(&report);
}

/* One sample each: the codecs are not ours to make faster. MB/s count the plain bytes. */
static void bench_codec(struct bench *bench, enum compression codec)
{
    char name[40];
    struct report report;
    snprintf(name, sizeof name, "encode, %s", compression_name(codec));
    report_init(&report, name, bench->shape, 0);
    report_begin(&report);
    encode_all(&bench->writer, codec, &bench->out);
    report_end(&report, RECORDS, bench->in.len);
    report_print(&report);

    snprintf(name, sizeof name, "parse, %s", compression_name(codec));
    report_init(&report, name, bench->shape, 0);
    report_begin(&report);
    uint64_t count = parse_all(&bench->reader, &bench->out, true, NULL, NULL);
    report_end(&report, count, bench->in.len);
    report_print(&report);
}

/* Written once, so that no sample pays for page faults. */
static uint8_t *touched_memory(size_t size)
{
    uint8_t *memory = mem_alloc(size);
    mill_assert(memory != NULL);
    return memset(memory, 1, size);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc > 1)
        batch_records = atoi(argv[1]);
    fill_texts();
    mill_assert(batch_records > 0);
    bench.in.data = touched_memory(REGION_BYTES_MAX);
    bench.out.data = touched_memory(REGION_BYTES_MAX);
    batch_writer_init(&bench.writer, 64 << 20, 64 << 20);
    batch_reader_init(&bench.reader, 64 << 20);
    snprintf(bench.shape, sizeof bench.shape, "100-byte records, %d a batch", (int)batch_records);

    bench_encode(&bench);
    bench_parse(&bench, true);
    bench_parse(&bench, false);
    bench_filter_map(&bench, false);
    bench_filter_map(&bench, true);
    for (enum compression codec = COMPRESSION_GZIP; codec < COMPRESSION_COUNT; codec++)
        bench_codec(&bench, codec);

    batch_reader_release(&bench.reader);
    batch_writer_release(&bench.writer);
    mem_free(bench.in.data);
    mem_free(bench.out.data);
    return 0;
}
