/*
 * Sessions and the sides of joins, random operations against a naive model: a sorted array of rows.
 *
 * As conformance_test.c, for stores whose keys are not a grid. Runs mix writes, finds in both directions, scans, commits, aborts,
 * flushes, clean closes and crashes that leave a random prefix of what was not yet committed in the changelog; after a crash the
 * model is what the changelog says, and its time that or, as for records that are read again, that of the last commit.
 * MILLSTREAM_SEED=<n> replays one seed.
 */
#include "base/bytes.h"
#include "base/prng.h"
#include "state/layout.h"
#include "state/window_expiry.h"
#include "support/rounds.h"
#include "unit/state/store_rig.h"

enum { KEYS = 24, RETENTION_MS = 1600, JOIN_WINDOW_MS = 20, STEPS = 4000, ROWS_MAX = 20000, VALUE_BYTES_MAX = 5000 };

struct row {
    size_t key;
    int64_t time_ms; /* end, or the timestamp */
    uint64_t rest;   /* start, or the sequence */
    uint32_t value;  /* number of the write; the bytes follow from it */
    int64_t timestamp_ms;
};

struct rows {
    struct row *at;
    size_t count;
    int64_t stream_time_ms;
    uint32_t sequence;
};

struct world {
    struct rig rig;
    struct prng prng;
    bool session;
    bool caching;
    mill_bytes keys[KEYS]; /* ascending */
    int64_t resumed_at_ms; /* while the changelog is read: nothing is later for what expires */
    bool leaps;            /* what is written now lies so far ahead that most expires */
    struct rows now;
    struct rows committed;
    uint32_t writes;
    size_t drops;
    size_t told;
};

/* ---- bytes that follow from numbers ---------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return mill_bytes_compare(*(const mill_bytes *)a, *(const mill_bytes *)b);
}

/* Empty ones, long ones that share 500 bytes, and ones that look like another key and a time. */
static void make_keys(struct world *w)
{
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t *key = malloc(1200);
        size_t len = 0;
        if (i % 4 == 1) {
            len = 480 + i;
            memset(key, 'L', len);
            key[len - 1] = (uint8_t)i;
        } else if (i % 4 == 2) {
            len = 1 + i / 4 + (i % 8 == 2 ? 8 : 0);
            memset(key, 0, len);
            key[0] = 'k';
        } else if (i % 8 == 7) {
            len = 1100;
            memset(key, 'L', len);
            key[1099] = (uint8_t)i;
        } else if (i > 0) {
            len = (size_t)sprintf((char *)key, "k%zu", i);
        }
        w->keys[i] = mill_bytes_of(key, len);
    }
    qsort(w->keys, KEYS, sizeof w->keys[0], by_bytes);
    for (size_t i = 1; i < KEYS; i++)
        assert_int_not_equal(mill_bytes_compare(w->keys[i - 1], w->keys[i]), 0);
}

static mill_bytes value_of(uint32_t write, uint8_t bytes[VALUE_BYTES_MAX])
{
    size_t len = write % 60 == 7 ? 4200 : write % 11 == 3 ? 300 : 4 + write % 13;
    memset(bytes, (int)(write * 31), len);
    write_u32_be(bytes, write);
    return mill_bytes_of(bytes, len);
}

/* ---- the model ------------------------------------------------------------------------------------------------------------- */

static int compare_rows(const struct world *w, const struct row *a, const struct row *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    if (a->rest != b->rest)
        return a->rest < b->rest ? -1 : 1;
    return (int)a->key - (int)b->key;
}

/* Where the row is or belongs. */
static size_t place_of(const struct world *w, const struct row *row, bool *there)
{
    size_t at = 0;
    while (at < w->now.count && compare_rows(w, &w->now.at[at], row) < 0)
        at++;
    *there = at < w->now.count && compare_rows(w, &w->now.at[at], row) == 0;
    return at;
}

