/*
 * Stores on a disk that loses what was not synced, fails, and fills up.
 *
 * Crash images are taken at every call of LMDB and of ours that changes the disk, and at every append to the changelog; each is
 * opened as the next process would, restored from what the changelog kept, and compared entry by entry with a store in memory
 * that replays the whole changelog.
 */
#include "base/prng.h"
#include "base/trace.h"
#include "simulation/sim_lmdb.h"
#include "support/rounds.h"
#include "unit/state/store_rig.h"

enum { KEYS = 60, COMMITS = 10, WRITES = 45, WINDOW_MS = 1000, RETENTION_MS = 6000, MEMBERS = 10 };

static const char DIRECTORY[] = "/state/0_0";

static mill_store_builder *make_builder(mill_store_kind kind)
{
    switch (kind) {
    case MILL_STORE_KEY_VALUE:
        return mill_store_with_caching(mill_key_value_store("s"), true);
    case MILL_STORE_WINDOW:
        return mill_store_with_caching(mill_window_store("s", RETENTION_MS, WINDOW_MS), true);
    case MILL_STORE_SLIDING:
        return mill_store_with_caching(mill_sliding_store("s", RETENTION_MS, WINDOW_MS), true);
    case MILL_STORE_SESSION:
        return mill_store_with_caching(mill_session_store("s", RETENTION_MS), true);
    case MILL_STORE_JOIN:
        return mill_join_store("s", RETENTION_MS, WINDOW_MS);
    case MILL_STORE_VERSIONED:
        return mill_versioned_store("s", RETENTION_MS);
    default:
        return mill_store_with_caching(mill_set_store("s", RETENTION_MS, WINDOW_MS), true);
    }
}

static size_t make_key(uint64_t number, char key[800])
{
    if (number % 9 == 4) { /* longer than LMDB takes */
        memset(key, 'k', 700);
        return 700 + (size_t)sprintf(key + 700, "%llu", (unsigned long long)number);
    }
    return (size_t)sprintf(key, "key-%llu", (unsigned long long)number);
}

struct write {
    mill_bytes key;
    mill_bytes value; /* null: deletes */
    mill_bytes member;
    int64_t start_ms;
    int64_t end_ms; /* of a session */
    int64_t timestamp_ms;
};

static int write_one(mill_store *store, mill_store_kind kind, const struct write *write)
{
    bool added;
    mill_set_size size;
    switch (kind) {
    case MILL_STORE_KEY_VALUE:
        return mill_key_value_put(store, write->key, write->value, write->timestamp_ms);
    case MILL_STORE_SET:
        return mill_set_add(store, write->key, write->start_ms, write->member, write->timestamp_ms, &added, &size);
    case MILL_STORE_SESSION:
        return mill_session_put(store, write->key, write->start_ms, write->end_ms, write->value, write->timestamp_ms);
    case MILL_STORE_JOIN:
        return mill_join_put(store, write->key, write->timestamp_ms, write->value);
    case MILL_STORE_VERSIONED:
        return mill_versioned_put(store, write->key, write->value, write->timestamp_ms, NULL);
    default:
        return mill_window_put(store, write->key, write->start_ms, write->value, write->timestamp_ms);
    }
}

/* Writes that follow from the seed alone. Deletions only of what was there before, so that stream times are those of the log. */
static int write_some(struct rig *rig, mill_store_kind kind, struct prng *prng, int commit)
{
    for (int i = 0; i < WRITES; i++) {
        char key_text[800];
        char value_text[3000];
        uint64_t number = prng_below(prng, KEYS);
        mill_bytes key = mill_bytes_of(key_text, make_key(number, key_text));
        size_t len = prng_chance(prng, 0.03) ? sizeof value_text : 8 + prng_below(prng, 40);
        memset(value_text, (int)('a' + number % 26), len);
        memcpy(value_text, &(uint64_t){ prng_next(prng) }, 8);
        int64_t start_ms = (int64_t)WINDOW_MS * (commit + (int64_t)prng_below(prng, 4));
        int64_t timestamp_ms = start_ms + (int64_t)prng_below(prng, WINDOW_MS);
        bool delete = commit > 1 && prng_chance(prng, 0.1);
        mill_bytes value = delete ? mill_null() : mill_bytes_of(value_text, len);
        int64_t end_ms = start_ms + (delete ? 0 : (int64_t)(number % 3) * WINDOW_MS / 4);
        mill_bytes member = mill_bytes_of(value_text + 8, number % 2 + prng_below(prng, MEMBERS));
        int code = write_one(rig->store, kind, &(struct write){ key, value, member, start_ms, end_ms, timestamp_ms });
        if (code < 0)
            return code;
    }
    return 0;
}

