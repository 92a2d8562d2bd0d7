/*
 * A task's state in one LMDB environment: caches above, what was frozen in between, the disk below.
 *
 *      cache --freeze--> frozen --committed--> queued --flush (worker)--> flushing --flushed--> on disk, cache entries may leave
 *                          \--roll_back--> gone
 *
 * The queue is the one thing that both threads touch, under a mutex. `flushing` and the writer's side of the stores belong to the
 * worker from flush to flushed. A map that is full is no error: the worker stops, `flushed` grows it and the commits queue again.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "state/flush.h"
#include "state/lmdb_check.h"
#include "state/restore.h"
#include "state/state_dir.h"
#include "state/store_view.h"
#include "state/task_states.h"
#include "state/typed_store.h"
#include "state/window_expiry.h"

enum {
    FLUSH_UPDATES = 1000000,
    FLUSH_AGE_US = 10 * 1000000,
    FROZEN_BYTES_MIN = 16 << 20, /* the least bound on frozen bytes; half of it makes a flush due */
    LIVE_BYTES_MIN = 1 << 20,    /* the least bound on what is restored into memory */
};

static const int64_t MARK_AGE_US = INT64_C(3600) * 1000000; /* positions alone are written hourly, to renew their mark */
static const size_t MAP_BYTES = (size_t)16 << 30;
enum { SHARED_MAP_FACTOR = 16 }; /* address space costs nothing, and a map does not grow under the readers of other threads */

struct kept_store {
    struct typed_store *typed;
    struct lmdb_store *disk;
    struct checkpoint checkpoint; /* as on disk */
    struct restore restore;
};

struct lmdb_state {
    mill_task_state head;
    mill_task_state_options options;
    struct state_dir dir;
    struct lmdb_env env;
    bool synced;
    struct kept_store *stores;
    struct lmdb_store **disks; /* of each store, for the worker */
    const char **names;
    size_t store_count;

    struct frozen_commit *frozen;
    pthread_mutex_t mutex;
    struct list queued;      /* of frozen_commit; under the mutex */
    struct list flushing;    /* the worker's */
    bool flush_running;      /* between flush and flushed; under the mutex */
    uint64_t queued_updates; /* of the stream thread's count, as the next two */
    size_t queued_bytes;
    int64_t queued_since_us;       /* -1: not yet seen by flush_due */
    bool retry;                    /* the map has grown: flush again at once */
    bool map_full;                 /* the worker's message, from flush to flushed */
    bool stopped;                  /* a flush failed: nothing more is written */
    bool broken;                   /* in a way after which the file is not trusted again */
    struct error_text flush_error; /* the worker's */
    struct error_text error;
};

static const mill_task_state_ops LMDB_OPS;

static int fail_in_env(struct lmdb_state *state, int code)
{
    return error_set(&state->error, code, "%s: %s", state->options.directory, state->env.error.text);
}

/* ---- opening --------------------------------------------------------------------------------------------------------------- */

static const char *property(const struct lmdb_state *state, const char *name)
{
    return state->options.property == NULL ? NULL : state->options.property(state->options.property_ctx, name);
}

static bool property_is(const struct lmdb_state *state, const char *name, const char *value)
{
    const char *set = property(state, name);
    return set != NULL && strcmp(set, value) == 0;
}

static size_t size_property(const struct lmdb_state *state, const char *name, size_t otherwise)
{
    const char *set = property(state, name);
    return set != NULL ? strtoull(set, NULL, 10) : otherwise;
}

/* Whether what is there may stay; what may not is removed. */
static int examine(struct lmdb_state *state)
{
    enum state_verdict verdict = state_dir_judge(&state->dir);
    if (verdict == STATE_KEEP && property_is(state, "mill.state.check", "true"))
        verdict = STATE_CHECK;
    char path[STATE_DIR_PATH_BYTES];
    int code = state_dir_path(&state->dir, "data.mdb", path);
    if (code < 0)
        return error_set(&state->error, code, "%s: the path is too long", state->options.directory);
    struct error_text why = { "a check of it has failed, or the machine has gone down under it" };
    bool trusted = verdict != STATE_REBUILD;
    if (verdict == STATE_KEEP)
        trusted = lmdb_check_quick(state->options.disk, path, &why) == 0;
    if (verdict == STATE_CHECK)
        trusted = lmdb_check_all(state->options.disk, path, &why) == 0;
    if (trusted)
        return 0;
    trace_warn("state", "task %s: the stores in %s are rebuilt from their changelogs: %s", state->options.task_id,
               state->options.directory, why.text);
    code = state_dir_wipe(&state->dir);
    return code < 0 ? error_set(&state->error, code, "%s: data.mdb cannot be removed", state->options.directory) : 0;
}

