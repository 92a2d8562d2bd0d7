/*
 * Cogroups: several grouped streams folded into one aggregate, each by an aggregator of its own.
 *
 *     mill_cogrouped *both = mill_grouped_cogroup(clicks, add_click, NULL);
 *     mill_cogrouped_add(both, orders, add_order, NULL);
 *     mill_table *customers = mill_cogrouped_aggregate(both, no_customer, NULL, mill_as("customers"));
 *
 * The result goes on with every record of any of the streams, under the rules of the aggregations of stream.h and window.h. The
 * topics behind the streams need equal numbers of partitions; a stream whose key may have changed goes through a repartition
 * topic, and where there are several such, their groups need names (mill_grouped_as), as in Kafka Streams.
 */
#ifndef MILLSTREAM_COGROUP_H
#define MILLSTREAM_COGROUP_H

#include "millstream/stream.h"
#include "millstream/window.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_cogrouped mill_cogrouped;
typedef struct mill_windowed_cogrouped mill_windowed_cogrouped;
typedef struct mill_session_cogrouped mill_session_cogrouped;

MILL_API mill_cogrouped *mill_grouped_cogroup(mill_grouped *grouped, mill_aggregator aggregator, void *ctx);

/* One stream more; one that is there already gets a new aggregator. `ctx` goes with it. Returns `cogrouped`. */
MILL_API mill_cogrouped *mill_cogrouped_add(mill_cogrouped *cogrouped, mill_grouped *grouped, mill_aggregator aggregator,
                                            void *ctx);

/* `ctx` is the initializer's. */
MILL_API mill_table *mill_cogrouped_aggregate(mill_cogrouped *cogrouped, mill_initializer initializer, void *ctx,
                                              mill_materialized materialized);

/* In windows. Each stream has a time of its own, which closes windows for its own records; mill_windowed_late: of all. */
MILL_API mill_windowed_cogrouped *mill_cogrouped_windowed_by(mill_cogrouped *cogrouped, mill_time_windows windows);
MILL_API mill_table *mill_windowed_cogrouped_aggregate(mill_windowed_cogrouped *windowed, mill_initializer initializer, void *ctx,
                                                       mill_materialized materialized);

/* In sessions; `ctx` is the merger's, too. */
MILL_API mill_session_cogrouped *mill_cogrouped_windowed_by_session(mill_cogrouped *cogrouped, mill_session_windows windows);
MILL_API mill_table *mill_session_cogrouped_aggregate(mill_session_cogrouped *windowed, mill_initializer initializer,
                                                      mill_merger merger, void *ctx, mill_materialized materialized);

#ifdef __cplusplus
}
#endif
#endif
