#include "state/lmdb_env.h"

#include <errno.h>
#include <lmdb.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

enum {
    DATABASES_MAX = 2048, /* segments of all stores of a task: 60 stores at 32; an idle slot costs 100 bytes */
    READERS_MAX = 4096,   /* a global table's: one for each view, that is table and stream thread; a slot costs 64 bytes */
    CHECKSUM_BYTES = 4,
    PAGE_BYTES = 4096,
    OVERFLOW_BYTES = 1900, /* larger values get pages of their own */
    PAGES_RESERVED = 1024, /* of LMDB_DIRTY_PAGES_MAX: for branch pages, free lists and the last value */
};

static const char META_DATABASE[] = "m";
static const char SALT_KEY[] = "salt";

int lmdb_env_fail(struct lmdb_env *env, struct error_text *error, int mdb_code, const char *what)
{
    int code;
    switch (mdb_code) {
    case MDB_MAP_FULL:
        code = MILL_EAGAIN;
        break;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_PANIC:
        code = MILL_ECORRUPT;
        break;
    default:
        code = mdb_code > 0 ? error_from_errno(mdb_code) : MILL_EIO;
    }
    if (code == MILL_ECORRUPT)
        env->corrupt = true;
    return error_set(error, code, "%s: %s", what, mdb_strerror(mdb_code));
}

int lmdb_env_corrupt(struct lmdb_env *env, struct error_text *error, const char *name, const char *what)
{
    env->corrupt = true;
    return error_set(error, MILL_ECORRUPT, "store %s: %s", name, what);
}

static uint32_t checksum_of(mill_bytes key, mill_bytes payload)
{
    return crc32c(crc32c(0, key.data, key.len), payload.data, payload.len);
}

int lmdb_unwrap(mill_bytes key, mill_bytes stored, mill_bytes *payload)
{
    if (stored.len < CHECKSUM_BYTES)
        return MILL_ECORRUPT;
    *payload = mill_bytes_of(stored.data + CHECKSUM_BYTES, stored.len - CHECKSUM_BYTES);
    return checksum_of(key, *payload) == read_u32_be(stored.data) ? 0 : MILL_ECORRUPT;
}

static MDB_val val_of(mill_bytes bytes)
{
    return (MDB_val){ .mv_size = bytes.len, .mv_data = (void *)(uintptr_t)bytes.data };
}

static mill_bytes bytes_of(MDB_val val)
{
    return mill_bytes_of(val.mv_data, val.mv_size);
}

/* ---- opening --------------------------------------------------------------------------------------------------------------- */

/* Databases of its own, and the salt, which is there from the first commit on. */
static int set_up(struct lmdb_env *env, const uint8_t salt[LMDB_SALT_BYTES])
{
    struct lmdb_writer writer;
    int code = lmdb_writer_begin(&writer, env, &env->error);
    if (code < 0)
        return code;
    mill_bytes stored;
    code = lmdb_writer_open_database(&writer, META_DATABASE, &env->meta);
    if (code == 0) {
        int failed = mdb_dbi_open(writer.txn, NULL, 0, &env->names);
        code = failed ? lmdb_env_fail(env, &env->error, failed, "opening the list of databases") : 0;
    }
    if (code == 0)
        code = lmdb_writer_use(&writer, env->meta);
    if (code == 0)
        code = lmdb_writer_get(&writer, mill_string(SALT_KEY), &stored);
    if (code == 1 && stored.len == LMDB_SALT_BYTES) {
        memcpy(env->salt, stored.data, LMDB_SALT_BYTES);
        lmdb_writer_abort(&writer);
        return 2; /* nothing was made: but handles of an aborted transaction are closed */
    }
    if (code == 1)
        code = error_set(&env->error, MILL_ECORRUPT, "the salt has %zu bytes", stored.len);
    if (code == 0) {
        memcpy(env->salt, salt, LMDB_SALT_BYTES);
        code = lmdb_writer_put_meta(&writer, mill_string(SALT_KEY), mill_bytes_of(salt, LMDB_SALT_BYTES));
    }
    if (code < 0) {
        lmdb_writer_abort(&writer);
        return code;
    }
    return lmdb_writer_commit(&writer);
}

