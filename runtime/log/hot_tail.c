/* A ring of held slices. */
#include "log/hot_tail.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

void hot_tail_init(struct hot_tail *tail, size_t bytes_max)
{
    *tail = (struct hot_tail){ .bytes_max = bytes_max };
}

static struct hot_batch *at(const struct hot_tail *tail, size_t i)
{
    return &tail->ring[(tail->first + i) & (tail->capacity - 1)];
}

static void drop(struct hot_tail *tail, struct hot_batch *batch)
{
    tail->bytes -= batch->footprint;
    shared_buffer_drop(batch->batch.buffer);
    tail->count--;
}

static void drop_oldest(struct hot_tail *tail)
{
    drop(tail, at(tail, 0));
    tail->first++;
}

void hot_tail_release(struct hot_tail *tail)
{
    while (tail->count > 0)
        drop_oldest(tail);
    mem_free(tail->ring);
    hot_tail_init(tail, tail->bytes_max);
}

void hot_tail_clear(struct hot_tail *tail)
{
    hot_tail_release(tail);
}

static bool ensure_slot(struct hot_tail *tail)
{
    if (tail->count < tail->capacity)
        return true;
    if (tail->capacity == HOT_TAIL_BATCHES_MAX) {
        drop_oldest(tail);
        return true;
    }
    size_t capacity = tail->capacity ? tail->capacity * 2 : 16;
    struct hot_batch *ring = mem_alloc(capacity * sizeof *ring);
    if (!ring)
        return false;
    for (size_t i = 0; i < tail->count; i++)
        ring[i] = *at(tail, i);
    mem_free(tail->ring);
    tail->ring = ring;
    tail->capacity = capacity;
    tail->first = 0;
    return true;
}

/* A batch may keep so many times its size from being freed; to copy all that shares a frame would cost more than it saves. */
enum { FOOTPRINT_MAX = 4 };

/* A hold on the batch, in its own frame or in a buffer of its own, under the stamped header. `buffer` NULL: no memory. */
static struct slice hold(const struct hot_tail *tail, const uint8_t header[BATCH_HEADER_BYTES], struct slice batch)
{
    size_t len = batch.bytes.len;
    size_t footprint = shared_buffer_footprint(batch.buffer);
    if (footprint <= len * FOOTPRINT_MAX && footprint <= tail->bytes_max) {
        memcpy(batch.buffer->data + (batch.bytes.data - batch.buffer->data), header, BATCH_HEADER_BYTES);
        shared_buffer_hold(batch.buffer);
        return batch;
    }
    struct shared_buffer *copy = shared_buffer_new(len);
    if (!copy)
        return (struct slice){ 0 };
    memcpy(copy->data, header, BATCH_HEADER_BYTES);
    memcpy(copy->data + BATCH_HEADER_BYTES, batch.bytes.data + BATCH_HEADER_BYTES, len - BATCH_HEADER_BYTES);
    copy->len = (uint32_t)len;
    return (struct slice){ mill_bytes_of(copy->data, len), copy };
}

void hot_tail_push(struct hot_tail *tail, const uint8_t header[BATCH_HEADER_BYTES], struct slice batch, int64_t base_offset,
                   int64_t next_offset)
{
    mill_assert(tail->count == 0 || at(tail, tail->count - 1)->next_offset == base_offset);
    struct slice held = { 0 };
    if (batch.buffer && batch.bytes.len <= tail->bytes_max && ensure_slot(tail))
        held = hold(tail, header, batch);
    if (!held.buffer) {
        hot_tail_clear(tail);
        return;
    }
    size_t footprint = shared_buffer_footprint(held.buffer);
    tail->bytes += footprint;
    tail->count++;
    *at(tail, tail->count - 1) = (struct hot_batch){ base_offset, next_offset, held, footprint };
    while (tail->bytes > tail->bytes_max)
        drop_oldest(tail);
}

void hot_tail_forget_before(struct hot_tail *tail, int64_t offset)
{
    while (tail->count > 0 && at(tail, 0)->base_offset < offset)
        drop_oldest(tail);
}

bool hot_tail_covers(const struct hot_tail *tail, int64_t offset)
{
    return tail->count > 0 && at(tail, 0)->base_offset <= offset;
}

/* The first batch that ends behind `offset`. */
static size_t find(const struct hot_tail *tail, int64_t offset)
{
    size_t low = 0;
    size_t high = tail->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at(tail, middle)->next_offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct hot_answer hot_tail_take(const struct hot_tail *tail, int64_t offset, int64_t upper_offset, size_t bytes_max,
                                bool first_always, struct slice *slices, size_t slices_max)
{
    struct hot_answer answer = { .next_offset = offset };
    for (size_t i = find(tail, offset); i < tail->count && answer.slice_count < slices_max; i++) {
        const struct hot_batch *batch = at(tail, i);
        if (batch->next_offset > upper_offset)
            break;
        bool fits = answer.bytes + batch->batch.bytes.len <= bytes_max;
        if (!fits && (answer.bytes > 0 || !first_always))
            break;
        shared_buffer_hold(batch->batch.buffer);
        slices[answer.slice_count++] = batch->batch;
        answer.bytes += batch->batch.bytes.len;
        answer.next_offset = batch->next_offset;
    }
    return answer;
}
