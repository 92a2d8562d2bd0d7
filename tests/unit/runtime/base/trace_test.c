#include "base/trace.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka_all.h"

static char last_line[2048];
static int lines;

static void keep_line(void *ctx, enum trace_level level, const char *line)
{
    snprintf(last_line, sizeof last_line, "%s", line);
    lines++;
}

static int64_t at_noon(void *ctx)
{
    return 1795262400123;
}

static int set_up(void **state)
{
    lines = 0;
    last_line[0] = '\0';
    trace_set_level(TRACE_INFO);
    trace_set_sink(keep_line, NULL);
    trace_set_clock(at_noon, NULL);
    return 0;
}

static int tear_down(void **state)
{
    trace_set_level(TRACE_WARN);
    trace_set_sink(NULL, NULL);
    trace_set_clock(NULL, NULL);
    return 0;
}

static void a_line_has_time_level_and_place(void **state)
{
    trace_info("broker", "topic %s: created with %d partitions", "access-log", 4);
    assert_string_equal(last_line, "2026-11-21T12:00:00.123Z INFO  broker: topic access-log: created with 4 partitions");
}

static void a_line_has_no_time_until_a_clock_is_set(void **state)
{
    trace_set_clock(NULL, NULL);
    trace_warn("broker", "early");
    assert_string_equal(last_line, "WARN  broker: early");
}

static void lower_levels_and_off_are_silent(void **state)
{
    trace_debug("here", "quiet");
    trace_set_level(TRACE_OFF);
    trace_error("here", "quiet");
    assert_int_equal(lines, 0);
}

static void control_characters_are_escaped(void **state)
{
    trace_warn("client", "id \"%s\"", "a\nb\x1b[2J\x7f\xc2\x9b\xc3\xa9");
    assert_non_null(strstr(last_line, "id \"a\\x0ab\\x1b[2J\\x7f\\xc2\x9b\xc3\xa9\""));
}

static void a_long_line_is_cut_and_marked(void **state)
{
    trace_warn("here", "%2000s", "x");
    size_t len = strlen(last_line);
    assert_in_range(len, 1000, 1024);
    assert_string_equal(last_line + len - 3, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_and_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_has_no_time_until_a_clock_is_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lower_levels_and_off_are_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(control_characters_are_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_and_marked, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
