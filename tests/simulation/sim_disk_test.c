#include "simulation/sim_disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/cmocka_all.h"

enum { IMAGES = 200 };

static struct sim_disk *sim;
static struct disk *disk;

static int set_up(void **state)
{
    sim = sim_disk_new(1);
    disk = sim_disk_disk(sim);
    return 0;
}

static int tear_down(void **state)
{
    sim_disk_free(sim);
    return 0;
}

static struct disk_file *create(const char *path)
{
    struct disk_file *file = NULL;
    assert_int_equal(disk_open(disk, path, DISK_WRITE | DISK_CREATE, &file), 0);
    return file;
}

static void write_at(struct disk_file *file, const void *data, size_t len, int64_t offset)
{
    assert_int_equal(disk_write(file, &(struct io_vector){ data, len }, 1, offset), 0);
}

static bool exists(struct sim_disk *image, const char *path)
{
    struct disk_entry entry;
    return disk_stat(sim_disk_disk(image), path, &entry) == 0;
}

/* The whole file in an image, or NULL; the caller frees. */
static char *content(struct sim_disk *image, const char *path, size_t *len)
{
    char *data;
    return disk_read_file(sim_disk_disk(image), path, 1 << 20, &data, len) == 0 ? data : NULL;
}

static void it_behaves_as_a_disk(void **state)
{
    assert_int_equal(disk_make_directories(disk, "/var/lib/x"), 0);
    struct disk_file *file = create("/var/lib/x/f");
    write_at(file, "hello", 5, 3);
    char bytes[16];
    assert_int_equal(disk_read(file, bytes, sizeof bytes, 0), 8);
    assert_memory_equal(bytes, "\0\0\0hello", 8);
    assert_int_equal(disk_truncate(file, 4), 0);
    assert_int_equal(disk_truncate(file, 6), 0);
    assert_int_equal(disk_read(file, bytes, sizeof bytes, 3), 3);
    assert_memory_equal(bytes, "h\0\0", 3);
    disk_close(file);

    struct disk_file *none;
    assert_int_equal(disk_open(disk, "/var/nothing", DISK_READ, &none), MILL_ENOTFOUND);
    assert_int_equal(disk_open(disk, "/var/lib/x/f", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &none), MILL_EEXISTS);
    assert_int_equal(disk_rename(disk, "/var/lib/x/f", "/var/lib/g"), 0);
    assert_int_equal(disk_remove(disk, "/var/lib"), MILL_EEXISTS);
    assert_int_equal(disk_remove_tree(disk, "/var"), 0);
    assert_false(exists(sim, "/var"));
    struct disk_lock *lock, *second;
    assert_int_equal(disk_lock(disk, ".lock", &lock), 0);
    assert_int_equal(disk_lock(disk, ".lock", &second), MILL_ELOCKED);
    disk_unlock(lock);
    assert_int_equal(disk_lock(disk, ".lock", &second), 0);
    disk_unlock(second);
}

