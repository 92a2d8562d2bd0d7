/* CSV rows, JSON members, and the service log that is made of both. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "service_log.h"
#include "support/unreadable_page.h"

static const char ROW[] =
    "2023-01-29T09:35:38.389880707Z,1674984938389880707,192.0.2.1,ts-execute-service-775f544d9-zqvjb,server,0493,806a,"
    "\"{\"\"log\"\":\"\"17:35:38.389 ERROR e.s.X#51 say \\\"\"no\\\"\", again\\n\"\",\"\"stream\"\":\"\"stdout\"\"}\"";

/* The fields of a row with '|' between them, '!' behind a row that is broken. */
static const char *fields_of(const char *text)
{
    static char joined[256];
    size_t len = 0;
    mill_bytes field;
    struct csv_row row = csv_row_of(mill_string(text));
    while (csv_next(&row, &field))
        len += (size_t)snprintf(joined + len, sizeof joined - len, "%.*s|", (int)field.len, (const char *)field.data);
    snprintf(joined + len, sizeof joined - len, "%s", row.failed ? "!" : "");
    return joined;
}

static void a_row_is_cut_at_its_commas(void **state)
{
    assert_string_equal(fields_of("a,b,c"), "a|b|c|");
    assert_string_equal(fields_of("a,,c,"), "a||c||");
    assert_string_equal(fields_of(""), "|");
    assert_string_equal(fields_of("a,b\r"), "a|b|");
}

static void a_quoted_field_holds_commas_and_doubled_quotes(void **state)
{
    assert_string_equal(fields_of("\"a,b\",c"), "a,b|c|");
    assert_string_equal(fields_of("\"a\"\"b\",\"\""), "a\"\"b||");
    assert_string_equal(fields_of("\"\"\"\""), "\"\"|");
}

static void a_quoted_field_that_does_not_end_breaks_the_row(void **state)
{
    assert_string_equal(fields_of("a,\"b"), "a|!");
    assert_string_equal(fields_of("a,\"b\"c,d"), "a|!");
    assert_string_equal(fields_of("\"\"\""), "!");
}

static void unquoting_makes_one_quote_of_two(void **state)
{
    uint8_t room[16];
    assert_true(mill_bytes_equal(csv_unquote(mill_string("a\"\"b\"\"\"\""), room), mill_string("a\"b\"\"")));
    assert_true(mill_bytes_equal(csv_unquote(mill_string("\"\""), room), mill_string("\"")));
    mill_bytes plain = mill_string("plain");
    assert_ptr_equal(csv_unquote(plain, room).data, plain.data);
}

static void expect_member(const char *object, const char *name, const char *value)
{
    mill_bytes found;
    bool is_there = json_member(mill_string(object), name, &found);
    assert_int_equal(is_there, value != NULL);
    if (value != NULL && !mill_bytes_equal(found, mill_string(value)))
        fail_msg("%s of %s is '%.*s', not '%s'", name, object, (int)found.len, (const char *)found.data, value);
}

static void a_member_is_found_by_its_name(void **state)
{
    const char *object = " { \"a\" : \"x\\\"y\" , \"b\":-1.5e3,\"c\":{\"b\":[1,{\"]\":\"}\"}]}, \"d\":true,\"e\":[ ] }";
    expect_member(object, "a", "x\\\"y");
    expect_member(object, "b", "-1.5e3");
    expect_member(object, "c", "{\"b\":[1,{\"]\":\"}\"}]}");
    expect_member(object, "d", "true");
    expect_member(object, "e", "[ ]");
    expect_member(object, "f", NULL);
}

static void broken_objects_have_no_members(void **state)
{
    expect_member("", "a", NULL);
    expect_member("[1]", "a", NULL);
    expect_member("{}", "a", NULL);
    expect_member("{\"a\"", "a", NULL);
    expect_member("{\"a\":", "a", NULL);
    expect_member("{\"a\":}", "a", NULL);
    expect_member("{\"a\":\"x", "a", NULL);
    expect_member("{\"a\":\"x\\", "a", NULL);
    expect_member("{\"a\":[1,{}", "a", NULL);
    expect_member("{a:1}", "a", NULL);
    expect_member("{\"a\":1", "a", NULL);
    expect_member("{\"a\":1,", "a", NULL);
    expect_member("{\"a\":1,}", "a", NULL);
    expect_member("{\"a\":1}}", "a", NULL);
    expect_member("{\"b\":1 \"a\":2}", "a", NULL);
}

