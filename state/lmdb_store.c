#include "state/lmdb_store.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "state/digest.h"
#include "state/key_schema.h"
#include "state/layout.h"

enum {
    SEGMENTS_MAX = 64,   /* live ones plus those that no flush has dropped yet */
    KEY_BYTES_MAX = 510, /* of the zero byte and the key; a long one takes 511, so that the two are told apart by length */
    SHARED_BYTES = 495,  /* a long key's leading bytes, the zero byte among them */
    LONG_BYTES = SHARED_BYTES + DIGEST_BYTES,
    TIMESTAMP_BYTES = 8,
    NAME_BYTES_MAX = 300,
};

struct segment {
    int64_t id;
    MDB_dbi database;
};

/* In order of time. */
struct segments {
    struct segment at[SEGMENTS_MAX];
    size_t count;
};

struct lmdb_store {
    struct byte_store head;
    struct lmdb_env *env;
    const char *name;
    mill_store_kind kind;
    int64_t segment_ms; /* 0: one segment */
    struct segments read;
    struct segments written;
    struct buffer key; /* the reader's; the writer has its own */

    /* The writer, in a set: the members of one key that are not yet in its size. */
    struct buffer group; /* start | length | key */
    uint64_t joined;
    int64_t joined_ms; /* largest timestamp of them */
};

static bool has_windows(const struct lmdb_store *store)
{
    return layout_has_windows(store->kind);
}

static bool by_key(const struct lmdb_store *store)
{
    return layout_suffix_bytes(store->kind) > 0;
}

int64_t lmdb_store_segment_ms(const struct lmdb_store *store)
{
    return store->segment_ms;
}

int64_t lmdb_store_segment_of(const struct lmdb_store *store, int64_t start_ms)
{
    return store->segment_ms == 0 ? 0 : start_ms / store->segment_ms;
}

/* ---- stored keys ----------------------------------------------------------------------------------------------------------- */

/* 0 | [start 8] | key, or its long form. Null and into->failed without memory. */
static mill_bytes stored_key(const struct lmdb_store *store, struct buffer *into, int64_t start_ms, mill_bytes key)
{
    buffer_clear(into);
    buffer_append_u8(into, 0);
    if (has_windows(store))
        buffer_append_u64(into, (uint64_t)start_ms);
    buffer_append(into, key.data, key.len);
    if (into->failed)
        return mill_null();
    if (into->len > KEY_BYTES_MAX) {
        uint8_t short_form[DIGEST_BYTES];
        digest(store->env->salt, buffer_bytes(into), short_form);
        memcpy(into->data + SHARED_BYTES, short_form, DIGEST_BYTES);
        into->len = LONG_BYTES;
    }
    return buffer_bytes(into);
}

/* An entry from its stored form. MILL_ECORRUPT when it does not hold together. */
static int decode(const struct lmdb_store *store, mill_bytes stored_key_bytes, mill_bytes stored, mill_store_entry *entry)
{
    mill_bytes payload;
    if (lmdb_unwrap(stored_key_bytes, stored, &payload) < 0)
        return lmdb_env_corrupt(store->env, &store->env->error, store->name, "an entry fails its checksum");
    struct byte_reader reader = byte_reader_of(payload);
    struct byte_reader key_reader = byte_reader_of(stored_key_bytes);
    entry->timestamp_ms = (int64_t)byte_reader_u64(&reader);
    byte_reader_u8(&key_reader);
    entry->window_start_ms = has_windows(store) ? (int64_t)byte_reader_u64(&key_reader) : 0;
    entry->window_end_ms = 0;
    size_t key_len = byte_reader_left(&key_reader);
    if (stored_key_bytes.len == LONG_BYTES) {
        key_len = byte_reader_u32(&reader);
        entry->key = mill_bytes_of(byte_reader_take(&reader, key_len), key_len);
    } else {
        entry->key = mill_bytes_of(byte_reader_take(&key_reader, key_len), key_len);
    }
    if (reader.failed || key_reader.failed)
        return lmdb_env_corrupt(store->env, &store->env->error, store->name, "an entry is cut short");
    entry->value = mill_bytes_of(reader.at, byte_reader_left(&reader));
    return 0;
}