/* ---- what is there against what the changelog says ------------------------------------------------------------------------- */

static int open_all(mill_store *store, mill_store_kind kind, mill_store_iterator **iterator)
{
    switch (kind) {
    case MILL_STORE_KEY_VALUE:
        return mill_key_value_all(store, MILL_FORWARD, iterator);
    case MILL_STORE_SESSION:
        return mill_session_fetch_all(store, 0, INT64_MAX, MILL_FORWARD, iterator);
    case MILL_STORE_JOIN:
        return mill_join_fetch_all(store, 0, INT64_MAX, MILL_FORWARD, iterator);
    default:
        return mill_window_fetch_all(store, 0, INT64_MAX, MILL_FORWARD, iterator);
    }
}

static bool same_entries(mill_store *a, mill_store *b, mill_store_kind kind)
{
    mill_store_iterator *left;
    mill_store_iterator *right;
    mill_store_entry x;
    mill_store_entry y;
    if (open_all(a, kind, &left) < 0 || open_all(b, kind, &right) < 0)
        return false;
    int found;
    do {
        found = mill_store_iterator_next(left, &x);
        if (found < 0 || found != mill_store_iterator_next(right, &y))
            return false;
        if (found > 0 &&
            (!mill_bytes_equal(x.key, y.key) || !mill_bytes_equal(x.value, y.value) || x.timestamp_ms != y.timestamp_ms ||
             x.window_start_ms != y.window_start_ms || x.window_end_ms != y.window_end_ms))
            return false;
    } while (found > 0);
    mill_store_iterator_close(left);
    mill_store_iterator_close(right);
    return true;
}

static bool same_sets(mill_store *a, mill_store *b)
{
    for (uint64_t number = 0; number < KEYS; number++) {
        char text[800];
        mill_bytes key = mill_bytes_of(text, make_key(number, text));
        for (int64_t start_ms = 0; start_ms < WINDOW_MS * (COMMITS + 5); start_ms += WINDOW_MS) {
            mill_set_size x;
            mill_set_size y;
            int found = mill_set_count(a, key, start_ms, &x);
            if (found < 0 || found != mill_set_count(b, key, start_ms, &y) || x.count != y.count ||
                x.timestamp_ms != y.timestamp_ms)
                return false;
        }
    }
    return true;
}

static bool same_versions(mill_store *a, mill_store *b)
{
    for (uint64_t number = 0; number < KEYS; number++) {
        char text[800];
        mill_bytes key = mill_bytes_of(text, make_key(number, text));
        for (int64_t as_of_ms = 0; as_of_ms < WINDOW_MS * (COMMITS + 5); as_of_ms += WINDOW_MS / 5) {
            mill_version x;
            mill_version y;
            int found = mill_versioned_get_as_of(a, key, as_of_ms, &x);
            if (found < 0 || found != mill_versioned_get_as_of(b, key, as_of_ms, &y) || !mill_bytes_equal(x.value, y.value) ||
                x.timestamp_ms != y.timestamp_ms || x.valid_to_ms != y.valid_to_ms)
                return false;
        }
    }
    return true;
}

static bool same(mill_store *a, mill_store *b, mill_store_kind kind)
{
    return kind == MILL_STORE_SET         ? same_sets(a, b)
           : kind == MILL_STORE_VERSIONED ? same_versions(a, b)
                                          : same_entries(a, b, kind);
}

