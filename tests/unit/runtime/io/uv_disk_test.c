#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/io.h"
#include "support/cmocka_all.h"
#include "support/temp_dir.h"

static struct temp_dir dir;

static int set_up(void **state)
{
    temp_dir_init(&dir);
    return 0;
}

static int tear_down(void **state)
{
    temp_dir_release(&dir);
    return 0;
}

static const char *in_dir(const char *name)
{
    return temp_dir_path(&dir, name);
}

static struct disk_file *open_file(const char *name, unsigned flags)
{
    struct disk_file *file = NULL;
    assert_int_equal(disk_open(uv_disk(), in_dir(name), flags, &file), 0);
    return file;
}

static void vectors_are_written_whole_and_read_back(void **state)
{
    struct disk_file *file = open_file("f", DISK_WRITE | DISK_CREATE);
    const struct io_vector vectors[] = { { "", 0 }, { "one", 3 }, { "", 0 }, { "two", 3 }, { "three", 5 } };
    assert_int_equal(disk_write(file, vectors, 5, 10), 0);
    assert_int_equal(disk_write(file, vectors, 1, 0), 0);
    assert_int_equal(disk_sync(file), 0);

    char bytes[32];
    assert_int_equal(disk_read(file, bytes, sizeof bytes, 10), 11);
    assert_memory_equal(bytes, "onetwothree", 11);
    assert_int_equal(disk_read(file, bytes, 1, 0), 1);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(disk_read(file, bytes, 1, 21), 0);
    int64_t size;
    assert_int_equal(disk_size(file, &size), 0);
    assert_int_equal(size, 21);
    disk_close(file);
}

static void the_most_vectors_allowed_are_written(void **state)
{
    struct io_vector vectors[1024];
    for (int i = 0; i < 1024; i++)
        vectors[i] = (struct io_vector){ "ab", 2 };
    struct disk_file *file = open_file("f", DISK_WRITE | DISK_CREATE);
    assert_int_equal(disk_write(file, vectors, 1024, 0), 0);
    int64_t size;
    disk_size(file, &size);
    assert_int_equal(size, 2048);
    disk_close(file);
}

