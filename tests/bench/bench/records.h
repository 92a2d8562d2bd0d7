/*
 * The records that the benchmarks read, as batches for their partitions.
 *
 * Keyed records are 100 bytes: a key `page-0000042` (12) and a value of 88, which begins with '0' or '1' and six digits of a
 * user; timestamps rise by 1 ms every 10 records. The same as in the Kafka Streams program that we are compared with. Partitions
 * are those of Kafka's default partitioner.
 *
 * Lines are of an access log in Combined Log Format, 184 bytes each, without a key; partitions take turns.
 *
 * The same seed makes the same records. Thread: one.
 */
#ifndef BENCH_RECORDS_H
#define BENCH_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "base/shared_buffer.h"
#include "record/batch_writer.h"

enum record_shape {
    RECORDS_UNIFORM, /* each key as likely */
    RECORDS_ZIPF,    /* key k with weight 1/k */
    RECORDS_IN_TURN, /* every key once before any comes again, in a scattered order */
    RECORDS_LINES,
    RECORDS_ROWS, /* each key once, in order, all a millisecond before the first of the others, with a title as the value */
};

enum { RECORD_KEY_BYTES = 12, RECORD_VALUE_BYTES = 88, LINE_BYTES = 184, RECORD_PARTITIONS_MAX = 64 };

struct record_source {
    enum record_shape shape;
    int64_t count;
    uint32_t keys;
    int32_t partitions;
    int64_t first_ms; /* timestamp of the first record */

    int64_t made;
    struct prng prng;
    double log_keys;
    char *key_texts;         /* keys * RECORD_KEY_BYTES */
    uint8_t *key_partitions; /* of each key */
    char value[LINE_BYTES];
    char second_text[32]; /* the line's time, of `second` */
    int64_t second;
    struct batch_writer writers[RECORD_PARTITIONS_MAX];
    int32_t flushed; /* partitions whose last batch is out */
};

/* `now_ms`: the last record's timestamp is an hour before it at most, on a full minute at the first. */
void record_source_init(struct record_source *source, enum record_shape shape, int64_t count, uint32_t keys, int32_t partitions,
                        size_t batch_bytes, int64_t now_ms);
void record_source_release(struct record_source *source);

/* The next record, as a view valid until the next call. False: that was the last. */
bool record_source_record(struct record_source *source, mill_record *record, int32_t *partition);

/* The same in batches: a load_source (load.h); `ctx` is the source. */
bool record_source_next(void *ctx, int connection, int32_t *partition, struct slice *batch);

#endif
