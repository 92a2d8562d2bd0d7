/*
 * A versioned store, random operations against a naive model: of each key all records that were accepted, in order of time.
 *
 * As the other conformance tests: reads as of random times, commits, aborts, flushes, clean closes, and crashes after which the
 * model is what the changelog says. MILLSTREAM_SEED=<n> replays one seed.
 */
#include "base/bytes.h"
#include "base/prng.h"
#include "support/rounds.h"
#include "unit/state/store_rig.h"

enum { KEYS = 8, HISTORY_MS = 160, STEPS = 6000, RECORDS_MAX = 4000, VALUE_BYTES_MAX = 5000 };

struct record {
    int64_t timestamp_ms;
    uint32_t value; /* number of the write; 0: a tombstone */
};

struct versions {
    struct record at[KEYS][RECORDS_MAX]; /* ascending */
    size_t count[KEYS];
    int64_t stream_time_ms;
};

struct world {
    struct rig rig;
    struct prng prng;
    mill_bytes keys[KEYS];
    struct versions now;
    struct versions committed;
    uint32_t writes;
    size_t drops;
};

static void make_keys(struct world *w)
{
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t *key = calloc(1, 1200);
        size_t len = i < 2 ? i * 8 : i < 5 ? (size_t)sprintf((char *)key, "k%zu", i) : 484 + i * 4;
        if (i >= 5)
            memset(key, 'L', len);
        w->keys[i] = mill_bytes_of(key, len);
    }
}

static mill_bytes value_of(uint32_t write, uint8_t bytes[VALUE_BYTES_MAX])
{
    if (write == 0)
        return mill_null();
    size_t len = write % 60 == 7 ? 4200 : write % 11 == 3 ? 300 : 4 + write % 13;
    memset(bytes, (int)(write * 31), len);
    write_u32_be(bytes, write);
    return mill_bytes_of(bytes, len);
}

/* ---- the model ------------------------------------------------------------------------------------------------------------- */

/* How many records of the key are at or before `time_ms`. */
static size_t count_until(const struct world *w, size_t key, int64_t time_ms)
{
    size_t count = 0;
    while (count < w->now.count[key] && w->now.at[key][count].timestamp_ms <= time_ms)
        count++;
    return count;
}

static bool too_old(const struct world *w, int64_t time_ms)
{
    return time_ms < w->now.stream_time_ms - HISTORY_MS;
}

static void model_put(struct world *w, size_t key, struct record record)
{
    struct record *records = w->now.at[key];
    size_t at = count_until(w, key, record.timestamp_ms);
    if (at > 0 && records[at - 1].timestamp_ms == record.timestamp_ms) {
        records[at - 1] = record;
    } else {
        assert_true(w->now.count[key] < RECORDS_MAX);
        memmove(&records[at + 1], &records[at], (w->now.count[key] - at) * sizeof record);
        records[at] = record;
        w->now.count[key]++;
    }
    if (record.timestamp_ms > w->now.stream_time_ms)
        w->now.stream_time_ms = record.timestamp_ms;
}

static int64_t valid_to(const struct world *w, size_t key, int64_t time_ms)
{
    size_t next = count_until(w, key, time_ms);
    return next < w->now.count[key] ? w->now.at[key][next].timestamp_ms : INT64_MAX;
}

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

static int64_t random_time(struct world *w)
{
    int64_t newest = w->now.stream_time_ms < 0 ? 0 : w->now.stream_time_ms;
    int64_t time = prng_chance(&w->prng, 0.15) ? newest + (int64_t)prng_below(&w->prng, 12)
                                               : newest - (int64_t)prng_below(&w->prng, HISTORY_MS + 20);
    if (prng_chance(&w->prng, 0.3))
        time = time / 10 * 10; /* often the same */
    if (prng_chance(&w->prng, 0.003))
        time = newest + HISTORY_MS * (int64_t)prng_below(&w->prng, 3);
    return time < 0 ? 0 : time;
}

static void write_one(struct world *w)
{
    size_t key = prng_below(&w->prng, KEYS);
    struct record record = { random_time(w), prng_chance(&w->prng, 0.65) ? ++w->writes : 0 };
    bool late = too_old(w, record.timestamp_ms);
    uint8_t bytes[VALUE_BYTES_MAX];
    int64_t valid_to_ms = 0;
    if (!late)
        model_put(w, key, record);
    w->drops += late;
    assert_int_equal(
        mill_versioned_put(w->rig.store, w->keys[key], value_of(record.value, bytes), record.timestamp_ms, &valid_to_ms), !late);
    if (!late)
        assert_true(valid_to_ms == valid_to(w, key, record.timestamp_ms));
    assert_int_equal(w->rig.drops, w->drops);
}

