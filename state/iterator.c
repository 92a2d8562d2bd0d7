/*
 * Iterators: what is on disk merged with what the disk does not know yet.
 *
 * Opening takes a sorted snapshot of the newer entries of the range (pointers: such entries do not leave before the next commit)
 * and a cursor of the byte store. Where both have a key, memory is right; an absent entry hides the disk's. One key over many
 * windows goes from window to window instead, each a point lookup.
 *
 * A store that is laid out by key (layout.h) answers one key from its timeline, without the disk when memory is known to be
 * whole, and all keys segment by segment, each collected and sorted by time. Closed iterators keep their memory for the next.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "state/layout.h"
#include "state/typed_store.h"
#include "state/window_expiry.h"

/* By key, all keys: an entry of the segment at hand. */
struct row {
    mill_store_entry entry;   /* with the element as its key */
    const struct entry *live; /* in memory; NULL: from disk */
};

struct mill_store_iterator {
    struct typed_store *store;
    struct list link;
    int (*next)(mill_store_iterator *iterator, mill_store_entry *entry);
    struct byte_range range;
    mill_bytes prefix;     /* null: none */
    int64_t next_start_ms; /* by window: where to look next on disk; outside the range at the end */
    int64_t *starts;       /* by window: of those in memory, ascending; start_count of them */
    size_t start_count;
    struct cache_items items; /* newer than the disk, ascending */
    size_t item_at;           /* counted in the iterator's order; also of starts and rows */
    struct byte_cursor *cursor;
    mill_store_entry stored; /* the cursor's entry, when `has_stored` */
    bool has_stored;
    struct time_range time; /* by key */
    int64_t segment_end_ms; /* by key, all keys: of the next segment; below 0 at the end */
    struct row *rows;
    size_t row_count;
    size_t row_capacity;
    size_t work;         /* entries that were collected and sorted */
    struct buffer bytes; /* copies of the range's keys and the prefix */
};

static void free_iterator(mill_store_iterator *iterator)
{
    if (iterator == NULL)
        return;
    buffer_release(&iterator->bytes);
    mem_free(iterator->items.at);
    mem_free(iterator->rows);
    mem_free(iterator);
}

void mill_store_iterator_close(mill_store_iterator *iterator)
{
    if (iterator == NULL)
        return;
    struct typed_store *store = iterator->store;
    store->cache.open_iterators--;
    list_remove(&iterator->link);
    if (iterator->cursor != NULL)
        store->cache.disk->ops->cursor_close(iterator->cursor);
    mem_free(iterator->starts);
    if (store->spare_iterator == NULL)
        store->spare_iterator = iterator;
    else
        free_iterator(iterator);
}

