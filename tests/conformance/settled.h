/*
 * Which tables come to the same end however their records interleave and whatever a cache coalesces, and which streams carry the
 * same records then: those have to be equal at one partition without faults and at four with restarts (partitions.c).
 *
 * A stream's records stay the same where each depends on one record, or on a pair that meets whenever neither is late. A table's
 * last rows do where its records come in one order for each key, or where that order does not matter: reducers and aggregators
 * that commute, subtractors that take back exactly what was added. What is driven by stream time, what meets a table on the way
 * and what is below a table's updates depends on the moment.
 */
#ifndef CONFORMANCE_SETTLED_H
#define CONFORMANCE_SETTLED_H

#include "base/prng.h"
#include "conformance/case.h"

enum settled {
    SETTLED_NOT,
    SETTLED_BAG,       /* the same records in any order */
    SETTLED_IN_ORDER,  /* the same records, those of one key in one order: none has changed its key since the topic */
    SETTLED_BUT_EMPTY, /* the same rows, but a group that has become empty may have a row of nothing, or none */
    SETTLED_ROWS,      /* the same rows */
};

/* False: nothing that such an operator gives is ever settled. */
bool settled_knows(size_t type);

/* What is so of each node. Grace and retention are taken to be longer than the input. */
void settled_find(const struct test_case *test, enum settled settled[CASE_NODES_MAX]);

/*
 * Makes of a random case one whose nodes are all settled: functions that commute (but for some where the order is known), grace
 * and retention beyond the input, no advance of the clock, no word on which a mapper fails, and without what is not settled then.
 * False: too little is left.
 */
bool settle_case(struct prng *prng, struct test_case *test);

/*
 * The case of that number of a seed, and the seed of the world in which it runs. In it comes the operator whose turn it is, so
 * that the rare ones come, too; if none comes soon, any.
 */
void settled_make(uint64_t seed, uint64_t number, struct test_case *test);
uint64_t settled_seed(uint64_t seed, uint64_t number);

/* Is everything of a case settled, with grace and retention beyond its input, and nothing in it to fail on? */
bool settled_whole(const struct test_case *test);

/* The row of a settled table as it is compared: empty groups and rows that are not there are both null. */
mill_bytes settled_row(const struct test_case *test, size_t node, mill_bytes value, char number[24]);

#endif
