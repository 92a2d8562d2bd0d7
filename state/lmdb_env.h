/*
 * One LMDB environment: the disk of one task's stores. Only lmdb_*.c see LMDB.
 *
 * Safe mode (the default) is MDB_NOMETASYNC: data is synced at each commit, so that after a power cut the file is whole and at
 * most its newest commit undone. Never MDB_WRITEMAP, where a full disk is a SIGBUS. LMDB trusts its file and we do not: before it
 * opens, size and meta pages are checked, or everything (lmdb_check.h); every value carries a checksum over its key and itself,
 * verified at each read (FORMAT.md).
 *
 * The stream thread reads through one read transaction, renewed by lmdb_env_refresh after each flush. One writer at a time, on
 * any thread; it never waits for readers. Growing the map needs both at rest.
 */
#ifndef STATE_LMDB_ENV_H
#define STATE_LMDB_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

struct lmdb_env_options {
    const char *directory; /* there; the files in it are data.mdb and lock.mdb */
    size_t map_bytes;      /* the least size of the map */
    bool sync;             /* false: MDB_NOSYNC, for those who would rather rebuild after a power cut */
};

enum { LMDB_SALT_BYTES = 16 };

struct lmdb_env {
    struct MDB_env *mdb;
    struct MDB_txn *reader; /* of the stream thread */
    unsigned meta;          /* database of checkpoints and salt */
    unsigned names;         /* LMDB's own: from database name to database */
    size_t map_bytes;
    uint8_t salt[LMDB_SALT_BYTES]; /* keys the digests of long keys */
    bool shared;                   /* has been: the map no longer grows */
    _Atomic bool corrupt;          /* something failed its check: the file is not to be trusted again */
    struct error_text error;       /* of the stream thread; a writer has its own */
};

/*
 * Opens or makes it. `salt` is used when it is new. MILL_ECORRUPT: LMDB refuses the file; the caller wipes and tries again. On
 * error the text is in `env->error`, and nothing is open.
 */
int lmdb_env_open(struct lmdb_env *env, const struct lmdb_env_options *options, const uint8_t salt[LMDB_SALT_BYTES]);

/* `sync`: everything is on the disk afterwards; 0 or the error of that. Closes in any case. */
int lmdb_env_close(struct lmdb_env *env, bool sync);

/* Shows the stream thread what was committed since. Views of the byte stores end. */
int lmdb_env_refresh(struct lmdb_env *env);

/*
 * A second reader of an open environment, for another thread: a struct of its own that shares all but the read transaction. No
 * writer; `view` is released before the environment is closed, which also hears of what failed its check.
 */
int lmdb_env_share(struct lmdb_env *env, struct lmdb_env *view);
void lmdb_env_unshare(struct lmdb_env *env, struct lmdb_env *view);

/* Doubles the map. No writer, and no other reader; views end. */
int lmdb_env_grow(struct lmdb_env *env);

/* A small value of the meta database, as the reader sees it: 1 and a view, 0, MILL_ECORRUPT. */
int lmdb_env_meta_get(struct lmdb_env *env, mill_bytes key, mill_bytes *value);

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

enum { LMDB_DIRTY_PAGES_MAX = 16384 }; /* per transaction, so that LMDB never spills */

/* A row of write transactions: large work is committed in parts, each below the limit of dirty pages. */
struct lmdb_writer {
    struct lmdb_env *env;
    struct error_text *error;
    struct MDB_txn *txn;
    struct MDB_cursor *cursor; /* of `database`; NULL: none open */
    unsigned database;
    bool appending;      /* every key so far was behind all that the database had */
    size_t pages;        /* dirty ones, estimated from above */
    uintptr_t last_page; /* of the last value written */
    struct buffer key;
};

/* `error` gets the text of what fails; it lives as long as the writer. */
int lmdb_writer_begin(struct lmdb_writer *writer, struct lmdb_env *env, struct error_text *error);
int lmdb_writer_commit(struct lmdb_writer *writer); /* the writer is gone in any case, as after abort */
void lmdb_writer_abort(struct lmdb_writer *writer);

/* True when the next write should be preceded by lmdb_writer_renew: commits and begins anew. */
bool lmdb_writer_full(const struct lmdb_writer *writer);
int lmdb_writer_renew(struct lmdb_writer *writer);

/* Where the following calls write. Costs a cursor. */
int lmdb_writer_use(struct lmdb_writer *writer, unsigned database);

/*
 * Writes `head | tail`, with its checksum. Fast when keys ascend. `only_new`: 0 and nothing changed when the key is there.
 * 1, 0, MILL_EAGAIN when the map is full (abort, lmdb_env_grow, again), or an error after which only abort is left.
 */
int lmdb_writer_put(struct lmdb_writer *writer, mill_bytes key, mill_bytes head, mill_bytes tail, bool only_new);
int lmdb_writer_get(struct lmdb_writer *writer, mill_bytes key,
                    mill_bytes *value);                             /* 1 and a view until the next write, 0, error */
int lmdb_writer_delete(struct lmdb_writer *writer, mill_bytes key); /* 0 also when it is not there */

int lmdb_writer_open_database(struct lmdb_writer *writer, const char *name, unsigned *database); /* made if missing */
int lmdb_writer_drop_database(struct lmdb_writer *writer, unsigned database);                    /* with its handle */
int lmdb_writer_put_meta(struct lmdb_writer *writer, mill_bytes key, mill_bytes value);

/* ---- for lmdb_*.c ---------------------------------------------------------------------------------------------------------- */

/* Sets the text and maps LMDB's code; `what` is a verb phrase. */
int lmdb_env_fail(struct lmdb_env *env, struct error_text *error, int mdb_code, const char *what);

/* MILL_ECORRUPT, noted for the environment. */
int lmdb_env_corrupt(struct lmdb_env *env, struct error_text *error, const char *name, const char *what);

/* The payload behind a stored value's checksum; MILL_ECORRUPT when it does not fit key and value. */
int lmdb_unwrap(mill_bytes key, mill_bytes stored, mill_bytes *payload);

#endif
