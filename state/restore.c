#include "state/restore.h"

#include "base/assert.h"
#include "state/layout.h"
#include "state/typed_store.h"
#include "state/window_expiry.h"

enum { LIVE_AHEAD = 16 };

/* Windows up to here have expired; -1: none. */
static int64_t expired_until(const struct restore *restore)
{
    const struct cache *cache = &restore->typed->cache;
    int64_t time_ms = window_resumed_time(restore->stream_time_ms, cache->resumed_at_ms, cache->slack_ms);
    return window_expired_until(layout_has_windows(restore->builder->kind) ? restore->builder->retention_ms : 0, time_ms);
}

static struct checkpoint checkpoint_of(const struct restore *restore, const mill_changelog_position *position)
{
    return (struct checkpoint){ .kind = restore->builder->kind,
                                .segment_ms = lmdb_store_segment_ms(restore->store),
                                .stream_time_ms = restore->stream_time_ms,
                                .sequence = restore->sequence,
                                .position = *position };
}

struct drain {
    struct restore *restore;
    struct lmdb_writer *writer;
    int64_t expired_ms;
};

static int write_update(void *ctx, const struct run_update *update)
{
    const struct drain *drain = ctx;
    if (update->start_ms <= drain->expired_ms)
        return 0;
    return lmdb_store_write(drain->restore->store, drain->writer, update);
}

enum step { STEP_EMPTY, STEP_DRAIN, STEP_END };

/* One step in a writer of its own. */
static int write_step(struct restore *restore, enum step step, const mill_changelog_position *position)
{
    struct lmdb_writer writer;
    int code = lmdb_writer_begin(&writer, restore->env, &restore->env->error);
    if (code < 0)
        return code;
    struct drain drain = { restore, &writer, expired_until(restore) };
    code = lmdb_store_drop(restore->store, &writer, step == STEP_EMPTY ? INT64_MAX : drain.expired_ms);
    if (code == 0)
        code = sorter_each(&restore->sorter, write_update, &drain);
    if (code == 0)
        code = lmdb_store_finish(restore->store, &writer);
    if (code == 0 && step != STEP_DRAIN) {
        struct checkpoint checkpoint = checkpoint_of(restore, position);
        code = checkpoint_write(&writer, restore->builder->name, &checkpoint);
    }
    if (code == 0)
        return lmdb_writer_commit(&writer);
    lmdb_writer_abort(&writer);
    return code;
}

/* The same with a larger map as often as it takes: writing again what was written changes nothing. */
static int write_out(struct restore *restore, enum step step, const mill_changelog_position *position)
{
    int code = write_step(restore, step, position);
    while (code == MILL_EAGAIN) {
        code = lmdb_env_grow(restore->env);
        if (code == 0)
            code = lmdb_store_reopen(restore->store);
        if (code == 0)
            code = write_step(restore, step, position);
    }
    if (code == 0)
        sorter_clear(&restore->sorter);
    else
        lmdb_store_reopen(restore->store);
    return code;
}

/* ---- through the cache ----------------------------------------------------------------------------------------------------- */

static int flush_one(struct restore *restore, const struct list *commits)
{
    int code;
    while ((code = flush_commits(restore->env, &restore->store, &restore->builder->name, 1, commits, &restore->env->error)) ==
           MILL_EAGAIN) {
        code = lmdb_env_grow(restore->env);
        if (code == 0)
            code = lmdb_store_reopen(restore->store);
        if (code < 0)
            return code;
    }
    return code;
}

/* What went into memory becomes a commit. 0 or MILL_ENOMEM. */
static int freeze(struct restore *restore, const mill_changelog_position *position, struct frozen_store *frozen)
{
    struct cache *cache = &restore->typed->cache;
    if (restore->way == RESTORE_VERSIONS)
        restore->stream_time_ms = cache->stream_time_ms;
    else
        cache_set_stream_time(cache, restore->stream_time_ms, restore->sequence);
    int code = cache_freeze(cache, restore->way == RESTORE_VERSIONS ? &restore->run : NULL);
    if (code < 0)
        return code;
    frozen->commit = cache->commit;
    frozen->expired_ms = expired_until(restore);
    frozen->checkpoint = checkpoint_of(restore, position);
    frozen->run = restore->run;
    run_init(&restore->run);
    cache_committed(cache);
    return 0;
}

/* Puts on disk what the cache has, with `position`. */
static int drain_cache(struct restore *restore, const mill_changelog_position *position)
{
    struct cache *cache = &restore->typed->cache;
    struct frozen_commit *commit = frozen_commit_new(1);
    if (commit == NULL)
        return MILL_ENOMEM;
    struct list commits;
    list_init(&commits);
    list_push_back(&commits, &commit->link);
    int code = freeze(restore, position, &commit->stores[0]);
    if (code == 0)
        code = flush_one(restore, &commits);
    if (code == 0)
        code = lmdb_env_refresh(restore->env);
    lmdb_store_refresh(restore->store);
    if (code == 0) {
        cache_flushed(cache, commit->stores[0].commit);
        cache_trim(cache, restore->way == RESTORE_LIVE ? restore->live_bytes_max : restore->bytes_max / 2, 0);
    }
    frozen_commit_free(commit);
    return code;
}

