/*
 * One store's data in a task's LMDB environment: an ordered store of (window start, key), cut into segments by time.
 *
 * A segment is one named database, dropped whole when all its windows have expired: a sixteenth of the retention and at least one
 * window long, so that fewer than 32 are live. A key-value store, or a set that keeps all, has one. FORMAT.md has the bytes.
 *
 * Long keys (their stored form above 510 bytes) are stored under their first 495 bytes and a digest, the whole key in the value;
 * a cursor sorts those that share the first 495 bytes.
 *
 * Two sides, each with its own list of segments: the stream thread reads what the environment's reader shows, the flush worker
 * writes. lmdb_store_refresh, on the stream thread with no writer at work, shows the reader what the writer has made.
 */
#ifndef STATE_LMDB_STORE_H
#define STATE_LMDB_STORE_H

#include "state/byte_store.h"
#include "state/lmdb_env.h"
#include "state/run.h"

struct lmdb_store;

/* `name` lives as long as the store. Opens what is there of it. On error the text is in `env->error`. */
int lmdb_store_new(struct lmdb_env *env, const char *name, mill_store_kind kind, int64_t retention_ms, int64_t window_size_ms,
                   struct lmdb_store **store);
void lmdb_store_free(struct lmdb_store *store); /* NULL is a no-op; the environment is still open */

/* Makes the database of a key-value store if it has none, so that a second reader finds it from the start. No writer. */
int lmdb_store_make(struct lmdb_store *store);

struct byte_store *lmdb_store_reader(struct lmdb_store *store);
int64_t lmdb_store_segment_ms(const struct lmdb_store *store); /* 0: one for all */
int64_t lmdb_store_segment_of(const struct lmdb_store *store, int64_t start_ms);

/* After a commit and lmdb_env_refresh. */
void lmdb_store_refresh(struct lmdb_store *store);
/* After an abort, which closes handles: finds out anew what is there. */
int lmdb_store_reopen(struct lmdb_store *store);
/* The reader no longer looks at segments of which every window starts at or before `expired_ms`: the writer may drop them. */
void lmdb_store_hide(struct lmdb_store *store, int64_t expired_ms);

/* ---- the writer's side ----------------------------------------------------------------------------------------------------- */

/*
 * One update; null deletes. Fast when updates ascend by (start, key). For a set an update is a member: it is counted when it is
 * new, and the size of its set, kept in the same transactions, is written once all its members in a row are in. Commits on the
 * way when the transaction is full. MILL_EAGAIN: the map is full.
 */
int lmdb_store_write(struct lmdb_store *store, struct lmdb_writer *writer, const struct run_update *update);

/* What a set still has to write. Before the commit, and before another store writes. */
int lmdb_store_finish(struct lmdb_store *store, struct lmdb_writer *writer);

/* Drops the segments of which every window starts at or before `expired_ms`; INT64_MAX: all. */
int lmdb_store_drop(struct lmdb_store *store, struct lmdb_writer *writer, int64_t expired_ms);

#endif
