/*
 * What every store must do, whatever it is made of: random operations against a naive model.
 *
 * The model is an array over all keys and windows. A run mixes reads, writes, ranges, commits, aborts, flushes, clean closes and
 * crashes that leave a random prefix of what was not yet committed in the changelog. Every read, every iterator, every call of
 * the listener and every drop is compared. MILLSTREAM_SEED=<n> replays one seed.
 */
#include "base/prng.h"
#include "support/rounds.h"
#include "unit/state/store_rig.h"

enum { KEYS = 40, WINDOWS = 60, MEMBERS = 12, WINDOW_MS = 1000, RETENTION_WINDOWS = 9, STEPS = 4000 };

struct cell {
    bool present;
    uint32_t value; /* number of the write that made it; the bytes follow from it */
    int64_t timestamp_ms;
};

struct tracked {
    struct cell now;
    struct cell told;      /* what the listener saw last */
    struct cell committed; /* what an abort goes back to */
    bool dirty;
    uint64_t written;
};

struct expectation {
    mill_bytes key;
    struct cell now;
    struct cell old;
};

struct world {
    struct rig rig;
    struct prng prng;
    mill_store_kind kind;
    bool caching;
    mill_bytes keys[KEYS]; /* ascending */
    struct tracked cells[WINDOWS][KEYS];
    bool members[WINDOWS][KEYS][MEMBERS];
    bool committed_members[WINDOWS][KEYS][MEMBERS];
    int64_t member_ms[WINDOWS][KEYS][MEMBERS];
    int newest, committed_newest;
    uint64_t writes;
    size_t drops;
    struct tracked *told[WINDOWS * KEYS]; /* what the listener is to see next, in order */
    size_t told_count, told_at;
};

/* ---- bytes that follow from numbers ---------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return mill_bytes_compare(*(const mill_bytes *)a, *(const mill_bytes *)b);
}

/* Empty, hostile, long and prefix-sharing keys. */
static void make_keys(struct world *w)
{
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t *key = malloc(1200);
        size_t len = 0;
        if (i % 4 == 1) { /* around the limit of LMDB, alike in the first 500 bytes */
            len = 485 + i;
            memset(key, 'L', len);
            key[len - 1] = (uint8_t)i;
        } else if (i % 4 == 2) {
            len = 1 + i % 7;
            memset(key, i % 8 == 2 ? 0 : 0xff, len);
            key[0] = (uint8_t)i;
        } else if (i > 0) {
            len = (size_t)sprintf((char *)key, "page/%zu", i * i);
        }
        if (i % 8 == 5) {
            len = 1100;
            memset(key, 'L', len);
            key[1099] = (uint8_t)i;
        }
        w->keys[i] = mill_bytes_of(key, len);
    }
    qsort(w->keys, KEYS, sizeof w->keys[0], by_bytes);
    for (size_t i = 1; i < KEYS; i++)
        assert_int_not_equal(mill_bytes_compare(w->keys[i - 1], w->keys[i]), 0);
}

static size_t value_len(uint32_t value)
{
    return value % 50 == 7 ? 8000 : value % 11 == 3 ? 300 : value % 13;
}

/* Mostly small, sometimes large, sometimes empty. */
static mill_bytes value_bytes(const struct world *w, struct cell cell, uint8_t bytes[9000])
{
    if (!cell.present)
        return mill_null();
    if (w->kind == MILL_STORE_SET) {
        for (int i = 0; i < 8; i++)
            bytes[i] = (uint8_t)((uint64_t)cell.value >> (56 - 8 * i));
        return mill_bytes_of(bytes, 8);
    }
    size_t len = value_len(cell.value);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(cell.value * 31 + i);
    return mill_bytes_of(bytes, len);
}

static void check_value(const struct world *w, mill_bytes value, struct cell cell)
{
    uint8_t bytes[9000];
    assert_true(mill_bytes_equal(value, value_bytes(w, cell, bytes)));
}

static mill_bytes member_bytes(size_t member, uint8_t bytes[24])
{
    return mill_bytes_of(bytes, member == 0 ? 0 : (size_t)sprintf((char *)bytes, "m%zu", member));
}

static int64_t start_of(int window)
{
    return (int64_t)window * WINDOW_MS;
}

