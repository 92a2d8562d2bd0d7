/*
 * The __wrap_ functions that the program calls instead of base/alloc.c's, and a table of the blocks that belong to a process.
 *
 * The table is open addressing with linear probing; what is removed closes its gap, so that a search ends at the first free slot.
 */
#include "simulation/sim_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "simulation/sim_internal.h"

struct sim_memory {
    size_t blocks;
    uint64_t calls, fail_at;
    bool sticky;
};

struct slot {
    void *block; /* NULL: free */
    struct sim_memory *owner;
};

static struct slot *slots;
static size_t slot_count, used; /* a power of two */
static struct sim_memory *entered;

/* Called by the program instead of the functions without __wrap_, which are __real_ here. */
void *__real_mem_alloc(size_t size);
void *__real_mem_calloc(size_t count, size_t size);
void *__real_mem_realloc(void *old, size_t size);
char *__real_mem_strdup(const char *text);
void __real_mem_free(void *block);
void *__wrap_mem_alloc(size_t size);
void *__wrap_mem_calloc(size_t count, size_t size);
void *__wrap_mem_realloc(void *old, size_t size);
char *__wrap_mem_strdup(const char *text);
void __wrap_mem_free(void *block);

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static size_t home_of(const void *block)
{
    return (size_t)((uintptr_t)block * 0x9e3779b97f4a7c15 >> 20) & (slot_count - 1);
}

/* The block's slot, or the free one where it would be. */
static struct slot *find(const void *block)
{
    size_t at = home_of(block);
    while (slots[at].block && slots[at].block != block)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static void grow(void)
{
    struct slot *old = slots;
    size_t old_count = slot_count;
    slot_count = old_count ? old_count * 2 : 1 << 12;
    slots = sim_must(calloc(slot_count, sizeof *slots));
    for (size_t i = 0; i < old_count; i++)
        if (old[i].block)
            *find(old[i].block) = old[i];
    free(old);
}

static void *put(void *block)
{
    if (!block || !entered)
        return block;
    if (used * 2 >= slot_count)
        grow();
    *find(block) = (struct slot){ block, entered };
    used++;
    entered->blocks++;
    return block;
}

/* The block belongs to nobody from now on; whose it was. */
static struct sim_memory *take(void *block)
{
    struct slot *slot = slots && block ? find(block) : NULL;
    if (!slot || !slot->block)
        return NULL;
    struct sim_memory *owner = slot->owner;
    size_t gap = (size_t)(slot - slots);
    for (size_t at = (gap + 1) & (slot_count - 1); slots[at].block; at = (at + 1) & (slot_count - 1)) {
        size_t home = home_of(slots[at].block);
        if (((at - home) & (slot_count - 1)) < ((at - gap) & (slot_count - 1)))
            continue; /* it is not searched for across the gap */
        slots[gap] = slots[at];
        gap = at;
    }
    slots[gap] = (struct slot){ 0 };
    used--;
    owner->blocks--;
    return owner;
}

/* ---- processes ------------------------------------------------------------------------------------------------------------- */

struct sim_memory *sim_memory_new(void)
{
    return sim_must(calloc(1, sizeof(struct sim_memory)));
}

void sim_memory_free(struct sim_memory *memory)
{
    if (!memory)
        return;
    mill_assert(entered != memory);
    size_t at = 0;
    while (memory->blocks > 0) {
        mill_assert(at < slot_count * 2); /* a block that moves into a gap behind is met in the second round */
        void *block = slots[at & (slot_count - 1)].block;
        if (block && slots[at & (slot_count - 1)].owner == memory) {
            take(block);
            __real_mem_free(block);
        } else {
            at++;
        }
    }
    free(memory);
}

struct sim_memory *sim_memory_enter(struct sim_memory *memory)
{
    struct sim_memory *before = entered;
    entered = memory;
    return before;
}

size_t sim_memory_blocks(const struct sim_memory *memory)
{
    return memory->blocks;
}

uint64_t sim_memory_fail_at(struct sim_memory *memory, uint64_t nth, bool sticky)
{
    uint64_t calls = memory->calls;
    memory->calls = 0;
    memory->fail_at = nth;
    memory->sticky = sticky;
    return calls;
}

static bool fails_now(void)
{
    if (!entered || entered->fail_at == 0)
        return false;
    entered->calls++;
    return entered->calls == entered->fail_at || (entered->calls > entered->fail_at && entered->sticky);
}

/* ---- the calls ------------------------------------------------------------------------------------------------------------- */

void *__wrap_mem_alloc(size_t size)
{
    return fails_now() ? NULL : put(__real_mem_alloc(size));
}

void *__wrap_mem_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : put(__real_mem_calloc(count, size));
}

void *__wrap_mem_realloc(void *old, size_t size)
{
    if (fails_now())
        return NULL;
    struct sim_memory *now = entered;
    struct sim_memory *owner = take(old);
    entered = old ? owner : now; /* it stays whose it is */
    void *block = __real_mem_realloc(old, size);
    put(block ? block : old);
    entered = now;
    return block;
}

char *__wrap_mem_strdup(const char *text)
{
    return fails_now() ? NULL : put(__real_mem_strdup(text));
}

void __wrap_mem_free(void *block)
{
    take(block);
    __real_mem_free(block);
}
