/*
 * An operator's stream time, kept over restarts: it goes with the positions that are committed, so that closed windows stay
 * closed, and what is read again is as late as it was, whatever a crash left in the stores. Kafka Streams' operators begin anew,
 * which mill.compat=kafka does not follow.
 */
#ifndef WINDOW_KEPT_TIME_H
#define WINDOW_KEPT_TIME_H

#include "millstream/processor.h"

/*
 * In `init`: `*time_ms` becomes what it was at the last commit, else -1, and is read at each commit until the processor is
 * closed. `of` names it in the task: the node, or what several nodes share. 0 or MILL_ENOMEM.
 */
MILL_MUST_USE static inline int keep_time(mill_context *context, const char *of, int64_t *time_ms)
{
    *time_ms = -1;
    return mill_context_keep(context, of, time_ms);
}

#endif
