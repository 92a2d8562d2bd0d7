/*
 * A reference-counted block of bytes that crosses threads: a received frame, a run of record batches, a cold read.
 *
 * Its bytes are immutable once a second holder can see it. The last holder frees it, on whichever thread that is; `on_free` then
 * tells its budget. Counts are C11 atomics.
 *
 * Large blocks, 32 KiB to 2 MiB, are kept for the next one that asks, at most 16 MiB of them in the process: pages fresh from the
 * kernel cost as much as the bytes that are copied into them.
 */
#ifndef BASE_SHARED_BUFFER_H
#define BASE_SHARED_BUFFER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

struct shared_buffer {
    atomic_uint holders;
    uint32_t capacity;
    uint32_t len;
    uint32_t size_class;                         /* of the block below; shared_buffer.c's */
    void (*on_free)(void *ctx, size_t capacity); /* may be NULL; any thread */
    void *ctx;
    uint8_t data[];
};

/* One holder, the caller; `len` 0. NULL: no memory. */
struct shared_buffer *shared_buffer_new(size_t capacity);
void shared_buffer_hold(struct shared_buffer *buffer);
void shared_buffer_drop(struct shared_buffer *buffer); /* NULL is a no-op */

/* The memory that a hold on it keeps, whatever part of it is in use. */
size_t shared_buffer_footprint(const struct shared_buffer *buffer);

/*
 * How many bytes of large blocks are kept from now on; 0: what is dropped is freed, as tests that watch the heap want it. Any
 * thread.
 */
void shared_buffer_keep(size_t bytes_max);

/* A part of a shared buffer. Whoever keeps a slice holds its buffer; `buffer` NULL: bytes that live long enough by agreement. */
struct slice {
    mill_bytes bytes;
    struct shared_buffer *buffer;
};

#endif
