/*
 * A world from one seed: loops on hosts, their timers, wakeups and work, a network between them, virtual time.
 *
 * One heap of events per loop, one step takes the earliest of all (of equal ones any), so that the loops interleave like threads.
 * Each loop implements struct loop (io/io.h) and is to its users what uv_loop is. Time passes only between events.
 *
 *  - Wakeups arrive some microseconds later. Work items run inline at a later event and are done at another, in any order.
 *  - Streams deliver their bytes in order, in random pieces and with random delays; at most 64 KiB are under way, then the writer
 *    waits. Hosts can be cut off from each other (bytes, ends and connects wait) and streams be broken.
 *  - A killed host falls silent in the middle of whatever it was doing; its peers see their connections end or fail.
 *
 * The same seed and the same calls give the same run and the same trace. Uses plain malloc, so that mem_fail_at counts only the
 * code under test. One thread.
 */
#ifndef SIMULATION_SIM_WORLD_H
#define SIMULATION_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "io/io.h"

struct sim_world;
struct sim_disk;

struct sim_world *sim_world_new(uint64_t seed);

/* Frees loops, streams and listeners, open or not, without any callback. What the owners hold is freed after or before. */
void sim_world_free(struct sim_world *world);

/*
 * A new loop on a host; loops of one host are threads of one machine and reach each other as localhost. A listener is reached by
 * the name of its host, whatever it was bound to. `host` is copied. The world frees it.
 */
struct loop *sim_world_add_loop(struct sim_world *world, const char *host);

/* A disk whose time is the world's and whose calls enter its trace. The caller frees it, before the world. */
struct sim_disk *sim_world_new_disk(struct sim_world *world);

/* ---- running --------------------------------------------------------------------------------------------------------------- */

struct io_time sim_world_now(const struct sim_world *world);

/* The next event; false when there is none. */
bool sim_world_step(struct sim_world *world);

/* Steps until `done` (may be NULL) answers true: 0. MILL_ETIMEOUT when `max_us` have passed or no event is left. */
int sim_world_run(struct sim_world *world, bool (*done)(void *ctx), void *ctx, int64_t max_us);

/* The world's own generator, for tests that draw their actions from the same seed. */
struct prng *sim_world_prng(struct sim_world *world);

/* Called with its loop before each event and with NULL after it. NULL ends it. */
void sim_world_watch(struct sim_world *world, void (*on_step)(void *ctx, struct loop *loop), void *ctx);

/* A hash of every event so far. sim_world_note adds what the test itself sees. */
uint64_t sim_world_trace(const struct sim_world *world);
void sim_world_note(struct sim_world *world, const void *data, size_t len);

/* ---- trouble --------------------------------------------------------------------------------------------------------------- */

/* The wall clock of a host jumps. */
void sim_world_jump_clock(struct sim_world *world, const char *host, int64_t by_ms);

/* Cuts two hosts off from each other, or heals the cut. */
void sim_world_cut(struct sim_world *world, const char *a, const char *b, bool cut);

/* Every stream that ends on the host fails, on both sides, and what was under way is lost. */
void sim_world_break_streams(struct sim_world *world, const char *host);

/* With this chance each transfer of bytes breaks its stream instead. 0, the default: never. */
void sim_world_set_break_chance(struct sim_world *world, double probability);

/*
 * Kills all loops of a host: none of their callbacks is called again. Calls on them do nothing, so that owners can be released.
 * Add new loops of the same name for the process that starts next; its listeners may take the same ports.
 */
void sim_world_kill(struct sim_world *world, const char *host);

#endif
