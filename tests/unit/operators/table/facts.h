/*
 * Pipelines against Kafka Streams': the facts of kafka_streams_*.txt, printed by KafkaStreamsTables.java, say how Apache Kafka
 * 4.3.1 describes each pipeline and what its test driver put out for random records, without caches and with.
 */
#ifndef OPERATORS_TABLE_FACTS_H
#define OPERATORS_TABLE_FACTS_H

#include "unit/operators/pipeline.h"

#include <stdlib.h>

struct table_pipeline {
    const char *name;
    void (*build)(mill_topology *topology); /* as the Java program's of that name */
    bool longs;                             /* the values in "out" are counts */
    /* What a cache changes here and there differently, and why, or NULL: then only the run without caches is compared. */
    const char *cached_differs;
    const char *optimizations; /* topology.optimization, NULL: none */
};

enum { FACT_BYTES = 4096, FACT_TEXT_BYTES = 1 << 16 };

struct facts {
    FILE *file;
    char line[FACT_BYTES]; /* the line at hand, without its newline; empty at the end and for an empty line */
    bool ended;
    char text[FACT_TEXT_BYTES];
};

static inline void facts_next(struct facts *facts)
{
    facts->line[0] = '\0';
    facts->ended = fgets(facts->line, FACT_BYTES, facts->file) == NULL;
    facts->line[strcspn(facts->line, "\n")] = '\0';
}

static inline struct facts *facts_open(const char *beside, const char *name)
{
    struct facts *facts = calloc(1, sizeof *facts);
    const char *slash = strrchr(beside, '/');
    snprintf(facts->line, FACT_BYTES, "%.*s/%s", (int)(slash - beside), beside, name);
    facts->file = fopen(facts->line, "r");
    if (facts->file == NULL)
        fail_msg("%s is missing", facts->line);
    facts_next(facts);
    return facts;
}

static inline void facts_close(struct facts *facts)
{
    fclose(facts->file);
    free(facts);
}

static inline bool facts_ends_description(const struct facts *facts)
{
    return facts->ended || (facts->line[0] != '\0' && strchr("#><!", facts->line[0]) != NULL);
}

static inline void facts_compare_description(struct facts *facts, const struct table_pipeline *pipeline)
{
    facts->text[0] = '\0';
    size_t len = 0;
    for (; !facts_ends_description(facts); facts_next(facts))
        len += (size_t)snprintf(facts->text + len, FACT_TEXT_BYTES - len, "%s\n", facts->line);
    mill_topology *topology = mill_topology_new();
    if (pipeline->optimizations != NULL)
        mill_topology_optimize(topology, pipeline->optimizations);
    pipeline->build(topology);
    char *ours = mill_topology_describe(topology);
    if (ours == NULL)
        fail_msg("%s: %s", pipeline->name, mill_topology_error(topology));
    if (strcmp(ours, facts->text) != 0)
        fail_msg("%s:\n%s\nin Kafka Streams\n%s", pipeline->name, ours, facts->text);
    mill_free(ours);
    mill_topology_free(topology);
}

/* "> topic key=value@timestamp" */
static inline void facts_pipe(struct pipeline *p, char *line, const char *name)
{
    char *topic = line + 2;
    char *key = strchr(topic, ' ') + 1;
    char *value = strchr(key, '=') + 1;
    char *timestamp = strrchr(value, '@') + 1;
    key[-1] = value[-1] = timestamp[-1] = '\0';
    int code =
        pipeline_try(p, topic, strcmp(key, "~") == 0 ? NULL : key, strcmp(value, "~") == 0 ? NULL : value, atoll(timestamp));
    if (code < 0)
        fail_msg("%s: %s", name, mill_test_driver_error(p->driver));
}

static inline void facts_compare_run(struct facts *facts, const struct table_pipeline *pipeline, const char *const *properties)
{
    char run[FACT_BYTES];
    snprintf(run, sizeof run, "%s", facts->line);
    struct pipeline p = pipeline_begin();
    p.longs = pipeline->longs;
    if (pipeline->optimizations != NULL)
        mill_topology_optimize(p.topology, pipeline->optimizations);
    pipeline->build(p.topology);
    p.driver = mill_test_driver_new(p.topology, properties, 0);
    facts_next(facts);
    while (facts->line[0] == '>') {
        char input[FACT_BYTES];
        snprintf(input, sizeof input, "%s", facts->line);
        facts_pipe(&p, facts->line, pipeline->name);
        size_t len = 0;
        facts->text[0] = '\0';
        for (facts_next(facts); facts->line[0] == '<'; facts_next(facts))
            len += (size_t)snprintf(facts->text + len, FACT_TEXT_BYTES - len, "%s%s", len == 0 ? "" : " ", facts->line + 2);
        if (strcmp(pipeline_read(&p, "out"), facts->text) != 0)
            fail_msg("%s %s: %s: \"%s\", in Kafka Streams \"%s\"", pipeline->name, run, input, p.text, facts->text);
    }
    assert_int_equal(facts->line[0], '!');
    if (mill_test_driver_dropped(p.driver, NULL) != atoll(facts->line + 2))
        fail_msg("%s %s: dropped %lld, in Kafka Streams %s", pipeline->name, run,
                 (long long)mill_test_driver_dropped(p.driver, NULL), facts->line + 2);
    facts_next(facts);
    pipeline_end(&p);
}

static inline void facts_skip_run(struct facts *facts)
{
    for (facts_next(facts); facts->line[0] != '#'; facts_next(facts))
        assert_false(facts->ended);
}

/* One "### name" and its runs. `kafka` properties for what differs on purpose otherwise. */
static inline void facts_compare(struct facts *facts, const struct table_pipeline *pipeline)
{
    static const char *const uncached[] = { "mill.compat", "kafka", "statestore.cache.max.bytes", "0", NULL };
    static const char *const cached[] = { "mill.compat", "kafka", NULL };
    facts_next(facts);
    facts_compare_description(facts, pipeline);
    while (strncmp(facts->line, "# ", 2) == 0) {
        bool is_cached = strcmp(facts->line, "# cached") == 0;
        if (is_cached && pipeline->cached_differs != NULL)
            facts_skip_run(facts);
        else
            facts_compare_run(facts, pipeline, is_cached ? cached : uncached);
    }
}

/* Every fact with its pipeline; `beside` is __FILE__. */
static inline void facts_compare_all(const char *beside, const char *name, const struct table_pipeline *pipelines, size_t count)
{
    struct facts *facts = facts_open(beside, name);
    size_t compared = 0;
    while (strncmp(facts->line, "### ", 4) == 0 && strcmp(facts->line, "### end") != 0) {
        size_t i = 0;
        while (i < count && strcmp(pipelines[i].name, facts->line + 4) != 0)
            i++;
        if (i == count)
            fail_msg("no pipeline is called \"%s\"", facts->line + 4);
        facts_compare(facts, &pipelines[i]);
        compared++;
    }
    assert_string_equal(facts->line, "### end");
    assert_int_equal(compared, count);
    facts_close(facts);
}

#endif
