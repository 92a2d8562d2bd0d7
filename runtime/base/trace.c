/*
 * One line at a time to standard error or to a sink, under a mutex so that lines of several threads stay whole.
 *
 * It has no clock of its own: the first loop over the real world brings one (io/uv_loop.c), and a line before that has no time.
 */
#include "base/trace.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE_BYTES = 1024, ESCAPED_BYTES_MAX = 4 };

static _Atomic enum trace_level level_now = TRACE_WARN;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by the mutex. */
static void (*sink_now)(void *ctx, enum trace_level level, const char *line);
static void *sink_ctx;
static int64_t (*clock_now)(void *ctx);
static void *clock_ctx;

static const char *const level_names[] = { "DEBUG", "INFO", "WARN", "ERROR", "OFF" };

void trace_set_level(enum trace_level level)
{
    atomic_store_explicit(&level_now, level, memory_order_relaxed);
}

enum trace_level trace_get_level(void)
{
    return atomic_load_explicit(&level_now, memory_order_relaxed);
}

void trace_set_sink(void (*sink)(void *ctx, enum trace_level level, const char *line), void *ctx)
{
    pthread_mutex_lock(&mutex);
    sink_now = sink;
    sink_ctx = ctx;
    pthread_mutex_unlock(&mutex);
}

void trace_set_clock(int64_t (*wall_ms)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&mutex);
    clock_now = wall_ms;
    clock_ctx = ctx;
    pthread_mutex_unlock(&mutex);
}

static size_t write_time(char *line, size_t size)
{
    if (!clock_now)
        return 0;
    int64_t wall_ms = clock_now(clock_ctx);
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm date;
    gmtime_r(&seconds, &date);
    size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &date);
    return len + (size_t)snprintf(line + len, size - len, ".%03dZ ", (int)(wall_ms % 1000));
}

static size_t write_head(char *line, size_t size, enum trace_level level, const char *where)
{
    size_t len = write_time(line, size);
    int more = snprintf(line + len, size - len, "%-5s %s: ", level_names[level], where);
    return len + (size_t)more < size ? len + (size_t)more : size - 1;
}

/* A terminal would obey it: C0, DEL, and C1, whose code points UTF-8 starts with 0xc2. */
static bool is_control(const char *at)
{
    unsigned char c = (unsigned char)at[0];
    return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xa0);
}

/* Copies `text` behind the head, control characters as \xNN; what finds no room is cut and marked. */
static void append_escaped(char line[LINE_BYTES], size_t len, const char *text)
{
    for (; *text; text++) {
        if (len + ESCAPED_BYTES_MAX + sizeof "..." > LINE_BYTES) {
            memcpy(line + len, "...", 3);
            len += 3;
            break;
        }
        if (is_control(text))
            len += (size_t)snprintf(line + len, ESCAPED_BYTES_MAX + 1, "\\x%02x", (unsigned)(unsigned char)*text);
        else
            line[len++] = *text;
    }
    line[len] = '\0';
}

void trace_line(enum trace_level level, const char *where, const char *format, ...)
{
    if (level < trace_get_level() || level >= TRACE_OFF)
        return;
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    char line[LINE_BYTES];
    pthread_mutex_lock(&mutex);
    append_escaped(line, write_head(line, LINE_BYTES / 2, level, where), text);
    if (sink_now)
        sink_now(sink_ctx, level, line);
    else
        fprintf(stderr, "%s\n", line);
    pthread_mutex_unlock(&mutex);
}
