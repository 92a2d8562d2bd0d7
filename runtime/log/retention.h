/*
 * Which of the oldest segments have to go.
 *
 * By size, as Kafka: while what stays behind is still at least retention.bytes. By age: a segment goes when `retention.ms` have
 * passed since the later of its largest record timestamp and its last append. Kafka looks at the record timestamp alone, so that
 * replaying an old history deletes results and changelogs before anyone has read them; retention_by_record_time brings that rule
 * back. A log whose cleanup.policy lacks `delete` never ages. Below the log start everything goes (DeleteRecords). Nothing at or
 * above the high watermark goes.
 *
 * Pure: no I/O, no clock.
 */
#ifndef LOG_RETENTION_H
#define LOG_RETENTION_H

#include <stddef.h>
#include <stdint.h>

#include "log/log_config.h"

struct retention_view {
    int64_t end_offset; /* where the next segment begins, or the log ends */
    int64_t bytes;
    int64_t max_timestamp_ms; /* -1: none */
    int64_t last_append_ms;   /* wall time */
};

struct retention_bounds {
    int64_t log_start;
    int64_t high_watermark;
    int64_t now_ms; /* wall time */
};

/* How many of `views`, oldest first, go. */
size_t retention_count(const struct log_config *config, const struct retention_view *views, size_t count,
                       struct retention_bounds bounds);

#endif
