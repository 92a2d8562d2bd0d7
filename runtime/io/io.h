/*
 * The seams to the world: disk, network, clock, timers, random numbers, work on other threads.
 *
 * Everything outside this room meets the world through these vtables. uv_*.c implement them with libuv and system calls;
 * tests/simulation implements them with a seeded event heap. Nothing else includes uv.h, reads a clock or opens a file.
 *
 * Codes are MILL_E* (millstream/error.h). Strings are NUL-terminated paths or addresses and are only read during the call.
 */
#ifndef IO_IO_H
#define IO_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/list.h"

/* ---- time ------------------------------------------------------------------------------------------------------------------ */

/* Comes in with every step and callback. Deadlines use `monotonic_us`; record and log timestamps use `wall_ms`. */
struct io_time {
    int64_t monotonic_us; /* never goes back; its zero means nothing */
    int64_t wall_ms;      /* since 1970-01-01 UTC; may jump */
};

enum { IO_ADDRESS_BYTES = 64, IO_HOST_PORT_BYTES = 272 };

/* ---- disk: calls block; loops use it for page-cache appends, small files and at start, else through work ------------------- */

enum disk_open_flags {
    DISK_READ = 0,        /* must exist */
    DISK_WRITE = 1 << 0,  /* read and write */
    DISK_CREATE = 1 << 1, /* with DISK_WRITE: made if missing */
    DISK_TRUNCATE = 1 << 2,
    DISK_EXCLUSIVE = 1 << 3, /* with DISK_CREATE: MILL_EEXISTS when there */
};

struct io_vector {
    const void *data;
    size_t len;
};

struct disk_entry {
    const char *name; /* valid for the callback */
    bool is_directory;
    int64_t size;
    int64_t modified_ms; /* when its bytes last changed, since 1970-01-01 UTC: retention counts from it after a restart */
};

enum { DISK_BLOCK_BYTES = 4096 }; /* a multiple of what any disk reads or writes at a time */

struct disk_file; /* opaque, owned by whoever opened it until disk_close */
struct disk_lock;

struct disk_ops;
struct disk {
    const struct disk_ops *ops;
};

/*
 * A file is durable only once its bytes are synced (disk_sync) and its directory is (disk_sync_directory): a create, rename or
 * remove is an entry of the directory. Any thread; one file's calls are not concurrent, except reads and one sync beside them and
 * beside writes (which the sync then may or may not cover).
 */
struct disk_ops {
    int (*open)(struct disk *disk, const char *path, unsigned flags, struct disk_file **file);
    void (*close)(struct disk_file *file);
    /* Reads up to `len` bytes; fewer only at the end of the file. Bytes read, or an error. Retries EINTR and short reads. */
    ssize_t (*read)(struct disk_file *file, void *into, size_t len, int64_t offset);
    /* Writes all or fails; a failure may leave a part behind. Retries EINTR and short writes. `count` at most 1024. */
    int (*write)(struct disk_file *file, const struct io_vector *vectors, size_t count, int64_t offset);
    /*
     * fdatasync. After a failure nothing about the unsynced bytes is known, and it is never retried: the caller stops using the
     * file.
     */
    int (*sync)(struct disk_file *file);
    /*
     * A hint that these synced bytes will hardly be read again soon: the system may use the memory in which it keeps them for
     * others. Some of the bytes at the edges may stay, some just before may go too.
     */
    void (*forget)(struct disk_file *file, int64_t offset, int64_t len);
    /*
     * As read, for bytes that need not come into the page cache: from it if it happens to hold them all, else past it where the
     * file system can and `into`, `len` and `offset` are multiples of DISK_BLOCK_BYTES.
     */
    ssize_t (*read_past_cache)(struct disk_file *file, void *into, size_t len, int64_t offset);
    int (*truncate)(struct disk_file *file, int64_t size);
    int (*size)(struct disk_file *file, int64_t *size);
    /* Sets what disk_entry.modified_ms says: a rewritten file is as old as what is in it. Durable with the next sync, at best. */
    int (*set_modified)(struct disk_file *file, int64_t modified_ms);
    int (*rename)(struct disk *disk, const char *from, const char *to); /* replaces `to` */
    int (*remove)(struct disk *disk, const char *path);                 /* a file or an empty directory */
    int (*make_directory)(struct disk *disk, const char *path);         /* 0 when it is there; parents must be */
    int (*sync_directory)(struct disk *disk, const char *path);
    /* Calls back for each entry but . and .., in unspecified order; a non-zero return of the callback ends it and is returned. */
    int (*list)(struct disk *disk, const char *path, int (*each)(void *ctx, const struct disk_entry *entry), void *ctx);
    int (*stat)(struct disk *disk, const char *path, struct disk_entry *entry); /* entry->name is `path` */
    /*
     * An exclusive lock on a file that is made if missing, freed by unlock or the process's end. MILL_ELOCKED: another holds it.
     */
    int (*lock)(struct disk *disk, const char *path, struct disk_lock **lock);
    void (*unlock)(struct disk_lock *lock);
    /* Bytes free for us on the file system of `path`. */
    int (*free_space)(struct disk *disk, const char *path, int64_t *bytes);
};

