#include "state/typed_store.h"

#include "base/alloc.h"
#include "state/key_schema.h"
#include "state/layout.h"

enum {
    LOADS = 8,                /* a store loads only while it has less than this part of its memory */
    READS = 8,                /* what reading brings between two trims is this part of it; */
    READ_BYTES_MIN = 1 << 20, /* and no less, so that a turn's reads and the writes after them find the same entries */
};

static const mill_store_ops TYPED_STORE_OPS;

static int check_recipe(const mill_store_builder *builder, struct error_text *error)
{
    bool window = builder->kind == MILL_STORE_WINDOW || builder->kind == MILL_STORE_SLIDING;
    if (window && (builder->window_size_ms < 1 || builder->retention_ms < builder->window_size_ms))
        return error_set(error, MILL_EINVALID,
                         "store %s: retention %lld ms is below the window size %lld ms: raise the retention", builder->name,
                         (long long)builder->retention_ms, (long long)builder->window_size_ms);
    if ((builder->kind == MILL_STORE_SET || builder->kind == MILL_STORE_JOIN) && builder->retention_ms < builder->window_size_ms)
        return error_set(error, MILL_EINVALID,
                         "store %s: retention %lld ms is below the window size %lld ms: raise the retention", builder->name,
                         (long long)builder->retention_ms, (long long)builder->window_size_ms);
    bool retains = builder->kind == MILL_STORE_SESSION || builder->kind == MILL_STORE_VERSIONED;
    if (retains && builder->retention_ms < 1)
        return error_set(error, MILL_EINVALID, "store %s: its retention must be at least 1 ms", builder->name);
    if (builder->kind == MILL_STORE_JOIN && builder->window_size_ms < 0)
        return error_set(error, MILL_EINVALID, "store %s: the size of a join's window is negative", builder->name);
    return 0;
}

/* The application's switch above the stores' own. */
static bool caching_allowed(const mill_task_state_options *options)
{
    const char *bytes = options->property == NULL ? NULL : options->property(options->property_ctx, "statestore.cache.max.bytes");
    return bytes == NULL || strcmp(bytes, "0") != 0;
}

static bool follows_kafka(const mill_task_state_options *options)
{
    const char *compat = options->property == NULL ? NULL : options->property(options->property_ctx, "mill.compat");
    return compat != NULL && strcmp(compat, "kafka") == 0;
}

void typed_store_set_cache_bytes(struct typed_store *store, size_t bytes)
{
    size_t load_bytes_max = bytes / LOADS;
    if (load_bytes_max > store->cache.load_bytes_max)
        store->cache.not_loaded_to_ms = -1; /* what was too large may fit now */
    store->cache.load_bytes_max = load_bytes_max;
    store->cache.read_bytes_max = bytes / READS > READ_BYTES_MIN ? bytes / READS : READ_BYTES_MIN;
}

int typed_store_new(const mill_store_builder *builder, const mill_task_state_options *options, mill_changelog *changelog,
                    struct byte_store *disk, struct error_text *error, struct typed_store **created)
{
    int code = check_recipe(builder, error);
    if (code < 0)
        return code;
    struct typed_store *store = mem_calloc(1, sizeof *store);
    if (store == NULL)
        return error_set(error, MILL_ENOMEM, "store %s: out of memory", builder->name);
    store->head = (mill_store){ .ops = &TYPED_STORE_OPS, .builder = builder };
    bool caches = builder->kind != MILL_STORE_JOIN && builder->kind != MILL_STORE_VERSIONED;
    store->caching = builder->caching && caches && caching_allowed(options);
    store->as_kafka = follows_kafka(options);
    store->changelog = changelog;
    store->dropped = options->dropped;
    store->drop_ctx = options->drop_ctx;
    cache_init(&store->cache, builder->kind == MILL_STORE_KEY_VALUE ? 0 : builder->retention_ms, disk);
    if (layout_suffix_bytes(builder->kind) > 0)
        cache_init_by_key(&store->cache, layout_suffix_bytes(builder->kind),
                          layout_segment_ms(builder->kind, builder->retention_ms, builder->window_size_ms));
    typed_store_set_cache_bytes(store, options->memory.cache_bytes);
    store->cache.slack_ms = layout_slack_ms(builder->kind, builder->retention_ms, builder->window_size_ms);
    store->cache.time_is_set = builder->kind == MILL_STORE_VERSIONED;
    buffer_init(&store->key, SIZE_MAX / 2);
    buffer_init(&store->listed_key, SIZE_MAX / 2);
    buffer_init(&store->element, SIZE_MAX / 2);
    buffer_init(&store->sought, SIZE_MAX / 2);
    buffer_init(&store->size_element, SIZE_MAX / 2);
    list_init(&store->iterators);
    header_notes_init(&store->notes);
    *created = store;
    return 0;
}