static void check_version(const struct world *w, size_t key, const mill_version *version, const struct record *record)
{
    uint8_t bytes[VALUE_BYTES_MAX];
    assert_true(mill_bytes_equal(version->value, value_of(record->value, bytes)));
    assert_int_equal(version->timestamp_ms, record->timestamp_ms);
    assert_true(version->valid_to_ms == valid_to(w, key, record->timestamp_ms));
}

static void check_get(struct world *w)
{
    size_t key = prng_below(&w->prng, KEYS);
    size_t count = w->now.count[key];
    const struct record *latest = count > 0 ? &w->now.at[key][count - 1] : NULL;
    mill_version version;
    int found = mill_versioned_get(w->rig.store, w->keys[key], &version);
    assert_int_equal(found, latest != NULL && latest->value != 0);
    if (found > 0)
        check_version(w, key, &version, latest);
    int64_t as_of_ms = random_time(w);
    size_t until = count_until(w, key, as_of_ms);
    const struct record *valid = until > 0 ? &w->now.at[key][until - 1] : NULL;
    if (too_old(w, as_of_ms) && valid != latest)
        valid = NULL;
    found = mill_versioned_get_as_of(w->rig.store, w->keys[key], as_of_ms, &version);
    assert_int_equal(found, valid != NULL && valid->value != 0);
    if (found > 0)
        check_version(w, key, &version, valid);
}

/* ---- commits and crashes --------------------------------------------------------------------------------------------------- */

static void commit_or_abort(struct world *w)
{
    bool abort = prng_chance(&w->prng, 0.3);
    if (!abort || prng_chance(&w->prng, 0.7))
        assert_int_equal(rig_freeze(&w->rig), 0);
    if (abort)
        rig_roll_back(&w->rig);
    else
        rig_committed(&w->rig);
    if (abort)
        w->now = w->committed;
    else
        w->committed = w->now;
}

static void replay_into_model(struct world *w)
{
    memset(w->now.count, 0, sizeof w->now.count);
    w->now.stream_time_ms = -1;
    for (size_t i = 0; i < w->rig.log_count; i++) {
        const struct logged *logged = &w->rig.log[i];
        size_t key = 0;
        while (!mill_bytes_equal(w->keys[key], mill_bytes_of(logged->key, logged->key_len)))
            assert_true(++key < KEYS);
        model_put(w, key, (struct record){ logged->timestamp_ms, logged->value ? read_u32_be(logged->value) : 0 });
    }
    w->committed = w->now;
}

static void crash(struct world *w)
{
    size_t survives = w->rig.committed_log_count + prng_below(&w->prng, w->rig.log_count - w->rig.committed_log_count + 1);
    rig_close(&w->rig, false);
    rig_cut_log(&w->rig, survives);
    w->rig.committed_log_count = survives;
    rig_open(&w->rig);
    replay_into_model(w);
}

static void step(struct world *w)
{
    uint64_t dice = prng_below(&w->prng, 1000);
    if (dice < 500) {
        write_one(w);
    } else if (dice < 920) {
        check_get(w);
    } else if (dice < 965) {
        commit_or_abort(w);
    } else if (dice < 993) {
        assert_int_equal(rig_flush(&w->rig), 0);
    } else if (dice < 996) {
        rig_close_clean(&w->rig);
        rig_open(&w->rig);
        w->committed = w->now;
    } else {
        crash(w);
    }
}

static const char *cramped(void *ctx, const char *name)
{
    return strcmp(name, "mill.state.map.bytes") == 0 ? "65536" : NULL;
}

static void run_seed(bool lmdb, uint64_t seed)
{
    print_message("versioned, %s: seed %llu\n", lmdb ? "lmdb" : "memory", (unsigned long long)seed);
    struct world *w = calloc(1, sizeof *w);
    mill_store_builder *builder = mill_versioned_store("store", HISTORY_MS);
    rig_init(&w->rig, lmdb ? builder : mill_store_in_memory(builder));
    prng_init(&w->prng, seed);
    w->now.stream_time_ms = w->committed.stream_time_ms = -1;
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
    free(w);
}

static void run_seeds(bool lmdb)
{
    uint64_t first = test_seed(1);
    for (uint64_t seed = first; seed < first + (uint64_t)test_rounds(4); seed++)
        run_seed(lmdb, seed);
}

static void a_versioned_store_in_memory_does_what_the_model_does(void **state)
{
    run_seeds(false);
}

static void a_versioned_store_on_disk_does_what_the_model_does(void **state)
{
    run_seeds(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_versioned_store_in_memory_does_what_the_model_does),
        cmocka_unit_test(a_versioned_store_on_disk_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
