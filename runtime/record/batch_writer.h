/*
 * Writes records into one batch.
 *
 *     code = batch_writer_append(&writer, &record);
 *     if (code == MILL_EAGAIN) {                          it is full
 *         code = batch_writer_finish(&writer, &options, &batch);
 *         ... send `batch`, or batch_writer_take it; batch_writer_clear(&writer); append again
 *     }
 *
 * Records are encoded once, into memory that grows to the size of a batch and is kept for the next one: no allocation per
 * record. Timestamps are deltas from the first record's, offsets count from 0 unless given.
 *
 * Thread: the owner's.
 */
#ifndef RECORD_BATCH_WRITER_H
#define RECORD_BATCH_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/shared_buffer.h"
#include "millstream/record.h"
#include "record/batch.h"
#include "record/compression.h"

/* What a batch's header says beside its records. BATCH_OPTIONS_PLAIN is a batch without compression, producer or transaction. */
struct batch_options {
    enum compression compression;
    int compression_level; /* COMPRESSION_LEVEL_DEFAULT, or a level of the codec */
    int64_t base_offset;   /* 0 from a producer: the broker stamps it */
    int32_t leader_epoch;  /* -1 from a producer */
    int64_t producer_id;   /* -1, as are the next two, without a producer */
    int16_t producer_epoch;
    int32_t base_sequence;
    bool transactional;
    bool control;
    int64_t log_append_time_ms; /* -1: records carry their own timestamps */
    int32_t last_offset_delta;  /* -1: that of the last record; compaction keeps the batch's own */
};

#define BATCH_OPTIONS_PLAIN                                                  \
    ((struct batch_options){ .compression_level = COMPRESSION_LEVEL_DEFAULT, \
                             .leader_epoch = -1,                             \
                             .producer_id = -1,                              \
                             .producer_epoch = -1,                           \
                             .base_sequence = -1,                            \
                             .log_append_time_ms = -1,                       \
                             .last_offset_delta = -1 })

struct batch_writer {
    struct shared_buffer *area; /* room for the header, then the records so far; NULL until the first append */
    size_t bytes_target;
    size_t bytes_max;
    int32_t record_count;
    int32_t offset_delta_last; /* -1 before the first record */
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t delete_horizon_ms; /* -1: none */
    size_t area_bytes_next;    /* capacity of the next area: what the last batch needed */
    mill_bytes finished;       /* lies in the area or, compressed, in `packed`; null until finish */
    struct buffer packed;
    struct packer packer;
};

/*
 * A batch is full when one more record would take it above `bytes_target` (Kafka's batch.size); a first record may be as large as
 * `bytes_max` allows (max.request.size). Both count the uncompressed batch with its header. Takes no memory yet.
 */
void batch_writer_init(struct batch_writer *writer, size_t bytes_target, size_t bytes_max);
void batch_writer_release(struct batch_writer *writer);

/* Back to an empty batch; keeps the memory. */
void batch_writer_clear(struct batch_writer *writer);

/*
 * Adds a copy of `record` (its key, value, timestamp and headers) at the next offset. Returns 0; MILL_EAGAIN: the batch is full,
 * finish and clear first; MILL_ETOOLARGE: larger than `bytes_max` allows even alone; MILL_ENOMEM. After an error the batch is as
 * it was.
 */
MILL_MUST_USE int batch_writer_append(struct batch_writer *writer, const mill_record *record);

/* The same at `offset_delta` from the base offset, above the last one: compaction keeps offsets, with their gaps. */
MILL_MUST_USE int batch_writer_append_at(struct batch_writer *writer, const mill_record *record, int32_t offset_delta);

/* Before the first append: the batch will say when its tombstones and markers may go (KIP-534). Clear takes it back. */
void batch_writer_set_delete_horizon(struct batch_writer *writer, int64_t horizon_ms);

/* How large the uncompressed batch is, and would be with `record`. An empty batch is BATCH_HEADER_BYTES. */
size_t batch_writer_size(const struct batch_writer *writer);
size_t batch_writer_size_with(const struct batch_writer *writer, const mill_record *record);

/*
 * Writes the header and compresses. `batch` is a view, valid until the next clear, take or release; until then nothing may be
 * appended, and finish may be called again with other options (a new producer epoch or sequence). There is a record at least.
 * Returns 0; MILL_ENOMEM or MILL_ETOOLARGE from the codec; MILL_EUNSUPPORTED.
 */
MILL_MUST_USE int batch_writer_finish(struct batch_writer *writer, const struct batch_options *options, mill_bytes *batch);

/*
 * Hands the finished batch over as a shared buffer with one holder, the caller, and clears the writer. Uncompressed it is the
 * memory that the records were written into; compressed, an exact copy. Returns 0, or MILL_ENOMEM, which leaves the batch
 * finished.
 */
MILL_MUST_USE int batch_writer_take(struct batch_writer *writer, struct shared_buffer **batch);

#endif
