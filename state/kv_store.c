/* A key-value store: a cache with the one window 0. */
#include "state/typed_store.h"

int mill_key_value_get(mill_store *handle, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    *value = mill_null();
    if (store == NULL || mill_is_null(key))
        return MILL_EINVALID;
    int64_t ignored;
    return cache_get(&store->cache, 0, key, value, timestamp_ms ? timestamp_ms : &ignored);
}

int mill_key_value_put(mill_store *handle, mill_bytes key, mill_bytes value, int64_t timestamp_ms)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    if (store == NULL || mill_is_null(key) || store->read_only)
        return MILL_EINVALID;
    return typed_store_put(store, 0, key, value, timestamp_ms, 0);
}

int mill_key_value_delete(mill_store *handle, mill_bytes key, int64_t timestamp_ms)
{
    return mill_key_value_put(handle, key, mill_null(), timestamp_ms);
}

uint64_t mill_key_value_approximate_count(mill_store *handle)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    return store == NULL ? 0 : cache_count(&store->cache);
}

void mill_key_value_prefetch(mill_store *handle, mill_bytes key)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    if (store != NULL && !mill_is_null(key))
        cache_prefetch(&store->cache, 0, key);
}

int mill_key_value_range(mill_store *handle, mill_bytes from, mill_bytes to, mill_order order, mill_store_iterator **iterator)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    *iterator = NULL;
    if (store == NULL)
        return MILL_EINVALID;
    struct byte_range range = { .from = from, .to = to, .order = order };
    return typed_store_iterate(store, &range, mill_null(), iterator);
}

int mill_key_value_prefix(mill_store *handle, mill_bytes prefix, mill_order order, mill_store_iterator **iterator)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    *iterator = NULL;
    if (store == NULL || mill_is_null(prefix))
        return MILL_EINVALID;
    struct byte_range range = { .from = prefix, .order = order };
    return typed_store_iterate(store, &range, prefix, iterator);
}

int mill_key_value_all(mill_store *handle, mill_order order, mill_store_iterator **iterator)
{
    return mill_key_value_range(handle, mill_null(), mill_null(), order, iterator);
}
