/*
 * What the stores of this room have in common: a cache, the way of an update to changelog and listener, open iterators.
 *
 * kv_store.c, window_store.c and set_store.c are typed views of it; task_state_lmdb.c and task_state_memory.c make it. Thread:
 * the stream thread.
 */
#ifndef STATE_TYPED_STORE_H
#define STATE_TYPED_STORE_H

#include "base/error.h"
#include "base/list.h"
#include "millstream/stores.h"
#include "state/cache.h"
#include "state/header_notes.h"

struct typed_store {
    mill_store head;
    struct cache cache;
    bool caching;
    bool as_kafka;             /* mill.compat=kafka */
    bool read_only;            /* a view: operators do not write it */
    mill_changelog *changelog; /* NULL: logging is off */
    mill_store_listener listener;
    void *listener_ctx;
    void (*dropped)(void *ctx, const char *reason);
    void *drop_ctx;
    const mill_header *headers; /* of what is being written, for the listener */
    size_t header_count;
    struct header_notes notes; /* those of what waits in the cache */
    struct buffer key;         /* a key in another form, for the changelog */
    struct buffer listed_key;  /* and for the listener */
    struct buffer element;     /* what is written: a listener sees it; of a set: a member */
    struct buffer sought;      /* what is looked for, perhaps by a listener's children */
    struct buffer size_element;
    struct list iterators;               /* open ones */
    mill_store_iterator *spare_iterator; /* a closed one with its memory, for the next; NULL: none */
    size_t frozen_bytes;                 /* kept up by the task state */
};

/* Checks the recipe: MILL_EINVALID with text, MILL_ENOMEM. `disk` NULL: in memory; it is not owned. */
int typed_store_new(const mill_store_builder *builder, const mill_task_state_options *options, mill_changelog *changelog,
                    struct byte_store *disk, struct error_text *error, struct typed_store **store);
void typed_store_free(struct typed_store *store); /* NULL is a no-op */

/* What it may keep in memory: its part of mill_state_memory's cache_bytes. */
void typed_store_set_cache_bytes(struct typed_store *store, size_t bytes);

/* The store behind a handle, or NULL when it is not one of this room or of another kind. */
struct typed_store *typed_store_of(mill_store *store, mill_store_kind kind);

/* True when the window may be used; else counts a drop. */
bool typed_store_accepts(struct typed_store *store, int64_t start_ms);

/* Writes and, without caching, logs and tells the listener. `flags` as cache_put, without CACHE_CACHED. */
int typed_store_put(struct typed_store *store, int64_t start_ms, mill_bytes key, mill_bytes value, int64_t timestamp_ms,
                    unsigned flags);

/* Of what is written into the cache: the headers that go on with it. MILL_ENOMEM. */
MILL_MUST_USE static inline int typed_store_note_headers(struct typed_store *store, int64_t start_ms, mill_bytes key)
{
    if (store->header_count == 0 && !header_notes_any(&store->notes))
        return 0;
    return header_notes_put(&store->notes, start_ms, key, store->headers, store->header_count);
}

/* Back to the last commit. */
void typed_store_roll_back(struct typed_store *store);

/* One update from the changelog into the cache of a store in memory; members of a set make its sizes, too. */
int typed_store_restore(struct typed_store *store, const mill_record *record);

struct stored_at {
    int64_t time_ms; /* what moves the store's stream time; -1: nothing */
    uint32_t sequence;
};

/* What a changelog record says, in the cache's terms; false: it is none of this kind of store. Views of the record. */
bool typed_store_parse(const mill_store_builder *builder, const mill_record *record, struct run_update *update,
                       struct stored_at *at);

/* ---- stores that are laid out by key: layout.h ----------------------------------------------------------------------------- */

/* key | time 8 | rest, in store->element; null without memory. The rest is 8 bytes for a session, else 4. */
mill_bytes typed_store_element(struct typed_store *store, mill_bytes key, int64_t time_ms, uint64_t rest);

/* As typed_store_put, of an element. */
int typed_store_put_element(struct typed_store *store, mill_bytes element, mill_bytes value, int64_t timestamp_ms);
/* As cache_get, of the element key | time 8 | rest. */
int typed_store_get_element(struct typed_store *store, mill_bytes key, int64_t time_ms, uint64_t rest, mill_bytes *value,
                            int64_t *timestamp_ms);

/* What to iterate over: entries with from <= time <= to and, of sessions, start <= start_to. */
struct time_range {
    mill_bytes key; /* null: all, in order of (time, rest, key); else of (time, rest) */
    int64_t from_ms;
    int64_t to_ms;
    int64_t start_to_ms;
    mill_order order;
};
int typed_store_iterate_time(struct typed_store *store, const struct time_range *range, mill_store_iterator **iterator);

/* ---- iterators ------------------------------------------------------------------------------------------------------------- */

/* Iterators end with their callback at the latest. */
void typed_store_close_iterators(struct typed_store *store);
void typed_store_free_spare(struct typed_store *store);
int typed_store_iterate(struct typed_store *store, const struct byte_range *range, mill_bytes prefix,
                        mill_store_iterator **iterator);

/* How many entries it has sorted so far. */
size_t typed_store_iterator_work(const mill_store_iterator *iterator);

/* set_store.c: adds a member; shared by mill_set_add and restoring. */
int set_store_add(struct typed_store *store, mill_bytes key, int64_t start_ms, mill_bytes member, int64_t timestamp_ms,
                  bool *added, mill_set_size *size);

/* versioned_store.c: 1, or 0 when it is older than the history; neither logs nor counts. */
int versioned_store_put(struct typed_store *store, mill_bytes key, mill_bytes value, int64_t timestamp_ms, int64_t *valid_to_ms);

/* Called by typed_store.c for each change on its way out: changelog and listener per kind. */
int changelog_append_change(struct typed_store *store, const struct cache_change *change);
int changelog_tell_listener(struct typed_store *store, const struct cache_change *change);

#endif
