#include "state/flush.h"

#include "base/alloc.h"
#include "state/sorter.h"

struct frozen_commit *frozen_commit_new(size_t store_count)
{
    struct frozen_commit *commit = mem_calloc(1, sizeof *commit + store_count * sizeof commit->stores[0]);
    if (commit == NULL)
        return NULL;
    list_init(&commit->link);
    commit->store_count = store_count;
    return commit;
}

void frozen_commit_free(struct frozen_commit *commit)
{
    if (commit == NULL)
        return;
    for (size_t i = 0; i < commit->store_count; i++)
        run_release(&commit->stores[i].run);
    mem_free(commit);
}

static int sort_runs(struct sorter *sorter, const struct list *commits, size_t store, int64_t expired_ms)
{
    list_for_each (node, (struct list *)(uintptr_t)commits) {
        const struct frozen_store *frozen = &list_entry(node, struct frozen_commit, link)->stores[store];
        struct run_at at = { 0 };
        struct run_update update;
        while (run_next(&frozen->run, &at, &update)) {
            int code = update.start_ms <= expired_ms ? 0 : sorter_add(sorter, &update);
            if (code < 0)
                return code;
        }
    }
    return 0;
}

struct target {
    struct lmdb_store *store;
    struct lmdb_writer *writer;
};

static int write_update(void *ctx, const struct run_update *update)
{
    struct target *target = ctx;
    return lmdb_store_write(target->store, target->writer, update);
}

static int flush_store(struct lmdb_writer *writer, struct lmdb_store *store, const struct list *commits, size_t index,
                       int64_t expired_ms)
{
    struct target target = { store, writer };
    struct sorter sorter;
    sorter_init(&sorter);
    int code = sort_runs(&sorter, commits, index, expired_ms);
    if (code == 0)
        code = lmdb_store_drop(store, writer, expired_ms);
    if (code == 0)
        code = sorter_each(&sorter, write_update, &target);
    if (code == 0)
        code = lmdb_store_finish(store, writer);
    sorter_release(&sorter);
    return code;
}

int flush_commits(struct lmdb_env *env, struct lmdb_store *const *stores, const char *const *names, size_t store_count,
                  const struct list *commits, struct error_text *error)
{
    const struct frozen_commit *newest = list_entry(commits->prev, struct frozen_commit, link);
    struct lmdb_writer writer;
    int code = lmdb_writer_begin(&writer, env, error);
    if (code < 0)
        return code;
    for (size_t i = 0; i < store_count && code == 0; i++)
        code = flush_store(&writer, stores[i], commits, i, newest->stores[i].expired_ms);
    for (size_t i = 0; i < store_count && code == 0; i++)
        code = checkpoint_write(&writer, names[i], &newest->stores[i].checkpoint);
    if (code == 0)
        return lmdb_writer_commit(&writer);
    lmdb_writer_abort(&writer);
    return code == MILL_ENOMEM ? error_set(error, code, "no memory to sort what is to be written") : code;
}