static void model_put(struct world *w, struct row row)
{
    bool there;
    size_t at = place_of(w, &row, &there);
    if (!there) {
        assert_true(w->now.count < ROWS_MAX);
        memmove(&w->now.at[at + 1], &w->now.at[at], (w->now.count - at) * sizeof row);
        w->now.count++;
    }
    w->now.at[at] = row;
    if (row.time_ms > w->now.stream_time_ms)
        w->now.stream_time_ms = row.time_ms;
}

static void model_remove(struct world *w, struct row row)
{
    bool there;
    size_t at = place_of(w, &row, &there);
    if (there)
        memmove(&w->now.at[at], &w->now.at[at + 1], (--w->now.count - at) * sizeof row);
    if (row.time_ms > w->now.stream_time_ms)
        w->now.stream_time_ms = row.time_ms;
}

static bool expired(const struct world *w, int64_t time_ms)
{
    int64_t slack_ms = layout_slack_ms(MILL_STORE_SESSION, RETENTION_MS, w->session ? 0 : JOIN_WINDOW_MS);
    int64_t now_ms = window_resumed_time(w->now.stream_time_ms, w->resumed_at_ms, slack_ms);
    return now_ms >= RETENTION_MS && time_ms <= now_ms - RETENTION_MS;
}

/* Rows that nobody can see any more only slow the model down. */
static void forget_expired(struct world *w)
{
    size_t gone = 0;
    while (gone < w->now.count && expired(w, w->now.at[gone].time_ms))
        gone++;
    memmove(w->now.at, w->now.at + gone, (w->now.count - gone) * sizeof w->now.at[0]);
    w->now.count -= gone;
}

static void copy_rows(struct rows *to, const struct rows *from)
{
    memcpy(to->at, from->at, from->count * sizeof *from->at);
    to->count = from->count;
    to->stream_time_ms = from->stream_time_ms;
    to->sequence = from->sequence;
}

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

static int listen(void *ctx, const mill_record *update)
{
    struct world *w = ctx;
    w->told++;
    assert_true(update->key.len >= (w->session ? 16 : 8));
    assert_true(!mill_is_null(update->value) || !mill_is_null(update->old_value) || !w->caching);
    return 0;
}

static int64_t random_time(struct world *w)
{
    int64_t newest = w->now.stream_time_ms < 0 ? 0 : w->now.stream_time_ms;
    if (w->leaps)
        return newest + RETENTION_MS / 2 + (int64_t)prng_below(&w->prng, 5 * RETENTION_MS);
    int64_t time = prng_chance(&w->prng, 0.3) ? newest + (int64_t)prng_below(&w->prng, 40)
                                              : newest - (int64_t)prng_below(&w->prng, RETENTION_MS + 300);
    if (prng_chance(&w->prng, 0.003))
        time = newest + RETENTION_MS * (int64_t)prng_below(&w->prng, 3);
    return time < 0 ? 0 : time;
}

/* One that is there, when there is one. */
static struct row some_session(struct world *w)
{
    if (w->now.count > 0 && !w->leaps && prng_chance(&w->prng, 0.7))
        return w->now.at[prng_below(&w->prng, w->now.count)];
    int64_t end_ms = random_time(w);
    int64_t start_ms = end_ms - (int64_t)prng_below(&w->prng, 30);
    return (struct row){ prng_below(&w->prng, KEYS), end_ms, (uint64_t)(start_ms < 0 ? 0 : start_ms), 0, 0 };
}

static void write_session(struct world *w)
{
    struct row row = some_session(w);
    bool late = expired(w, row.time_ms);
    uint8_t bytes[VALUE_BYTES_MAX];
    row.value = ++w->writes;
    row.timestamp_ms = (int64_t)prng_below(&w->prng, 100000);
    if (prng_chance(&w->prng, 0.6)) {
        w->drops += late;
        assert_int_equal(mill_session_put(w->rig.store, w->keys[row.key], (int64_t)row.rest, row.time_ms,
                                          value_of(row.value, bytes), row.timestamp_ms),
                         !late);
        if (!late)
            model_put(w, row);
    } else {
        int code = mill_session_remove(w->rig.store, w->keys[row.key], (int64_t)row.rest, row.time_ms, row.timestamp_ms);
        assert_int_equal(code, !late);
        if (!late)
            model_remove(w, row);
    }
}

