/*
 * The topology: a pipeline as data, before anything runs.
 *
 * Nodes are sources, processors and sinks, each with a unique name; stores are connected to the processors that use them. The
 * calls of stream.h and table.h (the DSL) end in these. Building never fails halfway: a bad call marks the topology, and
 * mill_topology_error (so mill_app_new and mill_test_driver_new) reports the first error with the name of the node and what to
 * do.
 *
 * Strings and option structs are copied. Thread: one, before the application is made; an application takes no ownership, and the
 * topology outlives it.
 */
#ifndef MILLSTREAM_TOPOLOGY_H
#define MILLSTREAM_TOPOLOGY_H

#include "millstream/error.h"
#include "millstream/processor.h"
#include "millstream/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_topology mill_topology;

/*
 * Event time of a source record; `partition_time_ms` is the largest seen so far in its partition, -1 before. Negative: drop it.
 */
typedef int64_t (*mill_timestamp_extractor)(void *ctx, const mill_record *record, int64_t partition_time_ms);

/* The built-in extractors, for mill_source_options.extractor. Default: fail on a negative timestamp. */
MILL_API int64_t mill_extract_log_and_skip(void *ctx, const mill_record *record, int64_t partition_time_ms);
MILL_API int64_t mill_extract_partition_time(void *ctx, const mill_record *record, int64_t partition_time_ms);
MILL_API int64_t mill_extract_wall_clock(void *ctx, const mill_record *record, int64_t partition_time_ms);

/* Where a source begins whose group has committed no offset. DEFAULT: what auto.offset.reset says. */
typedef enum mill_reset_policy {
    MILL_RESET_DEFAULT,
    MILL_RESET_EARLIEST,
    MILL_RESET_LATEST,
    MILL_RESET_NONE,       /* nowhere: the stream thread fails */
    MILL_RESET_BY_DURATION /* at the first record that is at most reset_duration_ms old (KIP-1106) */
} mill_reset_policy;

/*
 * Can this source's operators read the record? Negative (MILL_EUSER, ...): no, and the deserialization handler decides what comes
 * of it (errors.h). Asked before any operator sees the record, but after the extractor, which reads ahead.
 */
typedef int (*mill_record_check)(void *ctx, const mill_record *record);

typedef struct mill_source_options {
    mill_timestamp_extractor extractor; /* NULL: the record's timestamp, an error when negative */
    void *extractor_ctx;
    mill_reset_policy reset;
    int64_t reset_duration_ms; /* with MILL_RESET_BY_DURATION */
    mill_record_check check;   /* NULL: any bytes will do */
    void *check_ctx;
} mill_source_options;

/* How the bytes of a key are made, for partitioning and printing: a windowed key is partitioned by its inner key alone. */
typedef enum mill_key_form {
    MILL_KEY_PLAIN,
    MILL_KEY_TIME_WINDOWED,   /* key, then start as 8 bytes big-endian */
    MILL_KEY_SESSION_WINDOWED /* key, then end and start as 8 bytes each */
} mill_key_form;

/* The partition for a record; any negative number: the default (murmur2 of the key, or the producer's choice for a null key). */
typedef int32_t (*mill_partitioner)(void *ctx, const char *topic, const mill_record *record, int32_t partition_count);

/*
 * The partitions for a record (KIP-837): writes their numbers into `partitions`, which has room for `partition_count`, and
 * returns how many. 0: the record is dropped, and counted ("no-partition").
 */
typedef size_t (*mill_multicaster)(void *ctx, const char *topic, const mill_record *record, int32_t partition_count,
                                   int32_t *partitions);

/* Which of a sink's topics a record goes to: a number below topic_count of mill_topology_add_sink_of. */
typedef size_t (*mill_topic_chooser)(void *ctx, const mill_record *record);

typedef struct mill_sink_options {
    mill_key_form key_form;
    mill_partitioner partitioner; /* NULL: the default */
    void *partitioner_ctx;
    mill_multicaster multicast; /* NULL: one partition; else asked in place of `partitioner` */
    void *multicast_ctx;
    mill_topic_chooser choose_topic; /* only with several topics, and then not NULL */
    void *choose_topic_ctx;
} mill_sink_options;

/* NULL: no memory. */
MILL_API mill_topology *mill_topology_new(void);
/* With every argument and store builder given to it. NULL is a no-op. */
MILL_API void mill_topology_free(mill_topology *topology);

/* The first error of a call, or NULL. Lives as long as the topology. */
MILL_API const char *mill_topology_error(const mill_topology *topology);

