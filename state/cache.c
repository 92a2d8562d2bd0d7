#include "state/cache.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "state/layout.h"
#include "state/same_bytes.h"
#include "state/window_expiry.h"

enum { UNDO_BLOCK_BYTES = 64 << 10, ORDER_FIRST = 1024, AHEAD = 8 };

/* As value_len: there was no entry in memory, and so no value; or the disk may have one. */
enum { UNDO_NEW = -2, UNDO_UNKNOWN = -3 };

/* The value of an entry before it was first written since the last listener call or commit. */
struct undo {
    struct undo *older;    /* in the log */
    struct undo *previous; /* of the same entry in this commit; of a spare one: the next spare one */
    struct table *table;
    struct entry *entry; /* NULL: spare */
    int64_t timestamp_ms;
    uint32_t commit;
    int32_t value_len; /* or ENTRY_ABSENT, UNDO_NEW, UNDO_UNKNOWN */
    uint8_t value[];
};

void cache_init(struct cache *cache, int64_t retention_ms, struct byte_store *disk)
{
    *cache = (struct cache){ .disk = disk,
                             .retention_ms = retention_ms,
                             .commit = 1,
                             .stream_time_ms = -1,
                             .committed_stream_time_ms = -1,
                             .slack_ms = INT64_MAX,
                             .resumed_at_ms = INT64_MAX,
                             .committed_resumed_at_ms = INT64_MAX,
                             .oldest_start_ms = INT64_MAX };
    window_map_init(&cache->windows);
    arena_init(&cache->undo_memory, UNDO_BLOCK_BYTES, SIZE_MAX);
    buffer_init(&cache->scratch, SIZE_MAX / 2);
}

void cache_init_by_key(struct cache *cache, size_t suffix_bytes, int64_t segment_ms)
{
    cache->suffix_bytes = suffix_bytes;
    cache->segment_ms = segment_ms;
    cache->not_loaded_to_ms = -1;
    timeline_init(&cache->timeline, suffix_bytes);
}

static bool by_key(const struct cache *cache)
{
    return cache->suffix_bytes > 0;
}

void cache_release(struct cache *cache)
{
    window_map_release(&cache->windows);
    if (by_key(cache))
        timeline_release(&cache->timeline);
    arena_release(&cache->undo_memory);
    buffer_release(&cache->scratch);
    mem_free(cache->order);
}

bool cache_expired(const struct cache *cache, int64_t start_ms)
{
    return start_ms <= window_expired_until(cache->retention_ms, cache_time(cache));
}

/* ---- what may leave -------------------------------------------------------------------------------------------------------- */

static bool is_clean(const struct cache *cache, const struct entry *entry)
{
    return entry->commit <= cache->flushed;
}

/* An absent entry that nobody needs: the disk knows of the deletion, or there is none and it is committed. */
static bool may_forget(void *ctx, const struct entry *entry)
{
    const struct cache *cache = ctx;
    return cache->disk == NULL ? entry->commit < cache->commit : is_clean(cache, entry);
}

static bool may_leave(void *ctx, const struct entry *entry)
{
    const struct cache *cache = ctx;
    return cache->disk != NULL && is_clean(cache, entry);
}

/* Pointers kept for speed, before an entry or a table goes. */
static void forget_shortcuts(struct cache *cache)
{
    memset(cache->recent, 0, sizeof cache->recent);
    memset(cache->prefetches, 0, sizeof cache->prefetches);
}

/* ---- finding --------------------------------------------------------------------------------------------------------------- */

static bool same_key(const struct entry *entry, mill_bytes key)
{
    return entry->key_len == key.len && same_bytes(entry_key(entry).data, key.data, key.len);
}

static void note_used(struct cache *cache, struct table *table, struct entry *entry)
{
    if (cache->recent[0].entry == entry)
        return;
    cache->recent[1] = cache->recent[0];
    cache->recent[0].table = table;
    cache->recent[0].entry = entry;
}

/* Of a key without an entry in memory. */
struct missing {
    uint32_t hash;
    bool stored; /* the disk may have it */
};

/* The entry in memory or NULL, then what is known of the key. A get and the put after it hash once. */
static struct entry *find(struct cache *cache, struct table *table, mill_bytes key, struct missing *missing)
{
    for (size_t i = 0; i < 2; i++)
        if (cache->recent[i].entry != NULL && cache->recent[i].table == table && same_key(cache->recent[i].entry, key))
            return cache->recent[i].entry;
    bool traced;
    missing->hash = table_hash(key);
    struct entry *entry = table_find(table, key, missing->hash, &traced);
    missing->stored = cache->disk != NULL && (traced || !table->complete);
    if (entry != NULL)
        note_used(cache, table, entry);
    return entry;
}

