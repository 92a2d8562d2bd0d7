/*
 * Joins: a record meets those of the same key on the other side.
 *
 *     mill_stream *named = mill_stream_left_join_table(orders, customers, with_name, NULL, mill_joined_as(NULL));
 *
 * Names, rules and timestamps are Kafka Streams'. Both sides must have equal keys in equal partitions: a side whose key an
 * operator above may have changed goes through a repartition topic by itself, and topics that are joined with different numbers
 * of partitions, also by way of other joins, are an error when the program starts, which names two of them.
 *
 * A record of a stream with a null value joins nothing: it is dropped and counted ("null-value"). So is one with a null key
 * ("null-key") in an inner join; a left join lets it through with nothing on the other side.
 */
#ifndef MILLSTREAM_JOIN_H
#define MILLSTREAM_JOIN_H

#include "millstream/stream.h"
#include "millstream/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes the value of a result. `left` is of the side that the call was made on, `right` of the other one; null where a left or
 * outer join found nothing. `*result` is null on call and may stay so: the result then has a null value. If it fails (errors.h)
 * for a record that has waited, that one is gone, and the record that set it free is the one that could not be processed.
 */
typedef int (*mill_joiner)(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context,
                           void *ctx);

/* How a join is called, and how it keeps what waits. All zero is Kafka Streams' default. */
typedef struct mill_joined {
    const char *name;       /* of the operators and of the repartition topics before them; NULL: generated */
    const char *store_name; /* two streams: their stores' names begin with it; NULL: generated */
    bool in_memory;         /* its stores, as in mill_materialized; so the next two */
    bool without_logging;
    const char *const *changelog_properties;
    int64_t grace_ms; /* a stream with a versioned table: how long each record waits for the table; at most its history */
} mill_joined;

/* The defaults under a name. NULL: a generated one. */
static inline mill_joined mill_joined_as(const char *name)
{
    mill_joined joined = { name, NULL, false, false, NULL, 0 };
    return joined;
}

/* ---- two streams --------------------------------------------------------------------------------------------------------- */

/*
 * Which records of two streams meet: the right one is at most `before_ms` older and `after_ms` younger than the left one, both
 * included. Either may be negative, as long as their sum is not. `grace_ms` is how much later than that a record may come.
 */
typedef struct mill_join_windows {
    int64_t before_ms;
    int64_t after_ms;
    int64_t grace_ms;
} mill_join_windows;

/* Kafka's JoinWindows.ofTimeDifferenceAndGrace: the same to both sides. */
static inline mill_join_windows mill_join_within(int64_t difference_ms, int64_t grace_ms)
{
    mill_join_windows windows = { difference_ms, difference_ms, grace_ms };
    return windows;
}

/*
 * Every pair of records of one key within the windows, each once, with the later one's timestamp. Both sides are kept for as
 * long as windows and grace together. `other` may be the stream itself (the optimization single.store.self.join then keeps it
 * once, and makes every kind of join an inner one, since each record meets itself). A record that comes late is joined with what
 * is still kept.
 *
 * A left join lets each record of `stream`, an outer join each of both, also come out alone when no partner came before its
 * windows and grace were over, with its own timestamp: exactly once, when a later record shows that they are; looked at once a
 * second of wall time (__emit.interval.ms.kstreams.outer.join.spurious.results.fix__). What is released together comes in order
 * of timestamp, right before left, key. A partner that comes after that finds it closed; if all are, it is counted as "late",
 * without a stream of such records: it is kept like all others, and may meet later ones or, of an outer side, come out alone.
 * Records with a null key come out alone at once. mill.compat=kafka does as Kafka Streams 4.3 does, which lets a record that
 * comes late but within the grace come out alone at once and be joined afterwards (KAFKA-19536), releases later where the two
 * bounds differ, and does not find a partner at the far end of windows and grace.
 */
MILL_API mill_stream *mill_stream_join(mill_stream *stream, mill_stream *other, mill_joiner joiner, void *ctx,
                                       mill_join_windows windows, mill_joined joined);
MILL_API mill_stream *mill_stream_left_join(mill_stream *stream, mill_stream *other, mill_joiner joiner, void *ctx,
                                            mill_join_windows windows, mill_joined joined);
MILL_API mill_stream *mill_stream_outer_join(mill_stream *stream, mill_stream *other, mill_joiner joiner, void *ctx,
                                             mill_join_windows windows, mill_joined joined);

/* ---- a stream with a table ----------------------------------------------------------------------------------------------- */

/*
 * Each record with the table's value of that moment; updates of the table cause no result. The timestamp is the record's. The
 * left join also lets records through whose key the table does not have.
 *
 * With a versioned table it is the value of the record's own time. With a grace besides (KIP-923) each record is held back until
 * a record of the stream is so much younger, and then joined in order of time; one that comes later than that is joined at once.
 * So is one with a null key, which Kafka Streams (and mill.compat=kafka) fails on in a left join.
 */
