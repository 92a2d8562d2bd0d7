/*
 * Is what a job wrote right? A number that sums it up, from the input by a naive program and from the output.
 *
 * Thread: one.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include "bench/load.h"
#include "bench/records.h"

enum result_kind {
    RESULT_RECORDS,  /* records that pass a filter; records in the output */
    RESULT_ALL,      /* records; records in the output */
    RESULT_PAIRS,    /* pairs of equal keys within RESULT_JOIN_MS, of the records with themselves; records in the output */
    RESULT_COUNTS,   /* records; the sum over all keys of their last count */
    RESULT_SUMS,     /* users of each key's last record, added up; as above */
    RESULT_DISTINCT, /* different users per key and minute, all added up; as above */
    RESULT_ABOUT_DISTINCT
};

enum { RESULT_JOIN_MS = 200, RESULT_USER_AT = 1, RESULT_USER_DIGITS = 6 };

/* Of decimal digits. */
uint64_t result_number(const uint8_t *digits, size_t count);

/* Makes all records of the source. `keep` is the filter of RESULT_RECORDS. */
int64_t results_expected(struct record_source *source, enum result_kind kind, bool (*keep)(const mill_record *record, void *ctx));

/* By how much the two may differ. */
int64_t results_tolerance(enum result_kind kind, int64_t expected);

/* Reads the topic. */
int64_t results_found(struct load *load, const char *topic, int32_t partitions, enum result_kind kind);

#endif