/* ---- segments -------------------------------------------------------------------------------------------------------------- */

static struct segment *find_segment(struct segments *segments, int64_t id)
{
    for (size_t i = segments->count; i > 0; i--) /* the newest is wanted most */
        if (segments->at[i - 1].id == id)
            return &segments->at[i - 1];
    return NULL;
}

static int add_segment(const struct lmdb_store *store, struct segments *segments, struct segment segment,
                       struct error_text *error)
{
    if (segments->count == SEGMENTS_MAX)
        return error_set(error, MILL_ETOOLARGE, "store %s has more than %d segments", store->name, SEGMENTS_MAX);
    size_t at = segments->count++;
    for (; at > 0 && segments->at[at - 1].id > segment.id; at--)
        segments->at[at] = segments->at[at - 1];
    segments->at[at] = segment;
    return 0;
}

static char letter_of(mill_store_kind kind)
{
    switch (kind) {
    case MILL_STORE_SET:
        return 's';
    case MILL_STORE_SESSION:
        return 'e';
    case MILL_STORE_JOIN:
        return 'j';
    case MILL_STORE_SLIDING:
        return 'l';
    case MILL_STORE_VERSIONED:
        return 'v';
    default:
        return 'w';
    }
}

static void database_name(const struct lmdb_store *store, int64_t id, char name[NAME_BYTES_MAX])
{
    if (store->kind == MILL_STORE_KEY_VALUE)
        snprintf(name, NAME_BYTES_MAX, "k:%s", store->name);
    else
        snprintf(name, NAME_BYTES_MAX, "%c:%016llx:%s", letter_of(store->kind), (unsigned long long)id, store->name);
}

/* The segment number in a database's name, when it is one of this store. */
static bool parse_name(const struct lmdb_store *store, const char *text, int64_t *id)
{
    char own[NAME_BYTES_MAX];
    *id = store->kind == MILL_STORE_KEY_VALUE || strlen(text) < 18 ? 0 : (int64_t)strtoull(text + 2, NULL, 16);
    database_name(store, *id, own);
    return strcmp(own, text) == 0;
}

/* Opens the databases that are there. Handles live on when the transaction is committed. */
static int open_segments(struct lmdb_store *store)
{
    MDB_txn *txn;
    int failed = mdb_txn_begin(store->env->mdb, NULL, MDB_RDONLY, &txn);
    if (failed)
        return lmdb_env_fail(store->env, &store->env->error, failed, "beginning to read");
    MDB_cursor *cursor;
    failed = mdb_cursor_open(txn, store->env->names, &cursor);
    if (failed) {
        mdb_txn_abort(txn);
        return lmdb_env_fail(store->env, &store->env->error, failed, "listing databases");
    }
    MDB_val name;
    int code = 0;
    while (!failed && code == 0 && (failed = mdb_cursor_get(cursor, &name, NULL, MDB_NEXT)) == 0) {
        char text[NAME_BYTES_MAX];
        struct segment segment;
        if (name.mv_size >= sizeof text)
            continue;
        memcpy(text, name.mv_data, name.mv_size);
        text[name.mv_size] = '\0';
        if (!parse_name(store, text, &segment.id))
            continue;
        failed = mdb_dbi_open(txn, text, 0, &segment.database);
        if (!failed)
            code = add_segment(store, &store->written, segment, &store->env->error);
    }
    if (failed == MDB_NOTFOUND)
        failed = 0;
    if (failed)
        code = lmdb_env_fail(store->env, &store->env->error, failed, "listing databases");
    mdb_cursor_close(cursor);
    if (code == 0 && (failed = mdb_txn_commit(txn)) != 0)
        return lmdb_env_fail(store->env, &store->env->error, failed, "keeping databases open");
    if (code < 0)
        mdb_txn_abort(txn);
    return code;
}

