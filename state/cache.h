/*
 * The write-back cache of one store: what is newer than the disk, and of the rest what was used lately.
 *
 * An entry has its current value and, through the undo log, those before it: the one last given to the listener and the one last
 * committed. Writing pushes an undo record when the entry was not yet dirty (or, without caching, not yet written in this
 * commit), so the log lists each entry that a commit touched, and going back is walking it. Nothing is linked or moved per write:
 * the order of last writes is a number in the entry, sorted when the commit comes. What is made and deleted within a commit,
 * with nobody told of it, vanishes at once.
 *
 *      cache_put          current value, dirty
 *      cache_next_dirty   at flush_cache, by order of last write
 *      cache_freeze       copies what this commit wrote into a run for the disk; no writing until the next two
 *      cache_committed    the undo log is forgotten       cache_roll_back   it is walked backwards
 *      cache_flushed      the disk has all up to a commit: those entries may now be dropped
 *
 * Each window, or segment of a store that is laid out by key, has a table of its own, so an expired one is dropped whole.
 * Without a byte store below, nothing but deleted and expired entries ever leaves: that is a store in memory.
 *
 * Thread: the stream thread.
 */
#ifndef STATE_CACHE_H
#define STATE_CACHE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "state/byte_store.h"
#include "state/radix.h"
#include "state/run.h"
#include "state/timeline.h"
#include "state/window_expiry.h"
#include "state/window_map.h"

enum { CACHE_PREFETCHES = 16 };

struct cache {
    struct byte_store *disk; /* NULL: in memory; not owned */
    int64_t retention_ms;    /* 0: nothing expires */
    int64_t slack_ms;        /* how far behind the time may be set back (cache_resume_at): what segments can hold */
    bool time_is_set;        /* stream_time_ms is moved by who puts */
    bool restoring;          /* what is put comes from the changelog */
    size_t suffix_bytes;     /* by key (layout.h): of an element. 0: by window */
    int64_t segment_ms;      /* by key */
    struct window_map windows;
    struct timeline timeline; /* by key: the entries of each */
    int64_t whole_from_ms;    /* by key: memory knows all entries of this time and later; when `whole_known` */
    bool whole_known;
    size_t load_bytes_max;    /* by key: while memory is below, a segment of the disk that is wanted is loaded whole */
    int64_t not_loaded_to_ms; /* by key: segments up to here are not, they were too large; -1: none */
    size_t read_bytes_max;    /* of entries that reading brings from the disk; those beyond are handed out and not kept */
    size_t read_bytes;        /* that it has brought since the last trim */
    bool trims_in_vain;       /* the last one found little that may leave: before a flush none is wanted */
    struct {
        struct table *table;
        struct entry *entry;
    } recent[2];      /* the entries used last, newest first; NULL when they may be gone */
    uint64_t writes;  /* numbers the writes */
    uint32_t commit;  /* the running one, from 1 */
    uint32_t flushed; /* the newest whose entries are all on disk */
    bool frozen;
    bool reads_told;        /* cache_get gives what the listener saw last, not what was written since */
    int64_t stream_time_ms; /* largest start (by key: time) ever put, -1 before */
    int64_t committed_stream_time_ms;
    int64_t resumed_at_ms; /* what follows a restart has brought the time here; INT64_MAX: it was not set back (cache_time) */
    int64_t committed_resumed_at_ms;
    uint32_t sequence; /* of the newest entry of a join store */
    uint32_t committed_sequence;
    int64_t oldest_start_ms; /* no window in memory starts before it */

    struct arena undo_memory;
    struct undo *newest_undo;
    struct undo *spare_undo; /* records in the log whose entry vanished; the next entries that are new take them */
    size_t open_iterators;   /* they may point to entries: none vanishes meanwhile */
    size_t undo_count;
    size_t dirty_count;
    size_t deleted_count; /* undo records whose entry was deleted since: in memory they leave at commit */
    size_t uncommitted_bytes;

    struct radix_pair *order; /* dirty entries by last write: the number and the undo record; twice the room, for sorting */
    size_t order_capacity;
    size_t order_count;
    size_t order_at;

    struct buffer scratch; /* an old value on its way to the listener */
    struct {
        struct table *table;
        uint32_t hash;
        size_t key_len;
    } prefetches[CACHE_PREFETCHES];
    size_t prefetch_at;
};

void cache_init(struct cache *cache, int64_t retention_ms, struct byte_store *disk);

/* Lays it out by key, before the first entry: `start_ms` is then layout_segment_end of the element's time everywhere below. */
void cache_init_by_key(struct cache *cache, size_t suffix_bytes, int64_t segment_ms);

void cache_release(struct cache *cache);

/* True for a window that is neither read nor written any more. */
bool cache_expired(const struct cache *cache, int64_t start_ms);

/* 1 and views valid until the next call, or 0; MILL_ENOMEM, or an error of the disk. The window has not expired. */
int cache_get(struct cache *cache, int64_t start_ms, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms);

enum cache_put_flags {
    CACHE_CACHED = 1 << 0,  /* for cache_next_dirty; else the caller tells the listener itself */
    CACHE_DERIVED = 1 << 1, /* not for the disk */
};

