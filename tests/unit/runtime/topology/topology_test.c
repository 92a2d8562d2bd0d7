/* The graph as plain data: what building refuses, how it is cut, and what becomes of topics. */
#include "support/cmocka_all.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "topology/topology.h"

static int ignore(mill_context *context, void *self, const mill_record *record)
{
    return 0;
}

static const mill_processor_type IGNORE = { .name = "ignore", .process = ignore };

static void count_free(void *argument)
{
    (*(int *)argument)++;
}

/* ---- short words --------------------------------------------------------------------------------------------------------- */

static void source(mill_topology *t, const char *name, const char *topic)
{
    mill_topology_add_source(t, name, &topic, 1, NULL);
}

static void processor(mill_topology *t, const char *name, const char *parent)
{
    mill_topology_add_processor(t, name, (mill_processor_supplier){ .type = &IGNORE }, &parent, 1);
}

static void sink(mill_topology *t, const char *name, const char *topic, const char *parent)
{
    mill_topology_add_sink(t, name, topic, NULL, &parent, 1);
}

static void free_builder(mill_store_builder *builder)
{
    mem_free(builder);
}

/* `name` lives as long as the topology. */
static mill_store_builder *builder(const char *name, int64_t retention_ms, bool logging)
{
    mill_store_builder *made = mem_calloc(1, sizeof *made);
    *made = (mill_store_builder){ .name = name, .retention_ms = retention_ms, .logging = logging, .free = free_builder };
    return made;
}

static void store(mill_topology *t, const char *name, const char *processor_name)
{
    mill_topology_add_store(t, builder(name, 0, true), &processor_name, 1);
}

static void built(mill_topology *t)
{
    if (topology_build(t) != 0)
        fail_msg("%s", mill_topology_error(t));
}

