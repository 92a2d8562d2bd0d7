/*
 * The aggregations of a stream by key and session: records of a key that are at most a gap apart are one session, whose window is
 * the closed interval of their timestamps.
 *
 * A record merges all sessions of its key that lie within the gap. Where that makes another window, the old ones go on as
 * deletions, in the order of (end, start), with their ends as timestamps; then the new one, with its end. A record is late, and
 * dropped, when the session that it would make has ended before stream time minus gap and grace.
 */
#ifndef WINDOW_SESSIONS_H
#define WINDOW_SESSIONS_H

#include "aggregate/aggregate.h"
#include "aggregate/fold.h"
#include "window/idle.h"
#include "window/on_close.h"

struct sessions_argument {
    const char *store;
    mill_session_windows windows;
    mill_emit_strategy emit;
    const char *const *late; /* the name of the child that gets late records, or NULL */
    struct fold fold;
};
extern const mill_processor_type sessions_type;

#endif
