/*
 * Files that are not what LMDB wrote: flipped bits, cut ends, marks of other times. Never a wrong answer, never a signal: what
 * cannot be trusted is rebuilt from the changelog.
 */
#include "base/prng.h"
#include "base/trace.h"
#include "support/rounds.h"
#include "unit/state/store_rig.h"

enum { ENTRIES = 1200, WINDOW_MS = 1000 };

struct file {
    char *bytes;
    size_t len;
};

static struct file read_file(const struct rig *rig, const char *name)
{
    char path[128];
    struct file file;
    snprintf(path, sizeof path, "%s/%s", rig->directory, name);
    assert_int_equal(disk_read_file(uv_disk(), path, 64 << 20, &file.bytes, &file.len), 0);
    return file;
}

static void write_file(const struct rig *rig, const char *name, const char *bytes, size_t len)
{
    char path[128];
    struct disk_file *file;
    snprintf(path, sizeof path, "%s/%s", rig->directory, name);
    assert_int_equal(disk_open(uv_disk(), path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file), 0);
    struct io_vector vector = { bytes, len };
    assert_int_equal(disk_write(file, &vector, 1, 0), 0);
    disk_close(file);
}

static size_t make_value(int i, int round, char value[5000])
{
    size_t len = i % 97 == 0 ? 4500 : 20 + (size_t)i % 60;
    memset(value, 'a' + (i + round) % 26, len);
    return len;
}

/* Enough for a tree of some depth, overflow pages and a free list. */
static void fill(struct rig *rig)
{
    for (int round = 0; round < 3; round++) {
        for (int i = round; i < ENTRIES; i += 1 + round) {
            char key[32];
            char value[5000];
            mill_bytes key_bytes = mill_bytes_of(key, (size_t)sprintf(key, "key-%d", i));
            mill_bytes value_bytes = mill_bytes_of(value, make_value(i, round, value));
            assert_int_equal(mill_window_put(rig->store, key_bytes, (int64_t)(i / 300) * WINDOW_MS, value_bytes, i + round), 1);
        }
        rig_commit(rig);
        assert_int_equal(rig_flush(rig), 0);
    }
}

static const char *check_everything(void *ctx, const char *name)
{
    return strcmp(name, "mill.state.check") == 0 ? "true" : NULL;
}

static void set_up(struct rig *rig)
{
    trace_set_level(TRACE_OFF);
    rig_init(rig, mill_window_store("s", 100 * WINDOW_MS, WINDOW_MS));
    rig_open(rig);
    fill(rig);
    rig_close_clean(rig);
}

static void tear_down(struct rig *rig)
{
    rig_release(rig);
    trace_set_level(TRACE_WARN);
}

/* Every entry is what it was written to be. */
static bool is_right(struct rig *rig)
{
    int code = 0;
    for (int i = 0; i < ENTRIES && code >= 0; i++) {
        char key[32];
        char expected[5000];
        int round = i >= 2 && (i - 2) % 3 == 0 ? 2 : i >= 1 && (i - 1) % 2 == 0 ? 1 : 0;
        mill_bytes value;
        int64_t timestamp_ms;
        code = mill_window_fetch(rig->store, mill_bytes_of(key, (size_t)sprintf(key, "key-%d", i)),
                                 (int64_t)(i / 300) * WINDOW_MS, &value, &timestamp_ms);
        if (code != 1 || timestamp_ms != i + round ||
            !mill_bytes_equal(value, mill_bytes_of(expected, make_value(i, round, expected))))
            return false;
    }
    return code >= 0;
}

static void a_flipped_bit_is_found_by_the_full_check(void **state)
{
    struct rig rig;
    set_up(&rig);
    struct file data = read_file(&rig, "data.mdb");
    struct file mark = read_file(&rig, "mark");
    rig.property = check_everything;
    struct prng prng;
    prng_init(&prng, 1);
    size_t rebuilt = 0;
    const size_t flips = (size_t)test_rounds(400);
    for (size_t i = 0; i < flips; i++) {
        size_t bit = prng_below(&prng, data.len * 8);
        data.bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_file(&rig, "data.mdb", data.bytes, data.len);
        write_file(&rig, "mark", mark.bytes, mark.len);
        data.bytes[bit / 8] ^= (char)(1 << bit % 8);
        rig_open(&rig);
        rebuilt += rig.restored_in_full;
        if (!is_right(&rig))
            fail_msg("bit %zu", bit);
        rig_close(&rig, false);
    }
    print_message("%zu of %zu flips led to a rebuild; the others hit what no tree uses\n", rebuilt, flips);
    assert_true(rebuilt > flips / 4);
    mem_free(data.bytes);
    mem_free(mark.bytes);
    tear_down(&rig);
}

