/*
 * Queries of other threads: messages to the thread that owns the tasks, answered between two records.
 *
 * A turn gives each query one look at one task. While the thread runs no task comes, and none begins to close: whatever changes
 * them goes through another state, in which all queries are answered with MILL_EAGAIN. One that still closes, because its last
 * flush is under way, may leave the list meanwhile: it is not this thread's any more, is neither asked nor counted.
 */
#include "worker/queries.h"

#include "base/alloc.h"
#include "worker/internal.h"

enum { QUERIES_MAX = 64 /* one for each thread that asks */ };

int queries_init(struct stream_thread *thread)
{
    list_init(&thread->queries);
    thread->asked = queue_new("queries", QUERIES_MAX);
    return thread->asked == NULL ? MILL_ENOMEM : 0;
}

int stream_thread_ask(struct stream_thread *thread, struct store_query *query)
{
    if (!queue_reserve(thread->asked))
        return MILL_EAGAIN;
    query->code = 0;
    query->task_at = 0;
    list_init(&query->link);
    queue_send(thread->asked, query);
    return 0;
}

void stream_thread_look_at_queries(struct stream_thread *thread)
{
    thread_wake(thread);
}

static void receive(struct stream_thread *thread)
{
    void *messages[QUERIES_MAX];
    size_t count = queue_receive(thread->asked, messages, QUERIES_MAX);
    for (size_t i = 0; i < count; i++)
        list_push_back(&thread->queries, &((struct store_query *)messages[i])->link);
}

static void answer(struct store_query *query, int code)
{
    list_remove(&query->link);
    query->code = code;
    query->answered(query);
}

/* The store in the query's next task that has it; NULL: there is none left. */
static mill_store *next_store(struct stream_thread *thread, struct store_query *query, int32_t *partition)
{
    size_t at = 0;
    for_each_task (assigned, thread) {
        if (assigned->state == ASSIGNED_CLOSING || at++ < query->task_at)
            continue;
        mill_store *store = task_find_store(assigned->task, query->store);
        *partition = assigned->name.partition;
        if (store != NULL)
            return store;
        query->task_at = at;
    }
    return NULL;
}

/* A global store is the same in every thread: one of them is enough. */
static int look_at_global(struct stream_thread *thread, struct store_query *query)
{
    mill_store *store = thread->options.globals ? global_reader_store(thread->options.globals, query->store) : NULL;
    int code = store == NULL ? MILL_QUERY_NEXT : query->look(query->ctx, -1, store);
    return code == MILL_QUERY_NEXT && store != NULL ? MILL_QUERY_DONE : code;
}

/* One look. True: the query is to come again. */
static bool step(struct stream_thread *thread, struct store_query *query)
{
    int32_t partition;
    mill_store *store = next_store(thread, query, &partition);
    int code = store == NULL ? look_at_global(thread, query) : query->look(query->ctx, partition, store);
    bool next_task = code == MILL_QUERY_NEXT && store != NULL;
    query->task_at += next_task;
    if (next_task || code == MILL_QUERY_AGAIN)
        return true;
    answer(query, code);
    return false;
}

/* The first thread that is asked says which generation it is. */
static bool is_of_this_generation(const struct stream_thread *thread, struct store_query *query)
{
    int32_t generation = group_member_generation(thread->member);
    if (!query->has_generation)
        query->generation = generation;
    query->has_generation = true;
    return query->generation == generation;
}

void queries_step(struct stream_thread *thread)
{
    receive(thread);
    bool more = false;
    list_for_each_safe (node, &thread->queries) {
        struct store_query *query = list_entry(node, struct store_query, link);
        if (thread->state == STREAM_THREAD_RUNNING && is_of_this_generation(thread, query))
            more |= step(thread, query);
        else
            answer(query, thread->state >= STREAM_THREAD_CLOSING ? MILL_ECLOSED : MILL_EAGAIN);
    }
    if (more)
        thread_wake(thread);
}

void queries_release(struct stream_thread *thread)
{
    if (thread->asked == NULL)
        return;
    receive(thread);
    list_for_each_safe (node, &thread->queries)
        answer(list_entry(node, struct store_query, link), MILL_ECLOSED);
    queue_free(thread->asked);
}