/* Handles last when their transaction is committed; one that reads will do. */
static int open_handles(struct lmdb_env *env)
{
    MDB_txn *txn;
    int failed = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (failed)
        return lmdb_env_fail(env, &env->error, failed, "beginning to read");
    failed = mdb_dbi_open(txn, META_DATABASE, 0, &env->meta);
    if (!failed)
        failed = mdb_dbi_open(txn, NULL, 0, &env->names);
    if (failed) {
        mdb_txn_abort(txn);
        return lmdb_env_fail(env, &env->error, failed, "opening its own databases");
    }
    failed = mdb_txn_commit(txn);
    return failed ? lmdb_env_fail(env, &env->error, failed, "keeping its own databases open") : 0;
}

static int open_environment(struct lmdb_env *env, const struct lmdb_env_options *options)
{
    int failed = mdb_env_create(&env->mdb);
    if (failed) {
        env->mdb = NULL;
        return lmdb_env_fail(env, &env->error, failed, "making an environment");
    }
    unsigned flags = MDB_NOTLS | (options->sync ? MDB_NOMETASYNC : MDB_NOSYNC);
    failed = mdb_env_set_maxdbs(env->mdb, DATABASES_MAX);
    if (!failed)
        failed = mdb_env_set_maxreaders(env->mdb, READERS_MAX);
    if (!failed)
        failed = mdb_env_set_mapsize(env->mdb, options->map_bytes);
    if (!failed)
        failed = mdb_env_open(env->mdb, options->directory, flags, 0600);
    if (failed)
        return lmdb_env_fail(env, &env->error, failed, "opening data.mdb");
    MDB_envinfo info;
    failed = mdb_env_info(env->mdb, &info);
    env->map_bytes = info.me_mapsize;
    return failed ? lmdb_env_fail(env, &env->error, failed, "asking for its size") : 0;
}

int lmdb_env_open(struct lmdb_env *env, const struct lmdb_env_options *options, const uint8_t salt[LMDB_SALT_BYTES])
{
    *env = (struct lmdb_env){ 0 };
    int code = open_environment(env, options);
    if (code == 0)
        code = set_up(env, salt);
    if (code == 2)
        code = open_handles(env);
    if (code == 0)
        code = lmdb_env_refresh(env);
    if (code < 0 && env->mdb != NULL) {
        mdb_env_close(env->mdb);
        env->mdb = NULL;
    }
    return code;
}

int lmdb_env_close(struct lmdb_env *env, bool sync)
{
    if (env->mdb == NULL)
        return 0;
    if (env->reader != NULL)
        mdb_txn_abort(env->reader);
    env->reader = NULL;
    int failed = sync ? mdb_env_sync(env->mdb, 1) : 0;
    int code = failed ? lmdb_env_fail(env, &env->error, failed, "syncing data.mdb at the end") : 0;
    mdb_env_close(env->mdb);
    env->mdb = NULL;
    return code;
}

int lmdb_env_refresh(struct lmdb_env *env)
{
    int failed;
    if (env->reader == NULL) {
        failed = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &env->reader);
    } else {
        mdb_txn_reset(env->reader);
        failed = mdb_txn_renew(env->reader);
    }
    return failed ? lmdb_env_fail(env, &env->error, failed, "beginning to read") : 0;
}

int lmdb_env_share(struct lmdb_env *env, struct lmdb_env *view)
{
    *view = (struct lmdb_env){ .mdb = env->mdb, .meta = env->meta, .names = env->names, .map_bytes = env->map_bytes };
    memcpy(view->salt, env->salt, LMDB_SALT_BYTES);
    env->shared = true;
    return lmdb_env_refresh(view);
}

void lmdb_env_unshare(struct lmdb_env *env, struct lmdb_env *view)
{
    if (view->reader != NULL)
        mdb_txn_abort(view->reader);
    view->reader = NULL;
    if (view->corrupt)
        env->corrupt = true;
}

