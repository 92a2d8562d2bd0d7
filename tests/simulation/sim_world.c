/*
 * The event loop of the world, and what a loop is besides its network.
 */
#include "simulation/sim_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "simulation/sim_disk.h"
#include "simulation/sim_internal.h"

static const int64_t WALL_MS_AT_START = 1767225600000; /* 2026-01-01 */

struct sim_work {
    struct loop_timer event;
    struct list link;
    struct sim_loop *loop;
    struct work_item *item;
};

void *sim_must(void *block)
{
    if (!block)
        abort();
    return block;
}

static struct sim_loop *of_loop(struct loop *loop)
{
    return (struct sim_loop *)(void *)loop;
}

/* ---- time and trace -------------------------------------------------------------------------------------------------------- */

struct io_time sim_world_now(const struct sim_world *world)
{
    return (struct io_time){ .monotonic_us = world->now_us, .wall_ms = WALL_MS_AT_START + world->now_us / 1000 };
}

struct io_time sim_loop_now(const struct sim_loop *loop)
{
    struct io_time now = sim_world_now(loop->world);
    now.wall_ms += loop->wall_jump_ms;
    return now;
}

static struct io_time now_of(struct loop *loop)
{
    return sim_loop_now(of_loop(loop));
}

void sim_world_note(struct sim_world *world, const void *data, size_t len)
{
    world->trace = (world->trace ^ crc32c((uint32_t)world->trace, data, len)) * 0x9e3779b97f4a7c15;
}

uint64_t sim_world_trace(const struct sim_world *world)
{
    return world->trace;
}

struct prng *sim_world_prng(struct sim_world *world)
{
    return &world->prng;
}

void sim_world_watch(struct sim_world *world, void (*on_step)(void *ctx, struct loop *loop), void *ctx)
{
    world->on_step = on_step;
    world->on_step_ctx = ctx;
}

/* ---- timers, wakeups, work ------------------------------------------------------------------------------------------------- */

void sim_schedule(struct sim_loop *loop, struct loop_timer *event, int64_t us_min, int64_t us_max)
{
    int64_t delay = us_min + (int64_t)prng_below(&loop->world->prng, (uint64_t)(us_max - us_min + 1));
    timer_heap_set(&loop->timers, event, loop->world->now_us + delay);
}

static void set_timer(struct loop *loop, struct loop_timer *timer, int64_t at_us)
{
    timer_heap_set(&of_loop(loop)->timers, timer, at_us);
}

static void cancel_timer(struct loop *loop, struct loop_timer *timer)
{
    timer_heap_remove(&of_loop(loop)->timers, timer);
}

static int open_wakeup(struct loop *loop, struct loop_wakeup *wakeup)
{
    wakeup->loop = loop;
    wakeup->open = true;
    list_init(&wakeup->link);
    return 0;
}

static void close_wakeup(struct loop_wakeup *wakeup)
{
    wakeup->open = false;
    list_remove(&wakeup->link);
}

static void signal_wakeup(struct loop_wakeup *wakeup)
{
    struct sim_loop *loop = of_loop(wakeup->loop);
    if (!wakeup->open || !list_empty(&wakeup->link))
        return;
    list_push_back(&loop->signalled, &wakeup->link);
    if (loop->wake.at_us == 0)
        sim_schedule(loop, &loop->wake, 1, 50);
}

static void wake(struct loop_timer *event, struct io_time now)
{
    struct sim_loop *loop = event->ctx;
    struct list signalled; /* what is signalled meanwhile waits for the next time */
    list_init(&signalled);
    list_move_all(&signalled, &loop->signalled);
    struct list *link;
    while ((link = list_pop_front(&signalled))) {
        struct loop_wakeup *wakeup = list_entry(link, struct loop_wakeup, link);
        wakeup->woken(wakeup, sim_loop_now(loop));
    }
}

static void finish_work(struct loop_timer *event, struct io_time now)
{
    struct sim_work *work = event->ctx;
    struct work_item *item = work->item;
    struct sim_loop *loop = work->loop;
    list_remove(&work->link);
    free(work);
    item->done(item, sim_loop_now(loop));
}

static void run_work(struct loop_timer *event, struct io_time now)
{
    struct sim_work *work = event->ctx;
    event->fire = finish_work;
    sim_schedule(work->loop, event, 1, 200);
    work->item->run(work->item);
}

static void submit_work(struct loop *loop, enum work_class class, struct work_item *item)
{
    struct sim_work *work = sim_must(calloc(1, sizeof *work));
    work->loop = of_loop(loop);
    work->item = item;
    work->event.fire = run_work;
    work->event.ctx = work;
    item->loop = loop;
    list_push_back(&work->loop->works, &work->link);
    /* Syncs and reads take up to a slow disk's time, background work longer. */
    sim_schedule(work->loop, &work->event, 10, class == WORK_BACKGROUND ? 50000 : 5000);
}

static int fill_random(struct loop *loop, void *into, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)into)[i] = (uint8_t)prng_next(&of_loop(loop)->world->prng);
    return 0;
}

/* ---- running --------------------------------------------------------------------------------------------------------------- */

/* The loop whose next event is the earliest; of several with the same time, any. */
static struct sim_loop *next_loop(struct sim_world *world)
{
    struct sim_loop *next = NULL;
    uint64_t equals = 0;
    list_for_each (link, &world->loops) {
        struct sim_loop *loop = list_entry(link, struct sim_loop, link);
        if (loop->dead || !loop->timers.root)
            continue;
        int64_t at_us = loop->timers.root->at_us, best_us = next ? next->timers.root->at_us : INT64_MAX;
        equals = at_us < best_us ? 1 : equals + (at_us == best_us);
        if (at_us < best_us || (at_us == best_us && prng_below(&world->prng, equals) == 0))
            next = loop;
    }
    return next;
}

