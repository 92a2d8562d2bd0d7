/*
 * A hash table from bytes to a value with a timestamp: the entries of one window, or all of a key-value store, in memory.
 *
 * Made for the record path: open addressing over 8-byte slots (32 bits of hash, 32 bits of place), entries with key and small
 * value inline in slabs that double, nothing allocated per record once a key is known. An entry never moves, so that undo records
 * may point to it; only removing it gives its place to another.
 *
 * A table is *complete* when it has an entry or a trace of every key of its window that exists anywhere, so that most misses need
 * no look at the disk: an entry that leaves for the disk leaves its slot behind, with the hash and no place. A deleted key stays
 * as an *absent* entry, until the disk knows of it too.
 *
 * Thread: the stream thread.
 */
#ifndef STATE_TABLE_H
#define STATE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

struct undo;

enum { ENTRY_ABSENT = -1 }; /* as value_len */

enum entry_flags {
    ENTRY_DIRTY = 1 << 0,         /* not yet given to listener and changelog */
    ENTRY_DERIVED = 1 << 1,       /* computed from other entries: never logged, flushed or restored */
    ENTRY_USED = 1 << 2,          /* read since the last sweep: spared once */
    ENTRY_KEY_OUTSIDE = 1 << 3,   /* the payload begins with a pointer to the key */
    ENTRY_VALUE_OUTSIDE = 1 << 4, /* the value's place holds a pointer to a block: 8 bytes of capacity, then the value */
    ENTRY_FRESH = 1 << 5, /* while `commit` is the running one: made in it, for a key that was nowhere, and written once */
};

struct entry {
    uint64_t written;  /* order of the last write within the store */
    struct undo *undo; /* what to go back to; meaningful only while `commit` is the running one */
    int64_t timestamp_ms;
    uint32_t key_len;
    int32_t value_len; /* ENTRY_ABSENT: deleted */
    uint32_t commit;   /* the number of the commit that wrote it last; 0: read from the disk */
    uint16_t capacity; /* bytes for the value behind the key */
    uint8_t flags;
    uint8_t units;     /* of 16 bytes that the entry takes */
    uint8_t payload[]; /* key or pointer to it, then value or pointer to it */
};

struct table_slot {
    uint32_t hash;
    uint32_t place; /* 0: empty; 1: the trace of one or more entries that left for the disk */
};

enum { TABLE_CHUNKS_MAX = 26, TABLE_UNITS_MAX = 32, TABLE_UNIT_BYTES = 16 };

struct table {
    int64_t window_start_ms;
    struct table_slot *slots;
    uint32_t mask;
    uint32_t count; /* of used slots: entries, absent ones too, and traces */
    uint32_t trace_count;
    uint32_t outside_count; /* entries that have had a key or value outside */
    uint32_t newest_commit; /* that wrote here: the cache's */
    bool complete;
    uint32_t place_next; /* counted in units from the first chunk on; chunk k holds TABLE_FIRST_UNITS << k of them */
    uint32_t place_end;
    uint8_t *chunks[TABLE_CHUNKS_MAX];
    uint32_t free_places[TABLE_UNITS_MAX + 1]; /* heads of lists of removed entries by size */
    size_t bytes;                              /* of slots and entries; the places of removed entries stay for others */
    uint32_t sweep_at;
    void (*leaving)(void *ctx, const struct entry *entry); /* before an entry is removed, but not by table_free; NULL: none */
    void *leaving_ctx;
};

/* The hash that every call wants; seeded per process, because peers choose the keys. */
uint32_t table_hash(mill_bytes key);

/* NULL: no memory. */
struct table *table_new(int64_t window_start_ms);
void table_free(struct table *table); /* with all entries; NULL is a no-op */

/* The entry, absent ones too, or NULL; then `*traced` says whether the key may have left for the disk. */
struct entry *table_find(const struct table *table, mill_bytes key, uint32_t hash, bool *traced);

/*
 * Adds an entry for a key that is not there, absent, with room for `value_len` bytes. NULL: no memory, nothing changed. When
 * slots run out, absent entries for which `forget` says so leave before the table grows.
 */
struct entry *table_add(struct table *table, mill_bytes key, uint32_t hash, size_t value_len,
                        bool (*forget)(void *ctx, const struct entry *entry), void *ctx);
void table_remove(struct table *table, struct entry *entry);

/*
 * Sets or deletes (null) the value; may overlap with the entry's own. false: no memory, nothing changed. Never fails to go back.
 */
bool table_set_value(struct table *table, struct entry *entry, mill_bytes value);

mill_bytes entry_key(const struct entry *entry);
mill_bytes entry_value(const struct entry *entry); /* null: absent */
size_t entry_bytes(const struct entry *entry);     /* what it takes of memory */

/* Every entry in unspecified order: start with *at = 0; NULL at the end. No adding or removing meanwhile. */
struct entry *table_next(const struct table *table, uint32_t *at);

/*
 * Removes entries for which `may_leave` says so until `bytes_wanted` are gone, or all of them; those used since the last sweep
 * come last. Each leaves its trace. Returns the bytes gone.
 */
size_t table_sweep(struct table *table, size_t bytes_wanted, bool (*may_leave)(void *ctx, const struct entry *entry), void *ctx);

/* Drops the traces, when they alone take too much: the table is not complete any more. false: no memory, nothing changed. */
bool table_forget_traces(struct table *table);

/* Loads the slot, then (some calls later) the entry into the processor's cache. */
static inline void table_prefetch_slot(const struct table *table, uint32_t hash)
{
    __builtin_prefetch(&table->slots[hash & table->mask]);
}
void table_prefetch_entry(const struct table *table, uint32_t hash, size_t key_len);

#endif
