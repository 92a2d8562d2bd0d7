/*
 * What a task needs to know of its stores, and nothing of how they keep their data.
 *
 * Two vtables. `mill_store` is one operator's state; `mill_task_state` is what all stores of one task share: a directory, a place
 * on disk, one moment of commit. state/ implements both with LMDB and in memory; a user may bring others. Typed access (get, put,
 * fetch, range) is the business of the store's own header (millstream/stores.h), not of this one.
 *
 * The life of an update, in the words used below:
 *
 *      put            the operator changes an entry: it is *dirty*, in memory only
 *      flush_cache    at commit, in topological order of the stores: each dirty entry goes to the store's listener (which
 *                     forwards it downstream) and to the changelog, in the order in which the entries were last written
 *      freeze         no store is dirty and every append is acknowledged: the entries written since the last freeze and the
 *                     positions (changelog ends, input offsets) are *frozen* together, in memory
 *      committed      the log's commit has succeeded: what is frozen may go to disk. Abort calls roll_back instead
 *      flush          a worker thread puts what is committed on disk, with the positions last, while processing goes on
 *
 * A crash at any point leaves the disk at an earlier committed moment; restore replays the changelog from there, which is
 * idempotent because a changelog record is the whole value of its key.
 *
 * Thread: the stream thread that owns the task, except for the one slot that says otherwise.
 */
#ifndef MILLSTREAM_STORE_H
#define MILLSTREAM_STORE_H

#include "millstream/error.h"
#include "millstream/record.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_store mill_store;
typedef struct mill_store_builder mill_store_builder;
typedef struct mill_task_state mill_task_state;

/* Where a store's changelog records go. The task owns it; it outlives the store. */
typedef struct mill_changelog {
    /* Appends one record (key, value, timestamp are copied). 0; MILL_EAGAIN never: room is taken before; else the task fails. */
    int (*append)(struct mill_changelog *changelog, const mill_record *record);
} mill_changelog;

/* ---- a store --------------------------------------------------------------------------------------------------------------- */

typedef struct mill_store_ops {
    /* True when flush_cache has something to do. */
    bool (*is_dirty)(const mill_store *store);

    /*
     * Hands up to `max` dirty entries to the changelog and the listener, oldest write first; returns how many, or an error. May
     * re-enter the stores below through the listener. Called again until is_dirty is false. A task asks for one at a time: what
     * an entry makes downstream then ends with it, and room is looked for before the next.
     */
    int (*flush_cache)(mill_store *store, size_t max);

    /* Bytes of uncommitted and of frozen entries in memory. */
    size_t (*uncommitted_bytes)(const mill_store *store);
    size_t (*frozen_bytes)(const mill_store *store);

    /*
     * Of stores with time, both; else both NULL. The store's stream time, -1 when it has none yet: the task keeps it with its
     * committed positions.
     */
    int64_t (*stream_time_ms)(const mill_store *store);
    /*
     * Before it is restored: the stream time that goes with the positions from which records are read again; -1 for all. The
     * changelog may be ahead of them, at least once. Whatever it has, the store's time is then no later, until it is written, so
     * that windows to which these records belong have not expired.
     */
    void (*resume_at)(mill_store *store, int64_t stream_time_ms);
} mill_store_ops;

/* The head of every store; implementations embed it first. */
struct mill_store {
    const mill_store_ops *ops;
    const mill_store_builder *builder;
};

/* ---- a store's recipe ------------------------------------------------------------------------------------------------------ */

typedef enum mill_store_kind {
    MILL_STORE_KEY_VALUE,
    MILL_STORE_WINDOW,
    MILL_STORE_SESSION,
    MILL_STORE_SET,
    MILL_STORE_JOIN,    /* windows of one record each, duplicates kept: the two sides of a join of streams */
    MILL_STORE_SLIDING, /* a window store that is read by key over time */
    MILL_STORE_VERSIONED,
} mill_store_kind;