void typed_store_free(struct typed_store *store)
{
    if (store == NULL)
        return;
    typed_store_close_iterators(store);
    typed_store_free_spare(store);
    cache_release(&store->cache);
    header_notes_release(&store->notes);
    buffer_release(&store->key);
    buffer_release(&store->listed_key);
    buffer_release(&store->element);
    buffer_release(&store->sought);
    buffer_release(&store->size_element);
    mem_free(store);
}

struct typed_store *typed_store_of(mill_store *store, mill_store_kind kind)
{
    return store != NULL && store->ops == &TYPED_STORE_OPS && store->builder->kind == kind ? (struct typed_store *)store : NULL;
}

void mill_store_read_forwarded(mill_store *store, bool on)
{
    if (store != NULL && store->ops == &TYPED_STORE_OPS)
        ((struct typed_store *)store)->cache.reads_told = on;
}

void mill_store_on_flush(mill_store *store, mill_store_listener listener, void *ctx)
{
    if (store == NULL || store->ops != &TYPED_STORE_OPS)
        return;
    struct typed_store *typed = (struct typed_store *)store;
    typed->listener = listener;
    typed->listener_ctx = ctx;
}

void mill_store_set_headers(mill_store *store, const mill_header *headers, size_t count)
{
    if (store == NULL || store->ops != &TYPED_STORE_OPS)
        return;
    struct typed_store *typed = (struct typed_store *)store;
    typed->headers = headers;
    typed->header_count = typed->listener == NULL ? 0 : count;
}

void typed_store_roll_back(struct typed_store *store)
{
    typed_store_close_iterators(store);
    cache_roll_back(&store->cache);
    header_notes_clear(&store->notes);
}

bool typed_store_accepts(struct typed_store *store, int64_t start_ms)
{
    if (!cache_expired(&store->cache, start_ms))
        return true;
    if (store->dropped != NULL)
        store->dropped(store->drop_ctx, "expired-window");
    return false;
}

/* ---- the way out ----------------------------------------------------------------------------------------------------------- */

static int emit(struct typed_store *store, const struct cache_change *change)
{
    int code = changelog_append_change(store, change);
    return code < 0 ? code : changelog_tell_listener(store, change);
}

int typed_store_put(struct typed_store *store, int64_t start_ms, mill_bytes key, mill_bytes value, int64_t timestamp_ms,
                    unsigned flags)
{
    if (store->caching) {
        int noted = typed_store_note_headers(store, start_ms, key);
        return noted < 0 ? noted : cache_put(&store->cache, start_ms, key, value, timestamp_ms, flags | CACHE_CACHED, NULL);
    }
    struct cache_change change = { start_ms, key, value, mill_null(), timestamp_ms, (flags & CACHE_DERIVED) != 0 };
    int code =
        cache_put(&store->cache, start_ms, key, value, timestamp_ms, flags, store->listener != NULL ? &change.old_value : NULL);
    return code < 0 ? code : emit(store, &change);
}

/* ---- by key ---------------------------------------------------------------------------------------------------------------- */

static mill_bytes write_element(const struct typed_store *store, struct buffer *element, mill_bytes key, int64_t time_ms,
                                uint64_t rest)
{
    buffer_clear(element);
    buffer_append(element, key.data, key.len);
    buffer_append_u64(element, (uint64_t)time_ms);
    if (store->cache.suffix_bytes == SESSION_SUFFIX_BYTES)
        buffer_append_u64(element, rest);
    else if (store->cache.suffix_bytes == SEQUENCE_SUFFIX_BYTES)
        buffer_append_u32(element, (uint32_t)rest);
    return element->failed ? mill_null() : buffer_bytes(element);
}

mill_bytes typed_store_element(struct typed_store *store, mill_bytes key, int64_t time_ms, uint64_t rest)
{
    return write_element(store, &store->element, key, time_ms, rest);
}

static int64_t segment_of(const struct typed_store *store, mill_bytes element)
{
    return layout_segment_end(store->cache.segment_ms, element_time_ms(element, store->cache.suffix_bytes));
}