int lmdb_env_grow(struct lmdb_env *env)
{
    if (env->shared)
        return error_set(&env->error, MILL_ETOOLARGE,
                         "the map of %zu bytes is full and cannot grow under its readers: raise "
                         "mill.state.map.bytes",
                         env->map_bytes);
    if (env->reader != NULL)
        mdb_txn_abort(env->reader);
    env->reader = NULL;
    int failed = mdb_env_set_mapsize(env->mdb, env->map_bytes * 2);
    if (failed)
        return lmdb_env_fail(env, &env->error, failed, "doubling the map");
    env->map_bytes *= 2;
    return lmdb_env_refresh(env);
}

int lmdb_env_meta_get(struct lmdb_env *env, mill_bytes key, mill_bytes *value)
{
    MDB_val wanted = val_of(key);
    MDB_val stored;
    int failed = mdb_get(env->reader, env->meta, &wanted, &stored);
    if (failed == MDB_NOTFOUND)
        return 0;
    if (failed)
        return lmdb_env_fail(env, &env->error, failed, "reading the meta database");
    if (lmdb_unwrap(key, bytes_of(stored), value) < 0)
        return lmdb_env_corrupt(env, &env->error, "(all)", "an entry of the meta database fails its checksum");
    return 1;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static int begin(struct lmdb_writer *writer)
{
    int failed = mdb_txn_begin(writer->env->mdb, NULL, 0, &writer->txn);
    if (failed) {
        writer->txn = NULL;
        return lmdb_env_fail(writer->env, writer->error, failed, "beginning to write");
    }
    writer->pages = 0;
    writer->last_page = 0;
    return 0;
}

int lmdb_writer_begin(struct lmdb_writer *writer, struct lmdb_env *env, struct error_text *error)
{
    *writer = (struct lmdb_writer){ .env = env, .error = error };
    buffer_init(&writer->key, SIZE_MAX / 2);
    return begin(writer);
}

static void close_cursor(struct lmdb_writer *writer)
{
    if (writer->cursor != NULL)
        mdb_cursor_close(writer->cursor);
    writer->cursor = NULL;
}

void lmdb_writer_abort(struct lmdb_writer *writer)
{
    close_cursor(writer);
    if (writer->txn != NULL)
        mdb_txn_abort(writer->txn);
    writer->txn = NULL;
    buffer_release(&writer->key);
}

static int commit(struct lmdb_writer *writer)
{
    close_cursor(writer);
    int failed = mdb_txn_commit(writer->txn);
    writer->txn = NULL;
    return failed ? lmdb_env_fail(writer->env, writer->error, failed, "committing to data.mdb") : 0;
}

int lmdb_writer_commit(struct lmdb_writer *writer)
{
    int code = commit(writer);
    buffer_release(&writer->key);
    return code;
}

bool lmdb_writer_full(const struct lmdb_writer *writer)
{
    return writer->pages + writer->pages / 16 >= LMDB_DIRTY_PAGES_MAX - PAGES_RESERVED;
}

int lmdb_writer_renew(struct lmdb_writer *writer)
{
    bool used = writer->cursor != NULL;
    int code = commit(writer);
    if (code == 0)
        code = begin(writer);
    return code < 0 || !used ? code : lmdb_writer_use(writer, writer->database);
}

/* Each leaf that a row of ascending writes touches shows as a change of page. */
static void count_pages(struct lmdb_writer *writer, const void *place, size_t len)
{
    uintptr_t page = (uintptr_t)place / PAGE_BYTES;
    if (page != writer->last_page)
        writer->pages++;
    writer->last_page = page;
    if (len > OVERFLOW_BYTES)
        writer->pages += len / PAGE_BYTES + 2;
}

int lmdb_writer_use(struct lmdb_writer *writer, unsigned database)
{
    if (writer->cursor != NULL && writer->database == database)
        return 0;
    close_cursor(writer);
    int failed = mdb_cursor_open(writer->txn, database, &writer->cursor);
    if (failed) {
        writer->cursor = NULL;
        return lmdb_env_fail(writer->env, writer->error, failed, "opening a cursor");
    }
    writer->database = database;
    writer->appending = true; /* until LMDB says otherwise */
    writer->last_page = 0;
    writer->pages += 4;
    return 0;
}

static int put(struct lmdb_writer *writer, MDB_val *key, MDB_val *value, bool only_new)
{
    unsigned flags = MDB_RESERVE | (only_new ? MDB_NOOVERWRITE : 0);
    if (writer->appending) {
        int failed = mdb_cursor_put(writer->cursor, key, value, flags | MDB_APPEND);
        if (failed != MDB_KEYEXIST)
            return failed;
        writer->appending = false;
    }
    return mdb_cursor_put(writer->cursor, key, value, flags);
}

int lmdb_writer_put(struct lmdb_writer *writer, mill_bytes key, mill_bytes head, mill_bytes tail, bool only_new)
{
    size_t len = CHECKSUM_BYTES + head.len + tail.len;
    MDB_val wanted = val_of(key);
    MDB_val value = { .mv_size = len };
    int failed = put(writer, &wanted, &value, only_new);
    if (failed == MDB_KEYEXIST && only_new)
        return 0;
    if (failed)
        return lmdb_env_fail(writer->env, writer->error, failed, "writing an entry");
    uint8_t *place = value.mv_data;
    if (head.len > 0)
        memcpy(place + CHECKSUM_BYTES, head.data, head.len);
    if (tail.len > 0)
        memcpy(place + CHECKSUM_BYTES + head.len, tail.data, tail.len);
    write_u32_be(place, checksum_of(key, mill_bytes_of(place + CHECKSUM_BYTES, len - CHECKSUM_BYTES)));
    count_pages(writer, place, len);
    return 1;
}

int lmdb_writer_get(struct lmdb_writer *writer, mill_bytes key, mill_bytes *value)
{
    MDB_val wanted = val_of(key);
    MDB_val stored;
    int failed = mdb_get(writer->txn, writer->database, &wanted, &stored);
    if (failed == MDB_NOTFOUND)
        return 0;
    if (failed)
        return lmdb_env_fail(writer->env, writer->error, failed, "reading an entry");
    if (lmdb_unwrap(key, bytes_of(stored), value) < 0)
        return lmdb_env_corrupt(writer->env, writer->error, "(of a writer)", "an entry fails its checksum");
    return 1;
}

int lmdb_writer_delete(struct lmdb_writer *writer, mill_bytes key)
{
    MDB_val wanted = val_of(key);
    MDB_val value;
    int failed = mdb_cursor_get(writer->cursor, &wanted, &value, MDB_SET_KEY);
    if (failed == MDB_NOTFOUND)
        return 0;
    if (!failed) {
        count_pages(writer, value.mv_data, value.mv_size);
        failed = mdb_cursor_del(writer->cursor, 0);
    }
    return failed ? lmdb_env_fail(writer->env, writer->error, failed, "deleting an entry") : 0;
}

int lmdb_writer_open_database(struct lmdb_writer *writer, const char *name, unsigned *database)
{
    int failed = mdb_dbi_open(writer->txn, name, MDB_CREATE, database);
    writer->pages += 4;
    return failed ? lmdb_env_fail(writer->env, writer->error, failed, "opening a database") : 0;
}

int lmdb_writer_drop_database(struct lmdb_writer *writer, unsigned database)
{
    if (writer->cursor != NULL && writer->database == database)
        close_cursor(writer);
    writer->pages += 64; /* the list of the pages that become free */
    int failed = mdb_drop(writer->txn, database, 1);
    return failed ? lmdb_env_fail(writer->env, writer->error, failed, "dropping a database") : 0;
}

int lmdb_writer_put_meta(struct lmdb_writer *writer, mill_bytes key, mill_bytes value)
{
    int code = lmdb_writer_use(writer, writer->env->meta);
    if (code == 0)
        code = lmdb_writer_put(writer, key, value, mill_null(), false);
    return code < 0 ? code : 0;
}
