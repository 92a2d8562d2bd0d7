/*
 * Tables: the latest value of each key, as an aggregation makes it. A null value deletes the key.
 *
 * The same promises as in stream.h: handles belong to the topology, calls never fail halfway.
 */
#ifndef MILLSTREAM_TABLE_H
#define MILLSTREAM_TABLE_H

#include "millstream/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_stream mill_stream; /* stream.h */
typedef struct mill_table mill_table;

/*
 * How an aggregation keeps its state. All zero is Kafka Streams' default: a generated store name
 * (KSTREAM-AGGREGATE-STATE-STORE-..., which changes when operators are inserted before it: name what has to live on), on disk,
 * with a changelog, cached, so that each key is forwarded once a commit with its latest value.
 */
typedef struct mill_materialized {
    const char *name;
    bool in_memory;       /* no LMDB; the changelog rebuilds it at start */
    bool without_logging; /* no changelog: lost with the disk */
    bool without_cache;   /* forward every update at once */
    int64_t retention_ms; /* windows: how long they stay readable; 0: size + grace. Less than that is an error */
    const char *const
        *changelog_properties; /* name, value, ..., NULL: properties of the changelog topic; valid as long as the topology */
} mill_materialized;

/* The defaults under a name: mill_windowed_count(views, mill_as("pv")). NULL: a generated one. */
static inline mill_materialized mill_as(const char *name)
{
    mill_materialized materialized = { name, false, false, false, 0, NULL };
    return materialized;
}

/* Every update as a record; deletions have a null value. */
MILL_API mill_stream *mill_table_to_stream(mill_table *table);

/* Every update to a topic: mill_stream_to of mill_table_to_stream. A windowed key is written in Kafka's form (serde.h). */
MILL_API void mill_table_to(mill_table *table, const char *topic);

/* Names the operator that made this table, in place of its generated name. Returns `table`. */
MILL_API mill_table *mill_table_as(mill_table *table, const char *name);

/* The name of the store behind it, for queries. Lives as long as the topology. */
MILL_API const char *mill_table_store_name(const mill_table *table);

#ifdef __cplusplus
}
#endif
#endif
