/*
 * A named, bounded queue of pointers between threads: any number of senders, one receiver.
 *
 * Room is taken before work starts (queue_reserve), so that a send never blocks and never drops: a client spends a credit per
 * request, and a completion queue has a slot per credit. A mutex inside; one call moves one message, never one record.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue;

/* `name` is static and appears in traces. NULL: no memory. */
struct queue *queue_new(const char *name, size_t capacity);
void queue_free(struct queue *queue); /* messages still in it are the caller's to drain first */

/* Takes a slot for one later queue_send; false when all are taken. Any thread. */
bool queue_reserve(struct queue *queue);
void queue_unreserve(struct queue *queue);

/* Sends into a reserved slot. Returns true when the queue was empty: the receiver is to be woken. Any thread. */
bool queue_send(struct queue *queue, void *message);

/* The receiver: takes up to `max` messages; the slots are free again. Returns how many. */
size_t queue_receive(struct queue *queue, void **messages, size_t max);

#endif
