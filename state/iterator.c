/*
 * Iterators: what is on disk merged with what the disk does not know yet.
 *
 * Opening takes a sorted snapshot of the newer entries of the range (pointers: such entries do not leave before the next commit)
 * and a cursor of the byte store. Where both have a key, memory is right; an absent entry hides the disk's. One key over many
 * windows goes from window to window instead, each a point lookup.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "state/typed_store.h"

struct mill_store_iterator {
    struct typed_store *store;
    struct list link;
    struct byte_range range;
    mill_bytes prefix;        /* null: none */
    bool by_window;           /* one key, window by window */
    int64_t next_start_ms;    /* by window: where to look next on disk; outside the range at the end */
    int64_t *starts;          /* by window: of those in memory, ascending; item_count of them */
    struct cache_item *items; /* newer than the disk, ascending */
    size_t item_count;
    size_t item_at; /* counted in the iterator's order */
    struct byte_cursor *cursor;
    mill_store_entry stored; /* the cursor's entry, when `has_stored` */
    bool has_stored;
    uint8_t bytes[]; /* copies of the range's keys and the prefix */
};

void mill_store_iterator_close(mill_store_iterator *iterator)
{
    if (iterator == NULL)
        return;
    list_remove(&iterator->link);
    if (iterator->cursor != NULL)
        iterator->store->cache.disk->ops->cursor_close(iterator->cursor);
    mem_free(iterator->items);
    mem_free(iterator->starts);
    mem_free(iterator);
}

void typed_store_close_iterators(struct typed_store *store)
{
    list_for_each_safe (node, &store->iterators)
        mill_store_iterator_close(list_entry(node, struct mill_store_iterator, link));
}

/* The least key that is greater than all that start with `prefix`, in place: its new length, 0 when there is none. */
static size_t next_prefix(uint8_t *prefix, size_t len)
{
    while (len > 0 && prefix[len - 1] == 0xff)
        len--;
    if (len > 0)
        prefix[len - 1]++;
    return len;
}

static mill_bytes copy(uint8_t **at, mill_bytes bytes)
{
    if (mill_is_null(bytes))
        return bytes;
    mill_bytes copied = { *at, bytes.len };
    if (bytes.len > 0)
        memcpy(*at, bytes.data, bytes.len);
    *at += bytes.len + 1; /* one more, so that empty is not beyond the end */
    return copied;
}

static mill_store_iterator *new_iterator(struct typed_store *store, const struct byte_range *range, mill_bytes prefix)
{
    size_t bytes = range->from.len + range->to.len + 2 * prefix.len + 4;
    mill_store_iterator *iterator = mem_calloc(1, sizeof *iterator + bytes);
    if (iterator == NULL)
        return NULL;
    uint8_t *at = iterator->bytes;
    iterator->store = store;
    iterator->range = *range;
    iterator->range.from = copy(&at, range->from);
    iterator->range.to = copy(&at, range->to);
    iterator->prefix = copy(&at, prefix);
    if (!mill_is_null(prefix)) {
        mill_bytes beyond = copy(&at, prefix);
        beyond.len = next_prefix((uint8_t *)(uintptr_t)beyond.data, beyond.len);
        iterator->range.to = beyond.len > 0 ? beyond : mill_null();
    }
    list_init(&iterator->link);
    list_push_back(&store->iterators, &iterator->link);
    return iterator;
}

static int next_stored(mill_store_iterator *iterator)
{
    iterator->has_stored = false;
    if (iterator->cursor == NULL)
        return 0;
    int found = iterator->store->cache.disk->ops->cursor_next(iterator->cursor, &iterator->stored);
    iterator->has_stored = found > 0;
    return found < 0 ? found : 0;
}

int typed_store_iterate(struct typed_store *store, const struct byte_range *range, mill_bytes prefix,
                        mill_store_iterator **opened)
{
    *opened = NULL;
    mill_store_iterator *iterator = new_iterator(store, range, prefix);
    if (iterator == NULL)
        return MILL_ENOMEM;
    struct cache *cache = &store->cache;
    int code = 0;
    if (store->head.builder->kind == MILL_STORE_WINDOW && !mill_is_null(range->from)) {
        iterator->by_window = true;
        iterator->next_start_ms = range->order == MILL_FORWARD ? range->from_start_ms : range->to_start_ms;
        code = cache_window_starts(cache, range->from_start_ms, range->to_start_ms, &iterator->starts, &iterator->item_count);
    } else {
        code = cache_collect(cache, &iterator->range, &iterator->items, &iterator->item_count);
        if (code == 0 && cache->disk != NULL)
            code = cache->disk->ops->cursor_open(cache->disk, &iterator->range, &iterator->cursor);
        if (code >= 0)
            code = next_stored(iterator);
    }
    if (code < 0) {
        mill_store_iterator_close(iterator);
        return code;
    }
    *opened = iterator;
    return 0;
}

