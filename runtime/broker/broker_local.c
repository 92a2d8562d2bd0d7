#include "broker/broker_local.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/queue.h"
#include "broker/broker_hub.h"
#include "broker/internal.h"

enum { MESSAGES_PER_WAKE = 64 };

struct broker_hub {
    struct broker *broker;
    struct queue *requests; /* struct request, whose holder is the endpoint */
    struct loop_wakeup wakeup;
    bool open;
    atomic_size_t credits; /* of all endpoints */
};

struct broker_local {
    struct broker_hub *hub;
    struct loop *loop;
    size_t credits_max;
    size_t in_flight; /* the caller's side, as is what follows */
    void (*on_response)(void *ctx, struct request *request, struct io_time now);
    void *ctx;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct queue *responses;
    struct loop_wakeup wakeup;
    struct request *hurry; /* carries the wish to be answered at once; not a request */

    struct list submitted;   /* the broker's side: requests by their link */
    pthread_mutex_t sending; /* held by the broker from putting an answer to waking its receiver, who may then free all this */
};

/* ---- the broker's side ----------------------------------------------------------------------------------------------------- */

/* There is room: a slot was taken with each credit. */
static void send_back(struct broker_local *local, struct request *request)
{
    pthread_mutex_lock(&local->sending);
    if (queue_send(local->responses, request))
        loop_wakeup_signal(&local->wakeup);
    pthread_mutex_unlock(&local->sending);
}

static void replied(void *ctx, struct request *request, struct io_time now)
{
    list_remove(&request->link);
    send_back(ctx, request);
}

static void hurry_all(struct broker_local *local, struct io_time now)
{
    list_for_each_safe (node, &local->submitted)
        broker_hurry(local->hub->broker, list_entry(node, struct request, link), now);
}

static void take_requests(struct loop_wakeup *wakeup, struct io_time now)
{
    struct broker_hub *hub = wakeup->ctx;
    void *messages[MESSAGES_PER_WAKE];
    size_t count;
    while ((count = queue_receive(hub->requests, messages, MESSAGES_PER_WAKE)) > 0)
        for (size_t i = 0; i < count; i++) {
            struct request *request = messages[i];
            struct broker_local *local = request->holder;
            if (request == local->hurry) {
                hurry_all(local, now);
                send_back(local, request);
                continue;
            }
            list_push_back(&local->submitted, &request->link);
            broker_submit(hub->broker, request, BROKER_HOST_IN_PROCESS, replied, local, now);
        }
}

int broker_hub_new(struct broker *broker)
{
    struct broker_hub *hub = mem_calloc(1, sizeof *hub);
    struct queue *requests = queue_new("broker.requests", BROKER_LOCAL_CREDITS_MAX);
    if (!hub || !requests) {
        mem_free(hub);
        if (requests)
            queue_free(requests);
        return MILL_ENOMEM;
    }
    hub->broker = broker;
    hub->requests = requests;
    hub->wakeup = (struct loop_wakeup){ .woken = take_requests, .ctx = hub };
    broker->hub = hub;
    return 0;
}

int broker_hub_open(struct broker *broker)
{
    int code = loop_wakeup_open(broker->loop, &broker->hub->wakeup);
    broker->hub->open = code == 0;
    return code == 0 ? 0 : error_set(&broker->error, code, "the loop has no room for a wake-up");
}

void broker_hub_free(struct broker *broker)
{
    mill_assert(atomic_load(&broker->hub->credits) == 0);
    if (broker->hub->open)
        loop_wakeup_close(&broker->hub->wakeup);
    queue_free(broker->hub->requests);
    mem_free(broker->hub);
}

/* ---- the caller's side ----------------------------------------------------------------------------------------------------- */

