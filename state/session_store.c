/* A session store: laid out by key, then end, then start, as Kafka Streams' changelog is. */
#include "state/typed_store.h"

/* The store, or NULL when the arguments are wrong. */
static struct typed_store *store_of(mill_store *handle, mill_bytes key, int64_t start_ms, int64_t end_ms)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_SESSION);
    return mill_is_null(key) || start_ms < 0 || end_ms < start_ms ? NULL : store;
}

int mill_session_fetch(mill_store *handle, mill_bytes key, int64_t start_ms, int64_t end_ms, mill_bytes *value,
                       int64_t *timestamp_ms)
{
    struct typed_store *store = store_of(handle, key, start_ms, end_ms);
    *value = mill_null();
    if (store == NULL)
        return MILL_EINVALID;
    if (cache_expired(&store->cache, end_ms))
        return 0;
    int64_t ignored;
    return typed_store_get_element(store, key, end_ms, (uint64_t)start_ms, value, timestamp_ms ? timestamp_ms : &ignored);
}

int mill_session_put(mill_store *handle, mill_bytes key, int64_t start_ms, int64_t end_ms, mill_bytes value, int64_t timestamp_ms)
{
    struct typed_store *store = store_of(handle, key, start_ms, end_ms);
    if (store == NULL)
        return MILL_EINVALID;
    if (!typed_store_accepts(store, end_ms))
        return 0;
    mill_bytes element = typed_store_element(store, key, end_ms, (uint64_t)start_ms);
    int code = typed_store_put_element(store, element, value, timestamp_ms);
    return code < 0 ? code : 1;
}

int mill_session_remove(mill_store *handle, mill_bytes key, int64_t start_ms, int64_t end_ms, int64_t timestamp_ms)
{
    struct typed_store *store = store_of(handle, key, start_ms, end_ms);
    if (store == NULL)
        return MILL_EINVALID;
    if (cache_expired(&store->cache, end_ms))
        return 0;
    mill_bytes element = typed_store_element(store, key, end_ms, (uint64_t)start_ms);
    int code = typed_store_put_element(store, element, mill_null(), timestamp_ms);
    return code < 0 ? code : 1;
}

static int iterate(mill_store *handle, struct time_range range, mill_store_iterator **iterator)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_SESSION);
    *iterator = NULL;
    return store == NULL ? MILL_EINVALID : typed_store_iterate_time(store, &range, iterator);
}

int mill_session_find(mill_store *handle, mill_bytes key, int64_t end_from_ms, int64_t start_to_ms, mill_order order,
                      mill_store_iterator **iterator)
{
    *iterator = NULL;
    if (mill_is_null(key))
        return MILL_EINVALID;
    return iterate(handle, (struct time_range){ key, end_from_ms, INT64_MAX, start_to_ms, order }, iterator);
}

int mill_session_fetch_key(mill_store *handle, mill_bytes key, mill_order order, mill_store_iterator **iterator)
{
    return mill_session_find(handle, key, 0, INT64_MAX, order, iterator);
}

int mill_session_fetch_all(mill_store *handle, int64_t end_from_ms, int64_t end_to_ms, mill_order order,
                           mill_store_iterator **iterator)
{
    return iterate(handle, (struct time_range){ mill_null(), end_from_ms, end_to_ms, INT64_MAX, order }, iterator);
}

void mill_session_prefetch(mill_store *handle, mill_bytes key)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_SESSION);
    if (store != NULL && !mill_is_null(key))
        timeline_prefetch(&store->cache.timeline, key);
}
