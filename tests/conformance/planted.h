/*
 * Faults that partitions.c can put into the engine, by replacing functions of it at the link, to see that it finds them; and
 * flushes of stores at random moments, which would else come after ten seconds.
 */
#ifndef CONFORMANCE_PLANTED_H
#define CONFORMANCE_PLANTED_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, what it does) */
#define PLANTED_FAULTS(X)                                                               \
    X(CRASH, "the process dies when a store is to be flushed")                          \
    X(REPARTITION, "a record of a repartition topic goes to a partition of its value")  \
    X(CHANGELOG, "one of nineteen records of the changelogs is left out")               \
    X(TWICE, "a process that was killed is not exactly once")                           \
    X(OFFSETS, "positions are committed outside of the transaction, before its marker") \
    X(FLUSH, "stores are flushed before the transaction's marker")

enum planted {
    PLANTED_NONE,
#define PLANTED_ENUM(name, text) PLANTED_##name,
    PLANTED_FAULTS(PLANTED_ENUM)
#undef PLANTED_ENUM
        PLANTED_COUNT
};

extern enum planted planted_fault; /* in force from planted_begin to planted_end */

/* Of a thousand times that a store could be flushed it is at so many, chosen by `seed`. */
void planted_begin(uint64_t seed, uint64_t flushes_per_mille, bool exactly_once);
void planted_end(void);

const char *planted_text(enum planted fault);

#endif
