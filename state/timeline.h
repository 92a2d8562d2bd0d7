/*
 * What each key has over time: from a key to its entries in memory, in order of time, over all segments of a store that is laid
 * out by key.
 *
 * A key with one entry costs a slot; more are a list of times and pointers in a block whose size doubles, so that a range is a
 * binary search. Entries mostly come at the end and leave at the front, both without moving others. Nothing is allocated per
 * entry: blocks that were outgrown serve others.
 *
 * Thread: the stream thread.
 */
#ifndef STATE_TIMELINE_H
#define STATE_TIMELINE_H

#include "base/arena.h"
#include "state/table.h"

enum { TIMELINE_BLOCK_SIZES = 32, TIMELINE_PREFETCHES = 16, TIMELINE_KEY_BYTES = 56, TIMELINE_REMOVED_AT_ONCE = 16 };

struct time_item {
    int64_t time_ms;
    struct entry *entry;
};

struct timeline_slot {
    uint32_t hash;
    uint32_t is_list;
    void *at; /* an entry or a list; NULL: empty */
};

struct timeline {
    struct timeline_slot *slots;
    size_t mask;
    size_t count;
    size_t suffix_bytes; /* of an element; layout.h */
    struct arena memory;
    void *spare[TIMELINE_BLOCK_SIZES];        /* outgrown blocks by size */
    struct time_item single;                  /* what a span of one entry points to */
    uint32_t prefetches[TIMELINE_PREFETCHES]; /* hashes of the keys asked for last */
    size_t prefetch_at;
    struct {                        /* whose slot was found last: finding, removing and adding follow one another */
        struct timeline_slot *slot; /* NULL: none, or it may have moved */
        bool known;                 /* the hash of the key is, whatever became of the slot */
        uint32_t hash;
        uint32_t key_len;
        uint8_t key[TIMELINE_KEY_BYTES];
    } recent;
};

void timeline_init(struct timeline *timeline, size_t suffix_bytes);
void timeline_release(struct timeline *timeline);
void timeline_clear(struct timeline *timeline);
size_t timeline_bytes(const struct timeline *timeline);

/* false: no memory, nothing changed. */
bool timeline_add(struct timeline *timeline, struct entry *entry);
void timeline_remove(struct timeline *timeline, const struct entry *entry); /* one that is not there is a no-op */

/* The same for up to TIMELINE_REMOVED_AT_ONCE of them: the memory that they need is asked for at once. */
void timeline_remove_some(struct timeline *timeline, const struct entry *const *entries, size_t count);

/* The key's entries with from <= time <= to, in order of (time, rest); a view that lives until the next call. */
struct time_span {
    const struct time_item *items;
    size_t count;
};
struct time_span timeline_span(struct timeline *timeline, mill_bytes key, int64_t from_ms, int64_t to_ms);

/* Loads the key's slot; its list and newest entry follow with the calls for other keys. */
void timeline_prefetch(struct timeline *timeline, mill_bytes key);

#endif