static const struct byte_store_ops READER_OPS;

int lmdb_store_new(struct lmdb_env *env, const char *name, mill_store_kind kind, int64_t retention_ms, int64_t window_size_ms,
                   struct lmdb_store **created)
{
    *created = NULL;
    if (strlen(name) + 20 > NAME_BYTES_MAX)
        return error_set(&env->error, MILL_EINVALID, "the name of store %.40s... is too long", name);
    struct lmdb_store *store = mem_calloc(1, sizeof *store);
    if (store == NULL)
        return error_set(&env->error, MILL_ENOMEM, "store %s: out of memory", name);
    store->head.ops = &READER_OPS;
    store->env = env;
    store->name = name;
    store->kind = kind;
    store->segment_ms = layout_segment_ms(kind, retention_ms, window_size_ms);
    buffer_init(&store->key, SIZE_MAX / 2);
    buffer_init(&store->group, SIZE_MAX / 2);
    int code = open_segments(store);
    if (code == 0)
        code = lmdb_env_refresh(env);
    if (code < 0) {
        lmdb_store_free(store);
        return code;
    }
    store->read = store->written;
    *created = store;
    return 0;
}

int lmdb_store_make(struct lmdb_store *store)
{
    if (store->written.count > 0 || has_windows(store))
        return 0;
    struct lmdb_writer writer;
    int code = lmdb_writer_begin(&writer, store->env, &store->env->error);
    if (code < 0)
        return code;
    char name[NAME_BYTES_MAX];
    struct segment segment = { .id = 0 };
    database_name(store, 0, name);
    code = lmdb_writer_open_database(&writer, name, &segment.database);
    if (code < 0) {
        lmdb_writer_abort(&writer);
        return code;
    }
    code = lmdb_writer_commit(&writer);
    if (code == 0)
        code = add_segment(store, &store->written, segment, &store->env->error);
    if (code == 0)
        code = lmdb_env_refresh(store->env);
    store->read = store->written;
    return code;
}

void lmdb_store_free(struct lmdb_store *store)
{
    if (store == NULL)
        return;
    buffer_release(&store->key);
    buffer_release(&store->group);
    mem_free(store);
}

struct byte_store *lmdb_store_reader(struct lmdb_store *store)
{
    return &store->head;
}

void lmdb_store_refresh(struct lmdb_store *store)
{
    store->read = store->written;
}

int lmdb_store_reopen(struct lmdb_store *store)
{
    store->written.count = 0;
    buffer_clear(&store->group);
    store->joined = 0;
    int code = open_segments(store);
    if (code == 0)
        code = lmdb_env_refresh(store->env);
    store->read = store->written;
    return code;
}

/* Are all windows of the segment at or before `expired_ms`? */
static bool segment_expired(const struct lmdb_store *store, int64_t id, int64_t expired_ms)
{
    return store->segment_ms > 0 && expired_ms >= 0 && id < (expired_ms + 1) / store->segment_ms;
}

void lmdb_store_hide(struct lmdb_store *store, int64_t expired_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->read.count; i++)
        if (!segment_expired(store, store->read.at[i].id, expired_ms))
            store->read.at[kept++] = store->read.at[i];
    store->read.count = kept;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static mill_bytes bytes_of(MDB_val val)
{
    return mill_bytes_of(val.mv_data, val.mv_size);
}

