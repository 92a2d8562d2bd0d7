#include "state/table.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "state/same_bytes.h"

enum {
    FIRST_UNITS_LOG2 = 5, /* a window with one key costs 512 bytes of slab; there may be 50,000 windows */
    FIRST_UNITS = 1 << FIRST_UNITS_LOG2,
    SLOTS_FIRST = 16,
    INLINE_BYTES_MAX = TABLE_UNITS_MAX * TABLE_UNIT_BYTES - (int)sizeof(struct entry),
    KEY_INLINE_MAX = INLINE_BYTES_MAX / 2,
    VALUE_INLINE_MAX = INLINE_BYTES_MAX / 2,
    OUTSIDE_HEAD = 8,
    HUGE_BYTES = 4 << 20, /* blocks from this size on ask for large pages */
    TRACE = 1,            /* as a slot's place; real places begin at FIRST_UNITS */
    AHEAD = 8,
    LINE_BYTES = 64,
};

_Static_assert(sizeof(struct entry) == 40, "an entry with a 16-byte key and an 8-byte value is one cache line");

/* The kernel hands each process 16 random bytes at its start: a seed without a system call. */
static uint64_t process_seed(void)
{
    uint64_t seed = 0;
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random != NULL)
        memcpy(&seed, (const uint8_t *)random + 8, sizeof seed);
    return seed;
}

uint32_t table_hash(mill_bytes key)
{
    static _Atomic uint64_t known; /* every thread finds the same */
    uint64_t seed = atomic_load_explicit(&known, memory_order_relaxed);
    if (__builtin_expect(seed == 0, 0)) {
        seed = process_seed() | 1;
        atomic_store_explicit(&known, seed, memory_order_relaxed);
    }
    return (uint32_t)XXH3_64bits_withSeed(key.data, key.len, seed);
}

/* ---- slabs: places are numbered through chunks that double ----------------------------------------------------------------- */

static struct entry *entry_at(const struct table *table, uint32_t place)
{
    unsigned log2 = 31u - (unsigned)__builtin_clz(place);
    return (struct entry *)(void *)(table->chunks[log2 - FIRST_UNITS_LOG2] + (size_t)(place - (1u << log2)) * TABLE_UNIT_BYTES);
}

/* The next chunk; the rest of the last one stays unused. */
static bool add_chunk(struct table *table)
{
    uint32_t first = table->place_end == 0 ? FIRST_UNITS : table->place_end;
    unsigned chunk = 31u - (unsigned)__builtin_clz(first) - FIRST_UNITS_LOG2;
    if (chunk >= TABLE_CHUNKS_MAX)
        return false;
    uint8_t *memory = mem_alloc((size_t)first * TABLE_UNIT_BYTES);
    if (memory == NULL)
        return false;
    if (first >= HUGE_BYTES / TABLE_UNIT_BYTES)
        mem_prefer_huge_pages(memory, (size_t)first * TABLE_UNIT_BYTES);
    table->chunks[chunk] = memory;
    table->place_next = first;
    table->place_end = first * 2;
    return true;
}

static uint32_t take_place(struct table *table, unsigned units)
{
    uint32_t place = table->free_places[units];
    if (place != 0) {
        memcpy(&table->free_places[units], entry_at(table, place), sizeof place);
        return place;
    }
    if (table->place_end - table->place_next < units && !add_chunk(table))
        return 0;
    place = table->place_next;
    table->place_next += units;
    return place;
}

static void give_place(struct table *table, uint32_t place, unsigned units)
{
    memcpy(entry_at(table, place), &table->free_places[units], sizeof place);
    table->free_places[units] = place;
}

/* ---- entries --------------------------------------------------------------------------------------------------------------- */

static size_t key_room(const struct entry *entry)
{
    return entry->flags & ENTRY_KEY_OUTSIDE ? sizeof(uint8_t *) : entry->key_len;
}

static uint8_t *outside_block(const struct entry *entry)
{
    uint8_t *block;
    memcpy(&block, entry->payload + key_room(entry), sizeof block);
    return block;
}

static size_t block_capacity(const uint8_t *block)
{
    uint64_t capacity;
    memcpy(&capacity, block, sizeof capacity);
    return (size_t)capacity;
}

mill_bytes entry_key(const struct entry *entry)
{
    if ((entry->flags & ENTRY_KEY_OUTSIDE) == 0)
        return mill_bytes_of(entry->payload, entry->key_len);
    const uint8_t *key;
    memcpy(&key, entry->payload, sizeof key);
    return mill_bytes_of(key, entry->key_len);
}

