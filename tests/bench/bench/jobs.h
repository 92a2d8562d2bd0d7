/*
 * The whole jobs that bench.pipeline measures: their topologies, what they read, how their results are checked, what they have to
 * reach.
 */
#ifndef BENCH_JOBS_H
#define BENCH_JOBS_H

#include "bench/records.h"
#include "bench/results.h"
#include "millstream/millstream.h"

/* What is read beside the topic `in`. */
enum job_other {
    OTHER_NONE,
    OTHER_ROWS,   /* `other` holds a row of each key, read before the clock runs */
    OTHER_STREAM, /* `other` holds the same records, which count like the first ones */
};

/* From when to when the clock runs. */
enum job_clock {
    CLOCK_RUN,        /* from the first record until the application has closed */
    CLOCK_RESTORE,    /* while the tasks restore, after a run that is not measured */
    CLOCK_GUARANTEES, /* as CLOCK_RUN, at-least-once and exactly-once in turns */
    CLOCK_START,      /* from exec to the first record, after a kill -9 */
};

struct job {
    const char *name;
    const char *what;
    void (*build)(mill_topology *topology);
    enum record_shape shape;
    enum job_other other;
    uint32_t keys;
    int64_t records; /* of `in` by default: more than ten commits at the rate of the bar */
    enum job_clock clock;
    enum result_kind result;
    int reads;         /* how often a record of `in` is read from a source topic, repartition included */
    bool reads_more;   /* and some that nobody can count before: the lag has to be 0, too */
    double bar;        /* records a second */
    double ceiling;    /* 0: none is known */
    int64_t commit_ms; /* commit.interval.ms */
};

/* NULL: there is none of this name. */
const struct job *job_find(const char *name);

/* Their names, NULL behind the last. */
const char *job_name(size_t index);

/* The filter of `filtermap`, for who counts what it lets through. */
bool job_keeps(const mill_record *record, void *ctx);

/* Zipf keys out of a million are the second row of the count. */
#define JOB_ZIPF_BAR     3e6
#define JOB_ZIPF_CEILING 17e6

#endif
