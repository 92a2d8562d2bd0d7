/* What the settings say of internal topics before any broker is asked. */
#include "support/cmocka_all.h"

#include "base/config.h"
#include "task/streams_config.h"
#include "topology/topology.h"
#include "worker/internal_topics.h"

enum { DAY_MS = 86400000 };

static struct config config;
static const char *const OWN[] = { "segment.ms", "5", "delete.retention.ms", "30", NULL };
static mill_store_builder builder;
static const struct topology_store store = { .name = "s", .builder = &builder };
static const struct topology_topic changelog = { .name = "s-changelog", .kind = TOPOLOGY_CHANGELOG, .store = &store };

static int set_up(void **state)
{
    config_init(&config, &streams_config_table);
    builder.changelog_properties = NULL;
    return 0;
}

static int tear_down(void **state)
{
    config_release(&config);
    return 0;
}

static void a_deletion_is_remembered_for_a_day_unless_told_otherwise(void **state)
{
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), DAY_MS);
    assert_int_equal(internal_topics_delete_retention_ms(&config, NULL), DAY_MS);
}

static void the_nearest_setting_of_delete_retention_wins(void **state)
{
    assert_int_equal(config_set(&config, "broker.log.cleaner.delete.retention.ms", "10"), 0);
    assert_int_equal(internal_topics_delete_retention_ms(&config, NULL), 10);
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), 10);
    assert_int_equal(config_set(&config, "topic.delete.retention.ms", "20"), 0);
    assert_int_equal(internal_topics_delete_retention_ms(&config, NULL), 10); /* the user's topics were not made with it */
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), 20);
    builder.changelog_properties = OWN;
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), 30);
}

/* ---- patterns ------------------------------------------------------------------------------------------------------------ */

/* What is found of these topics with t-.* and, in the second place, `second`, which is joined with "b" if `joined`. */
static int find(const char *second, bool joined, const struct admin_topic *topics, size_t count, char names[256],
                struct error_text *error)
{
    mill_topology *t = mill_topology_new();
    struct arena arena;
    struct matched_topics matched;
    arena_init(&arena, 4096, 1 << 20);
    mill_topology_add_source_pattern(t, "first", "t-.*", NULL);
    mill_topology_add_source_pattern(t, "second", second, NULL);
    mill_topology_add_source(t, "table", (const char *[]){ "b" }, 1, NULL);
    if (joined)
        mill_topology_copartition(t, (const char *[]){ "second", "b" }, 2);
    assert_int_equal(topology_build(t), 0);
    int code = matched_topics_find(t, "app", topics, count, &arena, &matched, error);
    names[0] = '\0';
    for (size_t i = 0; code == 0 && i < matched.count; i++) {
        strcat(names, matched.at[i].name);
        strcat(names, matched.at[i].pattern->source->name[0] == 'f' ? "1 " : "2 ");
    }
    arena_release(&arena);
    mill_topology_free(t);
    return code;
}

static void topics_go_to_the_patterns_that_they_match(void **state)
{
    static const struct admin_topic TOPICS[] = {
        { .name = "__t-x", .partition_count = 1 },    { .name = "b", .partition_count = 1 },
        { .name = "t-a", .partition_count = 1 },      { .name = "t-b", .partition_count = 2 },
        { .name = "t-gone", .code = MILL_ENOTFOUND }, { .name = "t-hidden", .internal = true, .partition_count = 1 },
        { .name = "u-a", .partition_count = 3 },      { .name = "v", .partition_count = 3 }
    };
    struct error_text error = { "" };
    char names[256];
    assert_int_equal(find("u-.*", true, TOPICS, 8, names, &error), 0);
    assert_string_equal(names, "t-a1 t-b1 u-a2 ");
}

static void a_topic_of_two_patterns_is_an_error(void **state)
{
    static const struct admin_topic TOPICS[] = { { .name = "t-a", .partition_count = 1 } };
    struct error_text error = { "" };
    char names[256];
    assert_int_equal(find("t-a.*", false, TOPICS, 1, names, &error), MILL_EINVALID);
    assert_string_equal(error.text, "topic t-a matches the patterns t-.* of first and t-a.* of second: one source reads a topic, "
                                    "make one narrower");
}

static void topics_of_a_joined_pattern_have_one_size(void **state)
{
    static const struct admin_topic TOPICS[] = { { .name = "u-a", .partition_count = 1 },
                                                 { .name = "u-b", .partition_count = 2 } };
    struct error_text error = { "" };
    char names[256];
    assert_int_equal(find("u-.*", false, TOPICS, 2, names, &error), 0);
    assert_int_equal(find("u-.*", true, TOPICS, 2, names, &error), MILL_EINVALID);
    assert_non_null(strstr(error.text, "u-a (1 partitions) and u-b (2 partitions)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_deletion_is_remembered_for_a_day_unless_told_otherwise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_nearest_setting_of_delete_retention_wins, set_up, tear_down),
        cmocka_unit_test(topics_go_to_the_patterns_that_they_match),
        cmocka_unit_test(a_topic_of_two_patterns_is_an_error),
        cmocka_unit_test(topics_of_a_joined_pattern_have_one_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
