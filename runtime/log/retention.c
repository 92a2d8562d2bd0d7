/* Three rules, asked of each segment from the oldest on until one stays. */
#include "log/retention.h"

#include <stdbool.h>

static bool is_expired(const struct log_config *config, const struct retention_view *view, int64_t now_ms)
{
    if (!config->cleanup_delete || config->retention_ms < 0)
        return false;
    int64_t since = view->last_append_ms;
    if (view->max_timestamp_ms >= 0 && (config->retention_by_record_time || view->max_timestamp_ms > since))
        since = view->max_timestamp_ms;
    /* Written so that a timestamp from far in the future, or the past, does not overflow. */
    return since < now_ms && (uint64_t)now_ms - (uint64_t)since > (uint64_t)config->retention_ms;
}

static bool is_surplus(const struct log_config *config, const struct retention_view *view, int64_t bytes_from_here)
{
    return config->cleanup_delete && config->retention_bytes >= 0 && bytes_from_here - view->bytes >= config->retention_bytes;
}

size_t retention_count(const struct log_config *config, const struct retention_view *views, size_t count,
                       struct retention_bounds bounds)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += views[i].bytes;

    size_t gone = 0;
    for (; gone < count; gone++) {
        const struct retention_view *view = &views[gone];
        bool below_start = view->end_offset <= bounds.log_start;
        if (view->end_offset > bounds.high_watermark)
            break;
        if (!below_start && !is_expired(config, view, bounds.now_ms) && !is_surplus(config, view, bytes))
            break;
        bytes -= view->bytes;
    }
    return gone;
}
