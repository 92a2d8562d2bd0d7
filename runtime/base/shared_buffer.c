/* A count, a block and a callback; the release of one holder happens before the free by the last. */
#include "base/shared_buffer.h"

#include "base/alloc.h"
#include "base/assert.h"

struct shared_buffer *shared_buffer_new(size_t capacity)
{
    if (capacity > UINT32_MAX)
        return NULL;
    struct shared_buffer *buffer = mem_alloc(sizeof *buffer + capacity);
    if (!buffer)
        return NULL;
    atomic_init(&buffer->holders, 1);
    buffer->capacity = (uint32_t)capacity;
    buffer->len = 0;
    buffer->on_free = NULL;
    buffer->ctx = NULL;
    return buffer;
}

void shared_buffer_hold(struct shared_buffer *buffer)
{
    unsigned before = atomic_fetch_add_explicit(&buffer->holders, 1, memory_order_relaxed);
    mill_assert(before > 0);
}

void shared_buffer_drop(struct shared_buffer *buffer)
{
    if (!buffer)
        return;
    unsigned before = atomic_fetch_sub_explicit(&buffer->holders, 1, memory_order_acq_rel);
    mill_assert(before > 0);
    if (before > 1)
        return;
    void (*on_free)(void *ctx, size_t capacity) = buffer->on_free;
    void *ctx = buffer->ctx;
    size_t capacity = buffer->capacity;
    mem_free(buffer);
    if (on_free)
        on_free(ctx, capacity);
}
