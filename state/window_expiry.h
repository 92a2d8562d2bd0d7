/*
 * When a window expires: once the store's stream time, the largest window start ever put (cache_time), is `retention_ms` past its
 * start. It is then neither read nor written (cache.c), restored (restore.c) or kept on disk (lmdb_store.c: segment by segment).
 *
 * Whether a window is closed for an operator, which has a grace and a time of its own, is another question:
 * operators/window/time_windows.h.
 */
#ifndef STATE_WINDOW_EXPIRY_H
#define STATE_WINDOW_EXPIRY_H

#include <stdint.h>

/*
 * The time as of which windows expire, of a store that was resumed (cache_resume_at): what was put since then has brought it to
 * `resumed_at_ms`, however late the rest is, but not more than `slack_ms` behind it.
 */
static inline int64_t window_resumed_time(int64_t stream_time_ms, int64_t resumed_at_ms, int64_t slack_ms)
{
    int64_t least_ms = stream_time_ms - slack_ms;
    if (stream_time_ms <= resumed_at_ms)
        return stream_time_ms;
    return resumed_at_ms > least_ms ? resumed_at_ms : least_ms;
}

/* Windows that start here or before have expired; -1: none. A retention of 0 keeps all. */
static inline int64_t window_expired_until(int64_t retention_ms, int64_t stream_time_ms)
{
    return retention_ms > 0 && stream_time_ms >= retention_ms ? stream_time_ms - retention_ms : -1;
}

#endif