/* ---- one key, window by window --------------------------------------------------------------------------------------------- */

/* Is `a` before `b` in the iterator's order? */
static bool comes_before(const mill_store_iterator *iterator, int64_t a, int64_t b)
{
    return iterator->range.order == MILL_FORWARD ? a < b : a > b;
}

/* The next window in memory or on disk, within the range. 1, 0, error. */
static int next_window(mill_store_iterator *iterator, int64_t *start_ms)
{
    const struct byte_range *range = &iterator->range;
    struct byte_store *disk = iterator->store->cache.disk;
    bool in_memory = iterator->item_at < iterator->item_count;
    bool in_range = iterator->next_start_ms >= range->from_start_ms && iterator->next_start_ms <= range->to_start_ms;
    int64_t stored_ms;
    int stored =
        disk == NULL || !in_range ? 0 : disk->ops->nearest_window(disk, iterator->next_start_ms, range->order, &stored_ms);
    if (stored < 0)
        return stored;
    if (in_memory)
        *start_ms =
            iterator->starts[range->order == MILL_FORWARD ? iterator->item_at : iterator->item_count - 1 - iterator->item_at];
    if (stored > 0 && (stored_ms < range->from_start_ms || stored_ms > range->to_start_ms))
        stored = 0;
    if (stored > 0 && (!in_memory || comes_before(iterator, stored_ms, *start_ms)))
        *start_ms = stored_ms;
    else if (in_memory)
        iterator->item_at++;
    return in_memory || stored > 0;
}

static int next_by_window(mill_store_iterator *iterator, mill_store_entry *entry)
{
    for (;;) {
        int64_t start_ms = 0;
        int found = next_window(iterator, &start_ms);
        if (found <= 0)
            return found;
        bool forward = iterator->range.order == MILL_FORWARD;
        bool last = forward ? start_ms == INT64_MAX : start_ms == 0;
        iterator->next_start_ms = last ? -1 : forward ? start_ms + 1 : start_ms - 1;
        found = cache_get(&iterator->store->cache, start_ms, iterator->range.from, &entry->value, &entry->timestamp_ms);
        if (found != 0) {
            entry->key = iterator->range.from;
            entry->window_start_ms = start_ms;
            return found;
        }
    }
}

/* ---- a range of keys ------------------------------------------------------------------------------------------------------- */

static const struct cache_item *current_item(const mill_store_iterator *iterator)
{
    if (iterator->item_at >= iterator->item_count)
        return NULL;
    bool forward = iterator->range.order == MILL_FORWARD;
    return &iterator->items[forward ? iterator->item_at : iterator->item_count - 1 - iterator->item_at];
}

/* Below 0: the item comes first in the iterator's order; 0: the same entry. */
static int compare(const mill_store_iterator *iterator, const struct cache_item *item, const mill_store_entry *stored)
{
    int order = item->start_ms < stored->window_start_ms ? -1 : item->start_ms > stored->window_start_ms;
    if (order == 0)
        order = mill_bytes_compare(entry_key(item->entry), stored->key);
    return iterator->range.order == MILL_FORWARD ? order : -order;
}

/* The next of both, absent ones as null values. 1, 0, error. */
static int next_merged(mill_store_iterator *iterator, mill_store_entry *entry)
{
    const struct cache_item *item = current_item(iterator);
    if (item == NULL && !iterator->has_stored)
        return 0;
    int order = item == NULL ? 1 : !iterator->has_stored ? -1 : compare(iterator, item, &iterator->stored);
    if (order <= 0) {
        *entry =
            (mill_store_entry){ entry_key(item->entry), entry_value(item->entry), item->entry->timestamp_ms, item->start_ms };
        iterator->item_at++;
    } else {
        *entry = iterator->stored;
    }
    if (order >= 0) {
        int code = next_stored(iterator);
        if (code < 0)
            return code;
    }
    return 1;
}

static bool starts_with(mill_bytes key, mill_bytes prefix)
{
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

int mill_store_iterator_next(mill_store_iterator *iterator, mill_store_entry *entry)
{
    if (iterator->by_window)
        return next_by_window(iterator, entry);
    for (;;) {
        int found = next_merged(iterator, entry);
        if (found <= 0)
            return found;
        if (!mill_is_null(entry->value) && (mill_is_null(iterator->prefix) || starts_with(entry->key, iterator->prefix)))
            return 1;
    }
}
