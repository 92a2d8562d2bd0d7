/*
 * Sub-topologies and their text against Kafka Streams': random topologies that KafkaStreamsRandomTopologies.java built with
 * Apache Kafka 4.3.1 are built again from the calls that it printed, and must describe themselves to the letter.
 */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "topology/topology.h"

enum { LINE_BYTES = 4096, NAMES_MAX = 32, TEXT_BYTES = 1 << 16 };

static int ignore(mill_context *context, void *self, const mill_record *record)
{
    return 0;
}

static const mill_processor_type IGNORE = { .name = "ignore", .process = ignore };

static void free_builder(mill_store_builder *builder)
{
    mem_free((char *)builder->name);
    mem_free(builder);
}

static mill_store_builder *store_called(const char *name)
{
    mill_store_builder *builder = mem_calloc(1, sizeof *builder);
    builder->name = mem_strdup(name);
    builder->free = free_builder;
    return builder;
}

static size_t cut(char *list, const char *names[NAMES_MAX])
{
    size_t count = 0;
    for (char *name = strtok(list, ",\n"); name != NULL; name = strtok(NULL, ",\n"))
        names[count++] = name;
    return count;
}

/* One line of calls: "processor NAME PARENT,PARENT". */
static void call(mill_topology *topology, char *line)
{
    char *name = strchr(line, ' ') + 1;
    char *list = strchr(name, ' ') + 1;
    list[-1] = '\0';
    const char *names[NAMES_MAX];
    size_t count = cut(list, names);
    char topic[LINE_BYTES];
    snprintf(topic, sizeof topic, "out-%s", name);
    if (strncmp(line, "source", 6) == 0)
        mill_topology_add_source(topology, name, names, count, NULL);
    else if (strncmp(line, "processor", 9) == 0)
        mill_topology_add_processor(topology, name, (mill_processor_supplier){ .type = &IGNORE }, names, count);
    else if (strncmp(line, "sink", 4) == 0)
        mill_topology_add_sink(topology, name, topic, NULL, names, count);
    else
        mill_topology_add_store(topology, store_called(name), names, count);
}

static FILE *open_facts(void)
{
    char path[LINE_BYTES];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/kafka_streams_random_topologies.txt", (int)(slash - __FILE__), __FILE__);
    FILE *facts = fopen(path, "r");
    assert_non_null(facts);
    return facts;
}

/* Builds the topology whose heading has been read, compares, and reads the next heading; false at the end. */
static bool compare_one(FILE *facts)
{
    static char expected[TEXT_BYTES];
    char line[LINE_BYTES];
    mill_topology *topology = mill_topology_new();
    while (fgets(line, sizeof line, facts) != NULL && strcmp(line, "---\n") != 0)
        call(topology, line);
    expected[0] = '\0';
    while (fgets(line, sizeof line, facts) != NULL && strncmp(line, "### ", 4) != 0)
        strcat(expected, line);
    char *text = mill_topology_describe(topology);
    assert_non_null(text);
    assert_string_equal(text, expected);
    mill_free(text);
    mill_topology_free(topology);
    return strcmp(line, "### end\n") != 0;
}

static void random_topologies_describe_themselves_as_kafka_streams_does(void **state)
{
    FILE *facts = open_facts();
    char heading[LINE_BYTES];
    assert_non_null(fgets(heading, sizeof heading, facts));
    int count = 1;
    while (compare_one(facts))
        count++;
    assert_int_equal(count, 60);
    fclose(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_topologies_describe_themselves_as_kafka_streams_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