static bool expired(const struct world *w, int window)
{
    return w->kind != MILL_STORE_KEY_VALUE && window <= w->newest - RETENTION_WINDOWS;
}

/* ---- the listener ---------------------------------------------------------------------------------------------------------- */

static int listen(void *ctx, const mill_record *update)
{
    struct world *w = ctx;
    assert_true(w->told_at < w->told_count);
    struct tracked *tracked = w->told[w->told_at++];
    size_t index = (size_t)(tracked - &w->cells[0][0]);
    mill_bytes key = w->keys[index % KEYS];
    if (w->kind == MILL_STORE_KEY_VALUE) {
        assert_true(mill_bytes_equal(update->key, key));
    } else {
        assert_int_equal(update->key.len, key.len + 8);
        assert_memory_equal(update->key.data, key.data, key.len);
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(update->key.data[key.len + i], (uint8_t)((uint64_t)start_of((int)(index / KEYS)) >> (56 - 8 * i)));
    }
    check_value(w, update->value, tracked->now);
    check_value(w, update->old_value, tracked->told);
    assert_int_equal(update->timestamp_ms, tracked->now.timestamp_ms);
    tracked->told = tracked->now;
    tracked->dirty = false;
    return 0;
}

static int by_last_write(const void *a, const void *b)
{
    uint64_t left = (*(struct tracked *const *)a)->written;
    uint64_t right = (*(struct tracked *const *)b)->written;
    return left < right ? -1 : left > right;
}

static void expect_dirty_in_order(struct world *w)
{
    w->told_count = w->told_at = 0;
    for (size_t i = 0; i < WINDOWS * KEYS; i++) {
        struct tracked *tracked = &w->cells[0][0] + i;
        if (tracked->dirty && (tracked->now.present || tracked->told.present))
            w->told[w->told_count++] = tracked;
        else
            tracked->dirty = false;
    }
    qsort(w->told, w->told_count, sizeof w->told[0], by_last_write);
}

static void note_write(struct world *w, struct tracked *tracked, struct cell cell)
{
    tracked->now = cell;
    tracked->written = ++w->writes;
    tracked->dirty = w->caching;
    if (!w->caching) {
        w->told[0] = tracked;
        w->told_count = 1;
        w->told_at = 0;
    }
}

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

static int random_window(struct world *w)
{
    if (w->kind == MILL_STORE_KEY_VALUE)
        return 0;
    int newest = w->newest < 0 ? 0 : w->newest;
    if (prng_chance(&w->prng, 0.02) && newest + 3 < WINDOWS)
        return newest + (int)prng_below(&w->prng, 3);
    int window = newest - (int)prng_below(&w->prng, RETENTION_WINDOWS + 3);
    return window < 0 ? 0 : window;
}

static void check_get(struct world *w, int window, size_t key)
{
    struct cell cell = expired(w, window) ? (struct cell){ 0 } : w->cells[window][key].now;
    mill_bytes value = mill_null();
    int64_t timestamp_ms = -1;
    int found;
    if (w->kind == MILL_STORE_SET) {
        mill_set_size size;
        found = mill_set_count(w->rig.store, w->keys[key], start_of(window), &size);
        assert_int_equal(size.count, cell.present ? cell.value : 0);
        assert_int_equal(size.timestamp_ms, cell.present ? cell.timestamp_ms : -1);
        assert_int_equal(found, cell.present);
        return;
    }
    found = w->kind == MILL_STORE_KEY_VALUE
                ? mill_key_value_get(w->rig.store, w->keys[key], &value, &timestamp_ms)
                : mill_window_fetch(w->rig.store, w->keys[key], start_of(window), &value, &timestamp_ms);
    assert_int_equal(found, cell.present);
    check_value(w, value, cell);
    if (cell.present)
        assert_int_equal(timestamp_ms, cell.timestamp_ms);
}

