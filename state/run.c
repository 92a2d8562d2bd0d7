#include "state/run.h"

#include "base/alloc.h"

enum { BLOCK_BYTES_FIRST = 4 << 10, BLOCK_BYTES_MAX = 1 << 20 };

static const uint32_t DELETED = UINT32_MAX;

struct update_head {
    int64_t start_ms;
    int64_t timestamp_ms;
    uint32_t key_len;
    uint32_t value_len; /* DELETED for null */
};

void run_init(struct run *run)
{
    *run = (struct run){ 0 };
}

void run_release(struct run *run)
{
    for (struct run_block *block = run->first; block != NULL;) {
        struct run_block *next = block->next;
        mem_free(block);
        block = next;
    }
    run_init(run);
}

static uint8_t *reserve(struct run *run, size_t bytes)
{
    struct run_block *last = run->last;
    if (last == NULL || last->capacity - last->used < bytes) {
        size_t capacity = last == NULL ? BLOCK_BYTES_FIRST : last->capacity * 2;
        if (capacity > BLOCK_BYTES_MAX)
            capacity = BLOCK_BYTES_MAX;
        if (capacity < bytes)
            capacity = bytes;
        struct run_block *block = mem_alloc(sizeof *block + capacity);
        if (block == NULL)
            return NULL;
        *block = (struct run_block){ .capacity = capacity };
        *(last == NULL ? &run->first : &last->next) = block;
        run->last = last = block;
        run->bytes += sizeof *block + capacity;
    }
    uint8_t *at = last->bytes + last->used;
    last->used += bytes;
    return at;
}

bool run_append(struct run *run, const struct run_update *update)
{
    size_t value_len = mill_is_null(update->value) ? 0 : update->value.len;
    if (update->key.len >= UINT32_MAX || value_len >= UINT32_MAX)
        return false;
    struct update_head head = { update->start_ms, update->timestamp_ms, (uint32_t)update->key.len,
                                mill_is_null(update->value) ? DELETED : (uint32_t)value_len };
    uint8_t *at = reserve(run, sizeof head + update->key.len + value_len);
    if (at == NULL)
        return false;
    memcpy(at, &head, sizeof head);
    if (update->key.len > 0)
        memcpy(at + sizeof head, update->key.data, update->key.len);
    if (value_len > 0)
        memcpy(at + sizeof head + update->key.len, update->value.data, value_len);
    run->count++;
    return true;
}

bool run_next(const struct run *run, struct run_at *at, struct run_update *update)
{
    if (!at->begun) {
        at->block = run->first;
        at->begun = true;
    }
    while (at->block != NULL && at->offset == at->block->used) {
        at->block = at->block->next;
        at->offset = 0;
    }
    if (at->block == NULL)
        return false;
    const uint8_t *bytes = at->block->bytes + at->offset;
    struct update_head head;
    memcpy(&head, bytes, sizeof head);
    const uint8_t *key = bytes + sizeof head;
    size_t value_len = head.value_len == DELETED ? 0 : head.value_len;
    *update = (struct run_update){ head.start_ms, head.timestamp_ms, mill_bytes_of(key, head.key_len),
                                   head.value_len == DELETED ? mill_null() : mill_bytes_of(key + head.key_len, value_len) };
    at->offset += sizeof head + head.key_len + value_len;
    return true;
}