typedef struct mill_task_state_type mill_task_state_type;

/*
 * How to make a store in each task. Part of the topology, which owns it from mill_topology_add_store on and calls `free`.
 * Implementations embed it first and add what they need.
 */
struct mill_store_builder {
    /* unique in the topology; also names the changelog `<application.id>-<name>-changelog` */
    const char *name;
    mill_store_kind kind;
    const mill_task_state_type *task_state; /* stores of a task that name the same one share it */
    bool logging;                           /* keep a changelog topic */
    bool caching;                           /* forward and append at commit, the latest value of each key only */
    /* stores with time: 0 for others. Changelog: + windowstore.changelog.additional.retention.ms */
    int64_t retention_ms;
    int64_t window_size_ms;                  /* window stores; 0 when unknown */
    const char *const *changelog_properties; /* name, value, ..., NULL: overrides for the changelog topic; may be NULL */
    const mill_header *changelog_header;     /* on every record of the changelog that is no deletion; static; NULL: none */
    void (*free)(mill_store_builder *builder);
};

/* ---- a store that other threads read --------------------------------------------------------------------------------------- */

typedef struct mill_store_view mill_store_view;

/*
 * A view is made on the thread of the store's owner and handed over; from then on one other thread, at a time, calls these. The
 * owner's task state is open as long as the view is.
 */
typedef struct mill_store_view_ops {
    /*
     * Takes over updates that the owner's store has had since the view was made, in order; a null value deletes. The calls are
     * numbered from 1. Bytes that the view gave out end. MILL_ENOMEM changes nothing.
     */
    int (*apply)(mill_store_view *view, const mill_record *updates, size_t count);
    /* The owner's disk has all that the first `calls` of apply brought. Bytes that the view gave out end. */
    int (*flushed)(mill_store_view *view, uint64_t calls);
    /* Lets go of what it keeps in memory beyond its share. Between two records, now and then. */
    void (*trim)(mill_store_view *view);
    void (*close)(mill_store_view *view);
    /* What went wrong last, in words; "" when nothing. Lives until the next call. */
    const char *(*error)(const mill_store_view *view);
} mill_store_view_ops;

/* The head of every view; implementations embed it first. */
struct mill_store_view {
    const mill_store_view_ops *ops;
    mill_store *store; /* what operators get: it can be read, and refuses to be written */
};

/* ---- what the stores of a task share --------------------------------------------------------------------------------------- */

/* How far a store's data goes in its changelog partition. */
typedef struct mill_changelog_position {
    uint8_t topic_id[16]; /* of the changelog topic; zero when the broker has none */
    int32_t leader_epoch; /* -1 unknown */
    int64_t offset;       /* the first record not contained; -1: nothing known, restore everything */
    int64_t marked_at_ms; /* wall time when this was last known to be the truth */
} mill_changelog_position;

/* What the stores of one task may take: its part of its thread's. */
typedef struct mill_state_memory {
    size_t cache_bytes;   /* for what is not yet on disk; as much again, with what that leaves, for what is kept for reading */
    size_t restore_bytes; /* for changelog records on their way to the disk */
} mill_state_memory;

typedef struct mill_task_state_options {
    void *disk;            /* struct disk (runtime/io): opaque here */
    const char *directory; /* of the task, made by then; the string lives as long as the task state */
    const char *task_id;
    mill_state_memory memory;                             /* at the start; set_memory */
    bool shared;                                          /* views will be opened */
    const char *(*property)(void *ctx, const char *name); /* a setting of the application, or NULL */
    void *property_ctx;
    void *drop_ctx; /* `dropped` counts a record that a store refuses (an expired window), under a short static reason */
    void (*dropped)(void *ctx, const char *reason);
} mill_task_state_options;

/*
 * The sequence of a task's life: open, add_store for each, then per store restore_begin / restore_records / restore_end until
 * its changelog end is reached, then any number of (freeze, committed or roll_back, flush, flushed), then close.
 */
