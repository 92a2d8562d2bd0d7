/*
 * The functions that operators call, numbered, each with the same meaning here and in Catalogue.java. The number goes in as
 * `ctx`.
 *
 * They work on bytes: keys and values may be letters, counts or windowed keys. Nothing that they make is longer than 40 bytes:
 * what would be becomes `#` and its checksum, so that every difference stays visible.
 */
#ifndef CONFORMANCE_CATALOGUE_H
#define CONFORMANCE_CATALOGUE_H

#include "millstream/millstream.h"

enum {
    PREDICATES = 8,
    VALUE_MAPPERS = 8,
    KEY_MAPPERS = 7,
    FLAT_MAPPERS = 4,
    REDUCERS = 5,
    INITIALIZERS = 3,
    AGGREGATORS = 5,
    JOINERS = 5,
    MERGERS = 3,
};

/* A function's number as ctx. */
static inline void *catalogue_number(int64_t number)
{
    return (void *)(intptr_t)number;
}

bool catalogue_predicate(const mill_record *record, void *ctx);
int catalogue_value(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx);
int catalogue_key(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx);
int catalogue_record(const mill_record *record, mill_record *result, mill_context *context, void *ctx); /* key * 8 + value */
int catalogue_flat(const mill_record *record, mill_emitter *out, void *ctx);
/* Beyond REDUCERS, and for settled.h alone: 5 adds what catalogue_to_number makes of both, 6 subtracts. */
int catalogue_reduce(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx);
int catalogue_initial(mill_bytes *aggregate, mill_context *context, void *ctx); /* aggregator * 8 + initializer */
int catalogue_aggregate(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx);
int catalogue_merge(mill_bytes key, mill_bytes *aggregate, mill_bytes other, mill_context *context, void *ctx); /* / 64 */
int catalogue_join(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx);

/* What text is as a number; what is none is one, too. */
int64_t catalogue_to_number(mill_bytes text);

#endif