static void expect_error(mill_topology *t, const char *words)
{
    assert_int_equal(topology_build(t), MILL_EINVALID);
    if (strstr(mill_topology_error(t), words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", mill_topology_error(t), words);
    mill_topology_free(t);
}

/* ---- building ------------------------------------------------------------------------------------------------------------ */

static void parents_come_before_children(void **state)
{
    mill_topology *t = mill_topology_new();
    processor(t, "p", "s");
    source(t, "s", "in");
    expect_error(t, "parent s");
}

static void a_sink_has_no_children(void **state)
{
    mill_topology *t = mill_topology_new();
    source(t, "s", "in");
    sink(t, "k", "out", "s");
    processor(t, "p", "k");
    expect_error(t, "is a sink");
}

static void one_topic_has_one_source(void **state)
{
    mill_topology *t = mill_topology_new();
    source(t, "s1", "in");
    source(t, "s2", "in");
    expect_error(t, "read by s1 and by s2");
}

static void a_store_that_nobody_uses_is_an_error(void **state)
{
    mill_topology *t = mill_topology_new();
    source(t, "s", "in");
    mill_topology_add_store(t, builder("st", 0, true), NULL, 0);
    expect_error(t, "store st is used by no processor");
}

static void only_the_first_mistake_is_kept(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_fail(t, "first %d", 1);
    mill_topology_fail(t, "second");
    source(t, "s", "in");
    assert_null(topology_find_node(t, "s"));
    expect_error(t, "first 1");
}

static void arguments_are_freed_once_also_when_a_call_fails(void **state)
{
    mill_topology *t = mill_topology_new();
    int good = 0;
    int bad = 0;
    source(t, "s", "in");
    const char *parent = "s";
    const char *nobody = "nobody";
    mill_processor_supplier supplier = { .type = &IGNORE, .argument = &good, .free_argument = count_free };
    mill_topology_add_processor(t, "p", supplier, &parent, 1);
    supplier.argument = &bad;
    mill_topology_add_processor(t, "q", supplier, &nobody, 1);
    assert_int_equal(bad, 1);
    mill_topology_add_store(t, builder("st", 0, true), NULL, 0);
    assert_int_equal(good, 0);
    mill_topology_free(t);
    assert_int_equal(good, 1);
    assert_int_equal(bad, 1);
}

static void lower_one_source(mill_topology *topology, void *layer)
{
    (*(int *)layer)++;
    source(topology, "s", "in");
}

static void the_layer_above_is_asked_once(void **state)
{
    mill_topology *t = mill_topology_new();
    int calls = 0;
    mill_topology_set_layer(t, &calls, lower_one_source, NULL);
    built(t);
    built(t);
    assert_int_equal(calls, 1);
    mill_topology_free(t);
}

/* ---- sub-topologies ------------------------------------------------------------------------------------------------------ */

static void components_are_numbered_by_their_first_source_and_hold_what_belongs_to_them(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_repartition(t, "hits", 0);
    source(t, "z", "in");
    sink(t, "z-sink", "hits-repartition", "z");
    source(t, "a", "hits-repartition");
    processor(t, "count", "a");
    store(t, "counts", "count");
    sink(t, "a-sink", "out", "count");
    built(t);

    assert_int_equal(t->subtopology_count, 2);
    const struct subtopology *first = &t->subtopologies[0];
    assert_int_equal(first->nodes.count, 2);
    assert_string_equal(first->source_topics.at[0]->name, "in");
    assert_string_equal(first->sink_topics.at[0]->name, "hits-repartition");
    assert_int_equal(first->stores.count, 0);
    const struct subtopology *second = &t->subtopologies[1];
    assert_int_equal(second->nodes.count, 3);
    assert_ptr_equal(second->source_topics.at[0], first->sink_topics.at[0]);
    assert_int_equal(second->source_topics.at[0]->kind, TOPOLOGY_REPARTITION);
    assert_string_equal(second->stores.at[0]->name, "counts");
    assert_string_equal(second->stores.at[0]->changelog->name, "counts-changelog");
    assert_int_equal(topology_find_node(t, "count")->index_in_subtopology, 1);
    assert_int_equal(topology_find_node(t, "a-sink")->subtopology, 1);
    mill_topology_free(t);
}

static void a_shared_store_joins_components(void **state)
{
    mill_topology *t = mill_topology_new();
    source(t, "s1", "a");
    source(t, "s2", "b");
    processor(t, "p1", "s1");
    processor(t, "p2", "s2");
    mill_topology_add_store(t, builder("st", 0, true), (const char *[]){ "p1", "p2" }, 2);
    built(t);
    assert_int_equal(t->subtopology_count, 1);
    assert_int_equal(t->subtopologies[0].stores.count, 1);
    mill_topology_free(t);
}

static void stores_stand_in_the_order_in_which_records_reach_them(void **state)
{
    mill_topology *t = mill_topology_new();
    source(t, "s", "in");
    processor(t, "p1", "s");
    processor(t, "p2", "p1");
    store(t, "late", "p2");
    store(t, "early", "p1");
    built(t);
    assert_string_equal(t->subtopologies[0].stores.at[0]->name, "early");
    assert_string_equal(t->subtopologies[0].stores.at[1]->name, "late");
    mill_topology_free(t);
}

/* ---- topics -------------------------------------------------------------------------------------------------------------- */

static void internal_topics_carry_the_applications_id(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_repartition(t, "hits", 0);
    source(t, "s", "hits-repartition");
    processor(t, "p", "s");
    store(t, "pv", "p");
    sink(t, "k", "out", "p");
    built(t);
    char name[TOPIC_NAME_MAX + 1];
    assert_int_equal(topology_topic_name(topology_find_topic(t, "hits-repartition"), "app", name), 0);
    assert_string_equal(name, "app-hits-repartition");
    assert_int_equal(topology_topic_name(topology_find_store(t, "pv")->changelog, "app", name), 0);
    assert_string_equal(name, "app-pv-changelog");
    assert_int_equal(topology_topic_name(topology_find_topic(t, "out"), "app", name), 0);
    assert_string_equal(name, "out");

    char id[TOPIC_NAME_MAX];
    memset(id, 'x', sizeof id);
    id[TOPIC_NAME_MAX - strlen("-pv-changelog")] = '\0';
    assert_int_equal(topology_topic_name(topology_find_store(t, "pv")->changelog, id, name), 0);
    assert_int_equal(topology_topic_name(topology_find_topic(t, "hits-repartition"), id, name), MILL_ETOOLARGE);
    mill_topology_free(t);
}

static const char *property(const struct topic_properties *properties, const char *name)
{
    for (size_t i = 0; i < properties->count; i++)
        if (strcmp(properties->at[i].name, name) == 0)
            return properties->at[i].value;
    return "(none)";
}

static void internal_topics_get_kafka_streams_settings(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_repartition(t, "hits", 0);
    source(t, "s", "hits-repartition");
    processor(t, "p", "s");
    const char *p = "p";
    mill_topology_add_store(t, builder("table", 0, true), &p, 1);
    mill_topology_add_store(t, builder("windows", 70000, true), &p, 1);
    static const char *const own[] = { "segment.bytes", "7", "retention.ms", "9", NULL };
    mill_store_builder *special = builder("special", 70000, true);
    special->changelog_properties = own;
    mill_topology_add_store(t, special, &p, 1);
    mill_topology_add_store(t, builder("unlogged", 0, false), &p, 1);
    mill_store_builder *versioned = builder("versioned", 500, true);
    versioned->kind = MILL_STORE_VERSIONED;
    mill_topology_add_store(t, versioned, &p, 1);
    mill_store_builder *join = builder("join", 0, true);
    join->kind = MILL_STORE_JOIN;
    mill_topology_add_store(t, join, &p, 1);
    built(t);

    struct topic_properties properties;
    assert_int_equal(topology_topic_properties(topology_find_topic(t, "hits-repartition"), 1000, NULL, 0, &properties), 0);
    assert_string_equal(property(&properties, "cleanup.policy"), "delete");
    assert_string_equal(property(&properties, "retention.ms"), "-1");
    assert_string_equal(property(&properties, "segment.bytes"), "52428800");
    assert_string_equal(property(&properties, "message.timestamp.type"), "CreateTime");
    assert_int_equal(topology_topic_properties(topology_find_store(t, "table")->changelog, 1000, NULL, 0, &properties), 0);
    assert_string_equal(property(&properties, "cleanup.policy"), "compact");
    assert_string_equal(property(&properties, "retention.ms"), "(none)");
    assert_int_equal(topology_topic_properties(topology_find_store(t, "windows")->changelog, 1000, NULL, 0, &properties), 0);
    assert_string_equal(property(&properties, "cleanup.policy"), "compact,delete");
    assert_string_equal(property(&properties, "retention.ms"), "71000");
    assert_int_equal(topology_topic_properties(topology_find_store(t, "windows")->changelog, INT64_MAX, NULL, 0, &properties), 0);
    assert_string_equal(property(&properties, "retention.ms"), "9223372036854775807");

    assert_int_equal(topology_topic_properties(topology_find_store(t, "versioned")->changelog, 1000, NULL, 0, &properties), 0);
    assert_string_equal(property(&properties, "cleanup.policy"), "compact");
    assert_string_equal(property(&properties, "min.compaction.lag.ms"), "1500");
    assert_string_equal(property(&properties, "retention.ms"), "(none)");
    assert_int_equal(topology_topic_properties(topology_find_store(t, "join")->changelog, 1000, NULL, 0, &properties), 0);
    assert_string_equal(property(&properties, "cleanup.policy"), "compact,delete");
    assert_string_equal(property(&properties, "retention.ms"), "1000");

    const struct topic_property global[] = { { .name = "retention.ms", .value = "-1" },
                                             { .name = "segment.bytes", .value = "5" } };
    assert_int_equal(topology_topic_properties(topology_find_store(t, "windows")->changelog, 1000, global, 2, &properties), 0);
    assert_string_equal(property(&properties, "retention.ms"), "-1");
    assert_int_equal(topology_topic_properties(topology_find_store(t, "special")->changelog, 1000, global, 2, &properties), 0);
    assert_string_equal(property(&properties, "segment.bytes"), "7");
    assert_string_equal(property(&properties, "retention.ms"), "9");
    assert_null(topology_find_store(t, "unlogged")->changelog);
    mill_topology_free(t);
}

/* ---- numbers of partitions ----------------------------------------------------------------------------------------------- */

struct numbers {
    mill_topology *topology;
    int32_t counts[16];
    struct error_text error;
};

static int32_t *number(struct numbers *n, const char *topic)
{
    return &n->counts[topology_find_topic(n->topology, topic)->index];
}

/* in (and in2) -> a-repartition -> b-repartition, which has a store. */
static struct numbers two_steps(int32_t b_partitions)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_repartition(t, "a", 0);
    mill_topology_add_repartition(t, "b", b_partitions);
    source(t, "s-b", "b-repartition"); /* last in the chain, first in the topology */
    processor(t, "p", "s-b");
    store(t, "st", "p");
    source(t, "s-a", "a-repartition");
    sink(t, "to-b", "b-repartition", "s-a");
    mill_topology_add_source(t, "s-in", (const char *[]){ "in", "in2" }, 2, NULL);
    sink(t, "to-a", "a-repartition", "s-in");
    built(t);
    return (struct numbers){ .topology = t };
}

static void repartition_topics_have_as_many_partitions_as_the_largest_topic_upstream(void **state)
{
    struct numbers n = two_steps(0);
    *number(&n, "in") = 3;
    *number(&n, "in2") = 5;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "a-repartition"), 5);
    assert_int_equal(*number(&n, "b-repartition"), 5);
    assert_int_equal(n.counts[topology_find_store(n.topology, "st")->changelog->index], 5);
    assert_int_equal(topology_task_count(n.topology, &n.topology->subtopologies[0], n.counts), 5);
    mill_topology_free(n.topology);
}