bool sim_world_step(struct sim_world *world)
{
    mill_assert(!world->stepping);
    struct sim_loop *loop = next_loop(world);
    if (!loop)
        return false;
    struct loop_timer *event = loop->timers.root;
    if (event->at_us > world->now_us)
        world->now_us = event->at_us;
    sim_world_note(world, &world->now_us, sizeof world->now_us);
    sim_world_note(world, &loop->number, sizeof loop->number);
    timer_heap_remove(&loop->timers, event);
    world->stepping = true;
    if (world->on_step)
        world->on_step(world->on_step_ctx, &loop->loop);
    event->fire(event, sim_loop_now(loop));
    if (world->on_step)
        world->on_step(world->on_step_ctx, NULL);
    world->stepping = false;
    return true;
}

static int64_t next_event_us(struct sim_world *world)
{
    int64_t next_us = INT64_MAX;
    list_for_each (link, &world->loops) {
        struct sim_loop *loop = list_entry(link, struct sim_loop, link);
        if (!loop->dead && loop->timers.root && loop->timers.root->at_us < next_us)
            next_us = loop->timers.root->at_us;
    }
    return next_us;
}

int sim_world_run(struct sim_world *world, bool (*done)(void *ctx), void *ctx, int64_t max_us)
{
    const int64_t end_us = max_us > INT64_MAX - world->now_us ? INT64_MAX : world->now_us + max_us;
    while (!done || !done(ctx)) {
        int64_t next_us = next_event_us(world);
        if (next_us > end_us || next_us == INT64_MAX) {
            if (end_us != INT64_MAX)
                world->now_us = end_us;
            return MILL_ETIMEOUT;
        }
        sim_world_step(world);
    }
    return 0;
}

static int run(struct loop *loop, const bool *until)
{
    struct sim_loop *l = of_loop(loop);
    while (!l->stopping && !(until && *until))
        if (!sim_world_step(l->world))
            return MILL_ETIMEOUT; /* nothing will ever happen again */
    l->stopping = false;
    return 0;
}

static void stop(struct loop *loop)
{
    of_loop(loop)->stopping = true;
}

static const struct loop_ops sim_loop_ops = {
    .now = now_of,
    .timer_set = set_timer,
    .timer_cancel = cancel_timer,
    .wakeup_open = open_wakeup,
    .wakeup_close = close_wakeup,
    .wakeup_signal = signal_wakeup,
    .work_submit = submit_work,
    .listen = sim_net_listen,
    .listener_port = sim_net_listener_port,
    .listener_close = sim_net_listener_close,
    .connect = sim_net_connect,
    .start = sim_net_start,
    .read_pause = sim_net_read_pause,
    .write = sim_net_write,
    .write_queued = sim_net_write_queued,
    .close = sim_net_close,
    .peer_address = sim_net_peer_address,
    .run = run,
    .stop = stop,
    .random = fill_random,
};

/* ---- trouble --------------------------------------------------------------------------------------------------------------- */

void sim_world_jump_clock(struct sim_world *world, const char *host, int64_t by_ms)
{
    list_for_each (link, &world->loops) {
        struct sim_loop *loop = list_entry(link, struct sim_loop, link);
        if (strcmp(loop->host, host) == 0)
            loop->wall_jump_ms += by_ms;
    }
}

void sim_world_set_break_chance(struct sim_world *world, double probability)
{
    world->break_chance = probability;
}

void sim_world_kill(struct sim_world *world, const char *host)
{
    sim_net_host_died(world, host);
    list_for_each (link, &world->loops) {
        struct sim_loop *loop = list_entry(link, struct sim_loop, link);
        loop->dead |= strcmp(loop->host, host) == 0;
    }
}

/* ---- lifetime -------------------------------------------------------------------------------------------------------------- */

struct sim_world *sim_world_new(uint64_t seed)
{
    struct sim_world *world = sim_must(calloc(1, sizeof *world));
    prng_init(&world->prng, seed);
    world->now_us = 1000000;
    world->next_port = 40000;
    list_init(&world->loops);
    list_init(&world->streams);
    list_init(&world->listeners);
    return world;
}

struct loop *sim_world_add_loop(struct sim_world *world, const char *host)
{
    struct sim_loop *loop = sim_must(calloc(1, sizeof *loop));
    loop->loop.ops = &sim_loop_ops;
    loop->world = world;
    loop->number = world->loop_count++;
    snprintf(loop->host, sizeof loop->host, "%s", host);
    loop->wake.fire = wake;
    loop->wake.ctx = loop;
    list_init(&loop->signalled);
    list_init(&loop->works);
    list_push_back(&world->loops, &loop->link);
    return &loop->loop;
}

void sim_world_free(struct sim_world *world)
{
    if (!world)
        return;
    sim_net_free(world);
    struct list *link;
    while ((link = list_pop_front(&world->loops))) {
        struct sim_loop *loop = list_entry(link, struct sim_loop, link);
        struct list *work;
        while ((work = list_pop_front(&loop->works)))
            free(list_entry(work, struct sim_work, link));
        free(loop);
    }
    free(world);
}

static int64_t wall_ms_of_world(void *ctx)
{
    return sim_world_now(ctx).wall_ms;
}

static void note_disk_call(void *ctx, const void *data, size_t len)
{
    sim_world_note(ctx, data, len);
}

struct sim_disk *sim_world_new_disk(struct sim_world *world)
{
    struct sim_disk *sim = sim_disk_new(prng_next(&world->prng));
    sim_disk_set_clock(sim, wall_ms_of_world, world);
    sim_disk_set_note(sim, note_disk_call, world);
    return sim;
}
