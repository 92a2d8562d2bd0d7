/*
 * An update on its way out of a store: to the changelog in Kafka Streams' form, then to the listener, as Kafka Streams does it.
 *
 * A set is logged as its members and reported as its sizes: under at-least-once any prefix of a commit's changelog may survive a
 * crash, so no two records may have to agree.
 */
#include "state/key_schema.h"
#include "state/typed_store.h"

int changelog_append_change(struct typed_store *store, const struct cache_change *change)
{
    if (store->changelog == NULL || change->derived)
        return 0;
    mill_record record = { .key = change->key, .value = change->value, .timestamp_ms = change->timestamp_ms };
    if (store->head.builder->changelog_header != NULL && !mill_is_null(change->value)) {
        record.headers = store->head.builder->changelog_header;
        record.header_count = 1;
    }
    if (store->head.builder->kind != MILL_STORE_KEY_VALUE) {
        record.key = key_schema_changelog_window(&store->key, change->key, change->start_ms);
        if (mill_is_null(record.key))
            return MILL_ENOMEM;
    }
    return store->changelog->append(store->changelog, &record);
}

/* The key that the listener sees; null: this update is not for it. */
static int listed_key(struct typed_store *store, const struct cache_change *change, mill_bytes *key)
{
    mill_bytes member;
    *key = change->key;
    if (store->head.builder->kind == MILL_STORE_KEY_VALUE)
        return 0;
    if (store->head.builder->kind == MILL_STORE_SET &&
        (!change->derived || !key_schema_parse_element(change->key, key, &member))) {
        *key = mill_null();
        return 0;
    }
    *key = key_schema_windowed(&store->listed_key, *key, change->start_ms);
    return mill_is_null(*key) ? MILL_ENOMEM : 0;
}

int changelog_tell_listener(struct typed_store *store, const struct cache_change *change)
{
    mill_bytes key;
    int code = store->listener == NULL ? 0 : listed_key(store, change, &key);
    if (code < 0 || store->listener == NULL || mill_is_null(key))
        return code;
    mill_record record = {
        .key = key, .value = change->value, .old_value = change->old_value, .timestamp_ms = change->timestamp_ms
    };
    return store->listener(store->listener_ctx, &record);
}

bool typed_store_parse(const mill_store_builder *builder, const mill_record *record, struct run_update *update)
{
    *update = (struct run_update){ .key = record->key, .value = record->value, .timestamp_ms = record->timestamp_ms };
    if (mill_is_null(record->key))
        return false;
    if (builder->kind == MILL_STORE_KEY_VALUE)
        return true;
    if (!key_schema_parse_changelog_window(record->key, &update->key, &update->start_ms))
        return false;
    mill_bytes key;
    mill_bytes member;
    return builder->kind == MILL_STORE_WINDOW || (key_schema_parse_element(update->key, &key, &member) && !mill_is_null(member));
}