static void add_member(struct world *w, int window, size_t key)
{
    size_t member = prng_below(&w->prng, MEMBERS);
    struct tracked *tracked = &w->cells[window][key];
    bool late = expired(w, window);
    bool is_new = !late && !w->members[window][key][member];
    int64_t timestamp_ms = (int64_t)prng_below(&w->prng, 100000);
    if (is_new) {
        w->members[window][key][member] = true;
        w->member_ms[window][key][member] = timestamp_ms;
        int64_t latest =
            tracked->now.present && tracked->now.timestamp_ms > timestamp_ms ? tracked->now.timestamp_ms : timestamp_ms;
        note_write(w, tracked, (struct cell){ true, (tracked->now.present ? tracked->now.value : 0) + 1, latest });
    } else if (!late) { /* told again, so that a record that is read twice repeats what it led to */
        note_write(w, tracked, tracked->now);
    }
    uint8_t bytes[24];
    bool added;
    mill_set_size size;
    if (prng_chance(&w->prng, 0.3))
        mill_set_prefetch(w->rig.store, w->keys[key], start_of(window), member_bytes(member, bytes));
    int stored =
        mill_set_add(w->rig.store, w->keys[key], start_of(window), member_bytes(member, bytes), timestamp_ms, &added, &size);
    assert_int_equal(stored, !late);
    assert_int_equal(added, is_new);
    w->drops += late;
    if (is_new && window > w->newest)
        w->newest = window;
    if (!late)
        assert_int_equal(size.count, tracked->now.value);
}

static void write_one(struct world *w, int window, size_t key)
{
    if (w->kind == MILL_STORE_SET) {
        add_member(w, window, key);
    } else {
        bool late = expired(w, window);
        struct cell cell = { prng_chance(&w->prng, 0.8), (uint32_t)w->writes + 1, (int64_t)prng_below(&w->prng, 100000) };
        if (!late)
            note_write(w, &w->cells[window][key], cell);
        w->drops += late;
        uint8_t bytes[9000];
        mill_bytes value = value_bytes(w, cell, bytes);
        if (w->kind == MILL_STORE_KEY_VALUE) {
            assert_int_equal(mill_key_value_put(w->rig.store, w->keys[key], value, cell.timestamp_ms), 0);
        } else {
            assert_int_equal(mill_window_put(w->rig.store, w->keys[key], start_of(window), value, cell.timestamp_ms), !late);
            if (window > w->newest)
                w->newest = window;
        }
    }
    if (!w->caching)
        assert_int_equal(w->told_at, w->told_count);
    w->told_count = w->told_at = 0;
    assert_int_equal(w->rig.drops, w->drops);
}

static void check_entry(struct world *w, mill_store_iterator *iterator, int window, size_t key)
{
    mill_store_entry entry;
    assert_int_equal(mill_store_iterator_next(iterator, &entry), 1);
    assert_true(mill_bytes_equal(entry.key, w->keys[key]));
    assert_int_equal(entry.window_start_ms, start_of(window));
    assert_int_equal(entry.window_end_ms, 0);
    check_value(w, entry.value, w->cells[window][key].now);
    assert_int_equal(entry.timestamp_ms, w->cells[window][key].now.timestamp_ms);
}

static void check_range(struct world *w)
{
    bool forward = prng_chance(&w->prng, 0.5);
    mill_order order = forward ? MILL_FORWARD : MILL_REVERSE;
    size_t from_key = prng_below(&w->prng, KEYS);
    size_t to_key = prng_below(&w->prng, KEYS);
    int from_window = 0;
    int to_window = 0;
    mill_bytes prefix = mill_null();
    mill_store_iterator *iterator;
    if (w->kind != MILL_STORE_KEY_VALUE) {
        from_window = random_window(w);
        to_window = random_window(w);
        if (prng_chance(&w->prng, 0.5)) {
            to_key = from_key;
            assert_int_equal(mill_window_fetch_range(w->rig.store, w->keys[from_key], start_of(from_window), start_of(to_window),
                                                     order, &iterator),
                             0);
        } else {
            from_key = 0;
            to_key = KEYS - 1;
            assert_int_equal(mill_window_fetch_all(w->rig.store, start_of(from_window), start_of(to_window), order, &iterator),
                             0);
        }
    } else if (prng_chance(&w->prng, 0.3)) {
        prefix = w->keys[from_key];
        prefix.len = prng_below(&w->prng, prefix.len + 1);
        from_key = 0;
        to_key = KEYS - 1;
        assert_int_equal(mill_key_value_prefix(w->rig.store, prefix, order, &iterator), 0);
    } else if (prng_chance(&w->prng, 0.3)) {
        from_key = 0;
        to_key = KEYS - 1;
        assert_int_equal(mill_key_value_all(w->rig.store, order, &iterator), 0);
    } else {
        assert_int_equal(mill_key_value_range(w->rig.store, w->keys[from_key], w->keys[to_key], order, &iterator), 0);
    }
    for (int i = 0; i < WINDOWS * KEYS; i++) {
        int cell = forward ? i : WINDOWS * KEYS - 1 - i;
        int window = cell / KEYS;
        size_t key = (size_t)(cell % KEYS);
        if (window < from_window || window > to_window || key < from_key || key > to_key || expired(w, window) ||
            !w->cells[window][key].now.present)
            continue;
        if (!mill_is_null(prefix) && (w->keys[key].len < prefix.len || memcmp(w->keys[key].data, prefix.data, prefix.len) != 0))
            continue;
        check_entry(w, iterator, window, key);
    }
    mill_store_entry entry;
    assert_int_equal(mill_store_iterator_next(iterator, &entry), 0);
    if (prng_chance(&w->prng, 0.8)) /* else it is left to the end of the callback */
        mill_store_iterator_close(iterator);
}

