#include "state/timeline.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "state/layout.h"
#include "state/same_bytes.h"

enum {
    SLOTS_FIRST = 16,
    BLOCK_BYTES = 64 << 10,
    LIST_SIZE_FIRST = 6 /* blocks of 64 bytes */,
    LIST_CALLS_AGO = 3,
    ENTRY_CALLS_AGO = 6
};

struct time_list {
    uint32_t begin;
    uint32_t end;
    uint32_t capacity;
    uint32_t size_log2;
    struct time_item items[];
};

void timeline_init(struct timeline *timeline, size_t suffix_bytes)
{
    *timeline = (struct timeline){ .suffix_bytes = suffix_bytes };
    arena_init(&timeline->memory, BLOCK_BYTES, SIZE_MAX);
}

void timeline_release(struct timeline *timeline)
{
    mem_free(timeline->slots);
    arena_release(&timeline->memory);
}

void timeline_clear(struct timeline *timeline)
{
    size_t suffix_bytes = timeline->suffix_bytes;
    timeline_release(timeline);
    timeline_init(timeline, suffix_bytes);
}

size_t timeline_bytes(const struct timeline *timeline)
{
    return (timeline->slots == NULL ? 0 : (timeline->mask + 1) * sizeof *timeline->slots) + timeline->memory.bytes_used;
}

/* ---- blocks of lists ------------------------------------------------------------------------------------------------------- */

static struct time_list *take_list(struct timeline *timeline, unsigned size_log2)
{
    if (size_log2 >= TIMELINE_BLOCK_SIZES)
        return NULL;
    struct time_list *list = timeline->spare[size_log2];
    if (list != NULL)
        memcpy(&timeline->spare[size_log2], list, sizeof(void *));
    else
        list = arena_alloc(&timeline->memory, (size_t)1 << size_log2);
    if (list != NULL)
        *list = (struct time_list){ .capacity = (uint32_t)((((size_t)1 << size_log2) - sizeof *list) / sizeof list->items[0]),
                                    .size_log2 = size_log2 };
    return list;
}

static void give_list(struct timeline *timeline, struct time_list *list)
{
    unsigned size_log2 = list->size_log2;
    memcpy(list, &timeline->spare[size_log2], sizeof(void *));
    timeline->spare[size_log2] = list;
}

/* ---- slots ----------------------------------------------------------------------------------------------------------------- */

static mill_bytes key_of(const struct timeline *timeline, const struct entry *entry)
{
    return element_key(entry_key(entry), timeline->suffix_bytes);
}

/* Tells whose slot it is: the newest entry, because it is the one that is likely wanted and in the processor's cache. */
static const struct entry *newest_entry(const struct timeline_slot *slot)
{
    const struct time_list *list = slot->at;
    return slot->is_list ? list->items[list->end - 1].entry : slot->at;
}

static bool is_recent(const struct timeline *timeline, mill_bytes key, uint32_t hash)
{
    return timeline->recent.slot != NULL && timeline->recent.hash == hash && timeline->recent.key_len == key.len &&
           same_bytes(timeline->recent.key, key.data, key.len);
}

static uint32_t hash_of(const struct timeline *timeline, mill_bytes key)
{
    bool recent =
        timeline->recent.known && timeline->recent.key_len == key.len && same_bytes(timeline->recent.key, key.data, key.len);
    return recent ? timeline->recent.hash : table_hash(key);
}

static struct timeline_slot *note_recent(struct timeline *timeline, struct timeline_slot *slot, mill_bytes key)
{
    if (key.len > TIMELINE_KEY_BYTES)
        return slot;
    timeline->recent.slot = slot;
    timeline->recent.known = true;
    timeline->recent.hash = slot->hash;
    timeline->recent.key_len = (uint32_t)key.len;
    memcpy(timeline->recent.key, key.data, key.len);
    return slot;
}

/* The slot of the key, or the empty one where it belongs. There are slots. */
static struct timeline_slot *slot_of(struct timeline *timeline, mill_bytes key, uint32_t hash)
{
    if (is_recent(timeline, key, hash))
        return timeline->recent.slot;
    for (size_t i = hash & timeline->mask;; i = (i + 1) & timeline->mask) {
        struct timeline_slot *slot = &timeline->slots[i];
        if (slot->at == NULL)
            return slot;
        if (slot->hash != hash)
            continue;
        mill_bytes other = key_of(timeline, newest_entry(slot));
        if (other.len == key.len && same_bytes(other.data, key.data, key.len))
            return note_recent(timeline, slot, key);
    }
}

/* The slot of an entry that is the oldest or newest of its key, without a look at any key. NULL: look at them. */
static struct timeline_slot *slot_with_end(const struct timeline *timeline, const struct entry *entry, uint32_t hash)
{
    for (size_t i = hash & timeline->mask; timeline->slots[i].at != NULL; i = (i + 1) & timeline->mask) {
        struct timeline_slot *slot = &timeline->slots[i];
        if (slot->hash != hash)
            continue;
        const struct time_list *list = slot->at;
        if (!slot->is_list ? slot->at == entry
                           : list->items[list->begin].entry == entry || list->items[list->end - 1].entry == entry)
            return slot;
    }
    return NULL;
}