static int reader_get(struct byte_store *head, int64_t start_ms, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms)
{
    struct lmdb_store *store = (struct lmdb_store *)head;
    *value = mill_null();
    const struct segment *segment = find_segment(&store->read, lmdb_store_segment_of(store, start_ms));
    if (segment == NULL)
        return 0;
    mill_bytes wanted = stored_key(store, &store->key, start_ms, key);
    if (mill_is_null(wanted))
        return MILL_ENOMEM;
    MDB_val wanted_val = { wanted.len, (void *)(uintptr_t)wanted.data };
    MDB_val stored;
    int failed = mdb_get(store->env->reader, segment->database, &wanted_val, &stored);
    if (failed == MDB_NOTFOUND)
        return 0;
    if (failed)
        return lmdb_env_fail(store->env, &store->env->error, failed, "reading an entry");
    mill_store_entry entry;
    int code = decode(store, wanted, bytes_of(stored), &entry);
    if (code < 0)
        return code;
    if (!mill_bytes_equal(entry.key, key))
        return 0; /* another long key with the same digest: as good as impossible */
    *value = entry.value;
    *timestamp_ms = entry.timestamp_ms;
    return 1;
}

/* The first entry at or behind (forward) or the last before (reverse) `0 | start`. */
static int seek_start(MDB_cursor *cursor, int64_t start_ms, mill_order order, MDB_val *key, MDB_val *value)
{
    uint8_t bound[1 + WINDOW_START_BYTES] = { 0 };
    write_u64_be(bound + 1, (uint64_t)start_ms);
    *key = (MDB_val){ sizeof bound, bound };
    int failed = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (order == MILL_FORWARD)
        return failed;
    return mdb_cursor_get(cursor, key, value, failed == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static int reader_nearest_window(struct byte_store *head, int64_t from_ms, mill_order order, int64_t *start_ms)
{
    struct lmdb_store *store = (struct lmdb_store *)head;
    for (size_t i = 0; i < store->read.count; i++) {
        const struct segment *segment = &store->read.at[order == MILL_FORWARD ? i : store->read.count - 1 - i];
        int64_t nearest = lmdb_store_segment_of(store, from_ms);
        if (order == MILL_FORWARD ? segment->id < nearest : segment->id > nearest)
            continue;
        MDB_cursor *cursor;
        int failed = mdb_cursor_open(store->env->reader, segment->database, &cursor);
        if (failed)
            return lmdb_env_fail(store->env, &store->env->error, failed, "opening a cursor");
        MDB_val key;
        MDB_val value;
        if (!has_windows(store))
            failed = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        else
            failed = seek_start(cursor, order == MILL_FORWARD ? from_ms : from_ms + 1, order, &key, &value);
        mdb_cursor_close(cursor);
        if (failed == MDB_NOTFOUND)
            continue;
        if (failed)
            return lmdb_env_fail(store->env, &store->env->error, failed, "looking for a window");
        mill_store_entry entry;
        int code = decode(store, bytes_of(key), bytes_of(value), &entry);
        *start_ms = code < 0 ? 0 : entry.window_start_ms;
        return code < 0 ? code : 1;
    }
    return 0;
}

static bool reader_may_have(struct byte_store *head, int64_t start_ms)
{
    struct lmdb_store *store = (struct lmdb_store *)head;
    return find_segment(&store->read, lmdb_store_segment_of(store, start_ms)) != NULL;
}

static uint64_t reader_count(struct byte_store *head)
{
    struct lmdb_store *store = (struct lmdb_store *)head;
    uint64_t count = 0;
    for (size_t i = 0; i < store->read.count; i++) {
        MDB_stat stat;
        if (mdb_stat(store->env->reader, store->read.at[i].database, &stat) == 0)
            count += stat.ms_entries;
    }
    return count;
}

/* ---- cursors --------------------------------------------------------------------------------------------------------------- */

struct byte_cursor {
    struct lmdb_store *store;
    struct byte_range range;
    size_t segment_at; /* counted in the cursor's order */
    MDB_cursor *mdb;   /* in that segment; NULL: to be opened */
    bool positioned;   /* `key` and `value` hold the next entry */
    MDB_val key;
    MDB_val value;
    mill_store_entry *group; /* entries that share their first bytes, in order; mem_alloc'ed */
    size_t group_count;
    size_t group_capacity;
    size_t group_at;
    struct buffer bound;
};

static bool is_forward(const struct byte_cursor *cursor)
{
    return cursor->range.order == MILL_FORWARD;
}

/* By key, a range of keys begins anew in each segment. */
static bool keys_by_segment(const struct byte_cursor *cursor)
{
    return by_key(cursor->store) && !mill_is_null(cursor->range.from);
}

/* Where the range begins in this order, cut to what is compared by LMDB alone; null: at the very end. */
static mill_bytes begin_bound(struct byte_cursor *cursor, int64_t segment)
{
    const struct lmdb_store *store = cursor->store;
    struct buffer *bound = &cursor->bound;
    mill_bytes key = is_forward(cursor) ? cursor->range.from : cursor->range.to;
    int64_t start_ms = is_forward(cursor) ? cursor->range.from_start_ms : cursor->range.to_start_ms;
    buffer_clear(bound);
    buffer_append_u8(bound, 0);
    if (keys_by_segment(cursor))
        buffer_append_u64(bound, (uint64_t)layout_segment_end(store->segment_ms, segment * store->segment_ms));
    else if (has_windows(store))
        buffer_append_u64(bound, (uint64_t)start_ms + !is_forward(cursor)); /* reverse: what lies before the next window */
    if (!mill_is_null(key) && (!has_windows(store) || keys_by_segment(cursor)))
        buffer_append(bound, key.data, key.len);
    if (bound->len > SHARED_BYTES)
        bound->len = SHARED_BYTES;
    return buffer_bytes(bound);
}

static bool shares(MDB_val key, mill_bytes leading)
{
    return key.mv_size >= leading.len && memcmp(key.mv_data, leading.data, leading.len) == 0;
}

static int seek_forward(struct byte_cursor *cursor, mill_bytes bound)
{
    cursor->key = (MDB_val){ bound.len, (void *)(uintptr_t)bound.data };
    return mdb_cursor_get(cursor->mdb, &cursor->key, &cursor->value, MDB_SET_RANGE);
}

/* At the last entry before the bound, or at it, or at the last that begins with a bound that was cut. */
static int seek_reverse(struct byte_cursor *cursor, mill_bytes bound, bool open)
{
    if (open)
        return mdb_cursor_get(cursor->mdb, &cursor->key, &cursor->value, MDB_LAST);
    int failed = seek_forward(cursor, bound);
    bool with_keys = !has_windows(cursor->store) || keys_by_segment(cursor);
    while (!failed && with_keys && shares(cursor->key, bound) && (cursor->key.mv_size == bound.len || bound.len == SHARED_BYTES))
        failed = mdb_cursor_get(cursor->mdb, &cursor->key, &cursor->value, MDB_NEXT);
    return mdb_cursor_get(cursor->mdb, &cursor->key, &cursor->value, failed == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

/* Opens the next segment that can hold entries of the range. 1, 0 at the end, error. */
static int open_segment(struct byte_cursor *cursor)
{
    struct lmdb_store *store = cursor->store;
    while (cursor->segment_at < store->read.count) {
        size_t at = cursor->segment_at++;
        const struct segment *segment = &store->read.at[is_forward(cursor) ? at : store->read.count - 1 - at];
        if (segment->id < lmdb_store_segment_of(store, cursor->range.from_start_ms) ||
            segment->id > lmdb_store_segment_of(store, cursor->range.to_start_ms))
            continue;
        int failed = mdb_cursor_open(store->env->reader, segment->database, &cursor->mdb);
        if (failed) {
            cursor->mdb = NULL;
            return lmdb_env_fail(store->env, &store->env->error, failed, "opening a cursor");
        }
        mill_bytes bound = begin_bound(cursor, segment->id);
        if (cursor->bound.failed)
            return MILL_ENOMEM;
        bool open = !has_windows(store) && mill_is_null(cursor->range.to);
        failed = is_forward(cursor) ? seek_forward(cursor, bound) : seek_reverse(cursor, bound, open);
        if (failed && failed != MDB_NOTFOUND)
            return lmdb_env_fail(store->env, &store->env->error, failed, "seeking");
        cursor->positioned = failed == 0;
        if (cursor->positioned)
            return 1;
        mdb_cursor_close(cursor->mdb);
        cursor->mdb = NULL;
    }
    return 0;
}

static int advance(struct byte_cursor *cursor)
{
    int failed = mdb_cursor_get(cursor->mdb, &cursor->key, &cursor->value, is_forward(cursor) ? MDB_NEXT : MDB_PREV);
    cursor->positioned = failed == 0;
    return failed == 0 || failed == MDB_NOTFOUND
               ? 0
               : lmdb_env_fail(cursor->store->env, &cursor->store->env->error, failed, "moving a cursor");
}

static int by_start_and_key(const void *a, const void *b)
{
    const mill_store_entry *left = a;
    const mill_store_entry *right = b;
    if (left->window_start_ms != right->window_start_ms)
        return left->window_start_ms < right->window_start_ms ? -1 : 1;
    return mill_bytes_compare(left->key, right->key);
}

static int by_start_and_key_down(const void *a, const void *b)
{
    return by_start_and_key(b, a);
}

static int add_to_group(struct byte_cursor *cursor)
{
    if (cursor->group_count == cursor->group_capacity) {
        size_t capacity = cursor->group_capacity == 0 ? 4 : cursor->group_capacity * 2;
        mill_store_entry *group = mem_realloc(cursor->group, capacity * sizeof *group);
        if (group == NULL)
            return MILL_ENOMEM;
        cursor->group = group;
        cursor->group_capacity = capacity;
    }
    return decode(cursor->store, bytes_of(cursor->key), bytes_of(cursor->value), &cursor->group[cursor->group_count++]);
}

/* The next entry, or all that share its first 495 bytes, sorted. The cursor is behind them afterwards. */
static int read_group(struct byte_cursor *cursor)
{
    cursor->group_count = cursor->group_at = 0;
    mill_bytes leading = bytes_of(cursor->key);
    bool shared = leading.len >= SHARED_BYTES;
    leading.len = shared ? SHARED_BYTES : leading.len;
    do {
        int code = add_to_group(cursor);
        if (code == 0)
            code = advance(cursor);
        if (code < 0)
            return code;
    } while (shared && cursor->positioned && shares(cursor->key, leading));
    if (cursor->group_count > 1)
        qsort(cursor->group, cursor->group_count, sizeof *cursor->group,
              is_forward(cursor) ? by_start_and_key : by_start_and_key_down);
    return 0;
}

/* Below 0: before the range in ascending order; 0: in it; above: behind it. */
static int place_in_range(const struct byte_range *range, const mill_store_entry *entry)
{
    if (entry->window_start_ms < range->from_start_ms || entry->window_start_ms > range->to_start_ms)
        return entry->window_start_ms < range->from_start_ms ? -1 : 1;
    if (!mill_is_null(range->from) && mill_bytes_compare(entry->key, range->from) < 0)
        return -1;
    return !mill_is_null(range->to) && mill_bytes_compare(entry->key, range->to) > 0;
}

static int reader_cursor_next(struct byte_cursor *cursor, mill_store_entry *entry)
{
    for (;;) {
        if (cursor->group_at < cursor->group_count) {
            *entry = cursor->group[cursor->group_at++];
            int place = place_in_range(&cursor->range, entry);
            if (place == 0)
                return 1;
            if ((place > 0) != is_forward(cursor))
                continue;
            if (!keys_by_segment(cursor))
                return 0;
            cursor->group_at = cursor->group_count; /* the next segment may have more */
            cursor->positioned = false;
            continue;
        }
        if (cursor->mdb != NULL && !cursor->positioned) {
            mdb_cursor_close(cursor->mdb);
            cursor->mdb = NULL;
        }
        int code = cursor->mdb == NULL ? open_segment(cursor) : 1;
        if (code > 0)
            code = read_group(cursor);
        else if (code == 0)
            return 0;
        if (code < 0)
            return code;
    }
}

static void reader_cursor_close(struct byte_cursor *cursor)
{
    if (cursor->mdb != NULL)
        mdb_cursor_close(cursor->mdb);
    buffer_release(&cursor->bound);
    mem_free(cursor->group);
    mem_free(cursor);
}

static int reader_cursor_open(struct byte_store *head, const struct byte_range *range, struct byte_cursor **opened)
{
    struct byte_cursor *cursor = mem_calloc(1, sizeof *cursor);
    *opened = cursor;
    if (cursor == NULL)
        return MILL_ENOMEM;
    cursor->store = (struct lmdb_store *)head;
    cursor->range = *range;
    buffer_init(&cursor->bound, SIZE_MAX / 2);
    return 0;
}

static const struct byte_store_ops READER_OPS = { reader_get,         reader_nearest_window, reader_may_have,    reader_count,
                                                  reader_cursor_open, reader_cursor_next,    reader_cursor_close };

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static int use_segment(struct lmdb_store *store, struct lmdb_writer *writer, int64_t start_ms)
{
    struct segment wanted = { .id = lmdb_store_segment_of(store, start_ms) };
    const struct segment *segment = find_segment(&store->written, wanted.id);
    if (segment == NULL) {
        char name[NAME_BYTES_MAX];
        database_name(store, wanted.id, name);
        int code = lmdb_writer_open_database(writer, name, &wanted.database);
        if (code == 0)
            code = add_segment(store, &store->written, wanted, writer->error);
        if (code < 0)
            return code;
        segment = &wanted;
    }
    return lmdb_writer_use(writer, segment->database);
}

static int write_entry(struct lmdb_store *store, struct lmdb_writer *writer, int64_t start_ms, mill_bytes key, mill_bytes value,
                       int64_t timestamp_ms, bool only_new)
{
    mill_bytes stored = stored_key(store, &writer->key, start_ms, key);
    if (mill_is_null(stored))
        return MILL_ENOMEM;
    uint8_t head[TIMESTAMP_BYTES + 4];
    write_u64_be(head, (uint64_t)timestamp_ms);
    if (stored.len < LONG_BYTES)
        return lmdb_writer_put(writer, stored, mill_bytes_of(head, TIMESTAMP_BYTES), value, only_new);
    struct buffer tail; /* rare enough to be put together on the heap */
    buffer_init(&tail, SIZE_MAX / 2);
    write_u32_be(head + TIMESTAMP_BYTES, (uint32_t)key.len);
    buffer_append(&tail, key.data, key.len);
    buffer_append(&tail, value.data, value.len);
    int code = tail.failed ? MILL_ENOMEM
                           : lmdb_writer_put(writer, stored, mill_bytes_of(head, sizeof head), buffer_bytes(&tail), only_new);
    buffer_release(&tail);
    return code;
}

/* The joined members of the group into its size; in the transaction that has the last of them. */
static int write_size(struct lmdb_store *store, struct lmdb_writer *writer)
{
    if (store->joined == 0)
        return 0;
    struct byte_reader reader = byte_reader_of(buffer_bytes(&store->group));
    int64_t start_ms = (int64_t)byte_reader_u64(&reader);
    mill_bytes element = mill_bytes_of(reader.at, byte_reader_left(&reader));
    mill_bytes stored;
    uint64_t count = store->joined;
    int64_t timestamp_ms = store->joined_ms;
    mill_bytes wanted = stored_key(store, &writer->key, start_ms, element);
    int code = mill_is_null(wanted) ? MILL_ENOMEM : lmdb_writer_get(writer, wanted, &stored);
    if (code < 0)
        return code;
    if (code > 0) {
        struct byte_reader old = byte_reader_of(stored);
        int64_t old_ms = (int64_t)byte_reader_u64(&old);
        if (wanted.len == LONG_BYTES)
            byte_reader_take(&old, byte_reader_u32(&old));
        count += byte_reader_u64(&old);
        if (old.failed)
            return lmdb_env_corrupt(store->env, writer->error, store->name, "the size of a set is cut short");
        timestamp_ms = old_ms > timestamp_ms ? old_ms : timestamp_ms;
    }
    uint8_t size[8];
    write_u64_be(size, count);
    code = write_entry(store, writer, start_ms, element, mill_bytes_of(size, sizeof size), timestamp_ms, false);
    store->joined = 0;
    buffer_clear(&store->group);
    return code < 0 ? code : 0;
}

int lmdb_store_finish(struct lmdb_store *store, struct lmdb_writer *writer)
{
    return write_size(store, writer);
}

/* Is the member of the group at hand? The group is named as the size element is: start | length | key | 1. */
static bool in_group(const struct lmdb_store *store, int64_t start_ms, mill_bytes element, size_t named_bytes)
{
    mill_bytes group = buffer_bytes(&store->group);
    return group.len == WINDOW_START_BYTES + named_bytes + 1 && (int64_t)read_u64_be(group.data) == start_ms &&
           memcmp(group.data + WINDOW_START_BYTES, element.data, named_bytes) == 0;
}

static int write_member(struct lmdb_store *store, struct lmdb_writer *writer, const struct run_update *update)
{
    mill_bytes key;
    mill_bytes member;
    if (mill_is_null(update->value))
        return 0; /* taken back before it was committed */
    if (!key_schema_parse_element(update->key, &key, &member) || mill_is_null(member))
        return error_set(writer->error, MILL_ECORRUPT, "store %s: not a member of a set", store->name);
    size_t named_bytes = (size_t)(key.data - update->key.data) + key.len;
    if (!in_group(store, update->start_ms, update->key, named_bytes)) {
        int code = write_size(store, writer);
        if (code == 0)
            code = use_segment(store, writer, update->start_ms);
        if (code < 0)
            return code;
        buffer_clear(&store->group);
        buffer_append_u64(&store->group, (uint64_t)update->start_ms);
        buffer_append(&store->group, update->key.data, named_bytes);
        buffer_append_u8(&store->group, 1);
        if (store->group.failed)
            return MILL_ENOMEM;
    }
    int is_new = write_entry(store, writer, update->start_ms, update->key, update->value, update->timestamp_ms, true);
    if (is_new <= 0)
        return is_new;
    store->joined_ms = store->joined == 0 || update->timestamp_ms > store->joined_ms ? update->timestamp_ms : store->joined_ms;
    store->joined++;
    return 0;
}

static int write_plain(struct lmdb_store *store, struct lmdb_writer *writer, const struct run_update *update)
{
    int code = use_segment(store, writer, update->start_ms);
    if (code < 0)
        return code;
    if (!mill_is_null(update->value)) {
        code = write_entry(store, writer, update->start_ms, update->key, update->value, update->timestamp_ms, false);
        return code < 0 ? code : 0;
    }
    mill_bytes stored = stored_key(store, &writer->key, update->start_ms, update->key);
    return mill_is_null(stored) ? MILL_ENOMEM : lmdb_writer_delete(writer, stored);
}

int lmdb_store_write(struct lmdb_store *store, struct lmdb_writer *writer, const struct run_update *update)
{
    if (lmdb_writer_full(writer)) {
        int code = write_size(store, writer);
        if (code == 0)
            code = lmdb_writer_renew(writer);
        if (code < 0)
            return code;
    }
    return store->kind == MILL_STORE_SET ? write_member(store, writer, update) : write_plain(store, writer, update);
}

int lmdb_store_drop(struct lmdb_store *store, struct lmdb_writer *writer, int64_t expired_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->written.count; i++) {
        struct segment segment = store->written.at[i];
        if (expired_ms != INT64_MAX && !segment_expired(store, segment.id, expired_ms)) {
            store->written.at[kept++] = segment;
            continue;
        }
        int code = lmdb_writer_drop_database(writer, segment.database);
        if (code < 0)
            return code;
    }
    store->written.count = kept;
    return 0;
}
