/*
 * A case in the engine itself: broker, client and two stream threads over four partitions, in a simulated world (../simulation),
 * with caches, commits at random moments, and a process that ends several times and comes back.
 *
 * A process has a share of the records fed to it over the network while it runs, in order within each partition and in any order
 * else. Then it ends: it closes, and the next one finds its stores; or it closes and its state directory is removed, so that the
 * next one builds them from the changelogs; or it is killed or loses power, at a random moment or between two writes of a store's
 * flush, and the next one finds a store half written, with what a power cut leaves of it. The last one runs until nothing comes
 * any more. Where processes are killed the guarantee is exactly_once_v2, else it is either.
 */
#ifndef CONFORMANCE_ENGINE_H
#define CONFORMANCE_ENGINE_H

#include "conformance/result.h"
#include "conformance/settled.h"

enum engine_ending { ENDING_CLOSED, ENDING_STATE_LOST, ENDING_KILLED, ENDING_POWER_CUT, ENDING_IN_FLUSH, ENDINGS };

/* What happened in all runs, for the figures at the end. */
struct engine_counts {
    uint64_t endings[ENDINGS];
    uint64_t exactly_once;
    uint64_t commits;
    uint64_t virtual_ms;
};

/* 0 with the rows in `result`, which the caller releases in any case; -1: it failed, with result->error. */
int engine_run(const struct test_case *test, uint64_t seed, struct engine_counts *counts, struct result *result);

#endif