/* A faulty changelog or position, to see that the comparison notices. */
enum plant { PLANT_NOTHING, PLANT_LOST_RECORD, PLANT_POSITION_AHEAD };

struct outcome {
    bool right;
    bool restored_in_full;
    size_t restored_from;
    size_t replayed;
};

/* Opens what is on `disk` with the first `kept` records of the changelog. */
static struct outcome look_with(const struct rig *before, struct sim_disk *disk, size_t kept, mill_store_kind kind,
                                enum plant plant, const char *(*property)(void *ctx, const char *name))
{
    struct rig after;
    struct rig memory;
    sim_lmdb_mount("/state", disk);
    rig_init_on(&after, make_builder(kind), sim_disk_disk(disk), DIRECTORY);
    after.property = property;
    rig_init_on(&memory, mill_store_in_memory(make_builder(kind)), NULL, "");
    memory.log = before->log;
    memory.log_count = kept;
    struct outcome outcome = { 0 };
    int code = rig_try_open(&after);
    mill_changelog_position position = { .offset = -1 };
    if (code == 0)
        code = after.state->ops->position(after.state, after.store, &position);
    after.log = before->log;
    after.log_count = kept;
    if (plant == PLANT_LOST_RECORD)
        after.log_count -= kept > 0;
    if (code == 0 && plant == PLANT_POSITION_AHEAD && kept > 0) {
        after.log += 1;
        after.log_count -= 1;
    }
    if (code == 0)
        code = rig_try_restore(&after);
    outcome.restored_in_full = after.restored_in_full;
    outcome.restored_from = after.restored_from;
    outcome.replayed = after.log_count - after.restored_from;
    rig_open(&memory);
    outcome.right = code == 0 && same(after.store, memory.store, kind);
    after.log = memory.log = NULL;
    after.log_count = memory.log_count = 0;
    rig_release(&after);
    rig_release(&memory);
    return outcome;
}

static struct outcome look(const struct rig *before, struct sim_disk *disk, size_t kept, mill_store_kind kind, enum plant plant)
{
    return look_with(before, disk, kept, kind, plant, NULL);
}

/* ---- images ---------------------------------------------------------------------------------------------------------------- */

struct cuts {
    struct rig rig;
    struct sim_disk *sim;
    mill_store_kind kind;
    struct prng prng;
    uint64_t seeds_each;
    enum plant plant;
    size_t flushed; /* positions of the last flush that returned, and of the one before */
    size_t flushed_before;
    size_t images, wrong, rebuilt, undone, lost;
};

static void image_now(struct cuts *cuts)
{
    sim_disk_watch(cuts->sim, 0, NULL, NULL);
    for (uint64_t i = 0; i < cuts->seeds_each; i++) {
        bool kill = prng_chance(&cuts->prng, 0.2);
        struct sim_disk *image =
            kill ? sim_disk_after_kill(cuts->sim) : sim_disk_after_power_cut(cuts->sim, prng_next(&cuts->prng));
        size_t open_records = cuts->rig.log_count - cuts->rig.committed_log_count;
        size_t kept = cuts->rig.committed_log_count + prng_below(&cuts->prng, open_records + 1);
        struct outcome outcome = look(&cuts->rig, image, kept, cuts->kind, cuts->plant);
        cuts->images++;
        cuts->wrong += !outcome.right;
        cuts->rebuilt += outcome.restored_in_full && cuts->flushed > 0;
        cuts->undone += !outcome.restored_in_full && outcome.restored_from < cuts->flushed;
        cuts->lost += !outcome.restored_in_full && outcome.restored_from < cuts->flushed_before;
        sim_disk_free(image);
    }
    sim_lmdb_mount("/state", cuts->sim);
}

static void image_at_call(void *ctx, enum sim_disk_call call, const char *path)
{
    struct cuts *cuts = ctx;
    image_now(cuts);
    sim_disk_watch(cuts->sim, SIM_DISK_CHANGES, image_at_call, cuts);
}

