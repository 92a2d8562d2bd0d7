/* One record after the other into the open batch of its partition. */
#include "bench/records.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "record/default_partitioner.h"

enum { BATCH_BYTES_MAX = 1 << 20, RECORDS_PER_MS = 10, HOUR_MS = 3600000, MINUTE_MS = 60000, USERS = 1000000, CLIENTS = 50000 };

static const char TITLE[] = "title of page-0000000 ............................";
enum { TITLE_KEY_AT = 9, TITLE_BYTES = sizeof TITLE - 1 };

/* Coprime to every number of keys that benchmarks use (powers of ten). */
#define SCATTER 2654435761u

static void write_digits(char *to, int digits, uint32_t number)
{
    for (int i = digits - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
}

static void make_keys(struct record_source *source)
{
    source->key_texts = mem_alloc((size_t)source->keys * RECORD_KEY_BYTES);
    source->key_partitions = mem_alloc(source->keys);
    mill_assert(source->key_texts != NULL && source->key_partitions != NULL);
    for (uint32_t i = 0; i < source->keys; i++) {
        char *key = source->key_texts + (size_t)i * RECORD_KEY_BYTES;
        memcpy(key, "page-", 5);
        write_digits(key + 5, 7, i);
        source->key_partitions[i] = (uint8_t)default_partition(mill_bytes_of(key, RECORD_KEY_BYTES), source->partitions);
    }
}

void record_source_init(struct record_source *source, enum record_shape shape, int64_t count, uint32_t keys, int32_t partitions,
                        size_t batch_bytes, int64_t now_ms)
{
    mill_assert(partitions <= RECORD_PARTITIONS_MAX);
    *source = (struct record_source){ .shape = shape, .count = count, .keys = keys, .partitions = partitions, .second = -1 };
    source->first_ms = (now_ms - count / RECORDS_PER_MS - HOUR_MS) / MINUTE_MS * MINUTE_MS;
    source->log_keys = log((double)keys);
    prng_init(&source->prng, 42);
    make_keys(source);
    for (size_t i = 0; i < sizeof source->value; i++)
        source->value[i] = (char)('a' + prng_below(&source->prng, 26));
    for (int32_t i = 0; i < partitions; i++)
        batch_writer_init(&source->writers[i], batch_bytes, BATCH_BYTES_MAX);
}

void record_source_release(struct record_source *source)
{
    for (int32_t i = 0; i < source->partitions; i++)
        batch_writer_release(&source->writers[i]);
    mem_free(source->key_texts);
    mem_free(source->key_partitions);
}

static uint32_t next_key(struct record_source *source)
{
    if (source->shape == RECORDS_IN_TURN)
        return (uint32_t)((uint64_t)source->made % source->keys * SCATTER % source->keys);
    if (source->shape == RECORDS_UNIFORM)
        return (uint32_t)prng_below(&source->prng, source->keys);
    double u = (double)(prng_next(&source->prng) >> 11) * 0x1p-53;
    uint32_t rank = (uint32_t)(exp(u * source->log_keys) - 1);
    return rank < source->keys ? rank : source->keys - 1;
}

static mill_record keyed_record(struct record_source *source, int32_t *partition)
{
    uint32_t key = next_key(source);
    *partition = source->key_partitions[key];
    source->value[0] = (char)('0' + (source->made & 1));
    write_digits(source->value + 1, 6, (uint32_t)prng_below(&source->prng, USERS));
    return (mill_record){ .key = mill_bytes_of(source->key_texts + (size_t)key * RECORD_KEY_BYTES, RECORD_KEY_BYTES),
                          .value = mill_bytes_of(source->value, RECORD_VALUE_BYTES),
                          .timestamp_ms = source->first_ms + source->made / RECORDS_PER_MS };
}

/* `title of page-0000042 ............................` */
static mill_record row_record(struct record_source *source, int32_t *partition)
{
    uint32_t key = (uint32_t)source->made;
    mill_bytes name = mill_bytes_of(source->key_texts + (size_t)key * RECORD_KEY_BYTES, RECORD_KEY_BYTES);
    memcpy(source->value, TITLE, TITLE_BYTES);
    memcpy(source->value + TITLE_KEY_AT, name.data, name.len);
    *partition = source->key_partitions[key];
    return (mill_record){ .key = name, .value = mill_bytes_of(source->value, TITLE_BYTES), .timestamp_ms = source->first_ms - 1 };
}

static void format_second(struct record_source *source, int64_t second)
{
    struct tm tm;
    time_t time = (time_t)second;
    gmtime_r(&time, &tm);
    strftime(source->second_text, sizeof source->second_text, "%d/%b/%Y:%H:%M:%S +0000", &tm);
    source->second = second;
}

/* `10.1.23.234 - - [10/Oct/2025:13:55:36 +0000] "GET /shop/page-0000042?ref=42 HTTP/1.1" 200 5120 "-" "Mozilla/5.0 ...` */
static mill_record line_record(struct record_source *source, int32_t *partition)
{
    static const char AGENT[] =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    int64_t time_ms = source->first_ms + source->made / RECORDS_PER_MS;
    if (time_ms / 1000 != source->second)
        format_second(source, time_ms / 1000);
    uint32_t client = (uint32_t)prng_below(&source->prng, CLIENTS);
    const char *page = source->key_texts + (size_t)next_key(source) * RECORD_KEY_BYTES;
    char *at = source->value;
    memcpy(at, "10.", 3);
    write_digits(at + 3, 1, client / 10000);
    at[4] = '.';
    write_digits(at + 5, 2, client / 100 % 100);
    at[7] = '.';
    write_digits(at + 8, 2, client % 100);
    memcpy(at + 10, " - - [", 6);
    memcpy(at + 16, source->second_text, 26);
    memcpy(at + 42, "] \"GET /", 8);
    memcpy(at + 50, page, RECORD_KEY_BYTES);
    memcpy(at + 62, "?ref=42 HTTP/1.1\" 200 5120 \"-\" \"", 32);
    memcpy(at + 94, AGENT, LINE_BYTES - 95);
    at[LINE_BYTES - 1] = '"';
    *partition = (int32_t)(source->made / 256 % source->partitions);
    return (mill_record){ .value = mill_bytes_of(at, LINE_BYTES), .timestamp_ms = time_ms };
}

bool record_source_record(struct record_source *source, mill_record *record, int32_t *partition)
{
    if (source->made == source->count)
        return false;
    *record = source->shape == RECORDS_LINES  ? line_record(source, partition)
              : source->shape == RECORDS_ROWS ? row_record(source, partition)
                                              : keyed_record(source, partition);
    source->made++;
    return true;
}

static void take_batch(struct batch_writer *writer, struct slice *batch)
{
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    int code = batch_writer_finish(writer, &options, &batch->bytes);
    if (code == 0)
        code = batch_writer_take(writer, &batch->buffer);
    mill_assert(code == 0);
    batch->bytes = mill_bytes_of(batch->buffer->data, batch->buffer->len);
}

static bool take_last_batches(struct record_source *source, int32_t *partition, struct slice *batch)
{
    for (; source->flushed < source->partitions; source->flushed++) {
        struct batch_writer *writer = &source->writers[source->flushed];
        if (writer->record_count == 0)
            continue;
        *partition = source->flushed;
        take_batch(writer, batch);
        return true;
    }
    return false;
}

bool record_source_next(void *ctx, int connection, int32_t *partition, struct slice *batch)
{
    struct record_source *source = ctx;
    mill_record record;
    while (record_source_record(source, &record, partition)) {
        struct batch_writer *writer = &source->writers[*partition];
        int code = batch_writer_append(writer, &record);
        if (code == 0)
            continue;
        mill_assert(code == MILL_EAGAIN);
        take_batch(writer, batch);
        code = batch_writer_append(writer, &record);
        mill_assert(code == 0);
        return true;
    }
    return take_last_batches(source, partition, batch);
}