int typed_store_put_element(struct typed_store *store, mill_bytes element, mill_bytes value, int64_t timestamp_ms)
{
    if (mill_is_null(element))
        return MILL_ENOMEM;
    return typed_store_put(store, segment_of(store, element), element, value, timestamp_ms, 0);
}

int typed_store_get_element(struct typed_store *store, mill_bytes key, int64_t time_ms, uint64_t rest, mill_bytes *value,
                            int64_t *timestamp_ms)
{
    mill_bytes element = write_element(store, &store->sought, key, time_ms, rest);
    *value = mill_null();
    if (mill_is_null(element))
        return MILL_ENOMEM;
    return cache_get(&store->cache, segment_of(store, element), element, value, timestamp_ms);
}

/* ---- what the task asks ---------------------------------------------------------------------------------------------------- */

static bool is_dirty(const mill_store *store)
{
    return cache_is_dirty(&((const struct typed_store *)store)->cache);
}

/* An update of the cache on its way out, with the headers that were noted for it. */
static int emit_cached(struct typed_store *store, const struct cache_change *change)
{
    const mill_header *headers = NULL;
    int count = 0;
    if (header_notes_any(&store->notes))
        count = header_notes_take(&store->notes, change->start_ms, change->key, &headers);
    if (count < 0)
        return count;
    store->headers = headers;
    store->header_count = (size_t)count;
    int code = emit(store, change);
    store->headers = NULL;
    store->header_count = 0;
    return code;
}

static int flush_cache(mill_store *head, size_t max)
{
    struct typed_store *store = (struct typed_store *)head;
    typed_store_close_iterators(store);
    size_t done = 0;
    while (done < max && done < INT32_MAX) {
        struct cache_change change;
        int code = cache_next_dirty(&store->cache, &change);
        if (code == 0)
            break;
        if (code > 0)
            code = emit_cached(store, &change);
        if (code < 0)
            return code;
        done++;
    }
    if (!cache_is_dirty(&store->cache) && header_notes_any(&store->notes))
        header_notes_clear(&store->notes); /* of keys that were made and deleted in between */
    return (int)done;
}

static size_t uncommitted_bytes(const mill_store *store)
{
    return ((const struct typed_store *)store)->cache.uncommitted_bytes;
}

static size_t frozen_bytes(const mill_store *store)
{
    return ((const struct typed_store *)store)->frozen_bytes;
}

/* A version that is put again is the same one: a versioned store's time needs no setting back. */
static bool has_time(const mill_store *store)
{
    return layout_has_windows(store->builder->kind) && store->builder->kind != MILL_STORE_VERSIONED;
}

static int64_t stream_time(const mill_store *store)
{
    return has_time(store) ? mill_window_stream_time_ms(store) : -1;
}

static void resume_at(mill_store *store, int64_t stream_time_ms)
{
    if (has_time(store))
        cache_resume_at(&((struct typed_store *)store)->cache, stream_time_ms);
}

static const mill_store_ops TYPED_STORE_OPS = { is_dirty, flush_cache, uncommitted_bytes, frozen_bytes, stream_time, resume_at };

/* ---- restoring into memory ------------------------------------------------------------------------------------------------- */

int typed_store_restore(struct typed_store *store, const mill_record *record)
{
    struct run_update update;
    struct stored_at at;
    if (!typed_store_parse(store->head.builder, record, &update, &at))
        return MILL_ECORRUPT;
    if (store->head.builder->kind == MILL_STORE_VERSIONED) {
        int64_t valid_to_ms;
        int stored = versioned_store_put(store, record->key, record->value, record->timestamp_ms, &valid_to_ms);
        return stored < 0 ? stored : 0;
    }
    store->cache.sequence = at.sequence;
    if (cache_expired(&store->cache, update.start_ms))
        return 0;
    if (store->head.builder->kind != MILL_STORE_SET)
        return cache_put(&store->cache, update.start_ms, update.key, update.value, update.timestamp_ms, 0, NULL);
    mill_bytes key;
    mill_bytes member;
    bool added;
    mill_set_size size;
    if (mill_is_null(update.value) || !key_schema_parse_element(update.key, &key, &member))
        return 0; /* a member is never deleted */
    return set_store_add(store, key, update.start_ms, member, update.timestamp_ms, &added, &size);
}