static void write_joined(struct world *w)
{
    struct row row = { .key = prng_below(&w->prng, KEYS), .time_ms = random_time(w), .value = ++w->writes };
    bool late = expired(w, row.time_ms);
    row.timestamp_ms = row.time_ms;
    row.rest = late ? 0 : ++w->now.sequence;
    w->drops += late;
    uint8_t bytes[VALUE_BYTES_MAX];
    assert_int_equal(mill_join_put(w->rig.store, w->keys[row.key], row.time_ms, value_of(row.value, bytes)), !late);
    assert_int_equal(mill_join_put(w->rig.store, w->keys[row.key], row.time_ms, mill_null()), 0);
    if (!late)
        model_put(w, row);
}

static void write_one(struct world *w)
{
    if (w->session)
        write_session(w);
    else
        write_joined(w);
    forget_expired(w);
    assert_int_equal(w->rig.drops, w->drops);
}

static void check_fetch(struct world *w)
{
    struct row row = some_session(w);
    bool there;
    size_t at = place_of(w, &row, &there);
    mill_bytes value;
    int64_t timestamp_ms;
    int found = mill_session_fetch(w->rig.store, w->keys[row.key], (int64_t)row.rest, row.time_ms, &value, &timestamp_ms);
    assert_int_equal(found, there);
    uint8_t bytes[VALUE_BYTES_MAX];
    if (there) {
        assert_true(mill_bytes_equal(value, value_of(w->now.at[at].value, bytes)));
        assert_int_equal(timestamp_ms, w->now.at[at].timestamp_ms);
    }
}

static void check_entry(struct world *w, mill_store_iterator *iterator, const struct row *row)
{
    mill_store_entry entry;
    uint8_t bytes[VALUE_BYTES_MAX];
    assert_int_equal(mill_store_iterator_next(iterator, &entry), 1);
    assert_true(mill_bytes_equal(entry.key, w->keys[row->key]));
    assert_int_equal(entry.window_start_ms, w->session ? (int64_t)row->rest : row->time_ms);
    assert_int_equal(entry.window_end_ms, w->session ? row->time_ms : 0);
    assert_int_equal(entry.timestamp_ms, row->timestamp_ms);
    assert_true(mill_bytes_equal(entry.value, value_of(row->value, bytes)));
}

/* One key or all, forwards or backwards, compared row by row. */
static void check_range(struct world *w)
{
    bool all = prng_chance(&w->prng, 0.2);
    size_t key = prng_below(&w->prng, KEYS);
    int64_t from_ms = prng_chance(&w->prng, 0.2) ? 0 : random_time(w);
    int64_t to_ms = prng_chance(&w->prng, 0.2) ? INT64_MAX : from_ms + (int64_t)prng_below(&w->prng, 600);
    int64_t start_to_ms = INT64_MAX;
    mill_order order = prng_chance(&w->prng, 0.5) ? MILL_FORWARD : MILL_REVERSE;
    mill_store_iterator *iterator;
    int code;
    if (w->session && all) {
        code = mill_session_fetch_all(w->rig.store, from_ms, to_ms, order, &iterator);
    } else if (w->session) {
        start_to_ms = to_ms;
        to_ms = INT64_MAX;
        code = mill_session_find(w->rig.store, w->keys[key], from_ms, start_to_ms, order, &iterator);
    } else if (all) {
        code = mill_join_fetch_all(w->rig.store, from_ms, to_ms, order, &iterator);
    } else {
        code = mill_join_fetch(w->rig.store, w->keys[key], from_ms, to_ms, order, &iterator);
    }
    assert_int_equal(code, 0);
    for (size_t i = 0; i < w->now.count; i++) {
        const struct row *row = &w->now.at[order == MILL_FORWARD ? i : w->now.count - 1 - i];
        bool wanted = (all || row->key == key) && row->time_ms >= from_ms && row->time_ms <= to_ms &&
                      (!w->session || (int64_t)row->rest <= start_to_ms);
        if (wanted)
            check_entry(w, iterator, row);
    }
    mill_store_entry entry;
    assert_int_equal(mill_store_iterator_next(iterator, &entry), 0);
    if (prng_chance(&w->prng, 0.8))
        mill_store_iterator_close(iterator);
}