static int open_env(struct lmdb_state *state)
{
    uint8_t salt[LMDB_SALT_BYTES];
    state_dir_random(&state->dir, salt);
    size_t map_bytes = size_property(state, "mill.state.map.bytes", MAP_BYTES);
    if (state->options.shared && map_bytes <= SIZE_MAX / SHARED_MAP_FACTOR)
        map_bytes *= SHARED_MAP_FACTOR;
    struct lmdb_env_options options = { .directory = state->options.directory, .map_bytes = map_bytes, .sync = state->synced };
    int code = state_dir_mark(&state->dir, STATE_END_UNCLEAN, state->synced);
    if (code < 0)
        return error_set(&state->error, code, "%s/mark cannot be written", state->options.directory);
    state_dir_drop_stale_lock(&state->dir);
    code = lmdb_env_open(&state->env, &options, salt);
    if (code == MILL_ECORRUPT && state_dir_wipe(&state->dir) == 0)
        code = lmdb_env_open(&state->env, &options, salt);
    if (code < 0)
        return fail_in_env(state, code);
    code = disk_sync_directory(state->options.disk, state->options.directory); /* data.mdb may be new */
    if (code < 0)
        lmdb_env_close(&state->env, false);
    return code < 0 ? error_set(&state->error, code, "%s cannot be synced", state->options.directory) : 0;
}

static int lmdb_open(const mill_task_state_type *type, const mill_task_state_options *options, mill_task_state **opened)
{
    *opened = NULL;
    if (options->disk == NULL)
        return TASK_STATE_MEMORY.open(&TASK_STATE_MEMORY, options, opened);
    struct lmdb_state *state = mem_calloc(1, sizeof *state);
    if (state == NULL)
        return MILL_ENOMEM;
    state->head.ops = &LMDB_OPS;
    state->options = *options;
    state->queued_since_us = -1;
    list_init(&state->queued);
    list_init(&state->flushing);
    pthread_mutex_init(&state->mutex, NULL);
    state->synced = !property_is(state, "mill.state.sync", "fast");
    int code = state_dir_open(&state->dir, options->disk, options->directory, &state->error);
    if (code == 0)
        code = examine(state);
    if (code == 0)
        code = open_env(state);
    if (code < 0) {
        if (code != MILL_ELOCKED) /* another thread is closing it, and the caller comes again */
            trace_error("state", "task %s: %s", options->task_id, state->error.text);
        state_dir_close(&state->dir);
        pthread_mutex_destroy(&state->mutex);
        mem_free(state);
        return code;
    }
    *opened = &state->head;
    return 0;
}

/* ---- stores ---------------------------------------------------------------------------------------------------------------- */

static int grow_lists(struct lmdb_state *state)
{
    size_t count = state->store_count + 1;
    struct kept_store *stores = mem_realloc(state->stores, count * sizeof *stores);
    if (stores == NULL)
        return MILL_ENOMEM;
    state->stores = stores;
    struct lmdb_store **disks = mem_realloc(state->disks, count * sizeof(struct lmdb_store *));
    if (disks == NULL)
        return MILL_ENOMEM;
    state->disks = disks;
    const char **names = mem_realloc(state->names, count * sizeof(const char *));
    if (names == NULL)
        return MILL_ENOMEM;
    state->names = names;
    return 0;
}

/* Empties a store of which nothing, or nothing of this shape, is known. */
static int begin_anew(struct lmdb_state *state, struct kept_store *kept)
{
    kept->checkpoint.position = checkpoint_nowhere();
    kept->checkpoint.stream_time_ms = -1;
    kept->checkpoint.sequence = 0;
    int64_t start_ms;
    int64_t any = lmdb_store_reader(kept->disk)->ops->nearest_window(lmdb_store_reader(kept->disk), 0, MILL_FORWARD, &start_ms);
    if (any == 0)
        return 0;
    int code = restore_begin(&kept->restore, true, -1, 0);
    restore_release(&kept->restore);
    if (code == 0)
        code = lmdb_env_refresh(&state->env);
    lmdb_store_refresh(kept->disk);
    return code;
}

