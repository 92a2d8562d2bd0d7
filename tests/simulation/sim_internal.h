/*
 * What sim_world.c and sim_net.c share.
 */
#ifndef SIMULATION_SIM_INTERNAL_H
#define SIMULATION_SIM_INTERNAL_H

#include "base/list.h"
#include "io/timer_heap.h"
#include "simulation/sim_world.h"

enum { SIM_HOST_BYTES = 64, SIM_CUTS_MAX = 64 };

struct sim_loop {
    struct loop loop; /* first: a struct loop * is one of these */
    struct sim_world *world;
    struct list link;
    char host[SIM_HOST_BYTES];
    int number;
    bool dead, stopping;
    int64_t wall_jump_ms;
    struct timer_heap timers; /* users' timers and the simulator's own events */
    struct list signalled;
    struct loop_timer wake;
    struct list works;
};

struct sim_world {
    struct prng prng;
    uint64_t trace;
    int64_t now_us;
    struct list loops;
    int loop_count;
    bool stepping;
    void (*on_step)(void *ctx, struct loop *loop);
    void *on_step_ctx;
    struct list streams, listeners;
    int next_port;
    double break_chance;
    char cuts[SIM_CUTS_MAX][2][SIM_HOST_BYTES];
    int cut_count;
};

struct io_time sim_loop_now(const struct sim_loop *loop);

/* Sets one of the simulator's own events a random time from now. */
void sim_schedule(struct sim_loop *loop, struct loop_timer *event, int64_t us_min, int64_t us_max);

void *sim_must(void *block);

/* The network half of loop_ops, in sim_net.c. */
int sim_net_listen(struct loop *loop, const char *host, int port, const struct net_listener_events *events, void *ctx,
                   struct net_listener **listener);
int sim_net_listener_port(struct net_listener *listener);
void sim_net_listener_close(struct net_listener *listener);
int sim_net_connect(struct loop *loop, const char *host, int port, void (*connected)(void *ctx, int code, struct io_time now),
                    const struct net_stream_events *events, void *ctx, struct net_stream **stream);
int sim_net_start(struct net_stream *stream, const struct net_stream_events *events, void *ctx);
void sim_net_read_pause(struct net_stream *stream, bool paused);
int sim_net_write(struct net_stream *stream, const struct io_vector *vectors, size_t count, void *write_ctx);
size_t sim_net_write_queued(struct net_stream *stream);
void sim_net_close(struct net_stream *stream);
void sim_net_peer_address(struct net_stream *stream, char text[IO_ADDRESS_BYTES]);

/* The sockets of a dead host end, as its kernel would end them. */
void sim_net_host_died(struct sim_world *world, const char *host);
void sim_net_free(struct sim_world *world);

#endif