static void a_removed_file_lives_on_in_its_handle(void **state)
{
    struct disk_file *file = create("f");
    write_at(file, "x", 1, 0);
    assert_int_equal(disk_remove(disk, "f"), 0);
    assert_int_equal(disk_sync_directory(disk, "/"), 0);
    char byte;
    assert_int_equal(disk_read(file, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
    disk_close(file);
}

static void what_is_synced_survives_every_cut(void **state)
{
    assert_int_equal(disk_make_directories(disk, "a/b"), 0);
    struct disk_file *file = create("a/b/f");
    static char bytes[3000];
    memset(bytes, 'x', sizeof bytes);
    write_at(file, bytes, sizeof bytes, 0);
    assert_int_equal(disk_sync(file), 0);
    assert_int_equal(disk_sync_directory(disk, "a/b"), 0);
    disk_close(file);
    for (uint64_t seed = 0; seed < IMAGES; seed++) {
        struct sim_disk *image = sim_disk_after_power_cut(sim, seed);
        size_t len;
        char *left = content(image, "a/b/f", &len);
        assert_non_null(left);
        assert_int_equal(len, sizeof bytes);
        assert_memory_equal(left, bytes, len);
        mem_free(left);
        sim_disk_free(image);
    }
}

static void unsynced_sectors_are_old_or_new_and_both_occur(void **state)
{
    static char old_bytes[2048], new_bytes[2048];
    memset(old_bytes, 'o', sizeof old_bytes);
    memset(new_bytes, 'n', sizeof new_bytes);
    struct disk_file *file = create("f");
    write_at(file, old_bytes, sizeof old_bytes, 0);
    disk_sync(file);
    disk_sync_directory(disk, ".");
    write_at(file, new_bytes, sizeof new_bytes, 0);
    disk_close(file);
    int kept[4] = { 0 }, mixed = 0;
    for (uint64_t seed = 0; seed < IMAGES; seed++) {
        struct sim_disk *image = sim_disk_after_power_cut(sim, seed);
        size_t len;
        char *left = content(image, "f", &len);
        assert_int_equal(len, sizeof old_bytes);
        int news = 0;
        for (int sector = 0; sector < 4; sector++) {
            const char *expected = left[sector * 512] == 'n' ? new_bytes : old_bytes;
            assert_memory_equal(left + sector * 512, expected, 512);
            kept[sector] += expected == new_bytes;
            news += expected == new_bytes;
        }
        mixed += news > 0 && news < 4;
        mem_free(left);
        sim_disk_free(image);
    }
    for (int sector = 0; sector < 4; sector++)
        assert_in_range(kept[sector], IMAGES / 10, IMAGES * 9 / 10);
    assert_true(mixed > 0);
}

static void an_unsynced_append_is_cut_anywhere_with_holes_of_zeros(void **state)
{
    static char bytes[5000];
    memset(bytes, 'x', sizeof bytes);
    struct disk_file *file = create("f");
    write_at(file, bytes, 1000, 0);
    disk_sync(file);
    disk_sync_directory(disk, "");
    write_at(file, bytes, 4000, 1000);
    disk_close(file);
    int whole = 0, none = 0, holes = 0;
    for (uint64_t seed = 0; seed < IMAGES; seed++) {
        struct sim_disk *image = sim_disk_after_power_cut(sim, seed);
        size_t len;
        char *left = content(image, "f", &len);
        assert_in_range(len, 1000, 5000);
        assert_memory_equal(left, bytes, 1000);
        whole += len == 5000 && memcmp(left, bytes, len) == 0;
        none += len == 1000;
        holes += len > 1000 && memchr(left, 0, len) != NULL;
        mem_free(left);
        sim_disk_free(image);
    }
    assert_true(whole > 0 && none > 0 && holes > 0);
}

static void an_unsynced_rename_happens_wholly_or_not_at_all(void **state)
{
    assert_int_equal(disk_replace_file(disk, "b", "old", 3), 0);
    struct disk_file *file = create("a");
    write_at(file, "new", 3, 0);
    disk_sync(file);
    disk_close(file);
    disk_sync_directory(disk, "/");
    disk_rename(disk, "a", "b");
    int renamed = 0;
    for (uint64_t seed = 0; seed < IMAGES; seed++) {
        struct sim_disk *image = sim_disk_after_power_cut(sim, seed);
        size_t len;
        char *b = content(image, "b", &len);
        assert_string_equal(b, exists(image, "a") ? "old" : "new");
        renamed += !exists(image, "a");
        mem_free(b);
        sim_disk_free(image);
    }
    assert_in_range(renamed, 1, IMAGES - 1);
}

static void replacing_a_file_leaves_the_old_or_the_new_at_any_call(void **state)
{
    assert_int_equal(disk_replace_file(disk, "f", "old", 3), 0);
    for (uint64_t nth = 1;; nth++) {
        struct sim_disk *run = sim_disk_after_power_cut(sim, nth);
        sim_disk_fail_at(run, SIM_DISK_CHANGES, nth, MILL_EIO, true);
        int code = disk_replace_file(sim_disk_disk(run), "f", "new!", 4);
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct sim_disk *image = sim_disk_after_power_cut(run, seed);
            size_t len;
            char *left = content(image, "f", &len);
            assert_non_null(left);
            assert_true(strcmp(left, "new!") == 0 || (code < 0 && strcmp(left, "old") == 0));
            mem_free(left);
            sim_disk_free(image);
        }
        sim_disk_free(run);
        if (code == 0)
            break;
    }
}

/* The checker of the test above rejects the careless way. */
static void replacing_without_sync_is_caught(void **state)
{
    assert_int_equal(disk_replace_file(disk, "f", "old", 3), 0);
    struct disk_file *file = create("f.tmp");
    write_at(file, "new!", 4, 0);
    disk_close(file);
    disk_rename(disk, "f.tmp", "f");
    disk_sync_directory(disk, ".");
    int broken = 0;
    for (uint64_t seed = 0; seed < IMAGES; seed++) {
        struct sim_disk *image = sim_disk_after_power_cut(sim, seed);
        size_t len;
        char *left = content(image, "f", &len);
        broken += strcmp(left, "new!") != 0 && strcmp(left, "old") != 0;
        mem_free(left);
        sim_disk_free(image);
    }
    assert_true(broken > 0);
}

static void an_unsynced_create_may_be_lost_and_takes_what_depends_on_it_along(void **state)
{
    struct disk_file *file = create("x");
    disk_sync(file);
    disk_close(file);
    disk_rename(disk, "x", "y");
    disk_make_directory(disk, "d");
    int outcomes[2][2] = { { 0 } };
    for (uint64_t seed = 0; seed < IMAGES; seed++) {
        struct sim_disk *image = sim_disk_after_power_cut(sim, seed);
        assert_false(exists(image, "x") && exists(image, "y"));
        outcomes[exists(image, "y")][exists(image, "d")]++;
        sim_disk_free(image);
    }
    assert_true(outcomes[0][0] > 0 && outcomes[0][1] > 0 && outcomes[1][0] > 0 && outcomes[1][1] > 0);
}

static void a_kill_keeps_every_completed_call(void **state)
{
    struct disk_file *file = create("f");
    struct disk_lock *lock;
    write_at(file, "unsynced", 8, 0);
    assert_int_equal(disk_lock(disk, ".lock", &lock), 0);
    struct sim_disk *image = sim_disk_after_kill(sim);
    size_t len;
    char *left = content(image, "f", &len);
    assert_string_equal(left, "unsynced");
    mem_free(left);
    struct disk_lock *again;
    assert_int_equal(disk_lock(sim_disk_disk(image), ".lock", &again), 0);
    disk_unlock(again);
    int lost = 0;
    for (uint64_t seed = 0; seed < IMAGES; seed++) {
        struct sim_disk *cut = sim_disk_after_power_cut(image, seed);
        lost += !exists(cut, "f");
        sim_disk_free(cut);
    }
    assert_true(lost > 0);
    sim_disk_free(image);
    disk_unlock(lock);
    disk_close(file);
}

static void after_a_failed_sync_bytes_are_lost_although_a_later_sync_succeeds(void **state)
{
    static char bytes[512 * 16];
    memset(bytes, 'x', sizeof bytes);
    struct disk_file *file = create("f");
    disk_truncate(file, sizeof bytes);
    disk_sync(file);
    disk_sync_directory(disk, "/");
    write_at(file, bytes, sizeof bytes, 0);
    sim_disk_fail_at(sim, SIM_DISK_SYNC, 1, MILL_EIO, false);
    assert_int_equal(disk_sync(file), MILL_EIO);
    assert_int_equal(disk_sync(file), MILL_EIO);
    assert_int_equal(disk_write(file, &(struct io_vector){ "y", 1 }, 1, 0), MILL_EIO);
    disk_close(file);
    file = create("f");
    assert_int_equal(disk_sync(file), 0);
    disk_close(file);
    struct sim_disk *image = sim_disk_after_power_cut(sim, 1);
    size_t len;
    char *left = content(image, "f", &len);
    assert_non_null(memchr(left, 0, len));
    assert_non_null(memchr(left, 'x', len));
    mem_free(left);
    sim_disk_free(image);
}

static void a_failing_write_leaves_a_part(void **state)
{
    struct disk_file *file = create("f");
    static char bytes[1000];
    memset(bytes, 'x', sizeof bytes);
    sim_disk_fail_at(sim, SIM_DISK_WRITE, 2, MILL_EIO, false);
    write_at(file, bytes, 10, 0);
    assert_int_equal(disk_write(file, &(struct io_vector){ bytes, sizeof bytes }, 1, 10), MILL_EIO);
    int64_t size;
    disk_size(file, &size);
    assert_in_range(size, 10, 1010);
    assert_int_equal(sim_disk_fail_at(sim, 0, 0, 0, false), 2);
    disk_close(file);
}

static void a_full_disk_takes_what_fits(void **state)
{
    sim_disk_set_capacity(sim, 100);
    struct disk_file *file = create("f");
    static char bytes[200];
    assert_int_equal(disk_write(file, &(struct io_vector){ bytes, 200 }, 1, 0), MILL_EDISKFULL);
    int64_t size;
    disk_size(file, &size);
    assert_int_equal(size, 100);
    assert_int_equal(disk_write(file, &(struct io_vector){ bytes, 100 }, 1, 0), 0);
    assert_int_equal(disk_free_space(disk, "/", &size), 0);
    assert_int_equal(size, 0);
    disk_close(file);
}

static void a_flipped_bit_is_seen_and_survives(void **state)
{
    disk_replace_file(disk, "f", "a", 1);
    assert_true(sim_disk_flip(sim, "f", 1));
    assert_false(sim_disk_flip(sim, "f", 8));
    struct sim_disk *image = sim_disk_after_power_cut(sim, 3);
    size_t len;
    char *left = content(image, "f", &len);
    assert_string_equal(left, "c");
    mem_free(left);
    sim_disk_free(image);
}

static void count_call(void *ctx, enum sim_disk_call call, const char *path)
{
    (*(int *)ctx)++;
    sim_disk_free(sim_disk_after_power_cut(sim, 1)); /* the watcher may take images */
}

static void the_same_calls_give_the_same_trace_and_others_do_not(void **state)
{
    int seen = 0;
    sim_disk_watch(sim, SIM_DISK_SYNC_DIRECTORY, count_call, &seen);
    struct sim_disk *other = sim_disk_new(1);
    disk_replace_file(disk, "f", "a", 1);
    disk_replace_file(sim_disk_disk(other), "f", "a", 1);
    assert_int_equal(seen, 1);
    assert_true(sim_disk_trace(sim) == sim_disk_trace(other));
    disk_replace_file(disk, "f", "a", 1);
    disk_replace_file(sim_disk_disk(other), "f", "b", 1);
    assert_true(sim_disk_trace(sim) != sim_disk_trace(other));
    sim_disk_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_behaves_as_a_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_removed_file_lives_on_in_its_handle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_synced_survives_every_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unsynced_sectors_are_old_or_new_and_both_occur, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unsynced_append_is_cut_anywhere_with_holes_of_zeros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unsynced_rename_happens_wholly_or_not_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replacing_a_file_leaves_the_old_or_the_new_at_any_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replacing_without_sync_is_caught, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unsynced_create_may_be_lost_and_takes_what_depends_on_it_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_keeps_every_completed_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_failed_sync_bytes_are_lost_although_a_later_sync_succeeds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_write_leaves_a_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_takes_what_fits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flipped_bit_is_seen_and_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_calls_give_the_same_trace_and_others_do_not, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
