/*
 * The operators that see one record at a time and keep nothing. Each file is one; here are what the DSL needs of them: the
 * processor types, and the arguments that they take, which outlive the topology.
 *
 * Records go on with the input's timestamp and headers unless the user's function changes them (Kafka Streams' rule). A
 * negative return of a user's function ends the record with that code.
 */
#ifndef STATELESS_STATELESS_H
#define STATELESS_STATELESS_H

#include "millstream/stream.h"

struct filter_argument {
    mill_predicate predicate;
    void *ctx;
    bool keep; /* what the predicate says of records that go on */
};
extern const mill_processor_type filter_type;

/* Drops null keys without counting them, before a repartition topic. Takes no argument. */
extern const mill_processor_type null_key_filter_type;

struct map_argument {
    mill_record_mapper mapper;
    void *ctx;
};
extern const mill_processor_type map_type;

struct mapper_argument {
    mill_mapper mapper;
    void *ctx;
};
extern const mill_processor_type map_values_type; /* makes the value */
extern const mill_processor_type select_key_type; /* makes the key */

struct flat_map_argument {
    mill_flat_mapper mapper;
    void *ctx;
};
extern const mill_processor_type flat_map_type;
extern const mill_processor_type flat_map_values_type; /* every record goes on under the input's key */

struct visit_argument {
    mill_visitor visitor;
    void *ctx;
};
extern const mill_processor_type peek_type;
extern const mill_processor_type for_each_type;

struct print_argument {
    const char *label;         /* NULL: the name of the stream's operator */
    const char *const *stream; /* where that name is */
};
extern const mill_processor_type print_type;

/* Hands each record to all children: where streams merge, and behind each branch. Takes no argument. */
extern const mill_processor_type pass_through_type;

/* Child i belongs to predicates[i]; a NULL predicate, always the last, holds for all. */
struct branch_argument {
    struct branch_predicate {
        mill_predicate predicate;
        void *ctx;
    } * predicates;
    size_t count;
    size_t capacity;
};
extern const mill_processor_type branch_type;

#endif