/*
 * Writes (null deletes). The window has not expired. `*old`, when asked for, gets the value before, valid until the next call;
 * the value may lie in what the cache handed out. 0, MILL_ENOMEM or an error of the disk: nothing changed.
 */
int cache_put(struct cache *cache, int64_t start_ms, mill_bytes key, mill_bytes value, int64_t timestamp_ms, unsigned flags,
              mill_bytes *old);

/*
 * Takes over an update that the log has already: newer than the disk, told to nobody, with nothing to go back to. Nothing is
 * uncommitted; cache_freeze and cache_committed follow, and the caller brings it to the disk. 0, MILL_ENOMEM or an error of the
 * disk: then only cache_clear helps.
 */
int cache_restore(struct cache *cache, const struct run_update *update);

struct cache_change {
    int64_t start_ms;
    mill_bytes key;
    mill_bytes value;     /* null: deleted */
    mill_bytes old_value; /* what the listener saw last */
    int64_t timestamp_ms;
    bool derived;
};

static inline bool cache_is_dirty(const struct cache *cache)
{
    return cache->dirty_count > 0;
}

/*
 * The next dirty entry, which is clean then: 1 and views that live until the next call, 0 none is left, MILL_ENOMEM, disk errors.
 */
int cache_next_dirty(struct cache *cache, struct cache_change *change);

/*
 * Copies this commit's updates (but derived ones) behind `run`, NULL for none to keep. No entry is dirty. MILL_ENOMEM: not
 * frozen.
 */
int cache_freeze(struct cache *cache, struct run *run);
void cache_committed(struct cache *cache);
void cache_roll_back(struct cache *cache);

/* Everything up to commit number `commit` (cache->commit at its freeze) is on disk and the byte store shows it. */
void cache_flushed(struct cache *cache, uint32_t commit);

/*
 * Drops clean entries, windows first whose time is oldest, until about `bytes_max` are left besides `unflushed_bytes` of what is
 * not on disk. No iterator is open.
 */
void cache_trim(struct cache *cache, size_t bytes_max, size_t unflushed_bytes);
size_t cache_bytes(const struct cache *cache); /* of all tables */

/*
 * The store's time as of which windows expire: what has been put, but where cache_resume_at set it back, only by what was put
 * since then.
 */
static inline int64_t cache_time(const struct cache *cache)
{
    return window_resumed_time(cache->stream_time_ms, cache->resumed_at_ms, cache->slack_ms);
}

static inline void cache_move_time(struct cache *cache, int64_t time_ms)
{
    if (time_ms > cache->stream_time_ms)
        cache->stream_time_ms = time_ms;
    if (time_ms > cache->resumed_at_ms && !cache->restoring)
        cache->resumed_at_ms = time_ms;
}

/* After a restart: records from this time on are read again. What may belong to them does not expire, as far as slack_ms goes. */
void cache_resume_at(struct cache *cache, int64_t time_ms);

/* Has reading brought so much that only a trim makes room for more? */
static inline bool cache_wants_trim(const struct cache *cache)
{
    return cache->read_bytes > 0 && cache->read_bytes >= cache->read_bytes_max && !cache->trims_in_vain;
}

/* What the disk knows of it. Nothing is uncommitted. */
void cache_set_stream_time(struct cache *cache, int64_t stream_time_ms, uint32_t sequence);

/* Windows that start here or before have expired as of the last commit; -1: none. */
int64_t cache_committed_expiry(const struct cache *cache);

/* Forgets all entries, after the byte store below was changed. Nothing is uncommitted. */
void cache_clear(struct cache *cache);

struct cache_item {
    int64_t start_ms;
    const struct entry *entry;
};

/* The caller frees `at`. */
struct cache_items {
    struct cache_item *at; /* mem_alloc'ed */
    size_t count;
    size_t capacity;
};

/* Appends the entries of the range that the disk does not know, absent ones too, in order. 0 or MILL_ENOMEM. */
int cache_collect(const struct cache *cache, const struct byte_range *range, struct cache_items *items);

/* By key: does memory know every entry with from <= time? Then the disk need not be asked. */
bool cache_is_whole_from(struct cache *cache, int64_t from_ms);

/*
 * The same, after having loaded what is missing as far as there is room: what is read by key over time is read again and again,
 * and each look at the disk costs more than many in memory. 1, 0, error.
 */
int cache_make_whole_from(struct cache *cache, int64_t from_ms);

/*
 * By key: appends the key's entries with from <= time <= to in order: all that there are when `whole`, else those that the disk
 * does not know, absent ones too.
 */
int cache_collect_key(struct cache *cache, mill_bytes key, int64_t from_ms, int64_t to_ms, bool whole, struct cache_items *items);

/* By key: the same of all keys in the segment that ends at `end_ms`, unsorted. */
int cache_collect_segment(struct cache *cache, int64_t end_ms, bool whole, struct cache_items *items);

/* The starts of the windows in memory with from <= start <= to, ascending: *starts is mem_alloc'ed. 0 or MILL_ENOMEM. */
int cache_window_starts(const struct cache *cache, int64_t from_ms, int64_t to_ms, int64_t **starts, size_t *count);

uint64_t cache_count(struct cache *cache); /* entries, about */

void cache_prefetch(struct cache *cache, int64_t start_ms, mill_bytes key);

#endif
