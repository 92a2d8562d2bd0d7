/*
 * A join store: laid out by key, then time, then a number that tells records of one key and time apart, as Kafka Streams' window
 * store with duplicates is. The number goes on where the changelog ends, so that nothing is written over after a restart.
 */
#include <string.h>

#include "state/typed_store.h"

/* With mill.compat=kafka: a null value moves the time of a store in memory, as in Kafka Streams, and not of one on disk. */
static void see_time(struct typed_store *store, int64_t timestamp_ms)
{
    bool moves = store->as_kafka && strcmp(store->head.builder->task_state->name, "memory") == 0;
    if (moves)
        cache_move_time(&store->cache, timestamp_ms);
}

int mill_join_put(mill_store *handle, mill_bytes key, int64_t timestamp_ms, mill_bytes value)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_JOIN);
    if (store == NULL || mill_is_null(key) || timestamp_ms < 0)
        return MILL_EINVALID;
    if (store->head.builder->retention_ms == 0)
        return 0;
    if (mill_is_null(value)) {
        see_time(store, timestamp_ms);
        return 0;
    }
    if (!typed_store_accepts(store, timestamp_ms))
        return 0;
    uint32_t before = store->cache.sequence;
    store->cache.sequence = (before + 1) & INT32_MAX;
    mill_bytes element = typed_store_element(store, key, timestamp_ms, store->cache.sequence);
    int code = typed_store_put_element(store, element, value, timestamp_ms);
    if (code < 0)
        store->cache.sequence = before;
    return code < 0 ? code : 1;
}

static int iterate(mill_store *handle, struct time_range range, mill_store_iterator **iterator)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_JOIN);
    *iterator = NULL;
    return store == NULL ? MILL_EINVALID : typed_store_iterate_time(store, &range, iterator);
}

int mill_join_fetch(mill_store *handle, mill_bytes key, int64_t from_ms, int64_t to_ms, mill_order order,
                    mill_store_iterator **iterator)
{
    *iterator = NULL;
    if (mill_is_null(key))
        return MILL_EINVALID;
    return iterate(handle, (struct time_range){ key, from_ms, to_ms, INT64_MAX, order }, iterator);
}

int mill_join_fetch_all(mill_store *handle, int64_t from_ms, int64_t to_ms, mill_order order, mill_store_iterator **iterator)
{
    return iterate(handle, (struct time_range){ mill_null(), from_ms, to_ms, INT64_MAX, order }, iterator);
}

void mill_join_prefetch(mill_store *handle, mill_bytes key)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_JOIN);
    if (store != NULL && !mill_is_null(key))
        timeline_prefetch(&store->cache.timeline, key);
}
