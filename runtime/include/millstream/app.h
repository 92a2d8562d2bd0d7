/*
 * The application: a topology at work.
 *
 * One process holds the stream threads and, unless `bootstrap.servers` is set, the broker. Properties have Kafka's names and
 * defaults, but for the few in the README's table; an unknown name is an error that suggests the nearest. `application.id` is the
 * consumer group, the prefix of internal topics and the folder of the state.
 *
 * Thread: any one at a time, except where it says any; listeners are called on stream threads and must not call mill_app_close.
 */
#ifndef MILLSTREAM_APP_H
#define MILLSTREAM_APP_H

#include "millstream/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_app mill_app;

/* Kafka Streams' states; mill_app_state_name gives its words. */
typedef enum mill_app_state {
    MILL_APP_CREATED,
    MILL_APP_REBALANCING, /* joining the group, or restoring */
    MILL_APP_RUNNING,
    MILL_APP_PENDING_SHUTDOWN,
    MILL_APP_NOT_RUNNING,
    MILL_APP_PENDING_ERROR,
    MILL_APP_ERROR
} mill_app_state;

/*
 * The life of a program in one call: reads properties from --config FILE, the environment (MILLSTREAM_COMMIT_INTERVAL_MS) and -X
 * name=value, runs until SIGINT or SIGTERM, closes in order and returns the program's exit code: 0 stopped, 1 failed, 2 usage.
 * `application_id` is the default of application.id. mill_main_with has further defaults (name, value, ..., NULL), below what the
 * user sets. Takes ownership of the topology.
 */
MILL_API int mill_main(int argc, char **argv, const char *application_id, mill_topology *topology);
MILL_API int mill_main_with(int argc, char **argv, const char *application_id, mill_topology *topology,
                            const char *const *defaults);

/*
 * Checks topology and properties (name, value, ..., NULL), makes everything, starts nothing. The topology outlives the
 * application. NULL: `error` (of `error_size` bytes) says what and what to do.
 */
MILL_API mill_app *mill_app_new(mill_topology *topology, const char *const *properties, char *error, size_t error_size);

/* Opens broker and listener if they are inside, then starts the stream threads. 0, or an error with text in mill_app_error. */
MILL_API MILL_MUST_USE int mill_app_start(mill_app *app);

MILL_API mill_app_state mill_app_state_now(const mill_app *app); /* any thread */
MILL_API const char *mill_app_state_name(mill_app_state state);

/* What went wrong, in words; "" when nothing did. Any thread; lives as long as the application. */
MILL_API const char *mill_app_error(const mill_app *app);

/* "127.0.0.1:9092" of the embedded broker or what bootstrap.servers says. Known after start. */
MILL_API const char *mill_app_bootstrap_servers(const mill_app *app);

/* Called at every change of state, on whichever thread makes it. Set before start. */
MILL_API void mill_app_on_state(mill_app *app, void (*changed)(void *ctx, mill_app_state now, mill_app_state before), void *ctx);

/*
 * What becomes of the application when a stream thread fails (KIP-671). Without a handler the program stops: all its threads end,
 * and mill_app_error says why.
 *
 * To stop the application, the thread that failed tells the leader of the group in a rebalance, and the leader tells all members:
 * the programs of all of them end in the state ERROR, with an error that says so. A group whose leader does not know the word, or
 * that does not answer within a minute, is left as it is, and this program stops alone.
 */
typedef enum mill_thread_answer {
    MILL_THREAD_STOP_PROGRAM,    /* SHUTDOWN_CLIENT: this process's threads end; others of the group take its tasks over */
    MILL_THREAD_REPLACE,         /* REPLACE_THREAD: a new one takes its place and goes on from the last commit */
    MILL_THREAD_STOP_APPLICATION /* SHUTDOWN_APPLICATION: every program of the group ends */
} mill_thread_answer;
/* Called on the thread that failed. One that is replaced may fail at the same record again, and the handler is asked again. */
MILL_API void mill_app_on_thread_failure(mill_app *app, mill_thread_answer (*failed)(void *ctx, int code, const char *text),
                                         void *ctx);

