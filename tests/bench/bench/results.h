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
    RESULT_RECORDS, /* records that pass a filter; records in the output */
    RESULT_COUNTS,  /* records; the sum over all keys of their last count */
    RESULT_DISTINCT /* different users per key and minute, all added up; as above */
};

/* Makes all records of the source. `keep` is the filter of RESULT_RECORDS. */
int64_t results_expected(struct record_source *source, enum result_kind kind, bool (*keep)(const mill_record *record, void *ctx));

/* Reads the topic. */
int64_t results_found(struct load *load, const char *topic, int32_t partitions, enum result_kind kind);

#endif