static void the_users_number_of_partitions_stands(void **state)
{
    struct numbers n = two_steps(2);
    *number(&n, "in") = 3;
    *number(&n, "in2") = 3;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "a-repartition"), 3);
    assert_int_equal(*number(&n, "b-repartition"), 2);
    mill_topology_free(n.topology);
}

static void a_missing_source_topic_is_named(void **state)
{
    struct numbers n = two_steps(0);
    *number(&n, "in") = 3;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), MILL_ENOTFOUND);
    assert_non_null(strstr(n.error.text, "in2"));
    assert_int_equal(*number(&n, "a-repartition"), 0);
    mill_topology_free(n.topology);
}

static void an_existing_internal_topic_of_another_size_is_refused(void **state)
{
    struct numbers n = two_steps(0);
    *number(&n, "in") = 3;
    *number(&n, "in2") = 3;
    *number(&n, "a-repartition") = 4;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), MILL_EINVALID);
    assert_non_null(strstr(n.error.text, "a-repartition has 4 partitions and needs 3"));
    mill_topology_free(n.topology);
}

static void a_repartition_topic_that_feeds_itself_needs_a_number(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_repartition(t, "loop", 0);
    source(t, "s", "loop-repartition");
    sink(t, "k", "loop-repartition", "s");
    built(t);
    struct numbers n = { .topology = t };
    assert_int_equal(topology_resolve_partitions(t, n.counts, &n.error), MILL_EINVALID);
    assert_non_null(strstr(n.error.text, "loop-repartition"));
    mill_topology_free(t);
}