static struct entry *add(struct cache *cache, struct table *table, mill_bytes key, uint32_t hash, size_t value_len)
{
    bool may_drop = table->count + 1 >= (table->mask + 1) / 4 * 3; /* absent entries make room */
    if (may_drop)
        forget_shortcuts(cache);
    struct entry *entry = table_add(table, key, hash, value_len, may_forget, cache);
    if (entry != NULL && by_key(cache) && !timeline_add(&cache->timeline, entry)) {
        table_remove(table, entry);
        return NULL;
    }
    if (entry != NULL)
        note_used(cache, table, entry);
    return entry;
}

static void entry_leaves(void *ctx, const struct entry *entry)
{
    timeline_remove(&((struct cache *)ctx)->timeline, entry);
}

static void drop_entry(struct cache *cache, struct table *table, struct entry *entry)
{
    memset(cache->recent, 0, sizeof cache->recent);
    table_remove(table, entry);
}

/* The window's table, made if missing. */
static int table_for(struct cache *cache, int64_t start_ms, struct table **table)
{
    *table = window_map_find(&cache->windows, start_ms);
    if (*table != NULL)
        return 0;
    int64_t stored;
    int known = 0;
    if (cache->disk != NULL) {
        known = cache->disk->ops->nearest_window(cache->disk, start_ms, MILL_FORWARD, &stored);
        if (known < 0)
            return known;
    }
    *table = table_new(start_ms);
    if (*table == NULL || !window_map_add(&cache->windows, *table)) {
        table_free(*table);
        return MILL_ENOMEM;
    }
    (*table)->complete = known == 0 || stored != start_ms;
    if (by_key(cache)) {
        (*table)->leaving = entry_leaves;
        (*table)->leaving_ctx = cache;
        cache->whole_known = cache->whole_known && (*table)->complete;
    }
    if (start_ms < cache->oldest_start_ms)
        cache->oldest_start_ms = start_ms;
    return 0;
}

/* Brings an entry from the disk into the table. 1, 0, error. */
static int read_through(struct cache *cache, struct table *table, mill_bytes key, uint32_t hash, struct entry **entry)
{
    mill_bytes value;
    int64_t timestamp_ms;
    int found = cache->disk->ops->get(cache->disk, table->window_start_ms, key, &value, &timestamp_ms);
    if (found <= 0)
        return found;
    *entry = add(cache, table, key, hash, value.len);
    if (*entry == NULL)
        return MILL_ENOMEM;
    if (!table_set_value(table, *entry, value)) {
        drop_entry(cache, table, *entry);
        return MILL_ENOMEM;
    }
    (*entry)->timestamp_ms = timestamp_ms;
    cache->read_bytes += entry_bytes(*entry);
    return 1;
}

/* Of a dirty entry, what the listener saw last. As cache_get. */
static int get_told(struct cache *cache, const struct table *table, const struct entry *entry, mill_bytes *value,
                    int64_t *timestamp_ms)
{
    const struct undo *undo = entry->undo;
    if (undo->value_len == UNDO_UNKNOWN)
        return cache->disk->ops->get(cache->disk, table->window_start_ms, entry_key(entry), value, timestamp_ms);
    if (undo->value_len < 0)
        return 0;
    *value = mill_bytes_of(undo->value, (size_t)undo->value_len);
    *timestamp_ms = undo->timestamp_ms;
    return 1;
}

int cache_get(struct cache *cache, int64_t start_ms, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms)
{
    *value = mill_null();
    struct table *table = window_map_find(&cache->windows, start_ms);
    bool lasting = cache->retention_ms == 0 || start_ms == INT64_MAX;
    if (table == NULL && lasting) { /* a table that never expires: reading fills it, too */
        int code = table_for(cache, start_ms, &table);
        if (code < 0)
            return code;
    }
    if (table == NULL)
        return cache->disk == NULL ? 0 : cache->disk->ops->get(cache->disk, start_ms, key, value, timestamp_ms);
    struct missing missing;
    struct entry *entry = find(cache, table, key, &missing);
    if (entry == NULL) {
        if (!missing.stored)
            return 0;
        if (cache->read_bytes >= cache->read_bytes_max)
            return cache->disk->ops->get(cache->disk, start_ms, key, value, timestamp_ms);
        int found = read_through(cache, table, key, missing.hash, &entry);
        if (found <= 0)
            return found;
    }
    entry->flags |= ENTRY_USED;
    if (cache->reads_told && (entry->flags & ENTRY_DIRTY) != 0)
        return get_told(cache, table, entry, value, timestamp_ms);
    if (entry->value_len == ENTRY_ABSENT)
        return 0;
    *value = entry_value(entry);
    *timestamp_ms = entry->timestamp_ms;
    return 1;
}