static void a_row_gives_service_level_and_time(void **state)
{
    struct service_log_line entry;
    uint8_t room[sizeof ROW];
    assert_true(service_log_parse(mill_string(ROW), room, &entry));
    assert_true(mill_bytes_equal(entry.service, mill_string("ts-execute-service")));
    assert_true(mill_bytes_equal(entry.level, mill_string("ERROR")));
    assert_int_equal(entry.time_ms, 1674984938389);
}

static void expect_row_time(const char *timestamp, int64_t time_ms)
{
    char row[512];
    struct service_log_line entry;
    uint8_t room[sizeof row];
    snprintf(row, sizeof row, "%s,-6795364578871345152,n,a-b-c-d,s,t,u,\"{\"\"log\"\":\"\"1 INFO x\"\"}\"", timestamp);
    bool taken = service_log_parse(mill_string(row), room, &entry);
    assert_int_equal(taken, time_ms >= 0);
    if (taken)
        assert_int_equal(entry.time_ms, time_ms);
}

static void timestamps_have_any_number_of_decimals(void **state)
{
    expect_row_time("2023-01-29T09:20:29.295", 1674984029295);
    expect_row_time("2023-01-29T09:20:29Z", 1674984029000);
    expect_row_time("2023-01-29T09:20:29", 1674984029000);
    expect_row_time("2023-01-29T09:20:29.5Z", 1674984029500);
    expect_row_time("2023-01-29T09:20:29.999999999Z", 1674984029999);
    expect_row_time("2023-02-29T09:20:29Z", -1);
    expect_row_time("2023-01-29 09:20:29Z", -1);
    expect_row_time("2023-01-29T09:20:29+0", -1);
    expect_row_time("2023-01-29", -1);
    expect_row_time("1969-01-29T09:20:29Z", -1);
}

static void rows_of_another_form_are_malformed(void **state)
{
    static const char *const ROWS[] = {
        "",
        "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log",
        "2023-01-29T09:20:29Z,1,n,a-b-c,s,t,u",
        "2023-01-29T09:20:29Z,1,n,a-b-c,s,t,u,\"{\"\"log\"\":\"\"1 INFO x\"\"}\",more",
        "2023-01-29T09:20:29Z,1,n,a-b-c,s,t,u,\"{\"\"log\"\":\"\"1 INFO x\"\"}\"\"}\":\"\"2023\"\"}\"",
        "2023-01-29T09:20:29Z,1,n,a-b-c,s,t,u,\"{\"\"log\"\":\"\"INFO\"\"}\"",
        "2023-01-29T09:20:29Z,1,n,a-b-c,s,t,u,\"{\"\"log\"\":\"\"1 info x\"\"}\"",
        "2023-01-29T09:20:29Z,1,n,a-b,s,t,u,\"{\"\"log\"\":\"\"1 INFO x\"\"}\"",
        "2023-01-29T09:20:29Z,1,n,-b-c,s,t,u,\"{\"\"log\"\":\"\"1 INFO x\"\"}\"",
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct service_log_line entry;
        uint8_t room[256];
        if (service_log_parse(mill_string(ROWS[i]), room, &entry))
            fail_msg("taken: %s", ROWS[i]);
    }
}

static void a_row_cut_anywhere_is_malformed_and_read_to_its_end_only(void **state)
{
    struct unreadable_page page = unreadable_page_new(4096);
    struct service_log_line entry;
    uint8_t room[sizeof ROW];
    for (size_t len = 0; len < sizeof ROW - 1; len++)
        assert_false(service_log_parse(unreadable_page_put(&page, ROW, len), room, &entry));
    assert_true(service_log_parse(unreadable_page_put(&page, ROW, sizeof ROW - 1), room, &entry));
    unreadable_page_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_cut_at_its_commas),
        cmocka_unit_test(a_quoted_field_holds_commas_and_doubled_quotes),
        cmocka_unit_test(a_quoted_field_that_does_not_end_breaks_the_row),
        cmocka_unit_test(unquoting_makes_one_quote_of_two),
        cmocka_unit_test(a_member_is_found_by_its_name),
        cmocka_unit_test(broken_objects_have_no_members),
        cmocka_unit_test(a_row_gives_service_level_and_time),
        cmocka_unit_test(timestamps_have_any_number_of_decimals),
        cmocka_unit_test(rows_of_another_form_are_malformed),
        cmocka_unit_test(a_row_cut_anywhere_is_malformed_and_read_to_its_end_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
