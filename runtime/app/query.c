/* Queries: one message to each stream thread in turn, and a wait for its answer. */
#include <pthread.h>

#include "app/app_internal.h"
#include "base/error.h"
#include "worker/queries.h"

struct waiting_query {
    struct store_query query; /* first */
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool answered;
};

static void answered(struct store_query *query)
{
    struct waiting_query *waiting = (struct waiting_query *)query;
    pthread_mutex_lock(&waiting->mutex);
    waiting->answered = true;
    pthread_cond_signal(&waiting->done);
    pthread_mutex_unlock(&waiting->mutex);
}

static int wait_for_answer(struct waiting_query *waiting)
{
    pthread_mutex_lock(&waiting->mutex);
    while (!waiting->answered)
        pthread_cond_wait(&waiting->done, &waiting->mutex);
    waiting->answered = false;
    pthread_mutex_unlock(&waiting->mutex);
    return waiting->query.code;
}

int mill_app_query(mill_app *app, const char *store, mill_query_look look, void *ctx)
{
    if (app == NULL || store == NULL || look == NULL)
        return MILL_EINVALID;
    if (!app_has_store(app, store))
        return MILL_ENOTFOUND;
    struct waiting_query waiting = { .query = { .store = store, .look = look, .ctx = ctx, .answered = answered } };
    pthread_mutex_init(&waiting.mutex, NULL);
    pthread_cond_init(&waiting.done, NULL);
    int code = MILL_QUERY_NEXT;
    for (size_t i = 0; code == MILL_QUERY_NEXT && i < app_thread_count(app); i++) {
        code = app_ask(app, i, &waiting.query);
        if (code == 0)
            code = wait_for_answer(&waiting);
    }
    pthread_cond_destroy(&waiting.done);
    pthread_mutex_destroy(&waiting.mutex);
    return code < 0 ? code : 0;
}