/* ---- commits and crashes --------------------------------------------------------------------------------------------------- */

static void commit_or_abort(struct world *w)
{
    if (prng_chance(&w->prng, 0.9))
        assert_int_equal(rig_flush_caches(&w->rig, 1 + prng_below(&w->prng, 30)), 0);
    bool abort = prng_chance(&w->prng, 0.3) || w->rig.store->ops->is_dirty(w->rig.store);
    bool frozen = !w->rig.store->ops->is_dirty(w->rig.store) && prng_chance(&w->prng, 0.7);
    if (frozen || !abort)
        assert_int_equal(rig_freeze(&w->rig), 0);
    if (abort)
        rig_roll_back(&w->rig);
    else
        rig_committed(&w->rig);
    copy_rows(abort ? &w->now : &w->committed, abort ? &w->committed : &w->now);
}

static struct row parse_logged(const struct world *w, const struct logged *logged)
{
    size_t suffix = w->session ? 16 : 12;
    mill_bytes key = mill_bytes_of(logged->key, logged->key_len - suffix);
    const uint8_t *rest = logged->key + key.len + 8;
    struct row row = { .time_ms = (int64_t)read_u64_be(logged->key + key.len),
                       .rest = w->session ? read_u64_be(rest) : read_u32_be(rest),
                       .value = logged->value ? read_u32_be(logged->value) : 0,
                       .timestamp_ms = logged->timestamp_ms };
    for (row.key = 0; row.key < KEYS && !mill_bytes_equal(w->keys[row.key], key);)
        row.key++;
    assert_true(row.key < KEYS);
    return row;
}

static void replay_into_model(struct world *w)
{
    w->now.count = 0;
    w->now.stream_time_ms = -1;
    w->now.sequence = 0;
    for (size_t i = 0; i < w->rig.log_count; i++) {
        const struct logged *logged = &w->rig.log[i];
        struct row row = parse_logged(w, logged);
        if (logged->value != NULL)
            model_put(w, row);
        else
            model_remove(w, row);
        if (!w->session)
            w->now.sequence = (uint32_t)row.rest;
        if (i % 64 == 0)
            forget_expired(w);
    }
}

/* What was made and deleted between two commits left no record, but may have moved the time that a disk remembers. */
static void settle_after_opening(struct world *w)
{
    w->now.stream_time_ms = mill_window_stream_time_ms(w->rig.store);
    forget_expired(w);
    copy_rows(&w->committed, &w->now);
}

static void choose_resumption(struct world *w)
{
    w->rig.resumes = prng_chance(&w->prng, 0.7);
    w->rig.resume_at_ms = w->committed.stream_time_ms;
    w->resumed_at_ms = w->rig.resumes ? w->rig.resume_at_ms : INT64_MAX;
}

static void open_again(struct world *w)
{
    choose_resumption(w);
    rig_open(&w->rig);
    replay_into_model(w);
    w->resumed_at_ms = INT64_MAX;
    settle_after_opening(w);
}

static void crash(struct world *w)
{
    w->leaps = prng_chance(&w->prng, 0.5);
    if (w->leaps)
        write_one(w);
    if (w->leaps && prng_chance(&w->prng, 0.5))
        commit_or_abort(w);
    w->leaps = false;
    if (prng_chance(&w->prng, 0.5))
        assert_int_equal(rig_flush(&w->rig), 0);
    size_t survives = w->rig.committed_log_count + prng_below(&w->prng, w->rig.log_count - w->rig.committed_log_count + 1);
    rig_close(&w->rig, false);
    rig_cut_log(&w->rig, survives);
    w->rig.committed_log_count = survives;
    open_again(w);
}