/* As a foreign-key join does between two tables that come from repartition topics. */
static void topics_that_wait_for_each_other_take_what_is_known_beside_them(void **state)
{
    mill_topology *t = mill_topology_new();
    for (const char *const *name = (const char *[]){ "a", "b", "there", "back", NULL }; *name != NULL; name++)
        mill_topology_add_repartition(t, *name, 0);
    source(t, "s-in", "in");
    sink(t, "to-a", "a-repartition", "s-in");
    source(t, "s-in2", "in2");
    sink(t, "to-b", "b-repartition", "s-in2");
    mill_topology_add_source(t, "left", (const char *[]){ "a-repartition", "back-repartition" }, 2, NULL);
    sink(t, "to-there", "there-repartition", "left");
    mill_topology_add_source(t, "right", (const char *[]){ "b-repartition", "there-repartition" }, 2, NULL);
    sink(t, "to-back", "back-repartition", "right");
    built(t);
    struct numbers n = { .topology = t };
    *number(&n, "in") = 3;
    *number(&n, "in2") = 5;
    assert_int_equal(topology_resolve_partitions(t, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "a-repartition"), 3);
    assert_int_equal(*number(&n, "b-repartition"), 5);
    assert_int_equal(*number(&n, "there-repartition"), 3);
    assert_int_equal(*number(&n, "back-repartition"), 5);
    mill_topology_free(t);
}

static struct numbers joined(int32_t b_partitions)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_repartition(t, "b", b_partitions);
    source(t, "s-x", "x");
    sink(t, "to-b", "b-repartition", "s-x");
    source(t, "s-a", "a");
    source(t, "s-b", "b-repartition");
    mill_topology_copartition(t, (const char *[]){ "a", "b-repartition" }, 2);
    built(t);
    return (struct numbers){ .topology = t };
}

static void a_repartition_topic_takes_the_number_of_what_it_is_joined_with(void **state)
{
    struct numbers n = joined(0);
    *number(&n, "x") = 2;
    *number(&n, "a") = 7;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "b-repartition"), 7);
    mill_topology_free(n.topology);
}