/* disk_file and disk_lock begin with a pointer to their disk's ops, so that these dispatch without a table lookup elsewhere. */
int disk_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **file);
void disk_close(struct disk_file *file); /* NULL is a no-op */
ssize_t disk_read(struct disk_file *file, void *into, size_t len, int64_t offset);
int disk_write(struct disk_file *file, const struct io_vector *vectors, size_t count, int64_t offset);
int disk_sync(struct disk_file *file);
void disk_forget(struct disk_file *file, int64_t offset, int64_t len); /* nothing for len 0 */
ssize_t disk_read_past_cache(struct disk_file *file, void *into, size_t len, int64_t offset);
int disk_truncate(struct disk_file *file, int64_t size);
int disk_size(struct disk_file *file, int64_t *size);
int disk_set_modified(struct disk_file *file, int64_t modified_ms);
int disk_rename(struct disk *disk, const char *from, const char *to);
int disk_remove(struct disk *disk, const char *path);
int disk_make_directory(struct disk *disk, const char *path);
int disk_make_directories(struct disk *disk, const char *path); /* with parents, synced */
int disk_remove_tree(struct disk *disk, const char *path);
int disk_sync_directory(struct disk *disk, const char *path);
int disk_list(struct disk *disk, const char *path, int (*each)(void *ctx, const struct disk_entry *entry), void *ctx);
int disk_stat(struct disk *disk, const char *path, struct disk_entry *entry);
int disk_lock(struct disk *disk, const char *path, struct disk_lock **lock);
void disk_unlock(struct disk_lock *lock);
int disk_free_space(struct disk *disk, const char *path, int64_t *bytes);

/* Reads a whole small file (at most `bytes_max`) into mem_alloc'ed `*data`, NUL behind it; the caller frees. */
int disk_read_file(struct disk *disk, const char *path, size_t bytes_max, char **data, size_t *len);
/*
 * Replaces a small file so that after a crash either the old or the new one is there: write `<path>.tmp`, sync, rename, sync
 * directory.
 */
int disk_replace_file(struct disk *disk, const char *path, const void *data, size_t len);

/* ---- loop: one thread's events. All of its calls but loop_wake are made on the loop's own thread --------------------------- */

struct loop;
struct loop_ops;
struct loop {
    const struct loop_ops *ops;
};

/* Embedded in its owner; zero it before first use. A timer is one-shot. */
struct loop_timer {
    int64_t at_us; /* monotonic; 0 when not set */
    void (*fire)(struct loop_timer *timer, struct io_time now);
    void *ctx;
    uint64_t sequence; /* the loop's, as are the next: timers of the same time fire in the order in which they were set */
    struct loop_timer *child, *next, *previous;
};

/* Embedded in its owner, which outlives wakeup_close. Many signals may be one call of `woken`. */
struct loop_wakeup {
    void (*woken)(struct loop_wakeup *wakeup, struct io_time now);
    void *ctx;
    struct loop *loop; /* the loop's, as are the next */
    struct list link;
    bool open;
};

enum work_class {
    WORK_SYNC,       /* log syncs */
    WORK_READ,       /* cold reads */
    WORK_BACKGROUND, /* retention, compaction, LMDB flushes, restore */
    WORK_CLASSES
};

/*
 * Embedded in its owner, which stays until `done`. `run` is called on a thread of its class and may block; `done` on the loop
 * that submitted it. Every submitted item gets its `done`.
 */
struct work_item {
    void (*run)(struct work_item *item);
    void (*done)(struct work_item *item, struct io_time now);
    void *ctx;
    struct loop *loop; /* the loop's, as is the next */
    struct list link;
};

/* ---- network: byte streams ------------------------------------------------------------------------------------------------- */

struct net_stream;
struct net_listener;

/* The owner's side of a stream. Slots are called on the loop; none is called after `closed`. A slot may call net_close. */
struct net_stream_events {
    /*
     * Where the next bytes go: sets *len >= 1 and returns the place, which stays valid until `read` or the next `reserve` (which
     * may come without a `read` between). NULL: no memory, the stream fails.
     */
    uint8_t *(*reserve)(void *ctx, size_t *len);
    /* `len` bytes are in place. 0: the peer has ended its side. Negative: the stream failed; the owner closes it. */
    void (*read)(void *ctx, ssize_t len, struct io_time now);
    /*
     * The oldest net_write is finished: its bytes may be freed. `code` not 0: it failed. Also called for those cut off by
     * net_close.
     */
    void (*written)(void *ctx, void *write_ctx, int code, struct io_time now);
    void (*closed)(void *ctx); /* last: the stream is gone. Not called for a stream that was never started */
};

struct net_listener_events {
    /* A new stream, already readable once net_start is called; the callee owns it. */
    void (*accepted)(void *ctx, struct net_stream *stream, struct io_time now);
    void (*closed)(void *ctx);
};

