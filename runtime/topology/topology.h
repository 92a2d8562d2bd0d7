/*
 * The graph as plain data: what task, worker, test driver and describe read after topology_build.
 *
 * The calls of millstream/topology.h append to it; topology_build asks the layer above (the DSL) to add its nodes, checks the
 * whole and cuts it into sub-topologies. From then on nothing changes, and any thread may read it. All memory belongs to the
 * topology: nodes, names, topics and stores live until mill_topology_free.
 *
 * Rules are Kafka Streams' (InternalTopologyBuilder, RepartitionTopics): a sub-topology is a connected component over edges
 * and shared stores; numbers go to the components in the order in which their first sources were added, so that task `0_1`
 * means the same here and there.
 */
#ifndef TOPOLOGY_TOPOLOGY_H
#define TOPOLOGY_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/hash_map.h"
#include "millstream/errors.h"
#include "millstream/topology.h"

struct topology_node;
struct topology_store;
struct topology_topic;

/* Arrays that grow while building, with a type each so that readers need no casts. */
struct topology_nodes {
    struct topology_node **at;
    size_t count;
    size_t capacity;
};

struct topology_stores {
    struct topology_store **at;
    size_t count;
    size_t capacity;
};

struct topology_topics {
    struct topology_topic **at;
    size_t count;
    size_t capacity;
};

enum topology_node_kind { TOPOLOGY_SOURCE, TOPOLOGY_PROCESSOR, TOPOLOGY_SINK };

struct topology_node {
    const char *name;
    enum topology_node_kind kind;
    bool global;                 /* of a global store */
    size_t index;                /* in mill_topology.nodes: the order of adding, which is a topological order */
    size_t index_in_subtopology; /* in subtopology.nodes: where a task keeps its instance */
    size_t subtopology;          /* after topology_build */
    struct topology_nodes parents;
    struct topology_nodes children; /* in the order of connection: the order in which records are pushed */

    mill_processor_supplier supplier; /* processors */
    struct topology_stores stores;    /* processors: what they may ask for, in the order of connection */

    struct topology_topics topics; /* sources: what they read; sinks: the one they write */
    mill_source_options source;    /* sources */
    mill_sink_options sink;        /* sinks */
};

enum topology_topic_kind {
    TOPOLOGY_EXTERNAL,    /* the user's: read or written under its own name, never created or changed by the application */
    TOPOLOGY_PATTERN,     /* the user's: all that match `name`. What matches is known by the worker alone */
    TOPOLOGY_REPARTITION, /* `<application.id>-<name>-repartition` */
    TOPOLOGY_CHANGELOG    /* `<application.id>-<store>-changelog` */
};

struct topology_topic {
    const char *name; /* without the application's id: "hits-repartition", "pv-changelog" */
    size_t index;     /* in mill_topology.topics */
    enum topology_topic_kind kind;
    int32_t partitions;                 /* repartition: as told by the user, or 0 */
    const struct topology_node *source; /* the source that reads it (at most one), or NULL */
    const struct topology_store *store; /* changelog: whose */
    struct topology_pattern *pattern;   /* compiled; NULL: it is none */
};

struct topology_store {
    const char *name;
    const mill_store_builder *builder;
    bool global;                      /* no processor but its own is connected to it, and every one may read it */
    struct topology_nodes nodes;      /* the processors that use it, in order of connection */
    bool restored_from_source;        /* its changelog is a topic that a source reads; nothing is written to it */
    struct topology_topic *changelog; /* NULL when the builder does no logging */
    size_t subtopology;               /* after topology_build */
    size_t index_in_subtopology;      /* in subtopology.stores */
};

/* What one task runs. Every array is in a fixed order that does not depend on the process. */
struct subtopology {
    size_t id;                            /* the first number of a task's name: `<id>_<partition>` */
    bool global;                          /* of a global store: it has a number, and no tasks */
    struct topology_nodes nodes;          /* parents before children */
    struct topology_topics source_topics; /* read by its sources, repartition topics included */
    struct topology_topics sink_topics;   /* written by its sinks, repartition topics included */
    /* Topologically: by the first processor that uses it, so that flushing in this order never dirties a store flushed before. */
    struct topology_stores stores;
};

/* Topics that must have equal numbers of partitions. */
struct topology_copartition {
    struct topology_topics topics;
};

struct topology_copartitions {
    struct topology_copartition **at;
    size_t count;
    size_t capacity;
};

struct topology_failure_handler {
    mill_failure_handler handler; /* NULL: the property decides */
    void *ctx;
};

struct mill_topology {
    struct error_text error;
    int error_code; /* 0 while all is well */

    struct arena arena; /* names, nodes, topics, stores */
    struct topology_nodes nodes;
    struct topology_stores stores;
    struct topology_topics topics; /* sources', sinks', repartition and changelog topics, in the order of first mention */
    struct topology_copartitions copartitions;
    struct hash_map nodes_by_name;
    struct hash_map stores_by_name;
    struct hash_map topics_by_name; /* sources', sinks' and repartition topics */
    unsigned next_index;
    unsigned optimizations; /* of mill_optimization */
    bool requires_names;
    struct topology_failure_handler failure_handlers[MILL_FAILURE_KINDS];

