/*
 * Sorts updates by (window start, key) and keeps the last of each: what turns a changelog or a frozen commit into ascending
 * writes.
 *
 * Updates are scattered into buckets, each a range of keys, that fit the processor's cache. A bucket that is full forgets what
 * was written over; if it stays full it is split at its median. So the splitters follow the keys as they come, whatever they
 * share at the front, and memory follows the number of keys, not of updates.
 *
 * Thread: one at a time.
 */
#ifndef STATE_SORTER_H
#define STATE_SORTER_H

#include "state/radix.h"
#include "state/run.h"

struct sorter_bucket;

struct sorter {
    struct sorter_bucket *buckets; /* ascending */
    uint64_t *first;               /* of each bucket: eight bytes of its least key, behind what all of these share, */
    uint64_t *second;              /* and the next eight */
    size_t bucket_count;
    size_t bucket_capacity;
    mill_bytes common; /* what the least keys share; lies in the second bucket's */
    size_t bytes;      /* of memory */
    uint64_t added;
    uint32_t *places; /* working memory, while a bucket is cleaned or sorted */
    struct radix_pair *pairs;
    size_t place_capacity;
    size_t pair_capacity;
};

void sorter_init(struct sorter *sorter);
void sorter_release(struct sorter *sorter);
void sorter_clear(struct sorter *sorter);

/* Copies. MILL_ENOMEM: the update is not in it, what was before is. */
int sorter_add(struct sorter *sorter, const struct run_update *update);

/*
 * Every key's last update in ascending order; views for the call. A non-zero return of `each` ends it and is returned. Adding on
 * is allowed.
 */
int sorter_each(struct sorter *sorter, int (*each)(void *ctx, const struct run_update *update), void *ctx);

#endif
