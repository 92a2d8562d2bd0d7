#include "window/on_close.h"

#include <stdlib.h>

#include "base/saturate.h"

static const char INTERVAL[] = "__emit.interval.ms.kstreams.windowed.aggregation__";

void on_close_open(struct on_close *on_close, mill_context *context, mill_emit_strategy strategy, const char *store)
{
    const char *interval = mill_context_property(context, INTERVAL);
    *on_close = (struct on_close){ .on = strategy == MILL_EMIT_ON_WINDOW_CLOSE,
                                   .as_kafka = compat_is_kafka(context),
                                   .store = store,
                                   .interval_ms = interval == NULL ? 1000 : strtoll(interval, NULL, 10),
                                   .close_ms = -1 };
    if (on_close->on)
        (void)mill_context_remembered(context, store, &on_close->close_ms);
}

bool on_close_due(struct on_close *on_close, const mill_context *context, int64_t close_ms, bool now)
{
    int64_t wall_ms = mill_context_wall_time_ms(context);
    if (wall_ms < on_close->next_wall_ms && !now)
        return false;
    on_close->next_wall_ms = saturated_sum(wall_ms, on_close->interval_ms);
    return close_ms > on_close->close_ms;
}

int on_close_done(struct on_close *on_close, mill_context *context, int64_t close_ms)
{
    on_close->close_ms = close_ms;
    return mill_context_remember(context, on_close->store, close_ms);
}
