/* What is in the tables and outputs of a settled case in the end. Each table is written to a topic of its own for that. */
#ifndef CONFORMANCE_ROWS_H
#define CONFORMANCE_ROWS_H

#include "conformance/result.h"
#include "conformance/settled.h"
#include "millstream/millstream.h"

enum { ROWS_TOPIC_BYTES = 32 };

/* The case's topology and the topics of its tables. */
void rows_build(const struct test_case *test, mill_topology *topology);

/* The topic of a table or an output; false: the node is neither. */
bool rows_topic(const struct test_case *test, size_t node, char topic[ROWS_TOPIC_BYTES]);

/* A record of that topic, those of one partition in order. */
void rows_add(const struct test_case *test, size_t node, int partition, const mill_record *record, struct result *result);

/* After the last record: leaves the last row of each key, and all records of outputs, sorted. */
void rows_finish(const struct test_case *test, struct result *result);

/* At one partition, through mill_test_driver: 0, or -1 with result->error. Finished; the caller releases it in any case. */
int rows_of_driver(const struct test_case *test, struct result *result);

bool rows_equal(const struct result *a, const struct result *b);

/* What one has and the other has not, line by line. */
void rows_print_difference(const struct result *driver, const struct result *engine, FILE *to);

#endif
