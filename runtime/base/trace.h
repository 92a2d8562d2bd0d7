/*
 * Diagnostics. A *log* is always a partition log; what a person reads on standard error is a trace.
 *
 * A line: `2026-11-21T12:00:00.123Z INFO  broker: topic access-log: created with 4 partitions`. It says what happened, where and,
 * for warnings and errors, what to do. Never on the record path. Any thread; lines are not interleaved. Bytes from peers are
 * printed with control characters escaped. A line above 1 KiB is cut and ends in "...".
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdint.h>

enum trace_level { TRACE_DEBUG, TRACE_INFO, TRACE_WARN, TRACE_ERROR, TRACE_OFF };

/* Process-wide. Default TRACE_WARN. */
void trace_set_level(enum trace_level level);
enum trace_level trace_get_level(void);

/*
 * For tests and embedders: whole lines, without a newline, go here instead of standard error. NULL restores it. `line` is valid
 * for the call, during which the sink may not trace.
 */
void trace_set_sink(void (*sink)(void *ctx, enum trace_level level, const char *line), void *ctx);

/* Where a line's time comes from (milliseconds since 1970 UTC): io sets it with the first loop. NULL: lines have no time. */
void trace_set_clock(int64_t (*wall_ms)(void *ctx), void *ctx);

void trace_line(enum trace_level level, const char *where, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define trace_debug(where, ...) trace_line(TRACE_DEBUG, where, __VA_ARGS__)
#define trace_info(where, ...)  trace_line(TRACE_INFO, where, __VA_ARGS__)
#define trace_warn(where, ...)  trace_line(TRACE_WARN, where, __VA_ARGS__)
#define trace_error(where, ...) trace_line(TRACE_ERROR, where, __VA_ARGS__)

#endif