static void image_at_append(struct rig *rig)
{
    struct cuts *cuts = (struct cuts *)rig; /* its first member */
    if (rig->log_count % 3 != 0)
        return;
    image_now(cuts);
    sim_disk_watch(cuts->sim, SIM_DISK_CHANGES, image_at_call, cuts);
}

static struct cuts cut_everywhere(mill_store_kind kind, uint64_t seeds_each, enum plant plant)
{
    struct cuts cuts = { .kind = kind, .seeds_each = seeds_each, .plant = plant };
    trace_set_level(TRACE_OFF); /* rebuilding is announced, thousands of times */
    prng_init(&cuts.prng, 11 + kind);
    cuts.sim = sim_disk_new(5);
    disk_make_directories(sim_disk_disk(cuts.sim), DIRECTORY);
    sim_lmdb_mount("/state", cuts.sim);
    rig_init_on(&cuts.rig, make_builder(kind), sim_disk_disk(cuts.sim), DIRECTORY);
    cuts.rig.appended = image_at_append;
    struct prng writes;
    prng_init(&writes, 3);
    sim_disk_watch(cuts.sim, SIM_DISK_CHANGES, image_at_call, &cuts);
    rig_open(&cuts.rig);
    for (int commit = 0; commit < COMMITS; commit++) {
        assert_int_equal(write_some(&cuts.rig, kind, &writes, commit), 0);
        rig_commit(&cuts.rig);
        if (commit % 2 == 1)
            continue; /* the next flush takes two */
        size_t until = cuts.rig.log_count;
        assert_int_equal(rig_flush(&cuts.rig), 0);
        cuts.flushed_before = cuts.flushed;
        cuts.flushed = until;
    }
    rig_close_clean(&cuts.rig);
    image_now(&cuts);
    rig_release(&cuts.rig);
    sim_lmdb_mount("/state", NULL);
    sim_disk_free(cuts.sim);
    trace_set_level(TRACE_WARN);
    print_message("%zu images: %zu wrong, %zu rebuilt, newest flush undone in %zu\n", cuts.images, cuts.wrong, cuts.rebuilt,
                  cuts.undone);
    return cuts;
}

static void expect_all_right(mill_store_kind kind)
{
    uint64_t images = (uint64_t)test_rounds(1500);
    struct cuts cuts = cut_everywhere(kind, images / 150 + 1, PLANT_NOTHING);
    assert_true(cuts.images >= images);
    assert_int_equal(cuts.wrong, 0);
    assert_int_equal(cuts.rebuilt, 0); /* a store that was flushed is whole after any cut */
    assert_int_equal(cuts.lost, 0);
    assert_true(cuts.undone > 0);
}

static void a_key_value_store_survives_a_cut_anywhere(void **state)
{
    expect_all_right(MILL_STORE_KEY_VALUE);
}

static void a_window_store_survives_a_cut_anywhere(void **state)
{
    expect_all_right(MILL_STORE_WINDOW);
}

static void a_set_counts_right_after_a_cut_anywhere(void **state)
{
    expect_all_right(MILL_STORE_SET);
}

static void a_sliding_store_survives_a_cut_anywhere(void **state)
{
    expect_all_right(MILL_STORE_SLIDING);
}

static void a_session_store_survives_a_cut_anywhere(void **state)
{
    expect_all_right(MILL_STORE_SESSION);
}

static void a_join_store_survives_a_cut_anywhere(void **state)
{
    expect_all_right(MILL_STORE_JOIN);
}

static void a_versioned_store_survives_a_cut_anywhere(void **state)
{
    expect_all_right(MILL_STORE_VERSIONED);
}

