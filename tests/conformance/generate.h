/*
 * Random cases: topologies that fit, in which allowed pairs of operators, one feeding the other, come the sooner the rarer they
 * were so far, and records with equal, out-of-order and late timestamps, null keys and values, few keys or many.
 */
#ifndef CONFORMANCE_GENERATE_H
#define CONFORMANCE_GENERATE_H

#include "base/prng.h"
#include "conformance/case.h"

/* How often each pair came so far: the second operator took what the first gave. */
struct coverage {
    size_t operator_count;
    uint32_t *pairs; /* [first][second] */
};

void coverage_init(struct coverage *coverage);
void coverage_release(struct coverage *coverage);

struct coverage_summary {
    size_t pairs; /* that are allowed */
    uint32_t least;
    const char *first; /* of the rarest pair */
    const char *second;
};
struct coverage_summary coverage_summary(const struct coverage *coverage);

/* Made of the numbers of `prng` and of what was covered before; counts its pairs. */
void generate_case(struct prng *prng, struct coverage *coverage, uint64_t number, struct test_case *test);

#endif
