/* Lines of a file, read in the background. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "cli/line_reader.h"
#include "millstream/error.h"
#include "support/temp_dir.h"

struct fixture {
    struct temp_dir directory;
    struct work_threads *work;
    struct loop *loop;
    struct line_reader reader;
    bool ready;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    temp_dir_init(&f.directory);
    f.work = work_threads_new(1, 1, 1);
    f.loop = uv_loop_new_with(f.work);
    assert_non_null(f.loop);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    line_reader_close(&f->reader);
    uv_loop_free(f->loop);
    work_threads_free(f->work);
    temp_dir_release(&f->directory);
    return 0;
}

static void on_ready(void *ctx, struct io_time now)
{
    ((struct fixture *)ctx)->ready = true;
}

static void open_file(struct fixture *f, const char *text, size_t len)
{
    const char *path = temp_dir_path(&f->directory, "lines");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
    assert_int_equal(line_reader_open(&f->reader, f->loop, path, on_ready, f), 0);
}

/* Waits where there is nothing yet. */
static int next(struct fixture *f, mill_bytes *line)
{
    int code;
    while ((code = line_reader_next(&f->reader, line)) == 0) {
        f->ready = false;
        while (!f->ready)
            loop_run(f->loop, &f->ready);
    }
    return code;
}

static void expect_line(struct fixture *f, const char *text)
{
    mill_bytes line;
    assert_int_equal(next(f, &line), 1);
    assert_true(mill_bytes_equal(line, mill_string(text)));
}

static void lines_come_without_their_ends(void **state)
{
    struct fixture *f = *state;
    mill_bytes line;
    open_file(f, "one\n\nthree\r\n", 12);
    expect_line(f, "one");
    expect_line(f, "");
    expect_line(f, "three\r");
    assert_int_equal(next(f, &line), MILL_ECLOSED);
    assert_int_equal(next(f, &line), MILL_ECLOSED);
}

static void a_last_line_without_an_end_counts(void **state)
{
    struct fixture *f = *state;
    mill_bytes line;
    open_file(f, "one\ntwo", 7);
    expect_line(f, "one");
    expect_line(f, "two");
    assert_int_equal(next(f, &line), MILL_ECLOSED);
}

static void an_empty_file_has_no_line(void **state)
{
    struct fixture *f = *state;
    mill_bytes line;
    open_file(f, "", 0);
    assert_int_equal(next(f, &line), MILL_ECLOSED);
}

static void lines_across_the_edges_of_chunks_come_whole(void **state)
{
    enum { LINES = 3000, BYTES = 3001 };
    static char text[LINES * BYTES];
    struct fixture *f = *state;
    for (int i = 0; i < LINES; i++) {
        memset(text + i * BYTES, 'a' + i % 26, BYTES - 1);
        text[i * BYTES + BYTES - 1] = '\n';
    }
    open_file(f, text, sizeof text);
    for (int i = 0; i < LINES; i++) {
        mill_bytes line;
        assert_int_equal(next(f, &line), 1);
        assert_true(mill_bytes_equal(line, mill_bytes_of(text + i * BYTES, BYTES - 1)));
    }
}

static void a_line_beyond_the_limit_is_an_error(void **state)
{
    static char text[LINE_READER_BYTES + 2];
    struct fixture *f = *state;
    mill_bytes line;
    memset(text, 'x', sizeof text);
    open_file(f, text, sizeof text);
    assert_int_equal(next(f, &line), MILL_ETOOLARGE);
}

static void a_missing_file_is_told_at_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(line_reader_open(&f->reader, f->loop, temp_dir_path(&f->directory, "none"), on_ready, f), MILL_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_without_their_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_last_line_without_an_end_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_across_the_edges_of_chunks_come_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_beyond_the_limit_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_told_at_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