static void the_comparison_notices_a_lost_record(void **state)
{
    assert_true(cut_everywhere(MILL_STORE_SESSION, 1, PLANT_LOST_RECORD).wrong > 50);
    assert_true(cut_everywhere(MILL_STORE_JOIN, 1, PLANT_LOST_RECORD).wrong > 50);
    assert_true(cut_everywhere(MILL_STORE_VERSIONED, 1, PLANT_LOST_RECORD).wrong > 50);
    assert_true(cut_everywhere(MILL_STORE_WINDOW, 1, PLANT_LOST_RECORD).wrong > 50);
    assert_true(cut_everywhere(MILL_STORE_SET, 1, PLANT_LOST_RECORD).wrong > 50);
}

static void the_comparison_notices_a_position_that_is_ahead(void **state)
{
    assert_true(cut_everywhere(MILL_STORE_KEY_VALUE, 1, PLANT_POSITION_AHEAD).wrong > 10);
    assert_true(cut_everywhere(MILL_STORE_SET, 1, PLANT_POSITION_AHEAD).wrong > 50);
}

/* ---- failures -------------------------------------------------------------------------------------------------------------- */

/* A short life; the first error, 0 when none. */
static int live(struct rig *rig, mill_store_kind kind)
{
    struct prng prng;
    prng_init(&prng, 17);
    int code = rig_try_open(rig);
    if (code == 0)
        code = rig_try_restore(rig);
    for (int commit = 0; commit < 3 && code == 0; commit++) {
        code = write_some(rig, kind, &prng, commit);
        if (code == 0)
            code = rig_flush_caches(rig, 16);
        if (code == 0)
            code = rig_freeze(rig);
        if (code == 0) {
            rig_committed(rig);
            code = rig_flush(rig);
        }
    }
    if (rig->state != NULL)
        rig_close(rig, code == 0);
    return code;
}

static struct sim_disk *new_disk(void)
{
    struct sim_disk *sim = sim_disk_new(9);
    disk_make_directories(sim_disk_disk(sim), DIRECTORY);
    sim_lmdb_mount("/state", sim);
    return sim;
}

static void every_failing_disk_call_is_told_and_loses_nothing(void **state)
{
    trace_set_level(TRACE_OFF);
    for (mill_store_kind kind = MILL_STORE_KEY_VALUE; kind <= MILL_STORE_VERSIONED; kind++) {
        uint64_t nth = 1;
        for (int code = MILL_EIO; code < 0; nth++) {
            struct sim_disk *sim = new_disk();
            struct rig rig;
            rig_init_on(&rig, make_builder(kind), sim_disk_disk(sim), DIRECTORY);
            sim_disk_fail_at(sim, SIM_DISK_CHANGES, nth, MILL_EIO, nth % 2 == 0);
            code = live(&rig, kind);
            uint64_t calls = sim_disk_fail_at(sim, 0, 0, 0, false);
            if (calls < nth)
                assert_int_equal(code, 0);
            struct sim_disk *image = nth % 3 == 0 ? sim_disk_after_kill(sim) : sim_disk_after_power_cut(sim, nth);
            assert_true(look(&rig, image, rig.log_count, kind, PLANT_NOTHING).right);
            sim_disk_free(image);
            rig_release(&rig);
            sim_disk_free(sim);
            if (calls < nth)
                break;
            code = MILL_EIO; /* an error that harmed nobody, such as of a file that need not be there */
        }
        print_message("%llu disk calls\n", (unsigned long long)nth);
    }
    trace_set_level(TRACE_WARN);
}

static void note_distrust(void *ctx, enum trace_level level, const char *line)
{
    *(bool *)ctx |= level == TRACE_ERROR && strstr(line, "syncing data.mdb at the end") && strstr(line, "not to be trusted");
}

static void a_close_that_fails_says_so_itself(void **state)
{
    struct sim_disk *sim = new_disk();
    struct rig rig;
    bool told = false;
    rig_init_on(&rig, make_builder(MILL_STORE_KEY_VALUE), sim_disk_disk(sim), DIRECTORY);
    rig_open(&rig);
    assert_int_equal(mill_key_value_put(rig.store, mill_string("k"), mill_string("v"), 1), 0);
    rig_commit(&rig);
    assert_int_equal(rig_flush(&rig), 0);
    sim_disk_fail_at(sim, SIM_DISK_SYNC, 1, MILL_EIO, false);
    trace_set_sink(note_distrust, &told);
    rig_close(&rig, true);
    trace_set_sink(NULL, NULL);
    assert_true(told);
    rig_release(&rig);
    sim_lmdb_mount("/state", NULL);
    sim_disk_free(sim);
}