/* Restoring of stores: called as it goes on, at most once a second a store, and at its end (`restored` == `total`). */
typedef struct mill_restore_progress {
    const char *task_id;
    const char *store;
    int64_t restored; /* changelog records applied */
    int64_t total;
} mill_restore_progress;
MILL_API void mill_app_on_restore(mill_app *app, void (*progress)(void *ctx, const mill_restore_progress *progress), void *ctx);

/* How far the application is. Any thread. */
typedef struct mill_app_progress {
    int64_t records_read;    /* source records processed since start */
    int64_t records_late;    /* dropped because their window had closed */
    int64_t records_dropped; /* for any reason, late ones included */
    int64_t lag;             /* records of the source topics not yet processed, as far as is known */
    int64_t commits;
    int64_t tasks_running;
    int64_t tasks_restoring;
} mill_app_progress;
MILL_API void mill_app_progress_now(const mill_app *app, mill_app_progress *progress);

/*
 * Records skipped, by reason: "late", "null-key", ... as each operator's header names them, "deserialization-error" and its like
 * (millstream/errors.h), and your own (mill_context_drop). Counted since the application's first start, like records_dropped:
 * they survive with the committed offsets. Fills `drops` with at most `max` reasons, the most frequent first; returns how many
 * there are. Any thread.
 */
enum {
    MILL_DROP_REASON_BYTES = 32, /* with its NUL; longer ones are cut */
    MILL_DROP_REASONS_MAX = 32,
};
typedef struct mill_drops {
    char reason[MILL_DROP_REASON_BYTES];
    int64_t records;
} mill_drops;
MILL_API size_t mill_app_drops(const mill_app *app, mill_drops *drops, size_t max);

/*
 * Looks into a store of this process, from any thread that is none of the application's own, and waits for the end of it.
 *
 * `look` is called for each task that has the store, one after the other, on the stream thread that owns it and between two of
 * its records: it sees what the operators see, also what is not committed yet. It reads (millstream/stores.h), copies what it
 * wants to keep (views and iterators end with the call), writes nothing, and looks at MILL_QUERY_ROWS_MAX rows at most, because
 * records wait meanwhile. `partition` is the task's, -1 for a global store, which is looked at once.
 *
 * 0 when `look` ended the query or all were asked; the error of `look`; MILL_ENOTFOUND: the topology has no such store;
 * MILL_EAGAIN: tasks are being given out or restored, or were so meanwhile, or 64 queries wait already; MILL_ECLOSED. After these
 * last two some tasks may have been looked at.
 */
enum { MILL_QUERY_ROWS_MAX = 1000 };
enum {
    MILL_QUERY_NEXT = 0,  /* done with this task */
    MILL_QUERY_AGAIN = 1, /* call again for the same task, when others had their turn */
    MILL_QUERY_DONE = 2,  /* no further task is of interest */
};
typedef int (*mill_query_look)(void *ctx, int32_t partition, mill_store *store);
MILL_API MILL_MUST_USE int mill_app_query(mill_app *app, const char *store, mill_query_look look, void *ctx);

/*
 * Stops: the last commit, flush, leaving the group, closing the broker. Returns 0, or MILL_ETIMEOUT when it took longer than
 * `timeout_ms` (it goes on; call again to wait longer), or what failed.
 *
 * Closing has bounds of its own for what a broker has to answer, so that it ends whatever becomes of the broker: 30 seconds
 * (those of Kafka's consumer), 5 while no broker is connected at all. Then the last commit is given up, which fails with
 * MILL_ECONNECTION or MILL_ETIMEOUT and a text. Nothing is lost by that: as after a crash, the next start reads the records
 * since the last commit again, and the stores agree with that. Exactly once, the open transaction ends when it times out at the
 * broker or with that next start, whichever is first.
 */
MILL_API int mill_app_close(mill_app *app, int64_t timeout_ms);

/*
 * What closing waits for, once it has taken a second: "broker 1 at 10.0.0.1:9092 to commit the last offsets (connection
 * refused)". Cut at `size` with its NUL; returns its whole length, 0 when there is nothing to tell. Any thread.
 */
MILL_API size_t mill_app_waits_for(const mill_app *app, char *text, size_t size);

/* Waits until everything has stopped and frees it; closes first if that was not done. NULL is a no-op. */
MILL_API void mill_app_free(mill_app *app);

#ifdef __cplusplus
}
#endif
#endif
