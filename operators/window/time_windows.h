/*
 * Which time windows a record falls into, and which of them are still open.
 *
 * Windows are [start, end) with starts at the multiples of the advance from the first start on, which is 0 but for unlimited
 * windows. Time is the operator's own: the largest timestamp that has reached it. A window is closed once that time is at its end
 * plus grace. No sum here can overflow for any timestamp from 0 and any windows that the DSL accepts.
 *
 *     struct window_walk walk = time_windows_begin(&operator->time, record->timestamp_ms);
 *     do
 *         if (walk_is_late(&walk)) ... else ... walk.start_ms ...
 *     while (walk_next(&walk));
 */
#ifndef WINDOW_TIME_WINDOWS_H
#define WINDOW_TIME_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "millstream/window.h"

struct time_windows {
    mill_time_windows windows;
    int64_t stream_time_ms; /* of this operator; -1 before its first record */
    int64_t slot_ms;        /* a multiple of the advance: neighbours in time are found without a division */
};

struct window_walk {
    int64_t start_ms; /* the window at hand, oldest first */
    int64_t timestamp_ms;
    int64_t advance_ms;
    int64_t closed_start_ms; /* windows that start here or before are closed */
};

static inline int64_t time_windows_first(struct time_windows *time, int64_t timestamp_ms)
{
    int64_t least = timestamp_ms - time->windows.first_ms - time->windows.size_ms + time->windows.advance_ms;
    if (least <= 0)
        return time->windows.first_ms;
    if ((uint64_t)least - (uint64_t)time->slot_ms >= (uint64_t)time->windows.advance_ms)
        time->slot_ms = least - least % time->windows.advance_ms;
    return time->windows.first_ms + time->slot_ms;
}

/* The close time is past the end of windows that start here or before. */
static inline int64_t time_windows_closed_start(const struct time_windows *time)
{
    return time->stream_time_ms - time->windows.grace_ms - time->windows.size_ms;
}

/* False: the record lies before the first window. */
static inline bool time_windows_hold(const struct time_windows *time, int64_t timestamp_ms)
{
    return timestamp_ms >= time->windows.first_ms;
}

/* Moves the operator's time on and stands at the oldest window of the record. There is always one. */
static inline struct window_walk time_windows_begin(struct time_windows *time, int64_t timestamp_ms)
{
    if (timestamp_ms > time->stream_time_ms)
        time->stream_time_ms = timestamp_ms;
    struct window_walk walk = { .start_ms = time_windows_first(time, timestamp_ms),
                                .timestamp_ms = timestamp_ms,
                                .advance_ms = time->windows.advance_ms,
                                .closed_start_ms = time_windows_closed_start(time) };
    return walk;
}

static inline bool walk_is_late(const struct window_walk *walk)
{
    return walk->start_ms <= walk->closed_start_ms;
}

/* To the next window; false: there is none. */
static inline bool walk_next(struct window_walk *walk)
{
    if (walk->timestamp_ms - walk->start_ms < walk->advance_ms)
        return false;
    walk->start_ms += walk->advance_ms;
    return true;
}

#endif
