/*
 * Which leader epoch each stretch of the log was written under: `leader-epoch-checkpoint`.
 *
 *      0                   the file's version
 *      2                   how many entries
 *      0 0                 epoch, its first offset
 *      3 1042
 *
 * Both columns strictly increase. The file is as young as the last recovery point; what came later is learned again from the
 * batches, each of which carries its epoch. Followers and consumers ask it where two logs part (KIP-101).
 *
 * Thread: the loop that owns the log.
 */
#ifndef LOG_EPOCH_CACHE_H
#define LOG_EPOCH_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "millstream/bytes.h"
#include "millstream/error.h"

#define EPOCH_FILE "leader-epoch-checkpoint"

/* A leader changes rarely: more than this many entries is not a file that a broker wrote. */
enum { EPOCH_CACHE_ENTRIES_MAX = 1 << 20 };

struct epoch_entry {
    int32_t epoch;
    int64_t start_offset;
};

struct epoch_cache {
    struct epoch_entry *entries; /* owned */
    size_t count;
    size_t capacity;
    bool changed; /* since the last epoch_cache_encode */
};

void epoch_cache_init(struct epoch_cache *cache);
void epoch_cache_release(struct epoch_cache *cache);

/* Makes room for one more entry, so that the next note cannot fail. 0 or MILL_ENOMEM. */
MILL_MUST_USE int epoch_cache_reserve(struct epoch_cache *cache);

/*
 * A batch of `epoch` begins at `start_offset`. Only a new epoch adds an entry; its room was reserved. The log is written by the
 * newest leader: an entry with a larger epoch is not true (a flipped bit that recovery could not tell from a new leader) and
 * goes.
 */
void epoch_cache_note(struct epoch_cache *cache, int32_t epoch, int64_t start_offset);

/* -1 when empty. */
int32_t epoch_cache_latest(const struct epoch_cache *cache);

/* The epoch that `offset` was written under, and the offset where the next epoch begins (INT64_MAX: none). -1: not known. */
int32_t epoch_cache_at(const struct epoch_cache *cache, int64_t offset, int64_t *until);

/* See partition_log_epoch_end. */
bool epoch_cache_end(const struct epoch_cache *cache, int32_t epoch, int64_t log_end, int32_t *found_epoch, int64_t *end_offset);

/* The log's tail is cut at `end_offset`, or its front moves to `start_offset`. */
void epoch_cache_truncate_end(struct epoch_cache *cache, int64_t end_offset);
void epoch_cache_truncate_start(struct epoch_cache *cache, int64_t start_offset);

/* Appends the file's text; text->failed says when there is no memory. */
void epoch_cache_encode(struct epoch_cache *cache, struct buffer *text);

/* Fills an empty cache. MILL_ECORRUPT, which leaves it empty: learn it from the log; MILL_ENOMEM. */
MILL_MUST_USE int epoch_cache_decode(struct epoch_cache *cache, mill_bytes text);

#endif
