/*
 * Differences that are meant: what Kafka Streams does there is a defect of its own, by its own issue, and ours does not follow it
 * even with mill.compat=kafka. An entry says so of a topology and its input, in code; never of a seed or of the outputs alone.
 */
#ifndef CONFORMANCE_KNOWN_DIFFERENCES_H
#define CONFORMANCE_KNOWN_DIFFERENCES_H

#include "conformance/case.h"

enum { KNOWN_DIFFERENCES_MAX = 20 };

struct known_difference {
    const char *issue; /* KAFKA-12345 */
    const char *text;
    bool (*begins_at)(const struct test_case *test, size_t node);
};

extern const struct known_difference KNOWN_DIFFERENCES[];
extern const size_t KNOWN_DIFFERENCE_COUNT;

/* The first that applies; NULL: none does, so both sides must be equal. */
const struct known_difference *known_difference_of(const struct test_case *test);

/* The nodes in whose results one may show: it begins there or above. */
void known_difference_reach(const struct test_case *test, bool reached[CASE_NODES_MAX]);

#endif