static int open_store(struct lmdb_state *state, struct kept_store *kept, const mill_store_builder *builder,
                      mill_changelog *changelog)
{
    *kept = (struct kept_store){ 0 };
    int code =
        lmdb_store_new(&state->env, builder->name, builder->kind, builder->retention_ms, builder->window_size_ms, &kept->disk);
    if (code < 0)
        return fail_in_env(state, code);
    code = typed_store_new(builder, &state->options, changelog, lmdb_store_reader(kept->disk), &state->error, &kept->typed);
    if (code < 0)
        return code;
    kept->restore = (struct restore){ .env = &state->env, .store = kept->disk, .builder = builder };
    kept->restore.typed = kept->typed;
    kept->checkpoint = (struct checkpoint){ .kind = builder->kind, .segment_ms = lmdb_store_segment_ms(kept->disk) };
    code = checkpoint_read(&state->env, builder->name, &kept->checkpoint);
    if (code <= 0)
        code = code == MILL_ENOMEM ? code : begin_anew(state, kept);
    if (code < 0)
        return fail_in_env(state, code);
    cache_set_stream_time(&kept->typed->cache, kept->checkpoint.stream_time_ms, kept->checkpoint.sequence);
    return 0;
}

/* Every store has the same part of what the task may take. */
static void share_memory(struct lmdb_state *state)
{
    const mill_state_memory *memory = &state->options.memory;
    size_t live = memory->cache_bytes > LIVE_BYTES_MIN ? memory->cache_bytes : LIVE_BYTES_MIN;
    live = live < memory->restore_bytes ? live : memory->restore_bytes;
    for (size_t i = 0; i < state->store_count; i++) {
        struct kept_store *kept = &state->stores[i];
        typed_store_set_cache_bytes(kept->typed, memory->cache_bytes / state->store_count);
        kept->restore.bytes_max = memory->restore_bytes / state->store_count;
        kept->restore.live_bytes_max = live / state->store_count;
    }
}

static int lmdb_add_store(mill_task_state *head, const mill_store_builder *builder, mill_changelog *changelog, mill_store **store)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    int code = grow_lists(state);
    if (code < 0)
        return error_set(&state->error, code, "store %s: out of memory", builder->name);
    struct kept_store *kept = &state->stores[state->store_count];
    code = open_store(state, kept, builder, changelog);
    if (code < 0) {
        typed_store_free(kept->typed);
        lmdb_store_free(kept->disk);
        return code;
    }
    state->disks[state->store_count] = kept->disk;
    state->names[state->store_count] = builder->name;
    state->store_count++;
    share_memory(state);
    *store = &kept->typed->head;
    return 0;
}

static struct kept_store *find_store(struct lmdb_state *state, const mill_store *store)
{
    for (size_t i = 0; i < state->store_count; i++)
        if (&state->stores[i].typed->head == store)
            return &state->stores[i];
    mill_assert(!"a store of this task");
    return NULL;
}

static int lmdb_position(mill_task_state *head, mill_store *store, mill_changelog_position *position)
{
    *position = find_store((struct lmdb_state *)head, store)->checkpoint.position;
    return 0;
}

/* ---- restoring ------------------------------------------------------------------------------------------------------------- */

/* The cache over a disk that has changed. */
static int show_disk(struct lmdb_state *state, struct kept_store *kept, int64_t stream_time_ms, uint32_t sequence)
{
    typed_store_roll_back(kept->typed);
    int code = lmdb_env_refresh(&state->env);
    lmdb_store_refresh(kept->disk);
    cache_clear(&kept->typed->cache);
    cache_set_stream_time(&kept->typed->cache, stream_time_ms, sequence);
    return code;
}

/* After an error the store is not to be used before it was restored in full. */
static int fail_restore(struct lmdb_state *state, struct kept_store *kept, int code)
{
    restore_release(&kept->restore);
    show_disk(state, kept, kept->checkpoint.stream_time_ms, kept->checkpoint.sequence);
    return fail_in_env(state, code);
}

