/*
 * The newest batches of a log, kept in memory: fetches at the tail need no disk and no copy.
 *
 * A ring of batches with no gap, ending at the log's end. Each is held where the client's bytes arrived, with base offset and
 * leader epoch stamped in place before anybody else can see it: one slice per batch goes out, and its bytes never change again.
 * Bounded by count and by the memory that it keeps from being freed; the oldest go first.
 *
 * Whoever holds a batch where it arrived holds the whole frame, with the batches of other partitions in it: that is what counts.
 * A batch that is but a small part of its frame is copied into a buffer of its own instead, so that a quiet partition's tail
 * keeps no busy one's bytes.
 *
 * A batch that cannot be kept (no buffer, no memory) empties the tail: it is a cache, the file has everything.
 *
 * Thread: the loop that owns the log; the slices it hands out may be read and dropped anywhere.
 */
#ifndef LOG_HOT_TAIL_H
#define LOG_HOT_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shared_buffer.h"
#include "record/batch.h"

enum {
    HOT_TAIL_BATCHES_MAX = 4096,
};

struct hot_batch {
    int64_t base_offset;
    int64_t next_offset;
    struct slice batch;
    size_t footprint; /* of the slice's buffer */
};

struct hot_tail {
    size_t bytes_max;
    size_t bytes;           /* the footprints' sum */
    struct hot_batch *ring; /* capacity is a power of two; NULL until the first batch */
    size_t capacity;
    size_t first;
    size_t count;
};

void hot_tail_init(struct hot_tail *tail, size_t bytes_max);
void hot_tail_release(struct hot_tail *tail);
void hot_tail_clear(struct hot_tail *tail); /* frees everything it holds; usable again */

/* The log has appended `batch` under this stamped header, which is written over the batch's own. Holds batch.buffer, or
 * nothing of it. */
void hot_tail_push(struct hot_tail *tail, const uint8_t header[BATCH_HEADER_BYTES], struct slice batch, int64_t base_offset,
                   int64_t next_offset);

/* Batches before `offset`, an edge, are other ones on disk now: compaction has been there. */
void hot_tail_forget_before(struct hot_tail *tail, int64_t offset);

/* Does the tail begin at or before `offset`, so that a read from there needs nothing else? */
bool hot_tail_covers(const struct hot_tail *tail, int64_t offset);

struct hot_answer {
    size_t slice_count;
    size_t bytes;
    int64_t next_offset; /* `offset` when nothing was taken */
};

/*
 * Takes whole batches from the one that holds `offset` on, below `upper_offset`, up to `bytes_max` (`first_always`: the first one
 * in any case), one slice each with a hold on its buffer. The tail covers `offset`.
 */
struct hot_answer hot_tail_take(const struct hot_tail *tail, int64_t offset, int64_t upper_offset, size_t bytes_max,
                                bool first_always, struct slice *slices, size_t slices_max);

#endif