void typed_store_free_spare(struct typed_store *store)
{
    free_iterator(store->spare_iterator);
    store->spare_iterator = NULL;
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

/* A copy in the iterator's bytes, where there is room for it and one more, so that empty is not null. */
static mill_bytes copy(mill_store_iterator *iterator, mill_bytes bytes)
{
    if (mill_is_null(bytes))
        return bytes;
    struct buffer *buffer = &iterator->bytes;
    mill_bytes copied = { buffer->data + buffer->len, bytes.len };
    buffer_append(buffer, bytes.data, bytes.len);
    buffer_append_u8(buffer, 0);
    return copied;
}

static mill_store_iterator *make_iterator(void)
{
    mill_store_iterator *iterator = mem_calloc(1, sizeof *iterator);
    if (iterator != NULL)
        buffer_init(&iterator->bytes, SIZE_MAX / 2);
    return iterator;
}

/* All but the memory that it keeps: field by field, because the whole is large and this happens for each record of some. */
static void reset(mill_store_iterator *iterator, struct typed_store *store)
{
    iterator->store = store;
    iterator->range = (struct byte_range){ 0 };
    iterator->prefix = mill_null();
    iterator->starts = NULL;
    iterator->start_count = 0;
    iterator->items.count = 0;
    iterator->item_at = 0;
    iterator->cursor = NULL;
    iterator->has_stored = false;
    iterator->time.key = mill_null();
    iterator->row_count = 0;
    iterator->work = 0;
    buffer_clear(&iterator->bytes);
}

/* The spare one, or a new one, with room for `bytes` of copies. NULL: no memory. */
static mill_store_iterator *take_iterator(struct typed_store *store, size_t bytes)
{
    mill_store_iterator *iterator = store->spare_iterator != NULL ? store->spare_iterator : make_iterator();
    store->spare_iterator = NULL;
    if (iterator == NULL)
        return NULL;
    reset(iterator, store);
    if (buffer_reserve(&iterator->bytes, bytes) == NULL) {
        free_iterator(iterator);
        return NULL;
    }
    list_init(&iterator->link);
    list_push_back(&store->iterators, &iterator->link);
    store->cache.open_iterators++;
    return iterator;
}

static mill_store_iterator *new_iterator(struct typed_store *store, const struct byte_range *range, mill_bytes prefix)
{
    mill_store_iterator *iterator = take_iterator(store, range->from.len + range->to.len + 2 * prefix.len + 4);
    if (iterator == NULL)
        return NULL;
    iterator->range = *range;
    iterator->range.from = copy(iterator, range->from);
    iterator->range.to = copy(iterator, range->to);
    iterator->prefix = copy(iterator, prefix);
    if (!mill_is_null(prefix)) {
        mill_bytes beyond = copy(iterator, prefix);
        beyond.len = next_prefix((uint8_t *)(uintptr_t)beyond.data, beyond.len);
        iterator->range.to = beyond.len > 0 ? beyond : mill_null();
    }
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

static int next_by_window(mill_store_iterator *iterator, mill_store_entry *entry);
static int next_in_range(mill_store_iterator *iterator, mill_store_entry *entry);

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
        iterator->next = next_by_window;
        iterator->next_start_ms = range->order == MILL_FORWARD ? range->from_start_ms : range->to_start_ms;
        code = cache_window_starts(cache, range->from_start_ms, range->to_start_ms, &iterator->starts, &iterator->start_count);
    } else {
        iterator->next = next_in_range;
        code = cache_collect(cache, &iterator->range, &iterator->items);
        if (code == 0 && cache->disk != NULL)
            code = cache->disk->ops->cursor_open(cache->disk, &iterator->range, &iterator->cursor);
        if (code >= 0)
            code = next_stored(iterator);
    }
    iterator->work = iterator->start_count + iterator->items.count;
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
    bool in_memory = iterator->item_at < iterator->start_count;
    bool in_range = iterator->next_start_ms >= range->from_start_ms && iterator->next_start_ms <= range->to_start_ms;
    int64_t stored_ms;
    int stored =
        disk == NULL || !in_range ? 0 : disk->ops->nearest_window(disk, iterator->next_start_ms, range->order, &stored_ms);
    if (stored < 0)
        return stored;
    if (in_memory)
        *start_ms =
            iterator->starts[range->order == MILL_FORWARD ? iterator->item_at : iterator->start_count - 1 - iterator->item_at];
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
            entry->window_end_ms = 0;
            return found;
        }
    }
}

/* ---- a range of keys ------------------------------------------------------------------------------------------------------- */

