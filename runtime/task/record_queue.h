/*
 * One source partition's records on their way into a task: batches come in, records with event times come out, in log order.
 *
 * Batches are decoded a run of records at a time, so that the operators may prefetch what comes next. A record's time is what the
 * source's extractor says; one below zero is dropped and counted (the default extractor fails instead). Partition time is the
 * largest time of the records taken so far; it is committed with the offset and goes on from there after a restart, as Kafka
 * Streams does.
 *
 * Record path: no allocation but for records with headers, none at all otherwise.
 *
 * Thread: the task's.
 */
#ifndef TASK_RECORD_QUEUE_H
#define TASK_RECORD_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/shared_buffer.h"
#include "millstream/topology.h"
#include "record/batch_reader.h"

enum { RECORD_QUEUE_RUN = 128, RECORD_QUEUE_SLICES = 8 };

/* A run of whole batches, as the consumer gives it out. */
struct record_run {
    struct slice batches;
    int64_t first_offset; /* records before it are passed over */
    int64_t next_offset;
};

struct record_queue {
    const char *topic; /* lives as long as the queue */
    int32_t partition;
    mill_timestamp_extractor extractor; /* NULL: the record's own, an error when negative */
    void *extractor_ctx;

    struct record_run runs[RECORD_QUEUE_SLICES]; /* the first is being read */
    size_t run_count;
    mill_bytes region; /* what is left of the first run */

    struct batch_reader reader;
    bool batch_open;
    struct batch_record records[RECORD_QUEUE_RUN];
    size_t at;
    size_t count;
    struct arena headers; /* of the decoded records */

    int64_t extract_time_ms;   /* largest time decoded, -1 before the first */
    int64_t partition_time_ms; /* largest time taken, -1 before the first */
    int64_t next_offset;       /* to be read next after a restart; -1 before anything is known */
    int64_t skipped;           /* dropped for a negative time, since it was last asked */
    size_t bytes;              /* buffered, as batches */
    struct error_text error;
};

void record_queue_init(struct record_queue *queue, const char *topic, int32_t partition, const mill_source_options *options);
void record_queue_release(struct record_queue *queue);

/* Where reading starts, and the partition time from the last commit (-1: none). Drops what is buffered. */
void record_queue_seek(struct record_queue *queue, int64_t offset, int64_t partition_time_ms);

/* True when record_queue_add has room. */
bool record_queue_has_room(const struct record_queue *queue);

/* Takes over the holder of `run->batches.buffer`. Room was asked for before. */
void record_queue_add(struct record_queue *queue, const struct record_run *run);

/*
 * What lies before `offset` and is not buffered holds no records for us (markers of transactions, aborted ones). True when that
 * moves next_offset; false also while something is buffered.
 */
bool record_queue_pass(struct record_queue *queue, int64_t offset);

/*
 * The next record, NULL at the end of what is buffered; decodes when needed, with the time `wall_ms` for extractors that ask for
 * it. `*code` is 0 or negative: a batch is corrupt, a time is invalid, no memory; then queue->error says where.
 */
struct batch_record *record_queue_head(struct record_queue *queue, int64_t wall_ms, int *code);

/* Takes the head, which stays valid until the next call of record_queue_head. */
static inline void record_queue_take(struct record_queue *queue)
{
    const struct batch_record *taken = &queue->records[queue->at++];
    queue->next_offset = taken->offset + 1;
    if (taken->record.timestamp_ms > queue->partition_time_ms)
        queue->partition_time_ms = taken->record.timestamp_ms;
}

/* The same for a head that was never a record to the task: its time does not count. */
static inline void record_queue_pass_over(struct record_queue *queue)
{
    queue->next_offset = queue->records[queue->at++].offset + 1;
}

#endif