static void joined_topics_of_fixed_and_different_sizes_are_refused(void **state)
{
    struct numbers n = joined(3);
    *number(&n, "x") = 2;
    *number(&n, "a") = 7;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), MILL_EINVALID);
    assert_non_null(strstr(n.error.text, "mill_stream_repartition"));
    mill_topology_free(n.topology);
}

/* r is joined with a and, in another join, with b; q with r in a third. */
static struct numbers joined_twice(void)
{
    mill_topology *t = mill_topology_new();
    for (const char *const *name = (const char *[]){ "q", "r", NULL }; *name != NULL; name++)
        mill_topology_add_repartition(t, *name, 0);
    source(t, "s-x", "x");
    sink(t, "to-r", "r-repartition", "s-x");
    source(t, "s-y", "y");
    sink(t, "to-q", "q-repartition", "s-y");
    source(t, "s-a", "a");
    source(t, "s-b", "b");
    source(t, "s-q", "q-repartition");
    source(t, "s-r", "r-repartition");
    mill_topology_copartition(t, (const char *[]){ "s-q", "s-r" }, 2);
    mill_topology_copartition(t, (const char *[]){ "s-r", "s-a" }, 2);
    mill_topology_copartition(t, (const char *[]){ "s-r", "s-b" }, 2);
    built(t);
    struct numbers n = { .topology = t };
    *number(&n, "x") = 2;
    *number(&n, "y") = 9;
    return n;
}

static void topics_joined_by_way_of_a_repartition_topic_are_refused_if_they_differ(void **state)
{
    struct numbers n = joined_twice();
    *number(&n, "a") = 4;
    *number(&n, "b") = 8;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), MILL_EINVALID);
    assert_non_null(strstr(n.error.text, "a (4 partitions) and b (8 partitions)"));
    mill_topology_free(n.topology);
}

static void what_several_joins_tie_together_has_one_number(void **state)
{
    struct numbers n = joined_twice();
    *number(&n, "a") = *number(&n, "b") = 4;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "r-repartition"), 4);
    assert_int_equal(*number(&n, "q-repartition"), 4);
    mill_topology_free(n.topology);
}

/* t-.* -> a-repartition, which has a store. The pattern is the last topic. */
static struct numbers below_a_pattern(void)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_repartition(t, "a", 0);
    source(t, "s-a", "a-repartition");
    processor(t, "p", "s-a");
    store(t, "st", "p");
    mill_topology_add_source_pattern(t, "s-t", "t-.*", NULL);
    sink(t, "to-a", "a-repartition", "s-t");
    built(t);
    return (struct numbers){ .topology = t };
}

static int32_t *pattern_number(struct numbers *n)
{
    const struct topology_topic *topic = topology_pattern_of(n->topology, "app", "t-1");
    assert_non_null(topic);
    return &n->counts[topic->index];
}

static void a_pattern_counts_as_the_largest_topic_that_matches(void **state)
{
    struct numbers n = below_a_pattern();
    *pattern_number(&n) = 3;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "a-repartition"), 3);
    assert_int_equal(n.counts[topology_find_store(n.topology, "st")->changelog->index], 3);
    assert_int_equal(topology_task_count(n.topology, &n.topology->subtopologies[1], n.counts), 3);
    mill_topology_free(n.topology);
}

static void while_nothing_matches_there_is_nothing_below_but_what_is_there(void **state)
{
    struct numbers n = below_a_pattern();
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "a-repartition"), 0);
    assert_int_equal(topology_task_count(n.topology, &n.topology->subtopologies[0], n.counts), 0);
    assert_int_equal(topology_task_count(n.topology, &n.topology->subtopologies[1], n.counts), 0);

    *number(&n, "a-repartition") = 4; /* of what matched before */
    n.counts[topology_find_store(n.topology, "st")->changelog->index] = 4;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), 0);
    assert_int_equal(*number(&n, "a-repartition"), 4);
    assert_int_equal(topology_task_count(n.topology, &n.topology->subtopologies[0], n.counts), 4);
    mill_topology_free(n.topology);
}

static void a_topic_that_outgrows_what_is_below_its_pattern_is_refused(void **state)
{
    struct numbers n = below_a_pattern();
    *pattern_number(&n) = 4;
    *number(&n, "a-repartition") = 3;
    assert_int_equal(topology_resolve_partitions(n.topology, n.counts, &n.error), MILL_EINVALID);
    assert_non_null(strstr(n.error.text, "a-repartition has 3 partitions and needs 4"));
    mill_topology_free(n.topology);
}