static void finish_close(struct broker_local *local)
{
    void (*closed)(void *ctx) = local->closed;
    void *ctx = local->closed_ctx;
    pthread_mutex_lock(&local->sending); /* the broker has let go of the last answer, and of us */
    pthread_mutex_unlock(&local->sending);
    pthread_mutex_destroy(&local->sending);
    loop_wakeup_close(&local->wakeup);
    queue_free(local->responses);
    atomic_fetch_sub(&local->hub->credits, local->credits_max + 1);
    request_free(local->hurry);
    mem_free(local);
    closed(ctx);
}

static void take_responses(struct loop_wakeup *wakeup, struct io_time now)
{
    struct broker_local *local = wakeup->ctx;
    void *messages[MESSAGES_PER_WAKE];
    size_t count;
    while ((count = queue_receive(local->responses, messages, MESSAGES_PER_WAKE)) > 0)
        for (size_t i = 0; i < count; i++) {
            local->in_flight--;
            if (messages[i] != local->hurry)
                local->on_response(local->ctx, messages[i], now);
        }
    if (local->closing && local->in_flight == 0)
        finish_close(local);
}

/* Takes the credits, and one for the wish to hurry; false when the hub has no more. */
static bool take_hub_credits(struct broker_hub *hub, size_t credits)
{
    size_t taken = atomic_fetch_add(&hub->credits, credits + 1);
    if (taken + credits + 1 <= BROKER_LOCAL_CREDITS_MAX)
        return true;
    atomic_fetch_sub(&hub->credits, credits + 1);
    return false;
}

int broker_local_open(struct broker *broker, struct loop *loop, size_t credits,
                      void (*on_response)(void *ctx, struct request *request, struct io_time now), void *ctx,
                      struct broker_local **out)
{
    if (!take_hub_credits(broker->hub, credits))
        return MILL_ENOMEM;
    struct broker_local *local = mem_calloc(1, sizeof *local);
    struct queue *responses = queue_new("broker.responses", credits + 1);
    struct request *hurry = request_new(api_find(API_API_VERSIONS), 0, REQUEST_ARENA_BLOCK_BYTES * 2);
    if (!local || !responses || !hurry)
        goto fail;
    *local = (struct broker_local){ .hub = broker->hub,
                                    .loop = loop,
                                    .credits_max = credits,
                                    .on_response = on_response,
                                    .ctx = ctx,
                                    .responses = responses,
                                    .hurry = hurry };
    list_init(&local->submitted);
    pthread_mutex_init(&local->sending, NULL);
    local->wakeup = (struct loop_wakeup){ .woken = take_responses, .ctx = local };
    if (loop_wakeup_open(loop, &local->wakeup) != 0) {
        pthread_mutex_destroy(&local->sending);
        goto fail;
    }
    *out = local;
    return 0;

fail:
    request_free(hurry);
    if (responses)
        queue_free(responses);
    mem_free(local);
    atomic_fetch_sub(&broker->hub->credits, credits + 1);
    return MILL_ENOMEM;
}

size_t broker_local_credits(const struct broker_local *local)
{
    return local->closing ? 0 : local->credits_max - local->in_flight;
}

static void send_to_broker(struct broker_local *local, struct request *request)
{
    /* The slot for the answer first: the broker can then always answer. Both queues have room for every credit. */
    bool answer_room = queue_reserve(local->responses);
    bool room = queue_reserve(local->hub->requests);
    mill_assert(answer_room);
    mill_assert(room);
    request->holder = local;
    local->in_flight++;
    if (queue_send(local->hub->requests, request))
        loop_wakeup_signal(&local->hub->wakeup);
}

bool broker_local_send(struct broker_local *local, struct request *request)
{
    if (broker_local_credits(local) == 0)
        return false;
    send_to_broker(local, request);
    return true;
}

void broker_local_close(struct broker_local *local, void (*closed)(void *ctx), void *ctx)
{
    mill_assert(!local->closing);
    local->closing = true;
    local->closed = closed;
    local->closed_ctx = ctx;
    send_to_broker(local, local->hurry);
}
