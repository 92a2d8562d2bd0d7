/*
 * The topics of a job, filled before the application and read after it, through its own broker.
 *
 * Each call runs the broker for itself: the application must not. A failure ends the program with a message. Thread: one.
 */
#ifndef BENCH_TOPICS_H
#define BENCH_TOPICS_H

#include "bench/jobs.h"

enum { TOPICS_PARTITIONS = 4, TOPICS_BATCH_BYTES = 64 << 10 };

struct topics {
    const struct job *job;
    int64_t records; /* of `in` */
    uint32_t keys;
    bool zipf;
    int64_t now_ms;       /* for the records' timestamps */
    char directory[4300]; /* the broker's */
    int64_t expected;     /* by topics_check; so `found` */
    int64_t found;
};

/* The records that the clock sees, and the rows before them. */
int64_t topics_records(const struct topics *topics);
int64_t topics_rows(const struct topics *topics);

/* `in`, `out` and what the job reads besides. All stays in the page cache, as the input of a producer that is just ahead. */
void topics_fill(struct topics *topics);

/* Prints what a naive program makes of the input and what is in `out`. False: they differ. */
bool topics_check(struct topics *topics);

#endif
