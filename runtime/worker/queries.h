/*
 * What another thread asks of the stores of a stream thread's tasks.
 *
 * Thread: stream_thread_ask any, also the caller's part of the query until then and after `answered`; all else the loop's.
 */
#ifndef WORKER_QUERIES_H
#define WORKER_QUERIES_H

#include "base/list.h"
#include "millstream/app.h"

struct stream_thread;

/* The caller's, who keeps it until it is answered. */
struct store_query {
    const char *store;
    mill_query_look look; /* millstream/app.h */
    void *ctx;
    void (*answered)(struct store_query *query); /* on the stream thread; last */
    int code;                                    /* MILL_QUERY_DONE: said `look`; MILL_QUERY_NEXT: no task is left; errors */
    struct list link;
    size_t task_at;      /* tasks that are done */
    bool has_generation; /* false before the first look */
    int32_t generation;  /* of the group then: in another one the tasks of several threads are not all there are, each once */
};

/* Sends it; stream_thread_look_at_queries on the loop is to follow. MILL_EAGAIN: too many wait already. */
MILL_MUST_USE int stream_thread_ask(struct stream_thread *thread, struct store_query *query);
void stream_thread_look_at_queries(struct stream_thread *thread);

/* stream_thread.c: */
MILL_MUST_USE int queries_init(struct stream_thread *thread);
void queries_step(struct stream_thread *thread);
void queries_release(struct stream_thread *thread); /* answers what is left with MILL_ECLOSED */

#endif