/* ---- commits and crashes --------------------------------------------------------------------------------------------------- */

static void settle(struct world *w, bool committed)
{
    for (size_t i = 0; i < WINDOWS * KEYS; i++) {
        struct tracked *tracked = &w->cells[0][0] + i;
        if (!committed)
            tracked->now = tracked->committed;
        tracked->committed = tracked->now;
        tracked->told = tracked->now;
        tracked->dirty = false;
    }
    if (committed) {
        memcpy(w->committed_members, w->members, sizeof w->members);
        w->committed_newest = w->newest;
    } else {
        memcpy(w->members, w->committed_members, sizeof w->members);
        w->newest = w->committed_newest;
    }
}

/* At a commit, where another store's flush may write here again afterwards. */
static void flush_caches(struct world *w)
{
    expect_dirty_in_order(w);
    assert_int_equal(rig_flush_caches(&w->rig, 1 + prng_below(&w->prng, 30)), 0);
    assert_int_equal(w->told_at, w->told_count);
    w->told_count = w->told_at = 0;
}

static void commit_or_abort(struct world *w)
{
    if (w->caching && prng_chance(&w->prng, 0.9))
        flush_caches(w);
    bool abort = prng_chance(&w->prng, 0.3) || w->rig.store->ops->is_dirty(w->rig.store);
    bool frozen = !w->rig.store->ops->is_dirty(w->rig.store) && prng_chance(&w->prng, 0.7);
    if (frozen || !abort)
        assert_int_equal(rig_freeze(&w->rig), 0);
    if (abort)
        rig_roll_back(&w->rig);
    else
        rig_committed(&w->rig);
    settle(w, !abort);
}

static int parse_logged(const struct world *w, const struct logged *logged, size_t *key, size_t *member)
{
    mill_bytes bytes = mill_bytes_of(logged->key, logged->key_len);
    int window = 0;
    if (w->kind != MILL_STORE_KEY_VALUE) {
        uint64_t start = 0;
        for (size_t i = 0; i < 8; i++)
            start = start << 8 | bytes.data[bytes.len - 12 + i];
        window = (int)(start / WINDOW_MS);
        bytes.len -= 12;
    }
    if (w->kind == MILL_STORE_SET) {
        size_t len = (size_t)bytes.data[2] << 8 | bytes.data[3];
        mill_bytes named = mill_bytes_of(bytes.data + 4 + len + 1, bytes.len - 5 - len);
        *member = named.len == 0 ? 0 : strtoul((const char *)named.data + 1, NULL, 10);
        bytes = mill_bytes_of(bytes.data + 4, len);
    }
    for (*key = 0; *key < KEYS; (*key)++)
        if (mill_bytes_equal(w->keys[*key], bytes))
            return window;
    fail_msg("a changelog key that was never written");
    return -1;
}