/* Where the store is before the next commit, for a flush that brings something of another store. */
static struct frozen_store frozen_as_it_is(const struct kept_store *kept)
{
    const struct cache *cache = &kept->typed->cache;
    return (struct frozen_store){ .commit = cache->commit - 1,
                                  .expired_ms = cache_committed_expiry(cache),
                                  .checkpoint = kept->checkpoint };
}

/* The next flush does not take the store back behind what it is now: what it restored may have gone to the disk meanwhile. */
static void note_restored(struct lmdb_state *state, const struct kept_store *kept)
{
    struct frozen_store now = frozen_as_it_is(kept);
    pthread_mutex_lock(&state->mutex);
    list_for_each (node, &state->queued) {
        struct frozen_store *frozen = &list_entry(node, struct frozen_commit, link)->stores[kept - state->stores];
        now.run = frozen->run;
        *frozen = now;
    }
    pthread_mutex_unlock(&state->mutex);
}

/* What was restored into memory goes to the disk with the next flush, as a commit does. */
static void queue_restored(struct lmdb_state *state, struct kept_store *kept, struct frozen_commit *restored)
{
    struct frozen_store *frozen = &restored->stores[kept - state->stores];
    for (size_t i = 0; i < state->store_count; i++)
        if (&state->stores[i] != kept)
            restored->stores[i] = frozen_as_it_is(&state->stores[i]);
    restored->updates = frozen->run.count;
    restored->bytes = frozen->run.bytes;
    kept->typed->frozen_bytes += restored->bytes;
    lmdb_store_hide(kept->disk, frozen->expired_ms);
    state->queued_updates += restored->updates;
    state->queued_bytes += restored->bytes;
    pthread_mutex_lock(&state->mutex);
    list_push_back(&state->queued, &restored->link);
    pthread_mutex_unlock(&state->mutex);
}

static int lmdb_restore_begin(mill_task_state *head, mill_store *store, bool full)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    struct kept_store *kept = find_store(state, store);
    restore_release(&kept->restore);
    int code = restore_begin(&kept->restore, full, kept->checkpoint.stream_time_ms, kept->checkpoint.sequence);
    if (code < 0)
        return fail_restore(state, kept, code);
    kept->restore.position = full ? checkpoint_nowhere() : kept->checkpoint.position;
    if (!full)
        return 0;
    kept->checkpoint.position = checkpoint_nowhere();
    kept->checkpoint.stream_time_ms = -1;
    kept->checkpoint.sequence = 0;
    note_restored(state, kept);
    code = show_disk(state, kept, -1, 0);
    return code < 0 ? fail_restore(state, kept, code) : 0;
}

static int lmdb_restore_records(mill_task_state *head, mill_store *store, const mill_record *records, size_t count)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    struct kept_store *kept = find_store(state, store);
    int code = restore_records(&kept->restore, records, count);
    return code < 0 ? fail_restore(state, kept, code) : 0;
}

static int lmdb_restore_end(mill_task_state *head, mill_store *store, const mill_changelog_position *position)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    struct kept_store *kept = find_store(state, store);
    struct frozen_commit *restored = frozen_commit_new(state->store_count);
    int code = restored != NULL ? restore_end(&kept->restore, position) : MILL_ENOMEM;
    int64_t stream_time_ms = kept->restore.stream_time_ms;
    uint32_t sequence = kept->restore.sequence;
    bool live = code == 0 && restore_take(&kept->restore, position, &restored->stores[kept - state->stores]);
    if (code == 0 && !live)
        code = show_disk(state, kept, stream_time_ms, sequence);
    if (code == 0) {
        kept->checkpoint.position = *position;
        kept->checkpoint.stream_time_ms = stream_time_ms;
        kept->checkpoint.sequence = sequence;
        note_restored(state, kept);
    }
    if (live)
        queue_restored(state, kept, restored);
    else
        frozen_commit_free(restored);
    return code < 0 ? fail_restore(state, kept, code) : 0;
}

/* ---- commit ---------------------------------------------------------------------------------------------------------------- */