static const struct cache_item *current_item(const mill_store_iterator *iterator)
{
    if (iterator->item_at >= iterator->items.count)
        return NULL;
    bool forward = iterator->range.order == MILL_FORWARD;
    return &iterator->items.at[forward ? iterator->item_at : iterator->items.count - 1 - iterator->item_at];
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
        *entry = (mill_store_entry){ .key = entry_key(item->entry),
                                     .value = entry_value(item->entry),
                                     .timestamp_ms = item->entry->timestamp_ms,
                                     .window_start_ms = item->start_ms };
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

static int next_in_range(mill_store_iterator *iterator, mill_store_entry *entry)
{
    for (;;) {
        int found = next_merged(iterator, entry);
        if (found <= 0)
            return found;
        if (!mill_is_null(entry->value) && (mill_is_null(iterator->prefix) || starts_with(entry->key, iterator->prefix)))
            return 1;
    }
}

/* ---- by key ---------------------------------------------------------------------------------------------------------------- */

/* Turns an element into key and times. False: outside of what is asked for. */
static bool show(const mill_store_iterator *iterator, mill_store_entry *entry)
{
    const struct time_range *time = &iterator->time;
    size_t suffix_bytes = iterator->store->cache.suffix_bytes;
    int64_t time_ms = element_time_ms(entry->key, suffix_bytes);
    bool session = iterator->store->head.builder->kind == MILL_STORE_SESSION;
    entry->window_start_ms = session ? element_time_ms(entry->key, ELEMENT_TIME_BYTES) : time_ms;
    entry->window_end_ms = session ? time_ms : 0;
    entry->key = element_key(entry->key, suffix_bytes);
    if (!mill_is_null(time->key) && !mill_bytes_equal(entry->key, time->key))
        return false; /* a longer key that begins alike lies in between */
    return time_ms >= time->from_ms && time_ms <= time->to_ms && entry->window_start_ms <= time->start_to_ms;
}

static int next_of_key(mill_store_iterator *iterator, mill_store_entry *entry)
{
    for (;;) {
        int found = next_merged(iterator, entry);
        if (found <= 0)
            return found;
        if (!mill_is_null(entry->value) && show(iterator, entry))
            return 1;
    }
}

/* The elements between which the disk is to be read: key | from 8, and key | to 8 with the largest rest. */
static void copy_bounds(mill_store_iterator *iterator)
{
    const struct time_range *time = &iterator->time;
    struct buffer *bytes = &iterator->bytes;
    size_t suffix_bytes = iterator->store->cache.suffix_bytes;
    iterator->range.from = mill_bytes_of(bytes->data + bytes->len, time->key.len + ELEMENT_TIME_BYTES);
    buffer_append(bytes, time->key.data, time->key.len);
    buffer_append_u64(bytes, (uint64_t)time->from_ms);
    iterator->range.to = mill_bytes_of(bytes->data + bytes->len, time->key.len + suffix_bytes);
    buffer_append(bytes, time->key.data, time->key.len);
    buffer_append_u64(bytes, (uint64_t)time->to_ms);
    for (size_t i = ELEMENT_TIME_BYTES; i < suffix_bytes; i++)
        buffer_append_u8(bytes, 0xff);
}

static int begin_key(mill_store_iterator *iterator, const struct time_range *range)
{
    struct cache *cache = &iterator->store->cache;
    int whole = cache_make_whole_from(cache, range->from_ms);
    iterator->next = next_of_key;
    int code = whole < 0 ? whole : cache_collect_key(cache, range->key, range->from_ms, range->to_ms, whole, &iterator->items);
    if (code < 0 || whole)
        return code;
    copy_bounds(iterator);
    iterator->range.from_start_ms = layout_segment_end(cache->segment_ms, range->from_ms);
    iterator->range.to_start_ms = layout_segment_end(cache->segment_ms, range->to_ms);
    code = cache->disk->ops->cursor_open(cache->disk, &iterator->range, &iterator->cursor);
    return code < 0 ? code : next_stored(iterator);
}

static int add_row(mill_store_iterator *iterator, struct row row)
{
    if (iterator->row_count == iterator->row_capacity) {
        size_t capacity = iterator->row_capacity == 0 ? 64 : iterator->row_capacity * 2;
        struct row *rows = mem_realloc(iterator->rows, capacity * sizeof *rows);
        if (rows == NULL)
            return MILL_ENOMEM;
        iterator->rows = rows;
        iterator->row_capacity = capacity;
    }
    iterator->rows[iterator->row_count++] = row;
    return 0;
}

static bool in_time(const mill_store_iterator *iterator, mill_bytes element)
{
    int64_t time_ms = element_time_ms(element, iterator->store->cache.suffix_bytes);
    return time_ms >= iterator->time.from_ms && time_ms <= iterator->time.to_ms;
}

/* By what follows the keys, then by key; what is in memory before what is on disk. */
static int compare_rows(const void *a, const void *b, void *ctx)
{
    size_t suffix_bytes = *(size_t *)ctx;
    const struct row *left = a;
    const struct row *right = b;
    mill_bytes x = left->entry.key;
    mill_bytes y = right->entry.key;
    int order = memcmp(x.data + x.len - suffix_bytes, y.data + y.len - suffix_bytes, suffix_bytes);
    if (order == 0)
        order = mill_bytes_compare(element_key(x, suffix_bytes), element_key(y, suffix_bytes));
    return order != 0 ? order : (left->live == NULL) - (right->live == NULL);
}

static int collect_stored(mill_store_iterator *iterator, int64_t end_ms)
{
    struct byte_store *disk = iterator->store->cache.disk;
    struct byte_range range = { .from_start_ms = end_ms, .to_start_ms = end_ms };
    struct byte_cursor *cursor;
    int code = disk->ops->cursor_open(disk, &range, &cursor);
    struct row row = { 0 };
    while (code >= 0 && (code = disk->ops->cursor_next(cursor, &row.entry)) > 0)
        if (in_time(iterator, row.entry.key))
            code = add_row(iterator, row);
    if (cursor != NULL)
        disk->ops->cursor_close(cursor);
    return code;
}

/* All rows of one segment, sorted. */
static int collect_segment(mill_store_iterator *iterator, int64_t end_ms)
{
    struct cache *cache = &iterator->store->cache;
    bool whole = cache_is_whole_from(cache, layout_segment_start(cache->segment_ms, end_ms));
    iterator->items.count = iterator->item_at = iterator->row_count = 0;
    int code = cache_collect_segment(cache, end_ms, whole, &iterator->items);
    for (size_t i = 0; code == 0 && i < iterator->items.count; i++) {
        const struct entry *entry = iterator->items.at[i].entry;
        if (in_time(iterator, entry_key(entry)))
            code = add_row(iterator, (struct row){ { .key = entry_key(entry) }, entry });
    }
    if (code == 0 && !whole)
        code = collect_stored(iterator, end_ms);
    iterator->work += iterator->row_count;
    if (code == 0 && iterator->row_count > 1)
        qsort_r(iterator->rows, iterator->row_count, sizeof *iterator->rows, compare_rows, &cache->suffix_bytes);
    return code;
}

/* Goes on to the next segment: 1, 0 at the end, error. */
static int next_segment(mill_store_iterator *iterator)
{
    int64_t end_ms = iterator->segment_end_ms;
    if (end_ms < 0)
        return 0;
    int64_t segment_ms = iterator->store->cache.segment_ms;
    bool forward = iterator->time.order == MILL_FORWARD;
    bool last = forward ? end_ms >= iterator->time.to_ms : layout_segment_start(segment_ms, end_ms) <= iterator->time.from_ms;
    if (last)
        iterator->segment_end_ms = -1;
    else
        iterator->segment_end_ms =
            forward ? layout_segment_end(segment_ms, end_ms + 1) : layout_segment_start(segment_ms, end_ms) - 1;
    int code = collect_segment(iterator, end_ms);
    return code < 0 ? code : 1;
}

/* Is it the disk's copy of what memory knows better? Such follow each other, memory's first. */
static bool is_hidden(const mill_store_iterator *iterator, size_t at)
{
    const struct row *row = &iterator->rows[at];
    return row->live == NULL && at > 0 && iterator->rows[at - 1].live != NULL &&
           mill_bytes_equal(iterator->rows[at - 1].entry.key, row->entry.key);
}

static int next_of_all(mill_store_iterator *iterator, mill_store_entry *entry)
{
    for (;;) {
        while (iterator->item_at == iterator->row_count) {
            int code = next_segment(iterator);
            if (code <= 0)
                return code;
        }
        size_t i = iterator->item_at++;
        size_t at = iterator->time.order == MILL_FORWARD ? i : iterator->row_count - 1 - i;
        const struct row *row = &iterator->rows[at];
        *entry = row->entry;
        if (row->live != NULL) {
            entry->value = entry_value(row->live);
            entry->timestamp_ms = row->live->timestamp_ms;
        }
        if (!mill_is_null(entry->value) && !is_hidden(iterator, at) && show(iterator, entry))
            return 1;
    }
}

static void begin_all(mill_store_iterator *iterator)
{
    int64_t segment_ms = iterator->store->cache.segment_ms;
    int64_t first_ms = iterator->time.order == MILL_FORWARD ? iterator->time.from_ms : iterator->time.to_ms;
    iterator->next = next_of_all;
    iterator->segment_end_ms = iterator->time.from_ms > iterator->time.to_ms ? -1 : layout_segment_end(segment_ms, first_ms);
}

static int next_of_none(mill_store_iterator *iterator, mill_store_entry *entry)
{
    return 0;
}

int typed_store_iterate_time(struct typed_store *store, const struct time_range *range, mill_store_iterator **opened)
{
    struct cache *cache = &store->cache;
    *opened = NULL;
    mill_store_iterator *iterator = take_iterator(store, 3 * range->key.len + 2 + ELEMENT_TIME_BYTES + cache->suffix_bytes);
    if (iterator == NULL)
        return MILL_ENOMEM;
    int64_t oldest_ms = window_expired_until(cache->retention_ms, cache_time(cache)) + 1;
    iterator->time = *range;
    iterator->time.key = copy(iterator, range->key);
    iterator->time.from_ms = range->from_ms > oldest_ms ? range->from_ms : oldest_ms;
    iterator->time.to_ms = range->to_ms < cache->stream_time_ms ? range->to_ms : cache->stream_time_ms;
    iterator->range.order = range->order;
    int code = 0;
    if (iterator->time.from_ms > iterator->time.to_ms || cache->segment_ms == 0)
        iterator->next = next_of_none;
    else if (mill_is_null(range->key))
        begin_all(iterator);
    else
        code = begin_key(iterator, &iterator->time);
    if (code < 0) {
        mill_store_iterator_close(iterator);
        return code;
    }
    *opened = iterator;
    return 0;
}

size_t typed_store_iterator_work(const mill_store_iterator *iterator)
{
    return iterator->work;
}

int mill_store_iterator_next(mill_store_iterator *iterator, mill_store_entry *entry)
{
    return iterator->next(iterator, entry);
}
