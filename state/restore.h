/*
 * From changelog records to the store.
 *
 * What is missing on top of the disk, after a crash, is not more than memory held before: so it goes there again, as updates that
 * are committed, and the disk gets it with the next flush, on its worker, while processing goes on. What is more than
 * `live_bytes_max`, the store's part of the thread's memory, is put on disk on the way. Not so the members of a set, whose sizes
 * would have to be looked up.
 *
 * All else goes straight to the disk: sorted with the last value of each key winning, then written in ascending order.
 *
 * A full restore empties the store first, in a transaction that also says that nothing is known of it; its appends then fill
 * pages to the brim, and the checkpoint comes with the last of them: a crash before that leaves an unfinished store that says so.
 * The other stores of the environment are untouched. Records beyond the memory budget are written on the way; they are sorted
 * among themselves, so that each page of the tree is touched once per budget.
 *
 * The records of a versioned store depend on each other: they are put into its cache, one after the other, and what has become of
 * them goes to the disk as if it had been committed.
 *
 * Thread: the stream thread; no flush is at work.
 */
#ifndef STATE_RESTORE_H
#define STATE_RESTORE_H

#include "state/checkpoint.h"
#include "state/flush.h"
#include "state/lmdb_store.h"
#include "state/sorter.h"

struct typed_store;

struct restore {
    struct lmdb_env *env;
    struct lmdb_store *store;
    const mill_store_builder *builder;
    struct typed_store *typed;
    mill_changelog_position position; /* what is known while restoring */
    struct sorter sorter;
    size_t bytes_max; /* of what is sorted, or waits in the cache of a versioned store */
    struct run run;   /* what went into memory and is not on disk */
    size_t live_bytes_max;
    enum { RESTORE_SORTED, RESTORE_LIVE, RESTORE_VERSIONS } way;
    int64_t stream_time_ms;
    uint32_t sequence;
    bool active;
};

/* `stream_time_ms` and `sequence`: the store's so far, -1 and 0 for none. After an error the store is as it was or empty. */
int restore_begin(struct restore *restore, bool full, int64_t stream_time_ms, uint32_t sequence);
int restore_records(struct restore *restore, const mill_record *records, size_t count);
int restore_end(struct restore *restore, const mill_changelog_position *position);

/*
 * After restore_end: what is in memory only, with `position`, as a commit of which the caller has to bring `store` to the disk
 * (with the run, which it then owns). False: all is on disk.
 */
bool restore_take(struct restore *restore, const mill_changelog_position *position, struct frozen_store *frozen);

/* Gives the memory back; what was not written is forgotten. */
void restore_release(struct restore *restore);

#endif
