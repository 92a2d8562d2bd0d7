/* A count, a block and a callback; the release of one holder happens before the free by the last. */
#include "base/shared_buffer.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/assert.h"

/* ---- large blocks, for the next one that asks ------------------------------------------------------------------------------ */

enum {
    CLASS_STEP_BYTES = 32 << 10, /* class n is a block of n steps; 0: of its own size, never kept */
    CLASSES = 64,
};

/* A sanitizer sees a use after the free only where there is one. */
#ifdef __has_feature
#define ADDRESS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#else
#define ADDRESS_SANITIZER 0
#endif

static pthread_mutex_t kept_mutex = PTHREAD_MUTEX_INITIALIZER;
static void *kept[CLASSES + 1]; /* stacks, each block beginning with the next */
static size_t kept_bytes;
static size_t kept_bytes_max = 16 << 20;

static uint32_t class_of(size_t bytes)
{
    if (ADDRESS_SANITIZER || bytes < CLASS_STEP_BYTES || bytes > (size_t)CLASSES * CLASS_STEP_BYTES)
        return 0;
    return (uint32_t)((bytes + CLASS_STEP_BYTES - 1) / CLASS_STEP_BYTES);
}

static void *take_block(uint32_t class, size_t bytes)
{
    if (class == 0)
        return mem_alloc(bytes);
    pthread_mutex_lock(&kept_mutex);
    void **block = kept[class];
    if (block) {
        kept[class] = *block;
        kept_bytes -= (size_t) class * CLASS_STEP_BYTES;
    }
    pthread_mutex_unlock(&kept_mutex);
    return block ? block : mem_alloc((size_t) class * CLASS_STEP_BYTES);
}

static void give_block(void *block, uint32_t class)
{
    if (class == 0) {
        mem_free(block);
        return;
    }
    size_t bytes = (size_t) class * CLASS_STEP_BYTES;
    pthread_mutex_lock(&kept_mutex);
    bool keep = kept_bytes + bytes <= kept_bytes_max;
    if (keep) {
        *(void **)block = kept[class];
        kept[class] = block;
        kept_bytes += bytes;
    }
    pthread_mutex_unlock(&kept_mutex);
    if (!keep)
        mem_free(block);
}

void shared_buffer_keep(size_t bytes_max)
{
    pthread_mutex_lock(&kept_mutex);
    kept_bytes_max = bytes_max;
    for (size_t n = 1; n <= CLASSES; n++) {
        while (kept_bytes > bytes_max && kept[n]) {
            void **block = kept[n];
            kept[n] = *block;
            kept_bytes -= n * CLASS_STEP_BYTES;
            mem_free(block);
        }
    }
    pthread_mutex_unlock(&kept_mutex);
}

/* ---- buffers --------------------------------------------------------------------------------------------------------------- */

struct shared_buffer *shared_buffer_new(size_t capacity)
{
    if (capacity > UINT32_MAX)
        return NULL;
    uint32_t size_class = class_of(sizeof(struct shared_buffer) + capacity);
    struct shared_buffer *buffer = take_block(size_class, sizeof *buffer + capacity);
    if (!buffer)
        return NULL;
    atomic_init(&buffer->holders, 1);
    buffer->size_class = size_class;
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

size_t shared_buffer_footprint(const struct shared_buffer *buffer)
{
    return buffer->size_class ? (size_t)buffer->size_class * CLASS_STEP_BYTES : sizeof *buffer + buffer->capacity;
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
    give_block(buffer, buffer->size_class);
    if (on_free)
        on_free(ctx, capacity);
}