/* Marks the topology (the first mark stays); for layers above. */
MILL_API void mill_topology_fail(mill_topology *topology, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* A source that reads all of `topics`; `options` NULL: defaults. */
MILL_API void mill_topology_add_source(mill_topology *topology, const char *name, const char *const *topics, size_t topic_count,
                                       const mill_source_options *options);

/*
 * A source that reads all topics whose whole name matches `pattern`, a POSIX extended regular expression, also those that come
 * later: they are looked for every metadata.max.age.ms, and the group rebalances when one has come or gone. Topics that begin
 * with "__" and the application's own repartition and changelog topics never match. There are as many tasks as the largest of
 * the topics has partitions; none while nothing matches. A topic that another source names, or another pattern matches, is an
 * error.
 */
MILL_API void mill_topology_add_source_pattern(mill_topology *topology, const char *name, const char *pattern,
                                               const mill_source_options *options);

/* A processor below `parents` (sources or processors added before). */
MILL_API void mill_topology_add_processor(mill_topology *topology, const char *name, mill_processor_supplier supplier,
                                          const char *const *parents, size_t parent_count);

/* A sink that writes to `topic`. */
MILL_API void mill_topology_add_sink(mill_topology *topology, const char *name, const char *topic,
                                     const mill_sink_options *options, const char *const *parents, size_t parent_count);

/*
 * A sink that writes each record to one of `topics`, as options->choose_topic says (Kafka Streams' TopicNameExtractor, over
 * topics that are known: nothing waits for one in the middle of a record).
 */
MILL_API void mill_topology_add_sink_of(mill_topology *topology, const char *name, const char *const *topics, size_t topic_count,
                                        const mill_sink_options *options, const char *const *parents, size_t parent_count);

/*
 * A store, used by `processors` (more may be connected later). Takes ownership of `builder` in every case. A builder that was
 * given before only connects.
 */
MILL_API void mill_topology_add_store(mill_topology *topology, mill_store_builder *builder, const char *const *processors,
                                      size_t processor_count);
MILL_API void mill_topology_connect_store(mill_topology *topology, const char *processor, const char *store);

/*
 * A global store: every program of the application keeps all of `topic`, from all of its partitions, and every processor may read
 * the store by its name without being connected to it. `processor` gets the topic's records from `source` and writes the store;
 * nothing hangs below it. The store logs to no changelog (`builder` must say so): its topic is one. The first record is processed
 * elsewhere when the store has all that the topic held at the start. Takes ownership of `builder` and `supplier` in every case.
 */
MILL_API void mill_topology_add_global_store(mill_topology *topology, mill_store_builder *builder, const char *source,
                                             const char *topic, const mill_source_options *options, const char *processor,
                                             mill_processor_supplier supplier);

/*
 * The store has no changelog: what it holds are the records of `topic`, the latest of each key, which a source reads and a
 * processor puts there unchanged. It is restored from that topic, up to where the source goes on. The builder had logging off.
 */
MILL_API void mill_topology_restore_from_source(mill_topology *topology, const char *store, const char *topic);

/*
 * Kafka Streams' topology.optimization, for layers above, before the topology is used: "none", "all" or any of
 * "reuse.ktable.source.topics", "merge.repartition.topics" and "single.store.self.join", separated by commas. Applications and
 * test drivers set it from their property of that name.
 */
MILL_API void mill_topology_optimize(mill_topology *topology, const char *optimizations);

typedef enum mill_optimization {
    MILL_REUSE_SOURCE_TOPICS = 1 << 0,      /* the table of a topic needs no changelog: the topic is that */
    MILL_MERGE_REPARTITION_TOPICS = 1 << 1, /* one for all that hang below one change of keys */
    MILL_SINGLE_STORE_SELF_JOIN = 1 << 2    /* a stream joined with itself */
} mill_optimization;

/* What mill_topology_optimize was told, for layers above. */
MILL_API unsigned mill_topology_optimizations(const mill_topology *topology);

/*
 * Internal topics and stores under generated names are an error that lists them (ensure.explicit.internal.resource.naming): such
 * names change when operators are inserted, and state is lost. Applications and test drivers set it from their property.
 */
MILL_API void mill_topology_require_names(mill_topology *topology, bool required);
MILL_API bool mill_topology_requires_names(const mill_topology *topology);

/*
 * An internal topic `<application.id>-<name>-repartition`: sinks and sources added later that name `<name>-repartition` mean
 * it. A name that ends with "-repartition" is left as it is. `partitions` 0: as many as the largest of the topics that lead to
 * it.
 */
MILL_API void mill_topology_add_repartition(mill_topology *topology, const char *name, int32_t partitions);

/* The same for `<application.id>-<name>`, whatever the name ends with. */
MILL_API void mill_topology_add_internal_topic(mill_topology *topology, const char *name, int32_t partitions);

/*
 * Sub-topologies that read these topics (or repartition topics) as one task need equal partition counts; checked at start. The
 * name of a source stands for all topics that it reads.
 */
MILL_API void mill_topology_copartition(mill_topology *topology, const char *const *topics, size_t topic_count);

/* The next number of Kafka Streams' one counter for generated names: KSTREAM-FILTER-0000000001. */
MILL_API unsigned mill_topology_next_index(mill_topology *topology);

/*
 * Where a layer above (the DSL) keeps its own graph: `lower` turns it into nodes once, before the topology is used; `release`
 * frees it with the topology. mill_topology_layer gives `layer` back, NULL when none was set.
 */
MILL_API void mill_topology_set_layer(mill_topology *topology, void *layer, void (*lower)(mill_topology *topology, void *layer),
                                      void (*release)(void *layer));
MILL_API void *mill_topology_layer(const mill_topology *topology);

/* Kafka Streams' Topology#describe() text; the caller frees it with mill_free. NULL: no memory or an erroneous topology. */
MILL_API char *mill_topology_describe(mill_topology *topology);

/* Frees what the library gave to the caller to free. */
MILL_API void mill_free(void *block);

#ifdef __cplusplus
}
#endif
#endif
