/* Lines as servers write them: what is taken from them, and what is refused. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "access_log.h"
#include "civil_time.h"
#include "support/unreadable_page.h"

static const char LINE[] =
    "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET /a/b.html?x=1 HTTP/1.1\" 200 2326 \"-\" \"Mozilla/5.0\"";

#define WITH_REQUEST(request) "h - - [10/Oct/2000:13:55:36 -0700] \"" request "\" 200 2326"
#define WITH_TIME(time)       "h - - [" time "] \"GET / HTTP/1.0\" 200 1"

static void expect_page(const char *line, const char *page)
{
    struct access_log_line hit;
    assert_true(access_log_parse(mill_string(line), &hit));
    if (!mill_bytes_equal(hit.page, mill_string(page)))
        fail_msg("%s: page is '%.*s', not '%s'", line, (int)hit.page.len, (const char *)hit.page.data, page);
}

static void expect_time(const char *line, int64_t time_ms)
{
    struct access_log_line hit;
    assert_true(access_log_parse(mill_string(line), &hit));
    assert_int_equal(hit.time_ms, time_ms);
}

static void expect_malformed(const char *line)
{
    struct access_log_line hit = { .time_ms = 42 };
    if (access_log_parse(mill_string(line), &hit))
        fail_msg("taken: %s", line);
    assert_int_equal(hit.time_ms, 42);
}

static void a_line_gives_client_page_and_time(void **state)
{
    struct access_log_line hit;
    assert_true(access_log_parse(mill_string(LINE), &hit));
    assert_true(mill_bytes_equal(hit.client, mill_string("192.0.2.7")));
    assert_true(mill_bytes_equal(hit.page, mill_string("/a/b.html")));
    assert_int_equal(hit.time_ms, 971211336000);
}

static void the_page_lies_between_the_first_blank_and_the_last_protocol(void **state)
{
    expect_page(WITH_REQUEST("GET / HTTP/1.1"), "/");
    expect_page(WITH_REQUEST("GET /a b c HTTP/1.1"), "/a b c");
    expect_page(WITH_REQUEST("GET /a HTTP/1.0 HTTP/1.1"), "/a HTTP/1.0");
    expect_page(WITH_REQUEST("GET /a"), "/a");
    expect_page(WITH_REQUEST("GET /a HTTP"), "/a HTTP");
    expect_page(WITH_REQUEST("GET HTTP/1.1"), "HTTP/1.1");
    expect_page(WITH_REQUEST("GET  HTTP/1.1"), "");
    expect_page(WITH_REQUEST("OPTIONS * HTTP/1.0"), "*");
    expect_page(WITH_REQUEST("-"), "-");
    expect_page(WITH_REQUEST(""), "-");
    expect_page(WITH_REQUEST("\\x16\\x03\\x01"), "-");
}

static void the_page_ends_at_its_first_question_mark(void **state)
{
    expect_page(WITH_REQUEST("GET /a?b?c HTTP/1.1"), "/a");
    expect_page(WITH_REQUEST("GET ?b HTTP/1.1"), "");
    expect_page(WITH_REQUEST("GET /a?b"), "/a");
    expect_page(WITH_REQUEST("G?T /a HTTP/1.1"), "/a");
}

static void quotes_inside_the_request_do_not_end_it(void **state)
{
    expect_page(WITH_REQUEST("GET /a\\\"b HTTP/1.1"), "/a\\\"b");
    expect_page(WITH_REQUEST("GET /a\\\\"), "/a\\\\");
    expect_page(WITH_REQUEST("GET /a\\\" 200 5 HTTP/1.1"), "/a\\\" 200 5");
    expect_page(WITH_REQUEST("G\"T /a HTTP/1.1"), "/a");
    expect_page(WITH_REQUEST("GET /a\" 20x 5 HTTP/1.1"), "/a\" 20x 5");
}

static void what_follows_the_size_is_not_looked_at(void **state)
{
    expect_page(WITH_REQUEST("GET / HTTP/1.1") "\r", "/");
    expect_page(WITH_REQUEST("GET / HTTP/1.1") " ", "/");
    expect_page(WITH_REQUEST("GET / HTTP/1.1") " \"-\" \"no closing quote", "/");
    expect_page("h - frank [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 408 -", "/");
    expect_page("h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" - -", "/");
}

static void times_are_counted_from_the_zone_in_the_line(void **state)
{
    expect_time(WITH_TIME("01/Jan/1970:00:00:00 +0000"), 0);
    expect_time(WITH_TIME("01/Jan/1970:02:00:00 +0200"), 0);
    expect_time(WITH_TIME("29/Feb/2016:23:59:59 -0500"), 1456808399000);
    expect_time(WITH_TIME("13/Mar/2016:03:00:00 -0400"), 1457852400000);
    expect_time(WITH_TIME("13/Mar/2016:01:59:59 -0500"), 1457852399000);
    expect_time(WITH_TIME("31/Dec/2016:23:59:60 +0000"), 1483228800000);
    expect_time(WITH_TIME("19/Jan/2038:03:14:08 +0545"), 2147462948000);
}

static void every_day_is_counted_as_the_c_library_counts_it(void **state)
{
    for (int64_t day = 0; day < 366 * 400; day++) {
        time_t seconds = (time_t)day * 86400;
        struct tm utc;
        gmtime_r(&seconds, &utc);
        assert_int_equal(civil_days(utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday), day);
        assert_true(civil_is_date(utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday));
    }
    assert_false(civil_is_date(2015, 2, 29));
    assert_false(civil_is_date(1900, 2, 29));
    assert_false(civil_is_date(2016, 4, 31));
}

static void lines_of_another_form_are_malformed(void **state)
{
    expect_malformed("");
    expect_malformed("\n");
    expect_malformed("h - -");
    expect_malformed(" - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1");
    expect_malformed("h - a b [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1");
    expect_malformed("www:80 h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1");
    expect_malformed("h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0 200 1");
    expect_malformed("h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\"");
    expect_malformed("h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 20 1");
    expect_malformed("h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200");
    expect_malformed("h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1x");
}

static void times_that_are_none_are_malformed(void **state)
{
    expect_malformed(WITH_TIME("30/Feb/2016:00:00:00 +0000"));
    expect_malformed(WITH_TIME("00/Jan/2016:00:00:00 +0000"));
    expect_malformed(WITH_TIME("10/jan/2016:00:00:00 +0000"));
    expect_malformed(WITH_TIME("10/Jan/2016:24:00:00 +0000"));
    expect_malformed(WITH_TIME("10/Jan/2016:00:60:00 +0000"));
    expect_malformed(WITH_TIME("10/Jan/2016 00:00:00 +0000"));
    expect_malformed(WITH_TIME("10/Jan/2016:00:00:00 00000"));
    expect_malformed(WITH_TIME("10/Jan/2016:00:00:0x +0000"));
    expect_malformed(WITH_TIME("31/Dec/1969:23:59:59 +0000"));
    expect_malformed(WITH_TIME("01/Jan/1970:00:59:59 +0100"));
}

static void a_line_cut_anywhere_is_read_to_its_end_and_no_further(void **state)
{
    struct unreadable_page page = unreadable_page_new(4096);
    size_t whole = strlen("192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET /a/b.html?x=1 HTTP/1.1\" 200 ");
    for (size_t len = 0; len < sizeof LINE; len++) {
        struct access_log_line hit;
        bool taken = access_log_parse(unreadable_page_put(&page, LINE, len), &hit);
        assert_int_equal(taken, len > whole);
    }
    unreadable_page_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_gives_client_page_and_time),
        cmocka_unit_test(the_page_lies_between_the_first_blank_and_the_last_protocol),
        cmocka_unit_test(the_page_ends_at_its_first_question_mark),
        cmocka_unit_test(quotes_inside_the_request_do_not_end_it),
        cmocka_unit_test(what_follows_the_size_is_not_looked_at),
        cmocka_unit_test(times_are_counted_from_the_zone_in_the_line),
        cmocka_unit_test(every_day_is_counted_as_the_c_library_counts_it),
        cmocka_unit_test(lines_of_another_form_are_malformed),
        cmocka_unit_test(times_that_are_none_are_malformed),
        cmocka_unit_test(a_line_cut_anywhere_is_read_to_its_end_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