static bool make_room(struct timeline *timeline)
{
    if (timeline->slots != NULL && timeline->count < (timeline->mask + 1) / 4 * 3)
        return true;
    size_t slot_count = timeline->slots == NULL ? SLOTS_FIRST : (timeline->mask + 1) * 2;
    struct timeline_slot *slots = mem_calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return false;
    mem_prefer_huge_pages(slots, slot_count * sizeof *slots);
    for (size_t i = 0; timeline->slots != NULL && i <= timeline->mask; i++) {
        if (timeline->slots[i].at == NULL)
            continue;
        size_t to = timeline->slots[i].hash & (slot_count - 1);
        while (slots[to].at != NULL)
            to = (to + 1) & (slot_count - 1);
        slots[to] = timeline->slots[i];
    }
    mem_free(timeline->slots);
    timeline->recent.slot = NULL;
    timeline->slots = slots;
    timeline->mask = slot_count - 1;
    return true;
}

/* Empties the slot; those behind it that would no longer be found move up. */
static void close_gap(struct timeline *timeline, struct timeline_slot *slot)
{
    size_t i = (size_t)(slot - timeline->slots);
    for (size_t next = (i + 1) & timeline->mask; timeline->slots[next].at != NULL; next = (next + 1) & timeline->mask) {
        size_t home = timeline->slots[next].hash & timeline->mask;
        if (((next - home) & timeline->mask) >= ((next - i) & timeline->mask)) {
            timeline->slots[i] = timeline->slots[next];
            i = next;
        }
    }
    timeline->slots[i] = (struct timeline_slot){ 0 };
    timeline->recent.slot = NULL;
    timeline->count--;
}

/* ---- lists ----------------------------------------------------------------------------------------------------------------- */

static struct time_item item_of(const struct timeline *timeline, struct entry *entry)
{
    return (struct time_item){ element_time_ms(entry_key(entry), timeline->suffix_bytes), entry };
}

/* Two entries of one key, by what follows it. */
static int compare_rest(const struct timeline *timeline, const struct entry *a, const struct entry *b)
{
    size_t suffix = timeline->suffix_bytes;
    mill_bytes left = entry_key(a);
    mill_bytes right = entry_key(b);
    return memcmp(left.data + left.len - suffix, right.data + right.len - suffix, suffix);
}

static bool item_before(const struct timeline *timeline, struct time_item a, struct time_item b)
{
    if (a.time_ms != b.time_ms)
        return a.time_ms < b.time_ms;
    return compare_rest(timeline, a.entry, b.entry) < 0;
}