static void every_failing_allocation_is_told_and_loses_nothing(void **state)
{
    trace_set_level(TRACE_OFF);
    for (mill_store_kind kind = MILL_STORE_KEY_VALUE; kind <= MILL_STORE_VERSIONED; kind++) {
        uint64_t nth = 1;
        for (bool more = true; more; nth += 1 + nth / 100) {
            struct sim_disk *sim = new_disk();
            struct rig rig;
            rig_init_on(&rig, make_builder(kind), sim_disk_disk(sim), DIRECTORY);
            mem_fail_at(nth, nth % 2 == 0);
            int code = live(&rig, kind);
            more = mem_fail_at(0, 0) >= nth;
            assert_true(code == 0 || code == MILL_ENOMEM || more);
            assert_true(look(&rig, sim, rig.log_count, kind, PLANT_NOTHING).right);
            rig_release(&rig);
            sim_disk_free(sim);
        }
        print_message("%llu allocations\n", (unsigned long long)nth);
    }
    trace_set_level(TRACE_WARN);
}

static const char *check_everything(void *ctx, const char *name)
{
    return strcmp(name, "mill.state.check") == 0 ? "true" : NULL;
}

static int64_t file_bytes(struct sim_disk *sim, const char *path)
{
    struct disk_file *file;
    int64_t bytes;
    assert_int_equal(disk_open(sim_disk_disk(sim), path, DISK_READ, &file), 0);
    assert_int_equal(disk_size(file, &bytes), 0);
    disk_close(file);
    return bytes;
}

/* Each bit in its own image; what the check does not find was in no use. */
static void flip_bits(mill_store_kind kind, int flips, struct prng *prng)
{
    char path[64];
    snprintf(path, sizeof path, "%s/data.mdb", DIRECTORY);
    struct sim_disk *sim = new_disk();
    struct rig rig;
    rig_init_on(&rig, make_builder(kind), sim_disk_disk(sim), DIRECTORY);
    assert_int_equal(live(&rig, kind), 0);
    uint64_t bits = (uint64_t)file_bytes(sim, path) * 8;
    int rebuilt = 0;
    for (int i = 0; i < flips; i++) {
        struct sim_disk *image = sim_disk_after_kill(sim);
        uint64_t bit = prng_below(prng, bits);
        assert_true(sim_disk_flip(image, path, (int64_t)bit));
        struct outcome outcome = look_with(&rig, image, rig.log_count, kind, PLANT_NOTHING, check_everything);
        if (!outcome.right)
            fail_msg("kind %d: bit %llu", (int)kind, (unsigned long long)bit);
        rebuilt += outcome.restored_in_full;
        sim_disk_free(image);
    }
    print_message("%d of %d flips led to a rebuild\n", rebuilt, flips);
    assert_true(rebuilt > 0);
    sim_lmdb_mount("/state", sim);
    rig_release(&rig);
    sim_lmdb_mount("/state", NULL);
    sim_disk_free(sim);
}

static void a_flipped_bit_is_found_whatever_the_store(void **state)
{
    trace_set_level(TRACE_OFF);
    struct prng prng;
    prng_init(&prng, test_seed(31));
    for (mill_store_kind kind = MILL_STORE_KEY_VALUE; kind <= MILL_STORE_VERSIONED; kind++)
        flip_bits(kind, test_rounds(120), &prng);
    trace_set_level(TRACE_WARN);
}

/*
 * Changelog records with a flipped bit, a cut end or no key: restoring either says that they are no records of the store, or
 * takes them for other records. Reading goes on in either case.
 */