static int freeze_store(struct kept_store *kept, const mill_changelog_position *position, struct frozen_store *frozen)
{
    struct cache *cache = &kept->typed->cache;
    typed_store_close_iterators(kept->typed);
    frozen->commit = cache->commit;
    frozen->checkpoint = kept->checkpoint;
    frozen->checkpoint.stream_time_ms = cache->stream_time_ms;
    frozen->checkpoint.sequence = cache->sequence;
    frozen->checkpoint.position = *position;
    frozen->expired_ms = window_expired_until(cache->retention_ms, cache_time(cache));
    return cache_freeze(cache, &frozen->run);
}

static int lmdb_freeze(mill_task_state *head, const mill_changelog_position *positions, size_t count)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    mill_assert(state->frozen == NULL && count == state->store_count);
    struct frozen_commit *frozen = frozen_commit_new(count);
    int code = frozen == NULL ? MILL_ENOMEM : 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        code = freeze_store(&state->stores[i], &positions[i], &frozen->stores[i]);
        frozen->updates += frozen->stores[i].run.count;
        frozen->bytes += frozen->stores[i].run.bytes;
    }
    if (code < 0) {
        frozen_commit_free(frozen);
        return error_set(&state->error, code, "task %s: no memory to freeze a commit", state->options.task_id);
    }
    state->frozen = frozen;
    for (size_t i = 0; i < count; i++)
        state->stores[i].typed->frozen_bytes += frozen->stores[i].run.bytes;
    return 0;
}

static void lmdb_roll_back(mill_task_state *head)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    for (size_t i = 0; i < state->store_count; i++) {
        typed_store_roll_back(state->stores[i].typed);
        if (state->frozen != NULL)
            state->stores[i].typed->frozen_bytes -= state->frozen->stores[i].run.bytes;
    }
    frozen_commit_free(state->frozen);
    state->frozen = NULL;
}

/* A commit that wrote nothing only moves positions: the last one in the queue takes them over. */
static bool merge_into_last(struct lmdb_state *state, const struct frozen_commit *commit)
{
    if (list_empty(&state->queued) || commit->updates > 0)
        return false;
    struct frozen_commit *last = list_entry(state->queued.prev, struct frozen_commit, link);
    for (size_t i = 0; i < commit->store_count; i++) {
        last->stores[i].commit = commit->stores[i].commit;
        last->stores[i].checkpoint = commit->stores[i].checkpoint;
        last->stores[i].expired_ms = commit->stores[i].expired_ms;
    }
    return true;
}

static void lmdb_committed(mill_task_state *head)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    struct frozen_commit *commit = state->frozen;
    mill_assert(commit != NULL);
    state->frozen = NULL;
    for (size_t i = 0; i < state->store_count; i++) {
        cache_committed(&state->stores[i].typed->cache);
        lmdb_store_hide(state->stores[i].disk, commit->stores[i].expired_ms);
    }
    state->queued_updates += commit->updates;
    state->queued_bytes += commit->bytes;
    pthread_mutex_lock(&state->mutex);
    bool merged = merge_into_last(state, commit);
    if (!merged)
        list_push_back(&state->queued, &commit->link);
    pthread_mutex_unlock(&state->mutex);
    if (merged)
        frozen_commit_free(commit);
}

/* ---- flush ----------------------------------------------------------------------------------------------------------------- */

static bool lmdb_flush_due(const mill_task_state *head, int64_t monotonic_us, bool closing)
{
    struct lmdb_state *state = (struct lmdb_state *)(uintptr_t)head; /* it remembers when it was first asked */
    pthread_mutex_lock(&state->mutex);
    bool waiting = !list_empty(&state->queued) && !state->flush_running && !state->stopped;
    pthread_mutex_unlock(&state->mutex);
    if (!waiting)
        return false;
    if (state->queued_since_us < 0)
        state->queued_since_us = monotonic_us;
    size_t bytes_max =
        state->options.memory.cache_bytes > FROZEN_BYTES_MIN ? state->options.memory.cache_bytes : FROZEN_BYTES_MIN;
    int64_t age_us = monotonic_us - state->queued_since_us;
    return closing || state->retry || state->queued_updates >= FLUSH_UPDATES || state->queued_bytes >= bytes_max / 2 ||
           age_us >= (state->queued_updates > 0 ? FLUSH_AGE_US : MARK_AGE_US);
}

