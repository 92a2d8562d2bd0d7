/*
 * Keeps `__consumer_offsets` short: a partition whose records have mostly been overtaken by later ones is written anew from the
 * groups in memory, behind its end, and then begins there.
 *
 *      | overtaken records ... | what is live now | what comes later ... |
 *                              ^ the log's start, once all of it is durable
 *
 * Every record of the partition goes through the coordinator, so memory has what the log has, except for writes under way: a
 * partition with any is left for the next time. A crash before the start has moved leaves a longer log and nothing else.
 * To readers the log looks as if compacted and aged, which is what Kafka's own compaction leaves.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_GROUP_OFFSETS_REWRITE_H
#define BROKER_GROUP_OFFSETS_REWRITE_H

#include "io/io.h"

struct coordinator;

/* A partition is worth it from this many records on, of which at most one in REWRITE_LIVE_SHARE is live. */
enum { REWRITE_RECORDS_MIN = 50000, REWRITE_LIVE_SHARE = 4 };

/* Rewrites the first partition that is worth it; one at a time. Every few minutes. */
void offsets_rewrite_look(struct coordinator *coordinator, struct io_time now);

#endif
