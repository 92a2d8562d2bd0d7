/*
 * Streams: what a pipeline says.
 *
 *     mill_topology *topology = mill_topology_new();
 *     mill_stream *errors = mill_stream_filter(mill_topology_stream(topology, "log", NULL), is_error, NULL);
 *     mill_stream_to(errors, "errors");
 *
 * Operators have Kafka Streams' names, meanings and node names. Each call adds an operator and returns what it makes; calls never
 * fail halfway: a bad one marks the topology (mill_topology_error) and returns a handle that further calls accept. Handles belong
 * to the topology and are not freed. Strings are copied; functions' `ctx` stays the caller's and must outlive the application,
 * which may call from several threads at once, each for its own records.
 *
 * What a callback gets is borrowed for that call. What it makes lives in static memory, in its arguments, or in
 * mill_context_alloc's, which lasts until the source record is done. A callback that returns a negative code ends the record
 * (mill_context_error says why).
 */
#ifndef MILLSTREAM_STREAM_H
#define MILLSTREAM_STREAM_H

#include "millstream/operators.h"
#include "millstream/processor.h"
#include "millstream/table.h"
#include "millstream/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_grouped mill_grouped; /* a stream grouped by key */
typedef struct mill_branches mill_branches;

/* ---- from and to topics -------------------------------------------------------------------------------------------------- */

/* `options` NULL: record timestamps as they are, an error when negative. */
MILL_API mill_stream *mill_topology_stream(mill_topology *topology, const char *topic, const mill_source_options *options);
MILL_API mill_stream *mill_topology_stream_of(mill_topology *topology, const char *const *topics, size_t topic_count,
                                              const mill_source_options *options);

/*
 * A stream of all topics whose whole name matches `pattern`, a POSIX extended regular expression ("orders-[a-z]+"), those
 * included that are created later; one that is deleted leaves. New ones are looked for every metadata.max.age.ms. A topic that
 * another stream or table names is an error, as is one that two patterns match. Where state or a repartition topic hangs below,
 * no topic that comes later may have more partitions than the largest had when the application first ran: keys would change
 * places.
 */
MILL_API mill_stream *mill_topology_stream_pattern(mill_topology *topology, const char *pattern,
                                                   const mill_source_options *options);

/* Writes key, value, timestamp and headers; partitioned by key (a windowed one by its inner key), or as `options` say. */
MILL_API void mill_stream_to(mill_stream *stream, const char *topic);
MILL_API void mill_stream_to_with(mill_stream *stream, const char *topic, const mill_sink_options *options);

/*
 * Writes each record to one of `topics`: the one whose number `choose` returns (Kafka Streams' TopicNameExtractor, over topics
 * that are known).
 */
MILL_API void mill_stream_to_one_of(mill_stream *stream, const char *const *topics, size_t topic_count, mill_topic_chooser choose,
                                    void *ctx);

/*
 * The latest record of each key as a table; a null value deletes. Records with a null key are dropped and counted ("null-key").
 * Through a repartition topic if the key may have changed.
 */
MILL_API mill_table *mill_stream_to_table(mill_stream *stream, mill_materialized materialized);

/*
 * Through an internal topic `<application.id>-<name>-repartition` of `partitions` (0: as many as the input), which brings
 * equal keys together. `name` NULL: generated. Records with a null key are filtered out. Do it once before several
 * aggregations: each makes its own topic otherwise.
 */
MILL_API mill_stream *mill_stream_repartition(mill_stream *stream, const char *name, int32_t partitions);

/* Names the operator that made this stream, in place of its generated name. Returns `stream`. */
MILL_API mill_stream *mill_stream_as(mill_stream *stream, const char *name);

/* ---- record by record ---------------------------------------------------------------------------------------------------- */

MILL_API mill_stream *mill_stream_filter(mill_stream *stream, mill_predicate predicate, void *ctx);
MILL_API mill_stream *mill_stream_filter_not(mill_stream *stream, mill_predicate predicate, void *ctx);

/* These may change the key; an operator below that needs equal keys together then goes through a repartition topic by itself. */
MILL_API mill_stream *mill_stream_map(mill_stream *stream, mill_record_mapper mapper, void *ctx);
MILL_API mill_stream *mill_stream_flat_map(mill_stream *stream, mill_flat_mapper mapper, void *ctx);
MILL_API mill_stream *mill_stream_select_key(mill_stream *stream, mill_mapper key, void *ctx);

/* These keep the key, whatever a flat mapper emits. */
MILL_API mill_stream *mill_stream_map_values(mill_stream *stream, mill_mapper value, void *ctx);
MILL_API mill_stream *mill_stream_flat_map_values(mill_stream *stream, mill_flat_mapper mapper, void *ctx);

/* Looks at each record: on its way, or at the end of it. */
MILL_API mill_stream *mill_stream_peek(mill_stream *stream, mill_visitor visitor, void *ctx);
MILL_API void mill_stream_for_each(mill_stream *stream, mill_visitor visitor, void *ctx);

