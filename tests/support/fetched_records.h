/*
 * The records that a consumer has fetched, one by one, and whether it is at the ends.
 *
 * Of partitions that are read from their beginnings: a batch is never entered in its middle.
 */
#ifndef SUPPORT_FETCHED_RECORDS_H
#define SUPPORT_FETCHED_RECORDS_H

#include <stdio.h>
#include <stdlib.h>

#include "client/consumer.h"
#include "record/batch_reader.h"

typedef void (*each_fetched_record)(void *ctx, const struct consumer_partition *partition, const struct batch_record *record);

/* A batch that cannot be read ends the process with a word. The record's bytes last until `each` returns. */
static inline void take_fetched_records(struct consumer *consumer, each_fetched_record each, void *ctx)
{
    struct fetched fetched;
    struct batch_reader batches;
    batch_reader_init(&batches, 1 << 24);
    while (consumer_next(consumer, &fetched) == 1) {
        mill_bytes region = fetched.batches.bytes, batch;
        struct batch_header header;
        struct batch_record record;
        while (batch_next(&region, &batch, &header) == 1) {
            if (batch_reader_open(&batches, batch, true) < 0) {
                fprintf(stderr, "a fetched batch cannot be read, base offset %lld\n", (long long)header.base_offset);
                abort();
            }
            while (batch_reader_next(&batches, &record) == 1)
                each(ctx, fetched.partition, &record);
        }
        fetched_release(&fetched);
    }
    batch_reader_release(&batches);
}

/* Behind the last record of each partition, and behind the markers of the last transactions, too. */
static inline bool all_is_fetched(struct consumer_partition *const *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t end = consumer_high_watermark(partitions[i]);
        if (end < 0 || consumer_position(partitions[i]) < end)
            return false;
    }
    return true;
}

#endif
