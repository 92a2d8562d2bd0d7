/*
 * What operators call: the user's functions, of streams (stream.h) and tables (table.h) alike.
 *
 * What a function gets is borrowed for that call. What it makes lives in static memory, in its arguments, or in
 * mill_context_alloc's, which lasts until the source record is done. A function that returns a negative code ends the record
 * (mill_context_error says why). `ctx` is the caller's; an application may call from several threads at once, each for its own
 * records.
 */
#ifndef MILLSTREAM_OPERATORS_H
#define MILLSTREAM_OPERATORS_H

#include "millstream/processor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef bool (*mill_predicate)(const mill_record *record, void *ctx);

/* Makes bytes from a record: a new value, a new key, a member. `*result` is null on call, and may stay so. */
typedef int (*mill_mapper)(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx);

/* Makes a record from a record. `*result` is a copy of `*record` on call. */
typedef int (*mill_record_mapper)(const mill_record *record, mill_record *result, mill_context *context, void *ctx);

/* Makes any number of records from one, by mill_emit. */
typedef struct mill_emitter mill_emitter;
typedef int (*mill_flat_mapper)(const mill_record *record, mill_emitter *out, void *ctx);

/*
 * Sends a record on; it is processed to the end before this returns, so its bytes are free again. All fields count: one made
 * from nothing needs its timestamp, a copy of the input keeps timestamp and headers. 0, or an error that the mapper returns in
 * turn.
 */
MILL_API MILL_MUST_USE int mill_emit(mill_emitter *out, const mill_record *record);

/* Where the mapper is: for memory, times, and mill_context_drop, which counts a record that is skipped. */
MILL_API mill_context *mill_emitter_context(mill_emitter *out);

typedef void (*mill_visitor)(const mill_record *record, void *ctx);

/* The aggregate of a key that has none. `*aggregate` is null on call. */
typedef int (*mill_initializer)(mill_bytes *aggregate, mill_context *context, void *ctx);

/* `*aggregate` before, and after: other bytes, or null to delete the key. What it pointed at on call is only read. */
typedef int (*mill_aggregator)(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx);

/* As an aggregator whose first aggregate is the first value. */
typedef int (*mill_reducer)(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx);

/* What a record says of an item, and the score that it has now. `*item` is null and `*score` 0 on call. */
typedef int (*mill_ranker)(const mill_record *record, mill_bytes *item, int64_t *score, mill_context *context, void *ctx);

/* Makes one aggregate of two, when sessions of `key` turn out to be one: `*aggregate`, and `other`, which is not null. */
typedef int (*mill_merger)(mill_bytes key, mill_bytes *aggregate, mill_bytes other, mill_context *context, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
