/* The board of `millstream top`: sums that do not count a window twice. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/top_board.h"
#include "millstream/record.h"

struct result {
    uint8_t key[64];
    uint8_t value[8];
    mill_bytes key_bytes;
    mill_bytes value_bytes;
};

static struct result *result_of(const char *page, int64_t start_ms, int64_t count)
{
    static struct result result;
    result.key_bytes = mill_time_window_write(result.key, mill_string(page), start_ms);
    result.value_bytes = mill_int64_write(result.value, count);
    return &result;
}

static void views(struct top_board *board, const char *page, int64_t minute, int64_t count)
{
    struct result *result = result_of(page, MILL_MINUTES(minute), count);
    top_board_add_views(board, result->key_bytes, result->value_bytes);
}

static void visitors(struct top_board *board, const char *page, int64_t hour, int64_t count)
{
    struct result *result = result_of(page, MILL_HOURS(hour), count);
    top_board_add_visitors(board, result->key_bytes, result->value_bytes);
}

static int set_up(void **state)
{
    static struct top_board board;
    top_board_init(&board);
    *state = &board;
    return 0;
}

static int tear_down(void **state)
{
    top_board_release(*state);
    return 0;
}

/* The table, runs of blanks as one. */
static const char *table(const struct top_board *board, size_t rows)
{
    static char text[2048];
    struct buffer out;
    size_t len = 0;
    buffer_init(&out, 1 << 16);
    top_board_write(board, rows, 0, &out);
    for (size_t i = 0; i < out.len && len + 1 < sizeof text; i++)
        if (out.data[i] != ' ' || (len > 0 && text[len - 1] != ' '))
            text[len++] = (char)out.data[i];
    text[len] = '\0';
    buffer_release(&out);
    return text;
}

static void a_window_counts_by_its_last_value(void **state)
{
    struct top_board *board = *state;
    views(board, "/x", 0, 1);
    views(board, "/x", 0, 5);
    views(board, "/x", 1, 2);
    views(board, "/y", 1, 1);
    assert_string_equal(table(board, 9), "page views this hour visitors most/hour\n"
                                         "whole site 8 8 0 0\n/x 7 7 0 0\n/y 1 1 0 0\n");
}

static void the_hour_is_the_latest_one_seen(void **state)
{
    struct top_board *board = *state;
    views(board, "/x", 10, 5);
    visitors(board, "/x", 0, 3);
    visitors(board, "?site", 0, 4);
    views(board, "/x", 65, 1);
    views(board, "/y", 66, 1234);
    visitors(board, "/y", 1, 1);
    visitors(board, "?site", 1, 2);
    assert_string_equal(table(board, 9), "page views this hour visitors most/hour\n"
                                         "whole site 1,240 1,235 2 4\n/y 1,234 1,234 1 1\n/x 6 1 0 3\n");
}

static void an_earlier_hour_that_still_grows_counts_in_all_only(void **state)
{
    struct top_board *board = *state;
    views(board, "/x", 60, 1);
    views(board, "/x", 59, 4);
    visitors(board, "/x", 1, 1);
    visitors(board, "/x", 0, 2);
    assert_string_equal(table(board, 9), "page views this hour visitors most/hour\nwhole site 5 1 0 0\n/x 5 1 1 2\n");
}

static void only_the_pages_with_the_most_views_are_shown(void **state)
{
    struct top_board *board = *state;
    views(board, "/b", 0, 2);
    views(board, "/a", 0, 2);
    views(board, "/c", 0, 3);
    assert_string_equal(table(board, 2), "page views this hour visitors most/hour\nwhole site 7 7 0 0\n/c 3 3 0 0\n/a 2 2 0 0\n");
}

static void records_of_another_form_are_passed_over(void **state)
{
    struct top_board *board = *state;
    top_board_add_views(board, mill_string("short"), mill_null());
    top_board_add_views(board, mill_null(), mill_null());
    top_board_add_views(board, result_of("/x", 0, 1)->key_bytes, mill_string("1"));
    top_board_add_visitors(board, mill_string("short"), mill_string("1"));
    assert_int_equal(board->views, 0);
    assert_false(board->failed);
}

static void names_are_shown_without_control_characters(void **state)
{
    struct top_board *board = *state;
    views(board, "/\x1b[2J\xff", 0, 1);
    assert_non_null(strstr(table(board, 1), "/?[2J? 1"));
}

static void lack_of_memory_is_remembered_and_breaks_nothing(void **state)
{
    struct top_board *board = *state;
    for (uint64_t nth = 1; nth < 6; nth++) {
        char page[8];
        snprintf(page, sizeof page, "/%d", (int)nth);
        mem_fail_at(nth, 1);
        views(board, page, 0, 1);
        mem_fail_at(0, 0);
    }
    assert_true(board->failed);
    views(board, "/x", 0, 1);
    assert_non_null(strstr(table(board, 9), "/x 1 1 0 0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_window_counts_by_its_last_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_hour_is_the_latest_one_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_earlier_hour_that_still_grows_counts_in_all_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_pages_with_the_most_views_are_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_of_another_form_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_shown_without_control_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lack_of_memory_is_remembered_and_breaks_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