mill_bytes entry_value(const struct entry *entry)
{
    if (entry->value_len == ENTRY_ABSENT)
        return mill_null();
    const uint8_t *value =
        entry->flags & ENTRY_VALUE_OUTSIDE ? outside_block(entry) + OUTSIDE_HEAD : entry->payload + key_room(entry);
    return mill_bytes_of(value, (size_t)entry->value_len);
}

size_t entry_bytes(const struct entry *entry)
{
    size_t bytes = (size_t)entry->units * TABLE_UNIT_BYTES;
    if (entry->flags & ENTRY_KEY_OUTSIDE)
        bytes += entry->key_len;
    if (entry->flags & ENTRY_VALUE_OUTSIDE)
        bytes += OUTSIDE_HEAD + block_capacity(outside_block(entry));
    return bytes;
}

static size_t outside_bytes(const struct entry *entry)
{
    return entry_bytes(entry) - (size_t)entry->units * TABLE_UNIT_BYTES;
}

static void free_outside(struct entry *entry)
{
    if (entry->flags & ENTRY_VALUE_OUTSIDE)
        mem_free(outside_block(entry));
    if (entry->flags & ENTRY_KEY_OUTSIDE) {
        uint8_t *key;
        memcpy(&key, entry->payload, sizeof key);
        mem_free(key);
    }
}

/* Puts the value into a block of its own, with room to grow by half. */
static bool move_outside(struct table *table, struct entry *entry, mill_bytes value)
{
    size_t capacity = value.len + value.len / 2;
    uint8_t *block = mem_alloc(OUTSIDE_HEAD + capacity);
    if (block == NULL)
        return false;
    uint64_t stored = capacity;
    memcpy(block, &stored, sizeof stored);
    memcpy(block + OUTSIDE_HEAD, value.data, value.len);
    table->bytes -= outside_bytes(entry);
    if (entry->flags & ENTRY_VALUE_OUTSIDE)
        mem_free(outside_block(entry));
    memcpy(entry->payload + key_room(entry), &block, sizeof block);
    table->outside_count += (entry->flags & (ENTRY_VALUE_OUTSIDE | ENTRY_KEY_OUTSIDE)) == 0;
    entry->flags |= ENTRY_VALUE_OUTSIDE;
    entry->value_len = (int32_t)value.len;
    table->bytes += outside_bytes(entry);
    return true;
}

