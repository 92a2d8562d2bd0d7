/*
 * How values go into an aggregate: what count, reduce and aggregate are, apart from where the aggregate is kept. Windows of
 * every kind fold alike.
 *
 *     uint8_t room[FOLD_ROOM_BYTES];
 *     mill_bytes aggregate = mill_null();
 *     int code = fold_begin(fold, context, &aggregate);
 *     if (code >= 0)
 *         code = fold_add(fold, context, record->key, record->value, room, &aggregate);
 *
 * An aggregate is null (there is none) or bytes that live in `room`, in the arguments, or as long as the record.
 */
#ifndef AGGREGATE_FOLD_H
#define AGGREGATE_FOLD_H

#include "millstream/stream.h"
#include "table/view.h"

enum { FOLD_ROOM_BYTES = 8 };

struct fold {
    const struct fold_type *type;
    mill_initializer initializer;
    mill_aggregator aggregator;
    mill_reducer reducer;
    void *ctx;
    mill_merger merger; /* of sessions; else NULL */
    size_t n;           /* of the largest */
    void *common_ctx;   /* of initializer and merger, which several streams have in common */
};

struct fold_type {
    /* NULL: an aggregate begins as null. */
    int (*begin)(const struct fold *fold, mill_context *context, mill_bytes *aggregate);
    int (*add)(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value, uint8_t room[FOLD_ROOM_BYTES],
               mill_bytes *aggregate);
    /* The aggregate of two sessions that have become one; `other` is not null. */
    int (*merge)(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other, uint8_t room[FOLD_ROOM_BYTES],
                 mill_bytes *aggregate);
    /* What goes on of an aggregate, in `room`. NULL: the aggregate itself. */
    int (*show)(mill_context *context, mill_bytes aggregate, uint8_t room[FOLD_ROOM_BYTES], mill_bytes *result);
};

extern const struct fold_type fold_count, fold_reduce, fold_aggregate;

/* distinct_fold.c: of values that are never null, their number, about and exactly. */
extern const struct fold_type fold_sketch, fold_set;

/* The node above those: makes each record's value the member to count, and drops what has none as "null-member". */
struct fold_member {
    mill_mapper mapper; /* NULL: the value is the member */
    void *ctx;
};
extern const mill_processor_type fold_member_type;

/* top_n_fold.c: of values that are lists, the n entries with the largest scores. */
extern const struct fold_type fold_top_n;

/* The node above it: makes each record's value a list of one entry. */
struct fold_ranking {
    mill_ranker ranker;
    void *ctx;
};
extern const mill_processor_type fold_ranking_type;

/* How the table of what goes on is read, where `show` is given: its parent is the store's view, its argument a struct fold. */
extern const struct table_view_type fold_view_type;

/* folded.c: without windows. */
struct folded_argument {
    const char *store;
    struct fold fold;
};
extern const mill_processor_type folded_type;

static inline int fold_begin(const struct fold *fold, mill_context *context, mill_bytes *aggregate)
{
    *aggregate = mill_null();
    return fold->type->begin == NULL ? 0 : fold->type->begin(fold, context, aggregate);
}

static inline int fold_add(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value,
                           uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    return fold->type->add(fold, context, key, value, room, aggregate);
}

static inline int fold_merge(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other,
                             uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    return fold->type->merge(fold, context, key, other, room, aggregate);
}

#endif
