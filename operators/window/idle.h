/*
 * Time that goes on without records. Kafka Streams' time stands still until the next record, so the last windows of a quiet
 * partition never close. With `mill.idle.ms` set, an operator that has seen no record for that long counts its time on with the
 * wall clock: its time is then that of its last record plus what has passed since. What may only be late, as behind an outage
 * of a broker, is not taken for silence (mill_context_idle_ms). Off by default.
 */
#ifndef WINDOW_IDLE_H
#define WINDOW_IDLE_H

#include "millstream/processor.h"

struct idle {
    int64_t idle_ms;      /* 0: off */
    int64_t seen_wall_ms; /* when the last record came */
};

/* In `init`: has `punctuate` called from time to time when it is on. */
MILL_MUST_USE int idle_open(struct idle *idle, mill_context *context,
                            int (*punctuate)(mill_context *context, void *self, int64_t timestamp_ms));

/* A record has come. */
static inline void idle_saw(struct idle *idle, const mill_context *context)
{
    if (idle->idle_ms > 0)
        idle->seen_wall_ms = mill_context_wall_time_ms(context);
}

/* In `punctuate`: the operator's time now, `last_ms` being that of its records; -1 when there was none. */
int64_t idle_stream_time_ms(const struct idle *idle, mill_context *context, int64_t last_ms);

#endif
