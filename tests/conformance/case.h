/*
 * A case: a topology, the properties it runs under, and what happens to it, as data and as text.
 *
 *     case 17 cache=1 memory=0
 *     node 0 stream - 0
 *     node 1 filter 0 3
 *     node 2 to 1 0
 *     record 0 'a 'x1 100
 *     record 0 ~ ~ 90
 *     advance 1000
 *     end
 *
 * A node has its number, its operator (operators.c), the nodes that it takes, and numbers that the operator gives a meaning to.
 * A record has the number of its topic (`in<number>`), key, value and timestamp: `~` is null, all else follows an apostrophe. The
 * text is what Peer.java reads and what a difference is printed as; it can be run again with `differential --replay`.
 */
#ifndef CONFORMANCE_CASE_H
#define CONFORMANCE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "millstream/bytes.h"

enum { CASE_NODES_MAX = 40, CASE_INPUTS_MAX = 3, CASE_PARAMETERS_MAX = 6, CASE_EVENTS_MAX = 128, CASE_WORD_MAX = 7 };

/* A key or value of an input record: letters, or null. */
struct case_word {
    bool is_null;
    char text[CASE_WORD_MAX + 1];
};

struct case_node {
    size_t type; /* in OPERATORS */
    size_t inputs[CASE_INPUTS_MAX];
    int64_t parameters[CASE_PARAMETERS_MAX];
};

struct case_event {
    bool is_advance; /* of the wall clock, by `time_ms` */
    int topic;
    struct case_word key;
    struct case_word value;
    int64_t time_ms;
};

struct test_case {
    uint64_t number;
    bool cache;  /* statestore.cache.max.bytes above 0 */
    bool memory; /* stores in memory: Kafka Streams' differ from its RocksDB ones in places */
    size_t node_count;
    struct case_node nodes[CASE_NODES_MAX];
    size_t event_count;
    struct case_event events[CASE_EVENTS_MAX];
};

mill_bytes case_word_bytes(const struct case_word *word);

/* As the text above. */
void case_print(const struct test_case *test, FILE *to);

/* The next case of a file: 1, 0 at its end, -1 and a word on standard error when it is no case. */
int case_read(FILE *from, struct test_case *test);

#endif
