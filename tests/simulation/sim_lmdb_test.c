#include "simulation/sim_lmdb.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/cmocka_all.h"
#include "support/rounds.h"

enum { KEYS = 50, VALUE_BYTES = 300 };

static struct sim_disk *sim;

static int set_up(void **state)
{
    sim = sim_disk_new(1);
    disk_make_directories(sim_disk_disk(sim), "/state/0_0");
    sim_lmdb_mount("/state", sim);
    return 0;
}

static int tear_down(void **state)
{
    assert_int_equal(sim_lmdb_open_files(), 0);
    sim_lmdb_mount("/state", NULL);
    sim_disk_free(sim);
    return 0;
}

static int open_env(MDB_env **env, unsigned flags)
{
    int code = mdb_env_create(env);
    if (code != 0)
        return code;
    mdb_env_set_mapsize(*env, 1 << 24);
    code = mdb_env_open(*env, "/state/0_0", MDB_NOTLS | flags, 0644);
    if (code != 0)
        mdb_env_close(*env);
    return code;
}

/* Puts all keys with values of `generation` in one transaction. */
static int put_generation(MDB_env *env, int generation)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code != 0)
        return code;
    code = mdb_dbi_open(txn, NULL, 0, &dbi);
    for (int i = 0; i < KEYS && code == 0; i++) {
        char value[VALUE_BYTES];
        memset(value, generation, sizeof value);
        MDB_val key = { sizeof i, &i }, data = { sizeof value, value };
        code = mdb_put(txn, dbi, &key, &data, 0);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

/* The generation that all keys have; 0 when there are none, -1 when they disagree or cannot be read. */
static int generation_of(MDB_env *env)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        return -1;
    int generation = mdb_dbi_open(txn, NULL, 0, &dbi) == 0 ? 0 : -1;
    for (int i = 0; i < KEYS && generation >= 0; i++) {
        MDB_val key = { sizeof i, &i }, data;
        int code = mdb_get(txn, dbi, &key, &data);
        int found = code == 0 && data.mv_size == VALUE_BYTES ? *(char *)data.mv_data : code == MDB_NOTFOUND ? 0 : -1;
        generation = i == 0 || found == generation ? found : -1;
    }
    mdb_txn_abort(txn);
    return generation;
}

/* What a process finds that starts on the image. */
static int generation_after_power_cut(struct sim_disk *before, uint64_t seed, unsigned flags)
{
    struct sim_disk *image = sim_disk_after_power_cut(before, seed);
    sim_lmdb_mount("/state", image);
    MDB_env *env;
    int generation = -1;
    if (open_env(&env, flags) == 0) {
        generation = generation_of(env);
        mdb_env_close(env);
    }
    sim_lmdb_mount("/state", before);
    sim_disk_free(image);
    return generation;
}

static void an_environment_lives_on_the_disk(void **state)
{
    MDB_env *env;
    assert_int_equal(open_env(&env, 0), 0);
    assert_true(sim_lmdb_open_files() >= 2);
    assert_int_equal(put_generation(env, 1), 0);
    assert_int_equal(put_generation(env, 2), 0);
    assert_int_equal(generation_of(env), 2);
    mdb_env_close(env);
    struct disk_entry entry;
    assert_int_equal(disk_stat(sim_disk_disk(sim), "/state/0_0/data.mdb", &entry), 0);
    assert_true(entry.size > KEYS * VALUE_BYTES);
    assert_int_equal(open_env(&env, 0), 0);
    assert_int_equal(generation_of(env), 2);
    mdb_env_close(env);
}

static void a_renamed_environment_is_found_under_its_new_name(void **state)
{
    MDB_env *env;
    assert_int_equal(open_env(&env, 0), 0);
    assert_int_equal(put_generation(env, 3), 0);
    mdb_env_close(env);
    disk_rename(sim_disk_disk(sim), "/state/0_0", "/state/old");
    disk_make_directory(sim_disk_disk(sim), "/state/0_0");
    assert_int_equal(open_env(&env, 0), 0);
    assert_int_equal(generation_of(env), 0);
    mdb_env_close(env);
    disk_remove_tree(sim_disk_disk(sim), "/state/0_0");
    disk_rename(sim_disk_disk(sim), "/state/old", "/state/0_0");
    assert_int_equal(open_env(&env, 0), 0);
    assert_int_equal(generation_of(env), 3);
    mdb_env_close(env);
}

/* LMDB trusts what it maps: a broken image may crash the reader, which therefore is a process of its own. -1 when it did. */
static int generation_seen_by_a_child(struct sim_disk *before, uint64_t seed, unsigned flags)
{
    pid_t child = fork();
    if (child == 0) {
        assert_non_null(freopen("/dev/null", "w", stderr));
        int generation = generation_after_power_cut(before, seed, flags);
        _exit(generation < 0 ? 255 : generation);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) <= 4 ? WEXITSTATUS(status) : -1;
}

