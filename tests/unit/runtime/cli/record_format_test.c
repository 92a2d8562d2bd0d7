/* How consumed records are printed: formats, types, JSON. */
#include "support/cmocka_all.h"

#include "cli/record_format.h"
#include "cli/topic_reader.h"
#include "millstream/serde.h"

static const struct record_place PLACE = { "t", 3, 42 };

static void expect_written(const struct record_format *format, const mill_record *record, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 4096);
    record_format_write(format, &PLACE, record, &out);
    buffer_append_u8(&out, '\0');
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, expected);
    buffer_release(&out);
}

static void a_format_is_filled_in_letter_by_letter(void **state)
{
    mill_header header = { mill_string("h"), mill_string("x") };
    mill_record record = { mill_string("key"), mill_string("value"), 1456000000123, &header, 1, mill_null() };
    struct record_format format = { .text = "%k=%s %K/%S %t[%p]@%o %T %d %h 100%%\\t\\n" };
    expect_written(&format, &record, "key=value 3/5 t[3]@42 1456000000123 2016-02-20T20:26:40.123Z h=x 100%\t\n");
}

static void null_is_empty_in_text_and_null_in_json(void **state)
{
    mill_record record = { .value = mill_null(), .timestamp_ms = 7 };
    expect_written(&(struct record_format){ .text = "<%k|%s|%K>" }, &record, "<||-1>");
    expect_written(&(struct record_format){ 0 }, &record,
                   "{\"topic\":\"t\",\"partition\":3,\"offset\":42,\"timestamp\":7,\"key\":null,\"value\":null}\n");
}

static void a_windowed_key_shows_key_and_window(void **state)
{
    uint8_t key[32];
    uint8_t count[8];
    mill_record record = { .key = mill_time_window_write(key, mill_string("/x"), 60000), .value = mill_int64_write(count, -5) };
    struct record_format format = { "%w %e %k %s", DATA_WINDOWED, DATA_LONG, 60000 };
    expect_written(&format, &record, "1970-01-01T00:01:00Z 1970-01-01T00:02:00Z /x -5");
    format.text = NULL;
    expect_written(&format, &record,
                   "{\"topic\":\"t\",\"partition\":3,\"offset\":42,\"timestamp\":0,\"key\":\"/x\",\"window_start\":60000,"
                   "\"window_end\":120000,\"value\":-5}\n");
}

static void a_session_key_shows_key_start_and_end(void **state)
{
    uint8_t key[32];
    mill_record record = { .key = mill_session_window_write(key, mill_string("ann"), 60000, 125000), .value = mill_string("v") };
    struct record_format format = { "%w %e %k %s", DATA_SESSION, DATA_TEXT, 0 };
    expect_written(&format, &record, "1970-01-01T00:01:00Z 1970-01-01T00:02:05Z ann v");
    format.text = NULL;
    expect_written(&format, &record,
                   "{\"topic\":\"t\",\"partition\":3,\"offset\":42,\"timestamp\":0,\"key\":\"ann\",\"window_start\":60000,"
                   "\"window_end\":125000,\"value\":\"v\"}\n");
    enum data_type type;
    int64_t window_ms;
    assert_true(data_type_parse("session", true, &type, &window_ms));
    assert_int_equal(type, DATA_SESSION);
    assert_false(data_type_parse("session", false, &type, &window_ms));
}

static void a_window_of_unknown_size_has_no_end(void **state)
{
    uint8_t key[32];
    mill_record record = { .key = mill_time_window_write(key, mill_string(""), 0), .value = mill_string("v") };
    expect_written(&(struct record_format){ "%w|%e|%k", DATA_WINDOWED, DATA_TEXT, 0 }, &record, "1970-01-01T00:00:00Z||");
}

static void data_of_another_type_is_shown_as_hex(void **state)
{
    mill_record record = { .key = mill_string("short"), .value = mill_string("\x01\xff") };
    expect_written(&(struct record_format){ "%k %s", DATA_WINDOWED, DATA_LONG, 0 }, &record, "0x73686f7274 0x01ff");
    expect_written(&(struct record_format){ "%s", DATA_TEXT, DATA_HEX, 0 }, &record, "01ff");
}

static void expect_json(const char *bytes, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 4096);
    json_write_string(&out, mill_string(bytes));
    buffer_append_u8(&out, '\0');
    assert_string_equal((const char *)out.data, expected);
    buffer_release(&out);
}

static void json_strings_are_utf8_whatever_the_bytes_are(void **state)
{
    expect_json("a\"b\\c\n\x7f", "\"a\\\"b\\\\c\\u000a\\u007f\"");
    expect_json("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
    expect_json("\xff\xc3", "\"\\ufffd\\ufffd\"");
    expect_json("\xc0\x80\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
    expect_json("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void types_are_known_by_name(void **state)
{
    enum data_type type = DATA_TEXT;
    int64_t window_ms = 0;
    assert_true(data_type_parse("windowed:1h", true, &type, &window_ms));
    assert_int_equal(type, DATA_WINDOWED);
    assert_int_equal(window_ms, 3600000);
    assert_true(data_type_parse("windowed", true, &type, &window_ms));
    assert_false(data_type_parse("windowed", false, &type, &window_ms));
    assert_false(data_type_parse("windowed:x", true, &type, &window_ms));
    assert_false(data_type_parse("float", true, &type, &window_ms));
}

static void an_unknown_letter_is_named(void **state)
{
    char letter = 0;
    assert_true(record_format_check("%s %% %k", &letter));
    assert_false(record_format_check("%s %q", &letter));
    assert_int_equal(letter, 'q');
    assert_false(record_format_check("100%", &letter));
}

static void expect_start(const char *text, enum topic_start_kind kind, int64_t number)
{
    struct topic_start start = { 0 };
    assert_true(topic_start_parse(text, &start));
    assert_int_equal(start.kind, kind);
    assert_int_equal(start.number, number);
}

static void reading_starts_where_the_text_says(void **state)
{
    struct topic_start start;
    expect_start("beginning", TOPIC_START_BEGINNING, 0);
    expect_start("end", TOPIC_START_END, 0);
    expect_start("42", TOPIC_START_OFFSET, 42);
    expect_start("-10", TOPIC_START_BACK, 10);
    expect_start("@1456000000000", TOPIC_START_TIME_MS, 1456000000000);
    assert_false(topic_start_parse("", &start));
    assert_false(topic_start_parse("@-1", &start));
    assert_false(topic_start_parse("ten", &start));
    assert_false(topic_start_parse("99999999999999999999", &start));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_format_is_filled_in_letter_by_letter),
        cmocka_unit_test(null_is_empty_in_text_and_null_in_json),
        cmocka_unit_test(a_windowed_key_shows_key_and_window),
        cmocka_unit_test(a_session_key_shows_key_start_and_end),
        cmocka_unit_test(a_window_of_unknown_size_has_no_end),
        cmocka_unit_test(data_of_another_type_is_shown_as_hex),
        cmocka_unit_test(json_strings_are_utf8_whatever_the_bytes_are),
        cmocka_unit_test(types_are_known_by_name),
        cmocka_unit_test(an_unknown_letter_is_named),
        cmocka_unit_test(reading_starts_where_the_text_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
