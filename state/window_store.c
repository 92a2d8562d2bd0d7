/*
 * A window store: a cache with a table per window; a sliding one is laid out by key.
 *
 * Expired windows are refused here, whether or not they still take room.
 */
#include "state/layout.h"
#include "state/typed_store.h"

static struct typed_store *store_of(mill_store *handle)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_WINDOW);
    return store != NULL ? store : typed_store_of(handle, MILL_STORE_SLIDING);
}

static bool by_key(const struct typed_store *store)
{
    return store->cache.suffix_bytes > 0;
}

int mill_window_fetch(mill_store *handle, mill_bytes key, int64_t window_start_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    struct typed_store *store = store_of(handle);
    *value = mill_null();
    if (store == NULL || mill_is_null(key))
        return MILL_EINVALID;
    if (window_start_ms < 0 || cache_expired(&store->cache, window_start_ms))
        return 0;
    int64_t ignored;
    timestamp_ms = timestamp_ms ? timestamp_ms : &ignored;
    if (by_key(store))
        return typed_store_get_element(store, key, window_start_ms, 0, value, timestamp_ms);
    return cache_get(&store->cache, window_start_ms, key, value, timestamp_ms);
}

int mill_window_put(mill_store *handle, mill_bytes key, int64_t window_start_ms, mill_bytes value, int64_t timestamp_ms)
{
    struct typed_store *store = store_of(handle);
    if (store == NULL || mill_is_null(key) || window_start_ms < 0)
        return MILL_EINVALID;
    if (!typed_store_accepts(store, window_start_ms))
        return 0;
    int code = by_key(store)
                   ? typed_store_put_element(store, typed_store_element(store, key, window_start_ms, 0), value, timestamp_ms)
                   : typed_store_put(store, window_start_ms, key, value, timestamp_ms, 0);
    return code < 0 ? code : 1;
}

static int iterate(mill_store *handle, mill_bytes key, int64_t from_ms, int64_t to_ms, mill_order order,
                   mill_store_iterator **iterator)
{
    struct typed_store *store = store_of(handle);
    *iterator = NULL;
    if (store == NULL)
        return MILL_EINVALID;
    if (by_key(store))
        return typed_store_iterate_time(store, &(struct time_range){ key, from_ms, to_ms, INT64_MAX, order }, iterator);
    int64_t oldest_ms = cache_time(&store->cache) - store->cache.retention_ms + 1;
    if (from_ms < oldest_ms)
        from_ms = oldest_ms;
    struct byte_range range = {
        .from_start_ms = from_ms < 0 ? 0 : from_ms, .to_start_ms = to_ms, .from = key, .to = key, .order = order
    };
    return typed_store_iterate(store, &range, mill_null(), iterator);
}

int mill_window_fetch_range(mill_store *handle, mill_bytes key, int64_t from_ms, int64_t to_ms, mill_order order,
                            mill_store_iterator **iterator)
{
    *iterator = NULL;
    return mill_is_null(key) ? MILL_EINVALID : iterate(handle, key, from_ms, to_ms, order, iterator);
}

int mill_window_fetch_all(mill_store *handle, int64_t from_ms, int64_t to_ms, mill_order order, mill_store_iterator **iterator)
{
    return iterate(handle, mill_null(), from_ms, to_ms, order, iterator);
}

int64_t mill_window_stream_time_ms(const mill_store *handle)
{
    mill_store_kind kind = handle != NULL ? handle->builder->kind : MILL_STORE_KEY_VALUE;
    bool timed = layout_has_windows(kind);
    const struct typed_store *store = timed ? typed_store_of((mill_store *)(uintptr_t)handle, kind) : NULL;
    return store == NULL ? -1 : cache_time(&store->cache);
}

void mill_window_prefetch(mill_store *handle, mill_bytes key, int64_t window_start_ms)
{
    struct typed_store *store = store_of(handle);
    if (store == NULL || mill_is_null(key))
        return;
    if (by_key(store))
        timeline_prefetch(&store->cache.timeline, key);
    else
        cache_prefetch(&store->cache, window_start_ms, key);
}