struct loop_ops {
    struct io_time (*now)(struct loop *loop); /* as of this turn of the loop */
    void (*timer_set)(struct loop *loop, struct loop_timer *timer, int64_t at_us);
    void (*timer_cancel)(struct loop *loop, struct loop_timer *timer);
    int (*wakeup_open)(struct loop *loop, struct loop_wakeup *wakeup);
    /* No call of `woken` after it; signals then do nothing as long as the loop lives. */
    void (*wakeup_close)(struct loop_wakeup *wakeup);
    void (*wakeup_signal)(struct loop_wakeup *wakeup); /* any thread */
    void (*work_submit)(struct loop *loop, enum work_class class, struct work_item *item);
    /* `host` empty: every address of the machine. Port 0: a free one. A host name is looked up here, which may block. */
    int (*listen)(struct loop *loop, const char *host, int port, const struct net_listener_events *events, void *ctx,
                  struct net_listener **listener);
    int (*listener_port)(struct net_listener *listener);
    void (*listener_close)(struct net_listener *listener);
    /*
     * A host with several addresses is tried address by address. `events` and ctx as in start, which is implied: reading begins
     * once connected. `connected` is called once with 0 or an error, never from within connect; after an error, or to give up
     * before, the owner calls net_close. Nothing is written before it.
     */
    int (*connect)(struct loop *loop, const char *host, int port, void (*connected)(void *ctx, int code, struct io_time now),
                   const struct net_stream_events *events, void *ctx, struct net_stream **stream);
    int (*start)(struct net_stream *stream, const struct net_stream_events *events, void *ctx);
    /* Pauses and resumes reading (back-pressure). */
    void (*read_pause)(struct net_stream *stream, bool paused);
    /* Queues the vectors (count at most 64) as one write; their bytes stay valid until `written`. */
    int (*write)(struct net_stream *stream, const struct io_vector *vectors, size_t count, void *write_ctx);
    size_t (*write_queued)(struct net_stream *stream); /* bytes not yet taken by the peer's side */
    void (*close)(struct net_stream *stream);
    void (*peer_address)(struct net_stream *stream, char text[IO_ADDRESS_BYTES]);
    /* Runs events until loop_stop, or until `until` (if not NULL) turns true. */
    int (*run)(struct loop *loop, const bool *until);
    void (*stop)(struct loop *loop);
    int (*random)(struct loop *loop, void *into, size_t len); /* unpredictable bytes in production, seeded ones in simulation */
};

struct io_time loop_now(struct loop *loop);
/* Moves it when set already. A time that is over counts as now, so that a timer set again and again to it starves no other. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_us);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer); /* harmless when not set */
int loop_wakeup_open(struct loop *loop, struct loop_wakeup *wakeup);
void loop_wakeup_close(struct loop_wakeup *wakeup);
void loop_wakeup_signal(struct loop_wakeup *wakeup);
void loop_work_submit(struct loop *loop, enum work_class class, struct work_item *item);
int loop_run(struct loop *loop, const bool *until);
void loop_stop(struct loop *loop); /* own thread; from another one, signal a wakeup that calls it */
int loop_random(struct loop *loop, void *into, size_t len);

/* "host:port", with brackets around a host that has colons, as people write it. */
void io_write_host_port(char text[IO_HOST_PORT_BYTES], const char *host, int port);

int net_listen(struct loop *loop, const char *host, int port, const struct net_listener_events *events, void *ctx,
               struct net_listener **listener);
int net_listener_port(struct net_listener *listener);
void net_listener_close(struct net_listener *listener);
int net_connect(struct loop *loop, const char *host, int port, void (*connected)(void *ctx, int code, struct io_time now),
                const struct net_stream_events *events, void *ctx, struct net_stream **stream);
int net_start(struct net_stream *stream, const struct net_stream_events *events, void *ctx);
void net_read_pause(struct net_stream *stream, bool paused);
int net_write(struct net_stream *stream, const struct io_vector *vectors, size_t count, void *write_ctx);
size_t net_write_queued(struct net_stream *stream);
void net_close(struct net_stream *stream);
void net_peer_address(struct net_stream *stream, char text[IO_ADDRESS_BYTES]);

/* ---- the production implementations ---------------------------------------------------------------------------------------- */

/* The process's disk. Static; never freed. */
struct disk *uv_disk(void);

/*
 * Worker threads per class, shared by all loops of a process. Freed after every loop that uses it. NULL: no memory or no threads.
 */
struct work_threads;
struct work_threads *work_threads_new(int sync_threads, int read_threads, int background_threads);
void work_threads_free(struct work_threads *threads);

/*
 * A libuv loop, to be run by the thread that calls loop_run. NULL: no memory or no descriptors. `threads` may be NULL when no
 * work is submitted. Ignores SIGPIPE in the process if nobody handles it: a peer that hangs up is an error code, not the end.
 */
struct loop *uv_loop_new_with(struct work_threads *threads);
/* Everything on it has been closed, all work is done; callbacks of what is still closing are called here. NULL is a no-op. */
void uv_loop_free(struct loop *loop);

#endif
