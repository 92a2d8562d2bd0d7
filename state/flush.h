/*
 * From frozen commits to the disk: all updates of all commits since the last flush, sorted, in as few transactions as the page
 * limit allows, the checkpoints with the last. A crash in between leaves some updates newer than their checkpoint, which
 * restoring from that checkpoint repeats.
 *
 * Thread: the flush worker; what it is given belongs to it meanwhile.
 */
#ifndef STATE_FLUSH_H
#define STATE_FLUSH_H

#include "base/list.h"
#include "state/checkpoint.h"
#include "state/lmdb_store.h"
#include "state/run.h"

/* What one store wrote in one commit. */
struct frozen_store {
    struct run run;
    uint32_t commit;    /* cache->commit at the freeze */
    int64_t expired_ms; /* windows up to here had expired; -1: none */
    struct checkpoint checkpoint;
};

struct frozen_commit {
    struct list link;
    uint64_t updates;
    size_t bytes;
    size_t store_count;
    struct frozen_store stores[];
};

struct frozen_commit *frozen_commit_new(size_t store_count); /* NULL: no memory */
void frozen_commit_free(struct frozen_commit *commit);       /* NULL is a no-op */

/* The i-th store's updates are `stores[i]` of each commit, oldest commit first. MILL_EAGAIN: the map is full; nothing is lost. */
int flush_commits(struct lmdb_env *env, struct lmdb_store *const *stores, const char *const *names, size_t store_count,
                  const struct list *commits, struct error_text *error);

#endif
