#include "metrics/metrics.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

struct metrics {
    pthread_mutex_t lock;
    struct metric *first;
    struct metric **last;
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = mem_calloc(1, sizeof *metrics);
    if (!metrics)
        return NULL;
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->last = &metrics->first;
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (struct metric *metric = metrics->first, *next; metric; metric = next) {
        next = metric->next;
        mem_free(metric->name);
        mem_free(metric);
    }
    pthread_mutex_destroy(&metrics->lock);
    mem_free(metrics);
}

static struct metric *make(struct metrics *metrics, enum metric_kind kind, const char *name)
{
    struct metric *metric = mem_calloc(1, sizeof *metric);
    char *copy = mem_strdup(name);
    if (!metric || !copy) {
        mem_free(metric);
        mem_free(copy);
        return NULL;
    }
    metric->kind = kind;
    metric->name = copy;
    *metrics->last = metric;
    metrics->last = &metric->next;
    return metric;
}

struct metric *metrics_get(struct metrics *metrics, enum metric_kind kind, const char *name)
{
    pthread_mutex_lock(&metrics->lock);
    struct metric *metric = metrics->first;
    while (metric && strcmp(metric->name, name) != 0)
        metric = metric->next;
    if (!metric)
        metric = make(metrics, kind, name);
    pthread_mutex_unlock(&metrics->lock);
    return metric;
}

void metrics_each(struct metrics *metrics, void (*each)(void *ctx, const char *name, enum metric_kind kind, int64_t value),
                  void *ctx)
{
    pthread_mutex_lock(&metrics->lock);
    for (struct metric *metric = metrics->first; metric; metric = metric->next)
        each(ctx, metric->name, metric->kind, atomic_load_explicit(&metric->value, memory_order_relaxed));
    pthread_mutex_unlock(&metrics->lock);
}
