#include "window/idle.h"

#include <stdlib.h>

enum { LOOKS_PER_IDLE_TIME = 4, LOOK_INTERVAL_MS_MAX = 1000 };

int idle_open(struct idle *idle, mill_context *context, int (*punctuate)(mill_context *context, void *self, int64_t timestamp_ms))
{
    const char *set = mill_context_property(context, "mill.idle.ms");
    idle->idle_ms = set == NULL ? 0 : strtoll(set, NULL, 10);
    idle->seen_wall_ms = mill_context_wall_time_ms(context);
    if (idle->idle_ms == 0)
        return 0;
    int64_t interval_ms = idle->idle_ms / LOOKS_PER_IDLE_TIME;
    if (interval_ms > LOOK_INTERVAL_MS_MAX)
        interval_ms = LOOK_INTERVAL_MS_MAX;
    mill_punctuator *punctuator =
        mill_context_schedule(context, interval_ms > 0 ? interval_ms : 1, MILL_PUNCTUATE_WALL_CLOCK, punctuate);
    return punctuator != NULL ? 0 : MILL_ENOMEM;
}

int64_t idle_stream_time_ms(const struct idle *idle, mill_context *context, int64_t last_ms)
{
    int64_t passed_ms = mill_context_wall_time_ms(context) - idle->seen_wall_ms;
    int64_t idle_ms = mill_context_idle_ms(context);
    if (idle_ms < passed_ms)
        passed_ms = idle_ms;
    if (last_ms < 0 || passed_ms < idle->idle_ms || last_ms > INT64_MAX - passed_ms)
        return last_ms;
    return last_ms + passed_ms;
}