/* What is there after a crash: what the changelog says, and nothing else. */
static void replay_into_model(struct world *w)
{
    memset(w->members, 0, sizeof w->members);
    struct cell *cells = calloc(WINDOWS * KEYS, sizeof *cells);
    w->newest = -1;
    for (size_t i = 0; i < w->rig.log_count; i++) {
        const struct logged *logged = &w->rig.log[i];
        size_t key;
        size_t member = 0;
        int window = parse_logged(w, logged, &key, &member);
        struct cell *cell = &cells[window * KEYS + (int)key];
        if (w->kind == MILL_STORE_SET) {
            if (w->members[window][key][member])
                continue;
            w->members[window][key][member] = true;
            cell->value = cell->present ? cell->value + 1 : 1;
            cell->timestamp_ms =
                cell->present && cell->timestamp_ms > logged->timestamp_ms ? cell->timestamp_ms : logged->timestamp_ms;
            cell->present = true;
        } else {
            *cell = (struct cell){ logged->value != NULL, 0, logged->timestamp_ms };
            for (uint32_t value = 1; cell->present && value <= w->writes; value++) { /* which write was it? */
                if (value_len(value) != logged->value_len)
                    continue;
                uint8_t bytes[9000];
                mill_bytes made = value_bytes(w, (struct cell){ true, value, 0 }, bytes);
                if (made.len == logged->value_len && memcmp(made.data, logged->value, made.len) == 0) {
                    cell->value = value;
                    break;
                }
            }
        }
        if (window > w->newest)
            w->newest = window;
    }
    for (size_t i = 0; i < WINDOWS * KEYS; i++)
        (&w->cells[0][0] + i)->now = cells[i];
    free(cells);
    settle(w, true);
}

/* What was made and deleted between two commits left no record, but may have moved the time that a disk remembers. */
static void follow_stream_time(struct world *w)
{
    if (w->kind == MILL_STORE_KEY_VALUE)
        return;
    int64_t time_ms = mill_window_stream_time_ms(w->rig.store);
    w->newest = time_ms < 0 ? -1 : (int)(time_ms / WINDOW_MS);
    w->committed_newest = w->newest;
}

static void crash(struct world *w)
{
    size_t survives = w->rig.committed_log_count + prng_below(&w->prng, w->rig.log_count - w->rig.committed_log_count + 1);
    rig_close(&w->rig, false);
    rig_cut_log(&w->rig, survives);
    w->rig.committed_log_count = survives;
    rig_open(&w->rig);
    replay_into_model(w);
    follow_stream_time(w);
}

static void close_and_open(struct world *w)
{
    expect_dirty_in_order(w);
    rig_close_clean(&w->rig);
    w->told_count = w->told_at = 0;
    settle(w, true);
    rig_open(&w->rig);
    if (w->rig.builder->task_state == &TASK_STATE_LMDB)
        assert_int_equal(w->rig.restored_from, w->rig.log_count);
    follow_stream_time(w);
}

static void step(struct world *w)
{
    uint64_t dice = prng_below(&w->prng, 1000);
    if (dice % 16 == 0)
        rig_trim(&w->rig);
    int window = random_window(w);
    size_t key = prng_below(&w->prng, KEYS);
    if (dice < 600) {
        if (prng_chance(&w->prng, 0.7))
            check_get(w, window, key);
        write_one(w, window, key);
    } else if (dice < 850) {
        check_get(w, window, key);
    } else if (dice < 900 && w->kind != MILL_STORE_SET) {
        check_range(w);
    } else if (dice < 915 && w->caching) {
        flush_caches(w);
    } else if (dice < 960) {
        commit_or_abort(w);
    } else if (dice < 985) {
        assert_int_equal(rig_flush(&w->rig), 0);
    } else if (dice < 990) {
        rig_set_cache_and_read_bytes(&w->rig, prng_chance(&w->prng, 0.5) ? 500 : 1 << 20);
    } else if (dice < 995) {
        close_and_open(w);
    } else {
        crash(w);
    }
}

/* So little that maps grow, and restoring writes on the way, all the time. */
static const char *cramped(void *ctx, const char *name)
{
    return strcmp(name, "mill.state.map.bytes") == 0 ? "65536" : NULL;
}

