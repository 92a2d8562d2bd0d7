/* The three ways to fold values into an aggregate. */
#include "aggregate/fold.h"

#include "aggregate/aggregate.h"
#include "millstream/serde.h"

/* ---- count: 8 bytes big-endian ------------------------------------------------------------------------------------------- */

static int count_more(mill_context *context, int64_t more, uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    int64_t number;
    int code = result_read_count(context, *aggregate, &number);
    if (code >= 0)
        *aggregate = mill_int64_write(room, number + more);
    return code;
}

static int begin_count(const struct fold *fold, mill_context *context, mill_bytes *aggregate)
{
    static const uint8_t ZERO[8];
    *aggregate = mill_bytes_of(ZERO, sizeof ZERO);
    return 0;
}

static int add_to_count(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value,
                        uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    return count_more(context, 1, room, aggregate);
}

static int merge_counts(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other,
                        uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    int64_t more;
    int code = result_read_count(context, other, &more);
    return code < 0 ? code : count_more(context, more, room, aggregate);
}

const struct fold_type fold_count = { .begin = begin_count, .add = add_to_count, .merge = merge_counts };

/* ---- reduce: the first value stands as it is ----------------------------------------------------------------------------- */

static int add_to_reduced(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value,
                          uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    if (!mill_is_null(*aggregate))
        return fold->reducer(aggregate, value, context, fold->ctx);
    *aggregate = value;
    return 0;
}

static int merge_reduced(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other,
                         uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    return add_to_reduced(fold, context, key, other, room, aggregate);
}

const struct fold_type fold_reduce = { .add = add_to_reduced, .merge = merge_reduced };

/* ---- aggregate: of the user's making ------------------------------------------------------------------------------------- */

static int begin_aggregate(const struct fold *fold, mill_context *context, mill_bytes *aggregate)
{
    return fold->initializer(aggregate, context, fold->common_ctx);
}

static int add_to_aggregate(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value,
                            uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    return fold->aggregator(key, value, aggregate, context, fold->ctx);
}

static int merge_aggregates(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other,
                            uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    return fold->merger(key, aggregate, other, context, fold->common_ctx);
}

const struct fold_type fold_aggregate = { .begin = begin_aggregate, .add = add_to_aggregate, .merge = merge_aggregates };