/* Each record as a line `[label]: key, value` on standard output, bytes as they are; `label` NULL: the stream's operator. */
MILL_API void mill_stream_print(mill_stream *stream, const char *label);

/* The records of both, in no promised order. */
MILL_API mill_stream *mill_stream_merge(mill_stream *stream, mill_stream *other);

/* Each record goes to the first branch, in the order of these calls, whose predicate holds; else to the default, or nowhere. */
MILL_API mill_branches *mill_stream_split(mill_stream *stream);
MILL_API mill_stream *mill_branch(mill_branches *branches, mill_predicate predicate, void *ctx);
MILL_API mill_stream *mill_branch_default(mill_branches *branches);

/*
 * A processor of your own, with the stores of these names (mill_topology_add_store before), and those that its supplier brings.
 * After mill_stream_process the key may have changed; a processor of mill_stream_process_values keeps it: forwarding another key
 * is an error (KIP-820).
 */
MILL_API mill_stream *mill_stream_process(mill_stream *stream, mill_processor_supplier supplier, const char *const *stores,
                                          size_t store_count);
MILL_API mill_stream *mill_stream_process_values(mill_stream *stream, mill_processor_supplier supplier, const char *const *stores,
                                                 size_t store_count);

/* ---- grouped ------------------------------------------------------------------------------------------------------------- */

MILL_API mill_grouped *mill_stream_group_by_key(mill_stream *stream);
MILL_API mill_grouped *mill_stream_group_by(mill_stream *stream, mill_mapper key, void *ctx);

/* Names the repartition topic, should one be needed; all aggregations of this group then share it. Returns `grouped`. */
MILL_API mill_grouped *mill_grouped_as(mill_grouped *grouped, const char *name);

/*
 * Per key. Records with a null key or value are dropped and counted ("null-key", "null-value"). A result has the largest
 * timestamp seen and the headers of the last record in it. Counts are 8 bytes big-endian, Kafka's Long.
 */
MILL_API mill_table *mill_grouped_count(mill_grouped *grouped, mill_materialized materialized);
MILL_API mill_table *mill_grouped_reduce(mill_grouped *grouped, mill_reducer reducer, void *ctx, mill_materialized materialized);
MILL_API mill_table *mill_grouped_aggregate(mill_grouped *grouped, mill_initializer initializer, mill_aggregator aggregator,
                                            void *ctx, mill_materialized materialized);

/*
 * How many different values a key has had, exactly: every member is kept. `_by`: different members, as the mapper makes them of
 * a record; a null member (or value) is dropped and counted ("null-member"). Like count it goes on after every record, though the
 * number may be the same: a record that is read again after a crash repeats what may have been lost. An operator of our own:
 * without a name in `materialized` the topology is in error.
 */
MILL_API mill_table *mill_grouped_count_distinct(mill_grouped *grouped, mill_materialized materialized);
MILL_API mill_table *mill_grouped_count_distinct_by(mill_grouped *grouped, mill_mapper member, void *ctx,
                                                    mill_materialized materialized);

/*
 * The same, about: in at most 3 KiB a key, by a HyperLogLog sketch. The standard error is 1.63 % of the count (within 3.3 % in 95
 * of 100 cases); of n members, where n is small, two count as one in about n * n of 8,192 cases. What is stored, logged and given
 * to queries is the sketch, which mill_approximate_count reads; results and what other operators read of the table are counts.
 */
MILL_API mill_table *mill_grouped_count_distinct_approximate(mill_grouped *grouped, mill_materialized materialized);
MILL_API mill_table *mill_grouped_count_distinct_approximate_by(mill_grouped *grouped, mill_mapper member, void *ctx,
                                                                mill_materialized materialized);

/* Of a stored sketch; null is 0. -1: it is none. */
MILL_API int64_t mill_approximate_count(mill_bytes sketch);

/*
 * Of the records of a key with the same id (`id` NULL: all of a key; a null id is as an empty one), the first: one is dropped
 * ("duplicate") when one that went on lies at most `within_ms` before or behind it by their timestamps, in whatever order they
 * come. A record that is more than `within_ms` behind the largest timestamp that went on cannot be judged and is dropped
 * ("late"); a larger retention in `materialized` (twice `within_ms` and 1 if not given) moves that back. A crash loses none: what
 * is read again goes on again. Kafka Streams does not have it: it needs a name in `materialized`.
 */
MILL_API mill_stream *mill_grouped_deduplicate(mill_grouped *grouped, mill_mapper id, void *ctx, int64_t within_ms,
                                               mill_materialized materialized);

/*
 * The records that were dropped there as "late", as they came, in a stream of their own. `stream` is what that call has made, not
 * something below it. (Those of windows: mill_windowed_late.)
 */
MILL_API mill_stream *mill_deduplicated_late(mill_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
