/*
 * A stream thread: a member of the application's group that runs tasks.
 *
 * A state machine on its loop; a thread of the process is a loop_run around it, the simulator calls the same callbacks. It owns
 * its client, consumer, producer and tasks.
 *
 *      CREATED -> STARTING -> RUNNING <-> REBALANCING
 *                    \           |            /
 *                     +------> CLOSING <-----+  -> CLOSED          any -> FAILED -> CLOSING
 *
 * The group protocol is Kafka Streams' classic one in its eager form: before a join everything is committed, and processing
 * and punctuation stop; tasks stay open through it and go on where they were if they come back.
 *
 * Thread: the loop's, but for stream_thread_progress and stream_thread_drops.
 */
#ifndef WORKER_STREAM_THREAD_H
#define WORKER_STREAM_THREAD_H

#include "base/config.h"
#include "client/connection.h"
#include "io/io.h"
#include "millstream/app.h"
#include "topology/topology.h"
#include "worker/assignor.h"
#include "worker/global_reader.h"

struct stream_thread;

enum stream_thread_state {
    STREAM_THREAD_CREATED,
    STREAM_THREAD_STARTING,    /* in no generation yet */
    STREAM_THREAD_REBALANCING, /* between generations, or tasks are being restored */
    STREAM_THREAD_RUNNING,
    STREAM_THREAD_CLOSING,
    STREAM_THREAD_CLOSED,
    STREAM_THREAD_FAILED, /* processes nothing any more; to be closed */
};

struct stream_thread_options {
    const mill_topology *topology; /* built; outlives the thread, as does all else here */
    const struct config *config;   /* of streams_config_table */
    const char *bootstrap_servers; /* as for client_options */
    const char *state_directory;   /* of the application */
    uint8_t process_id[PROCESS_ID_BYTES];
    int number; /* from 1 */
    struct loop *loop;
    struct disk *disk;
    struct connector *connector;   /* NULL: TCP */
    bool embedded;                 /* the broker is ours: source topics are made when missing */
    struct global_reader *globals; /* filled before stream_thread_start; NULL: the topology has no global stores */
};

/* Called on the thread's loop; must not free it. */
struct stream_thread_events {
    void (*state)(void *ctx, enum stream_thread_state now, enum stream_thread_state before);
    void (*failed)(void *ctx, int code, const char *text); /* once: before the change to FAILED, or while closing */
    void (*restoring)(void *ctx, const mill_restore_progress *progress);
    /*
     * The whole application is to stop (KIP-671): a member of the group has asked for it and all are told, or this one has, and
     * the group does not answer. The thread is to be closed. Once.
     */
    void (*stopped)(void *ctx, const char *text);
    void (*waiting)(void *ctx, const char *text); /* once, when closing takes longer than a second: for what. May be NULL */
    void (*closed)(void *ctx);                    /* last */
};

/* NULL: no memory, or a property is wrong, with the reason in `error`. */
struct stream_thread *stream_thread_new(const struct stream_thread_options *options, const struct stream_thread_events *events,
                                        void *ctx, struct error_text *error);

/* Joins the group. Once. */
void stream_thread_start(struct stream_thread *thread, struct io_time now);

/*
 * Commits, flushes, leaves the group, then `closed`. After a failure nothing is committed; one on the way is told and closes.
 * What the broker does not answer in time (mill_app_close says when) is given up, which is a failure.
 */
void stream_thread_close(struct stream_thread *thread, struct io_time now);

/* In `failed` or afterwards: asks the group to stop the whole application, every member of it; `stopped` follows. */
void stream_thread_stop_application(struct stream_thread *thread);

bool stream_thread_is_closed(const struct stream_thread *thread);

/* After `closed`, or when never started. */
void stream_thread_free(struct stream_thread *thread);

/* Adds what this thread did to *progress. Any thread. */
void stream_thread_progress(const struct stream_thread *thread, mill_app_progress *progress);

/* Adds its drops to the `count` reasons of `drops` (MILL_DROP_REASONS_MAX at most). Returns the new count. Any thread. */
size_t stream_thread_drops(const struct stream_thread *thread, mill_drops *drops, size_t count);

#endif
