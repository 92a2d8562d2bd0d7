/*
 * All operators that topologies are made of: what each takes and gives, its parameters, and how it is built.
 *
 * An operator is an entry of OPERATORS here and a branch of Peer.java's `build` under the same name; the generator needs no more.
 */
#ifndef CONFORMANCE_OPERATORS_H
#define CONFORMANCE_OPERATORS_H

#include "conformance/case.h"
#include "conformance/faults.h"

#include "millstream/cogroup.h"
#include "millstream/millstream.h"
#include "millstream/suppress.h"

enum kind {
    KIND_NONE,
    KIND_STREAM,
    KIND_BRANCHES,
    KIND_GROUPED,
    KIND_TIME_WINDOWED,
    KIND_SESSION_WINDOWED,
    KIND_TABLE,
    KIND_VERSIONED, /* a versioned table that a stream waits for */
    KIND_GROUPED_TABLE,
    KIND_GLOBAL_TABLE,
    KIND_COGROUPED,
    KIND_WINDOWED_COGROUPED,
    KIND_SESSION_COGROUPED,
    KIND_COUNT
};

/* What an operator does to the form of keys, and what it asks of them. */
enum keys { KEYS_KEPT, KEYS_PLAIN, KEYS_TIME_WINDOWED, KEYS_SESSION_WINDOWED };

enum need {
    NEEDS_PLAIN_KEYS = 1, /* no windowed ones */
    NEEDS_EQUAL_KEYS = 2, /* of all inputs */
    NEEDS_WINDOWED_KEYS = 4,
    NEEDS_PLAIN_SECOND = 8, /* of the second input, whatever the first one's are */
    GROWS = 16,             /* gives several records for one */
    MULTIPLIES = 32,        /* gives one for each pair */
};

/* A number from `least` to `most`; a time is multiplied by the scale of the case's times. */
struct parameter {
    int64_t least;
    int64_t most;
    bool is_time;
};

/* What is being built: the handle of node i is handles[i]. */
struct build {
    mill_topology *topology;
    const struct test_case *test;
    enum fault fault;
    void *handles[CASE_NODES_MAX];
    char names[CASE_NODES_MAX][8]; /* of stores */
};

struct operator_type {
    const char *name;
    enum kind takes[CASE_INPUTS_MAX];
    enum kind gives;
    enum keys keys;
    unsigned needs;
    struct parameter parameters[CASE_PARAMETERS_MAX]; /* up to the first without a range */
    void *(*build)(struct build *build, const struct case_node *node);
};

extern const struct operator_type OPERATORS[];
extern const size_t OPERATOR_COUNT;

size_t operator_inputs(const struct operator_type *type);
size_t operator_parameters(const struct operator_type *type);

/* OPERATOR_COUNT: none of that name. */
size_t operator_named(const char *name);

static inline const struct operator_type *node_operator(const struct case_node *node)
{
    return &OPERATORS[node->type];
}

/* The form of the keys that come out of a node. */
enum keys case_keys(const struct test_case *test, size_t node);

/* Drops the nodes that are not needed. Those that are take none that is not. */
void case_keep_nodes(struct test_case *test, const bool needed[]);

/* False for what Kafka Streams' own DSL cannot run, whatever the records: nothing can be compared there. */
bool case_suits_kafka(const struct test_case *test);
bool operators_suit_kafka(const struct operator_type *first, const struct operator_type *second);

/* What nodes take exists before them and fits them. */
bool case_is_well_formed(const struct test_case *test);

#endif