MILL_API mill_stream *mill_stream_join_table(mill_stream *stream, mill_table *table, mill_joiner joiner, void *ctx,
                                             mill_joined joined);
MILL_API mill_stream *mill_stream_left_join_table(mill_stream *stream, mill_table *table, mill_joiner joiner, void *ctx,
                                                  mill_joined joined);

/* ---- a stream with a global table ---------------------------------------------------------------------------------------- */

/*
 * All of a topic, from all its partitions, in every program of the application: its rows are found by any key, whatever the
 * partitions of the stream. It is filled before the first record is processed, kept on disk between runs (unless
 * `materialized` says in memory), so that the next start reads only what came since, and follows its topic from then on, which no
 * stream waits for. A null value deletes; a null key is dropped and counted ("null-key").
 */
typedef struct mill_global_table mill_global_table;

/* `options` as for mill_topology_stream. There is no changelog but the topic, no history and no retention. */
MILL_API mill_global_table *mill_topology_global_table(mill_topology *topology, const char *topic,
                                                       const mill_source_options *options, mill_materialized materialized);

/* Names its nodes `name` and `<name>-source`, in place of their generated names. Returns `table`. */
MILL_API mill_global_table *mill_global_table_as(mill_global_table *table, const char *name);

/*
 * Each record with the row under the key that `key` makes of it: the record goes on under its own key. Inner: a record without
 * such a row goes nowhere, one with a null row key is dropped and counted ("null-key"). Left: both go on without a row. `ctx`
 * goes to both functions; `key` also sees records with a null value, which are dropped afterwards.
 */
MILL_API mill_stream *mill_stream_join_global_table(mill_stream *stream, mill_global_table *table, mill_mapper key,
                                                    mill_joiner joiner, void *ctx, mill_joined joined);
MILL_API mill_stream *mill_stream_left_join_global_table(mill_stream *stream, mill_global_table *table, mill_mapper key,
                                                         mill_joiner joiner, void *ctx, mill_joined joined);

/* ---- a table with a table ------------------------------------------------------------------------------------------------ */

/*
 * The rows of equal keys, kept right as either side changes: each update of a row makes an update of the result. Its timestamp is
 * the later one of both rows. The left join has the rows of `table`, the outer join those of either, with null for what the other
 * side lacks. The result has a store under a name only; else operators below that need rows of it join anew.
 *
 * An update joins with the other side's row as that was forwarded last: where updates wait in caches until a commit each result
 * comes once and replaces what was there. In Kafka Streams (and with mill.compat=kafka) it joins with what the cache holds: rows
 * that come in one commit on both sides give their result twice, an aggregation of results then counts both (KAFKA-4609), and
 * rows that go in one commit on both sides leave it behind.
 *
 * As in Kafka Streams an inner join deletes with each deletion on one side while the other has a row, whether or not there was a
 * result; left and outer joins are silent when a row that is not there is deleted and the other side has none.
 */
MILL_API mill_table *mill_table_join(mill_table *table, mill_table *other, mill_joiner joiner, void *ctx,
                                     mill_materialized materialized);
MILL_API mill_table *mill_table_left_join(mill_table *table, mill_table *other, mill_joiner joiner, void *ctx,
                                          mill_materialized materialized);
MILL_API mill_table *mill_table_outer_join(mill_table *table, mill_table *other, mill_joiner joiner, void *ctx,
                                           mill_materialized materialized);

/* ---- a table with a table by a foreign key ------------------------------------------------------------------------------- */

/*
 * The rows of `table`, each with the row of `other` whose key `foreign_key` makes of it; any number may look at the same one.
 * Kept right as either side changes: a change on the right makes an update for each row that looks at it, in the order of their
 * keys. Partitions of the two may differ in number: both sides talk through internal topics, the name in `joined` names those,
 * the nodes and the store in between.
 *
 * A row whose foreign key is null (an empty one is a key) has no result in the inner join ("null-foreign-key" is counted), and
 * one without a right side in the left join. Results of a change on the left have the later time of both rows, of a change on
 * the right its own. An answer that comes after the row has changed again is dropped ("stale-response"). A row that changes, or
 * begins to look at another key, is told when nothing is there, so a deletion of what was not there may come; and an empty value
 * on the right counts as none, as in Kafka Streams. With mill.compat=kafka an inner join does not tell a row that changes and
 * looks at the same key; a result may then outlive the row on the right, if both change within a moment.
 */
MILL_API mill_table *mill_table_foreign_key_join(mill_table *table, mill_table *other, mill_mapper foreign_key,
                                                 mill_joiner joiner, void *ctx, mill_joined joined,
                                                 mill_materialized materialized);
MILL_API mill_table *mill_table_foreign_key_left_join(mill_table *table, mill_table *other, mill_mapper foreign_key,
                                                      mill_joiner joiner, void *ctx, mill_joined joined,
                                                      mill_materialized materialized);

#ifdef __cplusplus
}
#endif
#endif