/* The first place whose item is not before `time_ms`. */
static uint32_t first_from(const struct time_list *list, int64_t time_ms)
{
    uint32_t low = list->begin;
    uint32_t high = list->end;
    if (low < high && list->items[high - 1].time_ms < time_ms)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->items[middle].time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where the item belongs, or is. */
static uint32_t place_of(const struct timeline *timeline, const struct time_list *list, struct time_item item)
{
    uint32_t place = first_from(list, item.time_ms);
    while (place < list->end && item_before(timeline, list->items[place], item))
        place++;
    return place;
}

/* A list with room at its end; the old one is given back when it had to grow. */
static struct time_list *with_room(struct timeline *timeline, struct time_list *list)
{
    if (list->end < list->capacity)
        return list;
    uint32_t count = list->end - list->begin;
    if (list->begin > list->capacity / 4) {
        memmove(list->items, list->items + list->begin, count * sizeof list->items[0]);
        list->begin = 0;
        list->end = count;
        return list;
    }
    struct time_list *larger = take_list(timeline, list->size_log2 + 1);
    if (larger == NULL)
        return NULL;
    memcpy(larger->items, list->items + list->begin, count * sizeof list->items[0]);
    larger->end = count;
    give_list(timeline, list);
    return larger;
}

static void insert(const struct timeline *timeline, struct time_list *list, struct time_item item)
{
    bool last = list->begin == list->end || item_before(timeline, list->items[list->end - 1], item);
    uint32_t place = last ? list->end : place_of(timeline, list, item);
    memmove(&list->items[place + 1], &list->items[place], (list->end - place) * sizeof item);
    list->items[place] = item;
    list->end++;
}

bool timeline_add(struct timeline *timeline, struct entry *entry)
{
    if (!make_room(timeline))
        return false;
    mill_bytes key = key_of(timeline, entry);
    uint32_t hash = hash_of(timeline, key);
    struct timeline_slot *slot = slot_of(timeline, key, hash);
    if (slot->at == NULL) {
        *slot = (struct timeline_slot){ .hash = hash, .at = entry };
        timeline->count++;
        return true;
    }
    struct time_list *list = slot->is_list ? with_room(timeline, slot->at) : take_list(timeline, LIST_SIZE_FIRST);
    if (list == NULL)
        return false;
    if (!slot->is_list)
        insert(timeline, list, item_of(timeline, slot->at));
    slot->at = list;
    slot->is_list = 1;
    insert(timeline, list, item_of(timeline, entry));
    return true;
}

/* Out of the list; one that is not there is a no-op. */
static void remove_item(const struct timeline *timeline, struct time_list *list, const struct entry *entry)
{
    if (list->items[list->begin].entry == entry) {
        list->begin++;
        return;
    }
    uint32_t place = place_of(timeline, list, item_of(timeline, (struct entry *)(uintptr_t)entry));
    if (place == list->end || list->items[place].entry != entry)
        return;
    list->end--;
    memmove(&list->items[place], &list->items[place + 1], (list->end - place) * sizeof list->items[0]);
}

static void remove_hashed(struct timeline *timeline, const struct entry *entry, uint32_t hash)
{
    struct timeline_slot *slot = slot_with_end(timeline, entry, hash);
    if (slot == NULL)
        slot = slot_of(timeline, key_of(timeline, entry), hash);
    if (!slot->is_list) {
        if (slot->at == entry)
            close_gap(timeline, slot);
        return;
    }
    struct time_list *list = slot->at;
    remove_item(timeline, list, entry);
    if (list->begin < list->end)
        return;
    close_gap(timeline, slot);
    give_list(timeline, list);
}

void timeline_remove(struct timeline *timeline, const struct entry *entry)
{
    if (timeline->slots != NULL)
        remove_hashed(timeline, entry, hash_of(timeline, key_of(timeline, entry)));
}

/* What follows the first slot is looked at only when it is likely there already. */
void timeline_remove_some(struct timeline *timeline, const struct entry *const *entries, size_t count)
{
    uint32_t hashes[TIMELINE_REMOVED_AT_ONCE];
    mill_assert(count <= TIMELINE_REMOVED_AT_ONCE);
    if (timeline->slots == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        hashes[i] = table_hash(key_of(timeline, entries[i]));
        __builtin_prefetch(&timeline->slots[hashes[i] & timeline->mask], 1);
    }
    for (size_t i = 0; i < count; i++)
        if (timeline->slots[hashes[i] & timeline->mask].at != NULL)
            __builtin_prefetch(timeline->slots[hashes[i] & timeline->mask].at, 1);
    for (size_t i = 0; i < count; i++)
        remove_hashed(timeline, entries[i], hashes[i]);
}

struct time_span timeline_span(struct timeline *timeline, mill_bytes key, int64_t from_ms, int64_t to_ms)
{
    struct time_span none = { NULL, 0 };
    if (timeline->slots == NULL)
        return none;
    const struct timeline_slot *slot = slot_of(timeline, key, hash_of(timeline, key));
    if (slot->at == NULL)
        return none;
    if (!slot->is_list) {
        timeline->single = item_of(timeline, slot->at);
        bool inside = timeline->single.time_ms >= from_ms && timeline->single.time_ms <= to_ms;
        return inside ? (struct time_span){ &timeline->single, 1 } : none;
    }
    const struct time_list *list = slot->at;
    uint32_t first = first_from(list, from_ms);
    uint32_t end = to_ms == INT64_MAX ? list->end : first_from(list, to_ms + 1);
    return end > first ? (struct time_span){ &list->items[first], end - first } : none;
}

/* The slot of a hash that was asked for some calls ago; NULL: there is none. */
static const struct timeline_slot *slot_asked_for(const struct timeline *timeline, size_t calls_ago)
{
    uint32_t hash = timeline->prefetches[(timeline->prefetch_at - calls_ago) % TIMELINE_PREFETCHES];
    for (size_t i = hash & timeline->mask; timeline->slots[i].at != NULL; i = (i + 1) & timeline->mask)
        if (timeline->slots[i].hash == hash)
            return &timeline->slots[i];
    return NULL;
}

void timeline_prefetch(struct timeline *timeline, mill_bytes key)
{
    if (timeline->slots == NULL)
        return;
    uint32_t hash = table_hash(key);
    __builtin_prefetch(&timeline->slots[hash & timeline->mask]);
    timeline->prefetches[++timeline->prefetch_at % TIMELINE_PREFETCHES] = hash;
    const struct timeline_slot *with_list = slot_asked_for(timeline, LIST_CALLS_AGO);
    if (with_list != NULL)
        __builtin_prefetch(with_list->at, 1);
    const struct timeline_slot *with_entry = slot_asked_for(timeline, ENTRY_CALLS_AGO);
    if (with_entry != NULL)
        __builtin_prefetch(newest_entry(with_entry), 1);
}
