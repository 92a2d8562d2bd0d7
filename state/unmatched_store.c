/*
 * The records of a left or outer join of streams that no partner has come for: a key-value store with Kafka Streams' bytes.
 *
 *      key     timestamp 8 | 0 the right side, 1 the left | key            TimestampedKeyAndJoinSideSerializer
 *      value   1 | count 4 | (length 4 | side 1 | value) ...               a list of LeftOrRightValueSerializer's, oldest first
 *
 * So keys ascend by (timestamp, right before left, key). Each change logs the whole list.
 */
#include "base/bytes.h"
#include "state/typed_store.h"

enum { LIST_HEAD_BYTES = 5, VARIABLE_SIZE = 1, SIDE_AT = 8, KEY_AT = 9 };

/* The store's key in store->key; null without memory. */
static mill_bytes store_key(struct typed_store *store, int64_t timestamp_ms, mill_join_side side, mill_bytes key)
{
    struct buffer *into = &store->key;
    buffer_clear(into);
    buffer_append_u64(into, (uint64_t)timestamp_ms);
    buffer_append_u8(into, side == MILL_JOIN_LEFT);
    buffer_append(into, key.data, key.len);
    return into->failed ? mill_null() : buffer_bytes(into);
}

/* `list` (null: none) with one more value, in store->element. */
static mill_bytes longer_list(struct typed_store *store, mill_bytes list, mill_join_side side, mill_bytes value)
{
    struct buffer *into = &store->element;
    buffer_clear(into);
    uint32_t count = mill_is_null(list) ? 0 : read_u32_be(list.data + 1);
    buffer_append_u8(into, VARIABLE_SIZE);
    buffer_append_u32(into, count + 1);
    if (count > 0)
        buffer_append(into, list.data + LIST_HEAD_BYTES, list.len - LIST_HEAD_BYTES);
    buffer_append_u32(into, (uint32_t)value.len + 1);
    buffer_append_u8(into, side == MILL_JOIN_LEFT);
    buffer_append(into, value.data, value.len);
    return into->failed ? mill_null() : buffer_bytes(into);
}

static bool is_list(mill_bytes value)
{
    return value.len >= LIST_HEAD_BYTES && value.data[0] == VARIABLE_SIZE;
}

/* The list that is there: 1, 0, error. */
static int get_list(struct typed_store *store, mill_bytes key, mill_bytes *list)
{
    int64_t ignored;
    *list = mill_null();
    if (mill_is_null(key))
        return MILL_ENOMEM;
    int found = cache_get(&store->cache, 0, key, list, &ignored);
    return found > 0 && !is_list(*list) ? MILL_ECORRUPT : found;
}

int mill_unmatched_add(mill_store *handle, int64_t timestamp_ms, mill_join_side side, mill_bytes key, mill_bytes value)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    if (store == NULL || timestamp_ms < 0 || mill_is_null(key) || mill_is_null(value))
        return MILL_EINVALID;
    if (value.len >= INT32_MAX)
        return MILL_ETOOLARGE;
    mill_bytes wanted = store_key(store, timestamp_ms, side, key);
    mill_bytes list;
    int found = get_list(store, wanted, &list);
    if (found < 0)
        return found;
    list = longer_list(store, list, side, value);
    return mill_is_null(list) ? MILL_ENOMEM : typed_store_put(store, 0, wanted, list, timestamp_ms, 0);
}

int mill_unmatched_remove(mill_store *handle, int64_t timestamp_ms, mill_join_side side, mill_bytes key, int64_t now_ms)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_KEY_VALUE);
    if (store == NULL || timestamp_ms < 0 || mill_is_null(key))
        return MILL_EINVALID;
    mill_bytes wanted = store_key(store, timestamp_ms, side, key);
    mill_bytes list;
    int found = get_list(store, wanted, &list);
    if (found <= 0)
        return found;
    int code = typed_store_put(store, 0, wanted, mill_null(), now_ms, 0);
    return code < 0 ? code : 1;
}

int mill_unmatched_next(mill_store_iterator *iterator, mill_unmatched *unmatched)
{
    mill_store_entry entry;
    int found = mill_store_iterator_next(iterator, &entry);
    if (found <= 0)
        return found;
    if (entry.key.len < KEY_AT || !is_list(entry.value))
        return MILL_ECORRUPT;
    unmatched->timestamp_ms = (int64_t)read_u64_be(entry.key.data);
    unmatched->side = entry.key.data[SIDE_AT] != 0 ? MILL_JOIN_LEFT : MILL_JOIN_RIGHT;
    unmatched->key = mill_bytes_of(entry.key.data + KEY_AT, entry.key.len - KEY_AT);
    unmatched->values = mill_bytes_of(entry.value.data + LIST_HEAD_BYTES, entry.value.len - LIST_HEAD_BYTES);
    return 1;
}

int mill_unmatched_value(mill_bytes *values, mill_bytes *value)
{
    struct byte_reader reader = byte_reader_of(*values);
    *value = mill_null();
    if (byte_reader_left(&reader) == 0)
        return 0;
    uint32_t len = byte_reader_u32(&reader);
    byte_reader_u8(&reader); /* the side, as in the key */
    if (reader.failed || len == 0)
        return MILL_ECORRUPT;
    const uint8_t *data = byte_reader_take(&reader, len - 1);
    if (data == NULL)
        return MILL_ECORRUPT;
    *value = mill_bytes_of(data, len - 1);
    *values = mill_bytes_of(reader.at, byte_reader_left(&reader));
    return 1;
}