static int lmdb_flush(mill_task_state *head)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    pthread_mutex_lock(&state->mutex);
    state->flush_running = true;
    for (struct list *node = list_pop_front(&state->queued); node != NULL; node = list_pop_front(&state->queued))
        list_push_back(&state->flushing, node);
    pthread_mutex_unlock(&state->mutex);
    if (list_empty(&state->flushing))
        return 0;
    int code = flush_commits(&state->env, state->disks, state->names, state->store_count, &state->flushing, &state->flush_error);
    state->map_full = code == MILL_EAGAIN;
    return state->map_full ? 0 : code;
}

static void forget_flushed(struct lmdb_state *state)
{
    for (struct list *node = list_pop_front(&state->flushing); node != NULL; node = list_pop_front(&state->flushing)) {
        struct frozen_commit *commit = list_entry(node, struct frozen_commit, link);
        state->queued_updates -= commit->updates;
        state->queued_bytes -= commit->bytes;
        for (size_t i = 0; i < commit->store_count; i++) {
            struct kept_store *kept = &state->stores[i];
            kept->checkpoint = commit->stores[i].checkpoint;
            kept->typed->frozen_bytes -= commit->stores[i].run.bytes;
            cache_flushed(&kept->typed->cache, commit->stores[i].commit);
        }
        frozen_commit_free(commit);
    }
}

/* With the map doubled, what the worker could not put there queues again, before what came since. */
static int grow_map(struct lmdb_state *state)
{
    int code = lmdb_env_grow(&state->env);
    for (size_t i = 0; i < state->store_count && code == 0; i++) {
        code = lmdb_store_reopen(state->stores[i].disk);
        lmdb_store_hide(state->stores[i].disk, cache_committed_expiry(&state->stores[i].typed->cache));
    }
    pthread_mutex_lock(&state->mutex);
    for (struct list *node = list_pop_front(&state->queued); node != NULL; node = list_pop_front(&state->queued))
        list_push_back(&state->flushing, node);
    for (struct list *node = list_pop_front(&state->flushing); node != NULL; node = list_pop_front(&state->flushing))
        list_push_back(&state->queued, node);
    pthread_mutex_unlock(&state->mutex);
    state->retry = true;
    return code;
}

static void close_iterators(struct lmdb_state *state)
{
    for (size_t i = 0; i < state->store_count; i++)
        typed_store_close_iterators(state->stores[i].typed);
}

/* A store has its part of the task's memory for what is not yet on disk and once more, with what that leaves, for the rest. */
static void trim_store(struct lmdb_state *state, struct typed_store *typed)
{
    size_t share = state->options.memory.cache_bytes / state->store_count;
    size_t unflushed_bytes = typed->frozen_bytes + typed->cache.uncommitted_bytes;
    size_t left = share > unflushed_bytes ? share - unflushed_bytes : 0;
    typed_store_close_iterators(typed);
    cache_trim(&typed->cache, share + left, unflushed_bytes);
}

static void trim_all(struct lmdb_state *state)
{
    for (size_t i = 0; i < state->store_count; i++)
        trim_store(state, state->stores[i].typed);
}

static void lmdb_trim(mill_task_state *head)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    for (size_t i = 0; i < state->store_count; i++)
        if (cache_wants_trim(&state->stores[i].typed->cache))
            trim_store(state, state->stores[i].typed);
}

static int take_over(struct lmdb_state *state)
{
    int code = lmdb_env_refresh(&state->env);
    for (size_t i = 0; i < state->store_count; i++) {
        struct kept_store *kept = &state->stores[i];
        lmdb_store_refresh(kept->disk);
        lmdb_store_hide(kept->disk, cache_committed_expiry(&kept->typed->cache));
    }
    forget_flushed(state);
    state->queued_since_us = -1;
    state->retry = false;
    trim_all(state);
    return code;
}

static void lmdb_flushed(mill_task_state *head, int code)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    pthread_mutex_lock(&state->mutex);
    state->flush_running = false;
    pthread_mutex_unlock(&state->mutex);
    close_iterators(state);
    if (code < 0) {
        error_set(&state->error, code, "%s: %s", state->options.directory, state->flush_error.text);
    } else if (!list_empty(&state->flushing)) {
        code = state->map_full ? grow_map(state) : take_over(state);
        if (code < 0)
            fail_in_env(state, code);
    }
    if (code < 0) {
        state->stopped = true;
        state->broken = state->broken || code == MILL_EIO || code == MILL_ECORRUPT;
    }
}