static void a_joined_pattern_is_as_large_as_the_other_side(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_source_pattern(t, "s-t", "t-.*", NULL);
    source(t, "s-b", "b");
    mill_topology_copartition(t, (const char *[]){ "s-t", "b" }, 2);
    built(t);
    struct numbers n = { .topology = t };
    *number(&n, "b") = 2;
    assert_int_equal(topology_resolve_partitions(t, n.counts, &n.error), 0); /* nothing matches */
    *pattern_number(&n) = 3;
    assert_int_equal(topology_resolve_partitions(t, n.counts, &n.error), MILL_EINVALID);
    assert_true(topology_is_copartitioned(t, topology_pattern_of(t, "app", "t-1")));
    mill_topology_free(t);
}

static void no_internal_topic_matches_a_pattern(void **state)
{
    mill_topology *t = mill_topology_new();
    mill_topology_add_source_pattern(t, "s-t", ".*", NULL);
    built(t);
    assert_non_null(topology_pattern_of(t, "app", "t"));
    assert_non_null(topology_pattern_of(t, "app", "other-st-changelog"));
    assert_null(topology_pattern_of(t, "app", "app-st-changelog"));
    assert_null(topology_pattern_of(t, "app", "app-a-repartition"));
    assert_null(topology_pattern_of(t, "app", "__consumer_offsets"));
    mill_topology_free(t);
}

/* ---- lack of memory ------------------------------------------------------------------------------------------------------ */

static void lack_of_memory_at_any_allocation_is_an_error(void **state)
{
    for (uint64_t nth = 1;; nth++) {
        mem_fail_at(nth, 0);
        mill_topology *t = mill_topology_new();
        if (t != NULL) {
            source(t, "s", "in");
            processor(t, "p", "s");
            sink(t, "k", "out", "p");
            mill_topology_add_source_pattern(t, "m", "t-.*", NULL);
        }
        char *text = t == NULL ? NULL : mill_topology_describe(t);
        bool failed = mem_fail_at(0, 0) >= nth;
        assert_int_equal(failed, text == NULL);
        mill_free(text);
        mill_topology_free(t);
        if (!failed)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parents_come_before_children),
        cmocka_unit_test(a_sink_has_no_children),
        cmocka_unit_test(one_topic_has_one_source),
        cmocka_unit_test(a_store_that_nobody_uses_is_an_error),
        cmocka_unit_test(only_the_first_mistake_is_kept),
        cmocka_unit_test(arguments_are_freed_once_also_when_a_call_fails),
        cmocka_unit_test(the_layer_above_is_asked_once),
        cmocka_unit_test(components_are_numbered_by_their_first_source_and_hold_what_belongs_to_them),
        cmocka_unit_test(a_shared_store_joins_components),
        cmocka_unit_test(stores_stand_in_the_order_in_which_records_reach_them),
        cmocka_unit_test(internal_topics_carry_the_applications_id),
        cmocka_unit_test(internal_topics_get_kafka_streams_settings),
        cmocka_unit_test(repartition_topics_have_as_many_partitions_as_the_largest_topic_upstream),
        cmocka_unit_test(the_users_number_of_partitions_stands),
        cmocka_unit_test(a_missing_source_topic_is_named),
        cmocka_unit_test(an_existing_internal_topic_of_another_size_is_refused),
        cmocka_unit_test(a_repartition_topic_that_feeds_itself_needs_a_number),
        cmocka_unit_test(topics_that_wait_for_each_other_take_what_is_known_beside_them),
        cmocka_unit_test(a_repartition_topic_takes_the_number_of_what_it_is_joined_with),
        cmocka_unit_test(joined_topics_of_fixed_and_different_sizes_are_refused),
        cmocka_unit_test(topics_joined_by_way_of_a_repartition_topic_are_refused_if_they_differ),
        cmocka_unit_test(what_several_joins_tie_together_has_one_number),
        cmocka_unit_test(a_pattern_counts_as_the_largest_topic_that_matches),
        cmocka_unit_test(while_nothing_matches_there_is_nothing_below_but_what_is_there),
        cmocka_unit_test(a_topic_that_outgrows_what_is_below_its_pattern_is_refused),
        cmocka_unit_test(a_joined_pattern_is_as_large_as_the_other_side),
        cmocka_unit_test(no_internal_topic_matches_a_pattern),
        cmocka_unit_test(lack_of_memory_at_any_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