void cache_prefetch(struct cache *cache, int64_t start_ms, mill_bytes key)
{
    struct table *table = window_map_find(&cache->windows, start_ms);
    if (table == NULL)
        return;
    uint32_t hash = table_hash(key);
    table_prefetch_slot(table, hash);
    size_t at = cache->prefetch_at++ % CACHE_PREFETCHES;
    if (cache->prefetches[at].table != NULL)
        table_prefetch_entry(cache->prefetches[at].table, cache->prefetches[at].hash, cache->prefetches[at].key_len);
    cache->prefetches[at].key_len = key.len;
    cache->prefetches[at].table = table;
    cache->prefetches[at].hash = hash;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

/* Keeps `value` alive while the entry that it may lie in changes. */
static int keep_old(struct cache *cache, mill_bytes value, mill_bytes *old)
{
    *old = value;
    if (mill_is_null(value))
        return 0;
    buffer_clear(&cache->scratch);
    buffer_append(&cache->scratch, value.data, value.len);
    if (cache->scratch.failed || buffer_reserve(&cache->scratch, 1) == NULL) /* an empty value is not null */
        return MILL_ENOMEM;
    *old = buffer_bytes(&cache->scratch);
    return 0;
}

/* The value before, when the entry is not in memory. */
static int old_from_disk(struct cache *cache, const struct table *table, mill_bytes key, mill_bytes *old)
{
    *old = mill_null();
    int64_t timestamp_ms;
    int found = cache->disk->ops->get(cache->disk, table->window_start_ms, key, old, &timestamp_ms);
    return found < 0 ? found : 0;
}

enum entry_state { ENTRY_KNOWN, ENTRY_NEW /* just added, for a key that is nowhere */, ENTRY_UNKNOWN /* or perhaps on disk */ };

/* A new entry has no other record, so that its place in the log does not matter: an older one that is spare will do. */
static struct undo *reuse_undo(struct cache *cache, struct table *table, struct entry *entry)
{
    struct undo *undo = cache->spare_undo;
    cache->spare_undo = undo->previous;
    undo->previous = NULL;
    undo->table = table;
    undo->entry = entry;
    undo->timestamp_ms = entry->timestamp_ms;
    undo->commit = entry->commit;
    entry->undo = undo;
    cache->uncommitted_bytes += entry_bytes(entry);
    return undo;
}

static struct undo *push_undo(struct cache *cache, struct table *table, struct entry *entry, enum entry_state state)
{
    if (state == ENTRY_NEW && cache->spare_undo != NULL)
        return reuse_undo(cache, table, entry);
    mill_bytes value = entry_value(entry); /* null in an entry just added */
    struct undo *undo = arena_alloc(&cache->undo_memory, sizeof *undo + value.len);
    if (undo == NULL)
        return NULL;
    bool first = entry->commit != cache->commit;
    *undo = (struct undo){ .older = cache->newest_undo,
                           .previous = first ? NULL : entry->undo,
                           .table = table,
                           .entry = entry,
                           .timestamp_ms = entry->timestamp_ms,
                           .commit = entry->commit,
                           .value_len = state == ENTRY_NEW       ? UNDO_NEW
                                        : state == ENTRY_UNKNOWN ? UNDO_UNKNOWN
                                                                 : entry->value_len };
    if (value.len > 0)
        memcpy(undo->value, value.data, value.len);
    cache->newest_undo = undo;
    cache->undo_count++;
    cache->uncommitted_bytes += sizeof *undo + value.len + (first ? entry_bytes(entry) : 0);
    entry->undo = undo;
    return undo;
}

/* Takes back what push_undo did last. Its memory stays in the arena until the commit. */
static void pop_undo(struct cache *cache, struct entry *entry, struct undo *before)
{
    struct undo *undo = entry->undo;
    if (undo == cache->newest_undo) {
        cache->newest_undo = undo->older;
        cache->undo_count--;
    } else { /* it was spare */
        undo->entry = NULL;
        undo->previous = cache->spare_undo;
        cache->spare_undo = undo;
    }
    entry->undo = before;
}

/*
 * Was the entry made in this commit, for a key that is nowhere, and has nobody been told? Then deleting leaves nothing to do.
 * With caching all have been told once the entry is no longer dirty: another store's flush may write here after this one's.
 */
static bool can_vanish(const struct cache *cache, const struct entry *entry, unsigned flags)
{
    if (flags & CACHE_CACHED && !(entry->flags & ENTRY_DIRTY))
        return false;
    if (entry->commit != cache->commit || cache->open_iterators > 0 || cache->order_at < cache->order_count)
        return false;
    return (entry->flags & ENTRY_FRESH) != 0;
}

static void vanish(struct cache *cache, struct table *table, struct entry *entry)
{
    cache->dirty_count -= (entry->flags & ENTRY_DIRTY) != 0;
    cache->uncommitted_bytes -= (size_t)entry->units * TABLE_UNIT_BYTES; /* as it was added, without a value outside */
    if (entry->flags & ENTRY_KEY_OUTSIDE)
        cache->uncommitted_bytes -= entry->key_len;
    entry->undo->entry = NULL;
    entry->undo->previous = cache->spare_undo;
    cache->spare_undo = entry->undo;
    drop_entry(cache, table, entry);
}

static int write_entry(struct cache *cache, struct table *table, struct entry *entry, enum entry_state state, mill_bytes value,
                       int64_t timestamp_ms, unsigned flags)
{
    bool in_commit = entry->commit == cache->commit;
    bool dirty = (entry->flags & ENTRY_DIRTY) != 0;
    bool caching = (flags & CACHE_CACHED) != 0;
    bool needs_undo = !in_commit || (caching && !dirty);
    struct undo *before = entry->undo;
    if (needs_undo && push_undo(cache, table, entry, state) == NULL)
        return MILL_ENOMEM;
    if (!table_set_value(table, entry, value)) {
        if (needs_undo)
            pop_undo(cache, entry, before);
        return MILL_ENOMEM;
    }
    if (mill_is_null(value))
        cache->deleted_count++;
    if (needs_undo)
        entry->flags = (uint8_t)(state == ENTRY_NEW ? entry->flags | ENTRY_FRESH : entry->flags & ~ENTRY_FRESH);
    entry->timestamp_ms = timestamp_ms;
    entry->commit = table->newest_commit = cache->commit;
    entry->written = ++cache->writes;
    entry->flags |= ENTRY_USED | (flags & CACHE_DERIVED ? ENTRY_DERIVED : 0);
    if (caching && !dirty) {
        entry->flags |= ENTRY_DIRTY;
        cache->dirty_count++;
    }
    return 0;
}

int cache_put(struct cache *cache, int64_t start_ms, mill_bytes key, mill_bytes value, int64_t timestamp_ms, unsigned flags,
              mill_bytes *old)
{
    mill_assert(!cache->frozen);
    struct table *table;
    int code = table_for(cache, start_ms, &table);
    if (code < 0)
        return code;
    struct missing missing = { 0 };
    struct entry *entry = find(cache, table, key, &missing);
    bool is_new = entry == NULL;
    if (old != NULL) {
        *old = mill_null();
        code = !is_new ? keep_old(cache, entry_value(entry), old) : missing.stored ? old_from_disk(cache, table, key, old) : 0;
        if (code < 0)
            return code;
    }
    if (!is_new && mill_is_null(value) && can_vanish(cache, entry, flags)) {
        vanish(cache, table, entry);
        return 0;
    }
    if (is_new)
        entry = add(cache, table, key, missing.hash, value.len);
    if (entry == NULL)
        return MILL_ENOMEM;
    enum entry_state state = !is_new ? ENTRY_KNOWN : missing.stored ? ENTRY_UNKNOWN : ENTRY_NEW;
    code = write_entry(cache, table, entry, state, value, timestamp_ms, flags);
    if (code < 0 && is_new)
        drop_entry(cache, table, entry);
    if (code < 0)
        return code;
    int64_t time_ms = by_key(cache) ? element_time_ms(entry_key(entry), cache->suffix_bytes) : start_ms;
    if (!cache->time_is_set)
        cache_move_time(cache, time_ms);
    return 0;
}

int cache_restore(struct cache *cache, const struct run_update *update)
{
    mill_assert(!cache->frozen);
    struct table *table;
    int code = table_for(cache, update->start_ms, &table);
    if (code < 0)
        return code;
    struct missing missing = { 0 };
    struct entry *entry = find(cache, table, update->key, &missing);
    if (entry == NULL)
        entry = add(cache, table, update->key, missing.hash, update->value.len);
    if (entry == NULL || !table_set_value(table, entry, update->value))
        return MILL_ENOMEM;
    entry->timestamp_ms = update->timestamp_ms;
    entry->commit = table->newest_commit = cache->commit;
    entry->written = ++cache->writes;
    return 0;
}

/* ---- what is dirty, in the order of last writes ---------------------------------------------------------------------------- */

static int sort_dirty(struct cache *cache)
{
    if (cache->order_capacity < cache->dirty_count) {
        size_t capacity = cache->dirty_count < ORDER_FIRST ? ORDER_FIRST : cache->dirty_count + cache->dirty_count / 2;
        struct radix_pair *order = mem_alloc(capacity * 2 * sizeof *order);
        if (order == NULL)
            return MILL_ENOMEM;
        mem_free(cache->order);
        cache->order = order;
        cache->order_capacity = capacity;
    }
    size_t count = 0;
    for (struct undo *undo = cache->newest_undo; undo != NULL; undo = undo->older) {
        const struct entry *entry = undo->entry;
        if (entry != NULL && entry->undo == undo && (entry->flags & ENTRY_DIRTY) != 0)
            cache->order[count++] = (struct radix_pair){ entry->written, (uint64_t)(uintptr_t)undo };
    }
    mill_assert(count == cache->dirty_count);
    radix_sort(cache->order, cache->order + cache->order_capacity, count);
    cache->order_count = count;
    cache->order_at = 0;
    return 0;
}

static struct undo *undo_at(const struct cache *cache, size_t i)
{
    return (struct undo *)(uintptr_t)cache->order[i].attached;
}

static int old_of(struct cache *cache, const struct undo *undo, mill_bytes *old)
{
    if (undo->value_len == UNDO_UNKNOWN)
        return old_from_disk(cache, undo->table, entry_key(undo->entry), old);
    *old = undo->value_len < 0 ? mill_null() : mill_bytes_of(undo->value, (size_t)undo->value_len);
    return 0;
}

int cache_next_dirty(struct cache *cache, struct cache_change *change)
{
    while (cache->dirty_count > 0) {
        if (cache->order_at == cache->order_count) {
            int code = sort_dirty(cache);
            if (code < 0)
                return code;
        }
        if (cache->order_at + 2 * AHEAD < cache->order_count)
            __builtin_prefetch(undo_at(cache, cache->order_at + 2 * AHEAD));
        if (cache->order_at + AHEAD < cache->order_count)
            __builtin_prefetch(undo_at(cache, cache->order_at + AHEAD)->entry, 1);
        const struct undo *undo = undo_at(cache, cache->order_at);
        struct entry *entry = undo->entry;
        *change = (struct cache_change){ .start_ms = undo->table->window_start_ms,
                                         .key = entry_key(entry),
                                         .value = entry_value(entry),
                                         .timestamp_ms = entry->timestamp_ms,
                                         .derived = (entry->flags & ENTRY_DERIVED) != 0 };
        int code = old_of(cache, undo, &change->old_value);
        if (code < 0)
            return code;
        cache->order_at++;
        entry->flags &= (uint8_t)~ENTRY_DIRTY;
        cache->dirty_count--;
        if (!mill_is_null(change->value) || !mill_is_null(change->old_value))
            return 1;
    }
    return 0;
}

/* ---- commit ---------------------------------------------------------------------------------------------------------------- */

int cache_freeze(struct cache *cache, struct run *run)
{
    mill_assert(!cache->frozen && cache->dirty_count == 0);
    for (struct undo *undo = cache->newest_undo; run != NULL && undo != NULL; undo = undo->older) {
        if (undo->older != NULL)
            __builtin_prefetch(undo->older->entry);
        const struct entry *entry = undo->entry;
        if (entry == NULL || undo->previous != NULL || (entry->flags & ENTRY_DERIVED) != 0)
            continue;
        struct run_update update = { undo->table->window_start_ms, entry->timestamp_ms, entry_key(entry), entry_value(entry) };
        if (!run_append(run, &update))
            return MILL_ENOMEM;
    }
    cache->frozen = true;
    return 0;
}

static void clear_undo(struct cache *cache)
{
    arena_clear(&cache->undo_memory);
    cache->newest_undo = NULL;
    cache->spare_undo = NULL;
    cache->undo_count = 0;
    cache->deleted_count = 0;
    cache->uncommitted_bytes = 0;
    cache->order_count = 0;
    cache->order_at = 0;
    cache->frozen = false;
}

/* In memory a deleted entry has no further use. */
static void drop_deleted(struct cache *cache)
{
    for (struct undo *undo = cache->newest_undo; undo != NULL; undo = undo->older)
        if (undo->entry != NULL && undo->previous == NULL && undo->entry->value_len == ENTRY_ABSENT)
            drop_entry(cache, undo->table, undo->entry);
}

static void remove_from_timeline(struct cache *cache, const struct table *table)
{
    const struct entry *some[TIMELINE_REMOVED_AT_ONCE];
    size_t count = 0;
    uint32_t at = 0;
    for (const struct entry *entry = table_next(table, &at); entry != NULL; entry = table_next(table, &at)) {
        some[count++] = entry;
        if (count < TIMELINE_REMOVED_AT_ONCE)
            continue;
        timeline_remove_some(&cache->timeline, some, count);
        count = 0;
    }
    timeline_remove_some(&cache->timeline, some, count);
}

static void drop_table(struct cache *cache, struct table *table)
{
    forget_shortcuts(cache);
    cache->whole_known = false;
    if (by_key(cache))
        remove_from_timeline(cache, table);
    window_map_remove(&cache->windows, table);
}

static void drop_expired(struct cache *cache)
{
    if (cache->windows.count == 0 || !cache_expired(cache, cache->oldest_start_ms))
        return;
    int64_t oldest_ms = INT64_MAX;
    size_t at = 0;
    for (struct table *table = window_map_next(&cache->windows, &at); table != NULL;
         table = window_map_next(&cache->windows, &at)) {
        if (cache_expired(cache, table->window_start_ms)) {
            drop_table(cache, table);
            at--;
        } else if (table->window_start_ms < oldest_ms) {
            oldest_ms = table->window_start_ms;
        }
    }
    cache->oldest_start_ms = oldest_ms;
}

void cache_committed(struct cache *cache)
{
    mill_assert(cache->frozen);
    if (cache->disk == NULL && cache->deleted_count > 0)
        drop_deleted(cache);
    clear_undo(cache);
    cache->commit++;
    cache->committed_stream_time_ms = cache->stream_time_ms;
    cache->committed_resumed_at_ms = cache->resumed_at_ms;
    cache->committed_sequence = cache->sequence;
    cache->whole_known = false;
    drop_expired(cache);
}

void cache_roll_back(struct cache *cache)
{
    for (struct undo *undo = cache->newest_undo; undo != NULL; undo = undo->older) {
        struct entry *entry = undo->entry;
        if (entry == NULL)
            continue;
        if (undo->value_len == UNDO_UNKNOWN) /* the disk may have it, although its segment was loaded meanwhile */
            undo->table->complete = false;
        if (undo->value_len == UNDO_NEW || undo->value_len == UNDO_UNKNOWN) {
            drop_entry(cache, undo->table, entry);
            continue;
        }
        bool set =
            table_set_value(undo->table, entry,
                            undo->value_len == ENTRY_ABSENT ? mill_null() : mill_bytes_of(undo->value, (size_t)undo->value_len));
        mill_assert(set); /* the room of the value before is still there */
        entry->timestamp_ms = undo->timestamp_ms;
        entry->commit = undo->commit;
        entry->undo = undo->previous;
        entry->flags &= (uint8_t)~ENTRY_DIRTY;
    }
    cache->dirty_count = 0;
    clear_undo(cache);
    cache->stream_time_ms = cache->committed_stream_time_ms;
    cache->resumed_at_ms = cache->committed_resumed_at_ms;
    cache->sequence = cache->committed_sequence;
    cache->whole_known = false;
}

void cache_flushed(struct cache *cache, uint32_t commit)
{
    mill_assert(commit < cache->commit && commit >= cache->flushed);
    cache->flushed = commit;
    cache->trims_in_vain = false;
    cache->whole_known = false;
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------- */

size_t cache_bytes(const struct cache *cache)
{
    size_t bytes = 0;
    size_t at = 0;
    for (const struct table *table = window_map_next(&cache->windows, &at); table != NULL;
         table = window_map_next(&cache->windows, &at))
        bytes += table->bytes;
    return bytes + (by_key(cache) ? timeline_bytes(&cache->timeline) : 0);
}

static bool all_clean(const struct cache *cache, const struct table *table)
{
    return table->newest_commit <= cache->flushed;
}

static int by_start(const void *a, const void *b)
{
    int64_t left = (*(struct table *const *)a)->window_start_ms;
    int64_t right = (*(struct table *const *)b)->window_start_ms;
    return left < right ? -1 : left > right;
}

/* All tables, oldest first; mem_alloc'ed, NULL without memory. */
static struct table **tables_by_start(const struct cache *cache)
{
    struct table **tables = mem_alloc(cache->windows.count * sizeof *tables);
    size_t count = 0;
    size_t at = 0;
    for (struct table *table = tables ? window_map_next(&cache->windows, &at) : NULL; table != NULL;
         table = window_map_next(&cache->windows, &at))
        tables[count++] = table;
    if (tables != NULL)
        qsort(tables, count, sizeof *tables, by_start);
    return tables;
}

/* Its clean entries; and when it then consists of little but their traces, these. Returns the bytes gone. */
static size_t shrink_table(struct cache *cache, struct table *table, size_t bytes_wanted)
{
    size_t before = table->bytes;
    size_t gone = table_sweep(table, bytes_wanted, may_leave, cache);
    if (gone < bytes_wanted && table->trace_count > table->count / 2)
        (void)table_forget_traces(table); /* without memory for that they stay */
    return before - table->bytes;
}

void cache_trim(struct cache *cache, size_t bytes_max, size_t unflushed_bytes)
{
    size_t bytes = cache->disk == NULL ? 0 : cache_bytes(cache);
    size_t before = bytes;
    cache->read_bytes = 0;
    cache->trims_in_vain = false;
    if (bytes <= bytes_max + unflushed_bytes)
        return;
    bytes_max += unflushed_bytes - bytes_max / 8; /* so that not every time has to come back */
    struct table **tables = tables_by_start(cache);
    size_t count = tables == NULL ? 0 : cache->windows.count;
    forget_shortcuts(cache);
    cache->whole_known = false;
    for (size_t i = 0; i < count && bytes > bytes_max; i++) {
        bool newest = i + 1 == count; /* likely the one in use */
        if (!newest && all_clean(cache, tables[i])) {
            bytes -= tables[i]->bytes;
            drop_table(cache, tables[i]);
        } else {
            bytes -= shrink_table(cache, tables[i], bytes - bytes_max);
        }
    }
    mem_free(tables);
    cache->trims_in_vain = unflushed_bytes > 0 && before - bytes < cache->read_bytes_max / 2;
}

void cache_resume_at(struct cache *cache, int64_t time_ms)
{
    cache->resumed_at_ms = cache->committed_resumed_at_ms = time_ms;
    cache->whole_known = false;
}

void cache_set_stream_time(struct cache *cache, int64_t stream_time_ms, uint32_t sequence)
{
    cache->stream_time_ms = cache->committed_stream_time_ms = stream_time_ms;
    cache->sequence = cache->committed_sequence = sequence;
    cache->whole_known = false;
}

int64_t cache_committed_expiry(const struct cache *cache)
{
    int64_t time_ms = window_resumed_time(cache->committed_stream_time_ms, cache->committed_resumed_at_ms, cache->slack_ms);
    return window_expired_until(cache->retention_ms, time_ms);
}

void cache_clear(struct cache *cache)
{
    mill_assert(cache->newest_undo == NULL);
    forget_shortcuts(cache);
    window_map_release(&cache->windows);
    if (by_key(cache))
        timeline_clear(&cache->timeline);
    cache->whole_known = false;
    cache->oldest_start_ms = INT64_MAX;
}

/* ---- ranges ---------------------------------------------------------------------------------------------------------------- */

static int by_start_and_key(const void *a, const void *b)
{
    const struct cache_item *left = a;
    const struct cache_item *right = b;
    if (left->start_ms != right->start_ms)
        return left->start_ms < right->start_ms ? -1 : 1;
    return mill_bytes_compare(entry_key(left->entry), entry_key(right->entry));
}

static bool in_range(const struct byte_range *range, mill_bytes key)
{
    return (mill_is_null(range->from) || mill_bytes_compare(range->from, key) <= 0) &&
           (mill_is_null(range->to) || mill_bytes_compare(key, range->to) <= 0);
}

static bool collect(struct cache_items *items, struct cache_item item)
{
    if (items->count == items->capacity) {
        size_t capacity = items->capacity == 0 ? 64 : items->capacity * 2;
        struct cache_item *larger = mem_realloc(items->at, capacity * sizeof *larger);
        if (larger == NULL)
            return false;
        items->at = larger;
        items->capacity = capacity;
    }
    items->at[items->count++] = item;
    return true;
}

static bool collect_table(const struct cache *cache, const struct table *table, const struct byte_range *range,
                          struct cache_items *items)
{
    uint32_t at = 0;
    for (const struct entry *entry = table_next(table, &at); entry != NULL; entry = table_next(table, &at)) {
        bool newer = cache->disk == NULL ? entry->value_len != ENTRY_ABSENT : !is_clean(cache, entry);
        if (newer && in_range(range, entry_key(entry)) && !collect(items, (struct cache_item){ table->window_start_ms, entry }))
            return false;
    }
    return true;
}

int cache_collect(const struct cache *cache, const struct byte_range *range, struct cache_items *items)
{
    size_t at = 0;
    for (const struct table *table = window_map_next(&cache->windows, &at); table != NULL;
         table = window_map_next(&cache->windows, &at)) {
        if (table->window_start_ms < range->from_start_ms || table->window_start_ms > range->to_start_ms)
            continue;
        if (!collect_table(cache, table, range, items))
            return MILL_ENOMEM;
    }
    if (items->count > 0)
        qsort(items->at, items->count, sizeof *items->at, by_start_and_key);
    return 0;
}

/* ---- by key ---------------------------------------------------------------------------------------------------------------- */

static bool segment_is_whole(struct cache *cache, int64_t end_ms)
{
    const struct table *table = window_map_find(&cache->windows, end_ms);
    if (table != NULL)
        return table->complete && table->trace_count == 0;
    return cache->disk == NULL || !cache->disk->ops->may_have(cache->disk, end_ms);
}

/* Walks down from the newest segment to the first that memory does not know all of: at most HELD_SEGMENTS. */
static void find_whole(struct cache *cache)
{
    int64_t oldest_ms = window_expired_until(cache->retention_ms, cache_time(cache)) + 1;
    int64_t newest_ms = cache->stream_time_ms < 0 ? 0 : cache->stream_time_ms;
    int64_t end_ms = layout_segment_end(cache->segment_ms, newest_ms);
    cache->whole_from_ms = INT64_MAX;
    while (segment_is_whole(cache, end_ms)) {
        cache->whole_from_ms = layout_segment_start(cache->segment_ms, end_ms);
        if (cache->whole_from_ms <= oldest_ms) {
            cache->whole_from_ms = 0;
            break;
        }
        end_ms = cache->whole_from_ms - 1;
    }
    cache->whole_known = true;
}

bool cache_is_whole_from(struct cache *cache, int64_t from_ms)
{
    if (!cache->whole_known)
        find_whole(cache);
    return from_ms >= cache->whole_from_ms;
}

static int load_entry(struct cache *cache, struct table *table, const mill_store_entry *stored)
{
    bool traced;
    uint32_t hash = table_hash(stored->key);
    if (table_find(table, stored->key, hash, &traced) != NULL)
        return 0; /* memory knows better */
    struct entry *entry = add(cache, table, stored->key, hash, stored->value.len);
    if (entry == NULL)
        return MILL_ENOMEM;
    entry->timestamp_ms = stored->timestamp_ms;
    if (table_set_value(table, entry, stored->value))
        return 0;
    drop_entry(cache, table, entry);
    return MILL_ENOMEM;
}

/* All of a segment into its table. 1, 0 when it is too large, error: then the table has some of it. */
static int load_segment(struct cache *cache, int64_t end_ms)
{
    struct table *table;
    struct byte_cursor *cursor;
    int code = table_for(cache, end_ms, &table);
    if (code == 0 && table->trace_count > 0)
        return 0;
    struct byte_range range = { .from_start_ms = end_ms, .to_start_ms = end_ms };
    if (code == 0)
        code = cache->disk->ops->cursor_open(cache->disk, &range, &cursor);
    if (code < 0)
        return code;
    mill_store_entry stored;
    size_t others = cache_bytes(cache) - table->bytes;
    while ((code = cache->disk->ops->cursor_next(cursor, &stored)) > 0 && others + table->bytes < cache->load_bytes_max) {
        code = load_entry(cache, table, &stored);
        if (code < 0)
            break;
    }
    cache->disk->ops->cursor_close(cursor);
    if (code == 0)
        table->complete = true;
    return code < 0 ? code : code == 0;
}

int cache_make_whole_from(struct cache *cache, int64_t from_ms)
{
    while (!cache_is_whole_from(cache, from_ms)) {
        int64_t newest_ms = cache->whole_from_ms == INT64_MAX ? cache->stream_time_ms : cache->whole_from_ms - 1;
        int64_t end_ms = layout_segment_end(cache->segment_ms, newest_ms);
        if (end_ms <= cache->not_loaded_to_ms || cache_bytes(cache) >= cache->load_bytes_max)
            return 0;
        int loaded = load_segment(cache, end_ms);
        cache->whole_known = false;
        if (loaded == 0)
            cache->not_loaded_to_ms = end_ms;
        if (loaded <= 0)
            return loaded;
    }
    return 1;
}

/* Is it to be collected: as all that memory has, or as what the disk does not know? */
static bool is_wanted(const struct cache *cache, const struct entry *entry, bool whole)
{
    return whole ? entry->value_len != ENTRY_ABSENT : !is_clean(cache, entry);
}

int cache_collect_key(struct cache *cache, mill_bytes key, int64_t from_ms, int64_t to_ms, bool whole, struct cache_items *items)
{
    struct time_span span = timeline_span(&cache->timeline, key, from_ms, to_ms);
    for (size_t i = 0; i < span.count; i++) {
        struct cache_item item = { layout_segment_end(cache->segment_ms, span.items[i].time_ms), span.items[i].entry };
        if (is_wanted(cache, item.entry, whole) && !collect(items, item))
            return MILL_ENOMEM;
    }
    return 0;
}

int cache_collect_segment(struct cache *cache, int64_t end_ms, bool whole, struct cache_items *items)
{
    const struct table *table = window_map_find(&cache->windows, end_ms);
    uint32_t at = 0;
    for (const struct entry *entry = table ? table_next(table, &at) : NULL; entry != NULL; entry = table_next(table, &at))
        if (is_wanted(cache, entry, whole) && !collect(items, (struct cache_item){ end_ms, entry }))
            return MILL_ENOMEM;
    return 0;
}

/* ---- windows --------------------------------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

int cache_window_starts(const struct cache *cache, int64_t from_ms, int64_t to_ms, int64_t **starts, size_t *count)
{
    *count = 0;
    *starts = mem_alloc((cache->windows.count + 1) * sizeof **starts);
    if (*starts == NULL)
        return MILL_ENOMEM;
    size_t at = 0;
    for (const struct table *table = window_map_next(&cache->windows, &at); table != NULL;
         table = window_map_next(&cache->windows, &at))
        if (table->window_start_ms >= from_ms && table->window_start_ms <= to_ms)
            (*starts)[(*count)++] = table->window_start_ms;
    qsort(*starts, *count, sizeof **starts, by_number);
    return 0;
}

uint64_t cache_count(struct cache *cache)
{
    if (cache->disk != NULL)
        return cache->disk->ops->count(cache->disk);
    uint64_t count = 0;
    size_t window = 0;
    for (const struct table *table = window_map_next(&cache->windows, &window); table != NULL;
         table = window_map_next(&cache->windows, &window)) {
        uint32_t at = 0;
        for (const struct entry *entry = table_next(table, &at); entry != NULL; entry = table_next(table, &at))
            count += entry->value_len != ENTRY_ABSENT;
    }
    return count;
}