static int restore_versions(struct restore *restore, const mill_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int code = typed_store_restore(restore->typed, &records[i]);
        if (code < 0)
            return error_set(&restore->env->error, code, "store %s: a changelog record cannot be restored",
                             restore->builder->name);
        if (restore->typed->cache.uncommitted_bytes > restore->bytes_max / 4)
            code = drain_cache(restore, &restore->position);
        if (code < 0)
            return code;
    }
    return 0;
}

/* An update with the window that it belongs to. 1, 0 when that has expired, or MILL_ECORRUPT. */
static int parse(struct restore *restore, const mill_record *record, struct run_update *update)
{
    struct stored_at at;
    if (!typed_store_parse(restore->builder, record, update, &at))
        return error_set(&restore->env->error, MILL_ECORRUPT,
                         "store %s: a changelog record is not of this kind of store: was the topic used for something else?",
                         restore->builder->name);
    if (at.time_ms > restore->stream_time_ms)
        restore->stream_time_ms = at.time_ms;
    restore->sequence = at.sequence;
    return update->start_ms > expired_until(restore);
}

static int take_live(struct restore *restore, const struct run_update *update)
{
    int code = run_append(&restore->run, update) ? cache_restore(&restore->typed->cache, update) : MILL_ENOMEM;
    if (code == MILL_ENOMEM)
        error_set(&restore->env->error, code, "store %s: no memory to restore a changelog record", restore->builder->name);
    if (code < 0)
        return code;
    return restore->run.bytes > restore->live_bytes_max ? drain_cache(restore, &restore->position) : 0;
}

/* Each update's place is prefetched some updates before. */
static int restore_live(struct restore *restore, const mill_record *records, size_t count)
{
    struct run_update ahead[LIVE_AHEAD];
    size_t parsed = 0;
    size_t taken = 0;
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        if (parsed - taken == LIVE_AHEAD)
            code = take_live(restore, &ahead[taken++ % LIVE_AHEAD]);
        int kept = code == 0 ? parse(restore, &records[i], &ahead[parsed % LIVE_AHEAD]) : 0;
        if (kept > 0) {
            const struct run_update *update = &ahead[parsed++ % LIVE_AHEAD];
            cache_prefetch(&restore->typed->cache, update->start_ms, update->key);
        }
        code = kept < 0 ? kept : code;
    }
    while (code == 0 && taken < parsed)
        code = take_live(restore, &ahead[taken++ % LIVE_AHEAD]);
    return code;
}

/* ---- restoring ------------------------------------------------------------------------------------------------------------- */

static int restore_sorted(struct restore *restore, const mill_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct run_update update;
        int code = parse(restore, &records[i], &update);
        if (code > 0)
            code = sorter_add(&restore->sorter, &update);
        if (code == 0 && restore->sorter.bytes > restore->bytes_max)
            code = write_out(restore, STEP_DRAIN, NULL);
        if (code < 0)
            return code;
    }
    return 0;
}

int restore_begin(struct restore *restore, bool full, int64_t stream_time_ms, uint32_t sequence)
{
    mill_store_kind kind = restore->builder->kind;
    sorter_init(&restore->sorter);
    run_init(&restore->run);
    restore->active = true;
    restore->way = full || kind == MILL_STORE_SET ? RESTORE_SORTED : RESTORE_LIVE;
    if (kind == MILL_STORE_VERSIONED)
        restore->way = RESTORE_VERSIONS;
    restore->stream_time_ms = full ? -1 : stream_time_ms;
    restore->sequence = full ? 0 : sequence;
    if (!full)
        return 0;
    mill_changelog_position nowhere = checkpoint_nowhere();
    return write_out(restore, STEP_EMPTY, &nowhere);
}

int restore_records(struct restore *restore, const mill_record *records, size_t count)
{
    switch (restore->way) {
    case RESTORE_LIVE:
        return restore_live(restore, records, count);
    case RESTORE_VERSIONS:
        return restore_versions(restore, records, count);
    default:
        return restore_sorted(restore, records, count);
    }
}

int restore_end(struct restore *restore, const mill_changelog_position *position)
{
    int code = 0;
    if (restore->way == RESTORE_VERSIONS)
        code = drain_cache(restore, position);
    else if (restore->way == RESTORE_SORTED)
        code = write_out(restore, STEP_END, position);
    if (code < 0 || restore->way != RESTORE_LIVE)
        restore_release(restore);
    return code;
}

bool restore_take(struct restore *restore, const mill_changelog_position *position, struct frozen_store *frozen)
{
    if (!restore->active)
        return false;
    int code = freeze(restore, position, frozen);
    mill_assert(code == 0); /* it copies nothing */
    restore_release(restore);
    return true;
}

void restore_release(struct restore *restore)
{
    if (restore->active) {
        sorter_release(&restore->sorter);
        run_release(&restore->run);
    }
    restore->active = false;
}
