/* The page_views example: what it writes for lines in and out of order, malformed and late. */
#include "support/cmocka_all.h"

#include "unit/examples/example_driver.h"

#include "page_views/main.c"
#undef main

static int set_up(void **state)
{
    char *arguments[] = { "page_views", "--grace", "60", NULL };
    return example_main(3, arguments);
}

static void hit(const char *client, const char *clock, const char *page)
{
    char line[256];
    snprintf(line, sizeof line, "%s - - [01/Jan/1970:%s +0000] \"GET %s HTTP/1.1\" 200 1", client, clock, page);
    example_pipe("access-log", line);
}

static void views_are_counted_per_page_and_minute(void **state)
{
    hit("a", "00:00:01", "/x");
    hit("a", "00:00:59", "/x?query");
    hit("b", "00:00:30", "/y");
    hit("b", "00:01:00", "/x");
    assert_string_equal(example_read("page-views"), "/x@0=1 /x@0=2 /y@0=1 /x@1=1 ");
}

/* The second visit of a brings its count again: each record tells the current number. */
static void visitors_are_counted_once_per_page_and_hour_and_for_the_whole_site(void **state)
{
    hit("a", "00:00:01", "/x");
    hit("a", "00:59:59", "/x");
    hit("b", "00:59:59", "/y");
    hit("a", "01:00:00", "/x");
    assert_string_equal(example_read("unique-visitors"),
                        "?site@0=1 /x@0=1 ?site@0=1 /x@0=1 ?site@0=2 /y@0=1 ?site@60=1 /x@60=1 ");
}

static void malformed_lines_are_skipped_and_counted(void **state)
{
    example_pipe("access-log", "\\x16\\x03");
    example_pipe("access-log", "");
    example_pipe("access-log", NULL);
    hit("a", "00:00:01", "/x");
    assert_string_equal(example_read("page-views"), "/x@0=1 ");
    assert_int_equal(mill_test_driver_dropped(example.driver, "malformed"), 3);
}

static void a_line_counts_until_the_grace_has_passed_and_is_late_from_then_on(void **state)
{
    hit("a", "00:00:00", "/x");
    hit("a", "00:01:59", "/y");
    hit("a", "00:00:59", "/x");
    assert_string_equal(example_read("page-views"), "/x@0=1 /y@1=1 /x@0=2 ");
    hit("a", "00:02:00", "/y");
    hit("a", "00:00:59", "/x");
    assert_string_equal(example_read("page-views"), "/y@2=1 ");
    assert_int_equal(mill_test_driver_dropped(example.driver, "late"), 1);
}

static void counts_go_on_after_a_crash(void **state)
{
    hit("a", "00:00:01", "/x");
    assert_int_equal(mill_test_driver_restart(example.driver, MILL_RESTART_STATE_LOST), 0);
    hit("a", "00:00:02", "/x");
    assert_string_equal(example_read("page-views"), "/x@0=1 /x@0=2 ");
    assert_string_equal(example_read("unique-visitors"), "?site@0=1 /x@0=1 ?site@0=1 /x@0=1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(views_are_counted_per_page_and_minute, set_up, example_end),
        cmocka_unit_test_setup_teardown(visitors_are_counted_once_per_page_and_hour_and_for_the_whole_site, set_up, example_end),
        cmocka_unit_test_setup_teardown(malformed_lines_are_skipped_and_counted, set_up, example_end),
        cmocka_unit_test_setup_teardown(a_line_counts_until_the_grace_has_passed_and_is_late_from_then_on, set_up, example_end),
        cmocka_unit_test_setup_teardown(counts_go_on_after_a_crash, set_up, example_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