bool table_set_value(struct table *table, struct entry *entry, mill_bytes value)
{
    if (mill_is_null(value)) {
        entry->value_len = ENTRY_ABSENT; /* its room stays, so that going back to the value cannot fail */
        return true;
    }
    bool outside = (entry->flags & ENTRY_VALUE_OUTSIDE) != 0;
    size_t capacity = outside ? block_capacity(outside_block(entry)) : entry->capacity;
    if (value.len > capacity)
        return move_outside(table, entry, value);
    uint8_t *place = outside ? outside_block(entry) + OUTSIDE_HEAD : entry->payload + key_room(entry);
    memmove(place, value.data, value.len);
    entry->value_len = (int32_t)value.len;
    return true;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

struct table *table_new(int64_t window_start_ms)
{
    struct table *table = mem_calloc(1, sizeof *table);
    struct table_slot *slots = table ? mem_calloc(SLOTS_FIRST, sizeof *slots) : NULL;
    if (slots == NULL) {
        mem_free(table);
        return NULL;
    }
    table->window_start_ms = window_start_ms;
    table->slots = slots;
    table->mask = SLOTS_FIRST - 1;
    table->bytes = sizeof *table + SLOTS_FIRST * sizeof *slots;
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    uint32_t at = 0;
    for (struct entry *entry = table->outside_count > 0 ? table_next(table, &at) : NULL; entry != NULL;
         entry = table_next(table, &at))
        if (entry->flags & (ENTRY_KEY_OUTSIDE | ENTRY_VALUE_OUTSIDE))
            free_outside(entry);
    for (size_t i = 0; i < TABLE_CHUNKS_MAX; i++)
        mem_free(table->chunks[i]);
    mem_free(table->slots);
    mem_free(table);
}

static bool key_equals(const struct entry *entry, mill_bytes key)
{
    if (entry->key_len != key.len)
        return false;
    return same_bytes(entry_key(entry).data, key.data, key.len);
}

struct entry *table_find(const struct table *table, mill_bytes key, uint32_t hash, bool *traced)
{
    *traced = false;
    for (uint32_t i = hash & table->mask; table->slots[i].place != 0; i = (i + 1) & table->mask) {
        if (table->slots[i].hash != hash)
            continue;
        if (table->slots[i].place == TRACE) {
            *traced = true;
            continue;
        }
        struct entry *entry = entry_at(table, table->slots[i].place);
        if (key_equals(entry, key))
            return entry;
    }
    return NULL;
}

void table_prefetch_entry(const struct table *table, uint32_t hash, size_t key_len)
{
    for (uint32_t i = hash & table->mask; table->slots[i].place != 0; i = (i + 1) & table->mask) {
        if (table->slots[i].hash != hash || table->slots[i].place == TRACE)
            continue;
        const uint8_t *entry = (const uint8_t *)entry_at(table, table->slots[i].place);
        size_t bytes = sizeof(struct entry) + (key_len < KEY_INLINE_MAX ? key_len : 0);
        for (size_t at = 0; at <= bytes; at += LINE_BYTES)
            __builtin_prefetch(entry + at, 1);
        return;
    }
}

/* The entry in a slot; NULL: empty or a trace. */
static struct entry *entry_in(const struct table *table, uint32_t i)
{
    return table->slots[i].place > TRACE ? entry_at(table, table->slots[i].place) : NULL;
}

/* Slots are walked in order, entries lie anywhere: asking for one some slots before it is needed hides most of the wait. */
static void prefetch_ahead(const struct table *table, uint32_t i)
{
    const struct entry *entry = entry_in(table, (i + AHEAD) & table->mask);
    if (entry != NULL)
        __builtin_prefetch(entry);
}

struct entry *table_next(const struct table *table, uint32_t *at)
{
    while (*at <= table->mask) {
        prefetch_ahead(table, *at);
        struct entry *entry = entry_in(table, (*at)++);
        if (entry != NULL)
            return entry;
    }
    return NULL;
}

static void insert_slot(struct table_slot *slots, uint32_t mask, struct table_slot slot)
{
    uint32_t i = slot.hash & mask;
    while (slots[i].place != 0)
        i = (i + 1) & mask;
    slots[i] = slot;
}

/* Closes the gap at slot `i`: those behind it that would no longer be found move up. */
static void close_gap(struct table *table, uint32_t i)
{
    for (uint32_t next = (i + 1) & table->mask; table->slots[next].place != 0; next = (next + 1) & table->mask) {
        uint32_t home = table->slots[next].hash & table->mask;
        if (((next - home) & table->mask) >= ((next - i) & table->mask)) {
            table->slots[i] = table->slots[next];
            i = next;
        }
    }
    table->slots[i].place = 0;
}

static void give_entry(struct table *table, struct entry *entry, uint32_t place)
{
    if (table->leaving != NULL)
        table->leaving(table->leaving_ctx, entry);
    table->bytes -= entry_bytes(entry);
    table->outside_count -= (entry->flags & (ENTRY_KEY_OUTSIDE | ENTRY_VALUE_OUTSIDE)) != 0;
    free_outside(entry);
    give_place(table, place, entry->units);
}

static void remove_slot(struct table *table, uint32_t i)
{
    struct entry *entry = entry_at(table, table->slots[i].place);
    give_entry(table, entry, table->slots[i].place);
    close_gap(table, i);
    table->count--;
}

void table_remove(struct table *table, struct entry *entry)
{
    uint32_t i = table_hash(entry_key(entry)) & table->mask;
    while (table->slots[i].place != 0 && entry_in(table, i) != entry)
        i = (i + 1) & table->mask;
    mill_assert(table->slots[i].place != 0);
    remove_slot(table, i);
}

static bool resize(struct table *table, uint32_t mask, bool with_traces)
{
    struct table_slot *slots = mem_calloc((size_t)mask + 1, sizeof *slots);
    if (slots == NULL)
        return false;
    mem_prefer_huge_pages(slots, ((size_t)mask + 1) * sizeof *slots);
    table->count = 0;
    for (uint32_t i = 0; i <= table->mask; i++) {
        uint32_t place = table->slots[i].place;
        if (place == 0 || (place == TRACE && !with_traces))
            continue;
        insert_slot(slots, mask, table->slots[i]);
        table->count++;
    }
    table->bytes += ((size_t)mask + 1) * sizeof *slots;
    table->bytes -= ((size_t)table->mask + 1) * sizeof *slots;
    mem_free(table->slots);
    table->slots = slots;
    table->mask = mask;
    table->sweep_at = 0;
    return true;
}

bool table_forget_traces(struct table *table)
{
    uint32_t mask = table->mask;
    while (mask > SLOTS_FIRST && (table->count - table->trace_count) < mask / 4)
        mask /= 2;
    if (!resize(table, mask, false))
        return false;
    table->trace_count = 0;
    table->complete = false;
    return true;
}

static bool has_room(const struct table *table)
{
    return table->count < (table->mask + 1) / 4 * 3;
}

static void forget_absent(struct table *table, bool (*forget)(void *ctx, const struct entry *entry), void *ctx)
{
    for (uint32_t i = 0; i <= table->mask;) {
        const struct entry *entry = entry_in(table, i);
        if (entry != NULL && entry->value_len == ENTRY_ABSENT && forget(ctx, entry))
            remove_slot(table, i); /* another may have moved into the slot: look again */
        else
            i++;
    }
}

/* Slots for one more entry. Growing unless a quarter became free keeps many deletions from being swept again and again. */
static bool make_room(struct table *table, bool (*forget)(void *ctx, const struct entry *entry), void *ctx)
{
    if (has_room(table))
        return true;
    forget_absent(table, forget, ctx);
    return table->count <= (table->mask + 1) / 2 || (table->mask < UINT32_MAX / 2 && resize(table, table->mask * 2 + 1, true));
}

struct entry *table_add(struct table *table, mill_bytes key, uint32_t hash, size_t value_len,
                        bool (*forget)(void *ctx, const struct entry *entry), void *ctx)
{
    if (key.len > UINT32_MAX || value_len > INT32_MAX || !make_room(table, forget, ctx))
        return NULL;
    bool key_outside = key.len > KEY_INLINE_MAX;
    size_t key_bytes = key_outside ? sizeof(uint8_t *) : key.len;
    size_t value_bytes = value_len < sizeof(uint8_t *) || value_len > VALUE_INLINE_MAX ? sizeof(uint8_t *) : value_len;
    size_t units = (sizeof(struct entry) + key_bytes + value_bytes + TABLE_UNIT_BYTES - 1) / TABLE_UNIT_BYTES;
    uint8_t *outside = key_outside ? mem_alloc(key.len) : NULL;
    uint32_t place = key_outside && outside == NULL ? 0 : take_place(table, (unsigned)units);
    if (place == 0) {
        mem_free(outside);
        return NULL;
    }
    struct entry *entry = entry_at(table, place);
    *entry = (struct entry){ .key_len = (uint32_t)key.len,
                             .value_len = ENTRY_ABSENT,
                             .timestamp_ms = -1,
                             .capacity = (uint16_t)(units * TABLE_UNIT_BYTES - sizeof *entry - key_bytes),
                             .flags = key_outside ? ENTRY_KEY_OUTSIDE : 0,
                             .units = (uint8_t)units };
    if (key_outside) {
        memcpy(outside, key.data, key.len);
        memcpy(entry->payload, &outside, sizeof outside);
    } else if (key.len > 0) {
        memcpy(entry->payload, key.data, key.len);
    }
    table->bytes += entry_bytes(entry);
    table->outside_count += key_outside;
    insert_slot(table->slots, table->mask, (struct table_slot){ hash, place });
    table->count++;
    return entry;
}

/* A slot in the entry's row that already is the trace of its hash. */
static bool has_trace(const struct table *table, uint32_t hash)
{
    for (uint32_t i = hash & table->mask; table->slots[i].place != 0; i = (i + 1) & table->mask)
        if (table->slots[i].hash == hash && table->slots[i].place == TRACE)
            return true;
    return false;
}

static void leave(struct table *table, uint32_t i, struct entry *entry)
{
    if (!table->complete || entry->value_len == ENTRY_ABSENT || has_trace(table, table->slots[i].hash)) {
        remove_slot(table, i);
        return;
    }
    give_entry(table, entry, table->slots[i].place);
    table->slots[i].place = TRACE;
    table->trace_count++;
}

size_t table_sweep(struct table *table, size_t bytes_wanted, bool (*may_leave)(void *ctx, const struct entry *entry), void *ctx)
{
    size_t gone = 0;
    uint64_t slots_left = 2 * ((uint64_t)table->mask + 1);
    while (slots_left > 0 && gone < bytes_wanted) {
        uint32_t i = table->sweep_at & table->mask;
        prefetch_ahead(table, i);
        struct entry *entry = entry_in(table, i);
        bool may = entry != NULL && may_leave(ctx, entry);
        if (may && !(entry->flags & ENTRY_USED)) {
            gone += entry_bytes(entry);
            leave(table, i, entry); /* another may have moved into the slot: stay */
            continue;
        }
        if (may)
            entry->flags &= (uint8_t)~ENTRY_USED;
        table->sweep_at = i + 1;
        slots_left--;
    }
    return gone;
}
