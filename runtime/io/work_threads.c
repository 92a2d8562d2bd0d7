/*
 * Threads for what blocks: one queue per class, so that a compaction never stands in front of a sync.
 *
 * The queues are unbounded lists through the items; their owners bound them (one sync round, one cold read per fetch, one flush
 * per task at a time).
 */
#include <pthread.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/uv_loop.h"

struct work_queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct list items;
    bool closing;
    pthread_t *threads;
    int thread_count; /* those that were started */
};

struct work_threads {
    struct work_queue queues[WORK_CLASSES];
};

/* Waits for an item; NULL when the queue is closing and empty. */
static struct work_item *take(struct work_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (list_empty(&queue->items) && !queue->closing)
        pthread_cond_wait(&queue->changed, &queue->mutex);
    struct list *link = list_pop_front(&queue->items);
    pthread_mutex_unlock(&queue->mutex);
    return link ? list_entry(link, struct work_item, link) : NULL;
}

static void *work(void *ctx)
{
    struct work_queue *queue = ctx;
    struct work_item *item;
    while ((item = take(queue))) {
        item->run(item);
        uv_loop_complete(item);
    }
    return NULL;
}

void work_threads_submit(struct work_threads *threads, enum work_class class, struct work_item *item)
{
    mill_assert(class < WORK_CLASSES);
    struct work_queue *queue = &threads->queues[class];
    pthread_mutex_lock(&queue->mutex);
    list_push_back(&queue->items, &item->link);
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

/* As debuggers and profilers show the threads of each class. */
static const char *const NAMES[WORK_CLASSES] = { "sync", "read", "background" };

/* Signals are for the program's own threads. False: no thread could be made. */
static bool start_threads(struct work_queue *queue, const char *name, int count)
{
    queue->threads = mem_calloc((size_t)count, sizeof *queue->threads);
    if (!queue->threads)
        return false;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (queue->thread_count < count && pthread_create(&queue->threads[queue->thread_count], NULL, work, queue) == 0)
        pthread_setname_np(queue->threads[queue->thread_count++], name);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return queue->thread_count == count;
}

struct work_threads *work_threads_new(int sync_threads, int read_threads, int background_threads)
{
    const int counts[WORK_CLASSES] = { sync_threads, read_threads, background_threads };
    struct work_threads *threads = mem_calloc(1, sizeof *threads);
    if (!threads)
        return NULL;
    for (int i = 0; i < WORK_CLASSES; i++) {
        pthread_mutex_init(&threads->queues[i].mutex, NULL);
        pthread_cond_init(&threads->queues[i].changed, NULL);
        list_init(&threads->queues[i].items);
    }
    for (int i = 0; i < WORK_CLASSES; i++) {
        mill_assert(counts[i] > 0);
        if (!start_threads(&threads->queues[i], NAMES[i], counts[i])) {
            work_threads_free(threads);
            return NULL;
        }
    }
    return threads;
}

static void stop_threads(struct work_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closing = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    for (int i = 0; i < queue->thread_count; i++)
        pthread_join(queue->threads[i], NULL);
    mem_free(queue->threads);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
}

void work_threads_free(struct work_threads *threads)
{
    if (!threads)
        return;
    for (int i = 0; i < WORK_CLASSES; i++)
        stop_threads(&threads->queues[i]);
    mem_free(threads);
}
