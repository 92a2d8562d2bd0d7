/*
 * The registry of numbers that a running process shows: counters that only grow, and gauges.
 *
 * A metric is made once, by name, and then counted with one relaxed atomic addition; nothing is looked up on the way of a record.
 * Names are those of the reference for operators (`mill_broker_...`), labels are part of the name as Prometheus writes them:
 * `mill_broker_requests_total{api="Fetch"}`.
 *
 * Thread: metrics_counter and metrics_each take a lock, adding does not; all may be called from any.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    atomic_int_fast64_t value;
    enum metric_kind kind;
    char *name;
    struct metric *next;
};

struct metrics;

struct metrics *metrics_new(void);          /* NULL: no memory */
void metrics_free(struct metrics *metrics); /* NULL is a no-op; no metric of it is used any more */

/* The metric of that name, made when it is new; lives as long as the registry. NULL: no memory (metric_add then does nothing). */
struct metric *metrics_get(struct metrics *metrics, enum metric_kind kind, const char *name);

static inline void metric_add(struct metric *metric, int64_t amount)
{
    if (metric)
        atomic_fetch_add_explicit(&metric->value, amount, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t value)
{
    if (metric)
        atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

/* Calls back for each metric, in the order of making. The callback makes no metrics. */
void metrics_each(struct metrics *metrics, void (*each)(void *ctx, const char *name, enum metric_kind kind, int64_t value),
                  void *ctx);

#endif
