#include "state/restore.h"

#include "state/flush.h"
#include "state/layout.h"
#include "state/typed_store.h"
#include "state/window_expiry.h"

/* Windows up to here have expired; -1: none. */
static int64_t expired_until(const struct restore *restore)
{
    return window_expired_until(layout_has_windows(restore->builder->kind) ? restore->builder->retention_ms : 0,
                                restore->stream_time_ms);
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

/* ---- a versioned store: through its cache ---------------------------------------------------------------------------------- */

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
    restore->stream_time_ms = cache->stream_time_ms;
    commit->stores[0].commit = cache->commit;
    commit->stores[0].expired_ms = expired_until(restore);
    commit->stores[0].checkpoint = checkpoint_of(restore, position);
    int code = cache_freeze(cache, &commit->stores[0].run);
    if (code == 0) {
        cache_committed(cache);
        code = flush_one(restore, &commits);
    }
    if (code == 0)
        code = lmdb_env_refresh(restore->env);
    lmdb_store_refresh(restore->store);
    if (code == 0) {
        cache_flushed(cache, commit->stores[0].commit);
        cache_trim(cache, restore->bytes_max / 2);
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

/* ---- restoring ------------------------------------------------------------------------------------------------------------- */

int restore_begin(struct restore *restore, bool full, int64_t stream_time_ms, uint32_t sequence)
{
    sorter_init(&restore->sorter);
    restore->active = true;
    restore->stream_time_ms = full ? -1 : stream_time_ms;
    restore->sequence = full ? 0 : sequence;
    if (!full)
        return 0;
    mill_changelog_position nowhere = checkpoint_nowhere();
    return write_out(restore, STEP_EMPTY, &nowhere);
}

int restore_records(struct restore *restore, const mill_record *records, size_t count)
{
    if (restore->typed != NULL)
        return restore_versions(restore, records, count);
    for (size_t i = 0; i < count; i++) {
        struct run_update update;
        struct stored_at at;
        if (!typed_store_parse(restore->builder, &records[i], &update, &at))
            return error_set(&restore->env->error, MILL_ECORRUPT,
                             "store %s: a changelog record is not of this kind of store: was the topic used for something else?",
                             restore->builder->name);
        if (at.time_ms > restore->stream_time_ms)
            restore->stream_time_ms = at.time_ms;
        restore->sequence = at.sequence;
        if (update.start_ms <= expired_until(restore))
            continue;
        int code = sorter_add(&restore->sorter, &update);
        if (code == 0 && restore->sorter.bytes > restore->bytes_max)
            code = write_out(restore, STEP_DRAIN, NULL);
        if (code < 0)
            return code;
    }
    return 0;
}

int restore_end(struct restore *restore, const mill_changelog_position *position)
{
    int code = restore->typed != NULL ? drain_cache(restore, position) : write_out(restore, STEP_END, position);
    restore_release(restore);
    return code;
}

void restore_release(struct restore *restore)
{
    if (restore->active)
        sorter_release(&restore->sorter);
    restore->active = false;
}
