#include "base/config.h"

#include <string.h>

#include "base/alloc.h"
#include "support/cmocka_all.h"

static const struct config_key keys[] = {
    { "application.id", CONFIG_STRING },
    { "commit.interval.ms", CONFIG_INT, "30000", 0, INT32_MAX },
    { "enable.idempotence", CONFIG_BOOL, "true" },
    { "processing.guarantee", CONFIG_STRING, "at_least_once", .values = "at_least_once|exactly_once_v2" },
    { "bootstrap.servers", CONFIG_LIST },
};
static const char *const prefixes[] = { "topic.", NULL };
static const struct config_table table = { keys, sizeof keys / sizeof *keys, prefixes };

static struct config config;

static int set_up(void **state)
{
    config_init(&config, &table);
    return 0;
}

static int tear_down(void **state)
{
    config_release(&config);
    return 0;
}

static void parse(const char *text, int expected)
{
    assert_int_equal(config_parse(&config, text, strlen(text), "app.properties"), expected);
}

static void defaults_hold_until_set(void **state)
{
    assert_int_equal(config_int(&config, "commit.interval.ms"), 30000);
    assert_true(config_bool(&config, "enable.idempotence"));
    assert_null(config_string(&config, "application.id"));
    assert_null(config_get_set(&config, "commit.interval.ms"));
    assert_int_equal(config_set(&config, "commit.interval.ms", " 100 "), 0);
    assert_int_equal(config_int(&config, "commit.interval.ms"), 100);
    assert_int_equal(config_set(&config, "commit.interval.ms", NULL), 0);
    assert_int_equal(config_int(&config, "commit.interval.ms"), 30000);
}

static void an_unknown_key_names_its_neighbour(void **state)
{
    assert_int_equal(config_set(&config, "comit.intervall.ms", "1"), MILL_EINVALID);
    assert_string_equal(config.error.text, "there is no property comit.intervall.ms; did you mean commit.interval.ms?");
    assert_int_equal(config_set(&config, "zzz", "1"), MILL_EINVALID);
    assert_string_equal(config.error.text, "there is no property zzz, nor one like it");
}

static void values_are_checked_by_type(void **state)
{
    assert_int_equal(config_set(&config, "commit.interval.ms", "fast"), MILL_EINVALID);
    assert_int_equal(config_set(&config, "commit.interval.ms", "-1"), MILL_EINVALID);
    assert_int_equal(config_set(&config, "commit.interval.ms", "99999999999999999999"), MILL_EINVALID);
    assert_int_equal(config_set(&config, "enable.idempotence", "yes"), MILL_EINVALID);
    assert_int_equal(config_set(&config, "enable.idempotence", "FALSE"), 0);
    assert_int_equal(config_set(&config, "processing.guarantee", "exactly_once"), MILL_EINVALID);
    assert_int_equal(config_set(&config, "processing.guarantee", ""), MILL_EINVALID);
    assert_int_equal(config_set(&config, "processing.guarantee", "exactly_once_v2"), 0);
}

static void prefixed_keys_are_kept_as_they_are(void **state)
{
    assert_int_equal(config_set(&config, "topic.retention.ms", "-1"), 0);
    assert_string_equal(config_get_set(&config, "topic.retention.ms"), "-1");
    assert_int_equal(config_set(&config, "topic.", "x"), MILL_EINVALID);
}

static void pairs_are_split_at_the_first_equals_sign(void **state)
{
    assert_int_equal(config_set_pair(&config, "application.id=a=b"), 0);
    assert_string_equal(config_string(&config, "application.id"), "a=b");
    assert_int_equal(config_set_pair(&config, "application.id"), MILL_EINVALID);
    assert_int_equal(config_set_pair(&config, "=x"), MILL_EINVALID);
}

static void javas_properties_text_is_read(void **state)
{
    parse("# a comment\r\n"
          "! another\n"
          "\n"
          "application.id: page\\u0020views \n"
          "  bootstrap.servers = a:9092,\\\n"
          "      b:9092\n"
          "topic.name\\ with\\=signs\\: tab\\there\r"
          "commit.interval.ms 5",
          0);
    assert_string_equal(config_string(&config, "application.id"), "page views");
    assert_string_equal(config_string(&config, "bootstrap.servers"), "a:9092,b:9092");
    assert_string_equal(config_get_set(&config, "topic.name with=signs:"), "tab\there");
    assert_int_equal(config_int(&config, "commit.interval.ms"), 5);
}

static void an_error_names_source_and_line(void **state)
{
    parse("application.id=x\n\n# c\nenable.idempotence=\\\n  maybe\n", MILL_EINVALID);
    assert_string_equal(config.error.text, "app.properties:4: enable.idempotence: \"maybe\" is neither true nor false");
    parse("application.id=\\u12", MILL_EINVALID);
}

static void a_property_above_the_limit_is_refused(void **state)
{
    static char text[70000] = "application.id=";
    memset(text + 15, 'x', sizeof text - 15);
    assert_int_equal(config_parse(&config, text, sizeof text, "app.properties"), MILL_ETOOLARGE);
}

static void a_copy_is_independent(void **state)
{
    struct config copy;
    config_init(&copy, &table);
    parse("application.id=first\ntopic.x=1", 0);
    assert_int_equal(config_copy(&copy, &config), 0);
    config_set(&config, "application.id", "second");
    assert_string_equal(config_string(&copy, "application.id"), "first");
    assert_string_equal(config_get_set(&copy, "topic.x"), "1");
    config_release(&copy);
}

static void running_out_of_memory_anywhere_is_an_error(void **state)
{
    for (uint64_t nth = 1;; nth++) {
        config_release(&config);
        config_init(&config, &table);
        static const char text[] =
            "application.id=a-long-enough-name-to-make-the-buffers-grow-beyond-their-first-size-of-64\ntopic.x=1\n";
        mem_fail_at(nth, 0);
        int code = config_parse(&config, text, sizeof text - 1, "app.properties");
        mem_fail_at(0, 0);
        if (code == 0)
            break;
        assert_int_equal(code, MILL_ENOMEM);
    }
    assert_string_equal(config_get_set(&config, "topic.x"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_hold_until_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_key_names_its_neighbour, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_checked_by_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(prefixed_keys_are_kept_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pairs_are_split_at_the_first_equals_sign, set_up, tear_down),
        cmocka_unit_test_setup_teardown(javas_properties_text_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_names_source_and_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_property_above_the_limit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_is_independent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_anywhere_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