static void a_file_that_ends_early_is_rebuilt_without_a_signal(void **state)
{
    struct rig rig;
    set_up(&rig);
    struct file data = read_file(&rig, "data.mdb");
    struct file mark = read_file(&rig, "mark");
    struct prng prng;
    prng_init(&prng, 2);
    for (size_t i = 0; i < 300; i++) {
        size_t len = i % 2 ? prng_below(&prng, data.len) : prng_below(&prng, data.len / 4096) * 4096;
        len = i < 40 ? i * 7 : len;
        write_file(&rig, "data.mdb", data.bytes, len);
        write_file(&rig, "mark", mark.bytes, mark.len);
        rig_open(&rig);
        assert_true(is_right(&rig));
        rig_close(&rig, false);
    }
    mem_free(data.bytes);
    mem_free(mark.bytes);
    tear_down(&rig);
}

static void a_value_that_fails_its_checksum_is_no_answer_and_rebuilds_the_store(void **state)
{
    struct rig rig;
    set_up(&rig);
    struct file data = read_file(&rig, "data.mdb");
    size_t flipped = 0;
    for (size_t at = 0; at + 20 < data.len; at++)
        if (memcmp(data.bytes + at, "ssssssssssssssssssss", 20) == 0) { /* in values, wherever they are */
            data.bytes[at] ^= 1;
            flipped++;
        }
    assert_true(flipped > 0);
    write_file(&rig, "data.mdb", data.bytes, data.len);
    mem_free(data.bytes);
    rig_open(&rig); /* closed in order: only size and meta pages are looked at */
    assert_false(rig.restored_in_full);
    int corrupt = 0;
    for (int i = 0; i < ENTRIES; i++) {
        char key[32];
        mill_bytes value;
        int code = mill_window_fetch(rig.store, mill_bytes_of(key, (size_t)sprintf(key, "key-%d", i)),
                                     (int64_t)(i / 300) * WINDOW_MS, &value, NULL);
        assert_true(code == 1 || code == MILL_ECORRUPT);
        corrupt += code == MILL_ECORRUPT;
    }
    assert_true(corrupt > 0);
    rig_close(&rig, true);
    rig_open(&rig);
    assert_true(rig.restored_in_full);
    assert_true(is_right(&rig));
    tear_down(&rig);
}

static void replace_in_mark(struct rig *rig, const char *from, const char *to)
{
    struct file mark = read_file(rig, "mark");
    char *at = strstr(mark.bytes, from);
    assert_non_null(at);
    char changed[512];
    int len = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - mark.bytes), mark.bytes, to, at + strlen(from));
    write_file(rig, "mark", changed, (size_t)len);
    mem_free(mark.bytes);
}

static void a_killed_process_leaves_a_store_that_is_kept(void **state)
{
    struct rig rig;
    set_up(&rig);
    rig_open(&rig);
    rig_close(&rig, false);
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    assert_true(is_right(&rig));
    tear_down(&rig);
}

static void a_restarted_machine_has_the_whole_file_checked(void **state)
{
    struct rig rig;
    set_up(&rig);
    rig_open(&rig);
    rig_close(&rig, false);
    replace_in_mark(&rig, "boot=", "boot=another-");
    rig_open(&rig);
    assert_false(rig.restored_in_full); /* it is sound */
    rig_close(&rig, false);
    replace_in_mark(&rig, "boot=", "boot=another-");
    struct file data = read_file(&rig, "data.mdb");
    for (size_t at = data.len - 4096 * 3; at < data.len; at += 512)
        data.bytes[at] ^= 0x55;
    write_file(&rig, "data.mdb", data.bytes, data.len);
    mem_free(data.bytes);
    rig_open(&rig);
    assert_true(is_right(&rig));
    tear_down(&rig);
}

static const char *fast_mode(void *ctx, const char *name)
{
    return strcmp(name, "mill.state.sync") == 0 ? "fast" : NULL;
}

static void an_unsynced_store_is_rebuilt_only_when_the_machine_went_down_under_it(void **state)
{
    struct rig rig;
    set_up(&rig);
    rig.property = fast_mode;
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    rig_close(&rig, false);
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    rig_close(&rig, false);
    replace_in_mark(&rig, "boot=", "boot=another-");
    rig_open(&rig);
    assert_true(rig.restored_in_full);
    rig_close_clean(&rig);
    replace_in_mark(&rig, "boot=", "boot=another-");
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    assert_true(is_right(&rig));
    tear_down(&rig);
}

static void a_mark_that_cannot_be_read_means_rebuild(void **state)
{
    static const char *const marks[] = { "", "version=2\n", "version=1\nboot=x\nend=unclean\n", "garbage" };
    struct rig rig;
    set_up(&rig);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        write_file(&rig, "mark", marks[i], strlen(marks[i]));
        rig_open(&rig);
        assert_true(rig.restored_in_full);
        assert_true(is_right(&rig));
        rig_close(&rig, false);
    }
    tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_found_by_the_full_check),
        cmocka_unit_test(a_file_that_ends_early_is_rebuilt_without_a_signal),
        cmocka_unit_test(a_value_that_fails_its_checksum_is_no_answer_and_rebuilds_the_store),
        cmocka_unit_test(a_killed_process_leaves_a_store_that_is_kept),
        cmocka_unit_test(a_restarted_machine_has_the_whole_file_checked),
        cmocka_unit_test(an_unsynced_store_is_rebuilt_only_when_the_machine_went_down_under_it),
        cmocka_unit_test(a_mark_that_cannot_be_read_means_rebuild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
