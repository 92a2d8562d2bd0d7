#include "support/cmocka_all.h"

#include <string.h>

#include "broker/config.h"

struct fixture {
    struct config broker;
    struct config topic;
};

static int set_up(void **state)
{
    static struct fixture f;
    config_init(&f.broker, broker_config_table());
    config_init(&f.topic, topic_config_table());
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    config_release(&f->broker);
    config_release(&f->topic);
    return 0;
}

static size_t key_index(const char *name)
{
    for (size_t i = 0; i < topic_config_table()->count; i++)
        if (strcmp(topic_config_table()->keys[i].name, name) == 0)
            return i;
    fail_msg("%s", name);
    return 0;
}

static int set_topic(struct fixture *f, const char *name, const char *value)
{
    return topic_config_set(&f->topic, mill_string(name), mill_string(value));
}

static void assert_text(struct fixture *f, const char *name, const char *text)
{
    char is[CONFIG_TEXT_BYTES];
    topic_config_text(&f->broker, &f->topic, key_index(name), is);
    assert_string_equal(is, text);
}

static void a_topics_value_falls_back_on_the_brokers_and_on_the_default(void **state)
{
    struct fixture *f = *state;
    struct topic_settings settings;
    assert_text(f, "retention.ms", "604800000");
    assert_int_equal(config_set(&f->broker, "log.retention.hours", "2"), 0);
    assert_text(f, "retention.ms", "7200000"); /* in the topic key's unit */
    assert_int_equal(config_set(&f->broker, "log.retention.minutes", "5"), 0);
    assert_text(f, "retention.ms", "300000");
    assert_int_equal(set_topic(f, "retention.ms", "-1"), 0);
    topic_settings_resolve(&settings, &f->broker, &f->topic);
    assert_int_equal(settings.retention_ms, -1);
}

static void synonyms_are_listed_nearest_first_in_their_own_units(void **state)
{
    struct fixture *f = *state;
    struct config_synonym synonyms[CONFIG_SYNONYMS_MAX];
    config_set(&f->broker, "log.retention.hours", "2");
    set_topic(f, "retention.ms", "1000");
    size_t count = topic_config_synonyms(&f->broker, &f->topic, key_index("retention.ms"), synonyms);
    assert_int_equal(count, 3);
    assert_int_equal(synonyms[0].source, CONFIG_SOURCE_TOPIC);
    assert_string_equal(synonyms[1].name, "log.retention.hours");
    assert_string_equal(synonyms[1].value, "2");
    assert_int_equal(synonyms[1].source, CONFIG_SOURCE_BROKER_STATIC);
    assert_string_equal(synonyms[2].value, "168");
    assert_int_equal(synonyms[2].source, CONFIG_SOURCE_DEFAULT);
}

static void minus_one_hour_is_for_ever_and_huge_values_do_not_wrap(void **state)
{
    struct fixture *f = *state;
    struct topic_settings settings;
    config_set(&f->broker, "log.retention.hours", "-1");
    topic_settings_resolve(&settings, &f->broker, NULL);
    assert_int_equal(settings.retention_ms, -1);
    config_set(&f->broker, "log.roll.hours", "2147483647");
    topic_settings_resolve(&settings, &f->broker, NULL);
    assert_int_equal(settings.segment_ms, INT64_C(2147483647) * 3600 * 1000);
}

static void cleanup_policies_are_delete_compact_or_both(void **state)
{
    struct fixture *f = *state;
    struct topic_settings settings;
    assert_int_equal(set_topic(f, "cleanup.policy", "compact,delete"), 0);
    topic_settings_resolve(&settings, &f->broker, &f->topic);
    assert_true(settings.compacted);
    assert_true(settings.deletes);
    assert_int_equal(set_topic(f, "cleanup.policy", "compact"), 0);
    topic_settings_resolve(&settings, &f->broker, &f->topic);
    assert_false(settings.deletes);
    assert_int_equal(set_topic(f, "cleanup.policy", "shred"), MILL_EINVALID);
    assert_int_equal(set_topic(f, "cleanup.policy", ""), MILL_EINVALID);
}

static void what_cannot_be_honoured_is_refused_and_what_kafka_dropped_is_ignored(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(set_topic(f, "compression.type", "producer"), 0);
    assert_int_equal(set_topic(f, "compression.type", "zstd"), MILL_EINVALID);
    assert_int_equal(set_topic(f, "remote.storage.enable", "true"), MILL_EINVALID);
    assert_int_equal(set_topic(f, "min.cleanable.dirty.ratio", "1.5"), MILL_EINVALID);
    assert_int_equal(set_topic(f, "retention.mss", "1"), MILL_EINVALID);
    assert_int_equal(set_topic(f, "message.format.version", "2.8-IV1"), 0);
    assert_int_equal(topic_config_set(&f->topic, mill_bytes_of("retention.ms\0x", 14), mill_string("1")), MILL_EINVALID);
}

static void every_broker_key_behind_a_topic_key_exists(void **state)
{
    struct fixture *f = *state;
    struct config_synonym synonyms[CONFIG_SYNONYMS_MAX];
    for (size_t i = 0; i < topic_config_table()->count; i++) {
        size_t count = topic_config_synonyms(&f->broker, NULL, i, synonyms);
        assert_int_equal(count, 1);
        assert_non_null(synonyms[0].value);
    }
    for (size_t i = 0; i < broker_config_table()->count; i++)
        assert_int_equal(broker_config_synonyms(&f->broker, i, synonyms), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_topics_value_falls_back_on_the_brokers_and_on_the_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(synonyms_are_listed_nearest_first_in_their_own_units, set_up, tear_down),
        cmocka_unit_test_setup_teardown(minus_one_hour_is_for_ever_and_huge_values_do_not_wrap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cleanup_policies_are_delete_compact_or_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_honoured_is_refused_and_what_kafka_dropped_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_broker_key_behind_a_topic_key_exists, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
