/*
 * Memory that is given back all at once: what one request, one message or one callback needs.
 *
 * Blocks are taken from the heap as needed and bounded by `bytes_max`; arena_clear keeps the first block for reuse.
 * Thread: one at a time; an arena moves between threads with the message that owns it.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *first;
    struct arena_block *current;
    uint8_t *at;
    uint8_t *end;
    size_t block_bytes;
    size_t bytes_max;
    size_t bytes_used;
};

/* Takes no memory yet. Allocations above `bytes_max` in all return NULL. */
void arena_init(struct arena *arena, size_t block_bytes, size_t bytes_max);
void arena_release(struct arena *arena);
void arena_clear(struct arena *arena);

/*
 * Gives back what was allocated since the mark was taken, in the order of a stack: marks taken since are void, too, and so are
 * all after arena_clear.
 */
struct arena_mark {
    void *first;
    void *next;
    void *current;
    void *at;
    void *end;
    size_t bytes_used;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* Aligned for any type; not zeroed. NULL: no memory. `size` 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_calloc(struct arena *arena, size_t count, size_t size);

/* A copy in the arena; null stays null. On lack of memory returns null for non-null bytes: the caller checks. */
mill_bytes arena_dup(struct arena *arena, mill_bytes bytes);

/* A copy with a NUL behind it, for names that go to system calls. NULL: no memory. */
char *arena_string(struct arena *arena, mill_bytes bytes);

#endif
