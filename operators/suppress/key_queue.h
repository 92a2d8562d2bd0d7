/*
 * Keys in the order of (time, key bytes): a heap. A key is in it once and leaves from the front.
 *
 * Keys are copied, one behind the other, into memory that is closed up when half of it is of keys that have left; so pushing
 * allocates only when all of it grows.
 */
#ifndef SUPPRESS_KEY_QUEUE_H
#define SUPPRESS_KEY_QUEUE_H

#include "base/buffer.h"

struct key_queue {
    struct queued_key *heap;
    size_t count;
    size_t capacity;
    struct buffer keys;
    size_t left_bytes; /* of keys that have left */
};

void key_queue_init(struct key_queue *queue);
void key_queue_release(struct key_queue *queue);

/* MILL_ENOMEM changes nothing. */
int key_queue_push(struct key_queue *queue, int64_t time_ms, mill_bytes key);

/* The first; INT64_MAX when there is none. */
int64_t key_queue_first_time_ms(const struct key_queue *queue);
/* A view until the next push or pop. Not of an empty queue. */
mill_bytes key_queue_first_key(const struct key_queue *queue);
void key_queue_pop(struct key_queue *queue);

#endif