static void open_flags_mean_what_they_say(void **state)
{
    struct disk_file *file;
    assert_int_equal(disk_open(uv_disk(), in_dir("f"), DISK_READ, &file), MILL_ENOTFOUND);
    assert_int_equal(disk_open(uv_disk(), in_dir("f"), DISK_WRITE, &file), MILL_ENOTFOUND);
    file = open_file("f", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    assert_int_equal(disk_write(file, &(struct io_vector){ "abc", 3 }, 1, 0), 0);
    disk_close(file);
    assert_int_equal(disk_open(uv_disk(), in_dir("f"), DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &file), MILL_EEXISTS);
    file = open_file("f", DISK_WRITE | DISK_CREATE | DISK_TRUNCATE);
    int64_t size;
    disk_size(file, &size);
    assert_int_equal(size, 0);
    disk_close(file);
    file = open_file("f", DISK_READ);
    assert_true(disk_write(file, &(struct io_vector){ "x", 1 }, 1, 0) < 0);
    disk_close(file);
    disk_close(NULL);
}

static void truncation_cuts_and_extends_with_zeros(void **state)
{
    struct disk_file *file = open_file("f", DISK_WRITE | DISK_CREATE);
    disk_write(file, &(struct io_vector){ "abcdef", 6 }, 1, 0);
    assert_int_equal(disk_truncate(file, 2), 0);
    assert_int_equal(disk_truncate(file, 4), 0);
    char bytes[8];
    assert_int_equal(disk_read(file, bytes, 8, 0), 4);
    assert_memory_equal(bytes, "ab\0\0", 4);
    disk_close(file);
}

struct seen {
    int files, directories;
    int64_t bytes;
};

static int count_entry(void *ctx, const struct disk_entry *entry)
{
    struct seen *seen = ctx;
    if (entry->is_directory)
        seen->directories++;
    else
        seen->files++;
    seen->bytes += entry->is_directory ? 0 : entry->size;
    assert_true(entry->modified_ms > 0);
    return 0;
}

static int stop_with_seven(void *ctx, const struct disk_entry *entry)
{
    return 7;
}

static void listing_tells_files_and_directories_apart(void **state)
{
    assert_int_equal(disk_make_directory(uv_disk(), in_dir("sub")), 0);
    assert_int_equal(disk_make_directory(uv_disk(), in_dir("sub")), 0);
    disk_close(open_file("a", DISK_WRITE | DISK_CREATE));
    assert_int_equal(disk_replace_file(uv_disk(), in_dir("b"), "12345", 5), 0);
    assert_int_equal(disk_make_directory(uv_disk(), in_dir("b")), MILL_EEXISTS);

    struct seen seen = { 0 };
    assert_int_equal(disk_list(uv_disk(), dir.path, count_entry, &seen), 0);
    assert_int_equal(seen.files, 2);
    assert_int_equal(seen.directories, 1);
    assert_int_equal(seen.bytes, 5);
    assert_int_equal(disk_list(uv_disk(), dir.path, stop_with_seven, NULL), 7);
    assert_int_equal(disk_list(uv_disk(), in_dir("none"), count_entry, &seen), MILL_ENOTFOUND);
    struct disk_entry entry;
    assert_int_equal(disk_stat(uv_disk(), in_dir("b"), &entry), 0);
    assert_int_equal(entry.size, 5);
    assert_false(entry.is_directory);
}

static void rename_replaces_and_remove_removes(void **state)
{
    disk_replace_file(uv_disk(), in_dir("a"), "new", 3);
    disk_replace_file(uv_disk(), in_dir("b"), "old", 3);
    assert_int_equal(disk_rename(uv_disk(), in_dir("a"), in_dir("b")), 0);
    assert_int_equal(disk_sync_directory(uv_disk(), dir.path), 0);
    char *data;
    size_t len;
    assert_int_equal(disk_read_file(uv_disk(), in_dir("b"), 3, &data, &len), 0);
    assert_string_equal(data, "new");
    assert_int_equal(len, 3);
    mem_free(data);
    assert_int_equal(disk_read_file(uv_disk(), in_dir("b"), 2, &data, &len), MILL_ETOOLARGE);
    assert_int_equal(disk_remove(uv_disk(), in_dir("b")), 0);
    assert_int_equal(disk_remove(uv_disk(), in_dir("b")), MILL_ENOTFOUND);
    assert_int_equal(disk_read_file(uv_disk(), in_dir("b"), 3, &data, &len), MILL_ENOTFOUND);
    assert_null(data);
}

static void trees_are_made_and_removed(void **state)
{
    assert_int_equal(disk_make_directories(uv_disk(), in_dir("x/y//z/")), 0);
    assert_int_equal(disk_make_directories(uv_disk(), in_dir("x/y/z")), 0);
    disk_replace_file(uv_disk(), in_dir("x/y/z/f"), "f", 1);
    disk_replace_file(uv_disk(), in_dir("x/g"), "g", 1);
    assert_int_equal(disk_make_directories(uv_disk(), in_dir("x/g")), MILL_EEXISTS);
    assert_true(disk_make_directories(uv_disk(), in_dir("x/g/h")) < 0);
    assert_true(disk_remove(uv_disk(), in_dir("x")) < 0);
    assert_int_equal(disk_remove_tree(uv_disk(), in_dir("x")), 0);
    struct disk_entry entry;
    assert_int_equal(disk_stat(uv_disk(), in_dir("x"), &entry), MILL_ENOTFOUND);
    assert_int_equal(disk_remove_tree(uv_disk(), in_dir("x")), MILL_ENOTFOUND);
}

static void a_lock_has_one_holder(void **state)
{
    struct disk_lock *lock, *second;
    assert_int_equal(disk_lock(uv_disk(), in_dir(".lock"), &lock), 0);
    assert_int_equal(disk_lock(uv_disk(), in_dir(".lock"), &second), MILL_ELOCKED);
    disk_unlock(lock);
    assert_int_equal(disk_lock(uv_disk(), in_dir(".lock"), &second), 0);
    disk_unlock(second);
    disk_unlock(NULL);
    assert_int_equal(disk_lock(uv_disk(), in_dir("none/.lock"), &lock), MILL_ENOTFOUND);
}

static void free_space_is_known(void **state)
{
    int64_t bytes = 0;
    assert_int_equal(disk_free_space(uv_disk(), dir.path, &bytes), 0);
    assert_true(bytes > 0);
    assert_int_equal(disk_free_space(uv_disk(), in_dir("none"), &bytes), MILL_ENOTFOUND);
}

enum { FORGOTTEN_BYTES = 8 << 20 };

/* How many of a file's pages are in the page cache. */
static size_t resident_pages(const char *path)
{
    static unsigned char pages[FORGOTTEN_BYTES / 4096];
    int fd = open(path, O_RDONLY);
    void *map = mmap(NULL, FORGOTTEN_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mincore(map, FORGOTTEN_BYTES, pages), 0);
    munmap(map, FORGOTTEN_BYTES);
    close(fd);
    size_t count = 0;
    for (size_t i = 0; i < sizeof pages; i++)
        count += pages[i] & 1;
    return count;
}

static void what_is_forgotten_leaves_the_page_cache_and_can_be_read(void **state)
{
    uint8_t *data = aligned_alloc(DISK_BLOCK_BYTES, FORGOTTEN_BYTES);
    for (size_t i = 0; i < FORGOTTEN_BYTES; i++)
        data[i] = (uint8_t)(i * 31 >> 8);
    struct disk_file *file = open_file("f", DISK_WRITE | DISK_CREATE);
    assert_int_equal(disk_write(file, &(struct io_vector){ data, FORGOTTEN_BYTES - 100 }, 1, 0), 0);
    assert_int_equal(disk_sync(file), 0);
    size_t before = resident_pages(in_dir("f"));
    disk_forget(file, 0, FORGOTTEN_BYTES / 2);
    disk_forget(file, FORGOTTEN_BYTES / 2, 0);
    struct statfs where;
    assert_int_equal(statfs(in_dir("f"), &where), 0);
    if (where.f_type == EXT4_SUPER_MAGIC) /* others may keep it: tmpfs has nowhere else */
        assert_true(resident_pages(in_dir("f")) < before);

    uint8_t *read = aligned_alloc(DISK_BLOCK_BYTES, FORGOTTEN_BYTES);
    assert_int_equal(disk_read_past_cache(file, read, 1 << 20, 1 << 20), 1 << 20);
    assert_memory_equal(read, data + (1 << 20), 1 << 20);
    assert_int_equal(disk_read_past_cache(file, read, FORGOTTEN_BYTES, 0), FORGOTTEN_BYTES - 100);
    assert_memory_equal(read, data, FORGOTTEN_BYTES - 100);
    assert_int_equal(disk_read_past_cache(file, read, 777, 12345), 777);
    assert_memory_equal(read, data + 12345, 777);
    assert_int_equal(disk_read_past_cache(file, read, 4096, FORGOTTEN_BYTES), 0);
    disk_close(file);
    free(read);
    free(data);
}

static void running_out_of_memory_anywhere_is_an_error(void **state)
{
    disk_make_directories(uv_disk(), in_dir("x/y"));
    disk_replace_file(uv_disk(), in_dir("x/y/f"), "f", 1);
    for (uint64_t nth = 1;; nth++) {
        mem_fail_at(nth, 0);
        char *data = NULL;
        size_t len;
        struct disk_lock *lock = NULL;
        int code = disk_replace_file(uv_disk(), in_dir("a"), "a", 1);
        if (code == 0)
            code = disk_read_file(uv_disk(), in_dir("a"), 10, &data, &len);
        if (code == 0)
            code = disk_lock(uv_disk(), in_dir(".lock"), &lock);
        if (code == 0)
            code = disk_remove_tree(uv_disk(), in_dir("x"));
        mem_fail_at(0, 0);
        mem_free(data);
        disk_unlock(lock);
        if (code == 0)
            break;
        assert_int_equal(code, MILL_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vectors_are_written_whole_and_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_most_vectors_allowed_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(open_flags_mean_what_they_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truncation_cuts_and_extends_with_zeros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(listing_tells_files_and_directories_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rename_replaces_and_remove_removes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trees_are_made_and_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_has_one_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(free_space_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_forgotten_leaves_the_page_cache_and_can_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_anywhere_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
