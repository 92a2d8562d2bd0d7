/*
 * Emission on window close (Kafka's KIP-825): when an operator looks for windows that have closed, and how far it has come.
 *
 * Windows close when the operator's time passes their end and grace. Their results go on with the next record after that, at most
 * once per `__emit.interval.ms.kstreams.windowed.aggregation__` of wall time. The close time of the last emission goes with the
 * committed offsets, so that nothing is emitted twice after a restart.
 *
 * Kafka Streams first takes the record and then emits, so that a jump in time that is larger than the retention loses what it
 * has closed. Here the windows go on before the record that closes them is taken, and also between two intervals when they would
 * expire; mill.compat=kafka restores its order.
 */
#ifndef WINDOW_ON_CLOSE_H
#define WINDOW_ON_CLOSE_H

#include "compat.h"
#include "millstream/stores.h"
#include "millstream/window.h"

struct on_close {
    bool on;              /* false: the operator emits on update, and nothing here is called */
    bool as_kafka;        /* mill.compat=kafka: emit after the record is taken */
    const char *store;    /* under whose name the close time is remembered */
    int64_t interval_ms;  /* of wall time */
    int64_t next_wall_ms; /* the next look, not before */
    int64_t close_ms;     /* of the last emission; -1 before */
};

void on_close_open(struct on_close *on_close, mill_context *context, mill_emit_strategy strategy, const char *store);

/* Whether to look now for windows that close at `close_ms`; `now`: before they expire. Counts as a look. */
bool on_close_due(struct on_close *on_close, const mill_context *context, int64_t close_ms, bool now);

/* Everything that closes at `close_ms` or before has gone on. */
MILL_MUST_USE int on_close_done(struct on_close *on_close, mill_context *context, int64_t close_ms);

#endif