static void close_and_open(struct world *w)
{
    rig_close_clean(&w->rig);
    w->committed.stream_time_ms = w->now.stream_time_ms;
    open_again(w);
}

static void step(struct world *w)
{
    uint64_t dice = prng_below(&w->prng, 1000);
    if (dice % 16 == 0)
        rig_trim(&w->rig);
    if (dice < 600)
        write_one(w);
    else if (dice < 700 && w->session)
        check_fetch(w);
    else if (dice < 900)
        check_range(w);
    else if (dice < 960)
        commit_or_abort(w);
    else if (dice < 985)
        assert_int_equal(rig_flush(&w->rig), 0);
    else if (dice < 990)
        rig_set_cache_and_read_bytes(&w->rig, prng_chance(&w->prng, 0.5) ? 500 : 1 << 20);
    else if (dice < 995)
        close_and_open(w);
    else
        crash(w);
}

static const char *cramped(void *ctx, const char *name)
{
    return strcmp(name, "mill.state.map.bytes") == 0 ? "65536" : NULL;
}

static void run_seed(bool session, bool lmdb, bool caching, uint64_t seed)
{
    print_message("%s, %s, %s: seed %llu\n", session ? "session" : "join", lmdb ? "lmdb" : "memory",
                  caching ? "cached" : "not cached", (unsigned long long)seed);
    struct world *w = calloc(1, sizeof *w);
    mill_store_builder *builder =
        session ? mill_session_store("store", RETENTION_MS) : mill_join_store("store", RETENTION_MS, JOIN_WINDOW_MS);
    builder = mill_store_with_caching(lmdb ? builder : mill_store_in_memory(builder), caching);
    rig_init(&w->rig, builder);
    prng_init(&w->prng, seed);
    w->session = session;
    w->caching = caching;
    w->now.at = malloc(ROWS_MAX * sizeof *w->now.at);
    w->committed.at = malloc(ROWS_MAX * sizeof *w->committed.at);
    w->now.stream_time_ms = w->committed.stream_time_ms = -1;
    w->resumed_at_ms = INT64_MAX;
    w->rig.listener = listen;
    w->rig.listener_ctx = w;
    w->rig.cache_bytes = prng_chance(&w->prng, 0.5) ? 2000 : 1 << 20;
    bool is_cramped = prng_chance(&w->prng, 0.5);
    w->rig.property = is_cramped ? cramped : NULL;
    w->rig.restore_bytes = is_cramped ? 20000 : 0;
    make_keys(w);
    rig_open(&w->rig);
    for (int i = 0; i < STEPS; i++)
        step(w);
    rig_release(&w->rig);
    for (size_t i = 0; i < KEYS; i++)
        free((void *)(uintptr_t)w->keys[i].data);
    free(w->now.at);
    free(w->committed.at);
    free(w);
}

static void run_seeds(bool session, bool lmdb, bool caching)
{
    uint64_t first = test_seed(1);
    for (uint64_t seed = first; seed < first + (uint64_t)test_rounds(3); seed++)
        run_seed(session, lmdb, caching, seed);
}

static void a_session_store_in_memory_does_what_the_model_does(void **state)
{
    run_seeds(true, false, false);
    run_seeds(true, false, true);
}

static void a_session_store_on_disk_does_what_the_model_does(void **state)
{
    run_seeds(true, true, false);
}

static void a_cached_session_store_on_disk_does_what_the_model_does(void **state)
{
    run_seeds(true, true, true);
}

static void a_join_store_in_memory_does_what_the_model_does(void **state)
{
    run_seeds(false, false, false);
}

static void a_join_store_on_disk_does_what_the_model_does(void **state)
{
    run_seeds(false, true, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_session_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_cached_session_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_join_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_join_store_on_disk_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
