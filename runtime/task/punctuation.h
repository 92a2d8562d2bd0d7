/*
 * Callbacks at times: by stream time on a grid from 0, first right after the first record; by wall clock on a grid from when it
 * was scheduled. Slots that were missed fire once (KIP-138).
 *
 * Thread: the task's.
 */
#ifndef TASK_PUNCTUATION_H
#define TASK_PUNCTUATION_H

#include <stdint.h>

#include "base/list.h"
#include "millstream/processor.h"

struct mill_punctuator {
    struct list link;
    mill_context *context;
    int (*punctuate)(mill_context *context, void *self, int64_t timestamp_ms);
    mill_punctuation type;
    int64_t interval_ms;
    int64_t next_ms; /* stream time, or wall time counted by the monotonic clock; INT64_MAX: never again */
    bool cancelled;  /* by its own callback or another's: freed when the round ends */
};

struct punctuation {
    struct list punctuators; /* in the order of scheduling */
    int64_t next_stream_ms;  /* the earliest of each kind; INT64_MAX: none */
    int64_t next_wall_ms;
    bool firing;
};

void punctuation_init(struct punctuation *punctuation);
void punctuation_release(struct punctuation *punctuation);

/* `now_ms`: wall time for the wall clock. NULL: no memory, or interval below 1. */
mill_punctuator *punctuation_schedule(struct punctuation *punctuation, mill_context *context, int64_t interval_ms,
                                      mill_punctuation type, int64_t now_ms,
                                      int (*punctuate)(mill_context *context, void *self, int64_t timestamp_ms));
void punctuation_cancel(struct punctuation *punctuation, mill_punctuator *punctuator);

/*
 * Fires what is due at `time_ms` through `call` (which sets the task's surroundings and calls punctuate). Returns how many fired,
 * or the first error.
 */
int punctuation_fire(struct punctuation *punctuation, mill_punctuation type, int64_t time_ms,
                     int (*call)(void *ctx, mill_punctuator *punctuator, int64_t time_ms), void *ctx);

#endif
