#include "suppress/key_queue.h"

#include "millstream/error.h"

#include "base/alloc.h"
#include "base/assert.h"

struct queued_key {
    int64_t time_ms;
    size_t at; /* in `keys` */
    size_t len;
};

enum { CLOSE_UP_BYTES_MIN = 64 << 10 };

void key_queue_init(struct key_queue *queue)
{
    *queue = (struct key_queue){ 0 };
    buffer_init(&queue->keys, SIZE_MAX / 2);
}

void key_queue_release(struct key_queue *queue)
{
    mem_free(queue->heap);
    buffer_release(&queue->keys);
    key_queue_init(queue);
}

static mill_bytes key_of(const struct key_queue *queue, const struct queued_key *entry)
{
    return mill_bytes_of(queue->keys.data + entry->at, entry->len);
}

static bool comes_before(const struct key_queue *queue, const struct queued_key *a, const struct queued_key *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms;
    return mill_bytes_compare(key_of(queue, a), key_of(queue, b)) < 0;
}

static bool grow(struct key_queue *queue)
{
    if (queue->count < queue->capacity)
        return true;
    size_t capacity = queue->capacity == 0 ? 64 : 2 * queue->capacity;
    struct queued_key *heap = mem_realloc(queue->heap, capacity * sizeof *heap);
    if (heap == NULL)
        return false;
    queue->heap = heap;
    queue->capacity = capacity;
    return true;
}

int key_queue_push(struct key_queue *queue, int64_t time_ms, mill_bytes key)
{
    if (!grow(queue))
        return MILL_ENOMEM;
    size_t at = queue->keys.len;
    buffer_append(&queue->keys, key.data, key.len);
    if (queue->keys.failed) {
        queue->keys.failed = false;
        return MILL_ENOMEM;
    }
    struct queued_key entry = { time_ms, at, key.len };
    size_t i = queue->count++;
    for (; i > 0 && comes_before(queue, &entry, &queue->heap[(i - 1) / 2]); i = (i - 1) / 2)
        queue->heap[i] = queue->heap[(i - 1) / 2];
    queue->heap[i] = entry;
    return 0;
}

int64_t key_queue_first_time_ms(const struct key_queue *queue)
{
    return queue->count == 0 ? INT64_MAX : queue->heap[0].time_ms;
}

mill_bytes key_queue_first_key(const struct key_queue *queue)
{
    mill_assert(queue->count > 0);
    return key_of(queue, &queue->heap[0]);
}

/* Keys that have left give their room back. Without memory for that they stay. */
static void close_up(struct key_queue *queue)
{
    if (queue->count == 0) {
        buffer_clear(&queue->keys);
        queue->left_bytes = 0;
    }
    if (queue->left_bytes < CLOSE_UP_BYTES_MIN || queue->left_bytes < queue->keys.len / 2)
        return;
    struct buffer closer;
    buffer_init(&closer, SIZE_MAX / 2);
    if (buffer_reserve(&closer, queue->keys.len - queue->left_bytes) == NULL)
        return;
    for (size_t i = 0; i < queue->count; i++) {
        struct queued_key *entry = &queue->heap[i];
        mill_bytes key = key_of(queue, entry);
        entry->at = closer.len;
        buffer_append(&closer, key.data, key.len);
    }
    buffer_release(&queue->keys);
    queue->keys = closer;
    queue->left_bytes = 0;
}

void key_queue_pop(struct key_queue *queue)
{
    mill_assert(queue->count > 0);
    queue->left_bytes += queue->heap[0].len;
    struct queued_key last = queue->heap[--queue->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count && comes_before(queue, &queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!comes_before(queue, &queue->heap[child], &last))
            break;
        queue->heap[i] = queue->heap[child];
        i = child;
    }
    if (queue->count > 0)
        queue->heap[i] = last;
    close_up(queue);
}
