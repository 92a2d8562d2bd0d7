/* A ring under a mutex. `taken` counts reserved and sent slots together; a slot is free again once its message is received. */
#include "base/queue.h"

#include <pthread.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"

struct queue {
    const char *name;
    pthread_mutex_t mutex;
    size_t capacity;
    size_t taken;
    size_t sent; /* messages in the ring; sent <= taken <= capacity */
    size_t first;
    void *ring[];
};

struct queue *queue_new(const char *name, size_t capacity)
{
    mill_assert(capacity > 0);
    struct queue *queue = capacity > SIZE_MAX / sizeof(void *) / 2 ? NULL : mem_alloc(sizeof *queue + capacity * sizeof(void *));
    if (!queue)
        return NULL;
    *queue = (struct queue){ .name = name, .capacity = capacity };
    if (pthread_mutex_init(&queue->mutex, NULL) != 0) {
        mem_free(queue);
        return NULL;
    }
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    mill_assert(queue->sent == 0);
    pthread_mutex_destroy(&queue->mutex);
    mem_free(queue);
}

bool queue_reserve(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool free_slot = queue->taken < queue->capacity;
    queue->taken += free_slot;
    pthread_mutex_unlock(&queue->mutex);
    return free_slot;
}

void queue_unreserve(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    mill_assert(queue->taken > queue->sent);
    queue->taken--;
    pthread_mutex_unlock(&queue->mutex);
}

bool queue_send(struct queue *queue, void *message)
{
    pthread_mutex_lock(&queue->mutex);
    mill_assert(queue->sent < queue->taken); /* the sender has reserved */
    bool was_empty = queue->sent == 0;
    queue->ring[(queue->first + queue->sent++) % queue->capacity] = message;
    pthread_mutex_unlock(&queue->mutex);
    return was_empty;
}

size_t queue_receive(struct queue *queue, void **messages, size_t max)
{
    pthread_mutex_lock(&queue->mutex);
    size_t count = queue->sent < max ? queue->sent : max;
    for (size_t i = 0; i < count; i++)
        messages[i] = queue->ring[(queue->first + i) % queue->capacity];
    queue->first = (queue->first + count) % queue->capacity;
    queue->sent -= count;
    queue->taken -= count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}