static void a_changelog_of_other_bytes_is_refused_or_restored(void **state)
{
    trace_set_level(TRACE_OFF);
    struct prng prng;
    prng_init(&prng, test_seed(32));
    int refused = 0;
    for (int round = 0; round < test_rounds(140); round++) {
        mill_store_kind kind = MILL_STORE_KEY_VALUE + round % (MILL_STORE_VERSIONED + 1);
        struct sim_disk *sim = new_disk();
        struct rig rig;
        rig_init_on(&rig, make_builder(kind), sim_disk_disk(sim), DIRECTORY);
        assert_int_equal(live(&rig, kind), 0);
        for (int i = 0; i < 8; i++) {
            struct logged *logged = &rig.log[prng_below(&prng, rig.log_count)];
            if (i == 0)
                logged->key_len = prng_below(&prng, logged->key_len + 1);
            else if (logged->key_len > 0)
                logged->key[prng_below(&prng, logged->key_len)] ^= (uint8_t)(1 << prng_below(&prng, 8));
        }
        disk_remove_tree(sim_disk_disk(sim), DIRECTORY);
        disk_make_directories(sim_disk_disk(sim), DIRECTORY);
        int code = rig_try_open(&rig);
        assert_int_equal(code, 0);
        code = rig_try_restore(&rig);
        assert_true(code == 0 || code == MILL_ECORRUPT);
        refused += code < 0;
        if (code == 0)
            assert_true(same(rig.store, rig.store, kind));
        rig_release(&rig);
        sim_lmdb_mount("/state", NULL);
        sim_disk_free(sim);
    }
    print_message("%d changelogs refused\n", refused);
    assert_true(refused > 0);
    trace_set_level(TRACE_WARN);
}

static void a_full_disk_stops_the_flush_and_loses_nothing(void **state)
{
    trace_set_level(TRACE_OFF);
    bool seen = false;
    for (int64_t capacity = 60000; capacity < 400000; capacity += 20000) {
        struct sim_disk *sim = new_disk();
        struct rig rig;
        rig_init_on(&rig, make_builder(MILL_STORE_WINDOW), sim_disk_disk(sim), DIRECTORY);
        sim_disk_set_capacity(sim, capacity);
        int code = live(&rig, MILL_STORE_WINDOW);
        seen = seen || code == MILL_EDISKFULL;
        assert_true(code == 0 || code == MILL_EDISKFULL);
        struct sim_disk *image = sim_disk_after_power_cut(sim, (uint64_t)capacity);
        sim_disk_set_capacity(image, INT64_MAX);
        assert_true(look(&rig, image, rig.log_count, MILL_STORE_WINDOW, PLANT_NOTHING).right);
        sim_disk_free(image);
        rig_release(&rig);
        sim_disk_free(sim);
    }
    assert_true(seen);
    trace_set_level(TRACE_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_value_store_survives_a_cut_anywhere),
        cmocka_unit_test(a_window_store_survives_a_cut_anywhere),
        cmocka_unit_test(a_set_counts_right_after_a_cut_anywhere),
        cmocka_unit_test(a_sliding_store_survives_a_cut_anywhere),
        cmocka_unit_test(a_session_store_survives_a_cut_anywhere),
        cmocka_unit_test(a_join_store_survives_a_cut_anywhere),
        cmocka_unit_test(a_versioned_store_survives_a_cut_anywhere),
        cmocka_unit_test(the_comparison_notices_a_lost_record),
        cmocka_unit_test(the_comparison_notices_a_position_that_is_ahead),
        cmocka_unit_test(every_failing_disk_call_is_told_and_loses_nothing),
        cmocka_unit_test(a_close_that_fails_says_so_itself),
        cmocka_unit_test(every_failing_allocation_is_told_and_loses_nothing),
        cmocka_unit_test(a_flipped_bit_is_found_whatever_the_store),
        cmocka_unit_test(a_changelog_of_other_bytes_is_refused_or_restored),
        cmocka_unit_test(a_full_disk_stops_the_flush_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