/* ---- the end --------------------------------------------------------------------------------------------------------------- */

static void free_commits(struct list *commits)
{
    for (struct list *node = list_pop_front(commits); node != NULL; node = list_pop_front(commits))
        frozen_commit_free(list_entry(node, struct frozen_commit, link));
}

static void forget_commits(struct lmdb_state *state)
{
    lmdb_roll_back(&state->head);
    free_commits(&state->flushing);
    free_commits(&state->queued);
    state->queued_updates = 0;
    state->queued_bytes = 0;
    for (size_t i = 0; i < state->store_count; i++) {
        struct typed_store *typed = state->stores[i].typed;
        typed->frozen_bytes = 0;
        cache_flushed(&typed->cache, typed->cache.commit - 1);
    }
}

static int lmdb_wipe(mill_task_state *head)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    forget_commits(state);
    for (size_t i = 0; i < state->store_count; i++) {
        int code = lmdb_restore_begin(head, &state->stores[i].typed->head, true);
        if (code < 0)
            return code;
        restore_release(&state->stores[i].restore);
    }
    return 0;
}

static void lmdb_close(mill_task_state *head, bool clean)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    bool all_flushed = list_empty(&state->queued) && list_empty(&state->flushing) && !state->stopped;
    forget_commits(state);
    for (size_t i = 0; i < state->store_count; i++) {
        restore_release(&state->stores[i].restore);
        typed_store_free(state->stores[i].typed);
        lmdb_store_free(state->stores[i].disk);
    }
    bool broken = state->broken || state->env.corrupt;
    clean = clean && all_flushed && !broken;
    if (lmdb_env_close(&state->env, clean) < 0)
        broken = true;
    if (broken)
        trace_error("state",
                    "task %s: %s/data.mdb is not to be trusted (%s); check the disk. The next start rebuilds it from the "
                    "changelogs",
                    state->options.task_id, state->options.directory,
                    state->env.error.text[0] ? state->env.error.text : state->flush_error.text);
    int marked = broken  ? state_dir_mark(&state->dir, STATE_END_BROKEN, state->synced)
                 : clean ? state_dir_mark(&state->dir, STATE_END_CLEAN, state->synced)
                         : 0;
    if (broken && marked < 0)
        marked = state_dir_wipe(&state->dir);
    if (marked < 0)
        trace_warn("state", "task %s: %s/mark cannot be written", state->options.task_id, state->options.directory);
    state_dir_close(&state->dir);
    pthread_mutex_destroy(&state->mutex);
    mem_free(state->stores);
    mem_free(state->disks);
    mem_free(state->names);
    mem_free(state);
}

static int lmdb_open_view(mill_task_state *head, mill_store *store, size_t cache_bytes, mill_store_view **view)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    struct kept_store *kept = find_store(state, store);
    int code = store_view_open(store->builder, &state->env, kept->disk, cache_bytes, view);
    return code < 0 ? fail_in_env(state, code) : 0;
}

static void lmdb_set_memory(mill_task_state *head, const mill_state_memory *memory)
{
    struct lmdb_state *state = (struct lmdb_state *)head;
    bool less = memory->cache_bytes < state->options.memory.cache_bytes;
    state->options.memory = *memory;
    share_memory(state);
    if (less)
        trim_all(state);
}

static const char *lmdb_error(const mill_task_state *head)
{
    return ((const struct lmdb_state *)head)->error.text;
}

static const mill_task_state_ops LMDB_OPS = { lmdb_add_store,   lmdb_position, lmdb_restore_begin, lmdb_restore_records,
                                              lmdb_restore_end, lmdb_freeze,   lmdb_committed,     lmdb_roll_back,
                                              lmdb_flush_due,   lmdb_flush,    lmdb_flushed,       lmdb_wipe,
                                              lmdb_close,       lmdb_error,    lmdb_open_view,     lmdb_set_memory,
                                              lmdb_trim };

const mill_task_state_type TASK_STATE_LMDB = { "lmdb", lmdb_open };
