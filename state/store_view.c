#include "state/store_view.h"

#include "base/alloc.h"
#include "base/error.h"
#include "state/typed_store.h"

struct store_view {
    mill_store_view head;
    struct lmdb_env *owner; /* NULL: in memory */
    struct lmdb_env env;    /* the owner's with a reader of our own */
    struct lmdb_store *disk;
    struct typed_store *typed;
    size_t cache_bytes;
    struct error_text error;
};

static int fail(struct store_view *view, int code)
{
    return error_set(&view->error, code, "store %s: %s", view->head.store->builder->name,
                     view->owner && view->env.error.text[0] ? view->env.error.text : mill_error_text(code));
}

/* Each call is a commit of the cache, so that the numbers of calls and commits agree. */
static int apply(mill_store_view *head, const mill_record *updates, size_t count)
{
    struct store_view *view = (struct store_view *)head;
    struct cache *cache = &view->typed->cache;
    typed_store_close_iterators(view->typed);
    int code = 0;
    for (size_t i = 0; i < count && code >= 0; i++)
        code = cache_put(cache, 0, updates[i].key, updates[i].value, updates[i].timestamp_ms, 0, NULL);
    if (code >= 0)
        code = cache_freeze(cache, NULL);
    if (code < 0) {
        cache_roll_back(cache);
        return fail(view, code);
    }
    cache_committed(cache);
    return 0;
}

static int flushed(mill_store_view *head, uint64_t calls)
{
    struct store_view *view = (struct store_view *)head;
    if (view->owner == NULL)
        return 0;
    typed_store_close_iterators(view->typed);
    int code = lmdb_env_refresh(&view->env);
    if (code < 0)
        return fail(view, code);
    cache_flushed(&view->typed->cache, (uint32_t)calls);
    return 0;
}

static void trim(mill_store_view *head)
{
    struct store_view *view = (struct store_view *)head;
    cache_trim(&view->typed->cache, view->cache_bytes, 0);
}

static void close_view(mill_store_view *head)
{
    struct store_view *view = (struct store_view *)head;
    typed_store_free(view->typed);
    lmdb_store_free(view->disk);
    if (view->owner != NULL)
        lmdb_env_unshare(view->owner, &view->env);
    mem_free(view);
}

static const char *error_of(const mill_store_view *head)
{
    return ((const struct store_view *)head)->error.text;
}

static const mill_store_view_ops VIEW_OPS = { apply, flushed, trim, close_view, error_of };

static int open_disk(struct store_view *view, const mill_store_builder *builder, struct lmdb_env *env, struct lmdb_store *disk)
{
    int code = lmdb_store_make(disk);
    if (code == 0)
        code = lmdb_env_share(env, &view->env);
    if (code < 0)
        return code;
    view->owner = env;
    code = lmdb_store_new(&view->env, builder->name, builder->kind, 0, 0, &view->disk);
    return code < 0 ? error_set(&env->error, code, "%s", view->env.error.text) : 0;
}

static int make(const mill_store_builder *builder, struct lmdb_env *env, struct lmdb_store *disk, size_t cache_bytes,
                struct error_text *error, struct store_view **made)
{
    *made = NULL;
    if (builder->kind != MILL_STORE_KEY_VALUE)
        return error_set(error, MILL_EUNSUPPORTED, "store %s is no key-value store and cannot be shared", builder->name);
    struct store_view *view = mem_calloc(1, sizeof *view);
    if (view == NULL)
        return error_set(error, MILL_ENOMEM, "store %s: no memory for a view", builder->name);
    view->head.ops = &VIEW_OPS;
    view->cache_bytes = cache_bytes;
    int code = disk == NULL ? 0 : open_disk(view, builder, env, disk);
    mill_task_state_options options = { .memory.cache_bytes = cache_bytes };
    struct byte_store *reader = view->disk == NULL ? NULL : lmdb_store_reader(view->disk);
    if (code == 0)
        code = typed_store_new(builder, &options, NULL, reader, error, &view->typed);
    if (code < 0) {
        close_view(&view->head);
        return code;
    }
    view->typed->read_only = true;
    view->head.store = &view->typed->head;
    *made = view;
    return 0;
}

int store_view_open(const mill_store_builder *builder, struct lmdb_env *env, struct lmdb_store *disk, size_t cache_bytes,
                    mill_store_view **opened)
{
    struct store_view *view;
    int code = make(builder, env, disk, cache_bytes, &env->error, &view);
    *opened = code == 0 ? &view->head : NULL;
    return code;
}

/* The entries as one commit before the first call of apply. */
static int copy_all(struct store_view *view, mill_store *owner)
{
    struct cache *cache = &view->typed->cache;
    mill_store_iterator *iterator;
    int code = mill_key_value_all(owner, MILL_FORWARD, &iterator);
    mill_store_entry entry;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) == 1)
        code = cache_put(cache, 0, entry.key, entry.value, entry.timestamp_ms, 0, NULL);
    mill_store_iterator_close(iterator);
    if (code == 0)
        code = cache_freeze(cache, NULL);
    if (code == 0)
        cache_committed(cache);
    else
        cache_roll_back(cache);
    return code;
}

int store_view_copy(mill_store *owner, mill_store_view **opened, struct error_text *error)
{
    struct store_view *view;
    *opened = NULL;
    int code = make(owner->builder, NULL, NULL, 0, error, &view);
    if (code < 0)
        return code;
    code = copy_all(view, owner);
    if (code < 0) {
        close_view(&view->head);
        return error_set(error, code, "store %s: no memory for a view", owner->builder->name);
    }
    *opened = &view->head;
    return 0;
}