    void *layer;
    void (*layer_lower)(mill_topology *topology, void *layer);
    void (*layer_release)(void *layer);

    bool built;
    struct subtopology *subtopologies; /* after topology_build, by id */
    size_t subtopology_count;
    struct subtopology globals; /* after topology_build: all global stores as the one that a thread of its own runs */
};

/*
 * Completes and checks the topology; the second call and later ones do nothing. 0, or MILL_EINVALID or MILL_ENOMEM with the
 * text at mill_topology_error. After 0 the topology never changes.
 */
MILL_MUST_USE int topology_build(mill_topology *topology);

/* NULL: none of that name. */
struct topology_node *topology_find_node(const mill_topology *topology, const char *name);
struct topology_store *topology_find_store(const mill_topology *topology, const char *name);
/* The topic that a source or sink called `name`; NULL: none does. */
struct topology_topic *topology_find_topic(const mill_topology *topology, const char *name);

/* ---- pattern.c: topics by pattern ---------------------------------------------------------------------------------------- */

/* 0; MILL_EINVALID with the reason in `error`; MILL_ENOMEM. */
MILL_MUST_USE int topology_pattern_new(const char *text, struct topology_pattern **pattern, struct error_text *error);
void topology_pattern_free(struct topology_pattern *pattern); /* NULL is a no-op */

/* Is `name` one of the topics that the pattern means? Those that begin with "__" never are. Any thread. */
bool topology_pattern_matches(const struct topology_pattern *pattern, const char *name);

/* The first pattern that means the topic `name`; NULL: none does. */
const struct topology_topic *topology_pattern_over(const mill_topology *topology, const char *name);

/* The pattern that the broker's topic `name` is read by; NULL: none. The application's own internal topics are read by none. */
const struct topology_topic *topology_pattern_of(const mill_topology *topology, const char *application_id, const char *name);

/* Whether another pattern means the same topic: then which, else NULL. */
const struct topology_topic *topology_second_pattern_of(const mill_topology *topology, const struct topology_topic *first,
                                                        const char *name);

bool topology_has_patterns(const mill_topology *topology);

/* Must all that the pattern matches have one number of partitions? */
bool topology_is_copartitioned(const mill_topology *topology, const struct topology_topic *pattern);

/* ---- topics.c: what an application makes of them ------------------------------------------------------------------------- */

enum { TOPIC_NAME_MAX = 249, TOPIC_PROPERTIES_MAX = 16 };

/*
 * The topic's name on the broker, with NUL, into `out` (TOPIC_NAME_MAX + 1 bytes). 0, or MILL_ETOOLARGE when it is longer than
 * Kafka allows.
 */
MILL_MUST_USE int topology_topic_name(const struct topology_topic *topic, const char *application_id,
                                      char out[TOPIC_NAME_MAX + 1]);

struct topic_property {
    const char *name;
    const char *value; /* a literal, the store builder's string, a global property's, or `text` of this entry */
    char text[24];
};

struct topic_properties {
    struct topic_property at[TOPIC_PROPERTIES_MAX]; /* not to be copied: `value` may point at `text` */
    size_t count;
};

/*
 * What Kafka Streams sets when it creates this internal topic, weakest first: its own defaults, `global` (the application's
 * properties that begin with "topic.", given here without that prefix), the store builder's. A window store's changelog keeps
 * records for the store's retention and `additional_retention_ms` (windowstore.changelog.additional.retention.ms), unless
 * global or builder set retention.ms themselves. MILL_ETOOLARGE: more than TOPIC_PROPERTIES_MAX different ones.
 */
MILL_MUST_USE int topology_topic_properties(const struct topology_topic *topic, int64_t additional_retention_ms,
                                            const struct topic_property *global, size_t global_count,
                                            struct topic_properties *properties);

/*
 * How many partitions each topic has or shall have: entry i of `counts` belongs to `topology->topics.at[i]`
 * (topology->topics.count entries). On call a topic that exists on the broker has its number there, others 0, and a pattern the
 * largest of those that match it; on return every
 * repartition topic that is read has its number: the user's, else that of its copartition group, else the largest of the topics
 * that lead to it; and every changelog topic has its sub-topology's number of tasks. What only patterns lead to that nothing
 * matches yet keeps the number that it has, 0 included. MILL_ENOTFOUND: a source topic does not
 * exist; MILL_EINVALID: copartitioned topics differ, or an existing internal topic has another number than it should; the text
 * in `error` names topics and numbers.
 */
MILL_MUST_USE int topology_resolve_partitions(const mill_topology *topology, int32_t *counts, struct error_text *error);

/* The number of tasks: the largest number among the sub-topology's source topics, 0 if global. `counts` as resolved. */
int32_t topology_task_count(const mill_topology *topology, const struct subtopology *subtopology, const int32_t *counts);

#endif
