/*
 * The thread that fills the global stores and keeps them up: a state machine on its loop, like a stream thread.
 *
 *      TOPICS -> LOOKING_UP -> FILLING --at the ends of LOOKING_UP--> FOLLOWING -> CLOSING -> closed
 *                                                                     any -> FAILED -> CLOSING
 *
 * It is no member of the group and commits nothing there: it reads every partition of its topics, and how far it has come is on
 * disk with the rows. What is there is trusted when it can be shown to be what the topic had, as a task's stores are; else all
 * global stores are built anew.
 *
 * Thread: the loop's.
 */
#ifndef WORKER_GLOBAL_THREAD_H
#define WORKER_GLOBAL_THREAD_H

#include "base/config.h"
#include "client/connection.h"
#include "io/io.h"
#include "millstream/app.h"
#include "topology/topology.h"
#include "worker/global_reader.h"

struct global_thread;

struct global_thread_options {
    const mill_topology *topology; /* built, with global stores; outlives the thread, as does all else here */
    const struct config *config;   /* of streams_config_table */
    const char *bootstrap_servers;
    const char *state_directory; /* of the application; the stores lie in `global` below it */
    struct loop *loop;
    struct disk *disk;
    struct connector *connector; /* NULL: TCP */
    bool embedded;               /* the broker is ours: missing topics are made */
    struct global_reader **readers;
    size_t reader_count; /* one for each stream thread; freed by the caller after `closed` */
};

/* Called on the thread's loop; must not free it. */
struct global_thread_events {
    void (*filled)(void *ctx); /* the readers may be attached */
    void (*failed)(void *ctx, int code, const char *text);
    void (*restoring)(void *ctx, const mill_restore_progress *progress);
    void (*closed)(void *ctx); /* last */
};

/* NULL: no memory, or a property is wrong, with the reason in `error`. */
struct global_thread *global_thread_new(const struct global_thread_options *options, const struct global_thread_events *events,
                                        void *ctx, struct error_text *error);
void global_thread_start(struct global_thread *thread, struct io_time now);

/* Puts everything on the disk; `closed` comes when every reader is closed. No stream thread attaches any more. */
void global_thread_close(struct global_thread *thread, struct io_time now);

/* After `closed`, or when never started. NULL is a no-op. */
void global_thread_free(struct global_thread *thread);

#endif