static void run_seed(mill_store_kind kind, bool lmdb, bool caching, uint64_t seed)
{
    print_message("kind %d, %s, %s: seed %llu\n", kind, lmdb ? "lmdb" : "memory", caching ? "cached" : "not cached",
                  (unsigned long long)seed);
    struct world *w = calloc(1, sizeof *w);
    mill_store_builder *builder =
        kind == MILL_STORE_KEY_VALUE ? mill_key_value_store("store")
        : kind == MILL_STORE_WINDOW  ? mill_window_store("store", RETENTION_WINDOWS * WINDOW_MS, WINDOW_MS)
        : kind == MILL_STORE_SLIDING ? mill_sliding_store("store", RETENTION_WINDOWS * WINDOW_MS, WINDOW_MS)
                                     : mill_set_store("store", RETENTION_WINDOWS * WINDOW_MS, WINDOW_MS);
    builder = mill_store_with_caching(lmdb ? builder : mill_store_in_memory(builder), caching);
    rig_init(&w->rig, builder);
    prng_init(&w->prng, seed);
    w->kind = kind;
    w->caching = caching;
    w->newest = w->committed_newest = -1;
    w->rig.listener = listen;
    w->rig.listener_ctx = w;
    w->rig.cache_bytes = prng_chance(&w->prng, 0.5) ? 2000 : 1 << 20; /* small: clean entries leave all the time */
    bool is_cramped = prng_chance(&w->prng, 0.5);
    w->rig.property = is_cramped ? cramped : NULL;
    w->rig.restore_bytes = is_cramped ? 20000 : 0;
    make_keys(w);
    rig_open(&w->rig);
    for (int i = 0; i < STEPS; i++)
        step(w);
    for (int window = 0; window < (kind == MILL_STORE_KEY_VALUE ? 1 : WINDOWS); window++)
        for (size_t key = 0; key < KEYS; key++)
            check_get(w, window, key);
    rig_release(&w->rig);
    for (size_t i = 0; i < KEYS; i++)
        free((void *)(uintptr_t)w->keys[i].data);
    free(w);
}

static void run_seeds(mill_store_kind kind, bool lmdb, bool caching)
{
    uint64_t first = test_seed(1);
    for (uint64_t seed = first; seed < first + (uint64_t)test_rounds(3); seed++)
        run_seed(kind, lmdb, caching, seed);
}

#define CONFORMANCE(name, kind, lmdb, caching) \
    static void name(void **state)             \
    {                                          \
        run_seeds(kind, lmdb, caching);        \
    }

CONFORMANCE(a_key_value_store_in_memory_does_what_the_model_does, MILL_STORE_KEY_VALUE, false, false)
CONFORMANCE(a_cached_key_value_store_in_memory_does_what_the_model_does, MILL_STORE_KEY_VALUE, false, true)
CONFORMANCE(a_window_store_in_memory_does_what_the_model_does, MILL_STORE_WINDOW, false, false)
CONFORMANCE(a_cached_window_store_in_memory_does_what_the_model_does, MILL_STORE_WINDOW, false, true)
CONFORMANCE(a_set_store_in_memory_does_what_the_model_does, MILL_STORE_SET, false, false)
CONFORMANCE(a_cached_set_store_in_memory_does_what_the_model_does, MILL_STORE_SET, false, true)
CONFORMANCE(a_key_value_store_on_disk_does_what_the_model_does, MILL_STORE_KEY_VALUE, true, false)
CONFORMANCE(a_cached_key_value_store_on_disk_does_what_the_model_does, MILL_STORE_KEY_VALUE, true, true)
CONFORMANCE(a_window_store_on_disk_does_what_the_model_does, MILL_STORE_WINDOW, true, false)
CONFORMANCE(a_cached_window_store_on_disk_does_what_the_model_does, MILL_STORE_WINDOW, true, true)
CONFORMANCE(a_set_store_on_disk_does_what_the_model_does, MILL_STORE_SET, true, false)
CONFORMANCE(a_cached_set_store_on_disk_does_what_the_model_does, MILL_STORE_SET, true, true)
CONFORMANCE(a_sliding_store_in_memory_does_what_the_model_does, MILL_STORE_SLIDING, false, false)
CONFORMANCE(a_cached_sliding_store_in_memory_does_what_the_model_does, MILL_STORE_SLIDING, false, true)
CONFORMANCE(a_sliding_store_on_disk_does_what_the_model_does, MILL_STORE_SLIDING, true, false)
CONFORMANCE(a_cached_sliding_store_on_disk_does_what_the_model_does, MILL_STORE_SLIDING, true, true)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_value_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_cached_key_value_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_window_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_cached_window_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_set_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_cached_set_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_key_value_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_cached_key_value_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_window_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_cached_window_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_set_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_cached_set_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_sliding_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_cached_sliding_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_sliding_store_on_disk_does_what_the_model_does),
        cmocka_unit_test(a_cached_sliding_store_on_disk_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