/* Images the disk before each call that changes it, while commits go on. */
struct cuts {
    int committed; /* generations whose commit has returned */
    unsigned flags;
    int images, broken, undone;
};

static void image_now(void *ctx, enum sim_disk_call call, const char *path)
{
    struct cuts *cuts = ctx;
    sim_disk_watch(sim, 0, NULL, NULL);
    for (uint64_t seed = 0; seed < (uint64_t)(cuts->flags & MDB_NOSYNC ? 2 : test_rounds(10)); seed++) {
        int (*look)(struct sim_disk *, uint64_t, unsigned) =
            cuts->flags & MDB_NOSYNC ? generation_seen_by_a_child : generation_after_power_cut;
        int generation = look(sim, seed + (uint64_t)cuts->images * 1000, cuts->flags);
        cuts->images++;
        cuts->broken += generation < 0 || generation > cuts->committed + 1;
        cuts->undone += generation >= 0 && generation < cuts->committed;
    }
    sim_disk_watch(sim, SIM_DISK_CHANGES, image_now, cuts);
}

static struct cuts cut_everywhere(unsigned flags)
{
    struct cuts cuts = { .flags = flags };
    MDB_env *env;
    assert_int_equal(open_env(&env, flags), 0);
    assert_int_equal(mdb_env_sync(env, 1), 0);
    disk_sync_directory(sim_disk_disk(sim), "/state/0_0");
    sim_disk_watch(sim, SIM_DISK_CHANGES, image_now, &cuts);
    for (int generation = 1; generation <= 4; generation++) {
        assert_int_equal(put_generation(env, generation), 0);
        cuts.committed = generation;
    }
    image_now(&cuts, SIM_DISK_SYNC, "");
    sim_disk_watch(sim, 0, NULL, NULL);
    mdb_env_close(env);
    return cuts;
}

static void a_cut_at_any_call_leaves_whole_commits_and_loses_none(void **state)
{
    struct cuts cuts = cut_everywhere(0);
    assert_true(cuts.images > 10 * test_rounds(10));
    assert_int_equal(cuts.broken, 0);
    assert_int_equal(cuts.undone, 0);
}

static void without_meta_syncs_commits_are_whole_but_the_last_may_be_undone(void **state)
{
    struct cuts cuts = cut_everywhere(MDB_NOMETASYNC);
    assert_int_equal(cuts.broken, 0);
    assert_true(cuts.undone > 0);
}

/* The checker rejects the mode that promises nothing. */
static void without_syncs_images_break(void **state)
{
    struct cuts cuts = cut_everywhere(MDB_NOSYNC);
    assert_true(cuts.broken > 0);
}

static void every_failing_disk_call_is_told_and_loses_no_commit(void **state)
{
    MDB_env *env;
    assert_int_equal(open_env(&env, 0), 0);
    assert_int_equal(put_generation(env, 1), 0);
    mdb_env_close(env);
    disk_sync_directory(sim_disk_disk(sim), "/state/0_0");
    for (uint64_t nth = 1;; nth++) {
        struct sim_disk *run = sim_disk_after_kill(sim);
        sim_lmdb_mount("/state", run);
        sim_disk_fail_at(run, SIM_DISK_CHANGES, nth, MILL_EIO, true);
        int code = open_env(&env, 0);
        if (code == 0) {
            code = put_generation(env, 2);
            mdb_env_close(env);
        }
        sim_disk_fail_at(run, 0, 0, 0, false);
        int left = generation_after_power_cut(run, nth, 0);
        assert_true(left == 2 || (left == 1 && code != 0));
        sim_lmdb_mount("/state", sim);
        sim_disk_free(run);
        if (code == 0)
            break;
    }
}

static void every_failing_allocation_is_told(void **state)
{
    for (uint64_t nth = 1;; nth++) {
        MDB_env *env;
        mem_fail_at(nth, 0);
        int code = open_env(&env, 0);
        if (code == 0) {
            code = put_generation(env, 1);
            mdb_env_close(env);
        }
        mem_fail_at(0, 0);
        if (code == 0)
            break;
        assert_int_equal(code, ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_environment_lives_on_the_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_renamed_environment_is_found_under_its_new_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_at_any_call_leaves_whole_commits_and_loses_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_meta_syncs_commits_are_whole_but_the_last_may_be_undone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_syncs_images_break, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failing_disk_call_is_told_and_loses_no_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failing_allocation_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
