/*
 * A chain of blocks with a bump pointer into the current one.
 *
 * A request that would waste much of a block gets one of its own, behind the first in the chain, and the current block goes on
 * being filled. The first block survives arena_clear unless it is such an oversized one.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/alloc.h"

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *arena, size_t block_bytes, size_t bytes_max)
{
    *arena = (struct arena){ .block_bytes = block_bytes, .bytes_max = bytes_max };
}

static void free_chain(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        mem_free(block);
        block = next;
    }
}

void arena_release(struct arena *arena)
{
    free_chain(arena->first);
    arena_init(arena, arena->block_bytes, arena->bytes_max);
}

void arena_clear(struct arena *arena)
{
    struct arena_block *first = arena->first;
    if (!first || first->size > arena->block_bytes) {
        arena_release(arena);
        return;
    }
    free_chain(first->next);
    first->next = NULL;
    arena->current = first;
    arena->at = first->data;
    arena->end = first->data + first->size;
    arena->bytes_used = 0;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){ .first = arena->first,
                                .next = arena->first ? arena->first->next : NULL,
                                .current = arena->current,
                                .at = arena->at,
                                .end = arena->end,
                                .bytes_used = arena->bytes_used };
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    if (mark.first == NULL) {
        arena_clear(arena);
        return;
    }
    /* New blocks stand right behind the first. */
    while (arena->first->next != mark.next) {
        struct arena_block *block = arena->first->next;
        arena->first->next = block->next;
        mem_free(block);
    }
    arena->current = mark.current;
    arena->at = mark.at;
    arena->end = mark.end;
    arena->bytes_used = mark.bytes_used;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    struct arena_block *block = mem_alloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    if (arena->first) {
        block->next = arena->first->next;
        arena->first->next = block;
    } else {
        block->next = NULL;
        arena->first = block;
    }
    return block;
}

/* The current block has no room for `size`: a block of its own when it is big, else the next block. */
static uint8_t *alloc_in_new_block(struct arena *arena, size_t size)
{
    if (size > arena->block_bytes / 4) {
        struct arena_block *own = add_block(arena, size);
        return own ? own->data : NULL;
    }
    struct arena_block *block = add_block(arena, arena->block_bytes);
    if (!block)
        return NULL;
    arena->current = block;
    arena->at = block->data + size;
    arena->end = block->data + block->size;
    return block->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    if (size > arena->bytes_max || size > SIZE_MAX / 2)
        return NULL;
    size = size == 0 ? unit : (size + unit - 1) / unit * unit;
    if (size > arena->bytes_max - arena->bytes_used)
        return NULL;

    uint8_t *place;
    if (arena->current && size <= (size_t)(arena->end - arena->at)) {
        place = arena->at;
        arena->at += size;
    } else {
        place = alloc_in_new_block(arena, size);
    }
    if (place)
        arena->bytes_used += size;
    return place;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *place = arena_alloc(arena, count * size);
    return place ? memset(place, 0, count * size) : NULL;
}

mill_bytes arena_dup(struct arena *arena, mill_bytes bytes)
{
    if (mill_is_null(bytes))
        return bytes;
    void *copy = arena_alloc(arena, bytes.len);
    if (!copy)
        return mill_null();
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    return mill_bytes_of(copy, bytes.len);
}

char *arena_string(struct arena *arena, mill_bytes bytes)
{
    if (bytes.len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(arena, bytes.len + 1);
    if (!copy)
        return NULL;
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len] = '\0';
    return copy;
}
