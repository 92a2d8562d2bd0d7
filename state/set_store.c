/*
 * A set store: its members are entries with an empty value, its sizes derived entries beside them.
 *
 *      length of key | key | 0 | member      ->  "", timestamp of the first add
 *      length of key | key | 1               ->  count 8 big-endian, largest timestamp; never logged, counted anew when restored
 */
#include "base/assert.h"
#include "state/key_schema.h"
#include "state/typed_store.h"

enum { COUNT_BYTES = 8 };

static int get_size(struct typed_store *store, int64_t start_ms, mill_bytes key, mill_bytes *element, mill_set_size *size)
{
    *size = (mill_set_size){ .count = 0, .timestamp_ms = -1 };
    *element = key_schema_size(&store->size_element, key);
    if (mill_is_null(*element))
        return MILL_ENOMEM;
    mill_bytes value;
    int found = cache_get(&store->cache, start_ms, *element, &value, &size->timestamp_ms);
    if (found <= 0)
        return found;
    if (value.len != COUNT_BYTES)
        return MILL_ECORRUPT;
    size->count = read_u64_be(value.data);
    return 1;
}

/* Both or neither: an entry just written is taken back without needing memory. */
static int put_both(struct typed_store *store, int64_t start_ms, mill_bytes member, mill_bytes size_element, int64_t timestamp_ms,
                    const struct cache_change *resized, mill_bytes *old_size)
{
    unsigned flags = store->caching && !store->cache.restoring ? CACHE_CACHED : 0;
    int code = cache_put(&store->cache, start_ms, member, mill_bytes_of("", 0), timestamp_ms, flags, NULL);
    if (code < 0)
        return code;
    code =
        cache_put(&store->cache, start_ms, size_element, resized->value, resized->timestamp_ms, flags | CACHE_DERIVED, old_size);
    if (code < 0) {
        int taken_back = cache_put(&store->cache, start_ms, member, mill_null(), timestamp_ms, flags, NULL);
        mill_assert(taken_back == 0);
    }
    return code;
}

static int grow(struct typed_store *store, int64_t start_ms, mill_bytes member, mill_bytes size_element, int64_t timestamp_ms,
                const mill_set_size *size)
{
    uint8_t count[COUNT_BYTES];
    write_u64_be(count, size->count);
    struct cache_change resized = { start_ms,    size_element,       mill_bytes_of(count, sizeof count),
                                    mill_null(), size->timestamp_ms, true };
    struct cache_change joined = { start_ms, member, mill_bytes_of("", 0), mill_null(), timestamp_ms, false };
    int code = store->caching && !store->cache.restoring ? typed_store_note_headers(store, start_ms, size_element) : 0;
    if (code == 0)
        code = put_both(store, start_ms, member, size_element, timestamp_ms, &resized, &resized.old_value);
    if (code < 0 || store->caching || store->cache.restoring)
        return code;
    code = changelog_append_change(store, &joined);
    return code < 0 ? code : changelog_tell_listener(store, &resized);
}

/*
 * Tells the size though it did not grow: when a crash came between the changelog's acknowledgement and the outputs', the member
 * is restored but its count was never forwarded, and the record that is read again must do it.
 */
static int tell_again(struct typed_store *store, int64_t start_ms, mill_bytes size_element, const mill_set_size *size)
{
    uint8_t count[COUNT_BYTES];
    write_u64_be(count, size->count);
    mill_bytes value = mill_bytes_of(count, sizeof count);
    if (store->cache.restoring)
        return 0;
    if (store->caching) {
        int code = typed_store_note_headers(store, start_ms, size_element);
        return code < 0 ? code
                        : cache_put(&store->cache, start_ms, size_element, value, size->timestamp_ms,
                                    CACHE_CACHED | CACHE_DERIVED, NULL);
    }
    struct cache_change told = { start_ms, size_element, value, value, size->timestamp_ms, true };
    return changelog_tell_listener(store, &told);
}

int set_store_add(struct typed_store *store, mill_bytes key, int64_t start_ms, mill_bytes member, int64_t timestamp_ms,
                  bool *added, mill_set_size *size)
{
    mill_bytes size_element;
    int code = get_size(store, start_ms, key, &size_element, size);
    mill_bytes element = code < 0 ? mill_null() : key_schema_member(&store->element, key, member);
    if (mill_is_null(element))
        return code < 0 ? code : MILL_ENOMEM;
    mill_bytes nothing;
    int64_t first_ms;
    code = cache_get(&store->cache, start_ms, element, &nothing, &first_ms);
    *added = code == 0;
    if (code != 0)
        return code < 0 ? code : tell_again(store, start_ms, size_element, size);
    mill_set_size grown = { size->count + 1, timestamp_ms > size->timestamp_ms ? timestamp_ms : size->timestamp_ms };
    code = grow(store, start_ms, element, size_element, timestamp_ms, &grown);
    if (code == 0)
        *size = grown;
    return code;
}

int mill_set_add(mill_store *handle, mill_bytes key, int64_t window_start_ms, mill_bytes member, int64_t timestamp_ms,
                 bool *added, mill_set_size *size)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_SET);
    *added = false;
    *size = (mill_set_size){ .count = 0, .timestamp_ms = -1 };
    if (store == NULL || mill_is_null(key) || mill_is_null(member) || window_start_ms < 0)
        return MILL_EINVALID;
    if (!typed_store_accepts(store, window_start_ms))
        return 0;
    int code = set_store_add(store, key, window_start_ms, member, timestamp_ms, added, size);
    return code < 0 ? code : 1;
}

int mill_set_count(mill_store *handle, mill_bytes key, int64_t window_start_ms, mill_set_size *size)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_SET);
    *size = (mill_set_size){ .count = 0, .timestamp_ms = -1 };
    if (store == NULL || mill_is_null(key))
        return MILL_EINVALID;
    if (window_start_ms < 0 || cache_expired(&store->cache, window_start_ms))
        return 0;
    mill_bytes element;
    return get_size(store, window_start_ms, key, &element, size);
}

void mill_set_prefetch(mill_store *handle, mill_bytes key, int64_t window_start_ms, mill_bytes member)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_SET);
    if (store == NULL || mill_is_null(key) || mill_is_null(member))
        return;
    mill_bytes size_element = key_schema_size(&store->size_element, key);
    mill_bytes element = key_schema_member(&store->element, key, member);
    if (mill_is_null(element) || mill_is_null(size_element))
        return;
    cache_prefetch(&store->cache, window_start_ms, size_element);
    cache_prefetch(&store->cache, window_start_ms, element);
}