struct mill_task_state_type {
    const char *name; /* "lmdb", "memory" */

    /*
     * Opens or makes it. A store that fails its check (unclean NOSYNC close after a reboot, wrong version, bad checksum) is
     * emptied, so that its position says -1; it is no error. MILL_ELOCKED: another process has the directory.
     */
    int (*open)(const mill_task_state_type *type, const mill_task_state_options *options, mill_task_state **state);
};

typedef struct mill_task_state_ops {
    /* `changelog` NULL when logging is off. The store lives until close. */
    int (*add_store)(mill_task_state *state, const mill_store_builder *builder, mill_changelog *changelog, mill_store **store);

    /*
     * What is on disk; after a restore that left records in memory, what is there, ahead of the disk until the next flush. offset
     * -1 when empty or never filled.
     */
    int (*position)(mill_task_state *state, mill_store *store, mill_changelog_position *position);

    /*
     * Restoring from the changelog. `full`: everything kept so far for this store is dropped first; else the records go on top of
     * what is there. Records come in log order; a null value deletes. After restore_end all are in the store, and on disk, with
     * `position`, then or by the next flush; when any of it fails, what is on disk is behind the old position, never ahead of it,
     * or the position says -1.
     */
    int (*restore_begin)(mill_task_state *state, mill_store *store, bool full);
    int (*restore_records)(mill_task_state *state, mill_store *store, const mill_record *records, size_t count);
    int (*restore_end)(mill_task_state *state, mill_store *store, const mill_changelog_position *position);

    /*
     * Freezes what was written since the last freeze, with the position of each store (`positions[i]` of the i-th store added).
     */
    int (*freeze)(mill_task_state *state, const mill_changelog_position *positions, size_t count);
    /* The log has committed what was frozen last. */
    void (*committed)(mill_task_state *state);
    /* Back to the last committed moment: uncommitted and frozen-but-not-committed values are dropped. */
    void (*roll_back)(mill_task_state *state);

    /* True when what is committed should go to disk now: by age, by number, by bytes, or because `closing`. */
    bool (*flush_due)(const mill_task_state *state, int64_t monotonic_us, bool closing);
    /*
     * Puts what is committed on disk. ON A WORKER THREAD, one at a time per task; blocks; the stream thread goes on meanwhile.
     * `flushed` follows on the stream thread with its result and gives the memory back; after an error the task closes unclean.
     */
    int (*flush)(mill_task_state *state);
    void (*flushed)(mill_task_state *state, int code);

    /* Drops everything on disk of this task. */
    int (*wipe)(mill_task_state *state);

    /* `clean`: everything committed is flushed. Uncommitted data is dropped. Frees the state and its stores. */
    void (*close)(mill_task_state *state, bool clean);

    /* What went wrong last, in words; "" when nothing. Lives until the next call. */
    const char *(*error)(const mill_task_state *state);

    /*
     * A view of one of its key-value stores for another thread, which shows what the store has and keeps up to `cache_bytes` of
     * it in memory. When all that was written is committed and on disk, and while nothing is flushed. NULL: the stores cannot be
     * shared, and no global table can be kept in them.
     */
    int (*open_view)(mill_task_state *state, mill_store *store, size_t cache_bytes, mill_store_view **view);

    /*
     * What the stores may take from now on: tasks of the thread have come or gone. Between two records; iterators end. What is
     * above is forgotten at once, and its room used for what comes. NULL: it has no use for that.
     */
    void (*set_memory)(mill_task_state *state, const mill_state_memory *memory);

    /*
     * Lets go of what reading has brought into memory, if it has become so much. Between two records, every few of them: a look
     * is cheap. Iterators end. NULL: reading keeps nothing.
     */
    void (*trim)(mill_task_state *state);
} mill_task_state_ops;

/* The head of every task state; implementations embed it first. */
struct mill_task_state {
    const mill_task_state_ops *ops;
};

#ifdef __cplusplus
}
#endif
#endif
